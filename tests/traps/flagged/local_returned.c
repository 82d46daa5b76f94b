#include "../trap.h"

ASYNC(returned, ARGS_NONE, LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    AWAIT(work(n));
    ASYNC_RETURN(n); // finds local-across-await: 'n'
    ASYNC_END;
}
