/* Servers: how they begin and end. */
#include "net/server.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thrum/async.h>
#include <thrum/events.h>

#include "core/state.h"

void server_report(const char *message, int error, const thrum_error *detail)
{
    thrum_report report;
    memset(&report, 0, sizeof report);
    report.message = message;
    report.error = error;
    report.detail = detail && detail->code == error ? detail : NULL;
    report.task = thrum_current_task();
    thrum_loop_call_exception_handler(thrum_loop_current(), &report);
}

/* ---- the end ---- */

static void server_free(thrum_server *server)
{
    thrum_loop_forget(&server->closer);
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

/* Closed, and the last connection over: those who wait hear it. */
static void server_settle(thrum_server *server)
{
    if (!(server->flags & SERVER_CLOSED) || server->client_count)
        return;
    wake_all(&server->waiters, 0);
    if (server->flags & SERVER_RELEASED)
        server_free(server);
}

void server_client_over(thrum_server *server, thrum_stream *stream)
{
    link_remove(&stream->client);
    stream_free(stream);
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
        (void)close(listener->descriptor);
    }
    server->count = 0;
}

void thrum_server_close(thrum_server *server)
{
    if (!server || server->flags & SERVER_CLOSED)
        return;
    server->flags |= SERVER_CLOSED;
    server->flags &= ~(uint32_t)SERVER_SERVING;
    remove_path(server);
    close_sockets(server);
    wake_all(&server->closing, 0);
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

/* The loop ends; its tasks are gone, and with them the handlers. */
static void loop_closes(thrum_loop_closer *closer)
{
    thrum_server *server = (thrum_server *)(void *)((char *)closer - offsetof(thrum_server, closer));
    thrum_loop_remember(&server->closer); /* server_free() takes it out */
    thrum_server_close(server);
    server->flags |= SERVER_RELEASED;
    while (!link_alone(&server->clients)) {
        thrum_stream *stream = (thrum_stream *)(void *)((char *)server->clients.next - offsetof(thrum_stream, client));
        link_remove(&stream->client);
        stream_free(stream);
    }
    server->client_count = 0;
    server_settle(server);
}

void thrum_server_close_clients(thrum_server *server)
{
    net_link *next;
    for (net_link *link = server->clients.next; link != &server->clients; link = next) {
        thrum_stream *stream = (thrum_stream *)(void *)((char *)link - offsetof(thrum_stream, client));
        next = link->next;
        stream->flags |= STREAM_ENDED_BY_SERVER;
        stream_begin_close(stream);
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

static int server_new(thrum_server **made, thrum_stream_handler *handler, void *context,
                      const thrum_server_options *options, size_t room)
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
    server->handler = handler;
    server->context = context;
    server->stream = *options->stream;
    server->backlog = options->backlog;
    server->sockets = sockets;
    server->room = room;
    link_init(&server->clients);
    server->closer.close = loop_closes;
    thrum_loop_remember(&server->closer);
    *made = server;
    return 0;
}

/* Have the server own a socket that listens. */
static int add_socket(thrum_server *server, int descriptor)
{
    server_socket *listener = &server->sockets[server->count];
    listener->server = server;
    listener->descriptor = descriptor;
    thrum_handle_init(&listener->accept, server_accept, listener);
    thrum_handle_init(&listener->retry, server_retry, listener);
    int error = thrum_io_init(&listener->io, descriptor, IO_READ, server_acceptable, listener);
    if (error)
        (void)close(descriptor);
    else
        server->count++;
    return error;
}

int thrum_server_start_serving(thrum_server *server)
{
    if (server->flags & SERVER_CLOSED)
        return THRUM_ECLOSED;
    if (server->flags & SERVER_SERVING)
        return 0;
    server->flags |= SERVER_SERVING;
    for (size_t i = 0; i < server->count; i++)
        thrum_io_start(&server->sockets[i].io);
    return 0;
}

/* Listen on all of these addresses, or on none. */
static int open_server(thrum_server **made, thrum_stream_handler *handler, void *context, net_addresses *addresses,
                       const thrum_server_options *options)
{
    thrum_server *server;
    int error = server_new(&server, handler, context, options, addresses->count), descriptor = 0;
    if (error)
        return error;
    for (size_t i = 0; i < addresses->count && !error; i++) {
        net_address *address = &addresses->list[i];
        if (server->count && !address_port(&address->as.any))
            address_set_port(address, thrum_server_port(server)); /* the one that the first was given */
        descriptor = listen_on(address, options);
        if (descriptor >= 0)
            error = add_socket(server, descriptor);
        else if (descriptor != -EAFNOSUPPORT || addresses->count == 1)
            error = descriptor; /* a family that this system lacks is passed over */
    }
    if (!error && !server->count)
        error = descriptor;
    if (error) {
        thrum_server_release(server);
        return error;
    }
    *made = server;
    return options->paused ? 0 : thrum_server_start_serving(server);
}

static ASYNC(start_server,
             ARGS((thrum_stream_handler *, handler), (void *, context), (const char *, host), (const char *, port),
                  (thrum_server_options, options), (thrum_stream_options, settings)),
             LOCALS(net_addresses addresses; size_t i; int error; thrum_server * server;))
{
    ASYNC_BEGIN;
    self->options.stream = &self->settings;
    AWAIT(net_resolve(&self->addresses, self->host, self->port, self->options.family, true));
    for (self->i = 0; self->i < self->options.host_count; self->i++)
        AWAIT(net_resolve(&self->addresses, self->options.hosts[self->i], self->port, self->options.family, true));
    self->error = open_server(&self->server, self->handler, self->context, &self->addresses, &self->options);
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(self->server);
FINALLY:
    addresses_free(&self->addresses);
    ASYNC_END;
}

static ASYNC(start_unix_server,
             ARGS((thrum_stream_handler *, handler), (void *, context), (const char *, path),
                  (thrum_server_options, options), (thrum_stream_options, settings)),
             LOCALS(net_address address; thrum_server * server; int error;))
{
    struct stat file;
    net_addresses addresses;
    ASYNC_BEGIN;
    self->options.stream = &self->settings;
    if (!address_unix(&self->address, self->path))
        ASYNC_RAISE(thrum_error_set(THRUM_EINVAL, 0, "bind", 0, self->path));
    addresses.list = &self->address;
    addresses.count = addresses.room = 1;
    self->error = open_server(&self->server, self->handler, self->context, &addresses, &self->options);
    if (self->error)
        ASYNC_RAISE(self->error);
    self->server->flags |= SERVER_UNIX;
    if (!self->options.keep_path && self->path[0] != '@' && !lstat(self->path, &file)) {
        self->server->path = self->address;
        self->server->device = file.st_dev;
        self->server->inode = file.st_ino;
    }
    ASYNC_RETURN(self->server);
    ASYNC_END;
}

static int check(const thrum_server_options *given, thrum_server_options *options, thrum_stream_options *settings)
{
    memset(options, 0, sizeof *options);
    if (given) {
        if (given->size < sizeof given->size || given->size > sizeof *options)
            return THRUM_EINVAL;
        memcpy(options, given, given->size);
    }
    if (!options->backlog)
        options->backlog = 100;
    return options->backlog < 0 ? THRUM_EINVAL : stream_options_check(options->stream, settings);
}

thrum_awaitable thrum_start_server_with(thrum_stream_handler *handler, void *context, const char *host,
                                        const char *port, const thrum_server_options *options)
{
    thrum_server_options checked;
    thrum_stream_options settings;
    int error = check(options, &checked, &settings);
    return error ? thrum_awaitable_failing(error) : start_server(handler, context, host, port, checked, settings);
}

thrum_awaitable thrum_start_server(thrum_stream_handler *handler, void *context, const char *host, const char *port)
{
    return thrum_start_server_with(handler, context, host, port, NULL);
}

thrum_awaitable thrum_start_unix_server_with(thrum_stream_handler *handler, void *context, const char *path,
                                             const thrum_server_options *options)
{
    thrum_server_options checked;
    thrum_stream_options settings;
    int error = check(options, &checked, &settings);
    return error ? thrum_awaitable_failing(error) : start_unix_server(handler, context, path, checked, settings);
}

thrum_awaitable thrum_start_unix_server(thrum_stream_handler *handler, void *context, const char *path)
{
    return thrum_start_unix_server_with(handler, context, path, NULL);
}
