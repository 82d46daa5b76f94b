#include "../trap.h"

/* Entering a block awaits, and so does leaving it. */
ASYNC(across, ARGS((thrum_lock *, lock)), LOCALS(thrum_lock_hold hold;))
{
    int a, b;
    ASYNC_BEGIN;
    a = compute(1);
    WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
        use(a); // finds local-across-await: 'a' is used after the WITH on line 9
        b = compute(2);
        use(b);
    }
    use(b); // finds local-across-await: 'b' is used after the end of the WITH block on line 9
    ASYNC_END;
}
