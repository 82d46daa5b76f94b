/**
 * @file handles.h
 * A call to be made by the loop: soon, at a time, or when a future is done. The struct is the caller's, like a watcher
 * of libev: it stays in place while it is in use, and may be used again after it was called or cancelled.
 */
#ifndef THRUM_HANDLES_H
#define THRUM_HANDLES_H

#include <thrum/types.h>

THRUM_BEGIN_DECLS

/** A call to be made. */
typedef struct thrum_handle thrum_handle;

/** What a handle calls. `handle->context` is the caller's; the handle is idle again before this is called. It runs in
 * the context variables (contextvars.h) of whoever queued the handle. */
typedef void thrum_callback(thrum_handle *handle);

struct thrum_handle {
    thrum_waiter waiter; /* private */
    thrum_callback *call;
    void *context; /**< the caller's; read and write */
#if THRUM_CONTEXTS
    void *variables; /* private: the context that it is called in */
#endif
};

/** The initialiser of an idle handle: what to call, and its context. */
#if THRUM_CONTEXTS
#define THRUM_HANDLE_INIT(call, context)                                                                               \
    {                                                                                                                  \
        {{0, 0, 0, 0, 0, 0}, {0}}, (call), (context), 0                                                                \
    }
#else
#define THRUM_HANDLE_INIT(call, context)                                                                               \
    {                                                                                                                  \
        {{0, 0, 0, 0, 0, 0}, {0}}, (call), (context)                                                                   \
    }
#endif

/**
 * Prepare a handle.
 * [never waits · no allocation · any thread]
 *
 * @param handle   not in use
 * @param call     what to call
 * @param context  for the callback; may be NULL
 *
 * asyncio: Handle
 */
THRUM_API void thrum_handle_init(thrum_handle *handle, thrum_callback *call, void *context);

/**
 * Call soon: in the next pass of the loop, after everything that is queued already.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param handle  initialised and idle
 * @return gives 0; THRUM_ESTATE when it is in use, or the thread has no loop
 *
 * asyncio: loop.call_soon
 */
THRUM_API int thrum_call_soon(thrum_handle *handle);

/**
 * Call after a delay. Handles that are due in the same pass are called in the order of their times, those of one time
 * in the order of arming. A delay of 0 or less means the next pass, after the poll.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param delay   ticks from thrum_now(), the beginning of the pass that runs; THRUM_NEVER: it stays pending until it is
 *                cancelled
 * @param handle  initialised and idle
 * @return gives 0; THRUM_ESTATE when it is in use, or the thread has no loop
 *
 * asyncio: loop.call_later
 */
THRUM_API int thrum_call_later(thrum_time delay, thrum_handle *handle);

/**
 * Call at a time of the loop's clock.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param when    absolute time; one that has passed means the next pass
 * @param handle  initialised and idle
 * @return gives 0; THRUM_ESTATE when it is in use, or the thread has no loop
 *
 * asyncio: loop.call_at
 */
THRUM_API int thrum_call_at(thrum_time when, thrum_handle *handle);

/**
 * Take a call back, wherever it waits. Afterwards the handle is idle, and its memory may go. O(1).
 * [never waits · no allocation · this loop's thread only]
 *
 * @param handle  any initialised handle; NULL does nothing
 * @return gives whether a call was outstanding. A handle that waits for a future is taken out of it, too.
 *
 * asyncio: Handle.cancel
 */
THRUM_API bool thrum_handle_cancel(thrum_handle *handle);

/**
 * Whether a call is outstanding: queued, timed, or waiting for a future.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param handle  initialised
 * @return gives true or false
 *
 * asyncio: `not Handle.cancelled()`, for a handle that has not run
 */
THRUM_API bool thrum_handle_pending(const thrum_handle *handle);

/**
 * When a timed handle is due.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param handle  initialised
 * @return gives the loop's time; 0 for a handle that is not timed
 *
 * asyncio: TimerHandle.when
 */
THRUM_API thrum_time thrum_handle_when(const thrum_handle *handle);

/**
 * The order of two timed handles: by their times. Those of one time are called in the order of arming.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param a, b  initialised; one that is not timed counts as due at 0
 * @return gives a negative number, 0 or a positive one, as `a` is due before, with or after `b`
 *
 * asyncio: the comparisons of TimerHandle
 */
THRUM_API int thrum_handle_compare(const thrum_handle *a, const thrum_handle *b);

/**
 * In a done callback: the error of what is done.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param handle  the one that is called
 * @return gives 0 for none, or the error
 *
 * asyncio: Future.exception in a callback
 */
THRUM_API int thrum_handle_error(const thrum_handle *handle);

/**
 * In a done callback: the result of what is done.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param handle  the one that is called
 * @return gives the result; 0 after an error
 *
 * asyncio: Future.result in a callback
 */
THRUM_API thrum_value thrum_handle_value(const thrum_handle *handle);

THRUM_END_DECLS

#endif
