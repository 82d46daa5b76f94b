#include "../trap.h"

ASYNC(until, ARGS((thrum_event *, event), (const int *, level)), LOCALS_NONE)
{
    int wanted;
    ASYNC_BEGIN;
    wanted = compute(3);
    AWAIT_UNTIL(*self->level > wanted, self->event); // finds local-across-await: the AWAIT_UNTIL on line 8
    ASYNC_END;
}
