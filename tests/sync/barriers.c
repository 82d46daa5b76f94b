/* Barrier. The number in a comment is the corner point of asyncio's behaviour; a name is the asyncio test that the test
 * stands for. The states of the barrier are private, so most tests tell them by what can be seen. */
#include "lines.h"

enum { N = 5 };

static thrum_barrier barrier, other;
static int good, broken, again;

static ASYNC(waiter, ARGS_NONE, LOCALS(int index;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->index, thrum_barrier_wait(&barrier));
    put((char)('0' + self->index));
    ASYNC_RETURN(self->index);
    ASYNC_END;
}

/* N tasks run to their end, which for each is to be a good one. */
static void all_of(thrum_awaitable (*make)(void), int count)
{
    thrum_task *tasks[N];
    for (int i = 0; i < count; i++)
        tasks[i] = go(make());
    sim_finish();
    for (int i = 0; i < count; i++)
        CHECK_EQ(ended(tasks[i]), 0);
}

static void open_barrier(uint32_t parties)
{
    begin();
    good = broken = again = 0;
    CHECK_EQ(thrum_barrier_init(&barrier, parties), 0);
    CHECK_EQ(thrum_barrier_parties(&barrier), parties);
}

static void close_barrier(void)
{
    over();
    CHECK_EQ(thrum_barrier_waiting(&barrier), 0);
    CHECK_EQ(barrier.count, 0);
    CHECK_NULL(barrier.waiters.first);
}

/* barrier_parties */
TEST(barriers, parties)
{
    static thrum_barrier three = THRUM_BARRIER_INIT(3);
    CHECK_EQ(thrum_barrier_parties(&three), 3);
    CHECK_EQ(thrum_barrier_init(&barrier, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_barrier_init(&barrier, N), 0);
    CHECK(!thrum_barrier_broken(&barrier));
}

static ASYNC(passer, ARGS_NONE, LOCALS(thrum_barrier_pass pass;))
{
    ASYNC_BEGIN;
    WITH (self->pass, thrum_barrier_pass(&self->pass, &barrier)) {
        put((char)('0' + self->pass.index));
    }
    ASYNC_END;
}

/* 72, context_manager: the last one does not suspend, the others follow in the order of coming, each with an index */
TEST(barriers, block)
{
    open_barrier(3);
    go(passer());
    go(passer());
    sim_pass();
    CHECK_EQ(thrum_barrier_waiting(&barrier), 2);
    thrum_task *last = go(passer());
    sim_pass();
    CHECK_STR(trace, "2");
    CHECK_EQ(ended(last), 0);
    CHECK_EQ(thrum_barrier_waiting(&barrier), 0); /* it drains */
    CHECK(!thrum_barrier_broken(&barrier));
    sim_pass();
    CHECK_STR(trace, "201");
    close_barrier();
}

/* filling_one_task, filling_one_task_twice */
TEST(barriers, one_party)
{
    open_barrier(1);
    go(passer());
    thrum_task *first = go(waiter());
    sim_pass();
    CHECK_EQ(result_of(first), 0);
    CHECK_EQ(thrum_barrier_waiting(&barrier), 0);
    thrum_task *second = go(waiter());
    sim_pass();
    CHECK_EQ(result_of(second), 0);
    close_barrier();
}

/* filling_task_by_task */
TEST(barriers, one_by_one)
{
    open_barrier(3);
    for (uint32_t i = 1; i < 3; i++) {
        go(waiter());
        sim_pass();
        CHECK_EQ(thrum_barrier_waiting(&barrier), i);
    }
    go(waiter());
    sim_settle();
    CHECK_STR(trace, "201");
    close_barrier();
}

static ASYNC(twice, ARGS_NONE, LOCALS(thrum_barrier_pass outer, inner;))
{
    ASYNC_BEGIN;
    WITH (self->outer, thrum_barrier_pass(&self->outer, &barrier)) {
        good++;
        WITH (self->inner, thrum_barrier_pass(&self->inner, &barrier)) {
            CHECK_EQ(good, N);
            again |= 1 << self->inner.index;
            put((char)('0' + self->inner.index));
        }
    }
    ASYNC_END;
}

/* 73, filling_tasks_wait_twice, filling_tasks_check_return_value: who is through and comes again while it drains waits
 * for the next round */
TEST(barriers, two_rounds)
{
    open_barrier(N);
    all_of(twice, N);
    CHECK_EQ(again, (1 << N) - 1);
    CHECK_EQ(strlen(trace), N);
    close_barrier();
}

static ASYNC(drainer, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_barrier_wait(&barrier));
    put(barrier.count ? 'd' : 'f');
    ASYNC_END;
}

/* draining_state: until the last has left */
TEST(barriers, drains)
{
    open_barrier(N);
    all_of(drainer, N);
    CHECK_STR(trace, "ddddf");
    close_barrier();
}

enum { AGAIN = 2 };

static ASYNC(blocking, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_barrier_wait(&barrier));
    if (again++ >= AGAIN) {
        AWAIT(thrum_barrier_wait(&other));
        good++;
    }
    AWAIT(thrum_barrier_wait(&barrier));
    ASYNC_END;
}

/* 73, blocking_tasks_while_draining */
TEST(barriers, newcomers_wait_while_it_drains)
{
    open_barrier(N);
    CHECK_EQ(thrum_barrier_init(&other, N - AGAIN), 0);
    all_of(blocking, N);
    CHECK_EQ(good, N - AGAIN);
    close_barrier();
}

/* 74, filling_tasks_cancel_one */
TEST(barriers, cancelled_one_leaves)
{
    open_barrier(3);
    thrum_task *first = go(waiter());
    thrum_task *second = go(waiter());
    sim_pass();
    CHECK_EQ(thrum_barrier_waiting(&barrier), 2);
    thrum_task_cancel(first);
    CHECK_EQ(thrum_barrier_waiting(&barrier), 2); /* it leaves in its own step */
    sim_pass();
    CHECK_EQ(thrum_barrier_waiting(&barrier), 1);
    CHECK_EQ(ended(first), THRUM_ECANCELED);
    thrum_task *third = go(waiter());
    sim_pass();
    CHECK_EQ(thrum_barrier_waiting(&barrier), 2);
    CHECK(!thrum_barrier_broken(&barrier));
    thrum_task *fourth = go(waiter());
    sim_settle();
    CHECK_EQ(ended(second), 0);
    CHECK_EQ(ended(third), 0);
    CHECK_EQ(ended(fourth), 0);
    close_barrier();
}

static ASYNC(named, ARGS((char, name)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_barrier_wait(&barrier));
    put(self->name);
    ASYNC_END;
}

/* A cancelled one has the first in line look, who finds nothing new and goes to the tail: asyncio's order. */
TEST(barriers, order_after_a_cancellation)
{
    open_barrier(4);
    thrum_task *first = go(named('a'));
    go(named('b'));
    go(named('c'));
    sim_pass();
    thrum_task_cancel(first);
    sim_settle();
    CHECK_EQ(ended(first), THRUM_ECANCELED);
    go(named('d'));
    sim_settle();
    go(named('e'));
    sim_settle();
    CHECK_STR(trace, "ecbd");
    close_barrier();
}

/* One who waits for the barrier to fill again is cancelled. */
TEST(barriers, cancelled_outside)
{
    open_barrier(2);
    go(waiter());
    sim_pass();
    go(waiter());
    thrum_task *outside = go(waiter());
    sim_pass();
    CHECK_EQ(ended(outside), THRUM_EPENDING);
    CHECK_EQ(barrier.count, 1);
    thrum_task_cancel(outside);
    sim_pass();
    CHECK_EQ(ended(outside), THRUM_ECANCELED);
    CHECK_EQ(thrum_barrier_waiting(&barrier), 0);
    close_barrier();
}

/* The barrier opened for one who is cancelled before it goes through: it leaves like the others. */
TEST(barriers, cancelled_while_it_drains)
{
    open_barrier(2);
    thrum_task *first = go(waiter());
    sim_pass();
    thrum_task *second = go(waiter());
    sim_pass();
    CHECK_EQ(ended(second), 0);
    CHECK_EQ(ended(first), THRUM_EPENDING);
    thrum_task_cancel(first);
    sim_pass();
    CHECK_EQ(ended(first), THRUM_ECANCELED);
    go(waiter());
    sim_pass();
    CHECK_EQ(thrum_barrier_waiting(&barrier), 1);
    go(waiter());
    close_barrier();
}

/* reset_barrier */
TEST(barriers, reset_without_anybody)
{
    open_barrier(1);
    thrum_barrier_reset(&barrier);
    CHECK_EQ(thrum_barrier_waiting(&barrier), 0);
    CHECK(!thrum_barrier_broken(&barrier));
    close_barrier();
}

static ASYNC(catcher, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_barrier_wait(&barrier));
    if (self->error) {
        CHECK_EQ(self->error, THRUM_EBROKEN);
        broken++;
    } else {
        good++;
    }
    ASYNC_END;
}

/* reset_barrier_while_tasks_waiting */
TEST(barriers, reset_while_it_fills)
{
    open_barrier(N);
    for (int i = 0; i < N - 1; i++)
        go(catcher());
    sim_pass();
    thrum_barrier_reset(&barrier);
    CHECK_EQ(thrum_barrier_waiting(&barrier), 0);
    sim_pass();
    CHECK_EQ(broken, N - 1);
    CHECK(!thrum_barrier_broken(&barrier));
    for (int i = 0; i < N; i++)
        go(catcher());
    sim_settle();
    CHECK_EQ(good, N);
    close_barrier();
}

static ASYNC(half_drained, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_barrier_wait(&barrier));
    if (self->error)
        broken++;
    else if (barrier.count == N / 2)
        thrum_barrier_reset(&barrier);
    ASYNC_END;
}

/* reset_barrier_when_tasks_half_draining: who was released but has not gone yet gets the error */
TEST(barriers, reset_while_it_drains)
{
    open_barrier(N);
    all_of(half_drained, N);
    CHECK_EQ(broken, N / 2);
    CHECK(!thrum_barrier_broken(&barrier));
    close_barrier();
}

static ASYNC(half_blocked, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_barrier_wait(&barrier));
    if (self->error) {
        broken++;
        AWAIT(thrum_barrier_wait(&barrier));
    } else if (++good > N / 2) {
        thrum_barrier_reset(&barrier);
        AWAIT(thrum_barrier_wait(&barrier));
    } else {
        AWAIT_CATCH(self->error, thrum_barrier_wait(&barrier));
        again += self->error != 0;
    }
    ASYNC_END;
}

/* 75, reset_barrier_when_tasks_half_draining_half_blocking: who is through and waits for the next round stays in it */
TEST(barriers, reset_while_it_drains_and_others_wait)
{
    open_barrier(N);
    all_of(half_blocked, N);
    CHECK_EQ(broken, N / 2);
    CHECK_EQ(again, 0);
    CHECK(!thrum_barrier_broken(&barrier));
    close_barrier();
}

static ASYNC(persistent, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_barrier_wait(&barrier));
    broken += self->error == THRUM_EBROKEN;
    AWAIT(thrum_barrier_wait(&barrier));
    good++;
    ASYNC_END;
}

/* reset_barrier_while_tasks_waiting_and_waiting_again */
TEST(barriers, reset_and_waited_for_again)
{
    open_barrier(N);
    for (int i = 0; i < N - 1; i++)
        go(persistent());
    sim_pass();
    thrum_barrier_reset(&barrier);
    sim_settle();
    CHECK_EQ(broken, N - 1);
    CHECK_EQ(thrum_barrier_waiting(&barrier), N - 1);
    go(waiter());
    sim_settle();
    CHECK_EQ(good, N - 1);
    close_barrier();
}

static ASYNC(third_round, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_barrier_wait(&barrier));
    if (++again == N) {
        thrum_barrier_reset(&barrier);
        AWAIT(thrum_barrier_wait(&barrier));
    } else {
        AWAIT_CATCH(self->error, thrum_barrier_wait(&barrier));
        broken += self->error != 0;
    }
    AWAIT(thrum_barrier_wait(&barrier));
    good++;
    ASYNC_END;
}

/* 75, reset_barrier_while_tasks_draining: the last to leave resets */
TEST(barriers, reset_by_the_last_to_leave)
{
    open_barrier(N);
    all_of(third_round, N);
    CHECK_EQ(broken, 0);
    CHECK_EQ(good, N);
    close_barrier();
}

/* 76, abort_barrier */
TEST(barriers, abort)
{
    open_barrier(3);
    go(catcher());
    go(catcher());
    sim_pass();
    thrum_barrier_abort(&barrier);
    CHECK(thrum_barrier_broken(&barrier));
    CHECK_EQ(thrum_barrier_waiting(&barrier), 0);
    sim_pass();
    CHECK_EQ(broken, 2);
    go(catcher());
    sim_pass();
    CHECK_EQ(broken, 3);
    thrum_barrier_reset(&barrier);
    CHECK(!thrum_barrier_broken(&barrier));
    go(catcher());
    go(catcher());
    go(catcher());
    sim_settle();
    CHECK_EQ(good, 3);
    close_barrier();
}

static ASYNC(half_aborted, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_barrier_wait(&barrier));
    if (self->error) {
        broken++;
    } else if (++good > N / 2) {
        thrum_barrier_abort(&barrier);
    } else {
        AWAIT_CATCH(self->error, thrum_barrier_wait(&barrier));
        again += self->error == THRUM_EBROKEN;
    }
    ASYNC_END;
}

/* 76, abort_barrier_when_tasks_half_draining_half_blocking */
TEST(barriers, abort_while_it_drains)
{
    open_barrier(N);
    all_of(half_aborted, N);
    CHECK(thrum_barrier_broken(&barrier));
    CHECK_EQ(broken, N / 2);
    CHECK_EQ(again, N - N / 2 - 1);
    close_barrier();
}

static ASYNC(failing, ARGS_NONE, LOCALS(thrum_barrier_pass pass; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->pass, thrum_barrier_pass(&self->pass, &barrier)) {
            if (self->pass.index == N / 2)
                ASYNC_RAISE(THRUM_EAPP(1));
        }
        WITH (self->pass, thrum_barrier_pass(&self->pass, &barrier)) {
            again++;
        }
    }
    CATCH (self->error, self->attempt) {
        if (self->error == THRUM_EBROKEN)
            broken++;
        else
            thrum_barrier_abort(&barrier);
    }
    ASYNC_END;
}

/* 76, abort_barrier_when_exception */
TEST(barriers, abort_after_an_error)
{
    open_barrier(N);
    all_of(failing, N);
    CHECK(thrum_barrier_broken(&barrier));
    CHECK_EQ(again, 0);
    CHECK_EQ(broken, N - 1);
    close_barrier();
}

static ASYNC(recovering, ARGS_NONE, LOCALS(int index, error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_INTO(self->error, self->index, thrum_barrier_wait(&barrier));
    if (!self->error && self->index == N / 2)
        thrum_barrier_abort(&barrier);
    else if (!self->error)
        AWAIT_CATCH(self->error, thrum_barrier_wait(&barrier));
    broken += self->error == THRUM_EBROKEN;
    AWAIT_INTO(self->index, thrum_barrier_wait(&other));
    if (self->index == N / 2)
        thrum_barrier_reset(&barrier);
    AWAIT(thrum_barrier_wait(&other));
    AWAIT(thrum_barrier_wait(&barrier));
    good++;
    ASYNC_END;
}

/* 76, abort_barrier_when_exception_then_resetting */
TEST(barriers, abort_and_reset)
{
    open_barrier(N);
    CHECK_EQ(thrum_barrier_init(&other, N), 0);
    all_of(recovering, N);
    CHECK_EQ(broken, N - 1);
    CHECK_EQ(good, N);
    CHECK(!thrum_barrier_broken(&barrier));
    close_barrier();
}
