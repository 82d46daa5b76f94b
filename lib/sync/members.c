#include "sync/members.h"

#include <thrum/gather.h>

#include "core/details.h"
#include "core/memory.h"
#include "core/operations.h"
#include "core/scheduler.h"

static void detail_release(thrum_error *detail)
{
#if THRUM_DETAILS
    thrum_detail_release(detail);
#else
    (void)detail;
#endif
}

/* ---- one ---- */

static member_set *set_of(const thrum_member *member)
{
    return (member_set *)member->handle.context;
}

static void handle_called(thrum_handle *handle)
{
    thrum_member *member = (thrum_member *)(void *)handle;
    member->object = NULL;
    set_of(member)->ended(set_of(member), member);
}

void member_by_handle(thrum_member *member, member_set *set, uint8_t kind, void *object)
{
    memset(member, 0, sizeof *member);
    member->handle.call = handle_called;
    member->handle.context = set;
    member->handle.waiter.node.flags = HANDLE_MEMBER;
    member->kind = kind;
    member->object = object;
}

void member_init(thrum_member *member, member_set *set, thrum_awaitable what)
{
    const thrum_record *record = (const thrum_record *)(const void *)head_of(what);
    const thrum_operations *operations = record->head.operations;
    uint8_t kind = operations == &thrum_task_wait_operations     ? MEMBER_TASK
                   : operations == &thrum_future_wait_operations ? MEMBER_FUTURE
                                                                 : MEMBER_NEW;
    member_by_handle(member, set, kind, kind == MEMBER_NEW ? (void *)what.word : record->object);
    if (kind != MEMBER_NEW)
        thrum_drop(what);
}

/* The outcome of a child, which goes. */
static void take_over(thrum_member *member, thrum_task *task)
{
    thrum_node *node = &member->handle.waiter.node;
    node->state = NODE_IDLE;
    node->error = task->waiter.node.error;
    member->handle.waiter.as.value = task->waiter.as.value;
    member->object = NULL;
#if THRUM_DETAILS
    member->detail = thrum_detail_take(task, (int)node->error, false);
#endif
    retrieved(task);
    thrum_child_free(thrum_state_here(), task);
    set_of(member)->adopted--;
}

static void child_ended(thrum_child *child)
{
    thrum_member *member = (thrum_member *)(void *)child->group;
    take_over(member, &child->task);
    set_of(member)->ended(set_of(member), member);
}

static bool over(thrum_member *member, int error, thrum_value value)
{
    member->handle.waiter.node.error = (int32_t)error;
    member->handle.waiter.as.value = value;
    member->object = NULL;
    return true;
}

static void child_made(thrum_task *task, void *context)
{
    thrum_member *member = (thrum_member *)context;
    thrum_child *child = (thrum_child *)(void *)task;
    child->ended = child_ended;
    child->group = (struct thrum_group *)context; /* only `ended` looks there */
    member->object = child;
    member->handle.waiter.node.state = NODE_PARKED;
    set_of(member)->adopted++;
}

static bool adopt(thrum_member *member, bool later)
{
    const thrum_spawn_kind kind = {sizeof(thrum_child), TASK_CHILD, child_made, member};
    const thrum_spawn_options options = {.size = sizeof options, .kind = &kind};
    thrum_awaitable what = {(uintptr_t)member->object};
    member->kind = MEMBER_ADOPTED;
    member->object = NULL;
    thrum_task *task = thrum_spawn_with(what, &options);
    if (task && !(task->waiter.node.flags & TASK_CHILD)) {
        /* A factory made another one. */
        thrum_task_cancel(task);
        thrum_task_release(task);
        return over(member, THRUM_EINVAL, 0);
    }
    if (!task)
        return over(member, THRUM_ENOMEM, 0);
    if (later || !thrum_task_done(task))
        return false;
    /* It began at once and has ended: it does not tell. */
    list_remove(&task->waiter.node);
    take_over(member, task);
    return true;
}

bool member_start(thrum_member *member, bool later)
{
    thrum_waiter *waiter = &member->handle.waiter;
    thrum_waiters *list;
    thrum_value value;
    int error;
    bool done;
    if (member->kind == MEMBER_NEW)
        return adopt(member, later);
    if (member->kind == MEMBER_TASK) {
        thrum_task *target = (thrum_task *)member->object;
        if (target == set_of(member)->task && !later)
            return over(member, THRUM_ESTATE, 0); /* it would wait for ever */
        done = thrum_task_done(target);
        error = (int)target->waiter.node.error;
        value = target->waiter.as.value;
        list = &target->waiters;
        if (THRUM_UNLIKELY_(task_was_released(target))) {
            error = thrum_released(target);
            value = 0;
        } else if (done && waiter->node.flags & HANDLE_MEMBER) {
            retrieved(target);
            member->detail = thrum_detail_keep(target);
        }
    } else {
        thrum_future *target = (thrum_future *)member->object;
        done = thrum_future_done(target);
        error = (int)target->error;
        value = target->value;
        list = &target->waiters;
    }
    if (done && !later)
        return over(member, error, value);
    waiter->node.state = NODE_PARKED;
    if (done) {
        thrum_wake(waiter, error, value);
    } else {
        waiter->as.list = list;
        thrum_waiters_add(list, waiter);
    }
    return false;
}

bool member_cancel(thrum_member *member)
{
    if (!member_waits(member))
        return false;
    if (member->kind == MEMBER_FUTURE)
        return thrum_future_cancel((thrum_future *)member->object);
    return thrum_task_cancel((thrum_task *)member->object); /* a child begins with its task */
}

void member_forget(thrum_member *member)
{
    if (member->kind == MEMBER_NEW && member->object) {
        thrum_awaitable what = {(uintptr_t)member->object};
        member->object = NULL;
        thrum_drop(what);
    } else if (member->kind == MEMBER_TASK || member->kind == MEMBER_FUTURE) {
        thrum_handle_cancel(&member->handle);
    }
    detail_release(member->detail);
    member->detail = NULL;
}

void member_detail(thrum_member *member, thrum_task *task)
{
#if THRUM_DETAILS
    if (member->detail)
        thrum_detail_give(task, member->detail);
    member->detail = NULL;
#else
    (void)member, (void)task;
#endif
}

/* ---- all ---- */

void members_forget(member_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        member_forget(&set->members[i]);
}

void members_cancel_adopted(member_set *set)
{
    for (size_t i = 0; set->adopted && i < set->count; i++)
        if (set->members[i].kind == MEMBER_ADOPTED)
            member_cancel(&set->members[i]);
}

void members_tell(const member_set *set, thrum_awaits *tell, void *context)
{
    for (size_t i = 0; i < set->count; i++) {
        const thrum_member *member = &set->members[i];
        if (!member_waits(member))
            continue;
        if (member->kind == MEMBER_FUTURE)
            tell(context, NULL, (thrum_future *)member->object);
        else
            tell(context, (thrum_task *)member->object, NULL);
    }
}

#if THRUM_DETAILS
/* A detail that others see as well cannot stand in a list of ours. */
static thrum_error *own_detail(thrum_error *detail, thrum_task *task)
{
    if (!detail || detail->references == 1)
        return detail;
    thrum_error *own = thrum_detail_take(task, 0, true);
    if (own) {
        *own = *detail;
        own->references = 1;
        own->next = own->errors = NULL;
    }
    thrum_detail_release(detail);
    return own;
}
#endif

size_t members_errors(member_set *set, thrum_task *task, const char *operation, struct thrum_outcome *outcomes)
{
    size_t failures = 0;
    for (size_t i = 0; i < set->count; i++)
        failures += member_error(&set->members[i]) != 0;
    if (!failures)
        return 0;
#if THRUM_DETAILS
    thrum_error_set(THRUM_EGROUP, 0, operation, (int64_t)failures, NULL);
    thrum_error *group = thrum_detail_take(task, THRUM_EGROUP, true);
    thrum_error **last = group ? &group->errors : NULL;
    for (size_t i = 0; group && i < set->count; i++) {
        thrum_member *member = &set->members[i];
        int error = member_error(member);
        if (!error)
            continue;
        thrum_error *detail = own_detail(member->detail, task);
        member->detail = NULL;
        if (!detail && (detail = thrum_detail_take(task, 0, true)) != NULL)
            detail->code = (int32_t)error;
        if (!detail)
            continue;
        detail->next = NULL;
        *last = detail;
        last = &detail->next;
        if (outcomes)
            outcomes[i].detail = detail;
    }
    if (group)
        thrum_detail_give(task, group);
#else
    (void)task, (void)operation, (void)outcomes;
#endif
    return failures;
}

/* ---- the frame ---- */

/* Its loop closes, perhaps: what it waited for may be gone. */
static void frame_end(thrum_sized_frame *frame)
{
    member_set *set = &((combinator *)(void *)frame)->set;
    for (size_t i = 0; i < set->count; i++)
        detail_release(set->members[i].detail);
}

static size_t aligned(size_t size)
{
    size_t to = _Alignof(thrum_member);
    return (size + to - 1) / to * to;
}

combinator *combinator_new(const thrum_function *function, size_t size, size_t count, const thrum_awaitable *what)
{
    combinator *made = NULL;
    size = aligned(size);
    if (count <= (SIZE_MAX / 2 - size) / sizeof(thrum_member))
        made = (combinator *)(void *)thrum_sized_frame_new(function, size + count * sizeof(thrum_member), frame_end);
    if (!made) {
        for (size_t i = 0; what && i < count; i++)
            thrum_drop(what[i]); /* another one each time; thrum-check: ignore thrum-awaitable-reused */
        return NULL;
    }
    memset((char *)made + sizeof made->frame, 0, size - sizeof made->frame);
    made->set.members = (thrum_member *)(void *)((char *)made + size);
    made->set.count = count;
    for (size_t i = 0; what && i < count; i++)
        member_init(&made->set.members[i], &made->set, what[i]);
    return made;
}

void combinator_drop(thrum_record *record)
{
    members_forget(&((combinator *)(void *)record)->set);
}

bool combinator_begun(thrum_task *task, const thrum_operations *operations, thrum_step *step)
{
    combinator *frame = (combinator *)(void *)task->leaf;
    if (frame->frame.coro.resume)
        return true;
    frame->frame.coro.resume = 1;
    frame->set.task = task;
    bool before = task->waiter.node.flags & TASK_MUST_CANCEL;
    *step = thrum_begin(task, make_awaitable(thrum_state_here(), operations, frame, 0));
    if (task->waiter.node.flags & TASK_MUST_CANCEL && !before && task->waiter.node.state == NODE_PARKED) {
        /* By a child that began at once. */
        task->waiter.node.flags &= (uint8_t)~TASK_MUST_CANCEL;
        thrum_cancel_parked(thrum_state_here(), task);
    }
    return step->what == THRUM_DONE_;
}

thrum_step combinator_end(combinator *frame, int32_t error, thrum_value value)
{
    thrum_step step = {THRUM_DONE_};
    members_forget(&frame->set);
    frame->set.task->waiter.node.error = 0;
    if (error)
        THRUM_LEAVING_(&frame->frame.coro) |= THRUM_FAILED_;
    frame->frame.coro.result = error ? error : value;
    return step;
}

void combinator_awaits(thrum_task *task, thrum_awaits *tell, void *context)
{
    members_tell(&((combinator *)task->object)->set, tell, context);
}
