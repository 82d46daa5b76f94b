#include "../trap.h"

/* Within one block, or within the body, a goto is as good as anywhere in C. */
ASYNC(gotos, ARGS((thrum_lock *, lock)), LOCALS(thrum_lock_hold hold; int n;))
{
    ASYNC_BEGIN;
again:
    AWAIT_INTO(self->n, work(1));
    if (self->n == 1)
        goto again;
    if (self->n == 2)
        goto skip;
    WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
    more:
        AWAIT_INTO(self->n, work(2));
        if (self->n)
            goto more;
        for (;;) {
            AWAIT_INTO(self->n, work(3));
            if (self->n)
                goto enough;
        }
    enough:
        use(self->n);
    }
skip:
    AWAIT(work(4));
FINALLY:
    while (compute(1))
        if (compute(2))
            goto last;
last:
    use(5);
    ASYNC_END;
}
