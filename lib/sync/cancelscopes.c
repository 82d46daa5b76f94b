/* Cancel scopes: a deadline (thrum_deadline) that swallows what it did, with a shield and a level. How shields and
 * levels work is in core/cancelling.h. */
#include <thrum/cancelscopes.h>

#include "core/verbs.h"
#include "sync/generators.h"
#include "sync/limits.h"

enum { SCOPE_CAUGHT = 0x80 }; /* beside THRUM_CANCEL_LEVEL */

/* ---- cancelling ---- */

static void cancel(thrum_cancel_scope *scope)
{
    scope->limit.state = LIMIT_EXPIRING;
    if (scope->flags & THRUM_CANCEL_LEVEL)
        thrum_level_begin(scope->limit.task, &scope->scope);
    thrum_cancel_by(scope->limit.task, &scope->scope);
}

static void fire(thrum_handle *timer)
{
    cancel((thrum_cancel_scope *)timer->context);
}

void thrum_cancel_scope_cancel(thrum_cancel_scope *scope)
{
    not_for_interrupts();
    if (scope->limit.state == LIMIT_NONE) {
        scope->limit.state = LIMIT_EARLY;
    } else if (scope->limit.state == LIMIT_SET) {
        disarm(&scope->limit.timer);
        cancel(scope);
    }
}

int thrum_cancel_scope_reschedule(thrum_cancel_scope *scope, thrum_time when)
{
    not_for_interrupts();
    if (scope->limit.state != LIMIT_SET)
        return THRUM_ESTATE;
    disarm(&scope->limit.timer);
    scope->limit.when = when;
    arm(&scope->limit.timer, fire, scope, when);
    return 0;
}

void thrum_cancel_scope_unshield(thrum_cancel_scope *scope)
{
    not_for_interrupts();
    if (scope->limit.state != LIMIT_SET && scope->limit.state != LIMIT_EXPIRING)
        return;
    disarm(&scope->shield);
    thrum_shield_end(scope->limit.task, &scope->scope, false);
}

/* ---- the block ---- */

static const block_verbs verbs = {thrum_unwind, thrum_shield_within, thrum_shield_begin};

static void unshield(thrum_handle *timer)
{
    thrum_cancel_scope_unshield((thrum_cancel_scope *)timer->context);
}

static thrum_awaitable leave(thrum_scope *base)
{
    thrum_cancel_scope *scope = (thrum_cancel_scope *)(void *)base;
    thrum_task *task = scope->limit.task;
    disarm(&scope->limit.timer);
    disarm(&scope->shield);
    if (scope->limit.state == LIMIT_EXPIRING) {
        bool ours = take_back(task, scope->limit.before);
        scope->limit.state = LIMIT_EXPIRED;
        if (ours && base->error == THRUM_ECANCELED) {
            base->error = 0;
            scope->flags |= SCOPE_CAUGHT;
        }
        if (ours && base->error == THRUM_ELEFT && thrum_loop_over(base->owner))
            scope->flags |= SCOPE_CAUGHT;
        /* Delivered or not, it ends here; a level goes out with the cancellation that is in flight. */
        if (!levelled(task) && (ours || (scope->flags & THRUM_CANCEL_LEVEL && base->error == THRUM_ECANCELED)))
            task->waiter.node.flags &= (uint8_t) ~(TASK_MUST_CANCEL | TASK_LATE);
    } else {
        scope->limit.state = LIMIT_OVER;
    }
    thrum_shield_end(task, base, base->error == THRUM_ECANCELED);
    return THRUM_NOTHING;
}

static thrum_step enter(thrum_task *task, thrum_record *record, uint8_t flags)
{
    thrum_cancel_scope *scope = (thrum_cancel_scope *)record->object;
    thrum_deadline *limit = &scope->limit;
    thrum_time shield_for = (thrum_time)record->b;
    bool early = limit->state == LIMIT_EARLY;
    set_block_verbs(&verbs, true);
    if (limit->state == LIMIT_SET || limit->state == LIMIT_EXPIRING)
        return thrum_done(task, THRUM_ESTATE, 0);
    limit->scope.exit = leave;
    limit->scope.flags = SCOPE_OF_TASK;
    limit->task = task;
    limit->when = (thrum_time)record->a;
    limit->state = LIMIT_SET;
    scope->flags = flags;
    scope->held = 0;
    arm(&scope->shield, unshield, scope, THRUM_NEVER);
    if (shield_for) {
        limit->scope.flags |= SCOPE_SHIELD;
        thrum_shield_begin(task, &limit->scope);
        arm(&scope->shield, unshield, scope, later(shield_for));
    }
    /* One that is pending comes from outside, and was not here before. */
    limit->before = task->waiter.node.count;
    if (task->waiter.node.flags & TASK_MUST_CANCEL && !levelled(task) && limit->before)
        limit->before--;
    arm(&limit->timer, fire, scope, early ? THRUM_NEVER : limit->when);
    if (early)
        cancel(scope);
    return thrum_done(task, 0, 0);
}

static thrum_step enter_edge(thrum_task *task, thrum_record *record)
{
    return enter(task, record, THRUM_CANCEL_EDGE);
}

static thrum_step enter_level(thrum_task *task, thrum_record *record)
{
    return enter(task, record, THRUM_CANCEL_LEVEL);
}

static const thrum_operations edge_operations = {enter_edge, NULL, NULL, NULL, THRUM_NAMED_("cancel scope"), NULL};
static const thrum_operations level_operations = {enter_level, NULL, NULL, NULL, THRUM_NAMED_("cancel scope"), NULL};

thrum_awaitable thrum_cancel_scope_open(thrum_cancel_scope *scope, thrum_time when, thrum_time shield_for,
                                        unsigned flags)
{
    const thrum_operations *operations = flags & THRUM_CANCEL_LEVEL ? &level_operations : &edge_operations;
    return thrum_awaitable_make(operations, scope, (thrum_value)when, (thrum_value)shield_for);
}

thrum_awaitable thrum_move_on_at(thrum_cancel_scope *scope, thrum_time when)
{
    return thrum_cancel_scope_open(scope, when, 0, THRUM_CANCEL_EDGE);
}

thrum_awaitable thrum_move_on_after(thrum_cancel_scope *scope, thrum_time delay)
{
    return thrum_cancel_scope_open(scope, later(delay), 0, THRUM_CANCEL_EDGE);
}

thrum_awaitable thrum_shield_for(thrum_cancel_scope *scope, thrum_time shield_for)
{
    return thrum_cancel_scope_open(scope, THRUM_NEVER, shield_for, THRUM_CANCEL_EDGE);
}

/* ---- asking ---- */

thrum_time thrum_cancel_scope_when(const thrum_cancel_scope *scope)
{
    return scope->limit.when;
}

bool thrum_cancel_scope_cancelled(const thrum_cancel_scope *scope)
{
    uint8_t state = scope->limit.state;
    return state == LIMIT_EARLY || state == LIMIT_EXPIRING || state == LIMIT_EXPIRED;
}

bool thrum_cancel_scope_caught(const thrum_cancel_scope *scope)
{
    return scope->limit.state == LIMIT_EXPIRED && scope->flags & SCOPE_CAUGHT;
}

unsigned thrum_cancel_scope_held(const thrum_cancel_scope *scope)
{
    return scope->held;
}

thrum_cancel_scope *thrum_cancel_scope_current(void)
{
    const thrum_task *task = thrum_state_here()->current;
    thrum_scope *scope = task ? task->scopes : NULL;
    while (scope && scope->exit != leave)
        scope = scope->outer;
    return (thrum_cancel_scope *)(void *)scope;
}

/* The nearest limit so far, on a way from the inside out; what lies further out does nothing before `shielded`. */
typedef struct nearest {
    thrum_time when, shielded, now;
} nearest;

static thrum_time sooner(thrum_time a, thrum_time b)
{
    return a == THRUM_NEVER || (b != THRUM_NEVER && time_reached(b, a)) ? b : a;
}

static thrum_time farther(thrum_time a, thrum_time b)
{
    return sooner(a, b) == a ? b : a;
}

static void consider(nearest *so_far, thrum_time when)
{
    so_far->when = sooner(so_far->when, farther(when, so_far->shielded));
}

static void consider_scope(nearest *so_far, const thrum_scope *scope)
{
    const thrum_deadline *limit = (const thrum_deadline *)(const void *)scope;
    if (scope->exit != leave && scope->exit != thrum_deadline_exit)
        return;
    consider(so_far, limit->state == LIMIT_EXPIRING ? sooner(limit->when, so_far->now) : limit->when);
    if (scope->flags & SCOPE_SHIELD) {
        const thrum_node *timer = &((const thrum_cancel_scope *)(const void *)scope)->shield.waiter.node;
        const thrum_waiter *waiter = (const thrum_waiter *)(const void *)timer;
        thrum_time until = timer->state == NODE_TIMED ? waiter->as.when : THRUM_NEVER;
        so_far->shielded = farther(so_far->shielded, timer->state == NODE_CALL ? so_far->now : until);
    }
}

thrum_time thrum_current_deadline(void)
{
    const thrum_state *state = thrum_state_here();
    const thrum_task *task = state->current;
    nearest so_far = {THRUM_NEVER, state->now, state->now};
    const thrum_scope *scope = task ? task->scopes : NULL;
    thrum_time when;
    for (const thrum_coro *coro = task ? task->leaf : NULL; coro; coro = coro->caller) {
        for (; scope && scope->owner == coro; scope = scope->outer)
            consider_scope(&so_far, scope);
        if (thrum_timeout_limit(coro, &when))
            consider(&so_far, when);
    }
    return so_far.when;
}
