/* The loop of a microcontroller, on a machine without hardware. */
#include "machine.h"

static ASYNC(add, ARGS((int, a), (int, b)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(MILLISECONDS(5)));
    ASYNC_RETURN(self->a + self->b);
    ASYNC_END;
}

TEST(loop, runs_a_program_and_gives_its_result)
{
    thrum_value value = 0;
    machine_memory(2048);
    CHECK_EQ(thrum_bare_run(add(20, 22), &value), 0);
    CHECK_EQ(value, 42);
}

static ASYNC(fail, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

TEST(loop, gives_an_exit_code)
{
    machine_memory(2048);
    CHECK_EQ(thrum_run(add(1, 2)), 0);
    CHECK_EQ(thrum_run(fail(THRUM_EINVAL)), 1);
    CHECK_EQ(thrum_bare_run(fail(THRUM_EINVAL), NULL), THRUM_EINVAL);
}

TEST(loop, sleeps_once_for_a_timer_and_never_ticks)
{
    machine_memory(2048);
    CHECK_EQ(thrum_run(add(1, 2)), 0);
    CHECK_EQ(machine_sleeps, 1);
}

static ASYNC(count_days, ARGS((int, days)), LOCALS(int day;))
{
    ASYNC_BEGIN;
    for (self->day = 0; self->day < self->days; self->day++)
        AWAIT(thrum_sleep(SECONDS(86400)));
    ASYNC_END;
}

TEST(loop, sleeps_for_sixty_days_with_a_clock_that_goes_round_after_fifty)
{
    machine_memory(2048);
    CHECK_EQ(thrum_run(count_days(60)), 0);
    CHECK_EQ(machine_sleeps, 60);
}

/* A timer at the very time that stands for "never" is one all the same. */
TEST(loop, wakes_at_the_last_tick_of_the_clock)
{
    machine_memory(2048);
    machine_set_clock((thrum_time)-1 - MILLISECONDS(5));
    CHECK_EQ(thrum_run(add(1, 2)), 0);
    CHECK_EQ(machine_sleeps, 1);
}

TEST(loop, sleeps_as_long_as_the_clock_allows)
{
    machine_memory(2048);
    machine_set_clock((thrum_time)-100);
    CHECK_EQ(thrum_run(thrum_sleep(INT32_MAX)), 0);
    CHECK_EQ(machine_sleeps, 1);
}

static int cleaned;

static ASYNC(linger, ARGS((thrum_time, clean_up)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(3600)));
FINALLY:
    AWAIT(thrum_sleep(self->clean_up));
    cleaned++;
    ASYNC_END;
}

static ASYNC(leave_behind, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_spawn_detached(linger(0));
    thrum_spawn_detached(linger(SECONDS(2)));
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    ASYNC_END;
}

TEST(loop, cancels_and_joins_what_a_program_leaves_behind)
{
    machine_memory(4096);
    CHECK_EQ(thrum_run(leave_behind()), 0);
    CHECK_EQ(cleaned, 2);
}

static ASYNC(dig, ARGS((int *, depth)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ++*self->depth;
    AWAIT(dig(self->depth));
    ASYNC_END;
}

static ASYNC(greedy, ARGS_NONE, LOCALS(int spawned, depth, error;))
{
    ASYNC_BEGIN;
    while (thrum_spawn_detached(linger(0)) == 0)
        self->spawned++;
    CHECK_GT(self->spawned, 2);
    AWAIT_CATCH(self->error, dig(&self->depth));
    CHECK_EQ(self->error, THRUM_ENOMEM);
    ASYNC_RETURN(self->spawned);
    ASYNC_END;
}

TEST(loop, goes_on_where_the_pool_is_used_up)
{
    thrum_value spawned;
    machine_memory(1024);
    CHECK_EQ(thrum_bare_run(greedy(), &spawned), 0);
    /* Those that had not begun were cancelled before they did. */
    CHECK_EQ(cleaned, 0);
    CHECK_EQ(thrum_bare_run(add(1, 2), NULL), 0);
}

TEST(loop, takes_no_memory_but_runs_nothing_without)
{
    uint64_t little[2];
    CHECK_EQ(thrum_bare_open(), 0);
    CHECK_EQ(thrum_bare_run(thrum_sleep(1), NULL), THRUM_ENOMEM);
    thrum_bare_close();
    CHECK_EQ(thrum_pool_use_memory(little, sizeof little), THRUM_EINVAL);
    machine_memory(64);
    CHECK_EQ(thrum_bare_run(thrum_sleep(1), NULL), THRUM_ENOMEM);
}

static ASYNC(nest, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_bare_run(add(1, 2), NULL), THRUM_ESTATE);
    ASYNC_END;
}

TEST(loop, does_not_run_inside_of_itself)
{
    machine_memory(2048);
    CHECK_EQ(thrum_run(nest()), 0);
}

/* In a main loop that is there already. */
TEST(loop, is_stepped)
{
    machine_memory(2048);
    CHECK_EQ(thrum_bare_open(), 0);
    CHECK_EQ(thrum_bare_open(), THRUM_ESTATE);
    thrum_task *task = thrum_spawn(add(1, 2));
    thrum_value value;
    for (;;) {
        bool more = thrum_bare_step();
        if (thrum_task_done(task))
            break;
        if (!more)
            thrum_bare_sleep();
    }
    CHECK_EQ(thrum_task_result(task, &value), 0);
    CHECK_EQ(value, 3);
    thrum_task_release(task);
    thrum_bare_close();
    CHECK_EQ(thrum_bare_open(), 0);
    thrum_bare_close();
}
