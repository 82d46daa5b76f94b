/* Rings between an interrupt and the loop. All that both sides look at is volatile, so it is read and written in the
 * order that stands here: an item is in its place before it counts, and copied before its place is free. */
#include <thrum/rings.h>

bool thrum_ring_push(thrum_ring *ring, const void *item)
{
    thrum_ring_index at = ring->pushed;
    if ((thrum_ring_index)(at - ring->popped) > ring->mask) {
        ring->refused++;
        return false;
    }
    const uint8_t *from = (const uint8_t *)item;
    volatile uint8_t *to = ring->memory + (size_t)(at & ring->mask) * ring->size;
    for (uint16_t i = ring->size; i > 0; i--)
        *to++ = *from++;
    ring->pushed = (thrum_ring_index)(at + 1);
    return true;
}

bool thrum_ring_pop(thrum_ring *ring, void *item)
{
    thrum_ring_index at = ring->popped;
    if (at == ring->pushed)
        return false;
    uint8_t *to = (uint8_t *)item;
    const volatile uint8_t *from = ring->memory + (size_t)(at & ring->mask) * ring->size;
    for (uint16_t i = ring->size; i > 0; i--)
        *to++ = *from++;
    ring->popped = (thrum_ring_index)(at + 1);
    return true;
}

unsigned thrum_ring_count(const thrum_ring *ring)
{
    thrum_ring_index popped = ring->popped; /* this first: were more popped in between, it would not be too few */
    return (thrum_ring_index)(ring->pushed - popped);
}

unsigned thrum_ring_room(const thrum_ring *ring)
{
    return ring->mask + 1u - thrum_ring_count(ring);
}

unsigned thrum_ring_refused(const thrum_ring *ring)
{
    return ring->refused;
}
