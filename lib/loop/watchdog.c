/* A thread that looks whether a loop still gets on. While there is one, the loop's steps are run one by one (slow.c),
 * and the loop publishes what it does in words that this thread may read at any time: a number for each step, odd while
 * it runs, and the function that goes on in it. */
#include "loop/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <thrum/monitor.h>

#include "core/coroutines.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/system.h"

/* How often it looks within the threshold, at least; and the shortest time between two looks. */
enum { LOOKS = 4 };
static const thrum_time SHORTEST = THRUM_TICKS_PER_SECOND / 1000;

/* What a step was doing. */
typedef struct sight {
    const thrum_function *function; /* NULL: a call */
    uint32_t line;
    uintptr_t call;
} sight;

struct loop_watchdog {
    pthread_t thread;
    pthread_mutex_t guard;
    pthread_cond_t changed;
    bool over; /* under the guard */
    thrum_time period;
    unsigned looks; /* so many at the same step, and it blocks */

    atomic_uint step;    /* odd: one runs */
    atomic_uint version; /* odd: what follows is being changed */
    atomic_uintptr_t function, call;
    atomic_uint line;

    atomic_uint told; /* the last step that was named, and what it was named */
    sight named;

    uintptr_t outer; /* the loop's own: what is called, while that starts tasks */
    bool several;    /* and whether it is one call of many */
};

/* ---- the loop's side ---- */

/* Whoever sees one of the new words sees the odd version with it. */
static void publish(loop_watchdog *watchdog, const thrum_coro *coro, uintptr_t call)
{
    while (coro && coro->head.operations->start)
        coro = coro->caller;
    unsigned version = atomic_load_explicit(&watchdog->version, memory_order_relaxed);
    atomic_store_explicit(&watchdog->version, version + 1, memory_order_relaxed);
    atomic_store_explicit(&watchdog->function, coro ? (uintptr_t)(const void *)function_of(coro) : 0,
                          memory_order_release);
    atomic_store_explicit(&watchdog->line, coro ? line_of(coro) : 0, memory_order_release);
    atomic_store_explicit(&watchdog->call, call, memory_order_release);
    atomic_store_explicit(&watchdog->version, version + 2, memory_order_release);
}

#if THRUM_TASK_HOOKS
static void frame_goes_on(const thrum_coro *coro)
{
    loop_watchdog *watchdog = loop_here()->watchdog;
    if (watchdog)
        publish(watchdog, coro, coro ? 0 : watchdog->outer);
}
#endif

static void next_step(loop_watchdog *watchdog, unsigned by)
{
    unsigned step = atomic_load_explicit(&watchdog->step, memory_order_relaxed);
    atomic_store_explicit(&watchdog->step, step + by, memory_order_release);
}

void watchdog_begin(loop_watchdog *watchdog, const thrum_coro *leaf, uintptr_t call)
{
    watchdog->outer = call;
    watchdog->several = false;
    publish(watchdog, leaf, call);
    next_step(watchdog, 1);
}

void watchdog_next(loop_watchdog *watchdog, uintptr_t call)
{
    watchdog->outer = call;
    watchdog->several = true;
    publish(watchdog, NULL, call);
    next_step(watchdog, 2);
}

bool watchdog_end(loop_watchdog *watchdog)
{
    unsigned step = atomic_load_explicit(&watchdog->step, memory_order_relaxed);
    next_step(watchdog, 1);
    return !watchdog->several && atomic_load_explicit(&watchdog->told, memory_order_acquire) == step;
}

static unsigned in_milliseconds(thrum_time ticks)
{
    return (unsigned)(ticks / (THRUM_TICKS_PER_SECOND / 1000));
}

void watchdog_tell_end(const loop_watchdog *watchdog, thrum_time took)
{
    const sight *named = &watchdog->named;
    if (named->function)
        thrum_log("%s, %s, ran %u ms without awaiting in the end", thrum_function_name(named->function),
                  thrum_function_file(named->function), in_milliseconds(took));
    else
        thrum_log("a call of %p ran %u ms in the end", (void *)named->call, in_milliseconds(took));
}

/* ---- the thread's side ---- */

static bool read_sight(loop_watchdog *watchdog, sight *seen)
{
    unsigned version = atomic_load_explicit(&watchdog->version, memory_order_acquire);
    seen->function =
        (const thrum_function *)(const void *)atomic_load_explicit(&watchdog->function, memory_order_acquire);
    seen->line = atomic_load_explicit(&watchdog->line, memory_order_acquire);
    seen->call = atomic_load_explicit(&watchdog->call, memory_order_acquire);
    return !(version & 1) && atomic_load_explicit(&watchdog->version, memory_order_relaxed) == version;
}

static unsigned current_step(loop_watchdog *watchdog)
{
    return atomic_load_explicit(&watchdog->step, memory_order_acquire);
}

/* Name what runs, unless it ends just now or goes from one function to the next. */
static bool tell(loop_watchdog *watchdog, unsigned step, thrum_time took)
{
    unsigned milliseconds = in_milliseconds(took);
    sight seen;
    if (!read_sight(watchdog, &seen) || current_step(watchdog) != step)
        return false;
    watchdog->named = seen; /* the loop reads it when this step ends, if it sees the next line */
    atomic_store_explicit(&watchdog->told, step, memory_order_release);
    if (seen.function && seen.line)
        thrum_log("%s, %s:%u, has run %u ms without awaiting, and does still", thrum_function_name(seen.function),
                  thrum_function_file(seen.function), (unsigned)seen.line, milliseconds);
    else if (seen.function)
        thrum_log("%s, %s, has run %u ms without awaiting, from its beginning, and does still",
                  thrum_function_name(seen.function), thrum_function_file(seen.function), milliseconds);
    else
        thrum_log("a call of %p has run %u ms, and does still", (void *)seen.call, milliseconds);
    return true;
}

/* The guard is held. True: go on. */
static bool pause_for(loop_watchdog *watchdog, thrum_time period)
{
    const struct timespec limit = system_limit(period);
    int error = 0;
    while (!watchdog->over && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&watchdog->changed, &watchdog->guard, &limit);
    return !watchdog->over;
}

static void *run(void *argument)
{
    loop_watchdog *watchdog = (loop_watchdog *)argument;
    unsigned last = 0, looks = 0;
    thrum_time since = 0;
    system_name_thread("thrum-watchdog");
    pthread_mutex_lock(&watchdog->guard);
    while (pause_for(watchdog, watchdog->period)) {
        unsigned step = current_step(watchdog);
        if (step != last || !(step & 1)) {
            last = step;
            looks = 0;
            since = system_clock();
            continue;
        }
        /* Looks are counted, not only time: a process that was stopped for an hour has not blocked for one. */
        if (looks <= watchdog->looks && ++looks >= watchdog->looks) {
            pthread_mutex_unlock(&watchdog->guard);
            bool named = tell(watchdog, step, system_clock() - since);
            pthread_mutex_lock(&watchdog->guard);
            looks = named ? watchdog->looks + 1 : 0;
        }
    }
    pthread_mutex_unlock(&watchdog->guard);
    return NULL;
}

/* ---- it comes and goes ---- */

/* Signals are for the application's threads. */
static int start_thread(loop_watchdog *watchdog)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&watchdog->thread, NULL, run, watchdog);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -error;
}

static void destroy(loop_watchdog *watchdog)
{
    pthread_cond_destroy(&watchdog->changed);
    pthread_mutex_destroy(&watchdog->guard);
    free(watchdog);
}

int thrum_watchdog_start(thrum_loop *loop, thrum_time threshold)
{
    if (threshold <= 0)
        return THRUM_EINVAL;
    if (!loop || loop != thrum_loop_current() || loop->watchdog)
        return THRUM_ESTATE;
    loop_watchdog *watchdog = (loop_watchdog *)calloc(1, sizeof *watchdog);
    if (!watchdog)
        return THRUM_ENOMEM;
    watchdog->period = threshold / LOOKS > SHORTEST ? threshold / LOOKS : SHORTEST;
    /* As many as it takes, and one more since the first may come right after the step has begun. */
    watchdog->looks = (unsigned)((threshold - 1) / watchdog->period + 1);
    pthread_mutex_init(&watchdog->guard, NULL);
    system_condition_init(&watchdog->changed);
    int error = start_thread(watchdog);
    if (error) {
        destroy(watchdog);
        return error;
    }
    loop->watchdog = watchdog;
#if THRUM_TASK_HOOKS
    thrum_core_set_watch(frame_goes_on);
#endif
    thrum_core_hurry(); /* what runs now was begun without it */
    return 0;
}

void loop_close_watchdog(thrum_loop *loop, bool copy)
{
    loop_watchdog *watchdog = loop->watchdog;
    if (!watchdog)
        return;
    loop->watchdog = NULL;
    if (copy) {
        free(watchdog); /* its lock may be held by a thread that is not here */
        return;
    }
#if THRUM_TASK_HOOKS
    thrum_core_set_watch(NULL);
#endif
    pthread_mutex_lock(&watchdog->guard);
    watchdog->over = true;
    pthread_cond_signal(&watchdog->changed);
    pthread_mutex_unlock(&watchdog->guard);
    pthread_join(watchdog->thread, NULL);
    destroy(watchdog);
}

int thrum_watchdog_stop(thrum_loop *loop)
{
    if (!loop || loop != thrum_loop_current() || !loop->watchdog)
        return THRUM_ESTATE;
    loop_close_watchdog(loop, false);
    return 0;
}
