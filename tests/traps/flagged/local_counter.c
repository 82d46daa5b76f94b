#include "../trap.h"

ASYNC(counter, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (int i = 0; i < 3; i++) // finds local-across-await: 'i' is used after the AWAIT on line 7
        AWAIT(work(1));
    ASYNC_END;
}
