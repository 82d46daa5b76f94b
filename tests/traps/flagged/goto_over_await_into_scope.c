#include "../trap.h"

ASYNC(over, ARGS((int, a)), LOCALS(int n;))
{
    ASYNC_BEGIN;
    if (self->a)
        goto middle; // finds goto: jumps over an await into a scope
    for (self->n = 0; self->n < 3; self->n++) {
        AWAIT(work(1));
    middle:
        use(self->n);
    }
    ASYNC_END;
}
