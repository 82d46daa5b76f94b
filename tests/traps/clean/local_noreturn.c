#include "../trap.h"
#include <stdlib.h>

_Noreturn void die(const char *why);

ASYNC(stops, ARGS((int, a)), LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    if (self->a) {
        AWAIT(work(1));
        if (self->a > 1)
            abort();
        die("no way back");
    }
    use(n);
    ASYNC_END;
}
