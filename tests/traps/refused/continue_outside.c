// `continue` in the body itself.
// error gcc: :9:\d+: error: continue statement not within a loop
// error clang: :9:\d+: error: 'continue' statement not in loop statement
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(work(1));
    continue;
    ASYNC_END;
}
