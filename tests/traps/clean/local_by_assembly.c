#include "../trap.h"

ASYNC(assembly, ARGS_NONE, LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    AWAIT(work(1));
    __asm__ volatile("" : "=r"(n));
    use(n);
    ASYNC_END;
}
