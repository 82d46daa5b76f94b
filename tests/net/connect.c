/* Connecting. Numbers are those of tests/net/PORTED.md. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <thrum/networks.h>

#include "support.h"

/* A socket that listens on 127.0.0.1, and its port. */
static int open_listener(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(made, (struct sockaddr *)(void *)&address, size), 0);
    CHECK_EQ(listen(made, 5), 0);
    CHECK_EQ(getsockname(made, (struct sockaddr *)(void *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return made;
}

static const char *as_text(int port)
{
    static char text[8];
    snprintf(text, sizeof text, "%d", port);
    return text;
}

/* test_create_connection_ip_addr: a literal is not looked up, which would suspend for a thread. */
NET_TEST(connect, numeric,
         LOCALS(int listener, port, other, n; thrum_stream * stream;
                char text[THRUM_ADDRESS_TEXT], expected[THRUM_ADDRESS_TEXT]; int flag; socklen_t size;))
{
    ASYNC_BEGIN;
    self->listener = open_listener(&self->port);
    AWAIT_INTO(self->stream, thrum_open_connection("127.0.0.1", as_text(self->port)));
    CHECK_NOT_NULL(self->stream);
    snprintf(self->expected, sizeof self->expected, "127.0.0.1:%d", self->port);
    CHECK_EQ(thrum_stream_peername(self->stream, self->text, sizeof self->text), 0);
    CHECK_STR(self->text, self->expected);
    CHECK_EQ(thrum_stream_peer_port(self->stream), self->port);
    CHECK_EQ(thrum_stream_sockname(self->stream, self->text, sizeof self->text), 0);
    CHECK_EQ(strncmp(self->text, "127.0.0.1:", 10), 0);
    /* From birth: close-on-exec and non-blocking; and no delay. */
    CHECK(fcntl(thrum_stream_descriptor(self->stream), F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(thrum_stream_descriptor(self->stream), F_GETFL) & O_NONBLOCK);
    self->size = sizeof self->flag;
    getsockopt(thrum_stream_descriptor(self->stream), IPPROTO_TCP, TCP_NODELAY, &self->flag, &self->size);
    CHECK(self->flag);
    self->other = accept(self->listener, NULL, NULL);
    CHECK_EQ(write(self->other, "hi", 2), 2);
    AWAIT_INTO(self->n, thrum_stream_read(self->stream, self->text, 10));
    CHECK_EQ(self->n, 2);
    close(self->other);
    AWAIT(thrum_stream_close(self->stream));
    /* The peer is known beyond the end. */
    CHECK_EQ(thrum_stream_peername(self->stream, self->text, sizeof self->text), 0);
    CHECK_STR(self->text, self->expected);
    thrum_stream_release(self->stream);
    close(self->listener);
    ASYNC_END;
}

/* test_create_connection_ipv6_scope: what stands behind the address says through which interface, and is no name to be
 * looked up. */
NET_TEST(connect, scope, LOCALS(int listener, error; thrum_stream * stream; char text[THRUM_ADDRESS_TEXT];))
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t size = sizeof address;
    ASYNC_BEGIN;
    self->listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(self->listener, (struct sockaddr *)(void *)&address, size), 0);
    CHECK_EQ(listen(self->listener, 5), 0);
    CHECK_EQ(getsockname(self->listener, (struct sockaddr *)(void *)&address, &size), 0);
    AWAIT_INTO(self->stream, thrum_open_connection("::1%1", as_text(ntohs(address.sin6_port))));
    CHECK_EQ(thrum_stream_peername(self->stream, self->text, sizeof self->text), 0);
    CHECK_EQ(strncmp(self->text, "[::1%1]:", 8), 0);
    thrum_stream_release(self->stream);
    close(self->listener);
    AWAIT_CATCH(self->error, thrum_open_connection("fe80::1%1", "80"));
    CHECK_LT(self->error, 0);
    CHECK_NE(self->error, THRUM_ERESOLVE);
    CHECK_STR(thrum_error_last()->operation, "connect");
    CHECK_EQ(strncmp(thrum_error_last()->text, "[fe80::1%", 9), 0);
    ASYNC_END;
}

NET_TEST(connect, refused, LOCALS(int listener, port, error; thrum_stream * stream; char expected[THRUM_ADDRESS_TEXT];))
{
    ASYNC_BEGIN;
    self->listener = open_listener(&self->port);
    close(self->listener);
    AWAIT_CATCH_INTO(self->error, self->stream, thrum_open_connection("127.0.0.1", as_text(self->port)));
    CHECK_EQ(self->error, -ECONNREFUSED);
    snprintf(self->expected, sizeof self->expected, "127.0.0.1:%d", self->port);
    CHECK_NOT_NULL(thrum_error_last());
    CHECK_STR(thrum_error_last()->operation, "connect");
    CHECK_STR(thrum_error_last()->text, self->expected);
    CHECK_EQ(thrum_error_last()->system, ECONNREFUSED);
    ASYNC_END;
}

/* test_create_connection_multiple_errors: every address that was tried is named; and they are tried in order. */
NET_TEST(connect, several_addresses, LOCALS(int listener, port, error; thrum_stream * stream;))
{
    ASYNC_BEGIN;
    self->listener = open_listener(&self->port);
    AWAIT_INTO(self->stream, thrum_open_connection(NULL, as_text(self->port)));
    thrum_stream_release(self->stream);
    close(self->listener);
    AWAIT_CATCH_INTO(self->error, self->stream, thrum_open_connection(NULL, as_text(self->port)));
    CHECK_LT(self->error, 0);
    CHECK_NOT_NULL(strstr(thrum_error_last()->text, "[::1]:"));
    CHECK_NOT_NULL(strstr(thrum_error_last()->text, ", 127.0.0.1:"));
    ASYNC_END;
}

NET_TEST(connect, by_name, LOCALS(int listener, port, error; thrum_stream * stream; outcome over; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->listener = open_listener(&self->port);
    AWAIT_INTO(self->stream, thrum_open_connection("localhost", as_text(self->port)));
    thrum_stream_release(self->stream);
    AWAIT_CATCH_INTO(self->error, self->stream, thrum_open_connection("127.0.0.1", "no such service"));
    CHECK_EQ(self->error, THRUM_ERESOLVE);
    CHECK_STR(thrum_error_last()->operation, "getaddrinfo");
    /* Cancelled while the thread looks: nothing is left. */
    self->task = begin(thrum_open_connection("localhost", as_text(self->port)), &self->over);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECANCELED);
    close(self->listener);
    ASYNC_END;
}

NET_TEST(connect, arguments,
         LOCALS(int error; thrum_stream * stream; thrum_connect_options options; thrum_stream_options settings;))
{
    ASYNC_BEGIN;
    self->options.size = sizeof self->options + 8;
    AWAIT_CATCH(self->error, thrum_open_connection_with("127.0.0.1", "80", &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->options.size = sizeof self->options;
    self->options.stream = &self->settings;
    AWAIT_CATCH(self->error, thrum_open_connection_with("127.0.0.1", "80", &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL); /* no size */
    self->settings.size = sizeof self->settings + 8;
    AWAIT_CATCH(self->error, thrum_open_connection_with("127.0.0.1", "80", &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->settings.size = sizeof self->settings;
    self->settings.high = 1;
    self->settings.low = 2;
    AWAIT_CATCH(self->error, thrum_open_connection_with("127.0.0.1", "80", &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->settings.low = 1;
    self->options.family = AF_INET6;
    AWAIT_CATCH(self->error, thrum_open_connection_with("127.0.0.1", "80", &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_open_unix_connection(""));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_open_unix_connection("/no/such/socket"));
    CHECK_EQ(self->error, -ENOENT);
    CHECK_STR(thrum_error_last()->text, "/no/such/socket");
    CHECK_EQ(thrum_stream_adopt(&self->stream, 0, NULL), -ENOTSOCK);
    CHECK_EQ(thrum_stream_adopt(&self->stream, -1, NULL), -EBADF);
    /* test_create_connection_no_host_port_sock and its like: only streams are taken. */
    self->error = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(thrum_stream_adopt(&self->stream, self->error, NULL), THRUM_EINVAL);
    close(self->error);
    ASYNC_END;
}

/* From a given local address. */
NET_TEST(connect, local_address,
         LOCALS(int listener, port; thrum_stream * stream; thrum_connect_options options;
                char text[THRUM_ADDRESS_TEXT];))
{
    ASYNC_BEGIN;
    self->listener = open_listener(&self->port);
    self->options.size = sizeof self->options;
    self->options.local_host = "127.0.0.2";
    AWAIT_INTO(self->stream, thrum_open_connection_with("127.0.0.1", as_text(self->port), &self->options));
    CHECK_EQ(thrum_stream_sockname(self->stream, self->text, sizeof self->text), 0);
    CHECK_EQ(strncmp(self->text, "127.0.0.2:", 10), 0);
    thrum_stream_release(self->stream);
    close(self->listener);
    ASYNC_END;
}

/* 136: cancelled while connect() is on its way: no descriptor stays open (the end of the test counts them). The queue
 * of the listening socket is full, so that the kernel does not answer. */
NET_TEST(connect, cancelled, LOCALS(int listener, port, i, error; int others[8]; thrum_stream * stream;))
{
    ASYNC_BEGIN;
    self->listener = open_listener(&self->port);
    listen(self->listener, 0);
    for (self->i = 0; self->i < 8; self->i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)self->port)};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        self->others[self->i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(self->others[self->i], (struct sockaddr *)(void *)&address, sizeof address);
    }
    AWAIT_CATCH_INTO(self->error, self->stream,
                     thrum_timeout(MILLISECONDS(20), thrum_open_connection("127.0.0.1", as_text(self->port))));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    for (self->i = 0; self->i < 8; self->i++)
        close(self->others[self->i]);
    close(self->listener);
    ASYNC_END;
}

TEST(connect, not_on_virtual_time)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM};
    thrum_loop *loop;
    thrum_stream *stream;
    CHECK_EQ(thrum_stream_adopt(&stream, 0, NULL) < 0, 1);
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_open_connection("127.0.0.1", "80"), NULL), THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_loop_close(loop), 0);
}

/* ---- a network that goes over itself ---- */

static ASYNC(nowhere, ARGS_NONE, LOCALS_NONE)
{
    thrum_stream *made;
    ASYNC_BEGIN;
    if (thrum_stream_fed(&made, NULL))
        ASYNC_RAISE(THRUM_ENOMEM);
    ASYNC_RETURN(made);
    ASYNC_END;
}

static thrum_awaitable connect_twice(void *own, const thrum_address *local, const thrum_address *to,
                                     const thrum_stream_options *options)
{
    (void)own, (void)local, (void)options;
    return thrum_address_port(to) == 3 ? nowhere() : thrum_open_connection("fd00::2", "3");
}

/* The peer is whom the last one of them was asked for, and nothing is left of the others. */
NET_TEST(connect, through_another_connection,
         LOCALS(thrum_network network; thrum_stream * stream; char text[THRUM_ADDRESS_TEXT];))
{
    ASYNC_BEGIN;
    memset(&self->network, 1, sizeof self->network); /* nothing calls the others */
    self->network.size = sizeof self->network;
    self->network.connect = connect_twice;
    CHECK_EQ(thrum_loop_set_network(thrum_loop_running(), &self->network, NULL), 0);
    AWAIT_INTO(self->stream, thrum_open_connection("10.0.0.1", "1"));
    CHECK_EQ(thrum_stream_peername(self->stream, self->text, sizeof self->text), 0);
    CHECK_STR(self->text, "10.0.0.1:1");
    CHECK_EQ(thrum_stream_peer_port(self->stream), 1);
    thrum_stream_release(self->stream);
    AWAIT_INTO(self->stream, thrum_open_connection("fd00::1", "2"));
    CHECK_EQ(thrum_stream_peername(self->stream, self->text, sizeof self->text), 0);
    CHECK_STR(self->text, "[fd00::1]:2");
    thrum_stream_release(self->stream);
    CHECK_EQ(thrum_loop_set_network(thrum_loop_running(), NULL, NULL), 0);
    ASYNC_END;
}
