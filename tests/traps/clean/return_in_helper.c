#include "../trap.h"

/* return is for plain functions, also for those beside an async one and for what runs when a frame is dropped. */
static int helper(int n)
{
    if (n)
        return 1;
    return 2;
}

ASYNC(owner, ARGS((int, n)), LOCALS_NONE, ON_DROP(if (!self->n) return; use(self->n);))
{
    ASYNC_BEGIN;
    AWAIT(work(helper(self->n)));
    ASYNC_RETURN(helper(2));
    ASYNC_END;
}
