#include "../trap.h"

ASYNC(early, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->a)
        return 0; // finds plain-return: use ASYNC_RETURN
    AWAIT(work(1));
    ASYNC_END;
}
