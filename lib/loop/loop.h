/* The inside of a loop. */
#ifndef THRUM_LOOP_LOOP_H
#define THRUM_LOOP_LOOP_H

#include <sys/types.h>

#include <thrum/events.h>
#include <thrum/timeouts.h>

#include "core/scheduler.h"
#include "loop/backend.h"
#include "loop/inbox.h"

struct thrum_descriptors;

struct thrum_loop {
    thrum_inbox inbox; /* stands first: it alone stays alive when the loop is closed */
    const thrum_backend *backend;
    thrum_state *state; /* the thread's */
    thrum_loop *next;   /* among closed loops, whose memory waits for another */
    thrum_handle drain; /* calls what the inbox holds */
    bool running;
    bool stopping;
    bool turning; /* a pass is being run right now */
    bool debug;
    bool handling;  /* the exception handler is being called */
    bool unsettled; /* watchers changed since the last wait: the poller does not know yet */
    unsigned holds; /* posts that are known to come */
    thrum_exception_handler *handler;
    void *handler_context;
    thrum_loop_closer closers;             /* sentinel; newest first */
    struct thrum_descriptors *descriptors; /* watches.c */
    void *scratch;
    void (*before_wait)(void); /* NULL: nothing */
    void *argument;            /* of open(): the application's libev loop */
    thrum_time woke;           /* when wait() came back: the time of the pass */
    pid_t process;
};

/* The calling thread's loop. */
static inline thrum_loop *loop_here(void)
{
    return (thrum_loop *)thrum_state_here()->loop;
}

/* Take up what other threads posted, read the clock, and run what is ready: one pass without the waiting. */
void loop_turn(thrum_loop *loop);

/* Whether something is to be done at once. */
static inline bool loop_ready(thrum_loop *loop)
{
    return !list_empty(&loop->state->ready) || !thrum_inbox_empty(&loop->inbox);
}

/* Run until a task is done. 0; THRUM_ESTATE when the loop was stopped before, or may not run now; -errno. */
int loop_run_task(thrum_loop *loop, thrum_task *task);

/* One pass that waits at most until the time `until`; the loop is running. */
int loop_pass(thrum_loop *loop, thrum_time until);

/* May this thread's loop be run now? 0, THRUM_ESTATE or THRUM_ECLOSED. */
int loop_enter(thrum_loop *loop);
void loop_leave(thrum_loop *loop);

/* A thread is at work that will post: while there is one, the loop waits for it also when nothing else is left. */
void loop_hold(thrum_loop *loop);
void loop_unhold(thrum_loop *loop);

/* What is watched by descriptor number (watches.c). */
int loop_descriptor_used(thrum_loop *loop, int descriptor);
void loop_descriptor_unused(thrum_loop *loop, int descriptor);
void loop_close_watches(thrum_loop *loop);

/* As thrum_core_run(), and names steps that take long (slow.c). */
void loop_run_watched(thrum_loop *loop, thrum_time now);

/* Name or text of -errno, or NULL (system_errors.c). */
const char *loop_system_error(int code, bool name);

/* The core tells of something that reached nobody (report.c). */
void loop_core_report(const thrum_core_report *report);

#endif
