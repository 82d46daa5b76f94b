#include "../trap.h"

ASYNC(through, ARGS_NONE, LOCALS_NONE)
{
    int n = 0;
    int *p;
    ASYNC_BEGIN;
    n = 1;
    AWAIT(work(1));
    p = &n;
    use(*p); // finds local-across-await: 'n'
    ASYNC_END;
}
