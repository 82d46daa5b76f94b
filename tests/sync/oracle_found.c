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
