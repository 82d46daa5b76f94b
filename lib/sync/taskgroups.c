/* Task groups. A child that ends tells its group one pass later, as asyncio's done callback does; the group's block
 * ends one pass after the last of them did. */
#include <thrum/taskgroups.h>

#include "core/checks.h"
#include "core/coroutines.h"
#include "core/details.h"
#include "core/memory.h"
#include "core/scheduler.h"
#include "sync/limits.h"
#include "sync/taskgroups.h"

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

static void ask_parent(thrum_group *group)
{
    group->flags |= GROUP_PARENT_ASKED;
    thrum_cancel_by(group->parent, &group->scope);
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
    retrieved(task);
    if (child->start) {
        child->start->failed(child->start, task, error); /* it did not come to be ready, and is none of the group's */
    } else if (error && error != THRUM_ECANCELED) {
        note_error(group, task, error);
        if ((error == THRUM_EINTERRUPTED || error == THRUM_EEXIT) && !group->base_error)
            group->base_error = (int32_t)error;
        if (!(group->flags & (GROUP_ABORTING | GROUP_PARENT_ASKED))) {
            cancel_children(group);
            ask_parent(group);
        }
    }
    if (child->kept) {
        child->next = group->kept;
        group->kept = child;
    } else {
        thrum_child_free(thrum_state_here(), task);
    }
}

typedef struct newcomer {
    thrum_group *group;
    child_start *start;
    bool kept;
} newcomer;

static void child_init(thrum_child *child, const newcomer *made)
{
    child->ended = child_ended;
    child->start = made->start;
    child->kept = made->kept;
    add(made->group, child);
}

static void child_made(thrum_task *task, void *context)
{
    child_init((thrum_child *)(void *)task, (const newcomer *)context);
}

/* In another thread than its own nothing is done with an open group. */
static bool is_ours(const thrum_group *group)
{
    return !doubtful(thrum_state_here()) ||
           thrum_check_scope(
               group->parent, &group->scope,
               "a group of another loop was used in this thread: thrum_call_soon_threadsafe() is for that",
               "a group was moved while it is open");
}

static bool may_spawn(thrum_group *group)
{
    bool open = group->state == GROUP_OPEN || (group->state == GROUP_JOINING && group->children);
    bool can = open && !(group->flags & GROUP_ABORTING);
    group->spawn_error = can ? 0 : THRUM_ESTATE;
    return can && is_ours(group);
}

static thrum_child *child_new(thrum_group *group, thrum_awaitable what, const thrum_spawn_options *options, bool kept,
                              child_start *start)
{
    if (!may_spawn(group)) {
        thrum_drop(what);
        return NULL;
    }
    newcomer made = {group, start, kept};
    const thrum_spawn_kind kind = {sizeof(thrum_child), TASK_CHILD, child_made, &made};
    thrum_spawn_options all = {.size = sizeof all};
    if (options)
        memcpy(&all, options, options->size < sizeof all ? options->size : sizeof all);
    all.size = sizeof all;
    all.kind = &kind;
    thrum_task *task = thrum_spawn_with(what, &all);
    if (task && !(task->waiter.node.flags & TASK_CHILD)) {
        /* A factory made another one. */
        thrum_task_cancel(task);
        thrum_task_release(task);
        group->spawn_error = THRUM_EINVAL;
        return NULL;
    }
    group->spawn_error = task ? 0 : THRUM_ENOMEM; /* the child may have spawned others */
    if (task && group->flags & GROUP_ABORTING && !thrum_task_done(task))
        thrum_task_cancel(task); /* its first step cancelled the group, and it was not among those that knew */
    return (thrum_child *)(void *)task;
}

/* Without options, where nobody else has a say in what becomes of it: a program that has no others does not have what
 * they take linked in. */
static thrum_child *plain_child_new(thrum_group *group, thrum_awaitable what, bool kept, child_start *start)
{
#if UNUSUAL_POSSIBLE_
    return child_new(group, what, NULL, kept, start);
#else
    if (!may_spawn(group)) {
        thrum_drop(what);
        return NULL;
    }
    const newcomer made = {group, start, kept};
    thrum_child *child = (thrum_child *)(void *)thrum_task_new(what, sizeof *child, TASK_CHILD);
    if (!child) {
        group->spawn_error = THRUM_ENOMEM;
        return NULL;
    }
    child_init(child, &made);
    thrum_task_schedule(&child->task);
    return child;
#endif
}

thrum_task *thrum_group_spawn(thrum_group *group, thrum_awaitable what)
{
    thrum_child *child = plain_child_new(group, what, true, NULL);
    return child ? &child->task : NULL;
}

thrum_task *thrum_group_spawn_with(thrum_group *group, thrum_awaitable what, const thrum_spawn_options *options)
{
    thrum_child *child = child_new(group, what, options, true, NULL);
    return child ? &child->task : NULL;
}

thrum_task *thrum_group_spawn_starting(thrum_group *group, thrum_awaitable what, child_start *start)
{
    thrum_child *child = plain_child_new(group, what, true, start);
    return child ? &child->task : NULL;
}

int thrum_group_spawn_detached(thrum_group *group, thrum_awaitable what)
{
    (void)plain_child_new(group, what, false, NULL);
    return (int)group->spawn_error;
}

thrum_task *thrum_group_spawn_eager(thrum_group *group, thrum_awaitable what)
{
    const thrum_spawn_options options = {.size = sizeof options, .start = THRUM_START_EAGER};
    return thrum_group_spawn_with(group, what, &options);
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
    not_for_interrupts();
    if (group->state == GROUP_NEW)
        group->flags |= GROUP_CANCEL_ON_ENTRY;
    if (group->state != GROUP_OPEN && !(group->state == GROUP_JOINING && group->children))
        return;
    if (!is_ours(group))
        return;
    if (!(group->flags & GROUP_ABORTING))
        cancel_children(group);
    if (!(group->flags & GROUP_PARENT_ASKED))
        ask_parent(group);
}

static void tell_children(const thrum_group *group, thrum_awaits *tell, void *context)
{
    thrum_child *child = group->children;
    if (child)
        do {
            tell(context, &child->task, NULL);
            child = child->next;
        } while (child != group->children);
}

static void children_awaits(thrum_task *task, thrum_awaits *tell, void *context)
{
    tell_children((const thrum_group *)task->object, tell, context);
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

static const thrum_operations join_operations = {join_start,     NULL, join_cancel, NULL, THRUM_NAMED_("group join"),
                                                 children_awaits};

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
        thrum_child_free(thrum_state_here(), &child->task);
    }
    if (group->flags & GROUP_PARENT_ASKED) {
        if (take_back(task, 0))
            group->flags &= (uint8_t)~GROUP_PROPAGATE;
        else
            group->flags |= GROUP_PROPAGATE; /* somebody else asked as well */
    }
    if (group->flags & GROUP_PROPAGATE && !group->failures) {
        group->scope.error = THRUM_ECANCELED;
        return thrum_done(task, 0, 0);
    }
    if (error == THRUM_ELEFT && !group->failures && !group->base_error) {
        group->scope.error = error; /* the generator that the block stands in is being closed */
        return thrum_done(task, 0, 0);
    }
    if (error && error != THRUM_ECANCELED && error != THRUM_ELEFT)
        note_error(group, task, (int)error);
    if (group->base_error) {
        group->scope.error = group->base_error;
    } else if (group->failures) {
        if (task->waiter.node.count)
            thrum_cancel_now(task); /* asked from outside as well: the errors come first, this at the next await */
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

static const thrum_operations exit_operations = {exit_start, exit_resume,           exit_cancel,
                                                 NULL,       THRUM_NAMED_("group"), children_awaits};

static thrum_awaitable group_exit(thrum_scope *scope)
{
    return thrum_exit_make(&exit_operations, scope);
}

void thrum_group_awaits(const thrum_scope *scope, thrum_awaits *tell, void *context)
{
    if (scope->exit == group_exit)
        tell_children((const thrum_group *)(const void *)scope, tell, context);
}

static thrum_step enter_start(thrum_task *task, thrum_record *record)
{
    thrum_group *group = (thrum_group *)record->object;
    if (group->state == GROUP_OPEN || group->state == GROUP_JOINING)
        return thrum_done(task, THRUM_ESTATE, 0);
    bool cancel = group->state == GROUP_NEW && group->flags & GROUP_CANCEL_ON_ENTRY;
    memset(&group->parent, 0,
           sizeof *group - offsetof(thrum_group, parent)); /* not the block, which is being entered */
    group->scope.exit = group_exit;
    group->scope.flags = SCOPE_OF_TASK;
    group->parent = task;
    group->state = GROUP_OPEN;
    if (cancel)
        thrum_group_cancel(group);
    return thrum_done(task, 0, 0);
}

static const thrum_operations enter_operations = {enter_start, NULL, NULL, NULL, THRUM_NAMED_("group"), NULL};

thrum_awaitable thrum_group_open(thrum_group *group)
{
    return thrum_awaitable_make(&enter_operations, group, 0, 0);
}
