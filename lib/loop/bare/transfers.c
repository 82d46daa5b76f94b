/* Transfers: begun by a task, ended by an interrupt, or stopped because the task was cancelled. */
#include <thrum/devices.h>

#include "core/state.h"
#include "loop/bare/mask.h"

void thrum_transfer_done_from_isr(thrum_transfer *transfer, int outcome)
{
    if (!transfer->runs)
        return;
    transfer->outcome = outcome;
    transfer->runs = false;
    thrum_signal_post_from_isr(&transfer->ended);
}

void thrum_transfer_ended_(thrum_signal *signal, unsigned count)
{
    thrum_transfer *transfer = (thrum_transfer *)signal->context;
    int outcome = transfer->outcome;
    (void)count;
    if (transfer->task)
        thrum_wake(&transfer->task->waiter, outcome < 0 ? outcome : 0, outcome < 0 ? 0 : (thrum_value)outcome);
}

static thrum_step run_start(thrum_task *task, thrum_record *record)
{
    thrum_transfer *transfer = (thrum_transfer *)record->object;
    if (transfer->task)
        return thrum_done(task, THRUM_EBUSY, 0);
    /* Everything is there before the interrupt can come: it may do so while the hardware is being started. */
    transfer->task = task;
    thrum_step step = thrum_parked(task);
    uintptr_t was = mask();
    transfer->runs = true;
    int error = transfer->driver->begin(transfer);
    if (error)
        transfer->runs = false;
    unmask(was);
    if (!error)
        return step;
    transfer->task = NULL;
    return thrum_done(task, error, 0);
}

static thrum_step run_resume(thrum_task *task)
{
    ((thrum_transfer *)task->object)->task = NULL;
    return thrum_done(task, (int)task->waiter.node.error, task->waiter.as.value);
}

/* The hardware stops before the task goes on. It may have ended already: then the loop was told, or the task. */
static thrum_cancel_result run_cancel(thrum_task *task)
{
    thrum_transfer *transfer = (thrum_transfer *)task->object;
    uintptr_t was = mask();
    if (transfer->runs)
        transfer->driver->abort(transfer);
    transfer->runs = false;
    unmask(was);
    (void)thrum_signal_cancel(&transfer->ended);
    transfer->task = NULL;
    return THRUM_DETACHED;
}

static const thrum_operations run_operations = {run_start, run_resume, run_cancel, NULL, "transfer", NULL};

thrum_awaitable thrum_transfer_run(thrum_transfer *transfer)
{
    return thrum_awaitable_make(&run_operations, transfer, 0, 0);
}
