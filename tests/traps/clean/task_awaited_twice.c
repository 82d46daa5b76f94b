#include "../trap.h"

/* Tasks, futures and events may be awaited as often as one likes. */
ASYNC(twice, ARGS((thrum_event *, event)), LOCALS(thrum_task *task; thrum_future done; int n;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(work(1));
    AWAIT(self->task);
    AWAIT_INTO(self->n, self->task);
    thrum_task_release(self->task);
    thrum_future_init(&self->done);
    thrum_future_set_result(&self->done, 1);
    AWAIT(&self->done);
    AWAIT(&self->done);
    AWAIT(self->event);
    AWAIT_UNTIL(compute(1), self->event);
    ASYNC_END;
}
