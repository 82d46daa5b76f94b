/* Lock and event. The number in a comment is the corner point of asyncio's behaviour; a name is the asyncio test that
 * the test stands for. */
#include "lines.h"

static thrum_lock lock;

static ASYNC(taker, ARGS((char, name)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_lock_acquire(&lock));
    put(self->name);
    ASYNC_END;
}

/* The same by the macro. */
static ASYNC(quick_taker, ARGS((char, name)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT_LOCK(&lock);
    put(self->name);
    ASYNC_END;
}

static ASYNC(holder, ARGS((char, name), (thrum_future *, blocker)), LOCALS(thrum_lock_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_lock_hold(&self->hold, &lock)) {
        put(self->name);
        if (self->blocker)
            AWAIT(self->blocker);
    }
    ASYNC_END;
}

/* acquire: first come, first served, one pass from release to the next one */
TEST(locks, in_order)
{
    begin();
    CHECK(thrum_lock_try(&lock));
    thrum_task *first = go(taker('1')), *second = go(quick_taker('2'));
    sim_pass();
    CHECK_STR(trace, "");
    CHECK_EQ(thrum_lock_release(&lock), 0);
    sim_pass();
    CHECK_STR(trace, "1");
    sim_pass();
    CHECK_STR(trace, "1");
    thrum_task *third = go(taker('3'));
    CHECK_EQ(thrum_lock_release(&lock), 0);
    sim_pass();
    CHECK_STR(trace, "12");
    CHECK_EQ(thrum_lock_release(&lock), 0);
    sim_pass();
    CHECK_STR(trace, "123");
    CHECK_EQ(ended(first), 0);
    CHECK_EQ(ended(second), 0);
    CHECK_EQ(ended(third), 0);
    CHECK_EQ(thrum_lock_release(&lock), 0);
    over();
}

/* 56: between release and the turn of the first in line nobody holds it, and nobody gets in between */
TEST(locks, no_barging)
{
    begin();
    CHECK(thrum_lock_try(&lock));
    go(taker('1'));
    sim_pass();
    CHECK_EQ(thrum_lock_release(&lock), 0);
    CHECK(!thrum_lock_locked(&lock));
    CHECK(!thrum_lock_try(&lock));
    CHECK_EQ(thrum_lock_release(&lock), THRUM_ESTATE);
    thrum_task *newcomer = thrum_spawn_eager(quick_taker('2')); /* runs before the one that was woken */
    CHECK_EQ(ended(newcomer), THRUM_EPENDING);
    sim_pass();
    CHECK_STR(trace, "1");
    CHECK_EQ(thrum_lock_release(&lock), 0);
    sim_pass();
    CHECK_STR(trace, "12");
    thrum_task_release(newcomer);
    CHECK_EQ(thrum_lock_release(&lock), 0);
    over();
}

/* 60, release_not_acquired, release_no_waiters */
TEST(locks, release)
{
    begin();
    CHECK_EQ(thrum_lock_release(&lock), THRUM_ESTATE);
    CHECK(!thrum_lock_locked(&lock));
    go(taker('1'));
    sim_pass();
    CHECK(thrum_lock_locked(&lock));
    CHECK_EQ(thrum_lock_release(&lock), 0); /* it is another task's */
    CHECK(!thrum_lock_locked(&lock));
    CHECK_EQ(thrum_lock_release(&lock), THRUM_ESTATE);
    CHECK(thrum_lock_try(&lock));
    CHECK(!thrum_lock_try(&lock));
    thrum_lock_init(&lock);
    CHECK(!thrum_lock_locked(&lock));
    over();
}

/* acquire_cancel */
TEST(locks, cancelled_while_waiting)
{
    begin();
    CHECK(thrum_lock_try(&lock));
    thrum_task *task = go(taker('1'));
    sim_pass();
    thrum_task_cancel(task);
    sim_pass();
    CHECK_EQ(ended(task), THRUM_ECANCELED);
    CHECK_EQ(thrum_lock_release(&lock), 0);
    CHECK(thrum_lock_try(&lock));
    CHECK_EQ(thrum_lock_release(&lock), 0);
    over();
}

/* 59, cancel_race: A releases while B, who is next, is being cancelled */
TEST(locks, release_while_the_next_is_cancelled)
{
    thrum_future blocker;
    thrum_future_init(&blocker);
    begin();
    thrum_task *a = go(holder('A', &blocker)), *b = go(holder('B', NULL)), *c = go(holder('C', NULL));
    sim_pass();
    CHECK(thrum_lock_locked(&lock));
    thrum_future_set_result(&blocker, 0);
    thrum_task_cancel(b);
    sim_pass();
    CHECK(!thrum_lock_locked(&lock));
    CHECK_EQ(ended(a), 0);
    CHECK_EQ(ended(b), THRUM_ECANCELED);
    CHECK_EQ(ended(c), THRUM_EPENDING);
    sim_pass();
    CHECK_EQ(ended(c), 0);
    CHECK_STR(trace, "AC");
    over();
}

/* 59, cancel_release_race: only one of the two behind gets it */
TEST(locks, cancel_and_release_wake_one)
{
    begin();
    CHECK(thrum_lock_try(&lock));
    thrum_task *first = go(taker('1')), *second = go(taker('2')), *third = go(taker('3'));
    sim_pass();
    thrum_task_cancel(first);
    CHECK_EQ(thrum_lock_release(&lock), 0);
    sim_settle();
    CHECK_EQ(ended(first), THRUM_ECANCELED);
    CHECK_EQ(ended(second), 0);
    CHECK_EQ(ended(third), THRUM_EPENDING);
    CHECK_STR(trace, "2");
    thrum_task_cancel(third);
    sim_pass();
    CHECK_EQ(ended(third), THRUM_ECANCELED);
    CHECK_EQ(thrum_lock_release(&lock), 0);
    over();
}

/* The one behind a cancelled first is woken from the step of that one, as asyncio does it: a pass later. */
TEST(locks, the_next_is_woken_by_the_step_of_the_cancelled)
{
    begin();
    CHECK(thrum_lock_try(&lock));
    thrum_task *first = go(taker('1')), *second = go(taker('2')), *third = go(taker('3'));
    sim_pass();
    thrum_task_cancel(second);
    thrum_task_cancel(first);
    CHECK_EQ(thrum_lock_release(&lock), 0);
    CHECK(!thrum_lock_try(&lock)); /* the third waits */
    sim_pass();
    CHECK_EQ(ended(first), THRUM_ECANCELED);
    CHECK_EQ(ended(third), THRUM_EPENDING);
    sim_pass();
    CHECK_EQ(ended(third), 0);
    CHECK_EQ(thrum_lock_release(&lock), 0);
    over();
}

/* The same, cancelled once more before it runs. */
TEST(locks, the_next_is_woken_though_the_first_is_cancelled_twice)
{
    begin();
    CHECK(thrum_lock_try(&lock));
    thrum_task *first = go(taker('1')), *second = go(taker('2'));
    sim_pass();
    thrum_task_cancel(first);
    thrum_task_cancel(first);
    CHECK_EQ(thrum_lock_release(&lock), 0);
    sim_settle();
    CHECK_EQ(ended(first), THRUM_ECANCELED);
    CHECK_EQ(ended(second), 0);
    CHECK_EQ(thrum_lock_release(&lock), 0);
    CHECK(thrum_lock_try(&lock));
    CHECK_EQ(thrum_lock_release(&lock), 0);
    over();
}

/* 57: who waits but is cancelled already is in nobody's way */
TEST(locks, free_when_all_who_wait_are_cancelled)
{
    begin();
    CHECK(thrum_lock_try(&lock));
    thrum_task *first = go(taker('1')), *second = go(taker('2'));
    sim_pass();
    thrum_task_cancel(first);
    thrum_task_cancel(second);
    CHECK_EQ(thrum_lock_release(&lock), 0);
    CHECK(thrum_lock_try(&lock));
    sim_pass();
    CHECK_EQ(ended(second), THRUM_ECANCELED);
    CHECK(thrum_lock_locked(&lock));
    CHECK_EQ(thrum_lock_release(&lock), 0);
    over();
}

/* 58, finished_waiter_cancelled: it was woken, is cancelled before it runs, and hands on */
TEST(locks, woken_then_cancelled)
{
    begin();
    CHECK(thrum_lock_try(&lock));
    thrum_task *first = go(taker('1')), *second = go(taker('2')), *third = go(taker('3'));
    sim_pass();
    CHECK_EQ(thrum_lock_release(&lock), 0);
    thrum_task_cancel(first);
    sim_pass();
    CHECK_EQ(ended(first), THRUM_ECANCELED);
    CHECK(!thrum_lock_locked(&lock));
    CHECK(!thrum_lock_try(&lock));
    sim_pass();
    CHECK_EQ(ended(second), 0);
    CHECK_EQ(ended(third), THRUM_EPENDING);
    CHECK_EQ(thrum_lock_release(&lock), 0);
    sim_pass();
    CHECK_STR(trace, "23");
    CHECK_EQ(thrum_lock_release(&lock), 0);
    over();
}

/* A cancellation that is taken back in time leaves the wake as it was. */
TEST(locks, woken_cancelled_and_not_after_all)
{
    begin();
    CHECK(thrum_lock_try(&lock));
    thrum_task *first = go(taker('1'));
    sim_pass();
    CHECK_EQ(thrum_lock_release(&lock), 0);
    thrum_task_cancel(first);
    CHECK_EQ(thrum_task_uncancel(first), 0);
    sim_pass();
    CHECK_EQ(ended(first), 0);
    CHECK(thrum_lock_locked(&lock));
    CHECK_EQ(thrum_lock_release(&lock), 0);
    over();
}

static ASYNC(hasty, ARGS((thrum_time, limit)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_timeout(self->limit, thrum_lock_acquire(&lock)));
    ASYNC_RETURN(self->error);
    ASYNC_END;
}

/* In the pass in which the time is up the lock comes free: whoever has it, it is not lost. */
TEST(locks, time_is_up_when_it_comes_free)
{
    for (int late = 0; late < 2; late++) {
        begin();
        CHECK(thrum_lock_try(&lock));
        thrum_task *first = go(hasty(SECONDS(1))), *second = go(taker('2'));
        sim_pass();
        if (!late)
            CHECK_EQ(thrum_lock_release(&lock), 0);
        CHECK_EQ(sim_step_(true), 0);
        if (late)
            CHECK_EQ(thrum_lock_release(&lock), 0);
        sim_settle();
        thrum_value error = result_of(first);
        CHECK_EQ(error, late ? THRUM_ETIMEDOUT : 0);
        if (!error)
            CHECK_EQ(thrum_lock_release(&lock), 0);
        sim_settle();
        CHECK_EQ(ended(second), 0);
        CHECK_EQ(thrum_lock_release(&lock), 0);
        over();
    }
}

/* context_manager, lock_by_with_statement */
TEST(locks, block)
{
    thrum_future blocker;
    thrum_future_init(&blocker);
    begin();
    CHECK(!thrum_lock_locked(&lock));
    thrum_task *task = go(holder('1', &blocker));
    sim_pass();
    CHECK(thrum_lock_locked(&lock));
    thrum_task_cancel(task);
    sim_settle();
    CHECK_EQ(ended(task), THRUM_ECANCELED);
    CHECK(!thrum_lock_locked(&lock));
    over();
}

static ASYNC(greedy, ARGS_NONE, LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 1000; self->i++) {
        AWAIT_LOCK(&lock);
        CHECK(thrum_lock_locked(&lock));
        CHECK_EQ(thrum_lock_release(&lock), 0);
    }
    ASYNC_END;
}

/* A free lock costs no pass, however often. */
TEST(locks, macro_does_not_suspend)
{
    begin();
    thrum_task *task = go(greedy());
    sim_pass();
    CHECK_EQ(ended(task), 0);
    over();
}

/* ---- event ---- */

static thrum_event event;

static ASYNC(waiter, ARGS((char, name)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(&event);
    put(self->name);
    ASYNC_END;
}

/* wait: who comes when it is set does not suspend, so it is before those who were woken */
TEST(events, wait)
{
    begin();
    go(waiter('1'));
    go(waiter('2'));
    sim_pass();
    CHECK_STR(trace, "");
    thrum_task *third = thrum_spawn_eager(waiter('4'));
    go(waiter('3'));
    thrum_event_set(&event);
    sim_pass();
    CHECK_STR(trace, "3124");
    thrum_task_release(third);
    over();
}

/* wait_on_set, clear */
TEST(events, set_and_clear)
{
    begin();
    thrum_event_init(&event);
    CHECK(!thrum_event_is_set(&event));
    thrum_event_set(&event);
    CHECK(thrum_event_is_set(&event));
    go(waiter('1'));
    sim_pass();
    CHECK_STR(trace, "1");
    thrum_event_clear(&event);
    CHECK(!thrum_event_is_set(&event));
    over();
}

/* 61, clear_with_waiters */
TEST(events, cleared_at_once)
{
    begin();
    thrum_task *task = go(waiter('1'));
    sim_pass();
    thrum_event_set(&event);
    thrum_event_clear(&event);
    CHECK(!thrum_event_is_set(&event));
    thrum_event_set(&event);
    thrum_event_set(&event);
    thrum_event_clear(&event);
    sim_pass();
    CHECK_STR(trace, "1");
    CHECK_EQ(ended(task), 0);
    over();
}

/* 62, wait_cancel */
TEST(events, cancelled)
{
    begin();
    thrum_task *parked = go(waiter('1')), *woken = go(waiter('2')), *other = go(waiter('3'));
    sim_pass();
    thrum_task_cancel(parked);
    thrum_event_set(&event);
    thrum_event_clear(&event);
    thrum_task_cancel(woken);
    sim_pass();
    CHECK_EQ(ended(parked), THRUM_ECANCELED);
    CHECK_EQ(ended(woken), THRUM_ECANCELED);
    CHECK_EQ(ended(other), 0);
    CHECK_STR(trace, "3");
    over();
}

static ASYNC(waits_in_line, ARGS((char, name)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_lock_acquire(&lock));
    put(self->name);
    thrum_lock_release(&lock);
    AWAIT(&event);
    ASYNC_END;
}

/* 77: tasks of one loop have waited; the next loop uses the same lock and event. asyncio binds them to the first. */
TEST(locks, used_in_one_loop_after_the_other)
{
    thrum_event_init(&event);
    for (int loop = 0; loop < 2; loop++) {
        begin();
        CHECK(thrum_lock_try(&lock));
        thrum_task *first = go(waits_in_line('1')), *second = go(waits_in_line('2'));
        sim_pass();
        CHECK_EQ(thrum_lock_release(&lock), 0);
        sim_settle();
        CHECK_STR(trace, "12");
        thrum_event_set(&event);
        sim_settle();
        CHECK_EQ(ended(first), 0);
        CHECK_EQ(ended(second), 0);
        thrum_event_clear(&event);
        over();
    }
}
