/* Bytes that came and were not read, or that were written and did not leave: one block of the pool, taken when the
 * first byte arrives and given back with the last, so that an idle connection holds none, and has but a pointer for
 * it. */
#ifndef THRUM_NET_BUFFER_H
#define THRUM_NET_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

enum { BUFFER_FIRST = 4096 };

typedef struct net_buffer {
    size_t capacity, head, tail;
    char bytes[];
} net_buffer;

/* These three are for NULL, too: no buffer, and nothing is in it. */
static inline size_t buffer_size(const net_buffer *buffer)
{
    return buffer ? buffer->tail - buffer->head : 0;
}
static inline size_t buffer_room(const net_buffer *buffer)
{
    return buffer ? buffer->capacity - buffer->tail : 0;
}
static inline void buffer_skip(net_buffer *buffer, size_t size) /* take from the front; the memory stays */
{
    if (buffer)
        buffer->head += size;
}

static inline char *buffer_data(net_buffer *buffer)
{
    return buffer->bytes + buffer->head;
}

/* Have room for `size` more bytes at the end. False: no memory, and nothing has changed. */
bool buffer_reserve(net_buffer **buffer, size_t size);

/* Put bytes at the end. False: no memory. */
bool buffer_append(net_buffer **buffer, const void *data, size_t size);

/* Put bytes in front; they may lie in the buffer's own memory, where they were read from. False: no memory. */
bool buffer_prepend(net_buffer **buffer, const void *data, size_t size);

/* Give the memory back. */
void buffer_free(net_buffer **buffer);

/* Give the memory back if nothing is in it. */
static inline void buffer_trim(net_buffer **buffer)
{
    if (*buffer && (*buffer)->head == (*buffer)->tail)
        buffer_free(buffer);
}

#endif
