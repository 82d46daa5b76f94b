/* How a test with thrum/testing.h looks without any test framework: a program that returns 0 when all is well. */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include <thrum.h>
#include <thrum/testing.h>

/* What is to be tested: a handler as thrum_start_server() takes it. It gives every line back in capitals. */
static ASYNC(shout, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char line[64]; size_t size;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->size, thrum_timeout(SECONDS(30), thrum_stream_read_line(self->client, self->line, 64)));
        if (!self->size)
            break;
        for (size_t i = 0; i < self->size; i++)
            if (self->line[i] >= 'a' && self->line[i] <= 'z')
                self->line[i] = (char)(self->line[i] - 'a' + 'A');
        AWAIT(thrum_stream_write(self->client, self->line, self->size));
    }
    ASYNC_END;
}

/* The test is an async function too. Its connection is slow and comes in bits; none of that takes any time. When the
 * other end breaks off, it fails: an assert here would not let it. */
static const thrum_test_script slow = {.size = sizeof slow,
                                       .there = {.fragment = 3, .random = true, .latency = MILLISECONDS(40)},
                                       .back = {.fragment = 1, .latency = MILLISECONDS(40), .window = 4}};

static ASYNC(conversation, ARGS((void *, context)), LOCALS(thrum_stream *stream; char answer[12];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->stream, thrum_test_connect(shout, NULL, &slow));
    AWAIT(thrum_stream_write(self->stream, "hello\nworld\n", 12));
    AWAIT(thrum_stream_read_exactly(self->stream, self->answer, 12));
    assert(memcmp(self->answer, "HELLO\nWORLD\n", 12) == 0);
    AWAIT(thrum_stream_close(self->stream));
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

int main(void)
{
    /* Once, in virtual time; 0 says that it went well and left nothing behind. */
    assert(thrum_test_run(conversation(NULL), NULL) == 0);
    /* In twenty orders, with each task cancelled at each await, and with each block of memory refused. */
    assert(thrum_test_explore(conversation, NULL, NULL, NULL) == 0);
    return 0;
}
