/**
 * @file awaitables.h
 * How waiting works, for those who make something new to wait for. Users of async functions need none of it.
 *
 * An awaitable is a record whose first word points to its operations, four verbs:
 *
 * - `start`: begin. Either it is done already: store the outcome with thrum_done() and return what that gives. Or the
 *   task must wait: put `&task->waiter` where the waker will find it and return thrum_parked().
 * - `resume`: the task was woken (thrum_wake()); look again: done, or parked once more. NULL: what the waker handed
 *   over is the outcome.
 * - `cancel`: the wait shall end early. It is called when the task is parked, and also when it was woken but has not
 *   run yet (thrum_task_woken() tells): then whatever the wake handed over must go on to the next in line. The result
 *   says who wakes the task: THRUM_DETACHED, the task was taken out of every list and goes on with THRUM_ECANCELED;
 *   THRUM_FORWARDED, the thing itself will wake it with whatever that gives (of a woken task: the operation has dealt
 *   with it, and `resume` goes on); THRUM_REFUSED, not here: the cancellation is delivered at the next await (of a
 *   parked task: when it is woken). NULL: a parked task is cancelled when it is woken.
 * - `drop`: the record will never be started; free what it holds. NULL: nothing to free.
 *
 * A worked example is in doc/awaitables.md. asyncio: `__await__` and Future.
 */
#ifndef THRUM_AWAITABLES_H
#define THRUM_AWAITABLES_H

#include <thrum/errors.h>

THRUM_BEGIN_DECLS

/** What `cancel` says. */
typedef enum thrum_cancel_result { THRUM_DETACHED, THRUM_FORWARDED, THRUM_REFUSED } thrum_cancel_result;

/** The arguments of a leaf operation between its call and its start. */
struct thrum_record {
    THRUM_ALIGNED_ thrum_head head;
    void *object;
    thrum_value a, b;
};

/** Is told what a task waits for, for call graphs: a task or a future, the other one is NULL. */
typedef void thrum_awaits(void *context, thrum_task *task, thrum_future *future);

/** The verbs of one kind of awaitable. Constant; usually static. */
struct thrum_operations {
    thrum_step (*start)(thrum_task *task, thrum_record *record); /**< NULL only for async functions */
    thrum_step (*resume)(thrum_task *task);
    thrum_cancel_result (*cancel)(thrum_task *task);
    void (*drop)(thrum_record *record);
    const char *name; /**< of the operation, for call graphs: "sleep" */
    /** Tell of every task and future that a parked task waits for, which others see as "awaited by"; NULL: of none. */
    void (*awaits)(thrum_task *task, thrum_awaits *tell, void *context);
};

/**
 * Make an awaitable out of operations and their arguments.
 * [never waits · the first one alive is free, others take a small block of the pool · this loop's thread only]
 *
 * @param operations  its verbs; static storage
 * @param object      what is waited for; `task->object` while the wait lasts
 * @param a, b        further arguments, handed to `start` in its record
 * @return gives the awaitable; when the pool is used up, one that fails with THRUM_ENOMEM when awaited (`drop` has run)
 *
 * asyncio: an object with `__await__`
 */
THRUM_API thrum_awaitable thrum_awaitable_make(const thrum_operations *operations, void *object, thrum_value a,
                                               thrum_value b) THRUM_MUST_USE_;

/**
 * An awaitable that fails at once.
 * [never waits · no allocation · any thread]
 *
 * @param error  THRUM_ENOMEM, THRUM_EINVAL, THRUM_ESTATE or THRUM_ECLOSED; other codes take a record as above
 * @return gives the awaitable
 *
 * asyncio: a coroutine that only raises
 */
THRUM_API thrum_awaitable thrum_awaitable_failing(int error) THRUM_MUST_USE_;

/**
 * Give an awaitable back that will never be awaited: what it holds is freed, an async function runs its ON_DROP.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param what  an awaitable that was not awaited, spawned or grouped
 *
 * asyncio: coroutine.close
 */
THRUM_API void thrum_drop(thrum_awaitable what);

/**
 * In `start` and `resume`: the operation is done. To be returned as it is: a task that completes many waits in a row
 * goes to the tail of the ready queue here.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task   the task that was handed in
 * @param error  0, or why it failed
 * @param value  its result
 * @return gives the step to return
 *
 * asyncio: StopIteration with a value
 */
THRUM_API thrum_step thrum_done(thrum_task *task, int error, thrum_value value);

/**
 * In `start` and `resume`: the task must wait. Somebody will call thrum_wake().
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task  the task that was handed in
 * @return gives the step to return
 *
 * asyncio: yielding a pending future
 */
THRUM_API thrum_step thrum_parked(thrum_task *task);

/**
 * Wake a parked task, or call a handle: it goes to the tail of the ready queue and runs in the next pass.
 * The waiter must stand in no list any more. Waking what is already woken does nothing.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param waiter  `&task->waiter` of a parked task
 * @param error   what the await gives: 0 or an error
 * @param value   and its result
 *
 * asyncio: Future.set_result on the awaited future
 */
THRUM_API void thrum_wake(thrum_waiter *waiter, int error, thrum_value value);

/**
 * Put a waiter at the tail of a list. O(1).
 * [never waits · no allocation · this loop's thread only]
 *
 * @param list    where it waits; zeroed memory is an empty list
 * @param waiter  `&task->waiter` of a task that parks; it stands in no list
 *
 * asyncio: Future.add_done_callback, for operations
 */
THRUM_API void thrum_waiters_add(thrum_waiters *list, thrum_waiter *waiter);

/**
 * Take a waiter out of the list that it stands in. O(1).
 * [never waits · no allocation · this loop's thread only]
 *
 * @param list    the one that it was added to
 * @param waiter  in that list
 *
 * asyncio: Future.remove_done_callback, for operations
 */
THRUM_API void thrum_waiters_remove(thrum_waiters *list, thrum_waiter *waiter);

/**
 * Take the first waiter out of a list. O(1).
 * [never waits · no allocation · this loop's thread only]
 *
 * @param list  any
 * @return gives the one that has waited longest; NULL when nobody waits
 *
 * asyncio: collections.deque.popleft in asyncio's locks
 */
THRUM_API thrum_waiter *thrum_waiters_pop(thrum_waiters *list);

/**
 * Whether a task that is not running was woken already and only waits for its turn. For `cancel`.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param task  the one that `cancel` was given
 * @return gives true when it was woken, false while it is parked
 *
 * asyncio: Future.done of what the task waits for
 */
THRUM_API bool thrum_task_woken(const thrum_task *task);

THRUM_END_DECLS

#include <thrum/tasks.h> /* thrum_done() and thrum_parked() look into a task */

#endif
