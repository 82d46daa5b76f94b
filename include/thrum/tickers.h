/**
 * @file tickers.h
 * A steady rhythm: ticks at a start plus one, two, three periods, whatever the work between them takes. A loop of
 * thrum_sleep() drifts by that work; a ticker does not, and says how many ticks its user was too late for.
 *
 *     static thrum_ticker ticker = THRUM_TICKER_INIT(MILLISECONDS(10));
 *     for (;;) {
 *         AWAIT_INTO(self->missed, thrum_ticker_next(&ticker));
 *         sample();
 *     }
 */
#ifndef THRUM_TICKERS_H
#define THRUM_TICKERS_H

#include <thrum/tasks.h>

THRUM_BEGIN_DECLS

/** A rhythm, for one task at a time. Fields are private. */
typedef struct thrum_ticker {
    thrum_time period;
    thrum_time next; /* the next tick, once begun */
    bool begun;
    thrum_task *task;   /* who waits, or NULL */
    thrum_handle timer; /* for whom */
} thrum_ticker;

/** The initialiser of a ticker, its period in ticks of the clock: `MILLISECONDS(10)`. */
#define THRUM_TICKER_INIT(period)                                                                                      \
    {                                                                                                                  \
        (period), 0, false, 0, THRUM_HANDLE_INIT(0, 0)                                                                 \
    }

/**
 * Prepare a ticker; its rhythm begins at the first wait. One that nobody waits for needs no end.
 * [never waits · no allocation · any thread]
 *
 * @param ticker  not in use
 * @param period  between two ticks, in ticks of the clock; with a clock of 32 bits less than 2^31
 *
 * asyncio: none; nearest, a loop of call_at
 */
THRUM_API void thrum_ticker_init(thrum_ticker *ticker, thrum_time period);

/**
 * Wait for the next tick. The first one comes a period after the first wait. Where ticks have passed since the last
 * wait, this gives the latest of them, without suspending: work that takes too long loses ticks, but never piles them
 * up, and the ones that follow are where they would have been. A clock of 32 bits needs a wait at least every 2^31 - 1
 * ticks.
 * [awaits · cancel-safe: no tick is taken · no allocation · this loop's thread only]
 *
 * @param ticker  initialised; stays in place while a task waits
 * @return gives how many ticks were missed before this one, 0 when the task is in time; THRUM_EBUSY when another task
 *         waits; THRUM_EINVAL for a period of 0 or less; THRUM_ECANCELED
 *
 * asyncio: none; nearest, sleep(when - loop.time())
 */
THRUM_API thrum_awaitable thrum_ticker_next(thrum_ticker *ticker) THRUM_MUST_USE_;

/**
 * Begin the rhythm anew: the next tick is a period from now. A task that waits goes on waiting, for that one.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param ticker  initialised
 * @param period  the new one, in ticks of the clock; 0 keeps it as it is
 *
 * asyncio: none; nearest, TimerHandle.cancel and call_later
 */
THRUM_API void thrum_ticker_reset(thrum_ticker *ticker, thrum_time period);

THRUM_END_DECLS

#endif
