/* Awaiting a future of another thread. */
#include <stdlib.h>

#include "loop/loop.h"
#include "threads/thread_future.h"

typedef struct wrap {
    thread_waiter waiter;
    thrum_thread_future *future; /* a reference */
    thrum_task *task;
    thrum_loop_closer closer;
} wrap;

static void wrap_free(wrap *self)
{
    thrum_thread_future_release(self->future);
    free(self);
}

/* The loop has nothing to do with it any more. */
static void leave(wrap *self)
{
    thrum_loop_forget(&self->closer);
    loop_unhold(self->waiter.loop);
}

static void on_done(thrum_post *post)
{
    wrap *self = (wrap *)post->context;
    leave(self);
    thrum_wake(&self->task->waiter, 0, 0);
}

/* 163: what comes after the loop is dropped quietly. */
static void on_loop_closes(thrum_loop_closer *closer)
{
    wrap *self = (wrap *)(void *)((char *)closer - offsetof(wrap, closer));
    thread_future_leave(self->future, &self->waiter);
    wrap_free(self);
}

static thrum_step outcome(thrum_task *task, wrap *self)
{
    thrum_value value = 0;
    int error = thrum_thread_future_result(self->future, 0, &value);
    const thrum_error *detail = thrum_thread_future_error(self->future);
    if (error && detail)
        thrum_error_set(error, detail->system, detail->operation, detail->number, detail->text);
    wrap_free(self);
    return thrum_done(task, error, error ? 0 : value);
}

static thrum_step wrap_start(thrum_task *task, thrum_record *record)
{
    wrap *self = (wrap *)record->object;
    self->task = task;
    self->waiter.loop = loop_here();
    self->waiter.post.call = on_done;
    self->waiter.post.context = self;
    if (!thread_future_wait(self->future, &self->waiter))
        return outcome(task, self);
    self->closer.close = on_loop_closes;
    thrum_loop_remember(&self->closer);
    loop_hold(self->waiter.loop);
    return thrum_parked(task);
}

static thrum_step wrap_resume(thrum_task *task)
{
    return outcome(task, (wrap *)task->object);
}

static thrum_cancel_result wrap_cancel(thrum_task *task)
{
    wrap *self = (wrap *)task->object;
    if (!thrum_task_woken(task)) {
        thread_future_leave(self->future, &self->waiter);
        leave(self);
        if (!thrum_inbox_closed(&self->waiter.loop->inbox)) /* that is no cancellation, but the end of the loop */
            thrum_thread_future_cancel(self->future);
    }
    wrap_free(self);
    return THRUM_DETACHED;
}

static void wrap_drop(thrum_record *record)
{
    wrap_free((wrap *)record->object);
}

static const thrum_operations operations = {wrap_start, wrap_resume, wrap_cancel, wrap_drop, "thread future", NULL};

thrum_awaitable thrum_wrap_future(thrum_thread_future *future)
{
    wrap *self = future ? (wrap *)calloc(1, sizeof *self) : NULL;
    if (!self)
        return thrum_awaitable_failing(future ? THRUM_ENOMEM : THRUM_EINVAL);
    self->future = thrum_thread_future_hold(future);
    return thrum_awaitable_make(&operations, self, 0, 0);
}
