/* Transports over connections in memory: by seeds that cut the bytes in every way, with each task cancelled at each
 * await, and with each block of memory refused. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

/* Sends back what comes, and holds back the sender while its own output is full. */
typedef struct echo {
    thrum_transport *transport;
    int made, lost, error;
    bool paused;
    bool quits; /* becomes a stream at the first "!" */
    thrum_stream *stream;
} echo;

static int echo_made(void *context, thrum_transport *transport)
{
    echo *self = (echo *)context;
    CHECK_EQ(self->made++, 0);
    self->transport = transport;
    return 0;
}

static int echo_data(void *context, const void *data, size_t size)
{
    echo *self = (echo *)context;
    const char *mark = self->quits ? (const char *)memchr(data, '!', size) : NULL;
    CHECK(!self->lost && self->made);
    if (!mark)
        return thrum_transport_write(self->transport, data, size);
    size_t before = (size_t)(mark - (const char *)data);
    int error = thrum_transport_write(self->transport, data, before);
    if (!error)
        error = thrum_transport_unread(self->transport, mark, size - before);
    return error ? error : thrum_stream_of_transport(&self->stream, self->transport);
}

static void echo_pause(void *context)
{
    echo *self = (echo *)context;
    CHECK(!self->paused);
    self->paused = true;
    thrum_transport_pause_reading(self->transport);
}

static void echo_resume(void *context)
{
    echo *self = (echo *)context;
    CHECK(self->paused);
    self->paused = false;
    thrum_transport_resume_reading(self->transport);
}

static void echo_lost(void *context, int error)
{
    echo *self = (echo *)context;
    CHECK_EQ(self->lost++, 0);
    CHECK_EQ(self->made, 1);
    self->error = error;
}

static const thrum_protocol echo_protocol = {
    .size = sizeof echo_protocol,
    .connection_made = echo_made,
    .data_received = echo_data,
    .connection_lost = echo_lost,
    .pause_writing = echo_pause,
    .resume_writing = echo_resume,
};

/* ---- bytes ---- */

enum { BYTES = 40000 };

static ASYNC(send_all, ARGS((thrum_stream *, stream), (const char *, bytes)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_write(self->stream, self->bytes, BYTES));
    AWAIT(thrum_stream_flush(self->stream));
    CHECK_EQ(thrum_stream_write_eof(self->stream), 0);
    ASYNC_END;
}

/* The program's `what` is 1 when the connection is cut on its way. */
static ASYNC(there_and_back, ARGS((uint64_t, seed), (bool, cut)),
             LOCALS(thrum_stream *client; thrum_stream * server; char *sent; char *got; echo what; size_t n, total;
                    thrum_task * sender; thrum_test_script script; thrum_stream_options options; int error;))
{
    ASYNC_BEGIN;
    self->script.size = sizeof self->script;
    self->script.seed = self->seed;
    self->script.there.fragment = self->script.there.short_send = 1 + self->seed * 37 % 3000;
    self->script.back.fragment = self->script.back.short_send = 1 + self->seed * 101 % 2000;
    self->script.there.random = self->script.back.random = true;
    self->script.there.window = self->script.back.window = 1 + self->seed * 53 % 9000;
    if (self->cut) {
        self->script.there.cut_after = self->seed * 977 % BYTES;
        self->script.there.cut_error = self->seed % 2 ? -ECONNRESET : 0;
    }
    self->options.size = sizeof self->options;
    self->options.high = 1 + self->seed * 71 % 5000;
    self->script.streams = &self->options;
    self->sent = (char *)malloc(BYTES);
    self->got = (char *)malloc(BYTES);
    for (size_t i = 0; i < BYTES; i++)
        self->sent[i] = (char)(i * 7 % 251);
    CHECK_EQ(thrum_test_stream_pair(&self->client, &self->server, &self->script), 0);
    CHECK_EQ(thrum_transport_of_stream(NULL, self->server, &echo_protocol, &self->what), 0);
    self->sender = thrum_spawn(send_all(self->client, self->sent));
    while (self->total < BYTES) {
        AWAIT_CATCH_INTO(self->error, self->n,
                         thrum_stream_read(self->client, self->got + self->total, BYTES - self->total));
        if (self->error || !self->n)
            break;
        self->total += self->n;
    }
    CHECK(self->cut || self->total == BYTES);
    CHECK_MEM(self->got, self->sent, self->total);
    AWAIT_CATCH(self->error, self->sender);
    CHECK(!self->error || self->cut);
    thrum_task_release(self->sender);
    thrum_stream_release(self->client);
    while (!self->what.lost)
        AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK(self->cut || !self->what.error);
    free(self->sent);
    free(self->got);
    ASYNC_END;
}

TEST_LIMIT(testing_transports, seeds, 60)
{
    for (uint64_t seed = 0; seed < 150; seed++)
        CHECK_EQ(thrum_test_run(there_and_back(seed, false), NULL), 0);
}

TEST_LIMIT(testing_transports, seeds_that_cut, 60)
{
    for (uint64_t seed = 0; seed < 150; seed++)
        CHECK_EQ(thrum_test_run(there_and_back(seed, true), NULL), 0);
}

/* ---- everything that can come in between ---- */

static int begun, ended;

static int factory_made(void *context, thrum_transport *transport)
{
    begun++;
    return echo_made(context, transport);
}

static void factory_lost(void *context, int error)
{
    ended++;
    echo_lost(context, error);
}

/* The frame may be gone when it is told: what it writes to is not in it. */
static echo whats[2];

static ASYNC(program, ARGS((void *, context)),
             LOCALS(thrum_stream *client; thrum_stream * server; thrum_transport * transport; char text[16]; size_t n;
                    thrum_protocol protocol;))
{
    static thrum_protocol counted;
    int error;
    ASYNC_BEGIN;
    begun = ended = 0;
    memset(whats, 0, sizeof whats);
    counted = echo_protocol;
    counted.connection_made = factory_made;
    counted.connection_lost = factory_lost;
    whats[0].quits = true;
    error = thrum_test_stream_pair(&self->client, &self->server, NULL);
    if (error)
        ASYNC_RAISE(error);
    error = thrum_transport_of_stream(&self->transport, self->server, &counted, &whats[0]);
    if (error)
        ASYNC_RAISE(error);
    self->server = NULL;
    AWAIT(thrum_stream_write(self->client, "ab!cd", 5));
    AWAIT(thrum_timeout(SECONDS(9), thrum_stream_read_exactly(self->client, self->text, 2)));
    CHECK_MEM(self->text, "ab", 2);
    while (!whats[0].stream && !whats[0].lost)
        AWAIT(thrum_sleep(MILLISECONDS(1)));
    if (whats[0].lost)
        ASYNC_RAISE(whats[0].error);
    AWAIT(thrum_stream_read_exactly(whats[0].stream, self->text, 3));
    CHECK_MEM(self->text, "!cd", 3);
    thrum_transport_release(self->transport);
    self->transport = NULL;
    error = thrum_transport_of_stream(&self->transport, whats[0].stream, &counted, &whats[1]);
    if (error)
        ASYNC_RAISE(error);
    whats[0].stream = NULL;
    AWAIT(thrum_stream_write(self->client, "ef", 2));
    AWAIT(thrum_timeout(SECONDS(9), thrum_stream_read_exactly(self->client, self->text, 2)));
    CHECK_MEM(self->text, "ef", 2);
    thrum_transport_close(self->transport);
    AWAIT_INTO(self->n, thrum_stream_read(self->client, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
FINALLY:
    thrum_stream_release(self->client);
    thrum_stream_release(self->server);
    thrum_stream_release(whats[0].stream);
    thrum_transport_abort(self->transport);
    thrum_transport_release(self->transport);
    ASYNC_END;
}

/* Whoever was told of a beginning is told of the end; one became a stream instead. */
static int told_of_both(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    (void)context, (void)run;
    CHECK(begun == ended || begun == ended + 1);
    for (int i = 0; i < 2; i++)
        CHECK_LE(whats[i].lost, whats[i].made);
    if (!result->error)
        CHECK_EQ(whats[1].lost, 1);
    return result->error && !result->injected ? 1 : 0;
}

TEST_LIMIT(testing_transports, explored, 60)
{
    thrum_test_explored explored;
    thrum_test_explore_options options = {.size = sizeof options, .check = told_of_both};
    CHECK_EQ(thrum_test_explore(program, NULL, &options, &explored), 0);
    CHECK_GE(explored.waiting, 3);
    CHECK_GE(explored.allocations, 8);
}

/* ---- the same with real sockets ---- */

static int descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 256; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

static int before;
static echo served[4];
static int taken;

static int serve_one(void *context, const thrum_protocol **protocol, void **own)
{
    static thrum_protocol counted;
    (void)context;
    counted = echo_protocol;
    counted.connection_made = factory_made;
    counted.connection_lost = factory_lost;
    *protocol = &counted;
    *own = &served[taken++];
    return 0;
}

static ASYNC(sockets, ARGS((void *, context)),
             LOCALS(thrum_server *server; thrum_transport * transport, *accepted; thrum_stream * stream; char port[16];
                    int ends[2]; char text[8]; size_t n;))
{
    ASYNC_BEGIN;
    self->ends[1] = -1;
    begun = ended = taken = 0;
    memset(served, 0, sizeof served);
    AWAIT_INTO(self->server, thrum_create_server(serve_one, NULL, "127.0.0.1", "0"));
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(self->stream, thrum_open_connection("127.0.0.1", self->port));
    AWAIT(thrum_stream_write(self->stream, "hello", 5));
    AWAIT(thrum_timeout(SECONDS(5), thrum_stream_read_exactly(self->stream, self->text, 5)));
    AWAIT_INTO(self->transport, thrum_create_connection(serve_one, NULL, "127.0.0.1", self->port));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends))
        ASYNC_RAISE(-errno);
    AWAIT_INTO(self->accepted, thrum_connect_accepted_socket(serve_one, NULL, self->ends[0], NULL));
    thrum_server_close(self->server);
    thrum_transport_close(self->transport);
    thrum_transport_close(self->accepted);
    AWAIT(thrum_stream_close(self->stream));
    AWAIT(thrum_timeout(SECONDS(5), thrum_server_wait_closed(self->server)));
FINALLY:
    thrum_stream_release(self->stream);
    thrum_transport_release(self->transport);
    thrum_transport_release(self->accepted);
    thrum_server_release(self->server);
    if (self->ends[1] >= 0)
        close(self->ends[1]);
    ASYNC_END;
}

static int nothing_open(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    (void)context, (void)run;
    CHECK_EQ(begun, ended);
    CHECK_EQ(taken, begun);
    CHECK_EQ(descriptors(), before);
    return result->error && !result->injected ? 1 : 0;
}

TEST_LIMIT(testing_transports, explored_with_sockets, 60)
{
    const thrum_test_options run = {.size = sizeof run, .backend = THRUM_BACKEND_LIBEV};
    thrum_test_explore_options options = {.size = sizeof options, .run = &run, .no_seeds = true, .check = nothing_open};
    thrum_test_explored explored;
    before = descriptors();
    CHECK_EQ(thrum_test_explore(sockets, NULL, &options, &explored), 0);
    CHECK_GE(explored.waiting, 5);
}
