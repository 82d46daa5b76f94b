#include "../trap.h"

bool lookup(const char *name, int *value);

/* A function stores to it through a pointer. */
ASYNC(out, ARGS((const char *, name)), LOCALS_NONE)
{
    int value;
    ASYNC_BEGIN;
    AWAIT(work(1));
    if (lookup(self->name, &value))
        use(value);
    ASYNC_END;
}
