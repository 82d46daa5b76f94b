/* Two ends of a connection in memory, each the link of a stream: a pair of streams.c's, or a connection of a network's.
 * On a network an end that is gone says nothing of itself: who sends to it learns it by a reset that comes back. */
#ifndef THRUM_TESTING_PAIR_H
#define THRUM_TESTING_PAIR_H

#include <thrum/handles.h>

#include "way.h"

/* One end. */
typedef struct test_end {
    thrum_stream *stream; /* NULL: none yet, or closed */
    struct test_pair *pair;
    test_way *in, *out;
    unsigned events;      /* that the stream wants to be told of */
    thrum_handle poll;    /* tells it, in each pass in which they are possible */
    thrum_handle alarm;   /* begins to, when the time has come */
    thrum_time broken_at; /* then it gives `broken`, behind the bytes that have arrived; or THRUM_NEVER */
    int broken;
    bool resets; /* when it closes */
} test_end;

/* What a network wants of its connections. */
typedef struct test_pair_kind {
    void (*address)(const test_end *end, bool peer, char *text, size_t room);
    void (*sent)(test_end *end, size_t size); /* so many bytes; or 0: the end */
    void (*gone)(struct test_pair *pair);     /* both ends are closed: it frees the pair */
} test_pair_kind;

typedef struct test_pair {
    test_end ends[2];
    test_way ways[2]; /* from the first to the second, and back */
    unsigned open;
    bool late;                  /* the loop closes */
    const test_pair_kind *kind; /* NULL: of no network */
    thrum_time give_up;         /* of a network: how long an end waits for answers */
} test_pair;

extern const thrum_carrier pair_carrier;

/* Prepare a pair in zeroed memory, with both ends open. */
void pair_begin(test_pair *pair, const thrum_test_link *there, const thrum_test_link *back, uint64_t seed);

static inline test_end *pair_other(const test_end *end)
{
    return &end->pair->ends[end == &end->pair->ends[0]];
}

/* See to it that the stream is told when there is something to tell. */
void pair_look(test_end *end);

/* From a time on an end is broken, unless it is before; what has not arrived then is lost. */
void pair_break(test_end *end, thrum_time when, int error);

/* What an end sends does not arrive any more; and it does again. */
void pair_block(test_end *end);
void pair_unblock(test_end *end);

/* Close an end whose peer is to get a reset. */
void pair_reset(test_end *end, bool late);

#endif
