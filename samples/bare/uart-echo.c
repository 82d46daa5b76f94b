/* Lines come back as they came. */
#include <thrum.h>

#include "console.h"

static uint64_t memory[64];

static ASYNC(echo, ARGS((thrum_stream *, line)), LOCALS(int error; size_t size; char text[96];))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_CATCH_INTO(self->error, self->size, thrum_stream_read_line(self->line, self->text, sizeof self->text));
        if (self->error == THRUM_ELIMIT) {
            AWAIT(thrum_stream_write(self->line, "too long\r\n", 10));
            continue;
        }
        if (self->error)
            ASYNC_RAISE(self->error);
        if (self->size == 0)
            break;
        AWAIT(thrum_stream_write(self->line, self->text, self->size));
    }
    ASYNC_END;
}

int main(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    return thrum_run(echo(console_open()));
}
