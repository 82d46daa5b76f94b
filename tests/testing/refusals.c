/* What the testing library refuses: arguments that cannot be right, each by itself, and memory that there is not. */
#include <stdlib.h>
#include <string.h>

#include <refuse.h>

#include "network_support.h"

/* ---- arguments ---- */

NETWORK_TEST(testing_refusals, hosts, thrum_test_network *second; char name[300];)
{
    static const char *const addresses[] = {"nowhere", "0.0.0.0", "::", "127.0.0.1", "::1", "10.0.0.2"};
    ASYNC_BEGIN;
    self->network = make_network(NULL);
    CHECK_EQ(thrum_test_network_add_host(NULL, "a", NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_add_host(self->network, NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_add_host(self->network, "", NULL), THRUM_EINVAL);
    memset(self->name, 'a', sizeof self->name - 1);
    CHECK_EQ(thrum_test_network_add_host(self->network, self->name, NULL), THRUM_EINVAL);
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        CHECK_EQ(thrum_test_network_add_host(self->network, "a", addresses[i]), THRUM_EINVAL);
    /* A host has so many addresses, a network so many of its own making. */
    int count = 0;
    do
        snprintf(self->name, sizeof self->name, "10.1.0.%d", ++count);
    while (count < 100 && thrum_test_network_add_host(self->network, "many", self->name) == 0);
    CHECK_GT(count, 2);
    CHECK_LT(count, 100);
    do
        snprintf(self->name, sizeof self->name, "host-%d", ++count);
    while (count < 1000 && thrum_test_network_add_host(self->network, self->name, NULL) == 0);
    CHECK_LT(count, 1000);
    CHECK_EQ(thrum_test_network_add_host(self->network, "later", NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_add_host(self->network, "later", "fe80::7"), 0);
    CHECK_EQ(thrum_test_network_open(&self->second, NULL), THRUM_ESTATE); /* the loop has one */
    CHECK_NULL(self->second);
    thrum_test_network_close(self->network);
    thrum_test_network_close(NULL);
    ASYNC_END;
}

NETWORK_TEST(testing_refusals, paths, thrum_test_path path;)
{
    ASYNC_BEGIN;
    self->network = make_network(NULL);
    self->path.size = sizeof self->path;
    CHECK_EQ(thrum_test_network_path(NULL, NULL, NULL, &self->path), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_path(self->network, NULL, NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_path(self->network, "nobody", NULL, &self->path), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_path(self->network, NULL, "nobody", &self->path), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_path(self->network, "server", "client", &self->path), 0);
    CHECK_EQ(thrum_test_network_path(self->network, NULL, "client", &self->path), 0);
    self->path.size = 0;
    CHECK_EQ(thrum_test_network_path(self->network, NULL, NULL, &self->path), THRUM_EINVAL);
    self->path.size = sizeof self->path + 1;
    CHECK_EQ(thrum_test_network_path(self->network, NULL, NULL, &self->path), THRUM_EINVAL);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

NETWORK_TEST(testing_refusals, faults, int unused;)
{
    ASYNC_BEGIN;
    self->network = make_network(NULL);
    CHECK_EQ(thrum_test_network_cut(NULL, "server", NULL, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_cut(self->network, "nobody", NULL, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_cut(self->network, "server", "nobody", 0), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_cut(self->network, "server", NULL, -1), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_heal(NULL, NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_heal(self->network, "nobody", NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_heal(self->network, "server", "nobody"), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_reset(NULL, NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_reset(self->network, "nobody", NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_reset(self->network, NULL, "nobody"), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_reset(self->network, "server", "client"), 0); /* nothing is connected */
    CHECK_EQ(thrum_test_network_power(NULL, "server", false), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_power(self->network, "nobody", false), THRUM_EINVAL);
    /* What is as it is to be stays so. */
    CHECK_EQ(thrum_test_network_power(self->network, "server", true), 0);
    CHECK_EQ(thrum_test_network_power(self->network, "server", false), 0);
    CHECK_EQ(thrum_test_network_power(self->network, "server", false), 0);
    CHECK_EQ(thrum_test_network_power(self->network, "server", true), 0);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

/* What the system of a host says no to. */
NETWORK_TEST(testing_refusals, datagrams, thrum_datagrams *end; thrum_address at; char *much; thrum_datagram got;)
{
    static const thrum_datagram_options open = {.size = sizeof open, .local_host = "10.0.0.3"};
    static thrum_test_path path = {.size = sizeof path, .queue = 1};
    ASYNC_BEGIN;
    self->network = make_network(NULL);
    AWAIT_INTO(self->end, AS("client", thrum_create_datagram_endpoint(NULL, NULL, &open)));
    CHECK_EQ(thrum_datagrams_sockname(self->end, &self->at), 0);
    self->much = (char *)calloc(1, 100000);
    AWAIT_CATCH(self->error, thrum_datagrams_send(self->end, self->much, 100000, &self->at));
    CHECK_EQ(self->error, -EMSGSIZE);
    CHECK_EQ(thrum_datagrams_sendto(self->end, self->much, 100000, &self->at), -EMSGSIZE);
    free(self->much);
    AWAIT_CATCH(self->error, thrum_datagrams_send(self->end, "x", 1, NULL));
    CHECK_EQ(self->error, -EDESTADDRREQ);
    CHECK_EQ(thrum_address_from_ip(&self->at, "10.0.0.99", 7), 0); /* nobody's */
    AWAIT_CATCH(self->error, thrum_datagrams_send(self->end, "x", 1, &self->at));
    CHECK_EQ(self->error, -EHOSTUNREACH);
    /* A queue of one: the second is lost. */
    CHECK_EQ(thrum_test_network_path(self->network, NULL, NULL, &path), 0);
    CHECK_EQ(thrum_datagrams_sockname(self->end, &self->at), 0);
    AWAIT(thrum_datagrams_send(self->end, "a", 1, &self->at));
    AWAIT(thrum_datagrams_send(self->end, "b", 1, &self->at));
    self->got = (thrum_datagram){.data = self->text, .room = sizeof self->text};
    AWAIT(thrum_datagrams_receive(self->end, &self->got));
    CHECK_EQ(self->text[0], 'a');
    AWAIT_CATCH(self->error, thrum_timeout(SECONDS(1), thrum_datagrams_receive(self->end, &self->got)));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    /* Without power nothing goes, and nothing is made. */
    CHECK_EQ(thrum_test_network_power(self->network, "client", false), 0);
    AWAIT_CATCH(self->error, thrum_datagrams_send(self->end, "x", 1, &self->at));
    CHECK_EQ(self->error, -ENETDOWN);
    AWAIT_CATCH(self->error, AS("client", thrum_create_datagram_endpoint(NULL, NULL, &open)));
    CHECK_LT(self->error, 0);
    thrum_datagrams_release(self->end);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

/* A way that changes while connections go over it, two that wait to be accepted, and a host of another family. */
NETWORK_TEST(testing_refusals, connections, thrum_stream *c; char port[8];)
{
    static thrum_test_path slow = {.size = sizeof slow, .latency = MILLISECONDS(100)};
    ASYNC_BEGIN;
    self->network = make_network(NULL);
    CHECK_EQ(thrum_test_network_add_host(self->network, "six", "fd00::1"), 0);
    AWAIT_INTO(self->server, AS("server", thrum_start_server(NULL, NULL, NULL, "7")));
    AWAIT_INTO(self->a, AS("client", thrum_open_connection("server", "7")));
    AWAIT_INTO(self->b, AS("client", thrum_open_connection("server", "7")));
    CHECK_EQ(thrum_test_network_path(self->network, NULL, NULL, &slow), 0);
    AWAIT_INTO(self->c, thrum_server_accept(self->server));
    self->began = thrum_now();
    AWAIT(thrum_stream_write(self->a, "x", 1));
    AWAIT(thrum_stream_read_exactly(self->c, self->text, 1));
    CHECK_EQ(thrum_now() - self->began, MILLISECONDS(100));
    thrum_stream_release(self->c);
    AWAIT_INTO(self->c, thrum_server_accept(self->server));
    AWAIT_CATCH(self->error, AS("six", thrum_open_connection("10.0.0.2", "7")));
    CHECK_EQ(self->error, -ENETUNREACH);
    CHECK_EQ(thrum_test_network_power(self->network, "client", false), 0);
    AWAIT_CATCH(self->error, AS("client", thrum_open_connection("server", "7")));
    CHECK_EQ(self->error, -ENETDOWN);
    AWAIT_CATCH(self->error, AS("client", thrum_start_server(NULL, NULL, NULL, "8")));
    CHECK_EQ(self->error, -ENETDOWN);
    thrum_stream_release(self->a);
    thrum_stream_release(self->b);
    thrum_stream_release(self->c);
    thrum_server_release(self->server);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

static ASYNC(opens, ARGS_NONE, LOCALS(thrum_test_network *network; thrum_test_datagrams * a; thrum_test_datagrams * b;))
{
    thrum_test_network_options options = {.size = 0};
    thrum_test_path path = {.size = 0};
    thrum_test_weather weather = {.size = 0};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_network_open(NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_network_open(&self->network, &options), THRUM_EINVAL);
    options.size = sizeof options + 1;
    CHECK_EQ(thrum_test_network_open(&self->network, &options), THRUM_EINVAL);
    options.size = sizeof options;
    options.path = &path;
    CHECK_EQ(thrum_test_network_open(&self->network, &options), THRUM_EINVAL);
    path.size = sizeof path + 1;
    CHECK_EQ(thrum_test_network_open(&self->network, &options), THRUM_EINVAL);
    CHECK_EQ(thrum_test_datagram_pair(NULL, &self->b, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_datagram_pair(&self->a, NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_datagram_pair(&self->a, &self->b, &weather), THRUM_EINVAL);
    weather.size = sizeof weather + 1;
    CHECK_EQ(thrum_test_datagram_pair(&self->a, &self->b, &weather), THRUM_EINVAL);
    ASYNC_END;
}

TEST(testing_refusals, opening)
{
    thrum_test_network *network;
    CHECK_EQ(thrum_test_run(opens(), NULL), 0);
    CHECK_EQ(thrum_test_network_open(&network, NULL), THRUM_ESTATE); /* without a loop */
    CHECK_NULL(network);
}

TEST(testing_refusals, pairs)
{
    thrum_stream *a, *b;
    thrum_test_script script = {.size = 0};
    CHECK_EQ(thrum_test_stream_pair(NULL, &b, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_stream_pair(&a, &b, &script), THRUM_EINVAL);
    script.size = sizeof script + 1;
    CHECK_EQ(thrum_test_stream_pair(&a, &b, &script), THRUM_EINVAL);
    CHECK_EQ(thrum_test_stream_pair(&a, &b, NULL), THRUM_ESTATE);
    CHECK(!a && !b);
}

static thrum_awaitable nothing(void *context)
{
    (void)context;
    return thrum_yield();
}

TEST(testing_refusals, explorations)
{
    static const char *const replays[] = {"nonsense", "seed=", "seed=1x", "await=2 seed"};
    thrum_test_explore_options options = {.size = 0};
    CHECK_EQ(thrum_test_explore(nothing, NULL, &options, NULL), THRUM_EINVAL);
    options.size = sizeof options + 1;
    CHECK_EQ(thrum_test_explore(nothing, NULL, &options, NULL), THRUM_EINVAL);
    options.size = sizeof options;
    for (size_t i = 0; i < sizeof replays / sizeof *replays; i++) {
        options.replay = replays[i];
        CHECK_EQ(thrum_test_explore(nothing, NULL, &options, NULL), THRUM_EINVAL);
    }
    options.replay = "";
    const thrum_test_options wrong = {.size = 0};
    options.run = &wrong;
    CHECK_EQ(thrum_test_explore(nothing, NULL, &options, NULL), THRUM_EINVAL);
}

/* ---- memory ---- */

static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char text[64]; size_t n;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->n, thrum_stream_read(self->client, self->text, sizeof self->text));
        if (!self->n)
            break;
        AWAIT(thrum_stream_write(self->client, self->text, self->n));
    }
    ASYNC_END;
}

static ASYNC(uses_a_network, ARGS_NONE,
             LOCALS(thrum_test_network *network; thrum_server * server; thrum_stream * stream; thrum_datagrams * a, *b;
                    char text[16]; thrum_datagram datagram; size_t n; int error;))
{
    const thrum_test_path path = {.size = sizeof path, .latency = MILLISECONDS(1), .jitter = 5, .doubled = 500};
    const thrum_datagram_options near = {.size = sizeof near, .local_host = "10.0.0.1", .local_port = "53"};
    const thrum_datagram_options far = {.size = sizeof far, .remote_host = "home", .remote_port = "53"};
    ASYNC_BEGIN;
    self->error = thrum_test_network_open(&self->network, NULL);
    if (!self->error)
        self->error = thrum_test_network_add_host(self->network, "server", NULL);
    if (!self->error)
        self->error = thrum_test_network_path(self->network, NULL, NULL, &path);
    if (!self->error)
        self->error = thrum_test_network_cut(self->network, "server", NULL, MILLISECONDS(10));
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT_INTO(self->server, AS("server", thrum_start_server(echo, NULL, NULL, "7")));
    AWAIT_INTO(self->stream, thrum_open_connection("server", "7"));
    AWAIT(thrum_stream_write(self->stream, "hello", 5));
    AWAIT(thrum_stream_read_exactly(self->stream, self->text, 5));
    CHECK_MEM(self->text, "hello", 5);
    CHECK_GE(thrum_now(), MILLISECONDS(10));
    AWAIT_INTO(self->a, thrum_create_datagram_endpoint(NULL, NULL, &near));
    AWAIT_INTO(self->b, AS("server", thrum_create_datagram_endpoint(NULL, NULL, &far)));
    AWAIT(thrum_datagrams_send(self->b, "datagram", 8, NULL));
    self->datagram = (thrum_datagram){.data = self->text, .room = sizeof self->text};
    AWAIT(thrum_datagrams_receive(self->a, &self->datagram));
    CHECK_MEM(self->text, "datagram", 8);
FINALLY:
    thrum_datagrams_release(self->a);
    thrum_datagrams_release(self->b);
    thrum_stream_release(self->stream);
    thrum_server_release(self->server);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

static ASYNC(uses_pairs, ARGS_NONE,
             LOCALS(thrum_test_datagrams *a, *b; thrum_stream * c, *d; char text[16]; size_t n; int error;))
{
    const thrum_test_weather weather = {.size = sizeof weather, .doubled = 1000};
    ASYNC_BEGIN;
    self->error = thrum_test_datagram_pair(&self->a, &self->b, &weather);
    if (!self->error)
        self->error = thrum_test_stream_pair(&self->c, &self->d, NULL);
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT(thrum_test_datagram_send(self->a, "datagram", 8));
    AWAIT_INTO(self->n, thrum_test_datagram_receive(self->b, self->text, sizeof self->text));
    CHECK_EQ(self->n, 8);
    AWAIT(thrum_stream_write(self->c, "hello", 5));
    AWAIT(thrum_stream_read_exactly(self->d, self->text, 5));
    CHECK_MEM(self->text, "hello", 5);
FINALLY:
    thrum_test_datagram_release(self->a);
    thrum_test_datagram_release(self->b);
    thrum_stream_release(self->c);
    thrum_stream_release(self->d);
    ASYNC_END;
}

static thrum_awaitable network(void)
{
    return thrum_timeout(SECONDS(300), uses_a_network());
}

static thrum_awaitable pairs(void)
{
    return thrum_timeout(SECONDS(300), uses_pairs());
}

static thrum_awaitable (*program)(void);

static void quiet(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)report, (void)context;
}

/* In virtual time, where what does not come costs nothing. */
static int in_virtual_time(void)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM};
    thrum_loop *loop;
    int error = thrum_loop_new(&loop, &options);
    if (error)
        return error;
    thrum_loop_set_exception_handler(loop, quiet, NULL);
    error = thrum_loop_run_until_complete(loop, program(), NULL);
    CHECK_EQ(thrum_loop_close(loop), 0);
    return error;
}

static void each_block(thrum_awaitable (*what)(void))
{
    static const int also[] = {THRUM_ETIMEDOUT, THRUM_EINCOMPLETE, THRUM_ERESOLVE, -ECONNREFUSED, -ECONNRESET, 0};
    const refuse_program all = {.plain = in_virtual_time, .also = also};
    program = what;
    CHECK_GE(refuse_each(&all, REFUSE_MEMORY), 3);
    CHECK_GE(refuse_each(&all, REFUSE_BLOCK), 3);
}

TEST_LIMIT(testing_refusals, memory_of_networks, 60)
{
    each_block(network);
}

TEST_LIMIT(testing_refusals, memory_of_pairs, 60)
{
    each_block(pairs);
}
