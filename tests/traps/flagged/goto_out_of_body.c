#include "../trap.h"

ASYNC(out, ARGS((int, a)), LOCALS_NONE)
{
    use(0);
restart:
    use(1);
    ASYNC_BEGIN;
    AWAIT(work(1));
    if (self->a)
        goto restart; // finds goto: jumps before ASYNC_BEGIN
    ASYNC_END;
}
