/* The samples hello and echo, with everything that can come in between. */
#include "samples_server.h"

#include "../../samples/hello.c"
#undef main
#define main echo_main
int echo_main(int argc, char **argv);
#include "../../samples/echo.c"
#undef main

static thrum_awaitable hello_world(void *context)
{
    return hello((const char *)context);
}

TEST(testing_samples, hello)
{
    explore_sample(hello_world, (void *)"World", NULL, 1);
}

/* Four bytes under way at most: reading and writing both have to wait. */
static const thrum_test_script narrow = {.size = sizeof narrow,
                                         .seed = 1,
                                         .there = {.fragment = 5, .random = true, .latency = MILLISECONDS(10)},
                                         .back = {.window = 4, .latency = MILLISECONDS(10)}};

static ASYNC(talk, ARGS((void *, context)), LOCALS(thrum_stream *stream; int i; char answer[26];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->stream, thrum_test_connect(echo, NULL, &narrow));
    for (self->i = 0; self->i < 2; self->i++) {
        AWAIT(thrum_stream_write(self->stream, "abcdefghijklmnopqrstuvwxyz", 26));
        AWAIT(thrum_stream_read_exactly(self->stream, self->answer, 26));
        CHECK_MEM(self->answer, "abcdefghijklmnopqrstuvwxyz", 26);
    }
    if (self->context)
        AWAIT(thrum_stream_read(self->stream, self->answer, 1)); /* its time is up */
    AWAIT(thrum_stream_close(self->stream));
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, echo, 60)
{
    explore_sample(talk, NULL, NULL, 20);
}

/* A client that falls silent: the handler fails with THRUM_ETIMEDOUT, which the loop is told of. */
TEST_LIMIT(testing_samples, echo_of_nothing, 60)
{
    const thrum_test_options run = {.size = sizeof run, .errors_may_be_reported = true};
    const thrum_test_explore_options options = {.size = sizeof options, .run = &run};
    thrum_test_explored explored;
    CHECK_EQ(thrum_test_explore(talk, &explored, &options, &explored), 0);
    CHECK_GE(explored.waiting, 20);
}

/* ---- the server ---- */

static thrum_awaitable app_at(void *context)
{
    return app("0", (const char *)context);
}

TEST_LIMIT(testing_samples, echo_server, 60)
{
    served any = {.serve = app_at, .say = "x"};
    explore_sockets(serve_a_while, &any, NULL, 4);
}

TEST_LIMIT(testing_samples, echo_unix_server, 60)
{
    char folder[] = "/tmp/thrum-echo-XXXXXX", path[64];
    CHECK_NOT_NULL(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/socket", folder);
    served at = {.serve = app_at, .context = path, .path = path, .say = "x"};
    explore_sockets(serve_a_while, &at, NULL, 4);
    CHECK_EQ(rmdir(folder), 0);
}
