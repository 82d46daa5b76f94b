/* A wait that passes no cancellation on. */
#include <thrum/shield.h>

#include "core/details.h"
#include "core/scheduler.h"
#include "sync/members.h"

#undef thrum_shield

static void member_ended(member_set *set, thrum_member *member)
{
    thrum_wake(&set->task->waiter, member_error(member), member_value(member));
}

static thrum_step shield_start(thrum_task *task, thrum_record *record)
{
    combinator *frame = (combinator *)record->object;
    thrum_member *member = frame->set.members;
    if (member_start(member, false))
        return thrum_done(task, member_error(member), member_value(member));
    return thrum_parked(task);
}

/* What is adopted ends first. What is held by handle is left alone, and remembers that it was shielded. */
static thrum_cancel_result shield_cancel(thrum_task *task)
{
    thrum_member *member = ((combinator *)task->object)->set.members;
    if (thrum_task_woken(task))
        return THRUM_DETACHED;
    if (member->kind == MEMBER_ADOPTED)
        return THRUM_REFUSED;
    if (member_waits(member) && member->kind == MEMBER_TASK)
        thrum_detail_shielded((thrum_task *)member->object);
    else if (member_waits(member))
        ((thrum_future *)member->object)->flags |= FUTURE_SHIELDED;
    member_forget(member);
    return THRUM_DETACHED;
}

static const thrum_operations shield_operations = {shield_start,     NULL, shield_cancel, NULL, THRUM_NAMED_("shield"),
                                                   combinator_awaits};

static thrum_step shield_step(thrum_task *task)
{
    combinator *frame = (combinator *)(void *)task->leaf;
    thrum_member *member = frame->set.members;
    thrum_step step;
    if (!combinator_begun(task, &shield_operations, &step))
        return step;
    int32_t error = task->waiter.node.error;
    int ended = member_error(member);
    if (error == THRUM_ECANCELED && ended && ended != THRUM_ECANCELED) {
        /* It counts as seen by us, who go away without it. */
        const thrum_core_report report = {.message = "error in a shielded task", .error = ended};
        thrum_core_tell(&report);
    } else if (error) {
        member_detail(member, task);
    }
    return combinator_end(frame, error, task->waiter.as.value);
}

static const thrum_function shield_function = {{NULL, shield_step, NULL, combinator_drop, "thrum_shield", NULL},
                                               __FILE__,
                                               THRUM_SIZED_STORE,
                                               0,
                                               0,
                                               THRUM_NO_SLOT_,
                                               __LINE__};

thrum_awaitable thrum_shield(thrum_awaitable what)
{
    combinator *frame = combinator_new(&shield_function, sizeof *frame, 1, &what);
    if (!frame)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    frame->set.ended = member_ended;
    what.word = (uintptr_t)(void *)frame;
    return what;
}
