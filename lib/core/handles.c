/* Calls that the loop makes. */
#include <thrum/handles.h>

#include <thrum/timeouts.h>

#include "core/memory.h"
#include "core/state.h"

void thrum_handle_init(thrum_handle *handle, thrum_callback *call, void *context)
{
    memset(handle, 0, sizeof *handle);
    handle->call = call;
    handle->context = context;
}

/* 0 when the handle can be used now. */
static int usable(const thrum_state *state, const thrum_handle *handle)
{
    return state->open && handle->waiter.node.state == NODE_IDLE && handle->call ? 0 : THRUM_ESTATE;
}

int thrum_call_soon(thrum_handle *handle)
{
    thrum_state *state = thrum_state_here();
    int error = usable(state, handle);
    if (error)
        return error;
    handle->waiter.node.flags = 0;
    handle->waiter.node.error = 0;
    handle->waiter.as.value = 0;
    ready_push(state, &handle->waiter.node, NODE_CALL);
    return 0;
}

int thrum_call_at(thrum_time when, thrum_handle *handle)
{
    thrum_state *state = thrum_state_here();
    int error = usable(state, handle);
    if (error)
        return error;
    handle->waiter.node.flags = 0;
    handle->waiter.node.error = 0;
    thrum_timer_start(state->timers, &handle->waiter, when);
    return 0;
}

int thrum_call_later(thrum_time delay, thrum_handle *handle)
{
    thrum_state *state = thrum_state_here();
#if THRUM_TIME_BITS == 64
    return thrum_call_at(delay > THRUM_NEVER - state->now && delay > 0 ? THRUM_NEVER : state->now + delay, handle);
#else
    return thrum_call_at(state->now + delay, handle);
#endif
}

bool thrum_handle_cancel(thrum_handle *handle)
{
    thrum_node *node = handle ? &handle->waiter.node : NULL;
    if (!node)
        return false;
    switch (node->state) {
    case NODE_TIMED:
        thrum_timer_stop(thrum_state_here()->timers, &handle->waiter);
        break;
    case NODE_CALL:
        list_remove(node);
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

bool thrum_handle_pending(const thrum_handle *handle)
{
    return handle->waiter.node.state != NODE_IDLE;
}

thrum_time thrum_handle_when(const thrum_handle *handle)
{
    return handle->waiter.node.state == NODE_TIMED ? handle->waiter.as.when : 0;
}

int thrum_handle_error(const thrum_handle *handle)
{
    return (int)handle->waiter.node.error;
}

thrum_value thrum_handle_value(const thrum_handle *handle)
{
    return handle->waiter.as.value;
}
