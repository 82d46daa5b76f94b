#include "../trap.h"

ASYNC(nested, ARGS((int, a)), LOCALS(int error;))
{
    int n;
    ASYNC_BEGIN;
    n = compute(1);
    if (self->a == 1) {
        use(1);
    } else if (self->a == 2) {
        use(2);
    } else {
        AWAIT_CATCH(self->error, work(3));
    }
    while (n > 0) // finds local-across-await: the AWAIT_CATCH on line 13
        n--;
    ASYNC_END;
}
