/**
 * @file runners.h
 * A whole program around one async function: a loop is made, the function runs, what it left behind is cancelled.
 */
#ifndef THRUM_RUNNERS_H
#define THRUM_RUNNERS_H

#include <thrum/events.h>

THRUM_BEGIN_DECLS

/** Options of a runner. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_runner_options {
    size_t size;                    /**< sizeof(thrum_runner_options) */
    const thrum_loop_options *loop; /**< backend, poller, debug; copied; NULL: all default */
    thrum_time shutdown; /**< how long what is left may take to end once cancelled, and then threads; 0: 300 s */
    bool no_signals;     /**< leave SIGINT alone */
    bool terminate;      /**< SIGTERM cancels the main task as SIGINT does */
    int dump_signal;     /**< all tasks go to the log whenever this signal comes (debug.h); 0: none */
} thrum_runner_options;

/** A runner. Fields are private. */
typedef struct thrum_runner {
    thrum_loop *loop;
    thrum_runner_options options;
    thrum_loop_options loop_options;
    int signal; /* that ended the last run, or 0 */
    bool closed;
    struct thrum_context *context; /* of every run */
} thrum_runner;

/**
 * Prepare a runner; its loop is made by the first run.
 * [never waits · any thread]
 *
 * @param runner   the caller's
 * @param options  copied; NULL is the default
 * @return gives 0; THRUM_EINVAL
 *
 * asyncio: Runner
 */
THRUM_API int thrum_runner_init(thrum_runner *runner, const thrum_runner_options *options);

/**
 * Run something to its end. May be called any number of times; the loop and what runs in it stay, and so do the context
 * variables that are set in a run. They begin with those that the thread has at the first run.
 *
 * In the main thread, where the application does not handle it, SIGINT cancels the main task; one that catches that and
 * returns gives its result as ever. The second SIGINT ends the run without waiting for the task, as soon as the step
 * that runs returns; from then on the default disposition holds, so that a third one ends the process even when a step
 * never returns. While a handler or a receiver (signals.h) listens to the signal, that is told instead.
 * [waits for the world · the runner's thread only]
 *
 * @param runner  initialised
 * @param what    an awaitable; spent by this call whatever it gives
 * @param value   where its result goes; may be NULL
 * @return gives 0 or its error; THRUM_EINTERRUPTED when a signal ended it; THRUM_ESTATE when a loop runs in this thread
 *         or the runner is closed; what thrum_loop_new() gives, and thrum_dump_on_signal() for `dump_signal`
 *
 * asyncio: Runner.run
 */
THRUM_API int thrum_runner_run(thrum_runner *runner, thrum_awaitable what, thrum_value *value);

#if THRUM_CONTEXTS
/**
 * Run something to its end in a context that is given, as it is; as thrum_runner_run() otherwise.
 * [waits for the world · the runner's thread only]
 *
 * @param runner   initialised
 * @param context  any (contextvars.h); NULL is the runner's own
 * @param what     an awaitable; spent by this call whatever it gives
 * @param value    where its result goes; may be NULL
 * @return gives as thrum_runner_run()
 *
 * asyncio: Runner.run(context=)
 */
THRUM_API int thrum_runner_run_in(thrum_runner *runner, struct thrum_context *context, thrum_awaitable what,
                                  thrum_value *value);
#endif

/**
 * The loop of a runner, made if need be.
 * [never waits · allocates at first use · the runner's thread only]
 *
 * @param runner  initialised
 * @return gives the loop, which stays the runner's; NULL when it cannot be made or the runner is closed
 *
 * asyncio: Runner.get_loop
 */
THRUM_API thrum_loop *thrum_runner_loop(thrum_runner *runner);

/**
 * Cancel every task that is left, and when they have ended those that they left behind, until all is quiet. Then close
 * the generators that stand open (thrum_shutdown_generators()). At the deadline the tasks that remain are named in the
 * log with the lines where they wait, and destroyed. Then the threads of the default executor are waited for, once more
 * as long, and the loop is closed. It is left behind as it is, memory and all, when a thread still makes a call for one
 * of the tasks that did not end.
 * [waits at most the shutdown time · allocates · the runner's thread only]
 *
 * @param runner  initialised; closing it again does nothing
 * @return gives 0; THRUM_ETIMEDOUT when tasks remained (they were named in the log, and destroyed) or threads did
 *
 * asyncio: Runner.close
 */
THRUM_API int thrum_runner_close(thrum_runner *runner);

/**
 * Run a whole program: `int main(void) { return thrum_run(app()); }`. An error that is not caught is printed with its
 * name, text, detail and trace.
 * [waits for the world]
 *
 * @param what  an awaitable; spent
 * @return gives an exit code: 0; 1 after an error; 130 after SIGINT, 143 after SIGTERM; after THRUM_EEXIT the number in
 *         its detail
 *
 * asyncio: run
 */
THRUM_API int thrum_run(thrum_awaitable what);

/**
 * Run a whole program with options; as thrum_run() otherwise.
 * [waits for the world]
 *
 * @param what     an awaitable; spent
 * @param options  borrowed for the call; NULL is the default
 * @return gives an exit code as thrum_run(); 1 when the options are refused
 *
 * asyncio: run(debug=, loop_factory=)
 */
THRUM_API int thrum_run_with(thrum_awaitable what, const thrum_runner_options *options);

THRUM_END_DECLS

#endif
