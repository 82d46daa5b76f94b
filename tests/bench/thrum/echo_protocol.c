/* Echo over thrum's transports, the same work as field/asyncio_echo.py does over streams: bytes are written as they
 * come, and nothing is received while the peer does not take them. */
#include <stdio.h>
#include <stdlib.h>

#include <thrum/async.h>
#include <thrum/runners.h>
#include <thrum/transports.h>

static int made(void *context, thrum_transport *transport)
{
    *(thrum_transport **)context = transport;
    return 0;
}

static int received(void *context, const void *data, size_t size)
{
    return thrum_transport_write(*(thrum_transport **)context, data, size);
}

static void lost(void *context, int error)
{
    (void)error;
    free(context);
}

static void paused(void *context)
{
    thrum_transport_pause_reading(*(thrum_transport **)context);
}

static void resumed(void *context)
{
    thrum_transport_resume_reading(*(thrum_transport **)context);
}

static const thrum_protocol echo = {
    .size = sizeof echo,
    .connection_made = made,
    .data_received = received,
    .connection_lost = lost,
    .pause_writing = paused,
    .resume_writing = resumed,
};

static int make_echo(void *context, const thrum_protocol **protocol, void **own)
{
    (void)context;
    *protocol = &echo;
    *own = malloc(sizeof(thrum_transport *));
    return *own ? 0 : THRUM_ENOMEM;
}

static ASYNC(serve, ARGS((const char *, path)), LOCALS(thrum_server *server;))
{
    ASYNC_BEGIN;
    thrum_server_options options = {.size = sizeof options, .backlog = 4096};
    if (self->path)
        AWAIT_INTO(self->server, thrum_create_unix_server_with(make_echo, NULL, self->path, &options));
    else
        AWAIT_INTO(self->server, thrum_create_server_with(make_echo, NULL, "127.0.0.1", "0", &options));
    printf("PORT %d\n", thrum_server_port(self->server));
    fflush(stdout);
    AWAIT(thrum_server_serve_forever(self->server));
    ASYNC_END;
}

/* On a free port, or on the path of a Unix socket. */
int main(int argc, char **argv)
{
    return thrum_run(serve(argc > 1 ? argv[1] : NULL));
}
