/* Transports: how they begin and end, and the order in which a protocol is told. */
#include "net/transport.h"

#include <string.h>

#include <thrum/events.h>

#include "core/inlining.h"
#include "net/stream_output.h"

/* Stands for the task that reads, so that those that want to are refused. It never waits, and so is never woken. */
static thrum_task reads_already;

bool protocol_right(const thrum_protocol *protocol)
{
    return protocol && protocol->size == sizeof *protocol && !protocol->get_buffer == !protocol->buffer_updated;
}

static void report(thrum_transport *transport, const char *message, int error)
{
    thrum_report told;
    memset(&told, 0, sizeof told);
    told.message = message;
    told.error = error;
    told.transport = transport;
    told.stream = transport->stream;
    told.server = transport->stream ? stream_server(transport->stream) : NULL;
    thrum_loop_call_exception_handler(thrum_loop_current(), &told);
}

/* ---- references ---- */

thrum_transport *thrum_transport_hold(thrum_transport *transport)
{
    transport->references++;
    return transport;
}

void thrum_transport_release(thrum_transport *transport)
{
    if (!transport || --transport->references)
        return;
    (void)thrum_handle_cancel(&transport->turn);
    context_forget(transport->variables);
    pool_give(&thrum_state_here()->pool, transport, sizeof *transport, POOL_OTHER);
}

static void wake_all(thrum_waiters *waiters, int error)
{
    thrum_waiter *waiter;
    while ((waiter = thrum_waiters_pop(waiters)))
        thrum_wake(waiter, error, 0);
}

void transport_over(thrum_transport *transport)
{
    thrum_loop_forget(&transport->closer);
    wake_all(&transport->enders, transport->error);
    thrum_transport_release(transport);
}

/* ---- told in the next pass ---- */

void transport_schedule(thrum_transport *transport)
{
    if (!thrum_handle_pending(&transport->turn))
        (void)thrum_call_soon(&transport->turn); /* refused where the loop closes, which sees to the end itself */
}

static void begin_losing(thrum_transport *transport, int error)
{
    transport->flags |= TRANSPORT_CLOSING | TRANSPORT_LOSING;
    transport->flags &= ~(uint32_t)(TRANSPORT_READ | TRANSPORT_RESUME);
    transport->error = error;
    transport->lost_writes++;
    transport_schedule(transport);
}

void transport_finished(thrum_stream *stream, int error)
{
    thrum_transport *transport = stream->transport;
    if (transport->flags & TRANSPORT_LOSING)
        return;
    /* Closed, and nothing is left to send: what only the end of the connection is waits until the protocol knows of it,
     * which may ask for its addresses. */
    if (!error && stream->flags & STREAM_CLOSING && !stream_pending(stream) && !stream->write_error) {
        stream->flags |= STREAM_FINISHED;
        begin_losing(transport, 0);
        return;
    }
    transport_force_close(transport, error);
}

void transport_force_close(thrum_transport *transport, int error)
{
    thrum_stream *stream = transport->stream;
    if (!stream || transport->flags & TRANSPORT_LOSING)
        return;
    if (transport->flags & TRANSPORT_UPGRADING) {
        stream_shut(stream, 0);
        return;
    }
    begin_losing(transport, error);
    stream->flags |= STREAM_CLOSING;
    stream_unwatch(stream);
    stream_drop_output(stream, error ? error : THRUM_ECLOSED);
}

void transport_failed(thrum_transport *transport, int error)
{
    if (!(transport->flags & TRANSPORT_LOST_QUIETLY))
        report(transport, "a protocol failed", error);
    transport->flags &= ~(uint32_t)TRANSPORT_LOST_QUIETLY;
    transport_force_close(transport, error);
}

void transport_closing(const thrum_stream *stream)
{
    thrum_transport *transport = stream->transport;
    transport->flags |= TRANSPORT_CLOSING;
    transport->flags &= ~(uint32_t)TRANSPORT_READ;
}

/* ---- the calls of one connection ---- */

static void tell_made(thrum_transport *transport)
{
    transport->flags |= TRANSPORT_MADE;
    int error =
        transport->protocol->connection_made ? transport->protocol->connection_made(transport->context, transport) : 0;
    error = error > 0 ? THRUM_EINVAL : error;
    if (error) {
        transport->flags |= transport->makers.first ? (uint32_t)TRANSPORT_LOST_QUIETLY : 0;
        transport_failed(transport, error);
    }
    wake_all(&transport->makers, error);
    if (transport->flags & TRANSPORT_LOSING)
        transport_schedule(transport);
    else
        transport_begin_reading(transport);
}

/* The stream goes: gracefully, when everything has left. */
static void let_stream_go(thrum_transport *transport)
{
    thrum_stream *stream = transport->stream;
    transport_detach(transport);
    if (stream->flags & STREAM_FINISHED)
        stream_finish_now(stream);
    thrum_stream_release(stream); /* a handler's stays until that has ended */
}

static void tell_lost(thrum_transport *transport)
{
    transport->flags |= TRANSPORT_LOST;
    if (transport->protocol->connection_lost)
        transport->protocol->connection_lost(transport->context, transport->error);
    if (transport->stream)
        let_stream_go(transport);
    transport_over(transport);
}

/* What is rarer than input. */
static THRUM_COLD_ void turn_otherwise(thrum_transport *transport)
{
    if (!(transport->flags & TRANSPORT_MADE)) {
        tell_made(transport);
    } else if (transport->flags & TRANSPORT_LOSING) {
        tell_lost(transport);
    } else {
        if (transport->flags & TRANSPORT_RESUME)
            transport_check_resume(transport);
        if (transport->flags & TRANSPORT_READ)
            transport_read(transport);
    }
}

static void turn(thrum_handle *handle)
{
    thrum_transport *transport = (thrum_transport *)handle->context;
    const uint32_t any = TRANSPORT_MADE | TRANSPORT_LOSING | TRANSPORT_RESUME | TRANSPORT_READ;
    context_entry entry;
    transport->references++;
    transport_enter(transport, &entry);
    if (THRUM_LIKELY_((transport->flags & any) == (TRANSPORT_MADE | TRANSPORT_READ)))
        transport_read(transport);
    else
        turn_otherwise(transport);
    transport_leave(transport, &entry);
    if (THRUM_UNLIKELY_(transport->references == 1))
        thrum_transport_release(transport);
    else
        transport->references--;
}

/* ---- ends that come from elsewhere ---- */

/* Whoever had the stream before drops it, a handler that was cancelled: the protocol is told in the next pass. */
void transport_orphaned(thrum_stream *stream)
{
    thrum_transport *transport = stream->transport;
    transport_force_close(transport, 0);
    transport_detach(transport);
}

bool transport_is_lost(const thrum_stream *stream)
{
    return stream->transport->flags & TRANSPORT_LOSING;
}

/* What a protocol has yet to be told, where no pass follows. */
static void tell_rest(thrum_transport *transport)
{
    context_entry entry;
    transport_enter(transport, &entry);
    if (!(transport->flags & TRANSPORT_MADE) && transport->protocol->connection_made)
        (void)transport->protocol->connection_made(transport->context, transport);
    transport->flags |= TRANSPORT_MADE | TRANSPORT_LOST;
    if (transport->protocol->connection_lost)
        transport->protocol->connection_lost(transport->context, transport->error);
    transport_leave(transport, &entry);
}

static void loop_closes(thrum_loop_closer *closer)
{
    thrum_transport *transport = (thrum_transport *)(void *)((char *)closer - offsetof(thrum_transport, closer));
    thrum_stream *stream = transport->stream;
    bool lost = transport->flags & TRANSPORT_LOSING;
    thrum_loop_remember(&transport->closer);              /* transport_over() takes it out */
    thrum_handle_init(&transport->turn, turn, transport); /* queued nowhere any more */
    transport->flags |= TRANSPORT_CLOSING | TRANSPORT_LOSING;
    if (!lost) {
        transport->error = THRUM_ECLOSED;
        transport->lost_writes++;
    }
    tell_rest(transport);
    if (stream) {
        if (!lost)
            transport->flags &= ~(uint32_t)TRANSPORT_LOSING; /* for who tells of what nobody has closed */
        if (!(stream->flags & (STREAM_CLIENT | STREAM_FORGOTTEN)))
            thrum_loop_forget(&stream->closer);
        stream_forget(stream);
        transport->flags |= TRANSPORT_LOSING;
        transport_detach(transport);
        if (!(stream->flags & STREAM_SERVED))
            stream_free(stream);
    }
    transport_over(transport);
}

/* ---- making one ---- */

thrum_transport *transport_take(void)
{
    return (thrum_transport *)pool_take(&thrum_state_here()->pool, sizeof(thrum_transport), POOL_OTHER);
}

void transport_give(thrum_transport *transport)
{
    if (transport)
        pool_give(&thrum_state_here()->pool, transport, sizeof *transport, POOL_OTHER);
}

static void begin(thrum_transport *transport, thrum_stream *stream, const thrum_protocol *protocol, void *context,
                  uint32_t kind)
{
    memset(transport, 0, sizeof *transport);
    transport->stream = stream;
    transport->protocol = protocol;
    transport->context = context;
    transport->flags = kind;
    transport->references = 1;
#if THRUM_CONTEXTS
    transport->variables = context_capture(thrum_state_here());
#endif
    thrum_handle_init(&transport->turn, turn, transport);
    transport->closer.close = loop_closes;
    thrum_loop_remember(&transport->closer);
    if (stream->flags & STREAM_WRITE_EOF)
        transport->flags |= TRANSPORT_WROTE_EOF;
    transport_stand_again(transport);
    transport_schedule(transport);
    if (stream->flags & STREAM_CLOSED) /* by the factory: the protocol is told of both, its beginning and its end */
        begin_losing(transport, 0);
}

int transport_new(thrum_transport **made, thrum_stream *stream, const thrum_protocol *protocol, void *context)
{
    thrum_transport *transport = transport_take();
    if (!transport)
        return THRUM_ENOMEM;
    begin(transport, stream, protocol, context, 0);
    *made = transport;
    return 0;
}

int transport_make(thrum_transport *memory, thrum_stream *stream, thrum_protocol_factory *factory, void *context,
                   uint32_t kind)
{
    const thrum_protocol *protocol = NULL;
    void *own = NULL;
    int error = factory(context, &protocol, &own);
    if (error > 0 || (!error && !protocol_right(protocol)))
        error = THRUM_EINVAL;
    if (!error)
        begin(memory, stream, protocol, own, kind);
    return error;
}

void transport_stand_again(thrum_transport *transport)
{
    thrum_stream *stream = transport->stream;
    if (!stream)
        return;
    stream->flags |= STREAM_TRANSPORT;
    stream->transport = transport;
    stream->reader = &reads_already;
    if (!stream_carrier(stream))
        stream->in.ready = transport_readable;
}

void transport_stand_aside(thrum_transport *transport)
{
    thrum_stream *stream = transport->stream;
    stream->flags &= ~(uint32_t)STREAM_TRANSPORT;
    memset(&stream->request, 0, sizeof stream->request);
    stream->reader = NULL;
    if (!stream_carrier(stream))
        stream->in.ready = stream_readable;
}

void transport_detach(thrum_transport *transport)
{
    transport_stand_aside(transport);
    transport->stream = NULL;
}

/* ---- closing ---- */

void thrum_transport_close(thrum_transport *transport)
{
    if (transport && transport->stream && !(transport->flags & TRANSPORT_CLOSING))
        stream_begin_close(transport->stream);
}

void thrum_transport_abort(thrum_transport *transport)
{
    if (transport)
        transport_force_close(transport, 0);
}

bool thrum_transport_is_closing(const thrum_transport *transport)
{
    return !transport->stream || transport->flags & TRANSPORT_CLOSING;
}
