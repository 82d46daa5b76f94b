/* What runs in the next pass: the list of ready nodes, and who gets into it. */
#ifndef THRUM_CORE_READY_H
#define THRUM_CORE_READY_H

#include "core/probes.h"
#include "core/state.h"

/* What runs in the next pass; where little memory is wanted, behind what is left of this one. */
static inline thrum_node *ready_list(thrum_state *state)
{
#if THRUM_SMALL
    return (thrum_node *)(void *)&state->ready;
#else
    return state->ready;
#endif
}

/* Both, of this pass and the next one, are empty from now on. */
static inline void ready_clear(thrum_state *state)
{
    list_init(ready_list(state));
#if THRUM_SMALL
    state->last = ready_list(state);
#else
    list_init(state->batch);
#endif
}

/* What was to run does not. */
#if THRUM_SMALL
void thrum_ready_remove(thrum_node *node);
#define ready_remove(node) thrum_ready_remove(node)
#else
#define ready_remove(node) list_remove(node)
#endif

#if THRUM_SMALL
void thrum_ready_push(thrum_node *node, unsigned what);
#define ready_push(state, node, what) ((void)(state), thrum_ready_push(node, what))
#else
static inline void ready_push(thrum_state *state, thrum_node *node, uint8_t what)
{
    node->state = what;
    list_append(ready_list(state), node);
}
#endif

/* What a task is that is woken: its operation may have to look again, or somebody wants it cancelled. */
static inline uint8_t woken_as(const thrum_task *task)
{
    return task->operations->resume || task->waiter.node.flags & TASK_MUST_CANCEL ? NODE_LOOK : NODE_READY;
}

/* What thrum_wake() comes to for a task that is known to be parked. */
THRUM_UNUSED_ static inline void wake_parked(thrum_state *state, thrum_task *task, int error, thrum_value value)
{
    thrum_node *node = &task->waiter.node;
    node->error = (int32_t)error;
    task->waiter.as.value = value;
    node->state = woken_as(task);
    PROBE2(wake, &task->waiter, error);
    list_append(ready_list(state), node);
}

/* A task that is queued, or in its step, is to be seen to before it goes on. */
static inline void look_first(thrum_task *task)
{
    if (task->waiter.node.state == NODE_READY)
        task->waiter.node.state = NODE_LOOK;
}

#endif
