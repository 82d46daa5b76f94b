#include "../trap.h"

ASYNC(retry, ARGS_NONE, LOCALS(int tries;))
{
    int error;
    ASYNC_BEGIN;
    self->tries = 0;
again:
    AWAIT_CATCH(error, work(1));
    if (error && ++self->tries < 3)
        goto again;
    use(error);
    ASYNC_END;
}
