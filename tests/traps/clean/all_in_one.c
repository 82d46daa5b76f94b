#include "../trap.h"

/* Several awaits a line, recursion, blocks in blocks, awaits in an exit's way and in FINALLY. */
static ASYNC(all, ARGS((int, depth), (thrum_lock *, lock), (const char *const, name)),
             LOCALS(thrum_lock_hold hold; thrum_deadline limit; thrum_try attempt; int error; int a, b;),
             BUFFERS(char line[64];), ON_DROP(show(self->name);))
{
    ASYNC_BEGIN;
    if (self->depth > 0)
        AWAIT(all(self->depth - 1, self->lock, self->name));
    AWAIT_INTO(self->a, work(1)); AWAIT_INTO(self->b, work(2));
    WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
        TRY (self->attempt) {
            WITH (self->limit, thrum_deadline_after(&self->limit, SECONDS(5))) {
                AWAIT(read_some(self->line, sizeof self->line));
                AWAIT(write_all(self->line, sizeof self->line));
            }
        } CATCH (self->error, self->attempt) {
            AWAIT(work(self->error));
        }
    }
    ASYNC_RETURN(self->a + self->b);
FINALLY:
    AWAIT(work(3));
    ASYNC_END;
}

thrum_awaitable start(void);
thrum_awaitable start(void) { return all(3, 0, "start"); }
