/* Where the items of a queue stand: a ring, a stack or a heap. */
#ifndef THRUM_SYNC_QUEUE_STORAGE_H
#define THRUM_SYNC_QUEUE_STORAGE_H

#include <thrum/queues.h>

#include "core/state.h"

/* How the items of a queue are stored that is no ring of one size: what is not used is not linked in. Called only where
 * there may be one more item, and where there is one. */
typedef struct thrum_queue_kind {
    int (*put)(thrum_queue *queue, const void *item); /* 0; THRUM_ENOMEM, and nothing has changed */
    void (*get)(thrum_queue *queue, void *item);
    void (*release)(thrum_queue *queue); /* give the storage back; the queue is empty. NULL: it is the caller's */
} thrum_queue_kind;

/* A queue that cannot be used; gives THRUM_EINVAL. */
int thrum_queue_refuse(thrum_queue *queue);

static inline void queue_copy(void *to, const void *from, size_t size)
{
#if THRUM_HOSTED
    /* The usual sizes cost a load and a store. */
    if (size == 8)
        thrum_copy_(to, from, 8);
    else if (size == 4)
        thrum_copy_(to, from, 4);
    else
#endif
        thrum_copy_(to, from, size);
}

/* What AWAIT_PUT and AWAIT_GET do inline, for items of any size: there is room; there is an item. */
static inline void queue_ring_put(thrum_queue *queue, const void *item)
{
    size_t size = queue->size;
    unsigned char *at = queue->write;
    queue_copy(at, item, size);
    at += size;
    queue->write = at == queue->end ? queue->items : at;
    queue->count++;
}

static inline void queue_ring_get(thrum_queue *queue, void *item)
{
    size_t size = queue->size;
    unsigned char *at = queue->read;
    queue_copy(item, at, size);
    at += size;
    queue->read = at == queue->end ? queue->items : at;
    queue->count--;
}

/* The same where items have the size of a word, if there is room, or an item. */
static inline bool queue_put_word(thrum_queue *queue, const void *item)
{
    unsigned char *at = queue->write;
    if (THRUM_UNLIKELY_(queue->ring != sizeof(void *) || queue->count >= queue->room))
        return false;
    thrum_copy_(at, item, sizeof(void *));
    at += sizeof(void *);
    queue->write = at == queue->end ? queue->items : at;
    queue->count++;
    return true;
}

static inline bool queue_get_word(thrum_queue *queue, void *item)
{
    unsigned char *at = queue->read;
    if (THRUM_UNLIKELY_(queue->ring != sizeof(void *) || queue->count == 0))
        return false;
    thrum_copy_(item, at, sizeof(void *));
    at += sizeof(void *);
    queue->read = at == queue->end ? queue->items : at;
    queue->count--;
    return true;
}

#endif
