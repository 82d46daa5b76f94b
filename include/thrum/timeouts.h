/**
 * @file timeouts.h
 * Time limits: around one await (thrum_timeout()) or around a block (thrum_deadline).
 */
#ifndef THRUM_TIMEOUTS_H
#define THRUM_TIMEOUTS_H

#include <thrum/blocks.h>

THRUM_BEGIN_DECLS

/** "No deadline" for the functions that take a time. A clock of 32 bits passes this value, too: a point in time that a
 * program adds up itself may by chance be it, which functions that take a delay see to. */
#if THRUM_TIME_BITS == 64
#define THRUM_NEVER INT64_MAX
#else
#define THRUM_NEVER UINT32_MAX
#endif

/**
 * Wait for something, but no longer than `delay`. Then it is cancelled, its clean-up awaited, and this fails.
 * At a delay of 0 or less, what has not begun never begins (a task or future that is done gives its result).
 * [awaits · cancels and joins what it was given · one frame of the pool · this loop's thread only]
 *
 * @param delay  ticks from thrum_now(); THRUM_NEVER for no limit
 * @param what   an awaitable; spent by this call
 * @return gives what `what` gives, also when that ignored its cancellation; THRUM_ETIMEDOUT; the error of its clean-up;
 *         THRUM_ENOMEM; THRUM_ECANCELED
 *
 * asyncio: wait_for
 */
THRUM_API thrum_awaitable thrum_timeout(thrum_time delay, thrum_awaitable what) THRUM_MUST_USE_;

/**
 * The same with a point in time: several limits taken from one point do not add up.
 * [awaits · cancels and joins what it was given · one frame of the pool · this loop's thread only]
 *
 * @param when  the loop's time; THRUM_NEVER for no limit
 * @param what  an awaitable; spent by this call
 * @return gives as thrum_timeout()
 *
 * asyncio: wait_for with timeout_at
 */
THRUM_API thrum_awaitable thrum_timeout_at(thrum_time when, thrum_awaitable what) THRUM_MUST_USE_;

/** A time limit around a block. Fields are private. */
typedef struct thrum_deadline {
    thrum_scope scope;
    thrum_handle timer;
    thrum_task *task;
    thrum_time when;
    uint16_t before; /* the task's count of cancellations when the block was entered */
    uint8_t state;
} thrum_deadline;

/**
 * Limit a block: `WITH (self->limit, thrum_deadline_after(&self->limit, SECONDS(5))) { ... }`. When the time is up the
 * task is cancelled; where the block ends, that turns into THRUM_ETIMEDOUT.
 * [awaits, never suspends · no allocation · this loop's thread only]
 *
 * @param deadline  in the LOCALS of the function; one that is open gives THRUM_ESTATE
 * @param delay     ticks from thrum_now(), as of this call; THRUM_NEVER: none until thrum_deadline_reschedule()
 * @return gives 0
 *
 * asyncio: timeout
 */
THRUM_API thrum_awaitable thrum_deadline_after(thrum_deadline *deadline, thrum_time delay) THRUM_MUST_USE_;

/**
 * The same with a point in time; one that has passed cancels at the next suspension.
 * [awaits, never suspends · no allocation · this loop's thread only]
 *
 * @param deadline  in the LOCALS of the function
 * @param when      the loop's time; THRUM_NEVER: none
 * @return gives 0
 *
 * asyncio: timeout_at
 */
THRUM_API thrum_awaitable thrum_deadline_at(thrum_deadline *deadline, thrum_time when) THRUM_MUST_USE_;

/**
 * Move the limit of an open block.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param deadline  open; also from another task or a callback
 * @param when      the loop's time; THRUM_NEVER: none
 * @return gives 0; THRUM_ESTATE when the block was not entered, is over, or the time was up already
 *
 * asyncio: Timeout.reschedule
 */
THRUM_API int thrum_deadline_reschedule(thrum_deadline *deadline, thrum_time when);

/**
 * The limit of a block.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param deadline  entered before
 * @return gives the loop's time, or THRUM_NEVER
 *
 * asyncio: Timeout.when
 */
THRUM_API thrum_time thrum_deadline_when(const thrum_deadline *deadline);

/**
 * Whether the time was up while the block was open.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param deadline  any; zeroed memory gives false
 * @return gives true or false
 *
 * asyncio: Timeout.expired
 */
THRUM_API bool thrum_deadline_expired(const thrum_deadline *deadline);

THRUM_END_DECLS

#endif
