// error gcc: '_Generic' selector of type 'struct thrum_iterable' is not compatible with any association
// error clang: controlling expression type 'thrum_iterable' .*not compatible with any generic association type
#include "../trap.h"

static ASYNC_GEN(numbers, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    YIELD(1);
    ASYNC_END;
}

static ASYNC(waits, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(numbers());
    ASYNC_END;
}
