#include "../trap.h"

ASYNC(filled, ARGS_NONE, LOCALS_NONE)
{
    int v[4], i;
    ASYNC_BEGIN;
    AWAIT(work(1));
    for (i = 0; i < 4; i++)
        v[i] = i;
    use(v[2]);
    ASYNC_END;
}
