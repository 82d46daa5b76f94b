/* A task that waits for a signal. */
#include "core/operations.h"
#include "loop/bare/bare.h"
#include "sync/waitqueue.h"

static const thrum_operations wait_operations;

static const void *waited_in(const thrum_task *task)
{
    return task->operations == &wait_operations ? task->object : NULL;
}

static const check_kind checked = {"signal", waited_in};

void thrum_signal_init(thrum_signal *signal, thrum_signal_call *call, void *context)
{
    not_for_interrupts();
    thrum_clear_(signal, sizeof *signal);
    signal->call = call ? call : thrum_signal_tell;
    signal->context = context;
}

void thrum_signal_tell(thrum_signal *signal, unsigned count)
{
    not_for_interrupts();
    count += signal->pending;
    signal->pending = queue_wake_here(&signal->waiters, signal, (thrum_value)count) ? 0 : count;
}

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_signal *signal = (thrum_signal *)record->object;
    unsigned count = signal->pending;
    if (!count)
        return queue_enter(&checked, signal, &signal->waiters, task);
    signal->pending = 0;
    return done(thrum_state_here(), task, 0, (thrum_value)count);
}

/* What a cancelled task was woken with is the next one's. So nothing is left to do when a task goes on, and the way
 * from the interrupt is short. */
static thrum_cancel_result wait_cancel(thrum_task *task)
{
    thrum_signal *signal = (thrum_signal *)task->object;
    if (task_woken(task)) {
        unsigned count = (unsigned)task->waiter.as.value;
        task->waiter.as.value = 0;
        if (count)
            thrum_signal_tell(signal, count);
    } else {
        thrum_waiters_leave(&signal->waiters, &task->waiter);
    }
    return THRUM_DETACHED;
}

static const thrum_operations wait_operations = {wait_start, NULL, wait_cancel, NULL, "signal", NULL};

thrum_awaitable thrum_signal_wait(thrum_signal *signal)
{
    return make_awaitable(thrum_state_here(), &wait_operations, signal, 0);
}
