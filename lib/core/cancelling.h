/* Who asks a task to cancel, and what stands between: shields, and scopes that go on cancelling.
 *
 * A request comes from somewhere: from outside (thrum_task_cancel()), from an open block (a deadline, a group, a cancel
 * scope) or from a frame of the task (a timeout). A shield holds back what comes from outside of it; that is counted in
 * the shield, not in the task, so that every block inside can go on comparing the task's count with the one that it
 * began with. When the shield ends, what it held is counted in the task and delivered.
 *
 * Inside a cancelled scope that is level-triggered, TASK_MUST_CANCEL stays set: every await that suspends is cancelled.
 * The blocks inside have SCOPE_LEVELLED, up to the next shield, so the innermost one tells. */
#ifndef THRUM_CORE_CANCELLING_H
#define THRUM_CORE_CANCELLING_H

#include "core/state.h"

/* Where a deadline, a timeout or a cancel scope stands. */
enum { LIMIT_NONE, LIMIT_SET, LIMIT_EXPIRING, LIMIT_EXPIRED, LIMIT_OVER, LIMIT_EARLY };

/* Ask a task that has not ended to cancel, by something that stands just inside of the open block `outer` of that task:
 * shields that stand further inside hold it back. NULL: by something outside of all blocks. */
void thrum_cancel_within(thrum_task *task, const thrum_scope *outer);

/* The same by an open block of the task: what it holds back itself does not count. */
void thrum_cancel_by(thrum_task *task, const thrum_scope *scope);

/* Deliver a cancellation whatever stands between, and without counting it. */
void thrum_cancel_now(thrum_task *task);

/* Take one request back that was delivered. Gives how many are left; those that shields hold do not count. */
unsigned thrum_cancel_back(thrum_task *task);

/* Whether a shield would hold back a request from outside. */
bool thrum_cancel_held(const thrum_task *task);

/* A shield is over, or its time is up: what it held is delivered. `leaving`: a cancellation is on its way out
 * already. */
void thrum_shield_end(thrum_task *task, thrum_scope *scope, bool leaving);

/* A block was cancelled that goes on cancelling; before it asks. */
void thrum_level_begin(thrum_task *task, thrum_scope *scope);

/* Whether every await of the task is to be cancelled now. */
static inline bool levelled(const thrum_task *task)
{
    return task->scopes && task->scopes->flags & SCOPE_LEVELLED;
}

#endif
