/* The executor of a loop, and waiting for an executor's threads to end. Each loop has one of its own, not the process:
 * so a runner that ends can wait for the very threads that worked for it, and calls of one loop that hang do not keep
 * another loop's waiting. Threads come with calls, so one that nobody uses costs nothing. */
#include <thrum/async.h>
#include <thrum/timeouts.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/log.h"
#include "loop/loop.h"
#include "loop/system.h"
#include "threads/executor.h"

/* ---- waiting for the threads ---- */

/* In a loop. Its closer takes it out of the executor's list before the loop goes. */
typedef struct join {
    executor_waiter waiter;
    thrum_executor *executor;
    thrum_task *task;
    thrum_loop_closer closer;
} join;

static void join_free(join *self)
{
    executor_unhold(self->executor);
    free(self);
}

static void on_ended(thrum_post *post)
{
    join *self = (join *)post->context;
    thrum_loop_forget(&self->closer);
    loop_unhold(self->waiter.loop);
    thrum_wake(&self->task->waiter, 0, 0);
}

/* Nothing will tell it any more. */
static void join_leave(join *self)
{
    thrum_executor *executor = self->executor;
    if (executor_stale(executor))
        return;
    pthread_mutex_lock(&executor->guard);
    executor_waiter *waiter = &self->waiter;
    bool stood = waiter->link != NULL;
    if (stood) {
        *waiter->link = waiter->next;
        if (waiter->next)
            waiter->next->link = waiter->link;
    }
    pthread_mutex_unlock(&executor->guard);
    if (!stood)
        thrum_post_cancel(self->waiter.loop, &self->waiter.post);
}

static void join_loop_closes(thrum_loop_closer *closer)
{
    join *self = (join *)(void *)((char *)closer - offsetof(join, closer));
    join_leave(self);
    join_free(self);
}

/* The last thread has told that it ends: it has little more to do than to be joined. */
static void join_last(thrum_executor *executor)
{
    pthread_mutex_lock(&executor->guard);
    pthread_t left = executor->left;
    bool unjoined = executor->unjoined;
    executor->unjoined = false;
    pthread_mutex_unlock(&executor->guard);
    if (unjoined)
        pthread_join(left, NULL);
}

static thrum_step join_start(thrum_task *task, thrum_record *record)
{
    join *self = (join *)record->object;
    thrum_executor *executor = self->executor;
    if (executor_stale(executor)) {
        join_free(self);
        return thrum_done(task, THRUM_ESTATE, 0);
    }
    thrum_executor_shutdown(executor, false);
    pthread_mutex_lock(&executor->guard);
    bool wait = executor->threads > 0;
    if (wait) {
        self->waiter.next = executor->waiters;
        self->waiter.link = &executor->waiters;
        if (self->waiter.next)
            self->waiter.next->link = &self->waiter.next;
        executor->waiters = &self->waiter;
        self->task = task;
        self->waiter.loop = loop_here();
        self->waiter.post.call = on_ended;
        self->waiter.post.context = self;
    }
    pthread_mutex_unlock(&executor->guard);
    if (!wait) {
        join_last(executor);
        join_free(self);
        return thrum_done(task, 0, 0);
    }
    self->closer.close = join_loop_closes;
    thrum_loop_remember(&self->closer);
    loop_hold(self->waiter.loop);
    return thrum_parked(task);
}

static thrum_step join_resume(thrum_task *task)
{
    join *self = (join *)task->object;
    join_last(self->executor);
    join_free(self);
    return thrum_done(task, 0, 0);
}

static thrum_cancel_result join_cancel(thrum_task *task)
{
    join *self = (join *)task->object;
    if (!thrum_task_woken(task)) {
        join_leave(self);
        thrum_loop_forget(&self->closer);
        loop_unhold(self->waiter.loop);
    }
    join_free(self);
    return THRUM_DETACHED;
}

static void join_drop(thrum_record *record)
{
    join_free((join *)record->object);
}

static const thrum_operations join_operations = {join_start, join_resume, join_cancel, join_drop, "executor", NULL};

thrum_awaitable thrum_executor_join(thrum_executor *executor)
{
    join *self = executor ? (join *)calloc(1, sizeof *self) : NULL;
    if (!self)
        return thrum_awaitable_failing(executor ? THRUM_ENOMEM : THRUM_EINVAL);
    self->executor = executor;
    executor_hold(executor);
    return thrum_awaitable_make(&join_operations, self, 0, 0);
}

/* ---- the default executor ---- */

static void release_default(thrum_loop_closer *closer)
{
    thrum_loop *loop = (thrum_loop *)(void *)((char *)closer - offsetof(thrum_loop, executor_closer));
    thrum_executor *executor = loop->executor;
    loop->executor = NULL;
    if (!executor_stale(executor))
        thrum_executor_shutdown(executor, false);
    thrum_executor_release(executor);
}

static void adopt(thrum_loop *loop, thrum_executor *executor)
{
    loop->executor = executor;
    if (executor) {
        loop->executor_closer.close = release_default;
        thrum_loop_remember(&loop->executor_closer);
    }
}

int executor_default(thrum_loop *loop, thrum_executor **executor)
{
    int error = loop->executor_shut ? THRUM_ESHUTDOWN : 0;
    if (!error && !loop->executor) {
        error = thrum_executor_new(executor, NULL);
        if (!error)
            adopt(loop, *executor);
    }
    *executor = loop->executor;
    return error;
}

int thrum_loop_set_default_executor(thrum_loop *loop, thrum_executor *executor)
{
    if (!loop || loop != loop_here() || (executor && executor_stale(executor)))
        return THRUM_ESTATE;
    if (executor)
        executor_use(executor);
    if (loop->executor) {
        thrum_loop_forget(&loop->executor_closer);
        thrum_executor_release(loop->executor);
    }
    adopt(loop, executor);
    return 0;
}

static ASYNC(shutdown_default, ARGS((thrum_time, timeout)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    loop_here()->executor_shut = true;
    if (loop_here()->executor) {
        thrum_executor_shutdown(loop_here()->executor, false);
        AWAIT_CATCH(self->error, thrum_timeout(self->timeout, thrum_executor_join(loop_here()->executor)));
        if (self->error == THRUM_ETIMEDOUT)
            thrum_log("the default executor's threads did not end within %lld ms",
                      (long long)(self->timeout / (THRUM_TICKS_PER_SECOND / 1000)));
        if (self->error)
            ASYNC_RAISE(self->error);
    }
    ASYNC_END;
}

thrum_awaitable thrum_loop_shutdown_default_executor(thrum_time timeout)
{
    return loop_here() ? shutdown_default(timeout) : thrum_awaitable_failing(THRUM_ESTATE);
}

int thrum_job_threads_end(thrum_loop *loop, thrum_time most)
{
    thrum_executor *executor = loop->executor;
    struct timespec limit = system_limit(most);
    int late = 0;
    if (!executor || executor_stale(executor))
        return 0;
    thrum_executor_shutdown(executor, false);
    pthread_mutex_lock(&executor->guard);
    executor->watched++;
    while (executor->threads && late != ETIMEDOUT)
        late = pthread_cond_timedwait(&executor->ended, &executor->guard, &limit);
    executor->watched--;
    bool ended = !executor->threads;
    pthread_mutex_unlock(&executor->guard);
    if (ended)
        join_last(executor);
    return ended ? 0 : THRUM_ETIMEDOUT;
}
