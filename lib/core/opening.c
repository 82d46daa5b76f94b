/* A loop begins to drive the core of its thread, and ends to: what is left then is taken out of whatever it waits in,
 * told of, and freed, without another step. */
#include <thrum/generators.h>
#include <thrum/timeouts.h>

#include "core/cancelling.h"
#include "core/contextvars.h"
#include "core/coroutines.h"
#include "core/ready.h"
#include "core/scheduler.h"

#if THRUM_REPORTS
void thrum_core_tell(const thrum_core_report *report)
{
    thrum_state *state = thrum_state_here();
    if (state->report)
        state->report(report);
}
#endif

bool thrum_core_open(void *loop, thrum_time now, void (*report)(const thrum_core_report *report))
{
    thrum_state *state = thrum_state_here();
    if (state->open)
        return false;
#if THRUM_RADIX_TIMERS
    state->timers = (thrum_timers *)pool_take(&state->pool, sizeof *state->timers, POOL_OTHER);
    if (!state->timers)
        return false;
#endif
#if !THRUM_SMALL
    state->ready = &state->lists[0];
    state->batch = &state->lists[1];
#endif
    ready_clear(state);
#if THRUM_NESTED_CALLS
    state->nests = THRUM_NESTED_CALLS;
#endif
    thrum_timers_open(timers_of(state), now);
    state->now = now;
#if THRUM_HOSTED
    state->loop = loop;
#endif
#if THRUM_REPORTS
    state->report = report;
#endif
    (void)loop, (void)report;
    set_open(state, OPEN_PLAIN);
    return true;
}

/* ---- the end ---- */

/* A call that will not be made. */
static void forget_handle(thrum_node *node)
{
    node->state = NODE_IDLE;
    handle_forget((thrum_handle *)(void *)node);
}

/* Done callbacks of a task that will not end: they are forgotten, and their handles may be used again. */
static void forget_callbacks(thrum_task *task)
{
    thrum_waiters tasks = {NULL};
    thrum_waiter *waiter;
    while ((waiter = thrum_waiters_pop(&task->waiters)) != NULL)
        if (waiter->node.flags & TASK_IS)
            thrum_waiters_add(&tasks, waiter);
        else
            forget_handle(&waiter->node);
    task->waiters = tasks;
}

/* Tasks that are left when the loop closes: take each out of whatever it waits in, tell of it, free its frames. */
static void detach(thrum_task *task, void *context)
{
    thrum_core_report report = {.message = "task was destroyed but it is pending",
                                .task = task,
                                .function = function_of(task->leaf),
                                .line = line_of(task->leaf)};
    (void)context;
    thrum_made_find_task(task, &report);
    thrum_core_tell(&report);
    forget_callbacks(task);
    thrum_cancel_now(task);
}

/* One that was woken would be asked when its turn comes: what the wake-up handed over goes on, or is freed, now. */
static void detach_woken(thrum_task *task, void *context)
{
    const thrum_operations *operations = task->operations;
    (void)context;
    if (!thrum_task_woken(task) || task->waiter.node.flags & TASK_AS_IS || !operations || !operations->cancel)
        return;
    (void)operations->cancel(task);
    task->operations = NULL;
}

static void destroy(thrum_task *task, void *context)
{
    (void)context;
    while (task->leaf) {
        thrum_coro *coro = task->leaf;
        task->leaf = coro->caller;
        if (!frame_begun(coro) && coro->head.operations->drop)
            coro->head.operations->drop((thrum_record *)(void *)coro);
        thrum_frame_free(coro);
    }
    task->operations = NULL;
    task->scopes = NULL;
    task->waiters.first = NULL;
    task->waiter.node.error = THRUM_ECANCELED;
    task->waiter.node.state = NODE_DONE;
    if (!(task->waiter.node.flags & TASK_OWNED))
        thrum_task_free(thrum_state_here(), task);
}

#if THRUM_ALLOCATORS
/* Frames that are left now were never awaited. */
static void never_awaited(void *block, void *context)
{
    thrum_coro *coro = (thrum_coro *)block;
    thrum_core_report report = {
        .message = "async function was never awaited", .function = function_of(coro), .line = function_of(coro)->line};
    (void)context;
    if (coro->caller == FRAME_BESIDE) {
        thrum_frame_free(coro);
        return;
    }
    coro->caller = FRAME_LEFT_OVER;
    thrum_made_find(coro, &report.made_in, &report.made_line);
    thrum_core_tell(&report);
}

static void drop_left_over(void *block, void *context)
{
    thrum_awaitable unstarted = {(uintptr_t)block};
    (void)context;
    if (((thrum_coro *)block)->caller == FRAME_LEFT_OVER)
        thrum_drop(unstarted);
}

static void free_dropped(void *block, void *context)
{
    (void)context;
    if (((thrum_coro *)block)->caller == FRAME_DROPPED)
        thrum_frame_free((thrum_coro *)block);
}
#endif

/* Generators that nobody closed. One that runs goes with its task. */
static void free_generators(thrum_state *state)
{
    thrum_yields *next = generators_open(state)->first;
    generators_open(state)->first = NULL;
    generators_open(state)->epoch++;
    while (next) {
        thrum_yields *yields = next;
        thrum_coro *coro = generator_coro(yields);
        next = yields->next;
        if (generator_runs(yields))
            continue;
        const thrum_core_report report = {.message = "a generator was destroyed but it is pending",
                                          .function = function_of(coro),
                                          .line = line_of(coro)};
        thrum_core_tell(&report);
        if (frame_begun(coro)) {
            thrum_frame_free(coro);
        } else {
            thrum_awaitable unbegun = {(uintptr_t)(void *)coro};
            thrum_drop(unbegun);
        }
    }
}

/* Calls are forgotten, and their handles may be used again. */
static void forget_calls(thrum_state *state)
{
#if THRUM_RADIX_TIMERS
    thrum_timers_collect(state, THRUM_NEVER);
#else
    for (thrum_waiter *timer; (timer = thrum_waiters_pop(timers_of(state))) != NULL;)
        ready_push(state, &timer->node, NODE_CALL);
#endif
#if !THRUM_SMALL
    list_splice(state->ready, state->batch);
#endif
    while (!list_empty(ready_list(state))) {
        thrum_node *node = ready_list(state)->next;
        list_remove(node);
        if (!(node->flags & TASK_IS))
            forget_handle(node);
    }
}

static void end(thrum_state *state)
{
#if THRUM_RADIX_TIMERS
    pool_give(&state->pool, state->timers, sizeof *state->timers, POOL_OTHER);
    state->timers = NULL;
#endif
    set_open(state, OPEN_NOT);
}

#if !THRUM_HOSTED
void thrum_core_close_ended(void)
{
    thrum_state *state = thrum_state_here();
    forget_calls(state);
    end(state);
}
#endif

void thrum_core_close(void)
{
    thrum_state *state = thrum_state_here();
    thrum_core_each_task(detach, NULL);
    thrum_core_each_task(detach_woken, NULL);
    forget_calls(state);
    free_generators(state);
    thrum_pool_walk_tasks(destroy, NULL, true);
#if THRUM_ALLOCATORS /* frames in an array cannot be walked */
    thrum_pool_walk(&state->pool, POOL_FRAME, never_awaited, NULL);
    thrum_pool_walk(&state->pool, POOL_FRAME, drop_left_over, NULL);
    thrum_pool_walk(&state->pool, POOL_FRAME, free_dropped, NULL);
#endif
    ready_clear(state);
    end(state);
#if THRUM_HOSTED
    state->loop = NULL;
#endif
#if THRUM_REPORTS
    state->report = NULL;
#endif
#if THRUM_TASK_HOOKS
    thrum_core_set_factory(NULL);
    thrum_core_set_hooks(NULL);
    thrum_core_set_watch(NULL);
#endif
}
