#include "../trap.h"

ASYNC(computed, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    {
        static const void *const where[] = { &&one, &&two };
        goto *where[self->a]; // finds goto: a computed goto
    }
one:
    AWAIT(work(1));
two:
    AWAIT(work(2));
    ASYNC_END;
}
