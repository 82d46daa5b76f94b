/* Condition. To wait is to stand in two lines, one after the other: that of the condition, then that of its lock. The
 * operations that a task is parked with say in which, and whether it was cancelled meanwhile; nothing else needs to be
 * kept, so this takes no memory. */
#include "core/memory.h"
#include "core/operations.h"
#include "sync/locks.h"
#include "sync/waitqueue.h"

static thrum_cancel_result wait_cancel(thrum_task *task);
static thrum_cancel_result relock_cancel(thrum_task *task);

static const void *waited_in(const thrum_task *task)
{
    return task->operations->cancel == wait_cancel ? task->object : NULL;
}

static const check_kind checked = {"condition", waited_in};

const void *thrum_condition_relocking(const thrum_task *task)
{
    return task->operations->cancel == relock_cancel ? thrum_condition_lock((thrum_condition *)task->object) : NULL;
}

void thrum_condition_init(thrum_condition *condition, thrum_lock *lock)
{
    object_begins(&checked, condition);
    memset(condition, 0, sizeof *condition);
    condition->shared = lock;
}

int thrum_condition_notify(thrum_condition *condition, size_t count)
{
    not_for_interrupts();
    if (!thrum_lock_locked(thrum_condition_lock(condition)))
        return refused(condition, "a condition was notified whose lock nobody holds", THRUM_ESTATE);
    if (condition->waiters.first && !line_is_sound(&checked, &condition->waiters, condition))
        return THRUM_ESTATE;
    while (count && queue_wake(&condition->waiters, condition, NOTHING))
        count--;
    return 0;
}

int thrum_condition_notify_all(thrum_condition *condition)
{
    return thrum_condition_notify(condition, SIZE_MAX);
}

static const thrum_operations relock_operations, relock_canceled_operations;

/* The lock is held again. Whoever is cancelled may have been notified before: another one is instead. */
static thrum_step wait_end(thrum_task *task, thrum_condition *condition, bool canceled)
{
    if (canceled)
        queue_wake(&condition->waiters, condition, NOTHING);
    return queue_done(task, canceled ? THRUM_ECANCELED : 0, 0);
}

static thrum_step relock(thrum_task *task, thrum_condition *condition, bool canceled)
{
    thrum_lock *lock = thrum_condition_lock(condition);
    if (thrum_lock_try(lock))
        return wait_end(task, condition, canceled);
    task->operations = canceled ? &relock_canceled_operations : &relock_operations;
    return thrum_lock_enter(lock, task);
}

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_condition *condition = (thrum_condition *)record->object;
    if (condition->waiters.first && !line_is_sound(&checked, &condition->waiters, condition))
        return done(thrum_state_here(), task, THRUM_ESTATE, 0);
    if (thrum_lock_release(thrum_condition_lock(condition)) != 0)
        return done(thrum_state_here(), task, THRUM_ESTATE, 0);
    return queue_enter(&checked, condition, &condition->waiters, task);
}

static thrum_step wait_resume(thrum_task *task)
{
    return relock(task, (thrum_condition *)task->object, queue_canceled(task));
}

static thrum_cancel_result wait_cancel(thrum_task *task)
{
    return queue_leave(&((thrum_condition *)task->object)->waiters, task, NOTHING);
}

/* Whoever is cancelled in the line of the lock goes to its tail and tries again, however often. */
static thrum_step relock_resume(thrum_task *task)
{
    thrum_condition *condition = (thrum_condition *)task->object;
    if (thrum_lock_woken(thrum_condition_lock(condition), task))
        return wait_end(task, condition, task->operations == &relock_canceled_operations);
    return relock(task, condition, true);
}

static thrum_cancel_result relock_cancel(thrum_task *task)
{
    return thrum_lock_leave(thrum_condition_lock((thrum_condition *)task->object), task);
}

static const thrum_operations wait_operations = {wait_start, wait_resume, wait_cancel, NULL, THRUM_NAMED_("condition"),
                                                 NULL},
                              relock_operations = {wait_start, relock_resume, relock_cancel, NULL, "condition", NULL},
                              relock_canceled_operations = {wait_start, relock_resume, relock_cancel,
                                                            NULL,       "condition",   NULL};

thrum_awaitable thrum_condition_wait(thrum_condition *condition)
{
    return make_awaitable(thrum_state_here(), &wait_operations, condition, 0);
}

typedef thrum_predicate *predicate_pointer;

static ASYNC(wait_for, ARGS((thrum_condition *, condition), (predicate_pointer, predicate), (void *, context)),
             LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT_UNTIL(self->predicate(self->context), thrum_condition_wait(self->condition));
    ASYNC_RETURN(1);
    ASYNC_END;
}

thrum_awaitable thrum_condition_wait_for(thrum_condition *condition, thrum_predicate *predicate, void *context)
{
    return wait_for(condition, predicate, context);
}
