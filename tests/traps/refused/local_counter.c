// A counter that lives across an await.
// flags: -O1 -Werror
// flags clang: -Wconditional-uninitialized
// error gcc: .i. may be used uninitialized
// error clang: variable 'i' may be uninitialized when used here
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (int i = 0; i < 3; i++)
        AWAIT(work(i));
    ASYNC_END;
}
