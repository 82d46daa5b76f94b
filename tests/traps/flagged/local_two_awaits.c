#include "../trap.h"

/* The message names the await that stands nearest above. */
ASYNC(nearest, ARGS_NONE, LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    AWAIT(work(1));
    AWAIT(work(2));
    use(n); // finds local-across-await: the AWAIT on line 10
    ASYNC_END;
}
