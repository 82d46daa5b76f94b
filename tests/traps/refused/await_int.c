// AWAIT of a number.
// error gcc: ._Generic. selector of type .int. is not compatible with any association
// error clang: controlling expression type 'int' not compatible with any generic association type
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(compute(1));
    ASYNC_END;
}
