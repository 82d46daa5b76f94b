/* The sample proxy, with everything that can come in between, over real sockets: whom it connects to runs in the same
 * loop. */
#include <signal.h>

#include "samples_server.h"

#include "../../samples/proxy/main.c"
#undef main

enum { MUCH = 400 * 1024 };

static struct proxy proxy;
static int descriptors_before;

static int next_descriptor(void)
{
    int next = dup(0);
    close(next);
    return next;
}

static int all_is_back(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    (void)context;
    (void)run;
    (void)result;
    bool wrong = proxy.connections || next_descriptor() != descriptors_before;
    proxy.connections = 0;
    return wrong;
}

/* What comes goes back. */
static ASYNC(reply, ARGS((thrum_stream *, client), (void *, context)),
             LOCALS(const void *data; size_t size; int error;))
{
    ASYNC_BEGIN;
    do {
        AWAIT_CATCH_INTO(self->error, self->size, thrum_stream_fill(self->client, &self->data, 1));
        if (!self->error)
            AWAIT_CATCH(self->error, thrum_stream_write(self->client, self->data, self->size));
    } while (self->size && !self->error);
    ASYNC_END;
}

static ASYNC(proxied, ARGS((void *, context)), LOCALS(thrum_server *server; char port[16];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(reply, NULL, "127.0.0.1", "0"));
    (void)snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    proxy.port = self->port;
    AWAIT(app(&proxy, "127.0.0.1", "0", SECONDS(10)));
FINALLY:
    thrum_server_close(self->server);
    thrum_server_release(self->server);
    ASYNC_END;
}

static void explore_proxy(const char *say, bool copy)
{
    served any = {.serve = proxied, .say = say};
    (void)signal(SIGPIPE, SIG_IGN);
    descriptors_before = next_descriptor();
    proxy = (struct proxy){.host = "127.0.0.1", .most = 2, .patience = SECONDS(10), .idle = SECONDS(60), .quiet = true};
    proxy.copy = copy;
    explore_sockets(serve_a_while, &any, all_is_back, 4);
}

TEST_LIMIT(testing_samples, proxy, 60)
{
    explore_proxy("x", true);
}

/* Enough at once that a pipe is taken for it. */
TEST_LIMIT(testing_samples, proxy_of_much, 60)
{
    static char much[MUCH];
    memset(much, 'x', sizeof much - 1);
    explore_proxy(much, false);
}
