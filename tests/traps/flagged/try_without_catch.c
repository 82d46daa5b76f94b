#include "../trap.h"

ASYNC(alone, ARGS_NONE, LOCALS(thrum_try attempt;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) { // finds try-without-catch: the error is lost
        AWAIT(work(1));
    }
    ASYNC_END;
}
