#include "../trap.h"

/* _Generic asks for a type, too. */
#define NAME(x) _Generic((x), int: "int", default: "something else")

ASYNC(types, ARGS_NONE, LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    use(n);
    AWAIT(work(1));
    show(NAME(n));
    ASYNC_END;
}
