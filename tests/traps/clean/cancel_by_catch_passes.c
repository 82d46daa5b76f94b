#include "../trap.h"

/* CATCH and AWAIT_CATCH let a cancellation pass: nothing is to be raised again. */
ASYNC(passes, ARGS_NONE, LOCALS(thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, work(1));
    use(self->error);
    TRY (self->attempt) {
        AWAIT(work(2));
    } CATCH (self->error, self->attempt) {
        use(self->error);
    }
    ASYNC_END;
}
