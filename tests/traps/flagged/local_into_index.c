#include "../trap.h"

/* The place of a result is worked out after the await. */
ASYNC(into, ARGS_NONE, LOCALS(int results[4];))
{
    int i;
    ASYNC_BEGIN;
    i = compute(1);
    AWAIT_INTO(self->results[i], work(i)); // finds local-across-await: the AWAIT_INTO on line 9
    ASYNC_END;
}
