/* A lock as a condition needs it, which takes it again for tasks that wait in its own way. */
#ifndef THRUM_SYNC_LOCKS_H
#define THRUM_SYNC_LOCKS_H

#include <thrum/locks.h>

/* For `resume` of a task that stood in the line of a lock: whether it has it now. It has not when it was cancelled. */
bool thrum_lock_woken(thrum_lock *lock, const thrum_task *task);

/* The lock in whose line a task stands to go on after it waited for a condition; NULL: it does not. */
const void *thrum_condition_relocking(const thrum_task *task);

/* Stand in that line; the lock was tried. */
thrum_step thrum_lock_enter(thrum_lock *lock, thrum_task *task);

/* For its `cancel`. */
thrum_cancel_result thrum_lock_leave(thrum_lock *lock, thrum_task *task);

#endif
