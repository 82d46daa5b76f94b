/* Bytes that came and were not read, or that were written and did not leave: one piece of memory of the pool, taken
 * when the first byte arrives and given back with the last, so that an idle connection holds none. */
#ifndef THRUM_NET_BUFFER_H
#define THRUM_NET_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

enum { BUFFER_FIRST = 4096 };

typedef struct net_buffer {
    char *memory; /* NULL: none */
    size_t capacity, head, tail;
} net_buffer;

static inline size_t buffer_size(const net_buffer *buffer)
{
    return buffer->tail - buffer->head;
}
static inline char *buffer_data(const net_buffer *buffer)
{
    return buffer->memory + buffer->head;
}
static inline size_t buffer_room(const net_buffer *buffer)
{
    return buffer->capacity - buffer->tail;
}

/* Have room for `size` more bytes at the end. False: no memory, and nothing has changed. */
bool buffer_reserve(net_buffer *buffer, size_t size);

/* Put bytes at the end. False: no memory. */
bool buffer_append(net_buffer *buffer, const void *data, size_t size);

/* Put bytes in front; they may lie in the buffer's own memory, where they were read from. False: no memory. */
bool buffer_prepend(net_buffer *buffer, const void *data, size_t size);

/* Take bytes from the front. The memory stays. */
static inline void buffer_skip(net_buffer *buffer, size_t size)
{
    buffer->head += size;
}

/* Give the memory back. */
void buffer_free(net_buffer *buffer);

/* Give the memory back if nothing is in it. */
static inline void buffer_trim(net_buffer *buffer)
{
    if (buffer->memory && buffer->head == buffer->tail)
        buffer_free(buffer);
}

#endif
