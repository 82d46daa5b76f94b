#include "../trap.h"

ASYNC(read_all, ARGS_NONE, LOCALS(char line[16]; int n;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->n, read_some(self->line, sizeof self->line));
        if (self->n == 0)
            break;
        if (self->n < 0)
            continue;
        AWAIT(write_all(self->line, (size_t)self->n));
    }
FINALLY:
    while (self->n-- > 0) {
        if (self->n == 3)
            break;
        AWAIT(work(self->n));
    }
    ASYNC_END;
}
