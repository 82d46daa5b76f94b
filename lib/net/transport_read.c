/* Input of a transport: from the socket, or what was buffered before, to the protocol. */
#include <errno.h>
#include <string.h>

#include "core/inlining.h"
#include "core/ready.h"
#include "net/stream_output.h"
#include "net/transport.h"

/* So much may one transport receive in a row before it waits for the loop's poll like the others. */
enum { BURST = 256 * 1024 };

/* In the poll: nothing is told yet. */
void transport_readable(thrum_io *io)
{
    thrum_transport *transport = thrum_io_of(io, thrum_stream, in)->transport;
    thrum_state *state = thrum_state_here();
    thrum_node *node = &transport->turn.waiter.node;
    transport->flags |= TRANSPORT_READ;
    if (THRUM_LIKELY_(node->state == NODE_IDLE && is_usual(state))) {
        node->flags = HANDLE_ENTERS; /* as thrum_call_soon(), which looks at more */
        ready_push(state, node, NODE_CALL);
    } else {
        transport_schedule(transport);
    }
}

/* What a call of the protocol's gave. */
static void given(thrum_transport *transport, int error)
{
    if (error)
        transport_failed(transport, error < 0 ? error : THRUM_EINVAL);
}

/* ---- the end of the input ---- */

/* The reader at the other end of a pipe is gone. */
static void pipe_over(thrum_transport *transport)
{
    thrum_stream *stream = transport->stream;
    transport_force_close(transport, stream_pending(stream) ? -EPIPE : 0);
}

static void tell_end(thrum_transport *transport, int error)
{
    transport->flags |= TRANSPORT_EOF_TOLD;
    if (error) {
        transport_force_close(transport, error);
        return;
    }
    if (transport->flags & TRANSPORT_WRITE_PIPE) {
        pipe_over(transport);
        return;
    }
    int keep = transport->protocol->eof_received ? transport->protocol->eof_received(transport->context) : 0;
    if (keep < 0)
        transport_failed(transport, keep);
    else if (!keep || transport->flags & TRANSPORT_READ_PIPE ||
             (transport->stream && transport->stream->flags & STREAM_WHOLE))
        thrum_transport_close(transport);
}

/* ---- bytes ---- */

static void tell_data(thrum_transport *transport, const void *data, size_t size)
{
    if (transport->protocol->data_received)
        given(transport, transport->protocol->data_received(transport->context, data, size));
}

/* They are taken out of the stream first: the protocol may put some back, or end the stream. */
static void tell_buffered(thrum_transport *transport)
{
    net_buffer *taken = transport->stream->input;
    transport->stream->input = NULL;
    tell_data(transport, buffer_data(taken), buffer_size(taken));
    buffer_free(&taken);
}

/* Memory of a buffered protocol: how much there is room for, at least 1; else it is over. */
static size_t ask_for_room(thrum_transport *transport, size_t hint, void **memory)
{
    intptr_t room = transport->protocol->get_buffer(transport->context, hint, memory);
    if (room > 0 && *memory && transport_reads(transport))
        return (size_t)room;
    if (room <= 0 || !*memory)
        transport_failed(transport, room < 0 ? (int)room : THRUM_EINVAL);
    return 0;
}

/* Nothing was received: there is nothing now, or it is the end. */
static THRUM_COLD_ bool tell_none(thrum_transport *transport, long got)
{
    if (got != STREAM_AGAIN && !(transport->flags & TRANSPORT_EOF_TOLD))
        tell_end(transport, transport->stream->read_error);
    return false;
}

/* What is in the socket, to a plain protocol. Gives whether there may be more, as those below. */
static inline bool tell_received(thrum_transport *transport, thrum_stream *stream)
{
    long got = stream_receive(stream, stream_collected.scratch, LOOP_SCRATCH);
    if (THRUM_UNLIKELY_(got <= 0))
        return tell_none(transport, got);
    bool full = stream->flags & STREAM_TRY_FIRST;
    tell_data(transport, stream_collected.scratch, (size_t)got);
    return full;
}

/* What is in the socket or was buffered, to a buffered protocol. */
static THRUM_COLD_ bool tell_in_place(thrum_transport *transport, thrum_stream *stream)
{
    size_t held = buffer_size(stream->input), room;
    void *memory = NULL;
    if (!held && stream->flags & STREAM_INPUT_ENDED)
        return tell_none(transport, 0);
    room = ask_for_room(transport, held, &memory);
    if (!room)
        return false;
    long got = held ? (long)stream_take(stream, memory, room) : stream_receive(stream, memory, room);
    if (got <= 0)
        return tell_none(transport, got);
    given(transport, transport->protocol->buffer_updated(transport->context, (size_t)got));
    return true;
}

/* Whatever is there, one piece. */
static THRUM_COLD_ bool tell_some(thrum_transport *transport)
{
    thrum_stream *stream = transport->stream;
    if (transport->protocol->get_buffer)
        return tell_in_place(transport, stream);
    if (stream->input) {
        tell_buffered(transport);
        return true;
    }
    return stream->flags & STREAM_INPUT_ENDED ? tell_none(transport, 0) : tell_received(transport, stream);
}

/* Whether a further piece is told in this pass. What a plain protocol has put back is told in the next one, so that it
 * cannot go round for ever. */
static THRUM_COLD_ bool more(thrum_transport *transport)
{
    if (!transport_reads(transport))
        return false;
    const thrum_stream *stream = transport->stream;
    if (stream->input && !transport->protocol->get_buffer) {
        transport_begin_reading(transport);
        return false;
    }
    return stream->input ||
           (stream->flags & STREAM_INPUT_ENDED ? !(transport->flags & TRANSPORT_EOF_TOLD)
                                               : stream->flags & STREAM_TRY_FIRST && stream->burst < BURST);
}

void transport_read(thrum_transport *transport)
{
    thrum_stream *stream = transport->stream;
    transport->flags &= ~(uint32_t)TRANSPORT_READ;
    if (!transport_reads(transport))
        return;
    stream->burst = 0;
    stream_collected.lent = true;
    bool again;
    if (THRUM_LIKELY_(!stream->input && !(stream->flags & STREAM_INPUT_ENDED) && !transport->protocol->get_buffer))
        again = tell_received(transport, stream);
    else
        again = tell_some(transport);
    while (THRUM_UNLIKELY_(again) && more(transport))
        again = tell_some(transport);
    stream_collected.lent = false;
    stream_flush_collected();
}

/* ---- pausing ---- */

void transport_begin_reading(thrum_transport *transport)
{
    if (!transport_reads(transport))
        return;
    thrum_stream *stream = transport->stream;
    if (!(stream->flags & STREAM_INPUT_ENDED))
        stream_watch(stream);
    if (stream->input || (stream->flags & STREAM_INPUT_ENDED && !(transport->flags & TRANSPORT_EOF_TOLD))) {
        transport->flags |= TRANSPORT_READ;
        transport_schedule(transport);
    }
}

void thrum_transport_pause_reading(thrum_transport *transport)
{
    if (!thrum_transport_is_reading(transport))
        return;
    transport->flags |= TRANSPORT_HELD;
    transport->flags &= ~(uint32_t)TRANSPORT_READ;
    stream_unwatch(transport->stream);
}

void thrum_transport_resume_reading(thrum_transport *transport)
{
    if (!(transport->flags & TRANSPORT_HELD) || transport->flags & TRANSPORT_CLOSING)
        return;
    transport->flags &= ~(uint32_t)TRANSPORT_HELD;
    if (transport->flags & TRANSPORT_MADE)
        transport_begin_reading(transport);
}

bool thrum_transport_is_reading(const thrum_transport *transport)
{
    return transport_reads(transport) && !(transport->flags & TRANSPORT_WRITE_PIPE);
}

int thrum_transport_unread(thrum_transport *transport, const void *data, size_t size)
{
    thrum_stream *stream = transport->stream;
    if (!stream || transport->flags & TRANSPORT_CLOSING)
        return THRUM_ECLOSED;
    if (!buffer_prepend(&stream->input, data, size))
        return THRUM_ENOMEM;
    if (size && transport->flags & TRANSPORT_MADE)
        transport_begin_reading(transport);
    return 0;
}
