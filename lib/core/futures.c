#include <thrum/futures.h>

#include "core/checks.h"
#include "core/contextvars.h"
#include "core/coroutines.h"
#include "core/details.h"
#include "core/inlining.h"
#include "core/memory.h"
#include "core/operations.h"
#include "core/scheduler.h"

enum { FUTURE_PENDING, FUTURE_DONE };

static thrum_cancel_result wait_cancel(thrum_task *task);

static const void *waited_in(const thrum_task *task)
{
    return task->operations->cancel == wait_cancel ? task->object : NULL;
}

static const check_kind kind = {"future", waited_in};

void thrum_future_init(thrum_future *future)
{
    object_begins(&kind, future);
    memset(future, 0, sizeof *future);
}

/* Other things than tasks may wait in a future as well: of these nothing is known. */
static bool is_sound(const thrum_future *future)
{
    const thrum_state *state = thrum_state_here();
    const thrum_task *first = (const thrum_task *)(const void *)future->waiters.first;
    if (!doubtful(state) || !first)
        return true;
    return thrum_check_future_line(&kind, &future->waiters, future) && thrum_check_waiters(&future->waiters);
}

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_future *future = (thrum_future *)record->object;
    if (future->state == FUTURE_DONE)
        return done(thrum_state_here(), task, (int)future->error, future->value);
    if (future->waiters.first && !is_sound(future))
        return done(thrum_state_here(), task, THRUM_ESTATE, 0);
    thrum_waiters_add(&future->waiters, &task->waiter);
    return parked(task);
}

static bool is_among(const thrum_waiters *waiters, const thrum_waiter *waiter)
{
    const thrum_node *node = &waiter->node;
    do {
        if ((const void *)node == waiters->first)
            return true;
        node = node->next;
    } while (node != &waiter->node);
    return false;
}

static thrum_cancel_result wait_cancel(thrum_task *task)
{
    if (task_woken(task))
        return THRUM_DETACHED; /* and the future may be gone */
    /* All who wait are cancelled with the future. Where this one is not among them, that is no longer what it waited
     * for. */
    thrum_future *future = (thrum_future *)task->object;
    if (future->waiters.first != &task->waiter && !is_among(&future->waiters, &task->waiter)) {
        thrum_waiters_leave(&future->waiters, &task->waiter);
        return THRUM_DETACHED;
    }
    thrum_future_cancel(future);
    return THRUM_FORWARDED;
}

static void wait_awaits(thrum_task *task, thrum_awaits *tell, void *context)
{
    tell(context, NULL, (thrum_future *)task->object);
}

const thrum_operations thrum_future_wait_operations = {wait_start, NULL, wait_cancel, NULL, THRUM_NAMED_("future"),
                                                       wait_awaits};

thrum_awaitable thrum_future_wait(thrum_future *future)
{
    return future ? thrum_awaitable_make(&thrum_future_wait_operations, future, 0, 0)
                  : thrum_awaitable_failing(THRUM_EINVAL);
}

/* The future may be gone as soon as its first waiter runs, which is in the next pass at the earliest; still nothing of
 * it is read after its waiters were taken off. */
static int complete(thrum_future *future, int error, thrum_value value)
{
    not_for_interrupts();
    if (future->state == FUTURE_DONE)
        return THRUM_EDONE;
    if (THRUM_UNLIKELY_(!is_sound(future)))
        return THRUM_ESTATE;
    thrum_waiters waiters = future->waiters;
    future->waiters.first = NULL;
    future->state = FUTURE_DONE;
    future->error = (int32_t)error;
    future->value = value;
    if (future->flags & FUTURE_SHIELDED && error && error != THRUM_ECANCELED && !waiters.first) {
        const thrum_core_report report = {.message = "error in a shielded future", .error = error};
        thrum_core_tell(&report);
    }
    while (waiters.first)
        thrum_wake(thrum_waiters_pop(&waiters), error, value);
    return 0;
}

static THRUM_COLD_ int not_completed(const thrum_future *future, int error)
{
    return error == THRUM_EDONE ? refused(future, "a future was completed that is done already", error) : error;
}

int thrum_future_set_result(thrum_future *future, thrum_value value)
{
    int error = complete(future, 0, value);
    return THRUM_UNLIKELY_(error) ? not_completed(future, error) : 0;
}

int thrum_future_set_error(thrum_future *future, int error)
{
    not_for_interrupts();
    int refusal = error < 0 ? complete(future, error, 0) : THRUM_EINVAL;
    return THRUM_UNLIKELY_(refusal) ? not_completed(future, refusal) : 0;
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
    not_for_interrupts();
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
    if (!THRUM_CHECKS && !state->open)
        return THRUM_ESTATE;
    if (doubtful(state) && !thrum_check_handle_idle(handle))
        return THRUM_ESTATE;
    if (node->state != NODE_IDLE)
        return THRUM_ESTATE;
    handle_capture(state, handle);
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
    not_for_interrupts();
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
