/* One direction of a connection in memory: a list of pieces, each with the time at which it arrives. */
#ifndef THRUM_TESTING_WAY_H
#define THRUM_TESTING_WAY_H

#include <thrum/testing.h>
#include <thrum/timeouts.h>

/* Bytes that were sent together. */
typedef struct test_piece test_piece;

typedef struct test_way {
    thrum_test_link link;
    uint64_t seed;
    test_piece *first, *last;
    size_t held;           /* bytes in the pieces */
    size_t sent, received; /* bytes in all */
    thrum_time last_due;   /* when what was sent last arrives */
    thrum_time cut_at;     /* or THRUM_NEVER */
    thrum_time stalled;    /* until then nothing arrives; 0: not stalled yet */
    bool ended;            /* nothing comes behind the pieces */
    int end_error;         /* but this; 0: end of file */
    thrum_time end_due;    /* when that arrives */
    bool deaf;             /* nobody receives any more */
    bool paused;           /* a fragment was taken; the next one comes in the next pass */
    /* Of networks: */
    unsigned lost;         /* of 1000 pieces: these arrive when they were sent again */
    thrum_time blocked;    /* what was to arrive from then on does not; THRUM_NEVER: the way is open */
    thrum_time unanswered; /* since when something does not arrive for that; or THRUM_NEVER */
} test_way;

void way_begin(test_way *way, const thrum_test_link *link, uint64_t seed);

/* When there is something to receive: bytes, the end or an error. */
thrum_time way_readable_at(const test_way *way);

/* Whether bytes have arrived that nobody took yet. */
bool way_has_bytes(const test_way *way);

bool way_writable(const test_way *way);

/* The script has cut it. */
bool way_cut(const test_way *way);

/* Take of the first piece: there is one that has arrived. */
size_t way_take(test_way *way, void *to, size_t size);

/* Send of these what there is room for: how many bytes; THRUM_CARRIER_LATER; THRUM_ENOMEM. */
intptr_t way_put(test_way *way, const thrum_slice *pieces, size_t count);

/* Behind what was sent comes the end, or an error. */
void way_finish(test_way *way, int error);

/* What is under way goes; all of it, or what has not arrived. */
void way_forget(test_way *way);
void way_forget_late(test_way *way);

/* Nothing arrives from now on; and it does again: what was not to be heard of meanwhile is sent once more, but for an
 * error at the end, which nobody repeats. */
void way_block(test_way *way);
void way_open(test_way *way);

static inline thrum_time time_after(thrum_time when, thrum_time delay)
{
    return delay > THRUM_NEVER - when ? THRUM_NEVER : when + delay;
}

#endif
