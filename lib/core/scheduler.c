/* The ready queue, and how a task is run. */
#include "core/scheduler.h"

#include "core/cancelling.h"
#include "core/contextvars.h"
#include "core/coroutines.h"
#include "core/details.h"
#include "core/inlining.h"
#include "core/operations.h"
#include "core/probes.h"
#include "core/ready.h"
#include "core/verbs.h"

THRUM_PER_THREAD_ thrum_state thrum_state_;

#if THRUM_SMALL
void thrum_ready_push(thrum_node *node, unsigned what)
{
    node->state = (uint8_t)what;
    list_append(ready_list(thrum_state_here()), node);
}

void thrum_ready_remove(thrum_node *node)
{
    if (thrum_state_here()->last == node)
        thrum_state_here()->last = node->prev;
    list_remove(node);
}
#endif

/* ---- a task ends ---- */

static THRUM_COLD_ void wake_waiters(thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    for (thrum_waiter *waiter; (waiter = thrum_waiters_pop(&task->waiters)) != NULL;) {
        bool is_task = waiter->node.flags & TASK_IS;
        bool is_member = !is_task && waiter->node.flags & HANDLE_MEMBER; /* in a task the bit is TASK_CHILD */
        /* A callback is told, too, but where somebody holds the task it is his to ask. */
        if (is_task || is_member || !(node->flags & TASK_OWNED))
            retrieved(task);
        if (extension_of(task) && is_member)
            ((thrum_member *)(void *)waiter)->detail = thrum_detail_keep(task);
        if (extension_of(task) && is_task)
            thrum_detail_share(task, (thrum_task *)(void *)waiter);
        thrum_wake(waiter, (int)node->error, task->waiter.as.value);
    }
}

/* Somebody wants to know that a task has ended, or nobody keeps it. */
static THRUM_COLD_ void tell_ended(thrum_state *state, thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
#if THRUM_TASK_HOOKS
    if (is_unusual(state, UNUSUAL_HOOKS) && state->hooks->ended)
        state->hooks->ended(task, state->hooks->context);
#endif
    bool child = node->flags & TASK_CHILD;
    if (child)
        ready_push(state, node, NODE_ENDED); /* the group has waited from the beginning, so it comes first */
    if (THRUM_SMALL || task->waiters.first)
        wake_waiters(task);
    if (!child && !(node->flags & TASK_OWNED))
        thrum_task_free(state, task);
}

static THRUM_SEPARATE_ void finish_seen(thrum_task *task, const thrum_function *function, int32_t error,
                                        thrum_value value)
{
    thrum_state *state = thrum_state_here();
    thrum_node *node = &task->waiter.node;
    if (node->flags & TASK_MUST_CANCEL) {
        node->flags &= (uint8_t)~TASK_MUST_CANCEL;
        if (!error)
            error = THRUM_ECANCELED; /* asked for, and nothing was waited for since */
    }
    PROBE2(task__end, task, error);
    task->leaf = NULL;
    task->operations = NULL;
    task->object = (void *)(uintptr_t)function;
    node->error = error;
    node->state = NODE_DONE;
    task->waiter.as.value = error ? 0 : value;
    if (THRUM_SMALL || (node->flags & (TASK_CHILD | TASK_OWNED)) != TASK_OWNED || task->waiters.first ||
        is_unusual(state, UNUSUAL_HOOKS))
        tell_ended(state, task);
}

#if !THRUM_SMALL
/* `simple`: as its frame was, so that it also is a block that is simply given back. */
static THRUM_INLINE_ void finish(thrum_state *state, thrum_task *task, const thrum_function *function,
                                 thrum_value value, bool simple)
{
    (void)state; /* a pool that is one array needs none */
    bool seen = task->waiter.node.flags & (TASK_MUST_CANCEL | TASK_CHILD | TASK_OWNED) || task->waiters.first ||
                extension_of(task);
    if (seen) {
        finish_seen(task, function, 0, value);
        return;
    }
    /* Nobody will ask for it. */
    PROBE2(task__end, task, 0);
    task->leaf = NULL;
    task->waiter.node.state = NODE_FREE;
    if (simple)
        pool_put(&state->pool, task, sizeof *task, POOL_TASK);
    else
        pool_give(&state->pool, task, sizeof *task, POOL_TASK);
}

#endif

/* ---- a task runs ---- */

/* A task that was cancelled before it began: it never does. */
static THRUM_COLD_ void end_unbegun(thrum_task *task)
{
    const thrum_function *function = function_of(task->leaf);
    thrum_coro *unbegun = task->leaf;
    task->waiter.node.flags &= (uint8_t)~TASK_MUST_CANCEL;
    task->leaf = NULL;
    frame_drop_taken(unbegun);
    if (extension_of(task))
        thrum_detail_canceled(task);
    finish_seen(task, function, THRUM_ECANCELED, 0);
}

THRUM_COLD_ int thrum_prepare_canceled(thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    const thrum_operations *operations = task->operations;
    if (!frame_begun(task->leaf)) {
        if (!(node->flags & TASK_MUST_CANCEL))
            return PREPARE_STEP; /* that was taken back */
        end_unbegun(task);
        return PREPARE_NOTHING;
    }
    if (THRUM_UNLIKELY_(levelled(task)) && task->scopes->flags & SCOPE_TOLD) {
        task->scopes->flags &= (uint8_t)~SCOPE_TOLD;
    } else if (node->flags & TASK_MUST_CANCEL) {
        thrum_cancel_result result = operations && operations->cancel ? operations->cancel(task) : THRUM_DETACHED;
        if (result != THRUM_REFUSED && !levelled(task))
            node->flags &= (uint8_t)~TASK_MUST_CANCEL;
        if (result == THRUM_DETACHED) {
            node->error = THRUM_ECANCELED;
            task->waiter.as.value = 0;
            if (extension_of(task))
                thrum_detail_canceled(task);
            return PREPARE_STEP;
        }
    }
    return PREPARE_LOOK;
}

/* No cancellation can be in its way; where little code is wanted nobody looks at that apart. */
static inline bool undisturbed(const thrum_task *task)
{
#if THRUM_SMALL
    (void)task;
    return false;
#else
    return !(task->waiter.node.flags & TASK_MUST_CANCEL) && !task->scopes && frame_begun(task->leaf);
#endif
}

/* What comes before the step of a task that goes on, where there is anything: it comes back from the tail, it was
 * cancelled after it was woken, its operation looks again. False: there is nothing to step. */
static THRUM_COLD_ bool prepare(thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    if (node->flags & TASK_AS_IS) {
        /* The await is complete; a cancellation comes at the next one. */
        node->flags = (uint8_t)((node->flags & ~TASK_AS_IS) | (node->flags & TASK_MUST_CANCEL ? TASK_LATE : 0));
        return true;
    }
    int prepared = THRUM_LIKELY_(undisturbed(task)) ? PREPARE_LOOK : prepare_canceled(task);
    if (prepared)
        return prepared == PREPARE_STEP;
    if (task->operations && task->operations->resume)
        return task->operations->resume(task).what == THRUM_DONE_;
    return true;
}

#if !THRUM_SMALL
/* A frame ended with an error, which its caller gets. True: that is to go on now. */
static THRUM_COLD_ bool frame_failed(thrum_state *state, thrum_task *task, thrum_coro *coro)
{
    task->leaf = coro->caller;
    int32_t error = thrum_frame_end(state, task, coro, function_of(coro));
    return done(state, task, (int)error, 0).what == THRUM_DONE_;
}

/* The outermost frame did, and with it the task. */
static THRUM_COLD_ void task_failed_slow(thrum_state *state, thrum_task *task, thrum_coro *coro)
{
    const thrum_function *function = function_of(coro);
    int32_t error = thrum_frame_end(state, task, coro, function);
    finish_seen(task, function, error, 0);
}

static THRUM_COLD_ void task_failed(thrum_state *state, thrum_task *task, thrum_coro *coro)
{
    const thrum_function *function = function_of(coro);
    int32_t error = (int32_t)coro->result;
    if (extension_of(task) || !thrum_frame_simple(state, function)) {
        task_failed_slow(state, task, coro);
        return;
    }
    thrum_frame_give(state, coro, function);
    finish_seen(task, function, error, 0);
}

#endif

/* The innermost frame goes on; when a frame ends its caller does, in one flat loop, so that the C stack does not grow
 * with the depth of calls. */
static THRUM_HOT_ void step_frames(thrum_state *state, thrum_task *task, bool watched)
{
    for (;;) {
        thrum_coro *coro = task->leaf;
#if THRUM_TASK_HOOKS
        if (watched && state->watch)
            state->watch(coro);
#else
        (void)watched;
#endif
        thrum_step step = coro->head.operations->resume(task);
        if (step.what == THRUM_PARKED_)
            return;
        if (step.what == THRUM_CALLED_)
            continue;
        thrum_coro *caller = coro->caller;
#if THRUM_SMALL
        thrum_value value = coro->result;
        const thrum_function *function = function_of(coro);
        int32_t error = thrum_frame_end(state, task, coro, function);
        task->leaf = caller;
        if (!caller) {
            finish_seen(task, function, error, value);
            return;
        }
        if (done(state, task, (int)error, error ? 0 : value).what != THRUM_DONE_)
            return;
#else
        if (THRUM_UNLIKELY_(THRUM_LEAVING_(coro) & THRUM_FAILED_)) {
            if (!caller) {
                task_failed(state, task, coro);
                return;
            }
            if (frame_failed(state, task, coro))
                continue;
            return;
        }
        thrum_value value = coro->result;
        const thrum_function *function = function_of(coro);
        if (THRUM_LIKELY_(thrum_frame_simple(state, function))) {
            thrum_frame_give(state, coro, function);
            if (!caller) {
                finish(state, task, function, value, true);
                return;
            }
        } else {
            thrum_frame_release_slow(state, coro, function);
            if (!caller) {
                finish(state, task, function, value, false);
                return;
            }
        }
        task->leaf = caller;
        if (done(state, task, 0, value).what != THRUM_DONE_)
            return;
#endif
    }
}

static THRUM_HOT_ void run_frames(thrum_state *state, thrum_task *task, bool watched)
{
    PROBE2(step__begin, task, task->leaf);
    step_frames(state, task, watched);
}

#if THRUM_TASK_HOOKS
/* The same, and somebody is told of each frame: for that none is stepped by another. */
static THRUM_COLD_ void run_watched(thrum_state *state, thrum_task *task)
{
    int32_t nests = state->nests;
    state->nests = 0;
    run_frames(state, task, true);
    state->nests = nests;
}
#endif

/* How many awaits in a row a step may complete, in which hooks have a say. */
static THRUM_INLINE_ await_budget budget_of_step(const thrum_state *state)
{
#if THRUM_TASK_HOOKS
    if (state->hooks && state->hooks->in_a_row > 0)
        return (await_budget)(state->hooks->in_a_row - 1);
#else
    (void)state;
#endif
    return BUDGET;
}

static THRUM_INLINE_ void begin_task(thrum_state *state, thrum_task *task)
{
    state->current = task;
    state->budget = budget_of_step(state);
    if (THRUM_UNLIKELY_(task->waiter.node.flags & TASK_MUST_CANCEL))
        end_unbegun(task);
#if THRUM_TASK_HOOKS
    else if (THRUM_UNLIKELY_(is_unusual(state, UNUSUAL_WATCHED)))
        run_watched(state, task);
#endif
    else
        run_frames(state, task, false);
}

#if THRUM_TASK_HOOKS
static THRUM_COLD_ void go_on(thrum_state *state, thrum_task *task)
{
    state->current = task;
    state->budget = budget_of_step(state);
    if (is_unusual(state, UNUSUAL_WATCHED))
        run_watched(state, task);
    else
        run_frames(state, task, false);
}
#endif

static THRUM_COLD_ void begin_nested(thrum_state *state, thrum_task *task)
{
    begin_task(state, task);
}

#if THRUM_TASK_HOOKS
static THRUM_COLD_ void tell_step(thrum_state *state, thrum_task *task, bool begins)
{
    const thrum_task_hooks *hooks = state->hooks;
    void (*call)(thrum_task *, void *) = !hooks ? NULL : begins ? hooks->step_begin : hooks->step_end;
    state->current = begins ? task : NULL;
    if (call)
        call(task, hooks->context);
}
#endif

void thrum_task_start_now(thrum_task *task)
{
    thrum_state *state = thrum_state_here();
    if (state->eager >= THRUM_EAGER_DEPTH) {
        thrum_task_schedule(task);
        return;
    }
    thrum_task *current = state->current;
    await_budget budget = state->budget;
#if THRUM_NESTED_CALLS
    int32_t nests = state->nests;
    state->nests = in_debug_mode(state) ? 0 : THRUM_NESTED_CALLS;
#endif
#if THRUM_CONTEXTS
    context_slot *entered = state->entered;
    state->entered = NULL;
#endif
    state->eager++;
#if THRUM_TASK_HOOKS
    bool told = is_unusual(state, UNUSUAL_HOOKS);
    if (told)
        tell_step(state, task, true);
#endif
    if (current && current->leaf && frame_untouched(current->leaf))
        current->leaf->resume |= (function_of(current->leaf)->line & THRUM_LINE_MASK_) << 16;
    begin_nested(state, task);
#if THRUM_TASK_HOOKS
    if (told)
        tell_step(state, task, false);
    if (is_unusual(state, UNUSUAL_WATCHED))
        state->watch(current ? current->leaf : NULL);
#endif
    state->eager--;
#if THRUM_CONTEXTS
    state->entered = entered;
#endif
    state->current = current;
    state->budget = budget;
#if THRUM_NESTED_CALLS
    state->nests = nests;
#endif
}

/* ---- a pass ---- */

/* What is no task that just goes on. True: a task that does so after all. */
static THRUM_COLD_ bool run_other(thrum_state *state, thrum_node *node)
{
    thrum_task *task = task_of(node);
    uint8_t what = node->state;
    if (what == NODE_LOOK) {
        state->current = task;
        state->budget = BUDGET;
        node->state = NODE_READY;
        if (!prepare(task))
            return false;
        node->state = NODE_READY; /* whatever an operation left it in */
        return true;
    }
    if (what == NODE_DUE) {
        THRUM_PREFETCH_(task->leaf); /* it has slept; its frame is likely far away */
        task->waiter.as.value = 0;   /* it was the time */
        ready_push(state, node, node->flags & TASK_MUST_CANCEL ? NODE_LOOK : NODE_READY);
        return false;
    }
    state->current = NULL;
    if (what == NODE_CALL) {
        node->state = NODE_IDLE;
        thrum_handle_call(state, (thrum_handle *)(void *)node);
    } else if (what == NODE_ENDED) {
        thrum_child *child = (thrum_child *)(void *)node;
        node->state = NODE_DONE;
        child->ended(child);
    }
    return false;
}

/* What is ready is this pass; what becomes ready from now on is the next one. */
static THRUM_INLINE_ thrum_node *begin_pass(thrum_state *state)
{
    thrum_node *batch = ready_list(state);
#if THRUM_SMALL
    state->last = batch->prev;
#else
    state->ready = state->batch;
    state->batch = batch;
#endif
    return batch;
}

/* The next one of the pass, taken out; NULL when it is over. */
static THRUM_INLINE_ thrum_node *next_of_pass(thrum_state *state, thrum_node *batch)
{
    thrum_node *node = batch->next;
#if THRUM_SMALL
    if (state->last == batch)
        return NULL;
    if (state->last == node)
        state->last = batch;
#else
    (void)state;
    if (node == batch)
        return NULL;
#endif
    batch->next = node->next;
    node->next->prev = batch;
    return node;
}

static THRUM_INLINE_ void run_batch(thrum_state *state)
{
    thrum_node *batch = begin_pass(state), *node;
    while ((node = next_of_pass(state, batch)) != NULL) {
        if (THRUM_UNLIKELY_(node->state != NODE_READY) && !run_other(state, node))
            continue;
        state->current = task_of(node);
        state->budget = BUDGET;
        run_frames(state, task_of(node), false);
    }
}

#if THRUM_TASK_HOOKS
/* The same with hooks around the steps of tasks, and a watch over their frames. */
static THRUM_COLD_ void run_batch_hooked(thrum_state *state)
{
    thrum_node *batch = begin_pass(state), *node;
    while ((node = next_of_pass(state, batch)) != NULL) {
        thrum_task *task = task_of(node);
        bool step = node->state == NODE_READY || node->state == NODE_LOOK;
        if (step)
            tell_step(state, task, true);
        if (node->state == NODE_READY || run_other(state, node))
            go_on(state, task);
        if (step)
            tell_step(state, task, false);
    }
}
#endif

static THRUM_INLINE_ bool another_pass(thrum_state *state)
{
#if THRUM_HOSTED
    return --state->passes != 0 && !list_empty(state->ready);
#else
    (void)state;
    return false; /* a pass is short there, and what interrupts bring comes first */
#endif
}

/* The loop is run inside of thrum_context_run(), or somebody wants to be told of steps. */
static THRUM_COLD_ void batch_unusual(thrum_state *state)
{
#if THRUM_CONTEXTS
    context_slot *entered = state->entered;
    state->entered = NULL;
#endif
    do {
#if THRUM_TASK_HOOKS
        run_batch_hooked(state);
#else
        run_batch(state);
#endif
    } while (another_pass(state));
#if THRUM_CONTEXTS
    state->entered = entered;
#endif
}

static THRUM_INLINE_ void run_passes(thrum_state *state)
{
    bool unusual = false;
#if THRUM_CONTEXTS
    unusual = state->entered != NULL;
#endif
#if THRUM_TASK_HOOKS
    unusual = unusual || is_unusual(state, UNUSUAL_HOOKS | UNUSUAL_WATCHED);
#endif
    if (THRUM_UNLIKELY_(unusual))
        batch_unusual(state);
    else
        do
            run_batch(state);
        while (another_pass(state));
    state->current = NULL;
}

#if THRUM_HOSTED
/* Not inlined into thrum_core_run(): the inner loop there would lack registers. */
THRUM_COLD_ unsigned thrum_core_batch(unsigned passes)
{
    thrum_state *state = thrum_state_here();
    state->passes = passes;
    state->skipped = 0;
    run_passes(state);
    return passes - state->passes - state->skipped;
}
#endif

void thrum_core_run(thrum_time now)
{
    thrum_state *state = thrum_state_here();
    state->now = now;
    collect_due(state, now);
#if THRUM_HOSTED
    thrum_core_batch(1);
#else
    run_passes(state);
#endif
}

#if THRUM_HOSTED
void thrum_core_hurry(void)
{
    thrum_state *state = thrum_state_here();
    state->skipped += state->passes - 1;
    state->passes = 1;
}
#endif

bool thrum_core_ready(void)
{
    return !list_empty(ready_list(thrum_state_here()));
}

thrum_time thrum_core_next(void)
{
    return thrum_timers_next(timers_of(thrum_state_here()));
}

thrum_time thrum_now(void)
{
    return thrum_state_here()->now;
}
