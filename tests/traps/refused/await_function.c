// AWAIT of a function that was not called.
// error gcc: ._Generic. selector of type .thrum_awaitable \(\*\)\(int\). is not compatible
// error clang: controlling expression type 'thrum_awaitable \(\*\)\(int\)'.* not compatible
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(work);
    ASYNC_END;
}
