/* What is known of an error besides its code: kept with the task in which it travels. Every call does nothing where the
 * pool has no room: the code itself always arrives. */
#ifndef THRUM_CORE_DETAILS_H
#define THRUM_CORE_DETAILS_H

#include "core/state.h"

#if THRUM_DETAILS

/* An error leaves a frame, `before` being what it replaces (or 0): note the await that it passes. */
void thrum_detail_pass(thrum_task *task, int error, int before, const thrum_function *function, uint32_t line);

/* The error in flight in a task with an extension was caught. */
void thrum_detail_caught(thrum_task *task, int error);

/* An error is raised: one that was caught goes on, with its detail. */
static inline void thrum_detail_raised(thrum_task *task, int error)
{
    if (task->extension && task->extension->error && task->extension->error->code == error)
        task->extension->caught = false;
}

/* A cancellation is being delivered to a task with an extension: its message becomes the detail. */
void thrum_detail_canceled(thrum_task *task);

/* Note what an error in flight has replaced. */
void thrum_detail_context(thrum_task *task, int error, int before);

/* The task's last error goes to another task as well, which waited for it. */
void thrum_detail_share(thrum_task *from, thrum_task *to);

/* The detail of the error that a task has ended with stays there: one more reference, or NULL. */
thrum_error *thrum_detail_keep(thrum_task *task);

/* The task's last error: a reference for the caller, or NULL; made when `make` and there is none of this code. */
thrum_error *thrum_detail_take(thrum_task *task, int error, bool make);

/* A frame that fails goes through FINALLY, where other errors may come and be caught: its own is put aside. */
void thrum_detail_hold(thrum_task *task, const thrum_coro *frame, int error);

/* The frame ends with `error`, or goes on without the one that was put aside: that is the last one again, or
 * forgotten. */
void thrum_detail_unhold(thrum_task *task, const thrum_coro *frame, int error);

/* Make `error` the task's last one; the reference is given away. */
void thrum_detail_give(thrum_task *task, thrum_error *error);

void thrum_detail_release(thrum_error *error);

/* The task's extension, made if need be, or NULL. */
thrum_task_extension *thrum_task_extend(thrum_task *task);

/* A shield around the task was cancelled: an error that nobody sees is told of as such. */
void thrum_detail_shielded(thrum_task *task);

/* The task ends or is freed. */
void thrum_detail_end(thrum_task *task);

/* When a task began to wait, where that was noted; or 0. */
static inline thrum_time thrum_task_since(const thrum_task *task)
{
    return task->extension ? task->extension->since : 0;
}

#else

#define thrum_detail_pass(task, error, before, function, line) ((void)(task), (void)(before))
#define thrum_detail_context(task, error, before) ((void)(task), (void)(before))
#define thrum_detail_canceled(task) ((void)(task))
#define thrum_detail_caught(task, error) ((void)(task), (void)(error))
#define thrum_detail_raised(task, error) ((void)(task), (void)(error))
#define thrum_detail_share(from, to) ((void)(from), (void)(to))
#define thrum_detail_keep(task) ((void)(task), (thrum_error *)NULL)
#define thrum_detail_hold(task, frame, error) ((void)(task))
#define thrum_detail_unhold(task, frame, error) ((void)(task))
#define thrum_detail_shielded(task) ((void)(task))
#define thrum_detail_end(task) ((void)(task))
#define thrum_task_since(task) ((void)(task), (thrum_time)0)

#endif

#endif
