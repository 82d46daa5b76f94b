/* Event: a flag to wait for. */
#include "core/memory.h"
#include "core/operations.h"
#include "sync/waitqueue.h"

static thrum_cancel_result wait_cancel(thrum_task *task);

static const void *waited_in(const thrum_task *task)
{
    return task->operations->cancel == wait_cancel ? task->object : NULL;
}

static const check_kind checked = {"event", waited_in};

void thrum_event_init(thrum_event *event)
{
    object_begins(&checked, event);
    memset(event, 0, sizeof *event);
}

void thrum_event_set(thrum_event *event)
{
    not_for_interrupts();
    if (event->waiters.first && !line_is_sound(&checked, &event->waiters, event))
        return;
    event->set = true;
    while (event->waiters.first && queue_wake_here(&event->waiters, event, NOTHING))
        continue;
}

void thrum_event_clear(thrum_event *event)
{
    not_for_interrupts();
    event->set = false;
}

bool thrum_event_is_set(const thrum_event *event)
{
    return event->set;
}

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_event *event = (thrum_event *)record->object;
    return event->set ? done(thrum_state_here(), task, 0, 0) : queue_enter(&checked, event, &event->waiters, task);
}

/* Nothing was handed over and nothing is left to do, so the task is detached. */
static thrum_cancel_result wait_cancel(thrum_task *task)
{
    if (!task_woken(task))
        thrum_waiters_remove(&((thrum_event *)task->object)->waiters, &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations wait_operations = {wait_start, NULL, wait_cancel, NULL, THRUM_NAMED_("event"), NULL};

thrum_awaitable thrum_event_wait(thrum_event *event)
{
    return make_awaitable(thrum_state_here(), &wait_operations, event, 0);
}
