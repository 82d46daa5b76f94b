#include "../trap.h"

ASYNC(cast, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    (void)work(1); // finds awaitable-dropped: the awaitable of 'work' is dropped
    work(2);       // finds awaitable-dropped: the awaitable of 'work' is dropped
    ASYNC_END;
}
