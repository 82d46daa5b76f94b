// A public prototype with other types.
// error gcc: conflicting types for .f.
// error clang: conflicting types for 'f'
#include "../trap.h"
thrum_awaitable f(long number);
ASYNC(f, ARGS((int, number)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}
