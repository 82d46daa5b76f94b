/* What the tests of samples on a network share: seeds, the weather of each, and clients that do things by chance. A
 * sample is compiled into its test as it is. What a client gets is right, byte for byte, or it sees an error.
 *
 *     TEST_SEEDS=10000 network_chat       so many seeds
 *     TEST_SEED=17 network_chat           this one alone, with everything that the network did */
#ifndef TEST_TESTING_NETWORK_SAMPLES_H
#define TEST_TESTING_NETWORK_SAMPLES_H

#include <errno.h>

#include "samples.h"

#include <thrum/testing_network.h>

enum { SEEDS = 30, FAULTS = 4 };

/* ---- by chance ---- */

typedef struct test_dice {
    uint64_t state;
} test_dice;

static inline unsigned roll(test_dice *from, unsigned end)
{
    from->state = from->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(from->state >> 33) % end;
}

static inline thrum_time roll_time(test_dice *from, unsigned milliseconds)
{
    return (thrum_time)roll(from, milliseconds) * MILLISECONDS(1);
}

/* Each client and each run has dice of its own. */
static inline test_dice dice_of(unsigned who)
{
    test_dice made = {thrum_test_seed() * 1000003u + who};
    (void)roll(&made, 2);
    return made;
}

/* A byte of what a client sends or a file holds. */
static inline char byte_at(unsigned who, size_t place)
{
    return (char)((place * 31 + place / 251 + who * 7) & 0xff);
}

/* ---- weather ---- */

static inline void print_line(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

/* In two of three runs nothing breaks: then nothing may fail either. */
static inline bool stormy(void)
{
    return thrum_test_seed() % 3 == 0;
}

static inline int open_network(thrum_test_network **network)
{
    test_dice weather = dice_of(0);
    thrum_test_path path = {.size = sizeof path};
    thrum_test_network_options options = {.size = sizeof options, .path = &path};
    path.latency = roll_time(&weather, 30);
    path.jitter = roll_time(&weather, 30);
    path.lost = roll(&weather, 40);
    path.fragment = roll(&weather, 2) ? 1 + roll(&weather, 200) : 0;
    path.window = roll(&weather, 2) ? 1000 + roll(&weather, 10000) : 0;
    path.rate = roll(&weather, 3) ? 0 : 20000 + roll(&weather, 1000000);
    path.reset = stormy() ? roll(&weather, 4) : 0;
    options.trace = getenv("TEST_SEED") ? print_line : NULL;
    return thrum_test_network_open(network, &options);
}

/* Now and then the line is cut for some seconds, and in a storm connections are reset, too. */
static ASYNC(break_things, ARGS((thrum_test_network *, network), (const char *, a), (const char *, b)),
             LOCALS(test_dice dice; int i;))
{
    ASYNC_BEGIN;
    self->dice = dice_of(1);
    for (self->i = 0; self->i < FAULTS; self->i++) {
        AWAIT(thrum_sleep(roll_time(&self->dice, 4000)));
        if (stormy() && !roll(&self->dice, 2))
            (void)thrum_test_network_reset(self->network, self->a, self->b);
        else
            (void)thrum_test_network_cut(self->network, self->a, self->b, 1 + roll_time(&self->dice, 5000));
    }
    ASYNC_END;
}

/* ---- runs ---- */

static inline unsigned long number_of(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

/* A check that says which run it is of. */
#define CHECK_SEED(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "TEST_SEED=%llu\n", (unsigned long long)thrum_test_seed());                                \
            FAIL(#condition);                                                                                          \
        }                                                                                                              \
    } while (0)

/* Run a program with each seed. `check` looks at what it has left, and clears it away. */
static inline void run_seeds(thrum_test_program *program, void (*check)(void))
{
    unsigned long only = number_of("TEST_SEED", 0), count = only ? only : number_of("TEST_SEEDS", SEEDS);
    for (unsigned long seed = only ? only : 1; seed <= count; seed++) {
        thrum_test_options options = {.size = sizeof options, .seed = seed, .no_tasks_left = true};
        options.errors_may_be_reported = true;
        options.most_passes = 20000000; /* where bytes come one by one */
        char text[40];
        int error = thrum_test_run_program(program, NULL, &options, NULL);
        check();
        (void)snprintf(text, sizeof text, "TEST_SEED=%lu failed", seed);
        if (error)
            FAIL(text);
    }
}

/* Nobody waits for it any more. */
static ASYNC(end_task, ARGS((thrum_task *, task)), LOCALS(int ignored;), ON_DROP(thrum_task_release(self->task);))
{
    ASYNC_BEGIN;
    (void)thrum_task_cancel(self->task);
    AWAIT_CATCH_ALL(self->ignored, self->task);
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

#endif
