/* The ready queue, and how a task is run. */
#include "core/scheduler.h"

#include <thrum/timeouts.h>

#include "core/coroutines.h"
#include "core/details.h"

#if THRUM_HOSTED
#if defined(__GNUC__)
__attribute__((tls_model("initial-exec")))
#endif
_Thread_local thrum_state thrum_state_;
#else
thrum_state thrum_state_;
#endif

/* ---- a task ends ---- */

void thrum_core_tell(const thrum_core_report *report)
{
    thrum_state *state = thrum_state_here();
    if (state->report)
        state->report(report);
}

static THRUM_COLD_ void wake_waiters(thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    while (task->waiters.first) {
        thrum_waiter *waiter = thrum_waiters_pop(&task->waiters);
        /* A callback is told, too, but where somebody holds the task it is his to ask. */
        if (waiter->node.flags & TASK_IS || !(node->flags & TASK_OWNED))
            node->flags |= TASK_RETRIEVED;
        if (task->extension && waiter->node.flags & TASK_IS)
            thrum_detail_share(task, (thrum_task *)(void *)waiter);
        thrum_wake(waiter, (int)node->error, task->waiter.as.value);
    }
}

static THRUM_COLD_ void finish_seen(thrum_state *state, thrum_task *task, const thrum_function *function, int32_t error,
                                    thrum_value value)
{
    thrum_node *node = &task->waiter.node;
    if (node->flags & TASK_MUST_CANCEL) {
        node->flags &= (uint8_t)~TASK_MUST_CANCEL;
        if (!error)
            error = THRUM_ECANCELED; /* asked for, and nothing was waited for since */
    }
    task->leaf = NULL;
    task->operations = NULL;
    task->object = (void *)(uintptr_t)function;
    node->error = error;
    node->state = NODE_DONE;
    task->waiter.as.value = error ? 0 : value;
    bool child = node->flags & TASK_CHILD;
    if (child)
        ready_push(state, node, NODE_ENDED); /* the group has waited from the beginning, so it comes first */
    if (task->waiters.first)
        wake_waiters(task);
    if (!child && !(node->flags & TASK_OWNED))
        thrum_task_free(state, task);
}

static THRUM_INLINE_ void finish(thrum_state *state, thrum_task *task, const thrum_function *function,
                                 thrum_value value)
{
    bool seen = task->waiter.node.flags & (TASK_MUST_CANCEL | TASK_CHILD | TASK_OWNED) || task->waiters.first ||
                task->extension;
    if (seen) {
        finish_seen(state, task, function, 0, value);
        return;
    }
    /* Nobody will ask for it. */
    task->leaf = NULL;
    task->waiter.node.state = NODE_FREE;
    pool_give(&state->pool, task, sizeof *task, POOL_TASK);
}

/* ---- a task runs ---- */

/* A task that was cancelled before it began: it never does. */
static THRUM_COLD_ void end_unbegun(thrum_state *state, thrum_task *task)
{
    const thrum_function *function = function_of(task->leaf);
    thrum_awaitable unbegun = {(uintptr_t)(void *)task->leaf};
    task->waiter.node.flags &= (uint8_t)~TASK_MUST_CANCEL;
    task->leaf = NULL;
    thrum_drop(unbegun);
    if (task->extension)
        thrum_detail_canceled(task);
    finish_seen(state, task, function, THRUM_ECANCELED, 0);
}

/* What comes before the step of a task that goes on, where there is anything: it comes back from the tail, it was
 * cancelled after it was woken, its operation looks again. False: there is nothing to step. */
static THRUM_COLD_ bool prepare(thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    const thrum_operations *operations = task->operations;
    if (node->flags & TASK_AS_IS) {
        /* The await is complete; a cancellation comes at the next one. */
        node->flags = (uint8_t)((node->flags & ~TASK_AS_IS) | (node->flags & TASK_MUST_CANCEL ? TASK_LATE : 0));
        return true;
    }
    if (node->flags & TASK_MUST_CANCEL) {
        thrum_cancel_result result = operations && operations->cancel ? operations->cancel(task) : THRUM_DETACHED;
        if (result != THRUM_REFUSED)
            node->flags &= (uint8_t)~TASK_MUST_CANCEL;
        if (result == THRUM_DETACHED) {
            node->error = THRUM_ECANCELED;
            task->waiter.as.value = 0;
            if (task->extension)
                thrum_detail_canceled(task);
            return true;
        }
    }
    if (operations && operations->resume)
        return operations->resume(task).what == THRUM_DONE_;
    return true;
}

/* A frame ended with an error, which its caller gets. True: that is to go on now. */
static THRUM_COLD_ bool frame_failed(thrum_state *state, thrum_task *task, thrum_coro *coro)
{
    thrum_coro *caller = coro->caller;
    const thrum_function *function = function_of(coro);
    int32_t error = thrum_frame_end(state, task, coro, function);
    task->leaf = caller;
    if (caller)
        return done(state, task, (int)error, 0).what == THRUM_DONE_;
    finish_seen(state, task, function, error, 0);
    return false;
}

/* The innermost frame goes on; when a frame ends its caller does, in one flat loop, so that the C stack does not grow
 * with the depth of calls. */
static THRUM_INLINE_ void run_frames(thrum_state *state, thrum_task *task)
{
    for (;;) {
        thrum_coro *coro = task->leaf;
        unsigned char what = coro->head.operations->resume(task).what;
        if (what == THRUM_PARKED_)
            return;
        if (what == THRUM_CALLED_)
            continue;
        if (THRUM_UNLIKELY_(THRUM_LEAVING_(coro) & THRUM_FAILED_)) {
            if (frame_failed(state, task, coro))
                continue;
            return;
        }
        thrum_coro *caller = coro->caller;
        thrum_value value = coro->result;
        const thrum_function *function = function_of(coro);
        thrum_frame_release(state, coro, function);
        if (!caller) {
            finish(state, task, function, value);
            return;
        }
        task->leaf = caller;
        if (done(state, task, 0, value).what != THRUM_DONE_)
            return;
    }
}

static THRUM_INLINE_ void begin_task(thrum_state *state, thrum_task *task)
{
    state->current = task;
    state->budget = THRUM_AWAIT_BUDGET;
    task->waiter.node.state = NODE_READY;
    if (THRUM_UNLIKELY_(task->waiter.node.flags & TASK_MUST_CANCEL))
        end_unbegun(state, task);
    else
        run_frames(state, task);
}

static THRUM_COLD_ void begin_nested(thrum_state *state, thrum_task *task)
{
    begin_task(state, task);
}

void thrum_task_start_now(thrum_task *task)
{
    thrum_state *state = thrum_state_here();
    if (state->eager >= THRUM_EAGER_DEPTH) {
        thrum_task_schedule(task);
        return;
    }
    thrum_task *current = state->current;
    int32_t budget = state->budget;
    uint8_t nested = state->nested;
    state->nested = 0;
    state->eager++;
    begin_nested(state, task);
    state->eager--;
    state->current = current;
    state->budget = budget;
    state->nested = nested;
}

/* ---- a pass ---- */

void thrum_core_run(thrum_time now)
{
    thrum_state *state = thrum_state_here();
    state->now = now;
    thrum_timers_collect(state, now);
    thrum_core_batch(1);
}

/* What is no task that just goes on. True: a task that does so after all. */
static THRUM_COLD_ bool run_other(thrum_state *state, thrum_node *node)
{
    thrum_task *task = task_of(node);
    switch (node->state) {
    case NODE_BEGIN:
        state->current = task;
        end_unbegun(state, task);
        return false;
    case NODE_LOOK:
        state->current = task;
        state->budget = THRUM_AWAIT_BUDGET;
        node->state = NODE_READY;
        if (!prepare(task))
            return false;
        node->state = NODE_READY; /* whatever an operation left it in */
        return true;
    case NODE_CALL: {
        thrum_handle *handle = (thrum_handle *)(void *)node;
        state->current = NULL;
        node->state = NODE_IDLE;
        handle->call(handle);
        return false;
    }
    case NODE_DUE:
        THRUM_PREFETCH_(task->leaf); /* it has slept; its frame is likely far away */
        task->waiter.as.value = 0;   /* it was the time */
        ready_push(state, node, node->flags & TASK_MUST_CANCEL ? NODE_LOOK : NODE_READY);
        return false;
    case NODE_ENDED: {
        thrum_child *child = (thrum_child *)(void *)node;
        state->current = NULL;
        node->state = NODE_DONE;
        child->ended(child);
        return false;
    }
    default:
        return false;
    }
}

static THRUM_INLINE_ void run_batch(thrum_state *state)
{
    list_splice(&state->batch, &state->ready);
    while (!list_empty(&state->batch)) {
        thrum_node *node = state->batch.next;
        state->batch.next = node->next;
        node->next->prev = &state->batch;
        if (THRUM_UNLIKELY_(node->state != NODE_READY)) {
            if (node->state == NODE_BEGIN && !(node->flags & TASK_MUST_CANCEL))
                node->state = NODE_READY;
            else if (!run_other(state, node))
                continue;
        }
        state->current = task_of(node);
        state->budget = THRUM_AWAIT_BUDGET;
        run_frames(state, task_of(node));
    }
    state->current = NULL;
}

unsigned thrum_core_batch(unsigned passes)
{
    thrum_state *state = thrum_state_here();
    unsigned made = 0;
    state->hurry = false;
    do {
        made++;
        run_batch(state);
    } while (made < passes && !list_empty(&state->ready) && !state->hurry && state->timers->soonest > state->now);
    return made;
}

void thrum_core_hurry(void)
{
    thrum_state_here()->hurry = true;
}

bool thrum_core_ready(void)
{
    return !list_empty(&thrum_state_here()->ready);
}

thrum_time thrum_core_next(void)
{
    return thrum_timers_next(thrum_state_here()->timers);
}

thrum_time thrum_now(void)
{
    return thrum_state_here()->now;
}

/* ---- a loop comes and goes ---- */

bool thrum_core_open(void *loop, thrum_time now, void (*report)(const thrum_core_report *report))
{
    thrum_state *state = thrum_state_here();
    if (state->open)
        return false;
    state->timers = (thrum_timers *)pool_take(&state->pool, sizeof *state->timers, POOL_OTHER);
    if (!state->timers)
        return false;
    list_init(&state->ready);
    list_init(&state->batch);
    thrum_timers_open(state->timers, now);
    state->now = now;
    state->loop = loop;
    state->report = report;
    state->open = true;
    return true;
}

static void visit_task(void *block, void *context)
{
    void **call = (void **)context;
    thrum_task *task = (thrum_task *)block;
    void (*visit)(thrum_task *, void *) = *(void (**)(thrum_task *, void *))call[0];
    if (task->leaf)
        visit(task, call[1]);
}

void thrum_core_each_task(void (*visit)(thrum_task *task, void *context), void *context)
{
    void *call[2] = {&visit, context};
    thrum_pool_walk(&thrum_state_here()->pool, POOL_TASK, visit_task, call);
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
            waiter->node.state = NODE_IDLE;
    task->waiters = tasks;
}

/* Tasks that are left when the loop closes: take each out of whatever it waits in, tell of it, free its frames. */
static void detach(thrum_task *task, void *context)
{
    const thrum_core_report report = {"task was destroyed but it is pending", 0, task, function_of(task->leaf),
                                      line_of(task->leaf)};
    (void)context;
    thrum_core_tell(&report);
    forget_callbacks(task);
    thrum_task_cancel(task);
}

static void destroy(void *block, void *context)
{
    thrum_task *task = (thrum_task *)block;
    (void)context;
    while (task->leaf) {
        thrum_coro *coro = task->leaf;
        task->leaf = coro->caller;
        if (task->waiter.node.state == NODE_BEGIN && coro->head.operations->drop)
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

/* Frames that are left now were never awaited. */
static void never_awaited(void *block, void *context)
{
    thrum_coro *coro = (thrum_coro *)block;
    const thrum_core_report report = {"async function was never awaited", 0, NULL, function_of(coro),
                                      function_of(coro)->line};
    (void)context;
    coro->caller = FRAME_LEFT_OVER;
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

void thrum_core_close(void)
{
    thrum_state *state = thrum_state_here();
    thrum_core_each_task(detach, NULL);
    /* Calls are forgotten, and their handles may be used again. */
    thrum_timers_collect(state, THRUM_NEVER);
    list_splice(&state->ready, &state->batch);
    while (!list_empty(&state->ready)) {
        thrum_node *node = state->ready.next;
        list_remove(node);
        if (!(node->flags & TASK_IS))
            node->state = NODE_IDLE;
    }
    thrum_pool_walk(&state->pool, POOL_TASK, destroy, NULL);
    thrum_pool_walk(&state->pool, POOL_FRAME, never_awaited, NULL);
    thrum_pool_walk(&state->pool, POOL_FRAME, drop_left_over, NULL);
    thrum_pool_walk(&state->pool, POOL_FRAME, free_dropped, NULL);
    list_init(&state->ready);
    list_init(&state->batch);
    pool_give(&state->pool, state->timers, sizeof *state->timers, POOL_OTHER);
    state->timers = NULL;
    state->open = false;
    state->loop = NULL;
    state->report = NULL;
}
