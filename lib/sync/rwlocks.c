/* Reader-writer lock. One line for both kinds; a waiter's kind stands in its own node. Who is first gets the lock at
 * the moment when he may have it, and readers behind a reader with him. */
#include <thrum/rwlocks.h>

#include "core/memory.h"
#include "core/operations.h"
#include "sync/waitqueue.h"

enum { READ, WRITE };

static thrum_cancel_result acquire_cancel(thrum_task *task);

static const void *waited_in(const thrum_task *task)
{
    return task->operations->cancel == acquire_cancel ? task->object : NULL;
}

static const check_kind checked = {"rwlock", waited_in};

static const thrum_task *task_of_waiter(const thrum_waiter *waiter)
{
    return (const thrum_task *)(const void *)waiter;
}

static bool is_sound(const thrum_rwlock *lock)
{
    return !lock->waiters.first || line_is_sound(&checked, &lock->waiters, lock);
}

void thrum_rwlock_init(thrum_rwlock *lock)
{
    object_begins(&checked, lock);
    memset(lock, 0, sizeof *lock);
}

static bool take(thrum_rwlock *lock, thrum_value kind)
{
    if (lock->writing || (kind == WRITE && lock->readers))
        return false;
    if (kind == WRITE)
        lock->writing = true;
    else
        lock->readers++;
    return true;
}

static void let_in(thrum_rwlock *lock)
{
    const thrum_waiter *first;
    while ((first = lock->waiters.first) && task_of_waiter(first)->object == lock && take(lock, first->as.value))
        queue_wake(&lock->waiters, lock, GRANTED);
}

bool thrum_rwlock_try_read(thrum_rwlock *lock)
{
    not_for_interrupts();
    return !lock->waiters.first && take(lock, READ);
}

bool thrum_rwlock_try_write(thrum_rwlock *lock)
{
    not_for_interrupts();
    return !lock->waiters.first && take(lock, WRITE);
}

int thrum_rwlock_release_read(thrum_rwlock *lock)
{
    not_for_interrupts();
    if (!lock->readers)
        return refused(lock, "a rwlock was released that nobody reads under", THRUM_ESTATE);
    if (!is_sound(lock))
        return THRUM_ESTATE;
    lock->readers--;
    let_in(lock);
    return 0;
}

int thrum_rwlock_release_write(thrum_rwlock *lock)
{
    not_for_interrupts();
    if (!lock->writing)
        return refused(lock, "a rwlock was released that nobody writes under", THRUM_ESTATE);
    if (!is_sound(lock))
        return THRUM_ESTATE;
    lock->writing = false;
    let_in(lock);
    return 0;
}

int thrum_rwlock_downgrade(thrum_rwlock *lock)
{
    not_for_interrupts();
    if (!lock->writing)
        return refused(lock, "a rwlock was downgraded that nobody writes under", THRUM_ESTATE);
    if (!is_sound(lock))
        return THRUM_ESTATE;
    lock->writing = false;
    lock->readers = 1;
    let_in(lock);
    return 0;
}

/* ---- waiting ---- */

static thrum_step acquire(thrum_task *task, thrum_rwlock *lock, thrum_value kind)
{
    if (!lock->waiters.first && take(lock, kind))
        return done(thrum_state_here(), task, 0, 0);
    task->waiter.as.value = kind;
    return queue_enter(&checked, lock, &lock->waiters, task);
}

static thrum_step read_start(thrum_task *task, thrum_record *record)
{
    return acquire(task, (thrum_rwlock *)record->object, READ);
}

static thrum_step write_start(thrum_task *task, thrum_record *record)
{
    return acquire(task, (thrum_rwlock *)record->object, WRITE);
}

/* A cancelled one gives back what it was given. Or it stood in the way, a writer before readers: they come in now. */
static thrum_step resume(thrum_task *task, int (*release)(thrum_rwlock *lock))
{
    thrum_rwlock *lock = (thrum_rwlock *)task->object;
    if (!queue_canceled(task))
        return queue_done(task, 0, 0);
    if (task->waiter.as.value == GRANTED)
        release(lock);
    else
        let_in(lock);
    return queue_done(task, THRUM_ECANCELED, 0);
}

static thrum_step read_resume(thrum_task *task)
{
    return resume(task, thrum_rwlock_release_read);
}

static thrum_step write_resume(thrum_task *task)
{
    return resume(task, thrum_rwlock_release_write);
}

static thrum_cancel_result acquire_cancel(thrum_task *task)
{
    return queue_leave(&((thrum_rwlock *)task->object)->waiters, task, NOTHING);
}

static const thrum_operations read_operations = {read_start, read_resume, acquire_cancel, NULL, THRUM_NAMED_("rwlock"),
                                                 NULL};
static const thrum_operations write_operations = {write_start, write_resume,           acquire_cancel,
                                                  NULL,        THRUM_NAMED_("rwlock"), NULL};

thrum_awaitable thrum_rwlock_acquire_read(thrum_rwlock *lock)
{
    return make_awaitable(thrum_state_here(), &read_operations, lock, 0);
}

thrum_awaitable thrum_rwlock_acquire_write(thrum_rwlock *lock)
{
    return make_awaitable(thrum_state_here(), &write_operations, lock, 0);
}

/* ---- held for the length of a block ---- */

static thrum_awaitable read_exit(thrum_scope *scope)
{
    int error = thrum_rwlock_release_read(((thrum_rwlock_read_hold *)(void *)scope)->lock);
    return error ? thrum_awaitable_failing(error) : THRUM_NOTHING;
}

/* While it is held nobody else writes: if nobody does, it was downgraded. */
static thrum_awaitable write_exit(thrum_scope *scope)
{
    thrum_rwlock *lock = ((thrum_rwlock_write_hold *)(void *)scope)->lock;
    int error = lock->writing ? thrum_rwlock_release_write(lock) : thrum_rwlock_release_read(lock);
    return error ? thrum_awaitable_failing(error) : THRUM_NOTHING;
}

static thrum_step read_hold_start(thrum_task *task, thrum_record *record)
{
    thrum_rwlock_read_hold *hold = (thrum_rwlock_read_hold *)(uintptr_t)record->a;
    hold->lock = (thrum_rwlock *)record->object;
    hold->scope.exit = read_exit;
    return acquire(task, hold->lock, READ);
}

static thrum_step write_hold_start(thrum_task *task, thrum_record *record)
{
    thrum_rwlock_write_hold *hold = (thrum_rwlock_write_hold *)(uintptr_t)record->a;
    hold->lock = (thrum_rwlock *)record->object;
    hold->scope.exit = write_exit;
    return acquire(task, hold->lock, WRITE);
}

static const thrum_operations read_hold_operations = {read_hold_start,        read_resume, acquire_cancel, NULL,
                                                      THRUM_NAMED_("rwlock"), NULL};
static const thrum_operations write_hold_operations = {write_hold_start,       write_resume, acquire_cancel, NULL,
                                                       THRUM_NAMED_("rwlock"), NULL};

thrum_awaitable thrum_rwlock_read_hold_enter(thrum_rwlock_read_hold *hold, thrum_rwlock *lock)
{
    return make_awaitable(thrum_state_here(), &read_hold_operations, lock, (thrum_value)(uintptr_t)hold);
}

thrum_awaitable thrum_rwlock_write_hold_enter(thrum_rwlock_write_hold *hold, thrum_rwlock *lock)
{
    return make_awaitable(thrum_state_here(), &write_hold_operations, lock, (thrum_value)(uintptr_t)hold);
}
