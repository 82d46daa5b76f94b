/* A stream of firmware as the files of this folder see it. */
#ifndef THRUM_NET_BARE_STREAM_H
#define THRUM_NET_BARE_STREAM_H

#include <thrum/serial.h>

#include "core/state.h"
#include "loop/bare/mask.h"

enum {
    STREAM_CLOSING = 0x01,  /* no more use */
    STREAM_CLOSED = 0x02,   /* the device is off */
    STREAM_WRITE_EOF = 0x04 /* nothing more is to be written */
};

static inline size_t ring_held(const thrum_serial_ring *ring)
{
    thrum_serial_index head = ring->head, tail = ring->tail;
    return tail >= head ? (size_t)(tail - head) : (size_t)(tail + ring->size - head);
}

/* What it holds at most. */
static inline size_t ring_capacity(const thrum_serial_ring *ring)
{
    return (size_t)ring->size - 1;
}

static inline thrum_serial_index ring_after(const thrum_serial_ring *ring, thrum_serial_index at)
{
    return (thrum_serial_index)(at + 1 == ring->size ? 0 : at + 1);
}

/* The byte so many behind the first one. */
static inline uint8_t ring_at(const thrum_serial_ring *ring, size_t offset)
{
    size_t at = ring->head + offset;
    return ring->memory[at < ring->size ? at : at - ring->size];
}

/* Note how far an operation came that fails, and where. Gives `code`. */
static inline int stream_fail(thrum_stream *stream, int code, const char *operation, size_t number)
{
    stream->done = number;
#if THRUM_DETAILS
    return thrum_error_set(code, code > THRUM_ECANCELED ? -code : 0, operation, (int64_t)number, NULL);
#else
    (void)operation;
    return code;
#endif
}

/* Wake the task that reads: it looks again. */
void stream_wake_reader(thrum_stream *stream);

/* Move what writers have into the ring as far as there is room, wake those who are done, and start the device. */
void stream_pump(thrum_stream *stream);

/* Every writer goes on with an error. */
void stream_fail_writers(thrum_stream *stream, int error);

/* The device goes off; everybody is told. */
void stream_shut(thrum_stream *stream);

#endif
