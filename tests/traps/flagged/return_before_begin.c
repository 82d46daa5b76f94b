#include "../trap.h"

ASYNC(early, ARGS((int, a)), LOCALS_NONE)
{
    if (self->a)
        return; // finds plain-return: use ASYNC_RETURN
    ASYNC_BEGIN;
    AWAIT(work(1));
    ASYNC_END;
}
