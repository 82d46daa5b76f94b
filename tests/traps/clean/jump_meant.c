#include "../trap.h"

/* Where it is meant so, a comment says it. */
ASYNC(meant, ARGS((thrum_lock *, lock)), LOCALS(thrum_lock_hold hold; int n;))
{
    ASYNC_BEGIN;
    for (;;) {
        WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
            AWAIT_INTO(self->n, work(1));
            if (self->n == 0)
                break; /* thrum-check: ignore thrum-jump-leaves-block */
            if (self->n == 1)
                continue; /* thrum-check: ignore */
            AWAIT(work(2));
        }
    }
    ASYNC_END;
}
