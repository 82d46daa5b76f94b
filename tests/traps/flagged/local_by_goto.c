#include "../trap.h"

ASYNC(retry, ARGS_NONE, LOCALS(int error;))
{
    int tries;
    ASYNC_BEGIN;
    tries = 0;
again:
    AWAIT_CATCH(self->error, work(1));
    if (self->error && ++tries < 3) // finds local-across-await: 'tries' is used after the AWAIT_CATCH on line 9
        goto again;
    ASYNC_END;
}
