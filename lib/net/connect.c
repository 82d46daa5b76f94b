/* Making connections: addresses are tried in their order. */
#include <thrum/async.h>

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/resolve.h"
#include "net/stream.h"

/* ---- one address ---- */

static thrum_step connect_done(thrum_stream *stream, thrum_task *task, int error)
{
    stream->flags &= ~(uint32_t)STREAM_CONNECTING;
    stream->reader = NULL;
    thrum_io_stop(&stream->out);
    return thrum_done(task, error, 0);
}

static thrum_step connect_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    const net_address *address = (const net_address *)(intptr_t)record->a;
    if (!connect(stream->descriptor, &address->as.any, address->size))
        return thrum_done(task, 0, 0);
    if (errno != EINPROGRESS && errno != EINTR)
        return thrum_done(task, -errno, 0);
    stream->reader = task;
    stream->flags |= STREAM_CONNECTING;
    thrum_io_start(&stream->out);
    return thrum_parked(task);
}

static thrum_step connect_resume(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    int error = 0;
    socklen_t size = sizeof error;
    if (!stream || stream->flags & STREAM_CLOSED)
        return thrum_done(task, THRUM_ECLOSED, 0);
    if (getsockopt(stream->descriptor, SOL_SOCKET, SO_ERROR, &error, &size))
        error = errno;
    return connect_done(stream, task, -error);
}

static thrum_cancel_result connect_cancel(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    if (stream) {
        stream->reader = NULL;
        stream->flags &= ~(uint32_t)STREAM_CONNECTING;
        thrum_io_stop(&stream->out);
    }
    return THRUM_DETACHED;
}

static const thrum_operations connect_operations = {connect_start, connect_resume, connect_cancel, NULL, "connect"};

static thrum_awaitable connect_stream(thrum_stream *stream, const net_address *address)
{
    return thrum_awaitable_make(&connect_operations, stream, (thrum_value)(intptr_t)address, 0);
}

/* A stream with a socket that is not connected yet, bound to one of the local addresses if there are any. */
static int open_socket(thrum_stream **stream, const net_address *address, const net_addresses *local,
                       const thrum_stream_options *options)
{
    int family = address->as.any.sa_family, error = 0;
    int descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -errno;
    if (family != AF_UNIX)
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (local->count) {
        error = -EADDRNOTAVAIL;
        for (size_t i = 0; error && i < local->count; i++)
            if (local->list[i].as.any.sa_family == family)
                error = bind(descriptor, &local->list[i].as.any, local->list[i].size) ? -errno : 0;
    }
    if (!error)
        error = stream_new(stream, descriptor, options, &address->as.any);
    if (error)
        (void)close(descriptor);
    return error;
}

/* ---- all of them ---- */

/* "[::1]:81, 127.0.0.1:81": which addresses were tried. */
static void note(char *text, size_t room, const net_address *address)
{
    char one[THRUM_ADDRESS_TEXT];
    size_t used = strlen(text);
    address_text(&address->as.any, address->size, one, sizeof one);
    (void)snprintf(text + used, room - used, "%s%s", used ? ", " : "", one);
}

/* One of a Unix socket whose queue is full says so at once, and there is nothing to wait for but time. */
static bool try_later(int error, const net_address *address)
{
    return error == -EAGAIN && address->as.any.sa_family == AF_UNIX;
}

static ASYNC(connect_any,
             ARGS((const net_addresses *, addresses), (const net_addresses *, local),
                  (const thrum_stream_options *, options)),
             LOCALS(thrum_stream *stream; size_t i; int error; char tried[THRUM_ERROR_TEXT];))
{
    thrum_stream *connected;
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->addresses->count; self->i++) {
        self->error = open_socket(&self->stream, &self->addresses->list[self->i], self->local, self->options);
        if (!self->error)
            AWAIT_CATCH(self->error, connect_stream(self->stream, &self->addresses->list[self->i]));
        while (try_later(self->error, &self->addresses->list[self->i])) {
            AWAIT(thrum_sleep(MILLISECONDS(10)));
            AWAIT_CATCH(self->error, connect_stream(self->stream, &self->addresses->list[self->i]));
        }
        if (!self->error) {
            connected = self->stream;
            self->stream = NULL;
            ASYNC_RETURN(connected);
        }
        note(self->tried, sizeof self->tried, &self->addresses->list[self->i]);
        thrum_stream_release(self->stream);
        self->stream = NULL;
    }
    ASYNC_RAISE(
        thrum_error_set(self->error, self->error > THRUM_ECANCELED ? -self->error : 0, "connect", 0, self->tried));
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static ASYNC(open_connection,
             ARGS((const char *, host), (const char *, port), (thrum_connect_options, options),
                  (thrum_stream_options, settings)),
             LOCALS(net_addresses addresses, local; thrum_stream * stream;))
{
    ASYNC_BEGIN;
    AWAIT(net_resolve(&self->addresses, self->host, self->port, self->options.family, false));
    if (self->options.local_host || self->options.local_port)
        AWAIT(net_resolve(&self->local, self->options.local_host ? self->options.local_host : "",
                          self->options.local_port, self->options.family, true));
    AWAIT_INTO(self->stream, connect_any(&self->addresses, &self->local, &self->settings));
    ASYNC_RETURN(self->stream);
FINALLY:
    addresses_free(&self->addresses);
    addresses_free(&self->local);
    ASYNC_END;
}

static ASYNC(open_unix_connection, ARGS((const char *, path), (thrum_stream_options, settings)),
             LOCALS(net_address address; net_addresses addresses, local; thrum_stream * stream;))
{
    ASYNC_BEGIN;
    if (!address_unix(&self->address, self->path))
        ASYNC_RAISE(thrum_error_set(THRUM_EINVAL, 0, "connect", 0, self->path));
    self->addresses.list = &self->address;
    self->addresses.count = 1;
    AWAIT_INTO(self->stream, connect_any(&self->addresses, &self->local, &self->settings));
    ASYNC_RETURN(self->stream);
    ASYNC_END;
}

static int check(const thrum_connect_options *given, thrum_connect_options *options, thrum_stream_options *settings)
{
    memset(options, 0, sizeof *options);
    if (given) {
        if (given->size < sizeof given->size || given->size > sizeof *options)
            return THRUM_EINVAL;
        memcpy(options, given, given->size);
    }
    return stream_options_check(options->stream, settings);
}

thrum_awaitable thrum_open_connection_with(const char *host, const char *port, const thrum_connect_options *options)
{
    thrum_connect_options checked;
    thrum_stream_options settings;
    int error = check(options, &checked, &settings);
    return error ? thrum_awaitable_failing(error) : open_connection(host, port, checked, settings);
}

thrum_awaitable thrum_open_connection(const char *host, const char *port)
{
    return thrum_open_connection_with(host, port, NULL);
}

thrum_awaitable thrum_open_unix_connection_with(const char *path, const thrum_connect_options *options)
{
    thrum_connect_options checked;
    thrum_stream_options settings;
    int error = check(options, &checked, &settings);
    return error ? thrum_awaitable_failing(error) : open_unix_connection(path, settings);
}

thrum_awaitable thrum_open_unix_connection(const char *path)
{
    return thrum_open_unix_connection_with(path, NULL);
}
