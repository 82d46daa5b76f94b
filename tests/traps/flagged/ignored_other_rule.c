#include "../trap.h"

/* thrum-check: ignore-file thrum-goto */
ASYNC(other, ARGS((thrum_lock *, lock)), LOCALS(thrum_lock_hold hold;))
{
    ASYNC_BEGIN;
    for (;;) {
        WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
            if (compute(1))
                break; /* thrum-check: ignore thrum-plain-return */ // finds jump-leaves-block: 'break'
            if (compute(2))
                goto end;
            AWAIT(work(1));
        }
    }
end:
    use(1);
    ASYNC_END;
}
