/* The n-th allocation fails, for every n of a scenario: each time something says THRUM_ENOMEM or goes without, and
 * nothing is left behind. */
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

static ASYNC(echo_lines, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char line[64]; size_t n;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->n, thrum_stream_read_line(self->client, self->line, sizeof self->line));
        if (!self->n)
            break;
        AWAIT(thrum_stream_write(self->client, self->line, self->n));
    }
FINALLY:
    AWAIT(thrum_stream_close(self->client));
    ASYNC_END;
}

static ASYNC(talk, ARGS((thrum_stream *, stream), (char *, bytes)), LOCALS(char text[64]; size_t n;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_write(self->stream, "one\n", 4));
    AWAIT(thrum_stream_write(self->stream, "two\n", 4));
    AWAIT_INTO(self->n, thrum_stream_read_exactly(self->stream, self->text, 8));
    CHECK_MEM(self->text, "one\ntwo\n", 8);
    CHECK_EQ(thrum_stream_write_eof(self->stream), 0);
    AWAIT_INTO(self->n, thrum_stream_read(self->stream, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
    ASYNC_END;
}

/* A server, a client that talks to it, and a stream whose kernel is full. */
static ASYNC(scenario, ARGS((char *, bytes)),
             LOCALS(thrum_server *server; thrum_stream * client; char port[8]; int ends[2]; thrum_stream * slow;))
{
    ASYNC_BEGIN;
    self->ends[0] = self->ends[1] = -1;
    AWAIT_INTO(self->server, thrum_start_server(echo_lines, NULL, "127.0.0.1", "0"));
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(self->client, thrum_open_connection("127.0.0.1", self->port));
    AWAIT(thrum_timeout(SECONDS(5), talk(self->client, self->bytes)));
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends), 0);
    if (thrum_stream_adopt(&self->slow, self->ends[0], NULL))
        ASYNC_RAISE(THRUM_ENOMEM);
    self->ends[0] = -1;
    AWAIT(thrum_timeout(MILLISECONDS(2), thrum_stream_write(self->slow, self->bytes, 1000000)));
FINALLY:
    thrum_stream_release(self->client);
    thrum_stream_release(self->slow);
    thrum_server_release(self->server);
    for (int i = 0; i < 2; i++)
        if (self->ends[i] >= 0)
            close(self->ends[i]);
    ASYNC_END;
}

static void quiet(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)context;
    CHECK(report->error == THRUM_ENOMEM || report->error == -EPIPE || report->error == -ECONNRESET || !report->error);
}

TEST_LIMIT(scarce, nth_allocation_fails, 100)
{
    const thrum_allocator allocator = {.allocate = allocate, .release = give_back, .each = true};
    char *bytes = counted(1000000);
    int before = count_descriptors(), failed = 0;
    bool over = false;
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
        error = thrum_loop_run_until_complete(loop, scenario(bytes), NULL);
        /* Without memory for the connection's handler the client finds the end, or nobody, at the other end. */
        CHECK(error == THRUM_ENOMEM || error == THRUM_ETIMEDOUT || error == THRUM_EINCOMPLETE || error == -ECONNRESET ||
              error == -EPIPE);
        failed += error != THRUM_ETIMEDOUT;
        CHECK_EQ(thrum_loop_close(loop), 0);
        CHECK_EQ(thrum_pool_clear(), 0);
        CHECK_EQ(memory.left, 0);
        CHECK_EQ(count_descriptors(), before);
        over = memory.count <= n;
    }
    CHECK_GT(failed, 5);
    free(bytes);
}

static int refused; /* feeds for which there was no memory */

/* What could not be fed has changed nothing, and can be fed again. */
static void feed_all(thrum_stream *stream, const char *bytes, size_t size)
{
    size_t before = thrum_stream_buffered(stream);
    int error = thrum_stream_feed_data(stream, bytes, size);
    if (error) {
        CHECK_EQ(error, THRUM_ENOMEM);
        CHECK_EQ(thrum_stream_buffered(stream), before);
        refused++;
        CHECK_EQ(thrum_stream_feed_data(stream, bytes, size), 0);
    }
    CHECK_EQ(thrum_stream_buffered(stream), before + size);
}

static ASYNC(fed_and_read, ARGS((char *, bytes), (char *, copy), (size_t, size)),
             LOCALS(thrum_stream *stream; size_t n; int error;))
{
    ASYNC_BEGIN;
    self->error = thrum_stream_fed(&self->stream, NULL);
    if (self->error)
        ASYNC_RAISE(self->error);
    feed_all(self->stream, self->bytes, 2);
    feed_all(self->stream, self->bytes + 2, self->size - 2);
    AWAIT_INTO(self->n, thrum_stream_read_exactly(self->stream, self->copy, self->size));
    CHECK_EQ(self->n, self->size);
    CHECK_MEM(self->copy, self->bytes, self->size);
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

TEST(scarce, feeding_by_hand)
{
    enum { SIZE = 20000 };
    const thrum_allocator allocator = {.allocate = allocate, .release = give_back, .each = true};
    char *bytes = counted(SIZE), *copy = (char *)malloc(SIZE);
    bool over = false;
    refused = 0;
    for (long n = 0; !over; n++) {
        thrum_loop *loop;
        CHECK_EQ(thrum_pool_clear(), 0);
        memset(&memory, 0, sizeof memory);
        memory.fail = n;
        CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
        if (thrum_loop_new(&loop, NULL))
            continue;
        eager_prepare(loop);
        int error = thrum_loop_run_until_complete(loop, fed_and_read(bytes, copy, SIZE), NULL);
        over = memory.count <= n;
        CHECK(error == 0 || (error == THRUM_ENOMEM && !over));
        CHECK_EQ(thrum_loop_close(loop), 0);
        CHECK_EQ(thrum_pool_clear(), 0);
        CHECK_EQ(memory.left, 0);
    }
    CHECK_EQ(refused, 2);
    free(bytes);
    free(copy);
}
