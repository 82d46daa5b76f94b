/* Awaited calls on plain descriptors. Names are those of test_sock_lowlevel, numbers those of tests/net/PORTED.md. */
#include <netinet/in.h>
#include <thrum/sockets.h>

#include "support.h"

/* Two connected sockets that do not block. */
static void open_pair(int ends[2])
{
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
}

static void close_pair(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* A socket of a kind on 127.0.0.1, and its address. */
static int open_bound(int type, thrum_address *address)
{
    int made = thrum_sock_open(AF_INET, type);
    socklen_t size = sizeof address->words;
    CHECK_GE(made, 0);
    CHECK_EQ(thrum_address_from_ip(address, "127.0.0.1", 0), 0);
    CHECK_EQ(bind(made, (const struct sockaddr *)thrum_address_raw(address), (socklen_t)address->size), 0);
    CHECK_EQ(getsockname(made, (struct sockaddr *)(void *)address->words, &size), 0);
    if (type == SOCK_STREAM)
        CHECK_EQ(listen(made, 5), 0);
    return made;
}

TEST(addresses, there_and_back)
{
    char text[THRUM_ADDRESS_TEXT];
    thrum_address a, b;
    CHECK_EQ(thrum_address_from_ip(&a, "127.0.0.1", 80), 0);
    CHECK_EQ(thrum_address_family(&a), AF_INET);
    CHECK_EQ(thrum_address_port(&a), 80);
    thrum_address_text(&a, text, sizeof text);
    CHECK_STR(text, "127.0.0.1:80");
    CHECK_EQ(thrum_address_from_raw(&b, thrum_address_raw(&a), a.size), 0);
    CHECK(thrum_address_equal(&a, &b));
    CHECK_EQ(thrum_address_from_ip(&b, "127.0.0.1", 81), 0);
    CHECK(!thrum_address_equal(&a, &b));
    CHECK_EQ(thrum_address_from_ip(&b, "::1", 80), 0);
    CHECK_EQ(thrum_address_family(&b), AF_INET6);
    CHECK(!thrum_address_equal(&a, &b));
    CHECK_EQ(thrum_address_from_ip(&a, "::1%1", 80), 0);
    CHECK(!thrum_address_equal(&a, &b));
    /* create_connection_ipv6_scope, ipaddr_info: the interface, by number or by name, goes along. */
    CHECK_EQ(thrum_address_from_ip(&a, "fe80::1%1", 80), 0);
    CHECK_EQ(((const struct sockaddr_in6 *)thrum_address_raw(&a))->sin6_scope_id, 1);
    CHECK_EQ(thrum_address_from_ip(&b, "fe80::1", 80), 0);
    CHECK(!thrum_address_equal(&a, &b));
    CHECK_EQ(thrum_address_from_ip(&b, "fe80::1%no such interface", 80), THRUM_EINVAL);
    CHECK_EQ(thrum_address_from_ip(&b, "fe80::1%1x", 80), THRUM_EINVAL);
    CHECK_EQ(thrum_address_from_ip(&b, "fe80::1%", 80), THRUM_EINVAL);
    CHECK_EQ(thrum_address_from_ip(&b, "1.2.3.4%1", 80), THRUM_EINVAL);
    CHECK_EQ(thrum_address_from_ip(&b, "1.2.3", 80), THRUM_EINVAL);
    CHECK_EQ(thrum_address_from_ip(&b, "", 80), THRUM_EINVAL);
    CHECK_EQ(thrum_address_from_path(&a, "/run/x"), 0);
    CHECK_EQ(thrum_address_family(&a), AF_UNIX);
    CHECK_EQ(thrum_address_port(&a), 0);
    thrum_address_text(&a, text, sizeof text);
    CHECK_STR(text, "/run/x");
    CHECK(thrum_address_equal(&a, &a));
    CHECK_EQ(thrum_address_from_path(&b, "@x"), 0);
    thrum_address_text(&b, text, sizeof text);
    CHECK_STR(text, "@x");
    CHECK(!thrum_address_equal(&a, &b));
    CHECK_EQ(thrum_address_from_ip(&a, "localhost", 80), THRUM_EINVAL);
    CHECK_EQ(a.size, 0);
    CHECK_EQ(thrum_address_family(&a), AF_UNSPEC);
    thrum_address_text(&a, text, sizeof text);
    CHECK_STR(text, "");
    CHECK_EQ(thrum_address_from_ip(&a, "127.0.0.1", 65536), THRUM_EINVAL);
    CHECK_EQ(thrum_address_from_ip(&a, NULL, 1), THRUM_EINVAL);
    CHECK_EQ(thrum_address_from_path(&a, ""), THRUM_EINVAL);
    CHECK_EQ(thrum_address_from_raw(&a, text, sizeof a.words + 1), THRUM_EINVAL);
    CHECK_EQ(thrum_address_from_raw(&a, text, 1), THRUM_EINVAL);
}

/* test_sock_client_ops, test_sock_accept: a connection by hand, from both sides. */
NET_TEST(sockets, client_and_server,
         LOCALS(thrum_address address, peer, own; int listener, client, server; outcome accepted; thrum_task * task;
                char text[64]; int n; socklen_t size;))
{
    ASYNC_BEGIN;
    self->listener = open_bound(SOCK_STREAM, &self->address);
    self->task = begin(thrum_sock_accept(self->listener, &self->peer), &self->accepted);
    self->client = thrum_sock_open(AF_INET, SOCK_STREAM);
    AWAIT_INTO(self->n, thrum_sock_connect(self->client, &self->address));
    CHECK_EQ(self->n, 0);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->accepted.error, 0);
    self->server = (int)self->accepted.value;
    CHECK(fcntl(self->server, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(self->server, F_GETFD) & FD_CLOEXEC);
    memset(&self->own, 0, sizeof self->own);
    self->size = sizeof self->own.words;
    CHECK_EQ(getsockname(self->client, (struct sockaddr *)(void *)self->own.words, &self->size), 0);
    self->own.size = self->size;
    CHECK(thrum_address_equal(&self->own, &self->peer));
    AWAIT_INTO(self->n, thrum_sock_sendall(self->client, "host: x\r\n", 9));
    CHECK_EQ(self->n, 9);
    AWAIT_INTO(self->n, thrum_sock_recv(self->server, self->text, 4));
    CHECK_EQ(self->n, 4);
    AWAIT_INTO(self->n, thrum_sock_recv(self->server, self->text + 4, 60));
    CHECK_EQ(self->n, 5);
    CHECK_MEM(self->text, "host: x\r\n", 9);
    /* One that is there is taken at once. */
    close(self->client);
    AWAIT_INTO(self->n, thrum_sock_recv(self->server, self->text, 60));
    CHECK_EQ(self->n, 0);
    close(self->server);
    close(self->listener);
    ASYNC_END;
}

/* test_sock_client_fail */
NET_TEST(sockets, connect_refused, LOCALS(thrum_address address; int listener, client, error; char text[64];))
{
    ASYNC_BEGIN;
    self->listener = open_bound(SOCK_STREAM, &self->address);
    close(self->listener);
    self->client = thrum_sock_open(AF_INET, SOCK_STREAM);
    AWAIT_CATCH(self->error, thrum_sock_connect(self->client, &self->address));
    CHECK_EQ(self->error, -ECONNREFUSED);
    thrum_address_text(&self->address, self->text, sizeof self->text);
    CHECK_STR(thrum_error_last()->text, self->text);
    CHECK_STR(thrum_error_last()->operation, "sock_connect");
    CHECK_EQ(thrum_error_last()->system, ECONNREFUSED);
    close(self->client);
    /* A path that is not there fails in the call itself. */
    CHECK_EQ(thrum_address_from_path(&self->address, "/no/such/socket"), 0);
    self->client = thrum_sock_open(AF_UNIX, SOCK_STREAM);
    AWAIT_CATCH(self->error, thrum_sock_connect(self->client, &self->address));
    CHECK_EQ(self->error, -ENOENT);
    CHECK_STR(thrum_error_last()->text, "/no/such/socket");
    close(self->client);
    ASYNC_END;
}

/* 145, test_sock_client_racing, test_prompt_cancellation: cancelled, it ends in the next pass; and the descriptor is
 * free for the next call in the same pass, whose watcher stays. */
NET_TEST(sockets, cancelled_and_used_again,
         LOCALS(int ends[2]; outcome first, second; thrum_task * a, *b; char text[8], other[8];))
{
    ASYNC_BEGIN;
    open_pair(self->ends);
    self->a = begin(thrum_sock_recv(self->ends[0], self->text, 8), &self->first);
    AWAIT(thrum_yield());
    thrum_task_cancel(self->a);
    self->b = begin(thrum_sock_recv(self->ends[0], self->other, 8), &self->second);
    AWAIT(self->a);
    CHECK_EQ(self->first.error, THRUM_ECANCELED);
    CHECK(!self->second.over);
    CHECK_EQ(write(self->ends[1], "abc", 3), 3);
    AWAIT(self->b);
    CHECK_EQ(self->second.value, 3);
    CHECK_MEM(self->other, "abc", 3);
    thrum_task_release(self->a);
    thrum_task_release(self->b);
    close_pair(self->ends);
    ASYNC_END;
}

/* test_cancel_sock_accept: and one that was woken but did not run takes nothing. */
NET_TEST(sockets, cancelled_accept,
         LOCALS(thrum_address address; int listener, client, other, error; outcome over; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->listener = open_bound(SOCK_STREAM, &self->address);
    self->task = begin(thrum_sock_accept(self->listener, NULL), &self->over);
    self->client = thrum_sock_open(AF_INET, SOCK_STREAM);
    AWAIT_CATCH(self->error, thrum_sock_connect(self->client, &self->address));
    CHECK_EQ(self->error, 0);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    if (self->over.error) {
        CHECK_EQ(self->over.error, THRUM_ECANCELED);
        AWAIT_INTO(self->other, thrum_sock_accept(self->listener, NULL));
    } else {
        self->other = (int)self->over.value;
    }
    close(self->other);
    close(self->client);
    close(self->listener);
    ASYNC_END;
}

static thrum_task *to_cancel;
static void cancel_call(thrum_handle *handle)
{
    (void)handle;
    thrum_task_cancel(to_cancel);
}

/* Cancelled between the wake-up and the step: the bytes stay in the socket. */
NET_TEST(sockets, cancelled_when_woken,
         LOCALS(int ends[2]; outcome over; char text[8]; int n; thrum_handle handle; thrum_task * task;))
{
    ASYNC_BEGIN;
    open_pair(self->ends);
    thrum_handle_init(&self->handle, cancel_call, NULL);
    self->task = to_cancel = begin(thrum_sock_recv(self->ends[0], self->text, 8), &self->over);
    AWAIT(thrum_yield());
    CHECK_EQ(write(self->ends[1], "abc", 3), 3);
    thrum_call_soon(&self->handle); /* runs before what the poll wakes */
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECANCELED);
    AWAIT_INTO(self->n, thrum_sock_recv(self->ends[0], self->text, 8));
    CHECK_EQ(self->n, 3);
    close_pair(self->ends);
    ASYNC_END;
}

/* However fast the peer takes what is sent, the others have their turn, after a megabyte at the latest. */
NET_TEST(sockets, fast_peer_lets_the_others_run, LOCALS(int ends[2]; outcome over; char *bytes; thrum_task * task;))
{
    enum { ALL = 4 << 20, TURN = 1 << 20 };
    ASYNC_BEGIN;
    open_pair(self->ends);
    self->bytes = counted(ALL);
    calls_send.swallowed = true;
    calls_send.most = 100000;
    self->task = begin(thrum_sock_sendall(self->ends[0], self->bytes, ALL), &self->over);
    CHECK_EQ(calls_send.moved, TURN);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    CHECK_EQ(self->over.value, ALL);
    CHECK_EQ(calls_send.moved, ALL);
    close_pair(self->ends);
FINALLY:
    free(self->bytes);
    ASYNC_END;
}

static ASYNC(send_counted, ARGS((int, to), (size_t, size)), LOCALS(char *bytes; size_t n;))
{
    ASYNC_BEGIN;
    self->bytes = counted(self->size);
    AWAIT_INTO(self->n, thrum_sock_sendall(self->to, self->bytes, self->size));
    CHECK_EQ(self->n, self->size);
    shutdown(self->to, SHUT_WR);
FINALLY:
    free(self->bytes);
    ASYNC_END;
}

static ASYNC(receive_counted, ARGS((int, from), (size_t, size)), LOCALS(unsigned char bytes[4096]; size_t total, n;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->n, thrum_sock_recv(self->from, self->bytes, sizeof self->bytes));
        if (!self->n)
            break;
        for (size_t i = 0; i < self->n; i++, self->total++)
            CHECK_EQ(self->bytes[i], self->total % 251);
    }
    CHECK_EQ(self->total, self->size);
    ASYNC_END;
}

/* test_huge_content: both ways at once, on the same descriptors. */
NET_TEST(sockets, megabytes_both_ways, LOCALS(int ends[2];))
{
    ASYNC_BEGIN;
    open_pair(self->ends);
    AWAIT(thrum_gather(NULL, send_counted(self->ends[0], 3000000), send_counted(self->ends[1], 3000000),
                       receive_counted(self->ends[0], 3000000), receive_counted(self->ends[1], 3000000)));
    close_pair(self->ends);
    ASYNC_END;
}

/* What was sent before the cancellation is told. */
NET_TEST(sockets, cancelled_sendall, LOCALS(int ends[2]; outcome over; char *bytes; size_t got; thrum_task * task;))
{
    ASYNC_BEGIN;
    open_pair(self->ends);
    self->bytes = counted(3000000);
    self->task = begin(thrum_sock_sendall(self->ends[0], self->bytes, 3000000), &self->over);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECANCELED);
    close(self->ends[0]);
    for (ssize_t n; (n = read(self->ends[1], self->bytes, 3000000)) > 0;)
        self->got += (size_t)n;
    CHECK_GT(self->got, 0);
    CHECK_EQ(self->over.number, self->got);
    close(self->ends[1]);
    /* And before an error. */
    open_pair(self->ends);
    self->task = begin(thrum_sock_sendall(self->ends[0], self->bytes, 3000000), &self->over);
    close(self->ends[1]);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK(self->over.error == -EPIPE || self->over.error == -ECONNRESET);
    CHECK_GT(self->over.number, 0);
    close(self->ends[0]);
    free(self->bytes);
    ASYNC_END;
}

/* test_recvfrom, test_recvfrom_into, test_sendto_blocking: datagrams, empty ones among them. */
NET_TEST(sockets, datagrams,
         LOCALS(thrum_address a, b, from; int one, other, n; outcome over; thrum_task * task; char text[8];))
{
    ASYNC_BEGIN;
    self->one = open_bound(SOCK_DGRAM, &self->a);
    self->other = open_bound(SOCK_DGRAM, &self->b);
    self->a.size = self->b.size = sizeof(struct sockaddr_in);
    self->task = begin(thrum_sock_recvfrom(self->other, self->text, 8, &self->from), &self->over);
    AWAIT_INTO(self->n, thrum_sock_sendto(self->one, "hello", 5, &self->b));
    CHECK_EQ(self->n, 5);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.value, 5);
    CHECK_MEM(self->text, "hello", 5);
    CHECK(thrum_address_equal(&self->from, &self->a));
    AWAIT_INTO(self->n, thrum_sock_sendto(self->other, NULL, 0, &self->from));
    CHECK_EQ(self->n, 0);
    AWAIT_INTO(self->n, thrum_sock_recvfrom(self->one, self->text, 8, NULL));
    CHECK_EQ(self->n, 0);
    /* Connected ones need no address. */
    AWAIT(thrum_sock_connect(self->one, &self->b));
    AWAIT_INTO(self->n, thrum_sock_sendto(self->one, "x", 1, NULL));
    CHECK_EQ(self->n, 1);
    AWAIT_INTO(self->n, thrum_sock_recv(self->other, self->text, 8));
    CHECK_EQ(self->n, 1);
    close(self->one);
    close(self->other);
    ASYNC_END;
}

/* A datagram socket that is full is waited for, and the datagram leaves whole or not at all. */
NET_TEST(sockets, sendto_waits, LOCALS(int ends[2]; outcome over; thrum_task * task; char bytes[1000]; int count, n;))
{
    ASYNC_BEGIN;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, self->ends), 0);
    while (send(self->ends[0], self->bytes, sizeof self->bytes, 0) > 0)
        self->count++;
    self->task = begin(thrum_sock_sendto(self->ends[0], "last", 4, NULL), &self->over);
    CHECK(!self->over.over);
    for (self->n = 0; self->n < self->count; self->n++)
        CHECK_EQ(read(self->ends[1], self->bytes, sizeof self->bytes), (ssize_t)sizeof self->bytes);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.value, 4);
    CHECK_EQ(read(self->ends[1], self->bytes, sizeof self->bytes), 4);
    close_pair(self->ends);
    ASYNC_END;
}

/* Several wait to accept: each gets one. */
NET_TEST(sockets, several_wait,
         LOCALS(thrum_address address; int listener, clients[3], i; outcome over[3]; thrum_task * tasks[3];))
{
    ASYNC_BEGIN;
    self->listener = open_bound(SOCK_STREAM, &self->address);
    for (self->i = 0; self->i < 3; self->i++)
        self->tasks[self->i] = begin(thrum_sock_accept(self->listener, NULL), &self->over[self->i]);
    for (self->i = 0; self->i < 3; self->i++) {
        self->clients[self->i] = thrum_sock_open(AF_INET, SOCK_STREAM);
        AWAIT(thrum_sock_connect(self->clients[self->i], &self->address));
    }
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT(self->tasks[self->i]);
        thrum_task_release(self->tasks[self->i]);
        CHECK_EQ(self->over[self->i].error, 0);
        close((int)self->over[self->i].value);
        close(self->clients[self->i]);
    }
    close(self->listener);
    ASYNC_END;
}

static void never(thrum_handle *handle)
{
    (void)handle;
    FAIL("nothing is watched here");
}

/* A stream's descriptor is its own; a reader of somebody's may stand beside a call. */
NET_TEST(sockets, whose_descriptor,
         LOCALS(pair both; int ends[2], error; outcome over; thrum_task * task; char text[4];))
{
    ASYNC_BEGIN;
    self->both = pair_open();
    AWAIT_CATCH(self->error, thrum_sock_recv(thrum_stream_descriptor(self->both.stream), self->text, 4));
    CHECK_EQ(self->error, THRUM_ESTATE);
    pair_close(&self->both);
    open_pair(self->ends);
    self->task = begin(thrum_sock_recv(self->ends[0], self->text, 4), &self->over);
    CHECK(!self->over.over);
    CHECK_EQ(thrum_add_reader(self->ends[0], never, NULL), 0);
    CHECK(thrum_remove_reader(self->ends[0]));
    CHECK_EQ(write(self->ends[1], "x", 1), 1);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.value, 1);
    CHECK_EQ(thrum_add_reader(self->ends[0], never, NULL), 0);
    CHECK(thrum_remove_reader(self->ends[0]));
    close_pair(self->ends);
    ASYNC_END;
}

/* test_sock_connect_sock_write_race and the checks of each call. */
NET_TEST(sockets, arguments, LOCALS(int ends[2], error; char text[4]; thrum_address none; thrum_awaitable dropped;))
{
    ASYNC_BEGIN;
    open_pair(self->ends);
    AWAIT_CATCH(self->error, thrum_sock_recv(-1, self->text, 4));
    CHECK_EQ(self->error, -EBADF);
    AWAIT_CATCH(self->error, thrum_sock_recv(500, self->text, 4));
    CHECK_EQ(self->error, -EBADF);
    AWAIT_CATCH(self->error, thrum_sock_connect(self->ends[0], NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_sock_connect(self->ends[0], &self->none));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_sock_accept(self->ends[0], NULL));
    CHECK_LT(self->error, 0);
    CHECK_LT(thrum_sock_open(-1, SOCK_STREAM), 0);
    /* Blocking ones are refused in debug mode. */
    fcntl(self->ends[0], F_SETFL, 0);
    thrum_loop_set_debug(thrum_loop_current(), true);
    AWAIT_CATCH(self->error, thrum_sock_recv(self->ends[0], self->text, 4));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_sock_recvfrom(self->ends[0], self->text, 4, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_sock_sendall(self->ends[0], "x", 1));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_sock_sendto(self->ends[0], "x", 1, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_sock_accept(self->ends[0], NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    CHECK_EQ(thrum_address_from_path(&self->none, "/no/such/socket"), 0);
    AWAIT_CATCH(self->error, thrum_sock_connect(self->ends[0], &self->none));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_sock_sendfile(self->ends[0], self->ends[1], 0, 1, true));
    CHECK_EQ(self->error, THRUM_EINVAL);
    thrum_loop_set_debug(thrum_loop_current(), false);
    self->dropped = thrum_sock_sendall(self->ends[0], "x", 1);
    thrum_drop(self->dropped);
    close_pair(self->ends);
    ASYNC_END;
}

TEST(sockets, not_on_virtual_time)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM};
    char text[4];
    thrum_loop *loop;
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_sock_recv(0, text, 4), NULL), THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_loop_close(loop), 0);
}

/* ---- sendfile ---- */

static int file_of(size_t size)
{
    char name[] = "/tmp/thrum-test-XXXXXX";
    char *bytes = counted(size ? size : 1);
    int file = mkstemp(name);
    CHECK_GE(file, 0);
    unlink(name);
    CHECK_EQ(write(file, bytes, size), (ssize_t)size);
    free(bytes);
    return file;
}

/* Whether sendfile(2) is used. */
#ifdef THRUM_PORTABLE
static const bool portable = true;
#else
static const bool portable = false;
#endif

/* Sends all of it, a piece at a time; ends the output. */
static ASYNC(send_pieces, ARGS((int, to), (int, file), (size_t, piece), (bool, fallback)), LOCALS(size_t at, n;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->n, thrum_sock_sendfile(self->to, self->file, self->at, self->piece, self->fallback));
        if (!self->n)
            break;
        self->at += self->n;
    }
    shutdown(self->to, SHUT_WR);
    ASYNC_END;
}

/* test_sock_sendfile_success, _with_offset_and_count, _zero_size */
NET_TEST(sock_sendfile, whole_and_in_pieces, LOCALS(int ends[2], file; size_t n;))
{
    ASYNC_BEGIN;
    self->file = file_of(2500000);
    open_pair(self->ends);
    AWAIT(thrum_gather(NULL, receive_counted(self->ends[1], 2500000),
                       send_pieces(self->ends[0], self->file, SIZE_MAX, true)));
    close_pair(self->ends);
    open_pair(self->ends);
    AWAIT(thrum_gather(NULL, receive_counted(self->ends[1], 2500000),
                       send_pieces(self->ends[0], self->file, 1000000, portable)));
    CHECK_EQ(lseek(self->file, 0, SEEK_CUR), 2500000); /* as it was */
    close_pair(self->ends);
    close(self->file);
    self->file = file_of(0);
    open_pair(self->ends);
    AWAIT_INTO(self->n, thrum_sock_sendfile(self->ends[0], self->file, 0, SIZE_MAX, portable));
    CHECK_EQ(self->n, 0);
    close_pair(self->ends);
    close(self->file);
    ASYNC_END;
}

/* test_sock_sendfile_mix_with_regular_send; a file that cannot be sent natively. */
NET_TEST(sock_sendfile, fallback, LOCALS(int ends[2], file, zero, error; size_t n; char text[16];))
{
    ASYNC_BEGIN;
    open_pair(self->ends);
    self->file = file_of(100);
    self->zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    AWAIT(thrum_sock_sendall(self->ends[0], "<", 1));
    AWAIT_INTO(self->n, thrum_sock_sendfile(self->ends[0], self->file, 1, 2, true));
    CHECK_EQ(self->n, 2);
    AWAIT_INTO(self->n, thrum_sock_sendfile(self->ends[0], self->zero, 0, 3, true));
    CHECK_EQ(self->n, 3);
    AWAIT(thrum_sock_sendall(self->ends[0], ">", 1));
    AWAIT_INTO(self->n, thrum_sock_recv(self->ends[1], self->text, 16));
    CHECK_EQ(self->n, 7);
    CHECK_MEM(self->text, "<\1\2\0\0\0>", 7);
    AWAIT_CATCH(self->error, thrum_sock_sendfile(self->ends[0], self->zero, 0, 3, false));
    CHECK_EQ(self->error, THRUM_EUNSUPPORTED);
    close(self->zero);
    close(self->file);
    close_pair(self->ends);
    ASYNC_END;
}

/* test_sock_sendfile_cancel1, _cancel2, test_sendfile_close_peer_in_the_middle_of_receiving */
NET_TEST(sock_sendfile, cut_short, LOCALS(int ends[2], file; outcome over; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->file = file_of(3000000);
    open_pair(self->ends);
    self->task = begin(thrum_sock_sendfile(self->ends[0], self->file, 0, SIZE_MAX, true), &self->over);
    CHECK(!self->over.over);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECANCELED);
    CHECK_GT(self->over.number, 0);
    CHECK_LT(self->over.number, 3000000);
    close_pair(self->ends);
    open_pair(self->ends);
    self->task = begin(thrum_sock_sendfile(self->ends[0], self->file, 0, SIZE_MAX, true), &self->over);
    close(self->ends[1]);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK(self->over.error == -EPIPE || self->over.error == -ECONNRESET);
    CHECK_GT(self->over.number, 0);
    close(self->ends[0]);
    close(self->file);
    ASYNC_END;
}

/* test_sendfile_invalid_count, _invalid_offset, _not_datagram */
NET_TEST(sock_sendfile, arguments, LOCALS(int ends[2], file, error;))
{
    ASYNC_BEGIN;
    open_pair(self->ends);
    self->file = file_of(10);
    AWAIT_CATCH(self->error, thrum_sock_sendfile(self->ends[0], -1, 0, 1, true));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_sock_sendfile(self->ends[0], self->file, 0, 0, true));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_sock_sendfile(self->ends[0], self->file, UINT64_MAX, 1, true));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_sock_sendfile(self->ends[0], 500, 0, 1, true));
    CHECK_EQ(self->error, -EBADF);
    close_pair(self->ends);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, self->ends), 0);
    AWAIT_CATCH(self->error, thrum_sock_sendfile(self->ends[0], self->file, 0, 1, true));
    CHECK_EQ(self->error, THRUM_EINVAL);
    close_pair(self->ends);
    close(self->file);
    ASYNC_END;
}
