#include "../trap.h"

ASYNC(scope, ARGS((thrum_lock *, lock)), LOCALS_NONE)
{
    thrum_lock_hold hold;
    ASYNC_BEGIN;
    WITH (hold, thrum_lock_hold(&hold, self->lock)) { // finds address-into-await: 'hold' is handed into the WITH
        use(1);
    }
    ASYNC_END;
}
