/* Streams whose bytes something else than a socket moves. */
#include "net/carrier.h"

#include <stdio.h>
#include <string.h>

#include "net/stream_output.h"

long stream_carrier_receive(thrum_stream *stream, void *to, size_t size)
{
    long got = (long)stream_carrier(stream)->receive(stream_link(stream), to, size);
    stream->flags &= ~(uint32_t)STREAM_TRY_FIRST;
    if (got > 0) {
        stream->burst += (unsigned)got;
        stream->flags |= (size_t)got == size ? STREAM_TRY_FIRST : 0;
        return got;
    }
    if (got == STREAM_AGAIN)
        return got;
    stream->read_error = (int)got;
    stream->flags |= STREAM_INPUT_ENDED;
    stream_unwatch(stream);
    stream_lost(stream);
    return got;
}

long stream_carrier_send(thrum_stream *stream, const struct iovec *pieces, size_t count)
{
    thrum_slice slices[STREAM_PIECES];
    char collected[LOOP_COLLECTED];
    for (size_t i = 0; i < count; i++) {
        slices[i].data = pieces[i].iov_base;
        slices[i].size = pieces[i].iov_len;
    }
    /* Where small writes are collected others may, too, while the carrier works; TLS has made its record by then. */
    if (count && stream_collected.stream == stream && slices[0].data == stream_collected_data() &&
        !(stream->flags & STREAM_TLS))
        slices[0].data = memcpy(collected, slices[0].data, slices[0].size);
    return (long)stream_carrier(stream)->send(stream_link(stream), slices, count);
}

void stream_carrier_watch(thrum_stream *stream, thrum_io *io, bool on)
{
    if (io->started == on)
        return;
    io->started = on;
    stream_carrier(stream)->watch(stream_link(stream),
                                  (stream->in.started ? (unsigned)THRUM_CARRIER_READ : 0) |
                                      (stream_awaits_room(stream) ? (unsigned)THRUM_CARRIER_WRITE : 0));
}

void stream_carrier_close(thrum_stream *stream)
{
    stream->in.started = false;
    stream_carrier(stream)->close(stream_link(stream), (stream->flags & STREAM_FORGOTTEN) != 0);
    stream_carry(stream, stream_carrier(stream), NULL);
}

void stream_carrier_address(const thrum_stream *stream, bool peer, char *text, size_t room)
{
    if (stream_carrier(stream)->address)
        stream_carrier(stream)->address(stream_link(stream), peer, text, room);
    else
        (void)snprintf(text, room, "%s", stream_carrier(stream)->name ? stream_carrier(stream)->name : "");
}

int thrum_stream_carry(thrum_stream **stream, const thrum_carrier *carrier, void *link,
                       const thrum_stream_options *options)
{
    thrum_stream_options checked;
    int error = stream_options_check(options, &checked);
    if (error)
        return error;
    if (!stream || !carrier || carrier->size != sizeof *carrier || !carrier->receive || !carrier->send ||
        !carrier->end || !carrier->close || !carrier->watch)
        return THRUM_EINVAL;
    return stream_new_carried(stream, carrier, link, &checked);
}

void stream_carrier_tell(thrum_stream *stream, unsigned events)
{
    if (events & THRUM_CARRIER_READ && stream->in.started) {
        if (stream->flags & STREAM_TRANSPORT)
            transport_readable(&stream->in);
        else
            stream_readable(&stream->in);
    }
    if (events & THRUM_CARRIER_WRITE && stream_awaits_room(stream))
        stream_writable(&stream->outlet->io);
}

/* A carrier that went under TLS knows the stream above it. */
void thrum_stream_carrier_ready(thrum_stream *stream, unsigned events)
{
    while (stream->flags & STREAM_TLS && stream_link(stream))
        stream = ((stream_above *)stream_link(stream))->inner;
    stream_carrier_tell(stream, events);
}
