/* Semaphore. A unit that is given back belongs to the first in line at once; units that come while the woken have not
 * run yet stay for those who follow them, and are dealt out as each of the woken runs. */
#include "core/memory.h"
#include "core/operations.h"
#include "sync/waitqueue.h"

static thrum_cancel_result acquire_cancel(thrum_task *task);

static const void *waited_in(const thrum_task *task)
{
    return task->operations->cancel == acquire_cancel ? task->object : NULL;
}

static const check_kind checked = {"semaphore", waited_in};

void thrum_semaphore_init(thrum_semaphore *semaphore, uint32_t units)
{
    object_begins(&checked, semaphore);
    memset(semaphore, 0, sizeof *semaphore);
    semaphore->value = units;
}

void thrum_bounded_semaphore_init(thrum_semaphore *semaphore, uint32_t units)
{
    thrum_semaphore_init(semaphore, units);
    semaphore->above = UINT32_MAX - units;
}

static bool wake_next(thrum_semaphore *semaphore)
{
    if (!queue_wake(&semaphore->waiters, semaphore, GRANTED))
        return false;
    semaphore->value--;
    semaphore->woken++;
    return true;
}

int thrum_semaphore_release_(thrum_semaphore *semaphore)
{
    if (semaphore->value >= UINT32_MAX - semaphore->above)
        return refused(semaphore, "a semaphore was released more often than acquired", THRUM_EINVAL);
    if (semaphore->waiters.first && !line_is_sound(&checked, &semaphore->waiters, semaphore))
        return THRUM_ESTATE;
    semaphore->value++;
    wake_next(semaphore);
    return 0;
}

static thrum_step acquire_start(thrum_task *task, thrum_record *record)
{
    thrum_semaphore *semaphore = (thrum_semaphore *)record->object;
    if (thrum_semaphore_try(semaphore))
        return done(thrum_state_here(), task, 0, 0);
    return queue_enter(&checked, semaphore, &semaphore->waiters, task);
}

static thrum_step acquire_resume(thrum_task *task)
{
    thrum_semaphore *semaphore = (thrum_semaphore *)task->object;
    int error = queue_canceled(task) ? THRUM_ECANCELED : 0;
    if (task->waiter.as.value == GRANTED) {
        if (semaphore->woken) /* otherwise it was made anew since */
            semaphore->woken--;
        if (error)
            semaphore->value++;
    }
    while (semaphore->value && wake_next(semaphore))
        continue;
    return queue_done(task, error, 0);
}

static thrum_cancel_result acquire_cancel(thrum_task *task)
{
    return queue_leave(&((thrum_semaphore *)task->object)->waiters, task, NOTHING);
}

static const thrum_operations acquire_operations = {
    acquire_start, acquire_resume, acquire_cancel, NULL, THRUM_NAMED_("semaphore"), NULL};

thrum_awaitable thrum_semaphore_acquire(thrum_semaphore *semaphore)
{
    return make_awaitable(thrum_state_here(), &acquire_operations, semaphore, 0);
}

/* ---- a unit held for the length of a block ---- */

static thrum_awaitable hold_exit(thrum_scope *scope)
{
    int error = thrum_semaphore_release(((thrum_semaphore_hold *)(void *)scope)->semaphore);
    return error ? thrum_awaitable_failing(error) : THRUM_NOTHING;
}

static thrum_step hold_start(thrum_task *task, thrum_record *record)
{
    thrum_semaphore_hold *hold = (thrum_semaphore_hold *)(uintptr_t)record->a;
    hold->semaphore = (thrum_semaphore *)record->object;
    hold->scope.exit = hold_exit;
    return acquire_start(task, record);
}

static const thrum_operations hold_operations = {
    hold_start, acquire_resume, acquire_cancel, NULL, THRUM_NAMED_("semaphore"), NULL};

thrum_awaitable thrum_semaphore_hold_enter(thrum_semaphore_hold *hold, thrum_semaphore *semaphore)
{
    return make_awaitable(thrum_state_here(), &hold_operations, semaphore, (thrum_value)(uintptr_t)hold);
}
