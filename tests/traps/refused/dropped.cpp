// An awaitable that nobody awaits.
// flags: -Werror=unused-result
// error g++: ignoring returned value of type .thrum_awaitable.
// error clang++: ignoring return value of function declared with 'nodiscard' attribute
#include "../trap.h"
ASYNC(f, ARGS((int, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    work(1);
    ASYNC_END;
}
