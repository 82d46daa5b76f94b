/* A whole program around one async function. */
#include "core/scheduler.h"
#include "loop/bare/bare.h"

/* What a walk over the tasks found. A task that was cancelled is marked. */
static void look(thrum_task *task, void *context)
{
    unsigned *found = (unsigned *)context;
    *found |= task->waiter.node.flags & TASK_SWEPT ? 1u : 2u;
}

static void mark(thrum_task *task, void *context)
{
    (void)context;
    task->waiter.node.flags |= TASK_SWEPT;
    thrum_task_cancel(task);
}

/* All that is left is cancelled, and when that has ended what it left behind, until there is nothing: true. `more`
 * becomes true where there is something to do at once. */
static bool swept(bool *more)
{
    unsigned found = 0;
    thrum_core_each_task(look, &found);
    if (found && !(found & 1)) {
        thrum_core_each_task(mark, NULL);
        *more = true;
    }
    return !found;
}

static bool pass(bool more)
{
    if (!more)
        thrum_bare_sleep();
    return thrum_bare_step();
}

int thrum_bare_run(thrum_awaitable what, thrum_value *value)
{
    thrum_state *state = thrum_state_here();
    bool mine = !state->open;
    int error = state->current ? THRUM_ESTATE : mine ? thrum_bare_open() : 0;
    if (error) {
        thrum_drop(what);
        return error;
    }
    bool more = true;
    thrum_task *task = thrum_spawn(what);
    if (task) {
        while (task->leaf)
            more = pass(more);
        error = thrum_task_result(task, value);
        thrum_task_release(task);
    } else {
        error = THRUM_ENOMEM;
    }
    if (mine) {
        while (!swept(&more))
            more = pass(more);
        thrum_core_close_ended();
    }
    return error;
}

int thrum_run(thrum_awaitable what)
{
    return thrum_bare_run(what, NULL) != 0;
}
