#include "../trap.h"

ASYNC(out, ARGS((thrum_lock *, lock)), LOCALS(thrum_lock_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
        if (compute(1))
            goto done; // finds goto: 'goto done' leaves a WITH block, whose exit comes late
        AWAIT(work(1));
    }
done:
    use(1);
    ASYNC_END;
}
