/* The pool of a thread (thrum/pool.h): size classes of blocks, cut from slabs. */
#ifndef THRUM_CORE_POOL_H
#define THRUM_CORE_POOL_H

#include <thrum/async.h>
#include <thrum/pool.h>

/* What a block is for; tasks and frames can be walked. */
enum { POOL_FRAME, POOL_TASK, POOL_OTHER, POOL_KINDS };

/* No frame's `caller` and no task's `prev` is this. */
#define POOL_FREE_MARK ((void *)1)

/* Visit every task of this thread, or only those that have not ended. What is visited may free itself. */
void thrum_pool_walk_tasks(void (*visit)(thrum_task *task, void *context), void *context, bool ended);

#if THRUM_ALLOCATORS

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
    size_t kept;      /* bytes of it that are: see thrum_pool_keep() */
    pool_walk *walks; /* that go on */
} thrum_pool;

/* The host's allocator. A microcontroller has none: there the pool has nothing until it is given memory. */
thrum_allocator thrum_pool_host_allocator(void);

void *thrum_pool_slow(thrum_pool *pool, size_t size, unsigned kind);
void thrum_pool_give_slow(thrum_pool *pool, void *block, size_t size, unsigned kind);
/* Whether a block lies in this pool. O(slabs). */
bool thrum_pool_owns(const thrum_pool *pool, const void *block);

/* A block is not in use any more, but shall not be given out yet: no walk sees it, nor do the counts of what is used.
 * thrum_pool_unkeep() comes before it is given back. */
void thrum_pool_keep(thrum_pool *pool, void *block, size_t size, unsigned kind);
void thrum_pool_unkeep(thrum_pool *pool, size_t size, unsigned kind);

/* In debug mode frames are taken and given the slow way. */
void thrum_pool_slow_way(thrum_pool *pool, bool slow);

void thrum_pool_walk(thrum_pool *pool, unsigned kind, void (*visit)(void *block, void *context), void *context);

unsigned thrum_pool_coarse_class(size_t size);

static inline unsigned pool_class(size_t size)
{
    return THRUM_LIKELY_(size <= POOL_FINE * 8u) ? (unsigned)((size + 7) / 8 - 1) : thrum_pool_coarse_class(size);
}

/* A block of a class that was given back before, or NULL. The pool was used already, by a loop or otherwise. */
static inline void *pool_again(thrum_pool *pool, size_t size, unsigned kind)
{
    pool_block **list = &pool->lists->free[kind][pool_class(size)];
    pool_block *block = *list;
    if (THRUM_LIKELY_(block != NULL))
        *list = block->next;
    return block;
}

/* A block of at least `size` bytes, at least a pool_block. Not cleared. NULL when there is none. */
static inline void *pool_take(thrum_pool *pool, size_t size, unsigned kind)
{
    void *block = THRUM_LIKELY_(size <= pool->limit) ? pool_again(pool, size, kind) : NULL;
    return THRUM_LIKELY_(block != NULL) ? block : thrum_pool_slow(pool, size, kind);
}

/* What is known to be within the limit. */
static inline void pool_put(thrum_pool *pool, void *memory, size_t size, unsigned kind)
{
    pool_block *block = (pool_block *)memory;
    pool_block **list = &pool->lists->free[kind][pool_class(size)];
    block->next = *list;
    block->mark = POOL_FREE_MARK;
    *list = block;
}

static inline void pool_give(thrum_pool *pool, void *memory, size_t size, unsigned kind)
{
    if (THRUM_UNLIKELY_(size > pool->limit))
        thrum_pool_give_slow(pool, memory, size, kind);
    else
        pool_put(pool, memory, size, kind);
}

#else

/* A block that is free. */
typedef struct pool_block {
    struct pool_block *next; /* of its size */
    void *mark;              /* POOL_FREE_MARK */
    size_t size;
    struct pool_block *sizes; /* of the first of its size: the first of another one */
} pool_block;

typedef struct thrum_pool {
    struct pool_array *array; /* NULL: it has no memory yet */
} thrum_pool;

/* Sizes are multiples of this; those of tasks have a bit more. */
enum { POOL_UNIT = 2 * sizeof(void *), POOL_IS_TASK = 1 };

/* A block of a size that pool_size() gave. Not cleared. NULL when there is none. */
void *thrum_pool_take(size_t size);
void thrum_pool_give(void *block, size_t size);

static inline size_t pool_size(size_t size, unsigned kind)
{
    if (size < sizeof(pool_block))
        size = sizeof(pool_block);
    return ((size + POOL_UNIT - 1) & ~(size_t)(POOL_UNIT - 1)) | (kind == POOL_TASK ? POOL_IS_TASK : 0);
}

#define pool_take(pool, size, kind) thrum_pool_take(pool_size(size, kind))
#define pool_again(pool, size, kind) pool_take(pool, size, kind)
#define pool_give(pool, memory, size, kind) thrum_pool_give(memory, pool_size(size, kind))
#define pool_put(pool, memory, size, kind) pool_give(pool, memory, size, kind)

#endif

#endif
