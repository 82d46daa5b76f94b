#include "../trap.h"

ASYNC(in_cpp, ARGS((int, a)), LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(self->a);
    AWAIT(work(n));
    use(n); // finds local-across-await: 'n'
    ASYNC_END;
}
