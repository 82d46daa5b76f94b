/* The same program in several threads, each with a runner. Each watches over one child, so that a request to stop,
 * which may come from anywhere, reaches the others before the child has cleaned up. */
#include <thrum/cores.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <thrum/async.h>
#include <thrum/locks.h>
#include <thrum/pool.h>

#include "loop/log.h"
#include "loop/loop.h"
#include "loop/system.h"

typedef struct cores_run cores_run;

typedef struct one_core {
    cores_run *run;
    unsigned number;
    pthread_t thread;
    _Atomic(thrum_loop *) loop; /* while it takes posts */
    thrum_post stop;
    thrum_task *child;
    thrum_handle limit; /* from then on: when its end is waited for no more */
    thrum_event *ended; /* the child, or the time */
    bool stopped;       /* the child was cancelled */
    bool asked;         /* the runner's main task was: by a signal */
    int error;
    int code; /* of the process, in thread 0 */
} one_core;

struct cores_run {
    thrum_core_starter *starter;
    void *argument;
    thrum_cores_options options;
    atomic_bool stopping;
    atomic_int error; /* the first one */
    int code;         /* that goes with it */
    unsigned count;
    one_core *cores;
};

/* One at a time, as signals are the process's. `inside` counts those who stop it at the moment: nothing that they may
 * look at goes meanwhile. */
static _Atomic(cores_run *) current;
static atomic_int inside;

static void await_stoppers(void)
{
    while (atomic_load(&inside))
        sched_yield();
}

bool thrum_stop_every_core(void)
{
    atomic_fetch_add(&inside, 1);
    cores_run *run = atomic_load(&current);
    if (run) {
        atomic_store(&run->stopping, true);
        for (unsigned i = 0; i < run->count; i++) {
            thrum_loop *loop = atomic_load(&run->cores[i].loop);
            if (loop)
                thrum_call_soon_threadsafe(loop, &run->cores[i].stop);
        }
    }
    atomic_fetch_sub(&inside, 1);
    return run != NULL;
}

/* ---- in a core's loop ---- */

static void stop_child(one_core *self)
{
    if (!self->stopped && self->child) {
        self->stopped = true;
        thrum_task_cancel(self->child);
        if (self->run->options.shutdown != THRUM_NEVER)
            thrum_call_later(self->run->options.shutdown, &self->limit);
    }
}

static void on_stop(thrum_post *post)
{
    stop_child((one_core *)post->context);
}

static void on_ended(thrum_handle *handle)
{
    thrum_event_set((thrum_event *)handle->context);
}

/* The child was told, and is not waited for any longer: closing the runner takes care of it. */
static void on_late(thrum_handle *handle)
{
    thrum_event_set(((one_core *)handle->context)->ended);
}

static ASYNC(watch, ARGS((one_core *, core)),
             LOCALS(thrum_event ended; thrum_handle done; int error; thrum_value value;))
{
    ASYNC_BEGIN;
    self->core->child = thrum_spawn(self->core->run->starter(self->core->number, self->core->run->argument));
    if (!self->core->child)
        ASYNC_RAISE(THRUM_ENOMEM);
    thrum_handle_init(&self->core->limit, on_late, self->core);
    self->core->ended = &self->ended;
    thrum_handle_init(&self->done, on_ended, &self->ended);
    thrum_task_add_done_callback(self->core->child, &self->done);
    /* From here on posts reach the child; one that came before was heard by `stopping`. */
    atomic_store(&self->core->loop, thrum_loop_running());
    if (atomic_load(&self->core->run->stopping))
        stop_child(self->core);
    while (!thrum_event_is_set(&self->ended)) {
        /* The child is asked in our place. thrum-check: ignore-file thrum-cancellation-swallowed */
        AWAIT_CATCH_ALL(self->error, thrum_event_wait(&self->ended));
        if (self->error) {
            self->core->asked = true;
            thrum_stop_every_core();
            stop_child(self->core);
        }
    }
    self->error = thrum_task_result(self->core->child, &self->value);
    if (self->error == THRUM_EPENDING)
        ASYNC_RAISE(
            thrum_error_set(THRUM_ETIMEDOUT, 0, "core", (int)self->core->number, "it did not end when it was told to"));
    if (self->error)
        AWAIT(self->core->child); /* with its detail and trace */
    ASYNC_RETURN(self->value);
FINALLY:
    atomic_store(&self->core->loop, NULL);
    await_stoppers();
    thrum_handle_cancel(&self->core->limit);
    thrum_task_remove_done_callback(self->core->child, &self->done);
    thrum_handle_cancel(&self->done);
    thrum_task_release(self->core->child);
    self->core->child = NULL;
    ASYNC_END;
}

/* ---- a core's thread ---- */

static void note_error(one_core *self, int error, const thrum_error *detail, int signal)
{
    int none = 0;
    self->error = error;
    if (error == THRUM_ECANCELED && atomic_load(&self->run->stopping))
        return;
    if (!atomic_compare_exchange_strong(&self->run->error, &none, error))
        return;
    self->run->code = 1;
    if (signal)
        self->run->code = 128 + signal;
    else if (error == THRUM_EEXIT)
        self->run->code = detail ? (int)(detail->number & 0xff) : 0;
    else
        thrum_log_error("thrum_run_on_every_core", error, detail);
    thrum_stop_every_core();
}

static ASYNC(report, ARGS((one_core *, core)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, watch(self->core));
    /* A cancellation by signal goes on to the runner, which knows the signal. */
    if (self->error && !(self->error == THRUM_ECANCELED && self->core->asked))
        note_error(self->core, self->error, thrum_error_last(), 0);
    if (self->error == THRUM_ECANCELED)
        ASYNC_RAISE(THRUM_ECANCELED);
    ASYNC_END;
}

static void run_core(one_core *self)
{
    thrum_runner_options options = {.size = sizeof options};
    thrum_runner runner;
    if (self->run->options.runner)
        memcpy(&options, self->run->options.runner, self->run->options.runner->size);
    options.size = sizeof options;
    if (self->number)
        options.no_signals = true;
    int error = thrum_runner_init(&runner, &options);
    if (error) {
        note_error(self, error, NULL, 0);
        return;
    }
    error = thrum_runner_run(&runner, report(self), NULL);
    if (error && (error != THRUM_ECANCELED || !self->error))
        note_error(self, error, NULL, error == THRUM_EINTERRUPTED ? runner.signal : 0);
    atomic_store(&self->loop, NULL);
    await_stoppers();
    thrum_runner_close(&runner);
}

static void *core_thread(void *argument)
{
    run_core((one_core *)argument);
    thrum_pool_clear();
    return NULL;
}

/* ---- the run ---- */

static int run_all(cores_run *run, const system_processors *processors)
{
    unsigned started = 1;
    sigset_t all, old;
    sigfillset(&all);
    if (run->options.pin)
        system_pin(pthread_self(), processors, 0);
    /* Signals are for the main thread. */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (; started < run->count; started++) {
        one_core *self = &run->cores[started];
        int error = -pthread_create(&self->thread, NULL, core_thread, self);
        if (error) {
            note_error(self, error, NULL, 0);
            break;
        }
        if (run->options.pin)
            system_pin(self->thread, processors, started);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    run_core(&run->cores[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(run->cores[i].thread, NULL);
    if (run->options.pin)
        system_processors_set(pthread_self(), processors);
    return run->code;
}

int thrum_run_on_every_core(thrum_core_starter *starter, void *argument, const thrum_cores_options *options)
{
    cores_run run = {.starter = starter, .argument = argument}, *none = NULL;
    system_processors processors;
    bool right = starter && (!options || (options->size && options->size <= sizeof *options));
    if (right && options)
        memcpy(&run.options, options, options->size);
    if (!run.options.shutdown)
        run.options.shutdown = SECONDS(300);
    const thrum_runner_options *runner = run.options.runner;
    if (!right || (runner && (!runner->size || runner->size > sizeof *runner)) || thrum_loop_current()) {
        thrum_log_error("thrum_run_on_every_core", right && thrum_loop_current() ? THRUM_ESTATE : THRUM_EINVAL, NULL);
        return 1;
    }
    system_processors_get(&processors);
    run.count = run.options.threads ? run.options.threads : processors.count;
    run.cores = (one_core *)calloc(run.count, sizeof *run.cores);
    if (!run.cores || !atomic_compare_exchange_strong(&current, &none, &run)) {
        thrum_log_error("thrum_run_on_every_core", run.cores ? THRUM_EBUSY : THRUM_ENOMEM, NULL);
        free(run.cores);
        return 1;
    }
    for (unsigned i = 0; i < run.count; i++) {
        one_core *self = &run.cores[i];
        self->run = &run;
        self->number = i;
        self->stop.call = on_stop;
        self->stop.context = self;
    }
    int code = run_all(&run, &processors);
    atomic_store(&current, NULL);
    await_stoppers();
    free(run.cores);
    return code;
}
