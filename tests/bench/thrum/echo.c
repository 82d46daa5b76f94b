/* Echo over thrum's streams, the same work as field/asyncio_echo.py: wait for bytes, write them, wait while the peer is
 * slow. */
#include <stdio.h>

#include <thrum/async.h>
#include <thrum/runners.h>
#include <thrum/servers.h>

static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(size_t size;),
             BUFFERS(char buffer[65536];))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->size, thrum_stream_read(self->client, self->buffer, sizeof self->buffer));
        if (self->size == 0)
            break;
        AWAIT(thrum_stream_write(self->client, self->buffer, self->size));
    }
    ASYNC_END;
}

static ASYNC(serve, ARGS_NONE, LOCALS(thrum_server *server;))
{
    ASYNC_BEGIN;
    thrum_server_options options = {.size = sizeof options, .backlog = 4096};
    AWAIT_INTO(self->server, thrum_start_server_with(echo, NULL, "127.0.0.1", "0", &options));
    printf("PORT %d\n", thrum_server_port(self->server));
    fflush(stdout);
    AWAIT(thrum_server_serve_forever(self->server));
    ASYNC_END;
}

int main(void)
{
    return thrum_run(serve());
}
