/**
 * @file queues.h
 * Queues between tasks of one loop: first in first out, last in first out, or the least item first. Items have one
 * fixed size and are copied in and out; they stand in memory of the caller's, or in memory of the pool that grows.
 * An item moves only in the step in which put or get returns, so a cancelled one has moved none. None of it is for
 * threads: see threadqueues.h.
 */
#ifndef THRUM_QUEUES_H
#define THRUM_QUEUES_H

#include <thrum/awaitables.h>

THRUM_BEGIN_DECLS

/** Which of two items comes first: below 0 the one at `a`, above 0 the one at `b`, 0 the one that was put first. It
 * must not touch the queue. */
typedef int thrum_queue_compare(const void *a, const void *b);

/** A queue. Fields are private. */
typedef struct thrum_queue {
    unsigned char *items; /* the storage; NULL: a growing one that has none yet */
    unsigned char *end;   /* behind its last item */
    unsigned char *read;  /* first in first out: the next item to get */
    unsigned char *write; /* and where the next one goes; also of last in first out */
    size_t size;          /* of an item, in bytes */
    size_t count;         /* items in it */
    size_t limit;         /* items that may be in it */
    size_t room;          /* items that the storage holds */
    size_t unfinished;    /* items that were put, and not said to be done */
    thrum_waiters getters, putters, joiners;
    thrum_queue_compare *compare;
    uint32_t *order;                     /* the least first: when each item was put, beside it in the heap */
    size_t ring;                         /* `size` of a first in first out queue that is not shut down; of others 0 */
    const struct thrum_queue_kind *kind; /* how items are stored; NULL: first in first out, in storage of one size */
    uint32_t puts;
    bool shut;
} thrum_queue;

/**
 * Prepare a queue, first in first out, whose items stand in an array of the caller's.
 * [never waits · no allocation · any thread]
 *
 * @param queue     not in use; stays in place while somebody waits
 * @param storage   `capacity * size` bytes, aligned for an item, good as long as the queue
 * @param capacity  how many items it holds, at least 1
 * @param size      of an item in bytes, at least 1
 * @return gives 0; THRUM_EINVAL (the queue is then one that was shut down)
 *
 * asyncio: Queue(maxsize)
 */
THRUM_API int thrum_queue_init(thrum_queue *queue, void *storage, size_t capacity, size_t size);

/**
 * The same, the item that was put last comes out first.
 * [never waits · no allocation · any thread]
 *
 * @param queue, storage, capacity, size  as of thrum_queue_init()
 * @return gives 0; THRUM_EINVAL (the queue is then one that was shut down)
 *
 * asyncio: LifoQueue(maxsize)
 */
THRUM_API int thrum_lifo_queue_init(thrum_queue *queue, void *storage, size_t capacity, size_t size);

/**
 * The same, the least item comes out first; of equal ones the one that was put first. put and get take O(log n).
 * [never waits · no allocation · any thread]
 *
 * @param queue, storage, capacity, size  as of thrum_queue_init()
 * @param order    room for `capacity` numbers beside the items, good as long as the queue
 * @param compare  says which of two items comes first
 * @return gives 0; THRUM_EINVAL (the queue is then one that was shut down)
 *
 * asyncio: PriorityQueue(maxsize), which compares the payloads of items with equal priorities
 */
THRUM_API int thrum_priority_queue_init(thrum_queue *queue, void *storage, uint32_t *order, size_t capacity,
                                        size_t size, thrum_queue_compare *compare);

/**
 * Prepare a queue, first in first out, whose storage comes from the pool and doubles when it is used up.
 * Give the memory back with thrum_queue_close().
 * [never waits · no allocation before the first item · this thread's pool]
 *
 * @param queue    not in use; stays in place while somebody waits
 * @param maximum  how many items may be in it; 0 is any number
 * @param size     of an item in bytes, at least 1
 * @return gives 0; THRUM_EINVAL (the queue is then one that was shut down)
 *
 * asyncio: Queue(maxsize)
 */
THRUM_API int thrum_queue_init_growing(thrum_queue *queue, size_t maximum, size_t size);

/**
 * The same, the item that was put last comes out first.
 * [never waits · no allocation before the first item · this thread's pool]
 *
 * @param queue, maximum, size  as of thrum_queue_init_growing()
 * @return gives 0; THRUM_EINVAL (the queue is then one that was shut down)
 *
 * asyncio: LifoQueue(maxsize)
 */
THRUM_API int thrum_lifo_queue_init_growing(thrum_queue *queue, size_t maximum, size_t size);

/**
 * The same, the least item comes out first; of equal ones the one that was put first. put and get take O(log n).
 * [never waits · no allocation before the first item · this thread's pool]
 *
 * @param queue, maximum, size  as of thrum_queue_init_growing()
 * @param compare               says which of two items comes first
 * @return gives 0; THRUM_EINVAL (the queue is then one that was shut down)
 *
 * asyncio: PriorityQueue(maxsize), which compares the payloads of items with equal priorities
 */
THRUM_API int thrum_priority_queue_init_growing(thrum_queue *queue, size_t maximum, size_t size,
                                                thrum_queue_compare *compare);

/**
 * Put an item in, waiting while there is no room. When it is woken and somebody else took the room meanwhile, it waits
 * again behind everybody.
 * [awaits · does not suspend when there is room · cancel-safe: not put · a growing queue takes blocks of the pool ·
 * this loop's thread only]
 *
 * @param queue  initialised
 * @param item   where it is: `size` bytes, in memory that outlives the await
 * @return gives 0; THRUM_ESHUTDOWN; THRUM_ENOMEM when a growing queue cannot grow (nothing is lost); THRUM_ECANCELED
 *
 * asyncio: Queue.put
 */
THRUM_API thrum_awaitable thrum_queue_put(thrum_queue *queue, const void *item) THRUM_MUST_USE_;

/**
 * The same with an item that is an integer or an object pointer, handed over by value.
 * [awaits · does not suspend when there is room · cancel-safe: not put · a growing queue takes blocks of the pool ·
 * this loop's thread only]
 *
 * @param queue  initialised; its items have 1, 2, 4 or 8 bytes, and no more than thrum_value
 * @param value  the item
 * @return gives what thrum_queue_put() gives; THRUM_EINVAL when items have another size
 *
 * asyncio: Queue.put
 */
THRUM_API thrum_awaitable thrum_queue_put_value(thrum_queue *queue, thrum_value value) THRUM_MUST_USE_;

/**
 * Put an item in at once.
 * [never waits · a growing queue takes blocks of the pool · this loop's thread only]
 *
 * @param queue  initialised
 * @param item   where it is: `size` bytes
 * @return gives 0; THRUM_ESHUTDOWN; THRUM_EFULL; THRUM_ENOMEM when a growing queue cannot grow (nothing is lost)
 *
 * asyncio: Queue.put_nowait
 */
THRUM_API int thrum_queue_put_nowait(thrum_queue *queue, const void *item);

/**
 * Take an item out, waiting while there is none.
 * [awaits · does not suspend when there is one · cancel-safe: the item stays · no allocation · this loop's thread only]
 *
 * @param queue  initialised
 * @param item   where it goes: `size` bytes, in memory that outlives the await
 * @return gives 0; THRUM_ESHUTDOWN when the queue is shut down and empty; THRUM_ECANCELED
 *
 * asyncio: Queue.get
 */
THRUM_API thrum_awaitable thrum_queue_get(thrum_queue *queue, void *item) THRUM_MUST_USE_;

/**
 * The same with an item that is an integer or an object pointer, which the await gives:
 * `AWAIT_INTO(self->job, thrum_queue_get_value(&queue))`.
 * [awaits · does not suspend when there is one · cancel-safe: the item stays · no allocation · this loop's thread only]
 *
 * @param queue  initialised; its items have 1, 2, 4 or 8 bytes, and no more than thrum_value
 * @return gives the item; the errors of thrum_queue_get(); THRUM_EINVAL when items have another size
 *
 * asyncio: Queue.get
 */
THRUM_API thrum_awaitable thrum_queue_get_value(thrum_queue *queue) THRUM_MUST_USE_;

/**
 * Take an item out at once.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param queue  initialised
 * @param item   where it goes: `size` bytes
 * @return gives 0; THRUM_EEMPTY; THRUM_ESHUTDOWN when it is shut down and empty
 *
 * asyncio: Queue.get_nowait
 */
THRUM_API int thrum_queue_get_nowait(thrum_queue *queue, void *item);

/**
 * Every item that comes out of a queue, for ASYNC_FOR, until it is shut down and empty. Leaving the loop takes nothing
 * out and shuts nothing down.
 *
 *     ASYNC_FOR (self->job, self->each, thrum_queue_items(&queue, &self->item)) { ... }
 *
 * [never waits · the first one alive is free, others take a small block of the pool · this loop's thread only]
 *
 * @param queue  initialised
 * @param item   where each item goes: `size` bytes, in memory that outlives the loop
 * @return gives the iterable; what it gives each time is `item`, the pointer
 *
 * asyncio: nothing; `async for` over a Queue is often asked for
 */
THRUM_API thrum_iterable thrum_queue_items(thrum_queue *queue, void *item) THRUM_MUST_USE_;

/**
 * Say that the work on an item that was taken out is done.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param queue  initialised
 * @return gives 0; THRUM_EINVAL when it is said more often than items were put (nothing changes)
 *
 * asyncio: Queue.task_done
 */
THRUM_API int thrum_queue_task_done(thrum_queue *queue);

/**
 * Wait until the work on everything that was put is done. What is put after that moment does not matter to this wait.
 * [awaits · does not suspend when all is done · no allocation · this loop's thread only]
 *
 * @param queue  initialised
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: Queue.join
 */
THRUM_API thrum_awaitable thrum_queue_join(thrum_queue *queue) THRUM_MUST_USE_;

/**
 * End the traffic: from now on nothing can be put in, what is in it can be taken out, and everybody who waits for room
 * or for an item is woken. It may be done again, and `immediate` then, too.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param queue      initialised
 * @param immediate  also drop what is in it, which counts as done. Items that own something: take them out by
 *                   thrum_queue_get_nowait() before.
 *
 * asyncio: Queue.shutdown
 */
THRUM_API void thrum_queue_shutdown(thrum_queue *queue, bool immediate);

/**
 * The end of a queue: shut it down immediately, and give the memory of a growing one back. Needed for growing ones
 * only. Whoever still waits gets THRUM_ESHUTDOWN in the next pass; the struct stays in place until then.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param queue  initialised; not to be used afterwards, other than to be told THRUM_ESHUTDOWN
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_queue_close(thrum_queue *queue);

/* What the macros AWAIT_PUT and AWAIT_GET stand on: the usual way of a ring inline, everything else in a call. While a
 * task waits `object` and `waiter.as.value` say for what, so that going on evaluates no argument again. */
THRUM_API thrum_step thrum_queue_put_or_wait_(thrum_task *task, thrum_queue *queue, const void *item);
THRUM_API thrum_step thrum_queue_put_again_(thrum_task *task);
THRUM_API thrum_step thrum_queue_get_or_wait_(thrum_task *task, thrum_queue *queue, void *item);
THRUM_API thrum_step thrum_queue_get_again_(thrum_task *task);

static inline bool thrum_queue_put_fast_(thrum_queue *queue, const void *item, size_t size)
{
    unsigned char *at = queue->write;
    if (THRUM_UNLIKELY_(queue->ring != size || queue->count >= queue->room || queue->getters.first))
        return false;
    thrum_copy_(at, item, size);
    at += size;
    queue->write = at == queue->end ? queue->items : at;
    queue->count++;
    queue->unfinished++;
    return true;
}

static inline bool thrum_queue_get_fast_(thrum_queue *queue, void *item, size_t size)
{
    unsigned char *at = queue->read;
    if (THRUM_UNLIKELY_(queue->ring != size || queue->count == 0 || queue->putters.first))
        return false;
    thrum_copy_(item, at, size);
    at += size;
    queue->read = at == queue->end ? queue->items : at;
    queue->count--;
    return true;
}

/**
 * How many items are in a queue.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param queue  initialised
 * @return gives a count
 *
 * asyncio: Queue.qsize
 */
static inline size_t thrum_queue_size(const thrum_queue *queue)
{
    return queue->count;
}

/**
 * How many items may be in a queue.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param queue  initialised
 * @return gives a count; 0 for any number
 *
 * asyncio: Queue.maxsize
 */
static inline size_t thrum_queue_capacity(const thrum_queue *queue)
{
    return queue->limit == SIZE_MAX ? 0 : queue->limit;
}

/**
 * Whether nothing is in a queue.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param queue  initialised
 * @return gives true or false
 *
 * asyncio: Queue.empty
 */
static inline bool thrum_queue_empty(const thrum_queue *queue)
{
    return queue->count == 0;
}

/**
 * Whether a queue has no room for another item.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param queue  initialised
 * @return gives true or false
 *
 * asyncio: Queue.full
 */
static inline bool thrum_queue_full(const thrum_queue *queue)
{
    return queue->count >= queue->limit;
}

THRUM_END_DECLS

#endif
