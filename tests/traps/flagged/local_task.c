#include "../trap.h"

/* The task lives on; the handle to it is lost. */
ASYNC(handle, ARGS_NONE, LOCALS_NONE)
{
    thrum_task *task;
    ASYNC_BEGIN;
    task = thrum_spawn(work(1));
    AWAIT(task);
    thrum_task_release(task); // finds local-across-await: 'task'
    ASYNC_END;
}
