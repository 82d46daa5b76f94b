/* Servers: addresses, and the end: close, wait_closed, serve_forever. Numbers are those of tests/net/PORTED.md. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "support.h"

static int begun, ended, handler_error;

static ASYNC(wait_for_input, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char buffer[64]; size_t n;))
{
    ASYNC_BEGIN;
    begun++;
    do
        AWAIT_CATCH_INTO(handler_error, self->n, thrum_stream_read(self->client, self->buffer, sizeof self->buffer));
    while (self->n);
    AWAIT_CATCH(handler_error, thrum_stream_write(self->client, "end", 3));
FINALLY:
    ended++;
    ASYNC_END;
}

static ASYNC(until_begun, ARGS((int, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (begun < self->count)
        AWAIT(thrum_sleep(MICROSECONDS(200)));
    ASYNC_END;
}

#define START(server) AWAIT_INTO(server, thrum_start_server(wait_for_input, NULL, "127.0.0.1", "0"))

static thrum_awaitable connect_to(const thrum_server *server)
{
    static char port[8];
    snprintf(port, sizeof port, "%d", thrum_server_port(server));
    return thrum_open_connection("127.0.0.1", port);
}

/* What is aborted looks to the peer as if it had ended; what is reset does not. */
NET_TEST(servers_end, reset_is_no_end,
         LOCALS(thrum_server *server; thrum_stream * client; thrum_stream * taken; int error, n, i; char c;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(NULL, NULL, "127.0.0.1", "0"));
    for (self->i = 0; self->i < 2; self->i++) {
        AWAIT_INTO(self->client, connect_to(self->server));
        AWAIT_INTO(self->taken, thrum_server_accept(self->server));
        if (self->i)
            thrum_stream_abort(self->client);
        else
            thrum_stream_reset(self->client);
        thrum_stream_reset(self->client); /* too late to matter */
        AWAIT_CATCH_INTO(self->error, self->n, thrum_stream_read(self->taken, &self->c, 1));
        CHECK_EQ(self->error, self->i ? 0 : -ECONNRESET);
        CHECK_EQ(self->n, 0);
        thrum_stream_release(self->client);
        thrum_stream_release(self->taken);
    }
    thrum_stream_reset(NULL);
    thrum_server_release(self->server);
    ASYNC_END;
}

/* test_server_close, test_wait_closed_basic, 138: nobody gets in any more, those who are in go on, and are waited
 * for. */
NET_TEST(servers_end, close_leaves_connections,
         LOCALS(thrum_server *server; thrum_stream * client; outcome over; thrum_task * task; int port, error, n;
                char text[8];))
{
    static char port_text[8];
    ASYNC_BEGIN;
    START(self->server);
    self->task = begin(thrum_server_wait_closed(self->server), &self->over);
    AWAIT_INTO(self->client, connect_to(self->server));
    AWAIT(until_begun(1));
    snprintf(port_text, sizeof port_text, "%d", thrum_server_port(self->server));
    thrum_server_close(self->server);
    thrum_server_close(self->server);
    CHECK(!thrum_server_is_serving(self->server));
    CHECK_EQ(thrum_server_sockets(self->server), 0);
    CHECK_EQ(thrum_server_port(self->server), 0);
    AWAIT_CATCH(self->error, thrum_open_connection("127.0.0.1", port_text));
    CHECK_EQ(self->error, -ECONNREFUSED);
    AWAIT(thrum_stream_write(self->client, "x", 1));
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK(!self->over.over);
    CHECK_EQ(thrum_server_clients(self->server), 1);
    CHECK_EQ(thrum_stream_write_eof(self->client), 0);
    AWAIT_INTO(self->n, thrum_stream_read(self->client, self->text, 8));
    CHECK_EQ(self->n, 3);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    CHECK_EQ(thrum_server_start_serving(self->server), THRUM_ECLOSED);
    AWAIT_CATCH(self->error, thrum_server_serve_forever(self->server));
    CHECK_EQ(self->error, THRUM_ECLOSED);
    AWAIT(thrum_server_wait_closed(self->server)); /* test_wait_closed_race: either order */
    thrum_stream_release(self->client);
    thrum_server_release(self->server);
    thrum_server_release(NULL);
    thrum_server_close(NULL);
    ASYNC_END;
}

/* 138: a connection that waits in the kernel's queue when the server is closed is not served. */
NET_TEST(servers_end, connection_in_the_queue,
         LOCALS(thrum_server *server; thrum_stream * client; int error, n; char text[8];))
{
    ASYNC_BEGIN;
    START(self->server);
    calls_accept = (call_plan){.fail = EAGAIN, .failures = -1};
    AWAIT_INTO(self->client, connect_to(self->server));
    thrum_server_close(self->server);
    AWAIT(thrum_server_wait_closed(self->server));
    AWAIT_CATCH_INTO(self->error, self->n, thrum_stream_read(self->client, self->text, 8));
    CHECK(self->error || !self->n);
    CHECK_EQ(begun, 0);
    thrum_stream_release(self->client);
    ASYNC_END;
}

/* test_close_clients, 139: reads give the end of file, writes are refused; nothing of it is reported. */
NET_TEST(servers_end, close_and_abort_clients,
         LOCALS(thrum_server *server; thrum_stream * client; int error, n, i; char text[8];))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        begun = ended = 0;
        START(self->server);
        AWAIT_INTO(self->client, connect_to(self->server));
        AWAIT(until_begun(1));
        if (self->i)
            thrum_server_abort_clients(self->server);
        else
            thrum_server_close_clients(self->server);
        AWAIT_CATCH_INTO(self->error, self->n, thrum_stream_read(self->client, self->text, 8));
        CHECK_EQ(self->n, 0);
        thrum_server_close(self->server);
        AWAIT(thrum_server_wait_closed(self->server));
        CHECK_EQ(ended, 1);
        CHECK_EQ(handler_error, THRUM_ECLOSED);
        thrum_stream_release(self->client);
    }
    ASYNC_END;
}

/* Cancelled, serve_forever closes the server and its connections, waits for their handlers, and is cancelled. */
NET_TEST(servers_end, serve_forever,
         LOCALS(thrum_server *server; thrum_stream * client; outcome over; thrum_task * task; int error;))
{
    ASYNC_BEGIN;
    START(self->server);
    self->task = begin(thrum_server_serve_forever(self->server), &self->over);
    AWAIT_CATCH(self->error, thrum_server_serve_forever(self->server));
    CHECK_EQ(self->error, THRUM_EBUSY);
    AWAIT_INTO(self->client, connect_to(self->server));
    AWAIT(until_begun(1));
    CHECK(!self->over.over);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECANCELED);
    CHECK_EQ(ended, 1);
    CHECK_EQ(thrum_server_clients(self->server), 0);
    thrum_stream_release(self->client);
    /* Closed by somebody else, it ends. */
    START(self->server);
    self->task = begin(thrum_server_serve_forever(self->server), &self->over);
    thrum_server_close(self->server);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    /* Released under it. */
    START(self->server);
    self->task = begin(thrum_server_serve_forever(self->server), &self->over);
    thrum_server_release(self->server);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    ASYNC_END;
}

/* A server that is released while its connections are open: they are dropped, and its memory goes with the last. */
NET_TEST(servers_end, released_with_connections,
         LOCALS(thrum_server *server; thrum_stream * client; int error, n; char text[8]; outcome over;
                thrum_task * task;))
{
    ASYNC_BEGIN;
    START(self->server);
    AWAIT_INTO(self->client, connect_to(self->server));
    AWAIT(until_begun(1));
    self->task = begin(thrum_server_wait_closed(self->server), &self->over);
    thrum_server_release(self->server);
    AWAIT_CATCH_INTO(self->error, self->n, thrum_stream_read(self->client, self->text, 8));
    CHECK_EQ(self->n, 0);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECLOSED);
    while (!ended)
        AWAIT(thrum_yield());
    thrum_stream_release(self->client);
    ASYNC_END;
}

/* The loop ends with everything open: nothing leaks, as the end of each test checks. */
static void quiet(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)report, (void)context;
}

NET_TEST(servers_end, with_the_loop, LOCALS(thrum_server *server; thrum_stream * client;))
{
    ASYNC_BEGIN;
    thrum_loop_set_exception_handler(thrum_loop_current(), quiet, NULL);
    START(self->server);
    AWAIT_INTO(self->client, connect_to(self->server));
    AWAIT(until_begun(1));
    thrum_stream_release(self->client);
    AWAIT_INTO(self->client, connect_to(self->server));
    thrum_stream_release(self->client);
    ASYNC_END;
}

/* ---- addresses ---- */

/* test_create_server_dual_stack: every interface, both families, one port. */
NET_TEST(servers_end, every_interface,
         LOCALS(thrum_server *server; char text[THRUM_ADDRESS_TEXT], port[16]; size_t i; thrum_stream * client;
                thrum_server_options options;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(wait_for_input, NULL, NULL, "0"));
    CHECK_GE(thrum_server_sockets(self->server), 1);
    snprintf(self->port, sizeof self->port, ":%d", thrum_server_port(self->server));
    for (self->i = 0; self->i < thrum_server_sockets(self->server); self->i++) {
        CHECK_EQ(thrum_server_address(self->server, self->i, self->text, sizeof self->text), 0);
        CHECK_STR(strrchr(self->text, ':'), self->port);
    }
    CHECK_EQ(thrum_server_address(self->server, self->i, self->text, sizeof self->text), THRUM_EINVAL);
    CHECK_EQ(thrum_server_descriptor(self->server, self->i), THRUM_EINVAL);
    if (self->i == 2) {
        AWAIT_INTO(self->client, thrum_open_connection("::1", self->port + 1));
        CHECK_EQ(thrum_stream_peername(self->client, self->text, sizeof self->text), 0);
        CHECK_EQ(strncmp(self->text, "[::1]:", 6), 0);
        thrum_stream_release(self->client);
    }
    AWAIT_INTO(self->client, thrum_open_connection("127.0.0.1", self->port + 1));
    thrum_stream_release(self->client);
    thrum_server_release(self->server);
    /* create_server_empty_host: the same */
    AWAIT_INTO(self->server, thrum_start_server(wait_for_input, NULL, "", "0"));
    CHECK_EQ(thrum_server_sockets(self->server), self->i);
    thrum_server_release(self->server);
    self->options.size = sizeof self->options;
    self->options.family = AF_INET;
    AWAIT_INTO(self->server, thrum_start_server_with(wait_for_input, NULL, NULL, "0", &self->options));
    CHECK_EQ(thrum_server_sockets(self->server), 1);
    ASYNC_END;
}

/* Several addresses, paused, and two servers on one port. */
NET_TEST(servers_end, options,
         LOCALS(thrum_server *server, *second; char text[THRUM_ADDRESS_TEXT], port[16]; thrum_stream * client;
                int error; thrum_server_options options; thrum_stream_options settings;))
{
    static const char *const hosts[] = {"127.0.0.2", "127.0.0.3"};
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.hosts = hosts;
    self->options.host_count = 2;
    self->options.paused = true;
    self->options.reuse_port = true;
    self->settings.size = sizeof self->settings;
    self->settings.limit = 100;
    self->options.stream = &self->settings;
    AWAIT_INTO(self->server, thrum_start_server_with(wait_for_input, NULL, "127.0.0.1", "0", &self->options));
    CHECK_EQ(thrum_server_sockets(self->server), 3);
    CHECK_EQ(thrum_server_address(self->server, 2, self->text, sizeof self->text), 0);
    CHECK_EQ(strncmp(self->text, "127.0.0.3:", 10), 0);
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(self->client, thrum_open_connection("127.0.0.2", self->port));
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK(!thrum_server_is_serving(self->server));
    CHECK_EQ(begun, 0);
    CHECK_EQ(thrum_server_start_serving(self->server), 0);
    AWAIT(until_begun(1));
    thrum_stream_release(self->client);
    AWAIT_INTO(self->second, thrum_start_server_with(wait_for_input, NULL, "127.0.0.1", self->port, &self->options));
    thrum_server_release(self->second);
    /* test_create_server_cant_bind: one address is taken, and so none is left open; the detail names it. */
    self->options.reuse_port = false;
    AWAIT_CATCH(self->error, thrum_start_server_with(wait_for_input, NULL, "127.0.0.4", self->port, &self->options));
    CHECK_EQ(self->error, -EADDRINUSE);
    CHECK_STR(thrum_error_last()->operation, "bind");
    CHECK_EQ(strncmp(thrum_error_last()->text, "127.0.0.2:", 10), 0);
    self->options.size = 3;
    AWAIT_CATCH(self->error, thrum_start_server_with(wait_for_input, NULL, NULL, "0", &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    ASYNC_END;
}
