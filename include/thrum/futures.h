/**
 * @file futures.h
 * A result that is not there yet, in the caller's own memory. Zeroed memory is a future that waits for its result.
 * After thrum_future_set_result() or any other way of completing it, thrum never touches the struct again.
 */
#ifndef THRUM_FUTURES_H
#define THRUM_FUTURES_H

#include <thrum/awaitables.h>
#include <thrum/handles.h>

THRUM_BEGIN_DECLS

/** A future. Fields are private. */
struct thrum_future {
    thrum_waiters waiters;
    thrum_value value;
    int32_t error;
    uint8_t state; /* pending, done */
    uint8_t flags;
};

/** The initialiser of a future that waits for its result; zeroed memory is one, too. */
#define THRUM_FUTURE_INIT                                                                                              \
    {                                                                                                                  \
        {0}, 0, 0, 0, 0                                                                                                \
    }

/**
 * Make a future pending. The same as THRUM_FUTURE_INIT or zeroed memory.
 * [never waits · no allocation · any thread]
 *
 * @param future  not in use
 *
 * asyncio: loop.create_future
 */
THRUM_API void thrum_future_init(thrum_future *future);

/**
 * Wait for the result. `AWAIT(future)` and `AWAIT_INTO(lvalue, future)` do the same.
 * Cancelling the waiting task cancels the future, and with it everybody else who waits for it.
 * [awaits · does not suspend when done · no allocation · this loop's thread only]
 *
 * @param future  stays in place until it is completed or the await has ended
 * @return gives the result; the future's error; THRUM_ECANCELED
 *
 * asyncio: `await future`
 */
THRUM_API thrum_awaitable thrum_future_wait(thrum_future *future) THRUM_MUST_USE_;

/**
 * Complete a future: everybody who waits is woken in the order they came, done callbacks are queued.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param future  pending
 * @param value   its result
 * @return gives 0; THRUM_EDONE when it has a result already (nothing changes); in debug mode THRUM_ESTATE when tasks of
 *         another thread wait for it (nothing changes)
 *
 * asyncio: Future.set_result
 */
THRUM_API int thrum_future_set_result(thrum_future *future, thrum_value value);

/**
 * Complete a future with an error.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param future  pending
 * @param error   negative; THRUM_ECANCELED is the same as thrum_future_cancel()
 * @return gives 0; THRUM_EDONE; THRUM_EINVAL when `error` is none
 *
 * asyncio: Future.set_exception
 */
THRUM_API int thrum_future_set_error(thrum_future *future, int error);

/**
 * Cancel a future: whoever waits gets THRUM_ECANCELED.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param future  any
 * @return gives false when it was done already
 *
 * asyncio: Future.cancel
 */
THRUM_API bool thrum_future_cancel(thrum_future *future);

/**
 * Whether a future has a result or an error, or was cancelled.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param future  any
 * @return gives true or false
 *
 * asyncio: Future.done
 */
THRUM_API bool thrum_future_done(const thrum_future *future);

/**
 * Whether a future was cancelled.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param future  any
 * @return gives true or false
 *
 * asyncio: Future.cancelled
 */
THRUM_API bool thrum_future_cancelled(const thrum_future *future);

/**
 * The outcome of a future that is done.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param future  any
 * @param value   where the result goes; may be NULL
 * @return gives 0; its error; THRUM_ECANCELED; THRUM_EPENDING while there is none
 *
 * asyncio: Future.result, Future.exception
 */
THRUM_API int thrum_future_result(thrum_future *future, thrum_value *value);

/**
 * Have a handle called when the future is done: always through the loop, in the order of adding. In the callback
 * thrum_handle_error() and thrum_handle_value() give the outcome.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param future  any; one that is done has the handle queued at once
 * @param handle  initialised, idle, the caller's; stays in place until it was called or removed
 * @return gives 0; THRUM_ESTATE when the handle is in use
 *
 * asyncio: Future.add_done_callback
 */
THRUM_API int thrum_future_add_done_callback(thrum_future *future, thrum_handle *handle);

/**
 * Take a done callback back. One that is already queued stays queued; thrum_handle_cancel() takes that back too.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param future  the one it was added to
 * @param handle  the handle
 * @return gives whether it was removed
 *
 * asyncio: Future.remove_done_callback
 */
THRUM_API bool thrum_future_remove_done_callback(thrum_future *future, thrum_handle *handle);

THRUM_END_DECLS

#endif
