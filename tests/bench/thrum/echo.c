/* Echo over thrum's streams, the same work as field/asyncio_echo.py: wait for bytes, write them, wait while the peer is
 * slow. As in the other servers a connection that waits holds no buffer: the bytes are lent by the loop, and good until
 * the task suspends. So no write may wait with them; the waiting is done before, by a flush. */
#include <stdio.h>

#include <thrum/async.h>
#include <thrum/runners.h>
#include <thrum/servers.h>

enum { MOST_LENT = 65536 };

static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(const void *data; size_t size;))
{
    ASYNC_BEGIN;
    thrum_stream_set_write_limits(self->client, 2 * MOST_LENT, MOST_LENT);
    for (;;) {
        if (thrum_stream_unsent(self->client) > MOST_LENT)
            AWAIT(thrum_stream_flush(self->client));
        AWAIT_INTO(self->size, thrum_stream_fill(self->client, &self->data, 1));
        if (self->size == 0)
            break;
        AWAIT(thrum_stream_write(self->client, self->data, self->size));
    }
    ASYNC_END;
}

static ASYNC(serve, ARGS((const char *, path)), LOCALS(thrum_server *server;))
{
    ASYNC_BEGIN;
    thrum_server_options options = {.size = sizeof options, .backlog = 4096};
    if (self->path)
        AWAIT_INTO(self->server, thrum_start_unix_server_with(echo, NULL, self->path, &options));
    else
        AWAIT_INTO(self->server, thrum_start_server_with(echo, NULL, "127.0.0.1", "0", &options));
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
