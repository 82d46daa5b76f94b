#include "../trap.h"
#include <thrum/servers.h>

static ASYNC(handle, ARGS((thrum_stream *, client), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_close(self->client));
    ASYNC_END;
}

/* The options themselves are copied; the context is not. */
ASYNC(serve, ARGS((const char *, port)), LOCALS(thrum_server *server;))
{
    int context = 0;
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(handle, &context, "127.0.0.1", self->port)); // finds address-into-await: 'context'
    ASYNC_END;
}
