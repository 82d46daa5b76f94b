#include "../trap.h"

/* The use stands above the await, but comes after it. */
ASYNC(earlier, ARGS_NONE, LOCALS_NONE)
{
    int total;
    ASYNC_BEGIN;
    total = compute(1);
    for (;;) {
        use(total); // finds local-across-await: 'total' is used after the AWAIT on line 11
        AWAIT(work(1));
    }
    ASYNC_END;
}
