#include "../trap.h"

ASYNC(block, ARGS_NONE, LOCALS(thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        AWAIT(work(1));
    } CATCH_ALL (self->error, self->attempt) { // finds cancellation-swallowed: caught by this CATCH_ALL
        use(self->error);
    }
    ASYNC_END;
}
