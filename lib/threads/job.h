/* Work that would block the loop, done in a thread of an executor: what everything stands on that makes such calls. */
#ifndef THRUM_THREADS_JOB_H
#define THRUM_THREADS_JOB_H

#include <thrum/threads.h>

#include "loop/io.h"

typedef struct thrum_job thrum_job;

/* The owner fills in the first four and begins; the struct stays in place until `done` or `discard` is called, of which
 * exactly one is, or thrum_job_withdraw() gave true, and that one frees it. */
struct thrum_job {
    void (*work)(thrum_job *job);    /* in a thread: touches what hangs on the job and nothing else */
    void (*done)(thrum_job *job);    /* in the loop, after work(); or instead of it, with `cancelled` */
    void (*discard)(thrum_job *job); /* instead of `done`, when nobody wants it any more; in any thread, after work() */
    bool keeps;                      /* uses memory of the loop's tasks: the loop does not close while it works */
    bool cancelled;                  /* the executor was shut down before it began */

    /* private */
    thrum_job *next;
    thrum_executor *executor;
    thrum_loop *loop;
    thrum_post post;
    thrum_loop_closer closer;
    unsigned char state;
    bool abandoned;
};

/* Have it done; NULL: by the loop's default executor. 0; THRUM_ESTATE without a loop; THRUM_ESHUTDOWN; THRUM_ENOMEM;
 * -errno when no thread can be had. On an error neither is called. */
int thrum_job_start(thrum_job *job, thrum_executor *executor);

/* Take it back. True: no thread had begun it, and the job is the owner's again. False: `done` will be called. */
bool thrum_job_withdraw(thrum_job *job);

/* The owner is not interested any more: `done` will not be called; `discard` will, perhaps before this returns. */
void thrum_job_abandon(thrum_job *job);

/* Whether a thread works for this loop with memory of its tasks. */
bool thrum_job_working(thrum_loop *loop);

/* Shut the loop's default executor down and wait for its threads right here, without any memory. 0; THRUM_ETIMEDOUT. */
int thrum_job_threads_end(thrum_loop *loop, thrum_time most);

#endif
