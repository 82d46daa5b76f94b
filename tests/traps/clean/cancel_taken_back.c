#include "../trap.h"

ASYNC(uncancel, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_CATCH_ALL(self->error, work(1));
        if (self->error == THRUM_ECANCELED)
            thrum_uncancel();
    }
    ASYNC_END;
}
