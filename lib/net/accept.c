/* Taking connections, and running the handler of each. */
#include <thrum/async.h>

#include <errno.h>
#include <unistd.h>

#include "net/server.h"

static const char HANDLER_FAILED[] = "a connection's handler failed";

/* One connection, from its first to its last moment. */
static ASYNC(serve_client, ARGS((thrum_server *, server), (thrum_stream *, stream)), LOCALS(int error; int ignored;),
             ON_DROP(server_client_over(self->server, self->stream);))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, self->server->handler(self->stream, self->server->context));
    /* When the server closed the connection, its handler may well have tried to write on. */
    if (self->error && !(self->error == THRUM_ECLOSED && self->stream->flags & STREAM_ENDED_BY_SERVER))
        server_report(HANDLER_FAILED, self->error, thrum_error_last());
    /* What a peer did not take is its own affair. */
    AWAIT_CATCH(self->ignored, thrum_stream_close(self->stream));
FINALLY:
    /* After a cancellation: what can leave leaves, nobody waits. */
    stream_begin_close(self->stream);
    server_client_over(self->server, self->stream);
    ASYNC_END;
}

static void begin_client(thrum_server *server, int descriptor, const struct sockaddr *peer)
{
    thrum_stream *stream;
    int error = stream_new(&stream, descriptor, &server->stream, peer);
    if (error) {
        (void)close(descriptor);
        server_report("a connection was dropped", error, NULL);
        return;
    }
    stream->flags |= STREAM_SERVED;
    stream->server = server;
    link_before(&server->clients, &stream->client);
    server->client_count++;
    error = thrum_spawn_detached(serve_client(server, stream));
    if (error)
        server_report("a connection was dropped", error, NULL);
}

/* Descriptors or memory are used up. The connection stays in the queue: look again in a second. */
static bool exhausted(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void server_accept(thrum_handle *handle)
{
    server_socket *listener = (server_socket *)handle->context;
    thrum_server *server = listener->server;
    for (int i = 0; i <= server->backlog; i++) {
        net_address peer;
        if (server->flags & SERVER_CLOSED)
            return;
        peer.size = sizeof peer.as;
        int descriptor = accept4(listener->descriptor, &peer.as.any, &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            begin_client(server, descriptor, &peer.as.any);
            continue;
        }
        int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK)
            return;
        if (exhausted(error)) {
            server_report("accept() is out of resources; it is tried again in 1 s", -error, NULL);
            thrum_io_stop(&listener->io);
            (void)thrum_call_later(THRUM_SECONDS(1), &listener->retry);
            return;
        }
        if (error == EINVAL || error == EBADF || error == ENOTSOCK || error == EOPNOTSUPP) {
            server_report("accept() failed; the server does not listen there any more", -error, NULL);
            thrum_io_stop(&listener->io);
            return;
        }
        /* The connection has gone meanwhile, or brought an error of the network with it: on to the next. */
    }
}

void server_retry(thrum_handle *handle)
{
    server_socket *listener = (server_socket *)handle->context;
    if (listener->server->flags & SERVER_SERVING)
        thrum_io_start(&listener->io);
}

void server_acceptable(thrum_io *io)
{
    server_socket *listener = (server_socket *)io->owner;
    if (!thrum_handle_pending(&listener->accept))
        (void)thrum_call_soon(&listener->accept);
}
