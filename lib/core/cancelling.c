/* Cancelling tasks: requests, their count, shields and levels (cancelling.h says what these are). */
#include "core/cancelling.h"

#include "core/checks.h"
#include "core/coroutines.h"
#include "core/details.h"
#include "core/inlining.h"
#include "core/probes.h"
#include "core/ready.h"
#include "core/shields.h"
#include "core/verbs.h"

/* ---- shields ---- */

bool thrum_cancel_held(const thrum_task *task)
{
    return task->scopes && block_shield_within(task, NULL);
}

/* The innermost shield that holds something, or NULL. */
static thrum_cancel_scope *holding(const thrum_task *task)
{
    for (thrum_scope *scope = task->scopes; scope; scope = scope->outer)
        if (scope->flags & SCOPE_SHIELD && shield_of(scope)->held)
            return shield_of(scope);
    return NULL;
}

/* ---- asking ---- */

static THRUM_COLD_ void keep_on(thrum_task *task, bool forwarded)
{
    task->waiter.node.flags |= TASK_MUST_CANCEL;
    if (forwarded) { /* this wait gives what it gives; the next one is cancelled */
        task->scopes->flags |= SCOPE_TOLD;
        look_first(task);
    }
}

static THRUM_INLINE_ void detached(thrum_state *state, thrum_task *task)
{
    task->operations = NULL;
    task->waiter.node.error = THRUM_ECANCELED;
    ready_push(state, &task->waiter.node, NODE_READY);
}

static THRUM_COLD_ void after_cancel(thrum_state *state, thrum_task *task, thrum_cancel_result result)
{
    if (result == THRUM_DETACHED) {
        detached(state, task);
        if (extension_of(task))
            thrum_detail_canceled(task);
    } else if (result == THRUM_REFUSED) {
        task->waiter.node.flags |= TASK_MUST_CANCEL;
        return;
    }
    if (levelled(task))
        keep_on(task, result == THRUM_FORWARDED);
}

static THRUM_INLINE_ void cancel_parked(thrum_state *state, thrum_task *task)
{
    const thrum_operations *operations = task->operations;
    thrum_cancel_result result = operations && operations->cancel ? operations->cancel(task) : THRUM_REFUSED;
    if (THRUM_SMALL || THRUM_UNLIKELY_(result != THRUM_DETACHED || extension_of(task) || task->scopes))
        after_cancel(state, task, result);
    else
        detached(state, task);
}

void thrum_cancel_parked(thrum_state *state, thrum_task *task)
{
    cancel_parked(state, task);
}

static const cancel_verbs verbs = {thrum_start_canceled, thrum_prepare_canceled};

static THRUM_INLINE_ void deliver(thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    set_cancel_verbs(&verbs);
    if (THRUM_LIKELY_(node->state == NODE_PARKED) || node->state == NODE_TIMED || node->state == NODE_DUE) {
        if (node->state == NODE_DUE)
            ready_remove(node); /* its sleep is over, but did not wake it yet: the cancellation does so first */
        if (THRUM_LIKELY_(task->operations != NULL)) {
            cancel_parked(thrum_state_here(), task);
            return;
        }
    }
    node->flags |= TASK_MUST_CANCEL;
    look_first(task);
}

static THRUM_INLINE_ void ask(thrum_task *task, const thrum_scope *outer)
{
    if (THRUM_UNLIKELY_(task->scopes != outer)) {
        thrum_scope *shield = block_shield_within(task, outer);
        if (shield) {
            add_requests(&shield_of(shield)->held, 1);
            return;
        }
    }
    if (task->waiter.node.count < UINT16_MAX)
        task->waiter.node.count++;
    deliver(task);
}

void thrum_cancel_within(thrum_task *task, const thrum_scope *outer)
{
    ask(task, outer);
}

void thrum_cancel_by(thrum_task *task, const thrum_scope *scope)
{
    /* While a block is entered or left, nothing is open inside of it. */
    ask(task, scope->flags & SCOPE_OPEN ? scope : task->scopes);
}

void thrum_cancel_now(thrum_task *task)
{
    deliver(task);
}

bool thrum_task_cancel(thrum_task *task)
{
    not_for_interrupts();
    if (!task->leaf) {
        retrieved(task);
        return false;
    }
    if (doubtful(thrum_state_here()) &&
        !thrum_check_task(task, "a task of another loop was cancelled in this thread: thrum_call_soon_threadsafe() is "
                                "for that"))
        return false;
    PROBE1(cancel, task);
    ask(task, NULL);
    return true;
}

/* ---- taking back ---- */

unsigned thrum_cancel_back(thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    if (node->count && --node->count == 0 && !levelled(task))
        node->flags &= (uint8_t) ~(TASK_MUST_CANCEL | TASK_LATE);
    return node->count;
}

unsigned thrum_task_cancelling(const thrum_task *task)
{
    unsigned count = task->waiter.node.count;
    for (thrum_scope *scope = task->scopes; scope; scope = scope->outer)
        if (scope->flags & SCOPE_SHIELD)
            count += shield_of(scope)->held;
    return count;
}

unsigned thrum_task_uncancel(thrum_task *task)
{
    not_for_interrupts();
    thrum_cancel_scope *shield;
    if (!task)
        task = thrum_state_here()->current;
    if (!task)
        return 0;
    if (task->waiter.node.count)
        thrum_cancel_back(task);
    else if ((shield = holding(task)) != NULL)
        shield->held--;
    return thrum_task_cancelling(task);
}

unsigned thrum_uncancel(void)
{
    return thrum_task_uncancel(NULL);
}
