/* A child of a group that is waited for until it is ready. */
/* The cancellation is raised again. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <thrum/async.h>

#include "core/details.h"
#include "core/state.h"
#include "sync/taskgroups.h"

/* The child's own frame holds what it reports through: that outlives everybody who might call it. */
static ASYNC(child, ARGS((thrum_child_starter *, starter), (void *, argument)),
             LOCALS(thrum_started started; thrum_value value;))
{
    ASYNC_BEGIN;
    self->started.child = (thrum_child *)(void *)thrum_current_task();
    AWAIT_INTO(self->value, self->starter(&self->started, self->argument));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

int thrum_started_set(thrum_started *started, thrum_value value)
{
    not_for_interrupts();
    child_start *start = started->child->start;
    if (!start)
        return THRUM_ESTATE;
    if (thrum_future_done(&start->told))
        return THRUM_ECANCELED;   /* whoever waited was cancelled, and now waits for the child's end */
    started->child->start = NULL; /* an ordinary child from here on */
    start->ready = true;
    return thrum_future_set_result(&start->told, value);
}

/* The child refers to `start` until it is ready, or the group has learned of its end; and its handle is good until
 * then. That of one that is ready is good up to this task's step after its end. */
static bool joined(const child_start *start, const thrum_task *child)
{
    return start->ready ? thrum_task_done(child) : start->over;
}

static void start_failed(child_start *start, thrum_task *task, int error)
{
    thrum_waiter *waiter = start->told.waiters.first;
    if (extension_of(task) && waiter && waiter->node.flags & TASK_IS)
        thrum_detail_share(task, (thrum_task *)(void *)waiter);
    start->over = true;
    start->error = (int32_t)(error ? error : THRUM_ESTATE);
    thrum_future_set_error(&start->told, (int)start->error);
}

static thrum_awaitable join(thrum_task *child)
{
    return thrum_task_done(child) ? thrum_yield() : thrum_task_wait(child);
}

static ASYNC(group_start, ARGS((thrum_group *, group), (thrum_child_starter *, starter), (void *, argument)),
             LOCALS(child_start start; thrum_task * child; thrum_value value; int error; bool canceled;))
{
    ASYNC_BEGIN;
    self->start.failed = start_failed;
    self->child = thrum_group_spawn_starting(self->group, child(self->starter, self->argument), &self->start);
    if (!self->child)
        ASYNC_RAISE(thrum_group_error(self->group));
    AWAIT_CATCH_ALL_INTO(self->error, self->value, &self->start.told);
    if (!self->error)
        ASYNC_RETURN(self->value);
    self->canceled = self->error == THRUM_ECANCELED;
    if (!self->start.over)
        thrum_task_cancel(self->child);
    while (!joined(&self->start, self->child))
        AWAIT_CATCH_ALL(self->error, join(self->child));
    /* What it failed with goes before the cancellation. */
    if (!self->start.error || (self->canceled && self->start.error == THRUM_ESTATE))
        ASYNC_RAISE(THRUM_ECANCELED);
    ASYNC_RAISE((int)self->start.error);
    ASYNC_END;
}

thrum_awaitable thrum_group_start(thrum_group *group, thrum_child_starter *starter, void *argument)
{
    return group_start(group, starter, argument);
}
