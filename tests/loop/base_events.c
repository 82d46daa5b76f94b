/* Passes: what runs when, and in which order. Numbers are those of asyncio's corner semantics (PORTED.md). */
#include "support.h"

#include <pthread.h>
#include <sys/wait.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

/* ---- 1: what a call queues runs in the next pass ---- */

typedef struct queues {
    thrum_handle handle, other;
} queues;

static void note_and_queue(thrum_handle *handle)
{
    note('a');
    CHECK_EQ(thrum_call_soon(&((queues *)handle->context)->other), 0);
}

LOOP_TEST(passes, what_a_call_queues_waits_for_the_next)
{
    queues chain = {.other = noting("b")};
    note_clear();
    thrum_handle_init(&chain.handle, note_and_queue, &chain);
    CHECK_EQ(thrum_call_soon(&chain.handle), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "a");
    CHECK_EQ(thrum_loop_next_deadline(loop), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "ab");
    CHECK_EQ(thrum_loop_next_deadline(loop), THRUM_NEVER);
}

/* ---- 3: first come, first served, also across futures ---- */

LOOP_TEST(passes, done_callbacks_are_in_order_across_futures)
{
    thrum_future one = THRUM_FUTURE_INIT, two = THRUM_FUTURE_INIT;
    thrum_handle a = noting("a"), b = noting("b"), c = noting("c"), d = noting("d");
    note_clear();
    CHECK_EQ(thrum_future_add_done_callback(&one, &a), 0);
    CHECK_EQ(thrum_future_add_done_callback(&two, &b), 0);
    CHECK_EQ(thrum_future_add_done_callback(&one, &c), 0);
    thrum_future_set_result(&two, 0);
    CHECK_EQ(thrum_call_soon(&d), 0);
    thrum_future_set_result(&one, 0);
    CHECK_STR(noted.text, "");
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "bdac");
}

/* ---- 4, 6: delays of 0 and less ---- */

static void two_ways(thrum_handle *handle)
{
    thrum_handle *handles = (thrum_handle *)handle->context;
    CHECK_EQ(thrum_call_later(0, &handles[0]), 0);
    CHECK_EQ(thrum_call_later(MILLISECONDS(-5), &handles[1]), 0);
    CHECK_EQ(thrum_call_soon(&handles[2]), 0);
    CHECK_STR(noted.text, "");
}

LOOP_TEST(passes, no_delay_comes_after_what_is_queued_later)
{
    thrum_handle handles[3] = {noting("z"), noting("n"), noting("s")};
    thrum_handle first;
    note_clear();
    thrum_handle_init(&first, two_ways, handles);
    thrum_call_soon(&first);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "");
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "snz");
}

LOOP_TEST(passes, overdue_timers_run_in_the_order_of_their_times)
{
    thrum_handle handles[5];
    const thrum_time delays[5] = {MILLISECONDS(-1), MILLISECONDS(-4), MILLISECONDS(-2), MILLISECONDS(-4), 0};
    note_clear();
    for (int i = 0; i < 5; i++) {
        handles[i] = noting(letters + i);
        CHECK_EQ(thrum_call_later(delays[i], &handles[i]), 0);
    }
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "bdcae");
}

/* ---- 7: timers that are taken back leave nothing ---- */

LOOP_TEST(passes, timers_taken_back_are_gone)
{
    static thrum_handle handles[1000];
    for (int i = 0; i < 1000; i++)
        handles[i] = noting("t");
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 1000; i++)
            CHECK_EQ(thrum_call_later(SECONDS(1000) + i, &handles[i]), 0);
        for (int i = 0; i < 1000; i++)
            CHECK(thrum_handle_cancel(&handles[(i * 7) % 1000]));
    }
    CHECK_EQ(thrum_loop_next_deadline(loop), THRUM_NEVER);
}

/* ---- 8: taking a queued call back ---- */

static void cancel_other(thrum_handle *handle)
{
    note('x');
    CHECK(thrum_handle_cancel((thrum_handle *)handle->context));
}

LOOP_TEST(passes, a_queued_call_can_be_taken_back)
{
    thrum_handle a = noting("a"), b = noting("b"), c = noting("c"), cancels;
    note_clear();
    thrum_call_soon(&a);
    CHECK(thrum_handle_cancel(&a));
    CHECK(!thrum_handle_cancel(&a));
    thrum_handle_init(&cancels, cancel_other, &b);
    thrum_call_soon(&cancels);
    thrum_call_soon(&b);
    thrum_call_soon(&c);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "xc");
}

LOOP_TEST(passes, a_due_timer_can_be_taken_back)
{
    thrum_handle t = noting("t"), cancels;
    note_clear();
    thrum_call_later(0, &t);
    thrum_handle_init(&cancels, cancel_other, &t);
    thrum_call_soon(&cancels);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "x");
}

/* ---- 13: stop ---- */

static void stop_and_queue(thrum_handle *handle)
{
    note('s');
    thrum_loop_stop(thrum_loop_running());
    thrum_call_soon((thrum_handle *)handle->context);
}

LOOP_TEST(passes, stop_lets_the_pass_end)
{
    thrum_handle stops, b = noting("b"), later = noting("l");
    note_clear();
    thrum_handle_init(&stops, stop_and_queue, &later);
    thrum_call_soon(&stops);
    thrum_call_soon(&b);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    CHECK_STR(noted.text, "sb");
    CHECK(!thrum_loop_is_running(loop));
    thrum_loop_stop(loop);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    CHECK_STR(noted.text, "sbl");
}

LOOP_TEST(passes, run_forever_stopped_before_makes_one_pass)
{
    queues chain = {.other = noting("b")};
    thrum_handle far = noting("f");
    note_clear();
    thrum_handle_init(&chain.handle, note_and_queue, &chain);
    thrum_call_soon(&chain.handle);
    thrum_call_later(SECONDS(3600), &far);
    thrum_time before = thrum_loop_time(loop);
    thrum_loop_stop(loop);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    CHECK_STR(noted.text, "a");
    CHECK_LT(thrum_loop_time(loop) - before, SECONDS(3000));
    thrum_handle_cancel(&far);
    thrum_handle_cancel(&chain.other);
}

/* ---- 15: run_until_complete ---- */

static ASYNC(gives, ARGS((int, n)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

WAITS_FOR(waits)

static ASYNC(sets_and_waits, ARGS((thrum_event *, one), (thrum_event *, two)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_event_set(self->one);
    AWAIT(self->two);
    ASYNC_RETURN(5);
    ASYNC_END;
}

static void set_event(thrum_handle *handle)
{
    thrum_event_set((thrum_event *)handle->context);
}

LOOP_TEST(passes, run_until_complete_gives_the_result)
{
    thrum_value value = 0;
    CHECK_EQ(thrum_loop_run_until_complete(loop, gives(7), &value), 0);
    CHECK_EQ(value, 7);
    CHECK_EQ(thrum_loop_run_until_complete(loop, gives(8), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_awaitable_failing(THRUM_EINVAL), NULL), THRUM_EINVAL);
    /* What is done already takes a pass all the same: what was queued before is called. */
    thrum_future done = THRUM_FUTURE_INIT;
    thrum_handle queued = noting("q");
    note_clear();
    thrum_call_soon(&queued);
    thrum_future_set_result(&done, 9);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_future_wait(&done), &value), 0);
    CHECK_EQ(value, 9);
    CHECK_STR(noted.text, "q");
}

LOOP_TEST(passes, a_run_that_was_stopped_leaves_no_stop_behind)
{
    thrum_event one = THRUM_EVENT_INIT, two = THRUM_EVENT_INIT;
    thrum_handle stops = THRUM_HANDLE_INIT(stop_loop, NULL), sets = THRUM_HANDLE_INIT(set_event, &two);
    thrum_value value = 0;
    thrum_call_soon(&stops);
    CHECK_EQ(thrum_loop_run_until_complete(loop, waits(&one), NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_all_tasks(NULL, 0), 1);
    /* The first task ends in this run, a while before the second one. */
    thrum_call_later(MILLISECONDS(2), &sets);
    CHECK_EQ(thrum_loop_run_until_complete(loop, sets_and_waits(&one, &two), &value), 0);
    CHECK_EQ(value, 5);
    CHECK_EQ(thrum_all_tasks(NULL, 0), 0);
}

/* ---- 16, 17: errors that nobody awaits ---- */

static ASYNC(fails, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    thrum_error_set(self->error, 0, "doing", 3, "what was done");
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

typedef struct handler {
    int count, error;
    char message[128], text[128];
    bool again;
} handler;

static void on_report(thrum_loop *loop, const thrum_report *report, void *context)
{
    handler *told = context;
    told->count++;
    told->error = report->error;
    snprintf(told->message, sizeof told->message, "%s", report->message);
    snprintf(told->text, sizeof told->text, "%s", report->detail ? report->detail->text : "");
    if (told->again)
        thrum_loop_call_exception_handler(loop, &(thrum_report){.message = "from inside"});
}

LOOP_TEST(reports, an_error_goes_to_the_handler_and_the_loop_goes_on)
{
    handler told = {0};
    thrum_handle after = noting("a");
    log_begin();
    note_clear();
    thrum_loop_set_exception_handler(loop, on_report, &told);
    CHECK_EQ(thrum_spawn_detached(fails(THRUM_EAPP(3))), 0);
    thrum_loop_step(loop, 0);
    thrum_call_soon(&after);
    thrum_loop_step(loop, 0);
    CHECK_EQ(told.count, 1);
    CHECK_EQ(told.error, THRUM_EAPP(3));
    CHECK_STR(told.text, "what was done");
    CHECK_STR(noted.text, "a");
    CHECK_STR(logged, "");
}

LOOP_TEST(reports, a_report_from_inside_the_handler_goes_to_the_log)
{
    handler told = {.again = true};
    log_begin();
    thrum_loop_set_exception_handler(loop, on_report, &told);
    thrum_loop_call_exception_handler(loop, &(thrum_report){.message = "outer"});
    CHECK_EQ(told.count, 1);
    CHECK_STR(told.message, "outer");
    CHECK_STR(logged, "from inside\n");
}

static void on_report_go_on(thrum_loop *loop, const thrum_report *report, void *context)
{
    on_report(loop, report, context);
    thrum_loop_default_exception_handler(loop, report);
}

/* set_exc_handler_custom: a handler may do what the default one does, and more. */
LOOP_TEST(reports, a_handler_may_call_the_default)
{
    handler told = {0};
    log_begin();
    thrum_loop_set_exception_handler(loop, on_report_go_on, &told);
    thrum_loop_call_exception_handler(loop, &(thrum_report){.message = "it broke"});
    CHECK_EQ(told.count, 1);
    CHECK_STR(logged, "it broke\n");
}

LOOP_TEST(reports, the_default_writes_name_text_detail_and_trace)
{
    log_begin();
    CHECK_EQ(thrum_spawn_detached(fails(THRUM_ETIMEDOUT)), 0);
    thrum_loop_step(loop, 0);
    thrum_loop_step(loop, 0);
    CHECK(log_has("THRUM_ETIMEDOUT: timed out\n"));
    CHECK(log_has("doing: what was done [3]"));
    CHECK(log_has("in fails, "));
    CHECK(log_has("base_events.c:"));
}

/* ---- 22: closing ---- */

static void close_running(thrum_handle *handle)
{
    CHECK_EQ(thrum_loop_close((thrum_loop *)handle->context), THRUM_ESTATE);
    note('c');
}

LOOP_TEST(closing, a_running_loop_is_not_closed)
{
    thrum_handle closes = THRUM_HANDLE_INIT(close_running, loop);
    note_clear();
    thrum_call_soon(&closes);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "c");
}

static void closing_drops(thrum_backend_kind kind)
{
    thrum_handle soon = noting("s"), later = noting("l"), due = noting("d");
    thrum_loop *loop = open_loop(kind);
    note_clear();
    log_begin();
    thrum_call_soon(&soon);
    thrum_call_later(SECONDS(5), &later);
    thrum_call_later(0, &due);
    close_loop(loop);
    CHECK_STR(noted.text, "");
    CHECK_STR(logged, "");
    CHECK(!thrum_handle_pending(&soon));
    CHECK(!thrum_handle_pending(&later));
    CHECK_EQ(thrum_call_soon(&soon), THRUM_ESTATE);
    /* The handles serve the next loop. */
    loop = open_loop(kind);
    CHECK_EQ(thrum_call_soon(&soon), 0);
    CHECK_EQ(thrum_call_later(0, &later), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "sl");
    close_loop(loop);
    CHECK_EQ(thrum_loop_close(NULL), 0);
}

TEST(closing, drops_what_is_queued_in_silence)
{
    closing_drops(THRUM_BACKEND_LIBEV);
}
TEST(closing, drops_what_is_queued_in_silence_sim)
{
    closing_drops(THRUM_BACKEND_SIM);
}

TEST(closing, tasks_that_are_left_are_named)
{
    thrum_event never = THRUM_EVENT_INIT;
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    log_begin();
    CHECK_EQ(thrum_spawn_detached(waits(&never)), 0);
    thrum_task *owned = thrum_spawn(waits(&never));
    thrum_loop_step(loop, 0);
    CHECK_EQ(thrum_loop_close(loop), 0);
    CHECK(log_has("task was destroyed but it is pending"));
    CHECK(log_has("in waits, "));
    CHECK(thrum_task_cancelled(owned));
    thrum_task_release(owned);
    CHECK_NULL(never.waiters.first);
}

/* ---- 26: one loop a thread, and not within itself ---- */

static void runs_again(thrum_handle *handle)
{
    thrum_loop *loop = handle->context, *second;
    CHECK_EQ(thrum_loop_run_forever(loop), THRUM_ESTATE);
    CHECK_EQ(thrum_loop_run_until_complete(loop, gives(1), NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_loop_step(loop, 0), THRUM_ESTATE);
    CHECK_EQ(thrum_loop_new(&second, NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_run(gives(1)), 1);
    note('r');
}

LOOP_TEST(running, a_loop_within_a_loop_is_refused)
{
    thrum_handle again = THRUM_HANDLE_INIT(runs_again, loop);
    thrum_loop *second;
    note_clear();
    log_begin();
    CHECK_EQ(thrum_loop_new(&second, NULL), THRUM_ESTATE);
    CHECK_NULL(second);
    thrum_call_soon(&again);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "r");
    CHECK_EQ(thrum_all_tasks(NULL, 0), 0); /* the awaitables were spent, and nothing was started */
}

static void asks_which(thrum_handle *handle)
{
    CHECK_PTR(thrum_loop_running(), handle->context);
    CHECK(thrum_loop_is_running((thrum_loop *)handle->context));
    note('w');
}

LOOP_TEST(running, the_current_and_the_running_loop)
{
    thrum_handle asks = THRUM_HANDLE_INIT(asks_which, loop);
    note_clear();
    CHECK_PTR(thrum_loop_current(), loop);
    CHECK_NULL(thrum_loop_running());
    thrum_call_soon(&asks);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "w");
    CHECK_NULL(thrum_loop_running());
}

/* ---- 25: a child process starts afresh ---- */

TEST(running, a_forked_child_has_no_loop_and_may_make_one)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_handle a = noting("a");
    int status = -1;
    note_clear();
    thrum_call_soon(&a);
    pid_t child = fork();
    CHECK_GE(child, 0);
    if (child == 0) {
        thrum_loop *fresh = NULL;
        thrum_value value = 0;
        bool good = !thrum_loop_current() && thrum_loop_new(&fresh, NULL) == 0 &&
                    thrum_loop_run_until_complete(fresh, gives(6), &value) == 0 && value == 6 && noted.count == 0 &&
                    thrum_loop_close(fresh) == 0;
        _exit(good ? 0 : 1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "a");
    close_loop(loop);
}

/* ---- options ---- */

TEST(options, what_cannot_be_is_refused)
{
    thrum_loop *loop;
    thrum_loop_options options = {0};
    CHECK_EQ(thrum_loop_new(NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_loop_new(&loop, &options), THRUM_EINVAL);
    options.size = sizeof options + 8;
    CHECK_EQ(thrum_loop_new(&loop, &options), THRUM_EINVAL);
    options.size = sizeof options;
    options.backend = (thrum_backend_kind)77;
    CHECK_EQ(thrum_loop_new(&loop, &options), THRUM_EINVAL);
    options.backend = THRUM_BACKEND_LIBEV;
    options.poller = (thrum_poller)77;
    CHECK_EQ(thrum_loop_new(&loop, &options), THRUM_EINVAL);
    options.poller = THRUM_POLLER_KQUEUE;
#ifdef __linux__
    CHECK_EQ(thrum_loop_new(&loop, &options), THRUM_EUNSUPPORTED);
#endif
    CHECK_NULL(thrum_loop_current());
}

static ASYNC(sleeps, ARGS((thrum_time, delay)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->delay));
    ASYNC_RETURN(1);
    ASYNC_END;
}

TEST(options, every_poller_works)
{
    const thrum_poller pollers[] = {THRUM_POLLER_SELECT, THRUM_POLLER_POLL, THRUM_POLLER_EPOLL};
    for (int i = 0; i < 3; i++) {
        thrum_loop_options options = {.size = sizeof options, .poller = pollers[i]};
        thrum_loop *loop;
        int error = thrum_loop_new(&loop, &options);
        if (error == THRUM_EUNSUPPORTED)
            continue;
        CHECK_EQ(error, 0);
        thrum_time before = thrum_loop_time(loop);
        CHECK_EQ(thrum_loop_run_until_complete(loop, sleeps(MILLISECONDS(3)), NULL), 0);
        CHECK_GE(thrum_loop_time(loop) - before, MILLISECONDS(3));
        CHECK_NOT_NULL(thrum_loop_ev(loop));
        close_loop(loop);
    }
}

/* ---- 28: debug mode ---- */

static void flip(thrum_handle *handle)
{
    thrum_loop *loop = handle->context;
    thrum_loop_set_debug(loop, !thrum_loop_get_debug(loop));
}

static ASYNC(busy, ARGS((thrum_time, span)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    for (thrum_time until = thrum_loop_time(thrum_loop_running()) + self->span;
         thrum_loop_time(thrum_loop_running()) < until;)
        continue;
    AWAIT(thrum_yield());
    ASYNC_END;
}

TEST(debug, can_be_switched_on_while_running_and_names_slow_steps)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_handle flips = THRUM_HANDLE_INIT(flip, loop);
    log_begin();
    CHECK(!thrum_loop_get_debug(loop));
    CHECK_EQ(thrum_loop_run_until_complete(loop, busy(MILLISECONDS(110)), NULL), 0);
    CHECK_STR(logged, "");
    thrum_call_soon(&flips);
    CHECK_EQ(thrum_loop_run_until_complete(loop, busy(MILLISECONDS(110)), NULL), 0);
    CHECK(thrum_loop_get_debug(loop));
    CHECK(log_has("busy, ") && log_has(" ms without awaiting"));
    close_loop(loop);
}

static void *stop_from_here(void *argument)
{
    thrum_loop_stop(argument);
    return NULL;
}

TEST(debug, a_stop_from_another_thread_is_told)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    pthread_t thread;
    log_begin();
    thrum_loop_set_debug(loop, true);
    CHECK_EQ(pthread_create(&thread, NULL, stop_from_here, loop), 0);
    pthread_join(thread, NULL);
    CHECK(log_has("thrum_loop_stop() in another thread"));
    CHECK_EQ(thrum_loop_next_deadline(loop), THRUM_NEVER);
    close_loop(loop);
}

LOOP_TEST(debug, keeps_the_order_of_passes)
{
    queues chain = {.other = noting("n")};
    thrum_handle handles[3] = {noting("z"), noting("m"), noting("s")}, first;
    note_clear();
    thrum_loop_set_debug(loop, true);
    thrum_handle_init(&first, two_ways, handles);
    thrum_handle_init(&chain.handle, note_and_queue, &chain);
    thrum_call_soon(&first);
    thrum_call_soon(&chain.handle);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "a");
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "asnmz");
}
