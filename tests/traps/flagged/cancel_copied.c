#include "../trap.h"

/* The copy is asked, and then forgotten. */
ASYNC(copied, ARGS_NONE, LOCALS(int error; int saved;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, work(1)); // finds cancellation-swallowed: AWAIT_CATCH_ALL
    self->saved = self->error;
    if (self->saved != THRUM_ECANCELED)
        ASYNC_RAISE(self->saved);
    ASYNC_END;
}
