/* The pool of a thread (thrum/pool.h): size classes of blocks, cut from slabs. */
#ifndef THRUM_CORE_POOL_H
#define THRUM_CORE_POOL_H

#include <thrum/async.h>
#include <thrum/pool.h>

/* What a block is for; tasks and frames can be walked. */
enum { POOL_FRAME, POOL_TASK, POOL_OTHER, POOL_KINDS };

#if THRUM_HOSTED
enum { POOL_FINE = THRUM_FINE_SLOTS_, POOL_CLASSES = 64 + 28 };
#define POOL_SLAB_LIMIT 65536u
#define POOL_SLAB_LEAST 1024u
#define POOL_SLAB_MOST 65536u
#else
enum { POOL_FINE = THRUM_FINE_SLOTS_, POOL_CLASSES = 16 + 12 };
#define POOL_SLAB_LIMIT 1024u
#define POOL_SLAB_LEAST 256u
#define POOL_SLAB_MOST 4096u
#endif

typedef struct pool_block {
    struct pool_block *next;
    void *mark; /* POOL_FREE_MARK in a free block */
} pool_block;

/* No frame's `caller` and no task's `prev` is this. */
#define POOL_FREE_MARK ((void *)1)

struct pool_slab;

/* Free blocks, and the slab that fresh ones are cut from. Not in the thread's own memory on hosts, of which a library
 * that is loaded at run time gets little. */
typedef struct pool_lists {
    pool_block *free[POOL_KINDS][POOL_CLASSES];
#if THRUM_HOSTED
    struct pool_slab *current[POOL_KINDS][POOL_CLASSES];
#endif
} pool_lists;

/* Where a walk over the slabs goes on. What it visits may free large blocks of any kind, and their slabs with them. */
typedef struct pool_walk {
    struct pool_slab *next;
    struct pool_walk *outer;
} pool_walk;

typedef struct thrum_pool {
    size_t limit;   /* larger blocks come from the allocator one by one; 0 until first use */
    unsigned slots; /* classes below this one are free lists to be used at once; 0 until first use */
    struct pool_lists *lists;
    struct pool_slab *slabs;
    thrum_allocator allocator;
    char *memory, *end; /* the rest of a static array */
    size_t size, tasks; /* of that array; tasks at its end */
    size_t padding;     /* bytes of it that were skipped */
    bool array;
    pool_walk *walks; /* that go on */
} thrum_pool;

/* The host's allocator. A microcontroller has none: there the pool has nothing until it is given memory. */
thrum_allocator thrum_pool_host_allocator(void);

void *thrum_pool_slow(thrum_pool *pool, size_t size, unsigned kind);
void thrum_pool_give_slow(thrum_pool *pool, void *block, size_t size, unsigned kind);
void thrum_pool_walk(thrum_pool *pool, unsigned kind, void (*visit)(void *block, void *context), void *context);

unsigned thrum_pool_coarse_class(size_t size);

static inline unsigned pool_class(size_t size)
{
    return THRUM_LIKELY_(size <= POOL_FINE * 8u) ? (unsigned)((size + 7) / 8 - 1) : thrum_pool_coarse_class(size);
}

/* A block of at least `size` bytes, at least a pool_block. Not cleared. NULL when there is none. */
static inline void *pool_take(thrum_pool *pool, size_t size, unsigned kind)
{
    if (THRUM_LIKELY_(size <= pool->limit)) {
        pool_block **list = &pool->lists->free[kind][pool_class(size)];
        pool_block *block = *list;
        if (THRUM_LIKELY_(block != NULL)) {
            *list = block->next;
            return block;
        }
    }
    return thrum_pool_slow(pool, size, kind);
}

static inline void pool_give(thrum_pool *pool, void *memory, size_t size, unsigned kind)
{
    if (THRUM_UNLIKELY_(size > pool->limit)) {
        thrum_pool_give_slow(pool, memory, size, kind);
        return;
    }
    pool_block *block = (pool_block *)memory;
    pool_block **list = &pool->lists->free[kind][pool_class(size)];
    block->next = *list;
    block->mark = POOL_FREE_MARK;
    *list = block;
}

#endif
