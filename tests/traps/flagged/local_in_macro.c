#include "../trap.h"

/* A macro of the user's hides both. */
#define WAIT_FOR(n) AWAIT(work(n))
#define NEXT(n) ((n) = (n) + 1)

ASYNC(hidden, ARGS_NONE, LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = 1;
    WAIT_FOR(n);
    NEXT(n); // finds local-across-await: 'n' is used after the AWAIT on line 12
    ASYNC_END;
}
