#include "../trap.h"

/* Nothing leads from the await to the use. */
ASYNC(never, ARGS_NONE, LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    use(n);
    while (1)
        AWAIT(work(2));
    use(n);
    ASYNC_END;
}
