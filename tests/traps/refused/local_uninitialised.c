// The same, declared before ASYNC_BEGIN.
// flags: -O1 -Werror
// flags clang: -Wconditional-uninitialized
// error gcc: .n. may be used uninitialized
// error clang: variable 'n' may be uninitialized when used here
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    AWAIT(work(n));
    use(n);
    ASYNC_END;
}
