// A `return` without one.
// error gcc: 'return' with no value, in function returning non-void
// error clang: non-void function .* should return a value
#include "../trap.h"
ASYNC(f, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(work(self->a));
    if (self->a)
        return;
    ASYNC_END;
}
