/* The Modbus device, with everything that can come in between: a client asks, hurries, stutters and errs. */
#include "samples_board.h"

#include "../../samples/bare/modbus/main.c"
#undef main

static ASYNC(board, ARGS((thrum_stream *, line), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(app(self->line));
    ASYNC_END;
}

/* A request in two pieces, and what the answer begins with; NULL: there is none. The checksums are added here. */
typedef struct request {
    const char *bytes;
    size_t size, first; /* so many of them come first */
    thrum_time pause;   /* before the others */
    const char *answer;
    size_t answer_size;
} request;

#define BYTES(text) text, sizeof text - 1
static const request requests[] = {
    {BYTES("\021\003\000\001\000\002"), 8, 0, BYTES("\021\003\004\000\000\000\000")},
    {BYTES("\021\006\000\001\000\007"), 3, MILLISECONDS(2), BYTES("\021\006\000\001\000\007")},
    {BYTES("\021\003\000\001\000\001"), 1, MILLISECONDS(1), BYTES("\021\003\002\000\007")},
    {BYTES("\021\006\000\000\177\377"), 8, 0, BYTES("\021\206\004")},  /* faster than the motor can */
    {BYTES("\021\003\000\001\000\001"), 4, MILLISECONDS(20), NULL, 0}, /* silent in the middle */
    {BYTES("\022\003\000\001\000\001"), 8, 0, NULL, 0},                /* for another device */
    {BYTES("\021\002\000\000\000\010"), 8, 0, BYTES("\021\002\001\215")},
};

static size_t with_checksum(char *frame, const char *bytes, size_t size)
{
    memcpy(frame, bytes, size);
    uint16_t checksum = rtu_checksum((const uint8_t *)bytes, size);
    frame[size] = (char)(checksum & 0xff);
    frame[size + 1] = (char)(checksum >> 8);
    return size + 2;
}

static ASYNC(ask, ARGS((void *, context)),
             LOCALS(thrum_stream *line; const request *next; char frame[16], answer[16]; size_t i, size; int error;))
{
    ASYNC_BEGIN;
    memset(holding, 0, sizeof holding);
    AWAIT_INTO(self->line, thrum_test_connect(board, NULL, NULL));
    for (self->i = 0; self->i < sizeof requests / sizeof *requests; self->i++) {
        self->next = &requests[self->i];
        self->size = with_checksum(self->frame, self->next->bytes, self->next->size);
        AWAIT(thrum_stream_write(self->line, self->frame, self->next->first));
        AWAIT(thrum_sleep(self->next->pause));
        AWAIT(thrum_stream_write(self->line, self->frame + self->next->first, self->size - self->next->first));
        if (!self->next->answer) {
            AWAIT_CATCH(self->error, thrum_timeout(SECONDS(1), thrum_stream_read(self->line, self->answer, 1)));
            if (self->error != THRUM_ETIMEDOUT)
                ASYNC_RAISE(self->error ? self->error : THRUM_EAPP(1));
            continue;
        }
        self->size = with_checksum(self->frame, self->next->answer, self->next->answer_size);
        AWAIT(thrum_stream_read_exactly(self->line, self->answer, self->size));
        if (memcmp(self->answer, self->frame, self->size) != 0)
            ASYNC_RAISE(THRUM_EAPP(2));
    }
FINALLY:
    thrum_stream_release(self->line);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, modbus, 60)
{
    explore_sample(ask, NULL, NULL, 15);
}
