/**
 * @file async.h
 * Async functions: the macros that turn straight-line code with `AWAIT` into a state machine with a frame of its own.
 *
 *     static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char buf[4096]; size_t n;))
 *     {
 *         ASYNC_BEGIN;
 *         AWAIT_INTO(self->n, thrum_stream_read(self->client, self->buf, sizeof self->buf));
 *         ...
 *     FINALLY:
 *         AWAIT(thrum_stream_close(self->client));
 *         ASYNC_END;
 *     }
 *
 * defines `thrum_awaitable echo(thrum_stream *client, void *context)`. Only what is in `self->` survives an await.
 * What stands behind them is in frames.h, functions.h and bodies.h.
 *
 * Every macro has a twin with the prefix THRUM_; define THRUM_NO_SHORT_NAMES to have only those.
 */
#ifndef THRUM_ASYNC_H
#define THRUM_ASYNC_H

#include <thrum/frames.h>
#include <thrum/functions.h>
#ifdef THRUM_CHECKING
#include <thrum/checking.h>
#else
#include <thrum/bodies.h>
#endif

#ifndef THRUM_NO_SHORT_NAMES
/**
 * Define an async function: `ASYNC(name, ARGS((type, name), ...), LOCALS(declarations))`, then its body in braces.
 * ARGS_NONE and LOCALS_NONE stand for none. Further arguments may be `BUFFERS(declarations)`, locals that are not
 * cleared; `ON_DROP(statements)`, what is done instead of the body when that never begins; `RESERVE(n)`, so many frames
 * of the function's own.
 */
#define ASYNC(...) THRUM_ASYNC(__VA_ARGS__)
/** The first statement of a body. */
#define ASYNC_BEGIN THRUM_ASYNC_BEGIN
/** The last statement of a body. */
#define ASYNC_END THRUM_ASYNC_END
/** Leave with a result, an integer or an object pointer: through the exits of open blocks and FINALLY. */
#define ASYNC_RETURN(value) THRUM_ASYNC_RETURN(value)
/** Leave with an error: to the nearest CATCH, or through FINALLY to whoever awaits this. Errors are negative: what is
 * not (errno, its sign forgotten) leaves as THRUM_EINVAL. */
#define ASYNC_RAISE(error) THRUM_ASYNC_RAISE(error)
/** Wait for an awaitable, a task, a future or an event. An error leaves as ASYNC_RAISE does; so does a cancellation. */
#define AWAIT(x) THRUM_AWAIT(x)
/** The same, the result stored: an integer or object pointer no wider than thrum_value. */
#define AWAIT_INTO(lvalue, x) THRUM_AWAIT_INTO(lvalue, x)
/** The same, but an error is stored, 0 where there is none. A cancellation leaves as with AWAIT. */
#define AWAIT_CATCH(err, x) THRUM_AWAIT_CATCH(err, x)
/** AWAIT_CATCH and AWAIT_INTO in one; without a result `lvalue` is left alone. */
#define AWAIT_CATCH_INTO(err, lvalue, x) THRUM_AWAIT_CATCH_INTO(err, lvalue, x)
/** As AWAIT_CATCH, but a cancellation is stored, too: raise it again, or take it back with thrum_uncancel(). */
#define AWAIT_CATCH_ALL(err, x) THRUM_AWAIT_CATCH_ALL(err, x)
/** AWAIT_CATCH_ALL and AWAIT_INTO in one. */
#define AWAIT_CATCH_ALL_INTO(err, lvalue, x) THRUM_AWAIT_CATCH_ALL_INTO(err, lvalue, x)
/** Wait for the event as long as the condition does not hold: `AWAIT_UNTIL(box->count > 0, &box->changed)`. */
#define AWAIT_UNTIL(condition, event) THRUM_AWAIT_UNTIL(condition, event)
/** AWAIT of thrum_lock_acquire(), without a call where the lock is free. */
#define AWAIT_LOCK(lock) THRUM_AWAIT_LOCK(lock)
/** AWAIT of thrum_semaphore_acquire(), without a call where there is a unit. */
#define AWAIT_SEMAPHORE(semaphore) THRUM_AWAIT_SEMAPHORE(semaphore)
/** AWAIT of QUEUE_PUT(queue, item), the usual way inline. */
#define AWAIT_PUT(queue, item) THRUM_AWAIT_PUT(queue, item)
/** AWAIT of QUEUE_GET(queue, item), the usual way inline. */
#define AWAIT_GET(queue, item) THRUM_AWAIT_GET(queue, item)
/**
 * A block with an exit: `WITH (self->hold, thrum_lock_hold(&self->hold, &lock)) { ... }`. The exit is awaited once, on
 * every way out. `break` and `continue` leave the block.
 */
#define WITH(scope, enter) THRUM_WITH (scope, enter)
/** A block whose errors arrive behind it: `TRY (self->attempt) { ... } CATCH (self->error, self->attempt) { ... }`. */
#define TRY(scope) THRUM_TRY (scope)
/** What is done with an error out of the TRY before. A cancellation passes by. */
#define CATCH(err, scope) THRUM_CATCH (err, scope)
/** The same for cancellations, too: raise them again, or take them back with thrum_uncancel(). */
#define CATCH_ALL(err, scope) THRUM_CATCH_ALL (err, scope)
/** `FINALLY:` once a body, at its end: runs on every way out of a body that began, and may await. */
#define FINALLY THRUM_FINALLY
#endif

#endif
