/* A protocol that notes what it is told, and loops that run until something was told. */
#ifndef TEST_NET_PROTOCOLS_H
#define TEST_NET_PROTOCOLS_H

#include "support.h"

/* What one protocol was told: a letter a call, "M" made, "d" data, "e" the end, "L" lost, "p" and "r" for writing, and
 * for a buffered one "u" for an update; and the bytes. */
typedef struct noted {
    thrum_transport *transport;
    char calls[256], data[4096];
    size_t call_count, size;
    int error; /* that connection_lost was told */
    int keep;  /* what eof_received gives */
    int fail;  /* what data_received and buffer_updated give */
    int fail_made;
    size_t room; /* of a buffered one's memory; 0: all of it */
    void (*made)(struct noted *noted);
    void (*told)(struct noted *noted); /* at each data_received, once it is noted */
    void (*lost)(struct noted *noted);
    char memory[64];
} noted;

void note_call(noted *to, char call);

extern const thrum_protocol noting, noting_buffered;

/* Factories whose context is the `noted` itself. */
int factory_noting(void *context, const thrum_protocol **protocol, void **own);
int factory_buffered(void *context, const thrum_protocol **protocol, void **own);

/* A transport, and the descriptor at its other end; the protocol has not been told yet. */
typedef struct wire {
    thrum_transport *transport;
    int peer;
} wire;

static inline wire wire_with(const thrum_protocol *protocol, noted *to, const thrum_stream_options *options)
{
    pair both = pair_with(options);
    wire made = {.peer = both.peer};
    CHECK_EQ(thrum_transport_of_stream(&made.transport, both.stream, protocol, to), 0);
    return made;
}

static inline wire wire_open(noted *to)
{
    return wire_with(&noting, to, NULL);
}

/* Passes of the loop, with what the poll finds in each. */
thrum_awaitable passes(int count);

/* Until it has been told so many times; so many bytes; that the connection is lost. */
thrum_awaitable until_told(const noted *what, size_t count);
thrum_awaitable until_bytes(const noted *what, size_t size);
thrum_awaitable until_lost(const noted *what);

/* The end of a wire: dropped, told, given back. */
thrum_awaitable wire_close(wire *which, const noted *what);

#endif
