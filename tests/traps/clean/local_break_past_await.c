#include "../trap.h"

/* The loop is left before the await that follows. */
ASYNC(past, ARGS_NONE, LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    for (;;) {
        n = compute(1);
        if (n > 3)
            break;
        AWAIT(work(n));
    }
    use(n);
    ASYNC_END;
}
