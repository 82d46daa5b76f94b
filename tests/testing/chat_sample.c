/* The sample chat, with everything that can come in between. */
#include "samples_server.h"

#include "../../samples/chat.c"
#undef main

/* Who is gone must not be listed still, however it went. */
static int nobody_is_left(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    (void)context;
    (void)run;
    (void)result;
    int left = everybody.next != &everybody;
    everybody.next = everybody.previous = &everybody;
    return left;
}

/* Wait for a line that says this. */
static ASYNC(expect, ARGS((thrum_stream *, stream), (const char *, text)), LOCALS(char line[LINE + NAME]; size_t size;))
{
    ASYNC_BEGIN;
    do {
        AWAIT_INTO(self->size,
                   thrum_timeout(SECONDS(60), thrum_stream_read_line(self->stream, self->line, sizeof self->line)));
        if (!self->size)
            ASYNC_RAISE(THRUM_EINCOMPLETE);
    } while (!strstr(self->line, self->text));
    ASYNC_END;
}

static const thrum_test_script slow = {.size = sizeof slow,
                                       .there = {.fragment = 7, .latency = MILLISECONDS(5)},
                                       .back = {.window = 16, .latency = MILLISECONDS(5)}};

static ASYNC(two_members, ARGS((void *, context)), LOCALS(thrum_stream *a; thrum_stream * b;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->a, thrum_test_connect(member, NULL, &slow));
    AWAIT(expect(self->a, "your name"));
    AWAIT(thrum_stream_write(self->a, "ann\n", 4));
    AWAIT(expect(self->a, "the hall"));
    AWAIT_INTO(self->b, thrum_test_connect(member, NULL, NULL));
    AWAIT(thrum_stream_write(self->b, "bob\n/who\n", 9));
    AWAIT(expect(self->b, "ann is here"));
    AWAIT(expect(self->a, "bob is here"));
    AWAIT(thrum_stream_write(self->a, "hello\n", 6));
    AWAIT(expect(self->b, "ann: hello"));
    AWAIT(thrum_stream_write(self->b, "/join attic\n/nonsense\n/quit\n", 28));
    AWAIT(expect(self->b, "/quit"));
    AWAIT(expect(self->a, "bob has left"));
    AWAIT(thrum_stream_close(self->a));
FINALLY:
    thrum_stream_release(self->a);
    thrum_stream_release(self->b);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, chat, 60)
{
    explore_sample(two_members, NULL, nobody_is_left, 20);
}

static thrum_awaitable app_at(void *context)
{
    return app((const char *)context);
}

TEST_LIMIT(testing_samples, chat_server, 60)
{
    served any = {.serve = app_at, .context = (void *)"0", .say = "ann\n"};
    explore_sockets(serve_a_while, &any, nobody_is_left, 4);
}
