/**
 * @file events.h
 * The event loop: what asyncio has in events.py. A thread has at most one loop at a time, which every other function of
 * thrum finds by itself.
 */
#ifndef THRUM_EVENTS_H
#define THRUM_EVENTS_H

#include <thrum/errors.h>
#include <thrum/handles.h>
#include <thrum/tasks.h>

THRUM_BEGIN_DECLS

/** A loop. */
typedef struct thrum_loop thrum_loop;

struct thrum_backend;
struct thrum_server;
struct thrum_stream;
struct thrum_transport;

/** What an exception handler is told. Valid during the call. */
typedef struct thrum_report {
    const char *message;            /**< what happened, in words */
    int error;                      /**< the error, or 0 */
    const thrum_error *detail;      /**< of the error, or NULL */
    thrum_task *task;               /**< the task concerned, or NULL */
    thrum_handle *handle;           /**< the handle concerned, or NULL */
    const thrum_function *function; /**< the async function concerned, or NULL */
    uint32_t line;                  /**< where in it, or 0 */
    thrum_future *future;           /**< the future concerned, or NULL */
    struct thrum_stream *stream;    /**< the stream concerned, or NULL */
    struct thrum_server *server;    /**< the server concerned, or NULL */
    const thrum_function *made_in;  /**< in debug mode: what made the task or the function's call, or NULL; where it was
                                         made or called, or, of misuse, what was misused */
    uint32_t made_line;             /**< the await that `made_in` had passed last then; 0: none yet */
    const thrum_function *waits_in; /**< in debug mode, of misuse: where a task waits in what was misused, or NULL */
    uint32_t waits_line;            /**< and the line there */
    struct thrum_transport *transport; /**< the transport concerned, or NULL */
} thrum_report;

/** Is told of errors that nobody awaits; see thrum_loop_set_exception_handler(). */
typedef void thrum_exception_handler(thrum_loop *loop, const thrum_report *report, void *context);

/** How a loop waits. */
typedef enum thrum_backend_kind {
    THRUM_BACKEND_DEFAULT, /**< libev */
    THRUM_BACKEND_LIBEV,
    THRUM_BACKEND_SIM /**< virtual time: jumps to the next timer when nothing is ready; descriptors are not watched */
} thrum_backend_kind;

/** What libev polls with. The default is $THRUM_POLLER (select, poll, epoll, kqueue), or else the best there is. */
typedef enum thrum_poller {
    THRUM_POLLER_DEFAULT,
    THRUM_POLLER_SELECT,
    THRUM_POLLER_POLL,
    THRUM_POLLER_EPOLL,
    THRUM_POLLER_KQUEUE
} thrum_poller;

/** Options of a new loop. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_loop_options {
    size_t size; /**< sizeof(thrum_loop_options) */
    thrum_backend_kind backend;
    thrum_poller poller;
    bool debug;
    uint64_t seed;    /**< THRUM_BACKEND_SIM: 0 keeps asyncio's order; otherwise the ready queue is shuffled by it */
    thrum_time start; /**< THRUM_BACKEND_SIM: where its clock begins */
    const struct thrum_backend *custom; /**< a backend of your own (backends.h), `backend` being left 0; its verbs are
                                             copied; NULL: none */
    void *custom_context;               /**< for its `open` */
} thrum_loop_options;

/**
 * Make this thread's loop.
 * [never waits · allocates · any thread]
 *
 * @param loop     where the loop goes; owned, to be given back with thrum_loop_close()
 * @param options  NULL is the default
 * @return gives 0; THRUM_ESTATE when this thread has a loop; THRUM_EUNSUPPORTED for a poller that is not there;
 *         THRUM_EINVAL, also for a custom backend without a verb that it needs; THRUM_ENOMEM; -errno; what the custom
 *         backend's `open` gives
 *
 * asyncio: new_event_loop and set_event_loop
 */
THRUM_API int thrum_loop_new(thrum_loop **loop, const thrum_loop_options *options);

struct ev_loop;

/**
 * Make a loop that lives inside a libev loop which the application runs by itself, `EV_DEFAULT` included: tasks go on
 * whenever that runs. thrum_loop_close() takes it out again and leaves the libev loop alone.
 * [never waits · allocates · the thread that runs `ev`]
 *
 * @param loop  where the loop goes; owned
 * @param ev    stays the application's, and outlives the loop
 * @return gives 0; THRUM_ESTATE when this thread has a loop; THRUM_EINVAL; THRUM_ENOMEM; -errno
 *
 * asyncio: none
 */
THRUM_API int thrum_loop_from_ev(thrum_loop **loop, struct ev_loop *ev);

/**
 * The libev loop under a loop, for libraries with a libev adapter.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop  open
 * @return gives the libev loop, which stays the loop's; NULL on other backends
 *
 * asyncio: none
 */
THRUM_API struct ev_loop *thrum_loop_ev(thrum_loop *loop);

/**
 * Close a loop: queued calls, posts and timers are dropped, tasks that have not ended are reported and destroyed,
 * without another step; streams and servers are closed.
 * [never waits · this loop's thread only]
 *
 * @param loop  not running; NULL does nothing
 * @return gives 0; THRUM_ESTATE when it runs
 *
 * asyncio: loop.close
 */
THRUM_API int thrum_loop_close(thrum_loop *loop);

/**
 * This thread's loop.
 * [never waits · no allocation · any thread]
 *
 * @return gives the loop, or NULL; NULL in a child process that was forked with it
 *
 * asyncio: get_event_loop
 */
THRUM_API thrum_loop *thrum_loop_current(void);

/**
 * This thread's loop, if it runs.
 * [never waits · no allocation · any thread]
 *
 * @return gives the loop, or NULL
 *
 * asyncio: get_running_loop
 */
THRUM_API thrum_loop *thrum_loop_running(void);

/**
 * Run until thrum_loop_stop(). When that was called before, one pass is made that does not wait.
 * [waits for the world · this loop's thread only]
 *
 * @param loop  this thread's, not running
 * @return gives 0; THRUM_ESTATE when a loop runs in this thread already, when this is not the thread's loop, or, on
 *         virtual time, at a deadlock, which is reported; the default handler lists the tasks that wait, and where
 *
 * asyncio: loop.run_forever
 */
THRUM_API int thrum_loop_run_forever(thrum_loop *loop);

/**
 * Run until something is done.
 * [waits for the world · this loop's thread only]
 *
 * @param loop   this thread's, not running
 * @param what   an awaitable; spent by this call whatever it gives
 * @param value  where its result goes; may be NULL
 * @return gives 0 or its error; THRUM_ESTATE when the loop runs, is not the thread's, was stopped before (the task goes
 *         on in the next run), or is in a deadlock on virtual time; THRUM_ENOMEM
 *
 * asyncio: loop.run_until_complete
 */
THRUM_API int thrum_loop_run_until_complete(thrum_loop *loop, thrum_awaitable what, thrum_value *value);

/**
 * Have the loop return when the current pass is over. Calls queued meanwhile wait for the next run. An ev_run() of the
 * application's own, in which the loop is a guest, goes on: ev_break() ends that.
 * [never waits · this loop's thread only]
 *
 * @param loop  any
 *
 * asyncio: loop.stop
 */
THRUM_API void thrum_loop_stop(thrum_loop *loop);

/**
 * One pass, for embedding in another main loop: wait at most `most`, take up what happened, run what is ready.
 * [waits at most `most` · this loop's thread only]
 *
 * @param loop  this thread's, not running
 * @param most  ticks; 0 does not wait, THRUM_NEVER waits as long as nothing happens
 * @return gives 0; THRUM_ESTATE as thrum_loop_run_forever()
 *
 * asyncio: BaseEventLoop._run_once
 */
THRUM_API int thrum_loop_step(thrum_loop *loop, thrum_time most);

/**
 * When the loop next has something to do by itself, in its own time: 0 for at once, THRUM_NEVER for not before its
 * descriptor is readable. An embedding main loop asks after each step, and waits so long for the descriptor.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop  open
 * @return gives a time of thrum_loop_time(); it may be too early, when a timer was taken back, never too late
 *
 * asyncio: none
 */
THRUM_API thrum_time thrum_loop_next_deadline(const thrum_loop *loop);

/**
 * A descriptor that is readable when the loop should be stepped: the poller's.
 * [never waits · allocates at first use · this loop's thread only]
 *
 * @param loop  open
 * @return gives the descriptor, which stays the loop's; THRUM_EUNSUPPORTED where there is none (poll, select, a guest,
 *         virtual time); THRUM_ENOMEM
 *
 * asyncio: none
 */
THRUM_API int thrum_loop_descriptor(const thrum_loop *loop);

/**
 * Whether a loop runs.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop  any
 * @return gives true or false
 *
 * asyncio: loop.is_running
 */
THRUM_API bool thrum_loop_is_running(const thrum_loop *loop);

/**
 * The loop's clock, read now, and kept for thrum_now().
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop  open
 * @return gives ticks of a clock that never goes back; only differences mean something
 *
 * asyncio: loop.time
 */
THRUM_API thrum_time thrum_loop_time(thrum_loop *loop);

/**
 * Ticks below which two times are the same for this loop's clock.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop  any
 * @return gives ticks, at least 1
 *
 * asyncio: the clock's resolution
 */
THRUM_API thrum_time thrum_loop_resolution(const thrum_loop *loop);

/** A call that another thread asks for. The struct is the caller's and stays in place until it was called. */
typedef struct thrum_post {
    struct thrum_post *next; /* private */
    uintptr_t state;         /* private */
    void (*call)(struct thrum_post *post);
    void *context;
} thrum_post;

/**
 * Have the loop call something: for other threads, and for signal handlers, which may call little else.
 * Posting again what has not been called yet does nothing. Calls run in the order of posting, after what is ready;
 * thrum_loop_close() forgets those that were not made.
 * [never waits · no allocation · any thread]
 *
 * @param loop  open, being closed, or closed: the memory of a closed loop stays, until this process makes another loop,
 *              which may stand there and would take the post as its own
 * @param post  `call` and `context` set, the rest zeroed; stays in place until it is called, or the loop was closed
 * @return gives 0; THRUM_ECLOSED when the loop takes no more (it is not called)
 *
 * asyncio: loop.call_soon_threadsafe
 */
THRUM_API int thrum_call_soon_threadsafe(thrum_loop *loop, thrum_post *post);

/**
 * Take a post back. When this returns the call is not being made, and none that was asked for before is to come: the
 * struct may go. In another thread than the loop's it waits for the end of a call that is being made just then; hold no
 * lock that the call takes. Not for signal handlers.
 * [never waits in the loop's thread · no allocation · O(posts queued) · any thread]
 *
 * @param loop  where it was posted; may be closed
 * @param post  posted or idle
 * @return gives whether it was queued, and is not called
 *
 * asyncio: Handle.cancel of call_soon_threadsafe
 */
THRUM_API bool thrum_post_cancel(thrum_loop *loop, thrum_post *post);

/**
 * Call a handle whenever a descriptor is readable, until thrum_remove_reader(). Replaces what was there.
 * [never waits · allocates at first use of a descriptor · this loop's thread only]
 *
 * @param descriptor  open; remove its reader before closing it
 * @param call        called in every pass in which it is readable
 * @param context     for `call`, as `handle->context`
 * @return gives 0; THRUM_ENOMEM; THRUM_EUNSUPPORTED on backends without descriptors; THRUM_ESTATE without a loop or
 *         when a stream uses it; THRUM_EINVAL
 *
 * asyncio: loop.add_reader
 */
THRUM_API int thrum_add_reader(int descriptor, thrum_callback *call, void *context);

/**
 * Call a handle whenever a descriptor is writable, until thrum_remove_writer(). Replaces what was there.
 * [never waits · allocates at first use of a descriptor · this loop's thread only]
 *
 * @param descriptor  open; remove its writer before closing it
 * @param call        called in every pass in which it is writable
 * @param context     for `call`, as `handle->context`
 * @return gives as thrum_add_reader()
 *
 * asyncio: loop.add_writer
 */
THRUM_API int thrum_add_writer(int descriptor, thrum_callback *call, void *context);

/**
 * Stop watching for a descriptor to be readable; a call that is queued already is not made.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param descriptor  any
 * @return gives whether there was one
 *
 * asyncio: loop.remove_reader
 */
THRUM_API bool thrum_remove_reader(int descriptor);

/**
 * Stop watching for writable; a call that is queued already is not made.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param descriptor  any
 * @return gives whether there was a writer
 *
 * asyncio: loop.remove_writer
 */
THRUM_API bool thrum_remove_writer(int descriptor);

/**
 * Say who is told of errors that nobody awaits. NULL: the default, which writes to the log.
 * [never waits · this loop's thread only]
 *
 * @param loop     any
 * @param handler  called in the loop's thread, in the context variables of the task in the report, or else of the
 *                 handle in it, or else of who reports; must not raise
 * @param context  for it
 *
 * asyncio: loop.set_exception_handler
 */
THRUM_API void thrum_loop_set_exception_handler(thrum_loop *loop, thrum_exception_handler *handler, void *context);

/**
 * Who is told of errors that nobody awaits.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop     any
 * @param context  where its context goes; may be NULL
 * @return gives what was set; NULL for the default
 *
 * asyncio: loop.get_exception_handler
 */
THRUM_API thrum_exception_handler *thrum_loop_get_exception_handler(const thrum_loop *loop, void **context);

/**
 * Report something to the exception handler; from inside of that, to the default one.
 * [never waits · runs other code · this loop's thread only]
 *
 * @param loop    open
 * @param report  borrowed for the call; unknown members are 0
 *
 * asyncio: loop.call_exception_handler
 */
THRUM_API void thrum_loop_call_exception_handler(thrum_loop *loop, const thrum_report *report);

/**
 * What is done where no handler is set: a line to the log, then the error's detail and trace and where the task stands.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop    open
 * @param report  borrowed for the call
 *
 * asyncio: loop.default_exception_handler
 */
THRUM_API void thrum_loop_default_exception_handler(thrum_loop *loop, const thrum_report *report);

/**
 * Debug mode. May be switched while the loop runs; `$THRUM_DEBUG`, set to anything but 0, switches it on for every new
 * loop. It tells of
 *
 * - steps and calls that keep the loop for long (thrum_loop_set_slow_callback_duration()), and a poller that comes
 *   late;
 * - calls from a thread that is not the loop's;
 * - streams and servers that nobody closed, when the loop closes;
 * - where a task or call was made, in reports about it: by which function, and after which of its awaits;
 *
 * and fills the memory of frames that have ended with a pattern. What was made before is not known. Where it is off it
 * costs nothing.
 * [never waits · takes a block of the pool, or goes without · this loop's thread only]
 *
 * @param loop   open
 * @param debug  whether it is on
 *
 * asyncio: loop.set_debug
 */
THRUM_API void thrum_loop_set_debug(thrum_loop *loop, bool debug);

/**
 * Whether a loop is in debug mode.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop  any
 * @return gives true or false
 *
 * asyncio: loop.get_debug
 */
THRUM_API bool thrum_loop_get_debug(const thrum_loop *loop);

#if THRUM_TASK_HOOKS
/**
 * Makes tasks for a loop: every thrum_spawn() and thrum_group_spawn() comes here. It ends with thrum_task_create() of
 * `what` or of an async function around it, with `options` or a copy in which name, context or start differ; when it
 * does not want to, it gives `what` to thrum_drop() and gives NULL.
 */
typedef thrum_task *thrum_task_factory(thrum_loop *loop, thrum_awaitable what, const thrum_spawn_options *options,
                                       void *context);

/**
 * Say who makes the tasks of a loop from now on.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop     open, this thread's
 * @param factory  NULL is the default, thrum_task_create()
 * @param context  for it
 *
 * asyncio: loop.set_task_factory
 */
THRUM_API void thrum_loop_set_task_factory(thrum_loop *loop, thrum_task_factory *factory, void *context);

/**
 * Who makes the tasks of a loop.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop     open
 * @param context  where its context goes; may be NULL
 * @return gives what was set; NULL for the default
 *
 * asyncio: loop.get_task_factory
 */
THRUM_API thrum_task_factory *thrum_loop_get_task_factory(const thrum_loop *loop, void **context);

/**
 * A task factory with which every task runs right away until it first suspends, as with thrum_spawn_eager(). Tasks with
 * THRUM_START_LAZY do not, nor do those that are made while the loop does not run. What ends there and then costs no
 * pass; code that counts on children beginning later breaks.
 * [never waits · as thrum_spawn_with() · runs other code · this loop's thread only]
 *
 * @param loop     whose factory it is
 * @param what     an awaitable; spent by this call whatever it gives
 * @param options  handed on
 * @param context  unused
 * @return gives as thrum_task_create()
 *
 * asyncio: eager_task_factory; create_eager_task_factory is a factory that calls this one
 */
THRUM_API thrum_task *thrum_eager_task_factory(thrum_loop *loop, thrum_awaitable what,
                                               const thrum_spawn_options *options, void *context) THRUM_MUST_USE_;

/**
 * Be told of every task that is made or ends, and of every step. Tasks that there are already are told of from their
 * next step on; those that are destroyed with the loop have no end. Costs nothing while nothing is set.
 * [never waits · a block of the pool for each task · this loop's thread only]
 *
 * @param loop   open, this thread's
 * @param hooks  copied; NULL is nobody. The calls must not raise, spawn or end tasks
 * @return gives 0; THRUM_EINVAL for a size of 0 or beyond this version; THRUM_ENOMEM
 *
 * asyncio: _register_task, _unregister_task, _enter_task, _leave_task, _swap_current_task of a Task of one's own
 */
THRUM_API int thrum_loop_set_task_hooks(thrum_loop *loop, const thrum_task_hooks *hooks);
#endif

/**
 * How long a step or a call may keep a loop in debug mode before it is named: at first 0.1 s.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop      open
 * @param duration  ticks
 *
 * asyncio: loop.slow_callback_duration
 */
THRUM_API void thrum_loop_set_slow_callback_duration(thrum_loop *loop, thrum_time duration);

/**
 * The same, asked for.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop  open
 * @return gives ticks
 *
 * asyncio: loop.slow_callback_duration
 */
THRUM_API thrum_time thrum_loop_slow_callback_duration(const thrum_loop *loop);

/** Takes a line, without its newline; in whichever thread has something to say. */
typedef void thrum_log_function(void *context, const char *line);

/**
 * Say where messages go, for the whole process.
 * [never waits · any thread]
 *
 * @param log      called once a line; NULL: to stderr
 * @param context  for it
 *
 * asyncio: logging.getLogger("asyncio")
 */
THRUM_API void thrum_log_set(thrum_log_function *log, void *context);

THRUM_END_DECLS

#endif
