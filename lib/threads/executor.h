/* The inside of an executor. */
#ifndef THRUM_THREADS_EXECUTOR_H
#define THRUM_THREADS_EXECUTOR_H

#include <pthread.h>
#include <stdatomic.h>

#include "threads/job.h"

/* Where a job is. Withdrawn: its loop is closing, and has kept it from being begun. */
enum { JOB_WAITS, JOB_WORKS, JOB_POSTED, JOB_WITHDRAWN };

/* Who waits for the threads to end, in a loop. */
typedef struct executor_waiter {
    struct executor_waiter *next, **link; /* `link` is NULL when it stands in no list */
    thrum_loop *loop;
    thrum_post post;
} executor_waiter;

struct thrum_executor {
    pthread_mutex_t guard; /* of all that follows but for `references`, and of the jobs that are queued or worked at */
    pthread_cond_t work;   /* something was queued, or the executor is shut down */
    pthread_cond_t ended;  /* a job that somebody waits for was worked at, or a thread has left */
    thrum_job *first, **last;
    size_t queued;
    unsigned most, threads, idle, number;
    unsigned watched; /* who wait for `ended` */
    unsigned users;   /* references of the application and of loops */
    bool shut;
    bool unjoined; /* `left` has ended, or is about to, and is to be joined */
    pthread_t left;
    size_t stack;
    executor_waiter *waiters;
    unsigned process;       /* see executor_stale() */
    atomic_uint references; /* of users, threads and jobs: the memory */
    char name[12];
};

/* Threads do not survive fork(): in a child process the executors of its parent are not touched any more. */
bool executor_stale(const thrum_executor *executor);

void executor_hold(thrum_executor *executor); /* its memory */
void executor_unhold(thrum_executor *executor);
void executor_use(thrum_executor *executor); /* as a user, who gives it back with thrum_executor_release() */

/* Queue a job and see that there is a thread for it. The guard is not held. 0; THRUM_ESHUTDOWN; -errno. */
int executor_submit(thrum_executor *executor, thrum_job *job);

/* Take a job out of the queue. The guard is held. */
bool executor_withdraw(thrum_executor *executor, thrum_job *job);

/* A thread has taken a job out of the queue and works at it (job.c). The guard is not held. */
void executor_work(thrum_executor *executor, thrum_job *job);

/* A job that was queued is given up: its loop is told (job.c). The guard is held. */
void executor_cancel(thrum_job *job);

/* The executor that calls go to which name none, made if need be. 0; THRUM_ESHUTDOWN; THRUM_ENOMEM. */
int executor_default(thrum_loop *loop, thrum_executor **executor);

#endif
