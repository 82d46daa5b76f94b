/* Whole programs: what runs, what is cancelled at the end, what Ctrl-C does. Numbers are asyncio's corner semantics. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "support.h"

#include <errno.h>
#include <signal.h>

static ASYNC(gives, ARGS((int, n)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

static ASYNC(inner, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    thrum_error_set(self->error, 0, "open", 12, "some file");
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

static ASYNC(fails, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(inner(self->error));
    ASYNC_END;
}

static thrum_runner_options sim_options(void)
{
    static const thrum_loop_options loop = {.size = sizeof loop, .backend = THRUM_BACKEND_SIM};
    thrum_runner_options options = {.size = sizeof options, .loop = &loop};
    return options;
}

/* ---- exit codes, and what is printed ---- */

TEST(run, gives_an_exit_code)
{
    log_begin();
    CHECK_EQ(thrum_run(gives(7)), 0);
    CHECK_STR(logged, "");
    CHECK_EQ(thrum_run(fails(THRUM_ERESOLVE)), 1);
    CHECK_NULL(thrum_loop_current());
}

TEST(run, prints_an_error_with_name_text_detail_and_trace)
{
    log_begin();
    CHECK_EQ(thrum_run(fails(THRUM_EAPP(9))), 1);
    CHECK(log_has("EAPP(9)"));
    CHECK(log_has("  open: some file [12]\n"));
    CHECK(log_has("  in inner, "));
    CHECK(log_has("  in fails, "));
    CHECK(log_has("runners.c:"));
    CHECK_LT(strstr(logged, "in inner") - logged, strstr(logged, "in fails") - logged);
}

static ASYNC(fails_in_a_group, ARGS((int, depth)), LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn_detached(&self->group, fails(THRUM_EAPP(self->depth)));
        thrum_group_spawn_detached(&self->group, fails(-ECONNREFUSED));
        if (self->depth < 2)
            thrum_group_spawn_detached(&self->group, fails_in_a_group(self->depth + 1));
    }
    ASYNC_END;
}

TEST(run, prints_the_errors_of_groups)
{
    log_begin();
    CHECK_EQ(thrum_run(fails_in_a_group(1)), 1);
    CHECK(log_has("thrum_run: THRUM_EGROUP: "));
    CHECK(log_has("\n  - EAPP(1): "));
    CHECK(log_has("\n  - ECONNREFUSED: Connection refused\n    open: some file [12]\n    in inner, "));
}

static ASYNC(leaves_with, ARGS((int, code)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    thrum_error_set(THRUM_EEXIT, 0, NULL, self->code, NULL);
    ASYNC_RAISE(THRUM_EEXIT);
    ASYNC_END;
}

TEST(run, leaves_with_the_code_that_was_asked_for)
{
    log_begin();
    CHECK_EQ(thrum_run(leaves_with(3)), 3);
    CHECK_STR(logged, "");
}

static ASYNC(leaves_when_cancelled, ARGS_NONE, LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->caught, thrum_sleep(SECONDS(10)));
    ASYNC_RAISE(THRUM_EEXIT);
    ASYNC_END;
}

/* 46, baseexception_during_cancel: asked for by a task that nobody waits for, it is an error like any other: that
 * task's outcome, and told of when it is given back. The others go on, and the loop runs again. */
TEST(run, other_tasks_errors_do_not_end_it)
{
    thrum_runner runner;
    thrum_value value = 0;
    log_begin();
    CHECK_EQ(thrum_runner_init(&runner, NULL), 0);
    CHECK_EQ(thrum_runner_run(&runner, gives(1), NULL), 0);
    thrum_task *leaves = thrum_spawn(leaves_with(3));
    CHECK_EQ(thrum_runner_run(&runner, thrum_sleep(MILLISECONDS(1)), NULL), 0);
    CHECK(thrum_task_done(leaves));
    CHECK_EQ(thrum_runner_run(&runner, gives(4), &value), 0);
    CHECK_EQ(value, 4);
    CHECK_EQ(thrum_runner_run(&runner, thrum_task_wait(leaves), NULL), THRUM_EEXIT);
    thrum_task_release(leaves);
    CHECK_STR(logged, "");
    leaves = thrum_spawn(leaves_when_cancelled());
    CHECK_EQ(thrum_runner_run(&runner, thrum_yield(), NULL), 0);
    CHECK(thrum_task_cancel(leaves));
    CHECK_EQ(thrum_runner_run(&runner, thrum_sleep(MILLISECONDS(1)), NULL), 0);
    CHECK(thrum_task_done(leaves));
    CHECK(!thrum_task_cancelled(leaves));
    thrum_task_release(leaves);
    CHECK(log_has("THRUM_EEXIT"));
    CHECK_EQ(thrum_runner_close(&runner), 0);
}

TEST(run, wrong_options_are_refused)
{
    thrum_runner runner;
    thrum_runner_options options = {0};
    log_begin();
    CHECK_EQ(thrum_runner_init(NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_runner_init(&runner, &options), THRUM_EINVAL);
    options.size = sizeof options + 1;
    CHECK_EQ(thrum_run_with(gives(1), &options), 1);
    options.size = sizeof options;
    thrum_loop_options loop = {.size = sizeof loop, .backend = (thrum_backend_kind)9};
    options.loop = &loop;
    CHECK_EQ(thrum_run_with(gives(1), &options), 1);
    CHECK_NULL(thrum_loop_current());
}

/* ---- a runner runs many times ---- */

TEST(runner, keeps_its_loop_and_tasks_between_runs)
{
    thrum_event event = THRUM_EVENT_INIT;
    thrum_runner runner;
    thrum_value value = 0;
    CHECK_EQ(thrum_runner_init(&runner, NULL), 0);
    CHECK_EQ(thrum_runner_run(&runner, gives(4), &value), 0);
    CHECK_EQ(value, 4);
    thrum_loop *loop = thrum_runner_loop(&runner);
    CHECK_NOT_NULL(loop);
    thrum_task *task = thrum_spawn(thrum_event_wait(&event));
    CHECK_EQ(thrum_runner_run(&runner, fails(THRUM_EAPP(1)), NULL), THRUM_EAPP(1));
    CHECK(!thrum_task_done(task));
    thrum_event_set(&event);
    CHECK_EQ(thrum_runner_run(&runner, thrum_task_wait(task), NULL), 0);
    thrum_task_release(task);
    CHECK_PTR(thrum_runner_loop(&runner), loop);
    CHECK_EQ(thrum_runner_close(&runner), 0);
    CHECK_EQ(thrum_runner_close(&runner), 0);
    CHECK_NULL(thrum_runner_loop(&runner));
    CHECK_EQ(thrum_runner_run(&runner, thrum_awaitable_failing(THRUM_EINVAL), NULL), THRUM_ESTATE);
    CHECK_NULL(thrum_loop_current());
}

static ASYNC(runs_another, ARGS((thrum_runner *, runner)), LOCALS(thrum_runner second;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_runner_init(&self->second, NULL), 0);
    CHECK_EQ(thrum_runner_run(&self->second, gives(1), NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_runner_run(self->runner, gives(1), NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_runner_close(self->runner), THRUM_ESTATE);
    ASYNC_RETURN(1);
    ASYNC_END;
}

TEST(runner, is_refused_within_another)
{
    thrum_runner runner;
    thrum_value value = 0;
    CHECK_EQ(thrum_runner_init(&runner, NULL), 0);
    CHECK_EQ(thrum_runner_run(&runner, runs_another(&runner), &value), 0);
    CHECK_EQ(value, 1);
    CHECK_EQ(thrum_runner_close(&runner), 0);
}

TEST(runner, closed_without_a_run_does_nothing)
{
    thrum_runner runner;
    CHECK_EQ(thrum_runner_init(&runner, NULL), 0);
    CHECK_EQ(thrum_runner_close(&runner), 0);
}

/* ---- 159: what is left is cancelled, all at once, again until it is quiet ---- */

static int cleaned;
static thrum_time main_ended, last_cleaned;

static ASYNC(cleans_up, ARGS((thrum_time, takes)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1000000)));
FINALLY:
    AWAIT(thrum_sleep(self->takes));
    cleaned++;
    last_cleaned = thrum_now();
    ASYNC_END;
}

static ASYNC(leaves_another, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1000000)));
FINALLY:
    thrum_spawn_detached(cleans_up(SECONDS(2)));
    cleaned++;
    ASYNC_END;
}

static ASYNC(leaves_tasks, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_spawn_detached(cleans_up(SECONDS(3)));
    thrum_spawn_detached(cleans_up(SECONDS(3)));
    thrum_spawn_detached(leaves_another());
    AWAIT(thrum_sleep(SECONDS(1)));
    main_ended = thrum_now();
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

TEST(shutdown, cancels_all_at_once_and_what_they_leave)
{
    thrum_runner_options options = sim_options();
    thrum_runner runner;
    cleaned = 0;
    log_begin();
    CHECK_EQ(thrum_runner_init(&runner, &options), 0);
    CHECK_EQ(thrum_runner_run(&runner, leaves_tasks(0), NULL), 0);
    CHECK_EQ(cleaned, 0);
    CHECK_EQ(thrum_runner_close(&runner), 0);
    CHECK_EQ(cleaned, 4);
    CHECK_EQ(last_cleaned - main_ended, SECONDS(5)); /* 3 and 3 s side by side, then the 2 of what was left behind */
    CHECK_STR(logged, "");
    thrum_pool_stats stats;
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
}

/* ---- 160: the main task's error, and others ---- */

static ASYNC(fails_when_cancelled, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1000000)));
FINALLY:
    ASYNC_RAISE(THRUM_EAPP(2));
    ASYNC_END;
}

static ASYNC(leaves_one_that_fails, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_spawn_detached(fails_when_cancelled());
    AWAIT(thrum_yield());
    ASYNC_RAISE(THRUM_EAPP(1));
    ASYNC_END;
}

static void count_errors(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop;
    CHECK_EQ(report->error, THRUM_EAPP(2));
    ++*(int *)context;
}

TEST(shutdown, errors_of_others_go_to_the_exception_handler)
{
    thrum_runner_options options = sim_options();
    thrum_runner runner;
    int count = 0;
    CHECK_EQ(thrum_runner_init(&runner, &options), 0);
    thrum_loop_set_exception_handler(thrum_runner_loop(&runner), count_errors, &count);
    CHECK_EQ(thrum_runner_run(&runner, leaves_one_that_fails(), NULL), THRUM_EAPP(1));
    CHECK_EQ(count, 0);
    CHECK_EQ(thrum_runner_close(&runner), 0);
    CHECK_EQ(count, 1);
}

/* ---- the deadline ---- */

static ASYNC(deaf_inside, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    for (;;)
        AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(7)));
    ASYNC_END;
}

static ASYNC(deaf, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(deaf_inside());
    ASYNC_END;
}

static ASYNC(leaves_a_deaf_one, ARGS((thrum_time *, ended)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_spawn_detached(deaf());
    thrum_spawn_detached(cleans_up(SECONDS(3)));
    AWAIT(thrum_yield());
    AWAIT(thrum_yield());
    *self->ended = thrum_now();
    ASYNC_END;
}

TEST(shutdown, at_the_deadline_names_what_remains)
{
    thrum_runner_options options = sim_options();
    thrum_runner runner;
    thrum_time ended = -1;
    options.shutdown = SECONDS(20);
    cleaned = 0;
    log_begin();
    CHECK_EQ(thrum_runner_init(&runner, &options), 0);
    CHECK_EQ(thrum_runner_run(&runner, leaves_a_deaf_one(&ended), NULL), 0);
    CHECK_EQ(ended, 0);
    CHECK_EQ(thrum_runner_close(&runner), THRUM_ETIMEDOUT);
    CHECK_EQ(cleaned, 1);
    CHECK(log_has("1 task did not end within 20000 ms of being cancelled:\ntask deaf\n  waits for: sleep\n"
                  "  in deaf_inside, "));
    CHECK(log_has("  in deaf, "));
    CHECK(log_has("runners.c:"));
    thrum_pool_stats stats;
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
}

/* ---- 161: SIGINT ---- */

static void interrupt(thrum_handle *handle)
{
    (void)handle;
    raise(SIGINT);
}

static bool handled_by_default(int number)
{
    struct sigaction now;
    CHECK_EQ(sigaction(number, NULL, &now), 0);
    return now.sa_handler == SIG_DFL;
}

/* The test's own process must be as a program finds itself. */
static void signals_begin(void)
{
    sigset_t none;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static ASYNC(interrupted_main, ARGS((int, number)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK(!handled_by_default(self->number));
    raise(self->number);
    AWAIT(thrum_sleep(SECONDS(1000000)));
    FAIL("the sleep was to be cancelled");
FINALLY:
    cleaned++;
    ASYNC_END;
}

TEST(interrupt, cancels_the_main_task)
{
    thrum_runner runner;
    signals_begin();
    cleaned = 0;
    log_begin();
    CHECK_EQ(thrum_runner_init(&runner, NULL), 0);
    CHECK_EQ(thrum_runner_run(&runner, interrupted_main(SIGINT), NULL), THRUM_EINTERRUPTED);
    CHECK_EQ(cleaned, 1);
    CHECK(handled_by_default(SIGINT));
    /* The runner serves on. */
    CHECK_EQ(thrum_runner_run(&runner, gives(1), NULL), 0);
    CHECK_EQ(thrum_runner_close(&runner), 0);
    CHECK_STR(logged, "");
}

TEST(interrupt, is_the_exit_code_130_or_143)
{
    thrum_runner_options options = {.size = sizeof options, .terminate = true};
    signals_begin();
    cleaned = 0;
    log_begin();
    CHECK_EQ(thrum_run(interrupted_main(SIGINT)), 130);
    CHECK_EQ(thrum_run_with(interrupted_main(SIGINT), &options), 130);
    CHECK_EQ(thrum_run_with(interrupted_main(SIGTERM), &options), 143);
    CHECK_EQ(cleaned, 3);
    CHECK(handled_by_default(SIGTERM));
    CHECK_STR(logged, "");
}

static ASYNC(swallows, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    raise(SIGINT);
    AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(1000000)));
    CHECK_EQ(self->error, THRUM_ECANCELED);
    ASYNC_RETURN(11);
    ASYNC_END;
}

TEST(interrupt, that_is_caught_gives_the_result)
{
    thrum_runner runner;
    thrum_value value = 0;
    signals_begin();
    CHECK_EQ(thrum_runner_init(&runner, NULL), 0);
    CHECK_EQ(thrum_runner_run(&runner, swallows(), &value), 0);
    CHECK_EQ(value, 11);
    CHECK_EQ(thrum_runner_close(&runner), 0);
}

/* A loop that is kept busy by calls is interrupted, too. */
static thrum_handle busy;

static void again(thrum_handle *handle)
{
    thrum_call_soon(handle);
}

static ASYNC(waits_while_busy, ARGS((thrum_handle *, interrupts)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_call_soon(&busy);
    CHECK_EQ(thrum_call_later(MILLISECONDS(2), self->interrupts), 0);
    AWAIT(thrum_sleep(SECONDS(1000000)));
    ASYNC_END;
}

TEST(interrupt, reaches_a_busy_loop)
{
    thrum_handle interrupts = THRUM_HANDLE_INIT(interrupt, NULL);
    signals_begin();
    thrum_handle_init(&busy, again, NULL);
    CHECK_EQ(thrum_run(waits_while_busy(&interrupts)), 130);
    CHECK(!thrum_handle_pending(&busy));
}

/* ---- 162: together with another canceller ---- */

static ASYNC(uses_up_the_first, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    thrum_task_cancel(thrum_current_task());
    AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(1000000)));
    CHECK_EQ(self->error, THRUM_ECANCELED);
    raise(SIGINT);
    AWAIT(thrum_sleep(SECONDS(1000000)));
    ASYNC_END;
}

TEST(interrupt, beside_another_cancellation_is_a_cancellation)
{
    thrum_runner runner;
    signals_begin();
    CHECK_EQ(thrum_runner_init(&runner, NULL), 0);
    CHECK_EQ(thrum_runner_run(&runner, uses_up_the_first(), NULL), THRUM_ECANCELED);
    CHECK_EQ(thrum_runner_close(&runner), 0);
}

/* ---- the second one ends the run ---- */

static ASYNC(slow_to_end, ARGS((thrum_handle *, interrupts)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    raise(SIGINT);
    AWAIT(thrum_sleep(SECONDS(1000000)));
FINALLY:
    cleaned++;
    CHECK(!handled_by_default(SIGINT));
    CHECK_EQ(thrum_call_later(MILLISECONDS(1), self->interrupts), 0);
    AWAIT(thrum_sleep(MILLISECONDS(300)));
    cleaned++;
    ASYNC_END;
}

TEST(interrupt, the_second_one_ends_the_run)
{
    thrum_handle interrupts = THRUM_HANDLE_INIT(interrupt, NULL);
    thrum_runner runner;
    signals_begin();
    cleaned = 0;
    log_begin();
    CHECK_EQ(thrum_runner_init(&runner, NULL), 0);
    CHECK_EQ(thrum_runner_run(&runner, slow_to_end(&interrupts), NULL), THRUM_EINTERRUPTED);
    CHECK_EQ(cleaned, 1);
    CHECK(handled_by_default(SIGINT)); /* a third one would end the process */
    CHECK_EQ(thrum_all_tasks(NULL, 0), 1);
    CHECK_EQ(thrum_runner_close(&runner), 0);
    CHECK_STR(logged, "");
}

/* ---- a good guest ---- */

static int foreign;

static void foreign_handler(int number)
{
    (void)number;
    foreign++;
}

static ASYNC(interrupts_itself, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    raise(SIGINT);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    ASYNC_RETURN(1);
    ASYNC_END;
}

static ASYNC(installs_its_own, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    signal(SIGINT, foreign_handler);
    AWAIT(interrupts_itself());
    ASYNC_END;
}

TEST(interrupt, handlers_of_others_are_left_alone)
{
    thrum_runner_options options = {.size = sizeof options, .no_signals = true};
    struct sigaction now;
    signals_begin();
    foreign = 0;
    signal(SIGINT, foreign_handler);
    CHECK_EQ(thrum_run(interrupts_itself()), 0);
    CHECK_EQ(foreign, 1);
    signals_begin();
    CHECK_EQ(thrum_run(installs_its_own()), 0);
    CHECK_EQ(foreign, 2);
    CHECK_EQ(sigaction(SIGINT, NULL, &now), 0);
    CHECK(now.sa_handler == foreign_handler);
    CHECK_EQ(thrum_run_with(interrupts_itself(), &options), 0);
    CHECK_EQ(foreign, 3);
    signals_begin();
    signal(SIGINT, SIG_IGN);
    CHECK_EQ(thrum_run(interrupts_itself()), 0);
    signals_begin();
}

/* ---- the loop is stopped under a runner ---- */

static ASYNC(stops, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_loop_stop(thrum_loop_running());
    AWAIT(thrum_sleep(SECONDS(1000000)));
    ASYNC_END;
}

TEST(runner, a_stopped_loop_is_an_error)
{
    thrum_runner runner;
    CHECK_EQ(thrum_runner_init(&runner, NULL), 0);
    CHECK_EQ(thrum_runner_run(&runner, stops(), NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_runner_close(&runner), 0);
}

/* ---- generators that nobody closed ---- */

static thrum_iteration left_open;
static ASYNC_GEN(opens, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    YIELD(1);
FINALLY:
    AWAIT(thrum_sleep(SECONDS(1)));
    note('g');
    CHECK_EQ(thrum_all_tasks(NULL, 0), 2); /* this one, and the one that waits for it */
    ASYNC_END;
}

static ASYNC(remains, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(100)));
FINALLY:
    AWAIT(thrum_sleep(SECONDS(5)));
    note('t');
    ASYNC_END;
}

static ASYNC(leaves_open, ARGS_NONE, LOCALS(int item;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_iteration_open(&left_open, opens()), 0);
    AWAIT_INTO(self->item, thrum_iteration_next(&left_open));
    CHECK_EQ(thrum_spawn_detached(remains()), 0);
    AWAIT(thrum_yield());
    ASYNC_END;
}

/* 164: when the tasks have ended, and before the loop is closed. */
TEST(runner, closes_generators)
{
    thrum_runner_options options = sim_options();
    thrum_runner runner;
    log_begin();
    note_clear();
    CHECK_EQ(thrum_runner_init(&runner, &options), 0);
    CHECK_EQ(thrum_runner_run(&runner, leaves_open(), NULL), 0);
    CHECK_EQ(thrum_runner_close(&runner), 0);
    CHECK_STR(noted.text, "tg");
    CHECK_STR(logged, "");
}
