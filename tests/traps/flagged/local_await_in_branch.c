#include "../trap.h"

ASYNC(branch, ARGS((int, a)), LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    if (self->a)
        AWAIT(work(n));
    use(n); // finds local-across-await: the AWAIT on line 9
    ASYNC_END;
}
