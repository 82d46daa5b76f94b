/* A queue between a loop and other threads. Everything is under one mutex but the lists of waiting tasks, which only
 * the loop's thread touches; how many stand in them is. A change wakes one thread of those that wait for it, and, by
 * one post for any number of changes, the tasks: whoever is woken looks again, and who comes too late waits again. So a
 * wake-up can be one too many, never one too few. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <thrum/threadqueues.h>

#include "loop/io.h"
#include "loop/loop.h"
#include "loop/system.h"

/* Those who wait for one thing. */
typedef struct line {
    pthread_cond_t changed;
    size_t threads;     /* that wait */
    size_t tasks;       /* in the list */
    thrum_waiters list; /* the loop's */
} line;

struct thrum_thread_queue {
    pthread_mutex_t guard;
    line getters, putters, joiners;
    unsigned char *items;
    size_t size, room, limit, first, count, unfinished;
    uint32_t zeros; /* how often the work was all done */
    bool shut;
    bool posted;      /* the post is on its way */
    bool freed;       /* it goes when nobody comes to it any more, or with the loop */
    size_t woken;     /* tasks that will look at it once more */
    thrum_loop *loop; /* NULL: closed */
    thrum_post post;
    thrum_loop_closer closer;
};

/* ---- items; the guard is held ---- */

static int grow(thrum_thread_queue *queue)
{
    size_t room = queue->room ? queue->room * 2 : 16;
    if (room > queue->limit)
        room = queue->limit;
    unsigned char *items = room > SIZE_MAX / 2 / queue->size ? NULL : (unsigned char *)malloc(room * queue->size);
    if (!items)
        return THRUM_ENOMEM;
    size_t tail = (queue->room - queue->first) * queue->size;
    if (queue->count) {
        memcpy(items, queue->items + queue->first * queue->size, tail);
        memcpy(items + tail, queue->items, queue->count * queue->size - tail);
    }
    free(queue->items);
    queue->items = items;
    queue->room = room;
    queue->first = 0;
    return 0;
}

/* Something has changed for those who wait in a line. */
static void tell(thrum_thread_queue *queue, line *who, bool all)
{
    if (who->threads) {
        if (all)
            pthread_cond_broadcast(&who->changed);
        else
            pthread_cond_signal(&who->changed);
    }
    if (who->tasks && queue->loop && !queue->posted)
        queue->posted = thrum_call_soon_threadsafe(queue->loop, &queue->post) == 0;
}

static int put(thrum_thread_queue *queue, const void *item)
{
    if (queue->shut)
        return THRUM_ESHUTDOWN;
    if (queue->count >= queue->limit)
        return THRUM_EFULL;
    if (queue->count == queue->room) {
        int error = grow(queue);
        if (error)
            return error;
    }
    size_t at = queue->first + queue->count;
    if (at >= queue->room)
        at -= queue->room;
    memcpy(queue->items + at * queue->size, item, queue->size);
    queue->count++;
    queue->unfinished++;
    tell(queue, &queue->getters, false);
    return 0;
}

static int get(thrum_thread_queue *queue, void *item)
{
    if (queue->count == 0)
        return queue->shut ? THRUM_ESHUTDOWN : THRUM_EEMPTY;
    memcpy(item, queue->items + queue->first * queue->size, queue->size);
    queue->count--;
    if (++queue->first == queue->room)
        queue->first = 0;
    tell(queue, &queue->putters, false);
    return 0;
}

static void finished(thrum_thread_queue *queue, size_t items)
{
    if (queue->unfinished == 0 || items == 0)
        return;
    queue->unfinished -= items < queue->unfinished ? items : queue->unfinished;
    if (queue->unfinished == 0) {
        queue->zeros++;
        tell(queue, &queue->joiners, true);
    }
}

static void shut_down(thrum_thread_queue *queue, bool immediate)
{
    queue->shut = true;
    if (immediate) {
        finished(queue, queue->count);
        queue->count = queue->first = 0;
    }
    tell(queue, &queue->getters, true);
    tell(queue, &queue->putters, true);
}

/* ---- anywhere ---- */

int thrum_thread_queue_put_nowait(thrum_thread_queue *queue, const void *item)
{
    pthread_mutex_lock(&queue->guard);
    int error = put(queue, item);
    pthread_mutex_unlock(&queue->guard);
    return error;
}

int thrum_thread_queue_get_nowait(thrum_thread_queue *queue, void *item)
{
    pthread_mutex_lock(&queue->guard);
    int error = get(queue, item);
    pthread_mutex_unlock(&queue->guard);
    return error;
}

int thrum_thread_queue_task_done(thrum_thread_queue *queue)
{
    pthread_mutex_lock(&queue->guard);
    int error = queue->unfinished ? 0 : THRUM_EINVAL;
    finished(queue, 1);
    pthread_mutex_unlock(&queue->guard);
    return error;
}

void thrum_thread_queue_shutdown(thrum_thread_queue *queue, bool immediate)
{
    pthread_mutex_lock(&queue->guard);
    shut_down(queue, immediate);
    pthread_mutex_unlock(&queue->guard);
}

size_t thrum_thread_queue_size(thrum_thread_queue *queue)
{
    pthread_mutex_lock(&queue->guard);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->guard);
    return count;
}

/* ---- in other threads ---- */

static int put_item(thrum_thread_queue *queue, void *item)
{
    return put(queue, item);
}

static int join_now(thrum_thread_queue *queue, void *nothing)
{
    (void)nothing;
    return queue->unfinished ? THRUM_EFULL : 0;
}

/* Try until it does not say that one has to wait. */
static int block(thrum_thread_queue *queue, line *who, int (*attempt)(thrum_thread_queue *queue, void *item),
                 void *item, thrum_time timeout)
{
    bool limited = timeout != THRUM_NEVER;
    struct timespec limit = {0, 0};
    int error, late = 0;
    pthread_mutex_lock(&queue->guard);
    while ((error = attempt(queue, item)) == THRUM_EFULL || error == THRUM_EEMPTY) {
        if (late || timeout <= 0)
            error = THRUM_ETIMEDOUT;
        else if (queue->loop && queue->loop == loop_here())
            error = THRUM_ESTATE;
        if (error == THRUM_ETIMEDOUT || error == THRUM_ESTATE)
            break;
        if (limited && !limit.tv_sec)
            limit = system_limit(timeout);
        who->threads++;
        late = limited ? pthread_cond_timedwait(&who->changed, &queue->guard, &limit) == ETIMEDOUT
                       : (pthread_cond_wait(&who->changed, &queue->guard), 0);
        who->threads--;
    }
    pthread_mutex_unlock(&queue->guard);
    return error;
}

int thrum_thread_queue_put_blocking(thrum_thread_queue *queue, const void *item, thrum_time timeout)
{
    return block(queue, &queue->putters, put_item, (void *)(uintptr_t)item, timeout);
}

int thrum_thread_queue_get_blocking(thrum_thread_queue *queue, void *item, thrum_time timeout)
{
    return block(queue, &queue->getters, get, item, timeout);
}

int thrum_thread_queue_join_blocking(thrum_thread_queue *queue, thrum_time timeout)
{
    return block(queue, &queue->joiners, join_now, NULL, timeout);
}

/* ---- in the loop ---- */

/* A task enters and leaves a line; the guard is held. While one waits the loop is not out of work. */
static void enter(thrum_thread_queue *queue, line *who, thrum_task *task, thrum_value with)
{
    task->waiter.as.value = with;
    thrum_waiters_add(&who->list, &task->waiter);
    who->tasks++;
    loop_hold(queue->loop);
}

static void leave(thrum_thread_queue *queue, line *who)
{
    who->tasks--;
    if (queue->loop)
        loop_unhold(queue->loop);
}

/* Wake up to so many; the guard is held. What each was called with stays in its value. */
static void wake(thrum_thread_queue *queue, line *who, size_t most)
{
    while (most-- && who->list.first) {
        thrum_waiter *waiter = thrum_waiters_pop(&who->list);
        leave(queue, who);
        queue->woken++;
        thrum_value with = waiter->as.value;
        if (who ==
            &queue->joiners) /* how its wait ends: it is woken when all was done, or when that cannot be any more */
            with = (uint32_t)with == queue->zeros ? THRUM_ESHUTDOWN : 0;
        thrum_wake(waiter, 0, with);
    }
}

/* Wake those for whom there is something. */
static void wake_all(thrum_thread_queue *queue)
{
    wake(queue, &queue->getters, queue->shut ? SIZE_MAX : queue->count);
    wake(queue, &queue->putters, queue->shut ? SIZE_MAX : queue->limit - queue->count);
    /* Those who waited when the work was last all done: they stand before the others. */
    while (queue->joiners.list.first && (queue->freed || (uint32_t)queue->joiners.list.first->as.value != queue->zeros))
        wake(queue, &queue->joiners, 1);
}

static void destroy(thrum_thread_queue *queue)
{
    pthread_cond_destroy(&queue->getters.changed);
    pthread_cond_destroy(&queue->putters.changed);
    pthread_cond_destroy(&queue->joiners.changed);
    pthread_mutex_destroy(&queue->guard);
    free(queue->items);
    free(queue);
}

/* Let the guard go. A queue that was freed goes with the last of those that still come to it: a post that was on its
 * way and tasks that were woken, in whichever order. */
static void let_go(thrum_thread_queue *queue)
{
    bool over = queue->freed && !queue->posted && queue->woken == 0;
    pthread_mutex_unlock(&queue->guard);
    if (over) {
        thrum_loop_forget(&queue->closer);
        destroy(queue);
    }
}

static void on_post(thrum_post *post)
{
    thrum_thread_queue *queue = (thrum_thread_queue *)post->context;
    pthread_mutex_lock(&queue->guard);
    queue->posted = false;
    if (!queue->freed)
        wake_all(queue);
    let_go(queue);
}

static void on_loop_closes(thrum_loop_closer *closer)
{
    thrum_thread_queue *queue = (thrum_thread_queue *)(void *)((char *)closer - offsetof(thrum_thread_queue, closer));
    pthread_mutex_lock(&queue->guard);
    bool freed = queue->freed;
    shut_down(queue, false);
    queue->loop = NULL; /* the inbox is closed: what was posted is not called any more */
    pthread_mutex_unlock(&queue->guard);
    if (freed)
        destroy(queue);
}

/* What is tried, and in which line one waits for it. */
typedef struct way {
    thrum_operations operations;
    size_t line;
    int (*attempt)(thrum_thread_queue *queue, void *item);
    bool iterates; /* it gives the pointer to its item, and comes to an end */
} way;

static line *line_of_way(thrum_thread_queue *queue, const way *how)
{
    return (line *)(void *)((char *)queue + how->line);
}

/* The guard is held, and is let go. */
static thrum_step attempt(thrum_task *task, thrum_thread_queue *queue, thrum_value item)
{
    const way *how = (const way *)(const void *)task->operations;
    int error = THRUM_ESTATE;
    if (!queue->loop || queue->loop == loop_here())
        error = how->attempt(queue, (void *)(intptr_t)item);
    if ((error == THRUM_EFULL || error == THRUM_EEMPTY) && !queue->loop)
        error = THRUM_ESTATE; /* nobody would wake it */
    if (error == THRUM_EFULL || error == THRUM_EEMPTY) {
        bool joins = how->attempt == join_now;
        enter(queue, line_of_way(queue, how), task, joins ? (thrum_value)queue->zeros : item);
        pthread_mutex_unlock(&queue->guard);
        return thrum_parked(task);
    }
    let_go(queue);
    if (error == THRUM_ESHUTDOWN && how->iterates)
        error = THRUM_ESTOP;
    return thrum_done(task, error, how->iterates && !error ? item : 0);
}

static thrum_step move_start(thrum_task *task, thrum_record *record)
{
    thrum_thread_queue *queue = (thrum_thread_queue *)record->object;
    pthread_mutex_lock(&queue->guard);
    return attempt(task, queue, record->a);
}

static thrum_step move_resume(thrum_task *task)
{
    thrum_thread_queue *queue = (thrum_thread_queue *)task->object;
    pthread_mutex_lock(&queue->guard);
    queue->woken--;
    return attempt(task, queue, task->waiter.as.value);
}

/* All was done once, whatever has been put in since; or the queue was freed. */
static thrum_step join_resume(thrum_task *task)
{
    thrum_thread_queue *queue = (thrum_thread_queue *)task->object;
    pthread_mutex_lock(&queue->guard);
    queue->woken--;
    let_go(queue);
    return thrum_done(task, (int)task->waiter.as.value, 0);
}

static thrum_cancel_result move_cancel(thrum_task *task)
{
    thrum_thread_queue *queue = (thrum_thread_queue *)task->object;
    line *who = line_of_way(queue, (const way *)(const void *)task->operations);
    pthread_mutex_lock(&queue->guard);
    if (thrum_task_woken(task)) {
        queue->woken--;
        wake_all(queue); /* what it was woken for is the next one's */
    } else {
        thrum_waiters_remove(&who->list, &task->waiter);
        leave(queue, who);
    }
    let_go(queue);
    return THRUM_DETACHED;
}

static const way put_way = {{move_start, move_resume, move_cancel, NULL, "thread queue put", NULL},
                            offsetof(thrum_thread_queue, putters),
                            put_item,
                            false};
static const way get_way = {{move_start, move_resume, move_cancel, NULL, "thread queue get", NULL},
                            offsetof(thrum_thread_queue, getters),
                            get,
                            false};
static const way items_way = {{move_start, move_resume, move_cancel, NULL, "thread queue get", NULL},
                              offsetof(thrum_thread_queue, getters),
                              get,
                              true};
static const way join_way = {{move_start, join_resume, move_cancel, NULL, "thread queue join", NULL},
                             offsetof(thrum_thread_queue, joiners),
                             join_now,
                             false};

thrum_awaitable thrum_thread_queue_put(thrum_thread_queue *queue, const void *item)
{
    return thrum_awaitable_make(&put_way.operations, queue, (thrum_value)(intptr_t)item, 0);
}

thrum_awaitable thrum_thread_queue_get(thrum_thread_queue *queue, void *item)
{
    return thrum_awaitable_make(&get_way.operations, queue, (thrum_value)(intptr_t)item, 0);
}

thrum_iterable thrum_thread_queue_items(thrum_thread_queue *queue, void *item)
{
    return thrum_iterable_make(&items_way.operations, queue, (thrum_value)(intptr_t)item, 0);
}

thrum_awaitable thrum_thread_queue_join(thrum_thread_queue *queue)
{
    return thrum_awaitable_make(&join_way.operations, queue, 0, 0);
}

/* ---- made and freed ---- */

int thrum_thread_queue_new(thrum_thread_queue **made, size_t maximum, size_t size)
{
    *made = NULL;
    if (!loop_here())
        return THRUM_ESTATE;
    if (size == 0)
        return THRUM_EINVAL;
    thrum_thread_queue *queue = (thrum_thread_queue *)calloc(1, sizeof *queue);
    if (!queue)
        return THRUM_ENOMEM;
    pthread_mutex_init(&queue->guard, NULL);
    system_condition_init(&queue->getters.changed);
    system_condition_init(&queue->putters.changed);
    system_condition_init(&queue->joiners.changed);
    queue->size = size;
    queue->limit = maximum ? maximum : SIZE_MAX;
    queue->loop = loop_here();
    queue->post.call = on_post;
    queue->post.context = queue;
    queue->closer.close = on_loop_closes;
    thrum_loop_remember(&queue->closer);
    *made = queue;
    return 0;
}

void thrum_thread_queue_free(thrum_thread_queue *queue)
{
    if (!queue)
        return;
    pthread_mutex_lock(&queue->guard);
    bool here = queue->loop != NULL;
    shut_down(queue, true);
    if (here) {
        queue->freed = true;
        wake_all(queue);
        let_go(queue);
    } else {
        pthread_mutex_unlock(&queue->guard);
        destroy(queue);
    }
}
