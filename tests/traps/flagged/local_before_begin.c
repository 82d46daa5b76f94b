#include "../trap.h"

/* Before ASYNC_BEGIN it is set again at every resume, so a later store is lost. */
ASYNC(before, ARGS((int, a)), LOCALS_NONE)
{
    int n = self->a;
    ASYNC_BEGIN;
    n = compute(n);
    AWAIT(work(1));
    use(n); // finds local-across-await: 'n'
    ASYNC_END;
}
