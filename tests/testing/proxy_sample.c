/* The sample proxy, with everything that can come in between, over real sockets: whom it connects to runs in the same
 * loop. */
#include <signal.h>

#include "network_samples.h"
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

/* ---- on a network ---- */

enum { CLIENTS = 4, MOST = 100000, PIECE = 6000 };

/* What a client sends comes back, until it ends its half; then everything has. */
static ASYNC(send_there, ARGS((thrum_stream *, stream), (unsigned, who), (size_t, size), (test_dice, dice)),
             LOCALS(size_t sent; size_t part;), BUFFERS(char bytes[PIECE];))
{
    ASYNC_BEGIN;
    while (self->sent < self->size) {
        self->part = 1 + roll(&self->dice, PIECE);
        if (self->part > self->size - self->sent)
            self->part = self->size - self->sent;
        for (size_t i = 0; i < self->part; i++)
            self->bytes[i] = byte_at(self->who, self->sent + i);
        AWAIT(thrum_stream_write(self->stream, self->bytes, self->part));
        self->sent += self->part;
        if (!roll(&self->dice, 3))
            AWAIT(thrum_sleep(roll_time(&self->dice, 300)));
    }
    CHECK_EQ(thrum_stream_write_eof(self->stream), 0);
    ASYNC_END;
}

static ASYNC(hear_back, ARGS((thrum_stream *, stream), (unsigned, who), (size_t, all)),
             LOCALS(size_t heard; size_t size;), BUFFERS(char bytes[PIECE];))
{
    ASYNC_BEGIN;
    do {
        AWAIT_INTO(self->size, thrum_stream_read(self->stream, self->bytes, PIECE));
        for (size_t i = 0; i < self->size; i++)
            CHECK_SEED(self->bytes[i] == byte_at(self->who, self->heard + i));
        self->heard += self->size;
    } while (self->size);
    CHECK_SEED(self->heard == self->all); /* what is lost is no end, but an error */
    ASYNC_END;
}

static ASYNC(call_through, ARGS((thrum_test_network *, network), (unsigned, who)),
             LOCALS(test_dice dice; thrum_stream * stream; size_t size; int error;))
{
    ASYNC_BEGIN;
    self->dice = dice_of(100 + self->who);
    self->size = roll(&self->dice, MOST);
    AWAIT(thrum_sleep(roll_time(&self->dice, 3000)));
    AWAIT_CATCH_INTO(self->error, self->stream,
                     thrum_test_network_as(self->network, "client", thrum_open_connection("proxy", "9000")));
    if (!self->error)
        AWAIT_CATCH(self->error, thrum_gather(NULL, send_there(self->stream, self->who, self->size, self->dice),
                                              hear_back(self->stream, self->who, self->size)));
    CHECK_SEED(stormy() || !self->error);
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static ASYNC(proxy_day, ARGS((void *, context)),
             LOCALS(thrum_test_network *network; thrum_server * target; thrum_task * server; thrum_group group;
                    unsigned i;))
{
    ASYNC_BEGIN;
    CHECK_EQ(open_network(&self->network), 0);
    CHECK_EQ(thrum_test_network_add_host(self->network, "target", NULL), 0);
    CHECK_EQ(thrum_test_network_add_host(self->network, "proxy", NULL), 0);
    CHECK_EQ(thrum_test_network_add_host(self->network, "client", NULL), 0);
    AWAIT_INTO(self->target,
               thrum_test_network_as(self->network, "target", thrum_start_server(reply, NULL, "0.0.0.0", "7")));
    self->server =
        thrum_spawn(thrum_test_network_as(self->network, "proxy", app(&proxy, "0.0.0.0", "9000", SECONDS(10))));
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, break_things(self->network, "target", NULL));
        for (self->i = 0; self->i < CLIENTS; self->i++)
            thrum_group_spawn(&self->group, call_through(self->network, self->i));
    }
    AWAIT(end_task(self->server));
    thrum_server_close(self->target);
    thrum_server_abort_clients(self->target); /* a reset that was lost in a cut leaves one that waits for ever */
    AWAIT(thrum_server_wait_closed(self->target));
    thrum_server_release(self->target);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

static thrum_awaitable proxy_program(void *context)
{
    return proxy_day(context);
}

static void proxy_is_back(void)
{
    CHECK_EQ(all_is_back(NULL, NULL, NULL), 0);
}

TEST_LIMIT(testing_network_samples, proxy, 3600)
{
    descriptors_before = next_descriptor();
    proxy = (struct proxy){.host = "target", .port = "7", .most = CLIENTS, .quiet = true};
    proxy.patience = SECONDS(200); /* who is not answered asks again for 127 s */
    proxy.idle = SECONDS(200);
    run_seeds(proxy_program, proxy_is_back);
}
