/* Queues that are no ring of one size: those that grow, the last in first out ones, and the heaps of priority
 * queues. */
#include "sync/queue_storage.h"

#include "core/memory.h"

enum { LEAST_ROOM = 8 };

/* ---- growing ---- */

/* A block holds the items and, of a priority queue, then their numbers. */
static size_t numbers_at(size_t room, size_t size)
{
    return (room * size + sizeof(uint32_t) - 1) & ~(sizeof(uint32_t) - 1);
}

static size_t block_size(const thrum_queue *queue, size_t room)
{
    return queue->compare ? numbers_at(room, queue->size) + room * sizeof(uint32_t) : room * queue->size;
}

static void give_block(thrum_queue *queue)
{
    if (queue->items)
        pool_give(&thrum_state_here()->pool, queue->items, block_size(queue, queue->room), POOL_OTHER);
}

static bool grow(thrum_queue *queue)
{
    size_t size = queue->size, count = queue->count;
    size_t room = queue->room ? queue->room * 2 : LEAST_ROOM;
    if (room > queue->limit || room < queue->room)
        room = queue->limit;
    if (size > SIZE_MAX / 4 || room >= (SIZE_MAX / 2) / (size + sizeof(uint32_t)))
        return false;
    unsigned char *items = (unsigned char *)pool_take(&thrum_state_here()->pool, block_size(queue, room), POOL_OTHER);
    if (!items)
        return false;
    if (queue->compare) {
        uint32_t *order = (uint32_t *)(void *)(items + numbers_at(room, size));
        if (count)
            memcpy(order, queue->order, count * sizeof *order);
        queue->order = order;
    }
    if (count) { /* the storage is full: a ring's items begin at `read` and go on at its start */
        size_t tail = queue->ring ? (size_t)(queue->end - queue->read) : count * size;
        memcpy(items, queue->ring ? queue->read : queue->items, tail);
        memcpy(items + tail, queue->items, count * size - tail);
    }
    give_block(queue);
    queue->items = queue->read = items;
    queue->write = items + count * size;
    queue->end = items + room * size;
    queue->room = room;
    return true;
}

/* Storage of the caller's is as large as it gets, so that a queue which is not full has room in it. */
static bool has_room(thrum_queue *queue)
{
    return queue->count < queue->room || grow(queue);
}

static void release(thrum_queue *queue)
{
    give_block(queue);
    queue->items = queue->end = queue->read = queue->write = NULL;
    queue->order = NULL;
    queue->room = 0;
}

/* ---- the heap ---- */

static unsigned char *at(const thrum_queue *queue, size_t index)
{
    return queue->items + index * queue->size;
}

/* Whether one item comes before another. Numbers are compared so that they may wrap. */
static bool before(const thrum_queue *queue, const void *a, uint32_t order_a, const void *b, uint32_t order_b)
{
    int compared = queue->compare(a, b);
    return compared ? compared < 0 : order_b - order_a - 1 < UINT32_MAX / 2;
}

/* Both ways move a hole and not the item, so that no memory for another item is needed. */
static int heap_put(thrum_queue *queue, const void *item)
{
    if (!has_room(queue))
        return THRUM_ENOMEM;
    size_t hole = queue->count++;
    if (hole == 0)
        queue->puts = 0;
    uint32_t order = queue->puts++;
    while (hole > 0) {
        size_t parent = (hole - 1) / 2;
        if (!before(queue, item, order, at(queue, parent), queue->order[parent]))
            break;
        memcpy(at(queue, hole), at(queue, parent), queue->size);
        queue->order[hole] = queue->order[parent];
        hole = parent;
    }
    memcpy(at(queue, hole), item, queue->size);
    queue->order[hole] = order;
    return 0;
}

static void heap_get(thrum_queue *queue, void *item)
{
    size_t last = --queue->count, hole = 0;
    memcpy(item, queue->items, queue->size);
    if (last == 0)
        return;
    for (;;) { /* the last item goes where it fits, from the top downwards */
        size_t child = hole * 2 + 1;
        if (child >= last)
            break;
        if (child + 1 < last &&
            before(queue, at(queue, child + 1), queue->order[child + 1], at(queue, child), queue->order[child]))
            child++;
        if (!before(queue, at(queue, child), queue->order[child], at(queue, last), queue->order[last]))
            break;
        memcpy(at(queue, hole), at(queue, child), queue->size);
        queue->order[hole] = queue->order[child];
        hole = child;
    }
    memcpy(at(queue, hole), at(queue, last), queue->size);
    queue->order[hole] = queue->order[last];
}

/* ---- the kinds ---- */

static int fifo_put(thrum_queue *queue, const void *item)
{
    if (!has_room(queue))
        return THRUM_ENOMEM;
    queue_ring_put(queue, item);
    return 0;
}

static void fifo_get(thrum_queue *queue, void *item)
{
    queue_ring_get(queue, item);
}

static int lifo_put(thrum_queue *queue, const void *item)
{
    if (!has_room(queue))
        return THRUM_ENOMEM;
    memcpy(queue->write, item, queue->size);
    queue->write += queue->size;
    queue->count++;
    return 0;
}

static void lifo_get(thrum_queue *queue, void *item)
{
    queue->write -= queue->size;
    memcpy(item, queue->write, queue->size);
    queue->count--;
}

static const thrum_queue_kind fifo_growing = {fifo_put, fifo_get, release};
static const thrum_queue_kind lifo = {lifo_put, lifo_get, NULL};
static const thrum_queue_kind lifo_growing = {lifo_put, lifo_get, release};
static const thrum_queue_kind priority = {heap_put, heap_get, NULL};
static const thrum_queue_kind priority_growing = {heap_put, heap_get, release};

/* Without storage of its own yet: as of one that could not be had, but for its limit. */
static int init_growing(thrum_queue *queue, const thrum_queue_kind *kind, size_t maximum, size_t size)
{
    int error = thrum_queue_init(queue, NULL, 0, size);
    queue->kind = kind;
    if (size == 0)
        return error;
    queue->shut = false;
    queue->limit = maximum ? maximum : SIZE_MAX;
    return 0;
}

static int init_in(thrum_queue *queue, const thrum_queue_kind *kind, void *storage, size_t capacity, size_t size)
{
    int error = thrum_queue_init(queue, storage, capacity, size);
    queue->kind = kind;
    queue->ring = 0;
    return error;
}

int thrum_queue_init_growing(thrum_queue *queue, size_t maximum, size_t size)
{
    int error = init_growing(queue, &fifo_growing, maximum, size);
    queue->ring = error ? 0 : size;
    return error;
}

int thrum_lifo_queue_init(thrum_queue *queue, void *storage, size_t capacity, size_t size)
{
    return init_in(queue, &lifo, storage, capacity, size);
}

int thrum_lifo_queue_init_growing(thrum_queue *queue, size_t maximum, size_t size)
{
    return init_growing(queue, &lifo_growing, maximum, size);
}

int thrum_priority_queue_init(thrum_queue *queue, void *storage, uint32_t *order, size_t capacity, size_t size,
                              thrum_queue_compare *compare)
{
    int error = init_in(queue, &priority, order && compare ? storage : NULL, capacity, size);
    queue->order = order;
    queue->compare = compare;
    return error;
}

int thrum_priority_queue_init_growing(thrum_queue *queue, size_t maximum, size_t size, thrum_queue_compare *compare)
{
    int error = init_growing(queue, &priority_growing, maximum, compare ? size : 0);
    queue->compare = compare;
    return error;
}
