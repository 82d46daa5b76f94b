#include "../trap.h"

ASYNC(outside, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(work(1));
    if (self->a)
        continue; // finds jump-outside-loop: 'continue' outside of any loop
FINALLY:
    if (self->a)
        break; // finds jump-outside-loop: 'break' outside of any loop
    ASYNC_END;
}
