#include "../trap.h"

ASYNC(raise, ARGS((int, a)), LOCALS(thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    int n;
    n = compute(1);
    TRY (self->attempt) {
        if (self->a)
            ASYNC_RAISE(THRUM_EINVAL);
    } CATCH (self->error, self->attempt) {
        use(n); // finds local-across-await: 'n' is used after the ASYNC_RAISE on line 10
    }
    ASYNC_END;
}
