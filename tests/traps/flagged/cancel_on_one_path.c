#include "../trap.h"

ASYNC(one_path, ARGS((int, a)), LOCALS(int error; int n;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL_INTO(self->error, self->n, work(1)); // finds cancellation-swallowed: AWAIT_CATCH_ALL_INTO
    if (self->error) {
        if (self->a)
            ASYNC_RAISE(self->error);
        use(1);
    }
    ASYNC_END;
}
