/* Edges of call graphs through what waits for several things: each is there while the wait lasts, and gone afterwards,
 * on every way out. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "support.h"

static thrum_future first_future, second_future;
static thrum_task *held;

static ASYNC(holds, ARGS((thrum_future *, future)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(self->future);
    ASYNC_END;
}

static ASYNC(gathers, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_gather(NULL, held, &second_future, thrum_sleep(SECONDS(1))));
    ASYNC_END;
}

static ASYNC(gathers_all, ARGS_NONE, LOCALS(thrum_outcome outcomes[2];))
{
    ASYNC_BEGIN;
    AWAIT(thrum_gather_all(self->outcomes, held, &second_future));
    ASYNC_END;
}

static ASYNC(races, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_race(NULL, held, &second_future));
    ASYNC_END;
}

static ASYNC(shields, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_shield(held));
    ASYNC_END;
}

static ASYNC(shields_in_time, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_timeout(SECONDS(1), thrum_shield(held)));
    ASYNC_END;
}

static ASYNC(waits, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_wait_tasks(1, &held, THRUM_ALL_COMPLETED, THRUM_NEVER, NULL));
    ASYNC_END;
}

static ASYNC(takes, ARGS_NONE, LOCALS(thrum_completed each;))
{
    ASYNC_BEGIN;
    WITH (self->each, thrum_completed_open(&self->each, THRUM_NEVER, held, &second_future)) {
        AWAIT(thrum_completed_next(&self->each));
    }
    ASYNC_END;
}

/* How the wait is left: what is waited for ends, or whoever waits is cancelled. */
static void check(thrum_awaitable make(void), bool cancel, const char *of_the_task, const char *of_the_future)
{
    thrum_future_init(&first_future);
    thrum_future_init(&second_future);
    sim_open();
    held = thrum_spawn(holds(&first_future));
    thrum_task *task = thrum_spawn(make());
    sim_settle();
    CHECK_STR(shape_of_task(held), of_the_task);
    CHECK_STR(shape_of_future(&second_future), of_the_future);
    if (cancel) {
        thrum_task_cancel(task);
    } else {
        thrum_future_set_result(&second_future, 0);
        thrum_future_set_result(&first_future, 0);
    }
    CHECK_EQ(sim_until(task), 0);
    /* What the cancellation went on to has ended with it, the rest runs on. */
    CHECK_STR(shape_of_task(held), thrum_task_done(held) ? "T<holds> []" : "T<holds> [holds]");
    CHECK_STR(shape_of_future(&second_future), "F []");
    CHECK_EQ(thrum_task_result(task, NULL), cancel ? THRUM_ECANCELED : 0);
    thrum_task_cancel(held);
    sim_settle();
    thrum_task_release(held);
    thrum_task_release(task);
    sim_close();
}

#define GRAPH_TEST(name, function, of_the_task, of_the_future)                                                         \
    TEST(combinators, name)                                                                                            \
    {                                                                                                                  \
        check(function, false, of_the_task, of_the_future);                                                            \
        check(function, true, of_the_task, of_the_future);                                                             \
    }

/* test_stack_gather */
GRAPH_TEST(gather, gathers, "T<holds> [holds] (T<gathers> [thrum_gather gathers])",
           "F [] (T<gathers> [thrum_gather gathers])")
GRAPH_TEST(gather_of_outcomes, gathers_all, "T<holds> [holds] (T<gathers_all> [thrum_gather gathers_all])",
           "F [] (T<gathers_all> [thrum_gather gathers_all])")
GRAPH_TEST(race, races, "T<holds> [holds] (T<races> [thrum_race races])", "F [] (T<races> [thrum_race races])")
/* test_stack_shield */
GRAPH_TEST(shield, shields, "T<holds> [holds] (T<shields> [thrum_shield shields])", "F []")
GRAPH_TEST(shield_in_a_timeout, shields_in_time,
           "T<holds> [holds] (T<shields_in_time> [thrum_shield thrum_timeout shields_in_time])", "F []")
GRAPH_TEST(wait, waits, "T<holds> [holds] (T<waits> [thrum_wait waits])", "F []")
GRAPH_TEST(as_completed, takes, "T<holds> [holds] (T<takes> [takes])", "F [] (T<takes> [takes])")
