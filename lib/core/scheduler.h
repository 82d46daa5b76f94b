/* How a loop drives the core of its thread. A pass of the loop is:
 *
 *     wait for descriptors, at most until thrum_core_next(), not at all when thrum_core_ready()
 *     thrum_core_run(now)       what was ready, then timers that are due, then everything of this pass
 */
#ifndef THRUM_CORE_SCHEDULER_H
#define THRUM_CORE_SCHEDULER_H

#include "core/checks.h"
#include "core/state.h"

/* A loop begins or ends to drive this thread. thrum_core_open() gives false when there is one already. */
bool thrum_core_open(void *loop, thrum_time now, void (*report)(const thrum_core_report *report));

/* Everything queued is dropped; tasks that have not ended are reported and destroyed, awaitables that never were
 * awaited reported and dropped. */
void thrum_core_close(void);

/* The same when all tasks have ended. Generators that nobody closed stay open, and may be closed in a later loop. */
void thrum_core_close_ended(void);

/* One pass: timers due at `now` are queued behind what is ready, then exactly that much is run. */
void thrum_core_run(thrum_time now);

/* The second half of it: run exactly what is ready; and go on so for at most `passes` passes in all, as long as there
 * is something to run, no timer is due and thrum_core_hurry() was not called. Gives how many were made. */
#if THRUM_HOSTED
unsigned thrum_core_batch(unsigned passes);

/* Have thrum_core_batch() return when the pass that runs is over. */
void thrum_core_hurry(void);
#endif

/* Whether the next pass has something to do at once. */
bool thrum_core_ready(void);

/* The time of the next timer, or THRUM_NEVER. */
thrum_time thrum_core_next(void);

/* Tell the loop of an error that reached nobody. */
#if THRUM_REPORTS
void thrum_core_tell(const thrum_core_report *report);
#else
#define thrum_core_tell(report) ((void)(report))
#endif

/* Walk all tasks of this thread that have not ended. `visit` must not end or make any. */
static inline void thrum_core_each_task(void (*visit)(thrum_task *task, void *context), void *context)
{
    thrum_pool_walk_tasks(visit, context, false);
}

/* Tasks that are not thrum_spawn()'s, such as a group's children: thrum_spawn_options.kind. They go through the loop's
 * factory like all others. `made` is called before the task is queued or runs. What has no TASK_OWNED must be kept
 * alive otherwise until thrum_spawn_with() returns. */
typedef struct thrum_spawn_kind {
    size_t size; /* of the block, which begins with a task */
    uint8_t flags;
    void (*made)(thrum_task *task, void *context); /* or NULL */
    void *context;
} thrum_spawn_kind;

/* Past factory and settings; in the context of who calls this. NULL: the awaitable was dropped. The task is not queued
 * yet: thrum_task_schedule() or thrum_task_start_now(). */
thrum_task *thrum_task_new(thrum_awaitable what, size_t size, uint8_t flags);
void thrum_task_schedule(thrum_task *task);
void thrum_task_start_now(thrum_task *task);

#if THRUM_TASK_HOOKS
/* Who is told of tasks from now on; NULL: nobody. False: no memory. */
bool thrum_core_set_hooks(const thrum_task_hooks *hooks);

/* Who is told, from the next step on, of every frame that goes on, in whichever step; of NULL when what started a task
 * eagerly goes on, and was no task. NULL: nobody. */
void thrum_core_set_watch(void (*watch)(const thrum_coro *coro));

/* Who makes tasks from now on; NULL: thrum_task_create(). */
void thrum_core_set_factory(thrum_task *(*factory)(thrum_awaitable what, const thrum_spawn_options *options));
#endif

/* The outermost async function of a task, also when it has ended; NULL for none. */
const thrum_function *thrum_task_function(const thrum_task *task);

/* Whether a task is none any more: its handle was given back, and its memory is kept. One has an extension then, since
 * those who wait for a task look for that in any case. */
static inline bool task_was_released(const thrum_task *task)
{
    return (!THRUM_DETAILS || extension_of(task)) && task->waiter.node.state == NODE_FREE;
}

/* Somebody wants to wait for such a one. Tells of it in debug mode; gives the error. */
int thrum_released(const thrum_task *target);

/* Give the memory of a task back that has ended, and is in no list; an error that nobody saw is reported first. */
void thrum_task_free_slow(thrum_state *state, thrum_task *task);

#if THRUM_SMALL
#define thrum_task_free(state, task) thrum_task_free_slow(state, task)
#define thrum_child_free(state, task) thrum_task_free_slow(state, task)
#else
static inline void thrum_task_free(thrum_state *state, thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    if (THRUM_UNLIKELY_(extension_of(task) || unseen(node) || node->flags & TASK_CHILD)) {
        thrum_task_free_slow(state, task);
        return;
    }
    node->state = NODE_FREE;
    pool_give(&state->pool, task, sizeof *task, POOL_TASK);
}

/* The same of a thrum_child. */
static inline void thrum_child_free(thrum_state *state, thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    if (THRUM_UNLIKELY_(extension_of(task) || unseen(node))) {
        thrum_task_free_slow(state, task);
        return;
    }
    node->state = NODE_FREE;
    pool_give(&state->pool, task, sizeof(thrum_child), POOL_TASK);
}
#endif

#endif
