/* Executors: a queue of jobs, and threads that come when there is a job and none of them is idle. */
#include "threads/executor.h"

#include <thrum/pool.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/system.h"

enum { MOST_THREADS = 32, MORE_THREADS = 4 };

/* ---- fork ---- */

static atomic_uint process; /* how many forks lie between the first process and this one */
static pthread_once_t watch_forks = PTHREAD_ONCE_INIT;

static void forked(void)
{
    atomic_fetch_add(&process, 1);
}

static void register_fork(void)
{
    pthread_atfork(NULL, NULL, forked);
}

bool executor_stale(const thrum_executor *executor)
{
    return executor->process != atomic_load_explicit(&process, memory_order_relaxed);
}

/* ---- memory ---- */

void executor_hold(thrum_executor *executor)
{
    atomic_fetch_add_explicit(&executor->references, 1, memory_order_relaxed);
}

void executor_unhold(thrum_executor *executor)
{
    if (atomic_fetch_sub_explicit(&executor->references, 1, memory_order_acq_rel) != 1)
        return;
    if (executor->unjoined) {
        /* The last thread to go may be the one that comes here. */
        if (pthread_equal(executor->left, pthread_self()))
            pthread_detach(executor->left);
        else
            pthread_join(executor->left, NULL);
    }
    pthread_cond_destroy(&executor->ended);
    pthread_cond_destroy(&executor->work);
    pthread_mutex_destroy(&executor->guard);
    free(executor);
}

static unsigned default_threads(void)
{
    system_processors processors;
    system_processors_get(&processors);
    return processors.count + MORE_THREADS < MOST_THREADS ? processors.count + MORE_THREADS : MOST_THREADS;
}

/* Whether a thread may have so much; told now, not by the first call. The minimum that a program is compiled with may
 * be a larger one than what attributes are held to. */
static bool stack_allowed(size_t size)
{
    pthread_attr_t attributes;
    if (!size)
        return true;
#ifdef PTHREAD_STACK_MIN
    if (size < (size_t)PTHREAD_STACK_MIN)
        return false;
#endif
    pthread_attr_init(&attributes);
    int error = pthread_attr_setstacksize(&attributes, size);
    pthread_attr_destroy(&attributes);
    return !error;
}

int thrum_executor_new(thrum_executor **made, const thrum_executor_options *options)
{
    thrum_executor_options all = {.size = sizeof all};
    if (!made || (options && (options->size == 0 || options->size > sizeof all)))
        return THRUM_EINVAL;
    *made = NULL;
    if (options)
        memcpy(&all, options, options->size);
    if (!stack_allowed(all.stack))
        return THRUM_EINVAL;
    thrum_executor *executor = (thrum_executor *)calloc(1, sizeof *executor);
    if (!executor)
        return THRUM_ENOMEM;
    pthread_once(&watch_forks, register_fork);
    pthread_mutex_init(&executor->guard, NULL);
    pthread_cond_init(&executor->work, NULL);
    system_condition_init(&executor->ended);
    executor->last = &executor->first;
    executor->most = all.threads ? all.threads : default_threads();
    executor->stack = all.stack;
    executor->users = 1;
    executor->process = atomic_load(&process);
    atomic_init(&executor->references, 1);
    snprintf(executor->name, sizeof executor->name, "%s", all.name ? all.name : "thrum");
    *made = executor;
    return 0;
}

void executor_use(thrum_executor *executor)
{
    pthread_mutex_lock(&executor->guard);
    executor->users++;
    pthread_mutex_unlock(&executor->guard);
    executor_hold(executor);
}

void thrum_executor_release(thrum_executor *executor)
{
    if (!executor || executor_stale(executor))
        return; /* what its threads would give back stays */
    pthread_mutex_lock(&executor->guard);
    bool last = --executor->users == 0;
    pthread_mutex_unlock(&executor->guard);
    if (last)
        thrum_executor_shutdown(executor, false);
    executor_unhold(executor);
}

/* ---- in a thread ---- */

static void name_thread(thrum_executor *executor)
{
    char name[16];
    pthread_mutex_lock(&executor->guard);
    unsigned number = executor->number++;
    pthread_mutex_unlock(&executor->guard);
    snprintf(name, sizeof name, "%s-%u", executor->name, number % 1000);
    system_name_thread(name);
}

/* Wait for something to do, as long as there may be something. The guard is held. */
static thrum_job *next_job(thrum_executor *executor)
{
    while (!executor->first && !executor->shut) {
        executor->idle++;
        pthread_cond_wait(&executor->work, &executor->guard);
        executor->idle--;
    }
    thrum_job *job = executor->first;
    if (job) {
        executor_withdraw(executor, job);
        job->state = JOB_WORKS;
    }
    return job;
}

/* Nothing may be left of the threads when somebody has waited for them, so each is joined: by the one that ends after
 * it, and the last one by whoever waited. It has only a few instructions to go, so that this does not block. */
static void leave(thrum_executor *executor)
{
    pthread_t previous = executor->left;
    bool join = executor->unjoined;
    executor->left = pthread_self();
    executor->unjoined = true;
    if (--executor->threads == 0)
        for (executor_waiter *waiter; (waiter = executor->waiters) != NULL;) {
            executor->waiters = waiter->next;
            if (waiter->next)
                waiter->next->link = &executor->waiters;
            waiter->link = NULL;
            thrum_call_soon_threadsafe(waiter->loop, &waiter->post);
        }
    if (executor->watched)
        pthread_cond_broadcast(&executor->ended);
    pthread_mutex_unlock(&executor->guard);
    if (join)
        pthread_join(previous, NULL);
}

static void *run_thread(void *argument)
{
    thrum_executor *executor = (thrum_executor *)argument;
    thrum_job *job;
    name_thread(executor);
    pthread_mutex_lock(&executor->guard);
    while ((job = next_job(executor)) != NULL) {
        pthread_mutex_unlock(&executor->guard);
        executor_work(executor, job);
        pthread_mutex_lock(&executor->guard);
    }
    leave(executor);
    thrum_pool_clear();
    executor_unhold(executor);
    return NULL;
}

/* Signals are for the application's threads; those of a fault concern the thread that makes it. */
static int add_thread(thrum_executor *executor)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    sigset_t all, old;
    pthread_attr_t attributes;
    pthread_t thread;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&all, faults[i]);
    pthread_attr_init(&attributes);
    int error = executor->stack ? pthread_attr_setstacksize(&attributes, executor->stack) : 0;
    if (!error) {
        executor_hold(executor);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        error = pthread_create(&thread, &attributes, run_thread, executor);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (error)
            executor_unhold(executor);
    }
    pthread_attr_destroy(&attributes);
    return -error;
}

/* ---- the queue ---- */

int executor_submit(thrum_executor *executor, thrum_job *job)
{
    int error = 0;
    job->next = NULL;
    pthread_mutex_lock(&executor->guard);
    if (executor->shut) {
        pthread_mutex_unlock(&executor->guard);
        return THRUM_ESHUTDOWN;
    }
    *executor->last = job;
    executor->last = &job->next;
    executor->queued++;
    if (executor->queued > executor->idle && executor->threads < executor->most) {
        error = add_thread(executor);
        if (!error)
            executor->threads++;
        else if (executor->threads)
            error = 0; /* one of those will come to it */
        else
            executor_withdraw(executor, job);
    } else {
        pthread_cond_signal(&executor->work);
    }
    pthread_mutex_unlock(&executor->guard);
    return error;
}

bool executor_withdraw(thrum_executor *executor, thrum_job *job)
{
    for (thrum_job **link = &executor->first; *link; link = &(*link)->next) {
        if (*link == job) {
            *link = job->next;
            if (!*link)
                executor->last = link;
            executor->queued--;
            return true;
        }
    }
    return false;
}

void thrum_executor_shutdown(thrum_executor *executor, bool cancel)
{
    if (executor_stale(executor))
        return;
    pthread_mutex_lock(&executor->guard);
    executor->shut = true;
    for (thrum_job *job; cancel && (job = executor->first) != NULL;) {
        executor_withdraw(executor, job);
        executor_cancel(job);
    }
    pthread_cond_broadcast(&executor->work);
    pthread_mutex_unlock(&executor->guard);
}

void thrum_executor_stats_get(thrum_executor *executor, thrum_executor_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    if (executor_stale(executor))
        return;
    pthread_mutex_lock(&executor->guard);
    stats->threads = executor->threads;
    stats->idle = executor->idle;
    stats->queued = executor->queued;
    pthread_mutex_unlock(&executor->guard);
}
