#include "../trap.h"

ASYNC(caught, ARGS_NONE, LOCALS(thrum_try attempt; int error;))
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    TRY (self->attempt) {
        AWAIT(work(n));
    } CATCH (self->error, self->attempt) {
        use(n); // finds local-across-await: 'n'
    }
    ASYNC_END;
}
