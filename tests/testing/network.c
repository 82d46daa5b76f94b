/* Networks in memory: hosts, names and connections between them. */
#include "network_join.h"

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

NETWORK_TEST(testing_network, talks_by_name, int unused;)
{
    char text[THRUM_ADDRESS_TEXT];
    ASYNC_BEGIN;
    self->network = make_slow_network(MILLISECONDS(10));
    AWAIT_INTO(self->server, AS("server", thrum_start_server(echo, NULL, NULL, "7777")));
    CHECK_EQ(thrum_server_port(self->server), 7777);
    CHECK_EQ(thrum_server_descriptor(self->server, 0), THRUM_EUNSUPPORTED);
    AWAIT_INTO(self->a, AS("client", thrum_open_connection("server", "7777")));
    CHECK_EQ(thrum_now(), MILLISECONDS(20)); /* there and back */
    CHECK_EQ(thrum_stream_peername(self->a, text, sizeof text), 0);
    CHECK_STR(text, "10.0.0.2:7777");
    CHECK_EQ(thrum_stream_peer_port(self->a), 7777);
    CHECK_EQ(thrum_stream_sockname(self->a, text, sizeof text), 0);
    CHECK_STR(text, "10.0.0.3:49152");
    AWAIT(thrum_stream_write(self->a, "hello", 5));
    AWAIT(thrum_stream_read_exactly(self->a, self->text, 5));
    CHECK_MEM(self->text, "hello", 5);
    CHECK_EQ(thrum_now(), MILLISECONDS(40));
    CHECK_EQ(thrum_stream_write_eof(self->a), 0); /* the echo ends, and its server closes */
    AWAIT_INTO(self->n, thrum_stream_read(self->a, self->text, 1));
    CHECK_EQ(self->n, 0);
    thrum_stream_release(self->a);
    thrum_server_close(self->server);
    AWAIT(thrum_server_wait_closed(self->server));
    thrum_server_release(self->server);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

NETWORK_TEST(testing_network, refuses, thrum_server *other;)
{
    const thrum_connect_options bound = {.size = sizeof bound, .local_host = "10.0.0.9"};
    ASYNC_BEGIN;
    self->network = make_slow_network(MILLISECONDS(10));
    /* Nobody listens there; it is another host's; there is no such host; nobody has that name. */
    AWAIT_CATCH(self->error, thrum_open_connection("server", "7777"));
    CHECK_EQ(self->error, -ECONNREFUSED);
    CHECK_EQ(thrum_now(), MILLISECONDS(20));
    AWAIT_CATCH(self->error, AS("client", thrum_start_server(echo, NULL, "server", "7777")));
    CHECK_EQ(self->error, -EADDRNOTAVAIL);
    AWAIT_CATCH(self->error, thrum_open_connection("10.0.0.77", "7777"));
    CHECK_EQ(self->error, -EHOSTUNREACH);
    AWAIT_CATCH(self->error, thrum_open_connection("nobody", "7777"));
    CHECK_EQ(self->error, THRUM_ERESOLVE);
    AWAIT_CATCH(self->error, thrum_open_connection_with("server", "7777", &bound));
    CHECK_EQ(self->error, -EADDRNOTAVAIL);
    AWAIT_CATCH(self->error, AS("nobody", thrum_sleep(0)));
    CHECK_EQ(self->error, THRUM_EINVAL);
    /* A port is taken on one host, with every address of it, and free on another. */
    AWAIT_INTO(self->server, AS("server", thrum_start_server(echo, NULL, "0.0.0.0", "7777")));
    AWAIT_CATCH(self->error, AS("server", thrum_start_server(echo, NULL, "127.0.0.1", "7777")));
    CHECK_EQ(self->error, -EADDRINUSE);
    AWAIT_INTO(self->other, AS("client", thrum_start_server(echo, NULL, "127.0.0.1", "7777")));
    thrum_server_release(self->other);
    /* Where only the host itself is heard, others are not. */
    AWAIT_INTO(self->other, AS("client", thrum_start_server(echo, NULL, "localhost", "7778")));
    AWAIT_INTO(self->a, AS("client", thrum_open_connection("localhost", "7778")));
    thrum_stream_release(self->a);
    AWAIT_CATCH(self->error, AS("server", thrum_open_connection("client", "7778")));
    CHECK_EQ(self->error, -ECONNREFUSED);
    thrum_server_release(self->other);
    thrum_server_release(self->server);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

NETWORK_TEST(testing_network, paths_are_each_hosts_own, int unused;)
{
    char text[THRUM_ADDRESS_TEXT];
    ASYNC_BEGIN;
    self->network = make_network(NULL);
    AWAIT_INTO(self->server, AS("server", thrum_start_unix_server(echo, NULL, "/run/echo")));
    AWAIT_INTO(self->a, AS("server", thrum_open_unix_connection("/run/echo")));
    CHECK_EQ(thrum_stream_peername(self->a, text, sizeof text), 0);
    CHECK_STR(text, "/run/echo");
    AWAIT(thrum_stream_write(self->a, "hello", 5));
    AWAIT(thrum_stream_read_exactly(self->a, self->text, 5));
    AWAIT_CATCH(self->error, AS("client", thrum_open_unix_connection("/run/echo")));
    CHECK_EQ(self->error, -ENOENT);
    thrum_stream_release(self->a);
    thrum_server_close(self->server);
    AWAIT(thrum_server_wait_closed(self->server));
    thrum_server_release(self->server);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

NETWORK_TEST(testing_network, half_is_closed, int unused;)
{
    ASYNC_BEGIN;
    self->network = make_slow_network(MILLISECONDS(10));
    AWAIT_INTO(self->server, AS("server", listen_at(NULL, "7777", 0)));
    AWAIT(join(self->network, self->server, &self->a, &self->b));
    AWAIT(thrum_stream_write(self->a, "question", 8));
    CHECK_EQ(thrum_stream_write_eof(self->a), 0);
    AWAIT_INTO(self->n, thrum_stream_read_exactly(self->b, self->text, 8));
    AWAIT_INTO(self->n, thrum_stream_read(self->b, self->text, 8));
    CHECK_EQ(self->n, 0);
    AWAIT(thrum_stream_write(self->b, "answer", 6));
    AWAIT_INTO(self->n, thrum_stream_read(self->a, self->text, 8));
    CHECK_EQ(self->n, 6);
    /* Now b goes: a hears the end; what it sends all the same is answered by a reset. */
    AWAIT(thrum_stream_close(self->b));
    AWAIT_INTO(self->n, thrum_stream_read(self->a, self->text, 8));
    CHECK_EQ(self->n, 0);
    give_back(self->a, self->b, self->server, self->network);
    ASYNC_END;
}

NETWORK_TEST(testing_network, resets_who_writes_to_nobody, int unused;)
{
    ASYNC_BEGIN;
    self->network = make_slow_network(MILLISECONDS(10));
    AWAIT_INTO(self->server, AS("server", listen_at(NULL, "7777", 0)));
    AWAIT(join(self->network, self->server, &self->a, &self->b));
    AWAIT(thrum_stream_close(self->b));
    self->began = thrum_now();
    AWAIT(thrum_stream_write(self->a, "x", 1)); /* it does not know yet */
    AWAIT_INTO(self->n, thrum_stream_read(self->a, self->text, 1));
    CHECK_EQ(self->n, 0);
    AWAIT(thrum_sleep(MILLISECONDS(20)));
    AWAIT(thrum_stream_write(self->a, "x", 1));
    AWAIT_CATCH(self->error, thrum_stream_flush(self->a));
    CHECK_EQ(self->error, -EPIPE); /* it had seen the end before */
    thrum_stream_release(self->a);
    thrum_stream_release(self->b);
    /* Bytes that nobody read reset, too. */
    AWAIT(join(self->network, self->server, &self->a, &self->b));
    AWAIT(thrum_stream_write(self->a, "x", 1));
    AWAIT(thrum_sleep(MILLISECONDS(50)));
    thrum_stream_release(self->b);
    AWAIT_CATCH(self->error, thrum_stream_read(self->a, self->text, 1));
    CHECK_EQ(self->error, -ECONNRESET);
    give_back(self->a, NULL, self->server, self->network);
    ASYNC_END;
}

NETWORK_TEST(testing_network, reset_is_no_end, int unused;)
{
    ASYNC_BEGIN;
    self->network = make_slow_network(MILLISECONDS(10));
    AWAIT_INTO(self->server, AS("server", listen_at(NULL, "7777", 0)));
    AWAIT(join(self->network, self->server, &self->a, &self->b));
    AWAIT(thrum_stream_write(self->a, "half of", 7));
    AWAIT(thrum_stream_flush(self->a));
    AWAIT(thrum_sleep(MILLISECONDS(10)));
    thrum_stream_reset(self->a);
    AWAIT(thrum_stream_read_exactly(self->b, self->text, 7));
    AWAIT_CATCH(self->error, thrum_stream_read(self->b, self->text, 1));
    CHECK_EQ(self->error, -ECONNRESET);
    give_back(self->a, self->b, self->server, self->network);
    ASYNC_END;
}

/* Fill a connection until the sender waits. Gives how many bytes went. */
static ASYNC(fill, ARGS((thrum_stream *, stream)), LOCALS(size_t all; int error;), BUFFERS(char bytes[5000];))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_CATCH(self->error, thrum_timeout(SECONDS(1), thrum_stream_write(self->stream, self->bytes, 5000)));
        if (self->error)
            break;
        self->all += 5000;
    }
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    ASYNC_RETURN(self->all);
    ASYNC_END;
}

NETWORK_TEST(testing_network, holds_back_who_is_too_fast, size_t all;)
{
    const thrum_test_path path = {.size = sizeof path, .window = 10000, .rate = 100000};
    ASYNC_BEGIN;
    self->network = make_network(NULL);
    CHECK_EQ(thrum_test_network_path(self->network, "client", "server", &path), 0);
    AWAIT_INTO(self->server, AS("server", listen_at(NULL, "7777", 0)));
    AWAIT(join(self->network, self->server, &self->a, &self->b));
    CHECK_EQ(thrum_stream_set_write_limits(self->a, 0, 0), 0);
    AWAIT_INTO(self->all, fill(self->a));
    CHECK_EQ(self->all, 10000);
    self->began = thrum_now();
    while (self->all) {
        AWAIT_INTO(self->n, thrum_stream_read(self->b, self->text, sizeof self->text));
        self->all -= self->n;
    }
    CHECK_EQ(thrum_now(), self->began); /* they had arrived while it was full */
    CHECK_GE(self->began, MILLISECONDS(100));
    thrum_stream_abort(self->a);
    give_back(self->a, self->b, self->server, self->network);
    ASYNC_END;
}

static ASYNC(open_one, ARGS((thrum_test_network *, network), (thrum_stream **, to)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT_INTO(*self->to, AS("client", thrum_open_connection("server", "7777")));
    ASYNC_END;
}

NETWORK_TEST(testing_network, full_backlog_is_silent, thrum_stream *c; thrum_task * late;)
{
    ASYNC_BEGIN;
    self->network = make_slow_network(MILLISECONDS(10));
    AWAIT_INTO(self->server, AS("server", listen_at(NULL, "7777", 1)));
    AWAIT(open_one(self->network, &self->a));
    self->late = thrum_spawn(open_one(self->network, &self->b));
    AWAIT_CATCH(self->error, thrum_timeout(SECONDS(10), AS("client", thrum_open_connection("server", "7777"))));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    AWAIT_INTO(self->c, thrum_server_accept(self->server));
    AWAIT(self->late); /* it asks after 1, 2, 4 and 8 s */
    CHECK_EQ(thrum_now(), MILLISECONDS(20) + SECONDS(15) + MILLISECONDS(20));
    thrum_task_release(self->late);
    /* Who waits there when the server closes is reset. */
    thrum_server_close(self->server);
    AWAIT_CATCH(self->error, thrum_stream_read(self->b, self->text, 1));
    CHECK_EQ(self->error, -ECONNRESET);
    thrum_stream_release(self->c);
    give_back(self->a, self->b, self->server, self->network);
    ASYNC_END;
}
