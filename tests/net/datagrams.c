/* Datagrams that tasks receive and send. Numbers are those of tests/net/PORTED.md. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thrum/datagrams.h>
#include <thrum/sockets.h>

#include "support.h"

static thrum_datagram_options base(void)
{
    thrum_datagram_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}

static thrum_awaitable bound_with(thrum_datagram_options options)
{
    options.local_host = "127.0.0.1";
    return thrum_create_datagram_endpoint(NULL, NULL, &options);
}

static thrum_awaitable bound(void)
{
    return bound_with(base());
}

static const char *port_of(const thrum_datagrams *endpoint)
{
    static char text[8];
    thrum_address own;
    CHECK_EQ(thrum_datagrams_sockname(endpoint, &own), 0);
    snprintf(text, sizeof text, "%d", thrum_address_port(&own));
    return text;
}

static thrum_awaitable connected_to(const thrum_datagrams *endpoint, bool errors)
{
    static char port[8];
    thrum_datagram_options options = base();
    snprintf(port, sizeof port, "%s", port_of(endpoint));
    options.remote_host = "127.0.0.1";
    options.remote_port = port;
    options.errors = errors;
    return thrum_create_datagram_endpoint(NULL, NULL, &options);
}

/* System calls that move many, in place of the C library's. */
static int calls_of_many;

int recvmmsg(int descriptor, struct mmsghdr *list, unsigned count, int flags, struct timespec *limit)
{
    calls_of_many++;
    return (int)syscall(SYS_recvmmsg, descriptor, list, count, flags, limit);
}

int sendmmsg(int descriptor, struct mmsghdr *list, unsigned count, int flags)
{
    calls_of_many++;
    return (int)syscall(SYS_sendmmsg, descriptor, list, count, flags);
}

/* There and back, an empty one as well; what does not fit is cut, and says so. */
NET_TEST(datagrams, there_and_back,
         LOCALS(thrum_datagrams *server, *client; thrum_datagram one; char bytes[8], back[8]; thrum_address own; int n;
                thrum_datagram answer;))
{
    ASYNC_BEGIN;
    self->one.data = self->bytes;
    self->one.room = sizeof self->bytes;
    self->answer.data = self->back;
    self->answer.room = sizeof self->back;
    AWAIT_INTO(self->server, bound());
    AWAIT_INTO(self->client, connected_to(self->server, false));
    CHECK_EQ(thrum_datagrams_peername(self->server, &self->own), -ENOTCONN);
    CHECK_EQ(thrum_datagrams_peername(self->client, &self->own), 0);
    CHECK_EQ(thrum_address_family(&self->own), AF_INET);
    CHECK(fcntl(thrum_datagrams_descriptor(self->client), F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(thrum_datagrams_descriptor(self->client), F_GETFD) & FD_CLOEXEC);
    AWAIT_INTO(self->n, thrum_datagrams_send(self->client, "hello", 5, NULL));
    CHECK_EQ(self->n, 5);
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
    CHECK_EQ(self->n, 5);
    CHECK_EQ(self->one.size, 5);
    CHECK_EQ(self->one.flags, 0);
    CHECK_MEM(self->bytes, "hello", 5);
    CHECK_EQ(thrum_datagrams_sockname(self->client, &self->own), 0);
    CHECK(thrum_address_equal(&self->own, &self->one.address));
    AWAIT_INTO(self->n, thrum_datagrams_send_many(self->server, &self->one, 1));
    CHECK_EQ(self->n, 1);
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->client, &self->answer));
    CHECK_EQ(self->n, 5);
    AWAIT_INTO(self->n, thrum_datagrams_send(self->client, NULL, 0, NULL));
    CHECK_EQ(self->n, 0);
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
    CHECK_EQ(self->n, 0);
    CHECK_EQ(thrum_address_family(&self->one.address), AF_INET);
    AWAIT(thrum_datagrams_send(self->client, "123456789", 9, NULL));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
    CHECK_EQ(self->n, 8);
    CHECK_EQ(self->one.flags, THRUM_DATAGRAM_TRUNCATED);
    AWAIT(thrum_datagrams_send(self->client, "12345678", 8, NULL));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
    CHECK_EQ(self->one.flags, 0);
    thrum_datagrams_release(self->server);
    thrum_datagrams_close(self->client);
    AWAIT(thrum_datagrams_wait_closed(self->client));
    CHECK_EQ(thrum_datagrams_descriptor(self->client), THRUM_ECLOSED);
    CHECK_EQ(thrum_datagrams_sockname(self->client, &self->own), THRUM_ECLOSED);
    thrum_datagrams_release(self->client);
    ASYNC_END;
}

/* Many with one call, more than go into one system call: those are as few as can be. */
NET_TEST(datagrams, many,
         LOCALS(thrum_datagrams *server, *client; thrum_datagram list[100]; char bytes[100][8]; size_t n, i;
                int error;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, bound());
    AWAIT_INTO(self->client, connected_to(self->server, false));
    for (self->i = 0; self->i < 100; self->i++) {
        self->list[self->i].data = self->bytes[self->i];
        self->list[self->i].room = 8;
        self->list[self->i].size = 1 + self->i % 8;
        memset(self->bytes[self->i], (int)self->i, 8);
    }
    calls_of_many = 0;
    AWAIT_INTO(self->n, thrum_datagrams_send_many(self->client, self->list, 100));
    CHECK_EQ(self->n, 100);
    CHECK_EQ(calls_of_many, linux_only ? 4 : 0); /* of 32 */
    memset(self->bytes, -1, sizeof self->bytes);
    AWAIT_INTO(self->n, thrum_datagrams_receive_many(self->server, self->list, 70));
    CHECK_EQ(self->n, 70);
    AWAIT_INTO(self->n, thrum_datagrams_receive_many(self->server, self->list + 70, 30));
    CHECK_EQ(self->n, 30);
    CHECK_EQ(calls_of_many, linux_only ? 4 + 3 + 1 : 0);
    for (self->i = 0; self->i < 100; self->i++) {
        CHECK_EQ(self->list[self->i].size, 1 + self->i % 8);
        CHECK_EQ(self->bytes[self->i][0], self->i);
    }
    AWAIT_INTO(self->n, thrum_datagrams_send_many(self->client, self->list, 0));
    CHECK_EQ(self->n, 0);
    AWAIT_CATCH(self->error, thrum_datagrams_receive_many(self->server, self->list, 0));
    CHECK_EQ(self->error, THRUM_EINVAL);
    thrum_datagrams_release(self->server);
    thrum_datagrams_release(self->client);
    ASYNC_END;
}

/* One task at a time receives; a cancelled one has taken nothing, woken or not; the end wakes it. */
NET_TEST(datagrams, one_receives,
         LOCALS(thrum_datagrams *server, *client; thrum_datagram one, other; char bytes[8]; int n, error; outcome over;
                thrum_task * task;))
{
    ASYNC_BEGIN;
    self->one.data = self->other.data = self->bytes;
    self->one.room = self->other.room = 8;
    AWAIT_INTO(self->server, bound());
    AWAIT_INTO(self->client, connected_to(self->server, false));
    self->task = begin(thrum_datagrams_receive(self->server, &self->one), &self->over);
    AWAIT_CATCH(self->error, thrum_datagrams_receive(self->server, &self->other));
    CHECK_EQ(self->error, THRUM_EBUSY);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECANCELED);
    AWAIT(thrum_datagrams_send(self->client, "x", 1, NULL));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->other));
    CHECK_EQ(self->n, 1);
    self->task = begin(thrum_datagrams_receive_many(self->server, &self->one, 1), &self->over);
    thrum_datagrams_close(self->server);
    CHECK(thrum_datagrams_is_closing(self->server));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECLOSED);
    AWAIT_CATCH(self->error, thrum_datagrams_receive(self->server, &self->other));
    CHECK_EQ(self->error, THRUM_ECLOSED);
    AWAIT_CATCH(self->error, thrum_datagrams_send(self->server, "x", 1, &self->other.address));
    CHECK_EQ(self->error, THRUM_ECLOSED);
    AWAIT_CATCH(self->error, thrum_datagrams_send_many(self->server, &self->other, 1));
    CHECK_EQ(self->error, THRUM_ECLOSED);
    thrum_datagrams_release(self->server);
    /* Released under who receives. */
    self->task = begin(thrum_datagrams_receive(self->client, &self->one), &self->over);
    thrum_datagrams_release(self->client);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECLOSED);
    ASYNC_END;
}

/* 142, test_datagram_send_to_non_listening_address: a connected endpoint hears that nobody is there, and goes on. */
NET_TEST(datagrams, nobody_there,
         LOCALS(thrum_datagrams *server, *client; thrum_datagram one; char bytes[8], port[8]; int error, n;
                thrum_datagram_options options;))
{
    ASYNC_BEGIN;
    self->one.data = self->bytes;
    self->one.room = 8;
    AWAIT_INTO(self->server, bound());
    AWAIT_INTO(self->client, connected_to(self->server, false));
    snprintf(self->port, sizeof self->port, "%s", port_of(self->server));
    thrum_datagrams_release(self->server);
    AWAIT(thrum_datagrams_send(self->client, "x", 1, NULL));
    AWAIT_CATCH(self->error, thrum_datagrams_receive(self->client, &self->one));
    CHECK_EQ(self->error, -ECONNREFUSED);
    snprintf(self->bytes, sizeof self->bytes, "%d", thrum_address_port(&self->one.address));
    CHECK_STR(self->bytes, self->port);
    self->options = base();
    self->options.local_port = self->port;
    AWAIT_INTO(self->server, bound_with(self->options));
    AWAIT(thrum_datagrams_send(self->client, "y", 1, NULL));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
    CHECK_EQ(self->n, 1);
    thrum_datagrams_release(self->server);
    thrum_datagrams_release(self->client);
    ASYNC_END;
}

/* With the queue of errors, one that is connected to nobody hears of each of its datagrams, and to whom it went; sends
 * are not disturbed by what earlier ones came to. */
NET_TEST(datagrams, errors_of_each,
         LOCALS(thrum_datagrams *gone[2], *alive, *client; thrum_address to[3]; thrum_datagram one; char bytes[8];
                int error, n, i; thrum_datagram_options options;))
{
    ASYNC_BEGIN;
    self->one.data = self->bytes;
    self->one.room = 8;
    AWAIT_INTO(self->gone[0], bound());
    AWAIT_INTO(self->gone[1], bound());
    AWAIT_INTO(self->alive, bound());
    CHECK_EQ(thrum_datagrams_sockname(self->gone[0], &self->to[0]), 0);
    CHECK_EQ(thrum_datagrams_sockname(self->gone[1], &self->to[1]), 0);
    CHECK_EQ(thrum_datagrams_sockname(self->alive, &self->to[2]), 0);
    thrum_datagrams_release(self->gone[0]);
    thrum_datagrams_release(self->gone[1]);
    self->options = base();
    self->options.errors = true;
    AWAIT_CATCH_INTO(self->error, self->client, bound_with(self->options));
    CHECK_EQ(self->error, linux_only ? 0 : THRUM_EUNSUPPORTED);
    if (!self->error) {
        for (self->i = 0; self->i < 3; self->i++) {
            AWAIT_INTO(self->n, thrum_datagrams_send(self->client, "x", 1, &self->to[self->i]));
            CHECK_EQ(self->n, 1);
        }
        for (self->i = 0; self->i < 2; self->i++) {
            AWAIT_CATCH(self->error, thrum_datagrams_receive(self->client, &self->one));
            CHECK_EQ(self->error, -ECONNREFUSED);
            CHECK(thrum_address_equal(&self->one.address, &self->to[self->i]));
        }
        AWAIT_INTO(self->n, thrum_datagrams_receive(self->alive, &self->one));
        CHECK_EQ(self->n, 1);
        AWAIT(thrum_datagrams_send(self->alive, "y", 1, &self->one.address));
        AWAIT_INTO(self->n, thrum_datagrams_receive(self->client, &self->one));
        CHECK_EQ(self->n, 1);
        thrum_datagrams_release(self->client);
    }
    thrum_datagrams_release(self->alive);
    ASYNC_END;
}

/* Fill the way to the peer, a Unix socket, whose datagrams are never lost; gives how many. */
static int fill(thrum_datagrams *endpoint)
{
    int count = 0;
    while (send(thrum_datagrams_descriptor(endpoint), "fill", 4, MSG_DONTWAIT) == 4)
        count++;
    return count;
}

static thrum_awaitable unix_of(const int *socket)
{
    thrum_datagram_options options = base();
    options.socket = socket;
    return thrum_create_datagram_endpoint(NULL, NULL, &options);
}

static void empty(int peer, int count)
{
    char bytes[16];
    for (; count; count--)
        CHECK_EQ(read(peer, bytes, sizeof bytes), 4);
}

/* 143, test_sendto_ready_blocked: who waits to send sends when there is room, in turn; what waits without a task is
 * counted, and at the end nothing is. */
NET_TEST(datagrams, full,
         LOCALS(int ends[2], count, error, n; thrum_datagrams * endpoint; outcome over[3]; thrum_task * tasks[3];
                char text[16]; thrum_datagram list[2];))
{
    ASYNC_BEGIN;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, self->ends), 0);
    fcntl(self->ends[1], F_SETFL, O_NONBLOCK);
    AWAIT_INTO(self->endpoint, unix_of(&self->ends[0]));
    self->count = fill(self->endpoint);
    self->tasks[0] = begin(thrum_datagrams_send(self->endpoint, "1", 1, NULL), &self->over[0]);
    self->tasks[1] = begin(thrum_datagrams_send(self->endpoint, "two", 3, NULL), &self->over[1]);
    memset(self->list, 0, sizeof self->list);
    self->list[0].data = "3-";
    self->list[1].data = "4-";
    self->list[0].size = self->list[1].size = 2;
    self->tasks[2] = begin(thrum_datagrams_send_many(self->endpoint, self->list, 2), &self->over[2]);
    CHECK(!self->over[0].over && !self->over[1].over && !self->over[2].over);
    thrum_task_cancel(self->tasks[1]);
    AWAIT(self->tasks[1]);
    CHECK_EQ(self->over[1].error, THRUM_ECANCELED);
    empty(self->ends[1], self->count);
    AWAIT(self->tasks[0]);
    AWAIT(self->tasks[2]);
    CHECK_EQ(self->over[0].value, 1);
    CHECK_EQ(self->over[2].value, 2);
    CHECK_EQ(read(self->ends[1], self->text, 16), 1);
    CHECK_EQ(read(self->ends[1], self->text, 16), 2);
    CHECK_EQ(self->text[0], '3');
    CHECK_EQ(read(self->ends[1], self->text, 16), 2);
    for (self->n = 0; self->n < 3; self->n++)
        thrum_task_release(self->tasks[self->n]);
    /* Copies. */
    self->count = fill(self->endpoint);
    CHECK_EQ(thrum_datagrams_sendto(self->endpoint, "copy", 4, NULL), 0);
    CHECK_EQ(thrum_datagrams_sendto(self->endpoint, NULL, 0, NULL), 0);
    CHECK_EQ(thrum_datagrams_write_buffer_size(self->endpoint), 4 + 8 + 8);
    empty(self->ends[1], self->count);
    while (thrum_datagrams_write_buffer_size(self->endpoint))
        AWAIT(thrum_yield());
    CHECK_EQ(read(self->ends[1], self->text, 16), 4);
    CHECK_EQ(read(self->ends[1], self->text, 16), 0);
    /* Close lets them leave, senders that wait are told; abort drops. */
    self->count = fill(self->endpoint);
    CHECK_EQ(thrum_datagrams_sendto(self->endpoint, "last", 4, NULL), 0);
    self->tasks[0] = begin(thrum_datagrams_send(self->endpoint, "1", 1, NULL), &self->over[0]);
    thrum_datagrams_close(self->endpoint);
    CHECK_EQ(thrum_datagrams_sendto(self->endpoint, "no", 2, NULL), 0);
    AWAIT(self->tasks[0]);
    thrum_task_release(self->tasks[0]);
    CHECK_EQ(self->over[0].error, THRUM_ECLOSED);
    CHECK_GE(thrum_datagrams_descriptor(self->endpoint), 0);
    empty(self->ends[1], self->count);
    AWAIT(thrum_datagrams_wait_closed(self->endpoint));
    CHECK_EQ(read(self->ends[1], self->text, 16), 4);
    CHECK_EQ(read(self->ends[1], self->text, 16), -1);
    thrum_datagrams_release(self->endpoint);
    close(self->ends[1]);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, self->ends), 0);
    AWAIT_INTO(self->endpoint, unix_of(&self->ends[0]));
    (void)fill(self->endpoint);
    CHECK_EQ(thrum_datagrams_sendto(self->endpoint, "copy", 4, NULL), 0);
    thrum_datagrams_abort(self->endpoint);
    CHECK_EQ(thrum_datagrams_write_buffer_size(self->endpoint), 0);
    AWAIT(thrum_datagrams_wait_closed(self->endpoint));
    thrum_datagrams_release(self->endpoint);
    close(self->ends[1]);
    ASYNC_END;
}

/* The endpoint's own queue: it holds so many, drops what comes then, and counts. */
NET_TEST(datagrams, queue,
         LOCALS(thrum_datagrams *server, *client; thrum_datagram_options options; thrum_datagram list[8];
                char bytes[8][4]; int n, i;))
{
    ASYNC_BEGIN;
    self->options = base();
    self->options.queue = 3;
    self->options.most = 4;
    AWAIT_INTO(self->server, bound_with(self->options));
    AWAIT_INTO(self->client, connected_to(self->server, false));
    for (self->i = 0; self->i < 8; self->i++) {
        self->list[self->i].data = self->bytes[self->i];
        self->list[self->i].room = 4;
    }
    for (self->i = 0; self->i < 10; self->i++)
        AWAIT(thrum_datagrams_send(self->client, self->i == 1 ? "23456" : &"12345"[self->i % 5], self -> i == 1 ? 5 : 1,
                                   NULL));
    while (thrum_datagrams_dropped(self->server) < 7)
        AWAIT(thrum_yield());
    CHECK_EQ(thrum_datagrams_dropped(self->server), 7);
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, self->list));
    CHECK_EQ(self->n, 1);
    CHECK_EQ(self->bytes[0][0], '1');
    AWAIT_INTO(self->n, thrum_datagrams_receive_many(self->server, self->list, 8));
    CHECK_EQ(self->n, 2);
    CHECK_EQ(self->list[0].flags, THRUM_DATAGRAM_TRUNCATED);
    CHECK_EQ(self->list[0].size, 4);
    CHECK_EQ(self->bytes[1][0], '3');
    CHECK_EQ(thrum_address_family(&self->list[1].address), AF_INET);
    /* And round again. */
    for (self->i = 0; self->i < 3; self->i++)
        AWAIT(thrum_datagrams_send(self->client, &"abc"[self->i], 1, NULL));
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, self->list));
        CHECK_EQ(self->bytes[0][0], 'a' + self->i);
    }
    thrum_datagrams_release(self->server);
    thrum_datagrams_release(self->client);
    ASYNC_END;
}

/* What the system had no room for is counted where it says so. */
NET_TEST(datagrams, dropped_by_the_system,
         LOCALS(thrum_datagrams *server, *client; char *bytes; int i; uint64_t dropped;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, bound());
    AWAIT_INTO(self->client, connected_to(self->server, false));
    setsockopt(thrum_datagrams_descriptor(self->server), SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
    self->bytes = counted(1000);
    for (self->i = 0; self->i < 100; self->i++)
        AWAIT(thrum_datagrams_send(self->client, self->bytes, 1000, NULL));
    self->dropped = thrum_datagrams_dropped(self->server);
    CHECK_LT(self->dropped, 100);
    if (linux_only)
        CHECK_GT(self->dropped, 0);
    thrum_datagrams_close(self->server);
    CHECK_EQ(thrum_datagrams_dropped(self->server), self->dropped);
    free(self->bytes);
    thrum_datagrams_release(self->server);
    thrum_datagrams_release(self->client);
    ASYNC_END;
}

/* Broadcast and groups, over the loopback interface. */
NET_TEST(datagrams, to_many,
         LOCALS(thrum_datagrams *server, *client; thrum_datagram_options options; thrum_datagram one; char bytes[8];
                char port[8]; int n, error; thrum_address group;))
{
    struct ip_mreqn loopback;
    ASYNC_BEGIN;
    self->one.data = self->bytes;
    self->one.room = 8;
    self->options = base();
    self->options.family = AF_INET;
    self->options.local_port = "0";
    AWAIT_INTO(self->server, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    snprintf(self->port, sizeof self->port, "%s", port_of(self->server));
    /* test_create_datagram_endpoint_allow_broadcast: not connected, but this is where it sends. */
    self->options = base();
    self->options.remote_host = "127.255.255.255";
    self->options.remote_port = self->port;
    self->options.allow_broadcast = true;
    AWAIT_INTO(self->client, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    AWAIT(thrum_datagrams_send(self->client, "all", 3, NULL));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
    CHECK_EQ(self->n, 3);
    AWAIT_CATCH(self->error, thrum_datagrams_send(self->client, "x", 1, &self->one.address));
    CHECK_EQ(self->error, THRUM_EINVAL);
    CHECK_EQ(thrum_datagrams_sendto(self->client, "x", 1, &self->one.address), THRUM_EINVAL);
    AWAIT(thrum_datagrams_send(self->server, "yes", 3, &self->one.address));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->client, &self->one)); /* another one's, since not connected */
    CHECK_EQ(self->n, 3);
    thrum_datagrams_release(self->client);
    /* A group. */
    CHECK_EQ(thrum_address_from_ip(&self->group, "239.7.7.7", atoi(self->port)), 0);
    CHECK_EQ(thrum_datagrams_join(self->server, &self->group, linux_only ? "lo" : NULL), 0);
    AWAIT_INTO(self->client, bound());
    memset(&loopback, 0, sizeof loopback);
    loopback.imr_ifindex = (int)if_nametoindex("lo");
    setsockopt(thrum_datagrams_descriptor(self->client), IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof loopback);
    if (linux_only) {
        AWAIT(thrum_datagrams_send(self->client, "group", 5, &self->group));
        AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
        CHECK_EQ(self->n, 5);
    }
    CHECK_EQ(thrum_datagrams_leave(self->server, &self->group, linux_only ? "lo" : NULL), 0);
    CHECK_EQ(thrum_datagrams_leave(self->server, &self->group, linux_only ? "lo" : NULL), -EADDRNOTAVAIL);
    CHECK_EQ(thrum_datagrams_join(self->server, &self->group, "no interface"), -ENODEV);
    memset(&self->group, 0, sizeof self->group);
    CHECK_EQ(thrum_datagrams_join(self->server, &self->group, NULL), THRUM_EINVAL);
    thrum_datagrams_close(self->server);
    CHECK_EQ(thrum_datagrams_join(self->server, &self->group, NULL), THRUM_ECLOSED);
    thrum_datagrams_release(self->server);
    thrum_datagrams_release(self->client);
    ASYNC_END;
}

NET_TEST(datagrams, over_ipv6,
         LOCALS(thrum_datagrams *server, *client; thrum_datagram_options options; thrum_datagram one; char bytes[8];
                char port[8], text[THRUM_ADDRESS_TEXT]; int n; thrum_address group;))
{
    ASYNC_BEGIN;
    self->one.data = self->bytes;
    self->one.room = 8;
    self->options = base();
    self->options.local_host = "::1";
    AWAIT_INTO(self->server, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    snprintf(self->port, sizeof self->port, "%s", port_of(self->server));
    /* The family that both have. */
    self->options = base();
    self->options.local_host = "::1";
    self->options.remote_port = self->port;
    AWAIT_INTO(self->client, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    AWAIT(thrum_datagrams_send(self->client, "six", 3, NULL));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
    CHECK_EQ(self->n, 3);
    thrum_address_text(&self->one.address, self->text, sizeof self->text);
    CHECK_EQ(strncmp(self->text, "[::1]:", 6), 0);
    CHECK_EQ(thrum_address_from_ip(&self->group, "ff01::7", 0), 0);
    CHECK_EQ(thrum_datagrams_join(self->server, &self->group, "lo"), 0);
    CHECK_EQ(thrum_datagrams_leave(self->server, &self->group, "lo"), 0);
    thrum_datagrams_release(self->server);
    thrum_datagrams_release(self->client);
    ASYNC_END;
}

/* An interface that carries groups of IPv6, or 0: the loopback interface has no route for them unless somebody gave it
 * one. What is sent there is for groups of an interface's own, and leaves no machine. */
static unsigned carrier(void)
{
    struct if_nameindex *all = if_nameindex();
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    int probe = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    unsigned found = 0;
    CHECK_EQ(inet_pton(AF_INET6, "ff01::7", &to.sin6_addr), 1);
    for (const struct if_nameindex *one = all; one && one->if_index && !found; one++) {
        to.sin6_scope_id = one->if_index;
        if (sendto(probe, "", 0, 0, (const struct sockaddr *)(const void *)&to, sizeof to) == 0)
            found = one->if_index;
    }
    if_freenameindex(all);
    close(probe);
    return found;
}

static thrum_awaitable bound_to_all(void)
{
    thrum_datagram_options options = base();
    options.local_host = "::";
    return thrum_create_datagram_endpoint(NULL, NULL, &options);
}

/* What is sent to a group comes while one is in it; behind that the next datagram comes. The group is this process's
 * own: a socket that is bound to all addresses hears those that others have joined, too. */
static ASYNC(in_a_group_of_ipv6, ARGS((unsigned, number)),
             LOCALS(thrum_datagrams *server, *client; thrum_datagram one; char bytes[8], name[IF_NAMESIZE]; int n;
                    thrum_address group, direct; char text[THRUM_ADDRESS_TEXT];))
{
    int port;
    ASYNC_BEGIN;
    self->one.data = self->bytes;
    self->one.room = 8;
    CHECK_NOT_NULL(if_indextoname(self->number, self->name));
    AWAIT_INTO(self->server, bound_to_all());
    AWAIT_INTO(self->client, bound_to_all());
    port = atoi(port_of(self->server));
    snprintf(self->text, sizeof self->text, "ff01::7:%x%%%u", (unsigned)getpid() & 0xffff, self->number);
    CHECK_EQ(thrum_address_from_ip(&self->group, self->text, port), 0);
    CHECK_EQ(thrum_address_from_ip(&self->direct, "::1", port), 0);
    CHECK_EQ(thrum_datagrams_join(self->server, &self->group, self->name), 0);
    AWAIT(thrum_datagrams_send(self->client, "group", 5, &self->group));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
    CHECK_EQ(self->n, 5);
    CHECK_MEM(self->bytes, "group", 5);
    CHECK_EQ(thrum_address_family(&self->one.address), AF_INET6);
    CHECK_EQ(thrum_address_port(&self->one.address), atoi(port_of(self->client)));
    CHECK_EQ(thrum_datagrams_leave(self->server, &self->group, self->name), 0);
    CHECK_EQ(thrum_datagrams_leave(self->server, &self->group, self->name), -EADDRNOTAVAIL);
    AWAIT(thrum_datagrams_send(self->client, "nobody", 6, &self->group));
    AWAIT(thrum_datagrams_send(self->client, "one", 3, &self->direct));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
    CHECK_EQ(self->n, 3);
    /* The address names its interface: no other need be said. */
    CHECK_EQ(thrum_datagrams_join(self->server, &self->group, NULL), 0);
    AWAIT(thrum_datagrams_send(self->client, "again", 5, &self->group));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
    CHECK_MEM(self->bytes, "again", 5);
    thrum_datagrams_release(self->server);
    thrum_datagrams_release(self->client);
    ASYNC_END;
}

static unsigned carrier_index;
static thrum_awaitable in_a_group_of_ipv6_there(void)
{
    return in_a_group_of_ipv6(carrier_index);
}

TEST(datagrams, to_many_over_ipv6)
{
    carrier_index = carrier();
    if (!carrier_index)
        SKIP("no interface has a route for groups of IPv6");
    run(in_a_group_of_ipv6_there);
}

/* test_create_datagram_endpoint_existing_sock_unix, a stale socket is removed, a live one is not. */
NET_TEST(datagrams, over_unix,
         LOCALS(thrum_datagrams *server, *client; thrum_datagram_options options; thrum_datagram one; char bytes[8];
                char folder[40], path[64], own[64]; int n, error;))
{
    struct stat file;
    ASYNC_BEGIN;
    self->one.data = self->bytes;
    self->one.room = 8;
    strcpy(self->folder, "/tmp/thrum-test-XXXXXX");
    CHECK_NOT_NULL(mkdtemp(self->folder));
    snprintf(self->path, sizeof self->path, "%s/server", self->folder);
    snprintf(self->own, sizeof self->own, "%s/client", self->folder);
    self->options = base();
    self->options.local_path = self->path;
    AWAIT_INTO(self->server, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    CHECK_EQ(self->error, -EADDRINUSE);
    CHECK_STR(thrum_error_last()->text, self->path);
    CHECK_STR(thrum_error_last()->operation, "bind");
    self->options = base();
    self->options.local_path = self->own;
    self->options.remote_path = self->path;
    AWAIT_INTO(self->client, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    AWAIT(thrum_datagrams_send(self->client, "file", 4, NULL));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->server, &self->one));
    CHECK_EQ(self->n, 4);
    thrum_address_text(&self->one.address, self->bytes, 8);
    CHECK_EQ(strncmp(self->bytes, "/tmp/", 5), 0);
    AWAIT(thrum_datagrams_send(self->server, "back", 4, &self->one.address));
    AWAIT_INTO(self->n, thrum_datagrams_receive(self->client, &self->one));
    CHECK_EQ(self->n, 4);
    thrum_datagrams_release(self->client);
    thrum_datagrams_release(self->server);
    /* It died, and its socket is in the way. */
    CHECK_EQ(stat(self->path, &file), 0);
    self->options = base();
    self->options.local_path = self->path;
    AWAIT_INTO(self->server, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    thrum_datagrams_release(self->server);
    unlink(self->path);
    unlink(self->own);
    rmdir(self->folder);
    ASYNC_END;
}

/* test_create_datagram_endpoint_no_addrinfo, _addr_error, _noaddr_nofamily, _cant_bind, _no_matching_family, _sock,
 * _sock_sockopts, _sock_wrong_type */
NET_TEST(datagrams, arguments,
         LOCALS(thrum_datagram_options options; int error, ends[2]; thrum_datagrams * server, *other; char port[8];))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->options = base();
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL); /* neither an address nor a family */
    self->options.size = 1;
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->options = base();
    self->options.family = AF_INET;
    AWAIT_INTO(self->server, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    thrum_datagrams_release(self->server);
    self->options = base();
    self->options.local_host = "127.0.0.1";
    self->options.local_path = "/x";
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->options = base();
    self->options.local_path = "";
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->options = base();
    self->options.local_host = "127.0.0.1";
    self->options.remote_host = "::1";
    self->options.remote_port = "9";
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL); /* no family in common */
    self->options = base();
    self->options.local_host = "127.0.0.1";
    self->options.local_port = "no such service";
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    CHECK_EQ(self->error, THRUM_ERESOLVE);
    self->options = base();
    self->options.low = 2;
    self->options.high = 1;
    AWAIT_CATCH(self->error, bound_with(self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_INTO(self->server, bound());
    snprintf(self->port, sizeof self->port, "%s", port_of(self->server));
    self->options = base();
    self->options.local_port = self->port;
    AWAIT_CATCH(self->error, bound_with(self->options));
    CHECK_EQ(self->error, -EADDRINUSE);
    CHECK_EQ(strncmp(thrum_error_last()->text, "127.0.0.1:", 10), 0);
    thrum_datagrams_release(self->server);
    self->options = base();
    self->options.reuse_port = true;
    AWAIT_INTO(self->server, bound_with(self->options));
    snprintf(self->port, sizeof self->port, "%s", port_of(self->server));
    self->options.local_port = self->port;
    AWAIT_INTO(self->other, bound_with(self->options));
    thrum_datagrams_release(self->server);
    thrum_datagrams_release(self->other);
    /* A socket: of datagrams, and with nothing beside it. */
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends), 0);
    self->options = base();
    self->options.socket = &self->ends[0];
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->options.allow_broadcast = true;
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    close(self->ends[0]);
    close(self->ends[1]);
    thrum_datagrams_release(NULL);
    thrum_datagrams_close(NULL);
    thrum_datagrams_abort(NULL);
    ASYNC_END;
}

/* The loop closes with one open, and somebody in it. */
TEST(datagrams, loop_closes)
{
    thrum_datagram_options options = base();
    thrum_datagrams *endpoint;
    thrum_pool_stats stats;
    thrum_value value;
    thrum_loop *loop;
    char bytes[4];
    thrum_datagram one = {.data = bytes, .room = 4};
    int before = count_descriptors();
    options.queue = 4;
    CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, bound_with(options), &value), 0);
    endpoint = (thrum_datagrams *)(intptr_t)value;
    CHECK_EQ(thrum_spawn_detached(thrum_datagrams_receive(endpoint, &one)), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_close(loop), 0);
    thrum_datagrams_release(endpoint);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
    CHECK_EQ(count_descriptors(), before);
}
