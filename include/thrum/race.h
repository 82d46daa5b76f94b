/**
 * @file race.h
 * Try several things at once: the first that succeeds is the result, and the others are over.
 *
 *     AWAIT_INTO(self->stream, thrum_race(&self->which, connect_to(a), connect_to(b)));
 *
 * Tasks and futures that the caller holds by handle run on; everything else is adopted: it is cancelled when somebody
 * has won, and has ended before the race ends.
 */
#ifndef THRUM_RACE_H
#define THRUM_RACE_H

#include <thrum/gather.h>

THRUM_BEGIN_DECLS

/**
 * Wait for the first that succeeds; one that fails, or is cancelled by somebody, is out of the race.
 * `thrum_race(winner, a, b, ...)` is the same for up to 24 awaitables, tasks and futures, mixed.
 * Cancelling the race cancels what it adopted; THRUM_ECANCELED comes out when that has ended.
 * [awaits · does not suspend when the first is done · one block of the pool and a task for each that is adopted ·
 *  this loop's thread only]
 *
 * @param count   how many
 * @param what    spent by this call whatever it gives; the array itself may go
 * @param winner  where its place in `what` goes; NULL: it is not wanted. Outlives the await.
 * @return gives the winner's result; THRUM_EGROUP when all have failed, with their errors, in the order of `what`, in
 *         thrum_error_last()->errors; THRUM_ECANCELED; THRUM_ENOMEM; THRUM_EINVAL for none
 *
 * asyncio: wait(FIRST_COMPLETED) in a loop, with a cancel and an await of the rest
 */
THRUM_API thrum_awaitable thrum_race_array(size_t count, const thrum_awaitable *what, size_t *winner) THRUM_MUST_USE_;

THRUM_END_DECLS

#ifdef __cplusplus
template <class... T> static inline thrum_awaitable thrum_race(size_t *winner, T... what)
{
    const thrum_awaitable list[] = {thrum_of_(what)...};
    return thrum_race_array(sizeof...(what), list, winner);
}
#else
#define thrum_race(winner, ...) thrum_race_array_(winner, THRUM_LIST_OF_(__VA_ARGS__))
#define thrum_race_array_(winner, ...) thrum_race_array(__VA_ARGS__, winner)
#endif

#endif
