/* What is asked of every backend: its clock, waiting and being woken, coming and going. */
#include "contract.h"

/* ---- the clock, and waiting for it ---- */

static ASYNC(sleeps, ARGS((contract *, here)), LOCALS(int i; thrum_time before; thrum_time delay;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 6; self->i++) {
        self->delay = self->i * MILLISECONDS(1) + MILLISECONDS(1) / 3;
        self->before = thrum_now();
        AWAIT(thrum_sleep(self->delay));
        CHECK_GE(thrum_now() + thrum_loop_resolution(self->here->loop), self->before + self->delay);
        CHECK_GE(thrum_loop_time(self->here->loop), thrum_now());
    }
    ASYNC_END;
}

static ASYNC(waits_for, ARGS((thrum_event *, event)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(self->event);
    ASYNC_END;
}

CONTRACT(the_clock_does_not_go_back)
{
    thrum_time before = thrum_loop_time(here->loop);
    CHECK_GE(thrum_loop_resolution(here->loop), 1);
    for (int i = 0; i < 1000; i++) {
        thrum_time now = thrum_loop_time(here->loop);
        CHECK_GE(now, before);
        before = now;
    }
}

CONTRACT(nobody_wakes_before_the_time)
{
    run(here, sleeps(here));
}

CONTRACT(it_does_not_wait_when_told_so)
{
    unsigned calls = 0;
    thrum_handle far = THRUM_HANDLE_INIT(count, &calls);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    CHECK_EQ(thrum_call_later(SECONDS(3600), &far), 0);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    CHECK_EQ(calls, 0);
    thrum_handle_cancel(&far);
}

static void set_event(thrum_handle *handle)
{
    thrum_event_set((thrum_event *)handle->context);
}

/* The wait that is for the later one must not last when an earlier one comes. */
CONTRACT(an_earlier_timer_is_waited_for_instead)
{
    thrum_event event = THRUM_EVENT_INIT;
    unsigned calls = 0;
    thrum_handle far = THRUM_HANDLE_INIT(count, &calls), near = THRUM_HANDLE_INIT(set_event, &event);
    CHECK_EQ(thrum_call_later(SECONDS(3600), &far), 0);
    CHECK_EQ(thrum_loop_step(here->loop, MILLISECONDS(1)), 0);
    CHECK_EQ(thrum_call_later(MILLISECONDS(2), &near), 0);
    run(here, waits_for(&event));
    CHECK_EQ(calls, 0);
    thrum_handle_cancel(&far);
}

/* ---- waking ---- */

static int one_more(void *argument, thrum_value *value)
{
    *value = (thrum_value)++ * (unsigned *)argument;
    return 0;
}

enum { TRIPS = 300 };

static ASYNC(trips, ARGS((unsigned *, made)), LOCALS(unsigned i; unsigned n;))
{
    ASYNC_BEGIN;
    for (self->i = 1; self->i <= TRIPS; self->i++) {
        AWAIT_INTO(self->n, thrum_to_thread(one_more, self->made));
        CHECK_EQ(self->n, self->i);
    }
    ASYNC_END;
}

/* One that is lost hangs. */
CONTRACT(each_of_many_calls_of_a_thread_comes_through)
{
    unsigned made = 0;
    run(here, trips(&made));
    CHECK_EQ(made, TRIPS);
}

/* With nothing else that could end the wait, and at any time: before it, in it, while it begins. */
CONTRACT_IO(another_thread_ends_a_wait_without_end)
{
    poster mine = {.post = {.call = stop_after_call, .context = &mine}, .loop = here->loop};
    for (unsigned i = 1; i <= 200; i++) {
        pthread_t thread;
        CHECK_EQ(pthread_create(&thread, NULL, post_once, &mine), 0);
        if (i % 2)
            pthread_join(thread, NULL);
        CHECK_EQ(thrum_loop_run_forever(here->loop), 0);
        if (i % 2 == 0)
            pthread_join(thread, NULL);
        CHECK_EQ(mine.calls, i);
        CHECK(mine.errno_stays);
    }
}

static poster *signaled;
static atomic_bool expected; /* the next signal is the first of its round */

static void on_signal(int number)
{
    (void)number;
    if (atomic_exchange(&expected, false))
        thrum_call_soon_threadsafe(signaled->loop, &signaled->post);
}

static void *send_signal(void *argument)
{
    pthread_kill(*(pthread_t *)argument, SIGUSR1);
#if defined(__SANITIZE_THREAD__)
    /* ThreadSanitizer keeps a signal that comes just before a wait, and hands it over when the wait has ended. It is
     * sent again until the handler has run, which posts once. */
    for (const struct timespec pause = {0, 20000000}; atomic_load(&expected); nanosleep(&pause, NULL))
        pthread_kill(*(pthread_t *)argument, SIGUSR1);
#endif
    return NULL;
}

CONTRACT_IO(a_signal_handler_ends_a_wait_without_end)
{
    poster mine = {.post = {.call = stop_after_call, .context = &mine}, .loop = here->loop};
    struct sigaction action = {.sa_handler = on_signal};
    pthread_t main = pthread_self(), thread;
    signaled = &mine;
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    for (unsigned i = 1; i <= 100; i++) {
        atomic_store(&expected, true);
        CHECK_EQ(pthread_create(&thread, NULL, send_signal, &main), 0);
        CHECK_EQ(thrum_loop_run_forever(here->loop), 0);
        CHECK_EQ(mine.calls, i);
        pthread_join(thread, NULL);
    }
}

static unsigned long long stats_of(contract *here, bool wakes)
{
    thrum_loop_stats stats = {.size = sizeof stats};
    CHECK_EQ(thrum_loop_stats_get(here->loop, &stats), 0);
    return wakes ? stats.wakes : stats.passes;
}

/* One that was woken waits the next time. */
CONTRACT_IO(waking_does_not_go_on_for_ever)
{
    poster mine = {.post = {.call = stop_after_call, .context = &mine}, .loop = here->loop};
    thrum_event event = THRUM_EVENT_INIT;
    thrum_handle later = THRUM_HANDLE_INIT(set_event, &event);
    while (!stats_of(here, true)) {
        pthread_t thread;
        CHECK_EQ(pthread_create(&thread, NULL, post_once, &mine), 0);
        CHECK_EQ(thrum_loop_run_forever(here->loop), 0);
        pthread_join(thread, NULL);
    }
    thrum_loop_stats_clear(here->loop);
    CHECK_EQ(thrum_call_later(MILLISECONDS(20), &later), 0);
    run(here, waits_for(&event));
    CHECK_LE(stats_of(here, false), 60); /* one that spins makes thousands */
}

/* ---- it comes and goes ---- */

CONTRACT(nothing_is_left_when_it_closes)
{
    unsigned made = 0;
    channel pair = channel_open();
    unsigned calls = 0;
    thrum_add_reader(pair.ends[0], count, &calls);
    run(here, trips(&made)); /* whatever is made at first use is there */
    CHECK_EQ(thrum_loop_close(here->loop), 0);
    int before = lowest();
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(try_to_open(here), 0);
        CHECK_EQ(thrum_add_reader(pair.ends[0], count, &calls), here->without_descriptors ? THRUM_EUNSUPPORTED : 0);
        CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
        CHECK_EQ(thrum_loop_close(here->loop), 0); /* while it watches */
        CHECK_EQ(lowest(), before);
    }
    channel_close(&pair);
    begin(here);
}

static int as_child(contract *here, int written)
{
    unsigned calls = 0;
    alarm(9);        /* should it hang, it ends all the same */
    here->ev = NULL; /* the parent's */
    if (try_to_open(here))
        return 1;
    if (!here->without_descriptors) {
        int ends[2];
        if (pipe(ends) || thrum_add_reader(ends[0], count, &calls) || write(ends[1], "x", 1) != 1)
            return 2;
        while (!calls)
            if (thrum_loop_step(here->loop, THRUM_NEVER))
                return 3;
        thrum_remove_reader(ends[0]);
    }
    if (thrum_loop_run_until_complete(here->loop, thrum_sleep(MILLISECONDS(1)), NULL) || thrum_loop_close(here->loop))
        return 4;
    return write(written, "x", 1) == 1 ? 0 : 5;
}

/* A child makes a loop of its own in place of the copy, and the parent's goes on as if nothing had been. */
CONTRACT(a_child_process_leaves_it_alone)
{
    channel pair = channel_open();
    unsigned calls = 0;
    if (!here->without_descriptors)
        CHECK_EQ(thrum_add_reader(pair.ends[0], count, &calls), 0);
    CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(as_child(here, pair.ends[1]));
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
    while (!calls && !here->without_descriptors)
        CHECK_EQ(thrum_loop_step(here->loop, THRUM_NEVER), 0);
    run(here, sleeps(here));
    thrum_remove_reader(pair.ends[0]);
    channel_close(&pair);
}
