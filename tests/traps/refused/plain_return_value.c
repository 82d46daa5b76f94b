// A `return` with a value.
// error gcc: incompatible types when returning type .int. but .thrum_step. was expected
// error clang: returning 'int' from a function with incompatible result type 'thrum_step'
#include "../trap.h"
ASYNC(f, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(work(self->a));
    return 0;
    ASYNC_END;
}
