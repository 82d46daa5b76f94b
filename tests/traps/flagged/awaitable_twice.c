#include "../trap.h"

ASYNC(twice, ARGS_NONE, LOCALS(thrum_awaitable a;))
{
    ASYNC_BEGIN;
    self->a = work(1);
    AWAIT(self->a);
    AWAIT(self->a); // finds awaitable-reused: the awaitable in 'a' was spent on line 7
    ASYNC_END;
}
