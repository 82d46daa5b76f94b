/* Several things at once, and all of their results. */
#include <thrum/gather.h>

#include "core/details.h"
#include "sync/members.h"

typedef struct gather {
    combinator base;
    thrum_value *results;
    thrum_outcome *outcomes;
    thrum_member *failed; /* whose error ends it */
    size_t finished;
    bool all; /* errors are outcomes */
} gather;

static void decide(gather *frame, int error)
{
    frame->base.decided = true;
    frame->base.error = (int32_t)error;
    if (error)
        members_cancel_adopted(&frame->base.set);
}

static void count_in(gather *frame, thrum_member *member)
{
    int error = member_error(member);
    frame->finished++;
    if (frame->base.decided)
        return;
    if (error && !frame->all) {
        frame->failed = member;
        decide(frame, error);
    } else if (frame->finished == frame->base.set.count) {
        decide(frame, frame->base.canceled ? THRUM_ECANCELED : 0);
    }
}

static void member_ended(member_set *set, thrum_member *member)
{
    gather *frame = (gather *)(void *)combinator_of(set);
    count_in(frame, member);
    if (frame->base.decided && !set->adopted)
        thrum_wake(&set->task->waiter, (int)frame->base.error, 0);
}

static thrum_step gather_start(thrum_task *task, thrum_record *record)
{
    gather *frame = (gather *)record->object;
    member_set *set = &frame->base.set;
    for (size_t i = 0; i < set->count; i++)
        member_start(&set->members[i], false);
    /* Those that are over are counted when all have begun. */
    for (size_t i = 0; i < set->count; i++)
        if (!member_waits(&set->members[i]))
            count_in(frame, &set->members[i]);
    if (!set->count)
        decide(frame, 0);
    return frame->base.decided && !set->adopted ? thrum_done(task, (int)frame->base.error, 0) : thrum_parked(task);
}

/* Those that are held by handle are cancelled, too, unless the gather has failed and only waits for what it adopted. */
static thrum_cancel_result gather_cancel(thrum_task *task)
{
    gather *frame = (gather *)task->object;
    member_set *set = &frame->base.set;
    bool any = false;
    if (thrum_task_woken(task))
        return THRUM_DETACHED;
    if (frame->base.canceling) {
        /* What it waits for waits for it in turn: the circle is opened here. */
        if (!frame->base.decided)
            decide(frame, THRUM_ECANCELED);
        if (!set->adopted)
            thrum_wake(&task->waiter, THRUM_ECANCELED, 0);
        return THRUM_FORWARDED;
    }
    frame->base.canceling = true;
    for (size_t i = 0; i < set->count; i++)
        if (!frame->base.decided || set->members[i].kind == MEMBER_ADOPTED)
            any |= member_cancel(&set->members[i]);
    frame->base.canceling = false;
    if (!any)
        return THRUM_REFUSED; /* all are over: it comes out when the gather does */
    frame->base.canceled = true;
    if (frame->base.decided)
        frame->base.error = THRUM_ECANCELED;
    return THRUM_FORWARDED;
}

static const thrum_operations gather_operations = {gather_start,     NULL, gather_cancel, NULL, THRUM_NAMED_("gather"),
                                                   combinator_awaits};

static thrum_value give_results(gather *frame)
{
    member_set *set = &frame->base.set;
    for (size_t i = 0; i < set->count; i++) {
        const thrum_member *member = &set->members[i];
        if (frame->results)
            frame->results[i] = member_value(member);
        if (frame->outcomes) {
            frame->outcomes[i].value = member_value(member);
            frame->outcomes[i].error = member_error(member);
            frame->outcomes[i].detail = NULL;
        }
    }
    return frame->all ? (thrum_value)members_errors(set, set->task, "gather", frame->outcomes) : 0;
}

static thrum_step gather_step(thrum_task *task)
{
    gather *frame = (gather *)(void *)task->leaf;
    member_set *set = &frame->base.set;
    thrum_step step;
    thrum_value value = 0;
    if (!combinator_begun(task, &gather_operations, &step))
        return step;
    int32_t error = task->waiter.node.error;
    /* Nobody is told of errors that come later. */
    for (size_t i = 0; frame->base.decided && i < set->count; i++)
        if (set->members[i].kind == MEMBER_TASK && member_waits(&set->members[i]))
            ((thrum_task *)set->members[i].object)->waiter.node.flags |= TASK_RETRIEVED;
    if (!error)
        value = give_results(frame);
    else if (frame->failed && error == (int32_t)member_error(frame->failed))
        member_detail(frame->failed, task);
    if (error == THRUM_ECANCELED && frame->base.canceled && extension_of(task))
        thrum_detail_canceled(task);
    return combinator_end(&frame->base, error, value);
}

static const thrum_function gather_function = {{NULL, gather_step, NULL, combinator_drop, "thrum_gather", NULL},
                                               __FILE__,
                                               THRUM_SIZED_STORE,
                                               0,
                                               0,
                                               THRUM_NO_SLOT_,
                                               __LINE__};

static thrum_awaitable gather_new(size_t count, const thrum_awaitable *what, thrum_value *results,
                                  thrum_outcome *outcomes, bool all)
{
    gather *frame = (gather *)(void *)combinator_new(&gather_function, sizeof *frame, count, what);
    if (!frame)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    frame->base.set.ended = member_ended;
    frame->results = results;
    frame->outcomes = outcomes;
    frame->all = all;
    thrum_awaitable made = {(uintptr_t)(void *)frame};
    return made;
}

thrum_awaitable thrum_gather_array(size_t count, const thrum_awaitable *what, thrum_value *results)
{
    return gather_new(count, what, results, NULL, false);
}

thrum_awaitable thrum_gather_all_array(size_t count, const thrum_awaitable *what, thrum_outcome *outcomes)
{
    return gather_new(count, what, NULL, outcomes, true);
}
