/* Timers: nodes ordered by `as.when`, those of one time in the order of arming. Start and stop never fail and never
 * allocate. Two implementations behind these calls: a radix heap on hosts, one sorted list on microcontrollers. */
#ifndef THRUM_CORE_TIMERS_H
#define THRUM_CORE_TIMERS_H

#include <thrum/timeouts.h>

#if THRUM_RADIX_TIMERS
enum { TIMER_LEVELS = 8, TIMER_SLOTS = 64 };

/* Each slot is the sentinel of a list; no timer in it is due before its `as.when`. */
typedef struct thrum_timers {
    thrum_time soonest; /* nothing is due before this */
    bool stale;         /* the timer that was soonest is gone */
    bool unsorted;      /* `current` may be out of order */
    thrum_time floor;   /* a time that has been reached */
    uint64_t filled[TIMER_LEVELS];
    thrum_waiter current; /* what is due in the same tick as the floor, or before */
    thrum_waiter slots[TIMER_LEVELS * TIMER_SLOTS];
} thrum_timers;
#else
typedef thrum_waiters thrum_timers; /* the soonest is the first */
#endif

struct thrum_state;

/* Prepare for a loop whose clock shows `now`. */
void thrum_timers_open(thrum_timers *timers, thrum_time now);

/* Arm a timer. `waiter` is in no list; its state becomes NODE_TIMED. */
void thrum_timer_start(thrum_timers *timers, thrum_waiter *waiter, thrum_time when);

/* Disarm a timer that is armed; its state becomes NODE_PARKED. */
void thrum_timer_stop(thrum_timers *timers, thrum_waiter *waiter);

/* Put everything that is due at `now` at the tail of the ready queue, in order. In a list something is: ask before. */
void thrum_timers_collect(struct thrum_state *state, thrum_time now);

/* The time of the next timer, or THRUM_NEVER. On hosts it may be too early after a timer was stopped, never too
 * late. */
#if THRUM_RADIX_TIMERS
thrum_time thrum_timers_next(thrum_timers *timers);
#else
static inline thrum_time thrum_timers_next(const thrum_timers *timers)
{
    return timers->first ? timers->first->as.when : THRUM_NEVER;
}
#endif

#if !THRUM_RADIX_TIMERS
/* Whether there is any: where the clock goes round, THRUM_NEVER is a time like others. */
static inline bool thrum_timers_any(const thrum_timers *timers)
{
    return timers->first != NULL;
}
#endif

#if THRUM_TIME_BITS == 64
static inline bool time_reached(thrum_time when, thrum_time now)
{
    return when <= now;
}
#else
/* 32 bits wrap: what lies less than half the range behind is past. */
static inline bool time_reached(thrum_time when, thrum_time now)
{
    return (int32_t)(when - now) <= 0;
}
#endif

#if !THRUM_RADIX_TIMERS
static inline bool thrum_timers_due(const thrum_timers *timers, thrum_time now)
{
    return timers->first && time_reached(timers->first->as.when, now);
}
#endif

#endif
