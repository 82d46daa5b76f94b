#include "../trap.h"

ASYNC(stored, ARGS((int, a)), LOCALS(thrum_awaitable later;))
{
    ASYNC_BEGIN;
    {
        thrum_awaitable now = self->a ? work(1) : work(2);
        AWAIT(now);
    }
    self->later = work(3);
    AWAIT(work(4));
    AWAIT(self->later);
    self->later = work(5);
    AWAIT(thrum_timeout(SECONDS(1), self->later));
    ASYNC_END;
}
