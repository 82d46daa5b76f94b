#include "../trap.h"

/* The loop counts with a local, but ends before the await. */
ASYNC(loops, ARGS_NONE, LOCALS_NONE)
{
    int i;
    ASYNC_BEGIN;
    for (;;) {
        for (i = 0; i < 3; i++)
            use(i);
        AWAIT(work(1));
        for (i = 3; i-- > 0;)
            use(i);
    }
    ASYNC_END;
}
