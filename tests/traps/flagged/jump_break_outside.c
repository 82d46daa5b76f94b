#include "../trap.h"

ASYNC(outside, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(work(1));
    if (self->a)
        break; // finds jump-outside-loop: 'break' outside of any loop
    AWAIT(work(2));
FINALLY:
    use(1);
    ASYNC_END;
}
