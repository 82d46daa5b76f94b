/**
 * @file shield.h
 * Wait for something without passing a cancellation on to it.
 *
 *     AWAIT(thrum_shield(self->task));
 */
#ifndef THRUM_SHIELD_H
#define THRUM_SHIELD_H

#include <thrum/async.h>

THRUM_BEGIN_DECLS

/**
 * Wait, but shield what is waited for from a cancellation of the waiting task.
 *
 * Of a task or future, held by handle: a cancellation comes out at once, and the inner one runs on. When it fails later
 * and nobody awaits it or looks at its result, the exception handler is told once, however many shields there were.
 * Of anything else, which is adopted: it cannot run on without its waiter, so a cancellation comes out when it has
 * ended. Put a time limit inside, not around.
 * `thrum_shield(x)` also takes a `thrum_task *` and a `thrum_future *` as they are.
 * [awaits · does not suspend when done · cancel-safe: the inner one runs on · one block of the pool · this loop's
 * thread only]
 *
 * @param what  spent by this call whatever it gives
 * @return gives its result; its error; THRUM_ECANCELED also when it was cancelled; THRUM_ENOMEM; THRUM_ESTATE for the
 *         waiting task itself
 *
 * asyncio: shield
 */
THRUM_API thrum_awaitable thrum_shield(thrum_awaitable what) THRUM_MUST_USE_;

THRUM_END_DECLS

#define thrum_shield(what) thrum_shield(THRUM_OF_(what))

#endif
