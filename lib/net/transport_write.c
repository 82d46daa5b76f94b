/* Output of a transport: writing, and the marks of flow control. */
#include <string.h>

#include "loop/log.h"
#include "net/stream_output.h"
#include "net/transport.h"

/* asyncio's number: from this write on, after a loss, each says so. */
enum { LOST_WRITES = 5, MARK = 65536 };

/* ---- flow control ---- */

void transport_check_pause(thrum_transport *transport)
{
    thrum_stream *stream = transport->stream;
    if (stream_pending(stream) <= stream->settings->high)
        return;
    if (!stream_awaits_room(stream))
        stream_pump(stream); /* what was only collected may leave */
    if (stream_pending(stream) <= stream->settings->high || transport->flags & (TRANSPORT_PAUSED | TRANSPORT_LOSING))
        return;
    transport->flags |= TRANSPORT_PAUSED;
    if (transport->protocol->pause_writing)
        transport->protocol->pause_writing(transport->context);
}

static bool may_resume(const thrum_transport *transport)
{
    const thrum_stream *stream = transport->stream;
    return stream && (transport->flags & (TRANSPORT_PAUSED | TRANSPORT_SENDING)) == TRANSPORT_PAUSED &&
           stream_pending(stream) <= stream->settings->low &&
           (!(transport->flags & TRANSPORT_LOSING) || stream->flags & STREAM_FINISHED);
}

void transport_check_resume(thrum_transport *transport)
{
    transport->flags &= ~(uint32_t)TRANSPORT_RESUME;
    if (!may_resume(transport))
        return;
    transport->flags &= ~(uint32_t)TRANSPORT_PAUSED;
    if (transport->protocol->resume_writing)
        transport->protocol->resume_writing(transport->context);
}

/* Who sends now may be anybody, in the middle of a step: the protocol is told in the next pass. */
void transport_sent(thrum_stream *stream)
{
    thrum_transport *transport = stream->transport;
    if (transport->flags & TRANSPORT_PUMPING || !may_resume(transport))
        return;
    transport->flags |= TRANSPORT_RESUME;
    transport_schedule(transport);
}

void transport_pump(thrum_stream *stream)
{
    thrum_transport *transport = stream->transport;
    context_entry entry;
    transport->flags |= TRANSPORT_PUMPING;
    stream_pump(stream);
    transport->flags &= ~(uint32_t)TRANSPORT_PUMPING;
    if (!may_resume(transport))
        return;
    (void)thrum_transport_hold(transport);
    transport_enter(transport, &entry);
    transport_check_resume(transport);
    transport_leave(transport, &entry);
    thrum_transport_release(transport);
}

int thrum_transport_set_write_buffer_limits(thrum_transport *transport, size_t high, size_t low)
{
    if (high == THRUM_MARK_DEFAULT)
        high = low == THRUM_MARK_DEFAULT ? MARK : low <= SIZE_MAX / 4 ? low * 4 : low;
    if (low == THRUM_MARK_DEFAULT)
        low = high / 4;
    if (low > high)
        return THRUM_EINVAL;
    if (!transport->stream)
        return THRUM_ECLOSED;
    int error = stream_settings_change(transport->stream, high, low, transport->stream->settings->close_deadline);
    if (!error)
        transport_check_pause(transport);
    return error;
}

void thrum_transport_get_write_buffer_limits(const thrum_transport *transport, size_t *low, size_t *high)
{
    const thrum_stream *stream = transport->stream;
    if (low)
        *low = stream ? stream->settings->low : 0;
    if (high)
        *high = stream ? stream->settings->high : 0;
}

size_t thrum_transport_get_write_buffer_size(const thrum_transport *transport)
{
    return transport->stream ? stream_pending(transport->stream) : 0;
}

/* ---- writing ---- */

/* 0: nothing is to be done; 1: it is; or an error. */
static int may_write(thrum_transport *transport, size_t size)
{
    if (transport->flags & TRANSPORT_READ_PIPE)
        return THRUM_EUNSUPPORTED;
    if (transport->flags & (TRANSPORT_WROTE_EOF | TRANSPORT_SENDING))
        return THRUM_ESTATE;
    if (!size)
        return 0;
    if (transport->stream && !(transport->flags & TRANSPORT_LOSING))
        return 1;
    if (transport->lost_writes >= LOST_WRITES)
        thrum_log("a write to a connection that is lost");
    transport->lost_writes++;
    return 0;
}

static inline bool unusual(const thrum_transport *transport, size_t size)
{
    return !size || !transport->stream ||
           transport->flags & (TRANSPORT_READ_PIPE | TRANSPORT_WROTE_EOF | TRANSPORT_SENDING | TRANSPORT_LOSING);
}

/* What is more than the high mark has to be told; a loss is told later. */
static inline int written(thrum_transport *transport)
{
    if (THRUM_UNLIKELY_(stream_pending(transport->stream) > transport->stream->settings->high))
        transport_check_pause(transport);
    return 0;
}

int thrum_transport_write(thrum_transport *transport, const void *data, size_t size)
{
    if (THRUM_UNLIKELY_(unusual(transport, size))) {
        int may = may_write(transport, size);
        if (may <= 0)
            return may;
    }
    thrum_stream *stream = transport->stream;
    if (THRUM_UNLIKELY_(size > LOOP_COLLECTED || !stream_collect(stream, data, size)))
        (void)stream_put(stream, data, size);
    else if (THRUM_LIKELY_(!stream->output && stream->settings->high >= LOOP_COLLECTED))
        return 0; /* what is only collected is never more */
    return written(transport);
}

int thrum_transport_write_vectors(thrum_transport *transport, const thrum_slice *slices, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += slices[i].size;
    int may = may_write(transport, total);
    if (may <= 0)
        return may;
    (void)stream_put_slices(transport->stream, slices, count);
    return written(transport);
}

bool thrum_transport_can_write_eof(const thrum_transport *transport)
{
    return !(transport->flags & TRANSPORT_READ_PIPE) && !(transport->stream && transport->stream->flags & STREAM_WHOLE);
}

int thrum_transport_write_eof(thrum_transport *transport)
{
    if (!thrum_transport_can_write_eof(transport))
        return THRUM_EUNSUPPORTED;
    if (!transport->stream || transport->flags & (TRANSPORT_CLOSING | TRANSPORT_WROTE_EOF))
        return 0;
    if (transport->flags & TRANSPORT_WRITE_PIPE) {
        thrum_transport_close(transport);
        return 0;
    }
    transport->flags |= TRANSPORT_WROTE_EOF;
    transport->stream->flags |= STREAM_WRITE_EOF;
    if (!stream_awaits_room(transport->stream))
        stream_pump(transport->stream);
    return 0;
}
