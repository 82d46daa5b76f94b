#include "../trap.h"

ASYNC(tail, ARGS_NONE, LOCALS_NONE)
{
    int left;
    ASYNC_BEGIN;
    left = 3;
    do {
        AWAIT(work(1));
    } while (--left); // finds local-across-await: 'left'
    ASYNC_END;
}
