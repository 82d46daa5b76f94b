/* Servers: how they begin and end. */
#include "net/server.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thrum/events.h>

#include "core/checks.h"
#include "core/contextvars.h"

void server_report(thrum_server *server, const char *message, int error, const thrum_error *detail)
{
    thrum_report report;
    memset(&report, 0, sizeof report);
    report.message = message;
    report.error = error;
    report.detail = detail && detail->code == error ? detail : NULL;
    report.task = thrum_current_task();
    report.server = server;
    thrum_loop_call_exception_handler(thrum_loop_current(), &report);
}

/* ---- the end ---- */

static void server_free(thrum_server *server)
{
    thrum_loop_forget(&server->closer);
    context_forget(server->variables);
    thrum_tls_context_release(server->tls);
    if (server->sockets)
        pool_give(&thrum_state_here()->pool, server->sockets, server->room * sizeof *server->sockets, POOL_OTHER);
    pool_give(&thrum_state_here()->pool, server, sizeof *server, POOL_OTHER);
}

static void wake_all(thrum_waiters *waiters, int error)
{
    thrum_waiter *waiter;
    while ((waiter = thrum_waiters_pop(waiters)))
        thrum_wake(waiter, error, 0);
}

void server_settle(thrum_server *server)
{
    if (!(server->flags & SERVER_CLOSED) || server->client_count)
        return;
    wake_all(&server->waiters, 0);
    if (server->flags & SERVER_RELEASED && !server->woken && !server->taking)
        server_free(server);
}

void server_client_over(thrum_server *server, thrum_stream *stream)
{
    link_remove(&stream->client); /* into no list: it goes at once */
    stream->flags &= ~(uint32_t)STREAM_CLIENT;
    stream_free(stream);
    server->client_count--;
    server_settle(server);
}

void server_stream_over(thrum_stream *stream)
{
    thrum_server *server = stream->server;
    stream_leave_server(stream);
    server->client_count--;
    server_settle(server);
}

/* Remove the file of a Unix socket, unless somebody else has put another one there. */
static void remove_path(const thrum_server *server)
{
    struct stat file;
    const char *path = server->path.as.un.sun_path;
    if (server->path.size && path[0] && !lstat(path, &file) && file.st_ino == server->inode &&
        file.st_dev == server->device)
        (void)unlink(path);
}

static void close_sockets(thrum_server *server)
{
    for (size_t i = 0; i < server->count; i++) {
        server_socket *listener = &server->sockets[i];
        (void)thrum_handle_cancel(&listener->accept);
        (void)thrum_handle_cancel(&listener->retry);
        thrum_io_close(&listener->io);
        if (listener->port.network)
            network_close(&listener->port, (server->flags & SERVER_FORGOTTEN) != 0);
        else
            (void)close(listener->descriptor);
    }
    server->count = 0;
}

void thrum_server_close(thrum_server *server)
{
    if (!server || server->flags & SERVER_CLOSED)
        return;
    server->flags |= SERVER_CLOSED;
    loop_count_open(LOOP_SERVERS, false);
    server->flags &= ~(uint32_t)SERVER_SERVING;
    remove_path(server);
    close_sockets(server);
    wake_all(&server->closing, 0);
    server_wake_acceptors(server);
    server_settle(server);
}

void thrum_server_release(thrum_server *server)
{
    if (!server)
        return;
    thrum_server_close(server);
    thrum_server_abort_clients(server);
    wake_all(&server->waiters, THRUM_ECLOSED);
    server->flags |= SERVER_RELEASED;
    server_settle(server);
}

/* The streams of its clients hear of it. Of what was a transport they have already: those are younger than the server,
 * so that they closed before it. */
static void forget_clients(const thrum_server *server)
{
    net_link *next;
    for (net_link *link = server->clients.next; link != &server->clients; link = next) {
        thrum_stream *stream = (thrum_stream *)(void *)((char *)link - offsetof(thrum_stream, client));
        next = link->next;
        stream_forget(stream);
    }
}

/* The loop ends; its tasks are gone, and with them the handlers. */
static void loop_closes(thrum_loop_closer *closer)
{
    thrum_server *server = (thrum_server *)(void *)((char *)closer - offsetof(thrum_server, closer));
    server->taking = true; /* until all of them are told */
    forget_clients(server);
    server->taking = false;
    if (!(server->flags & SERVER_CLOSED))
        loop_tell_unclosed("server", server);
    thrum_loop_remember(&server->closer); /* server_free() takes it out */
    server->flags |= SERVER_FORGOTTEN;
    thrum_server_close(server);
    server->flags |= SERVER_RELEASED;
    while (!link_alone(&server->clients)) {
        thrum_stream *stream = (thrum_stream *)(void *)((char *)server->clients.next - offsetof(thrum_stream, client));
        stream_leave_server(stream);
        stream_free(stream);
    }
    server->client_count = 0;
    server->woken = 0;
    server_settle(server);
}

void thrum_server_close_clients(thrum_server *server)
{
    net_link *next;
    for (net_link *link = server->clients.next; link != &server->clients; link = next) {
        thrum_stream *stream = (thrum_stream *)(void *)((char *)link - offsetof(thrum_stream, client));
        next = link->next;
        stream->flags |= STREAM_ENDED_BY_SERVER;
        stream_begin_close(stream); /* also of a transport */
    }
}

void thrum_server_abort_clients(thrum_server *server)
{
    net_link *next;
    for (net_link *link = server->clients.next; link != &server->clients; link = next) {
        thrum_stream *stream = (thrum_stream *)(void *)((char *)link - offsetof(thrum_stream, client));
        next = link->next;
        stream->flags |= STREAM_ENDED_BY_SERVER;
        thrum_stream_abort(stream);
    }
}

/* ---- the beginning ---- */

static int server_new(thrum_server **made, server_use use, const thrum_server_options *options, size_t room)
{
    thrum_pool *pool = &thrum_state_here()->pool;
    thrum_server *server = (thrum_server *)pool_take(pool, sizeof *server, POOL_OTHER);
    server_socket *sockets = (server_socket *)pool_take(pool, room * sizeof *sockets, POOL_OTHER);
    if (!server || !sockets) {
        if (server)
            pool_give(pool, server, sizeof *server, POOL_OTHER);
        if (sockets)
            pool_give(pool, sockets, room * sizeof *sockets, POOL_OTHER);
        return THRUM_ENOMEM;
    }
    memset(server, 0, sizeof *server);
    memset(sockets, 0, room * sizeof *sockets);
    server->use = use;
    server->stream = *options->stream;
    server->tls = thrum_tls_context_retain(options->tls);
    server->handshake_timeout = options->handshake_timeout;
    server->shutdown_timeout = options->shutdown_timeout;
    server->backlog = options->backlog;
    server->sockets = sockets;
    server->room = room;
    link_init(&server->clients);
    server->closer.close = loop_closes;
    thrum_loop_remember(&server->closer);
    loop_count_open(LOOP_SERVERS, true);
    thrum_made_note(server);
    *made = server;
    return 0;
}

/* The next of the server's sockets, which does not listen yet. */
static server_socket *next_socket(thrum_server *server, int descriptor)
{
    server_socket *listener = &server->sockets[server->count];
    listener->server = server;
    listener->descriptor = descriptor;
    thrum_handle_init(&listener->accept, server_accept, listener);
    thrum_handle_init(&listener->retry, server_retry, listener);
    return listener;
}

/* Have the server own a socket that listens. */
static int add_socket(thrum_server *server, int descriptor)
{
    server_socket *listener = next_socket(server, descriptor);
    int error = thrum_io_init(&listener->io, descriptor, THRUM_IO_READ, server_acceptable);
    if (error)
        (void)close(descriptor);
    else
        server->count++;
    return error;
}

/* The same on the loop's network. */
static int add_port(thrum_server *server, net_address *address, int backlog)
{
    server_socket *listener = next_socket(server, -1);
    int error = network_listen(&listener->port, address, backlog);
    if (error)
        return error;
    thrum_io_init_source(&listener->io, &listener->port.source, THRUM_IO_READ, server_acceptable);
    listener->port.in = &listener->io;
    server->count++;
    return 0;
}

static int listen_on_one(thrum_server *server, net_address *address, const thrum_server_options *options)
{
    if (network_here(NULL))
        return add_port(server, address, options->backlog);
    int descriptor = listen_on(address, options);
    return descriptor < 0 ? descriptor : add_socket(server, descriptor);
}

int thrum_server_start_serving(thrum_server *server)
{
    if (server->flags & SERVER_CLOSED)
        return THRUM_ECLOSED;
    if (server->flags & SERVER_SERVING)
        return 0;
    server->flags |= SERVER_SERVING;
    server->variables = context_capture(thrum_state_here());
    for (size_t i = 0; server_takes(server) && i < server->count; i++)
        thrum_io_start(&server->sockets[i].io);
    return 0;
}

/* Listen on each of these addresses. A family that this system lacks, and an address that it does not have, are passed
 * over when there are others. */
static int listen_on_all(thrum_server *server, net_addresses *addresses, const thrum_server_options *options)
{
    int error = 0;
    for (size_t i = 0; i < addresses->count; i++) {
        net_address *address = &addresses->list[i];
        if (server->count && !address_port(&address->as.any))
            address_set_port(address, thrum_server_port(server)); /* the one that the first was given */
        error = listen_on_one(server, address, options);
        if (error && error != -EAFNOSUPPORT && error != -EADDRNOTAVAIL)
            return error;
    }
    return server->count ? 0 : error;
}

static int listen_with(thrum_server *server, const thrum_server_options *options)
{
    int error = 0;
    for (size_t i = 0; i < options->socket_count && !error; i++) {
        int descriptor = listen_given(options->sockets[i], options->backlog);
        error = descriptor < 0 ? descriptor : add_socket(server, descriptor);
    }
    return error;
}

int server_open(thrum_server **made, server_use use, net_addresses *addresses, const thrum_server_options *options)
{
    thrum_server *server;
    int error = server_new(&server, use, options, options->socket_count ? options->socket_count : addresses->count);
    if (error)
        return error;
    error = options->socket_count ? listen_with(server, options) : listen_on_all(server, addresses, options);
    if (error) {
        thrum_server_release(server);
        return error;
    }
    *made = server;
    return options->paused ? 0 : thrum_server_start_serving(server);
}

void server_keep_path(thrum_server *server)
{
    struct stat file;
    net_address address = {.size = sizeof address.as};
    const char *path = address.as.un.sun_path;
    if (server->sockets[0].port.network || /* where there is no file */
        getsockname(server->sockets[0].descriptor, &address.as.any, &address.size) ||
        address.as.any.sa_family != AF_UNIX)
        return;
    server->flags |= SERVER_UNIX;
    if (address.size > offsetof(struct sockaddr_un, sun_path) && path[0] && !lstat(path, &file)) {
        server->path = address;
        server->device = file.st_dev;
        server->inode = file.st_ino;
    }
}
