/* The firmware that echoes lines, and the one that blinks, with everything that can come in between. */
#include "samples_board.h"

#include "../../samples/bare/uart-echo.c"
#undef main
#define main blink_main
#define memory blink_memory
int blink_main(void);
#include "../../samples/bare/blink.c"
#undef main
#undef memory

static ASYNC(board, ARGS((thrum_stream *, line), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(echo(self->line));
    ASYNC_END;
}

static ASYNC(talk, ARGS((void *, context)), LOCALS(thrum_stream *line; char answer[200]; size_t size;))
{
    static const char long_line[] = "a line that is longer than what there is room for, which is 96 bytes, "
                                    "so that it cannot come back, however one looks at it\n";
    static const char expected[] = "hello\ntoo long\r\n";
    ASYNC_BEGIN;
    AWAIT_INTO(self->line, thrum_test_connect(board, NULL, NULL));
    AWAIT(thrum_stream_write(self->line, "hello\n", 6));
    AWAIT(thrum_stream_write(self->line, long_line, sizeof long_line - 1));
    AWAIT(thrum_stream_read_exactly(self->line, self->answer, sizeof expected - 1));
    if (memcmp(self->answer, expected, sizeof expected - 1) != 0)
        ASYNC_RAISE(THRUM_EAPP(1));
FINALLY:
    thrum_stream_release(self->line);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, uart_echo, 60)
{
    explore_sample(talk, NULL, NULL, 3);
}

/* ---- blink ---- */

static char lamps[80];

void board_put(const char *text)
{
    (void)snprintf(lamps + strlen(lamps), sizeof lamps - strlen(lamps), "%s", text);
}

static thrum_awaitable blink_both(void *context)
{
    (void)context;
    lamps[0] = '\0';
    return both();
}

static int right(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    (void)context;
    (void)result;
    if (run->injection != THRUM_TEST_NOTHING)
        return 0;
    size_t green = 0, red = 0;
    for (const char *at = lamps; *at; at++) {
        green += *at == 'g';
        red += *at == 'd';
    }
    return green != 6 || red != 3;
}

TEST_LIMIT(testing_samples, blink, 60)
{
    explore_sample(blink_both, NULL, right, 9);
}
