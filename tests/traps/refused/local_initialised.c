// An initialised local whose scope holds an await.
// flags: -Werror
// flags gcc: -Wjump-misses-init
// flags clang: -Wconditional-uninitialized
// error gcc: switch jumps over variable initialization .*jump-misses-init.
// error clang: variable 'n' may be uninitialized when used here
#include "../trap.h"
ASYNC(f, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    int n = compute(1);
    AWAIT(work(n));
    use(n);
    ASYNC_END;
}
