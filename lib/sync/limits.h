/* What deadlines, timeouts, cancel scopes and groups have in common: each asks the task that it belongs to to cancel,
 * once, and at its end takes that back and finds out whether the cancellation in flight was its own. */
#ifndef THRUM_SYNC_LIMITS_H
#define THRUM_SYNC_LIMITS_H

#include <thrum/timeouts.h>

#include "core/cancelling.h"
#include "core/ready.h"

static inline thrum_time later(thrum_time delay)
{
    thrum_time now = thrum_state_here()->now;
#if THRUM_TIME_BITS == 64
    return delay > 0 && delay > THRUM_NEVER - now ? THRUM_NEVER : now + delay;
#else
    if (delay != THRUM_NEVER && (delay += now) == THRUM_NEVER)
        return 0; /* a time that only looks like none: one tick late */
    return delay;
#endif
}

/* The library's own timers skip the checks that users' handles get. */
static inline void arm(thrum_handle *timer, thrum_callback *call, void *context, thrum_time when)
{
    thrum_state *state = thrum_state_here();
    thrum_node *node = &timer->waiter.node;
    timer->call = call;
    timer->context = context;
    node->flags = 0;
    node->state = NODE_IDLE;
    if (when == THRUM_NEVER)
        return;
    if (time_reached(when, state->now))
        ready_push(state, node, NODE_CALL);
    else
        thrum_timer_start(timers_of(state), &timer->waiter, when);
}

static inline void disarm(thrum_handle *timer)
{
    if (THRUM_LIKELY_(timer->waiter.node.state == NODE_TIMED)) {
        thrum_timer_stop(timers_of(thrum_state_here()), &timer->waiter);
        timer->waiter.node.state = NODE_IDLE;
    } else {
        thrum_handle_cancel(timer);
    }
}

/* Take the one request back. Whether a cancellation that comes out was due to it: nobody else has asked since the
 * task's count was `before`. */
static inline bool take_back(thrum_task *task, unsigned before)
{
    return thrum_cancel_back(task) <= before;
}

/* Whether `coro` is the frame of a thrum_timeout(), and until when. */
bool thrum_timeout_limit(const thrum_coro *coro, thrum_time *when);

/* The exit of a deadline, by which it is known. */
thrum_awaitable thrum_deadline_exit(thrum_scope *scope);

#endif
