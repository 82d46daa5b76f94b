/* The race in which the first that succeeds wins. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "combine.h"

static ASYNC(three, ARGS((thrum_task *, held)), LOCALS(size_t winner; thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value,
               thrum_race(&self->winner, cleans('a', 30, 5), fails('b', 10, -5), gives('c', 20), self->held));
    CHECK_EQ(self->winner, 2);
    CHECK_EQ(self->value, 'c');
    CHECK_EQ(sim_time(), 25);
    AWAIT_INTO(self->value, thrum_race(NULL, self->held, gives('d', 20)));
    CHECK_EQ(self->value, 'h');
    ASYNC_END;
}

/* One that fails is out; the losers that were adopted are cancelled and joined, what is held by handle runs on. */
TEST(race, first_to_succeed_wins)
{
    begin();
    thrum_task *held = thrum_spawn(gives('h', 40));
    CHECK_EQ(sim_run(three(held), NULL), 0);
    CHECK_EQ(sim_time(), 40);
    thrum_task_release(held);
    CHECK_EQ(sim.reports, 0);
    sim_close();
    CHECK_STR(trace, "habcBC(a)dH(d)");
}

static ASYNC(all_fail, ARGS((thrum_task *, held)), LOCALS(size_t winner; int error;))
{
    ASYNC_BEGIN;
    self->winner = 77;
    AWAIT_CATCH(self->error, thrum_race(&self->winner, fails('a', 30, -5), self->held, fails('b', 20, -6)));
    CHECK_EQ(self->error, THRUM_EGROUP);
    CHECK_EQ(self->winner, 77);
#if THRUM_DETAILS
    const thrum_error *error = thrum_error_last();
    CHECK_EQ(error->number, 3);
    CHECK_EQ(error->errors->code, -5);
    CHECK_EQ(error->errors->number, 'a');
    CHECK_EQ(error->errors->next->code, THRUM_ECANCELED);
    CHECK_EQ(error->errors->next->next->code, -6);
    CHECK_NULL(error->errors->next->next->next);
#endif
    ASYNC_END;
}

TEST(race, all_fail)
{
    begin();
    thrum_task *held = thrum_spawn(gives('h', 40));
    thrum_task *racing = thrum_spawn(all_fail(held));
    sim_settle();
    thrum_task_cancel(held); /* who is cancelled by somebody is out as well */
    CHECK_EQ(end_of(racing, NULL), 0);
    thrum_task_release(held);
    CHECK_EQ(sim.reports, 0);
    sim_close();
}

static ASYNC(of_future, ARGS((thrum_future *, future), (thrum_task *, held)), LOCALS(size_t winner;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_race(&self->winner, self->held, self->future));
    ASYNC_RETURN(self->winner);
    ASYNC_END;
}

/* Two passes after the end; none for what is done; none between a cancellation and the end when nothing is adopted. */
TEST(race, passes)
{
    thrum_future future = THRUM_FUTURE_INIT;
    thrum_value value;
    begin();
    thrum_task *held = thrum_spawn(gives('h', 40));
    thrum_task *racing = thrum_spawn(of_future(&future, held));
    sim_settle();
    thrum_future_set_result(&future, 1);
    CHECK_EQ(passes_of(racing), 2);
    CHECK_EQ(end_of(racing, &value), 0);
    CHECK_EQ(value, 1);
    racing = thrum_spawn(of_future(&future, held));
    CHECK_EQ(passes_of(racing), 1);
    CHECK_EQ(end_of(racing, NULL), 0);
    thrum_future_init(&future);
    racing = thrum_spawn(of_future(&future, held));
    sim_settle();
    thrum_task_cancel(racing);
    CHECK_EQ(passes_of(racing), 1);
    CHECK_EQ(end_of(racing, NULL), THRUM_ECANCELED);
    CHECK_NULL(future.waiters.first);
    CHECK_EQ(thrum_task_cancelling(held), 0);
    CHECK_EQ(end_of(held, NULL), 0);
    sim_close();
}

static ASYNC(two, ARGS((work, a), (work, b)), LOCALS(size_t winner;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_race(&self->winner, worker(self->a), worker(self->b)));
    ASYNC_RETURN(self->winner);
    ASYNC_END;
}

/* Cancelled while it runs, and while the losers clean up: the cancellation comes out when they have ended. */
TEST(race, is_cancelled)
{
    const work a = {'a', 10, 0, 20, false, 0}, b = {'b', 30, 0, 7, false, 0};
    begin();
    thrum_task *racing = thrum_spawn(two(a, b));
    sim_settle();
    thrum_task_cancel(racing);
    CHECK_EQ(end_of(racing, NULL), THRUM_ECANCELED);
    CHECK_EQ(sim_time(), 20);
    racing = thrum_spawn(two(a, b));
    while (sim_time() < 30 || sim_ready())
        sim_step_(true);
    thrum_task_cancel(racing);
    CHECK_EQ(end_of(racing, NULL), THRUM_ECANCELED);
    CHECK_EQ(sim_time(), 30); /* it cancelled the loser's clean-up as well */
    sim_close();
    CHECK_STR(trace, "ab(a(b))abA(b");
}

/* Both succeed in one pass: the lower place wins. */
TEST(race, in_one_pass)
{
    const work a = {'a', 10, 0, -1, false, 0}, b = {'b', 10, 0, -1, false, 0};
    thrum_value value = 9;
    begin();
    CHECK_EQ(sim_run(two(a, b), &value), 0);
    CHECK_EQ(value, 0);
    sim_close();
    CHECK_STR(trace, "abAB");
}

static ASYNC(none, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_race_array(0, NULL, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    thrum_drop(thrum_race(NULL, gives('a', 1), thrum_current_task()));
    AWAIT_CATCH(self->error, thrum_race(NULL, thrum_current_task()));
    CHECK_EQ(self->error, THRUM_EGROUP);
    ASYNC_END;
}

TEST(race, of_nothing_and_of_itself)
{
    begin();
    CHECK_EQ(sim_run(none(), NULL), 0);
    sim_close();
    CHECK_STR(trace, "-a");
}

static ASYNC(everything, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_race(NULL, gives('a', 3), thrum_sleep(2), fails('b', 1, -5)));
    AWAIT_CATCH(self->error, thrum_race(NULL, fails('a', 3, -4), fails('b', 1, -5)));
    CHECK(self->error == THRUM_EGROUP || self->error == THRUM_ENOMEM);
    if (self->error == THRUM_ENOMEM)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

TEST(race, nth_allocation_fails)
{
    begin();
    sim_close();
    CHECK_GE(every_allocation_fails(everything, 0), 2);
}
