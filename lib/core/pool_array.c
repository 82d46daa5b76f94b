/* The pool where there is one array and nothing else. What the pool must know stands at the beginning of that array:
 * behind it blocks are cut one by one, tasks from the array's end, so that they can be walked. Free blocks are lists of
 * one size; the firsts of these are a list, too, which is as long as there are sizes. */
#include "core/memory.h"
#include "core/state.h"

#if !THRUM_ALLOCATORS

typedef struct pool_array {
    char *fresh, *end; /* what was never used lies between */
    char *last;        /* of the array; tasks lie before it */
    pool_block *free;  /* the first ones */
    size_t used;       /* bytes in blocks that are in use */
} pool_array;

/* What it takes, so that the blocks behind it lie at multiples of the unit. */
#define HEAD ((sizeof(pool_array) + POOL_UNIT - 1) & ~(size_t)(POOL_UNIT - 1))

THRUM_STATIC_ASSERT_(sizeof(thrum_record) >= sizeof(pool_block) && sizeof(thrum_coro) >= sizeof(pool_block),
                     "a block that is free fits into what it was");

/* Where the first of a size stands in the list, or would. */
static pool_block **place_of(pool_array *array, size_t size)
{
    pool_block **at = &array->free;
    while (*at && (*at)->size != size)
        at = &(*at)->sizes;
    return at;
}

void *thrum_pool_take(size_t size)
{
    pool_array *array = thrum_state_here()->pool.array;
    if (!array)
        return NULL;
    pool_block **at = place_of(array, size), *block = *at;
    size_t bytes = size & ~(size_t)POOL_IS_TASK;
    if (block) {
        if (block->next)
            block->next->sizes = block->sizes;
        *at = block->next ? block->next : block->sizes;
    } else {
        if ((size_t)(array->end - array->fresh) < bytes)
            return NULL;
        block = (pool_block *)(void *)array->fresh;
        if (size & POOL_IS_TASK)
            block = (pool_block *)(void *)(array->end -= bytes);
        else
            array->fresh += bytes;
    }
    array->used += bytes;
    return block;
}

void thrum_pool_give(void *memory, size_t size)
{
    pool_array *array = thrum_state_here()->pool.array;
    pool_block **at = place_of(array, size), *block = (pool_block *)memory;
    block->sizes = *at ? (*at)->sizes : NULL;
    block->next = *at;
    block->mark = POOL_FREE_MARK;
    block->size = size;
    *at = block;
    array->used -= size & ~(size_t)POOL_IS_TASK;
}

/* There are tasks only where there is an array. */
void thrum_pool_walk_tasks(void (*visit)(thrum_task *task, void *context), void *context, bool ended)
{
    const pool_array *array = thrum_state_here()->pool.array;
    char *at = array ? array->end : NULL, *last = array ? array->last : NULL;
    while (at != last) {
        const pool_block *block = (const pool_block *)(const void *)at;
        thrum_task *task = (thrum_task *)(void *)at;
        size_t size = block->size & ~(size_t)POOL_IS_TASK;
        if (block->mark != POOL_FREE_MARK) {
            size =
                pool_size(task->waiter.node.flags & TASK_CHILD ? sizeof(thrum_child) : sizeof(thrum_task), POOL_OTHER);
            if (ended || task->leaf)
                visit(task, context);
        }
        at += size;
    }
}

static void array_begin(pool_array *array)
{
    array->fresh = (char *)array + HEAD;
    array->end = array->last;
    array->free = NULL;
}

static bool array_used(void)
{
    const pool_array *array = thrum_state_here()->pool.array;
    return array && array->used;
}

int thrum_pool_clear(void)
{
    if (array_used())
        return THRUM_ESTATE;
    if (thrum_state_here()->pool.array)
        array_begin(thrum_state_here()->pool.array);
    return 0;
}

int thrum_pool_use_memory(void *memory, size_t size)
{
    const uintptr_t unit = POOL_UNIT;
    uintptr_t first = ((uintptr_t)memory + unit - 1) & ~(unit - 1), last = ((uintptr_t)memory + size) & ~(unit - 1);
    if (array_used())
        return THRUM_ESTATE;
    if (!memory || last < first + HEAD)
        return THRUM_EINVAL;
    pool_array *array = (pool_array *)first;
    array->last = (char *)last;
    array->used = 0;
    array_begin(array);
    thrum_state_here()->pool.array = array;
    return 0;
}

int thrum_pool_use_allocator(const thrum_allocator *allocator)
{
    not_for_interrupts();
    (void)allocator;
    return THRUM_EUNSUPPORTED;
}

void thrum_pool_stats_get(thrum_pool_stats *stats)
{
    const pool_array *array = thrum_state_here()->pool.array;
    thrum_clear_(stats, sizeof *stats);
    if (!array)
        return;
    stats->reserved = (size_t)(array->last - (const char *)array);
    stats->used = array->used;
    stats->peak = stats->reserved - (size_t)(array->end - array->fresh) - HEAD;
}

#endif
