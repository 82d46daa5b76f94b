/* Wait. The number in a comment is the corner point of asyncio's behaviour; a name is the asyncio test that the test
 * stands for. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "combine.h"

static bool ended[4];
static thrum_task *tasks[4];

static ASYNC(waits, ARGS((size_t, count), (thrum_wait_until, until), (thrum_time, timeout)),
             LOCALS(int error; size_t finished;))
{
    ASYNC_BEGIN;
    memset(ended, 0, sizeof ended);
    AWAIT_CATCH_ALL_INTO(self->error, self->finished,
                         thrum_wait_tasks(self->count, tasks, self->until, self->timeout, ended));
    put("!");
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(self->finished);
    ASYNC_END;
}

static void release_all(void)
{
    for (size_t i = 0; i < 4; i++) {
        if (tasks[i] && !thrum_task_done(tasks[i]))
            CHECK_EQ(sim_until(tasks[i]), 0);
        if (tasks[i])
            CHECK_NULL(tasks[i]->waiters.first);
        thrum_task_release(tasks[i]);
        tasks[i] = NULL;
    }
}

static void check(size_t count, thrum_wait_until until, thrum_time timeout, thrum_value finished, thrum_time when)
{
    thrum_value got = -1;
    CHECK_EQ(sim_run(waits(count, until, timeout), &got), 0);
    CHECK_EQ(got, finished);
    CHECK_EQ(sim_time(), when);
}

/* wait: all */
TEST(wait, for_all)
{
    begin();
    tasks[0] = thrum_spawn(gives('a', 10));
    tasks[1] = thrum_spawn(fails('b', 15, -5));
    check(2, THRUM_ALL_COMPLETED, THRUM_NEVER, 2, 15);
    CHECK(ended[0] && ended[1]);
    CHECK_EQ(thrum_task_result(tasks[1], NULL), -5);
    release_all();
    CHECK_EQ(sim.reports, 0);
    sim_close();
    CHECK_STR(trace, "abAB!");
}

/* An error that only wait saw is seen by nobody. */
TEST(wait, looks_at_no_error)
{
    begin();
    tasks[0] = thrum_spawn(fails('b', 15, -5));
    check(1, THRUM_ALL_COMPLETED, THRUM_NEVER, 1, 15);
    release_all();
    CHECK_EQ(sim.reports, 1);
    sim_close();
}

/* wait_first_completed; 116: it may give several. */
TEST(wait, for_the_first)
{
    begin();
    tasks[0] = thrum_spawn(gives('a', 20));
    tasks[1] = thrum_spawn(gives('b', 10));
    tasks[2] = thrum_spawn(gives('c', 10));
    check(3, THRUM_FIRST_COMPLETED, THRUM_NEVER, 2, 10);
    CHECK(!ended[0] && ended[1] && ended[2]);
    CHECK(!thrum_task_done(tasks[0]));
    CHECK_NULL(tasks[0]->waiters.first); /* 115 */
    release_all();
    sim_close();
    CHECK_STR(trace, "abcBC!A");
}

/* wait_first_exception, wait_first_exception_in_wait */
TEST(wait, for_the_first_error)
{
    begin();
    tasks[0] = thrum_spawn(gives('a', 10));
    tasks[1] = thrum_spawn(fails('b', 20, -5));
    tasks[2] = thrum_spawn(gives('c', 30));
    tasks[3] = thrum_spawn(gives('d', 15));
    sim_settle();
    thrum_task_cancel(tasks[3]); /* one that is cancelled has not failed */
    check(4, THRUM_FIRST_EXCEPTION, THRUM_NEVER, 3, 20);
    CHECK(ended[0] && ended[1] && !ended[2] && ended[3]);
    CHECK_EQ(thrum_task_result(tasks[1], NULL), -5);
    release_all();
    /* None fails: the same as all. */
    tasks[0] = thrum_spawn(gives('a', 10));
    tasks[1] = thrum_spawn(gives('b', 20));
    check(2, THRUM_FIRST_EXCEPTION, THRUM_NEVER, 2, 50);
    release_all();
    sim_close();
}

/* wait_with_timeout: no error, nothing is cancelled. wait_concurrent_complete: one that ends on the deadline is
 * done. */
TEST(wait, with_a_timeout)
{
    begin();
    tasks[0] = thrum_spawn(gives('a', 10));
    tasks[1] = thrum_spawn(gives('b', 15));
    check(2, THRUM_ALL_COMPLETED, 11, 1, 11);
    CHECK(ended[0] && !ended[1]);
    CHECK_EQ(thrum_task_cancelling(tasks[1]), 0);
    check(2, THRUM_ALL_COMPLETED, 4, 2, 15);
    release_all();
    tasks[0] = thrum_spawn(gives('a', 10));
    check(1, THRUM_ALL_COMPLETED, 0, 0, 15);
    check(1, THRUM_ALL_COMPLETED, 100, 1, 25);
    sim_finish();
    CHECK_EQ(sim_time(), 25); /* no timer is left */
    release_all();
    sim_close();
}

/* It suspends for two passes, also when all are done before; wait_really_done. */
TEST(wait, always_suspends)
{
    begin();
    tasks[0] = thrum_spawn(gives('a', -2));
    tasks[1] = thrum_spawn(gives('b', 10));
    sim_settle();
    thrum_task *waiting = thrum_spawn(waits(1, THRUM_ALL_COMPLETED, THRUM_NEVER));
    CHECK_EQ(passes_of(waiting), 3);
    CHECK_EQ(end_of(waiting, NULL), 0);
    waiting = thrum_spawn(waits(2, THRUM_FIRST_COMPLETED, THRUM_NEVER));
    CHECK_EQ(passes_of(waiting), 3);
    CHECK_EQ(end_of(waiting, NULL), 0);
    CHECK(ended[0] && !ended[1]);
    release_all();
    sim_close();
}

/* 115, yield_wait_does_not_shield_cancel: a cancelled wait leaves the tasks running, and nothing in their lists. */
TEST(wait, is_cancelled)
{
    begin();
    tasks[0] = thrum_spawn(gives('a', 10));
    tasks[1] = thrum_spawn(gives('b', 20));
    for (int passes = 0; passes < 4; passes++) {
        thrum_task *waiting = thrum_spawn(waits(2, THRUM_ALL_COMPLETED, 100));
        for (int i = 0; i < passes; i++)
            sim_pass();
        CHECK(thrum_task_cancel(waiting));
        CHECK_EQ(end_of(waiting, NULL), THRUM_ECANCELED);
        CHECK_NULL(tasks[0]->waiters.first);
        CHECK_NULL(tasks[1]->waiters.first);
    }
    CHECK_EQ(sim_time(), 0);
    release_all();
    sim_finish();
    CHECK_EQ(sim_time(), 20);
    sim_close();
    CHECK_STR(trace, "ab!!!AB");
}

/* Woken, but cancelled before it goes on. */
TEST(wait, is_cancelled_when_it_is_over)
{
    begin();
    tasks[0] = thrum_spawn(gives('a', -2));
    thrum_task *waiting = thrum_spawn(waits(1, THRUM_ALL_COMPLETED, THRUM_NEVER));
    sim_pass();
    sim_pass();
    CHECK(!thrum_task_done(waiting));
    thrum_task_cancel(waiting);
    CHECK_EQ(passes_of(waiting), 1);
    CHECK_EQ(end_of(waiting, NULL), THRUM_ECANCELED);
    CHECK(!ended[0]);
    release_all();
    sim_close();
}

static thrum_future future;

static ASYNC(again_and_again, ARGS_NONE, LOCALS(int n; size_t finished; thrum_future * futures[1];))
{
    ASYNC_BEGIN;
    for (self->n = 0; self->n < 100; self->n++) {
        self->futures[0] = &future;
        AWAIT_INTO(self->finished, thrum_wait_futures(1, self->futures, THRUM_ALL_COMPLETED, 1, NULL));
        CHECK_EQ(self->finished, 0);
        CHECK_NULL(future.waiters.first);
    }
    AWAIT_INTO(self->finished, thrum_wait(THRUM_FIRST_COMPLETED, THRUM_NEVER, ended, tasks[0], &future));
    CHECK_EQ(self->finished, 1);
    CHECK(ended[0] && !ended[1]);
    ASYNC_END;
}

/* 115: a future that is never done gathers no callbacks from waits with a timeout; tasks and futures mixed. */
TEST(wait, for_what_never_ends)
{
    begin();
    thrum_future_init(&future);
    tasks[0] = thrum_spawn(gives('a', 200));
    CHECK_EQ(sim_run(again_and_again(), NULL), 0);
    release_all();
    sim_close();
}

static ASYNC(wrong, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_wait_tasks(0, tasks, THRUM_ALL_COMPLETED, THRUM_NEVER, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_wait_tasks(1, tasks, THRUM_ALL_COMPLETED, THRUM_NEVER, NULL)); /* NULL */
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_wait(THRUM_ALL_COMPLETED, THRUM_NEVER, NULL, &future, gives('a', 1), &future));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_wait((thrum_wait_until)7, THRUM_NEVER, NULL, &future));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_wait_array(0, NULL, THRUM_ALL_COMPLETED, THRUM_NEVER, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    thrum_drop(thrum_wait(THRUM_ALL_COMPLETED, THRUM_NEVER, NULL, &future));
    ASYNC_END;
}

/* wait_errors */
TEST(wait, wrong_arguments)
{
    begin();
    thrum_future_init(&future);
    CHECK_EQ(sim_run(wrong(), NULL), 0);
    sim_close();
    CHECK_STR(trace, "-a");
}

static ASYNC(release_meanwhile, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    thrum_task_release(tasks[0]);
    thrum_task_release(tasks[1]);
    ASYNC_END;
}

/* The owner gives tasks back while they are waited for. */
TEST(wait, tasks_that_are_released_meanwhile)
{
    begin();
    tasks[0] = thrum_spawn(gives('a', -1));
    tasks[1] = thrum_spawn(gives('b', 10));
    CHECK_EQ(thrum_spawn_detached(release_meanwhile()), 0);
    check(2, THRUM_ALL_COMPLETED, THRUM_NEVER, 2, 10);
    tasks[0] = tasks[1] = NULL;
    sim_close();
}

static ASYNC(everything, ARGS_NONE, LOCALS(size_t n;))
{
    ASYNC_BEGIN;
    tasks[0] = thrum_spawn(gives('t', 5));
    tasks[1] = thrum_spawn(gives('t', 7));
    if (!tasks[0] || !tasks[1])
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(thrum_wait_tasks(2, tasks, THRUM_FIRST_COMPLETED, 100, NULL));
    AWAIT(thrum_wait(THRUM_ALL_COMPLETED, 100, NULL, tasks[0], tasks[1], &future));
FINALLY:
    thrum_task_release(tasks[0]);
    thrum_task_release(tasks[1]);
    tasks[0] = tasks[1] = NULL;
    ASYNC_END;
}

TEST(wait, nth_allocation_fails)
{
    thrum_future_init(&future);
    CHECK_GT(every_allocation_fails(everything, 0), 4);
}
