#include "../trap.h"

/* thrum-check: ignore-file thrum-cancellation-swallowed thrum-jump-leaves-block */
ASYNC(meant, ARGS_NONE, LOCALS(int error; thrum_try attempt;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, work(1));
    while (compute(1)) {
        TRY (self->attempt) {
            AWAIT(work(2));
            break;
        } CATCH_ALL (self->error, self->attempt) {
            use(self->error);
        }
    }
    ASYNC_END;
}
