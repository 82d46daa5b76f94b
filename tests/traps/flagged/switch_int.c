#include "../trap.h"

ASYNC(choose, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    switch (self->a) {
    case 1:
        AWAIT(work(1)); // finds await-in-switch: AWAIT inside a switch
        break;
    default:
        break;
    }
    ASYNC_END;
}
