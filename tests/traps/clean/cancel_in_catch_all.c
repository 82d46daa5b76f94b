#include "../trap.h"

ASYNC(block, ARGS((thrum_lock *, lock)), LOCALS(thrum_try attempt; int error; thrum_lock_hold hold;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->hold, thrum_lock_hold(&self->hold, self->lock))
            AWAIT(work(1));
    } CATCH_ALL (self->error, self->attempt) {
        AWAIT(work(2));
        ASYNC_RAISE(self->error);
    }
    ASYNC_END;
}
