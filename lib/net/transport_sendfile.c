/* Sending a part of a file through a transport: the stream's own way, while the protocol neither writes nor is told of
 * input. */
#include <thrum/async.h>

#include "net/stream_output.h"
#include "net/transport.h"

/* Why no file can be sent now, or 0. */
static int refused(const thrum_transport *transport)
{
    if (thrum_transport_is_closing(transport))
        return THRUM_ECLOSED;
    if (transport->flags & TRANSPORT_READ_PIPE)
        return THRUM_EUNSUPPORTED;
    return transport->flags & (TRANSPORT_SENDING | TRANSPORT_WROTE_EOF) ? THRUM_ESTATE : 0;
}

static ASYNC(send_file,
             ARGS((thrum_transport *, transport), (int, descriptor), (uint64_t, offset), (size_t, count),
                  (bool, fallback)),
             LOCALS(stream_file file; size_t sent; bool begun; bool reading;))
{
    int error;
    ASYNC_BEGIN;
    error = refused(self->transport);
    if (error)
        ASYNC_RAISE(thrum_error_set(error, 0, "sendfile", 0, NULL));
    self->begun = true;
    (void)thrum_transport_hold(self->transport);
    self->transport->flags |= TRANSPORT_SENDING;
    self->reading = thrum_transport_is_reading(self->transport);
    thrum_transport_pause_reading(self->transport);
    self->file.descriptor = self->descriptor;
    self->file.offset = self->offset;
    self->file.count = self->count;
    self->file.native = !self->fallback;
    self->file.of_transport = true;
    AWAIT_INTO(self->sent, stream_write_file(self->transport->stream, &self->file));
    ASYNC_RETURN(self->sent);
FINALLY:
    if (self->begun) {
        self->transport->flags &= ~(uint32_t)TRANSPORT_SENDING;
        if (self->reading)
            thrum_transport_resume_reading(self->transport);
        if (self->transport->stream)
            transport_sent(self->transport->stream); /* the protocol may write again */
        thrum_transport_release(self->transport);
    }
    ASYNC_END;
}

thrum_awaitable thrum_sendfile(thrum_transport *transport, int file, uint64_t offset, size_t count, bool fallback)
{
    if (file < 0 || offset > INT64_MAX)
        return thrum_awaitable_failing(THRUM_EINVAL);
    return send_file(transport, file, offset, count < INT64_MAX - offset ? count : (size_t)(INT64_MAX - offset),
                     fallback);
}
