#include "../trap.h"

/* The cancellation that arrives is that of the task which was cancelled here. */
ASYNC(join, ARGS((thrum_future *, future)), LOCALS(thrum_task *task, *tasks[3]; int i, error; thrum_future own;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(work(1));
    thrum_task_cancel(self->task);
    AWAIT_CATCH_ALL(self->error, self->task);
    AWAIT_CATCH_ALL(self->error, thrum_task_wait(self->task));
    thrum_task_release(self->task);
    for (self->i = 0; self->i < 3; self->i++)
        thrum_task_cancel(self->tasks[self->i]);
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT_CATCH_ALL(self->error, self->tasks[self->i]);
        if (self->error != THRUM_ECANCELED)
            ASYNC_RAISE(THRUM_ESTATE);
    }
    thrum_future_cancel(&self->own);
    AWAIT_CATCH_ALL(self->error, &self->own);
    ASYNC_END;
}
