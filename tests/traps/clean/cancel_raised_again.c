#include "../trap.h"

ASYNC(again, ARGS_NONE, LOCALS(int error; int saved;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, work(1));
    use(1);
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT_CATCH_ALL(self->error, work(2));
    if (self->error == THRUM_ECANCELED) {
        AWAIT(work(3));
        ASYNC_RAISE(THRUM_ECANCELED);
    }
    AWAIT_CATCH_ALL(self->error, work(4));
    self->saved = self->error;
    AWAIT_CATCH(self->error, work(5));
    if (self->saved < 0)
        ASYNC_RAISE(self->saved);
    ASYNC_END;
}
