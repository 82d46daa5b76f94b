#include "../trap.h"

static bool is_cancellation(int error) { return error == THRUM_ECANCELED; }

ASYNC(conditions, ARGS((thrum_future *, done)), LOCALS(int error; int n;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, work(1));
    if (is_cancellation(self->error))
        ASYNC_RAISE(self->error);
    AWAIT_CATCH_ALL_INTO(self->error, self->n, work(2));
    if (!self->error)
        ASYNC_RETURN(self->n);
    if (self->error != THRUM_ETIMEDOUT && self->error != -5)
        ASYNC_RAISE(self->error);
    AWAIT_CATCH_ALL(self->error, work(3));
    if (self->error >= 0 || self->error == THRUM_EINVAL)
        use(1);
    else
        ASYNC_RAISE(self->error);
    AWAIT_CATCH_ALL(self->error, work(4));
    switch (self->error) {
    case 0:
        use(2);
        break;
    case THRUM_ECANCELED:
        ASYNC_RAISE(self->error);
    default:
        use(3);
    }
    ASYNC_END;
}
