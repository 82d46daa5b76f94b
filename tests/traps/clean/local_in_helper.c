#include "../trap.h"

/* Functions that are not async keep their locals, of course. */
static int helper(int from)
{
    int total = 0;
    for (int i = from; i < 10; i++)
        total += compute(i);
    return total;
}

ASYNC(with_helper, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(work(helper(1)));
    use(helper(2));
    ASYNC_END;
}
