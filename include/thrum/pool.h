/**
 * @file pool.h
 * Where frames, tasks and the other small blocks come from: one pool a thread, size classes, O(1). It is fed by the
 * host's allocator, by one of the caller's, or by one static array; the core itself never calls `malloc`.
 */
#ifndef THRUM_POOL_H
#define THRUM_POOL_H

#include <thrum/types.h>

THRUM_BEGIN_DECLS

/** Where a pool gets its memory. */
typedef struct thrum_allocator {
    /** aligned as malloc's, on small processors, too, to a multiple of 4 (avr-libc's is not); NULL when there is
     * none */
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *memory, size_t size); /**< NULL where memory is never given back */
    void *context;
    bool each; /**< ask for every block by itself, for allocators that check; otherwise for slabs of many */
} thrum_allocator;

/**
 * Feed this thread's pool from an allocator. Before the first thing is made in this thread.
 * [never waits · this thread's pool]
 *
 * @param allocator  copied
 * @return gives 0; THRUM_ESTATE when blocks are in use; THRUM_EINVAL; THRUM_EUNSUPPORTED without THRUM_ALLOCATORS
 *
 * asyncio: nothing; Python has one allocator for all
 */
THRUM_API int thrum_pool_use_allocator(const thrum_allocator *allocator);

/**
 * Feed this thread's pool from one array and nothing else.
 * [never waits · this thread's pool]
 *
 * @param memory  the caller's, aligned for any type; it stays the pool's
 * @param size    of it, in bytes
 * @return gives 0; THRUM_ESTATE when blocks are in use; THRUM_EINVAL
 *
 * asyncio: nothing; Python has one allocator for all
 */
THRUM_API int thrum_pool_use_memory(void *memory, size_t size);

/** What a pool holds, in bytes and blocks. */
typedef struct thrum_pool_stats {
    size_t reserved; /**< bytes taken from the allocator or the array */
    size_t used;     /**< bytes in blocks that are in use */
    size_t peak;     /**< the most that was in use, added up over the size classes */
    size_t blocks;   /**< blocks in use; 0 for an array, where they are not counted */
} thrum_pool_stats;

/**
 * Read what this thread's pool holds.
 * [never waits · no allocation · O(blocks) · this thread's pool]
 *
 * @param stats  where it goes
 *
 * asyncio: nothing; tracemalloc comes nearest
 */
THRUM_API void thrum_pool_stats_get(thrum_pool_stats *stats);

/**
 * Give everything back to the allocator. For the end of a thread.
 * [never waits · this thread's pool]
 *
 * @return gives 0; THRUM_ESTATE when blocks are in use (nothing is given back)
 *
 * asyncio: nothing; Python has one allocator for all
 */
THRUM_API int thrum_pool_clear(void);

THRUM_END_DECLS

#endif
