/**
 * @file threads.h
 * Threads beside the loop: calls that block are made in them, and they may ask the loop for something. What asyncio has
 * in threads.py, and of concurrent.futures what goes with it.
 */
#ifndef THRUM_THREADS_H
#define THRUM_THREADS_H

#include <thrum/awaitables.h>
#include <thrum/events.h>

THRUM_BEGIN_DECLS

/** Some threads, and a queue of calls for them. */
typedef struct thrum_executor thrum_executor;

/** Options of a new executor. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_executor_options {
    size_t size;      /**< sizeof(thrum_executor_options) */
    unsigned threads; /**< at most so many; 0: processors that this process may use + 4, at most 32 */
    const char *name; /**< its threads are called NAME-0, NAME-1, ...; copied, cut at 11 bytes; NULL: "thrum" */
    size_t stack;     /**< bytes of stack of a thread, at least PTHREAD_STACK_MIN; 0: the system's default */
} thrum_executor_options;

/**
 * Make an executor. A thread is started when there is a call and no thread is idle; it stays until the executor is shut
 * down. Its signals are blocked, but for those that tell of a fault.
 * [never waits · allocates · any thread]
 *
 * @param executor  where it goes; owned, to be given back with thrum_executor_release()
 * @param options   copied; NULL is the default
 * @return gives 0; THRUM_EINVAL, also for a stack that is smaller than the system allows; THRUM_ENOMEM
 *
 * asyncio: ThreadPoolExecutor
 */
THRUM_API int thrum_executor_new(thrum_executor **executor, const thrum_executor_options *options);

/**
 * Let an executor take no more calls. Its threads end when those that are queued were made.
 * [never waits · no allocation · any thread]
 *
 * @param executor  may be shut down already
 * @param cancel    also give up what is queued and has not begun: who awaits it gets THRUM_ECANCELED
 *
 * asyncio: ThreadPoolExecutor.shutdown(wait=False, cancel_futures=)
 */
THRUM_API void thrum_executor_shutdown(thrum_executor *executor, bool cancel);

/**
 * Shut an executor down and wait until its threads have ended.
 * [awaits · cancel-safe: the executor is shut down · allocates · this loop's thread only]
 *
 * @param executor  good until this is awaited
 * @return gives 0; THRUM_ESTATE in a child process that was forked meanwhile; THRUM_ENOMEM
 *
 * asyncio: ThreadPoolExecutor.shutdown(wait=True)
 */
THRUM_API thrum_awaitable thrum_executor_join(thrum_executor *executor) THRUM_MUST_USE_;

/**
 * Give an executor back. With the last reference (a loop whose default it is has one, too) it is shut down; calls that
 * are queued are made, and nobody waits for them here.
 * [never waits · any thread]
 *
 * @param executor  owned; NULL does nothing. Not to be used afterwards.
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_executor_release(thrum_executor *executor);

/** What an executor has at the moment. */
typedef struct thrum_executor_stats {
    unsigned threads; /**< that are there */
    unsigned idle;    /**< of them */
    size_t queued;    /**< calls that no thread has begun */
} thrum_executor_stats;

/**
 * Look at an executor.
 * [never waits · no allocation · any thread]
 *
 * @param executor  any
 * @param stats     where it goes
 *
 * asyncio: none
 */
THRUM_API void thrum_executor_stats_get(thrum_executor *executor, thrum_executor_stats *stats);

/**
 * A function that may block. It runs in a thread without a loop: of thrum it may call what says "any thread", and
 * thrum_error_set(), whose detail goes with the error to whoever awaits the call.
 *
 * @param argument  the caller's
 * @param value     where its result goes; 0 at first
 * @return gives 0, or an error, which is negative: THRUM_E..., THRUM_EAPP(n), -errno. A positive number (errno, its
 *         sign forgotten) becomes THRUM_EINVAL, with the number in the detail
 */
typedef int thrum_thread_function(void *argument, thrum_value *value);

/**
 * Is told of a call whose outcome is not handed over: frees the argument, and what the result owns.
 *
 * @param argument  the call's
 * @param error     what the call gave, or why it was not made: THRUM_ECANCELED, THRUM_ESHUTDOWN, ...
 * @param value     what the call gave; 0 with an error
 */
typedef void thrum_thread_cleanup(void *argument, int error, thrum_value value);

/**
 * Make a call that may block in a thread of the loop's default executor, and wait for it.
 *
 * When the wait is cancelled, a call that no thread has begun is not made; one that has begun cannot be stopped: the
 * cancellation comes when it has returned, since it uses memory of the caller. So its argument may stand in the frame.
 * What must not be lost then goes out through the argument; the value is dropped with the cancellation.
 * thrum_loop_close() waits for such a call, too.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param function  called once, in the thread
 * @param argument  for it; in memory that outlives the await
 * @return gives its value; its error; THRUM_ESHUTDOWN after thrum_loop_shutdown_default_executor(); THRUM_ENOMEM;
 *         -errno when no thread can be had
 *
 * asyncio: to_thread
 */
THRUM_API thrum_awaitable thrum_to_thread(thrum_thread_function *function, void *argument) THRUM_MUST_USE_;

/**
 * The same, but who is cancelled does not wait: the call goes on without him, and owns its argument.
 * [awaits · cancel-safe: the call goes on and its outcome is cleaned up · allocates · this loop's thread only]
 *
 * @param function  called once, in the thread
 * @param argument  for it; the call's. It is the caller's again when the await has given a value; in every other case
 *                  `cleanup` is or will be called with it, once
 * @param cleanup   called in any thread, also after the loop has closed; NULL: nothing
 * @return gives as thrum_to_thread()
 *
 * asyncio: to_thread, which is always so
 */
THRUM_API thrum_awaitable thrum_to_thread_abandon(thrum_thread_function *function, void *argument,
                                                  thrum_thread_cleanup *cleanup) THRUM_MUST_USE_;

/**
 * Make a call in a thread of an executor, and wait for it. As thrum_to_thread(), which also carries the caller's
 * context variables over; this one does not.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param executor  good until this is awaited; NULL: the loop's default
 * @param function  called once, in the thread
 * @param argument  for it; in memory that outlives the await
 * @return gives as thrum_to_thread(); THRUM_ESHUTDOWN when the executor is shut down; THRUM_ECANCELED when it was shut
 *         down with `cancel` before the call began; THRUM_ESTATE when the executor is of the process that forked this
 *
 * asyncio: loop.run_in_executor, whose future one may leave alone: spawn it
 */
THRUM_API thrum_awaitable thrum_run_in_executor(thrum_executor *executor, thrum_thread_function *function,
                                                void *argument) THRUM_MUST_USE_;

/**
 * The same, but who is cancelled does not wait.
 * [awaits · cancel-safe: the call goes on and its outcome is cleaned up · allocates · this loop's thread only]
 *
 * @param executor  as for thrum_run_in_executor()
 * @param function  called once, in the thread
 * @param argument  as for thrum_to_thread_abandon()
 * @param cleanup   as there
 * @return gives as thrum_run_in_executor()
 *
 * asyncio: loop.run_in_executor
 */
THRUM_API thrum_awaitable thrum_run_in_executor_abandon(thrum_executor *executor, thrum_thread_function *function,
                                                        void *argument, thrum_thread_cleanup *cleanup) THRUM_MUST_USE_;

/**
 * Say which executor makes the calls of a loop that name none: thrum_to_thread(), name look-ups. Without this the loop
 * makes one of its own with the first such call. It is shut down when the loop is closed.
 * [never waits · this loop's thread only]
 *
 * @param loop      open
 * @param executor  the loop takes a reference of its own; NULL: one is made when it is needed
 * @return gives 0; THRUM_ESTATE in another thread
 *
 * asyncio: loop.set_default_executor
 */
THRUM_API int thrum_loop_set_default_executor(thrum_loop *loop, thrum_executor *executor);

/**
 * Shut the default executor of the current loop down, and wait until its threads have ended. After so long a line
 * is written to the log, and nobody waits for them any more. Afterwards calls that name no executor are refused.
 * Runners do this when their tasks have ended.
 * [awaits · cancel-safe: the executor is shut down · allocates · this loop's thread only]
 *
 * @param timeout  ticks; THRUM_NEVER waits for ever
 * @return gives 0, also when there was none; THRUM_ETIMEDOUT; THRUM_ENOMEM
 *
 * asyncio: loop.shutdown_default_executor
 */
THRUM_API thrum_awaitable thrum_loop_shutdown_default_executor(thrum_time timeout) THRUM_MUST_USE_;

THRUM_END_DECLS

#endif
