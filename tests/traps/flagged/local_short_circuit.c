#include "../trap.h"

/* The store stands behind && and may not happen. */
ASYNC(maybe, ARGS((int, a)), LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    AWAIT(work(n));
    if (self->a && (n = compute(2)) > 0)
        use(n);
    use(n); // finds local-across-await: 'n'
    ASYNC_END;
}
