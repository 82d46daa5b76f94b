#include "../trap.h"

/* Every round of the loop has a new `n`. */
ASYNC(rounds, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (;;) {
        int n;
        n = compute(1);
        use(n);
        AWAIT(work(n));
    }
    ASYNC_END;
}
