/**
 * @file typedqueues.h
 * Queues that know the type of their items: the compiler refuses an item of another type, and AWAIT_PUT and AWAIT_GET
 * move items inline.
 *
 *     typedef QUEUE_OF(struct job, 16) job_queue;          its storage is in it
 *
 *     QUEUE_INIT(&self->jobs);
 *     AWAIT_PUT(&self->jobs, &self->job);
 *     AWAIT_GET(&self->jobs, &self->job);
 *
 * A typed queue is a struct with a thrum_queue `queue`, which all functions of queues.h take: thrum_queue_join(),
 * thrum_queue_shutdown(), thrum_queue_size() and the rest.
 */
#ifndef THRUM_TYPEDQUEUES_H
#define THRUM_TYPEDQUEUES_H

#include <thrum/queues.h>

#ifndef THRUM_NO_SHORT_NAMES
#define QUEUE_OF(type, capacity) THRUM_QUEUE_OF(type, capacity)
#define PRIORITY_QUEUE_OF(type, capacity) THRUM_PRIORITY_QUEUE_OF(type, capacity)
#define GROWING_QUEUE_OF(type) THRUM_GROWING_QUEUE_OF(type)
/** Prepare one, as the function of the same name; gives 0. */
#define QUEUE_INIT(q) THRUM_QUEUE_INIT(q)
#define LIFO_QUEUE_INIT(q) THRUM_LIFO_QUEUE_INIT(q)
/** Prepare one; `compare` says which of two items comes first. Gives 0, or THRUM_EINVAL for NULL. */
#define PRIORITY_QUEUE_INIT(q, compare) THRUM_PRIORITY_QUEUE_INIT(q, compare)
/** Prepare one; `maximum` is how many items may be in it, 0 any number. Gives as thrum_queue_init_growing(). */
#define GROWING_QUEUE_INIT(q, maximum) THRUM_GROWING_QUEUE_INIT(q, maximum)
#define GROWING_LIFO_QUEUE_INIT(q, maximum) THRUM_GROWING_LIFO_QUEUE_INIT(q, maximum)
#define GROWING_PRIORITY_QUEUE_INIT(q, maximum, compare) THRUM_GROWING_PRIORITY_QUEUE_INIT(q, maximum, compare)
/** To be awaited, spawned, given a time limit: thrum_queue_put() and the others. `item` points to an item. */
#define QUEUE_PUT(q, item) THRUM_QUEUE_PUT(q, item)
#define QUEUE_GET(q, item) THRUM_QUEUE_GET(q, item)
#define QUEUE_PUT_NOWAIT(q, item) THRUM_QUEUE_PUT_NOWAIT(q, item)
#define QUEUE_GET_NOWAIT(q, item) THRUM_QUEUE_GET_NOWAIT(q, item)
#endif

/** The type of a queue of at most so many items, which stand in it. asyncio: Queue, LifoQueue */
#define THRUM_QUEUE_OF(type, capacity)                                                                                 \
    struct {                                                                                                           \
        thrum_queue queue;                                                                                             \
        type items_[capacity];                                                                                         \
    }

/** The same for PRIORITY_QUEUE_INIT. asyncio: PriorityQueue */
#define THRUM_PRIORITY_QUEUE_OF(type, capacity)                                                                        \
    struct {                                                                                                           \
        thrum_queue queue;                                                                                             \
        type items_[capacity];                                                                                         \
        uint32_t order_[capacity];                                                                                     \
    }

/** The type of a queue whose items stand in memory of the pool. */
#define THRUM_GROWING_QUEUE_OF(type)                                                                                   \
    struct {                                                                                                           \
        thrum_queue queue;                                                                                             \
        type *items_; /* only for its type */                                                                          \
    }

#define THRUM_QUEUE_INIT(q) thrum_queue_init(&(q)->queue, (q)->items_, THRUM_ROOM_OF_(q), THRUM_ITEM_SIZE_(q))
#define THRUM_LIFO_QUEUE_INIT(q) thrum_lifo_queue_init(&(q)->queue, (q)->items_, THRUM_ROOM_OF_(q), THRUM_ITEM_SIZE_(q))
#define THRUM_PRIORITY_QUEUE_INIT(q, compare)                                                                          \
    thrum_priority_queue_init(&(q)->queue, (q)->items_, (q)->order_, THRUM_ROOM_OF_(q), THRUM_ITEM_SIZE_(q), compare)
#define THRUM_GROWING_QUEUE_INIT(q, maximum) thrum_queue_init_growing(&(q)->queue, maximum, THRUM_ITEM_SIZE_(q))
#define THRUM_GROWING_LIFO_QUEUE_INIT(q, maximum)                                                                      \
    thrum_lifo_queue_init_growing(&(q)->queue, maximum, THRUM_ITEM_SIZE_(q))
#define THRUM_GROWING_PRIORITY_QUEUE_INIT(q, maximum, compare)                                                         \
    thrum_priority_queue_init_growing(&(q)->queue, maximum, THRUM_ITEM_SIZE_(q), compare)

#define THRUM_QUEUE_PUT(q, item) thrum_queue_put(&(q)->queue, THRUM_ITEM_(q, item))
#define THRUM_QUEUE_GET(q, item) thrum_queue_get(&(q)->queue, THRUM_ITEM_(q, item))
#define THRUM_QUEUE_PUT_NOWAIT(q, item) thrum_queue_put_nowait(&(q)->queue, THRUM_ITEM_(q, item))
#define THRUM_QUEUE_GET_NOWAIT(q, item) thrum_queue_get_nowait(&(q)->queue, THRUM_ITEM_(q, item))

#define THRUM_ITEM_SIZE_(q) sizeof *(q)->items_
#define THRUM_ROOM_OF_(q) (sizeof(q)->items_ / sizeof *(q)->items_)

/* The pointer `item`, of which the compiler has seen that it is of the queue's type. Nothing is evaluated twice. */
#ifdef __cplusplus
#include <type_traits>
template <class type, class T> static inline T *thrum_item_(T *item)
{
    static_assert(std::is_same<typename std::remove_cv<T>::type, type>::value, "the queue has items of another type");
    return item;
}
#define THRUM_ITEM_(q, item) thrum_item_<std::remove_reference_t<decltype(*(q)->items_)>>(item)
#elif defined(__GNUC__)
#define THRUM_ITEM_(q, item)                                                                                           \
    ((void)sizeof(struct {                                                                                             \
         _Static_assert(__builtin_types_compatible_p(__typeof__(*(item)), __typeof__(*(q)->items_)),                   \
                        "the queue has items of another type");                                                        \
         int unused_;                                                                                                  \
     }),                                                                                                               \
     (item))
#else
#define THRUM_ITEM_(q, item) ((void)sizeof(1 ? (item) : (q)->items_), (item))
#endif

#endif
