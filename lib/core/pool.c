/* The pool that an allocator feeds, or one array. */
#include "core/pool.h"

#include "core/checks.h"
#include "core/memory.h"
#include "core/state.h"

#if THRUM_ALLOCATORS

/* Blocks of one class and kind, one after the other. Slabs grow with use, so that small programs stay small. */
typedef struct pool_slab {
    struct pool_slab *next;
    size_t bytes;              /* as asked from the allocator */
    size_t size, count, fresh; /* of a block; blocks in all; blocks that were ever used */
    uint8_t kind;
    bool single; /* one large block, given back when it is free */
    bool kept;   /* and that is not in use any more */
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

static void *allocate(thrum_pool *pool, size_t bytes)
{
    return pool->allocator.allocate ? pool->allocator.allocate(pool->allocator.context, bytes) : NULL;
}

/* Out of a static array blocks are cut one by one, which wastes least: tasks, all of one size, from its end, so that
 * they can be walked; everything else from its beginning. */
enum { ARRAY_TASK = (sizeof(thrum_child) + 15) / 16 * 16 };

static void *cut(thrum_pool *pool, size_t size)
{
    uintptr_t at = (uintptr_t)pool->memory;
    if (size % 16 == 0)
        at = (at + 15) / 16 * 16;
    if (at + size > (uintptr_t)pool->end)
        return NULL;
    char *block = pool->memory + (at - (uintptr_t)pool->memory);
    pool->padding += (size_t)(block - pool->memory);
    pool->memory = block + size;
    return block;
}

static void *cut_task(thrum_pool *pool)
{
    if ((size_t)(pool->end - pool->memory) < ARRAY_TASK)
        return NULL;
    pool->tasks++;
    return pool->end -= ARRAY_TASK;
}

/* At first use: whether the pool has what it needs to give anything. */
static bool ready(thrum_pool *pool)
{
    if (pool->limit)
        return true;
#if THRUM_HOSTED
    if (!pool->array && !pool->allocator.allocate)
        pool->allocator = thrum_pool_host_allocator();
    size_t size = sizeof *pool->lists;
    pool->lists = (pool_lists *)(pool->array ? cut(pool, size) : allocate(pool, size));
    if (!pool->lists)
        return false;
#else
    static pool_lists lists;
    pool->lists = &lists;
#endif
    memset(pool->lists, 0, sizeof *pool->lists);
#if defined(THRUM_POOL_EACH) || !THRUM_HOSTED
    bool each = true;
#else
    bool each = pool->allocator.each;
#endif
    /* With `each`, every block comes by itself, so that the allocator's own checks see it. */
    pool->limit = pool->array || !each ? POOL_SLAB_LIMIT : 1;
    thrum_pool_slow_way(pool, in_debug_mode(thrum_state_here()));
    return true;
}

void thrum_pool_slow_way(thrum_pool *pool, bool slow)
{
    pool->slots = !slow && pool->limit > 1 ? POOL_FINE : 0;
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
    slab->single = slab->kept = false;
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

/* A block that was never used, from the slab of its class or a new one. */
static void *take_fresh(thrum_pool *pool, unsigned class, size_t exact, unsigned kind)
{
#if THRUM_HOSTED
    pool_slab **current = &pool->lists->current[kind][class];
    if (!*current || (*current)->fresh == (*current)->count) {
        size_t bytes = *current ? (*current)->bytes * 2 : POOL_SLAB_LEAST;
        if (bytes > POOL_SLAB_MOST)
            bytes = POOL_SLAB_MOST;
        size_t count = (bytes - SLAB_HEADER) / exact;
        pool_slab *grown = slab_new(pool, exact, count < 2 ? 2 : count, kind);
        if (!grown)
            grown = slab_new(pool, exact, 1, kind);
        if (!grown)
            return NULL;
        *current = grown;
    }
    return (*current)->blocks + (*current)->fresh++ * exact;
#else
    (void)class;
    return take_single(pool, exact, kind);
#endif
}

static void *take_slow(thrum_pool *pool, size_t size, unsigned kind)
{
    if (!ready(pool) || (pool->array && size > pool->limit))
        return NULL;
    if (size > pool->limit)
        return take_single(pool, size, kind);
    unsigned class = pool_class(size);
    pool_block *block = pool->lists->free[kind][class];
    if (block) {
        pool->lists->free[kind][class] = block->next;
        return block;
    }
    size_t exact = class_size(class);
    if (!pool->array)
        return take_fresh(pool, class, exact, kind);
    return kind == POOL_TASK ? cut_task(pool) : cut(pool, exact);
}

void *thrum_pool_slow(thrum_pool *pool, size_t size, unsigned kind)
{
    void *block = take_slow(pool, size, kind);
    return THRUM_LIKELY_(block != NULL) || !thrum_kept_give(thrum_state_here()) ? block : take_slow(pool, size, kind);
}

static size_t bytes_in_array(size_t size, unsigned kind)
{
    return kind == POOL_TASK ? (size_t)ARRAY_TASK : class_size(pool_class(size));
}

static pool_slab *slab_of(void *block)
{
    return (pool_slab *)(void *)((char *)block - SLAB_HEADER);
}

void thrum_pool_keep(thrum_pool *pool, void *block, size_t size, unsigned kind)
{
    if (size > pool->limit)
        slab_of(block)->kept = true;
    else
        ((pool_block *)block)->mark = POOL_FREE_MARK;
    if (pool->array)
        pool->kept += bytes_in_array(size, kind);
}

void thrum_pool_unkeep(thrum_pool *pool, size_t size, unsigned kind)
{
    if (pool->array)
        pool->kept -= bytes_in_array(size, kind);
}

void thrum_pool_give_slow(thrum_pool *pool, void *block, size_t size, unsigned kind)
{
    pool_slab *slab = slab_of(block);
    (void)size;
    (void)kind;
    for (pool_walk *walk = pool->walks; walk; walk = walk->outer)
        if (walk->next == slab)
            walk->next = slab->next;
    if (slab->next)
        slab->next->previous = slab->previous;
    if (slab->previous)
        slab->previous->next = slab->next;
    else
        pool->slabs = slab->next;
    if (pool->allocator.release)
        pool->allocator.release(pool->allocator.context, slab, slab->bytes);
}

bool thrum_pool_owns(const thrum_pool *pool, const void *block)
{
    uintptr_t at = (uintptr_t)block;
    if (pool->array) {
        uintptr_t last = (uintptr_t)pool->end + pool->tasks * ARRAY_TASK;
        return at < last && at >= last - pool->size;
    }
    for (const pool_slab *slab = pool->slabs; slab; slab = slab->next)
        if (at >= (uintptr_t)slab->blocks && at < (uintptr_t)slab->blocks + slab->size * slab->count)
            return true;
    return false;
}

static bool marked_free(const void *block)
{
    return ((const pool_block *)block)->mark == POOL_FREE_MARK;
}

static bool in_use(const pool_slab *slab, size_t i)
{
    return slab->single ? !slab->kept : !marked_free(slab->blocks + i * slab->size);
}

void thrum_pool_walk(thrum_pool *pool, unsigned kind, void (*visit)(void *block, void *context), void *context)
{
    if (kind == POOL_TASK)
        for (size_t i = 0; i < pool->tasks; i++)
            if (!marked_free(pool->end + i * ARRAY_TASK))
                visit(pool->end + i * ARRAY_TASK, context);
    pool_walk walk = {pool->slabs, pool->walks};
    pool->walks = &walk;
    for (pool_slab *slab; (slab = walk.next) != NULL;) {
        walk.next = slab->next;
        if (slab->kind != kind)
            continue;
        if (slab->single) { /* it may go while it is visited */
            if (!slab->kept)
                visit(slab->blocks, context);
            continue;
        }
        for (size_t i = 0; i < slab->fresh; i++)
            if (in_use(slab, i))
                visit(slab->blocks + i * slab->size, context);
    }
    pool->walks = walk.outer;
}

typedef struct task_walk {
    void (*visit)(thrum_task *task, void *context);
    void *context;
    bool ended;
} task_walk;

static void visit_task(void *block, void *context)
{
    const task_walk *walk = (const task_walk *)context;
    thrum_task *task = (thrum_task *)block;
    if (walk->ended || task->leaf)
        walk->visit(task, walk->context);
}

void thrum_pool_walk_tasks(void (*visit)(thrum_task *task, void *context), void *context, bool ended)
{
    task_walk walk = {visit, context, ended};
    thrum_pool_walk(&thrum_state_here()->pool, POOL_TASK, visit_task, &walk);
}

int thrum_pool_clear(void)
{
    thrum_pool *pool = &thrum_state_here()->pool;
    thrum_pool_stats stats;
    thrum_pool_stats_get(&stats);
    if (stats.used)
        return THRUM_ESTATE;
    if (pool->array)
        return 0; /* what was cut from an array stays cut */
    thrum_allocator allocator = pool->allocator;
    while (pool->slabs) {
        pool_slab *slab = pool->slabs;
        pool->slabs = slab->next;
        if (allocator.release)
            allocator.release(allocator.context, slab, slab->bytes);
    }
#if THRUM_HOSTED
    if (pool->lists && allocator.release)
        allocator.release(allocator.context, pool->lists, sizeof *pool->lists);
#endif
    memset(pool, 0, sizeof *pool);
    pool->allocator = allocator;
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
    uintptr_t first = ((uintptr_t)memory + 15) / 16 * 16, last = ((uintptr_t)memory + size) / 16 * 16;
    if (last <= first)
        return THRUM_EINVAL;
    pool->array = true;
    pool->memory = (char *)memory + (first - (uintptr_t)memory);
    pool->size = (size_t)(last - first);
    pool->end = pool->memory + pool->size;
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
    if (!pool->array)
        return;
    stats->reserved = pool->size;
    if (!pool->limit)
        return;
    size_t lists = THRUM_HOSTED ? sizeof *pool->lists : 0;
    stats->peak = pool->size - (size_t)(pool->end - pool->memory);
    stats->used = stats->peak - lists - pool->padding - pool->kept;
    for (unsigned kind = 0; kind < POOL_KINDS; kind++)
        for (unsigned class = 0; class < POOL_CLASSES; class ++)
            for (const pool_block *block = pool->lists->free[kind][class]; block; block = block->next)
                stats->used -= kind == POOL_TASK ? (size_t)ARRAY_TASK : class_size(class);
}

#endif
