#include "../trap.h"

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

ASYNC(likely, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, work(1));
    if (UNLIKELY(self->error))
        ASYNC_RAISE(self->error);
    AWAIT_CATCH_ALL(self->error, work(2));
    if (thrum_task_cancelling(thrum_current_task()) > 0)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}
