/* Cancellation of tasks. The number in a comment is the corner point of asyncio's behaviour; a name is the asyncio test
 * that the test stands for. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <sim.h>

static char trace[128];

static void put(const char *text)
{
    CHECK_LT(strlen(trace) + strlen(text), sizeof trace);
    strcat(trace, text);
}

static ASYNC(waits_for, ARGS((thrum_future *, future)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, self->future);
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(waits_for_task, ARGS((thrum_task *, task), (const char *, name)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, self->task);
    ASYNC_RETURN(self->value);
FINALLY:
    put(self->name);
    ASYNC_END;
}

static void end(thrum_task *task, int error, thrum_value value)
{
    thrum_value got = 0;
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, &got), error);
    CHECK_EQ(got, value);
    CHECK_EQ(thrum_task_cancelled(task), error == THRUM_ECANCELED);
    thrum_task_release(task);
}

/* 34, cancel_with_message_before_starting_task: no statement of the body runs. */
static ASYNC(never_runs, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    FAIL("began");
FINALLY:
    FAIL("cleaned up");
    ASYNC_END;
}

TEST(cancelling, before_the_first_step)
{
    sim_open();
    thrum_task *task = thrum_spawn(never_runs());
    CHECK(thrum_task_cancel_with(task, "not today"));
    CHECK(!thrum_task_done(task));
    CHECK_EQ(thrum_task_cancelling(task), 1);
    CHECK_EQ(sim_settle(), 1);
    CHECK(thrum_task_done(task));
#if THRUM_DETAILS
    CHECK_NOT_NULL(thrum_task_error(task));
    CHECK_STR(thrum_task_error(task)->text, "not today");
#endif
    CHECK(!thrum_task_cancel(task));
    end(task, THRUM_ECANCELED, 0);
    sim_close();
}

/* cancel_yield: delivered at a bare yield, in the pass in which the task would have gone on. */
static ASYNC(yields, ARGS_NONE, LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 10; self->i++) {
        put("y");
        AWAIT(thrum_yield());
    }
    ASYNC_END;
}

TEST(cancelling, at_a_yield)
{
    trace[0] = '\0';
    sim_open();
    thrum_task *task = thrum_spawn(yields());
    sim_pass();
    sim_pass();
    CHECK(thrum_task_cancel(task));
    sim_pass();
    CHECK(thrum_task_cancelled(task));
    CHECK_STR(trace, "yy");
    end(task, THRUM_ECANCELED, 0);
    sim_close();
}

/* sleep_cancel: the timer is gone, nothing is left to wait for. */
TEST(cancelling, a_sleep)
{
    sim_open();
    thrum_task *task = thrum_spawn(thrum_sleep(SECONDS(1000)));
    sim_pass();
    CHECK(thrum_task_cancel(task));
    CHECK_EQ(sim_settle(), 1);
    end(task, THRUM_ECANCELED, 0);
    CHECK_EQ(sim_time(), 0);
    CHECK_EQ(sim_step_(true), SIM_DEADLOCK);
    sim_close();
}

/* 35, cancel_inner_future: the future is cancelled; the task sees it one pass later; so does whoever else waits. */
TEST(cancelling, reaches_the_future)
{
    thrum_future future = THRUM_FUTURE_INIT;
    sim_open();
    thrum_task *one = thrum_spawn(waits_for(&future)), *two = thrum_spawn(waits_for(&future));
    sim_pass();
    CHECK(thrum_task_cancel(one));
    CHECK(thrum_future_cancelled(&future));
    CHECK(!thrum_task_done(one));
    sim_pass();
    CHECK(thrum_task_cancelled(one));
    CHECK(thrum_task_cancelled(two));
    CHECK_EQ(thrum_task_cancelling(two), 0);
    end(one, THRUM_ECANCELED, 0);
    end(two, THRUM_ECANCELED, 0);
    sim_close();
}

/* 36, cancel_awaited_task: through a chain of tasks, one pass apart each, the innermost first. */
TEST(cancelling, a_chain_of_tasks)
{
    thrum_future future = THRUM_FUTURE_INIT;
    trace[0] = '\0';
    sim_open();
    thrum_task *c = thrum_spawn(waits_for(&future));
    thrum_task *b = thrum_spawn(waits_for_task(c, "b"));
    thrum_task *a = thrum_spawn(waits_for_task(b, "a"));
    sim_settle();
    CHECK(thrum_task_cancel(a));
    CHECK(thrum_future_cancelled(&future));
    CHECK_EQ(thrum_task_cancelling(b), 1);
    CHECK_EQ(thrum_task_cancelling(c), 1);
    sim_pass();
    CHECK(thrum_task_done(c) && !thrum_task_done(b));
    sim_pass();
    CHECK(thrum_task_done(b) && !thrum_task_done(a));
    sim_pass();
    CHECK(thrum_task_done(a));
    CHECK_STR(trace, "ba");
    end(a, THRUM_ECANCELED, 0);
    end(b, THRUM_ECANCELED, 0);
    end(c, THRUM_ECANCELED, 0);
    sim_close();
}

/* 36 with a middle that swallows it: the outermost is not cancelled. */
static ASYNC(swallows, ARGS((thrum_future *, future), (bool, uncancel)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, self->future);
    CHECK_EQ(self->error, THRUM_ECANCELED);
    if (self->uncancel)
        CHECK_EQ(thrum_uncancel(), 0);
    ASYNC_RETURN(6);
    ASYNC_END;
}

TEST(cancelling, swallowed_in_the_middle)
{
    thrum_future future = THRUM_FUTURE_INIT;
    sim_open();
    thrum_task *inner = thrum_spawn(swallows(&future, false));
    thrum_task *outer = thrum_spawn(waits_for_task(inner, ""));
    sim_settle();
    CHECK(thrum_task_cancel(outer));
    end(inner, 0, 6);
    CHECK_EQ(thrum_task_cancelling(outer), 1);
    end(outer, 0, 6);
    sim_close();
}

/* 40, cancel_task_catching: a task that swallows it is not cancelled; the count stays until taken back. */
TEST(cancelling, swallowed)
{
    for (int uncancel = 0; uncancel < 2; uncancel++) {
        thrum_future future = THRUM_FUTURE_INIT;
        sim_open();
        thrum_task *task = thrum_spawn(swallows(&future, uncancel));
        sim_pass();
        CHECK(thrum_task_cancel(task));
        CHECK_EQ(sim_until(task), 0);
        CHECK_EQ(thrum_task_cancelling(task), uncancel ? 0 : 1);
        end(task, 0, 6);
        sim_close();
    }
}

/* cancel_task_ignoring: goes on to wait for something else. */
static ASYNC(ignores, ARGS((thrum_future *, first), (thrum_future *, second)), LOCALS(int error; thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, self->first);
    AWAIT_INTO(self->value, self->second);
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

TEST(cancelling, ignored)
{
    thrum_future first = THRUM_FUTURE_INIT, second = THRUM_FUTURE_INIT;
    sim_open();
    thrum_task *task = thrum_spawn(ignores(&first, &second));
    sim_pass();
    CHECK(thrum_task_cancel(task));
    sim_settle();
    CHECK(!thrum_task_done(task));
    CHECK(!thrum_future_done(&second));
    thrum_future_set_result(&second, 4);
    end(task, 0, 4);
    sim_close();
}

/* 37: the future is done and the wake-up queued: the cancellation wins, the value is lost. */
TEST(cancelling, beats_a_completed_await)
{
    thrum_future future = THRUM_FUTURE_INIT;
    sim_open();
    thrum_task *task = thrum_spawn(waits_for(&future));
    sim_pass();
    CHECK_EQ(thrum_future_set_result(&future, 4), 0);
    CHECK(thrum_task_cancel(task));
    CHECK(!thrum_future_cancelled(&future));
    end(task, THRUM_ECANCELED, 0);
    sim_close();
}

/* cancel_both_task_and_inner_future: the step runs once. */
TEST(cancelling, task_and_future)
{
    for (int order = 0; order < 2; order++) {
        thrum_future future = THRUM_FUTURE_INIT;
        trace[0] = '\0';
        sim_open();
        thrum_task *inner = thrum_spawn(waits_for(&future)), *outer = thrum_spawn(waits_for_task(inner, "x"));
        sim_settle();
        if (order)
            CHECK(thrum_future_cancel(&future));
        CHECK(thrum_task_cancel(inner));
        if (!order)
            CHECK(!thrum_future_cancel(&future));
        end(inner, THRUM_ECANCELED, 0);
        end(outer, THRUM_ECANCELED, 0);
        CHECK_STR(trace, "x");
        sim_close();
    }
}

/* 38: twice before it is delivered gives one cancellation and a count of 2; once more after it was caught, another. */
static ASYNC(counts, ARGS((thrum_future *, first), (thrum_future *, second)), LOCALS(int error, n;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, self->first);
    self->n += self->error == THRUM_ECANCELED;
    AWAIT_CATCH_ALL(self->error, self->second);
    self->n += self->error == THRUM_ECANCELED;
    ASYNC_RETURN(self->n * 10 + (int)thrum_task_cancelling(thrum_current_task()));
    ASYNC_END;
}

TEST(cancelling, twice)
{
    for (int more = 0; more < 2; more++) {
        thrum_future first = THRUM_FUTURE_INIT, second = THRUM_FUTURE_INIT;
        sim_open();
        thrum_task *task = thrum_spawn(counts(&first, &second));
        sim_pass();
        CHECK(thrum_task_cancel(task));
        CHECK(thrum_task_cancel(task));
        CHECK_EQ(thrum_task_cancelling(task), 2);
        sim_settle();
        CHECK(thrum_future_cancelled(&first));
        /* As in asyncio the second request is kept where the future was done already, and comes at the next await. */
        if (more && !thrum_task_done(task))
            CHECK(thrum_task_cancel(task));
        if (!thrum_future_done(&second))
            thrum_future_set_result(&second, 0);
        CHECK_EQ(sim_until(task), 0);
        thrum_value value = 0;
        CHECK_EQ(thrum_task_result(task, &value), 0);
        CHECK_EQ(value / 10, more ? 2 : 1);
        CHECK_EQ(value % 10, more ? 3 : 2);
        thrum_task_release(task);
        sim_close();
    }
}

/* 39, cancel_current_task, cancel_at_end: a task that cancels itself. */
enum { THEN_RETURN, THEN_RAISE, THEN_WAIT, THEN_RAISE_CANCEL, THEN_CATCH };

static ASYNC(cancels_itself, ARGS((int, then)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    CHECK(thrum_task_cancel(thrum_current_task()));
    put("c");
    if (self->then == THEN_RETURN)
        ASYNC_RETURN(7);
    if (self->then == THEN_RAISE)
        ASYNC_RAISE(-5);
    if (self->then == THEN_RAISE_CANCEL)
        ASYNC_RAISE(THRUM_ECANCELED);
    if (self->then == THEN_CATCH) {
        AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(9)));
        CHECK_EQ(self->error, THRUM_ECANCELED);
        AWAIT(thrum_sleep(3));
        ASYNC_RETURN(8);
    }
    AWAIT(thrum_sleep(SECONDS(9)));
    put("!");
FINALLY:
    put("f");
    if (self->then != THEN_RETURN && self->then != THEN_RAISE)
        AWAIT(thrum_sleep(1)); /* delivered once */
    put("g");
    ASYNC_END;
}

static void check_itself(int then, int error, thrum_value value, thrum_time time)
{
    thrum_value got = 0;
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(sim_run(cancels_itself(then), &got), error);
    CHECK_EQ(got, value);
    CHECK_EQ(sim_time(), time);
    sim_close();
    CHECK_STR(trace, "cfg");
}

TEST(cancelling, itself)
{
    check_itself(THEN_RETURN, THRUM_ECANCELED, 0, 0);
    check_itself(THEN_RAISE, -5, 0, 0);
    check_itself(THEN_WAIT, THRUM_ECANCELED, 0, 1);
    check_itself(THEN_CATCH, 0, 8, 4);
}

/* An error in FINALLY of a task that cancelled itself: the cancellation is still to come at its await. */
TEST(cancelling, itself_and_raises_that)
{
    trace[0] = '\0';
    CHECK_EQ(sim_run(cancels_itself(THEN_RAISE_CANCEL), NULL), THRUM_ECANCELED);
    CHECK_STR(trace, "cf"); /* as in asyncio the await in FINALLY gets it */
}

/* 41, uncancel_resets_must_cancel: taken back before it was delivered, nothing happens. */
static ASYNC(takes_back, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK(thrum_task_cancel(thrum_current_task()));
    CHECK(thrum_task_cancel(thrum_current_task()));
    CHECK_EQ(thrum_uncancel(), 1);
    CHECK_EQ(thrum_task_uncancel(thrum_current_task()), 0);
    CHECK_EQ(thrum_uncancel(), 0); /* never below 0 */
    AWAIT(thrum_sleep(3));
    ASYNC_RETURN(5);
    ASYNC_END;
}

TEST(cancelling, taken_back)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(takes_back(), &value), 0);
    CHECK_EQ(value, 5);
    sim_open();
    thrum_task *task = thrum_spawn(thrum_yield());
    CHECK(thrum_task_cancel(task));
    CHECK_EQ(thrum_task_uncancel(task), 0);
    end(task, 0, 0);
    /* 41: what the future was told already cannot be taken back. */
    thrum_future future = THRUM_FUTURE_INIT;
    task = thrum_spawn(waits_for(&future));
    sim_pass();
    CHECK(thrum_task_cancel(task));
    CHECK_EQ(thrum_task_uncancel(task), 0);
    end(task, THRUM_ECANCELED, 0);
    CHECK_EQ(thrum_uncancel(), 0); /* nobody runs */
    sim_close();
}

/* 42, 43: the message comes to the task and to who awaits it, then and later; the last one before delivery wins. */
static ASYNC(reads_message, ARGS((thrum_task *, task), (const char *, expected)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, self->task);
    CHECK_EQ(self->error, THRUM_ECANCELED);
#if THRUM_DETAILS
    if (self->expected) {
        CHECK_NOT_NULL(thrum_error_last());
        CHECK_STR(thrum_error_last()->text, self->expected);
    }
#endif
    ASYNC_END;
}

static ASYNC(reads_own_message, ARGS((const char *, expected)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(1)));
#if THRUM_DETAILS
    CHECK_NOT_NULL(thrum_error_last());
    CHECK_EQ(thrum_error_last()->code, THRUM_ECANCELED);
    CHECK_STR(thrum_error_last()->text, self->expected);
#endif
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

TEST(cancelling, messages)
{
    sim_open();
    thrum_task *task = thrum_spawn(reads_own_message("one"));
    thrum_task *waiter = thrum_spawn(reads_message(task, "one"));
    sim_settle();
    CHECK(thrum_task_cancel_with(task, "one"));
    end(waiter, 0, 0);
    end(thrum_spawn(reads_message(task, "one")), 0, 0);
    end(task, THRUM_ECANCELED, 0);
    task = thrum_spawn(never_runs());
    waiter = thrum_spawn(reads_message(task, "second"));
    CHECK(thrum_task_cancel_with(task, "first"));
    CHECK(thrum_task_cancel_with(task, "second"));
    end(waiter, 0, 0);
    end(task, THRUM_ECANCELED, 0);
    task = thrum_spawn(never_runs());
    CHECK(thrum_task_cancel_with(task, NULL));
    end(task, THRUM_ECANCELED, 0);
    sim_close();
}

/* 45: raised by the task itself, asked for by nobody. */
static ASYNC(gives_up, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RAISE(THRUM_ECANCELED);
    ASYNC_END;
}

static ASYNC(waits_and_looks, ARGS((thrum_task *, task)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, self->task);
    CHECK_EQ(self->error, THRUM_ECANCELED);
    ASYNC_RETURN(thrum_task_cancelling(thrum_current_task()));
    ASYNC_END;
}

TEST(cancelling, by_itself)
{
    sim_open();
    thrum_task *task = thrum_spawn(gives_up()), *waiter = thrum_spawn(waits_and_looks(task));
    end(waiter, 0, 0);
    CHECK_EQ(thrum_task_cancelling(task), 0);
    end(task, THRUM_ECANCELED, 0);
    sim_close();
}

/* While FINALLY runs a second cancellation cuts it short at its await. */
static ASYNC(cleans, ARGS_NONE, LOCALS(int i;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1)));
FINALLY:
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT(thrum_sleep(10));
        put("c");
    }
    ASYNC_END;
}

TEST(cancelling, again_during_the_clean_up)
{
    trace[0] = '\0';
    sim_open();
    thrum_task *task = thrum_spawn(cleans());
    sim_pass();
    CHECK(thrum_task_cancel(task));
    while (sim_time() < 15)
        CHECK_EQ(sim_step_(true), 0);
    CHECK(thrum_task_cancel(task));
    end(task, THRUM_ECANCELED, 0);
    CHECK_STR(trace, "c");
    sim_close();
}

/* A cancellation that comes while the task stands at the tail of the queue after its share of a pass. */
static ASYNC(busy, ARGS((thrum_future *, done), (int *, rounds)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT(self->done);
        ++*self->rounds;
    }
    ASYNC_END;
}

TEST(cancelling, a_task_that_never_suspends)
{
    thrum_future done = THRUM_FUTURE_INIT;
    int rounds = 0;
    sim_open();
    thrum_future_set_result(&done, 0);
    thrum_task *task = thrum_spawn(busy(&done, &rounds));
    sim_pass();
    CHECK_GT(rounds, 1);
    CHECK_LE(rounds, THRUM_AWAIT_BUDGET);
    int before = rounds;
    CHECK(thrum_task_cancel(task));
    for (int i = 0; i < 3; i++)
        sim_pass();
    CHECK_LE(rounds, before + THRUM_AWAIT_BUDGET);
    end(task, THRUM_ECANCELED, 0);
    sim_close();
}

/* The exit of a block begins all the same, and FINALLY is not cut short by it. */
static ASYNC(busy_with_lock, ARGS((thrum_future *, done), (thrum_lock *, lock)), LOCALS(thrum_lock_hold hold; int i;))
{
    ASYNC_BEGIN;
    for (;;)
        WITH (self->hold, thrum_lock_hold(&self->hold, self->lock)) {
            AWAIT(self->done);
        }
FINALLY:
    put(thrum_lock_locked(self->lock) ? "!" : "f");
    for (self->i = 0; self->i < 3 * THRUM_AWAIT_BUDGET; self->i++)
        AWAIT(self->done);
    put("g");
    ASYNC_END;
}

TEST(cancelling, a_task_that_never_suspends_leaves_its_blocks)
{
    /* The task comes to the tail at a different place of its loop each time. */
    for (int ahead = 0; ahead < 4; ahead++) {
        thrum_future done = THRUM_FUTURE_INIT;
        thrum_lock lock = THRUM_LOCK_INIT;
        trace[0] = '\0';
        sim_open();
        thrum_future_set_result(&done, 0);
        thrum_task *task = thrum_spawn(busy_with_lock(&done, &lock));
        for (int i = 0; i <= ahead; i++)
            sim_pass();
        CHECK(thrum_task_cancel(task));
        for (int i = 0; i < 12; i++)
            sim_pass();
        CHECK(thrum_task_done(task));
        CHECK_STR(trace, "fg");
        end(task, THRUM_ECANCELED, 0);
        CHECK(!thrum_lock_locked(&lock));
        sim_close();
    }
}
