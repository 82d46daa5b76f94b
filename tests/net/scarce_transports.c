/* The n-th allocation fails, for every n of a scenario with transports: each protocol that was made is told of both
 * ends, and nothing is left behind. */
#include "protocols.h"

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

static int made, lost, asked;
static noted server_side, client_side, pipe_side;

static void count_made(noted *to)
{
    (void)to;
    made++;
}

static void count_lost(noted *to)
{
    (void)to;
    lost++;
}

static void echo_all(noted *to)
{
    CHECK_EQ(thrum_transport_write(to->transport, to->data, to->size < 100 ? to->size : 100), 0);
}

static int factory(void *context, const thrum_protocol **protocol, void **own)
{
    noted *to = (noted *)context;
    asked++;
    memset(to, 0, sizeof *to);
    to->made = count_made;
    to->lost = count_lost;
    if (to == &server_side)
        to->told = echo_all;
    *protocol = to == &client_side ? &noting_buffered : &noting;
    *own = to;
    return 0;
}

static ASYNC(scenario, ARGS((char *, bytes)),
             LOCALS(thrum_server *server; thrum_transport * client, *pipe_end; char port[8]; int ends[2];
                    thrum_stream * stream;))
{
    ASYNC_BEGIN;
    self->ends[1] = -1;
    AWAIT_INTO(self->server, thrum_create_server(factory, &server_side, "127.0.0.1", "0"));
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(self->client, thrum_create_connection(factory, &client_side, "127.0.0.1", self->port));
    CHECK_EQ(thrum_transport_write(self->client, "hello", 5), 0);
    while (client_side.size < 5 && !strchr(client_side.calls, 'L'))
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    if (client_side.size < 5)
        ASYNC_RAISE(THRUM_ENOMEM);
    if (thrum_transport_unread(self->client, "back", 4))
        ASYNC_RAISE(THRUM_ENOMEM);
    CHECK_EQ(thrum_transport_write(self->client, self->bytes, 3000000), 0);
    CHECK_EQ(pipe(self->ends), 0);
    AWAIT_INTO(self->pipe_end, thrum_connect_read_pipe(factory, &pipe_side, self->ends[0]));
    CHECK_EQ(thrum_stream_of_transport(&self->stream, self->pipe_end), 0);
FINALLY:
    if (self->client)
        thrum_transport_abort(self->client);
    thrum_transport_release(self->client);
    thrum_transport_release(self->pipe_end);
    thrum_stream_release(self->stream);
    thrum_server_release(self->server);
    if (self->ends[1] >= 0)
        close(self->ends[1]);
    ASYNC_END;
}

static void quiet(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)context;
    CHECK_EQ(report->error, THRUM_ENOMEM);
}

TEST_LIMIT(scarce, nth_allocation_of_transports_fails, 100)
{
    const thrum_allocator allocator = {.allocate = allocate, .release = give_back, .each = true};
    char *bytes = counted(3000000);
    int before = count_descriptors(), failed = 0;
    bool over = false;
    for (long n = 0; !over; n++) {
        thrum_loop *loop;
        CHECK_EQ(thrum_pool_clear(), 0);
        memset(&memory, 0, sizeof memory);
        memory.fail = n;
        made = lost = asked = 0;
        CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
        int error = thrum_loop_new(&loop, NULL);
        if (error) {
            CHECK_EQ(error, THRUM_ENOMEM);
            continue;
        }
        eager_prepare(loop);
        thrum_loop_set_exception_handler(loop, quiet, NULL);
        error = thrum_loop_run_until_complete(loop, scenario(bytes), NULL);
        CHECK(error == 0 || error == THRUM_ENOMEM);
        failed += error != 0;
        CHECK_EQ(thrum_loop_close(loop), 0);
        CHECK_EQ(made, asked);
        CHECK_GE(lost, made - 1); /* one became a stream */
        CHECK_EQ(thrum_pool_clear(), 0);
        CHECK_EQ(memory.left, 0);
        CHECK_EQ(count_descriptors(), before);
        over = memory.count <= n;
    }
    CHECK_GT(failed, 5);
    free(bytes);
}
