#include "../trap.h"

ASYNC(leave, ARGS((thrum_lock *, lock)), LOCALS(thrum_lock_hold hold; int n;))
{
    ASYNC_BEGIN;
    for (;;) {
        WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
            AWAIT_INTO(self->n, work(1));
            if (self->n == 0)
                break; // finds jump-leaves-block: 'break' leaves the WITH block that it stands in, not the loop
        }
    }
    ASYNC_END;
}
