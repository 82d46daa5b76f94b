/* The n-th allocation fails, for every n of a scenario with plain sockets, names, racing addresses, datagrams and
 * passed descriptors: something says THRUM_ENOMEM, and nothing is left behind. */
#include <netinet/in.h>
#include <thrum/datagrams.h>
#include <thrum/names.h>
#include <thrum/sockets.h>
#include <thrum/unixsockets.h>

#include "support.h"

static struct {
    long count, fail, left;
} memory;

static void *allocate(void *context, size_t size)
{
    (void)context;
    if (memory.count++ == memory.fail)
        return NULL;
    memory.left++;
    return malloc(size);
}

static void give_back(void *context, void *block, size_t size)
{
    (void)context, (void)size;
    memory.left--;
    free(block);
}

/* ---- plain sockets and names ---- */

static ASYNC(sockets_and_names, ARGS_NONE,
             LOCALS(int ends[2], error; char text[8]; thrum_address_list list; thrum_address address;
                    thrum_resolver_options resolver;))
{
    ASYNC_BEGIN;
    self->ends[0] = self->ends[1] = -1;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, self->ends), 0);
    AWAIT(thrum_sock_sendall(self->ends[0], "hello", 5));
    AWAIT(thrum_sock_recv(self->ends[1], self->text, 5));
    AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(1), thrum_sock_recv(self->ends[1], self->text, 5)));
    if (self->error != THRUM_ETIMEDOUT)
        ASYNC_RAISE(self->error);
    AWAIT(thrum_getaddrinfo(&self->list, NULL, "80", NULL));
    self->resolver.size = sizeof self->resolver;
    self->resolver.kind = THRUM_RESOLVER_CARES;
    self->resolver.servers = "127.0.0.1:1";
    self->error = thrum_loop_set_resolver(thrum_loop_current(), &self->resolver);
    if (!self->error)
        AWAIT(thrum_getaddrinfo(&self->list, "localhost", "80", NULL));
    if (!self->error && !thrum_address_from_ip(&self->address, "127.0.0.1", 80))
        AWAIT(thrum_getnameinfo(&self->address, NULL, 0, self->text, sizeof self->text, 0));
FINALLY:
    thrum_address_list_free(&self->list);
    close(self->ends[0]);
    close(self->ends[1]);
    ASYNC_END;
}

/* ---- addresses ---- */

/* Nobody listens: each of the addresses fails. */
static ASYNC(race, ARGS((const char *, port)), LOCALS(thrum_connect_options options; int error;))
{
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.happy_eyeballs_delay = MILLISECONDS(250);
    self->options.all_errors = true;
    AWAIT_CATCH(self->error, thrum_open_connection_with(NULL, self->port, &self->options));
    if (self->error != THRUM_EGROUP)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

/* ---- datagrams ---- */

static const thrum_datagram_protocol silent = {.size = sizeof silent};
static int make_silent(void *context, const thrum_datagram_protocol **protocol, void **own)
{
    *protocol = &silent;
    *own = context;
    return 0;
}

static ASYNC(datagrams, ARGS_NONE,
             LOCALS(int ends[2], error; thrum_datagram_options options; thrum_datagrams * one, *told;
                    thrum_datagram got; char bytes[1000];))
{
    ASYNC_BEGIN;
    self->ends[0] = self->ends[1] = -1;
    self->options.size = sizeof self->options;
    self->options.local_host = "127.0.0.1";
    AWAIT_INTO(self->told, thrum_create_datagram_endpoint(make_silent, NULL, &self->options));
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, self->ends), 0);
    memset(&self->options, 0, sizeof self->options);
    self->options.size = sizeof self->options;
    self->options.socket = &self->ends[0];
    self->options.queue = 2;
    AWAIT_INTO(self->one, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    self->ends[0] = -1;
    do /* until the way is full, and a copy is kept */
        self->error = thrum_datagrams_sendto(self->one, self->bytes, sizeof self->bytes, NULL);
    while (!self->error && !thrum_datagrams_write_buffer_size(self->one));
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(1), thrum_datagrams_send(self->one, "x", 1, NULL)));
    if (self->error != THRUM_ETIMEDOUT)
        ASYNC_RAISE(self->error);
    CHECK_EQ(write(self->ends[1], "y", 1), 1);
    self->got.data = self->bytes;
    self->got.room = sizeof self->bytes;
    AWAIT(thrum_datagrams_receive(self->one, &self->got));
FINALLY:
    thrum_datagrams_release(self->one);
    thrum_datagrams_abort(self->told);
    thrum_datagrams_release(self->told);
    if (self->ends[0] >= 0)
        close(self->ends[0]);
    if (self->ends[1] >= 0)
        close(self->ends[1]);
    ASYNC_END;
}

/* ---- descriptors ---- */

static ASYNC(passing, ARGS_NONE,
             LOCALS(int ends[2], got[2], error; thrum_stream * streams[2]; thrum_passing out, in; char byte;))
{
    ASYNC_BEGIN;
    self->got[0] = -1;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends), 0);
    for (int i = 0; i < 2; i++) {
        self->error = self->error ? self->error : thrum_stream_adopt(&self->streams[i], self->ends[i], NULL);
        if (self->error)
            close(self->ends[i]);
    }
    if (self->error)
        ASYNC_RAISE(self->error);
    self->out.data = "x";
    self->out.size = 1;
    self->out.descriptors = self->ends;
    self->out.count = 1;
    AWAIT(thrum_stream_send_descriptors(self->streams[0], &self->out));
    self->in.data = &self->byte;
    self->in.size = 1;
    self->in.descriptors = self->got;
    self->in.room = 2;
    AWAIT(thrum_stream_receive_descriptors(self->streams[1], &self->in));
FINALLY:
    if (self->got[0] >= 0)
        close(self->got[0]);
    thrum_stream_release(self->streams[0]);
    thrum_stream_release(self->streams[1]);
    ASYNC_END;
}

static ASYNC(scenario, ARGS((const char *, port)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(sockets_and_names());
    AWAIT(race(self->port));
    AWAIT(datagrams());
    AWAIT(passing());
    ASYNC_END;
}

static void quiet(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)report, (void)context;
}

TEST_LIMIT(scarce_more, nth_allocation_fails, 100)
{
    const thrum_allocator allocator = {.allocate = allocate, .release = give_back, .each = true};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof in6;
    int taken[2] = {socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    int before = count_descriptors(), failed = 0;
    bool over = false;
    char port[8];
    /* A port that nobody else gets, and where nobody listens. */
    CHECK_EQ(bind(taken[0], (struct sockaddr *)(void *)&in6, sizeof in6), 0);
    CHECK_EQ(getsockname(taken[0], (struct sockaddr *)(void *)&in6, &size), 0);
    in.sin_port = in6.sin6_port;
    (void)bind(taken[1], (struct sockaddr *)(void *)&in, sizeof in);
    snprintf(port, sizeof port, "%d", ntohs(in6.sin6_port));
    for (long n = 0; !over; n++) {
        thrum_loop *loop;
        CHECK_EQ(thrum_pool_clear(), 0);
        memset(&memory, 0, sizeof memory);
        memory.fail = n;
        CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
        int error = thrum_loop_new(&loop, NULL);
        if (error) {
            CHECK_EQ(error, THRUM_ENOMEM);
            continue;
        }
        eager_prepare(loop);
        thrum_loop_set_exception_handler(loop, quiet, NULL);
        error = thrum_loop_run_until_complete(loop, scenario(port), NULL);
        CHECK(error == THRUM_ENOMEM || error == THRUM_ERESOLVE || !error);
        failed += error != 0;
        CHECK_EQ(thrum_loop_close(loop), 0);
        CHECK_EQ(thrum_pool_clear(), 0);
        CHECK_EQ(memory.left, 0);
        CHECK_EQ(count_descriptors(), before);
        over = memory.count <= n;
    }
    CHECK_GT(failed, 20);
    close(taken[0]);
    close(taken[1]);
}
