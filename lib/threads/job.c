/* A few threads for the whole process, which come with the work and go when there is none left. A job that is at work
 * when its loop closes, or when its owner loses interest, is discarded by its thread. */
#include "threads/job.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "loop/loop.h"

enum { MOST_THREADS = 32 };

enum { JOB_WAITS, JOB_WORKS, JOB_POSTED };

/* Guards the queue, and of every job its state, `abandoned` and `loop`. */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static thrum_job *first, **last = &first;
static unsigned threads;

/* ---- in a thread ---- */

static void finish(thrum_job *job)
{
    pthread_mutex_lock(&guard);
    bool abandoned = job->abandoned;
    if (!abandoned) {
        job->state = JOB_POSTED;
        /* The loop is there: before it goes it abandons its jobs, under this guard. One that does not take the post any
         * more is closing, and comes to that. */
        thrum_call_soon_threadsafe(job->loop, &job->post);
    }
    pthread_mutex_unlock(&guard);
    if (abandoned)
        job->discard(job);
}

static void *work(void *nothing)
{
    pthread_mutex_lock(&guard);
    while (first) {
        thrum_job *job = first;
        first = job->next;
        if (!first)
            last = &first;
        job->state = JOB_WORKS;
        pthread_mutex_unlock(&guard);
        job->work(job);
        finish(job);
        pthread_mutex_lock(&guard);
    }
    threads--;
    pthread_mutex_unlock(&guard);
    return nothing;
}

/* Signals are for the application's threads. */
static int add_thread(void)
{
    sigset_t all, old;
    pthread_attr_t attributes;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int error = pthread_create(&thread, &attributes, work, NULL);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -error;
}

/* ---- in the loop ---- */

/* The job has nothing to do with its loop any more. */
static void leave(thrum_job *job)
{
    thrum_loop_forget(&job->closer);
    loop_unhold(job->loop);
}

static void on_posted(thrum_post *post)
{
    thrum_job *job = (thrum_job *)post->context;
    leave(job);
    if (job->abandoned)
        job->discard(job);
    else
        job->done(job);
}

/* Take a job out of the queue that no thread has begun. The guard is held. */
static bool withdraw(thrum_job *job)
{
    for (thrum_job **link = &first; *link; link = &(*link)->next) {
        if (*link == job) {
            *link = job->next;
            if (!*link)
                last = link;
            return true;
        }
    }
    return false;
}

static void on_loop_closes(thrum_loop_closer *closer)
{
    thrum_job *job = (thrum_job *)(void *)((char *)closer - offsetof(thrum_job, closer));
    pthread_mutex_lock(&guard);
    job->abandoned = true;
    /* One that was posted is not called any more: the inbox is closed before. */
    bool mine = job->state == JOB_POSTED || (job->state == JOB_WAITS && withdraw(job));
    pthread_mutex_unlock(&guard);
    if (mine)
        job->discard(job);
}

void thrum_job_abandon(thrum_job *job)
{
    pthread_mutex_lock(&guard);
    job->abandoned = true;
    bool mine = job->state == JOB_WAITS && withdraw(job);
    if (job->state != JOB_POSTED) /* a post is still to come to the loop */
        leave(job);
    pthread_mutex_unlock(&guard);
    if (mine)
        job->discard(job);
}

int thrum_job_start(thrum_job *job)
{
    thrum_loop *loop = loop_here();
    int error = 0;
    if (!loop)
        return THRUM_ESTATE;
    job->loop = loop;
    job->next = NULL;
    job->state = JOB_WAITS;
    job->abandoned = false;
    job->closer.close = on_loop_closes;
    memset(&job->post, 0, sizeof job->post);
    job->post.call = on_posted;
    job->post.context = job;
    pthread_mutex_lock(&guard);
    *last = job;
    last = &job->next;
    if (threads < MOST_THREADS) {
        threads++;
        error = add_thread();
        if (error) {
            threads--;
            if (threads)
                error = 0; /* one of those will come to it */
            else
                withdraw(job);
        }
    }
    pthread_mutex_unlock(&guard);
    if (error)
        return error;
    thrum_loop_remember(&job->closer);
    loop_hold(loop);
    return 0;
}
