/* Sleeping and yielding. */
#include <thrum/timeouts.h>

#include "core/operations.h"
#include "core/ready.h"
#include "core/state.h"

static thrum_step yield_start(thrum_task *task, thrum_record *record)
{
    thrum_step step = {THRUM_PARKED_};
    (void)record;
    task->waiter.as.value = 0;
    /* It is NODE_READY or NODE_LOOK, being in its step, and stays that. */
    list_append(ready_list(thrum_state_here()), &task->waiter.node);
    return step;
}

static thrum_cancel_result yield_cancel(thrum_task *task)
{
    (void)task;
    return THRUM_DETACHED; /* it is always woken already */
}

static const thrum_operations yield_operations = {yield_start, NULL, yield_cancel, NULL, THRUM_NAMED_("yield"), NULL};

const thrum_record thrum_yield_record_ = {{&yield_operations}, NULL, 0, 0};

THRUM_STATIC_ASSERT_(sizeof(thrum_time) <= sizeof(thrum_value), "a time travels as a value");
static thrum_time time_of(const thrum_record *record)
{
    return (thrum_time)record->a;
}

static thrum_step sleep_until_start(thrum_task *task, thrum_record *record)
{
    thrum_step step = {THRUM_PARKED_};
    thrum_timer_start(timers_of(thrum_state_here()), &task->waiter, time_of(record));
    return step;
}

static thrum_step sleep_start(thrum_task *task, thrum_record *record)
{
    thrum_state *state = thrum_state_here();
    thrum_time delay = time_of(record);
    thrum_step step = {THRUM_PARKED_};
#if THRUM_TIME_BITS == 64
    thrum_time when = delay < THRUM_NEVER - state->now ? state->now + delay : THRUM_NEVER;
#else
    thrum_time when = state->now + delay;
    if (delay == THRUM_NEVER)
        return parked(task); /* there is no such time: only a cancellation ends it */
#endif
    thrum_timer_start(timers_of(state), &task->waiter, when);
    return step;
}

static thrum_cancel_result sleep_cancel(thrum_task *task)
{
    if (task->waiter.node.state == NODE_TIMED)
        thrum_timer_stop(timers_of(thrum_state_here()), &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations sleep_operations = {sleep_start, NULL, sleep_cancel, NULL, THRUM_NAMED_("sleep"), NULL};
static const thrum_operations sleep_until_operations = {sleep_until_start,     NULL, sleep_cancel, NULL,
                                                        THRUM_NAMED_("sleep"), NULL};

thrum_awaitable thrum_sleep(thrum_time delay)
{
#if THRUM_TIME_BITS == 64
    bool at_once = delay <= 0;
#else
    bool at_once = (int32_t)delay <= 0 && delay != THRUM_NEVER;
#endif
    return at_once ? thrum_yield() : make_awaitable(thrum_state_here(), &sleep_operations, NULL, (thrum_value)delay);
}

thrum_awaitable thrum_sleep_until(thrum_time when)
{
    if (time_reached(when, thrum_now()))
        return thrum_yield();
    return thrum_awaitable_make(&sleep_until_operations, NULL, (thrum_value)when, 0);
}
