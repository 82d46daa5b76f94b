/* Lock and event. A waiter that is woken has left the list; what it was woken for it takes when it runs, so a lock that
 * is being handed over is marked until then, and nobody gets in between. */
#include <thrum/locks.h>

#include "core/memory.h"
#include "core/state.h"

/* ---- event ---- */

void thrum_event_init(thrum_event *event)
{
    memset(event, 0, sizeof *event);
}

void thrum_event_set(thrum_event *event)
{
    thrum_waiter *waiter;
    event->set = true;
    while ((waiter = thrum_waiters_pop(&event->waiters)) != NULL)
        thrum_wake(waiter, 0, 0);
}

void thrum_event_clear(thrum_event *event)
{
    event->set = false;
}

bool thrum_event_is_set(const thrum_event *event)
{
    return event->set;
}

static thrum_step event_start(thrum_task *task, thrum_record *record)
{
    thrum_event *event = (thrum_event *)record->object;
    if (event->set)
        return done(thrum_state_here(), task, 0, 0);
    thrum_waiters_add(&event->waiters, &task->waiter);
    return parked(task);
}

static thrum_cancel_result event_cancel(thrum_task *task)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(&((thrum_event *)task->object)->waiters, &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations event_operations = {event_start, NULL, event_cancel, NULL, "event"};

thrum_awaitable thrum_event_wait(thrum_event *event)
{
    return make_awaitable(thrum_state_here(), &event_operations, event, 0);
}

/* ---- lock ---- */

void thrum_lock_init(thrum_lock *lock)
{
    memset(lock, 0, sizeof *lock);
}

bool thrum_lock_locked(const thrum_lock *lock)
{
    return lock->locked;
}

static void hand_on(thrum_lock *lock)
{
    thrum_waiter *waiter = thrum_waiters_pop(&lock->waiters);
    lock->handing = waiter != NULL;
    if (waiter)
        thrum_wake(waiter, 0, 0);
}

int thrum_lock_release(thrum_lock *lock)
{
    if (!lock->locked)
        return THRUM_ESTATE;
    lock->locked = false;
    hand_on(lock);
    return 0;
}

static thrum_step acquire_start(thrum_task *task, thrum_record *record)
{
    thrum_lock *lock = (thrum_lock *)record->object;
    if (!lock->locked && !lock->handing) {
        lock->locked = true;
        return done(thrum_state_here(), task, 0, 0);
    }
    thrum_waiters_add(&lock->waiters, &task->waiter);
    return parked(task);
}

static thrum_step acquire_resume(thrum_task *task)
{
    thrum_lock *lock = (thrum_lock *)task->object;
    lock->handing = false;
    lock->locked = true;
    return done(thrum_state_here(), task, 0, 0);
}

static thrum_cancel_result acquire_cancel(thrum_task *task)
{
    thrum_lock *lock = (thrum_lock *)task->object;
    if (thrum_task_woken(task))
        hand_on(lock); /* it was ours to take: it is the next one's */
    else
        thrum_waiters_remove(&lock->waiters, &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations acquire_operations = {acquire_start, acquire_resume, acquire_cancel, NULL, "lock"};

thrum_awaitable thrum_lock_acquire(thrum_lock *lock)
{
    return make_awaitable(thrum_state_here(), &acquire_operations, lock, 0);
}

/* ---- a lock held for the length of a block ---- */

static thrum_awaitable hold_exit(thrum_scope *scope)
{
    int error = thrum_lock_release(((thrum_lock_hold *)(void *)scope)->lock);
    return error ? thrum_awaitable_failing(error) : THRUM_NOTHING;
}

static thrum_step hold_start(thrum_task *task, thrum_record *record)
{
    thrum_lock_hold *hold = (thrum_lock_hold *)(uintptr_t)record->a;
    hold->lock = (thrum_lock *)record->object;
    hold->scope.exit = hold_exit;
    return acquire_start(task, record);
}

static const thrum_operations hold_operations = {hold_start, acquire_resume, acquire_cancel, NULL, "lock"};

thrum_awaitable thrum_lock_hold_enter(thrum_lock_hold *hold, thrum_lock *lock)
{
    return make_awaitable(thrum_state_here(), &hold_operations, lock, (thrum_value)(uintptr_t)hold);
}
