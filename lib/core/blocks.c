/* Blocks: what the loops of WITH and TRY call. A scope goes through the phases ENTERING, BODY, EXITING and OVER; while
 * its body runs it stands on the task's list, so that whoever leaves the frame finds it (unwind() in coroutines.c). */
#include "core/coroutines.h"
#include "core/details.h"
#include "core/panic.h"
#include "core/state.h"

static void must_be_closed(thrum_task *task, const thrum_scope *scope)
{
    /* Only the top of the list can be this very scope of a body that came back by a goto. */
    for (const thrum_scope *open = task->scopes; open; open = open->outer)
        if (THRUM_UNLIKELY_(open == scope))
            thrum_panic("a block was entered again that is still open", function_of(task->leaf), line_of(task->leaf));
}

static void link_scope(thrum_task *task, thrum_scope *scope, uint32_t label, uint8_t flags)
{
    scope->outer = task->scopes;
    scope->owner = task->leaf;
    scope->label = (uint16_t)label;
    scope->error = 0;
    scope->flags = flags | SCOPE_OPEN;
    scope->phase = THRUM_BODY_;
    task->scopes = scope;
}

void thrum_scope_begin_(thrum_task *task, thrum_scope *scope)
{
    if (THRUM_UNLIKELY_(scope->phase != THRUM_OVER_))
        must_be_closed(task, scope);
    scope->exit = NULL;
    scope->flags = 0;
    scope->phase = THRUM_ENTERING_;
}

void thrum_try_begin_(thrum_task *task, thrum_scope *scope, uint32_t label)
{
    if (THRUM_UNLIKELY_(scope->phase != THRUM_OVER_))
        must_be_closed(task, scope);
    link_scope(task, scope, label, SCOPE_TRY);
}

bool thrum_scope_entered_(thrum_task *task, thrum_scope *scope, uint32_t label)
{
    if (task->waiter.node.error) {
        scope->phase = THRUM_OVER_;
        return true;
    }
    link_scope(task, scope, label, 0);
    scope->phase = THRUM_ENTERING_; /* thrum_scope_next_() goes on to the body */
    return false;
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
        return true;
    }
    return (scope->flags & SCOPE_LEFT_BY_RETURN) != 0;
}

bool thrum_catch_(thrum_task *task, thrum_scope *scope, bool all)
{
    if (all || scope->error != THRUM_ECANCELED)
        return false;
    scope->phase = THRUM_OVER_;
    task->waiter.node.error = scope->error;
    return true;
}
