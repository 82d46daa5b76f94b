/* Many runs of a program: over seeds, cancellations and blocks that are refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

enum { SEEDS = 20 };

typedef struct exploration {
    thrum_test_program *program;
    void *context;
    const thrum_test_explore_options *options;
    thrum_test_options run;
    thrum_test_explored count;
    bool over;
} exploration;

/* One run, and what is thought of it. False: the place of its injection was not reached, so there is no further one. */
static bool go(exploration *all)
{
    const thrum_test_explore_options *options = all->options;
    thrum_test_result result;
    char name[RUN_NAME];
    run_once(all->program, all->context, (thrum_awaitable){0}, &all->run, &result);
    run_name(name, &all->run);
    all->count.runs++;
    bool failed = result.failures != 0;
    if (all->run.injection == THRUM_TEST_NOTHING && result.error != options->expected) {
        run_say(&all->run, "thrum_test: %s: gives %s and not %s", name[0] ? name : "the plain run",
                thrum_error_name(result.error), thrum_error_name(options->expected));
        failed = true;
    }
    if (options->check && options->check(all->context, &all->run, &result) != 0) {
        run_say(&all->run, "thrum_test: %s: its check failed", name[0] ? name : "the plain run");
        failed = true;
    }
    if (failed) {
        all->count.failed++;
        if (name[0])
            run_say(&all->run, "    to see it again: THRUM_TEST_REPLAY=\"%s\"", name);
        all->over = options->stop;
    }
    return result.injected;
}

static void inject(exploration *all, thrum_test_injection injection, size_t *runs)
{
    size_t most = all->options->most ? all->options->most : SIZE_MAX;
    all->run.injection = injection;
    for (all->run.at = 1; all->run.at <= most && !all->over; all->run.at++) {
        if (!go(all))
            break;
        ++*runs;
    }
    all->run.injection = THRUM_TEST_NOTHING;
    all->run.at = 0;
}

static void explore_all(exploration *all)
{
    const thrum_test_explore_options *options = all->options;
    (void)go(all);
    if (!options->no_seeds && all->run.backend == THRUM_BACKEND_SIM) {
        size_t seeds = options->seeds ? options->seeds : SEEDS;
        for (all->run.seed = 1; all->run.seed <= seeds && !all->over; all->run.seed++) {
            (void)go(all);
            all->count.seeds++;
        }
        all->run.seed = 0;
    }
#if THRUM_TASK_HOOKS
    if (!options->no_cancels) {
        inject(all, THRUM_TEST_CANCEL_WAITING, &all->count.waiting);
        inject(all, THRUM_TEST_CANCEL_WOKEN, &all->count.woken);
    }
#endif
    if (!options->no_allocations)
        inject(all, THRUM_TEST_FAIL_ALLOCATION, &all->count.allocations);
}

/* "seed=3 waiting=7". False: it says something else. */
static bool parse(thrum_test_options *run, const char *replay)
{
    static const struct {
        const char *name;
        thrum_test_injection injection;
    } names[] = {{"seed=", THRUM_TEST_NOTHING},
                 {"waiting=", THRUM_TEST_CANCEL_WAITING},
                 {"woken=", THRUM_TEST_CANCEL_WOKEN},
                 {"allocation=", THRUM_TEST_FAIL_ALLOCATION}};
    while (*replay) {
        size_t i = 0, length = 0;
        for (; i < sizeof names / sizeof *names; i++) {
            length = strlen(names[i].name);
            if (strncmp(replay, names[i].name, length) == 0)
                break;
        }
        if (i == sizeof names / sizeof *names)
            return false;
        char *end;
        unsigned long long number = strtoull(replay + length, &end, 10);
        if (end == replay + length || (*end && *end != ' '))
            return false;
        if (names[i].injection == THRUM_TEST_NOTHING) {
            run->seed = number;
        } else {
            run->injection = names[i].injection;
            run->at = (size_t)number;
        }
        replay = *end ? end + 1 : end;
    }
    return true;
}

int thrum_test_explore(thrum_test_program *program, void *context, const thrum_test_explore_options *options,
                       thrum_test_explored *explored)
{
    thrum_test_explore_options checked = {.size = sizeof checked};
    exploration all = {.program = program, .context = context, .options = &checked};
    if (!program || (options && (options->size == 0 || options->size > sizeof checked)))
        return THRUM_EINVAL;
    if (options)
        memcpy(&checked, options, options->size);
    const char *replay = checked.replay ? checked.replay : getenv("THRUM_TEST_REPLAY");
    int error = run_options(checked.run, &all.run);
    if (error)
        return error;
    all.run.seed = 0;
    all.run.injection = THRUM_TEST_NOTHING;
    all.run.at = 0;
    if (replay && *replay && !parse(&all.run, replay))
        return THRUM_EINVAL;
    error = thrum_loop_current() ? THRUM_ESTATE : run_allocator_begin();
    if (error)
        return error;
    if (replay && *replay)
        (void)go(&all);
    else
        explore_all(&all);
    run_allocator_end();
    if (explored)
        *explored = all.count;
    return all.count.failed < INT32_MAX ? (int)all.count.failed : INT32_MAX;
}
