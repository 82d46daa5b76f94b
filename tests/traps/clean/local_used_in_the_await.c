#include "../trap.h"

/* What is awaited is evaluated once, before the task is suspended. */
ASYNC(argument, ARGS_NONE, LOCALS(int i;))
{
    int n;
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        n = compute(self->i);
        AWAIT(work(n > 3 ? n : n + 1));
    }
    ASYNC_END;
}
