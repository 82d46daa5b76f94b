/* cat over thrum's streams: the standard input to the standard output. */
#include <thrum.h>

static ASYNC(cat, ARGS_NONE, LOCALS(thrum_stream *in, *out; const void *data; size_t size; int error;))
{
    ASYNC_BEGIN;
    self->error = thrum_open_stdin(&self->in, NULL);
    if (!self->error)
        self->error = thrum_open_stdout(&self->out, NULL);
    if (self->error)
        ASYNC_RAISE(self->error);
    for (;;) {
        AWAIT_INTO(self->size, thrum_stream_fill(self->in, &self->data, 1));
        if (self->size == 0)
            break;
        AWAIT(thrum_stream_write(self->out, self->data, self->size));
    }
    AWAIT(thrum_stream_close(self->out));
FINALLY:
    thrum_stream_release(self->out);
    thrum_stream_release(self->in);
    ASYNC_END;
}

int main(void)
{
    return thrum_run(cat());
}
