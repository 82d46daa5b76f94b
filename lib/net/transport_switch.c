/* Other protocols in the middle of a connection, a transport that becomes a stream and a stream that becomes a
 * transport; and what is known of one. */
#include <string.h>

#include "net/transport.h"

int thrum_transport_set_protocol(thrum_transport *transport, const thrum_protocol *protocol, void *context)
{
    if (!protocol_right(protocol))
        return THRUM_EINVAL;
    transport->protocol = protocol;
    transport->context = context;
    return 0;
}

const thrum_protocol *thrum_transport_get_protocol(const thrum_transport *transport, void **context)
{
    if (context)
        *context = transport->context;
    return transport->protocol;
}

int thrum_transport_of_stream(thrum_transport **transport, thrum_stream *stream, const thrum_protocol *protocol,
                              void *context)
{
    thrum_transport *made;
    if (stream->flags & STREAM_CLOSING)
        return THRUM_ECLOSED;
    if (!protocol_right(protocol) || stream->flags & STREAM_FED)
        return THRUM_EINVAL;
    if (stream->reader || stream->writers)
        return THRUM_EBUSY;
    if (stream->flags & STREAM_LENT) {
        stream->flags &= ~(uint32_t)STREAM_LENT;
        buffer_trim(&stream->input);
    }
    int error = transport_new(&made, stream, protocol, context);
    if (error)
        return error;
    if (stream->write_error)
        transport_force_close(made, stream->write_error); /* as when the write had been this one's */
    if (transport)
        *transport = thrum_transport_hold(made);
    return 0;
}

int thrum_stream_of_transport(thrum_stream **stream, thrum_transport *transport)
{
    if (!transport->stream || transport->flags & TRANSPORT_CLOSING)
        return THRUM_ECLOSED;
    if (!(transport->flags & TRANSPORT_MADE))
        return THRUM_ESTATE;
    if (transport->flags & TRANSPORT_SENDING)
        return THRUM_EBUSY;
    *stream = transport->stream;
    stream_unwatch(*stream);
    transport_detach(transport);
    transport->flags |= TRANSPORT_CLOSING | TRANSPORT_LOSING | TRANSPORT_LOST;
    transport->lost_writes++;
    (void)thrum_handle_cancel(&transport->turn);
    transport_over(transport);
    return 0;
}

int thrum_transport_get_extra_info(const thrum_transport *transport, const char *name, void *to, size_t room)
{
    return transport->stream ? thrum_stream_get_extra_info(transport->stream, name, to, room) : THRUM_ECLOSED;
}
