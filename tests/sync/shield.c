/* Shield. The number in a comment is the corner point of asyncio's behaviour; a name is the asyncio test that the test
 * stands for. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "combine.h"

static ASYNC(of_task, ARGS((thrum_task *, inner), (int, error)), LOCALS(int caught; thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL_INTO(self->caught, self->value, thrum_shield(self->inner));
    CHECK_EQ(self->caught, self->error);
    put("!");
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(of_future, ARGS((thrum_future *, inner)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, thrum_shield(self->inner));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(of_new, ARGS((thrum_awaitable, inner)), LOCALS(thrum_value value;), ON_DROP(thrum_drop(self->inner);))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, thrum_shield(self->inner));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

/* shield_result, shield_exception; two passes, none for what is done. */
TEST(shield, gives_what_the_inner_one_gives)
{
    thrum_value value;
    begin();
    thrum_task *a = thrum_spawn(gives('a', 5)), *b = thrum_spawn(fails('b', 5, -5));
    thrum_task *first = thrum_spawn(of_task(a, 0)), *second = thrum_spawn(of_task(b, -5));
    CHECK_EQ(end_of(first, &value), 0);
    CHECK_EQ(value, 'a');
    CHECK_EQ(end_of(second, NULL), 0);
    first = thrum_spawn(of_task(a, 0));
    CHECK_EQ(passes_of(first), 1);
    CHECK_EQ(end_of(first, &value), 0);
    CHECK_EQ(value, 'a');
    first = thrum_spawn(of_task(b, -5));
    CHECK_EQ(passes_of(first), 1);
    CHECK_EQ(end_of(first, NULL), 0);
    thrum_task_release(a);
    thrum_task_release(b);

    thrum_future future = THRUM_FUTURE_INIT;
    first = thrum_spawn(of_future(&future));
    sim_settle();
    thrum_future_set_result(&future, 42);
    memset(&future, 0xee, sizeof future);
    CHECK_EQ(passes_of(first), 2);
    CHECK_EQ(end_of(first, &value), 0);
    CHECK_EQ(value, 42);
    CHECK_EQ(sim.reports, 0);
    sim_close();
}

#if THRUM_DETAILS
static ASYNC(with_detail, ARGS((thrum_task *, inner)), LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->caught, thrum_shield(self->inner));
    CHECK_EQ(thrum_error_last()->number, 'a');
    AWAIT_CATCH(self->caught, thrum_shield(fails('b', 1, -5)));
    CHECK_EQ(thrum_error_last()->number, 'b');
    ASYNC_END;
}

TEST(shield, detail_arrives)
{
    begin();
    thrum_task *inner = thrum_spawn(fails('a', 5, -5));
    CHECK_EQ(sim_run(with_detail(inner), NULL), 0);
    thrum_task_release(inner);
    sim_close();
}
#endif

/* shield_cancel_outer: the waiter leaves in the next pass, the inner one runs on. */
TEST(shield, outer_is_cancelled)
{
    begin();
    thrum_task *inner = thrum_spawn(gives('a', 5)), *outer = thrum_spawn(of_task(inner, THRUM_ECANCELED));
    sim_settle();
    CHECK(thrum_task_cancel(outer));
    CHECK_EQ(passes_of(outer), 1);
    CHECK_EQ(thrum_task_cancelling(inner), 0);
    thrum_task_release(outer);
    CHECK_EQ(end_of(inner, NULL), 0);
    CHECK_EQ(sim.reports, 0);
    sim_close();
    CHECK_STR(trace, "a!A");
}

/* shield_cancel_inner: the inner one is cancelled by somebody, and so the waiter. */
TEST(shield, inner_is_cancelled)
{
    thrum_future future = THRUM_FUTURE_INIT;
    begin();
    thrum_task *inner = thrum_spawn(gives('a', 5)), *outer = thrum_spawn(of_task(inner, THRUM_ECANCELED));
    thrum_task *other = thrum_spawn(of_future(&future));
    sim_settle();
    thrum_task_cancel(inner);
    thrum_future_cancel(&future);
    CHECK_EQ(passes_of(other), 2);
    CHECK_EQ(passes_of(outer), 1);
    CHECK_EQ(end_of(outer, NULL), 0);
    CHECK_EQ(end_of(other, NULL), THRUM_ECANCELED);
    thrum_task_release(inner);
    CHECK_EQ(sim.reports, 0);
    sim_close();
}

/* 114, shield_cancel_outer_exception, shield_duplicate_log_once: a future that fails when all its shields have been
 * cancelled is told of once. */
TEST(shield, future_fails_later_with_nobody_there)
{
    thrum_future future = THRUM_FUTURE_INIT, watched = THRUM_FUTURE_INIT, fine = THRUM_FUTURE_INIT;
    begin();
    for (int i = 0; i < 5; i++) {
        thrum_task *outer = thrum_spawn(of_future(&future)), *other = thrum_spawn(of_future(&watched));
        thrum_task *third = thrum_spawn(of_future(&fine));
        sim_settle();
        thrum_task_cancel(outer);
        thrum_task_cancel(other);
        thrum_task_cancel(third);
        CHECK_EQ(end_of(outer, NULL), THRUM_ECANCELED);
        CHECK_EQ(end_of(other, NULL), THRUM_ECANCELED);
        CHECK_EQ(end_of(third, NULL), THRUM_ECANCELED);
        CHECK_NULL(future.waiters.first); /* nothing is left there */
    }
    thrum_task *watcher = thrum_spawn(of_future(&watched));
    sim_settle();
    thrum_future_set_error(&future, -5);
    thrum_future_set_error(&watched, -6);
    thrum_future_set_result(&fine, 1);
    CHECK_EQ(end_of(watcher, NULL), -6);
    CHECK_EQ(sim.reports, 1);
    CHECK_STR(sim.notes[0].message, "error in a shielded future");
    CHECK_EQ(sim.notes[0].error, -5);
    sim_close();
}

/* The same of a task: told when nobody can look at it any more. */
TEST(shield, task_fails_later_with_nobody_there)
{
    begin();
    thrum_task *inner = thrum_spawn(fails('a', 5, -5)), *seen = thrum_spawn(fails('b', 5, -6));
    for (int i = 0; i < 5; i++) {
        thrum_task *outer = thrum_spawn(of_task(inner, THRUM_ECANCELED));
        thrum_task *other = thrum_spawn(of_task(seen, THRUM_ECANCELED));
        sim_settle();
        thrum_task_cancel(outer);
        thrum_task_cancel(other);
        CHECK_EQ(end_of(outer, NULL), 0);
        CHECK_EQ(end_of(other, NULL), 0);
    }
    CHECK_EQ(end_of(seen, NULL), -6); /* somebody looks */
    CHECK_EQ(sim_until(inner), 0);
    CHECK_EQ(sim.reports, 0);
    thrum_task_release(inner);
    CHECK_EQ(sim.reports, 1);
    CHECK_EQ(sim.notes[0].error, -5);
#if THRUM_DETAILS
    CHECK_STR(sim.notes[0].message, "error in a shielded task");
    CHECK_EQ(sim.notes[0].detail_code, -5);
#endif
    sim_close();
}

/* The inner one has failed, the waiter is cancelled before it learns of it. */
TEST(shield, outer_is_cancelled_when_the_inner_one_has_failed)
{
    for (int passes = 0; passes < 2; passes++) {
        thrum_future future = THRUM_FUTURE_INIT;
        begin();
        thrum_task *outer = thrum_spawn(of_future(&future));
        sim_settle();
        thrum_future_set_error(&future, -5);
        if (passes)
            sim_pass();
        thrum_task_cancel(outer);
        CHECK_EQ(passes_of(outer), 1);
        CHECK_EQ(end_of(outer, NULL), THRUM_ECANCELED);
        CHECK_EQ(sim.reports, 1);
        CHECK_EQ(sim.notes[0].error, -5);
        sim_close();
    }
}

/* What is adopted cannot outlive its waiter: the cancellation comes out at its end. */
TEST(shield, of_what_is_adopted)
{
    thrum_value value;
    begin();
    thrum_task *outer = thrum_spawn(of_new(gives('a', 5)));
    CHECK_EQ(end_of(outer, &value), 0);
    CHECK_EQ(value, 'a');
    outer = thrum_spawn(of_new(gives('b', 5)));
    sim_settle();
    CHECK(thrum_task_cancel(outer));
    CHECK(thrum_task_cancel(outer));
    CHECK_EQ(end_of(outer, NULL), THRUM_ECANCELED);
    CHECK_EQ(sim_time(), 10);
    CHECK_EQ(sim.reports, 0);
    outer = thrum_spawn(of_new(fails('c', 5, -5)));
    sim_settle();
    CHECK(thrum_task_cancel(outer));
    CHECK_EQ(end_of(outer, NULL), THRUM_ECANCELED);
    CHECK_EQ(sim.reports, 1); /* an error that nobody would learn of */
    sim_close();
    CHECK_STR(trace, "aAbBcC");
}

static ASYNC(in_time, ARGS((thrum_task *, inner)), LOCALS(int error; int tries;))
{
    ASYNC_BEGIN;
    for (self->tries = 0;; self->tries++) {
        AWAIT_CATCH(self->error, thrum_timeout(10, thrum_shield(self->inner)));
        if (!self->error)
            break;
        CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    }
    CHECK_EQ(self->tries, 4);
    ASYNC_END;
}

/* 99, shielded_timeout: how one waits for a time without ending what one waits for. */
TEST(shield, in_a_timeout)
{
    begin();
    thrum_task *inner = thrum_spawn(gives('a', 45));
    CHECK_EQ(sim_run(in_time(inner), NULL), 0);
    thrum_task_release(inner);
    sim_close();
}

static ASYNC(gathers, ARGS((thrum_future *, a), (thrum_future *, b), (bool, shield_all)), LOCALS(thrum_value got[2];))
{
    ASYNC_BEGIN;
    if (self->shield_all)
        AWAIT(thrum_shield(thrum_gather(self->got, self->a, self->b)));
    else
        AWAIT(thrum_gather(self->got, thrum_shield(self->a), thrum_shield(self->b)));
    CHECK_EQ(self->got[0], 1);
    CHECK_EQ(self->got[1], 2);
    ASYNC_END;
}

/* gather_shield, shield_gather: a gather of shields can be left; a shield of a gather keeps that, and its waiter. */
TEST(shield, with_gather)
{
    for (int shield_all = 0; shield_all < 2; shield_all++) {
        thrum_future a = THRUM_FUTURE_INIT, b = THRUM_FUTURE_INIT;
        begin();
        thrum_task *task = thrum_spawn(gathers(&a, &b, shield_all));
        sim_settle();
        thrum_task_cancel(task);
        sim_settle();
        CHECK_EQ(thrum_task_done(task), !shield_all);
        CHECK(!thrum_future_done(&a));
        thrum_future_set_result(&a, 1);
        thrum_future_set_result(&b, 2);
        CHECK_EQ(end_of(task, NULL), THRUM_ECANCELED);
        sim_close();
    }
}

static ASYNC(itself, ARGS_NONE, LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->caught, thrum_shield(thrum_current_task()));
    CHECK_EQ(self->caught, THRUM_ESTATE);
    ASYNC_END;
}

TEST(shield, of_itself)
{
    begin();
    CHECK_EQ(sim_run(itself(), NULL), 0);
    thrum_drop(thrum_shield(gives('a', 1)));
    sim_close();
    CHECK_STR(trace, "-a");
}

static ASYNC(everything, ARGS_NONE, LOCALS(thrum_task *task;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(gives('t', 5));
    if (!self->task)
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(thrum_shield(self->task));
    AWAIT(thrum_shield(thrum_sleep(1)));
    AWAIT(thrum_shield(gives('a', 1)));
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

TEST(shield, nth_allocation_fails)
{
    CHECK_GT(every_allocation_fails(everything, 0), 5);
}
