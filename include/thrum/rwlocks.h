/**
 * @file rwlocks.h
 * A lock that many may hold to read, or one to write. First come, first served: readers that come while somebody waits
 * to write wait behind him, and a writer waits for those readers only who came before.
 */
#ifndef THRUM_RWLOCKS_H
#define THRUM_RWLOCKS_H

#include <thrum/blocks.h>

THRUM_BEGIN_DECLS

/** A reader-writer lock. Zeroed memory is one that nobody holds. Fields are private. */
typedef struct thrum_rwlock {
    thrum_waiters waiters;
    uint32_t readers; /* who have it, or were given it and have not run yet */
    bool writing;     /* the same */
} thrum_rwlock;

/** The initialiser of a lock that nobody holds; zeroed memory is one, too. */
#define THRUM_RWLOCK_INIT                                                                                              \
    {                                                                                                                  \
        {0}, 0, false                                                                                                  \
    }

/**
 * Prepare a lock that nobody holds. Zeroed memory is one, too.
 * [never waits · no allocation · any thread]
 *
 * @param lock  not in use
 *
 * asyncio: none; aiorwlock: RWLock
 */
THRUM_API void thrum_rwlock_init(thrum_rwlock *lock);

/**
 * Take a lock to read, after everybody who came before. Who holds it to read and takes it again may wait for himself.
 * [awaits · does not suspend when that can be · cancel-safe: not taken · no allocation · this loop's thread only]
 *
 * @param lock  initialised; stays in place while somebody waits
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: none; aiorwlock: RWLock.reader_lock.acquire
 */
THRUM_API thrum_awaitable thrum_rwlock_acquire_read(thrum_rwlock *lock) THRUM_MUST_USE_;

/**
 * Take a lock to write, after everybody who came before.
 * [awaits · does not suspend when free · cancel-safe: not taken · no allocation · this loop's thread only]
 *
 * @param lock  initialised; stays in place while somebody waits
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: none; aiorwlock: RWLock.writer_lock.acquire
 */
THRUM_API thrum_awaitable thrum_rwlock_acquire_write(thrum_rwlock *lock) THRUM_MUST_USE_;

/**
 * Take a lock to read if that can be had at once: nobody writes, and nobody waits.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  initialised
 * @return gives whether it was taken
 *
 * asyncio: none
 */
THRUM_API bool thrum_rwlock_try_read(thrum_rwlock *lock);

/**
 * Take a lock to write if that can be had at once: nobody holds it, and nobody waits.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  initialised
 * @return gives whether it was taken
 *
 * asyncio: none
 */
THRUM_API bool thrum_rwlock_try_write(thrum_rwlock *lock);

/**
 * Give back a lock that was taken to read: after the last reader the first in line has it. Any task may.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  held to read
 * @return gives 0; THRUM_ESTATE when nobody reads (nothing changes)
 *
 * asyncio: none; aiorwlock: RWLock.reader_lock.release
 */
THRUM_API int thrum_rwlock_release_read(thrum_rwlock *lock);

/**
 * Give back a lock that was taken to write: the first in line has it, and if he reads, so have the readers who follow
 * him. Any task may.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  held to write
 * @return gives 0; THRUM_ESTATE when nobody writes (nothing changes)
 *
 * asyncio: none; aiorwlock: RWLock.writer_lock.release
 */
THRUM_API int thrum_rwlock_release_write(thrum_rwlock *lock);

/**
 * Go from writing to reading with nobody in between; readers who are first in line come in, too. It is given back with
 * thrum_rwlock_release_read(); a block that holds it to write sees to that.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  held to write
 * @return gives 0; THRUM_ESTATE when nobody writes (nothing changes)
 *
 * asyncio: none
 */
THRUM_API int thrum_rwlock_downgrade(thrum_rwlock *lock);

/**
 * How many hold a lock to read.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  initialised
 * @return gives a count, with those who were given it and have not run yet
 *
 * asyncio: none
 */
static inline uint32_t thrum_rwlock_readers(const thrum_rwlock *lock)
{
    return lock->readers;
}

/**
 * Whether somebody holds a lock to write.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param lock  initialised
 * @return gives true or false; true also when it was given and the task has not run yet
 *
 * asyncio: none
 */
static inline bool thrum_rwlock_writing(const thrum_rwlock *lock)
{
    return lock->writing;
}

/** The scope of a lock that is held to read for the length of a block. */
typedef struct thrum_rwlock_read_hold {
    thrum_scope scope;
    thrum_rwlock *lock;
} thrum_rwlock_read_hold;

/** The scope of a lock that is held to write for the length of a block. */
typedef struct thrum_rwlock_write_hold {
    thrum_scope scope;
    thrum_rwlock *lock;
} thrum_rwlock_write_hold;

/**
 * Hold a lock to read for the length of a block:
 * `WITH (self->hold, thrum_rwlock_read_hold(&self->hold, &lock)) { ... }`.
 * [awaits · does not suspend when that can be · cancel-safe: not taken · no allocation · this loop's thread only]
 *
 * @param hold  in the LOCALS of the function
 * @param lock  initialised
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: none; aiorwlock: `async with lock.reader`
 */
THRUM_API thrum_awaitable thrum_rwlock_read_hold_enter(thrum_rwlock_read_hold *hold,
                                                       thrum_rwlock *lock) THRUM_MUST_USE_;
#define thrum_rwlock_read_hold(hold, lock) thrum_rwlock_read_hold_enter(hold, lock)

/**
 * Hold a lock to write for the length of a block, or first to write and from thrum_rwlock_downgrade() on to read:
 * `WITH (self->hold, thrum_rwlock_write_hold(&self->hold, &lock)) { ... }`.
 * [awaits · does not suspend when free · cancel-safe: not taken · no allocation · this loop's thread only]
 *
 * @param hold  in the LOCALS of the function
 * @param lock  initialised
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: none; aiorwlock: `async with lock.writer`
 */
THRUM_API thrum_awaitable thrum_rwlock_write_hold_enter(thrum_rwlock_write_hold *hold,
                                                        thrum_rwlock *lock) THRUM_MUST_USE_;
#define thrum_rwlock_write_hold(hold, lock) thrum_rwlock_write_hold_enter(hold, lock)

THRUM_END_DECLS

#endif
