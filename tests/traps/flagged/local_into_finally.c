#include "../trap.h"

/* No await at all: but FINALLY is entered by a jump, and `n` was declared in what that jump leaves. */
ASYNC(to_finally, ARGS((int, a)), LOCALS_NONE)
{
    int before;
    ASYNC_BEGIN;
    int n;
    before = n = compute(self->a);
    use(n);
FINALLY:
    use(before);
    use(n); // finds local-across-await: 'n' is used after the jump to FINALLY on line 11: only what is in self-> survives that
    ASYNC_END;
}
