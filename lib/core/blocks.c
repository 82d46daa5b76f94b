/* Blocks: what the loops of WITH and TRY call. A scope goes through the phases ENTERING, BODY, EXITING and OVER; while
 * its body runs it stands on the task's list, so that whoever leaves the frame finds it (thrum_unwind()). */
#include "core/cancelling.h"
#include "core/coroutines.h"
#include "core/details.h"
#include "core/inlining.h"
#include "core/panic.h"
#include "core/scheduler.h"
#include "core/state.h"
#include "core/verbs.h"

bool thrum_unwind(thrum_task *task, thrum_coro *coro, int32_t error)
{
    thrum_scope *scope;
    bool failed = error != 0;
    while ((scope = task->scopes) && scope->owner == coro) {
        task->scopes = scope->outer;
        scope->flags &= (uint8_t)~SCOPE_OPEN;
        if (scope->flags & SCOPE_TRY) {
            if (!failed) { /* a return passes a TRY by */
                scope->phase = THRUM_OVER_;
                continue;
            }
        } else if (failed) {
            scope->flags |= SCOPE_LEFT_BY_ERROR;
        } else if (scope->phase == THRUM_BODY_) {
            scope->flags |= SCOPE_LEFT_BY_RETURN;
        }
        scope->error = error;
        scope->phase = THRUM_EXITING_;
        /* The error replaces a return that was on its way; what FINALLY interrupted goes on after it. */
        if (failed && !(THRUM_LEAVING_(coro) & THRUM_IN_FINALLY_))
            coro->result = 0;
        coro->resume = (coro->resume & ~THRUM_LABEL_MASK_) | scope->label;
        return true;
    }
    return false;
}

static const block_verbs verbs = {thrum_unwind, NULL, NULL};

/* A body may have come back by a goto; or another task has the scope open, which then would never be closed. What is
 * left of a loop that was closed is neither. */
static void must_not_have(thrum_task *task, void *context)
{
    const thrum_task *enters = thrum_state_here()->current;
    for (const thrum_scope *open = task->scopes; open; open = open->outer)
        if (THRUM_UNLIKELY_((const void *)open == context))
            thrum_panic("a block was entered again that is still open", function_of(enters->leaf),
                        line_of(enters->leaf));
}

static THRUM_COLD_ void must_be_closed(thrum_scope *scope)
{
    thrum_core_each_task(must_not_have, scope);
}

/* A shield has opened, or a block in a scope that goes on cancelling. */
static THRUM_COLD_ bool link_more(thrum_task *task, thrum_scope *scope)
{
    if (scope->flags & SCOPE_SHIELD)
        block_shield_begin(task, scope);
    else
        scope->flags |= SCOPE_LEVELLED;
    return false;
}

/* Gives false, as thrum_scope_entered_() does: so the rare case is a jump. */
static THRUM_INLINE_ bool link_scope(thrum_task *task, thrum_scope *scope, uint32_t label, unsigned flags,
                                     uint8_t phase)
{
    const thrum_scope *outer = task->scopes;
    set_block_verbs(&verbs, false);
    scope->outer = task->scopes;
    scope->owner = task->leaf;
    scope->label = (uint16_t)label;
    scope->error = 0;
    scope->flags = (uint8_t)(flags | SCOPE_OPEN);
    scope->phase = phase;
    task->scopes = scope;
    if (THRUM_UNLIKELY_(flags & SCOPE_SHIELD) || (outer && THRUM_UNLIKELY_(outer->flags & SCOPE_LEVELLED)))
        return link_more(task, scope);
    return false;
}

void thrum_scope_begin_(thrum_task *task, thrum_scope *scope)
{
    (void)task;
    if (THRUM_UNLIKELY_(scope->phase != THRUM_OVER_))
        must_be_closed(scope);
    scope->exit = NULL;
    scope->flags = 0;
    scope->phase = THRUM_ENTERING_;
}

void thrum_try_begin_(thrum_task *task, thrum_scope *scope, uint32_t label)
{
    if (THRUM_UNLIKELY_(scope->phase != THRUM_OVER_))
        must_be_closed(scope);
    (void)link_scope(task, scope, label, SCOPE_TRY, THRUM_BODY_);
}

bool thrum_scope_entered_(thrum_task *task, thrum_scope *scope, uint32_t label)
{
    if (task->waiter.node.error) {
        scope->phase = THRUM_OVER_;
        return true;
    }
    /* `flags` is what the enter operation has set; thrum_scope_next_() goes on to the body. */
    return link_scope(task, scope, label, scope->flags, THRUM_ENTERING_);
}

void thrum_try_next_(thrum_task *task, thrum_scope *scope)
{
    if (scope->phase == THRUM_BODY_ && task->scopes == scope)
        task->scopes = scope->outer;
    scope->phase = THRUM_OVER_;
}

thrum_step thrum_scope_exit_(thrum_task *task, thrum_scope *scope, uint32_t resume)
{
    thrum_step step = {THRUM_DONE_};
    thrum_coro *coro = task->leaf;
    uint8_t late = task->waiter.node.flags & TASK_LATE;
    task->waiter.node.flags &= (uint8_t)~TASK_LATE; /* an exit always begins */
    if (task->scopes == scope) {
        task->scopes = scope->outer;
        scope->flags &= (uint8_t)~SCOPE_OPEN;
    }
    coro->resume = (coro->resume & (THRUM_FAILED_ | THRUM_IN_FINALLY_)) | resume;
    thrum_awaitable exit = {0};
    if (scope->exit)
        exit = scope->exit(scope);
    if (exit.word)
        step = thrum_begin(task, exit);
    if (THRUM_UNLIKELY_(late) && task->waiter.node.flags & TASK_MUST_CANCEL)
        task->waiter.node.flags |= TASK_LATE;
    return step;
}

bool thrum_scope_left_(thrum_task *task, thrum_scope *scope)
{
    int32_t error = task->waiter.node.error;
    scope->phase = THRUM_OVER_;
    if (error) {
        /* The exit's own error replaces what was in flight. */
        if (scope->error && scope->error != error)
            thrum_detail_context(task, error, scope->error);
        return true;
    }
    if (scope->error) {
        task->waiter.node.error = scope->error;
        thrum_detail_raised(task, (int)scope->error);
        return true;
    }
    return (scope->flags & SCOPE_LEFT_BY_RETURN) != 0;
}

bool thrum_catch_(thrum_task *task, thrum_scope *scope, bool all)
{
    if (all || (scope->error != THRUM_ECANCELED && scope->error != THRUM_ELEFT)) {
        if (extension_of(task))
            thrum_detail_caught(task, (int)scope->error);
        return false;
    }
    scope->phase = THRUM_OVER_;
    task->waiter.node.error = scope->error;
    return true;
}
