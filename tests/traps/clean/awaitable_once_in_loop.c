#include "../trap.h"

/* Once only, because a condition in the loop says so. */
ASYNC(once, ARGS((thrum_awaitable, what)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        if (self->i == 1)
            AWAIT(self->what);
        AWAIT(work(self->i));
    }
    ASYNC_END;
}
