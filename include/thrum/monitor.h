/**
 * @file monitor.h
 * How a loop is doing, also in production: counters and histograms that are always on, and a watchdog that tells what
 * blocks a loop while it blocks.
 *
 *     thrum_loop_stats_print(thrum_loop_current(), NULL, NULL);   to the log, now
 *     thrum_watchdog_start(thrum_loop_current(), SECONDS(1));     whoever keeps the loop for a second is named
 *
 * Always measured, at one reading of the clock before each sleep and not one more instruction a step:
 *
 * - turns: from the moment at which the poller came back to the next at which the loop asks it again. Nothing that
 *   happens meanwhile is seen before the end of the turn, so this is the lag of the loop as its descriptors feel it.
 *   Where the loop does not sleep in between, a turn lasts until the poller has come back again.
 * - how late timers are: the time of the earliest one that is due against the time at which the loop came to it.
 *   Pollers round up to milliseconds.
 * - passes, sleeps, wake-ups and posts by other threads, open streams and servers.
 *
 * Single steps are measured, with a reading of the clock for each, only in debug mode and while a watchdog is there;
 * how long the longest took is known only so. A turn is never shorter than the longest step in it.
 *
 * On virtual time nothing takes any time, and no timer is late.
 */
#ifndef THRUM_MONITOR_H
#define THRUM_MONITOR_H

#include <thrum/events.h>
#include <thrum/pool.h>

THRUM_BEGIN_DECLS

/** Buckets of a histogram, one for each bit of a time. */
#define THRUM_HISTOGRAM_BUCKETS 64

/** How often something took how long. */
typedef struct thrum_histogram {
    uint64_t buckets[THRUM_HISTOGRAM_BUCKETS]; /**< [0]: no tick at all; [i]: 2^(i-1) ticks or more, less than 2^i */
    uint64_t count;                            /**< of all */
    uint64_t sum;                              /**< ticks, of all together */
    thrum_time most;                           /**< ticks that the longest took */
} thrum_histogram;

/** What is known of a loop. Members may be added at the end. */
typedef struct thrum_loop_stats {
    size_t size;           /**< sizeof(thrum_loop_stats) */
    thrum_histogram turns; /**< that have ended; `sum` is how long the loop was busy */
    thrum_histogram late;  /**< the earliest of the timers that were due together, by so much */
    thrum_histogram steps; /**< steps of tasks and calls, as far as they were measured */
    uint64_t passes;       /**< through the ready queue; several may make a turn */
    uint64_t sleeps;       /**< how often the poller was asked to wait */
    uint64_t wakes;        /**< how often another thread or a signal handler woke it */
    uint64_t posts;        /**< calls for other threads that were made */
    size_t ready;          /**< tasks and calls that are queued now */
    size_t tasks;          /**< that have not ended */
    size_t streams;        /**< whose descriptors are open */
    size_t servers;        /**< that listen */
    thrum_pool_stats pool; /**< of the loop's thread */
} thrum_loop_stats;

/**
 * Read what is known of a loop. From another thread: thrum_loop_stats_post(), or a thrum_post that calls this.
 * [never waits · no allocation · O(tasks + blocks of the pool) · this loop's thread only]
 *
 * @param loop   open, this thread's
 * @param stats  where it goes; `size` set
 * @return gives 0; THRUM_EINVAL for a size of 0 or beyond this version; THRUM_ESTATE when it is not this thread's loop
 *
 * asyncio: none
 */
THRUM_API int thrum_loop_stats_get(thrum_loop *loop, thrum_loop_stats *stats);

/**
 * Begin all counts and histograms anew, and `most` with them.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop  open, this thread's
 * @return gives 0; THRUM_ESTATE when it is not this thread's loop
 *
 * asyncio: none
 */
THRUM_API int thrum_loop_stats_clear(thrum_loop *loop);

/**
 * Write what is known of a loop in a few lines.
 * [never waits · no allocation · runs other code · this loop's thread only]
 *
 * @param loop     open, this thread's
 * @param put      called once a line; NULL: to the log
 * @param context  for it
 * @return gives 0; THRUM_ESTATE when it is not this thread's loop
 *
 * asyncio: none
 */
THRUM_API int thrum_loop_stats_print(thrum_loop *loop, thrum_log_function *put, void *context);

/**
 * Have a loop write to the log what is known of it, as soon as it comes to that: for other threads and for signal
 * handlers.
 * [never waits · no allocation · any thread]
 *
 * @param loop  as of thrum_call_soon_threadsafe()
 * @param post  zeroed, or used here before; stays in place as one of thrum_call_soon_threadsafe()
 * @return gives 0; THRUM_ECLOSED
 *
 * asyncio: none
 */
THRUM_API int thrum_loop_stats_post(thrum_loop *loop, thrum_post *post);

/**
 * A time that so many thousandths of what was measured did not exceed: 500 for the median. It is the upper end of a
 * bucket, so less than twice the true one, or `most`.
 * [never waits · no allocation · any thread]
 *
 * @param histogram    any
 * @param thousandths  up to 1000
 * @return gives ticks; 0 when nothing was measured
 *
 * asyncio: none
 */
THRUM_API thrum_time thrum_histogram_quantile(const thrum_histogram *histogram, unsigned thousandths);

/**
 * Watch over a loop: a thread of its own writes to the log which step of a task, or which call, has kept the loop for
 * longer than `threshold`, while it still does, and once more when it has ended, how long it took:
 *
 *     fetch, http.c:123, has run 1004 ms without awaiting, and does still
 *     fetch, http.c, ran 3520 ms without awaiting in the end
 *
 * The function is the innermost that runs, the line that of the await after which it went on last; a call is named by
 * the address of its function, which a debugger knows. Of posts by other threads, which are called together, and on
 * virtual time only the first message comes. A loop that sleeps, or that has much to do in many steps, is not told of.
 *
 * Built with THRUM_TASK_HOOKS 0, the library knows only the function with which a step began.
 *
 * Meanwhile every step is run by itself and measured (thrum_loop_stats.steps), which costs about 0.1 us a step. The
 * loop ends its watchdog when it closes; in a child process that was forked there is none.
 * [never waits · allocates · this loop's thread only]
 *
 * @param loop       open, this thread's, with no watchdog yet; may be running
 * @param threshold  ticks of a real clock, also where the loop's time is virtual; it is noticed at most half as much
 *                   later, or some milliseconds
 * @return gives 0; THRUM_EINVAL for 0 and less; THRUM_ESTATE when it has one, or is not this thread's; THRUM_ENOMEM;
 *         -errno
 *
 * asyncio: none
 */
THRUM_API int thrum_watchdog_start(thrum_loop *loop, thrum_time threshold);

/**
 * End what thrum_watchdog_start() began. Waits for that thread, which is a matter of microseconds, or of the log.
 * [never waits · this loop's thread only]
 *
 * @param loop  open, this thread's; may be running
 * @return gives 0; THRUM_ESTATE when it has none, or is not this thread's
 *
 * asyncio: none
 */
THRUM_API int thrum_watchdog_stop(thrum_loop *loop);

THRUM_END_DECLS

#endif
