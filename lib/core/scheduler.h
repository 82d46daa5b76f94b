/* How a loop drives the core of its thread. A pass of the loop is:
 *
 *     wait for descriptors, at most until thrum_core_next(), not at all when thrum_core_ready()
 *     thrum_core_run(now)       what was ready, then timers that are due, then everything of this pass
 */
#ifndef THRUM_CORE_SCHEDULER_H
#define THRUM_CORE_SCHEDULER_H

#include "core/state.h"

/* A loop begins or ends to drive this thread. thrum_core_open() gives false when there is one already. */
bool thrum_core_open(void *loop, thrum_time now, void (*report)(const thrum_core_report *report));

/* Everything queued is dropped; tasks that have not ended are reported and destroyed, awaitables that never were
 * awaited reported and dropped. */
void thrum_core_close(void);

/* One pass: timers due at `now` are queued behind what is ready, then exactly that much is run. */
void thrum_core_run(thrum_time now);

/* The second half of it: run exactly what is ready; and go on so for at most `passes` passes in all, as long as there
 * is something to run, no timer is due and thrum_core_hurry() was not called. Gives how many were made. */
unsigned thrum_core_batch(unsigned passes);

/* Have thrum_core_batch() return when the pass that runs is over. */
void thrum_core_hurry(void);

/* Whether the next pass has something to do at once. */
bool thrum_core_ready(void);

/* The time of the next timer, or THRUM_NEVER. */
thrum_time thrum_core_next(void);

/* Tell the loop of an error that reached nobody. */
void thrum_core_tell(const thrum_core_report *report);

/* Walk all tasks of this thread that have not ended. `visit` must not end or make any. */
void thrum_core_each_task(void (*visit)(thrum_task *task, void *context), void *context);

/* Spawn with flags, for group's children and others: `size` is that of the block, which begins with a task. NULL: the
 * awaitable was dropped. The task is not queued yet: thrum_task_schedule() or thrum_task_start_now(). */
thrum_task *thrum_task_new(thrum_awaitable what, size_t size, uint8_t flags);
void thrum_task_schedule(thrum_task *task);
void thrum_task_start_now(thrum_task *task);

/* The outermost async function of a task, also when it has ended; NULL for none. */
const thrum_function *thrum_task_function(const thrum_task *task);

/* Give the memory of a task back that has ended, and is in no list; an error that nobody saw is reported first. */
void thrum_task_free_slow(thrum_state *state, thrum_task *task);

static inline void thrum_task_free(thrum_state *state, thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    if (THRUM_UNLIKELY_(task->extension || (node->error && !(node->flags & TASK_RETRIEVED)) ||
                        node->flags & TASK_CHILD)) {
        thrum_task_free_slow(state, task);
        return;
    }
    node->state = NODE_FREE;
    pool_give(&state->pool, task, sizeof *task, POOL_TASK);
}

/* A task of its own in memory from the pool, in the state NODE_BEGIN. */
static inline thrum_task *thrum_task_make(thrum_state *state, thrum_coro *coro, size_t size, uint8_t flags)
{
    thrum_task *task = THRUM_LIKELY_(state->open) ? (thrum_task *)pool_take(&state->pool, size, POOL_TASK) : NULL;
    if (THRUM_UNLIKELY_(!task))
        return NULL;
    thrum_clear_(task, sizeof *task);
    task->leaf = coro;
    task->waiter.node.flags = (uint8_t)(TASK_IS | flags);
    task->waiter.node.state = NODE_BEGIN;
    return task;
}

#endif
