/* The first that succeeds. One file for both races: that with all runners at once is the one in which nobody has to be
 * started later. */
#include <thrum/race.h>
#include <thrum/staggered.h>

#include "core/details.h"
#include "sync/members.h"

typedef struct race {
    combinator base;
    thrum_member *won;
    size_t *winner;
    thrum_outcome *outcomes;
    size_t started, running; /* by handle and adopted */
    /* staggered only: */
    thrum_race_starter *start;
    void *context;
    thrum_time delay;
    thrum_handle timer;
    bool next; /* it is the next one's turn */
} race;

static void decide(race *frame, int error)
{
    frame->base.decided = true;
    frame->base.error = (int32_t)error;
    thrum_handle_cancel(&frame->timer);
    members_cancel_adopted(&frame->base.set);
}

/* Of those that have succeeded in the same pass, the one with the lowest number: only the set is not told of it yet. */
static thrum_member *lowest(race *frame, thrum_member *member)
{
    for (thrum_member *other = frame->base.set.members; other < member; other++) {
        const thrum_task *task = (const thrum_task *)other->object;
        if (other->kind == MEMBER_ADOPTED && task && thrum_task_done(task) && !task->waiter.node.error)
            return other;
    }
    return member;
}

static void count_out(race *frame, thrum_member *member)
{
    member_set *set = &frame->base.set;
    bool last = (size_t)(member - set->members) + 1 == frame->started;
    frame->running--;
    if (frame->base.decided)
        return;
    if (!member_error(member)) {
        frame->won = lowest(frame, member);
        decide(frame, 0);
    } else if (frame->started == set->count) {
        if (!frame->running)
            decide(frame, THRUM_EGROUP);
    } else if (last) {
        frame->next = true;
    }
}

static void wake(race *frame)
{
    if ((frame->base.decided && !frame->base.set.adopted) || frame->next)
        thrum_wake(&frame->base.set.task->waiter, (int)frame->base.error, 0);
}

static void member_ended(member_set *set, thrum_member *member)
{
    race *frame = (race *)(void *)combinator_of(set);
    count_out(frame, member);
    wake(frame);
}

static void time_up(thrum_handle *timer)
{
    race *frame = (race *)timer->context;
    frame->next = !frame->base.decided;
    wake(frame);
}

/* Start those whose turn it is. */
static void start_next(race *frame)
{
    member_set *set = &frame->base.set;
    while (frame->next && !frame->base.decided && frame->started < set->count) {
        thrum_member *member = &set->members[frame->started];
        frame->next = false;
        thrum_handle_cancel(&frame->timer);
        thrum_awaitable what = frame->start(frame->context, frame->started);
        member_init(member, set, what);
        frame->started++;
        frame->running++;
        if (member_start(member, false))
            count_out(frame, member);
        else if (frame->delay != THRUM_NEVER && frame->started < set->count)
            thrum_call_later(frame->delay, &frame->timer);
    }
}

static thrum_step look(thrum_task *task, race *frame)
{
    return frame->base.decided && !frame->base.set.adopted ? thrum_done(task, (int)frame->base.error, 0)
                                                           : thrum_parked(task);
}

static thrum_step race_start(thrum_task *task, thrum_record *record)
{
    race *frame = (race *)record->object;
    member_set *set = &frame->base.set;
    if (frame->start) {
        frame->next = true;
        start_next(frame);
        return look(task, frame);
    }
    frame->started = frame->running = set->count;
    for (size_t i = 0; i < set->count; i++)
        member_start(&set->members[i], false);
    for (size_t i = 0; i < set->count; i++)
        if (!member_waits(&set->members[i]))
            count_out(frame, &set->members[i]);
    return look(task, frame);
}

static thrum_step race_resume(thrum_task *task)
{
    race *frame = (race *)task->object;
    start_next(frame);
    return look(task, frame);
}

static thrum_cancel_result race_cancel(thrum_task *task)
{
    race *frame = (race *)task->object;
    if (!frame->base.set.adopted)
        return THRUM_DETACHED;
    if (frame->base.canceling) /* by a child of its own, which is being cancelled */
        return THRUM_FORWARDED;
    frame->base.canceled = frame->base.canceling = true;
    frame->next = false;
    decide(frame, THRUM_ECANCELED);
    frame->base.canceling = false;
    return THRUM_FORWARDED; /* also where it was woken for the next one's turn: it looks again */
}

static const thrum_operations race_operations = {race_start, race_resume,          race_cancel,
                                                 NULL,       THRUM_NAMED_("race"), combinator_awaits};

static void give_outcomes(race *frame)
{
    member_set *set = &frame->base.set;
    for (size_t i = 0; frame->outcomes && i < set->count; i++) {
        thrum_member *member = &set->members[i];
        thrum_outcome *outcome = &frame->outcomes[i];
        outcome->error = i >= frame->started                            ? THRUM_EPENDING
                         : member == frame->won || member_error(member) ? member_error(member)
                                                                        : THRUM_ECANCELED;
        outcome->value = member == frame->won ? member_value(member) : 0;
        outcome->detail = NULL;
    }
}

static thrum_step race_step(thrum_task *task)
{
    race *frame = (race *)(void *)task->leaf;
    member_set *set = &frame->base.set;
    thrum_step step;
    thrum_value value = 0;
    if (!combinator_begun(task, &race_operations, &step))
        return step;
    int32_t error = task->waiter.node.error;
    thrum_handle_cancel(&frame->timer);
    for (size_t i = 0; frame->base.decided && i < set->count; i++)
        if (set->members[i].kind == MEMBER_TASK && member_waits(&set->members[i]))
            ((thrum_task *)set->members[i].object)->waiter.node.flags |= TASK_RETRIEVED;
    if (!error) {
        value = member_value(frame->won);
        if (frame->winner)
            *frame->winner = (size_t)(frame->won - set->members);
    }
    if (!error || error == THRUM_EGROUP)
        give_outcomes(frame);
    if (error == THRUM_EGROUP || (!error && frame->outcomes))
        members_errors(set, task, "race", frame->outcomes);
    if (error == THRUM_ECANCELED && frame->base.canceled && extension_of(task))
        thrum_detail_canceled(task);
    return combinator_end(&frame->base, error, value);
}

static const thrum_function race_function = {{NULL, race_step, NULL, combinator_drop, "thrum_race", NULL},
                                             __FILE__,
                                             THRUM_SIZED_STORE,
                                             0,
                                             0,
                                             THRUM_NO_SLOT_,
                                             __LINE__};

static race *race_new(size_t count, const thrum_awaitable *what, size_t *winner)
{
    race *frame = (race *)(void *)combinator_new(&race_function, sizeof *frame, count, what);
    if (!frame)
        return NULL;
    frame->base.set.ended = member_ended;
    frame->winner = winner;
    frame->delay = THRUM_NEVER;
    thrum_handle_init(&frame->timer, time_up, frame);
    return frame;
}

static thrum_awaitable awaitable_of(race *frame)
{
    thrum_awaitable made = {(uintptr_t)(void *)frame};
    return frame ? made : thrum_awaitable_failing(THRUM_ENOMEM);
}

thrum_awaitable thrum_race_array(size_t count, const thrum_awaitable *what, size_t *winner)
{
    return count ? awaitable_of(race_new(count, what, winner)) : thrum_awaitable_failing(THRUM_EINVAL);
}

thrum_awaitable thrum_staggered_race(size_t count, thrum_race_starter *start, void *context, thrum_time delay,
                                     size_t *winner, thrum_outcome *outcomes)
{
    if (!count || !start)
        return thrum_awaitable_failing(THRUM_EINVAL);
    race *frame = race_new(count, NULL, winner);
    for (size_t i = 0; frame && i < count; i++)
        member_by_handle(&frame->base.set.members[i], &frame->base.set, MEMBER_ADOPTED, NULL);
    if (frame) {
        frame->start = start;
        frame->context = context;
        frame->delay = delay;
        frame->outcomes = outcomes;
    }
    return awaitable_of(frame);
}
