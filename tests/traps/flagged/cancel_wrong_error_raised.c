#include "../trap.h"

/* Only the timeout is raised again. */
ASYNC(wrong, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, work(1)); // finds cancellation-swallowed: AWAIT_CATCH_ALL
    if (self->error == THRUM_ETIMEDOUT)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}
