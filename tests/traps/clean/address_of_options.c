#include "../trap.h"
#include <thrum/servers.h>

static ASYNC(handle, ARGS((thrum_stream *, client), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_close(self->client));
    ASYNC_END;
}

/* Options are copied before the await begins. */
ASYNC(serve, ARGS((const char *, port)), LOCALS(thrum_server *server;))
{
    ASYNC_BEGIN;
    {
        thrum_server_options options = { .size = sizeof options };
        options.backlog = 128;
        AWAIT_INTO(self->server, thrum_start_server_with(handle, NULL, "127.0.0.1", self->port, &options));
    }
    AWAIT_INTO(self->server, thrum_start_server_with(handle, NULL, "127.0.0.1", self->port,
                                                     &(thrum_server_options){ .size = sizeof(thrum_server_options) }));
    AWAIT(thrum_server_serve_forever(self->server));
    ASYNC_END;
}
