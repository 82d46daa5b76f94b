/* The loop: comes and goes, runs passes. A pass waits for descriptors, takes up what other threads posted, and runs
 * what was ready, then the timers that are due. */
#include "loop/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop/log.h"

/* While tasks are ready the poller is asked only every so often, since that is what costs: after so much time, which is
 * read after 1, 2, 4, ... passes and then after so many. */
enum { BURST_TIME = 50000, BURST_PASSES = 32, BURST_CHUNK = 8 };

/* ---- it comes ---- */

/* The memory of loops that were closed is kept for the next ones: a thread that comes too late with a post finds a
 * closed inbox there, not somebody else's memory. */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static thrum_loop *closed;

static thrum_loop *take_memory(size_t size)
{
    pthread_mutex_lock(&guard);
    thrum_loop **link = &closed;
    while (*link && (*link)->backend->size != size)
        link = &(*link)->next;
    thrum_loop *loop = *link;
    if (loop)
        *link = loop->next;
    pthread_mutex_unlock(&guard);
    if (loop)
        memset((char *)loop + sizeof loop->inbox, 0, size - sizeof loop->inbox);
    else
        loop = (thrum_loop *)calloc(1, size);
    return loop;
}

static void give_memory(thrum_loop *loop)
{
    pthread_mutex_lock(&guard);
    loop->next = closed;
    closed = loop;
    pthread_mutex_unlock(&guard);
}

static void call_posts(thrum_handle *handle)
{
    thrum_inbox_drain(&((thrum_loop *)handle->context)->inbox);
}

static int make(thrum_loop **made, const thrum_backend *backend, const thrum_loop_options *options, void *argument)
{
    thrum_loop *old = loop_here();
    if (old && old->process != getpid()) {
        /* A copy that fork() made: its poller is the parent's, and so is what would close with it. */
        old->running = false;
        old->closers.next = old->closers.previous = &old->closers;
        old->state->report = NULL;
        thrum_loop_close(old);
        old = NULL;
    }
    if (old)
        return THRUM_ESTATE;
    thrum_loop *loop = take_memory(backend->size);
    if (!loop)
        return THRUM_ENOMEM;
    loop->backend = backend;
    loop->state = thrum_state_here();
    loop->argument = argument;
    loop->debug = options->debug;
    loop->process = getpid();
    loop->closers.next = loop->closers.previous = &loop->closers;
    thrum_handle_init(&loop->drain, call_posts, loop);
    int error = backend->open(loop, options);
    if (!error && !thrum_core_open(loop, backend->now(loop), loop_core_report)) {
        backend->close(loop);
        error = loop->state->open ? THRUM_ESTATE : THRUM_ENOMEM;
    }
    if (error) {
        give_memory(loop);
        return error;
    }
    thrum_inbox_open(&loop->inbox);
    *made = loop;
    return 0;
}

int thrum_loop_new(thrum_loop **loop, const thrum_loop_options *options)
{
    thrum_loop_options all = {.size = sizeof all};
    if (!loop || (options && (options->size == 0 || options->size > sizeof all)))
        return THRUM_EINVAL;
    *loop = NULL;
    if (options)
        memcpy(&all, options, options->size);
    switch (all.backend) {
    case THRUM_BACKEND_DEFAULT:
    case THRUM_BACKEND_LIBEV:
        return make(loop, &thrum_backend_libev, &all, NULL);
    case THRUM_BACKEND_SIM:
        return make(loop, &thrum_backend_sim, &all, NULL);
    }
    return THRUM_EINVAL;
}

int thrum_loop_from_ev(thrum_loop **loop, struct ev_loop *ev)
{
    const thrum_loop_options options = {.size = sizeof options};
    if (!loop || !ev)
        return THRUM_EINVAL;
    *loop = NULL;
    return make(loop, &thrum_backend_guest, &options, ev);
}

/* ---- it goes ---- */

int thrum_loop_close(thrum_loop *loop)
{
    if (!loop)
        return 0;
    if (loop->running || loop != loop_here())
        return THRUM_ESTATE;
    thrum_inbox_close(&loop->inbox);
    /* Tasks first: an operation that is cancelled may look at the stream it waits for. */
    thrum_core_close();
    loop->state->loop = loop;
    while (loop->closers.next != &loop->closers) {
        thrum_loop_closer *closer = loop->closers.next;
        thrum_loop_forget(closer);
        closer->close(closer);
    }
    loop_close_watches(loop);
    loop->state->loop = NULL;
    loop->state->now = 0;
    loop->backend->close(loop);
    free(loop->scratch);
    give_memory(loop);
    return 0;
}

/* ---- it runs ---- */

static void run_ready(thrum_loop *loop, thrum_time now)
{
    if (loop->debug)
        loop_run_watched(loop, now);
    else
        thrum_core_run(now);
}

void loop_turn(thrum_loop *loop)
{
    bool was_running = loop->running;
    loop->running = loop->turning = true;
    if (!thrum_inbox_empty(&loop->inbox))
        thrum_call_soon(&loop->drain);
    run_ready(loop, loop->woke);
    if (loop->before_wait)
        loop->before_wait();
    loop->turning = false;
    loop->running = was_running;
}

int loop_pass(thrum_loop *loop, thrum_time until)
{
    loop->unsettled = false;
    int error = loop->backend->wait(loop, until);
    if (!error && !loop->backend->drives)
        loop_turn(loop);
    return error;
}

/* Up to so many passes at the same time of the clock, few enough that posts of other threads need not wait long. */
static unsigned run_some(thrum_loop *loop, unsigned passes)
{
    thrum_time now = loop->state->now;
    if (loop->debug || loop->state->timers->soonest <= now) {
        run_ready(loop, now);
        return 1;
    }
    return thrum_core_batch(passes < BURST_CHUNK ? passes : BURST_CHUNK);
}

/* Passes that follow without asking the poller, as long as there is work and for a short time. */
static void burst(thrum_loop *loop)
{
    thrum_time began = loop->state->now;
    unsigned done = 1, until = 1;
    while (loop_ready(loop) && !loop->stopping) {
        if (done == until) {
            thrum_time now = loop->backend->now(loop);
            if (now - began >= BURST_TIME)
                return;
            loop->state->now = now;
            until += done < BURST_PASSES ? done : BURST_PASSES;
        }
        if (!thrum_inbox_empty(&loop->inbox))
            thrum_call_soon(&loop->drain);
        done += run_some(loop, until - done);
    }
}

static int run(thrum_loop *loop)
{
    bool bursts = !loop->backend->drives && loop->backend != &thrum_backend_sim;
    int error;
    do {
        error = loop_pass(loop, loop->stopping || loop_ready(loop) ? 0 : thrum_core_next());
        if (bursts && !error && loop_ready(loop) && !loop->stopping) {
            burst(loop);
            if (loop->before_wait)
                loop->before_wait();
        }
    } while (!error && !loop->stopping);
    loop->stopping = false;
    return error;
}

int loop_enter(thrum_loop *loop)
{
    if (!loop || loop != loop_here() || loop->running)
        return THRUM_ESTATE;
    loop->running = true;
    loop->state->now = loop->backend->now(loop);
    return 0;
}

void loop_leave(thrum_loop *loop)
{
    loop->running = false;
}

int thrum_loop_run_forever(thrum_loop *loop)
{
    int error = loop_enter(loop);
    if (error)
        return error;
    error = run(loop);
    loop_leave(loop);
    return error;
}

static void stop_when_done(thrum_handle *handle)
{
    thrum_loop_stop((thrum_loop *)handle->context);
}

int loop_run_task(thrum_loop *loop, thrum_task *task)
{
    thrum_handle done = THRUM_HANDLE_INIT(stop_when_done, loop);
    int error = loop_enter(loop);
    if (error)
        return error;
    thrum_task_add_done_callback(task, &done);
    error = run(loop);
    thrum_handle_cancel(&done);
    loop_leave(loop);
    return error ? error : thrum_task_done(task) ? 0 : THRUM_ESTATE;
}

int thrum_loop_run_until_complete(thrum_loop *loop, thrum_awaitable what, thrum_value *value)
{
    if (!loop || loop != loop_here() || loop->running) {
        thrum_drop(what);
        return THRUM_ESTATE;
    }
    thrum_task *task = thrum_spawn(what);
    if (!task)
        return THRUM_ENOMEM;
    int error = loop_run_task(loop, task);
    if (!error)
        error = thrum_task_result(task, value);
    thrum_task_release(task);
    return error;
}

void thrum_loop_stop(thrum_loop *loop)
{
    if (loop->debug && loop != loop_here()) {
        thrum_log("thrum_loop_stop() in another thread: thrum_call_soon_threadsafe() is for that");
        return;
    }
    loop->stopping = true;
    thrum_core_hurry();
}

int thrum_loop_step(thrum_loop *loop, thrum_time most)
{
    int error = loop_enter(loop);
    if (error)
        return error;
    thrum_time until = thrum_core_next();
    if (most <= 0 || loop->stopping || loop_ready(loop))
        until = 0;
    else if (most < THRUM_NEVER - loop->state->now && loop->state->now + most < until)
        until = loop->state->now + most;
    error = loop_pass(loop, until);
    loop->stopping = false;
    loop_leave(loop);
    /* The application may wait for the descriptor itself now: posts have to make it readable. */
    thrum_inbox_sleep(&loop->inbox);
    return error;
}

/* ---- asking ---- */

thrum_time thrum_loop_next_deadline(const thrum_loop *loop)
{
    if (!list_empty(&loop->state->ready) || !thrum_inbox_empty(&((thrum_loop *)(uintptr_t)loop)->inbox) ||
        loop->unsettled || loop->stopping)
        return 0;
    return thrum_core_next();
}

int thrum_loop_descriptor(const thrum_loop *loop)
{
    return loop->backend->descriptor ? loop->backend->descriptor((thrum_loop *)(uintptr_t)loop) : THRUM_EUNSUPPORTED;
}

thrum_loop *thrum_loop_current(void)
{
    thrum_loop *loop = loop_here();
    return loop && loop->process == getpid() ? loop : NULL;
}

thrum_loop *thrum_loop_running(void)
{
    thrum_loop *loop = thrum_loop_current();
    return loop && loop->running ? loop : NULL;
}

bool thrum_loop_is_running(const thrum_loop *loop)
{
    return loop->running;
}

thrum_time thrum_loop_time(thrum_loop *loop)
{
    return loop->state->now = loop->backend->now(loop);
}

thrum_time thrum_loop_resolution(const thrum_loop *loop)
{
    return loop->backend->resolution(loop);
}

static void wake(thrum_loop *loop)
{
    loop->backend->wake(loop);
}

int thrum_call_soon_threadsafe(thrum_loop *loop, thrum_post *post)
{
    return thrum_inbox_post(&loop->inbox, post, wake, loop);
}

void thrum_loop_set_debug(thrum_loop *loop, bool debug)
{
    loop->debug = debug;
}

bool thrum_loop_get_debug(const thrum_loop *loop)
{
    return loop->debug;
}
