/* One run in virtual time, and what it finds wrong. */
#include <errno.h>

#include "support.h"

static ASYNC(give, ARGS((int, error), (int, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(86400)));
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static thrum_awaitable give_seven(void *context)
{
    (void)context;
    return give(0, 7);
}

TEST(testing_runs, give_the_outcome)
{
    thrum_test_result result;
    CHECK_EQ(thrum_test_run(give(0, 7), NULL), 0);
    CHECK_EQ(thrum_test_run(give(THRUM_EAPP(3), 0), NULL), THRUM_EAPP(3));
    CHECK_EQ(thrum_test_run_program(give_seven, NULL, NULL, &result), 0);
    CHECK_EQ(result.value, 7);
    CHECK_EQ(result.duration, SECONDS(86400));
    CHECK_EQ(result.failures, 0);
    CHECK_EQ(result.suspensions, 1);
    CHECK_EQ(result.steps, 2);
    CHECK_GE(result.allocations, 2);
    CHECK(!result.deadlock);
    CHECK(!result.injected);
}

TEST(testing_runs, refuse_what_makes_no_sense)
{
    thrum_test_options options = {0};
    CHECK_EQ(thrum_test_run(give(0, 0), &options), THRUM_EINVAL);
    options.size = sizeof options + 1;
    CHECK_EQ(thrum_test_run(give(0, 0), &options), THRUM_EINVAL);
    options.size = sizeof options;
    options.injection = THRUM_TEST_FAIL_ALLOCATION;
    CHECK_EQ(thrum_test_run(give(0, 0), &options), THRUM_EINVAL);
    options.injection = THRUM_TEST_NOTHING;
    options.seed = 1;
    options.backend = THRUM_BACKEND_LIBEV;
    CHECK_EQ(thrum_test_run(give(0, 0), &options), THRUM_EINVAL);
    CHECK_EQ(thrum_test_run_program(NULL, NULL, NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_explore(NULL, NULL, NULL, NULL), THRUM_EINVAL);
}

static ASYNC(run_inside, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_run(give(0, 0), NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_test_run_program(give_seven, NULL, NULL, NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_test_explore(give_seven, NULL, NULL, NULL), THRUM_ESTATE);
    ASYNC_END;
}

TEST(testing_runs, need_a_thread_without_a_loop)
{
    CHECK_EQ(thrum_test_run(run_inside(), NULL), 0);
}

/* ---- what goes wrong ---- */

static ASYNC(wait_for_ever, ARGS((thrum_event *, event)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_event_wait(self->event));
    ASYNC_END;
}

TEST(testing_runs, tell_a_deadlock_with_its_tasks)
{
    told text = {.used = 0};
    const thrum_test_options options = {.size = sizeof options, .put = told_put, .context = &text};
    thrum_event event = THRUM_EVENT_INIT;
    CHECK_EQ(thrum_test_run(wait_for_ever(&event), &options), THRUM_ESTATE);
    CHECK_TOLD(text, "deadlock");
    CHECK_TOLD(text, "wait_for_ever");
    CHECK_TOLD(text, "event");
    CHECK_TOLD(text, "runs.c");
}

static ASYNC(tick_for_ever, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (;;)
        AWAIT(thrum_sleep(SECONDS(1)));
    ASYNC_END;
}

TEST(testing_runs, give_up_what_does_not_end)
{
    told text = {.used = 0};
    thrum_test_options options = {.size = sizeof options, .put = told_put, .context = &text, .most_passes = 1000};
    CHECK_EQ(thrum_test_run(tick_for_ever(), &options), THRUM_ESTATE);
    CHECK_TOLD(text, "does not come to an end");
    CHECK_TOLD(text, "tick_for_ever");
    memset(&text, 0, sizeof text);
    options.most_passes = 0;
    options.most_time = SECONDS(100);
    CHECK_EQ(thrum_test_run(tick_for_ever(), &options), THRUM_ESTATE);
    CHECK_TOLD(text, "100");
}

static ASYNC(leave_a_task, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    (void)thrum_spawn_detached(self->error ? give(self->error, 0) : tick_for_ever());
    AWAIT(thrum_sleep(self->error ? SECONDS(100000) : SECONDS(5)));
    ASYNC_END;
}

TEST(testing_runs, tell_tasks_that_are_left)
{
    told text = {.used = 0};
    thrum_test_options options = {.size = sizeof options, .put = told_put, .context = &text};
    CHECK_EQ(thrum_test_run(leave_a_task(0), &options), 0); /* as asyncio.run: it is cancelled */
    options.no_tasks_left = true;
    CHECK_EQ(thrum_test_run(leave_a_task(0), &options), THRUM_ESTATE);
    CHECK_TOLD(text, "1 tasks run still");
    CHECK_TOLD(text, "tick_for_ever");
}

TEST(testing_runs, tell_errors_that_nobody_saw)
{
    told text = {.used = 0};
    thrum_test_options options = {.size = sizeof options, .put = told_put, .context = &text};
    CHECK_EQ(thrum_test_run(leave_a_task(-EIO), &options), THRUM_ESTATE);
    CHECK_TOLD(text, "never retrieved (EIO)");
    options.errors_may_be_reported = true;
    CHECK_EQ(thrum_test_run(leave_a_task(-EIO), &options), 0);
}

static ASYNC(leak, ARGS((thrum_stream **, kept)), LOCALS(thrum_stream *other;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_stream_pair(self->kept, &self->other, NULL), 0);
    thrum_stream_release(self->other);
    ASYNC_END;
}

TEST(testing_runs, tell_blocks_that_are_left)
{
    told text = {.used = 0};
    const thrum_test_options options = {.size = sizeof options, .put = told_put, .context = &text};
    thrum_stream *kept;
    thrum_pool_stats stats;
    char left[80];
    CHECK_EQ(thrum_test_run(leak(&kept), &options), THRUM_ESTATE);
    thrum_pool_stats_get(&stats);
    CHECK_GE(stats.blocks, 1); /* what a stream consists of */
    snprintf(left, sizeof left, "%zu blocks of the pool, %zu bytes, are in use still", stats.blocks, stats.used);
    CHECK_TOLD(text, left);
    thrum_stream_release(kept);
    CHECK_EQ(thrum_test_run(give(0, 0), NULL), 0);
}

static ASYNC(forget_to_await, ARGS_NONE, LOCALS(thrum_awaitable lost;))
{
    ASYNC_BEGIN;
    self->lost = give(0, 0);
    ASYNC_END;
}

TEST(testing_runs, tell_what_was_never_awaited)
{
    told text = {.used = 0};
    const thrum_test_options options = {.size = sizeof options, .put = told_put, .context = &text};
    CHECK_EQ(thrum_test_run(forget_to_await(), &options), THRUM_ESTATE);
    CHECK_TOLD(text, "never awaited");
    CHECK_TOLD(text, "give");
}

/* ---- the ways to lead it astray ---- */

static ASYNC(two_waits, ARGS_NONE, LOCALS(int passed;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1)));
    self->passed = 1;
    AWAIT(thrum_sleep(SECONDS(1)));
    self->passed = 2;
FINALLY:
    AWAIT(thrum_sleep(SECONDS(10) * (self->passed + 1)));
    ASYNC_END;
}

static thrum_awaitable two_waits_program(void *context)
{
    (void)context;
    return two_waits();
}

TEST(testing_runs, cancel_where_they_are_told)
{
    static const struct {
        thrum_test_injection injection;
        size_t at;
        int error;
        thrum_time duration;
    } cases[] = {
        {THRUM_TEST_NOTHING, 0, 0, SECONDS(32)},
        {THRUM_TEST_CANCEL_WAITING, 1, THRUM_ECANCELED, SECONDS(10)},
        {THRUM_TEST_CANCEL_WAITING, 2, THRUM_ECANCELED, SECONDS(21)},
        {THRUM_TEST_CANCEL_WAITING, 3, THRUM_ECANCELED, SECONDS(2)}, /* in FINALLY */
        {THRUM_TEST_CANCEL_WAITING, 4, 0, SECONDS(32)},              /* there is none */
        {THRUM_TEST_CANCEL_WOKEN, 1, THRUM_ECANCELED, 0},            /* it never began */
        {THRUM_TEST_CANCEL_WOKEN, 2, THRUM_ECANCELED, SECONDS(11)},
        {THRUM_TEST_CANCEL_WOKEN, 3, THRUM_ECANCELED, SECONDS(22)},
        {THRUM_TEST_CANCEL_WOKEN, 4, THRUM_ECANCELED, SECONDS(32)},
        {THRUM_TEST_CANCEL_WOKEN, 5, 0, SECONDS(32)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const thrum_test_options options = {.size = sizeof options, .injection = cases[i].injection, .at = cases[i].at};
        thrum_test_result result;
        CHECK_EQ(thrum_test_run_program(two_waits_program, NULL, &options, &result), cases[i].error);
        CHECK_EQ(result.duration, cases[i].duration);
        CHECK_EQ(result.injected, cases[i].injection && (cases[i].error || cases[i].duration != SECONDS(32)));
        CHECK_EQ(result.failures, 0);
    }
}

/* Whichever block is refused, every program comes to THRUM_ENOMEM, and none of what was taken stays: in the runner,
 * too, where the program is made already. */
TEST(testing_runs, refuse_blocks)
{
    thrum_test_options options = {.size = sizeof options, .injection = THRUM_TEST_FAIL_ALLOCATION};
    thrum_test_result result = {.injected = true};
    size_t failed = 0;
    for (options.at = 1; result.injected; options.at++) {
        int error = thrum_test_run_program(give_seven, NULL, &options, &result);
        CHECK_EQ(result.failures, 0);
        CHECK(error == 0 || error == THRUM_ENOMEM);
        failed += error != 0;
    }
    CHECK_GE(failed, 4);
}

/* ---- real time ---- */

static ASYNC(greet, ARGS((thrum_stream *, client), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_write(self->client, "hi", 2));
    ASYNC_END;
}

static ASYNC(over_a_socket, ARGS_NONE, LOCALS(thrum_server *server; thrum_stream * stream; char text[2]; char port[8];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(greet, NULL, "127.0.0.1", "0"));
    (void)snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(self->stream, thrum_open_connection("127.0.0.1", self->port));
    AWAIT(thrum_stream_read_exactly(self->stream, self->text, 2));
    CHECK_MEM(self->text, "hi", 2);
FINALLY:
    thrum_stream_release(self->stream);
    thrum_server_close(self->server);
    thrum_server_release(self->server);
    ASYNC_END;
}

TEST(testing_runs, also_go_with_sockets)
{
    const thrum_test_options options = {.size = sizeof options, .backend = THRUM_BACKEND_LIBEV};
    CHECK_EQ(thrum_test_run(over_a_socket(), &options), 0);
}

/* ---- awaits that complete at once ---- */

static thrum_lock free_lock;

/* The mistake: the lock is taken at once, and who is cancelled before the TRY does not give it back. */
static ASYNC(take_and_give, ARGS((void *, context)), LOCALS(thrum_event set;))
{
    ASYNC_BEGIN;
    thrum_event_init(&self->set);
    thrum_event_set(&self->set);
    AWAIT(thrum_lock_acquire(&free_lock));
    AWAIT(&self->set);
    AWAIT(&self->set);
    thrum_lock_release(&free_lock);
    ASYNC_END;
}

static thrum_awaitable with_free_lock(void *context)
{
    thrum_lock_init(&free_lock);
    return take_and_give(context);
}

static int lock_is_free(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    (void)context, (void)run, (void)result;
    return thrum_lock_locked(&free_lock);
}

TEST(testing_runs, have_a_place_at_every_await_when_told)
{
    static told said;
    thrum_test_options run = {.size = sizeof run, .put = told_put, .context = &said};
    thrum_test_explore_options options = {.size = sizeof options, .run = &run, .check = lock_is_free, .no_seeds = true};
    thrum_test_explored explored;
    thrum_test_result result;
    options.no_allocations = true;
    CHECK_EQ(thrum_test_run_program(with_free_lock, NULL, &run, &result), 0);
    CHECK_EQ(result.suspensions, 0);
    CHECK_EQ(result.steps, 1);
    CHECK_EQ(thrum_test_explore(with_free_lock, NULL, &options, &explored), 0);
    CHECK_EQ(explored.waiting, 0);
    run.every_await = true;
    CHECK_EQ(thrum_test_run_program(with_free_lock, NULL, &run, &result), 0);
    CHECK_EQ(result.suspensions, 3);
    CHECK_EQ(result.steps, 4);
    /* Where it suspends behind the acquire a cancelled one gives the lock back by itself, or has it: never half. */
    CHECK_GT(thrum_test_explore(with_free_lock, NULL, &options, &explored), 0);
    CHECK_EQ(explored.waiting, 3);
    CHECK_EQ(explored.woken, 4);
    CHECK_TOLD(said, "waiting=2");
}

/* So has what begins eagerly, in its first step. */
TEST(testing_runs, have_a_place_at_every_await_of_an_eager_step)
{
    thrum_test_options run = {.size = sizeof run, .eager = true};
    thrum_test_result result;
    CHECK_EQ(thrum_test_run_program(with_free_lock, NULL, &run, &result), 0);
    CHECK_EQ(result.suspensions, 0);
    run.every_await = true;
    CHECK_EQ(thrum_test_run_program(with_free_lock, NULL, &run, &result), 0);
    CHECK_EQ(result.suspensions, 3);
    CHECK_EQ(result.steps, 4);
    run.injection = THRUM_TEST_CANCEL_WAITING;
    run.at = 1; /* while it waits behind the acquire, in its first step */
    CHECK_EQ(thrum_test_run_program(with_free_lock, NULL, &run, &result), THRUM_ECANCELED);
    CHECK(result.injected);
}
