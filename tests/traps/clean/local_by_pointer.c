#include "../trap.h"

/* Stored through a pointer to it. */
ASYNC(by_pointer, ARGS_NONE, LOCALS_NONE)
{
    int n;
    int *p;
    ASYNC_BEGIN;
    n = 1;
    use(n);
    AWAIT(work(1));
    p = &n;
    *p = 2;
    use(n);
    ASYNC_END;
}
