/* Semaphore. The number in a comment is the corner point of asyncio's behaviour; a name is the asyncio test that the
 * test stands for. */
#include "lines.h"

static thrum_semaphore semaphore;

static ASYNC(taker, ARGS((char, name)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_semaphore_acquire(&semaphore));
    put(self->name);
    ASYNC_END;
}

static ASYNC(quick_taker, ARGS((char, name)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT_SEMAPHORE(&semaphore);
    put(self->name);
    ASYNC_END;
}

/* 66, initial_value_zero, semaphore_value */
TEST(semaphores, none_at_first)
{
    static thrum_semaphore zeroed, one = THRUM_SEMAPHORE_INIT(1);
    thrum_semaphore_init(&semaphore, 0);
    CHECK(thrum_semaphore_locked(&semaphore));
    CHECK(!thrum_semaphore_try(&semaphore));
    CHECK(!thrum_semaphore_locked(&one));
    CHECK(thrum_semaphore_locked(&zeroed));
    CHECK_EQ(thrum_semaphore_release(&zeroed), 0);
    CHECK(thrum_semaphore_try(&zeroed));
    CHECK(!thrum_semaphore_try(&zeroed));
}

/* 66, release_not_acquired: the bound is that of the beginning, and is looked at when a unit is given back */
TEST(semaphores, bounded)
{
    thrum_semaphore two = THRUM_BOUNDED_SEMAPHORE_INIT(2);
    CHECK_EQ(thrum_semaphore_release(&two), THRUM_EINVAL);
    CHECK(thrum_semaphore_try(&two));
    CHECK_EQ(thrum_semaphore_release(&two), 0);
    CHECK_EQ(thrum_semaphore_release(&two), THRUM_EINVAL);
    CHECK_EQ(two.value, 2);
    thrum_bounded_semaphore_init(&two, 0);
    CHECK_EQ(thrum_semaphore_release(&two), THRUM_EINVAL);
    thrum_semaphore_init(&two, UINT32_MAX);
    CHECK_EQ(thrum_semaphore_release(&two), THRUM_EINVAL);
}

/* acquire */
TEST(semaphores, in_order)
{
    begin();
    thrum_semaphore_init(&semaphore, 3);
    CHECK(thrum_semaphore_try(&semaphore));
    CHECK(thrum_semaphore_try(&semaphore));
    CHECK(!thrum_semaphore_locked(&semaphore));
    go(taker('1'));
    go(quick_taker('2'));
    go(taker('3'));
    sim_pass();
    CHECK_STR(trace, "1");
    CHECK(thrum_semaphore_locked(&semaphore));
    CHECK_EQ(semaphore.value, 0);
    thrum_task *last = go(taker('4'));
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    CHECK_EQ(semaphore.value, 0); /* 63: those who wait have them */
    CHECK(thrum_semaphore_locked(&semaphore));
    sim_pass();
    CHECK_STR(trace, "123");
    CHECK(thrum_semaphore_locked(&semaphore));
    CHECK_EQ(ended(last), THRUM_EPENDING);
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    sim_pass();
    CHECK_STR(trace, "1234");
    over();
}

/* release_no_waiters */
TEST(semaphores, release)
{
    thrum_semaphore_init(&semaphore, 1);
    CHECK(thrum_semaphore_try(&semaphore));
    CHECK(thrum_semaphore_locked(&semaphore));
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    CHECK(!thrum_semaphore_locked(&semaphore));
}

/* 63: a unit is there, but the one who was woken for another has not run yet */
TEST(semaphores, no_barging)
{
    begin();
    thrum_semaphore_init(&semaphore, 0);
    go(taker('1'));
    sim_pass();
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    CHECK_EQ(semaphore.value, 1);
    CHECK(thrum_semaphore_locked(&semaphore));
    thrum_task *newcomer = thrum_spawn_eager(quick_taker('2'));
    CHECK_EQ(ended(newcomer), THRUM_EPENDING);
    sim_pass();
    CHECK_STR(trace, "1");
    sim_pass();
    CHECK_STR(trace, "12");
    thrum_task_release(newcomer);
    over();
}

/* acquire_cancel */
TEST(semaphores, cancelled_while_waiting)
{
    begin();
    thrum_semaphore_init(&semaphore, 0);
    thrum_task *task = go(taker('1'));
    sim_pass();
    thrum_task_cancel(task);
    thrum_task_cancel(task);
    CHECK_NULL(semaphore.waiters.first);
    sim_pass();
    CHECK_EQ(ended(task), THRUM_ECANCELED);
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    CHECK(!thrum_semaphore_locked(&semaphore));
    over();
}

/* acquire_cancel_before_awoken */
TEST(semaphores, the_first_two_are_cancelled)
{
    begin();
    thrum_semaphore_init(&semaphore, 0);
    thrum_task *first = go(taker('1')), *second = go(taker('2')), *third = go(taker('3')), *fourth = go(taker('4'));
    sim_pass();
    thrum_task_cancel(first);
    thrum_task_cancel(second);
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    sim_pass();
    CHECK_EQ(ended(third), 0);
    CHECK_EQ(ended(fourth), THRUM_EPENDING);
    thrum_task_cancel(fourth);
    over();
}

/* acquire_hang */
TEST(semaphores, the_first_is_cancelled)
{
    begin();
    thrum_semaphore_init(&semaphore, 0);
    thrum_task *first = go(taker('1')), *second = go(taker('2'));
    sim_pass();
    thrum_task_cancel(first);
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    sim_pass();
    CHECK(thrum_semaphore_locked(&semaphore));
    CHECK_EQ(ended(second), 0);
    over();
}

/* 64: it was given a unit, is cancelled before it runs, and gives it back */
TEST(semaphores, woken_then_cancelled)
{
    begin();
    thrum_semaphore_init(&semaphore, 0);
    thrum_task *first = go(taker('1')), *second = go(taker('2'));
    sim_pass();
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    thrum_task_cancel(first);
    CHECK(thrum_semaphore_locked(&semaphore));
    sim_pass();
    CHECK_EQ(ended(first), THRUM_ECANCELED);
    CHECK_EQ(ended(second), THRUM_EPENDING);
    sim_pass();
    CHECK_EQ(ended(second), 0);
    CHECK(thrum_semaphore_locked(&semaphore));
    over();
}

static thrum_task *victim;

static ASYNC(canceler, ARGS_NONE, LOCALS(thrum_semaphore_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_semaphore_hold(&self->hold, &semaphore)) {
        AWAIT(thrum_sleep(0));
    }
    thrum_task_cancel(victim);
    ASYNC_END;
}

static ASYNC(never, ARGS_NONE, LOCALS(thrum_semaphore_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_semaphore_hold(&self->hold, &semaphore)) {
        put('!');
    }
    ASYNC_END;
}

/* 64, acquire_no_hang */
TEST(semaphores, cancelled_by_the_one_that_released)
{
    begin();
    thrum_semaphore_init(&semaphore, 1);
    thrum_task *first = go(canceler());
    victim = go(never());
    sim_settle();
    CHECK_EQ(ended(first), 0);
    CHECK_EQ(ended(victim), THRUM_ECANCELED);
    CHECK_STR(trace, "");
    CHECK(thrum_semaphore_try(&semaphore));
    over();
}

static ASYNC(twice, ARGS((char, small), (char, big)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_semaphore_acquire(&semaphore));
    put(self->small);
    AWAIT(thrum_sleep(MILLISECONDS(10)));
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    AWAIT(thrum_semaphore_acquire(&semaphore));
    put(self->big);
    AWAIT(thrum_sleep(MILLISECONDS(10)));
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    ASYNC_END;
}

/* 65, acquire_fifo_order */
TEST(semaphores, order_1)
{
    begin();
    thrum_semaphore_init(&semaphore, 1);
    go(twice('a', 'A'));
    go(twice('b', 'B'));
    go(twice('c', 'C'));
    over();
    CHECK_STR(trace, "abcABC");
}

static ASYNC(returning, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_semaphore_acquire(&semaphore));
    put('2');
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    AWAIT(thrum_semaphore_acquire(&semaphore));
    put('4');
    ASYNC_END;
}

/* 65, acquire_fifo_order_2 */
TEST(semaphores, order_2)
{
    begin();
    thrum_semaphore_init(&semaphore, 1);
    go(taker('1'));
    go(returning());
    go(taker('3'));
    sim_pass();
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    over();
    CHECK_STR(trace, "1234");
}

/* 65, acquire_fifo_order_3 */
TEST(semaphores, order_3)
{
    begin();
    thrum_semaphore_init(&semaphore, 0);
    thrum_task *first = go(taker('1'));
    go(taker('2'));
    go(taker('3'));
    sim_pass();
    thrum_task_cancel(first);
    sim_pass();
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    over();
    CHECK_STR(trace, "23");
}

static ASYNC(fourth, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    put('4');
    ASYNC_END;
}

static ASYNC(first_of_four, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(semaphore.value, 0);
    AWAIT(thrum_semaphore_acquire(&semaphore));
    CHECK_EQ(semaphore.value, 0); /* this wake has woken the others */
    go(fourth());
    put('1');
    ASYNC_END;
}

static ASYNC(releasing, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    CHECK_EQ(semaphore.value, 2);
    CHECK(thrum_semaphore_locked(&semaphore)); /* the first has not run yet */
    AWAIT(thrum_semaphore_acquire(&semaphore));
    put('2');
    ASYNC_END;
}

/* 65, acquire_fifo_order_4 */
TEST(semaphores, order_4)
{
    begin();
    thrum_semaphore_init(&semaphore, 0);
    go(first_of_four());
    go(releasing());
    go(taker('3'));
    sim_pass();
    CHECK_EQ(semaphore.value, 2);
    over();
    CHECK_STR(trace, sim_eager() ? "4123" : "1234"); /* the fourth takes nothing */
}

/* A bounded one counts units that were handed over but not taken yet as taken. */
TEST(semaphores, bounded_with_waiters)
{
    begin();
    thrum_bounded_semaphore_init(&semaphore, 1);
    CHECK(thrum_semaphore_try(&semaphore));
    thrum_task *first = go(taker('1')), *second = go(taker('2'));
    sim_pass();
    CHECK_EQ(thrum_semaphore_release(&semaphore), 0);
    thrum_task_cancel(first);
    thrum_task_cancel(second);
    sim_settle();
    CHECK_EQ(semaphore.value, 1);
    CHECK_EQ(thrum_semaphore_release(&semaphore), THRUM_EINVAL);
    over();
}
