#include <thrum/futures.h>

#include "core/coroutines.h"
#include "core/details.h"
#include "core/memory.h"
#include "core/state.h"

enum { FUTURE_PENDING, FUTURE_DONE };

void thrum_future_init(thrum_future *future)
{
    memset(future, 0, sizeof *future);
}

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_future *future = (thrum_future *)record->object;
    if (future->state == FUTURE_DONE)
        return done(thrum_state_here(), task, (int)future->error, future->value);
    thrum_waiters_add(&future->waiters, &task->waiter);
    return parked(task);
}

static thrum_cancel_result wait_cancel(thrum_task *task)
{
    if (thrum_task_woken(task))
        return THRUM_DETACHED; /* and the future may be gone */
    thrum_future_cancel((thrum_future *)task->object);
    return THRUM_FORWARDED;
}

const thrum_operations thrum_future_wait_operations = {wait_start, NULL, wait_cancel, NULL, "future"};

thrum_awaitable thrum_future_wait(thrum_future *future)
{
    return future ? thrum_awaitable_make(&thrum_future_wait_operations, future, 0, 0)
                  : thrum_awaitable_failing(THRUM_EINVAL);
}

/* The future may be gone as soon as its first waiter runs, which is in the next pass at the earliest; still nothing of
 * it is read after its waiters were taken off. */
static int complete(thrum_future *future, int error, thrum_value value)
{
    if (future->state == FUTURE_DONE)
        return THRUM_EDONE;
    thrum_waiters waiters = future->waiters;
    future->waiters.first = NULL;
    future->state = FUTURE_DONE;
    future->error = (int32_t)error;
    future->value = value;
    while (waiters.first)
        thrum_wake(thrum_waiters_pop(&waiters), error, value);
    return 0;
}

int thrum_future_set_result(thrum_future *future, thrum_value value)
{
    return complete(future, 0, value);
}

int thrum_future_set_error(thrum_future *future, int error)
{
    return error < 0 ? complete(future, error, 0) : THRUM_EINVAL;
}

bool thrum_future_cancel(thrum_future *future)
{
    return complete(future, THRUM_ECANCELED, 0) == 0;
}

bool thrum_future_done(const thrum_future *future)
{
    return future->state == FUTURE_DONE;
}

bool thrum_future_cancelled(const thrum_future *future)
{
    return future->state == FUTURE_DONE && future->error == THRUM_ECANCELED;
}

int thrum_future_result(thrum_future *future, thrum_value *value)
{
    if (future->state != FUTURE_DONE)
        return THRUM_EPENDING;
    if (value)
        *value = future->value;
    return (int)future->error;
}

/* ---- done callbacks, of futures and tasks ---- */

static int add_callback(thrum_waiters *waiters, bool done, int error, thrum_value value, thrum_handle *handle)
{
    thrum_node *node = &handle->waiter.node;
    thrum_state *state = thrum_state_here();
    if (node->state != NODE_IDLE || !state->open)
        return THRUM_ESTATE;
    node->flags = 0;
    node->state = NODE_PARKED;
    if (done) {
        thrum_wake(&handle->waiter, error, value);
        return 0;
    }
    handle->waiter.as.list = waiters;
    thrum_waiters_add(waiters, &handle->waiter);
    return 0;
}

static bool remove_callback(thrum_waiters *waiters, thrum_handle *handle)
{
    if (handle->waiter.node.state != NODE_PARKED || handle->waiter.as.list != waiters)
        return false;
    return thrum_handle_cancel(handle);
}

int thrum_future_add_done_callback(thrum_future *future, thrum_handle *handle)
{
    return add_callback(&future->waiters, future->state == FUTURE_DONE, (int)future->error, future->value, handle);
}

bool thrum_future_remove_done_callback(thrum_future *future, thrum_handle *handle)
{
    return remove_callback(&future->waiters, handle);
}

int thrum_task_add_done_callback(thrum_task *task, thrum_handle *handle)
{
    return add_callback(&task->waiters, thrum_task_done(task), (int)task->waiter.node.error, task->waiter.as.value,
                        handle);
}

bool thrum_task_remove_done_callback(thrum_task *task, thrum_handle *handle)
{
    return remove_callback(&task->waiters, handle);
}
