/* A job's way from its loop to a thread and back. A job that is at work when its loop closes, or when its owner loses
 * interest, is discarded by its thread; but a loop does not close while one works with memory of its tasks. */
#include "threads/executor.h"

#include <string.h>

#include "loop/loop.h"

/* ---- in a thread ---- */

/* Its loop is there: before it goes it abandons its jobs, under the executor's guard, which is held. One that does not
 * take the post any more is closing, and comes to that. */
static void post(thrum_job *job)
{
    job->state = JOB_POSTED;
    thrum_call_soon_threadsafe(job->loop, &job->post);
}

void executor_work(thrum_executor *executor, thrum_job *job)
{
    job->work(job);
    pthread_mutex_lock(&executor->guard);
    bool abandoned = job->abandoned;
    if (!abandoned)
        post(job);
    if (executor->watched)
        pthread_cond_broadcast(&executor->ended);
    pthread_mutex_unlock(&executor->guard);
    if (abandoned) {
        job->discard(job);
        executor_unhold(executor);
    }
}

void executor_cancel(thrum_job *job)
{
    job->cancelled = true;
    post(job);
}

/* ---- in the loop ---- */

/* The job has nothing to do with its loop any more. */
static void leave(thrum_job *job)
{
    thrum_loop_forget(&job->closer);
    loop_unhold(job->loop);
}

static void on_posted(thrum_post *posted)
{
    thrum_job *job = (thrum_job *)posted->context;
    thrum_executor *executor = job->executor;
    leave(job);
    if (job->abandoned)
        job->discard(job);
    else
        job->done(job);
    executor_unhold(executor);
}

static thrum_job *job_of(thrum_loop_closer *closer)
{
    return (thrum_job *)(void *)((char *)closer - offsetof(thrum_job, closer));
}

static void on_loop_closes(thrum_loop_closer *closer)
{
    thrum_job *job = job_of(closer);
    thrum_executor *executor = job->executor;
    pthread_mutex_lock(&executor->guard);
    job->abandoned = true;
    /* One that was posted is not called any more: the inbox is closed before. */
    bool mine = job->state == JOB_POSTED || job->state == JOB_WITHDRAWN ||
                (job->state == JOB_WAITS && executor_withdraw(executor, job));
    pthread_mutex_unlock(&executor->guard);
    if (mine) {
        job->discard(job);
        executor_unhold(executor);
    }
}

bool thrum_job_withdraw(thrum_job *job)
{
    thrum_executor *executor = job->executor;
    if (executor_stale(executor))
        return false;
    pthread_mutex_lock(&executor->guard);
    bool mine = job->state == JOB_WITHDRAWN || (job->state == JOB_WAITS && executor_withdraw(executor, job));
    pthread_mutex_unlock(&executor->guard);
    if (mine) {
        leave(job);
        executor_unhold(executor);
    }
    return mine;
}

void thrum_job_abandon(thrum_job *job)
{
    thrum_executor *executor = job->executor;
    if (executor_stale(executor))
        return;
    pthread_mutex_lock(&executor->guard);
    job->abandoned = true;
    bool mine = job->state == JOB_WITHDRAWN || (job->state == JOB_WAITS && executor_withdraw(executor, job));
    if (job->state != JOB_POSTED) /* a post is still to come to the loop */
        leave(job);
    pthread_mutex_unlock(&executor->guard);
    if (mine) {
        job->discard(job);
        executor_unhold(executor);
    }
}

/* ---- the loop closes ---- */

static bool next_keeper(thrum_loop *loop, thrum_loop_closer **closer)
{
    while ((*closer = (*closer)->next) != &loop->closers)
        if ((*closer)->close == on_loop_closes && job_of(*closer)->keeps)
            return true;
    return false;
}

bool thrum_job_working(thrum_loop *loop)
{
    bool working = false;
    for (thrum_loop_closer *closer = &loop->closers; !working && next_keeper(loop, &closer);) {
        thrum_executor *executor = job_of(closer)->executor;
        pthread_mutex_lock(&executor->guard);
        working = job_of(closer)->state == JOB_WORKS;
        pthread_mutex_unlock(&executor->guard);
    }
    return working;
}

/* Called first: nothing of the tasks has gone yet. */
static void wait_for_keepers(thrum_loop *loop)
{
    for (thrum_loop_closer *closer = &loop->closers; next_keeper(loop, &closer);) {
        thrum_job *job = job_of(closer);
        thrum_executor *executor = job->executor;
        pthread_mutex_lock(&executor->guard);
        if (job->state == JOB_WAITS && executor_withdraw(executor, job))
            job->state = JOB_WITHDRAWN;
        executor->watched++;
        while (job->state == JOB_WORKS)
            pthread_cond_wait(&executor->ended, &executor->guard);
        executor->watched--;
        pthread_mutex_unlock(&executor->guard);
    }
}

/* ---- it begins ---- */

int thrum_job_start(thrum_job *job, thrum_executor *executor)
{
    thrum_loop *loop = loop_here();
    int error = loop ? 0 : THRUM_ESTATE;
    if (!error && !executor)
        error = executor_default(loop, &executor);
    if (!error && executor_stale(executor))
        error = THRUM_ESTATE;
    if (error)
        return error;
    job->executor = executor;
    job->loop = loop;
    job->state = JOB_WAITS;
    job->abandoned = job->cancelled = false;
    job->closer.close = on_loop_closes;
    memset(&job->post, 0, sizeof job->post);
    job->post.call = on_posted;
    job->post.context = job;
    executor_hold(executor);
    error = executor_submit(executor, job);
    if (error) {
        executor_unhold(executor);
        return error;
    }
    /* Nothing comes back from the thread before this thread runs the loop. */
    loop->close_threads = wait_for_keepers;
    thrum_loop_remember(&job->closer);
    loop_hold(loop);
    return 0;
}
