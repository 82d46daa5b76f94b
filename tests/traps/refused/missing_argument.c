// A call with too few arguments.
// error gcc: too few arguments to function .child.
// error clang: too few arguments to function call, expected 2, have 1
#include "../trap.h"
ASYNC(child, ARGS((int, a), (int, b)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(child(5));
    ASYNC_END;
}
