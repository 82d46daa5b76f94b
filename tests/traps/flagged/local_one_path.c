#include "../trap.h"

/* On one of the two paths the value is stored again, on the other it is not. */
ASYNC(one_path, ARGS((int, a)), LOCALS_NONE)
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    AWAIT(work(n));
    if (self->a)
        n = compute(2);
    use(n); // finds local-across-await: 'n'
    ASYNC_END;
}
