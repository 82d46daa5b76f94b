#include "../trap.h"
#include <thrum/gather.h>
#include <thrum/race.h>
#include <thrum/wait.h>

/* The list of what is gathered is copied before the await begins, and awaitables themselves are not what they lead to. */
ASYNC(gather, ARGS((thrum_task *, task)), LOCALS(thrum_value results[2]; size_t winner; bool done[2]; int n;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_gather(self->results, thrum_sleep(1), self->task));
    AWAIT_INTO(self->n, thrum_race(&self->winner, thrum_sleep(1), thrum_sleep(2)));
    AWAIT_INTO(self->n, thrum_wait(THRUM_ALL_COMPLETED, THRUM_NEVER, self->done, self->task));
    {
        thrum_awaitable list[2] = {thrum_sleep(1), thrum_sleep(2)};
        AWAIT(thrum_gather_array(2, list, NULL));
    }
    ASYNC_END;
}
