#include "../trap.h"

ASYNC(block, ARGS((long, a), (thrum_lock *, lock)), LOCALS(thrum_lock_hold hold; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    switch (self->a) {
    case 1:
        WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) // finds await-in-switch: WITH inside a switch
            use(1);
        break;
    default:
        TRY (self->attempt) { // finds await-in-switch: TRY inside a switch
            use(2);
        } CATCH (self->error, self->attempt) {
            use(3);
        }
    }
    ASYNC_END;
}
