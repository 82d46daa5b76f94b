#include "../trap.h"

ASYNC(ignore, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, work(1)); // finds cancellation-swallowed: caught by this AWAIT_CATCH_ALL
    use(self->error);
    ASYNC_END;
}
