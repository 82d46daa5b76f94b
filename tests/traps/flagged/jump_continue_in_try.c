#include "../trap.h"

ASYNC(again, ARGS_NONE, LOCALS(thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    while (compute(1)) {
        TRY (self->attempt) {
            if (compute(2))
                continue; // finds jump-leaves-block: 'continue' leaves the TRY block
            AWAIT(work(1));
        } CATCH (self->error, self->attempt) {
            break; // finds jump-leaves-block: 'break' leaves the TRY block
        }
        use(1);
    }
    ASYNC_END;
}
