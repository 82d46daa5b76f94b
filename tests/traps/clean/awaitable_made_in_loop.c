#include "../trap.h"

ASYNC(loop, ARGS_NONE, LOCALS(thrum_awaitable a[3]; int i;))
{
    ASYNC_BEGIN;
    for (;;) {
        thrum_awaitable one = work(1);
        if (compute(1)) {
            thrum_drop(one);
            continue;
        }
        AWAIT(one);
        for (self->i = 0; self->i < 3; self->i++)
            self->a[self->i] = work(self->i);
        for (self->i = 0; self->i < 3; self->i++)
            AWAIT(self->a[self->i]);
    }
    ASYNC_END;
}
