/* Several things in the order in which they complete. */
#include <thrum/as_completed.h>

#include "core/operations.h"
#include "core/scheduler.h"
#include "sync/members.h"

/* Members that have completed and were not taken yet stand in a chain through `next` of their nodes. */
typedef struct completed_block {
    combinator base;
    thrum_completed *owner;
    thrum_handle timer;
    thrum_waiters waiters; /* tasks in thrum_completed_next() */
    thrum_member *first, *last;
    thrum_task *joiner; /* the block is over, and waits for what it adopted */
    size_t left;        /* to be taken */
    size_t running;
    thrum_time timeout;
    bool time_up;
} completed_block;

static void wake_one(completed_block *block)
{
    thrum_waiter *waiter = thrum_waiters_pop(&block->waiters);
    if (waiter)
        thrum_wake(waiter, 0, 0);
}

static void block_free(completed_block *block)
{
    if (block->owner)
        block->owner->block = NULL;
    thrum_frame_free(&block->base.frame.coro);
}

/* An error that nobody will look at any more. */
static void tell_error(const thrum_member *member)
{
    int error = member_error(member);
    const thrum_core_report report = {.message = "error of what completed was never retrieved", .error = error};
    if (error && error != THRUM_ECANCELED)
        thrum_core_tell(&report);
}

static void member_ended(member_set *set, thrum_member *member)
{
    completed_block *block = (completed_block *)(void *)combinator_of(set);
    block->running--;
    if (block->joiner) {
        tell_error(member);
        if (!set->adopted) {
            thrum_task *joiner = block->joiner;
            members_forget(set);
            block_free(block);
            thrum_wake(&joiner->waiter, 0, 0);
        }
        return;
    }
    if (block->time_up) {
        tell_error(member); /* adopted, too late */
        return;
    }
    member->handle.waiter.node.next = NULL;
    if (block->first)
        block->last->handle.waiter.node.next = &member->handle.waiter.node;
    else
        block->first = member;
    block->last = member;
    if (!block->running)
        thrum_handle_cancel(&block->timer);
    wake_one(block);
}

static void fire(thrum_handle *timer)
{
    completed_block *block = (completed_block *)timer->context;
    member_set *set = &block->base.set;
    block->time_up = true;
    for (size_t i = 0; i < set->count; i++)
        if (set->members[i].kind != MEMBER_ADOPTED && member_waits(&set->members[i]))
            member_forget(&set->members[i]);
    while (block->waiters.first)
        wake_one(block);
}

/* ---- taking ---- */

static thrum_member *take(completed_block *block)
{
    thrum_member *member = block->first;
    block->first = (thrum_member *)(void *)member->handle.waiter.node.next;
    block->left--;
    return member;
}

static thrum_step next_step(thrum_task *task, thrum_completed *completed)
{
    completed_block *block = completed->block;
    if (!block)
        return thrum_done(task, THRUM_ESTATE, 0);
    if (block->first)
        return thrum_done(task, 0, (thrum_value)(take(block) - block->base.set.members));
    if (!block->left)
        return thrum_done(task, THRUM_ESTOP, 0);
    if (block->time_up) {
        block->left--;
        return thrum_done(task, THRUM_ETIMEDOUT, 0);
    }
    thrum_waiters_add(&block->waiters, &task->waiter);
    return thrum_parked(task);
}

static thrum_step next_start(thrum_task *task, thrum_record *record)
{
    return next_step(task, (thrum_completed *)record->object);
}

static thrum_step next_resume(thrum_task *task)
{
    return next_step(task, (thrum_completed *)task->object);
}

static thrum_cancel_result next_cancel(thrum_task *task)
{
    completed_block *block = ((thrum_completed *)task->object)->block;
    if (!thrum_task_woken(task))
        thrum_waiters_remove(&block->waiters, &task->waiter);
    else if (block && block->first)
        wake_one(block); /* what it was woken for is another one's */
    return THRUM_DETACHED;
}

static void next_awaits(thrum_task *task, thrum_awaits *tell, void *context)
{
    const completed_block *block = ((const thrum_completed *)task->object)->block;
    if (block)
        members_tell(&block->base.set, tell, context);
}

static const thrum_operations next_operations = {
    next_start, next_resume, next_cancel, NULL, THRUM_NAMED_("as_completed"), next_awaits};

thrum_awaitable thrum_completed_next(thrum_completed *completed)
{
    return make_awaitable(thrum_state_here(), &next_operations, completed, 0);
}

thrum_iterable thrum_completed_each(thrum_completed *completed)
{
    return thrum_iterable_make(&next_operations, completed, 0, 0);
}

/* ---- the block ---- */

static thrum_step exit_start(thrum_task *task, thrum_record *record)
{
    completed_block *block = (completed_block *)record->object;
    block->joiner = task;
    members_cancel_adopted(&block->base.set);
    return thrum_parked(task);
}

/* What it adopted was cancelled already: a cancellation comes out when that has ended. */
static thrum_cancel_result exit_cancel(thrum_task *task)
{
    return thrum_task_woken(task) ? THRUM_DETACHED : THRUM_REFUSED;
}

static void exit_awaits(thrum_task *task, thrum_awaits *tell, void *context)
{
    members_tell(&((const completed_block *)task->object)->base.set, tell, context);
}

static const thrum_operations exit_operations = {exit_start, NULL, exit_cancel, NULL, THRUM_NAMED_("as_completed"),
                                                 exit_awaits};

static thrum_awaitable block_exit(thrum_scope *scope)
{
    completed_block *block = ((thrum_completed *)(void *)scope)->block;
    member_set *set = &block->base.set;
    thrum_handle_cancel(&block->timer);
    while (block->first)
        tell_error(take(block));
    for (size_t i = 0; i < set->count; i++)
        if (set->members[i].kind != MEMBER_ADOPTED && set->members[i].object && !member_waits(&set->members[i]))
            tell_error(&set->members[i]); /* done, and not told yet */
    block->left = 0;
    while (block->waiters.first)
        wake_one(block);
    if (set->adopted)
        return thrum_exit_make(&exit_operations, block);
    members_forget(set);
    block_free(block);
    return THRUM_NOTHING;
}

static thrum_step open_start(thrum_task *task, thrum_record *record)
{
    completed_block *block = (completed_block *)record->object;
    thrum_completed *completed = block->owner;
    member_set *set = &block->base.set;
    if (completed->block) {
        block->owner = NULL;
        members_forget(set);
        block_free(block);
        return thrum_done(task, THRUM_ESTATE, 0);
    }
    completed->block = block;
    completed->scope.exit = block_exit;
    block->left = block->running = set->count;
    /* Such that are over at once because there is no memory are told of like the rest. */
    for (size_t i = 0; i < set->count; i++)
        if (member_start(&set->members[i], true))
            member_ended(set, &set->members[i]);
    if (block->timeout != THRUM_NEVER && block->running)
        thrum_call_later(block->timeout, &block->timer);
    return thrum_done(task, 0, 0);
}

static void open_drop(thrum_record *record)
{
    completed_block *block = (completed_block *)record->object;
    block->owner = NULL;
    members_forget(&block->base.set);
    block_free(block);
}

static const thrum_operations open_operations = {open_start, NULL, NULL, open_drop, THRUM_NAMED_("as_completed"), NULL};

/* The block is a frame that stands on no task's chain: it is only there so that it goes when its loop closes. */
static const thrum_function block_function = {
    {NULL, NULL, NULL, NULL, "thrum_completed", NULL}, __FILE__, THRUM_SIZED_STORE, 0, 0, THRUM_NO_SLOT_, __LINE__};

thrum_awaitable thrum_completed_open_array(thrum_completed *completed, thrum_time timeout, size_t count,
                                           const thrum_awaitable *what)
{
    completed_block *block = (completed_block *)(void *)combinator_new(&block_function, sizeof *block, count, what);
    if (!block)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    block->base.frame.coro.caller = FRAME_BESIDE;
    block->base.set.ended = member_ended;
    thrum_handle_init(&block->timer, fire, block);
    block->owner = completed;
    block->timeout = timeout;
    return thrum_awaitable_make(&open_operations, block, 0, 0);
}

/* ---- asking ---- */

static const thrum_member *ended_member(const thrum_completed *completed, size_t place)
{
    const completed_block *block = completed->block;
    if (!block || place >= block->base.set.count)
        return NULL;
    return &block->base.set.members[place];
}

size_t thrum_completed_left(const thrum_completed *completed)
{
    return completed->block ? completed->block->left : 0;
}

int thrum_completed_result(const thrum_completed *completed, size_t place, thrum_value *value)
{
    const thrum_member *member = ended_member(completed, place);
    if (!member)
        return THRUM_EINVAL;
    if (member->object)
        return THRUM_EPENDING;
    if (value)
        *value = member_value(member);
    return member_error(member);
}

const thrum_error *thrum_completed_error(const thrum_completed *completed, size_t place)
{
    const thrum_member *member = ended_member(completed, place);
    return member && !member->object ? member->detail : NULL;
}
