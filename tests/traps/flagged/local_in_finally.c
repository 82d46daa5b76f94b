#include "../trap.h"

/* The body may have ended by an error in its await. */
ASYNC(cleanup, ARGS_NONE, LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    AWAIT(work(n));
    n = compute(2);
FINALLY:
    use(n); // finds local-across-await: 'n'
    ASYNC_END;
}
