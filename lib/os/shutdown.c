#include "os/shutdown.h"

#include "loop/log.h"
#include "loop/loop.h"
#include "sync/generators.h"

/* What a walk over the tasks found. A task that was cancelled is marked; one that is not came later. */
typedef struct sweep {
    size_t swept, fresh;
} sweep;

static bool is_swept(const thrum_task *task)
{
    return (task->waiter.node.flags & TASK_SWEPT) != 0;
}

static void look(thrum_task *task, void *context)
{
    sweep *found = (sweep *)context;
    if (is_swept(task))
        found->swept++;
    else
        found->fresh++;
}

static void mark(thrum_task *task, void *context)
{
    (void)context;
    task->waiter.node.flags |= TASK_SWEPT;
    thrum_task_cancel(task);
}

static void name(thrum_task *task, void *context)
{
    (void)context;
    thrum_log("task %s", thrum_task_name(task));
    thrum_log_task(task);
}

/* Generators that stand open are closed, each in a task, once all other tasks have ended. False: there are none. */
static bool close_generators(void)
{
    if (!thrum_generators_left())
        return false;
    thrum_task *task = thrum_spawn(thrum_shutdown_generators());
    if (!task)
        return false;
    task->waiter.node.flags |= TASK_SWEPT; /* what comes later is cancelled when it has ended, and not this itself */
    thrum_task_release(task);
    return true;
}

static sweep look_at_all(void)
{
    sweep found = {0, 0};
    thrum_core_each_task(look, &found);
    return found;
}

int shutdown_tasks(thrum_loop *loop, thrum_time most)
{
    int error = loop_enter(loop);
    if (error)
        return error;
    thrum_time deadline = loop->state->now > THRUM_NEVER - most ? THRUM_NEVER : loop->state->now + most;
    for (;;) {
        sweep found = look_at_all();
        if (!found.swept && !found.fresh) {
            if (loop->state->now >= deadline || !close_generators())
                break;
        } else if (!found.swept) {
            thrum_core_each_task(mark, NULL); /* all that were cancelled have ended: now what they left behind */
        } else if (loop->state->now >= deadline) {
            size_t left = found.swept + found.fresh;
            thrum_log("%zu task%s did not end within %lld ms of being cancelled:", left, left == 1 ? "" : "s",
                      (long long)(most / (THRUM_TICKS_PER_SECOND / 1000)));
            thrum_core_each_task(name, NULL);
            error = THRUM_ETIMEDOUT;
            break;
        }
        thrum_time until = thrum_core_next();
        error = loop_pass(loop, loop_ready(loop) ? 0 : until < deadline ? until : deadline);
        if (error)
            break;
    }
    loop->stopping = false;
    loop_leave(loop);
    return error;
}
