#include "../trap.h"

ASYNC(counted, ARGS_NONE, LOCALS_NONE)
{
    static int calls;
    ASYNC_BEGIN;
    calls++;
    AWAIT(work(calls));
    use(calls);
    ASYNC_END;
}
