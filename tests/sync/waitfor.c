/* thrum_timeout, asyncio's wait_for. The number in a comment is the corner point of asyncio's behaviour; a name is the
 * asyncio test that the test stands for. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <sim.h>

static int began, cleaned;

/* Sleeps, and when it is cancelled does what it is told. */
enum { PASS_ON, CLEAN_LONG, GIVE, FAIL_OTHERWISE, GO_ON };

static ASYNC(work, ARGS((thrum_time, delay), (int, when_cancelled)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    began++;
    AWAIT_CATCH_ALL(self->error, thrum_sleep(self->delay));
    if (self->error) {
        if (self->when_cancelled == GIVE)
            ASYNC_RETURN(77);
        if (self->when_cancelled == FAIL_OTHERWISE)
            ASYNC_RAISE(-9);
        if (self->when_cancelled == GO_ON)
            AWAIT(thrum_sleep(30));
        else
            ASYNC_RAISE(self->error);
    }
    ASYNC_RETURN(7);
FINALLY:
    if (self->when_cancelled == CLEAN_LONG)
        AWAIT(thrum_sleep(1000));
    cleaned++;
    ASYNC_END;
}

static ASYNC(wait_for_task, ARGS((thrum_time, delay), (thrum_task *, task)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, thrum_timeout(self->delay, thrum_task_wait(self->task)));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(wait_for_future, ARGS((thrum_time, delay), (thrum_future *, future)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, thrum_timeout(self->delay, thrum_future_wait(self->future)));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static void check(thrum_awaitable what, int error, thrum_value value, thrum_time time)
{
    thrum_value got = 0;
    sim_open();
    thrum_task *task = thrum_spawn(what);
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, &got), error);
    CHECK_EQ(got, value);
    CHECK_EQ(sim_time(), time);
    CHECK_EQ(thrum_task_cancelling(task), 0);
    thrum_task_release(task);
    sim_finish();
    CHECK_EQ(sim_time(), time);
    sim_close();
}

TEST(waitfor, in_time)
{
    check(thrum_timeout(20, work(10, PASS_ON)), 0, 7, 10);
    check(thrum_timeout(THRUM_NEVER, work(10, PASS_ON)), 0, 7, 10);
    check(thrum_timeout(20, thrum_sleep(10)), 0, 0, 10);
    check(thrum_timeout_at(sim_at(20), work(10, PASS_ON)), 0, 7, 10);
    check(thrum_timeout_at(THRUM_NEVER, work(10, PASS_ON)), 0, 7, 10);
    check(thrum_timeout(30, thrum_timeout(20, work(10, PASS_ON))), 0, 7, 10);
}

TEST(waitfor, too_late)
{
    check(thrum_timeout(20, work(50, PASS_ON)), THRUM_ETIMEDOUT, 0, 20);
    check(thrum_timeout(20, thrum_sleep(50)), THRUM_ETIMEDOUT, 0, 20);
    check(thrum_timeout_at(sim_at(20), work(50, PASS_ON)), THRUM_ETIMEDOUT, 0, 20);
    check(thrum_timeout(20, thrum_timeout(50, work(100, PASS_ON))), THRUM_ETIMEDOUT, 0, 20);
    check(thrum_timeout(50, thrum_timeout(20, work(100, PASS_ON))), THRUM_ETIMEDOUT, 0, 20);
    check(thrum_timeout(20, thrum_timeout(20, work(100, PASS_ON))), THRUM_ETIMEDOUT, 0, 20);
}

/* 97, wait_for_waits_for_task_cancellation: however long its clean-up takes. */
TEST(waitfor, clean_up_is_awaited)
{
    cleaned = 0;
    check(thrum_timeout(20, work(50, CLEAN_LONG)), THRUM_ETIMEDOUT, 0, 1020);
    CHECK_EQ(cleaned, 1);
}

/* wait_for_cancellation_race_condition: what it was given suppresses the cancellation and gives a value. */
TEST(waitfor, cancellation_suppressed)
{
    check(thrum_timeout(20, work(50, GIVE)), 0, 77, 20);
    check(thrum_timeout(20, work(50, GO_ON)), 0, 7, 50);
}

/* 98, wait_for_reraises_exception_during_cancellation */
TEST(waitfor, error_of_the_clean_up)
{
    check(thrum_timeout(20, work(50, FAIL_OTHERWISE)), -9, 0, 20);
}

/* wait_for_timeout_less_then_0_or_0_coroutine_do_not_started */
TEST(waitfor, at_zero_nothing_begins)
{
    began = cleaned = 0;
    check(thrum_timeout(0, work(50, PASS_ON)), THRUM_ETIMEDOUT, 0, 0);
    check(thrum_timeout(-2, work(50, PASS_ON)), THRUM_ETIMEDOUT, 0, 0);
    check(thrum_timeout_at(sim_at(0), work(50, PASS_ON)), THRUM_ETIMEDOUT, 0, 0);
    check(thrum_timeout(0, thrum_sleep(5)), THRUM_ETIMEDOUT, 0, 0);
    CHECK_EQ(began, 0);
    CHECK_EQ(cleaned, 0);
}

/* At 0 a future or task that is done gives its result; one that is not is cancelled. */
TEST(waitfor, at_zero_what_is_done)
{
    thrum_future future = THRUM_FUTURE_INIT;
    thrum_future_set_result(&future, 6);
    check(wait_for_future(0, &future), 0, 6, 0);
    thrum_future_init(&future);
    check(wait_for_future(0, &future), THRUM_ETIMEDOUT, 0, 0);
    CHECK(thrum_future_cancelled(&future));
    sim_open();
    thrum_task *task = thrum_spawn(work(0, PASS_ON));
    CHECK_EQ(sim_until(task), 0);
    thrum_value value = 0;
    CHECK_EQ(sim_run(wait_for_task(0, task), &value), 0);
    CHECK_EQ(value, 7);
    thrum_task_release(task);
    began = cleaned = 0;
    task = thrum_spawn(work(50, CLEAN_LONG));
    sim_pass();
    CHECK_EQ(sim_run(wait_for_task(-2, task), &value), THRUM_ETIMEDOUT);
    CHECK(thrum_task_cancelled(task)); /* and it was waited for */
    CHECK_EQ(cleaned, 1);
    thrum_task_release(task);
    task = thrum_spawn(work(50, GIVE));
    sim_pass();
    CHECK_EQ(sim_run(wait_for_task(0, task), &value), 0); /* it still gave a result */
    CHECK_EQ(value, 77);
    thrum_task_release(task);
    sim_close();
}

/* A task or a future that is given is cancelled when the time is up. */
TEST(waitfor, task_and_future_are_cancelled)
{
    thrum_future future = THRUM_FUTURE_INIT;
    check(wait_for_future(20, &future), THRUM_ETIMEDOUT, 0, 20);
    CHECK(thrum_future_cancelled(&future));
    sim_open();
    thrum_task *task = thrum_spawn(work(50, PASS_ON));
    CHECK_EQ(sim_run(wait_for_task(20, task), NULL), THRUM_ETIMEDOUT);
    CHECK(thrum_task_cancelled(task));
    CHECK_EQ(sim_time(), 20);
    thrum_task_release(task);
    sim_close();
}

/* The error of what was given, with its code. */
static ASYNC(fails, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

TEST(waitfor, errors_pass)
{
    check(thrum_timeout(20, fails(-5)), -5, 0, 0);
    check(thrum_timeout(20, fails(THRUM_ETIMEDOUT)), THRUM_ETIMEDOUT, 0, 0);
    check(thrum_timeout(20, fails(THRUM_ECANCELED)), THRUM_ECANCELED, 0, 0);
    check(thrum_timeout(20, thrum_awaitable_failing(THRUM_ENOMEM)), THRUM_ENOMEM, 0, 0);
}

/* 96, wait_for_issue86296: the caller is cancelled in the pass in which the task ends: cancelled, never swallowed. */
TEST(waitfor, caller_cancelled_when_the_task_ends)
{
    int both = 0;
    for (int passes = 0; passes < 6; passes++) {
        sim_open();
        thrum_task *task = thrum_spawn(work(0, PASS_ON)), *caller = thrum_spawn(wait_for_task(20, task));
        for (int i = 0; i < passes; i++)
            sim_pass();
        bool ended = thrum_task_done(task), early = thrum_task_cancel(caller);
        CHECK_EQ(sim_until(caller), 0);
        CHECK_EQ(thrum_task_cancelled(caller), early);
        both += ended && early;
        if (early)
            CHECK_EQ(thrum_task_cancelling(caller), 1);
        CHECK_EQ(sim_until(task), 0);
        thrum_value value = 0;
        if (ended) { /* it keeps its result for others */
            CHECK_EQ(thrum_task_result(task, &value), 0);
            CHECK_EQ(value, 7);
        }
        thrum_task_release(task);
        thrum_task_release(caller);
        sim_finish();
        CHECK_EQ(sim_time(), 0);
        sim_close();
    }
    CHECK_GT(both, 0); /* it was tried */
}

/* Cancelling the caller cancels what it was given, and waits for it; the limit still holds, also for the clean-up. */
TEST(waitfor, caller_cancelled)
{
    for (thrum_time limit = 20; limit <= 2000; limit += 1980) {
        sim_open();
        cleaned = 0;
        thrum_task *caller = thrum_spawn(thrum_timeout(limit, work(50, CLEAN_LONG)));
        sim_pass();
        thrum_task_cancel(caller);
        CHECK_EQ(sim_until(caller), 0);
        CHECK_EQ(cleaned, limit == 2000);
        CHECK_EQ(sim_time(), limit == 2000 ? 1000 : 20);
        CHECK(thrum_task_cancelled(caller));
        CHECK_EQ(thrum_task_cancelling(caller), 1);
        thrum_task_release(caller);
        sim_finish();
        sim_close();
    }
}

/* cancel_blocking_wait_for, cancel_wait_for: the task that it waits for is cancelled, too, with and without limit. */
TEST(waitfor, caller_cancelled_and_so_the_task)
{
    const thrum_time limits[] = {THRUM_NEVER, SECONDS(60)};
    for (int i = 0; i < 2; i++) {
        sim_open();
        thrum_task *task = thrum_spawn(work(SECONDS(3600), PASS_ON));
        thrum_task *caller = thrum_spawn(wait_for_task(limits[i], task));
        sim_pass();
        sim_pass();
        thrum_task_cancel(caller);
        CHECK_EQ(sim_until(caller), 0);
        CHECK(thrum_task_cancelled(caller));
        CHECK(thrum_task_cancelled(task));
        thrum_task_release(caller);
        thrum_task_release(task);
        CHECK_EQ(sim_time(), 0);
        sim_close();
    }
}

/* wait_for_race_condition: the result that comes just in time is not lost. */
static void complete(thrum_handle *handle)
{
    thrum_future_set_result((thrum_future *)handle->context, 5);
}

TEST(waitfor, result_just_in_time)
{
    thrum_future future = THRUM_FUTURE_INIT;
    thrum_handle handle = THRUM_HANDLE_INIT(complete, &future);
    sim_open();
    CHECK_EQ(thrum_call_at(sim_at(19), &handle), 0);
    thrum_value value = 0;
    CHECK_EQ(sim_run(wait_for_future(20, &future), &value), 0);
    CHECK_EQ(value, 5);
    sim_finish();
    sim_close();
}

/* Passes: a limit adds none. */
TEST(waitfor, passes)
{
    thrum_future future = THRUM_FUTURE_INIT;
    sim_open();
    thrum_task *task = thrum_spawn(wait_for_future(20, &future));
    CHECK_EQ(sim_settle(), 1);
    thrum_future_set_result(&future, 1);
    CHECK_EQ(sim_settle(), 1);
    CHECK(thrum_task_done(task));
    thrum_task_release(task);
    sim_close();
}

/* Cancelled at every pass, with what it was given at work: nothing is left behind. */
TEST(waitfor, cancelled_at_every_pass)
{
    for (size_t passes = 0; passes < 12; passes++)
        for (int how = PASS_ON; how <= GO_ON; how++) {
            sim_open();
            thrum_task *task = thrum_spawn(thrum_timeout(20, thrum_timeout(15, work(30, how))));
            while (sim.passes < passes && !thrum_task_done(task))
                CHECK_EQ(sim_step_(true), 0);
            thrum_task_cancel(task);
            CHECK_EQ(sim_until(task), 0);
            thrum_task_release(task);
            sim_finish();
            sim_close();
        }
}
