#include "../trap.h"

/* ASYNC_RETURN and ASYNC_RAISE pass the exits: they may stand anywhere. */
ASYNC(from_block, ARGS((thrum_lock *, lock), (int, a)), LOCALS(thrum_lock_hold hold; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    for (;;) {
        WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
            TRY (self->attempt) {
                if (self->a)
                    ASYNC_RETURN(3);
                AWAIT(work(1));
                ASYNC_RAISE(THRUM_EINVAL);
            } CATCH (self->error, self->attempt) {
                ASYNC_RETURN(self->error);
            }
        }
    }
FINALLY:
    use(1);
    ASYNC_END;
}
