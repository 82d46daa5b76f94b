/* Shields, and scopes that go on cancelling (cancelling.h says what these are): what only programs with cancel scopes
 * need. */
#include "core/shields.h"
#include "core/cancelling.h"
#include "core/verbs.h"

/* What is held stands there, so that when it ends no other shield lies between it and whoever asked. A block of a
 * generator that has yielded is open, but not among the task's. */
thrum_scope *thrum_shield_within(const thrum_task *task, const thrum_scope *outer)
{
    thrum_scope *found = NULL, *scope = task->scopes;
    for (; scope && scope != outer; scope = scope->outer)
        if (scope->flags & SCOPE_SHIELD)
            found = scope;
    return scope == outer ? found : NULL;
}

/* ---- shields come and go ---- */

void thrum_shield_begin(thrum_task *task, thrum_scope *scope)
{
    thrum_node *node = &task->waiter.node;
    thrum_cancel_scope *shield = shield_of(scope);
    const thrum_scope *outer = scope->flags & SCOPE_OPEN ? scope->outer : task->scopes;
    if (!(node->flags & TASK_MUST_CANCEL) || shield->limit.state == LIMIT_EXPIRING)
        return; /* its own request is none from outside */
    node->flags &= (uint8_t) ~(TASK_MUST_CANCEL | TASK_LATE);
    if (!(outer && outer->flags & SCOPE_LEVELLED) && node->count) {
        node->count--;
        add_requests(&shield->held, 1);
    }
}

void thrum_shield_end(thrum_task *task, thrum_scope *scope, bool leaving)
{
    thrum_scope *inner = NULL, *outer = scope->flags & SCOPE_OPEN ? scope->outer : task->scopes;
    thrum_cancel_scope *shield = shield_of(scope);
    bool level = outer && outer->flags & SCOPE_LEVELLED;
    unsigned held = shield->held;
    shield->held = 0;
    if (!(scope->flags & SCOPE_SHIELD))
        return;
    scope->flags &= (uint8_t)~SCOPE_SHIELD;
    if (scope->flags & SCOPE_OPEN) {
        if (level)
            thrum_level_begin(task, scope);
        inner = thrum_shield_within(task, scope);
    }
    if (inner) {
        add_requests(&shield_of(inner)->held, held);
        return;
    }
    add_requests(&task->waiter.node.count, held);
    if (level || (held && !leaving))
        thrum_cancel_now(task);
}

/* ---- levels ---- */

void thrum_level_begin(thrum_task *task, thrum_scope *scope)
{
    scope->flags |= SCOPE_LEVELLED;
    thrum_scope *inner = task->scopes;
    while (inner && inner != scope)
        inner = inner->outer;
    if (!inner)
        return; /* it opens now, or is a generator's that has yielded */
    thrum_scope *shield = thrum_shield_within(task, scope);
    for (inner = shield ? shield->outer : task->scopes; inner != scope; inner = inner->outer)
        inner->flags |= SCOPE_LEVELLED;
}
