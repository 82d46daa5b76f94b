#include "../trap.h"

/* It never ends, whoever cancels it. */
ASYNC(immortal, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_CATCH_ALL(self->error, work(1)); // finds cancellation-swallowed: AWAIT_CATCH_ALL
        use(self->error);
    }
    ASYNC_END;
}
