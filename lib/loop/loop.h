/* The inside of a loop. */
#ifndef THRUM_LOOP_LOOP_H
#define THRUM_LOOP_LOOP_H

#include <stddef.h>
#include <sys/types.h>

#include <thrum/events.h>
#include <thrum/timeouts.h>

#include "core/scheduler.h"
#include "loop/backends.h"
#include "loop/inbox.h"
#include "loop/io.h"
#include "loop/monitor.h"
#include "loop/watchdog.h"

struct thrum_descriptors;
struct thrum_network;

/* The backend's storage stands behind it, in the same block. */
struct thrum_loop {
    _Alignas(max_align_t) thrum_inbox inbox; /* stands first: it alone stays alive when the loop is closed */
    thrum_backend verbs;
    const thrum_backend *backend; /* where they were copied from */
    size_t size;                  /* of the whole block */
    uint64_t seed;                /* 0: asyncio's order */
    thrum_state *state;           /* the thread's */
    thrum_loop *next;             /* among closed loops, whose memory waits for another */
    thrum_handle drain;           /* calls what the inbox holds */
    bool running;
    bool stopping;
    bool turning; /* a pass is being run right now */
    bool debug;
    bool handling;  /* the exception handler is being called */
    bool unsettled; /* watchers changed since the last wait: the poller does not know yet */
    thrum_exception_handler *handler;
    void *handler_context;
#if THRUM_TASK_HOOKS
    thrum_task_factory *factory;
    void *factory_context;
    thrum_task_hooks hooks;
#endif
    thrum_loop_closer closers;             /* sentinel; newest first */
    struct thrum_descriptors *descriptors; /* watches.c */
    const struct thrum_network *network;   /* what connections go through; NULL: the system's sockets */
    void *network_own;
    void *scratch;
    void (*before_wait)(void); /* NULL: nothing */
    thrum_time woke;           /* when wait() came back: the time of the pass */
    thrum_time slow;           /* steps that take so long are named in debug mode */
    pid_t process;
    struct thrum_executor *executor; /* the default one; NULL: none yet */
    thrum_loop_closer executor_closer;
    bool executor_shut;                      /* it was shut down for good */
    void (*close_threads)(thrum_loop *loop); /* waits for threads that use memory of tasks; NULL: there are none */
    unsigned open[LOOP_KINDS];               /* streams and servers */
    loop_monitor monitor;
    loop_watchdog *watchdog; /* NULL: none */
};

/* The calling thread's loop. */
static inline thrum_loop *loop_here(void)
{
    return (thrum_loop *)thrum_state_here()->loop;
}

/* The backend's storage. */
static inline void *loop_own(const thrum_loop *loop)
{
    return (void *)(uintptr_t)(loop + 1);
}

/* Take up what other threads posted, read the clock, and run what is ready: one pass without the waiting. */
void loop_turn(thrum_loop *loop);

/* Whether something is to be done at once. */
static inline bool loop_ready(thrum_loop *loop)
{
    return !list_empty(loop->state->ready) || !thrum_inbox_empty(&loop->inbox);
}

/* Run until a task is done. 0; THRUM_ESTATE when the loop was stopped before, or may not run now; -errno. */
int loop_run_task(thrum_loop *loop, thrum_task *task);

/* One pass that waits at most until the time `until`; the loop is running. */
int loop_pass(thrum_loop *loop, thrum_time until);

/* The loop cannot be closed, since a thread uses memory of its tasks and does not come to an end: loop, tasks and the
 * thread's pool are left as they are, and this thread has neither. */
void loop_leave_behind(thrum_loop *loop);

/* The message of a report whose cause is what all tasks wait for: the default handler lists them. */
extern const char loop_deadlock[];

/* May this thread's loop be run now? 0, THRUM_ESTATE or THRUM_ECLOSED. */
int loop_enter(thrum_loop *loop);
void loop_leave(thrum_loop *loop);

/* As thrum_call_soon_threadsafe(), but it is called in any case: when the loop closes before, then (the core does not
 * run any more: state->open). */
int loop_post_answering(thrum_loop *loop, thrum_post *post);

/* A thread is at work that will post: while there is one, the loop waits for it also when nothing else is left. */
void loop_hold(thrum_loop *loop);
void loop_unhold(thrum_loop *loop);

/* What is watched by descriptor number (watches.c). */
int loop_descriptor_used(thrum_loop *loop, int descriptor);
void loop_descriptor_unused(thrum_loop *loop, int descriptor);

/* One of the watchers of a descriptor belongs to an awaited call, or does no more. Whether a stream or the like has it
 * for its own. */
void loop_descriptor_shared(thrum_loop *loop, int descriptor, bool more);
bool loop_descriptor_owned(const thrum_loop *loop, int descriptor);

void loop_close_watches(thrum_loop *loop);

/* As thrum_core_run(), and measures every step (slow.c). */
void loop_run_watched(thrum_loop *loop, thrum_time now);

/* As the backend's wait, and says so when that takes too long. */
int loop_wait_watched(thrum_loop *loop, thrum_time until);

/* Whether the steps of a pass are to be run by loop_run_watched(). */
static inline bool loop_watched(const thrum_loop *loop)
{
    return loop->debug || loop->watchdog;
}

/* Whether the environment asks for debug mode. */
bool loop_debug_wanted(void);

/* Loops in debug mode come and go: while there is one, threads without a loop are told of as well (report.c). */
void loop_count_debugging(bool more);

/* The core tells of something that reached nobody (report.c). */
void loop_core_report(const thrum_core_report *report);

#endif
