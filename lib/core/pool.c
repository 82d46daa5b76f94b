#include "core/pool.h"

#include "core/memory.h"
#include "core/state.h"

/* Blocks of one class and kind, one after the other. Slabs grow with use, so that small programs stay small. */
typedef struct pool_slab {
    struct pool_slab *next;
    size_t bytes; /* as asked from the allocator */
    size_t size, count, fresh; /* of a block; blocks in all; blocks that were ever used */
    uint8_t kind;
    bool single; /* one large block, given back when it is free */
    struct pool_slab *previous;
    char *blocks;
} pool_slab;

#define SLAB_HEADER ((sizeof(pool_slab) + 15) / 16 * 16)

/* Four classes a doubling. */
unsigned thrum_pool_coarse_class(size_t size)
{
    unsigned shift = 0;
    size_t top = (size - 1) / (POOL_FINE * 2u);
    while (top >= 8) {
        top /= 2;
        shift++;
    }
    return POOL_FINE + shift * 4 + (unsigned)(top - 4);
}

/* The largest size of a class. */
static size_t class_size(unsigned class)
{
    if (class < POOL_FINE)
        return (class + 1) * (size_t)8;
    unsigned shift = (class - POOL_FINE) / 4, step = (class - POOL_FINE) % 4;
    return ((size_t)(step + 5) * (POOL_FINE * 2)) << shift;
}

static void ready(thrum_pool *pool)
{
    if (pool->limit)
        return;
#if defined(THRUM_POOL_EACH)
    pool->limit = 1; /* every block by itself, so that the allocator's own checks see each */
#else
    pool->limit = pool->array || !pool->allocator.each ? POOL_SLAB_LIMIT : 1;
#endif
#if THRUM_HOSTED
    if (!pool->array && !pool->allocator.allocate)
        pool->allocator = thrum_pool_host_allocator();
#endif
}

static void *allocate(thrum_pool *pool, size_t bytes)
{
    return pool->allocator.allocate ? pool->allocator.allocate(pool->allocator.context, bytes) : NULL;
}

static pool_slab *slab_new(thrum_pool *pool, size_t size, size_t count, unsigned kind)
{
    size_t bytes = SLAB_HEADER + size * count;
    pool_slab *slab = (pool_slab *)allocate(pool, bytes);
    if (!slab)
        return NULL;
    slab->bytes = bytes;
    slab->size = size;
    slab->count = count;
    slab->fresh = 0;
    slab->kind = (uint8_t)kind;
    slab->single = false;
    slab->blocks = (char *)slab + SLAB_HEADER;
    slab->previous = NULL;
    slab->next = pool->slabs;
    if (slab->next)
        slab->next->previous = slab;
    pool->slabs = slab;
    return slab;
}

static void *take_single(thrum_pool *pool, size_t size, unsigned kind)
{
    pool_slab *slab = slab_new(pool, (size + 15) / 16 * 16, 1, kind);
    if (!slab)
        return NULL;
    slab->single = true;
    slab->fresh = 1;
    return slab->blocks;
}

/* Out of a static array blocks are cut one by one: the least waste, and nothing to walk but tasks. */
static void *cut(thrum_pool *pool, size_t size)
{
    uintptr_t at = (uintptr_t)pool->memory;
    if (size % 16 == 0)
        at = (at + 15) / 16 * 16;
    if (at + size > (uintptr_t)pool->end)
        return NULL;
    char *block = pool->memory + (at - (uintptr_t)pool->memory);
    pool->memory = block + size;
    return block;
}

void *thrum_pool_slow(thrum_pool *pool, size_t size, unsigned kind)
{
    ready(pool);
    if (pool->array && size > pool->limit)
        return NULL;
    if (size > pool->limit)
        return take_single(pool, size, kind);
    unsigned class = pool_class(size);
    pool_block *block = pool->free[kind][class];
    if (block) {
        pool->free[kind][class] = block->next;
        return block;
    }
    size_t exact = class_size(class);
    if (pool->array)
        return cut(pool, exact);
    pool_slab *slab = pool->current[kind][class];
    if (!slab || slab->fresh == slab->count) {
        size_t bytes = slab ? slab->bytes * 2 : POOL_SLAB_LEAST;
        if (bytes > POOL_SLAB_MOST)
            bytes = POOL_SLAB_MOST;
        size_t count = (bytes - SLAB_HEADER) / exact;
        pool_slab *grown = slab_new(pool, exact, count < 2 ? 2 : count, kind);
        if (!grown)
            grown = slab_new(pool, exact, 1, kind);
        if (!grown)
            return NULL;
        pool->current[kind][class] = slab = grown;
    }
    return slab->blocks + slab->fresh++ * exact;
}

void thrum_pool_give_slow(thrum_pool *pool, void *block, size_t size, unsigned kind)
{
    pool_slab *slab = (pool_slab *)(void *)((char *)block - SLAB_HEADER);
    (void)size;
    (void)kind;
    if (slab->next)
        slab->next->previous = slab->previous;
    if (slab->previous)
        slab->previous->next = slab->next;
    else
        pool->slabs = slab->next;
    if (pool->allocator.release)
        pool->allocator.release(pool->allocator.context, slab, slab->bytes);
}

static bool in_use(const pool_slab *slab, size_t i)
{
    const pool_block *block = (const pool_block *)(const void *)(slab->blocks + i * slab->size);
    return slab->single || block->mark != POOL_FREE_MARK;
}

void thrum_pool_walk(thrum_pool *pool, unsigned kind, void (*visit)(void *block, void *context), void *context)
{
    for (pool_slab *slab = pool->slabs, *next; slab; slab = next) {
        next = slab->next; /* visiting a large block may free it, and its slab with it */
        if (slab->kind != kind)
            continue;
        if (slab->single)
            visit(slab->blocks, context);
        else
            for (size_t i = 0; i < slab->fresh; i++)
                if (in_use(slab, i))
                    visit(slab->blocks + i * slab->size, context);
    }
}

static bool pool_idle(const thrum_pool *pool)
{
    for (const pool_slab *slab = pool->slabs; slab; slab = slab->next)
        for (size_t i = 0; i < slab->fresh; i++)
            if (in_use(slab, i))
                return false;
    return true;
}

int thrum_pool_clear(void)
{
    thrum_pool *pool = &thrum_state_here()->pool;
    if (!pool_idle(pool))
        return THRUM_ESTATE;
    while (pool->slabs) {
        pool_slab *slab = pool->slabs;
        pool->slabs = slab->next;
        if (pool->allocator.release)
            pool->allocator.release(pool->allocator.context, slab, slab->bytes);
    }
    thrum_allocator allocator = pool->allocator;
    bool array = pool->array;
    char *memory = pool->memory, *end = pool->end;
    memset(pool, 0, sizeof *pool);
    if (array) {
        /* What was cut from an array stays cut. */
        pool->memory = memory;
        pool->end = end;
        pool->array = true;
    } else {
        pool->allocator = allocator;
    }
    return 0;
}

int thrum_pool_use_allocator(const thrum_allocator *allocator)
{
    thrum_pool *pool = &thrum_state_here()->pool;
    if (!allocator || !allocator->allocate)
        return THRUM_EINVAL;
    int error = thrum_pool_clear();
    if (error)
        return error;
    memset(pool, 0, sizeof *pool);
    pool->allocator = *allocator;
    return 0;
}

int thrum_pool_use_memory(void *memory, size_t size)
{
    thrum_pool *pool = &thrum_state_here()->pool;
    if (!memory || !size)
        return THRUM_EINVAL;
    int error = thrum_pool_clear();
    if (error)
        return error;
    memset(pool, 0, sizeof *pool);
    pool->array = true;
    pool->memory = (char *)memory;
    pool->end = (char *)memory + size;
    pool->size = size;
    return 0;
}

void thrum_pool_stats_get(thrum_pool_stats *stats)
{
    const thrum_pool *pool = &thrum_state_here()->pool;
    memset(stats, 0, sizeof *stats);
    for (const pool_slab *slab = pool->slabs; slab; slab = slab->next) {
        stats->reserved += slab->bytes;
        stats->peak += slab->fresh * slab->size;
        for (size_t i = 0; i < slab->fresh; i++)
            if (in_use(slab, i)) {
                stats->used += slab->size;
                stats->blocks++;
            }
    }
    if (pool->array) {
        stats->reserved = pool->size;
        stats->peak = pool->size - (size_t)(pool->end - pool->memory);
        stats->used = stats->peak;
        for (unsigned kind = 0; kind < POOL_KINDS; kind++)
            for (unsigned class = 0; class < POOL_CLASSES; class++)
                for (const pool_block *block = pool->free[kind][class]; block; block = block->next)
                    stats->used -= class_size(class);
    }
}
