/* With THRUM_NO_SHORT_NAMES every macro has only the name with the prefix, and short names are the user's. */
#define THRUM_NO_SHORT_NAMES
/* Every macro is used once, whatever it swallows. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <thrum.h>

#include "plain.h"

#if defined(ASYNC) || defined(ARGS) || defined(LOCALS) || defined(LOCALS_NONE) || defined(ARGS_NONE) ||                \
    defined(BUFFERS) || defined(ON_DROP) || defined(RESERVE) || defined(ASYNC_BEGIN) || defined(ASYNC_END) ||          \
    defined(AWAIT) || defined(AWAIT_INTO) || defined(AWAIT_CATCH) || defined(AWAIT_CATCH_INTO) ||                      \
    defined(AWAIT_CATCH_ALL) || defined(AWAIT_CATCH_ALL_INTO) || defined(AWAIT_UNTIL) || defined(AWAIT_LOCK) ||        \
    defined(AWAIT_SEMAPHORE) || defined(WITH) || defined(TRY) || defined(CATCH) || defined(CATCH_ALL) ||               \
    defined(FINALLY) || defined(ASYNC_RETURN) || defined(ASYNC_RAISE) || defined(SECONDS) || defined(MILLISECONDS) ||  \
    defined(MICROSECONDS)
#error "a short name is defined"
#endif

enum { TRY = 1, CATCH = 10, WITH = 100, ARGS, LOCALS, AWAIT, FINALLY, ASYNC, SECONDS, BUFFERS };

static THRUM_ASYNC(inner, THRUM_ARGS((int, n), (const char *, text)), THRUM_LOCALS(int sum;),
                   THRUM_BUFFERS(char room[32];), THRUM_ON_DROP((void)self->text;), THRUM_RESERVE(2))
{
    THRUM_ASYNC_BEGIN;
    self->room[0] = self->text[0];
    THRUM_AWAIT(thrum_sleep(THRUM_MILLISECONDS(3)));
    self->sum = self->n * (TRY + CATCH + WITH);
    if (self->room[0] != 't')
        THRUM_ASYNC_RAISE(THRUM_EAPP(1));
    THRUM_ASYNC_RETURN(self->sum);
    THRUM_ASYNC_END;
}

static THRUM_ASYNC(fails, THRUM_ARGS_NONE, THRUM_LOCALS_NONE)
{
    THRUM_ASYNC_BEGIN;
    THRUM_ASYNC_RAISE(THRUM_EAPP(2));
    THRUM_ASYNC_END;
}

THRUM_ASYNC(long_names, THRUM_ARGS((int, n)),
            THRUM_LOCALS(int got, err, all; thrum_try attempt; thrum_event event; thrum_lock lock;
                         thrum_semaphore semaphore; thrum_lock_hold hold;))
{
    THRUM_ASYNC_BEGIN;
    THRUM_AWAIT_INTO(self->got, inner(self->n, "text"));
    THRUM_AWAIT_CATCH(self->err, fails());
    THRUM_AWAIT_CATCH_INTO(self->err, self->all, fails());
    THRUM_AWAIT_CATCH_ALL(self->err, fails());
    THRUM_AWAIT_CATCH_ALL_INTO(self->err, self->all, fails());
    thrum_event_set(&self->event);
    THRUM_AWAIT_UNTIL(thrum_event_is_set(&self->event), &self->event);
    THRUM_AWAIT_LOCK(&self->lock);
    thrum_lock_release(&self->lock);
    thrum_semaphore_init(&self->semaphore, 1);
    THRUM_AWAIT_SEMAPHORE(&self->semaphore);
    THRUM_WITH (self->hold, thrum_lock_hold(&self->hold, &self->lock)) {
        THRUM_TRY (self->attempt) {
            THRUM_AWAIT(fails());
        }
        THRUM_CATCH (self->err, self->attempt) {
            self->got += 500;
        }
    }
    THRUM_TRY (self->attempt) {
        THRUM_AWAIT(fails());
    }
    THRUM_CATCH_ALL (self->err, self->attempt) {
        self->got += 400;
    }
    THRUM_ASYNC_RETURN(self->got + 100);
THRUM_FINALLY:
    THRUM_AWAIT(thrum_yield());
    THRUM_ASYNC_END;
}
