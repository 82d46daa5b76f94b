#include "../trap.h"

/* Its scope holds no await. */
ASYNC(inner, ARGS_NONE, LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        {
            int n = compute(self->i);
            for (int k = 0; k < n; k++)
                use(k);
        }
        AWAIT(work(1));
    }
    ASYNC_END;
}
