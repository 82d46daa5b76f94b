/* Everything static: one array for the pool, frames that a function keeps for itself. What is full says so at the await
 * or the spawn, and the program goes on. */
#include "bare_support.h"

static ASYNC(sleeps, ARGS((thrum_time, ticks)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->ticks));
    ASYNC_END;
}

static ASYNC(large, ARGS((thrum_time, ticks)), LOCALS_NONE, BUFFERS(char room[600];))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->ticks));
    ASYNC_END;
}

static ASYNC(large_and_kept, ARGS((thrum_time, ticks)), LOCALS_NONE, RESERVE(2), BUFFERS(char room[600];))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->ticks));
    ASYNC_END;
}

enum { MANY = 1000 };
static thrum_task *tasks[MANY];

static ASYNC(fills_the_pool, ARGS_NONE, LOCALS(int count, i, error;))
{
    ASYNC_BEGIN;
    while (self->count < MANY && (tasks[self->count] = thrum_spawn(sleeps(1))))
        self->count++;
    CHECK_GT(self->count, 2);
    CHECK_LT(self->count, MANY);
    AWAIT_CATCH(self->error, large(1));
    CHECK_EQ(self->error, THRUM_ENOMEM);
    for (self->i = 0; self->i < self->count; self->i++) {
        AWAIT(thrum_task_wait(tasks[self->i]));
        thrum_task_release(tasks[self->i]);
    }
    AWAIT(sleeps(1)); /* there is memory again */
    ASYNC_END;
}

TEST(storage, a_full_pool_refuses_and_the_program_goes_on)
{
    bare_memory_use(4000);
    CHECK_EQ(thrum_bare_run(fills_the_pool(), NULL), 0);
}

TEST(storage, too_little_for_a_task)
{
    bare_memory_use(64);
    CHECK_EQ(thrum_bare_run(sleeps(1), NULL), THRUM_ENOMEM);
}

/* A reserve serves when the pool has nothing more. */
static ASYNC(uses_the_reserve, ARGS_NONE, LOCALS(int count, i, error; thrum_awaitable made[2];))
{
    ASYNC_BEGIN;
    while (self->count < MANY && (tasks[self->count] = thrum_spawn(sleeps(1))))
        self->count++;
    for (self->i = 0; self->i < 3; self->i++)
        AWAIT(large_and_kept(0));
    self->made[0] = large_and_kept(1);
    self->made[1] = large_and_kept(1);
    AWAIT_CATCH(self->error, large_and_kept(1));
    CHECK_EQ(self->error, THRUM_ENOMEM);
    AWAIT(self->made[1]);
    AWAIT(large_and_kept(1));
    AWAIT(self->made[0]);
    for (self->i = 0; self->i < self->count; self->i++) {
        AWAIT(thrum_task_wait(tasks[self->i]));
        thrum_task_release(tasks[self->i]);
    }
    ASYNC_END;
}

TEST(storage, a_reserve_holds_as_many_as_it_says)
{
    bare_memory_use(4000);
    CHECK_EQ(thrum_bare_run(uses_the_reserve(), NULL), 0);
}

/* ---- the loop ---- */

static ASYNC(raises, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RAISE(THRUM_EAPP(3));
    ASYNC_END;
}

static ASYNC(runs_another, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_bare_run(sleeps(1), NULL), THRUM_ESTATE);
    ASYNC_RETURN(5);
    ASYNC_END;
}

TEST(storage, run_gives_what_became_of_the_program)
{
    thrum_value value = 0;
    bare_memory_use(sizeof bare_memory);
    CHECK_EQ(thrum_run(sleeps(1)), 0);
    CHECK_EQ(thrum_run(raises()), 1);
    CHECK_EQ(thrum_bare_run(raises(), NULL), THRUM_EAPP(3));
    CHECK_EQ(thrum_bare_run(runs_another(), &value), 0);
    CHECK_EQ(value, 5);
}

static int cleaned;

static ASYNC(cleans_up, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(1000000));
FINALLY:
    AWAIT(thrum_sleep(1));
    cleaned++;
    ASYNC_END;
}

static ASYNC(leaves_some_behind, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_task_release(thrum_spawn(cleans_up()));
    thrum_task_release(thrum_spawn(cleans_up()));
    AWAIT(thrum_yield());
    ASYNC_END;
}

TEST(storage, what_is_left_behind_is_cancelled_and_awaited)
{
    thrum_pool_stats stats;
    CHECK_EQ(bare_run(leaves_some_behind), 0);
    CHECK_EQ(cleaned, 2);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.used, 0);
}

/* A main loop that is there already. */
TEST(storage, a_main_loop_steps_the_loop)
{
    thrum_value value = 0;
    bare_memory_use(sizeof bare_memory);
    CHECK_EQ(thrum_bare_open(), 0);
    CHECK_EQ(thrum_bare_open(), THRUM_ESTATE);
    thrum_task *task = thrum_spawn(sleeps(3));
    unsigned passes = 0;
    for (bool more; more = thrum_bare_step(), !thrum_task_done(task); passes++)
        if (!more)
            thrum_bare_sleep();
    CHECK_LT(passes, 10); /* it slept in between */
    CHECK_EQ(thrum_task_result(task, &value), 0);
    thrum_task_release(task);
    CHECK_EQ(thrum_bare_run(runs_another(), &value), 0); /* in the same loop */
    thrum_bare_close();
}
