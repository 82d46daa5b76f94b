/**
 * @file locks.h
 * What tasks of one loop use to wait for one another: lock, event, condition, semaphore, barrier. None of it is for
 * threads. Who waits is served in the order of coming, and nobody gets in between; who is cancelled while he waits
 * hands on what he was woken for. Zeroed memory is a usable lock, event and condition, and a semaphore of 0 units.
 */
#ifndef THRUM_LOCKS_H
#define THRUM_LOCKS_H

#include <thrum/blocks.h>

THRUM_BEGIN_DECLS

/* Debug builds of firmware panic where an interrupt calls what is not for it; what is inline has to ask by itself. */
#if !THRUM_HOSTED && THRUM_DEBUG
void thrum_check_isr_(void);
#define THRUM_CHECK_ISR_() thrum_check_isr_()
#else
#define THRUM_CHECK_ISR_() ((void)0)
#endif

/** A flag that tasks can wait for. Fields are private. */
struct thrum_event {
    thrum_waiters waiters;
    bool set;
};

/** The initialiser of an event that is not set; zeroed memory is one, too. */
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
    uint32_t state; /* the three below */
} thrum_lock;

/* The state of a lock. Nobody waits for one that is 0. */
enum {
    THRUM_LOCK_HELD_ = 1,
    THRUM_LOCK_HANDED_ = 2, /* given back; the first waiter was woken and has not run yet */
    THRUM_LOCK_LEAVING_ = 4 /* times those who stood first when they were cancelled, and have not run yet */
};

/** The initialiser of a lock that nobody holds; zeroed memory is one, too. */
#define THRUM_LOCK_INIT                                                                                                \
    {                                                                                                                  \
        {0}, 0                                                                                                         \
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
 * Take a lock, after everybody who came before. `AWAIT_LOCK(lock)` does the same, faster where it is free.
 * [awaits · does not suspend when free · cancel-safe: not taken · no allocation · this loop's thread only]
 *
 * @param lock  initialised; stays in place while somebody waits
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: Lock.acquire
 */
THRUM_API thrum_awaitable thrum_lock_acquire(thrum_lock *lock) THRUM_MUST_USE_;

THRUM_API bool thrum_lock_try_(thrum_lock *lock);
THRUM_API int thrum_lock_release_(thrum_lock *lock);

/**
 * Take a lock if that can be had at once: it is free, and nobody waits.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  initialised
 * @return gives whether it was taken
 *
 * asyncio: `not lock.locked()`, then Lock.acquire
 */
static inline bool thrum_lock_try(thrum_lock *lock)
{
    THRUM_CHECK_ISR_();
    if (THRUM_UNLIKELY_(lock->state != 0))
        return thrum_lock_try_(lock);
    lock->state = THRUM_LOCK_HELD_;
    return true;
}

/**
 * Give a lock back; the first who waits gets it in the next pass, and nobody before. Any task may.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  held
 * @return gives 0; THRUM_ESTATE when nobody holds it (nothing changes)
 *
 * asyncio: Lock.release
 */
static inline int thrum_lock_release(thrum_lock *lock)
{
    THRUM_CHECK_ISR_();
    if (THRUM_UNLIKELY_(lock->state != THRUM_LOCK_HELD_ || lock->waiters.first))
        return thrum_lock_release_(lock);
    lock->state = 0;
    return 0;
}

/**
 * Whether somebody holds a lock. It is not held between its release and the turn of the task that gets it next.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  initialised
 * @return gives true or false
 *
 * asyncio: Lock.locked
 */
static inline bool thrum_lock_locked(const thrum_lock *lock)
{
    return (lock->state & THRUM_LOCK_HELD_) != 0;
}

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

/** Where tasks wait for a change in what a lock protects. Fields are private. */
typedef struct thrum_condition {
    thrum_waiters waiters;
    thrum_lock *shared; /* NULL: its own */
    thrum_lock own;
} thrum_condition;

/** The initialiser of a condition with a lock of its own; zeroed memory is one, too. */
#define THRUM_CONDITION_INIT                                                                                           \
    {                                                                                                                  \
        {0}, 0, THRUM_LOCK_INIT                                                                                        \
    }

/**
 * Prepare a condition. Zeroed memory is one with a lock of its own, too.
 * [never waits · no allocation · any thread]
 *
 * @param condition  not in use
 * @param lock       initialised, good as long as the condition, may be shared by several; NULL: one of its own
 *
 * asyncio: Condition
 */
THRUM_API void thrum_condition_init(thrum_condition *condition, thrum_lock *lock);

/**
 * The lock of a condition, to be held around everything else here.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param condition  initialised
 * @return gives a lock, good as long as the condition
 *
 * asyncio: Condition.acquire, Condition.release, Condition.locked
 */
static inline thrum_lock *thrum_condition_lock(thrum_condition *condition)
{
    return condition->shared ? condition->shared : &condition->own;
}

/**
 * Give the lock back, wait to be notified, and take the lock again: it is held again whatever this gives, also when the
 * task is cancelled once more while it waits for that. A notification that a cancelled task had goes to another one.
 * What is waited for may not have come yet when this ends: look again, as `AWAIT_UNTIL(ready, thrum_condition_wait(c))`
 * and thrum_condition_wait_for() do.
 * [awaits · cancel-safe: held again, the notification goes on · no allocation · this loop's thread only]
 *
 * @param condition  initialised, its lock held; stays in place while somebody waits
 * @return gives 0; THRUM_ESTATE at once when nobody holds the lock (nothing changes); THRUM_ECANCELED
 *
 * asyncio: Condition.wait
 */
THRUM_API thrum_awaitable thrum_condition_wait(thrum_condition *condition) THRUM_MUST_USE_;

/** Whether what a task waits for has come. It must neither wait nor wake anybody. */
typedef bool thrum_predicate(void *context);

/**
 * Wait until something is so: asked at first, and after each notification, with the lock held.
 * [awaits · does not suspend when it is so · cancel-safe: held again, the notification goes on · one frame · this
 * loop's thread only]
 *
 * @param condition  initialised, its lock held
 * @param predicate  is asked
 * @param context    for it
 * @return gives 1; THRUM_ESTATE when it is not so and nobody holds the lock; THRUM_ENOMEM; THRUM_ECANCELED
 *
 * asyncio: Condition.wait_for
 */
THRUM_API thrum_awaitable thrum_condition_wait_for(thrum_condition *condition, thrum_predicate *predicate,
                                                   void *context) THRUM_MUST_USE_;

/**
 * Have tasks go on that wait and were not notified yet, in the order of coming, one by one as they get the lock.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param condition  initialised, its lock held
 * @param count      how many at most
 * @return gives 0; THRUM_ESTATE when nobody holds the lock (nothing changes)
 *
 * asyncio: Condition.notify
 */
THRUM_API int thrum_condition_notify(thrum_condition *condition, size_t count);

/**
 * The same for everybody who waits.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param condition  initialised, its lock held
 * @return gives 0; THRUM_ESTATE when nobody holds the lock (nothing changes)
 *
 * asyncio: Condition.notify_all
 */
THRUM_API int thrum_condition_notify_all(thrum_condition *condition);

/** The scope of a condition whose lock is held for the length of a block:
 * `WITH (self->hold, thrum_condition_hold(&self->hold, &condition)) { ... }`. asyncio: `async with condition` */
typedef thrum_lock_hold thrum_condition_hold;
#define thrum_condition_hold(hold, condition) thrum_lock_hold_enter(hold, thrum_condition_lock(condition))

/** A number of units that tasks take and give back. Fields are private. */
typedef struct thrum_semaphore {
    thrum_waiters waiters;
    uint32_t value;
    uint32_t woken; /* tasks that were given a unit and have not run yet */
    uint32_t above; /* how much of 32 bits lies above the bound */
} thrum_semaphore;

/** The initialiser of a semaphore of so many units. */
#define THRUM_SEMAPHORE_INIT(units)                                                                                    \
    {                                                                                                                  \
        {0}, (units), 0, 0                                                                                             \
    }
/** The initialiser of a semaphore that never has more units than these. */
#define THRUM_BOUNDED_SEMAPHORE_INIT(units)                                                                            \
    {                                                                                                                  \
        {0}, (units), 0, UINT32_MAX - (units)                                                                          \
    }

/**
 * Prepare a semaphore. More units than at first may be given back.
 * [never waits · no allocation · any thread]
 *
 * @param semaphore  not in use
 * @param units      that can be taken at first; may be 0
 *
 * asyncio: Semaphore
 */
THRUM_API void thrum_semaphore_init(thrum_semaphore *semaphore, uint32_t units);

/**
 * Prepare a semaphore that never has more units than at first.
 * [never waits · no allocation · any thread]
 *
 * @param semaphore  not in use
 * @param units      that can be taken at first; may be 0
 *
 * asyncio: BoundedSemaphore
 */
THRUM_API void thrum_bounded_semaphore_init(thrum_semaphore *semaphore, uint32_t units);

/**
 * Take a unit, after everybody who came before. `AWAIT_SEMAPHORE(semaphore)` does the same, faster where there is one.
 * [awaits · does not suspend when there is one · cancel-safe: not taken · no allocation · this loop's thread only]
 *
 * @param semaphore  initialised; stays in place while somebody waits
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: Semaphore.acquire
 */
THRUM_API thrum_awaitable thrum_semaphore_acquire(thrum_semaphore *semaphore) THRUM_MUST_USE_;

THRUM_API int thrum_semaphore_release_(thrum_semaphore *semaphore);

/**
 * Give a unit back: the first who waits has it at once, and runs in the next pass. Any task may.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param semaphore  initialised
 * @return gives 0; THRUM_EINVAL when a bounded one has all its units, any one 2^32-1 (nothing changes)
 *
 * asyncio: Semaphore.release, BoundedSemaphore.release
 */
static inline int thrum_semaphore_release(thrum_semaphore *semaphore)
{
    THRUM_CHECK_ISR_();
    if (THRUM_UNLIKELY_(semaphore->waiters.first || semaphore->value >= UINT32_MAX - semaphore->above))
        return thrum_semaphore_release_(semaphore);
    semaphore->value++;
    return 0;
}

/**
 * Whether a unit cannot be had at once: there is none, or others come first.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param semaphore  initialised
 * @return gives true or false
 *
 * asyncio: Semaphore.locked
 */
static inline bool thrum_semaphore_locked(const thrum_semaphore *semaphore)
{
    return semaphore->value == 0 || semaphore->waiters.first || semaphore->woken;
}

/**
 * Take a unit if one can be had at once.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param semaphore  initialised
 * @return gives whether it was taken
 *
 * asyncio: `not semaphore.locked()`, then Semaphore.acquire
 */
static inline bool thrum_semaphore_try(thrum_semaphore *semaphore)
{
    THRUM_CHECK_ISR_();
    if (thrum_semaphore_locked(semaphore))
        return false;
    semaphore->value--;
    return true;
}

/** The scope of a unit that is held for the length of a block. */
typedef struct thrum_semaphore_hold {
    thrum_scope scope;
    thrum_semaphore *semaphore;
} thrum_semaphore_hold;

/**
 * Hold a unit for the length of a block: `WITH (self->hold, thrum_semaphore_hold(&self->hold, &semaphore)) { ... }`.
 * [awaits · does not suspend when there is one · cancel-safe: not taken · no allocation · this loop's thread only]
 *
 * @param hold       in the LOCALS of the function
 * @param semaphore  initialised
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: `async with semaphore`
 */
THRUM_API thrum_awaitable thrum_semaphore_hold_enter(thrum_semaphore_hold *hold,
                                                     thrum_semaphore *semaphore) THRUM_MUST_USE_;
#define thrum_semaphore_hold(hold, semaphore) thrum_semaphore_hold_enter(hold, semaphore)

/** Where a given number of tasks wait for one another, again and again. Fields are private. */
typedef struct thrum_barrier {
    thrum_waiters waiters;
    uint32_t parties;
    uint32_t count; /* tasks in the barrier */
    uint8_t state;
} thrum_barrier;

/** The initialiser of a barrier for so many tasks, at least 1. */
#define THRUM_BARRIER_INIT(parties)                                                                                    \
    {                                                                                                                  \
        {0}, (parties), 0, 0                                                                                           \
    }

/**
 * Prepare a barrier.
 * [never waits · no allocation · any thread]
 *
 * @param barrier  not in use
 * @param parties  how many tasks must wait for all to go on, at least 1
 * @return gives 0; THRUM_EINVAL
 *
 * asyncio: Barrier
 */
THRUM_API int thrum_barrier_init(thrum_barrier *barrier, uint32_t parties);

/**
 * Wait until as many tasks wait as there are parties. The last one does not suspend; the others go on in the next pass.
 * Who comes before they have all left, or while a reset throws them out, waits for the next round. Who is cancelled
 * leaves, which does not break the barrier.
 * [awaits · does not suspend when last or broken · cancel-safe: one less waits · no allocation · this loop's thread
 * only]
 *
 * @param barrier  initialised; stays in place while somebody waits
 * @return gives how many waited before, 0 to parties - 1; THRUM_EBROKEN when it is or gets aborted, or is reset while
 *         the task waits; THRUM_ECANCELED
 *
 * asyncio: Barrier.wait
 */
THRUM_API thrum_awaitable thrum_barrier_wait(thrum_barrier *barrier) THRUM_MUST_USE_;

/**
 * Make a barrier empty and whole: who waits for it to fill gets THRUM_EBROKEN.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param barrier  initialised
 *
 * asyncio: Barrier.reset, which is awaited but never suspends
 */
THRUM_API void thrum_barrier_reset(thrum_barrier *barrier);

/**
 * Break a barrier: who waits, and who comes, gets THRUM_EBROKEN until it is reset.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param barrier  initialised
 *
 * asyncio: Barrier.abort, which is awaited but never suspends
 */
THRUM_API void thrum_barrier_abort(thrum_barrier *barrier);

/**
 * How many tasks must wait for all to go on.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param barrier  initialised
 * @return gives a count
 *
 * asyncio: Barrier.parties
 */
static inline uint32_t thrum_barrier_parties(const thrum_barrier *barrier)
{
    return barrier->parties;
}

/**
 * How many tasks wait for it to fill.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param barrier  initialised
 * @return gives a count; 0 while they leave
 *
 * asyncio: Barrier.n_waiting
 */
THRUM_API uint32_t thrum_barrier_waiting(const thrum_barrier *barrier);

/**
 * Whether a barrier was aborted and not reset.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param barrier  initialised
 * @return gives true or false
 *
 * asyncio: Barrier.broken
 */
THRUM_API bool thrum_barrier_broken(const thrum_barrier *barrier);

/** The scope of a block that begins when a barrier lets the task through. */
typedef struct thrum_barrier_pass {
    thrum_scope scope;
    thrum_barrier *barrier;
    uint32_t index; /**< what thrum_barrier_wait() gives */
} thrum_barrier_pass;

/**
 * Pass a barrier before a block: `WITH (self->pass, thrum_barrier_pass(&self->pass, &barrier)) { ... }`; in the block
 * `self->pass.index` tells the tasks apart. There is nothing to do at its end.
 * [awaits · does not suspend when last or broken · cancel-safe: one less waits · no allocation · this loop's thread
 * only]
 *
 * @param pass     in the LOCALS of the function
 * @param barrier  initialised
 * @return gives the index; THRUM_EBROKEN; THRUM_ECANCELED
 *
 * asyncio: `async with barrier as index`
 */
THRUM_API thrum_awaitable thrum_barrier_pass_enter(thrum_barrier_pass *pass, thrum_barrier *barrier) THRUM_MUST_USE_;
#define thrum_barrier_pass(pass, barrier) thrum_barrier_pass_enter(pass, barrier)

THRUM_END_DECLS

#endif
