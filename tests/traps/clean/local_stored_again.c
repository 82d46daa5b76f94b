#include "../trap.h"

/* Stored again on every path between the await and the use. */
ASYNC(fresh, ARGS((int, a)), LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    AWAIT(work(n));
    if (self->a)
        n = compute(2);
    else
        n = compute(3);
    use(n);
    ASYNC_END;
}
