/* A whole program around one async function. */
#include <thrum/runners.h>

#include <signal.h>
#include <string.h>

#include <thrum/contextvars.h>
#include <thrum/debug.h>
#include <thrum/timeouts.h>

#include "loop/log.h"
#include "loop/loop.h"
#include "os/interrupt.h"
#include "os/shutdown.h"
#include "threads/job.h"

int thrum_runner_init(thrum_runner *runner, const thrum_runner_options *options)
{
    if (!runner || (options && (options->size == 0 || options->size > sizeof *options || options->shutdown < 0)))
        return THRUM_EINVAL;
    memset(runner, 0, sizeof *runner);
    if (options)
        memcpy(&runner->options, options, options->size);
    const thrum_loop_options *loop = runner->options.loop;
    if (loop && (loop->size == 0 || loop->size > sizeof *loop))
        return THRUM_EINVAL;
    if (loop)
        memcpy(&runner->loop_options, loop, loop->size);
    runner->options.loop = NULL;
    runner->loop_options.size = sizeof runner->loop_options;
    if (!runner->options.shutdown)
        runner->options.shutdown = SECONDS(300);
    return 0;
}

/* A loop that lacks something is kept: to close it would drop what is to run in it. */
static int make_loop(thrum_runner *runner)
{
    int error = 0;
    if (runner->closed)
        return THRUM_ESTATE;
    if (!runner->loop)
        error = thrum_loop_new(&runner->loop, &runner->loop_options);
#if THRUM_CONTEXTS
    if (!error && !runner->context && !(runner->context = thrum_context_copy()))
        error = THRUM_ENOMEM;
#endif
    if (!error && runner->options.dump_signal && runner->loop == loop_here()) {
        error = thrum_dump_on_signal_(runner->options.dump_signal, NULL);
        if (!error)
            runner->options.dump_signal = 0;
    }
    return error;
}

thrum_loop *thrum_runner_loop(thrum_runner *runner)
{
    return make_loop(runner) == 0 ? runner->loop : NULL;
}

/* Run, and leave the task to the caller, who wants to look at its error: `*task` is NULL when there is none. */
static int run(thrum_runner *runner, struct thrum_context *context, thrum_awaitable what, thrum_value *value,
               thrum_task **made)
{
    int error = make_loop(runner);
    *made = NULL;
    runner->signal = 0;
    if (!error && (runner->loop->running || runner->loop != loop_here()))
        error = THRUM_ESTATE;
    if (error) {
        thrum_drop(what);
        return error;
    }
    const thrum_spawn_options options = {.size = sizeof options, .context = context ? context : runner->context};
    thrum_task *task = *made = thrum_spawn_with(what, &options);
    if (!task)
        return THRUM_ENOMEM;
    if (!runner->options.no_signals)
        interrupt_begin(runner->loop, task, runner->options.terminate);
    error = loop_run_task(runner->loop, task);
    int signal = runner->options.no_signals ? 0 : interrupt_end();
    if (!error)
        error = thrum_task_result(task, value);
    /* Only the signal asked: it is an interruption. Somebody else asked, too: a cancellation like any other. */
    if (signal && (!thrum_task_done(task) || (error == THRUM_ECANCELED && thrum_task_uncancel(task) == 0))) {
        runner->signal = signal;
        error = THRUM_EINTERRUPTED;
    }
    return error;
}

static int run_and_forget(thrum_runner *runner, struct thrum_context *context, thrum_awaitable what, thrum_value *value)
{
    thrum_task *task;
    int error = run(runner, context, what, value, &task);
    thrum_task_release(task);
    return error;
}

int thrum_runner_run(thrum_runner *runner, thrum_awaitable what, thrum_value *value)
{
    return run_and_forget(runner, NULL, what, value);
}

#if THRUM_CONTEXTS
int thrum_runner_run_in(thrum_runner *runner, struct thrum_context *context, thrum_awaitable what, thrum_value *value)
{
    return run_and_forget(runner, context, what, value);
}
#endif

static int shutdown_threads(thrum_loop *loop, thrum_time most)
{
    if (!loop->executor)
        return 0;
    int error = thrum_loop_run_until_complete(loop, thrum_loop_shutdown_default_executor(most), NULL);
    /* Where there is no memory to wait in the loop, it is done without: what a thread uses must not go before it. */
    return error == THRUM_ENOMEM ? thrum_job_threads_end(loop, most) : error;
}

int thrum_runner_close(thrum_runner *runner)
{
    if (runner->closed)
        return 0;
    if (runner->loop && (runner->loop->running || runner->loop != loop_here()))
        return THRUM_ESTATE;
    runner->closed = true;
    if (!runner->loop)
        return 0;
    int error = shutdown_tasks(runner->loop, runner->options.shutdown);
    int late = shutdown_threads(runner->loop, error ? 0 : runner->options.shutdown);
    error = error ? error : late;
    if (late && thrum_job_working(runner->loop))
        loop_leave_behind(runner->loop);
    else
        thrum_loop_close(runner->loop);
    runner->loop = NULL;
#if THRUM_CONTEXTS
    thrum_context_release(runner->context);
    runner->context = NULL;
#endif
    return error;
}

int thrum_run_with(thrum_awaitable what, const thrum_runner_options *options)
{
    thrum_runner runner;
    thrum_task *task;
    int code = 1, error = thrum_runner_init(&runner, options);
    if (error) {
        thrum_drop(what);
        thrum_log_error("thrum_run", error, NULL);
        return code;
    }
    error = run(&runner, NULL, what, NULL, &task);
    const thrum_error *detail = task ? thrum_task_error(task) : NULL;
    if (!error)
        code = 0;
    else if (error == THRUM_EINTERRUPTED && runner.signal)
        code = 128 + runner.signal;
    else if (error == THRUM_EEXIT)
        code = detail ? (int)(detail->number & 0xff) : 0;
    else
        thrum_log_error("thrum_run", error, detail);
    thrum_task_release(task);
    thrum_runner_close(&runner);
    return code;
}

int thrum_run(thrum_awaitable what)
{
    return thrum_run_with(what, NULL);
}
