/* Some of several tasks and futures. */
#include <thrum/wait.h>

#include "sync/members.h"

typedef struct wait_frame {
    combinator base;
    thrum_handle timer;
    bool *done;
    size_t left;
    thrum_time timeout;
    uint8_t until;
} wait_frame;

static void wait_over(wait_frame *frame)
{
    thrum_handle_cancel(&frame->timer);
    thrum_wake(&frame->base.set.task->waiter, 0, 0);
}

static void member_ended(member_set *set, thrum_member *member)
{
    wait_frame *frame = (wait_frame *)(void *)combinator_of(set);
    int error = member_error(member);
    frame->left--;
    if (!frame->left || frame->until == THRUM_FIRST_COMPLETED ||
        (frame->until == THRUM_FIRST_EXCEPTION && error && error != THRUM_ECANCELED))
        wait_over(frame);
}

static void time_up(thrum_handle *timer)
{
    thrum_wake(&((wait_frame *)timer->context)->base.set.task->waiter, 0, 0);
}

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    wait_frame *frame = (wait_frame *)record->object;
    member_set *set = &frame->base.set;
    if (frame->timeout != THRUM_NEVER)
        thrum_call_later(frame->timeout, &frame->timer);
    frame->left = set->count;
    for (size_t i = 0; i < set->count; i++)
        member_start(&set->members[i], true);
    return thrum_parked(task);
}

static thrum_cancel_result wait_cancel(thrum_task *task)
{
    (void)task;
    return THRUM_DETACHED;
}

static const thrum_operations wait_operations = {wait_start,       NULL, wait_cancel, NULL, THRUM_NAMED_("wait"),
                                                 combinator_awaits};

static thrum_step wait_step(thrum_task *task)
{
    wait_frame *frame = (wait_frame *)(void *)task->leaf;
    member_set *set = &frame->base.set;
    thrum_step step;
    thrum_value count = 0;
    if (!combinator_begun(task, &wait_operations, &step))
        return step;
    int32_t error = task->waiter.node.error;
    thrum_handle_cancel(&frame->timer);
    for (size_t i = 0; !error && i < set->count; i++) {
        bool done = !member_waits(&set->members[i]); /* which may not have been told yet */
        count += done;
        if (frame->done)
            frame->done[i] = done;
    }
    return combinator_end(&frame->base, error, count);
}

static const thrum_function wait_function = {{NULL, wait_step, NULL, combinator_drop, "thrum_wait", NULL},
                                             __FILE__,
                                             THRUM_SIZED_STORE,
                                             0,
                                             0,
                                             THRUM_NO_SLOT_,
                                             __LINE__};

static wait_frame *wait_new(size_t count, thrum_wait_until until, thrum_time timeout, bool *done)
{
    wait_frame *frame = (wait_frame *)(void *)combinator_new(&wait_function, sizeof *frame, count, NULL);
    if (!frame)
        return NULL;
    frame->base.set.ended = member_ended;
    thrum_handle_init(&frame->timer, time_up, frame);
    frame->until = (uint8_t)until;
    frame->timeout = timeout;
    frame->done = done;
    return frame;
}

static bool valid(size_t count, thrum_wait_until until)
{
    return count && (until == THRUM_ALL_COMPLETED || until == THRUM_FIRST_COMPLETED || until == THRUM_FIRST_EXCEPTION);
}

static void add(wait_frame *frame, size_t i, uint8_t kind, void *object)
{
    thrum_member *member = &frame->base.set.members[i];
    member_by_handle(member, &frame->base.set, kind, object);
    member->handle.waiter.node.flags = 0; /* to look at an error is left to who holds the task */
}

static thrum_awaitable awaitable_of(wait_frame *frame)
{
    thrum_awaitable made = {(uintptr_t)(void *)frame};
    return made;
}

thrum_awaitable thrum_wait_tasks(size_t count, thrum_task *const *tasks, thrum_wait_until until, thrum_time timeout,
                                 bool *done)
{
    bool good = valid(count, until);
    for (size_t i = 0; good && i < count; i++)
        good = tasks[i] != NULL;
    if (!good)
        return thrum_awaitable_failing(THRUM_EINVAL);
    wait_frame *frame = wait_new(count, until, timeout, done);
    if (!frame)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    for (size_t i = 0; i < count; i++)
        add(frame, i, MEMBER_TASK, tasks[i]);
    return awaitable_of(frame);
}

thrum_awaitable thrum_wait_futures(size_t count, thrum_future *const *futures, thrum_wait_until until,
                                   thrum_time timeout, bool *done)
{
    bool good = valid(count, until);
    for (size_t i = 0; good && i < count; i++)
        good = futures[i] != NULL;
    if (!good)
        return thrum_awaitable_failing(THRUM_EINVAL);
    wait_frame *frame = wait_new(count, until, timeout, done);
    if (!frame)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    for (size_t i = 0; i < count; i++)
        add(frame, i, MEMBER_FUTURE, futures[i]);
    return awaitable_of(frame);
}

thrum_awaitable thrum_wait_array(size_t count, const thrum_awaitable *what, thrum_wait_until until, thrum_time timeout,
                                 bool *done)
{
    const uintptr_t no_memory = thrum_awaitable_failing(THRUM_ENOMEM).word;
    int error = valid(count, until) ? 0 : THRUM_EINVAL;
    wait_frame *frame = error ? NULL : wait_new(count, until, timeout, done);
    if (!frame && !error)
        error = THRUM_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        thrum_member member;
        member_init(&member, NULL, what[i]);
        if (!error && member.kind == MEMBER_NEW)
            error = what[i].word == no_memory ? THRUM_ENOMEM : THRUM_EINVAL;
        if (member.kind == MEMBER_NEW)
            member_forget(&member); /* it is dropped */
        else if (!error)
            add(frame, i, member.kind, member.object);
    }
    if (!error)
        return awaitable_of(frame);
    if (frame) {
        frame->base.set.count = 0;
        thrum_drop(awaitable_of(frame));
    }
    return thrum_awaitable_failing(error);
}
