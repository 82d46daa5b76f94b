/* Making connections: from a name or a path to a stream. */
#include <thrum/async.h>

#include <string.h>

#include "net/connect.h"
#include "net/stream.h"

#include <thrum/tls.h>

thrum_awaitable connect_tls(thrum_stream *stream, const thrum_connect_options *options, const char *host,
                            bool server_side)
{
    thrum_tls_start_options start = {.size = sizeof start, .server_side = server_side};
    start.server_hostname = options->server_hostname ? options->server_hostname : host;
    start.handshake_timeout = options->handshake_timeout;
    start.shutdown_timeout = options->shutdown_timeout;
    start.session = options->session;
    return thrum_start_tls_with(stream, options->tls, &start);
}

static ASYNC(open_connection,
             ARGS((const char *, host), (const char *, port), (thrum_connect_options, options),
                  (thrum_stream_options, settings)),
             LOCALS(connect_plan plan; thrum_stream * stream; int error;))
{
    thrum_stream *made;
    ASYNC_BEGIN;
    AWAIT(net_resolve(&self->plan.addresses, self->host, self->port, self->options.family, false));
    if (self->options.local_host || self->options.local_port)
        AWAIT(net_resolve(&self->plan.local, self->options.local_host ? self->options.local_host : "",
                          self->options.local_port, self->options.family, true));
    self->plan.stream = self->settings;
    self->plan.delay = self->options.happy_eyeballs_delay;
    self->plan.all_errors = self->options.all_errors;
    self->error = connect_interleave(&self->plan.addresses,
                                     self->options.interleave || !self->plan.delay ? self->options.interleave : 1);
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT_INTO(self->stream, connect_any(&self->plan));
    if (self->options.tls)
        AWAIT(connect_tls(self->stream, &self->options, self->host ? self->host : "localhost", false));
    made = self->stream;
    self->stream = NULL;
    ASYNC_RETURN(made);
FINALLY:
    thrum_stream_release(self->stream);
    addresses_free(&self->plan.addresses);
    addresses_free(&self->plan.local);
    ASYNC_END;
}

static ASYNC(open_unix_connection,
             ARGS((const char *, path), (thrum_connect_options, options), (thrum_stream_options, settings)),
             LOCALS(net_address address; connect_plan plan; thrum_stream * stream;))
{
    thrum_stream *made;
    ASYNC_BEGIN;
    if (!address_unix(&self->address, self->path))
        ASYNC_RAISE(thrum_error_set(THRUM_EINVAL, 0, "connect", 0, self->path));
    self->plan.addresses.list = &self->address;
    self->plan.addresses.count = 1;
    self->plan.stream = self->settings;
    AWAIT_INTO(self->stream, connect_any(&self->plan));
    if (self->options.tls)
        AWAIT(connect_tls(self->stream, &self->options, NULL, false));
    made = self->stream;
    self->stream = NULL;
    ASYNC_RETURN(made);
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

int connect_check(const thrum_connect_options *given, thrum_connect_options *options, thrum_stream_options *settings)
{
    memset(options, 0, sizeof *options);
    if (given) {
        if (given->size < sizeof given->size || given->size > sizeof *options)
            return THRUM_EINVAL;
        memcpy(options, given, given->size);
    }
    if (options->handshake_timeout < 0 || options->shutdown_timeout < 0)
        return THRUM_EINVAL;
    if (!options->tls &&
        (options->server_hostname || options->handshake_timeout || options->shutdown_timeout || options->session))
        return THRUM_EINVAL; /* they are TLS's, and there is none */
    return options->happy_eyeballs_delay < 0 ? THRUM_EINVAL : stream_options_check(options->stream, settings);
}

thrum_awaitable thrum_open_connection_with(const char *host, const char *port, const thrum_connect_options *options)
{
    thrum_connect_options checked;
    thrum_stream_options settings;
    int error = connect_check(options, &checked, &settings);
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
    int error = connect_check(options, &checked, &settings);
    if (!error && checked.tls && !checked.server_hostname)
        error = THRUM_EINVAL; /* a path names no host */
    return error ? thrum_awaitable_failing(error) : open_unix_connection(path, checked, settings);
}

thrum_awaitable thrum_open_unix_connection(const char *path)
{
    return thrum_open_unix_connection_with(path, NULL);
}
