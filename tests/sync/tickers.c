/* Tickers: where the ticks are, which of them are missed, and what a cancellation leaves. */
#include "lines.h"

static thrum_ticker ticker;
static thrum_time times[64];
static thrum_value missed[64];
static size_t ticks;

/* `count` ticks, each followed by work that takes `work`. */
static ASYNC(user, ARGS((size_t, count), (thrum_time, work)), LOCALS(thrum_value missed;))
{
    ASYNC_BEGIN;
    while (ticks < self->count) {
        AWAIT_INTO(self->missed, thrum_ticker_next(&ticker));
        times[ticks] = thrum_now();
        missed[ticks++] = self->missed;
        if (self->work)
            AWAIT(thrum_sleep(self->work));
    }
    ASYNC_END;
}

static thrum_time begin_with(thrum_time period)
{
    begin();
    ticks = 0;
    thrum_ticker_init(&ticker, period);
    return thrum_now();
}

TEST(tickers, no_drift)
{
    thrum_time start = begin_with(100);
    CHECK_EQ(sim_run(user(50, 99), NULL), 0);
    for (size_t i = 0; i < 50; i++) {
        CHECK_EQ((thrum_time)(times[i] - start), (thrum_time)(100 * (i + 1)));
        CHECK_EQ(missed[i], 0);
    }
    over();
}

/* A tick whose user comes within the period after it counts, as the latest one; those before it are missed. */
TEST(tickers, late)
{
    static const struct {
        thrum_time work, second;
        thrum_value missed;
        thrum_time third;
    } cases[] = {
        {100, 200, 0, 300}, {101, 201, 0, 302}, {199, 299, 0, 498},
        {200, 300, 1, 500}, {350, 450, 2, 800}, {100000, 100100, 999, 200100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        thrum_time start = begin_with(100);
        CHECK_EQ(sim_run(user(3, cases[i].work), NULL), 0);
        CHECK_EQ((thrum_time)(times[0] - start), 100);
        CHECK_EQ((thrum_time)(times[1] - start), cases[i].second);
        CHECK_EQ(missed[1], cases[i].missed);
        CHECK_EQ((thrum_time)(times[2] - start), cases[i].third);
        over();
    }
}

/* One that is late goes on where the ticks would have been. */
static ASYNC(once_late, ARGS_NONE, LOCALS(thrum_value missed;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_ticker_next(&ticker));
    AWAIT(thrum_sleep(250));
    AWAIT_INTO(self->missed, thrum_ticker_next(&ticker)); /* at 350, for that of 300 */
    CHECK_EQ(self->missed, 1);
    AWAIT_INTO(self->missed, thrum_ticker_next(&ticker));
    CHECK_EQ(self->missed, 0);
    ASYNC_RETURN(thrum_now());
    ASYNC_END;
}

TEST(tickers, back_in_time)
{
    thrum_value end = 0;
    thrum_time start = begin_with(100);
    CHECK_EQ(sim_run(once_late(), &end), 0);
    CHECK_EQ((thrum_time)((thrum_time)end - start), 400);
    over();
}

/* Nobody is told of what a ticker that is late owes more than once a pass. */
TEST(tickers, others_run)
{
    begin_with(1);
    thrum_task *task = go(user(3, 0));
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ((thrum_time)(times[2] - times[0]), 2);
    over();
}

static ASYNC(patient, ARGS((thrum_time, limit)), LOCALS(thrum_value missed; int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_timeout(self->limit, thrum_ticker_next(&ticker)));
    CHECK_EQ(self->error, self->limit <= 100 ? THRUM_ETIMEDOUT : 0);
    AWAIT_INTO(self->missed, thrum_ticker_next(&ticker));
    CHECK_EQ(self->missed, 0);
    ASYNC_RETURN(thrum_now());
    ASYNC_END;
}

/* Of a limit and a tick at the same time the limit was set first. */
TEST(tickers, a_time_limit_takes_no_tick)
{
    for (thrum_time limit = 98; limit <= 101; limit++) {
        thrum_value end = 0;
        thrum_time start = begin_with(100);
        CHECK_EQ(sim_run(patient(limit), &end), 0);
        CHECK_EQ((thrum_time)((thrum_time)end - start), limit <= 100 ? 100 : 200);
        over();
    }
}

static ASYNC(next, ARGS_NONE, LOCALS_NONE)
{
    thrum_value got;
    ASYNC_BEGIN;
    AWAIT_INTO(got, thrum_ticker_next(&ticker));
    ASYNC_RETURN(got);
    ASYNC_END;
}

/* Before the tick, in each pass of it, and after it: cancelled, the tick is still there for the next one to wait. */
TEST(tickers, cancelled_at_each_moment)
{
    for (unsigned passes = 0; passes < 5; passes++) {
        begin_with(100);
        thrum_task *task = go(next());
        sim_pass();
        CHECK_EQ(sim_step_(true), 0); /* the clock goes to the tick */
        for (unsigned i = 0; i < passes; i++)
            sim_pass();
        bool late = thrum_task_done(task);
        CHECK_EQ(thrum_task_cancel(task), !late);
        sim_settle();
        CHECK_EQ(ended(task), late ? 0 : THRUM_ECANCELED);
        thrum_task *second = go(next());
        sim_settle();
        CHECK_EQ(thrum_task_done(second), !late); /* it finds the tick that the first one did not take */
        CHECK_EQ(sim_until(second), 0);
        CHECK_EQ(result_of(second), 0);
        over();
    }
}

TEST(tickers, one_at_a_time)
{
    begin_with(10);
    thrum_task *first = go(next());
    sim_pass();
    CHECK_EQ(sim_run(next(), NULL), THRUM_EBUSY);
    CHECK_EQ(sim_until(first), 0);
    CHECK_EQ(result_of(first), 0);
    over();
    begin_with(0);
    CHECK_EQ(sim_run(next(), NULL), THRUM_EINVAL);
    over();
}

/* A new rhythm, while nobody waits, while a task does, and while one was told of a tick and has not run. */
TEST(tickers, begun_anew)
{
    thrum_time start = begin_with(100);
    CHECK_EQ(sim_run(thrum_sleep(50), NULL), 0);
    thrum_ticker_reset(&ticker, 0);
    CHECK_EQ(sim_run(next(), NULL), 0);
    CHECK_EQ((thrum_time)(thrum_now() - start), 150);
    thrum_task *task = go(next());
    sim_settle();
    CHECK_EQ(sim_run(thrum_sleep(60), NULL), 0);
    thrum_ticker_reset(&ticker, 70);
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(result_of(task), 0);
    CHECK_EQ((thrum_time)(thrum_now() - start), 280);
    task = go(next());
    sim_pass();
    CHECK_EQ(sim_step_(true), 0);
    CHECK(!thrum_task_done(task));
    thrum_ticker_reset(&ticker, 0);
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ((thrum_time)(thrum_now() - start), 420);
    over();
}
