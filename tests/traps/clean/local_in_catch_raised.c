#include "../trap.h"

/* ASYNC_RAISE goes to CATCH without a suspension. */
ASYNC(raised, ARGS((int, a)), LOCALS(thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        int n = compute(1);
        if (n > self->a)
            ASYNC_RAISE(THRUM_EINVAL);
        use(n);
    } CATCH (self->error, self->attempt) {
        use(self->error);
    }
    ASYNC_END;
}
