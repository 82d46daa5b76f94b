/* Barrier. It fills; with the last one it drains: everybody leaves in his own step, and the last to leave lets it fill
 * again. All who wait stand in one line, for it to be filled (inside) or for it to fill again (outside), and look at
 * the state when they are woken: who must go on waiting does so at the tail.
 *
 * asyncio builds it of a condition, whose lock nobody ever holds across an await: so there is none here. What shows of
 * the condition is that a cancelled task wakes the first in line, who looks and goes to the tail. */
#include "core/memory.h"
#include "core/operations.h"
#include "sync/waitqueue.h"

enum { FILLING, DRAINING, RESETTING, BROKEN };

static const void *waited_in(const thrum_task *task);

static const check_kind checked = {"barrier", waited_in};

int thrum_barrier_init(thrum_barrier *barrier, uint32_t parties)
{
    object_begins(&checked, barrier);
    memset(barrier, 0, sizeof *barrier);
    barrier->parties = parties;
    return parties ? 0 : THRUM_EINVAL;
}

uint32_t thrum_barrier_waiting(const thrum_barrier *barrier)
{
    return barrier->state == FILLING ? barrier->count : 0;
}

bool thrum_barrier_broken(const thrum_barrier *barrier)
{
    return barrier->state == BROKEN;
}

static bool is_sound(const thrum_barrier *barrier)
{
    return !barrier->waiters.first || line_is_sound(&checked, &barrier->waiters, barrier);
}

/* Each finds the index that it was given in the result. */
static bool wake_first(thrum_barrier *barrier)
{
    const thrum_task *first = (const thrum_task *)(const void *)barrier->waiters.first;
    return first && waited_in(first) == barrier && queue_wake(&barrier->waiters, first->object, first->waiter.as.value);
}

static void change(thrum_barrier *barrier, uint8_t state)
{
    barrier->state = state;
    while (wake_first(barrier))
        continue;
}

void thrum_barrier_reset(thrum_barrier *barrier)
{
    not_for_interrupts();
    if (is_sound(barrier))
        change(barrier, barrier->count ? RESETTING : FILLING);
}

void thrum_barrier_abort(thrum_barrier *barrier)
{
    not_for_interrupts();
    if (is_sound(barrier))
        change(barrier, BROKEN);
}

/* ---- waiting ---- */

static const thrum_operations inside, outside, pass_inside, pass_outside;

static bool is_pass(const thrum_task *task)
{
    return task->operations == &pass_inside || task->operations == &pass_outside;
}

static thrum_barrier *barrier_of(const thrum_task *task)
{
    return is_pass(task) ? ((thrum_barrier_pass *)task->object)->barrier : (thrum_barrier *)task->object;
}

static thrum_step wait_outside(thrum_task *task, thrum_barrier *barrier)
{
    task->operations = is_pass(task) ? &pass_outside : &outside;
    return queue_enter(&checked, barrier, &barrier->waiters, task);
}

static thrum_step wait_inside(thrum_task *task, thrum_barrier *barrier, thrum_value index)
{
    task->operations = is_pass(task) ? &pass_inside : &inside;
    task->waiter.as.value = index;
    return queue_enter(&checked, barrier, &barrier->waiters, task);
}

static thrum_step leave(thrum_task *task, thrum_barrier *barrier, int error, thrum_value index)
{
    if (barrier->count && --barrier->count == 0) /* nobody: it was made anew since */
        change(barrier, barrier->state == BROKEN ? BROKEN : FILLING);
    if (!error && is_pass(task))
        ((thrum_barrier_pass *)task->object)->index = (uint32_t)index;
    return queue_done(task, error, index);
}

static thrum_step arrive(thrum_task *task, thrum_barrier *barrier)
{
    if (!is_sound(barrier))
        return queue_done(task, THRUM_ESTATE, 0);
    if (barrier->state == DRAINING || barrier->state == RESETTING)
        return wait_outside(task, barrier);
    if (barrier->state == BROKEN)
        return queue_done(task, THRUM_EBROKEN, 0);
    thrum_value index = (thrum_value)barrier->count++;
    if (barrier->count < barrier->parties)
        return wait_inside(task, barrier, index);
    change(barrier, DRAINING);
    return leave(task, barrier, 0, index);
}

static thrum_step outside_resume(thrum_task *task)
{
    thrum_barrier *barrier = barrier_of(task);
    if (!queue_canceled(task))
        return arrive(task, barrier);
    wake_first(barrier);
    return queue_done(task, THRUM_ECANCELED, 0);
}

static thrum_step inside_resume(thrum_task *task)
{
    thrum_barrier *barrier = barrier_of(task);
    thrum_value index = task->waiter.as.value;
    if (queue_canceled(task)) {
        wake_first(barrier);
        return leave(task, barrier, THRUM_ECANCELED, 0);
    }
    if (barrier->state == FILLING)
        return wait_inside(task, barrier, index);
    return leave(task, barrier, barrier->state == DRAINING ? 0 : THRUM_EBROKEN, index);
}

/* The count stays until the task runs, as everything that a cancellation changes. */
static thrum_cancel_result wait_cancel(thrum_task *task)
{
    return queue_leave(&barrier_of(task)->waiters, task, NOTHING);
}

static const void *waited_in(const thrum_task *task)
{
    return task->operations->cancel == wait_cancel ? barrier_of(task) : NULL;
}

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    return arrive(task, (thrum_barrier *)record->object);
}

static thrum_step pass_start(thrum_task *task, thrum_record *record)
{
    thrum_barrier_pass *pass = (thrum_barrier_pass *)record->object;
    pass->scope.exit = NULL;
    return arrive(task, pass->barrier);
}

static const thrum_operations inside = {wait_start, inside_resume, wait_cancel, NULL, THRUM_NAMED_("barrier"), NULL},
                              outside = {wait_start, outside_resume, wait_cancel, NULL, "barrier", NULL},
                              pass_inside = {pass_start, inside_resume, wait_cancel, NULL, "barrier", NULL},
                              pass_outside = {pass_start, outside_resume, wait_cancel, NULL, "barrier", NULL};

thrum_awaitable thrum_barrier_wait(thrum_barrier *barrier)
{
    return make_awaitable(thrum_state_here(), &outside, barrier, 0);
}

thrum_awaitable thrum_barrier_pass_enter(thrum_barrier_pass *pass, thrum_barrier *barrier)
{
    pass->barrier = barrier;
    return make_awaitable(thrum_state_here(), &pass_outside, pass, 0);
}
