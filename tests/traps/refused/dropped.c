// An awaitable that nobody awaits.
// flags: -O0 -Werror=unused-result
// error gcc: ignoring return value of .work. declared with attribute .warn_unused_result.
// error clang: ignoring return value of function declared with 'warn_unused_result' attribute
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    work(1);
    ASYNC_END;
}
