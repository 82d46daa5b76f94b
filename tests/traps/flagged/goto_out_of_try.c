#include "../trap.h"

ASYNC(out, ARGS_NONE, LOCALS(thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
again:
    TRY (self->attempt) {
        AWAIT(work(1));
    } CATCH (self->error, self->attempt) {
        goto again; // finds goto: leaves a TRY block
    }
    ASYNC_END;
}
