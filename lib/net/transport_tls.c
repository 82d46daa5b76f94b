/* TLS under a transport: while hands are shaken the stream is a stream again, and its protocol is told of nothing. */
#include <thrum/async.h>

#include <string.h>

#include <thrum/tls.h>

#include "net/tls/above.h"
#include "net/transport.h"

/* Why it cannot be now, or 0. */
static int refused(const thrum_transport *transport)
{
    if (thrum_transport_is_closing(transport))
        return THRUM_ECLOSED;
    if (transport->flags & (TRANSPORT_READ_PIPE | TRANSPORT_WRITE_PIPE))
        return THRUM_EUNSUPPORTED;
    return transport->flags & (TRANSPORT_SENDING | TRANSPORT_WROTE_EOF) || !(transport->flags & TRANSPORT_MADE)
               ? THRUM_ESTATE
               : 0;
}

/* What the options say is looked at before anything changes: a failure afterwards is the end of the connection. */
static ASYNC(go_over_under_protocol,
             ARGS((thrum_transport *, transport), (thrum_tls_context *, context), (thrum_tls_start_options, options)),
             LOCALS(bool begun; bool reading; bool done; int error;))
{
    int error;
    ASYNC_BEGIN;
    error = refused(self->transport);
    if (error)
        ASYNC_RAISE(thrum_error_set(error, 0, "start_tls", 0, NULL));
    self->begun = true;
    (void)thrum_transport_hold(self->transport);
    self->reading = thrum_transport_is_reading(self->transport);
    thrum_transport_pause_reading(self->transport);
    self->transport->flags |= TRANSPORT_SENDING | TRANSPORT_UPGRADING;
    transport_stand_aside(self->transport);
    AWAIT_CATCH(self->error, thrum_start_tls_with(self->transport->stream, self->context, &self->options));
    self->done = !self->error;
    if (self->error)
        ASYNC_RAISE(self->error);
FINALLY:
    if (self->begun) {
        self->transport->flags &= ~(uint32_t)(TRANSPORT_SENDING | TRANSPORT_UPGRADING);
        transport_stand_again(self->transport);
        if (!self->done)
            transport_force_close(self->transport, self->error == THRUM_ECLOSED ? 0 : self->error);
        else if (self->reading)
            thrum_transport_resume_reading(self->transport);
        thrum_transport_release(self->transport);
    }
    ASYNC_END;
}

thrum_awaitable thrum_transport_start_tls(thrum_transport *transport, thrum_tls_context *context,
                                          const thrum_tls_start_options *options)
{
    thrum_tls_start_options checked = {.size = sizeof checked};
    if (options) {
        if (options->size < sizeof options->size || options->size > sizeof checked)
            return thrum_awaitable_failing(THRUM_EINVAL);
        memcpy(&checked, options, options->size);
        checked.size = sizeof checked;
    }
    if (!context || checked.handshake_timeout < 0 || checked.shutdown_timeout < 0 || tls_unnamed(context, &checked))
        return thrum_awaitable_failing(THRUM_EINVAL);
    return go_over_under_protocol(transport, context, checked);
}
