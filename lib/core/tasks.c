/* Tasks as their users see them. */
#include <thrum/tasks.h>

#include "core/coroutines.h"
#include "core/details.h"
#include "core/memory.h"
#include "core/scheduler.h"

/* ---- making ---- */

/* A task runs an async function; anything else is awaited by this one. */
static ASYNC(await_one, ARGS((thrum_awaitable, what)), LOCALS(thrum_value value;), ON_DROP(thrum_drop(self->what);))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, self->what);
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

/* What a task begins with: an async function's frame, whatever the awaitable is; NULL when there is no memory. */
static THRUM_COLD_ thrum_coro *wrap(thrum_awaitable what)
{
    what = await_one(what);
    if (!head_of(what)->operations->start)
        return (thrum_coro *)(void *)head_of(what);
    thrum_drop(what);
    return NULL;
}

static THRUM_INLINE_ thrum_task *task_new(thrum_state *state, thrum_awaitable what, size_t size, uint8_t flags)
{
    thrum_coro *coro = (thrum_coro *)(void *)head_of(what);
    if (THRUM_UNLIKELY_(coro->head.operations->start != NULL) && !(coro = wrap(what)))
        return NULL;
    thrum_task *task = thrum_task_make(state, coro, size, flags);
    if (THRUM_UNLIKELY_(!task)) {
        what.word = (uintptr_t)(void *)coro;
        thrum_drop(what);
    }
    return task;
}

thrum_task *thrum_task_new(thrum_awaitable what, size_t size, uint8_t flags)
{
    return task_new(thrum_state_here(), what, size, flags);
}

void thrum_task_schedule(thrum_task *task)
{
    ready_push(thrum_state_here(), &task->waiter.node, NODE_BEGIN);
}

static THRUM_INLINE_ thrum_task *spawn(thrum_awaitable what, uint8_t flags)
{
    thrum_state *state = thrum_state_here();
    thrum_task *task = task_new(state, what, sizeof *task, flags);
    if (THRUM_LIKELY_(task != NULL))
        list_append(&state->ready, &task->waiter.node);
    return task;
}

thrum_task *thrum_spawn(thrum_awaitable what)
{
    return spawn(what, TASK_OWNED);
}

int thrum_spawn_detached(thrum_awaitable what)
{
    return spawn(what, 0) ? 0 : thrum_state_here()->open ? THRUM_ENOMEM : THRUM_ESTATE;
}

thrum_task *thrum_spawn_eager(thrum_awaitable what)
{
    thrum_task *task = task_new(thrum_state_here(), what, sizeof *task, TASK_OWNED);
    if (task)
        thrum_task_start_now(task);
    return task;
}

/* ---- ending ---- */

void thrum_task_free_slow(thrum_state *state, thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    if (node->error && node->error != THRUM_ECANCELED && !(node->flags & TASK_RETRIEVED)) {
        const thrum_function *function = thrum_task_function(task);
        const thrum_core_report report = {"task's error was never retrieved", (int)node->error, task, function,
                                          function ? function->line : 0};
        thrum_core_tell(&report);
    }
    thrum_detail_end(task);
    node->state = NODE_FREE;
    pool_give(&state->pool, task, node->flags & TASK_CHILD ? sizeof(thrum_child) : sizeof *task, POOL_TASK);
}

void thrum_task_release(thrum_task *task)
{
    if (!task)
        return;
    if (thrum_task_done(task))
        thrum_task_free(thrum_state_here(), task);
    else
        task->waiter.node.flags &= (uint8_t)~TASK_OWNED;
}

/* ---- awaiting ---- */

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_task *target = (thrum_task *)task->object;
    (void)record;
    if (THRUM_UNLIKELY_(target == task))
        return thrum_done(task, THRUM_ESTATE, 0);
    if (thrum_task_done(target)) {
        target->waiter.node.flags |= TASK_RETRIEVED;
        if (target->extension)
            thrum_detail_share(target, task);
        return done(thrum_state_here(), task, (int)target->waiter.node.error, target->waiter.as.value);
    }
    thrum_waiters_add(&target->waiters, &task->waiter);
    return parked(task);
}

/* The task that is waited for is asked to end, and so is what that waits for in turn: one after the other, so that a
 * long row does not take the C stack. Tasks that wait for one another in a circle would wait for ever: there the circle
 * is opened (found by Brent's method: a mark that moves on after 1, 2, 4, 8 ... steps). */
static thrum_cancel_result wait_cancel(thrum_task *task)
{
    if (thrum_task_woken(task))
        return THRUM_DETACHED;
    thrum_task *target = (thrum_task *)task->object, *mark = task;
    uint32_t steps = 0, stride = 1;
    while (target->waiter.node.state == NODE_PARKED && target->operations == &thrum_task_wait_operations) {
        if (target == mark) {
            thrum_waiters_remove(&((thrum_task *)target->object)->waiters, &target->waiter);
            thrum_wake(&target->waiter, THRUM_ECANCELED, 0);
            return THRUM_FORWARDED;
        }
        if (target->waiter.node.count < UINT16_MAX)
            target->waiter.node.count++;
        if (++steps == stride) {
            mark = target;
            stride *= 2;
            steps = 0;
        }
        target = (thrum_task *)target->object;
    }
    return thrum_task_cancel(target) ? THRUM_FORWARDED : THRUM_REFUSED;
}

const thrum_operations thrum_task_wait_operations = {wait_start, NULL, wait_cancel, NULL, "task"};

thrum_awaitable thrum_task_wait(thrum_task *task)
{
    return THRUM_LIKELY_(task != NULL) ? make_awaitable(thrum_state_here(), &thrum_task_wait_operations, task, 0)
                                       : thrum_awaitable_failing(THRUM_EINVAL);
}

/* ---- cancelling ---- */

bool thrum_task_cancel(thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    if (thrum_task_done(task)) {
        node->flags |= TASK_RETRIEVED;
        return false;
    }
    if (node->count < UINT16_MAX)
        node->count++;
    if (node->state == NODE_DUE)
        list_remove(node); /* its sleep is over, but did not wake it yet: the cancellation does so first */
    if ((node->state == NODE_PARKED || node->state == NODE_TIMED || node->state == NODE_DUE) && task->operations)
        thrum_cancel_parked(thrum_state_here(), task);
    else {
        node->flags |= TASK_MUST_CANCEL;
        look_first(task);
    }
    return true;
}

unsigned thrum_task_uncancel(thrum_task *task)
{
    if (!task)
        task = thrum_state_here()->current;
    if (!task)
        return 0;
    thrum_node *node = &task->waiter.node;
    if (node->count && --node->count == 0)
        node->flags &= (uint8_t) ~(TASK_MUST_CANCEL | TASK_LATE);
    return node->count;
}

unsigned thrum_uncancel(void)
{
    return thrum_task_uncancel(NULL);
}

unsigned thrum_task_cancelling(const thrum_task *task)
{
    return task->waiter.node.count;
}

/* ---- asking ---- */

bool thrum_task_done(const thrum_task *task)
{
    return !task->leaf;
}

bool thrum_task_cancelled(const thrum_task *task)
{
    return thrum_task_done(task) && task->waiter.node.error == THRUM_ECANCELED;
}

int thrum_task_result(thrum_task *task, thrum_value *value)
{
    if (!thrum_task_done(task))
        return THRUM_EPENDING;
    task->waiter.node.flags |= TASK_RETRIEVED;
    if (value)
        *value = task->waiter.as.value;
    return (int)task->waiter.node.error;
}

thrum_task *thrum_current_task(void)
{
    return thrum_state_here()->current;
}

const thrum_function *thrum_task_function(const thrum_task *task)
{
    const thrum_coro *coro = task->leaf;
    if (!coro)
        return (const thrum_function *)task->object;
    while (coro->caller)
        coro = coro->caller;
    return function_of(coro);
}

typedef struct task_list {
    thrum_task **tasks;
    size_t room, count;
} task_list;

static void note_task(thrum_task *task, void *context)
{
    task_list *list = (task_list *)context;
    if (list->count < list->room)
        list->tasks[list->count] = task;
    list->count++;
}

size_t thrum_all_tasks(thrum_task **tasks, size_t room)
{
    task_list list = {tasks, room, 0};
    thrum_core_each_task(note_task, &list);
    return list.count;
}
