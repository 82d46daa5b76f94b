#include "../trap.h"

ASYNC(into, ARGS((thrum_lock *, lock)), LOCALS(thrum_lock_hold hold;))
{
    ASYNC_BEGIN;
    if (compute(1))
        goto inside; // finds goto: jumps into a WITH block
    WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
    inside:
        AWAIT(work(1));
    }
    ASYNC_END;
}
