#include "../trap.h"

ASYNC(loop, ARGS((thrum_awaitable, what)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++)
        AWAIT(thrum_timeout(SECONDS(1), self->what)); // finds awaitable-reused: 'what'
    ASYNC_END;
}
