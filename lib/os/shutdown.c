#include "os/shutdown.h"

#include <stdlib.h>

#include "loop/log.h"
#include "loop/loop.h"

/* A task that was cancelled, and the call when it has ended. The task may be gone as soon as that is queued. */
typedef struct swept {
    thrum_handle ended;
    thrum_task *task;
} swept;

typedef struct sweep {
    size_t count, left;
    swept *tasks;
} sweep;

static void on_ended(thrum_handle *handle)
{
    ((sweep *)handle->context)->left--;
}

static int begin(sweep *these)
{
    size_t room = thrum_all_tasks(NULL, 0);
    thrum_task **tasks = (thrum_task **)malloc((room ? room : 1) * sizeof *tasks);
    these->tasks = (swept *)calloc(room ? room : 1, sizeof *these->tasks);
    these->count = these->left = 0;
    if (!tasks || !these->tasks) {
        free(tasks);
        free(these->tasks);
        return THRUM_ENOMEM;
    }
    these->count = these->left = thrum_all_tasks(tasks, room);
    for (size_t i = 0; i < these->count; i++) {
        these->tasks[i].task = tasks[i];
        thrum_handle_init(&these->tasks[i].ended, on_ended, these);
        thrum_task_add_done_callback(tasks[i], &these->tasks[i].ended);
    }
    for (size_t i = 0; i < these->count; i++)
        thrum_task_cancel(tasks[i]);
    free(tasks);
    return 0;
}

/* Name what has not ended, and let go of it. */
static void end(sweep *these, thrum_time most)
{
    if (these->left)
        thrum_log("%zu task%s did not end within %lld ms of being cancelled:", these->left, these->left == 1 ? "" : "s",
                  (long long)(most / (THRUM_TICKS_PER_SECOND / 1000)));
    for (size_t i = 0; i < these->count; i++) {
        thrum_handle *ended = &these->tasks[i].ended;
        const thrum_task *task = these->tasks[i].task;
        bool waits = ended->waiter.node.state == NODE_PARKED; /* for the task, which is there as long */
        thrum_handle_cancel(ended);
        if (waits) {
            thrum_log("task %s", thrum_task_name(task));
            thrum_log_task(task);
        }
    }
    free(these->tasks);
}

int shutdown_tasks(thrum_loop *loop, thrum_time most)
{
    int error = loop_enter(loop);
    thrum_time deadline = loop->state->now > THRUM_NEVER - most ? THRUM_NEVER : loop->state->now + most;
    while (!error && thrum_all_tasks(NULL, 0)) {
        sweep these;
        error = begin(&these);
        if (error)
            break;
        while (!error && these.left) {
            thrum_time until = thrum_core_next();
            if (until > deadline)
                until = deadline;
            error = loop_pass(loop, loop_ready(loop) ? 0 : until);
            if (!error && these.left && loop->state->now >= deadline)
                error = THRUM_ETIMEDOUT;
        }
        end(&these, most);
    }
    loop->stopping = false;
    loop_leave(loop);
    return error;
}
