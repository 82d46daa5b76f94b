#include "../trap.h"

ASYNC(twice, ARGS_NONE, LOCALS_NONE)
{
    thrum_awaitable a;
    ASYNC_BEGIN;
    a = work(1); // finds awaitable-dropped: 'a'
    a = work(2);
    AWAIT(a);
    ASYNC_END;
}
