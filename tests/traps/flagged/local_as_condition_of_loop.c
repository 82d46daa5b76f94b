#include "../trap.h"

ASYNC(flag, ARGS_NONE, LOCALS(int n;))
{
    bool more;
    ASYNC_BEGIN;
    more = true;
    while (more) { // finds local-across-await: 'more'
        AWAIT_INTO(self->n, work(1));
        if (self->n == 0)
            more = false;
    }
    ASYNC_END;
}
