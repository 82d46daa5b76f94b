/* Work that would block the loop, done in a thread: for calls without a form that does not wait, such
 * as getaddrinfo(). */
#ifndef THRUM_THREADS_JOB_H
#define THRUM_THREADS_JOB_H

#include <thrum/events.h>

#include "loop/io.h"

typedef struct thrum_job thrum_job;

/* The owner fills in the first three and begins; the struct stays in place until `done` or `discard` is called, of
 * which exactly one is, and that one frees it. */
struct thrum_job {
    void (*work)(thrum_job *job);    /* in a thread: touches what hangs on the job and nothing else */
    void (*done)(thrum_job *job);    /* in the loop, after work() */
    void (*discard)(thrum_job *job); /* instead of `done`, when nobody wants it any more; in any thread, after work() */

    /* private */
    thrum_job *next;
    thrum_loop *loop;
    thrum_post post;
    thrum_loop_closer closer;
    unsigned char state;
    bool abandoned;
};

/* Have it done. 0; THRUM_ESTATE without a loop; -errno when no thread can be had. On an error neither is called. */
int thrum_job_start(thrum_job *job);

/* The owner is not interested any more: `done` will not be called; `discard` will, perhaps before this returns. */
void thrum_job_abandon(thrum_job *job);

#endif
