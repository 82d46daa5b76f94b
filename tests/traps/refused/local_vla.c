// A variable-length array.
// error gcc: switch jumps into scope of identifier with variably modified type
// error clang: cannot jump from switch statement to this case label
#include "../trap.h"
ASYNC(f, ARGS((size_t, n)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    char line[self->n];
    fill(line, self->n);
    AWAIT(work(1));
    show(line);
    ASYNC_END;
}
