/* Both ends of a connection over a network, for tests that tell both what to do. */
#ifndef TEST_TESTING_NETWORK_JOIN_H
#define TEST_TESTING_NETWORK_JOIN_H

#include "network_support.h"

/* A server that gives connections one by one, as the tests want them. */
static inline thrum_awaitable listen_at(const char *host, const char *port, int backlog)
{
    const thrum_server_options options = {.size = sizeof options, .backlog = backlog};
    return thrum_start_server_with(NULL, NULL, host, port, &options);
}

/* Both ends, of which the tests that follow tell. */
static ASYNC(join,
             ARGS((thrum_test_network *, network), (thrum_server *, server), (thrum_stream **, a),
                  (thrum_stream **, b)),
             LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT_INTO(*self->a, AS("client", thrum_open_connection("server", "7777")));
    AWAIT_INTO(*self->b, thrum_server_accept(self->server));
    ASYNC_END;
}

static inline void give_back(thrum_stream *a, thrum_stream *b, thrum_server *server, thrum_test_network *network)
{
    thrum_stream_release(a);
    thrum_stream_release(b);
    thrum_server_release(server);
    thrum_test_network_close(network);
}

#endif
