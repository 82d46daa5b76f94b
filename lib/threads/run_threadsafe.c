/* A task for another thread's loop, and a future for its outcome. */
#include <stdlib.h>

#include "loop/loop.h"
#include "threads/thread_future.h"

/* One block: it lives as long as the future. The loop's side has a reference until the task has ended, and so has a
 * cancellation that is on its way. */
typedef struct remote {
    thrum_thread_future future;
    thrum_loop *loop;
    thrum_starter *starter;
    void *argument;
    thrum_post start, cancel;
    thrum_task *task; /* NULL: not begun, or ended */
    thrum_handle ended;
    thrum_loop_closer closer;
} remote;

/* ---- in the loop ---- */

/* The loop's side is through. */
static void finish(remote *self, int error, thrum_value value, const thrum_error *detail)
{
    thread_future_complete(&self->future, error, value, detail);
    thrum_thread_future_release(&self->future);
}

static void on_ended(thrum_handle *handle)
{
    remote *self = (remote *)handle->context;
    thrum_task *task = self->task;
    thrum_value value = 0;
    int error = 0;
    const thrum_error *detail = NULL;
    thrum_loop_forget(&self->closer);
    self->task = NULL;
    /* An error that comes after the future was cancelled is nobody's: it goes to the exception handler. */
    if (!thrum_thread_future_cancelled(&self->future)) {
        error = thrum_task_result(task, &value);
        detail = thrum_task_error(task);
    }
    finish(self, error, value, detail);
    thrum_task_release(task);
}

static void on_loop_closes(thrum_loop_closer *closer)
{
    remote *self = (remote *)(void *)((char *)closer - offsetof(remote, closer));
    thrum_task *task = self->task;
    self->task = NULL;
    finish(self, THRUM_ECLOSED, 0, NULL);
    thrum_task_release(task);
}

static void on_start(thrum_post *post)
{
    remote *self = (remote *)post->context;
    if (!thrum_state_here()->open) {
        finish(self, THRUM_ECLOSED, 0, NULL);
        return;
    }
    if (thrum_thread_future_cancelled(&self->future)) {
        finish(self, THRUM_ECANCELED, 0, NULL);
        return;
    }
    self->task = thrum_spawn(self->starter(self->argument));
    if (!self->task) {
        const thrum_report report = {.message = "a task for another thread cannot be made", .error = THRUM_ENOMEM};
        finish(self, THRUM_ENOMEM, 0, NULL);
        thrum_loop_call_exception_handler(loop_here(), &report);
        return;
    }
    self->closer.close = on_loop_closes;
    thrum_loop_remember(&self->closer);
    thrum_handle_init(&self->ended, on_ended, self);
    thrum_task_add_done_callback(self->task, &self->ended);
}

static void on_cancel(thrum_post *post)
{
    remote *self = (remote *)post->context;
    if (self->task && thrum_state_here()->open)
        thrum_task_cancel(self->task);
    thrum_thread_future_release(&self->future);
}

/* ---- in any thread ---- */

static void cancelled(thrum_thread_future *future)
{
    remote *self = (remote *)(void *)future;
    thrum_thread_future_hold(future);
    if (loop_post_answering(self->loop, &self->cancel))
        thrum_thread_future_release(future);
}

thrum_thread_future *thrum_run_threadsafe(thrum_loop *loop, thrum_starter *starter, void *argument)
{
    remote *self = (remote *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    thread_future_init(&self->future);
    self->future.worked = true;
    self->future.cancelled = cancelled;
    self->future.loop = loop;
    self->loop = loop;
    self->starter = starter;
    self->argument = argument;
    self->start.call = on_start;
    self->cancel.call = on_cancel;
    self->start.context = self->cancel.context = self;
    thrum_thread_future_hold(&self->future);
    if (loop_post_answering(loop, &self->start))
        finish(self, THRUM_ECLOSED, 0, NULL);
    return &self->future;
}
