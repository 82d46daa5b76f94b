/* Task groups. A child that ends tells its group one pass later, as asyncio's done callback does; the group's block
 * ends one pass after the last of them did. */
#include <thrum/taskgroups.h>

#include "core/coroutines.h"
#include "core/details.h"
#include "core/scheduler.h"

enum { GROUP_NEW, GROUP_OPEN, GROUP_JOINING, GROUP_OVER };

enum {
    GROUP_ABORTING = 1,        /* the children were cancelled */
    GROUP_PARENT_ASKED = 2,    /* and the parent, by us */
    GROUP_PROPAGATE = 4,       /* a cancellation from outside that must go on */
    GROUP_CANCEL_ON_ENTRY = 8, /* thrum_group_cancel() came first */
    GROUP_INTERRUPTED = 16,    /* the parent was cancelled while it waits for the children */
    GROUP_WAITED = 32          /* the parent waits for the children at the end of the block */
};

/* ---- children ---- */

static void add(thrum_group *group, thrum_child *child)
{
    child->group = group;
    if (!group->children) {
        group->children = child->next = child->previous = child;
        return;
    }
    child->next = group->children;
    child->previous = group->children->previous;
    child->previous->next = child;
    child->next->previous = child;
}

static void take_out(thrum_group *group, thrum_child *child)
{
    if (child->next == child) {
        group->children = NULL;
        return;
    }
    child->previous->next = child->next;
    child->next->previous = child->previous;
    if (group->children == child)
        group->children = child->next;
}

static void cancel_children(thrum_group *group)
{
    thrum_child *child = group->children;
    group->flags |= GROUP_ABORTING;
    if (child)
        do {
            thrum_task_cancel(&child->task);
            child = child->next;
        } while (child != group->children);
}

static void note_error(thrum_group *group, thrum_task *task, int error)
{
    group->failures++;
#if THRUM_DETAILS
    thrum_error *detail = thrum_detail_take(task, error, true);
    if (detail) {
        detail->next = NULL;
        if (group->last_error)
            group->last_error->next = detail;
        else
            group->errors = detail;
        group->last_error = detail;
    }
#else
    (void)task, (void)error;
#endif
}

static void child_ended(thrum_child *child)
{
    thrum_group *group = child->group;
    thrum_task *task = &child->task;
    int error = (int)task->waiter.node.error;
    take_out(group, child);
    if (!group->children && group->joiner) {
        thrum_task *joiner = group->joiner;
        group->joiner = NULL;
        thrum_wake(&joiner->waiter, 0, 0);
    }
    if (!group->children && group->flags & GROUP_WAITED) {
        group->flags &= (uint8_t)~GROUP_WAITED;
        thrum_wake(&group->parent->waiter, 0, 0);
    }
    task->waiter.node.flags |= TASK_RETRIEVED;
    if (error && error != THRUM_ECANCELED) {
        note_error(group, task, error);
        if ((error == THRUM_EINTERRUPTED || error == THRUM_EEXIT) && !group->base_error)
            group->base_error = (int32_t)error;
        if (!(group->flags & (GROUP_ABORTING | GROUP_PARENT_ASKED))) {
            cancel_children(group);
            group->flags |= GROUP_PARENT_ASKED;
            thrum_task_cancel(group->parent);
        }
    }
    if (child->kept) {
        child->next = group->kept;
        group->kept = child;
    } else {
        thrum_task_free(thrum_state_here(), task);
    }
}

static thrum_child *child_new(thrum_group *group, thrum_awaitable what, bool kept)
{
    bool open = group->state == GROUP_OPEN || (group->state == GROUP_JOINING && group->children);
    group->spawn_error = 0;
    if (!open || group->flags & GROUP_ABORTING) {
        thrum_drop(what);
        group->spawn_error = THRUM_ESTATE;
        return NULL;
    }
    thrum_child *child = (thrum_child *)(void *)thrum_task_new(what, sizeof *child, TASK_CHILD);
    if (!child) {
        group->spawn_error = THRUM_ENOMEM;
        return NULL;
    }
    child->ended = child_ended;
    child->kept = kept;
    add(group, child);
    return child;
}

thrum_task *thrum_group_spawn(thrum_group *group, thrum_awaitable what)
{
    thrum_child *child = child_new(group, what, true);
    if (!child)
        return NULL;
    thrum_task_schedule(&child->task);
    return &child->task;
}

int thrum_group_spawn_detached(thrum_group *group, thrum_awaitable what)
{
    thrum_child *child = child_new(group, what, false);
    if (child)
        thrum_task_schedule(&child->task);
    return (int)group->spawn_error;
}

thrum_task *thrum_group_spawn_eager(thrum_group *group, thrum_awaitable what)
{
    thrum_child *child = child_new(group, what, true);
    if (!child)
        return NULL;
    thrum_task_start_now(&child->task);
    if (group->flags & GROUP_ABORTING && !thrum_task_done(&child->task))
        thrum_task_cancel(&child->task); /* it cancelled the group, and was not among those that knew */
    return &child->task;
}

int thrum_group_error(const thrum_group *group)
{
    return (int)group->spawn_error;
}

size_t thrum_group_size(const thrum_group *group)
{
    size_t count = 0;
    const thrum_child *child = group->children;
    if (child)
        do {
            count++;
            child = child->next;
        } while (child != group->children);
    return count;
}

void thrum_group_cancel(thrum_group *group)
{
    if (group->state == GROUP_NEW)
        group->flags |= GROUP_CANCEL_ON_ENTRY;
    if (group->state != GROUP_OPEN && !(group->state == GROUP_JOINING && group->children))
        return;
    if (!(group->flags & GROUP_ABORTING))
        cancel_children(group);
    if (!(group->flags & GROUP_PARENT_ASKED)) {
        group->flags |= GROUP_PARENT_ASKED;
        thrum_task_cancel(group->parent);
    }
}

/* ---- waiting inside the block ---- */

static thrum_step join_start(thrum_task *task, thrum_record *record)
{
    thrum_group *group = (thrum_group *)record->object;
    if (!group->children)
        return thrum_done(task, 0, 0);
    if (group->joiner)
        return thrum_done(task, THRUM_EBUSY, 0);
    group->joiner = task;
    return thrum_parked(task);
}

static thrum_cancel_result join_cancel(thrum_task *task)
{
    thrum_group *group = (thrum_group *)task->object;
    /* Woken: the group may be gone. */
    if (!thrum_task_woken(task) && group->joiner == task)
        group->joiner = NULL;
    return THRUM_DETACHED;
}

static const thrum_operations join_operations = {join_start, NULL, join_cancel, NULL, "group join"};

thrum_awaitable thrum_group_join(thrum_group *group)
{
    return thrum_awaitable_make(&join_operations, group, 0, 0);
}

/* ---- the end of the block ---- */

/* All children have ended: what does the block end with? */
static thrum_step finish(thrum_task *task, thrum_group *group)
{
    int32_t error = group->scope.error;
    group->state = GROUP_OVER;
    group->scope.error = 0;
    while (group->kept) {
        thrum_child *child = group->kept;
        group->kept = child->next;
        thrum_task_free(thrum_state_here(), &child->task);
    }
    if (group->flags & GROUP_PARENT_ASKED) {
        if (thrum_task_uncancel(task) == 0)
            group->flags &= (uint8_t)~GROUP_PROPAGATE;
        else
            group->flags |= GROUP_PROPAGATE; /* somebody else asked as well */
    }
    if (group->flags & GROUP_PROPAGATE && !group->failures) {
        group->scope.error = THRUM_ECANCELED;
        return thrum_done(task, 0, 0);
    }
    if (error && error != THRUM_ECANCELED)
        note_error(group, task, (int)error);
    if (group->base_error) {
        group->scope.error = group->base_error;
    } else if (group->failures) {
        if (thrum_task_cancelling(task)) {
            /* Asked from outside as well: the errors come first, the cancellation at the next await. */
            thrum_task_uncancel(task);
            thrum_task_cancel(task);
        }
        group->scope.error = THRUM_EGROUP;
    }
#if THRUM_DETAILS
    if (group->failures) {
        thrum_error_set((int)group->scope.error, 0, "group", (int64_t)group->failures, NULL);
        thrum_error *own = thrum_detail_take(task, (int)group->scope.error, true);
        if (own) {
            own->errors = group->errors;
            thrum_detail_give(task, own);
        } else {
            while (group->errors) {
                thrum_error *next = group->errors->next;
                group->errors->next = NULL;
                thrum_detail_release(group->errors);
                group->errors = next;
            }
        }
        group->errors = group->last_error = NULL;
    }
#endif
    return thrum_done(task, 0, 0);
}

static thrum_step wait_or_finish(thrum_task *task, thrum_group *group)
{
    if (!group->children)
        return finish(task, group);
    group->flags |= GROUP_WAITED;
    return thrum_parked(task);
}

static thrum_step exit_start(thrum_task *task, thrum_record *record)
{
    thrum_group *group = (thrum_group *)record->object;
    group->state = GROUP_JOINING;
    if (group->scope.error == THRUM_ECANCELED)
        group->flags |= GROUP_PROPAGATE;
    if (group->scope.error && !(group->flags & GROUP_ABORTING))
        cancel_children(group);
    return wait_or_finish(task, group);
}

/* While the children are waited for: the first cancellation from outside goes to them, and out at the end. It arrives a
 * pass after it was asked for, as any other does. */
static thrum_step exit_resume(thrum_task *task)
{
    thrum_group *group = (thrum_group *)task->object;
    if (group->flags & GROUP_INTERRUPTED) {
        group->flags &= (uint8_t)~GROUP_INTERRUPTED;
        if (!(group->flags & GROUP_ABORTING)) {
            group->flags |= GROUP_PROPAGATE;
            cancel_children(group);
        }
    }
    return wait_or_finish(task, group);
}

static thrum_cancel_result exit_cancel(thrum_task *task)
{
    thrum_group *group = (thrum_group *)task->object;
    group->flags = (uint8_t)((group->flags | GROUP_INTERRUPTED) & ~GROUP_WAITED);
    thrum_wake(&task->waiter, 0, 0);
    return THRUM_FORWARDED;
}

static const thrum_operations exit_operations = {exit_start, exit_resume, exit_cancel, NULL, "group"};

static thrum_awaitable group_exit(thrum_scope *scope)
{
    return thrum_exit_make(&exit_operations, scope);
}

static thrum_step enter_start(thrum_task *task, thrum_record *record)
{
    thrum_group *group = (thrum_group *)record->object;
    if (group->state == GROUP_OPEN || group->state == GROUP_JOINING)
        return thrum_done(task, THRUM_ESTATE, 0);
    bool cancel = group->state == GROUP_NEW && group->flags & GROUP_CANCEL_ON_ENTRY;
    group->scope.exit = group_exit;
    group->parent = task;
    group->children = group->kept = NULL;
    group->errors = group->last_error = NULL;
    group->joiner = NULL;
    group->failures = 0;
    group->base_error = group->spawn_error = 0;
    group->flags = 0;
    group->state = GROUP_OPEN;
    if (cancel)
        thrum_group_cancel(group);
    return thrum_done(task, 0, 0);
}

static const thrum_operations enter_operations = {enter_start, NULL, NULL, NULL, "group"};

thrum_awaitable thrum_group_open(thrum_group *group)
{
    return thrum_awaitable_make(&enter_operations, group, 0, 0);
}
