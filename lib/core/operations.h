/* What operations are written with: awaitables, how a step ends, and how a wait that is given up does. */
#ifndef THRUM_CORE_OPERATIONS_H
#define THRUM_CORE_OPERATIONS_H

#include "core/state.h"

/* ---- awaitables ---- */

/* The tag of a record that must be given back: the state's, or one of the pool's. */
enum { WORD_RECORD = 1, WORD_POOLED = 3 };

static inline thrum_head *head_of(thrum_awaitable what)
{
    return (thrum_head *)(void *)(what.word & ~(uintptr_t)WORD_POOLED);
}

/* An awaitable with its record in the state, which is nearly always free. */
static inline thrum_awaitable make_awaitable(thrum_state *state, const thrum_operations *operations, void *object,
                                             thrum_value a)
{
#if THRUM_SMALL
    (void)state;
    return thrum_awaitable_make(operations, object, a, 0);
#else
    if (THRUM_UNLIKELY_(state->scratch_used))
        return thrum_awaitable_make(operations, object, a, 0);
    thrum_awaitable made = {(uintptr_t)(void *)&state->scratch + WORD_RECORD};
    state->scratch_used = true;
    state->scratch.head.operations = operations;
    state->scratch.object = object;
    state->scratch.a = a;
    return made;
#endif
}

/* ---- what operations return ---- */

thrum_step thrum_to_the_tail(thrum_state *state, thrum_task *task);

static inline thrum_step parked(thrum_task *task)
{
    thrum_step step = {THRUM_PARKED_};
    task->waiter.node.state = NODE_PARKED;
    return step;
}

static inline thrum_step done(thrum_state *state, thrum_task *task, int error, thrum_value value)
{
#if THRUM_SMALL
    (void)state;
    return thrum_done(task, error, value);
#else
    thrum_step step = {THRUM_DONE_};
    task->waiter.node.error = (int32_t)error;
    task->waiter.as.value = value;
    if (THRUM_UNLIKELY_(--state->budget < 0))
        return thrum_to_the_tail(state, task);
    return step;
#endif
}

/* ---- waits that are given up ---- */

static inline bool task_woken(const thrum_task *task)
{
    uint8_t state = task->waiter.node.state;
    return state >= NODE_DUE && state <= NODE_LOOK;
}

/* Take a waiter out of the line in which it stands, if it is this one. False: somebody has moved, made anew or
 * destroyed it, and it is not to be looked at. Who stands alone tells for nothing; others only in debug mode. */
bool thrum_waiters_leave(thrum_waiters *line, thrum_waiter *waiter);

#endif
