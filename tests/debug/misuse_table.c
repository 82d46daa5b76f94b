/* What tasks wait in, misused in every way: made anew, moved or destroyed while somebody waits, used in another thread,
 * released when nobody has it. In an ordinary run that is an error or has no effect; debug mode names where somebody
 * waits, and who did it. */
#include "support.h"

#include <pthread.h>
#include <stdio.h>

static lines logged;

static void note(void *context, const char *line)
{
    (void)context;
    put_line(&logged, line);
}

/* ---- what there is ---- */

/* Everything stands in one place, and may be copied to another. */
typedef union object {
    thrum_lock lock;
    thrum_event event;
    struct {
        thrum_condition condition;
        thrum_lock lock;
    } of_condition;
    thrum_semaphore semaphore;
    thrum_barrier barrier;
    thrum_limiter limiter;
    thrum_rwlock rwlock;
    thrum_queue queue;
    thrum_channel channel;
    thrum_future future;
    unsigned char bytes[256];
} object;

static object places[2];
static int items[4];
static thrum_sender sender;
static thrum_receiver receiver;
static thrum_limiter_hold holds[3];

static void lock_begin(object *at)
{
    thrum_lock_init(&at->lock);
    thrum_lock_try(&at->lock);
}

static thrum_awaitable lock_wait(object *at)
{
    return thrum_lock_acquire(&at->lock);
}

static int lock_act(object *at)
{
    return thrum_lock_release(&at->lock);
}

static void event_begin(object *at)
{
    thrum_event_init(&at->event);
}

static thrum_awaitable event_wait(object *at)
{
    return thrum_event_wait(&at->event);
}

static int event_act(object *at)
{
    thrum_event_set(&at->event);
    return 0;
}

static ASYNC(condition_wait_locked, ARGS((thrum_condition *, condition)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_lock_try(thrum_condition_lock(self->condition));
    AWAIT(thrum_condition_wait(self->condition));
    ASYNC_END;
}

static void condition_begin(object *at)
{
    thrum_condition_init(&at->of_condition.condition, NULL);
}

static thrum_awaitable condition_wait(object *at)
{
    return condition_wait_locked(&at->of_condition.condition);
}

static int condition_act(object *at)
{
    thrum_lock *lock = thrum_condition_lock(&at->of_condition.condition);
    thrum_lock_try(lock);
    int error = thrum_condition_notify(&at->of_condition.condition, 1);
    thrum_lock_release(lock);
    return error;
}

static void semaphore_begin(object *at)
{
    thrum_bounded_semaphore_init(&at->semaphore, 1);
    thrum_semaphore_try(&at->semaphore);
}

static thrum_awaitable semaphore_wait(object *at)
{
    return thrum_semaphore_acquire(&at->semaphore);
}

static int semaphore_act(object *at)
{
    return thrum_semaphore_release(&at->semaphore);
}

static void barrier_begin(object *at)
{
    CHECK_EQ(thrum_barrier_init(&at->barrier, 3), 0);
}

static thrum_awaitable barrier_wait(object *at)
{
    return thrum_barrier_wait(&at->barrier);
}

static int barrier_act(object *at)
{
    thrum_barrier_abort(&at->barrier);
    return 0;
}

static void limiter_begin(object *at)
{
    memset(holds, 0, sizeof *holds);
    thrum_limiter_init(&at->limiter, 1);
    CHECK_EQ(thrum_limiter_acquire_nowait(&at->limiter, &holds[0], &holds[0]), 0);
}

static thrum_awaitable limiter_wait(object *at)
{
    static size_t next;
    next = next == 1 ? 2 : 1;
    memset(&holds[next], 0, sizeof *holds);
    return thrum_limiter_acquire(&at->limiter, &holds[next]);
}

static int limiter_act(object *at)
{
    thrum_limiter_set_total(&at->limiter, 2);
    return 0;
}

static void rwlock_begin(object *at)
{
    thrum_rwlock_init(&at->rwlock);
    thrum_rwlock_try_write(&at->rwlock);
}

static thrum_awaitable rwlock_wait(object *at)
{
    return thrum_rwlock_acquire_read(&at->rwlock);
}

static int rwlock_act(object *at)
{
    return thrum_rwlock_release_write(&at->rwlock);
}

static void queue_begin(object *at)
{
    CHECK_EQ(thrum_queue_init(&at->queue, items, 4, sizeof *items), 0);
}

static thrum_awaitable queue_wait(object *at)
{
    static int item;
    return thrum_queue_get(&at->queue, &item);
}

static int queue_act(object *at)
{
    return thrum_queue_put_nowait(&at->queue, &(int){7});
}

static void channel_begin(object *at)
{
    CHECK_EQ(thrum_channel_init(&at->channel, &sender, &receiver, items, 4, sizeof *items), 0);
}

static thrum_awaitable channel_wait(object *at)
{
    static int item;
    (void)at;
    return thrum_channel_receive(&receiver, &item);
}

static int channel_act(object *at)
{
    (void)at;
    return thrum_channel_send_nowait(&sender, &(int){7});
}

static void future_begin(object *at)
{
    thrum_future_init(&at->future);
}

static thrum_awaitable future_wait(object *at)
{
    return thrum_future_wait(&at->future);
}

static int future_act(object *at)
{
    return thrum_future_set_result(&at->future, 0);
}

static const struct row {
    const char *name;
    void (*begin)(object *at); /* so that one who waits must wait */
    thrum_awaitable (*wait)(object *at);
    int (*act)(object *at); /* what lets him go on */
    int given;              /* what he gets */
    int foreign;            /* what `act` gives where it must not be */
    int again;              /* what it gives the second time */
    const char *refused;    /* and what debug mode says to that */
} rows[] = {
    {"lock", lock_begin, lock_wait, lock_act, 0, THRUM_ESTATE, THRUM_ESTATE, "a lock was released that nobody holds"},
    {"event", event_begin, event_wait, event_act, 0, 0, 0, NULL},
    {"condition", condition_begin, condition_wait, condition_act, 0, THRUM_ESTATE, 0, NULL},
    {"semaphore", semaphore_begin, semaphore_wait, semaphore_act, 0, THRUM_ESTATE, THRUM_EINVAL,
     "a semaphore was released more often than acquired"},
    {"barrier", barrier_begin, barrier_wait, barrier_act, THRUM_EBROKEN, 0, 0, NULL},
    {"limiter", limiter_begin, limiter_wait, limiter_act, 0, 0, 0, NULL},
    {"rwlock", rwlock_begin, rwlock_wait, rwlock_act, 0, THRUM_ESTATE, THRUM_ESTATE,
     "a rwlock was released that nobody writes under"},
    {"queue", queue_begin, queue_wait, queue_act, 0, 0, 0, NULL},
    {"channel", channel_begin, channel_wait, channel_act, 0, THRUM_ESTATE, 0, NULL},
    {"future", future_begin, future_wait, future_act, 0, THRUM_ESTATE, THRUM_EDONE,
     "a future was completed that is done already"},
};

/* ---- trying ---- */

static const struct row *row;
static object *here = &places[0], *there = &places[1];
static bool debug;
static int result;

#define SAID(words) said(words, __LINE__)

static void said(const char *words, int line)
{
    static char why[2 * TEXT];
    if (strstr(logged.text, words))
        return;
    snprintf(why, sizeof why, "%s, line %d: \"%s\" is not in \"%.900s\"", row->name, line, words, logged.text);
    FAIL(why);
}

static void CHECK_ROW_(bool holds_true, const char *what, int line)
{
    static char why[256];
    if (holds_true)
        return;
    snprintf(why, sizeof why, "%s%s, line %d: %s", row->name, debug ? " in debug mode" : "", line, what);
    FAIL(why);
}

#define HOLDS(condition) CHECK_ROW_(condition, #condition, __LINE__)

static ASYNC(waits, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(row->wait(here));
    ASYNC_END;
}

static thrum_task *first, *second;

enum { ANEW, MOVED, DESTROYED, TWICE };

static ASYNC(misuses, ARGS((int, how)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    switch (self->how) {
    case ANEW:
        row->begin(here);
        break;
    case MOVED:
        memcpy(there, here, sizeof *there);
        memset(here, 0xdb, sizeof *here);
        result = row->act(there);
        break;
    case DESTROYED:
        memset(here, 0xdb, sizeof *here);
        thrum_task_cancel(first);
        if (second)
            thrum_task_cancel(second);
        break;
    case TWICE:
        result = row->act(here);
        if (!result)
            result = row->act(here);
        break;
    }
    ASYNC_END;
}

static void run(thrum_loop *loop, thrum_awaitable what)
{
    CHECK_EQ(thrum_loop_run_until_complete(loop, what, NULL), 0);
}

static void settle(thrum_loop *loop)
{
    while (thrum_loop_next_deadline(loop) == 0)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
}

static thrum_loop *open_loop(void)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM, .debug = debug};
    thrum_loop *loop = NULL;
    thrum_log_set(note, NULL);
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    eager_prepare(loop);
    return loop;
}

static void close_loop(thrum_loop *loop)
{
    thrum_pool_stats stats;
    CHECK_EQ(thrum_loop_close(loop), 0);
    thrum_pool_stats_get(&stats);
    HOLDS(stats.blocks == 0);
}

static thrum_task *start(thrum_loop *loop)
{
    thrum_task *task = thrum_spawn(waits());
    settle(loop);
    HOLDS(!thrum_task_done(task));
    return task;
}

static void said_nothing(void)
{
    HOLDS(strcmp(logged.text, "") == 0);
}

/* A loop, with somebody who waits in a new object. */
static thrum_loop *prepare(void)
{
    thrum_loop *loop = open_loop();
    logged.text[0] = '\0';
    row->begin(here);
    first = start(loop);
    said_nothing();
    return loop;
}

static void end(thrum_loop *loop, thrum_task **task, int error)
{
    settle(loop);
    HOLDS(thrum_task_done(*task));
    HOLDS(thrum_task_result(*task, NULL) == error);
    thrum_task_release(*task);
    *task = NULL;
}

static void each(void (*cell)(void))
{
    for (int mode = 0; mode < 2; mode++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            debug = mode == 1;
            row = &rows[i];
            result = -1;
            first = second = NULL;
            cell();
        }
}

/* Both places: of who waits, and of who did it. */
static void SAID_WHERE(void)
{
    SAID(row->wait == condition_wait ? "  somebody waits in condition_wait_locked, " : "  somebody waits in waits, ");
    SAID("\n  in misuses, ");
    SAID("misuse_table.c:");
}

/* ---- made anew ---- */

static void made_anew(void)
{
    thrum_loop *loop = prepare();
    run(loop, misuses(ANEW));
    if (debug) {
        SAID(row->name);
        SAID(" was made anew while a task waits in it\n");
        SAID_WHERE();
    } else {
        said_nothing();
    }
    /* The new one knows nothing of who waits, who can be cancelled, beside others who wait there now. */
    second = start(loop);
    thrum_task_cancel(first);
    end(loop, &first, THRUM_ECANCELED);
    HOLDS(!thrum_task_done(second));
    HOLDS(row->act(here) == 0);
    end(loop, &second, row->given);
    close_loop(loop);
}

TEST(misuse_table, made_anew)
{
    each(made_anew);
}

/* ---- moved ---- */

/* Whoever waits is not woken to go on where the object was. A queue and a channel do not find that out by themselves,
 * and the ends of a channel lead to where it was. */
static void moved(void)
{
    if ((row->act == channel_act || row->act == queue_act) && !debug)
        return;
    thrum_loop *loop = prepare();
    run(loop, misuses(MOVED));
    settle(loop);
    if (debug) {
        SAID(row->name);
        SAID(row->act == channel_act ? " was destroyed while a task waits in it\n"
                                     : " was moved while a task waits in it\n");
        SAID_WHERE();
        HOLDS(result == row->foreign);
    }
    if (row->act != future_act || debug)
        HOLDS(!thrum_task_done(first));
    thrum_task_cancel(first);
    end(loop, &first, row->act == future_act && !debug ? 0 : THRUM_ECANCELED);
    close_loop(loop);
}

TEST(misuse_table, moved)
{
    each(moved);
}

/* ---- destroyed ---- */

static void destroyed(void)
{
    thrum_loop *loop = prepare();
    run(loop, misuses(DESTROYED));
    if (debug) {
        SAID(": what a task waits in was moved, made anew or destroyed\n");
        SAID_WHERE();
    } else {
        said_nothing();
    }
    end(loop, &first, THRUM_ECANCELED);
    close_loop(loop);
}

TEST(misuse_table, destroyed)
{
    each(destroyed);
}

static void destroyed_before_the_loop_ends(void)
{
    thrum_loop *loop = prepare();
    memset(here, 0xdb, sizeof *here);
    thrum_task_release(first);
    close_loop(loop);
    SAID("task was destroyed but it is pending");
}

TEST(misuse_table, destroyed_before_the_loop_ends)
{
    each(destroyed_before_the_loop_ends);
}

/* Where more than one waits only debug mode sees it; where nothing of the object would be touched nobody looks. */
static void destroyed_under_two(void)
{
    if (!debug || row->act == event_act || row->act == queue_act || row->act == channel_act)
        return;
    thrum_loop *loop = prepare();
    second = start(loop);
    run(loop, misuses(DESTROYED));
    SAID_WHERE();
    end(loop, &first, THRUM_ECANCELED);
    end(loop, &second, THRUM_ECANCELED);
    close_loop(loop);
}

TEST(misuse_table, destroyed_under_two)
{
    each(destroyed_under_two);
}

/* ---- in another thread ---- */

static void *without_a_loop(void *argument)
{
    (void)argument;
    result = row->act(here);
    return NULL;
}

static ASYNC(stranger, ARGS((bool, waits_there)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    if (self->waits_there)
        AWAIT_CATCH(result, row->wait(here));
    else
        result = row->act(here);
    ASYNC_END;
}

static bool waits_there;

static void *with_a_loop(void *argument)
{
    thrum_loop *loop = open_loop();
    (void)argument;
    run(loop, stranger(waits_there));
    thrum_loop_close(loop);
    thrum_pool_clear();
    return NULL;
}

static void try_in_a_thread(void *(*body)(void *argument))
{
    pthread_t thread;
    thrum_loop *loop = prepare();
    CHECK_EQ(pthread_create(&thread, NULL, body, NULL), 0);
    pthread_join(thread, NULL);
    if (debug) {
        SAID(row->act == future_act ? "a task of another loop was woken in this thread: "
                                    : " of another loop was used in this thread: ");
        SAID("  somebody waits in ");
        if (body == with_a_loop)
            SAID("in stranger, ");
    } else {
        said_nothing();
    }
    HOLDS(result == (waits_there ? THRUM_ESTATE : row->foreign));
    settle(loop);
    HOLDS(!thrum_task_done(first));
    HOLDS(row->act(here) == 0);
    end(loop, &first, row->given);
    close_loop(loop);
}

static void in_a_thread_without_a_loop(void)
{
    waits_there = false;
    try_in_a_thread(without_a_loop);
}

TEST(misuse_table, in_a_thread_without_a_loop)
{
    each(in_a_thread_without_a_loop);
}

/* Two loops: only debug mode sees it. */
static void in_a_thread_with_a_loop(void)
{
    waits_there = false;
    if (debug)
        try_in_a_thread(with_a_loop);
}

TEST(misuse_table, in_a_thread_with_a_loop)
{
    each(in_a_thread_with_a_loop);
}

static void awaited_in_a_thread_with_a_loop(void)
{
    waits_there = true;
    if (debug)
        try_in_a_thread(with_a_loop);
}

TEST(misuse_table, awaited_in_a_thread_with_a_loop)
{
    each(awaited_in_a_thread_with_a_loop);
}

/* ---- twice ---- */

static void twice(void)
{
    thrum_loop *loop = open_loop();
    logged.text[0] = '\0';
    row->begin(here);
    run(loop, misuses(TWICE));
    HOLDS(result == row->again);
    if (debug && row->refused) {
        SAID(row->refused);
        SAID("\n  in misuses, ");
    } else {
        said_nothing();
    }
    close_loop(loop);
}

TEST(misuse_table, twice)
{
    each(twice);
}
