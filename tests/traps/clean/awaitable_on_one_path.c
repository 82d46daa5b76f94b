#include "../trap.h"

/* Made and awaited under the same condition. */
ASYNC(sometimes, ARGS((int, a)), LOCALS(thrum_awaitable w; int error;))
{
    ASYNC_BEGIN;
    if (self->a)
        self->w = work(1);
    use(1);
    if (self->a)
        AWAIT(self->w);
    if (self->a)
        AWAIT(work(2));
    else
        AWAIT(work(3));
    ASYNC_END;
}
