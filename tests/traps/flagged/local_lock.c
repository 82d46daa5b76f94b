#include "../trap.h"

ASYNC(asks, ARGS((thrum_lock *, lock), (int *, level)), LOCALS_NONE)
{
    int wanted;
    ASYNC_BEGIN;
    wanted = compute(3);
    AWAIT_LOCK(self->lock);
    *self->level = wanted; // finds local-across-await: the AWAIT_LOCK on line 8
    thrum_lock_release(self->lock);
    ASYNC_END;
}
