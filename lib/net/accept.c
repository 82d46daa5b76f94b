/* Taking connections, and running the handler of each. */
#include <thrum/async.h>

#include <errno.h>
#include <unistd.h>

#include "core/contextvars.h"
#include "loop/log.h"
#include "loop/system.h"
#include "net/server.h"
#include "net/transport.h"

static const char HANDLER_FAILED[] = "a connection's handler failed";
static const char DROPPED[] = "a connection was dropped";

/* Anybody may knock: a handshake that fails is told of in debug mode only. */
static void note_refusal(int error)
{
    if (error && thrum_loop_get_debug(thrum_loop_current()))
        thrum_log_error("the TLS handshake with a client failed", error, thrum_error_last());
}

static thrum_awaitable shake_hands(const thrum_server *server, thrum_stream *stream)
{
    thrum_tls_start_options options = {.size = sizeof options, .server_side = true};
    options.handshake_timeout = server->handshake_timeout;
    options.shutdown_timeout = server->shutdown_timeout;
    return thrum_start_tls_with(stream, server->tls, &options);
}

/* One connection, from its first to its last moment. Its stream stays in the server's list, and so knows the server. */
static ASYNC(serve_client, ARGS((thrum_stream *, stream)), LOCALS(int error; int untold;),
             ON_DROP(server_client_over(self->stream->server, self->stream);))
{
    thrum_server *server = self->stream->server;
    ASYNC_BEGIN;
    if (server->tls)
        AWAIT_CATCH(self->untold, shake_hands(server, self->stream));
    note_refusal(self->untold);
    if (!self->untold)
        AWAIT_CATCH(self->error, server->use.handler(self->stream, server->use.context));
    /* When the server closed the connection, its handler may well have tried to write on. */
    if (self->error && !(self->error == THRUM_ECLOSED && self->stream->flags & STREAM_ENDED_BY_SERVER))
        server_report(server, HANDLER_FAILED, self->error, thrum_error_last());
    /* What a peer did not take is its own affair. A stream that was made a transport is closed by that. */
    AWAIT_CATCH(self->untold, self->stream->flags & STREAM_TRANSPORT ? thrum_stream_wait_closed(self->stream)
                                                                     : thrum_stream_close(self->stream));
FINALLY:
    /* After a cancellation: what can leave leaves, nobody waits. */
    stream_begin_close(self->stream);
    server_client_over(server, self->stream);
    ASYNC_END;
}

/* The stream is the caller's again when this fails. */
static int give_to_protocol(server_use use, thrum_stream *stream)
{
    thrum_transport *memory = transport_take();
    int error = memory ? transport_make(memory, stream, use.factory, use.context, 0) : THRUM_ENOMEM;
    if (error)
        transport_give(memory);
    return error;
}

/* The protocol is made when hands are shaken; the server may have gone by then. */
static ASYNC(begin_transport, ARGS((thrum_awaitable, shake), (server_use, use), (thrum_stream *, stream)),
             LOCALS(int error; bool given;), ON_DROP(thrum_drop(self->shake); stream_free(self->stream);))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, self->shake);
    note_refusal(self->error);
    if (!self->error) {
        self->error = give_to_protocol(self->use, self->stream);
        self->given = !self->error;
        if (self->error && stream_server(self->stream))
            server_report(stream_server(self->stream), DROPPED, self->error, NULL);
    }
FINALLY:
    if (!self->given)
        stream_free(self->stream);
    ASYNC_END;
}

int server_make_stream(const thrum_server *server, const server_arrival *arrival, thrum_stream **stream)
{
    *stream = arrival->stream;
    if (arrival->stream || arrival->error)
        return arrival->error;
    int error = stream_new(stream, arrival->descriptor, &server->stream, &arrival->peer.as.any);
    if (error)
        (void)close(arrival->descriptor);
    return error;
}

static void begin_client(thrum_server *server, const server_arrival *arrival)
{
    thrum_stream *stream;
    int error = server_make_stream(server, arrival, &stream);
    if (error) {
        server_report(server, DROPPED, error, NULL);
        return;
    }
    stream_join_server(stream, server);
    server->client_count++;
    if (server->use.factory && server->tls) {
        error = thrum_spawn_detached(begin_transport(shake_hands(server, stream), server->use, stream));
    } else if (server->use.factory) {
        error = give_to_protocol(server->use, stream);
        if (error)
            stream_free(stream);
    } else {
        stream->flags |= STREAM_SERVED;
        error = thrum_spawn_detached(serve_client(stream));
    }
    if (error)
        server_report(server, DROPPED, error, NULL);
}

/* Descriptors or memory are used up. The connection stays in the queue: look again in a second. */
static bool exhausted(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

int server_take(server_socket *listener, server_arrival *arrival)
{
    net_address *peer = &arrival->peer;
    arrival->stream = NULL;
    arrival->error = 0;
    if (listener->port.network)
        return network_accept(&listener->port, &listener->server->stream, arrival);
    for (int i = 0; i <= listener->server->backlog; i++) {
        peer->size = sizeof peer->as;
        arrival->descriptor = system_accept(listener->descriptor, &peer->as.any, &peer->size);
        if (arrival->descriptor >= 0)
            return 0;
        int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK)
            break;
        if (exhausted(error)) {
            server_report(listener->server, "accept() is out of resources; it is tried again in 1 s", -error, NULL);
            thrum_io_stop(&listener->io);
            (void)thrum_call_later(THRUM_SECONDS(1), &listener->retry);
            break;
        }
        if (error == EINVAL || error == EBADF || error == ENOTSOCK || error == EOPNOTSUPP) {
            thrum_io_stop(&listener->io);
            return -error;
        }
        /* The connection has gone meanwhile, or brought an error of the network with it: on to the next. */
    }
    return -EAGAIN;
}

static void accept_all(server_socket *listener)
{
    thrum_server *server = listener->server;
    for (int i = 0; i <= server->backlog; i++) {
        server_arrival arrival;
        if (server->flags & SERVER_CLOSED)
            return;
        int error = server_take(listener, &arrival);
        if (error) {
            if (error != -EAGAIN)
                server_report(server, "accept() failed; the server does not listen there any more", error, NULL);
            return;
        }
        begin_client(server, &arrival);
    }
}

/* Handlers have the variables of who had the server begin to serve. A factory, and a handler that runs at once, may
 * release the server, which is freed here then. */
void server_accept(thrum_handle *handle)
{
    server_socket *listener = (server_socket *)handle->context;
    thrum_server *server = listener->server;
    context_entry entry;
    server->taking = true;
    context_enter(thrum_state_here(), &entry, context_again(server->variables));
    accept_all(listener);
    context_leave(thrum_state_here(), &entry);
    server->taking = false;
    server_settle(server);
}

void server_retry(thrum_handle *handle)
{
    server_socket *listener = (server_socket *)handle->context;
    const thrum_server *server = listener->server;
    if (server->flags & SERVER_SERVING && (server_takes(server) || server->accepting.first))
        thrum_io_start(&listener->io);
}

void server_acceptable(thrum_io *io)
{
    server_socket *listener = thrum_io_of(io, server_socket, io);
    if (!server_takes(listener->server))
        server_wake_acceptor(listener->server);
    else if (!thrum_handle_pending(&listener->accept))
        (void)thrum_call_soon(&listener->accept);
}
