/* Lock. Giving it back wakes the first who waits, who takes it when it runs: until then the lock is marked as handed
 * over, so nobody gets in between.
 *
 * asyncio leaves a cancelled waiter in line until that has run, and wakes nobody past it. So when one who stands first
 * is cancelled, and the lock is given back before it runs, it is from its step that the next one is woken. A count of
 * those reproduces that: who is cancelled further back runs before the last of them, or is one of them by then. */
#include "sync/locks.h"

#include "core/memory.h"
#include "core/operations.h"
#include "sync/waitqueue.h"

enum { LED = GRANTED + 1 }; /* was cancelled as the first in line */

static thrum_cancel_result acquire_cancel(thrum_task *task);

static const void *waited_in(const thrum_task *task)
{
    return task->operations->cancel == acquire_cancel ? task->object : thrum_condition_relocking(task);
}

static const check_kind checked = {"lock", waited_in};

void thrum_lock_init(thrum_lock *lock)
{
    object_begins(&checked, lock);
    memset(lock, 0, sizeof *lock);
}

static void wake_first(thrum_lock *lock)
{
    if (lock->state || !lock->waiters.first)
        return;
    const thrum_task *first = (const thrum_task *)(const void *)lock->waiters.first;
    const void *object = first->object == lock || waited_in(first) == lock ? first->object : NULL;
    if (queue_wake(&lock->waiters, object, GRANTED))
        lock->state = THRUM_LOCK_HANDED_;
}

bool thrum_lock_try_(thrum_lock *lock)
{
    if (lock->state & (THRUM_LOCK_HELD_ | THRUM_LOCK_HANDED_) || lock->waiters.first)
        return false;
    lock->state |= THRUM_LOCK_HELD_;
    return true;
}

int thrum_lock_release_(thrum_lock *lock)
{
    if (!(lock->state & THRUM_LOCK_HELD_))
        return refused(lock, "a lock was released that nobody holds", THRUM_ESTATE);
    if (lock->waiters.first && !line_is_sound(&checked, &lock->waiters, lock))
        return THRUM_ESTATE;
    lock->state &= ~(uint32_t)THRUM_LOCK_HELD_;
    wake_first(lock);
    return 0;
}

bool thrum_lock_woken(thrum_lock *lock, const thrum_task *task)
{
    thrum_value with = task->waiter.as.value;
    if (with == GRANTED) {
        lock->state &= ~(uint32_t)THRUM_LOCK_HANDED_;
        if (!queue_canceled(task)) {
            lock->state |= THRUM_LOCK_HELD_;
            return true;
        }
    } else if (with == LED && lock->state >= THRUM_LOCK_LEAVING_) {
        lock->state -= THRUM_LOCK_LEAVING_;
    }
    wake_first(lock); /* what was ours to take is the next one's */
    return false;
}

thrum_cancel_result thrum_lock_leave(thrum_lock *lock, thrum_task *task)
{
    bool led = lock->waiters.first == &task->waiter;
    if (led)
        lock->state += THRUM_LOCK_LEAVING_;
    return queue_leave(&lock->waiters, task, led ? LED : NOTHING);
}

thrum_step thrum_lock_enter(thrum_lock *lock, thrum_task *task)
{
    return queue_enter(&checked, lock, &lock->waiters, task);
}

static thrum_step acquire_start(thrum_task *task, thrum_record *record)
{
    thrum_lock *lock = (thrum_lock *)record->object;
    return thrum_lock_try(lock) ? done(thrum_state_here(), task, 0, 0) : thrum_lock_enter(lock, task);
}

static thrum_step acquire_resume(thrum_task *task)
{
    return queue_done(task, thrum_lock_woken((thrum_lock *)task->object, task) ? 0 : THRUM_ECANCELED, 0);
}

static thrum_cancel_result acquire_cancel(thrum_task *task)
{
    return thrum_lock_leave((thrum_lock *)task->object, task);
}

static const thrum_operations acquire_operations = {acquire_start, acquire_resume,       acquire_cancel,
                                                    NULL,          THRUM_NAMED_("lock"), NULL};

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

static const thrum_operations hold_operations = {hold_start, acquire_resume,       acquire_cancel,
                                                 NULL,       THRUM_NAMED_("lock"), NULL};

thrum_awaitable thrum_lock_hold_enter(thrum_lock_hold *hold, thrum_lock *lock)
{
    return make_awaitable(thrum_state_here(), &hold_operations, lock, (thrum_value)(uintptr_t)hold);
}
