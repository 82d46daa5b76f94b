#include "../trap.h"

/* After the await the function is left, so the use is never behind it. */
ASYNC(dead, ARGS((int, a)), LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    if (self->a) {
        AWAIT(work(n));
        ASYNC_RETURN(1);
    }
    use(n);
    if (n) {
        AWAIT(work(2));
        ASYNC_RAISE(THRUM_EINVAL);
    }
    ASYNC_END;
}
