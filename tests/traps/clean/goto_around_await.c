#include "../trap.h"

/* Over an await, but to a label in the same scope. */
ASYNC(around, ARGS((int, a)), LOCALS(int n;))
{
    ASYNC_BEGIN;
    if (self->a)
        goto done;
    for (self->n = 0; self->n < 3; self->n++) {
        AWAIT(work(self->n));
        if (self->n == 2)
            goto done;
    }
    AWAIT(work(1));
done:
    use(self->n);
    ASYNC_END;
}
