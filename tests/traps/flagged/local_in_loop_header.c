#include "../trap.h"

ASYNC(header, ARGS_NONE, LOCALS(int i;))
{
    int count;
    ASYNC_BEGIN;
    count = compute(1);
    for (self->i = 0; self->i < count; self->i++) // finds local-across-await: 'count'
        AWAIT(work(self->i));
    ASYNC_END;
}
