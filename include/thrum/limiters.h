/**
 * @file limiters.h
 * A limit on how many may do something at once, that can be changed while it is in use and knows who uses it.
 *
 * Each of those who hold a token is a borrower: a task, or anything else that has an address (a connection, a
 * customer). What a borrower borrows with is a struct of its own, so nothing is allocated.
 */
#ifndef THRUM_LIMITERS_H
#define THRUM_LIMITERS_H

#include <thrum/blocks.h>

THRUM_BEGIN_DECLS

struct thrum_limiter_hold;

/** A number of tokens. Fields are private. */
typedef struct thrum_limiter {
    thrum_waiters waiters;
    struct thrum_limiter_hold *borrowers; /* the newest first */
    uint32_t total;
    uint32_t borrowed;
} thrum_limiter;

/** The initialiser of a limiter of so many tokens. */
#define THRUM_LIMITER_INIT(tokens)                                                                                     \
    {                                                                                                                  \
        {0}, 0, (tokens), 0                                                                                            \
    }

/** One token of one borrower, or a place in line for it; also a scope, for WITH. Zeroed before its first use; from when
 * it is handed in until the token is given back, or the wait has failed, it stays in place. Fields are private. */
typedef struct thrum_limiter_hold {
    thrum_scope scope;
    thrum_limiter *limiter; /* NULL: not in use */
    const void *borrower;
    struct thrum_limiter_hold *next, *previous; /* among the borrowers */
    bool held;
} thrum_limiter_hold;

/** What thrum_limiter_stats_get() tells. */
typedef struct thrum_limiter_stats {
    uint32_t total;    /**< tokens; may be fewer than are borrowed after it was lowered */
    uint32_t borrowed; /**< those given out */
    uint32_t waiting;  /**< tasks in line */
} thrum_limiter_stats;

/**
 * Prepare a limiter. Zeroed memory is one without any token.
 * [never waits · no allocation · any thread]
 *
 * @param limiter  not in use
 * @param tokens   how many may be borrowed at once; UINT32_MAX is no limit
 *
 * asyncio: Semaphore; trio and anyio: CapacityLimiter
 */
THRUM_API void thrum_limiter_init(thrum_limiter *limiter, uint32_t tokens);

/**
 * Borrow a token for the current task, after everybody who came before.
 * [awaits · does not suspend when there is one · cancel-safe: not borrowed · no allocation · O(borrowers) · this loop's
 * thread only]
 *
 * @param limiter  initialised; stays in place while somebody borrows or waits
 * @param hold     not in use
 * @return gives 0; THRUM_ESTATE when the task has a token already, or `hold` is in use; THRUM_ECANCELED
 *
 * asyncio: Semaphore.acquire; anyio: CapacityLimiter.acquire
 */
THRUM_API thrum_awaitable thrum_limiter_acquire(thrum_limiter *limiter, thrum_limiter_hold *hold) THRUM_MUST_USE_;

/**
 * Borrow a token for somebody.
 * [awaits · does not suspend when there is one · cancel-safe: not borrowed · no allocation · O(borrowers) · this loop's
 * thread only]
 *
 * @param limiter   initialised
 * @param hold      not in use
 * @param borrower  any address but NULL; it is only compared
 * @return gives 0; THRUM_ESTATE when the borrower has a token already, or `hold` is in use; THRUM_ECANCELED
 *
 * asyncio: Semaphore.acquire; anyio: CapacityLimiter.acquire_on_behalf_of
 */
THRUM_API thrum_awaitable thrum_limiter_acquire_on_behalf(thrum_limiter *limiter, thrum_limiter_hold *hold,
                                                          const void *borrower) THRUM_MUST_USE_;

/**
 * Borrow a token if one can be had at once: one is there, and nobody waits.
 * [never waits · no allocation · O(borrowers) · this loop's thread only]
 *
 * @param limiter   initialised
 * @param hold      not in use
 * @param borrower  any address; NULL is the current task
 * @return gives 0; THRUM_EFULL when there is none; THRUM_ESTATE when the borrower has one, `hold` is in use, or there
 *         is no current task
 *
 * asyncio: `not semaphore.locked()`; anyio: CapacityLimiter.acquire_nowait, acquire_on_behalf_of_nowait
 */
THRUM_API int thrum_limiter_acquire_nowait(thrum_limiter *limiter, thrum_limiter_hold *hold, const void *borrower);

/**
 * Give a token back: the first who waits has it at once, and runs in the next pass. Any task may.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param hold  that it was borrowed with
 * @return gives 0; THRUM_ESTATE when it has none (nothing changes)
 *
 * asyncio: Semaphore.release; anyio: CapacityLimiter.release, release_on_behalf_of
 */
THRUM_API int thrum_limiter_release(thrum_limiter_hold *hold);

/**
 * Change how many tokens there are. When there are more, those who wait get them; when there are fewer than are
 * borrowed, nobody gets one until enough came back.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param limiter  initialised
 * @param tokens   from now on; 0 lets nobody in, UINT32_MAX is no limit
 *
 * asyncio: none; anyio: CapacityLimiter.total_tokens
 */
THRUM_API void thrum_limiter_set_total(thrum_limiter *limiter, uint32_t tokens);

/**
 * How many tokens there are, are borrowed, are waited for.
 * [never waits · no allocation · O(waiting) · this loop's thread only]
 *
 * @param limiter  initialised
 * @param stats    is filled in
 *
 * asyncio: none; anyio: CapacityLimiter.statistics, borrowed_tokens, available_tokens
 */
THRUM_API void thrum_limiter_stats_get(const thrum_limiter *limiter, thrum_limiter_stats *stats);

/**
 * Who has a token, the newest first.
 * [never waits · no allocation · O(borrowers) · this loop's thread only]
 *
 * @param limiter    initialised
 * @param borrowers  room for `room` of them; may be NULL when `room` is 0
 * @param room       how many
 * @return gives how many there are, which may be more than `room`
 *
 * asyncio: none; anyio: CapacityLimiterStatistics.borrowers
 */
THRUM_API size_t thrum_limiter_borrowers(const thrum_limiter *limiter, const void **borrowers, size_t room);

/**
 * Hold a token of the current task for the length of a block:
 * `WITH (self->hold, thrum_limiter_hold(&self->hold, &limiter)) { ... }`.
 * [awaits · does not suspend when there is one · cancel-safe: not borrowed · no allocation · O(borrowers) · this loop's
 * thread only]
 *
 * @param hold     in the LOCALS of the function
 * @param limiter  initialised
 * @return gives 0; THRUM_ESTATE when the task has a token already; THRUM_ECANCELED
 *
 * asyncio: `async with semaphore`; anyio: `async with limiter`
 */
THRUM_API thrum_awaitable thrum_limiter_hold_enter(thrum_limiter_hold *hold, thrum_limiter *limiter) THRUM_MUST_USE_;
#define thrum_limiter_hold(hold, limiter) thrum_limiter_hold_enter(hold, limiter)

THRUM_END_DECLS

#endif
