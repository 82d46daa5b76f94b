/* What random programs found thrum to do otherwise than asyncio, each as a small test. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <sim.h>

/* ---- what a wait gives that has no result ---- */

static ASYNC(yields_later, ARGS_NONE, LOCALS(int error; thrum_value first; thrum_value last;))
{
    ASYNC_BEGIN;
    self->first = self->last = 99;
    AWAIT_INTO(self->first, thrum_yield());
    AWAIT_CATCH_ALL(self->error, thrum_sleep(100));
    CHECK_EQ(self->error, THRUM_ECANCELED);
    ASYNC_RAISE(-7);
FINALLY:
    AWAIT_INTO(self->last, thrum_yield());
    CHECK_EQ(self->first, 0);
    CHECK_EQ(self->last, 0);
    ASYNC_END;
}

TEST(oracle_found, yield_gives_nothing)
{
    sim_open();
    thrum_task *task = thrum_spawn(yields_later());
    sim_pass();
    sim_pass();
    thrum_task_cancel(task);
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, NULL), -7);
    thrum_task_release(task);
    sim_close();
}

/* ---- the block awaits a child that fails: the group hears of it first, and cancels the block ---- */

static ASYNC(fails, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(100));
    ASYNC_RAISE(-7);
    ASYNC_END;
}

static ASYNC(awaits_child, ARGS((int *, met)),
             LOCALS(thrum_group group; thrum_task * child; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->group, thrum_group_open(&self->group)) {
            self->child = thrum_group_spawn(&self->group, fails());
            AWAIT_CATCH_ALL(*self->met, self->child);
        }
    }
    CATCH (self->error, self->attempt) {
        ASYNC_RETURN(self->error);
    }
    ASYNC_END;
}

TEST(oracle_found, group_cancels_before_child_is_awaited)
{
    int met = 0;
    thrum_value ended = 0;
    CHECK_EQ(sim_run(awaits_child(&met), &ended), 0);
    CHECK_EQ(met, THRUM_ECANCELED);
    CHECK_EQ(ended, THRUM_EGROUP);
}

/* ---- a timer fires and cancels a task whose own sleep is over in the same pass: it goes on at once, not behind
 * others ---- */

static char order[8];

static ASYNC(sleeps, ARGS((const char *, name)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, thrum_sleep(100));
    strcat(order, self->name);
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

static void cancel_it(thrum_handle *handle)
{
    thrum_task_cancel(handle->context);
}

TEST(oracle_found, cancelled_sleeper_keeps_its_turn)
{
    thrum_handle timer;
    order[0] = '\0';
    sim_open();
    thrum_task *first = thrum_spawn(sleeps("a")), *second = thrum_spawn(sleeps("b"));
    thrum_handle_init(&timer, cancel_it, second);
    CHECK_EQ(thrum_call_later(100, &timer), 0);
    CHECK_EQ(sim_until(first), 0);
    CHECK_EQ(sim_until(second), 0);
    CHECK_STR(order, "ba");
    CHECK(thrum_task_cancelled(second));
    thrum_task_release(first);
    thrum_task_release(second);
    sim_close();
}

/* ---- no time for a task that goes on when it is cancelled ---- */

static ASYNC(stubborn, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, thrum_sleep(1000));
    CHECK_EQ(self->error, THRUM_ECANCELED);
    AWAIT(thrum_sleep(1000));
    ASYNC_RETURN(5);
    ASYNC_END;
}

static ASYNC(has_no_time, ARGS((thrum_task *, task)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(100));
    AWAIT_INTO(self->value, thrum_timeout(0, thrum_task_wait(self->task)));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

TEST(oracle_found, no_time_gives_what_the_task_gives)
{
    thrum_value value = 0;
    sim_open();
    thrum_task *task = thrum_spawn(stubborn());
    CHECK_EQ(sim_run(has_no_time(task), &value), 0);
    CHECK_EQ(value, 5);
    thrum_task_release(task);
    sim_close();
}

TEST(oracle_found, cancelling_who_has_no_time_cancels_the_task_once)
{
    thrum_handle timer;
    thrum_value value = 0;
    sim_open();
    thrum_task *task = thrum_spawn(stubborn()), *waits = thrum_spawn(has_no_time(task));
    thrum_handle_init(&timer, cancel_it, waits);
    CHECK_EQ(thrum_call_later(200, &timer), 0);
    CHECK_EQ(sim_until(waits), 0);
    CHECK(thrum_task_cancelled(waits));
    CHECK(!thrum_task_done(task));
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, &value), 0);
    CHECK_EQ(value, 5);
    thrum_task_release(task);
    thrum_task_release(waits);
    sim_close();
}
