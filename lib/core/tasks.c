/* Tasks as their users see them. */
#include <thrum/tasks.h>

#include "core/cancelling.h"
#include "core/checks.h"
#include "core/contextvars.h"
#include "core/coroutines.h"
#include "core/details.h"
#include "core/inlining.h"
#include "core/memory.h"
#include "core/operations.h"
#include "core/probes.h"
#include "core/ready.h"
#include "core/scheduler.h"

/* ---- making ---- */

/* A task runs an async function; anything else is awaited by this one, which is written by hand to be small. */
typedef struct await_frame {
    thrum_coro coro;
    thrum_awaitable what;
} await_frame;

static thrum_step await_step(thrum_task *task)
{
    await_frame *frame = (await_frame *)(void *)task->leaf;
    if (!frame->coro.resume) {
        frame->coro.resume = 1;
        thrum_step step = thrum_begin(task, frame->what);
        if (step.what)
            return step;
    }
    frame->coro.result = task->waiter.as.value;
    return thrum_leave_step_(task, false);
}

static void await_drop(thrum_record *record)
{
    thrum_drop(((await_frame *)(void *)record)->what);
}

static const thrum_function await_function = {{NULL, await_step, NULL, await_drop, THRUM_NAMED_("await"), NULL},
                                              THRUM_NAMED_(__FILE__),
                                              NULL,
                                              sizeof(await_frame),
                                              sizeof(await_frame),
                                              THRUM_SLOT_(sizeof(await_frame), 0),
                                              __LINE__};

/* What a task begins with: an async function's frame, whatever the awaitable is; NULL when there is no memory. */
static THRUM_COLD_ thrum_coro *wrap(thrum_awaitable what)
{
    await_frame *frame = (await_frame *)thrum_frame_new_(&await_function);
    if (!frame)
        return NULL;
    frame->what = what;
    return &frame->coro;
}

static THRUM_INLINE_ void task_init(thrum_task *task, thrum_coro *coro, uint8_t flags)
{
#if THRUM_SMALL
    thrum_clear_(task, sizeof *task);
#else
    /* Not the links, which come next; and what lies side by side together. */
    task->waiter.node.error = 0;
    task->waiter.node.count = 0;
    task->waiter.as.value = 0;
    task->operations = NULL;
    task->object = NULL;
    task->waiters.first = NULL;
    task->scopes = NULL;
#if THRUM_DETAILS
    task->extension = NULL;
#endif
#endif
    task->leaf = coro;
    task->waiter.node.flags = (uint8_t)(TASK_IS | flags);
    task->waiter.node.state = NODE_READY;
    PROBE2(task__spawn, task, coro);
}

/* Where there is a loop. */
static THRUM_INLINE_ thrum_task *task_new(thrum_state *state, thrum_awaitable what, size_t size, uint8_t flags)
{
    (void)state; /* a pool that is one array needs none */
    thrum_coro *coro = (thrum_coro *)(void *)head_of(what);
    if (THRUM_UNLIKELY_(coro->head.operations->start != NULL)) {
        if ((coro = wrap(what)) != NULL)
            what.word = (uintptr_t)(void *)coro;
    }
    thrum_task *task = coro ? (thrum_task *)pool_take(&state->pool, size, POOL_TASK) : NULL;
    if (THRUM_UNLIKELY_(!task)) {
        thrum_drop(what);
        return NULL;
    }
    task->waiter.node.next = task->waiter.node.prev = NULL; /* it may begin before it is queued */
    task_init(task, coro, flags);
    return task;
}

/* What a task of this kind is given before anything runs: context, name, the attention of hooks. */
static THRUM_COLD_ bool dress(thrum_state *state, thrum_task *task, const thrum_spawn_options *options)
{
#if THRUM_CONTEXTS
    if (!thrum_context_dress(state, task, options->context))
        return false;
#endif
    if (is_unusual(state, UNUSUAL_DEBUG)) {
        thrum_made_note_task(task);
        (void)thrum_check_take(task->leaf);
    }
#if THRUM_TASK_HOOKS
    /* The extension has the task end where the hooks are looked for. */
    if (is_unusual(state, UNUSUAL_HOOKS) && !thrum_task_extend(task))
        return false;
#endif
    (void)state;
    return !options->name || thrum_task_set_name(task, options->name) == 0;
}

static inline bool is_plain(const thrum_state *state, const thrum_spawn_options *options)
{
    bool plain = !is_unusual(state, UNUSUAL_POSSIBLE) && !options->name;
#if THRUM_CONTEXTS
    plain = plain && !options->context;
#endif
    return plain;
}

/* It was not to be. */
static thrum_task *undo(thrum_state *state, thrum_task *task)
{
    frame_drop_taken(task->leaf);
    task->leaf = NULL;
    thrum_task_free_slow(state, task);
    return NULL;
}

/* Where there is no loop, or in debug mode: what is to be spawned instead, or nothing. */
static THRUM_COLD_ thrum_awaitable spawned_doubtfully(const thrum_state *state, thrum_awaitable what)
{
    static const thrum_awaitable none = {0};
    if (!state->open) {
#if THRUM_CHECKS
        thrum_check_no_loop();
#endif
        thrum_drop(what);
        return none;
    }
    /* What was used already runs on elsewhere; this task fails. */
    return thrum_check_unused(what) ? what : thrum_awaitable_failing(THRUM_ESTATE);
}

static thrum_task *dressed_new(thrum_state *state, thrum_awaitable what, const thrum_spawn_kind *kind,
                               const thrum_spawn_options *options)
{
    if (THRUM_UNLIKELY_(state->open != OPEN_PLAIN) && !(what = spawned_doubtfully(state, what)).word)
        return NULL;
    thrum_task *task = task_new(state, what, kind->size, kind->flags);
    if (!task)
        return NULL;
    if (!is_plain(state, options) && !dress(state, task, options))
        return undo(state, task);
    if (kind->made)
        kind->made(task, kind->context);
#if THRUM_TASK_HOOKS
    if (is_unusual(state, UNUSUAL_HOOKS) && state->hooks->created)
        state->hooks->created(task, state->hooks->context);
#endif
    return task;
}

static const thrum_spawn_kind plain_kind = {sizeof(thrum_task), TASK_OWNED, NULL, NULL};

/* Those of an earlier version end sooner; there may be none. */
static THRUM_COLD_ void complete(thrum_spawn_options *all, const thrum_spawn_options *options)
{
    memset(all, 0, sizeof *all);
    if (options)
        memcpy(all, options, options->size);
}

thrum_task *thrum_task_create(thrum_awaitable what, const thrum_spawn_options *options)
{
    thrum_spawn_options all;
    if (!options || options->size < sizeof all) {
        complete(&all, options);
        options = &all;
    }
    thrum_task *task = dressed_new(thrum_state_here(), what, options->kind ? options->kind : &plain_kind, options);
    if (task && options->start == THRUM_START_EAGER)
        thrum_task_start_now(task);
    else if (task)
        thrum_task_schedule(task);
    return task;
}

thrum_task *thrum_spawn_with(thrum_awaitable what, const thrum_spawn_options *options)
{
#if THRUM_TASK_HOOKS
    const thrum_state *state = thrum_state_here();
    static const thrum_spawn_options none = {.size = sizeof none};
    if (is_unusual(state, UNUSUAL_FACTORY))
        return state->factory(what, options ? options : &none);
#endif
    return thrum_task_create(what, options);
}

thrum_task *thrum_task_new(thrum_awaitable what, size_t size, uint8_t flags)
{
#if UNUSUAL_POSSIBLE_
    const thrum_spawn_kind kind = {size, flags, NULL, NULL};
    const thrum_spawn_options options = {.size = sizeof options};
    return dressed_new(thrum_state_here(), what, &kind, &options);
#else
    if (thrum_state_here()->open)
        return task_new(thrum_state_here(), what, size, flags);
    thrum_drop(what);
    return NULL;
#endif
}

void thrum_task_schedule(thrum_task *task)
{
    list_append(ready_list(thrum_state_here()),
                &task->waiter.node); /* NODE_READY, or NODE_LOOK: it was cancelled already */
}

/* Give the handle back. */
static THRUM_INLINE_ void let_go(thrum_task *task)
{
    if (!task)
        return;
    if (!task->leaf)
        thrum_task_free(thrum_state_here(), task);
    else
        task->waiter.node.flags &= (uint8_t)~TASK_OWNED;
}

/* Where there are context variables, a factory or hooks; or no loop. */
static THRUM_COLD_ thrum_task *spawn_unusual(thrum_awaitable what, thrum_start start, uint8_t flags)
{
    const thrum_spawn_options options = {.size = sizeof options, .start = start};
    thrum_task *task = thrum_spawn_with(what, &options);
    if (!(flags & TASK_OWNED))
        let_go(task);
    return task;
}

/* Where nothing can be unusual, a loop is missing. */
static THRUM_COLD_ thrum_task *spawn_at_all(thrum_awaitable what, thrum_start start, uint8_t flags)
{
    if (UNUSUAL_POSSIBLE)
        return spawn_unusual(what, start, flags);
    thrum_drop(what);
    return NULL;
}

static THRUM_INLINE_ thrum_task *spawn_slow(thrum_state *state, thrum_awaitable what, uint8_t flags)
{
    if (!is_usual(state))
        return spawn_at_all(what, THRUM_START_DEFAULT, flags);
    thrum_task *task = task_new(state, what, sizeof *task, flags);
    if (task)
        list_append(ready_list(state), &task->waiter.node);
    return task;
}

/* An async function, in memory that was a task's before; NULL where there is more to it. */
static THRUM_INLINE_ thrum_task *spawn_again(thrum_state *state, thrum_awaitable what, uint8_t flags)
{
    thrum_head *head = head_of(what);
    if (THRUM_SMALL || THRUM_UNLIKELY_(!is_usual(state) || head->operations->start))
        return NULL;
    thrum_task *task = (thrum_task *)pool_again(&state->pool, sizeof *task, POOL_TASK);
    if (THRUM_UNLIKELY_(!task))
        return NULL;
    task_init(task, (thrum_coro *)(void *)head, flags);
    list_append(ready_list(state), &task->waiter.node);
    return task;
}

static THRUM_COLD_ thrum_task *spawn_owned_slow(thrum_awaitable what)
{
    return spawn_slow(thrum_state_here(), what, TASK_OWNED);
}

thrum_task *thrum_spawn(thrum_awaitable what)
{
    thrum_task *task = spawn_again(thrum_state_here(), what, TASK_OWNED);
    return THRUM_LIKELY_(task != NULL) ? task : spawn_owned_slow(what);
}

static THRUM_COLD_ int spawn_detached_slow(thrum_awaitable what)
{
    thrum_state *state = thrum_state_here();
    return spawn_slow(state, what, 0) ? 0 : state->open ? THRUM_ENOMEM : THRUM_ESTATE;
}

int thrum_spawn_detached(thrum_awaitable what)
{
    return THRUM_LIKELY_(spawn_again(thrum_state_here(), what, 0) != NULL) ? 0 : spawn_detached_slow(what);
}

thrum_task *thrum_spawn_eager(thrum_awaitable what)
{
    if (THRUM_UNLIKELY_(!is_usual(thrum_state_here())))
        return spawn_at_all(what, THRUM_START_EAGER, TASK_OWNED);
    thrum_task *task = task_new(thrum_state_here(), what, sizeof *task, TASK_OWNED);
    if (task)
        thrum_task_start_now(task);
    return task;
}

#if THRUM_TASK_HOOKS
void thrum_core_set_factory(thrum_task *(*factory)(thrum_awaitable what, const thrum_spawn_options *options))
{
    thrum_state *state = thrum_state_here();
    state->factory = factory;
    set_unusual(state, UNUSUAL_FACTORY, factory != NULL);
}

static void extend(thrum_task *task, void *failed)
{
    if (!thrum_task_extend(task))
        *(bool *)failed = true;
}

bool thrum_core_set_hooks(const thrum_task_hooks *hooks)
{
    thrum_state *state = thrum_state_here();
    bool failed = false;
    if (hooks)
        thrum_core_each_task(extend, &failed);
    if (failed)
        return false;
    state->hooks = hooks;
    set_unusual(state, UNUSUAL_HOOKS, hooks != NULL);
    return true;
}

void thrum_core_set_watch(void (*watch)(const thrum_coro *coro))
{
    thrum_state *state = thrum_state_here();
    state->watch = watch;
    set_unusual(state, UNUSUAL_WATCHED, watch != NULL);
}
#endif

/* ---- ending ---- */

void thrum_task_free_slow(thrum_state *state, thrum_task *task)
{
    thrum_node *node = &task->waiter.node;
    const size_t size = node->flags & TASK_CHILD ? sizeof(thrum_child) : sizeof *task;
#if THRUM_CHECKS
    if (node->state == NODE_FREE) {
        (void)refused(task, "a task was released twice", 0);
        return;
    }
#endif
    if (extension_of(task) && doubtful(state) &&
        !thrum_check_task(task, "a task of another loop was released in this thread"))
        return; /* its memory is not ours to give back */
    if (unseen(node) && node->error != THRUM_ECANCELED) {
        const thrum_function *function = thrum_task_function(task);
#if THRUM_DETAILS
        bool shielded = extension_of(task) && extension_of(task)->shielded;
#else
        bool shielded = false;
#endif
        thrum_core_report report = {.message =
                                        shielded ? "error in a shielded task" : "task's error was never retrieved",
                                    .error = (int)node->error,
                                    .task = task,
                                    .function = function,
                                    .line = function ? function->line : 0};
        thrum_made_find_task(task, &report);
        thrum_core_tell(&report);
    }
    if (extension_of(task))
        thrum_detail_end(task);
    node->state = NODE_FREE;
    if (doubtful(state))
        node->flags |= TASK_CHILD; /* whoever releases it again comes here, and is told */
    if (!used_is_kept(state)) {
        pool_give(&state->pool, task, size, POOL_TASK);
        return;
    }
#if THRUM_DETAILS
    static thrum_task_extension released;
    task->extension = &released; /* see task_was_released() */
#endif
    thrum_keep(state, task, NULL, size, POOL_TASK);
}

void thrum_task_release(thrum_task *task)
{
    not_for_interrupts();
    let_go(task);
}

/* ---- awaiting ---- */

/* The handle was given back before, with which somebody wants to wait. */
THRUM_COLD_ int thrum_released(const thrum_task *target)
{
    (void)target;
#if THRUM_CHECKS
    const thrum_function *function = (const thrum_function *)target->object;
    if (doubtful(thrum_state_here()))
        thrum_check_tell_of(thrum_function_name(function), ": a task that was released is awaited", target, NULL);
#endif
    return THRUM_ESTATE;
}

/* What a task gives that has ended. */
static THRUM_INLINE_ thrum_step outcome(thrum_task *task, const thrum_task *target)
{
    return done(thrum_state_here(), task, (int)target->waiter.node.error, target->waiter.as.value);
}

static THRUM_COLD_ thrum_step outcome_with_detail(thrum_task *task, thrum_task *target)
{
    thrum_detail_share(target, task);
    return outcome(task, target);
}

static THRUM_COLD_ thrum_step wait_for(thrum_task *task, thrum_task *target)
{
    if (THRUM_UNLIKELY_(target == task))
        return thrum_done(task, THRUM_ESTATE, 0);
    thrum_waiters_add(&target->waiters, &task->waiter);
    return parked(task);
}

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_task *target = (thrum_task *)task->object;
    (void)record;
    if (!target->leaf) {
        if (THRUM_UNLIKELY_(task_was_released(target)))
            return thrum_done(task, thrum_released(target), 0);
        retrieved(target);
        return THRUM_UNLIKELY_(extension_of(target)) ? outcome_with_detail(task, target) : outcome(task, target);
    }
    return wait_for(task, target);
}

/* The task that is waited for is asked to end, and so is what that waits for in turn: one after the other, so that a
 * long row does not take the C stack. Tasks that wait for one another in a circle would wait for ever: there the circle
 * is opened (found by Brent's method: a mark that moves on after 1, 2, 4, 8 ... steps). A task that is shielded holds
 * it back, and is waited for all the same. */
static thrum_cancel_result wait_cancel(thrum_task *task)
{
    if (task_woken(task))
        return THRUM_DETACHED;
    thrum_task *target = (thrum_task *)task->object, *mark = task;
    uint32_t steps = 0, stride = 1;
    while (target->waiter.node.state == NODE_PARKED && target->operations == &thrum_task_wait_operations &&
           !thrum_cancel_held(target)) {
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

static void wait_awaits(thrum_task *task, thrum_awaits *tell, void *context)
{
    tell(context, (thrum_task *)task->object, NULL);
}

const thrum_operations thrum_task_wait_operations = {wait_start,           NULL,       wait_cancel, NULL,
                                                     THRUM_NAMED_("task"), wait_awaits};

thrum_awaitable thrum_task_wait(thrum_task *task)
{
    return THRUM_LIKELY_(task != NULL) ? make_awaitable(thrum_state_here(), &thrum_task_wait_operations, task, 0)
                                       : thrum_awaitable_failing(THRUM_EINVAL);
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
    not_for_interrupts();
    if (!thrum_task_done(task))
        return THRUM_EPENDING;
    retrieved(task);
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
