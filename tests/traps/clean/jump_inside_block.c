#include "../trap.h"

/* break and continue of a loop that stands in the block, and of a block that stands in no loop. */
ASYNC(inside, ARGS((thrum_lock *, lock)), LOCALS(thrum_lock_hold hold; int i;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
        for (self->i = 0; self->i < 10; self->i++) {
            if (self->i == 2)
                continue;
            if (self->i == 5)
                break;
            AWAIT(work(self->i));
        }
        if (self->i == 5)
            break;
        AWAIT(work(1));
    }
    ASYNC_END;
}
