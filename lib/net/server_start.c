/* Starting servers: what is given is checked, names are looked up, then sockets listen. */
#include <thrum/async.h>

#include <string.h>

#include "net/server.h"

/* The same address given twice is listened on once. */
static void collapse(net_addresses *addresses)
{
    size_t kept = 0;
    for (size_t i = 0; i < addresses->count; i++) {
        const net_address *address = &addresses->list[i];
        size_t same = 0;
        while (same < kept && (addresses->list[same].size != address->size ||
                               memcmp(&addresses->list[same].as, &address->as, address->size) != 0))
            same++;
        if (same == kept)
            addresses->list[kept++] = *address;
    }
    addresses->count = kept;
}

static ASYNC(start_server,
             ARGS((server_use, use), (const char *, host), (const char *, port), (thrum_server_options, options),
                  (thrum_stream_options, settings)),
             LOCALS(net_addresses addresses; size_t i; int error; thrum_server * server;))
{
    ASYNC_BEGIN;
    self->options.stream = &self->settings;
    if (!self->options.socket_count)
        AWAIT(net_resolve(&self->addresses, self->host, self->port, self->options.family, true));
    for (self->i = 0; self->i < self->options.host_count; self->i++)
        AWAIT(net_resolve(&self->addresses, self->options.hosts[self->i], self->port, self->options.family, true));
    collapse(&self->addresses);
    self->error = server_open(&self->server, self->use, &self->addresses, &self->options);
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(self->server);
FINALLY:
    addresses_free(&self->addresses);
    ASYNC_END;
}

static ASYNC(start_unix_server,
             ARGS((server_use, use), (const char *, path), (thrum_server_options, options),
                  (thrum_stream_options, settings)),
             LOCALS(net_address address; thrum_server * server; int error;))
{
    net_addresses addresses = {.list = &self->address, .count = 1, .room = 1};
    ASYNC_BEGIN;
    self->options.stream = &self->settings;
    if (!self->options.socket_count && !address_unix(&self->address, self->path))
        ASYNC_RAISE(thrum_error_set(THRUM_EINVAL, 0, "bind", 0, self->path));
    self->error = server_open(&self->server, self->use, &addresses, &self->options);
    if (self->error)
        ASYNC_RAISE(self->error);
    if (!self->options.keep_path)
        server_keep_path(self->server);
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
    if (!options->sockets != !options->socket_count || (options->socket_count && options->host_count))
        return THRUM_EINVAL;
    if (options->handshake_timeout < 0 || options->shutdown_timeout < 0 ||
        (!options->tls && (options->handshake_timeout || options->shutdown_timeout)))
        return THRUM_EINVAL;
    return options->backlog < 0 ? THRUM_EINVAL : stream_options_check(options->stream, settings);
}

thrum_awaitable server_start(server_use use, const char *host, const char *port, const thrum_server_options *options)
{
    thrum_server_options checked;
    thrum_stream_options settings;
    int error = check(options, &checked, &settings);
    if (checked.socket_count && (host || port))
        error = THRUM_EINVAL;
    if (checked.tls && !use.handler && !use.factory)
        error = THRUM_EINVAL; /* who takes connections one by one shakes hands where that holds up nobody else */
    return error ? thrum_awaitable_failing(error) : start_server(use, host, port, checked, settings);
}

thrum_awaitable server_start_unix(server_use use, const char *path, const thrum_server_options *options)
{
    thrum_server_options checked;
    thrum_stream_options settings;
    int error = check(options, &checked, &settings);
    if ((checked.socket_count && path) || (checked.tls && !use.handler && !use.factory))
        error = THRUM_EINVAL;
    return error ? thrum_awaitable_failing(error) : start_unix_server(use, path, checked, settings);
}

thrum_awaitable thrum_start_server_with(thrum_stream_handler *handler, void *context, const char *host,
                                        const char *port, const thrum_server_options *options)
{
    return server_start((server_use){handler, NULL, context}, host, port, options);
}

thrum_awaitable thrum_start_server(thrum_stream_handler *handler, void *context, const char *host, const char *port)
{
    return thrum_start_server_with(handler, context, host, port, NULL);
}

thrum_awaitable thrum_start_unix_server_with(thrum_stream_handler *handler, void *context, const char *path,
                                             const thrum_server_options *options)
{
    return server_start_unix((server_use){handler, NULL, context}, path, options);
}

thrum_awaitable thrum_start_unix_server(thrum_stream_handler *handler, void *context, const char *path)
{
    return thrum_start_unix_server_with(handler, context, path, NULL);
}
