/* Deadlines around a block (asyncio's timeout) and around an await (wait_for). The number in a comment is the corner
 * point of asyncio's behaviour; a name is the asyncio test that the test stands for. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <sim.h>

static char trace[128];

static void put(const char *text)
{
    CHECK_LT(strlen(trace) + strlen(text), sizeof trace);
    strcat(trace, text);
}

static void end(thrum_task *task, int error, thrum_value value)
{
    thrum_value got = 0;
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, &got), error);
    CHECK_EQ(got, value);
    thrum_task_release(task);
}

static unsigned cancelling(void)
{
    return thrum_task_cancelling(thrum_current_task());
}

/* ---- one deadline ---- */

enum { SLEEP, YIELD, NOTHING, RAISE, OWN_ERROR, SWALLOW, CANCEL_ITSELF, RETURN };

static ASYNC(limited, ARGS((thrum_time, delay), (int, what)),
             LOCALS(thrum_deadline limit; int error; thrum_try attempt;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->limit, thrum_deadline_after(&self->limit, self->delay)) {
            CHECK(!thrum_deadline_expired(&self->limit));
            if (self->delay != THRUM_NEVER)
                CHECK_EQ(thrum_deadline_when(&self->limit), thrum_now() + self->delay);
            if (self->what == SLEEP)
                AWAIT(thrum_sleep(100));
            if (self->what == YIELD)
                AWAIT(thrum_yield());
            if (self->what == RAISE)
                ASYNC_RAISE(-5);
            if (self->what == OWN_ERROR || self->what == SWALLOW) {
                AWAIT_CATCH_ALL(self->error, thrum_sleep(100));
                CHECK_EQ(self->error, THRUM_ECANCELED);
                CHECK(thrum_deadline_expired(&self->limit));
                if (self->what == OWN_ERROR)
                    ASYNC_RAISE(-6);
            }
            if (self->what == CANCEL_ITSELF)
                ASYNC_RAISE(THRUM_ECANCELED);
            if (self->what == RETURN)
                ASYNC_RETURN(1000);
            put("b");
        }
        put("e");
    }
    CATCH (self->error, self->attempt) {
        CHECK_EQ(cancelling(), 0);
        ASYNC_RAISE(self->error);
    }
    CHECK_EQ(cancelling(), 0);
    ASYNC_RETURN(thrum_deadline_expired(&self->limit) ? 2 : 1);
    ASYNC_END;
}

static void check(thrum_time delay, int what, int error, thrum_value value, thrum_time time, const char *expected)
{
    thrum_value got = 0;
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(sim_run(limited(delay, what), &got), error);
    CHECK_EQ(got, value);
    CHECK_EQ(sim_time(), time);
    sim_finish();
    CHECK_EQ(sim_time(), time); /* no timer is left */
    sim_close();
    CHECK_STR(trace, expected);
}

TEST(timeouts, in_time_and_too_late)
{
    check(200, SLEEP, 0, 1, 100, "be");
    check(50, SLEEP, THRUM_ETIMEDOUT, 0, 50, "");
    check(THRUM_NEVER, SLEEP, 0, 1, 100, "be");
    check(50, RAISE, -5, 0, 0, "");
    check(50, RETURN, 0, 1000, 0, "");
    check(50, NOTHING, 0, 1, 0, "be");
}

/* 88, timeout_zero_sleep_zero: at 0 an await that suspends times out; code that does not suspend goes through. */
TEST(timeouts, at_zero)
{
    check(0, YIELD, THRUM_ETIMEDOUT, 0, 0, "");
    check(-10, YIELD, THRUM_ETIMEDOUT, 0, 0, "");
    check(0, SLEEP, THRUM_ETIMEDOUT, 0, 0, "");
    check(0, NOTHING, 0, 1, 0, "be");
    check(-10, NOTHING, 0, 1, 0, "be");
}

/* 89, 91, foreign_exception_on_timeout: an error of the body's own passes. A cancellation that the body swallows, to
 * end in the same step, gives none: expired() is true, and the task is clean.
 * foreign_cancel_doesnt_timeout_if_not_expired: a cancellation of another origin stays one. */
TEST(timeouts, other_errors)
{
    check(50, OWN_ERROR, -6, 0, 50, "");
    check(50, SWALLOW, 0, 2, 50, "be");
    check(50, CANCEL_ITSELF, THRUM_ECANCELED, 0, 0, "");
}

/* 91: the expired limit is found as the context of the body's own error. */
static ASYNC(reads_context, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, limited(50, OWN_ERROR));
    ASYNC_RETURN(thrum_error_last()->context);
    ASYNC_END;
}

TEST(timeouts, context_of_the_bodys_own_error)
{
#if THRUM_DETAILS
    thrum_value value = 0;
    trace[0] = '\0';
    CHECK_EQ(sim_run(reads_context(), &value), 0);
    CHECK_EQ(value, THRUM_ETIMEDOUT);
#else
    SKIP("errors carry no detail here");
#endif
}

/* 87: fires while the task does not suspend: it learns at its next suspension, or never. */
static ASYNC(busy, ARGS((bool, suspend)), LOCALS(thrum_deadline limit; thrum_future done; int i;))
{
    ASYNC_BEGIN;
    thrum_future_set_result(&self->done, 0);
    WITH (self->limit, thrum_deadline_at(&self->limit, sim_at(0))) {
        for (self->i = 0; self->i < 10; self->i++)
            AWAIT(&self->done);
        if (self->suspend)
            AWAIT(thrum_yield());
    }
    ASYNC_RETURN(4);
    ASYNC_END;
}

TEST(timeouts, code_that_does_not_suspend)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(busy(false), &value), 0);
    CHECK_EQ(value, 4);
    CHECK_EQ(sim_run(busy(true), &value), THRUM_ETIMEDOUT);
}

/* A wait with a limit; the task is clean afterwards. */
static ASYNC(waits_limited, ARGS((thrum_future *, future), (thrum_time, delay)), LOCALS(thrum_deadline limit;))
{
    ASYNC_BEGIN;
    WITH (self->limit, thrum_deadline_after(&self->limit, self->delay)) {
        AWAIT(self->future);
    }
    AWAIT(thrum_sleep(10));
    CHECK_EQ(cancelling(), 0);
    ASYNC_RETURN(thrum_deadline_expired(&self->limit));
    ASYNC_END;
}

static void complete(thrum_handle *handle)
{
    thrum_future_set_result((thrum_future *)handle->context, 0);
}

static void cancel(thrum_handle *handle)
{
    thrum_task_cancel((thrum_task *)handle->context);
}

/* 95: result and time-out in one pass: 37 says that the cancellation wins, and here it is the deadline's. */
TEST(timeouts, result_in_the_same_pass)
{
    thrum_future future = THRUM_FUTURE_INIT;
    thrum_handle handle = THRUM_HANDLE_INIT(complete, &future);
    sim_open();
    CHECK_EQ(thrum_call_at(sim_at(50), &handle), 0); /* before the deadline's timer */
    end(thrum_spawn(waits_limited(&future, 50)), THRUM_ETIMEDOUT, 0);
    thrum_future_init(&future);
    CHECK_EQ(thrum_call_at(sim_at(49), &handle), 0);
    sim_finish();
    sim_close();
}

/* 90: time-out and a cancellation from outside in one pass: the cancellation goes on. */
TEST(timeouts, cancelled_in_the_same_pass)
{
    for (int order = 0; order < 2; order++) {
        thrum_future future = THRUM_FUTURE_INIT;
        thrum_handle handle = THRUM_HANDLE_INIT(cancel, NULL);
        sim_open();
        thrum_task *task = thrum_spawn(waits_limited(&future, 50));
        handle.context = task;
        if (order)
            sim_pass();
        CHECK_EQ(thrum_call_at(sim_at(50), &handle), 0);
        CHECK_EQ(sim_until(task), 0);
        CHECK_EQ(thrum_task_cancelling(task), 1);
        end(task, THRUM_ECANCELED, 0);
        sim_close();
    }
}

/* 90: in the block there are two requests; one of them remains, and the limit has expired for all that. */
static ASYNC(counts_both, ARGS((thrum_future *, future)), LOCALS(thrum_deadline limit; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->limit, thrum_deadline_after(&self->limit, 50)) {
            AWAIT_CATCH_ALL(self->error, self->future);
            CHECK_EQ(cancelling(), 2);
            ASYNC_RAISE(self->error);
        }
    }
    CATCH_ALL (self->error, self->attempt) {
        CHECK_EQ(self->error, THRUM_ECANCELED);
        CHECK(thrum_deadline_expired(&self->limit));
        CHECK_EQ(cancelling(), 1);
        put("c");
        ASYNC_RAISE(self->error);
    }
    ASYNC_END;
}

TEST(timeouts, both_requests_are_counted)
{
    for (int order = 0; order < 2; order++) {
        thrum_future future = THRUM_FUTURE_INIT;
        thrum_handle handle = THRUM_HANDLE_INIT(cancel, NULL);
        trace[0] = '\0';
        sim_open();
        thrum_task *task = thrum_spawn(counts_both(&future));
        handle.context = task;
        if (order)
            sim_pass();
        CHECK_EQ(thrum_call_at(sim_at(50), &handle), 0);
        end(task, THRUM_ECANCELED, 0);
        CHECK_STR(trace, "c");
        sim_close();
    }
}

/* outer_task_is_not_cancelled: and the count is back at 0. */
static ASYNC(catches_timeout, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, limited(10, SLEEP));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    CHECK_EQ(cancelling(), 0);
    AWAIT(thrum_sleep(10));
    ASYNC_END;
}

TEST(timeouts, task_is_clean_afterwards)
{
    CHECK_EQ(sim_run(catches_timeout(), NULL), 0);
}

/* ---- nested ---- */

static unsigned outside; /* cancellations that came from outside */

static ASYNC(nested, ARGS((sim_delay, outer), (sim_delay, inner)),
             LOCALS(thrum_deadline out, in; thrum_try first, second; int error;))
{
    ASYNC_BEGIN;
    TRY (self->first) {
        WITH (self->out, thrum_deadline_at(&self->out, sim_at(self->outer))) {
            TRY (self->second) {
                WITH (self->in, thrum_deadline_at(&self->in, sim_at(self->inner))) {
                    AWAIT(thrum_sleep(100));
                }
            }
            CATCH_ALL (self->error, self->second) {
                put(self->error == THRUM_ETIMEDOUT ? "i" : "c");
                ASYNC_RAISE(self->error);
            }
        }
    }
    CATCH_ALL (self->error, self->first) {
        put(self->error == THRUM_ETIMEDOUT ? "o" : "C");
        put(thrum_deadline_expired(&self->in) ? "1" : "0");
        put(thrum_deadline_expired(&self->out) ? "1" : "0");
    }
    CHECK_EQ(cancelling(), outside);
    ASYNC_END;
}

static void check_nested(sim_delay outer, sim_delay inner, const char *expected)
{
    outside = 0;
    trace[0] = '\0';
    CHECK_EQ(sim_run(nested(outer, inner), NULL), 0);
    CHECK_STR(trace, expected);
}

/* 92, nested_timeouts_concurrent: both fire in one pass: the inner one lets the cancellation pass, the outer
 * converts. */
TEST(timeouts, nested)
{
    check_nested(50, 20, "io10");
    check_nested(20, 50, "co01");
    check_nested(20, 20, "co11");
    check_nested(200, 200, "");
}

/* nested_timeouts_loop_busy: both are past when the loop comes to look. */
static ASYNC(nested_late, ARGS_NONE, LOCALS(thrum_deadline out, in; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->out, thrum_deadline_at(&self->out, thrum_now() - 5))
            WITH (self->in, thrum_deadline_at(&self->in, thrum_now() - 10)) {
                AWAIT(thrum_sleep(100));
            }
    }
    CATCH (self->error, self->attempt) {
        CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    }
    CHECK(thrum_deadline_expired(&self->in));
    CHECK(thrum_deadline_expired(&self->out));
    CHECK_EQ(cancelling(), 0);
    ASYNC_RETURN(sim_time());
    ASYNC_END;
}

TEST(timeouts, nested_in_the_past)
{
    thrum_value value = 99;
    CHECK_EQ(sim_run(nested_late(), &value), 0);
    CHECK_EQ(value, 0);
}

/* 93, nested_timeout_in_finally, timeout_after_cancellation: in the clean-up of a cancelled task a limit still
 * converts, since it compares with the count at its entry. */
static ASYNC(limit_in_finally, ARGS_NONE, LOCALS(thrum_deadline limit; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(100)));
FINALLY:
    CHECK_EQ(cancelling(), 1);
    TRY (self->attempt) {
        WITH (self->limit, thrum_deadline_after(&self->limit, 10)) {
            AWAIT(thrum_sleep(20));
        }
    }
    CATCH (self->error, self->attempt) {
        CHECK_EQ(self->error, THRUM_ETIMEDOUT);
        put("t");
    }
    AWAIT_CATCH(self->error, thrum_timeout(10, thrum_sleep(20)));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    CHECK_EQ(cancelling(), 1);
    put("u");
    /* cancel_in_timeout_after_cancellation: one more from outside, inside of the limit, is no time-out */
    TRY (self->attempt) {
        WITH (self->limit, thrum_deadline_after(&self->limit, 10)) {
            thrum_task_cancel(thrum_current_task());
            AWAIT(thrum_sleep(20));
        }
    }
    CATCH_ALL (self->error, self->attempt) {
        CHECK_EQ(self->error, THRUM_ECANCELED);
        put("c");
    }
    CHECK(!thrum_deadline_expired(&self->limit));
    CHECK_EQ(cancelling(), 2);
    ASYNC_END;
}

TEST(timeouts, after_a_cancellation)
{
    trace[0] = '\0';
    sim_open();
    thrum_task *task = thrum_spawn(limit_in_finally());
    sim_pass();
    thrum_task_cancel(task);
    end(task, THRUM_ECANCELED, 0);
    CHECK_EQ(sim_time(), 20);
    CHECK_STR(trace, "tuc");
    sim_close();
}

/* ---- reschedule ---- */

static thrum_deadline *shared;

static ASYNC(moved, ARGS((thrum_time, first), (thrum_time, then)), LOCALS(thrum_deadline limit; int error;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_deadline_reschedule(&self->limit, 5), THRUM_ESTATE); /* not entered */
    CHECK(!thrum_deadline_expired(&self->limit));
    WITH (self->limit, thrum_deadline_after(&self->limit, self->first)) {
        shared = &self->limit;
        CHECK_EQ(thrum_deadline_reschedule(&self->limit, self->then), 0);
        CHECK_EQ(thrum_deadline_when(&self->limit), self->then);
        AWAIT_CATCH_ALL(self->error, thrum_sleep(100));
        if (self->error) {
            /* timeout_expiring: too late to move it */
            CHECK_EQ(thrum_deadline_reschedule(&self->limit, SECONDS(1)), THRUM_ESTATE);
            ASYNC_RAISE(self->error);
        }
    }
    CHECK_EQ(thrum_deadline_reschedule(&self->limit, 5), THRUM_ESTATE);
    ASYNC_RETURN(sim_time());
FINALLY:
    CHECK_EQ(thrum_deadline_reschedule(&self->limit, 5), THRUM_ESTATE);
    ASYNC_END;
}

static void check_moved(thrum_time first, thrum_time then, int error, thrum_time time)
{
    sim_open();
    CHECK_EQ(sim_run(moved(first, then), NULL), error);
    CHECK_EQ(sim_time(), time);
    sim_close();
}

TEST(timeouts, moved)
{
    check_moved(20, sim_at(200), 0, 100);
    check_moved(200, sim_at(20), THRUM_ETIMEDOUT, 20);
    check_moved(20, THRUM_NEVER, 0, 100);
    check_moved(THRUM_NEVER, sim_at(20), THRUM_ETIMEDOUT, 20);
    check_moved(20, sim_at(0), THRUM_ETIMEDOUT, 0); /* 94: to the past: in the next pass */
}

static void move(thrum_handle *handle)
{
    (void)handle;
    CHECK_EQ(thrum_deadline_reschedule(shared, sim_at(70)), 0);
}

/* 94: from a callback */
TEST(timeouts, moved_from_outside)
{
    thrum_handle handle = THRUM_HANDLE_INIT(move, NULL);
    sim_open();
    CHECK_EQ(thrum_call_at(sim_at(30), &handle), 0);
    CHECK_EQ(sim_run(moved(20, sim_at(50)), NULL), THRUM_ETIMEDOUT);
    CHECK_EQ(sim_time(), 70);
    sim_close();
}

static ASYNC(opened_twice, ARGS_NONE, LOCALS(thrum_deadline limit; int error;))
{
    ASYNC_BEGIN;
    WITH (self->limit, thrum_deadline_after(&self->limit, 10)) {
        AWAIT_CATCH(self->error, thrum_deadline_after(&self->limit, 10));
        CHECK_EQ(self->error, THRUM_ESTATE);
    }
    WITH (self->limit, thrum_deadline_after(&self->limit, 20)) { /* again, one after the other */
        AWAIT(thrum_sleep(15));
    }
    ASYNC_END;
}

TEST(timeouts, opened_twice)
{
    CHECK_EQ(sim_run(opened_twice(), NULL), 0);
}

/* Cancelled at every pass of a block with two limits: nothing is left behind, the frame's memory is not touched. */
TEST(timeouts, cancelled_at_every_pass)
{
    for (size_t passes = 0; passes < 12; passes++) {
        trace[0] = '\0';
        outside = 0;
        sim_open();
        thrum_task *task = thrum_spawn(nested(50, 20));
        while (sim.passes < passes && !thrum_task_done(task))
            CHECK_EQ(sim_step_(true), 0);
        outside = thrum_task_cancel(task);
        CHECK_EQ(sim_until(task), 0);
        thrum_task_release(task);
        sim_finish();
        sim_close();
    }
}
