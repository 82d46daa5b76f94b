/* Calls that the loop makes. */
#include <thrum/handles.h>

#include <thrum/timeouts.h>

#include "core/checks.h"
#include "core/contextvars.h"
#include "core/inlining.h"
#include "core/memory.h"
#include "core/ready.h"
#include "core/state.h"

void thrum_handle_init(thrum_handle *handle, thrum_callback *call, void *context)
{
    not_for_interrupts();
    memset(handle, 0, sizeof *handle);
    handle->call = call;
    handle->context = context;
}

/* 0 when the handle can be used now. */
static int usable(const thrum_state *state, const thrum_handle *handle)
{
    if (doubtful(state) && !thrum_check_handle_idle(handle))
        return THRUM_ESTATE;
    if (!THRUM_CHECKS && !state->open)
        return THRUM_ESTATE;
    return handle->waiter.node.state == NODE_IDLE && handle->call ? 0 : THRUM_ESTATE;
}

int thrum_call_soon(thrum_handle *handle)
{
    thrum_state *state = thrum_state_here();
    int error = usable(state, handle);
    if (error)
        return error;
    handle_capture(state, handle);
    handle->waiter.node.error = 0;
    handle->waiter.as.value = 0;
    ready_push(state, &handle->waiter.node, NODE_CALL);
    return 0;
}

static THRUM_COLD_ int call_at_unusual(thrum_state *state, thrum_time when, thrum_handle *handle)
{
    int error = usable(state, handle);
    if (error)
        return error;
    handle_capture(state, handle);
    handle->waiter.node.error = 0;
    thrum_timer_start(timers_of(state), &handle->waiter, when);
    return 0;
}

static THRUM_INLINE_ int call_at(thrum_state *state, thrum_time when, thrum_handle *handle)
{
    thrum_node *node = &handle->waiter.node;
    if (THRUM_UNLIKELY_(!is_usual(state)))
        return call_at_unusual(state, when, handle);
    if (node->state != NODE_IDLE || !handle->call)
        return THRUM_ESTATE;
    handle_clean(handle);
    node->error = 0;
    thrum_timer_start(timers_of(state), &handle->waiter, when);
    return 0;
}

#if THRUM_TIME_BITS != 64
/* Where the clock goes round there is no such time: it waits for what does not happen, until it is taken back. */
static int call_never(thrum_state *state, thrum_handle *handle)
{
    static thrum_waiters never;
    int error = usable(state, handle);
    if (error)
        return error;
    handle_capture(state, handle);
    handle->waiter.node.error = 0;
    handle->waiter.node.state = NODE_PARKED;
    handle->waiter.as.list = &never;
    thrum_waiters_add(&never, &handle->waiter);
    return 0;
}
#endif

int thrum_call_at(thrum_time when, thrum_handle *handle)
{
#if THRUM_TIME_BITS != 64
    if (when == THRUM_NEVER)
        return call_never(thrum_state_here(), handle);
#endif
    return call_at(thrum_state_here(), when, handle);
}

int thrum_call_later(thrum_time delay, thrum_handle *handle)
{
    thrum_state *state = thrum_state_here();
#if THRUM_TIME_BITS == 64
    return call_at(state, delay < THRUM_NEVER - state->now ? state->now + delay : THRUM_NEVER, handle);
#else
    return delay == THRUM_NEVER ? call_never(state, handle) : call_at(state, state->now + delay, handle);
#endif
}

static THRUM_INLINE_ bool take_back(thrum_handle *handle)
{
    thrum_node *node = &handle->waiter.node;
    switch (node->state) {
    case NODE_TIMED:
        thrum_timer_stop(timers_of(thrum_state_here()), &handle->waiter);
        break;
    case NODE_CALL:
        ready_remove(node);
        break;
    case NODE_PARKED:
        thrum_waiters_remove(handle->waiter.as.list, &handle->waiter);
        break;
    default:
        return false;
    }
    node->state = NODE_IDLE;
    return true;
}

/* It has a context to be forgotten, or a mark to be looked at. */
static THRUM_COLD_ bool take_back_flagged(thrum_handle *handle)
{
    if ((THRUM_CHECKS && !thrum_check_handle_mine(handle)) || !take_back(handle))
        return false;
    handle_forget(handle);
    return true;
}

bool thrum_handle_cancel(thrum_handle *handle)
{
    not_for_interrupts();
    if (!handle)
        return false;
    return THRUM_UNLIKELY_(handle->waiter.node.flags) ? take_back_flagged(handle) : take_back(handle);
}

bool thrum_handle_pending(const thrum_handle *handle)
{
    return handle->waiter.node.state != NODE_IDLE;
}

thrum_time thrum_handle_when(const thrum_handle *handle)
{
    return handle->waiter.node.state == NODE_TIMED ? handle->waiter.as.when : 0;
}

int thrum_handle_compare(const thrum_handle *a, const thrum_handle *b)
{
    thrum_time first = thrum_handle_when(a), second = thrum_handle_when(b);
#if THRUM_TIME_BITS == 64
    return (first > second) - (first < second);
#else
    bool timed = a->waiter.node.state == NODE_TIMED;
    if (timed != (b->waiter.node.state == NODE_TIMED))
        return timed ? 1 : -1;
    return first == second ? 0 : first - second < UINT32_MAX / 2 + 1 ? 1 : -1; /* the clock goes round */
#endif
}

int thrum_handle_error(const thrum_handle *handle)
{
    return (int)handle->waiter.node.error;
}

thrum_value thrum_handle_value(const thrum_handle *handle)
{
    return handle->waiter.as.value;
}
