#include "../trap.h"

ASYNC(back, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
again:
    AWAIT(work(1));
FINALLY:
    if (compute(1))
        goto again; // finds goto: 'goto again' jumps back before FINALLY
    ASYNC_END;
}
