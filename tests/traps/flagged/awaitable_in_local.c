#include "../trap.h"

ASYNC(stored, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_awaitable a = work(1); // finds awaitable-dropped: the awaitable in 'a' is never awaited
    (void)a;
    use(1);
    ASYNC_END;
}
