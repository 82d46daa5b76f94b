#include "../trap.h"

ASYNC(both, ARGS((thrum_awaitable, what)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (thrum_spawn_detached(self->what))
        use(1);
    AWAIT(self->what); // finds awaitable-reused: was spent on line 6
    ASYNC_END;
}
