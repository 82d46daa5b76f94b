/* Queues, as asyncio's: a woken getter or putter looks again and may find that somebody was faster; then it waits at
 * the tail. While a task is parked, and when it is woken, `waiter.as.value` is what it was called with: where the item
 * is, or the item. */
#include "sync/queue_storage.h"

#include <thrum/generators.h>

#include "core/checks.h"
#include "core/coroutines.h"
#include "core/inlining.h"
#include "core/memory.h"
#include "core/operations.h"
#include "core/ready.h"

static const void *waited_in(const thrum_task *task);

static const check_kind checked = {"queue", waited_in};

/* ---- made and ended; queue_storage.c has the other kinds ---- */

/* Whether `count` times `bytes` may be no distance between pointers any more. A division would be a call on small
 * processors. */
static bool too_much(size_t count, size_t bytes)
{
    for (; bytes <= SIZE_MAX / 2; bytes *= 2, count -= count / 2)
        if (count == 1)
            return false;
    return true;
}

int thrum_queue_refuse(thrum_queue *queue)
{
    queue->shut = true;
    queue->limit = 1;
    return THRUM_EINVAL;
}

int thrum_queue_init(thrum_queue *queue, void *storage, size_t capacity, size_t size)
{
    object_begins(&checked, queue);
    memset(queue, 0, sizeof *queue);
    queue->size = size;
    if (!storage || capacity == 0 || size == 0 || too_much(capacity, size))
        return thrum_queue_refuse(queue);
    queue->items = queue->read = queue->write = (unsigned char *)storage;
    queue->end = queue->items + capacity * size;
    queue->limit = queue->room = capacity;
    queue->ring = size;
    return 0;
}

/* ---- waiting and waking ---- */

/* Who waits in a queue is a parked task, and nearly always the only one: thrum_waiters_add(), thrum_waiters_pop() and
 * thrum_wake() with that known. */
#if !THRUM_SMALL
static THRUM_COLD_ thrum_step wait_behind(thrum_waiters *waiters, thrum_task *task)
{
    if (!line_is_sound(&checked, waiters, task->object))
        return done(thrum_state_here(), task, THRUM_ESTATE, 0);
    list_append(&waiters->first->node, &task->waiter.node);
    return parked(task);
}

#endif

static inline thrum_step wait_in(thrum_waiters *waiters, thrum_task *task, thrum_value argument)
{
    thrum_waiter *waiter = &task->waiter;
    waiter->as.value = argument;
#if THRUM_SMALL
    thrum_waiters_add(waiters, waiter);
    return parked(task);
#else
    if (THRUM_UNLIKELY_(waiters->first != NULL))
        return wait_behind(waiters, task);
    waiters->first = waiter;
    waiter->node.next = waiter->node.prev = &waiter->node;
    return parked(task);
#endif
}

static inline void wake(thrum_waiter *waiter)
{
#if THRUM_SMALL
    thrum_wake(waiter, 0, waiter->as.value);
#else
    thrum_state *state = thrum_state_here();
    uint8_t what = NODE_READY;
    if (THRUM_UNLIKELY_(((thrum_task *)(void *)waiter)->operations->resume != NULL) ||
        THRUM_UNLIKELY_(waiter->node.flags & TASK_MUST_CANCEL))
        what = NODE_LOOK;
    waiter->node.error = 0;
    ready_push(state, &waiter->node, what);
#endif
}

/* Where whoever waits may be touched. */
static inline bool wake_ours(thrum_waiters *waiters)
{
#if THRUM_SMALL
    thrum_waiter *waiter = thrum_waiters_pop(waiters);
    if (!waiter)
        return false;
#else
    thrum_waiter *waiter = waiters->first;
    if (!waiter)
        return false;
    thrum_node *next = waiter->node.next;
    if (THRUM_LIKELY_(next == &waiter->node)) {
        waiters->first = NULL;
    } else {
        list_remove(&waiter->node);
        waiters->first = (thrum_waiter *)(void *)next;
    }
#endif
    wake(waiter);
    return true;
}

static THRUM_COLD_ bool wake_checked(const thrum_queue *queue, thrum_waiters *waiters)
{
    return thrum_check_line(&checked, waiters, queue) && wake_ours(waiters);
}

static inline bool is_plain(void)
{
    return !doubtful(thrum_state_here());
}

/* False: nobody waits, or whoever does must not be touched. */
static inline bool wake_first(const thrum_queue *queue, thrum_waiters *waiters)
{
    return is_plain() ? wake_ours(waiters) : wake_checked(queue, waiters);
}

static void wake_all(const thrum_queue *queue, thrum_waiters *waiters)
{
    while (wake_first(queue, waiters))
        continue;
}

void thrum_queue_shutdown(thrum_queue *queue, bool immediate)
{
    not_for_interrupts();
    queue->shut = true;
    queue->ring = 0;
    if (immediate) {
        queue->unfinished -= queue->count < queue->unfinished ? queue->count : queue->unfinished;
        queue->count = 0;
        queue->read = queue->write = queue->items;
        if (queue->unfinished == 0)
            wake_all(queue, &queue->joiners);
    }
    wake_all(queue, &queue->getters);
    wake_all(queue, &queue->putters);
}

void thrum_queue_close(thrum_queue *queue)
{
    thrum_queue_shutdown(queue, true);
    if (queue->kind && queue->kind->release)
        queue->kind->release(queue);
}

/* ---- in and out at once ---- */

static THRUM_COLD_ int put_slowly(thrum_queue *queue, const void *item)
{
    if (queue->shut)
        return THRUM_ESHUTDOWN;
    return thrum_queue_full(queue) ? THRUM_EFULL : queue->kind->put(queue, item);
}

static inline int put_now(thrum_queue *queue, const void *item)
{
    if (THRUM_LIKELY_(queue->ring && queue->count < queue->room)) {
        queue_ring_put(queue, item);
    } else {
        int error = put_slowly(queue, item);
        if (error)
            return error;
    }
    queue->unfinished++;
    wake_first(queue, &queue->getters);
    return 0;
}

static inline int get_now(thrum_queue *queue, void *item)
{
    if (THRUM_UNLIKELY_(queue->count == 0))
        return queue->shut ? THRUM_ESHUTDOWN : THRUM_EEMPTY;
    if (THRUM_LIKELY_(queue->ring || !queue->kind))
        queue_ring_get(queue, item);
    else
        queue->kind->get(queue, item);
    wake_first(queue, &queue->putters);
    return 0;
}

int thrum_queue_put_nowait(thrum_queue *queue, const void *item)
{
    not_for_interrupts();
    return put_now(queue, item);
}

int thrum_queue_get_nowait(thrum_queue *queue, void *item)
{
    not_for_interrupts();
    return get_now(queue, item);
}

/* ---- put ---- */

/* `again`: the error that has a task wait. */
static THRUM_SHARED_ thrum_step moved(thrum_task *task, thrum_waiters *waiters, thrum_value argument, int error,
                                      int again)
{
    if (error == again)
        return wait_in(waiters, task, argument);
    return done(thrum_state_here(), task, error, 0);
}

/* A cancelled task: what it was woken for, `more`, is the next one's. */
static THRUM_SHARED_ thrum_cancel_result leave(thrum_task *task, thrum_waiters *waiters, bool more)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(waiters, &task->waiter);
    else if (more)
        wake_first((thrum_queue *)task->object, waiters);
    return THRUM_DETACHED;
}

/* Only the first of it can fail for want of memory: a queue in which somebody waits for room has all that it may. */
static inline thrum_step put(thrum_task *task, thrum_queue *queue, const void *item, thrum_value argument)
{
    return moved(task, &queue->putters, argument, put_now(queue, item), THRUM_EFULL);
}

static thrum_step put_start(thrum_task *task, thrum_record *record)
{
    return put(task, (thrum_queue *)record->object, (const void *)(intptr_t)record->a, record->a);
}

static thrum_step put_resume(thrum_task *task)
{
    thrum_value argument = task->waiter.as.value;
    return put(task, (thrum_queue *)task->object, (const void *)(intptr_t)argument, argument);
}

static thrum_cancel_result put_cancel(thrum_task *task)
{
    thrum_queue *queue = (thrum_queue *)task->object;
    return leave(task, &queue->putters, !thrum_queue_full(queue));
}

static const thrum_operations put_operations = {put_start, put_resume, put_cancel, NULL, THRUM_NAMED_("queue put"),
                                                NULL};

thrum_awaitable thrum_queue_put(thrum_queue *queue, const void *item)
{
    return make_awaitable(thrum_state_here(), &put_operations, queue, (thrum_value)(intptr_t)item);
}

/* The same for AWAIT_PUT, which looks again by itself: a task that was woken is in its step at once. What is usual, a
 * queue whose items are words, comes first and calls nothing, so that there are no registers to be saved. */
static const thrum_operations put_wait_operations = {put_start, NULL, put_cancel, NULL, THRUM_NAMED_("queue put"),
                                                     NULL};

static inline thrum_step step_of(thrum_task *task, int error)
{
    thrum_step step = {THRUM_DONE_};
    task->waiter.node.error = error;
    return step;
}

static THRUM_COLD_ thrum_step put_or_begin(thrum_task *task, thrum_queue *queue, const void *item)
{
    if (queue->count < queue->limit || queue->shut)
        return step_of(task, put_now(queue, item));
    return thrum_begin(task, thrum_queue_put(queue, item)); /* comes back with THRUM_ECANCELED */
}

thrum_step thrum_queue_put_or_wait_(thrum_task *task, thrum_queue *queue, const void *item)
{
    if (queue->count < queue->limit || queue->shut || task->waiter.node.flags & TASK_MUST_CANCEL)
        return put_or_begin(task, queue, item);
    task->operations = &put_wait_operations;
    task->object = queue;
    return wait_in(&queue->putters, task, (thrum_value)(intptr_t)item);
}

static THRUM_COLD_ thrum_step put_any_again(thrum_task *task, thrum_queue *queue, thrum_value argument)
{
    int error = put_now(queue, (const void *)(intptr_t)argument);
    return error == THRUM_EFULL ? wait_in(&queue->putters, task, argument) : step_of(task, error);
}

thrum_step thrum_queue_put_again_(thrum_task *task)
{
    thrum_queue *queue = (thrum_queue *)task->object;
    thrum_value argument = task->waiter.as.value;
    if (!is_plain() || !queue_put_word(queue, (const void *)(intptr_t)argument))
        return put_any_again(task, queue, argument);
    queue->unfinished++;
    wake_ours(&queue->getters);
    return step_of(task, 0);
}

/* ---- get ---- */

static THRUM_SHARED_ thrum_step get(thrum_task *task, thrum_queue *queue, thrum_value to)
{
    return moved(task, &queue->getters, to, get_now(queue, (void *)(intptr_t)to), THRUM_EEMPTY);
}

static thrum_step get_start(thrum_task *task, thrum_record *record)
{
    return get(task, (thrum_queue *)record->object, record->a);
}

static thrum_step get_resume(thrum_task *task)
{
    return get(task, (thrum_queue *)task->object, task->waiter.as.value);
}

static thrum_cancel_result get_cancel(thrum_task *task)
{
    thrum_queue *queue = (thrum_queue *)task->object;
    return leave(task, &queue->getters, queue->count != 0);
}

static const thrum_operations get_operations = {get_start, get_resume, get_cancel, NULL, THRUM_NAMED_("queue get"),
                                                NULL};

thrum_awaitable thrum_queue_get(thrum_queue *queue, void *item)
{
    return make_awaitable(thrum_state_here(), &get_operations, queue, (thrum_value)(intptr_t)item);
}

/* ---- one after the other ---- */

/* An iteration gives the pointer to its item, and ends where get fails. */
static thrum_step next(thrum_task *task, thrum_queue *queue, thrum_value to)
{
    int error = get_now(queue, (void *)(intptr_t)to);
    if (error == THRUM_EEMPTY)
        return wait_in(&queue->getters, task, to);
    return done(thrum_state_here(), task, error ? THRUM_ESTOP : 0, error ? 0 : to);
}

static thrum_step next_start(thrum_task *task, thrum_record *record)
{
    return next(task, (thrum_queue *)record->object, record->a);
}

static thrum_step next_resume(thrum_task *task)
{
    return next(task, (thrum_queue *)task->object, task->waiter.as.value);
}

static const thrum_operations next_operations = {next_start, next_resume, get_cancel, NULL, THRUM_NAMED_("queue get"),
                                                 NULL};

thrum_iterable thrum_queue_items(thrum_queue *queue, void *item)
{
    return thrum_iterable_make(&next_operations, queue, (thrum_value)(intptr_t)item, 0);
}

/* ---- the other half of AWAIT_GET ---- */

static const thrum_operations get_wait_operations = {get_start, NULL, get_cancel, NULL, THRUM_NAMED_("queue get"),
                                                     NULL};

static THRUM_COLD_ thrum_step get_or_begin(thrum_task *task, thrum_queue *queue, void *item)
{
    if (queue->count || queue->shut)
        return step_of(task, get_now(queue, item));
    return thrum_begin(task, thrum_queue_get(queue, item)); /* comes back with THRUM_ECANCELED */
}

thrum_step thrum_queue_get_or_wait_(thrum_task *task, thrum_queue *queue, void *item)
{
    if (queue->count || queue->shut || task->waiter.node.flags & TASK_MUST_CANCEL)
        return get_or_begin(task, queue, item);
    task->operations = &get_wait_operations;
    task->object = queue;
    return wait_in(&queue->getters, task, (thrum_value)(intptr_t)item);
}

static THRUM_COLD_ thrum_step get_any_again(thrum_task *task, thrum_queue *queue, thrum_value to)
{
    int error = get_now(queue, (void *)(intptr_t)to);
    return error == THRUM_EEMPTY ? wait_in(&queue->getters, task, to) : step_of(task, error);
}

thrum_step thrum_queue_get_again_(thrum_task *task)
{
    thrum_queue *queue = (thrum_queue *)task->object;
    thrum_value to = task->waiter.as.value;
    if (!is_plain() || !queue_get_word(queue, (void *)(intptr_t)to))
        return get_any_again(task, queue, to);
    wake_ours(&queue->putters);
    return step_of(task, 0);
}

/* ---- items handed over by value ---- */

/* An integer of an item's size, which an item that is handed over by value is. */
typedef union queue_value {
    int8_t of_1;
    int16_t of_2;
    int32_t of_4;
#if THRUM_VALUE_BITS == 64
    int64_t of_8;
#endif
} queue_value;

static bool value_to_item(size_t size, thrum_value value, queue_value *item)
{
    switch (size) {
    case 1:
        item->of_1 = (int8_t)value;
        return true;
    case 2:
        item->of_2 = (int16_t)value;
        return true;
    case 4:
        item->of_4 = (int32_t)value;
        return true;
#if THRUM_VALUE_BITS == 64
    case 8:
        item->of_8 = value;
        return true;
#endif
    default:
        return false;
    }
}

static thrum_value item_to_value(size_t size, const queue_value *item)
{
    switch (size) {
    case 1:
        return item->of_1;
    case 2:
        return item->of_2;
    case 4:
        return item->of_4;
    default:
#if THRUM_VALUE_BITS == 64
        return item->of_8;
#else
        return 0;
#endif
    }
}

static thrum_step put_value_start(thrum_task *task, thrum_record *record)
{
    thrum_queue *queue = (thrum_queue *)record->object;
    queue_value item;
    if (!value_to_item(queue->size, record->a, &item))
        return done(thrum_state_here(), task, THRUM_EINVAL, 0);
    return put(task, queue, &item, record->a);
}

static thrum_step put_value_resume(thrum_task *task)
{
    thrum_value argument = task->waiter.as.value;
    queue_value item;
    value_to_item(((thrum_queue *)task->object)->size, argument, &item);
    return put(task, (thrum_queue *)task->object, &item, argument);
}

static const thrum_operations put_value_operations = {
    put_value_start, put_value_resume, put_cancel, NULL, THRUM_NAMED_("queue put"), NULL};

thrum_awaitable thrum_queue_put_value(thrum_queue *queue, thrum_value value)
{
    return make_awaitable(thrum_state_here(), &put_value_operations, queue, value);
}

static thrum_step get_value(thrum_task *task)
{
    thrum_queue *queue = (thrum_queue *)task->object;
    queue_value item;
    int error = get_now(queue, &item);
    if (error == THRUM_EEMPTY)
        return wait_in(&queue->getters, task, 0);
    return done(thrum_state_here(), task, error, error ? 0 : item_to_value(queue->size, &item));
}

static thrum_step get_value_start(thrum_task *task, thrum_record *record)
{
    size_t size = ((thrum_queue *)record->object)->size;
    queue_value item;
    if (!value_to_item(size, 0, &item))
        return done(thrum_state_here(), task, THRUM_EINVAL, 0);
    return get_value(task);
}

static const thrum_operations get_value_operations = {get_value_start,           get_value, get_cancel, NULL,
                                                      THRUM_NAMED_("queue get"), NULL};

thrum_awaitable thrum_queue_get_value(thrum_queue *queue)
{
    return make_awaitable(thrum_state_here(), &get_value_operations, queue, 0);
}

/* ---- work that is done ---- */

int thrum_queue_task_done(thrum_queue *queue)
{
    not_for_interrupts();
    if (queue->unfinished == 0)
        return refused(queue, "more work of a queue was done than was put", THRUM_EINVAL);
    if (--queue->unfinished == 0)
        wake_all(queue, &queue->joiners);
    return 0;
}

static thrum_step join_start(thrum_task *task, thrum_record *record)
{
    thrum_queue *queue = (thrum_queue *)record->object;
    if (queue->unfinished == 0)
        return done(thrum_state_here(), task, 0, 0);
    return wait_in(&queue->joiners, task, 0);
}

static thrum_cancel_result join_cancel(thrum_task *task)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(&((thrum_queue *)task->object)->joiners, &task->waiter);
    return THRUM_DETACHED;
}

static const void *waited_in(const thrum_task *task)
{
    thrum_cancel_result (*cancel)(thrum_task *) = task->operations->cancel;
    return cancel == put_cancel || cancel == get_cancel || cancel == join_cancel ? task->object : NULL;
}

static const thrum_operations join_operations = {join_start, NULL, join_cancel, NULL, THRUM_NAMED_("queue join"), NULL};

thrum_awaitable thrum_queue_join(thrum_queue *queue)
{
    return make_awaitable(thrum_state_here(), &join_operations, queue, 0);
}
