#include "net/buffer.h"

#include <stdint.h>
#include <string.h>

#include "core/state.h"

void buffer_free(net_buffer **buffer)
{
    if (*buffer)
        pool_give(&thrum_state_here()->pool, *buffer, sizeof **buffer + (*buffer)->capacity, POOL_OTHER);
    *buffer = NULL;
}

/* Move everything to new memory of at least `needed` bytes, leaving `front` bytes free before it. */
static bool move(net_buffer **buffer, size_t needed, size_t front)
{
    size_t capacity = *buffer ? (*buffer)->capacity : BUFFER_FIRST;
    while (capacity < needed) {
        if (capacity > SIZE_MAX / 2)
            return false;
        capacity *= 2;
    }
    if (capacity > SIZE_MAX - sizeof(net_buffer))
        return false;
    net_buffer *moved = (net_buffer *)pool_take(&thrum_state_here()->pool, sizeof *moved + capacity, POOL_OTHER);
    if (!moved)
        return false;
    size_t size = buffer_size(*buffer);
    moved->capacity = capacity;
    moved->head = front;
    moved->tail = front + size;
    if (size)
        memcpy(buffer_data(moved), buffer_data(*buffer), size);
    buffer_free(buffer);
    *buffer = moved;
    return true;
}

bool buffer_reserve(net_buffer **buffer, size_t size)
{
    if (buffer_room(*buffer) >= size)
        return true;
    size_t held = buffer_size(*buffer);
    if (size > SIZE_MAX - held)
        return false;
    if (!*buffer || held + size > (*buffer)->capacity)
        return move(buffer, held + size, 0);
    if (held)
        memmove((*buffer)->bytes, buffer_data(*buffer), held);
    (*buffer)->head = 0;
    (*buffer)->tail = held;
    return true;
}

bool buffer_append(net_buffer **buffer, const void *data, size_t size)
{
    if (!size)
        return true;
    if (!buffer_reserve(buffer, size))
        return false;
    memcpy((*buffer)->bytes + (*buffer)->tail, data, size);
    (*buffer)->tail += size;
    return true;
}

bool buffer_prepend(net_buffer **buffer, const void *data, size_t size)
{
    size_t held = buffer_size(*buffer);
    if (!size)
        return true;
    if (*buffer && (*buffer)->head >= size) {
        /* Room in front: usually because these very bytes were read from there. */
        memmove(buffer_data(*buffer) - size, data, size);
        (*buffer)->head -= size;
        return true;
    }
    if (size > SIZE_MAX - held)
        return false;
    if (!*buffer || held + size > (*buffer)->capacity) {
        if (!move(buffer, held + size, size))
            return false;
    } else {
        /* Everything goes to the end of the memory. `data` lies elsewhere: in this memory there is only what is held,
         * and what was read before it, which is fewer than `size` bytes. */
        size_t head = (*buffer)->capacity - held;
        if (held)
            memmove((*buffer)->bytes + head, buffer_data(*buffer), held);
        (*buffer)->head = head;
        (*buffer)->tail = (*buffer)->capacity;
    }
    memcpy(buffer_data(*buffer) - size, data, size);
    (*buffer)->head -= size;
    return true;
}
