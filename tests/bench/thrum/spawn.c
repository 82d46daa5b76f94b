/* spawn wait|pipe N over thrum's public headers. wait: N programs that end at once, one after the other. pipe: N
 * megabytes from a child. */
#include "../support/bench.h"

#include <thrum.h>

static long count;

static ASYNC(wait_for_each, ARGS_NONE, LOCALS(thrum_process *child; long i; int code;))
{
    static const char *const arguments[] = {"/bin/true", NULL};
    ASYNC_BEGIN;
    bench_begin();
    for (self->i = 0; self->i < count; self->i++) {
        AWAIT_INTO(self->child, thrum_create_subprocess_exec(arguments, NULL));
        AWAIT_INTO(self->code, thrum_process_wait(self->child));
        thrum_process_release(self->child);
        if (self->code)
            ASYNC_RAISE(THRUM_EAPP(1));
    }
    bench_end(count);
    ASYNC_END;
}

static const thrum_subprocess_options piped = {.size = sizeof piped, .out = {THRUM_STDIO_PIPE, 0}};

static ASYNC(read_all, ARGS_NONE, LOCALS(thrum_process *child; size_t got, total; char text[32]; const char *words[5];),
             BUFFERS(char bytes[131072];))
{
    ASYNC_BEGIN;
    snprintf(self->text, sizeof self->text, "%ldM", count);
    self->words[0] = "/usr/bin/head";
    self->words[1] = "-c";
    self->words[2] = self->text;
    self->words[3] = "/dev/zero";
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(self->words, &piped));
    bench_begin();
    do {
        AWAIT_INTO(self->got, thrum_stream_read(thrum_process_stdout(self->child), self->bytes, sizeof self->bytes));
        self->total += self->got;
    } while (self->got);
    bench_end(count);
    thrum_process_release(self->child);
    if (self->total != (size_t)count << 20)
        ASYNC_RAISE(THRUM_EAPP(1));
    ASYNC_END;
}

int main(int argc, char **argv)
{
    if (argc != 3 || (count = atol(argv[2])) <= 0)
        return 2;
    return thrum_run(strcmp(argv[1], "pipe") == 0 ? read_all() : wait_for_each());
}
