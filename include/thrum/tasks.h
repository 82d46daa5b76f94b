/**
 * @file tasks.h
 * A task runs an async function by itself. It is also a future for that function's result.
 */
#ifndef THRUM_TASKS_H
#define THRUM_TASKS_H

#include <thrum/awaitables.h>
#include <thrum/handles.h>

THRUM_BEGIN_DECLS

struct thrum_scope;
struct thrum_task_extension;

/** A task. Made by the thrum_spawn functions only; the fields are private but for those that operations may read. */
struct thrum_task {
    thrum_waiter waiter;                /**< operations: put this where the waker will find it */
    const thrum_operations *operations; /* of the wait that it is parked in, or NULL */
    void *object;                       /**< operations: what is waited for */
    thrum_coro *leaf;                   /* the innermost frame; NULL when done */
    thrum_waiters waiters;              /* who waits for this task */
    struct thrum_scope *scopes;         /* open blocks, innermost first */
#if THRUM_DETAILS
    struct thrum_task_extension *extension;
#endif
};

/**
 * Start something as a task of its own. Its first step runs in the loop's next pass.
 * [never waits · one task of the pool · this loop's thread only]
 *
 * @param what  an awaitable; spent by this call whatever it gives
 * @return gives an owned reference, to be given back with thrum_task_release(); NULL when the pool is used up or the
 *         thread has no loop
 *
 * asyncio: create_task
 */
THRUM_API thrum_task *thrum_spawn(thrum_awaitable what) THRUM_MUST_USE_;

/**
 * Start something that nobody waits for. An error that it ends with goes to the loop's exception handler.
 * [never waits · one task of the pool · this loop's thread only]
 *
 * @param what  an awaitable; spent by this call whatever it gives
 * @return gives 0; THRUM_ENOMEM; THRUM_ESTATE when the thread has no loop
 *
 * asyncio: create_task, the result forgotten (which there may lose the task, here not)
 */
THRUM_API int thrum_spawn_detached(thrum_awaitable what);

/**
 * Start something as a task, and run it right here until it first suspends. Deeper than THRUM_EAGER_DEPTH eager starts
 * in one another it is started like thrum_spawn().
 * [never waits · one task of the pool · runs other code · this loop's thread only]
 *
 * @param what  an awaitable; spent by this call whatever it gives
 * @return gives an owned reference; the task may be done already. NULL as thrum_spawn()
 *
 * asyncio: Task(eager_start=True)
 */
THRUM_API thrum_task *thrum_spawn_eager(thrum_awaitable what) THRUM_MUST_USE_;

/** When the first step of a new task runs. */
typedef enum thrum_start {
    THRUM_START_DEFAULT, /**< in the next pass; where the loop has a task factory, that decides */
    THRUM_START_LAZY,    /**< in the next pass */
    THRUM_START_EAGER    /**< at once, as thrum_spawn_eager() */
} thrum_start;

/** Settings of a new task. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_spawn_options {
    size_t size;                         /**< sizeof(thrum_spawn_options) */
    const struct thrum_spawn_kind *kind; /* private; a factory hands it on as it is */
    const char *name;                    /**< as thrum_task_set_name(); NULL: none */
    struct thrum_context *context; /**< its context as it is, see contextvars.h; NULL: what the caller's has now */
    thrum_start start;
} thrum_spawn_options;

/**
 * Start something as a task, with settings.
 * [never waits · one task of the pool, a block more for name or context · may run other code ·
 *  this loop's thread only]
 *
 * @param what     an awaitable; spent by this call whatever it gives
 * @param options  borrowed for the call; NULL is the default
 * @return gives an owned reference; NULL as thrum_spawn()
 *
 * asyncio: create_task(name=, context=, eager_start=)
 */
THRUM_API thrum_task *thrum_spawn_with(thrum_awaitable what, const thrum_spawn_options *options) THRUM_MUST_USE_;

/**
 * The same past the loop's task factory: what a factory ends with.
 * [never waits · as thrum_spawn_with() · this loop's thread only]
 *
 * @param what     an awaitable; spent by this call whatever it gives
 * @param options  a factory's own, or a changed copy of them
 * @return gives an owned reference, or a group's child; NULL as thrum_spawn()
 *
 * asyncio: Task(coro, loop=, name=, context=, eager_start=)
 */
THRUM_API thrum_task *thrum_task_create(thrum_awaitable what, const thrum_spawn_options *options) THRUM_MUST_USE_;

/** Calls that tell of every task of a loop: what tracers and debuggers hang themselves into. Members may be NULL. */
typedef struct thrum_task_hooks {
    size_t size;                                         /**< sizeof(thrum_task_hooks) */
    void *context;                                       /**< for the calls */
    void (*created)(thrum_task *task, void *context);    /**< before its first step */
    void (*ended)(thrum_task *task, void *context);      /**< its outcome is there; it may be gone afterwards */
    void (*step_begin)(thrum_task *task, void *context); /**< it goes on; eager first steps nest in another's */
    void (*step_end)(thrum_task *task, void *context);   /**< it suspended; or ended, and is only to be compared */
    /** So many awaits that complete at once, instead of THRUM_AWAIT_BUDGET, send a task to the tail of the ready queue:
     * after 1, each await suspends, in an eager first step, too. 0: as ever. */
    int32_t in_a_row;
} thrum_task_hooks;

/**
 * Give the reference back that thrum_spawn() gave. A task that runs goes on; an error that it ends with and nobody
 * awaits goes to the exception handler.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task  owned; NULL does nothing. Not to be used afterwards.
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_task_release(thrum_task *task);

/**
 * Wait for a task. `AWAIT(task)` and `AWAIT_INTO(lvalue, task)` do the same. Borrows the reference: it must be good
 * until this is awaited; while the await lasts the task lives.
 * Cancelling the waiting task cancels `task`, and the wait ends when that has ended.
 * [awaits · does not suspend when done · no allocation · this loop's thread only]
 *
 * @param task  any but the current one
 * @return gives its result; its error; THRUM_ECANCELED when it was cancelled; THRUM_ESTATE for itself
 *
 * asyncio: `await task`
 */
THRUM_API thrum_awaitable thrum_task_wait(thrum_task *task) THRUM_MUST_USE_;

/**
 * Ask a task to end: THRUM_ECANCELED comes out of the await where it is parked (or of its next one). The body may clean
 * up, and may catch it. A task that has not begun never begins.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task  any
 * @return gives false when it is done already
 *
 * asyncio: Task.cancel
 */
THRUM_API bool thrum_task_cancel(thrum_task *task);

/**
 * The same with a message, found in the text of the error's detail by the task and by who awaits it.
 * [never waits · takes a block of the pool, or goes without · this loop's thread only]
 *
 * @param task     any
 * @param message  static storage, or good until the task has ended; NULL is none
 * @return gives false when it is done already
 *
 * asyncio: Task.cancel(msg)
 */
THRUM_API bool thrum_task_cancel_with(thrum_task *task, const char *message);

/**
 * Take one request to cancel back. At none left, a cancellation that has not been delivered is withdrawn.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task  any; NULL is the current one
 * @return gives how many requests are left
 *
 * asyncio: Task.uncancel
 */
THRUM_API unsigned thrum_task_uncancel(thrum_task *task);

/**
 * Take one request to cancel the current task back.
 * [never waits · no allocation · this loop's thread only]
 *
 * @return gives how many requests are left; 0 outside of tasks
 *
 * asyncio: current_task().uncancel()
 */
THRUM_API unsigned thrum_uncancel(void);

/**
 * How many requests to cancel a task were not taken back.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task  any
 * @return gives a count
 *
 * asyncio: Task.cancelling
 */
THRUM_API unsigned thrum_task_cancelling(const thrum_task *task);

/**
 * Whether a task has ended.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task  any
 * @return gives true or false
 *
 * asyncio: Task.done
 */
THRUM_API bool thrum_task_done(const thrum_task *task);

/**
 * Whether a task ended as cancelled.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task  any
 * @return gives true or false; false while it runs
 *
 * asyncio: Task.cancelled
 */
THRUM_API bool thrum_task_cancelled(const thrum_task *task);

/**
 * The outcome of a task that has ended. Reading an error counts as having dealt with it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task   any
 * @param value  where the result goes; may be NULL
 * @return gives 0; its error; THRUM_ECANCELED; THRUM_EPENDING while it runs
 *
 * asyncio: Task.result, Task.exception
 */
THRUM_API int thrum_task_result(thrum_task *task, thrum_value *value);

/**
 * The detail of the error that a task ended with.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task  any
 * @return gives the detail, good as long as the task; NULL when there is none
 *
 * asyncio: Task.exception
 */
THRUM_API const thrum_error *thrum_task_error(const thrum_task *task);

/**
 * Have a handle called when the task has ended, as thrum_future_add_done_callback().
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task    any
 * @param handle  initialised, idle, the caller's; stays in place until it was called or removed
 * @return gives 0; THRUM_ESTATE when the handle is in use
 *
 * asyncio: Task.add_done_callback
 */
THRUM_API int thrum_task_add_done_callback(thrum_task *task, thrum_handle *handle);

/**
 * Take a done callback back that is not queued yet; thrum_handle_cancel() takes a queued one back, too.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task    the one it was added to
 * @param handle  the handle
 * @return gives whether it was removed
 *
 * asyncio: Task.remove_done_callback
 */
THRUM_API bool thrum_task_remove_done_callback(thrum_task *task, thrum_handle *handle);

/**
 * The task that is running.
 * [never waits · no allocation · any thread]
 *
 * @return gives a borrowed reference; NULL in a callback and outside of the loop
 *
 * asyncio: current_task
 */
THRUM_API thrum_task *thrum_current_task(void);

/**
 * Every task of this thread that has not ended.
 * [never waits · no allocation · O(tasks) · this loop's thread only]
 *
 * @param tasks  room for `room` borrowed references; may be NULL when `room` is 0
 * @param room   how many
 * @return gives how many there are, which may be more than `room`
 *
 * asyncio: all_tasks
 */
THRUM_API size_t thrum_all_tasks(thrum_task **tasks, size_t room);

/**
 * Name a task.
 * [never waits · takes a block of the pool at first use · this loop's thread only]
 *
 * @param task  any
 * @param name  static storage, or good as long as the task
 * @return gives 0; THRUM_ENOMEM
 *
 * asyncio: Task.set_name
 */
THRUM_API int thrum_task_set_name(thrum_task *task, const char *name);

/**
 * The name of a task: the one it was given, or that of its outermost async function.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task  any
 * @return gives static text or what was set
 *
 * asyncio: Task.get_name
 */
THRUM_API const char *thrum_task_name(const thrum_task *task);

/**
 * Wait for a time. A delay of 0 or less gives the other tasks one pass, without a timer.
 * [awaits · no allocation · this loop's thread only]
 *
 * @param delay  ticks: `SECONDS(0.5)`; THRUM_NEVER: until it is cancelled
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: sleep
 */
THRUM_API thrum_awaitable thrum_sleep(thrum_time delay) THRUM_MUST_USE_;

/**
 * Wait until a time of the loop's clock. One that has passed gives the other tasks one pass.
 * [awaits · no allocation · this loop's thread only]
 *
 * @param when  absolute: thrum_now() plus something
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: sleep(when - loop.time())
 */
THRUM_API thrum_awaitable thrum_sleep_until(thrum_time when) THRUM_MUST_USE_;

/**
 * Let the other tasks run: the task goes to the tail of the ready queue.
 * [awaits · no allocation · this loop's thread only]
 *
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: sleep(0)
 */
static inline thrum_awaitable thrum_yield(void) THRUM_MUST_USE_;

/**
 * The time of this thread's loop, as of the pass that runs.
 * [never waits · no allocation · this loop's thread only]
 *
 * @return gives ticks of a clock that never goes back; 0 when the thread has no loop
 *
 * asyncio: loop.time
 */
THRUM_API thrum_time thrum_now(void);

/* Private: what every thrum_yield() gives. */
THRUM_API extern const thrum_record thrum_yield_record_;

static inline thrum_awaitable thrum_yield(void)
{
    thrum_awaitable what = {(uintptr_t)(const void *)&thrum_yield_record_};
    return what;
}

THRUM_END_DECLS

#endif
