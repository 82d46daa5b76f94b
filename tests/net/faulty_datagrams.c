/* Datagrams and plain calls on sockets under the fault layer. */
#include "faulty.h"

#include <thrum/datagrams.h>
#include <thrum/sockets.h>

/* ---- datagrams: each that is sent carries its number; none comes twice, and under soft faults each one comes ---- */

enum { DATAGRAMS = 200, MOST = 1200 };

static struct {
    unsigned char out[8][MOST], in[4][MOST];
    bool seen[DATAGRAMS];
    size_t seen_count;
    int error;
} post;

static void write_one(size_t number, thrum_datagram *to)
{
    unsigned char *bytes = post.out[number % 8];
    size_t size = 4 + faults_choose(MOST - 4);
    faulty_fill(bytes, 0, number, size);
    bytes[0] = (unsigned char)(number & 255);
    bytes[1] = (unsigned char)(number >> 8);
    *to = (thrum_datagram){.data = bytes, .size = size};
}

static void read_one(const unsigned char *bytes, size_t size)
{
    size_t number = bytes[0] + 256u * bytes[1];
    EXPECT(size >= 4 && number < DATAGRAMS, number);
    EXPECT(!post.seen[number], number);
    post.seen[number] = true;
    post.seen_count++;
    for (size_t i = 2; i < size; i++)
        EXPECT(bytes[i] == faulty_byte(0, number + i), number);
}

static ASYNC(post_all, ARGS((thrum_datagrams *, to)), LOCALS(size_t number, count; int error; thrum_datagram list[8];))
{
    ASYNC_BEGIN;
    while (self->number < DATAGRAMS) {
        self->count = 1 + faults_choose(8);
        if (self->count > DATAGRAMS - self->number)
            self->count = DATAGRAMS - self->number;
        for (size_t i = 0; i < self->count; i++)
            write_one(self->number + i, &self->list[i]);
        if (self->count == 1)
            AWAIT_CATCH(self->error, thrum_datagrams_send(self->to, self->list[0].data, self->list[0].size, NULL));
        else
            AWAIT_CATCH(self->error, thrum_datagrams_send_many(self->to, self->list, self->count));
        EXPECT(faulty_expected(self->error), self->error);
        if (self->error && !post.error)
            post.error = self->error;
        self->number += self->count;
    }
    thrum_datagrams_close(self->to);
    AWAIT_CATCH(self->error, thrum_datagrams_wait_closed(self->to));
    ASYNC_END;
}

static ASYNC(take_all, ARGS((thrum_datagrams *, from)), LOCALS(size_t count; int error; thrum_datagram list[4];))
{
    ASYNC_BEGIN;
    while (post.seen_count < DATAGRAMS) {
        for (int i = 0; i < 4; i++)
            self->list[i] = (thrum_datagram){.data = post.in[i], .room = MOST};
        AWAIT_CATCH_INTO(self->error, self->count, thrum_datagrams_receive_many(self->from, self->list, 4));
        EXPECT(faulty_expected(self->error), self->error);
        for (size_t i = 0; !self->error && i < self->count; i++)
            read_one(post.in[i], self->list[i].size);
    }
    ASYNC_END;
}

/* Over a Unix socket, which loses none: whoever sends more than there is room for waits. */
ASYNC(datagram_talk, ARGS((talk *, about)),
      LOCALS(int ends[2], error; thrum_datagram_options options; thrum_datagrams * a, *b; thrum_task * taker;))
{
    ASYNC_BEGIN;
    memset(&post, 0, sizeof post);
    EXPECT(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, self->ends), errno);
    self->options.size = sizeof self->options;
    self->options.socket = &self->ends[0];
    AWAIT_INTO(self->a, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    self->options.socket = &self->ends[1];
    AWAIT_INTO(self->b, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    self->taker = thrum_spawn(take_all(self->b));
    AWAIT(post_all(self->a));
    if (!faults.hard)
        AWAIT(thrum_task_wait(self->taker));
    EXPECT(faults.hard || post.seen_count == DATAGRAMS, post.seen_count);
    EXPECT(faults.hard || !post.error, post.error);
FINALLY:
    if (self->taker) {
        thrum_task_cancel(self->taker);
        AWAIT_CATCH_ALL(self->error, thrum_task_wait(self->taker));
    }
    thrum_task_release(self->taker);
    if (!self->a)
        close(self->ends[0]);
    if (!self->b)
        close(self->ends[1]);
    thrum_datagrams_release(self->a);
    thrum_datagrams_release(self->b);
    ASYNC_END;
}

/* ---- plain calls: connect, accept, sendall, sendfile, recv ---- */

enum { BYTES = 200000, TAIL = 50000 };

static unsigned char sent[BYTES + TAIL], got[BYTES + TAIL + 1];

static void close_if(int descriptor)
{
    if (descriptor > 0)
        close(descriptor);
}

static ASYNC(sends, ARGS((const thrum_address *, address), (int, file)), LOCALS(int socket; size_t n;))
{
    ASYNC_BEGIN;
    self->socket = thrum_sock_open(thrum_address_family(self->address), SOCK_STREAM);
    if (self->socket < 0)
        ASYNC_RAISE(self->socket);
    AWAIT(thrum_sock_connect(self->socket, self->address));
    AWAIT_INTO(self->n, thrum_sock_sendall(self->socket, sent, BYTES));
    EXPECT(self->n == BYTES, self->n);
    AWAIT_INTO(self->n, thrum_sock_sendfile(self->socket, self->file, BYTES, SIZE_MAX, true));
    EXPECT(self->n == TAIL, self->n);
FINALLY:
    close_if(self->socket);
    ASYNC_END;
}

static ASYNC(receives, ARGS((int, listener)), LOCALS(int socket; size_t n, total;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->socket, thrum_sock_accept(self->listener, NULL));
    do {
        AWAIT_INTO(self->n,
                   thrum_sock_recv(self->socket, got + self->total, 1 + faulty_size(sizeof got - self->total - 1)));
        faulty_check(got + self->total, 0, self->total, self->n);
        self->total += self->n;
    } while (self->n);
    EXPECT(faults.hard || self->total == BYTES + TAIL, self->total);
FINALLY:
    close_if(self->socket);
    ASYNC_END;
}

static int bound(int listener, thrum_address *address)
{
    socklen_t size = sizeof address->words;
    if (bind(listener, (const struct sockaddr *)thrum_address_raw(address), (socklen_t)address->size) ||
        listen(listener, 1) || getsockname(listener, (struct sockaddr *)(void *)address->words, &size))
        return -errno;
    return 0;
}

ASYNC(socket_talk, ARGS((talk *, about)),
      LOCALS(int listener, file, error; thrum_address address; thrum_address_list list;))
{
    char name[] = "/tmp/thrum-faults-XXXXXX";
    ASYNC_BEGIN;
    self->file = mkstemp(name);
    EXPECT(self->file >= 0 && !unlink(name), errno);
    faulty_fill(sent, 0, 0, sizeof sent);
    EXPECT(write(self->file, sent, sizeof sent) == sizeof sent, errno);
    AWAIT(thrum_getaddrinfo(&self->list, "127.0.0.1", "0", NULL));
    self->address = self->list.list[0].address;
    self->listener = thrum_sock_open(AF_INET, SOCK_STREAM);
    self->error = self->listener < 0 ? self->listener : bound(self->listener, &self->address);
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT(thrum_gather(NULL, receives(self->listener), sends(&self->address, self->file)));
FINALLY:
    thrum_address_list_free(&self->list);
    close_if(self->listener);
    close_if(self->file);
    ASYNC_END;
}
