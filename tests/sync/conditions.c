/* Condition. The number in a comment is the corner point of asyncio's behaviour; a name is the asyncio test that the
 * test stands for. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "lines.h"

static thrum_condition condition;

static thrum_lock *the_lock(void)
{
    return thrum_condition_lock(&condition);
}

static bool locked(void)
{
    return thrum_lock_locked(the_lock());
}

/* Waits once and keeps the lock, or gives it back. */
static ASYNC(waiter, ARGS((char, name), (bool, release)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT_LOCK(the_lock());
    AWAIT(thrum_condition_wait(&condition));
    put(self->name);
    if (self->release)
        CHECK_EQ(thrum_lock_release(the_lock()), 0);
    ASYNC_END;
}

/* wait; 69: one by one as the lock comes free */
TEST(conditions, wait)
{
    begin();
    go(waiter('1', false));
    go(waiter('2', false));
    go(waiter('3', false));
    sim_pass();
    CHECK_STR(trace, "");
    CHECK(!locked());

    CHECK(thrum_lock_try(the_lock()));
    CHECK_EQ(thrum_condition_notify(&condition, 1), 0);
    sim_pass();
    CHECK_STR(trace, ""); /* 69: a notification does not release the lock */
    CHECK(locked());

    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_STR(trace, "1");
    CHECK(locked());

    CHECK_EQ(thrum_condition_notify(&condition, 2), 0);
    sim_pass();
    CHECK_STR(trace, "1");

    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_STR(trace, "12");
    CHECK(locked());

    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_STR(trace, "123");
    CHECK(locked());
    over();
}

static ASYNC(bare_waiter, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_condition_wait(&condition));
    ASYNC_END;
}

/* 67, wait_cancel: the lock is held again */
TEST(conditions, cancelled_while_waiting)
{
    begin();
    CHECK(thrum_lock_try(the_lock()));
    thrum_task *task = go(bare_waiter());
    sim_pass();
    CHECK(!locked());
    thrum_task_cancel(task);
    CHECK(!locked()); /* that comes in its own step */
    sim_pass();
    CHECK_EQ(ended(task), THRUM_ECANCELED);
    CHECK_NULL(condition.waiters.first);
    CHECK(locked());
    over();
}

/* wait_cancel_contested: cancelled while it waits for the lock, which comes free before it runs */
TEST(conditions, cancelled_while_the_lock_is_contested)
{
    begin();
    CHECK(thrum_lock_try(the_lock()));
    thrum_task *task = go(bare_waiter());
    sim_pass();
    CHECK(thrum_lock_try(the_lock()));
    CHECK_EQ(thrum_condition_notify(&condition, 1), 0);
    sim_pass();
    thrum_task_cancel(task);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_EQ(ended(task), THRUM_ECANCELED);
    CHECK(locked());
    over();
}

static ASYNC(in_a_block, ARGS_NONE, LOCALS(thrum_condition_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_condition_hold(&self->hold, &condition)) {
        put('b');
        AWAIT(thrum_condition_wait(&condition));
    }
    ASYNC_END;
}

/* wait_cancel_after_notify */
TEST(conditions, cancelled_after_the_notification)
{
    begin();
    thrum_task *task = go(in_a_block());
    sim_pass();
    CHECK(thrum_lock_try(the_lock()));
    CHECK_EQ(thrum_condition_notify(&condition, 1), 0);
    sim_pass();
    thrum_task_cancel(task);
    sim_pass();
    CHECK_EQ(ended(task), THRUM_EPENDING);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_EQ(ended(task), THRUM_ECANCELED);
    CHECK(!locked());
    CHECK_STR(trace, "b");
    over();
}

/* 67: cancelled again and again while it waits for the lock, it keeps trying, each time from the tail */
TEST(conditions, cancelled_again_and_again)
{
    begin();
    thrum_task *task = go(in_a_block());
    sim_pass();
    CHECK(thrum_lock_try(the_lock()));
    for (int i = 0; i < 5; i++) {
        thrum_task_cancel(task);
        sim_pass();
        CHECK_EQ(ended(task), THRUM_EPENDING);
        CHECK_NOT_NULL(the_lock()->waiters.first);
    }
    thrum_task_cancel(task);
    thrum_task_cancel(task); /* a second time before it runs */
    sim_pass();
    CHECK_EQ(ended(task), THRUM_EPENDING);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    thrum_task_cancel(task); /* the lock was handed to it */
    CHECK(!thrum_lock_try(the_lock()));
    sim_pass();
    CHECK_EQ(ended(task), THRUM_ECANCELED);
    CHECK(!locked());
    over();
}

static ASYNC(lock_taker, ARGS((char, name)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT_LOCK(the_lock());
    put(self->name);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    ASYNC_END;
}

/* 67: who is cancelled on the way back to the lock lets those behind go first */
TEST(conditions, cancelled_one_goes_to_the_tail)
{
    begin();
    thrum_task *task = go(waiter('w', true));
    sim_pass();
    CHECK(thrum_lock_try(the_lock()));
    CHECK_EQ(thrum_condition_notify(&condition, 1), 0);
    sim_pass();
    thrum_task *other = go(lock_taker('o'));
    sim_pass();
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    thrum_task_cancel(task); /* it was handed the lock, which goes to the other one first */
    sim_pass();
    CHECK_EQ(ended(task), THRUM_EPENDING);
    sim_pass();
    CHECK_EQ(ended(other), 0);
    CHECK_STR(trace, "o");
    sim_pass();
    CHECK_EQ(ended(task), THRUM_ECANCELED);
    CHECK(locked());
    over();
}

static bool answer;
static int asked;

static bool ask(void *context)
{
    asked++;
    return *(bool *)context;
}

static ASYNC(asker, ARGS((bool, keep)), LOCALS(int gives;))
{
    ASYNC_BEGIN;
    AWAIT_LOCK(the_lock());
    AWAIT_INTO(self->gives, thrum_condition_wait_for(&condition, ask, &answer));
    CHECK(locked());
    put('1');
    if (!self->keep)
        CHECK_EQ(thrum_lock_release(the_lock()), 0);
    ASYNC_RETURN(self->gives);
    ASYNC_END;
}

/* wait_for */
TEST(conditions, wait_for)
{
    begin();
    thrum_task *task = go(asker(false));
    sim_pass();
    CHECK_EQ(asked, 1);
    CHECK(thrum_lock_try(the_lock()));
    CHECK_EQ(thrum_condition_notify(&condition, 1), 0);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_EQ(asked, 2);
    CHECK_STR(trace, "");
    answer = true;
    CHECK(thrum_lock_try(the_lock()));
    CHECK_EQ(thrum_condition_notify(&condition, 1), 0);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_STR(trace, "1");
    CHECK_EQ(result_of(task), 1);
    over();
}

/* 70, wait_unacquired, wait_for_unacquired */
TEST(conditions, without_the_lock)
{
    begin();
    CHECK_EQ(sim_run(thrum_condition_wait(&condition), NULL), THRUM_ESTATE);
    CHECK_NULL(condition.waiters.first);
    CHECK_EQ(sim_run(thrum_condition_wait_for(&condition, ask, &answer), NULL), THRUM_ESTATE);
    answer = true;
    CHECK_EQ(sim_run(thrum_condition_wait_for(&condition, ask, &answer), NULL), 0);
    /* notify_unacquired, notify_all_unacquired */
    CHECK_EQ(thrum_condition_notify(&condition, 1), THRUM_ESTATE);
    CHECK_EQ(thrum_condition_notify_all(&condition), THRUM_ESTATE);
    thrum_task *task = go(waiter('1', true));
    sim_pass();
    CHECK_EQ(thrum_condition_notify_all(&condition), THRUM_ESTATE);
    sim_pass();
    CHECK_EQ(ended(task), THRUM_EPENDING);
    CHECK(thrum_lock_try(the_lock()));
    CHECK_EQ(thrum_condition_notify_all(&condition), 0);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    over();
}

/* 69, notify: more than there are, and the notified do not count again */
TEST(conditions, notify)
{
    begin();
    go(waiter('1', true));
    go(waiter('2', true));
    go(waiter('3', true));
    sim_pass();
    CHECK(thrum_lock_try(the_lock()));
    CHECK_EQ(thrum_condition_notify(&condition, 1), 0);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_STR(trace, "1");
    CHECK(thrum_lock_try(the_lock()));
    CHECK_EQ(thrum_condition_notify(&condition, 1), 0);
    CHECK_EQ(thrum_condition_notify(&condition, 2048), 0);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_STR(trace, "123");
    over();
}

/* notify_all */
TEST(conditions, notify_all)
{
    begin();
    go(waiter('1', true));
    go(waiter('2', true));
    sim_pass();
    CHECK(thrum_lock_try(the_lock()));
    CHECK_EQ(thrum_condition_notify_all(&condition), 0);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_STR(trace, "12");
    over();
}

static ASYNC(both_ways, ARGS((thrum_condition *, one), (thrum_lock *, lock)),
             LOCALS(thrum_condition_hold outer; thrum_lock_hold inner;))
{
    ASYNC_BEGIN;
    CHECK_PTR(thrum_condition_lock(self->one), self->lock);
    WITH (self->outer, thrum_condition_hold(&self->outer, self->one)) {
        CHECK(thrum_lock_locked(self->lock));
    }
    CHECK(!thrum_lock_locked(self->lock));
    WITH (self->inner, thrum_lock_hold(&self->inner, self->lock)) {
        CHECK_EQ(thrum_condition_notify(self->one, 1), 0);
    }
    CHECK(!thrum_lock_locked(self->lock));
    ASYNC_END;
}

/* context_manager, explicit_lock */
TEST(conditions, lock_of_ones_own_or_a_shared_one)
{
    static thrum_lock lock;
    static thrum_condition own = THRUM_CONDITION_INIT, shared;
    thrum_condition_init(&shared, &lock);
    begin();
    go(both_ways(&own, &own.own));
    go(both_ways(&shared, &lock));
    over();
}

static ASYNC(limited, ARGS_NONE, LOCALS(thrum_condition_hold hold; int error;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_condition_hold(&self->hold, &condition)) {
        AWAIT_CATCH(self->error, thrum_timeout(SECONDS(0.5), thrum_condition_wait(&condition)));
        CHECK_EQ(self->error, THRUM_ETIMEDOUT);
        CHECK(locked());
    }
    ASYNC_END;
}

/* 71, timeout_in_block */
TEST(conditions, time_limit)
{
    begin();
    thrum_task *task = go(limited());
    sim_finish();
    CHECK_EQ(ended(task), 0);
    CHECK(!locked());
    over();
}

static ASYNC(told, ARGS_NONE, LOCALS(thrum_condition_hold hold; int error;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_condition_hold(&self->hold, &condition)) {
        AWAIT_CATCH_ALL(self->error, thrum_condition_wait_for(&condition, ask, &answer));
        CHECK_EQ(self->error, THRUM_ECANCELED);
        ASYNC_RAISE(self->error);
    }
    ASYNC_END;
}

static void check_message(const thrum_task *task, const char *expected)
{
#if THRUM_DETAILS
    const thrum_error *detail = thrum_task_error(task);
    CHECK_NOT_NULL(detail);
    CHECK_STR(detail->text, expected);
#else
    (void)task;
    (void)expected;
#endif
}

/* 67, cancelled_error_wakeup: the cancellation comes out as it went in */
TEST(conditions, message_of_a_cancellation_while_waiting)
{
    begin();
    thrum_task *task = go(told());
    sim_pass();
    thrum_task_cancel_with(task, "foo");
    sim_pass();
    CHECK_EQ(ended(task), THRUM_ECANCELED);
    check_message(task, "foo");
    over();
}

/* 67, cancelled_error_re_aquire; and of several it is the newest */
TEST(conditions, message_of_a_cancellation_while_taking_the_lock)
{
    begin();
    thrum_task *task = go(told());
    sim_pass();
    CHECK(thrum_lock_try(the_lock()));
    answer = true;
    CHECK_EQ(thrum_condition_notify(&condition, 1), 0);
    sim_pass();
    thrum_task_cancel_with(task, "foo");
    sim_pass();
    thrum_task_cancel_with(task, "bar");
    sim_pass();
    CHECK_EQ(ended(task), THRUM_EPENDING);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_EQ(ended(task), THRUM_ECANCELED);
    check_message(task, "bar");
    over();
}

static int goods;

static ASYNC(consumer, ARGS_NONE, LOCALS(thrum_condition_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_condition_hold(&self->hold, &condition)) {
        for (;;) {
            AWAIT_UNTIL(goods != 0, thrum_condition_wait(&condition));
            if (goods < 0)
                ASYNC_RETURN(0);
            goods--;
            CHECK_EQ(thrum_condition_notify_all(&condition), 0);
        }
    }
    ASYNC_END;
}

static thrum_task *consumers[2];

static ASYNC(producer, ARGS((bool, let_it_run)), LOCALS(thrum_condition_hold hold; thrum_deadline limit;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_condition_hold(&self->hold, &condition)) {
        goods++;
        CHECK_EQ(thrum_condition_notify(&condition, 1), 0);
        if (self->let_it_run)
            AWAIT(thrum_sleep(0));
        thrum_task_cancel(consumers[0]);
        WITH (self->limit, thrum_deadline_after(&self->limit, MILLISECONDS(10))) {
            AWAIT_UNTIL(goods == 0, thrum_condition_wait(&condition));
        }
        CHECK_EQ(goods, 0);
        goods = -1;
        CHECK_EQ(thrum_condition_notify_all(&condition), 0);
    }
    ASYNC_END;
}

/* 68, cancelled_wakeup, cancelled_wakeup_relock: a notified task is cancelled before it runs, or while it takes the
 * lock */
TEST(conditions, notification_goes_on)
{
    for (int let_it_run = 0; let_it_run < 2; let_it_run++) {
        begin();
        goods = 0;
        consumers[0] = go(consumer());
        consumers[1] = go(consumer());
        sim_pass();
        thrum_task *task = go(producer(let_it_run != 0));
        sim_finish();
        CHECK_EQ(ended(task), 0);
        CHECK_EQ(ended(consumers[0]), THRUM_ECANCELED);
        CHECK_EQ(ended(consumers[1]), 0);
        over();
    }
}

/* 68: and when the notified one is cancelled while the lock was handed to it */
TEST(conditions, notification_goes_on_from_the_lock)
{
    begin();
    goods = 0;
    consumers[0] = go(consumer());
    consumers[1] = go(consumer());
    sim_pass();
    CHECK(thrum_lock_try(the_lock()));
    goods = 1;
    CHECK_EQ(thrum_condition_notify(&condition, 1), 0);
    sim_pass();
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    thrum_task_cancel(consumers[0]);
    sim_settle();
    CHECK_EQ(ended(consumers[0]), THRUM_ECANCELED);
    CHECK_EQ(goods, 0);
    CHECK(thrum_lock_try(the_lock()));
    goods = -1;
    CHECK_EQ(thrum_condition_notify_all(&condition), 0);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    over();
}

/* Without memory for the predicate's frame nothing has changed. */
TEST(conditions, no_memory)
{
    static max_align_t memory[THRUM_HOSTED ? 1024 : 256];
    thrum_awaitable taken[512];
    size_t count = 0;
    CHECK_EQ(thrum_pool_use_memory(memory, sizeof memory), 0);
    begin();
    CHECK(thrum_lock_try(the_lock()));
    thrum_task *task = go(asker(true));
    answer = true;
    while (count < 512) {
        taken[count] = in_a_block();
        if (taken[count].word == thrum_awaitable_failing(THRUM_ENOMEM).word)
            break;
        count++;
    }
    CHECK_LT(count, 512);
    CHECK_EQ(thrum_lock_release(the_lock()), 0);
    sim_pass();
    CHECK_EQ(ended(task), THRUM_ENOMEM);
    CHECK(locked());
    while (count)
        thrum_drop(taken[--count]);
    over();
}
