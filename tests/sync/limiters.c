/* Capacity limiter. A name is the test of anyio or trio that the test stands for. */
#include "lines.h"

static thrum_limiter limiter = THRUM_LIMITER_INIT(2);

static ASYNC(worker, ARGS((char, name), (thrum_time, delay)), LOCALS(thrum_limiter_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_limiter_hold(&self->hold, &limiter)) {
        put(self->name);
        AWAIT(thrum_sleep(self->delay));
    }
    ASYNC_END;
}

static void check_stats(uint32_t total, uint32_t borrowed, uint32_t waiting)
{
    thrum_limiter_stats stats;
    thrum_limiter_stats_get(&limiter, &stats);
    CHECK_EQ(stats.total, total);
    CHECK_EQ(stats.borrowed, borrowed);
    CHECK_EQ(stats.waiting, waiting);
    CHECK_EQ(thrum_limiter_borrowers(&limiter, NULL, 0), borrowed);
}

/* limit, statistics */
TEST(limiters, in_order)
{
    begin();
    thrum_task *first = go(worker('1', SECONDS(3))), *second = go(worker('2', SECONDS(1)));
    go(worker('3', SECONDS(5)));
    go(worker('4', SECONDS(1)));
    sim_pass();
    CHECK_STR(trace, "12");
    check_stats(2, 2, 2);
    const void *borrowers[2];
    CHECK_EQ(thrum_limiter_borrowers(&limiter, borrowers, 2), 2);
    CHECK_PTR(borrowers[0], second);
    CHECK_PTR(borrowers[1], first);
    CHECK_EQ(sim_until(second), 0);
    check_stats(2, 2, 1); /* handed over at once */
    CHECK_STR(trace, "12");
    sim_pass();
    CHECK_STR(trace, "123");
    over();
    CHECK_STR(trace, "1234");
    check_stats(2, 0, 0);
}

static ASYNC(twice, ARGS_NONE, LOCALS(thrum_limiter_hold outer, inner; int error;))
{
    ASYNC_BEGIN;
    WITH (self->outer, thrum_limiter_hold(&self->outer, &limiter)) {
        AWAIT_CATCH(self->error, thrum_limiter_acquire(&limiter, &self->inner));
        CHECK_EQ(self->error, THRUM_ESTATE);
        CHECK_EQ(thrum_limiter_acquire_nowait(&limiter, &self->inner, NULL), THRUM_ESTATE);
        CHECK_EQ(thrum_limiter_acquire_nowait(&limiter, &self->outer, &self->inner), THRUM_ESTATE);
        CHECK_EQ(thrum_limiter_release(&self->inner), THRUM_ESTATE);
        /* another borrower may */
        AWAIT(thrum_limiter_acquire_on_behalf(&limiter, &self->inner, &limiter));
        check_stats(2, 2, 0);
        CHECK_EQ(thrum_limiter_release(&self->inner), 0);
        CHECK_EQ(thrum_limiter_release(&self->inner), THRUM_ESTATE);
    }
    AWAIT(thrum_limiter_acquire(&limiter, &self->inner));
    CHECK_EQ(thrum_limiter_release(&self->inner), 0);
    ASYNC_END;
}

/* acquire_twice, release_error: one borrower, one token */
TEST(limiters, each_borrower_once)
{
    begin();
    CHECK_EQ(sim_run(twice(), NULL), 0);
    check_stats(2, 0, 0);
    over();
}

/* acquire_nowait, bad_init: from outside of tasks a borrower has to be named */
TEST(limiters, at_once)
{
    thrum_limiter_hold a = {0}, b = {0}, c = {0};
    int first, second, third;
    begin();
    thrum_limiter_init(&limiter, 2);
    CHECK_EQ(thrum_limiter_acquire_nowait(&limiter, &a, NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_limiter_acquire_nowait(&limiter, &a, &first), 0);
    CHECK_EQ(thrum_limiter_acquire_nowait(&limiter, &b, &first), THRUM_ESTATE);
    CHECK_EQ(thrum_limiter_acquire_nowait(&limiter, &b, &second), 0);
    CHECK_EQ(thrum_limiter_acquire_nowait(&limiter, &c, &third), THRUM_EFULL);
    CHECK_EQ(thrum_limiter_release(&a), 0);
    CHECK_EQ(thrum_limiter_acquire_nowait(&limiter, &c, &third), 0);
    CHECK_EQ(thrum_limiter_release(&b), 0);
    CHECK_EQ(thrum_limiter_release(&c), 0);
    over();
}

/* increase_tokens, and lowered below what is borrowed */
TEST(limiters, total_changes)
{
    begin();
    go(worker('1', SECONDS(1)));
    go(worker('2', SECONDS(2)));
    go(worker('3', SECONDS(3)));
    go(worker('4', SECONDS(4)));
    go(worker('5', SECONDS(5)));
    sim_pass();
    thrum_limiter_set_total(&limiter, 4);
    check_stats(4, 4, 1);
    CHECK_STR(trace, "12");
    sim_pass();
    CHECK_STR(trace, "1234");
    thrum_limiter_set_total(&limiter, 1);
    CHECK_EQ(sim_until(started[2]), 0);
    CHECK_EQ(sim_settle(), 0);
    check_stats(1, 1, 1); /* three are back; one is out */
    CHECK_STR(trace, "1234");
    thrum_limiter_set_total(&limiter, UINT32_MAX);
    sim_pass();
    CHECK_STR(trace, "12345");
    over();
    check_stats(UINT32_MAX, 0, 0);
    thrum_limiter_set_total(&limiter, 0);
    begin();
    thrum_task *task = go(worker('x', 0));
    sim_pass();
    check_stats(0, 0, 1);
    thrum_task_cancel(task);
    over();
    check_stats(0, 0, 0);
}

/* Cancelled in line, and cancelled with a token in hand that it has not seen yet. */
TEST(limiters, cancelled)
{
    thrum_limiter_hold hold = {0};
    begin();
    thrum_limiter_init(&limiter, 1);
    CHECK_EQ(thrum_limiter_acquire_nowait(&limiter, &hold, &hold), 0);
    thrum_task *first = go(worker('1', 0)), *second = go(worker('2', 0)), *third = go(worker('3', 0));
    sim_pass();
    thrum_task_cancel(first);
    check_stats(1, 1, 2);
    CHECK_EQ(thrum_limiter_release(&hold), 0);
    thrum_task_cancel(second);
    check_stats(1, 1, 1);
    sim_pass();
    CHECK_EQ(ended(first), THRUM_ECANCELED);
    CHECK_EQ(ended(second), THRUM_ECANCELED);
    check_stats(1, 1, 0);
    sim_settle();
    CHECK_EQ(ended(third), 0);
    CHECK_STR(trace, "3");
    check_stats(1, 0, 0);
    over();
}

static ASYNC(agent, ARGS((const void *, borrower)), LOCALS(thrum_limiter_hold hold;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_limiter_acquire_on_behalf(&limiter, &self->hold, self->borrower));
    put('a');
    AWAIT(thrum_sleep(SECONDS(1)));
FINALLY:
    thrum_limiter_release(&self->hold); /* the wait may have failed */
    ASYNC_END;
}

/* Two tasks wait in one name: the second gets the error when its turn comes, and the next one the token. */
TEST(limiters, one_name_twice_in_line)
{
    static const int one, two;
    thrum_limiter_hold hold = {0};
    begin();
    thrum_limiter_init(&limiter, 2);
    CHECK_EQ(thrum_limiter_acquire_nowait(&limiter, &hold, &hold), 0);
    thrum_limiter_set_total(&limiter, 1);
    thrum_task *first = go(agent(&one)), *second = go(agent(&one)), *third = go(agent(&two));
    sim_pass();
    check_stats(1, 1, 3);
    thrum_limiter_set_total(&limiter, 3);
    check_stats(3, 3, 0);
    sim_pass();
    CHECK_STR(trace, "aa");
    CHECK_EQ(ended(first), THRUM_EPENDING);
    CHECK_EQ(ended(second), THRUM_ESTATE);
    CHECK_EQ(ended(third), THRUM_EPENDING);
    CHECK_EQ(thrum_limiter_release(&hold), 0);
    over();
    check_stats(3, 0, 0);
}
