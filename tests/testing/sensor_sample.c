/* The sensor, with everything that can come in between. */
#include "samples_board.h"

#include "../../samples/bare/sensor.c"
#undef main

static ASYNC(board, ARGS((thrum_stream *, line), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    samples_console = self->line;
    AWAIT(app());
    ASYNC_END;
}

static ASYNC(listen, ARGS((void *, context)), LOCALS(thrum_stream *line; char text[200]; int error;))
{
    static const char expected[] = "value 2418\r\nvalue 2080\r\nsilent\r\nsilent\r\nsilent\r\n"
                                   "value 2272\r\nvalue 2223\r\nvalue 2277\r\n";
    ASYNC_BEGIN;
    reading = 0;
    AWAIT_INTO(self->line, thrum_test_connect(board, NULL, NULL));
    AWAIT_CATCH(self->error, thrum_stream_read_exactly(self->line, self->text, sizeof self->text));
    if (self->error != THRUM_EINCOMPLETE || strcmp(self->text, expected) != 0)
        ASYNC_RAISE(self->error ? self->error : THRUM_ELIMIT); /* right only when something came in between */
    ASYNC_RAISE(THRUM_EEXIT);
FINALLY:
    thrum_stream_release(self->line);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, sensor, 60)
{
    const thrum_test_explore_options options = {.size = sizeof options, .expected = THRUM_EEXIT, .most = 400};
    explore_twice(listen, NULL, &options, 200);
}
