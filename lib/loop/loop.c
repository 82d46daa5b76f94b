/* The loop runs passes. A pass waits for descriptors, takes up what other threads posted, and runs what was ready, then
 * the timers that are due. */
#include "loop/loop.h"

#include <unistd.h>

#include "core/probes.h"
#include "loop/log.h"
#include "loop/shuffle.h"

/* While tasks are ready the poller is asked only every so often, since that is what costs: after so much time, which is
 * read after 1, 2, 4, ... passes and then after so many. */
enum { BURST_TIME = 50000, BURST_PASSES = 32, BURST_CHUNK = 16 };

/* ---- it runs ---- */

static void run_ready(thrum_loop *loop, thrum_time now)
{
    if (loop_watched(loop))
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
    thrum_time due = thrum_core_next();
    if (due <= loop->woke)
        histogram_add(&loop->monitor.late, loop->woke - due);
    loop->monitor.passes++;
    run_ready(loop, loop->woke);
    if (loop->before_wait)
        loop->before_wait();
    loop->turning = false;
    loop->running = was_running;
}

static void tell_of_deadlock(thrum_loop *loop)
{
    const thrum_report report = {.message = loop_deadlock};
    thrum_loop_call_exception_handler(loop, &report);
}

/* The same seed, the same order: of all that is to run in this pass. */
static void mix(thrum_loop *loop)
{
    collect_due(loop->state, loop->woke);
    shuffle(loop->state->ready, &loop->seed);
}

/* Ask the backend; it may wait where nothing has come in just now. */
static int ask_backend(thrum_loop *loop, thrum_time until)
{
    return THRUM_UNLIKELY_(loop->debug) ? loop_wait_watched(loop, until)
                                        : loop->verbs.wait(loop_own(loop), until, &loop->woke);
}

int loop_pass(thrum_loop *loop, thrum_time until)
{
    loop_monitor *monitor = &loop->monitor;
    loop->unsettled = false;
    if (until <= loop->state->now)
        until = 0;
    if (loop->verbs.drives)
        return ask_backend(loop, until);
    if (until) {
        monitor->sleeps++;
        if (monitor->turning)
            monitor_end(monitor, loop->verbs.now(loop_own(loop)));
        if (!thrum_inbox_sleep(&loop->inbox))
            until = 0;
    }
    PROBE2(poll__begin, loop, until);
    int error = ask_backend(loop, until);
    PROBE1(poll__end, loop);
    thrum_inbox_wake(&loop->inbox);
    if (error) {
        if (error == THRUM_ESTATE)
            tell_of_deadlock(loop);
        return error;
    }
    if (loop->seed)
        mix(loop);
    monitor_end(monitor, loop->woke);
    monitor_begin(monitor, loop->woke);
    loop_turn(loop);
    return 0;
}

thrum_time thrum_backend_before_wait(thrum_loop *loop)
{
    if (loop->turning)
        return THRUM_NEVER; /* a step runs the main loop itself: nothing of ours goes on meanwhile */
    if (!list_empty(loop->state->ready) || !thrum_inbox_sleep(&loop->inbox))
        return 0;
    loop->monitor.sleeps++;
    return thrum_core_next();
}

bool thrum_backend_pass(thrum_loop *loop)
{
    if (loop->turning)
        return false;
    thrum_inbox_wake(&loop->inbox);
    loop->woke = loop->verbs.now(loop_own(loop));
    monitor_begin(&loop->monitor, loop->woke);
    loop_turn(loop);
    monitor_end(&loop->monitor, loop->verbs.now(loop_own(loop)));
    if (!loop->running)
        loop->stopping = false;
    return loop_ready(loop) || thrum_core_next() != THRUM_NEVER;
}

/* Whether a timer may be due at `now`: yes too often, no only when there is none. */
static bool timers_due(thrum_state *state, thrum_time now)
{
    thrum_timers *timers = timers_of(state);
#if THRUM_RADIX_TIMERS
    return timers->soonest <= now;
#else
    return timers->first && time_reached(timers->first->as.when, now);
#endif
}

/* Up to so many passes at the same time of the clock, few enough that posts of other threads need not wait long. */
static unsigned run_some(thrum_loop *loop, unsigned passes)
{
    thrum_time now = loop->state->now;
    if (loop_watched(loop) || timers_due(loop->state, now)) {
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
            thrum_time now = loop->verbs.now(loop_own(loop));
            if (now - began >= BURST_TIME)
                return;
            loop->state->now = now;
            until += done < BURST_PASSES ? done : BURST_PASSES;
        }
        if (!thrum_inbox_empty(&loop->inbox))
            thrum_call_soon(&loop->drain);
        unsigned made = run_some(loop, until - done);
        loop->monitor.passes += made;
        done += made;
    }
}

static int run(thrum_loop *loop)
{
    bool bursts = !loop->verbs.drives && !loop->verbs.stepwise;
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
    loop->state->now = loop->verbs.now(loop_own(loop));
    return 0;
}

void loop_leave(thrum_loop *loop)
{
    if (loop->monitor.turning)
        monitor_end(&loop->monitor, loop->verbs.now(loop_own(loop)));
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
    if (loop->verbs.descriptor)
        thrum_inbox_sleep(&loop->inbox);
    return error;
}

/* ---- asking ---- */

thrum_time thrum_loop_next_deadline(const thrum_loop *loop)
{
    if (!list_empty(loop->state->ready) || !thrum_inbox_empty(&((thrum_loop *)(uintptr_t)loop)->inbox) ||
        loop->unsettled || loop->stopping)
        return 0;
    return thrum_core_next();
}

int thrum_loop_descriptor(const thrum_loop *loop)
{
    return loop->verbs.descriptor ? loop->verbs.descriptor(loop_own(loop)) : THRUM_EUNSUPPORTED;
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
    return loop->state->now = loop->verbs.now(loop_own(loop));
}

thrum_time thrum_loop_resolution(const thrum_loop *loop)
{
    return loop->verbs.resolution ? loop->verbs.resolution(loop_own(loop)) : 1;
}

static void wake(thrum_loop *loop)
{
    atomic_fetch_add_explicit(&loop->monitor.wakes, 1, memory_order_relaxed);
    loop->verbs.wake(loop_own(loop));
}

int thrum_call_soon_threadsafe(thrum_loop *loop, thrum_post *post)
{
    return thrum_inbox_post(&loop->inbox, post, false, wake, loop);
}

int loop_post_answering(thrum_loop *loop, thrum_post *post)
{
    return thrum_inbox_post(&loop->inbox, post, true, wake, loop);
}

bool thrum_post_cancel(thrum_loop *loop, thrum_post *post)
{
    return thrum_inbox_cancel(&loop->inbox, post, loop == loop_here(), wake, loop);
}
