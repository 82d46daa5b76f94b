/* Sockets, names, datagrams, racing addresses and passed descriptors with each task cancelled at each of their awaits,
 * and each block refused: nothing is left, no descriptor either. */
#include <thrum/datagrams.h>
#include <thrum/names.h>
#include <thrum/sockets.h>
#include <thrum/testing.h>
#include <thrum/unixsockets.h>

#include "support.h"

static void close_if(int descriptor)
{
    if (descriptor > 0)
        close(descriptor);
}

/* ---- plain sockets: both ends of a connection, with more than goes at once ---- */

static char bytes[300000];

static ASYNC(client, ARGS((const thrum_address *, address)), LOCALS(int socket; size_t n;))
{
    ASYNC_BEGIN;
    self->socket = thrum_sock_open(thrum_address_family(self->address), SOCK_STREAM);
    AWAIT(thrum_sock_connect(self->socket, self->address));
    AWAIT_INTO(self->n, thrum_sock_sendall(self->socket, bytes, sizeof bytes));
    CHECK_EQ(self->n, sizeof bytes);
FINALLY:
    close_if(self->socket);
    ASYNC_END;
}

static ASYNC(server, ARGS((int, listener)), LOCALS(int socket; char buffer[65536]; size_t n, total;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->socket, thrum_sock_accept(self->listener, NULL));
    do {
        AWAIT_INTO(self->n, thrum_sock_recv(self->socket, self->buffer, sizeof self->buffer));
        self->total += self->n;
    } while (self->n);
    CHECK_LE(self->total, sizeof bytes);
FINALLY:
    close_if(self->socket);
    ASYNC_END;
}

static ASYNC(sockets, ARGS((void *, context)), LOCALS(int listener; thrum_address address; thrum_address_list list;))
{
    socklen_t size = sizeof self->address.words;
    ASYNC_BEGIN;
    AWAIT(thrum_getaddrinfo(&self->list, "127.0.0.1", "0", NULL));
    self->address = self->list.list[0].address;
    self->listener = thrum_sock_open(AF_INET, SOCK_STREAM);
    CHECK_EQ(
        bind(self->listener, (const struct sockaddr *)thrum_address_raw(&self->address), (socklen_t)self->address.size),
        0);
    CHECK_EQ(listen(self->listener, 1), 0);
    CHECK_EQ(getsockname(self->listener, (struct sockaddr *)(void *)self->address.words, &size), 0);
    AWAIT(thrum_gather(NULL, server(self->listener), client(&self->address)));
FINALLY:
    thrum_address_list_free(&self->list);
    close_if(self->listener);
    ASYNC_END;
}

/* ---- datagrams over a way that fills: who sends waits, who receives empties it ---- */

enum { MANY = 400 };

static ASYNC(sends, ARGS((thrum_datagrams *, to)), LOCALS(int i; thrum_datagram list[8];))
{
    ASYNC_BEGIN;
    for (int i = 0; i < 8; i++)
        self->list[i] = (thrum_datagram){.data = bytes, .size = 1000};
    for (self->i = 0; self->i < MANY; self->i += 10) {
        AWAIT(thrum_datagrams_send(self->to, bytes, 1000, NULL));
        AWAIT(thrum_datagrams_send_many(self->to, self->list, 8));
        AWAIT(thrum_datagrams_send(self->to, NULL, 0, NULL));
    }
    ASYNC_END;
}

static ASYNC(receives, ARGS((thrum_datagrams *, from)),
             LOCALS(size_t n, total; thrum_datagram list[4]; char room[4][8];))
{
    ASYNC_BEGIN;
    for (int i = 0; i < 4; i++) {
        self->list[i].data = self->room[i];
        self->list[i].room = 8;
    }
    while (self->total < MANY) {
        AWAIT_INTO(self->n, thrum_datagrams_receive_many(self->from, self->list, 4));
        self->total += self->n;
    }
    ASYNC_END;
}

static ASYNC(datagrams, ARGS((void *, context)),
             LOCALS(int ends[2]; thrum_datagram_options options; thrum_datagrams * a, *b;))
{
    ASYNC_BEGIN;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, self->ends), 0);
    self->options.size = sizeof self->options;
    self->options.socket = &self->ends[0];
    AWAIT_INTO(self->a, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    self->options.socket = &self->ends[1];
    AWAIT_INTO(self->b, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    AWAIT(thrum_gather(NULL, sends(self->a), receives(self->b)));
    thrum_datagrams_close(self->a);
    AWAIT(thrum_datagrams_wait_closed(self->a));
FINALLY:
    thrum_datagrams_release(self->a);
    thrum_datagrams_release(self->b);
    if (!self->a)
        close(self->ends[0]);
    if (!self->b)
        close(self->ends[1]);
    ASYNC_END;
}

/* ---- racing addresses, and a descriptor that goes over the connection of a Unix socket ---- */

static ASYNC(greet, ARGS((thrum_stream *, stream), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_write(self->stream, "hello", 5));
    ASYNC_END;
}

static ASYNC(racing, ARGS((void *, context)),
             LOCALS(thrum_server *server; thrum_stream * stream; thrum_connect_options options; char port[8], text[8];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(greet, NULL, "127.0.0.1", "0"));
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    self->options.size = sizeof self->options;
    self->options.happy_eyeballs_delay = MILLISECONDS(250);
    AWAIT_INTO(self->stream, thrum_open_connection_with(NULL, self->port, &self->options)); /* nobody at ::1 */
    AWAIT(thrum_stream_read_exactly(self->stream, self->text, 5));
FINALLY:
    thrum_stream_release(self->stream);
    thrum_server_release(self->server);
    ASYNC_END;
}

static ASYNC(passes, ARGS((thrum_stream *, to)), LOCALS(thrum_passing out; int passed[1];))
{
    ASYNC_BEGIN;
    self->passed[0] = thrum_stream_descriptor(self->to);
    self->out.data = bytes;
    self->out.size = sizeof bytes;
    self->out.descriptors = self->passed;
    self->out.count = 1;
    AWAIT(thrum_stream_send_descriptors(self->to, &self->out));
    AWAIT(thrum_stream_close(self->to));
    ASYNC_END;
}

static ASYNC(takes, ARGS((thrum_stream *, from)),
             LOCALS(thrum_passing in; int got[1], kept; char room[65536]; size_t n; bool closed;))
{
    ASYNC_BEGIN;
    self->in.data = self->room;
    self->in.size = sizeof self->room;
    self->in.descriptors = self->got;
    self->in.room = 1;
    do {
        AWAIT_INTO(self->n, thrum_stream_receive_descriptors(self->from, &self->in));
        if (self->in.count) {
            CHECK(!self->kept);
            close(self->got[0]);
            self->kept = 1;
        }
    } while (self->n);
    CHECK(self->kept);
    ASYNC_END;
}

static ASYNC(passing, ARGS((void *, context)), LOCALS(int ends[2], error; thrum_stream * streams[2];))
{
    ASYNC_BEGIN;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends), 0);
    for (int i = 0; i < 2; i++) {
        int error = thrum_stream_adopt(&self->streams[i], self->ends[i], NULL);
        if (error)
            close(self->ends[i]);
        self->error = self->error ? self->error : error;
    }
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT(thrum_gather(NULL, takes(self->streams[1]), passes(self->streams[0])));
FINALLY:
    thrum_stream_release(self->streams[0]);
    thrum_stream_release(self->streams[1]);
    ASYNC_END;
}

/* ---- all of it ---- */

static int descriptors;

static int nothing_open(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    (void)context;
    if (result->error && run->injection == THRUM_TEST_NOTHING)
        return 1;
    return count_descriptors() == descriptors ? 0 : 1;
}

static void explore_all(thrum_test_program *program, size_t places)
{
    const thrum_test_options run = {
        .size = sizeof run, .backend = THRUM_BACKEND_LIBEV, .errors_may_be_reported = true, .every_await = true};
    const thrum_test_explore_options options = {
        .size = sizeof options, .run = &run, .seeds = 3, .most = 60, .check = nothing_open};
    thrum_test_explored explored;
    descriptors = count_descriptors();
    CHECK_EQ(thrum_test_explore(program, NULL, &options, &explored), 0);
    CHECK_GE(explored.waiting + explored.woken, places);
    CHECK_GT(explored.allocations, 5);
}

TEST_LIMIT(explore, sockets, 60)
{
    explore_all(sockets, 20);
}

TEST_LIMIT(explore, datagrams, 60)
{
    explore_all(datagrams, 40);
}

TEST_LIMIT(explore, racing, 60)
{
    explore_all(racing, 8);
}

TEST_LIMIT(explore, passing, 60)
{
    explore_all(passing, 8);
}
