/* The rules by which tasks stand in line, for everything in which they do:
 *
 * - Who must wait enters at the tail (queue_enter); who is woken has left the line (queue_wake) and finds in the result
 *   of the wait what it was woken with: something that is its own from then on, or NOTHING.
 * - Who is cancelled leaves the line at once, and that is all: what follows from it happens in the task's own next
 *   step, in `resume`, where queue_canceled() tells. There the result says whether something had been handed over
 *   before, and must go on to the next in line. (asyncio does this in the `except` and `finally` of the coroutine,
 *   which run at the same time.) */
#ifndef THRUM_SYNC_WAITQUEUE_H
#define THRUM_SYNC_WAITQUEUE_H

#include "core/checks.h"
#include "core/details.h"
#include "core/operations.h"
#include "core/ready.h"
#include "core/state.h"

enum { NOTHING, GRANTED }; /* what a task is woken with, where that is no number */

/* `object` is what the line is part of. Whoever stands in it already may be another loop's. */
static inline thrum_step queue_enter(const check_kind *kind, const void *object, thrum_waiters *queue, thrum_task *task)
{
    if (doubtful(thrum_state_here()))
        return thrum_check_enter(kind, object, queue, task);
#if THRUM_SMALL
    thrum_waiters_add(queue, &task->waiter);
#else
    thrum_node *node = &task->waiter.node;
    if (queue->first) {
        list_append(&queue->first->node, node);
    } else {
        queue->first = &task->waiter;
        node->next = node->prev = node;
    }
#endif
    return parked(task);
}

/* Wake the first in line, whose operation is on `object`; false when nobody waits, or it is another one's: then the
 * object was moved, and who is woken would go on in the place where it was. */
static inline bool queue_wake_here(thrum_waiters *queue, const void *object, thrum_value with)
{
    thrum_waiter *waiter = queue->first;
    if (!waiter || THRUM_UNLIKELY_(task_of(&waiter->node)->object != object))
        return false;
    thrum_node *next = waiter->node.next;
    list_remove(&waiter->node);
    queue->first = next == &waiter->node ? NULL : (thrum_waiter *)(void *)next;
#if THRUM_SMALL && !THRUM_CHECKS
    wake_parked(thrum_state_here(), task_of(&waiter->node), 0, with);
#else
    thrum_wake(waiter, 0, with);
#endif
    return true;
}

/* The same by a call, where little code is wanted; on the way from an interrupt to who waits it is inlined all the
 * same. */
#if THRUM_SMALL
bool thrum_queue_wake_first(thrum_waiters *queue, const void *object, thrum_value with);
#define queue_wake(queue, object, with) thrum_queue_wake_first(queue, object, with)
#else
#define queue_wake(queue, object, with) queue_wake_here(queue, object, with)
#endif

/* For `cancel`. `with` is what a task that was not woken yet finds in the result. One that waits in an object that is
 * no more goes on at once. */
static inline thrum_cancel_result queue_leave(thrum_waiters *queue, thrum_task *task, thrum_value with)
{
    if (task_woken(task)) {
        task->waiter.node.error = THRUM_ECANCELED;
    } else {
        if (THRUM_UNLIKELY_(!thrum_waiters_leave(queue, &task->waiter)))
            return THRUM_DETACHED;
        thrum_wake(&task->waiter, THRUM_ECANCELED, with);
    }
    return THRUM_FORWARDED;
}

/* For `resume`. */
static inline bool queue_canceled(const thrum_task *task)
{
    return task->waiter.node.error == THRUM_ECANCELED;
}

static inline thrum_step queue_done(thrum_task *task, int error, thrum_value value)
{
    if (THRUM_UNLIKELY_(error == THRUM_ECANCELED) && extension_of(task))
        thrum_detail_canceled(task);
    return done(thrum_state_here(), task, error, value);
}

#endif
