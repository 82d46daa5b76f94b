/**
 * @file locks.h
 * What tasks of one loop use to wait for one another. None of it is for threads. Zeroed memory is a usable lock or
 * event.
 */
#ifndef THRUM_LOCKS_H
#define THRUM_LOCKS_H

#include <thrum/blocks.h>

THRUM_BEGIN_DECLS

/** A flag that tasks can wait for. Fields are private. */
struct thrum_event {
    thrum_waiters waiters;
    bool set;
};

#define THRUM_EVENT_INIT                                                                                               \
    {                                                                                                                  \
        {0}, false                                                                                                     \
    }

/**
 * Prepare an event whose flag is not set. Zeroed memory is one, too.
 * [never waits · no allocation · any thread]
 *
 * @param event  not in use
 *
 * asyncio: Event
 */
THRUM_API void thrum_event_init(thrum_event *event);

/**
 * Set the flag; every task that waits now goes on, also when the flag is cleared before it runs.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param event  initialised
 *
 * asyncio: Event.set
 */
THRUM_API void thrum_event_set(thrum_event *event);

/**
 * Clear the flag; who was woken by it already goes on all the same.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param event  initialised
 *
 * asyncio: Event.clear
 */
THRUM_API void thrum_event_clear(thrum_event *event);

/**
 * Whether the flag is set.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param event  initialised
 * @return gives true or false
 *
 * asyncio: Event.is_set
 */
THRUM_API bool thrum_event_is_set(const thrum_event *event);

/**
 * Wait until the flag is set. `AWAIT(&event)` does the same.
 * [awaits · does not suspend when set · no allocation · this loop's thread only]
 *
 * @param event  initialised; stays in place while somebody waits
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: Event.wait
 */
THRUM_API thrum_awaitable thrum_event_wait(thrum_event *event) THRUM_MUST_USE_;

/** Mutual exclusion between tasks, first come, first served. Fields are private. */
typedef struct thrum_lock {
    thrum_waiters waiters;
    bool locked;
    bool handing; /* given back; the first waiter was woken and has not run yet */
} thrum_lock;

#define THRUM_LOCK_INIT                                                                                                \
    {                                                                                                                  \
        {0}, false, false                                                                                              \
    }

/**
 * Prepare a lock that nobody holds. Zeroed memory is one, too.
 * [never waits · no allocation · any thread]
 *
 * @param lock  not in use
 *
 * asyncio: Lock
 */
THRUM_API void thrum_lock_init(thrum_lock *lock);

/**
 * Take a lock, after everybody who came before.
 * [awaits · does not suspend when free · cancel-safe: not taken · no allocation · this loop's thread only]
 *
 * @param lock  initialised; stays in place while somebody waits
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: Lock.acquire
 */
THRUM_API thrum_awaitable thrum_lock_acquire(thrum_lock *lock) THRUM_MUST_USE_;

/**
 * Give a lock back; the first who waits gets it in the next pass, and nobody before. Any task may.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  held
 * @return gives 0; THRUM_ESTATE when nobody holds it (nothing changes)
 *
 * asyncio: Lock.release
 */
THRUM_API int thrum_lock_release(thrum_lock *lock);

/**
 * Whether somebody holds a lock. It is not held between its release and the turn of the task that gets it next.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  initialised
 * @return gives true or false
 *
 * asyncio: Lock.locked
 */
THRUM_API bool thrum_lock_locked(const thrum_lock *lock);

/** The scope of a lock that is held for the length of a block. */
typedef struct thrum_lock_hold {
    thrum_scope scope;
    thrum_lock *lock;
} thrum_lock_hold;

/**
 * Hold a lock for the length of a block: `WITH (self->hold, thrum_lock_hold(&self->hold, &lock)) { ... }`.
 * [awaits · does not suspend when free · cancel-safe: not taken · no allocation · this loop's thread only]
 *
 * @param hold  in the LOCALS of the function
 * @param lock  initialised
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: `async with lock`
 */
THRUM_API thrum_awaitable thrum_lock_hold_enter(thrum_lock_hold *hold, thrum_lock *lock) THRUM_MUST_USE_;
#define thrum_lock_hold(hold, lock) thrum_lock_hold_enter(hold, lock)

THRUM_END_DECLS

#endif
