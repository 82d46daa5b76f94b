/**
 * @file thread_futures.h
 * Futures between threads: one thread waits for what another one, or its loop, does. What asyncio takes from
 * concurrent.futures, with run_coroutine_threadsafe and wrap_future.
 */
#ifndef THRUM_THREAD_FUTURES_H
#define THRUM_THREAD_FUTURES_H

#include <thrum/awaitables.h>
#include <thrum/events.h>

THRUM_BEGIN_DECLS

/** A result that is not there yet, for any thread. Lives as long as there are references. */
typedef struct thrum_thread_future thrum_thread_future;

/**
 * Make a future.
 * [never waits · allocates · any thread]
 *
 * @return gives an owned reference, to be given back with thrum_thread_future_release(); NULL without memory
 *
 * asyncio: concurrent.futures.Future
 */
THRUM_API thrum_thread_future *thrum_thread_future_new(void) THRUM_MUST_USE_;

/**
 * Take one more reference.
 * [never waits · no allocation · any thread]
 *
 * @param future  any
 * @return gives `future`
 *
 * asyncio: none, references are counted
 */
THRUM_API thrum_thread_future *thrum_thread_future_hold(thrum_thread_future *future);

/**
 * Give a reference back. What a future stands for goes on.
 * [never waits · any thread]
 *
 * @param future  owned; NULL does nothing. Not to be used afterwards.
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_thread_future_release(thrum_thread_future *future);

/**
 * Complete a future with a result. Callbacks are called before this returns.
 * [never waits · no allocation · runs other code · any thread]
 *
 * @param future  pending or running
 * @param value   the result
 * @return gives 0; THRUM_EDONE when it has a result or was cancelled (nothing has changed)
 *
 * asyncio: concurrent.futures.Future.set_result
 */
THRUM_API int thrum_thread_future_set_result(thrum_thread_future *future, thrum_value value);

/**
 * Complete a future with an error. Callbacks are called before this returns.
 * [never waits · no allocation · runs other code · any thread]
 *
 * @param future  pending or running
 * @param error   negative
 * @return gives 0; THRUM_EDONE; THRUM_EINVAL
 *
 * asyncio: concurrent.futures.Future.set_exception
 */
THRUM_API int thrum_thread_future_set_error(thrum_thread_future *future, int error);

/**
 * Say that the work has begun: from now on it cannot be cancelled.
 * [never waits · no allocation · any thread]
 *
 * @param future  any
 * @return gives false when it was cancelled, or has its result: do not begin
 *
 * asyncio: concurrent.futures.Future.set_running_or_notify_cancel
 */
THRUM_API bool thrum_thread_future_begin(thrum_thread_future *future);

/**
 * Cancel a future. It is done at once; a task behind it (thrum_run_threadsafe()) is cancelled in its loop, and
 * thrum_thread_future_join() waits for its end. Callbacks are called before this returns.
 * [never waits · no allocation · runs other code · any thread]
 *
 * @param future  any
 * @return gives false when it has a result or has begun
 *
 * asyncio: concurrent.futures.Future.cancel
 */
THRUM_API bool thrum_thread_future_cancel(thrum_thread_future *future);

/**
 * Whether a future has its result, or was cancelled.
 * [never waits · no allocation · any thread]
 *
 * @param future  any
 * @return gives true or false
 *
 * asyncio: concurrent.futures.Future.done
 */
THRUM_API bool thrum_thread_future_done(thrum_thread_future *future);

/**
 * Whether a future was cancelled.
 * [never waits · no allocation · any thread]
 *
 * @param future  any
 * @return gives true or false
 *
 * asyncio: concurrent.futures.Future.cancelled
 */
THRUM_API bool thrum_thread_future_cancelled(thrum_thread_future *future);

/**
 * Wait for the result of a future, blocking the thread.
 * [blocks the thread, at most so long · no allocation · any thread but that of the loop that works for it]
 *
 * @param future   any
 * @param timeout  ticks; 0 only looks, THRUM_NEVER waits for ever
 * @param value    where the result goes; may be NULL
 * @return gives 0; its error; THRUM_ECANCELED; THRUM_ETIMEDOUT when there is none in time; THRUM_ESTATE when this
 *         thread's loop has to bring it about, which it could not; THRUM_ECLOSED when that loop was closed
 *
 * asyncio: concurrent.futures.Future.result, exception
 */
THRUM_API int thrum_thread_future_result(thrum_thread_future *future, thrum_time timeout, thrum_value *value);

/**
 * Wait until nothing works for a future any more: of a task that was cancelled, that it has cleaned up and ended. Then
 * the argument that it was started with may go.
 * [blocks the thread, at most so long · no allocation · any thread but that of the loop that works for it]
 *
 * @param future   any
 * @param timeout  ticks; 0 only looks, THRUM_NEVER waits for ever
 * @return gives 0; THRUM_ETIMEDOUT; THRUM_ESTATE
 *
 * asyncio: none
 */
THRUM_API int thrum_thread_future_join(thrum_thread_future *future, thrum_time timeout);

/**
 * The detail of the error that a future has.
 * [never waits · no allocation · any thread]
 *
 * @param future  done
 * @return gives the detail, good as long as the future; NULL when there is none. A group's list of errors stays behind
 *
 * asyncio: concurrent.futures.Future.exception
 */
THRUM_API const thrum_error *thrum_thread_future_error(thrum_thread_future *future);

/** A call for when a future is done. The struct is the caller's, and stays in place until it was called or removed. */
typedef struct thrum_thread_callback {
    struct thrum_thread_callback *next; /* private */
    void (*call)(struct thrum_thread_callback *callback, thrum_thread_future *future);
    void *context; /**< the caller's */
} thrum_thread_callback;

/**
 * Have something called when a future is done: in the thread that completes or cancels it, or here when that has been.
 * Calls are made in the order in which they were added.
 * [never waits · no allocation · may run other code · any thread]
 *
 * @param future    any
 * @param callback  `call` set; in no other future
 *
 * asyncio: concurrent.futures.Future.add_done_callback
 */
THRUM_API void thrum_thread_future_add_done_callback(thrum_thread_future *future, thrum_thread_callback *callback);

/**
 * Take a callback back.
 * [never waits · no allocation · O(callbacks) · any thread]
 *
 * @param future    the one that it was added to
 * @param callback  the callback
 * @return gives whether it was removed; false when it was called, or is being called
 *
 * asyncio: none; concurrent.futures keeps them
 */
THRUM_API bool thrum_thread_future_remove_done_callback(thrum_thread_future *future, thrum_thread_callback *callback);

/** Called in the thread of the loop that shall do the work: makes what is to be awaited. */
typedef thrum_awaitable thrum_starter(void *argument);

/**
 * Have another thread's loop run something as a task.
 * [never waits · allocates · any thread]
 *
 * @param loop      open, being closed, or closed, as for thrum_call_soon_threadsafe()
 * @param starter   called in the loop's thread, in its next pass; not, when the future is cancelled before
 * @param argument  for it; the caller's, good until thrum_thread_future_join()
 * @return gives an owned reference to a future for the task's outcome, to be given back with
 *         thrum_thread_future_release(): that of THRUM_ECLOSED when the loop is closed, or closes before the task has
 *         ended; THRUM_ENOMEM (which the loop's exception handler is told, too) when no task can be made. NULL without
 *         memory
 *
 * asyncio: run_coroutine_threadsafe
 */
THRUM_API thrum_thread_future *thrum_run_threadsafe(thrum_loop *loop, thrum_starter *starter,
                                                    void *argument) THRUM_MUST_USE_;

/**
 * Wait in a loop for a future of another thread. Who is cancelled cancels the future, and does not wait for what may
 * stand behind it.
 * [awaits · does not suspend when done · allocates · this loop's thread only]
 *
 * @param future  any; borrowed until this is awaited, kept while that lasts
 * @return gives its result; its error, with its detail; THRUM_ECANCELED when it was cancelled; THRUM_ENOMEM
 *
 * asyncio: wrap_future
 */
THRUM_API thrum_awaitable thrum_wrap_future(thrum_thread_future *future) THRUM_MUST_USE_;

THRUM_END_DECLS

#endif
