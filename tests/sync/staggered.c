/* The race whose runners start one after the other. A name is the asyncio test that the test stands for. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "combine.h"

static thrum_outcome outcomes[4];
static size_t winner;
static work plan[4];

static thrum_awaitable from_plan(void *context, size_t index)
{
    CHECK_PTR(context, plan);
    CHECK_NOT_NULL(thrum_current_task());
    return worker(plan[index]);
}

static ASYNC(race, ARGS((size_t, count), (thrum_time, delay)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    winner = 99;
    memset(outcomes, 0, sizeof outcomes);
    AWAIT_INTO(self->value, thrum_staggered_race(self->count, from_plan, plan, self->delay, &winner, outcomes));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static work ends(char name, thrum_time sleeps, int error)
{
    const work how = {name, sleeps, error, -1, false, 0};
    return how;
}

static void check(size_t count, thrum_time delay, int error, thrum_value value, thrum_time when, const char *expected)
{
    thrum_value got = 0;
    begin();
    CHECK_EQ(sim_run(race(count, delay), &got), error);
    CHECK_EQ(got, value);
    CHECK_EQ(sim_time(), when);
    sim_finish();
    CHECK_EQ(sim_time(), when); /* no timer is left */
    CHECK_EQ(sim.reports, 0);
    sim_close();
    CHECK_STR(trace, expected);
}

/* one_successful: the second one is not even started. */
TEST(staggered, the_first_succeeds)
{
    plan[0] = ends('a', 5, 0);
    plan[1] = ends('b', 5, 0);
    check(2, 10, 0, 'a', 5, "aA");
    CHECK_EQ(winner, 0);
    CHECK_EQ(outcomes[0].error, 0);
    CHECK_EQ(outcomes[0].value, 'a');
    CHECK_EQ(outcomes[1].error, THRUM_EPENDING);
}

/* first_error_second_successful: at once, whatever the delay; and without a delay. */
TEST(staggered, the_first_fails)
{
    for (int sequential = 0; sequential < 2; sequential++) {
        plan[0] = ends('a', 5, -5);
        plan[1] = ends('b', 5, 0);
        check(2, sequential ? THRUM_NEVER : 100, 0, 'b', 10, "aAbB");
        CHECK_EQ(winner, 1);
        CHECK_EQ(outcomes[0].error, -5);
        CHECK_EQ(outcomes[1].error, 0);
#if THRUM_DETAILS
        check(2, THRUM_NEVER, 0, 'b', 10, "aAbB");
#endif
    }
}

/* first_timeout_second_successful: the first one is too slow, and cancelled when the second has won. */
TEST(staggered, the_first_is_slow)
{
    plan[0] = ends('a', 100, 0);
    plan[1] = ends('b', 7, 0);
    plan[2] = ends('c', 7, 0);
    check(3, 10, 0, 'b', 17, "abB(a)");
    CHECK_EQ(winner, 1);
    CHECK_EQ(outcomes[0].error, THRUM_ECANCELED);
    CHECK_EQ(outcomes[2].error, THRUM_EPENDING);
    /* It may win all the same. */
    plan[0] = ends('a', 12, 0);
    check(3, 10, 0, 'a', 12, "abA(b)");
    CHECK_EQ(winner, 0);
}

/* none_successful */
TEST(staggered, all_fail)
{
    plan[0] = ends('a', 30, -5);
    plan[1] = ends('b', 5, -6);
    plan[2] = ends('c', -2, -7);
    check(3, 10, THRUM_EGROUP, 0, 30, "abBcCA");
    CHECK_EQ(winner, 99);
    CHECK_EQ(outcomes[0].error, -5);
    CHECK_EQ(outcomes[1].error, -6);
    CHECK_EQ(outcomes[2].error, -7);
    plan[0] = ends('a', -2, -5);
    check(3, 0, THRUM_EGROUP, 0, 5, "aAbcCB");
}

/* One that failed before the one that was started last starts nobody. */
TEST(staggered, an_earlier_one_fails)
{
    plan[0] = ends('a', 12, -5);
    plan[1] = ends('b', 100, 0);
    plan[2] = ends('c', 1, 0);
    check(3, 10, 0, 'c', 21, "abAcC(b)");
}

/* multiple_winners: the one with the lowest number. */
TEST(staggered, several_win)
{
    plan[0] = ends('a', 20, 0);
    plan[1] = ends('b', 10, 0);
    plan[2] = ends('c', 50, 0);
    /* The delay is over as well: the third one is made, but lazily it never begins. */
    check(3, 10, 0, 'a', 20, sim_eager() ? "abABc(c)" : "abAB-c");
    CHECK_EQ(winner, 0);
    CHECK_EQ(outcomes[0].error, 0);
    CHECK_EQ(outcomes[1].error, THRUM_ECANCELED);
    CHECK_EQ(outcomes[1].value, 0);
}

static ASYNC(note_details, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_staggered_race(2, from_plan, plan, THRUM_NEVER, NULL, outcomes));
    CHECK_EQ(self->error, THRUM_EGROUP);
#if THRUM_DETAILS
    CHECK_EQ(outcomes[0].detail->number, 'a');
    CHECK_EQ(outcomes[1].detail->number, 'b');
    CHECK_PTR(thrum_error_last()->errors, outcomes[0].detail);
#endif
    AWAIT_CATCH(self->error, thrum_staggered_race(0, from_plan, plan, 1, NULL, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    thrum_drop(thrum_staggered_race(2, from_plan, plan, 1, NULL, NULL));
    ASYNC_END;
}

TEST(staggered, details_and_wrong_arguments)
{
    plan[0] = ends('a', 1, -5);
    plan[1] = ends('b', 1, -6);
    begin();
    CHECK_EQ(sim_run(note_details(), NULL), 0);
    sim_close();
}

/* Cancelled from outside at every pass: all are cancelled and joined, nobody is started any more. */
TEST(staggered, is_cancelled)
{
    for (int steps = 1; steps < 14; steps++) {
        plan[0] = ends('a', 30, 0);
        plan[0].cleans = 5;
        plan[1] = ends('b', 2, -5);
        plan[2] = ends('c', 30, 0);
        begin();
        thrum_task *racing = thrum_spawn(race(3, 10));
        for (int i = 0; i < steps; i++)
            sim_step_(true);
        if (!thrum_task_done(racing)) {
            size_t before = strlen(trace);
            thrum_task_cancel(racing);
            CHECK_EQ(end_of(racing, NULL), THRUM_ECANCELED);
            CHECK_EQ(winner, 99);
            if (before)
                CHECK_NULL(strchr(trace + before, 'A'));
        } else {
            thrum_task_release(racing);
        }
        CHECK_EQ(thrum_all_tasks(NULL, 0), 0);
        sim_close();
    }
}

static ASYNC(everything, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    plan[0] = ends('a', 30, -4);
    plan[1] = ends('b', 2, -5);
    plan[2] = ends('c', 3, 0);
    AWAIT(thrum_staggered_race(3, from_plan, plan, 10, &winner, outcomes));
    ASYNC_END;
}

static ASYNC(everything_or_group, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, everything());
    if (self->error == THRUM_EGROUP && outcomes[2].error == THRUM_ENOMEM)
        ASYNC_RAISE(THRUM_ENOMEM); /* the one that would have won */
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

TEST(staggered, nth_allocation_fails)
{
    CHECK_GE(every_allocation_fails(everything_or_group, 0), 3);
}
