// An initialised local whose scope holds an await.
// error g++: jump to case label
// error clang++: cannot jump from switch statement to this case label
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    int n = compute(1);
    AWAIT(work(n));
    ASYNC_END;
}
