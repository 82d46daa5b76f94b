/**
 * @file as_completed.h
 * Take several things in the order in which they complete.
 *
 *     WITH (self->pages, thrum_completed_open(&self->pages, SECONDS(30), http_get(a), http_get(b), self->task)) {
 *         ASYNC_FOR (self->i, self->each, thrum_completed_each(&self->pages)) {
 *             int error = thrum_completed_result(&self->pages, self->i, &length);
 *             ...
 *         }
 *     }
 *
 * An item is the place of what has completed in the list that the block was opened with. Tasks and futures that the
 * caller holds by handle run on when the block is left; everything else is adopted: what has not ended is cancelled
 * then, and has ended before the program goes on.
 */
#ifndef THRUM_AS_COMPLETED_H
#define THRUM_AS_COMPLETED_H

#include <thrum/gather.h>
#include <thrum/generators.h>

THRUM_BEGIN_DECLS

struct completed_block;

/** Several things that are taken as they complete; in LOCALS. Fields are private. */
typedef struct thrum_completed {
    thrum_scope scope;
    struct completed_block *block;
} thrum_completed;

/**
 * Begin with all of them: `WITH (self->c, thrum_completed_open(&self->c, timeout, a, b, c)) { ... }`, for up to 24
 * awaitables, tasks and futures, mixed; this function is that for an array.
 * When the time is up nothing is cancelled: what has completed can still be taken, then each of the rest gives
 * THRUM_ETIMEDOUT.
 * [awaits · suspends at its end while what it adopted runs · one block of the pool and a task for each that is
 *  adopted · this loop's thread only]
 *
 * @param completed  in LOCALS, not open; THRUM_ESTATE otherwise
 * @param timeout    a delay in ticks, or THRUM_NEVER
 * @param count      how many; none is fine
 * @param what       spent by this call whatever it gives; the array itself may go
 * @return gives 0; THRUM_ENOMEM; THRUM_ESTATE
 *
 * asyncio: as_completed
 */
THRUM_API thrum_awaitable thrum_completed_open_array(thrum_completed *completed, thrum_time timeout, size_t count,
                                                     const thrum_awaitable *what) THRUM_MUST_USE_;

/**
 * Take the next one that has completed, waiting while there is none.
 * [awaits · does not suspend when there is one · cancel-safe: nothing is taken · no allocation · this loop's thread
 * only]
 *
 * @param completed  open
 * @return gives its place among those that it was opened with; THRUM_ETIMEDOUT; THRUM_ESTOP when all were taken (after
 *         a timeout: when each that is missing has given that); THRUM_ESTATE when it is not open
 *
 * asyncio: `for f in as_completed(...): await f`
 */
THRUM_API thrum_awaitable thrum_completed_next(thrum_completed *completed) THRUM_MUST_USE_;

/**
 * The same as something for ASYNC_FOR.
 * [never waits · as thrum_iterable_make() · this loop's thread only]
 *
 * @param completed  open, until the loop is over
 * @return gives the iterable
 *
 * asyncio: `async for f in as_completed(...)`
 */
THRUM_API thrum_iterable thrum_completed_each(thrum_completed *completed) THRUM_MUST_USE_;

/**
 * How many are still to be taken.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param completed  any
 * @return gives a count; 0 when it is not open
 *
 * asyncio: len(list(as_completed(...))), at the beginning
 */
THRUM_API size_t thrum_completed_left(const thrum_completed *completed);

/**
 * The outcome of one that has completed.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param completed  open
 * @param place      as thrum_completed_next() gave it
 * @param value      where its result goes; may be NULL
 * @return gives 0; its error; THRUM_ECANCELED; THRUM_EPENDING while it runs; THRUM_EINVAL for a place that there is not
 *
 * asyncio: Future.result of what as_completed() gave
 */
THRUM_API int thrum_completed_result(const thrum_completed *completed, size_t place, thrum_value *value);

/**
 * The detail of the error of one that has completed.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param completed  open
 * @param place      as thrum_completed_next() gave it
 * @return gives the detail, good while the block is open; NULL when there is none
 *
 * asyncio: Future.exception of what as_completed() gave
 */
THRUM_API const thrum_error *thrum_completed_error(const thrum_completed *completed, size_t place);

THRUM_END_DECLS

#ifdef __cplusplus
template <class... T>
static inline thrum_awaitable thrum_completed_open(thrum_completed *completed, thrum_time timeout, T... what)
{
    const thrum_awaitable list[] = {thrum_of_(what)...};
    return thrum_completed_open_array(completed, timeout, sizeof...(what), list);
}
#else
#define thrum_completed_open(completed, timeout, ...)                                                                  \
    thrum_completed_open_array(completed, timeout, THRUM_LIST_OF_(__VA_ARGS__))
#endif

#endif
