// AWAIT of a number.
// error g++: no matching function for call to .thrum_of_\(int\).
// error clang++: :8:5: error: no matching function for call to 'thrum_of_'
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(compute(1));
    ASYNC_END;
}
