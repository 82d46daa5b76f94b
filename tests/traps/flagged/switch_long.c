#include "../trap.h"

/* Wide enough that no compiler sees it. */
ASYNC(wide, ARGS((long long, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    switch (self->a) {
    case 1:
        for (;;) {
            AWAIT(work(1)); // finds await-in-switch: AWAIT inside a switch
        }
    default:
        break;
    }
    ASYNC_END;
}
