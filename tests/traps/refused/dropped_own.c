// The same of an async function.
// flags: -O0 -Werror=unused-result
// error gcc: ignoring return value of .child. declared with attribute .warn_unused_result.
// error clang: ignoring return value of function declared with 'warn_unused_result' attribute
#include "../trap.h"
ASYNC(child, ARGS((int, n)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    child(1);
    ASYNC_END;
}
