/* TLS and protocols over a network in memory (tests/testing has the network's own tests): what the far end's silence,
 * its end and lost connections look like from above. */
#include <thrum/testing_network.h>

#include "tls_support.h"

static thrum_tls_context *ours, *theirs;

/* A test on a network with the hosts "server" and "client", 10 ms from each other. */
#define FAR_TEST(name, ...)                                                                                            \
    static thrum_awaitable name##_test(void);                                                                          \
    TEST(tls_network, name)                                                                                            \
    {                                                                                                                  \
        const thrum_test_options options = {.size = sizeof options, .errors_may_be_reported = true};                   \
        ours = client_context();                                                                                       \
        theirs = server_of(localhost());                                                                               \
        CHECK_EQ(thrum_test_run(name##_test(), &options), 0);                                                          \
        thrum_tls_context_release(ours);                                                                               \
        thrum_tls_context_release(theirs);                                                                             \
    }                                                                                                                  \
    static ASYNC(name##_test, ARGS_NONE,                                                                               \
                 LOCALS(thrum_test_network *network; thrum_server * server; thrum_stream * stream; int error, n;       \
                        thrum_task * task; thrum_time began; char text[16]; __VA_ARGS__))

#define AS(host, what) thrum_test_network_as(self->network, host, what)

static thrum_test_network *far_apart(void)
{
    const thrum_test_path path = {.size = sizeof path, .latency = MILLISECONDS(10), .fragment = 100};
    const thrum_test_network_options options = {.size = sizeof options, .path = &path};
    thrum_test_network *network;
    CHECK_EQ(thrum_test_network_open(&network, &options), 0);
    CHECK_EQ(thrum_test_network_add_host(network, "server", NULL), 0);
    CHECK_EQ(thrum_test_network_add_host(network, "client", NULL), 0);
    return network;
}

static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char text[16]; size_t n;))
{
    ASYNC_BEGIN;
    do {
        AWAIT_INTO(self->n, thrum_stream_read(self->client, self->text, sizeof self->text));
        AWAIT(thrum_stream_write(self->client, self->text, self->n));
    } while (self->n);
    ASYNC_END;
}

static thrum_awaitable serve(void)
{
    const thrum_server_options options = {.size = sizeof options, .tls = theirs};
    return thrum_start_server_with(echo, NULL, NULL, "443", &options);
}

static thrum_awaitable connect_securely(thrum_time patience)
{
    const thrum_connect_options options = {
        .size = sizeof options, .tls = ours, .server_hostname = "localhost", .handshake_timeout = patience};
    return thrum_open_connection_with("server", "443", &options);
}

#define END()                                                                                                          \
    do {                                                                                                               \
        thrum_stream_release(self->stream);                                                                            \
        thrum_server_close(self->server);                                                                              \
        thrum_server_abort_clients(self->server);                                                                      \
        AWAIT(thrum_server_wait_closed(self->server));                                                                 \
        thrum_server_release(self->server);                                                                            \
        thrum_test_network_close(self->network);                                                                       \
    } while (0)

FAR_TEST(survives_a_cut, int unused;)
{
    ASYNC_BEGIN;
    self->network = far_apart();
    AWAIT_INTO(self->server, AS("server", serve()));
    AWAIT_INTO(self->stream, AS("client", connect_securely(0)));
    /* The client's last word of the handshake is among what comes late: the server waits 60 s for it. */
    CHECK_EQ(thrum_test_network_cut(self->network, "server", "client", SECONDS(30)), 0);
    self->began = thrum_now();
    AWAIT(thrum_stream_write(self->stream, "hello", 5));
    AWAIT(thrum_stream_read_exactly(self->stream, self->text, 5));
    CHECK_MEM(self->text, "hello", 5);
    CHECK_EQ(thrum_now() - self->began, SECONDS(30) + MILLISECONDS(20));
    AWAIT(thrum_stream_close(self->stream));
    END();
    ASYNC_END;
}

/* In the middle of the handshake. */
FAR_TEST(peer_falls_silent, int unused;)
{
    ASYNC_BEGIN;
    self->network = far_apart();
    AWAIT_INTO(self->server, AS("server", serve()));
    self->task = thrum_spawn(AS("client", connect_securely(SECONDS(7))));
    AWAIT(thrum_sleep(MILLISECONDS(25))); /* it is connected, and has said hello */
    CHECK_EQ(thrum_test_network_power(self->network, "server", false), 0);
    AWAIT_CATCH(self->error, self->task);
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    CHECK_EQ(thrum_now(), MILLISECONDS(20) + SECONDS(7));
    thrum_task_release(self->task);
    END();
    ASYNC_END;
}

FAR_TEST(handshake_is_reset, int unused;)
{
    ASYNC_BEGIN;
    self->network = far_apart();
    AWAIT_INTO(self->server, AS("server", serve()));
    self->task = thrum_spawn(AS("client", connect_securely(0)));
    AWAIT(thrum_sleep(MILLISECONDS(25)));
    CHECK_EQ(thrum_test_network_reset(self->network, "server", "client"), 1);
    AWAIT_CATCH(self->error, self->task);
    CHECK_EQ(self->error, -ECONNRESET);
    thrum_task_release(self->task);
    END();
    ASYNC_END;
}

/* A stream that is reset under TLS is no end either. */
FAR_TEST(reset_goes_through, int unused;)
{
    ASYNC_BEGIN;
    self->network = far_apart();
    AWAIT_INTO(self->server, AS("server", serve()));
    AWAIT_INTO(self->stream, AS("client", connect_securely(0)));
    AWAIT(thrum_stream_write(self->stream, "x", 1));
    AWAIT(thrum_stream_read_exactly(self->stream, self->text, 1));
    CHECK_EQ(thrum_server_clients(self->server), 1);
    thrum_stream_reset(self->stream);
    AWAIT(thrum_sleep(MILLISECONDS(20)));
    CHECK_EQ(thrum_server_clients(self->server), 0); /* its handler has failed by now */
    END();
    ASYNC_END;
}

/* ---- callback style ---- */

typedef struct heard {
    thrum_transport *transport;
    char text[16];
    size_t size;
    int error;
    bool made, lost;
} heard;

static int made(void *context, thrum_transport *transport)
{
    heard *mine = (heard *)context;
    mine->made = true;
    mine->transport = transport;
    return 0;
}

static int came(void *context, const void *data, size_t size)
{
    heard *mine = (heard *)context;
    CHECK_LE(mine->size + size, sizeof mine->text);
    memcpy(mine->text + mine->size, data, size);
    mine->size += size;
    return 0;
}

static void lost(void *context, int error)
{
    heard *mine = (heard *)context;
    mine->lost = true;
    mine->error = error;
}

static int make_protocol(void *context, const thrum_protocol **protocol, void **own)
{
    static const thrum_protocol plain = {
        .size = sizeof plain, .connection_made = made, .data_received = came, .connection_lost = lost};
    *protocol = &plain;
    *own = context;
    return 0;
}

FAR_TEST(protocols, heard there; heard here; thrum_transport * transport;)
{
    char text[THRUM_ADDRESS_TEXT];
    ASYNC_BEGIN;
    self->network = far_apart();
    AWAIT_INTO(self->server, AS("server", thrum_create_server(make_protocol, &self->there, NULL, "9")));
    AWAIT_INTO(self->transport, AS("client", thrum_create_connection(make_protocol, &self->here, "server", "9")));
    CHECK(self->here.made);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "peername", text, sizeof text), 0);
    CHECK_STR(text, "10.0.0.2:9");
    CHECK_EQ(thrum_transport_write(self->transport, "hello", 5), 0);
    AWAIT(thrum_sleep(MILLISECONDS(50)));
    CHECK(self->there.made);
    CHECK_EQ(self->there.size, 5);
    CHECK_MEM(self->there.text, "hello", 5);
    CHECK_EQ(thrum_test_network_reset(self->network, NULL, NULL), 1);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK(self->here.lost && self->there.lost);
    CHECK_EQ(self->here.error, -ECONNRESET);
    CHECK_EQ(self->there.error, -ECONNRESET);
    thrum_transport_release(self->transport);
    END();
    ASYNC_END;
}
