#include "../trap.h"

/* Stored in the condition itself, on both ways through it. */
ASYNC(conditions, ARGS((int, a)), LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    AWAIT(work(1));
    while ((n = compute(1)) > 0 && n < 10) {
        use(n);
        AWAIT(work(2));
    }
    use(n);
    AWAIT(work(3));
    if (self->a ? (n = 1) : (n = 2))
        use(n);
    ASYNC_END;
}
