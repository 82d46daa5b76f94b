/**
 * @file rings.h
 * Rings: bytes or items of one size on their way between an interrupt and the loop, in either direction. One side
 * pushes, the other pops, and neither masks anything: each writes a number that the other only reads. Which is on which
 * side does not matter, as long as there is one of each, and both on the same core.
 *
 *     static uint8_t memory[64];
 *     static thrum_ring received = THRUM_RING_INIT(memory);
 */
#ifndef THRUM_RINGS_H
#define THRUM_RINGS_H

#include <thrum/types.h>

#if !THRUM_HOSTED

THRUM_BEGIN_DECLS

/** What a processor reads and writes in one go; it bounds the items of a ring, which are at most half of its range. */
#if defined(__AVR__)
typedef uint8_t thrum_ring_index;
#else
typedef uint16_t thrum_ring_index;
#endif

/** A ring. Usually static. */
typedef struct thrum_ring {
    volatile uint8_t *memory;          /* private */
    uint16_t size;                     /* private: of an item */
    thrum_ring_index mask;             /* private: items that it holds, less 1 */
    volatile thrum_ring_index pushed;  /* private: written by who pushes */
    volatile thrum_ring_index popped;  /* private: written by who pops */
    volatile thrum_ring_index refused; /* private: written by who pushes */
} thrum_ring;

/* A ring that holds so many items cannot be: their number is a power of two, and half of the index' range at most. */
#define THRUM_RING_MASK_(items)                                                                                        \
    ((thrum_ring_index)((items) -                                                                                      \
                        sizeof(char[(items) & ((items)-1) || (items) > ((thrum_ring_index)~0u >> 1) + 1u ? -1 : 1])))

/** A ring in an array, whose elements are its items. Their number is a power of two: 128 at most on AVR, 32768 on
 * others. */
#define THRUM_RING_INIT(array)                                                                                         \
    {                                                                                                                  \
        (uint8_t *)(array), sizeof((array)[0]), THRUM_RING_MASK_(sizeof(array) / sizeof((array)[0])), 0, 0, 0          \
    }

/**
 * Put an item in, behind all others.
 * [never waits · no allocation · O(1), nothing is masked · any interrupt, or the loop: always the same]
 *
 * @param ring  any
 * @param item  one item, copied
 * @return gives false when the ring is full: the item is refused, which thrum_ring_refused() counts
 *
 * asyncio: Queue.put_nowait
 */
bool thrum_ring_push(thrum_ring *ring, const void *item);

/**
 * Take the oldest item out.
 * [never waits · no allocation · O(1), nothing is masked · any interrupt, or the loop: always the same]
 *
 * @param ring  any
 * @param item  where it goes
 * @return gives false when the ring is empty
 *
 * asyncio: Queue.get_nowait
 */
bool thrum_ring_pop(thrum_ring *ring, void *item);

/**
 * How many items are in there. The other side may be at work: who pops finds at least so many, who pushes at most.
 * [never waits · no allocation · any interrupt]
 *
 * @param ring  any
 * @return gives the number
 *
 * asyncio: Queue.qsize
 */
unsigned thrum_ring_count(const thrum_ring *ring);

/**
 * How many more items it takes. The other side may be at work: who pushes finds room for at least so many.
 * [never waits · no allocation · any interrupt]
 *
 * @param ring  any
 * @return gives the number
 *
 * asyncio: Queue.full
 */
unsigned thrum_ring_room(const thrum_ring *ring);

/**
 * How many items were refused, ever; the number goes round behind 65535, on AVR behind 255.
 * [never waits · no allocation · any interrupt]
 *
 * @param ring  any
 * @return gives the number
 *
 * asyncio: none
 */
unsigned thrum_ring_refused(const thrum_ring *ring);

THRUM_END_DECLS

#endif
#endif
