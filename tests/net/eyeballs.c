/* Connecting to whichever of several addresses answers. Numbers are those of tests/net/PORTED.md. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/connect.h"
#include "net/stream.h"
#include "support.h"

/* What listens, on the same port of ::1 and 127.0.0.1. A full queue does not answer. */
typedef struct both {
    int six, four, port;
    int callers[8];
    char text[8];
} both;

static int bound(int family, int port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    int made = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in6.sin6_addr = in6addr_loopback;
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (made < 0 || (family == AF_INET ? bind(made, (struct sockaddr *)(void *)&in, sizeof in)
                                       : bind(made, (struct sockaddr *)(void *)&in6, sizeof in6))) {
        close(made);
        return -1;
    }
    return made;
}

/* A port that is free in both families; nothing listens yet. */
static void both_open(both *all)
{
    struct sockaddr_in in;
    socklen_t size = sizeof in;
    for (int i = 0; i < 100; i++) {
        all->four = bound(AF_INET, 0);
        CHECK_EQ(getsockname(all->four, (struct sockaddr *)(void *)&in, &size), 0);
        all->port = ntohs(in.sin_port);
        all->six = bound(AF_INET6, all->port);
        if (all->six >= 0)
            break;
        close(all->four);
    }
    snprintf(all->text, sizeof all->text, "%d", all->port);
    memset(all->callers, -1, sizeof all->callers);
}

/* Nobody takes the connections of ::1, and its queue is full. */
static void six_hangs(both *all)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)all->port)};
    in6.sin6_addr = in6addr_loopback;
    CHECK_EQ(listen(all->six, 0), 0);
    for (int i = 0; i < 8; i++) {
        all->callers[i] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(all->callers[i], (struct sockaddr *)(void *)&in6, sizeof in6);
    }
}

static void both_close(both *all)
{
    for (int i = 0; i < 8; i++)
        if (all->callers[i] >= 0)
            close(all->callers[i]);
    close(all->six);
    close(all->four);
}

/* 144: the one that answers wins; that which hangs is closed when the connection is given (the end of the test counts
 * descriptors, and so does the middle). */
NET_TEST(eyeballs, second_answers,
         LOCALS(both all; thrum_connect_options options; thrum_stream * stream; char text[THRUM_ADDRESS_TEXT];
                int before;))
{
    ASYNC_BEGIN;
    both_open(&self->all);
    six_hangs(&self->all);
    listen(self->all.four, 5);
    self->before = count_descriptors();
    self->options.size = sizeof self->options;
    self->options.happy_eyeballs_delay = MILLISECONDS(5);
    AWAIT_INTO(self->stream, thrum_open_connection_with(NULL, self->all.text, &self->options));
    CHECK_EQ(count_descriptors(), self->before + 1);
    CHECK_EQ(thrum_stream_peername(self->stream, self->text, sizeof self->text), 0);
    CHECK_EQ(strncmp(self->text, "127.0.0.1:", 10), 0);
    thrum_stream_release(self->stream);
    both_close(&self->all);
    ASYNC_END;
}

/* The first one is not waited for when it fails, and not raced when it answers. */
NET_TEST(eyeballs, first_fails_at_once,
         LOCALS(both all; thrum_connect_options options; thrum_stream * stream; thrum_time began; int other;))
{
    ASYNC_BEGIN;
    both_open(&self->all);
    listen(self->all.four, 5);
    self->options.size = sizeof self->options;
    self->options.happy_eyeballs_delay = SECONDS(60);
    self->began = thrum_now();
    AWAIT_INTO(self->stream, thrum_open_connection_with(NULL, self->all.text, &self->options));
    CHECK_LT(thrum_now() - self->began, SECONDS(30));
    thrum_stream_release(self->stream);
    listen(self->all.six, 5);
    AWAIT_INTO(self->stream, thrum_open_connection_with(NULL, self->all.text, &self->options));
    fcntl(self->all.four, F_SETFL, O_NONBLOCK);
    self->other = accept(self->all.four, NULL, NULL); /* of the first time */
    CHECK_GE(self->other, 0);
    close(self->other);
    CHECK_EQ(accept(self->all.four, NULL, NULL), -1);
    thrum_stream_release(self->stream);
    both_close(&self->all);
    ASYNC_END;
}

/* 144: cancelled in the middle of the race, nothing stays open. */
NET_TEST(eyeballs, cancelled, LOCALS(both all; thrum_connect_options options; int before, error;))
{
    ASYNC_BEGIN;
    both_open(&self->all);
    six_hangs(&self->all);
    self->before = count_descriptors();
    self->options.size = sizeof self->options;
    self->options.happy_eyeballs_delay = SECONDS(60);
    AWAIT_CATCH(self->error,
                thrum_timeout(MILLISECONDS(10), thrum_open_connection_with(NULL, self->all.text, &self->options)));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    CHECK_EQ(count_descriptors(), self->before);
    both_close(&self->all);
    ASYNC_END;
}

/* test_create_connection_multiple_errors, _no_inet_pton: one error for all, with every address. */
NET_TEST(eyeballs, all_fail_alike,
         LOCALS(both all; thrum_connect_options options; char text[THRUM_ERROR_TEXT]; int error, i;))
{
    ASYNC_BEGIN;
    both_open(&self->all);
    self->options.size = sizeof self->options;
    for (self->i = 0; self->i < 2; self->i++) {
        self->options.happy_eyeballs_delay = self->i ? SECONDS(60) : 0;
        AWAIT_CATCH(self->error, thrum_open_connection_with(NULL, self->all.text, &self->options));
        CHECK_EQ(self->error, -ECONNREFUSED);
        snprintf(self->text, sizeof self->text, "[::1]:%d, 127.0.0.1:%d", self->all.port, self->all.port);
        CHECK_STR(thrum_error_last()->text, self->text);
        CHECK_STR(thrum_error_last()->operation, "connect");
        CHECK_EQ(thrum_error_last()->system, ECONNREFUSED);
    }
    both_close(&self->all);
    ASYNC_END;
}

/* test_create_connection_multiple_errors_local_addr, test_create_connection_local_addr_skip_different_family: an
 * address without a local one of its family fails by itself; the others are tried. */
NET_TEST(eyeballs, local_addresses,
         LOCALS(both all; thrum_connect_options options; thrum_stream * stream; char text[THRUM_ERROR_TEXT];
                int error;))
{
    ASYNC_BEGIN;
    both_open(&self->all);
    self->options.size = sizeof self->options;
    self->options.local_host = "127.0.0.1";
    AWAIT_CATCH(self->error, thrum_open_connection_with(NULL, self->all.text, &self->options));
    CHECK_EQ(self->error, -EADDRNOTAVAIL);
    snprintf(self->text, sizeof self->text, "[::1]:%d EADDRNOTAVAIL, 127.0.0.1:%d ECONNREFUSED", self->all.port,
             self->all.port);
    CHECK_STR(thrum_error_last()->text, self->text);
    CHECK_STR(thrum_error_last()->operation, "bind");
    listen(self->all.four, 5);
    AWAIT_INTO(self->stream, thrum_open_connection_with(NULL, self->all.text, &self->options));
    thrum_stream_release(self->stream);
    /* Any of several will do. */
    self->options.local_host = NULL;
    self->options.local_port = "0";
    AWAIT_INTO(self->stream, thrum_open_connection_with(NULL, self->all.text, &self->options));
    thrum_stream_release(self->stream);
    both_close(&self->all);
    ASYNC_END;
}

/* test_create_connection_all_errors, and with a delay */
NET_TEST(eyeballs, all_errors,
         LOCALS(both all; thrum_connect_options options; char text[THRUM_ERROR_TEXT]; int error, i;))
{
    const thrum_error *detail;
    ASYNC_BEGIN;
    both_open(&self->all);
    self->options.size = sizeof self->options;
    self->options.all_errors = true;
    self->options.local_host = "127.0.0.1";
    for (self->i = 0; self->i < 2; self->i++) {
        self->options.happy_eyeballs_delay = self->i ? SECONDS(60) : 0;
        AWAIT_CATCH(self->error, thrum_open_connection_with(NULL, self->all.text, &self->options));
        CHECK_EQ(self->error, THRUM_EGROUP);
        CHECK_EQ(thrum_error_last()->number, 2);
        detail = thrum_error_last()->errors;
        CHECK_NOT_NULL(detail);
        CHECK_EQ(detail->code, -EADDRNOTAVAIL);
        CHECK_STR(detail->operation, "bind");
        snprintf(self->text, sizeof self->text, "[::1]:%d", self->all.port);
        CHECK_STR(detail->text, self->text);
        detail = detail->next;
        CHECK_NOT_NULL(detail);
        CHECK_EQ(detail->code, -ECONNREFUSED);
        CHECK_EQ(detail->system, ECONNREFUSED);
        CHECK_STR(detail->operation, "connect");
        CHECK_NULL(detail->next);
    }
    both_close(&self->all);
    self->options.happy_eyeballs_delay = -1;
    AWAIT_CATCH(self->error, thrum_open_connection_with(NULL, self->all.text, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    ASYNC_END;
}

/* ---- many ---- */

static void add(net_addresses *to, int family, int port)
{
    net_address address;
    CHECK(address_numeric(&address, family == 4 ? "127.0.0.1" : "::1", port));
    CHECK(addresses_add(to, &address));
}

/* However many have failed, each is in the error, whole: the text has as many as there is room for. */
NET_TEST(eyeballs, many_errors, LOCALS(both all; connect_plan plan; int error, i; char text[THRUM_ERROR_TEXT];))
{
    enum { MANY = 30 };
    const thrum_error *one;
    const char *text;
    int n = 0;
    ASYNC_BEGIN;
    both_open(&self->all);
    CHECK_EQ(stream_options_check(NULL, &self->plan.stream), 0);
    add(&self->plan.local, 4, 0);
    for (self->i = 0; self->i < MANY; self->i++)
        add(&self->plan.addresses, self->i & 1 ? 4 : 6, self->all.port);
    for (self->i = 0; self->i < 2; self->i++) {
        self->plan.delay = self->i ? SECONDS(60) : 0;
        AWAIT_CATCH(self->error, connect_any(&self->plan));
        CHECK_EQ(self->error, -EADDRNOTAVAIL);
        text = thrum_error_last()->text;
        CHECK_NOT_NULL(strstr(text, " ECONNREFUSED, "));
        CHECK_STR(text + strlen(text) - 5, ", ...");
        for (one = thrum_error_last()->errors, n = 0; one; one = one->next, n++) {
            CHECK_EQ(one->code, n & 1 ? -ECONNREFUSED : -EADDRNOTAVAIL);
            CHECK_STR(one->operation, n & 1 ? "connect" : "bind");
            snprintf(self->text, sizeof self->text, n & 1 ? "127.0.0.1:%d" : "[::1]:%d", self->all.port);
            CHECK_STR(one->text, self->text);
        }
        CHECK_EQ(n, MANY);
    }
    addresses_free(&self->plan.addresses);
    addresses_free(&self->plan.local);
    both_close(&self->all);
    ASYNC_END;
}

/* ---- the order: test_interleave_addrinfos ---- */

/* "4a4b6c" in this order; what comes out as text. */
static const char *interleaved(const char *order, unsigned first)
{
    static char text[32];
    net_addresses list = {0};
    size_t n = 0;
    for (const char *at = order; *at; at += 2)
        add(&list, at[0] - '0', at[1]);
    CHECK_EQ(connect_interleave(&list, first), 0);
    for (size_t i = 0; i < list.count; i++) {
        text[n++] = list.list[i].as.any.sa_family == AF_INET ? '4' : '6';
        text[n++] = (char)address_port(&list.list[i].as.any);
    }
    text[n] = '\0';
    addresses_free(&list);
    return text;
}

NET_TEST(eyeballs, interleave, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_STR(interleaved("6a6b6c4d4e4f", 1), "6a4d6b4e6c4f");
    CHECK_STR(interleaved("6a6b6c4d4e4f", 2), "6a6b4d6c4e4f");
    CHECK_STR(interleaved("6a6b6c4d4e4f", 9), "6a6b6c4d4e4f");
    CHECK_STR(interleaved("6a6b6c4d4e4f", 0), "6a6b6c4d4e4f");
    CHECK_STR(interleaved("4a6b4c4d", 1), "4a6b4c4d");
    CHECK_STR(interleaved("4a4b4c", 1), "4a4b4c");
    CHECK_STR(interleaved("4a", 1), "4a");
    CHECK_STR(interleaved("", 1), "");
    ASYNC_END;
}
