#define THRUM_NO_SHORT_NAMES
#include "../trap.h"

/* The short names belong to the program. */
#define AWAIT 1
#define TRY 2
#define WITH 3
#define ASYNC 4
#define SECONDS 5

static THRUM_ASYNC(prefixed, THRUM_ARGS((thrum_lock *, lock), (thrum_event *, event)),
                   THRUM_LOCALS(thrum_lock_hold hold; thrum_try attempt; int error; int n;),
                   THRUM_BUFFERS(char line[AWAIT + TRY + WITH + ASYNC + SECONDS];), THRUM_ON_DROP(use(0);))
{
    THRUM_ASYNC_BEGIN;
    THRUM_WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
        THRUM_AWAIT(read_some(self->line, sizeof self->line));
    }
    THRUM_TRY (self->attempt) {
        THRUM_AWAIT_INTO(self->n, work(1));
        THRUM_AWAIT_CATCH_INTO(self->error, self->n, work(2));
        THRUM_AWAIT_UNTIL(self->n == 0, self->event);
    } THRUM_CATCH_ALL (self->error, self->attempt) {
        THRUM_ASYNC_RAISE(self->error);
    }
    THRUM_AWAIT_CATCH_ALL(self->error, thrum_sleep(THRUM_SECONDS(1)));
    if (self->error)
        THRUM_ASYNC_RAISE(self->error);
    THRUM_ASYNC_RETURN(self->n);
THRUM_FINALLY:
    THRUM_AWAIT(work(3));
    THRUM_ASYNC_END;
}

thrum_awaitable begin(void);
thrum_awaitable begin(void) { return prefixed(0, 0); }
