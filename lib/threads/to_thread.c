/* Awaiting a call that is made in a thread. */
#include <stdlib.h>
#include <string.h>

#include "core/contextvars.h"
#include "core/details.h"
#include "threads/executor.h"

typedef struct thread_call {
    thrum_job job;
    thrum_task *task;
    thrum_executor *executor; /* NULL: the default one; a reference */
    thrum_thread_function *function;
    void *argument;
    thrum_thread_cleanup *cleanup;
    bool abandons, carries;
    int error;
    thrum_value value;
    thrum_error *detail; /* of the error, from malloc(); or NULL */
#if THRUM_CONTEXTS
    context_map *variables; /* a copy of the caller's, from malloc(); or NULL */
#endif
} thread_call;

static thread_call *call_of(thrum_job *job)
{
    return (thread_call *)(void *)((char *)job - offsetof(thread_call, job));
}

static void call_free(thread_call *self)
{
    if (self->executor)
        executor_unhold(self->executor);
    free(self->detail);
#if THRUM_CONTEXTS
    free(self->variables);
#endif
    free(self);
}

/* Nobody gets the outcome. */
static void clean_up(thread_call *self, int error, thrum_value value)
{
    thrum_thread_cleanup *cleanup = self->cleanup;
    void *argument = self->argument;
    call_free(self);
    if (cleanup)
        cleanup(argument, error, error ? 0 : value);
}

/* ---- context variables: maps belong to a thread, so what is carried over is copied ---- */

#if THRUM_CONTEXTS

/* False: no memory. */
static bool pack_variables(thread_call *self)
{
    const thrum_state *state = thrum_state_here();
    const context_map *map = is_unusual(state, UNUSUAL_CONTEXTS) ? context_map_here(state) : NULL;
    if (!map || !map->count)
        return true;
    size_t size = sizeof *map + map->count * sizeof map->pairs[0];
    self->variables = (context_map *)malloc(size);
    if (!self->variables)
        return false;
    memcpy(self->variables, map, size);
    self->variables->room = map->count;
    self->variables->references = 2; /* never 1: so it is neither changed nor given to the thread's pool */
    return true;
}

static void make_call(thread_call *self)
{
    thrum_state *state = thrum_state_here();
    context_entry entry;
    context_enter(state, &entry, self->variables);
    self->error = self->function(self->argument, &self->value);
    context_leave(state, &entry);
}

#else

static bool pack_variables(thread_call *self)
{
    (void)self;
    return true;
}

static void make_call(thread_call *self)
{
    self->error = self->function(self->argument, &self->value);
}

#endif

/* ---- in a thread ---- */

/* Errors are negative. `return errno;`, its sign forgotten, would be taken for a result further up. */
static void check_error(thread_call *self)
{
    if (self->error > 0)
        self->error = thrum_error_set(THRUM_EINVAL, 0, "thread", self->error, "the function's error is positive");
}

static void call_work(thrum_job *job)
{
    thread_call *self = call_of(job);
#if THRUM_DETAILS
    thrum_state *state = thrum_state_here();
    thrum_error detail;
    detail.code = 0;
    state->away = &detail;
    make_call(self);
    check_error(self);
    state->away = NULL;
    if (self->error && detail.code == self->error) {
        self->detail = (thrum_error *)malloc(sizeof detail);
        if (self->detail)
            *self->detail = detail;
    }
#else
    make_call(self);
    check_error(self);
#endif
}

/* ---- in the loop ---- */

static void call_done(thrum_job *job)
{
    thread_call *self = call_of(job);
    if (job->cancelled)
        self->error = THRUM_ECANCELED;
    thrum_wake(&self->task->waiter, 0, 0);
}

static void call_discard(thrum_job *job)
{
    thread_call *self = call_of(job);
    bool made = !job->cancelled && (job->state == JOB_WORKS || job->state == JOB_POSTED);
    clean_up(self, made ? self->error : THRUM_ECANCELED, self->value);
}

static thrum_step call_start(thrum_task *task, thrum_record *record)
{
    thread_call *self = (thread_call *)record->object;
    self->task = task;
    int error = self->carries && !pack_variables(self) ? THRUM_ENOMEM : thrum_job_start(&self->job, self->executor);
    if (!error)
        return thrum_parked(task);
    clean_up(self, error, 0);
    return thrum_done(task, error, 0);
}

static thrum_step call_resume(thrum_task *task)
{
    thread_call *self = (thread_call *)task->object;
    int error = self->error;
    thrum_value value = self->value;
    if (!error) {
        call_free(self);
        return thrum_done(task, 0, value);
    }
    if (self->detail)
        thrum_error_set(error, self->detail->system, self->detail->operation, self->detail->number, self->detail->text);
    clean_up(self, error, 0);
    return thrum_done(task, error, 0);
}

static thrum_cancel_result call_cancel(thrum_task *task)
{
    thread_call *self = (thread_call *)task->object;
    if (thrum_task_woken(task))
        clean_up(self, self->error, self->value);
    else if (thrum_job_withdraw(&self->job))
        clean_up(self, THRUM_ECANCELED, 0);
    else if (self->abandons)
        thrum_job_abandon(&self->job);
    else
        return THRUM_REFUSED;
    return THRUM_DETACHED;
}

static void call_drop(thrum_record *record)
{
    clean_up((thread_call *)record->object, THRUM_ECANCELED, 0);
}

static const thrum_operations call_operations = {call_start, call_resume, call_cancel, call_drop, "thread", NULL};

static thrum_awaitable make(thrum_executor *executor, thrum_thread_function *function, void *argument,
                            thrum_thread_cleanup *cleanup, bool abandons, bool carries)
{
    thread_call *self = function ? (thread_call *)calloc(1, sizeof *self) : NULL;
    if (!self) {
        int error = function ? THRUM_ENOMEM : THRUM_EINVAL;
        if (cleanup)
            cleanup(argument, error, 0);
        return thrum_awaitable_failing(error);
    }
    self->job.work = call_work;
    self->job.done = call_done;
    self->job.discard = call_discard;
    self->job.keeps = !abandons;
    self->executor = executor;
    self->function = function;
    self->argument = argument;
    self->cleanup = cleanup;
    self->abandons = abandons;
    self->carries = carries;
    if (executor)
        executor_hold(executor);
    return thrum_awaitable_make(&call_operations, self, 0, 0);
}

thrum_awaitable thrum_to_thread(thrum_thread_function *function, void *argument)
{
    return make(NULL, function, argument, NULL, false, true);
}

thrum_awaitable thrum_to_thread_abandon(thrum_thread_function *function, void *argument, thrum_thread_cleanup *cleanup)
{
    return make(NULL, function, argument, cleanup, true, true);
}

thrum_awaitable thrum_run_in_executor(thrum_executor *executor, thrum_thread_function *function, void *argument)
{
    return make(executor, function, argument, NULL, false, false);
}

thrum_awaitable thrum_run_in_executor_abandon(thrum_executor *executor, thrum_thread_function *function, void *argument,
                                              thrum_thread_cleanup *cleanup)
{
    return make(executor, function, argument, cleanup, true, false);
}
