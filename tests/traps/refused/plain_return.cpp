// A `return` with a value.
// error g++: could not convert .0. from .int. to .thrum_step.
// error clang++: no viable conversion from returned value of type 'int' to function return type 'thrum_step'
#include "../trap.h"
ASYNC(f, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    return 0;
    ASYNC_END;
}
