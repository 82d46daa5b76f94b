#include "../trap.h"

/* Everything in C++, too. */
static ASYNC(blocks, ARGS((thrum_lock *, lock), (thrum_event *, event)),
             LOCALS(thrum_lock_hold hold; thrum_try attempt; int error; bool more; const char *text;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
        TRY (self->attempt) {
            AWAIT_INTO(self->text, work(1));
            AWAIT_INTO(self->more, work(2));
            AWAIT_UNTIL(self->more, self->event);
            if (self->more)
                ASYNC_RAISE(THRUM_EINVAL);
        } CATCH (self->error, self->attempt) {
            AWAIT(work(3));
        }
    }
    for (;;) {
        AWAIT_CATCH(self->error, thrum_timeout(SECONDS(0.5), work(4)));
        if (self->error)
            break;
    }
    ASYNC_RETURN(self->text);
FINALLY:
    AWAIT(work(5));
    ASYNC_END;
}

thrum_awaitable begin(void);
thrum_awaitable begin(void) { return blocks(nullptr, nullptr); }
