#include "../trap.h"

ASYNC(deep, ARGS((thrum_lock *, lock), (int, a)), LOCALS(thrum_lock_hold hold;))
{
    ASYNC_BEGIN;
    do {
        WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
            switch (self->a) {
            case 1:
                continue; // finds jump-leaves-block: 'continue' leaves the WITH block
            default:
                break;
            }
        }
    } while (compute(1));
    ASYNC_END;
}
