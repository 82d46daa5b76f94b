/* Taking things as they complete. The number in a comment is the corner point of asyncio's behaviour; a name is the
 * asyncio test that the test stands for. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "combine.h"

static void put_place(size_t place)
{
    put_char((char)('0' + place));
}

static ASYNC(three, ARGS((bool, by_hand)),
             LOCALS(thrum_completed all; thrum_iteration each; size_t i; thrum_value value; int error;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_completed_left(&self->all), 0);
    WITH (self->all,
          thrum_completed_open(&self->all, THRUM_NEVER, gives('a', 30), fails('b', 10, -5), gives('c', 20))) {
        CHECK_EQ(thrum_completed_left(&self->all), 3);
        CHECK_EQ(thrum_completed_result(&self->all, 0, NULL), THRUM_EPENDING);
        CHECK_EQ(thrum_completed_result(&self->all, 3, NULL), THRUM_EINVAL);
        if (self->by_hand) {
            while (thrum_completed_left(&self->all)) {
                AWAIT_INTO(self->i, thrum_completed_next(&self->all));
                put_place(self->i);
            }
            AWAIT_CATCH(self->error, thrum_completed_next(&self->all));
            CHECK_EQ(self->error, THRUM_ESTOP);
        } else {
            ASYNC_FOR (self->i, self->each, thrum_completed_each(&self->all))
                put_place(self->i);
        }
        CHECK_EQ(thrum_completed_result(&self->all, 0, &self->value), 0);
        CHECK_EQ(self->value, 'a');
        CHECK_EQ(thrum_completed_result(&self->all, 1, &self->value), -5);
        CHECK_EQ(thrum_completed_result(&self->all, 2, &self->value), 0);
        CHECK_EQ(self->value, 'c');
        CHECK_NULL(thrum_completed_error(&self->all, 0));
        CHECK_NULL(thrum_completed_error(&self->all, 7));
#if THRUM_DETAILS
        CHECK_EQ(thrum_completed_error(&self->all, 1)->number, 'b');
#endif
    }
    CHECK_EQ(thrum_completed_left(&self->all), 0);
    AWAIT_CATCH(self->error, thrum_completed_next(&self->all));
    CHECK_EQ(self->error, THRUM_ESTATE);
    ASYNC_END;
}

/* as_completed, as_completed_reverse_wait: in the order of ends, in both forms. */
TEST(as_completed, in_order_of_completion)
{
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        begin();
        CHECK_EQ(sim_run(three(by_hand), NULL), 0);
        CHECK_EQ(sim.reports, 0);
        sim_close();
        CHECK_STR(trace, "abcB1C2A0");
    }
}

static ASYNC(of_handles, ARGS((thrum_task *, task), (thrum_future *, future)),
             LOCALS(thrum_completed all; thrum_iteration each; size_t i; thrum_value value;))
{
    ASYNC_BEGIN;
    WITH (self->all, thrum_completed_open(&self->all, THRUM_NEVER, self->future, self->task, self->task)) {
        ASYNC_FOR (self->i, self->each, thrum_completed_each(&self->all)) {
            put_place(self->i);
            CHECK_EQ(thrum_completed_result(&self->all, self->i, &self->value), 0);
            CHECK_EQ(self->value, self->i ? 'a' : 42);
        }
    }
    put("!");
    ASYNC_END;
}

/* as_completed_same_tasks_in_as_out, as_completed_concurrent: handles, done before or later; two passes. */
TEST(as_completed, tasks_and_futures)
{
    thrum_future future = THRUM_FUTURE_INIT;
    begin();
    thrum_task *task = thrum_spawn(gives('a', -2));
    thrum_task *taking = thrum_spawn(of_handles(task, &future));
    sim_pass();
    sim_pass();
    CHECK_STR(trace, "aA");
    sim_pass();
    CHECK_STR(trace, "aA12");
    thrum_future_set_result(&future, 42);
    memset(&future, 0xee, sizeof future);
    CHECK_EQ(passes_of(taking), 2);
    CHECK_EQ(end_of(taking, NULL), 0);
    CHECK_EQ(end_of(task, NULL), 0);
    sim_close();
    CHECK_STR(trace, "aA120!");
}

static ASYNC(too_slow, ARGS((thrum_task *, held)),
             LOCALS(thrum_completed all; size_t i; int error; thrum_try attempt; thrum_iteration each;))
{
    ASYNC_BEGIN;
    WITH (self->all, thrum_completed_open(&self->all, 25, gives('a', 10), self->held, gives('c', 20), gives('d', 99))) {
        AWAIT(thrum_sleep(50)); /* what completed before the time was up comes first */
        AWAIT_INTO(self->i, thrum_completed_next(&self->all));
        CHECK_EQ(self->i, 0);
        AWAIT_INTO(self->i, thrum_completed_next(&self->all));
        CHECK_EQ(self->i, 2);
        CHECK_NULL(self->held->waiters.first);
        CHECK_EQ(thrum_task_cancelling(self->held), 0);
        CHECK_EQ(thrum_completed_left(&self->all), 2);
        AWAIT_CATCH(self->error, thrum_completed_next(&self->all));
        CHECK_EQ(self->error, THRUM_ETIMEDOUT);
        TRY (self->attempt) {
            ASYNC_FOR (self->i, self->each, thrum_completed_each(&self->all))
                FAIL("nothing is left");
        }
        CATCH (self->error, self->attempt) {
            CHECK_EQ(self->error, THRUM_ETIMEDOUT);
        }
        AWAIT_CATCH(self->error, thrum_completed_next(&self->all));
        CHECK_EQ(self->error, THRUM_ESTOP);
        put("!");
    }
    put("?");
    ASYNC_END;
}

/* 117, as_completed_with_timeout: tasks run on, results from before are delivered first. */
TEST(as_completed, with_a_timeout)
{
    begin();
    thrum_task *held = thrum_spawn(gives('h', 60));
    CHECK_EQ(sim_run(too_slow(held), NULL), 0);
    CHECK_EQ(sim_time(), 50);
    CHECK_EQ(end_of(held, NULL), 0);
    sim_finish();
    CHECK_EQ(sim_time(), 60);
    sim_close();
    CHECK_STR(trace, "hacdAC!(d)?H");
}

static ASYNC(waits_for_it, ARGS((thrum_time, timeout)), LOCALS(thrum_completed all; size_t i;))
{
    ASYNC_BEGIN;
    WITH (self->all, thrum_completed_open(&self->all, self->timeout, cleans('a', 30, 7)))
        AWAIT_INTO(self->i, thrum_completed_next(&self->all));
    ASYNC_END;
}

/* as_completed_with_unused_timeout, and one that comes while it waits; what is adopted has ended before the error. */
TEST(as_completed, time_is_up_while_it_waits)
{
    begin();
    CHECK_EQ(sim_run(waits_for_it(31), NULL), 0);
    sim_finish();
    CHECK_EQ(sim_time(), 30);
    CHECK_EQ(sim_run(waits_for_it(5), NULL), THRUM_ETIMEDOUT);
    CHECK_EQ(sim_time(), 42);
    sim_close();
    CHECK_STR(trace, "aAa(a)");
}

static ASYNC(left_early, ARGS((thrum_task *, held), (int, how)),
             LOCALS(thrum_completed all; thrum_iteration each; size_t i;))
{
    ASYNC_BEGIN;
    WITH (self->all, thrum_completed_open(&self->all, 1000, gives('a', 1), cleans('b', 50, 9), self->held)) {
        ASYNC_FOR (self->i, self->each, thrum_completed_each(&self->all)) {
            if (self->how == 0)
                break;
            if (self->how == 1)
                ASYNC_RETURN(5);
            ASYNC_RAISE(-7);
        }
    }
    put("!");
    ASYNC_END;
}

/* What was adopted is cancelled and joined when the block is left early; what is held by handle runs on. */
TEST(as_completed, left_early)
{
    for (int how = 0; how < 3; how++) {
        begin();
        thrum_task *held = thrum_spawn(gives('h', 20));
        CHECK_EQ(sim_run(left_early(held, how), NULL), how == 2 ? -7 : 0);
        CHECK_EQ(sim_time(), 10);
        CHECK_NULL(held->waiters.first);
        CHECK_EQ(end_of(held, NULL), 0);
        sim_finish();
        CHECK_EQ(sim_time(), 20);
        sim_close();
        CHECK_STR(trace, how ? "habA(b)H" : "habA(b)!H");
    }
}

/* Cancelled while it waits for the next one; and once more while it leaves. */
TEST(as_completed, is_cancelled)
{
    for (int twice = 0; twice < 2; twice++) {
        begin();
        thrum_task *held = thrum_spawn(gives('h', 20));
        thrum_task *taking = thrum_spawn(left_early(held, 0));
        sim_pass();
        sim_pass();
        thrum_task_cancel(taking);
        if (twice) {
            sim_settle();
            CHECK_STR(trace, "hab(a)(b");
            thrum_task_cancel(taking);
        }
        CHECK_EQ(end_of(taking, NULL), THRUM_ECANCELED);
        CHECK_EQ(sim_time(), 9);
        CHECK_EQ(end_of(held, NULL), 0);
        sim_close();
        CHECK_STR(trace, "hab(a)(b)H");
    }
}

static thrum_completed shared;

static ASYNC(taker, ARGS((char, name)), LOCALS(size_t i;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->i, thrum_completed_next(&shared));
    put_char(self->name);
    put_place(self->i);
    ASYNC_END;
}

static ASYNC(owner, ARGS((thrum_future *, a), (thrum_future *, b)), LOCALS(thrum_task *x, *y; int error;))
{
    ASYNC_BEGIN;
    WITH (shared, thrum_completed_open(&shared, THRUM_NEVER, self->a, self->b)) {
        self->x = thrum_spawn(taker('x'));
        self->y = thrum_spawn(taker('y'));
        AWAIT(thrum_sleep(1));
        thrum_future_set_result(self->a, 0);
        AWAIT(thrum_yield());
        thrum_task_cancel(self->x); /* it was woken, and may have nothing */
        AWAIT_CATCH_ALL(self->error, self->x);
        thrum_future_set_result(self->b, 0);
        AWAIT(self->y);
        AWAIT(taker('z'));
    }
FINALLY:
    thrum_task_release(self->x);
    thrum_task_release(self->y);
    ASYNC_END;
}

/* as_completed_resume_iterator: nothing is lost when who was woken for it is cancelled. */
TEST(as_completed, several_takers)
{
    thrum_future a = THRUM_FUTURE_INIT, b = THRUM_FUTURE_INIT;
    memset(&shared, 0, sizeof shared);
    begin();
    CHECK_EQ(sim_run(owner(&a, &b), NULL), 0);
    sim_close();
    CHECK_STR(trace, "y0z1");
}

static ASYNC(looks_at_nothing, ARGS((thrum_task *, held)), LOCALS(thrum_completed all;))
{
    ASYNC_BEGIN;
    WITH (self->all,
          thrum_completed_open(&self->all, THRUM_NEVER, fails('a', 1, -5), self->held, fails_late('b', 9, 1, -8)))
        AWAIT(thrum_sleep(5));
    ASYNC_END;
}

/* Errors that nobody takes are told of. */
TEST(as_completed, errors_that_nobody_takes)
{
    begin();
    thrum_task *held = thrum_spawn(fails('h', 2, -6));
    CHECK_EQ(sim_run(looks_at_nothing(held), NULL), 0);
    thrum_task_release(held);
    CHECK_EQ(sim.reports, 3);
    CHECK_EQ(sim.notes[0].error, -5);
    CHECK_EQ(sim.notes[1].error, -6);
    CHECK_EQ(sim.notes[2].error, -8);
    sim_close();
}

static ASYNC(odd, ARGS_NONE, LOCALS(thrum_completed all; thrum_iteration each; size_t i; int error;))
{
    ASYNC_BEGIN;
    WITH (self->all, thrum_completed_open_array(&self->all, 5, 0, NULL)) {
        ASYNC_FOR (self->i, self->each, thrum_completed_each(&self->all))
            FAIL("there is none");
        AWAIT_CATCH(self->error, thrum_completed_open(&self->all, THRUM_NEVER, gives('a', 1)));
        CHECK_EQ(self->error, THRUM_ESTATE);
    }
    thrum_drop(thrum_completed_open(&self->all, THRUM_NEVER, gives('b', 1)));
    ASYNC_END;
}

TEST(as_completed, of_nothing_and_in_the_wrong_place)
{
    begin();
    CHECK_EQ(sim_run(odd(), NULL), 0);
    CHECK_EQ(sim_time(), 0);
    sim_close();
    CHECK_STR(trace, "-a-b");
}

/* Its loop closes in the middle. */
TEST(as_completed, loop_closes_meanwhile)
{
    begin();
    CHECK_EQ(thrum_spawn_detached(waits_for_it(5)), 0);
    sim_settle();
    sim_close();
    begin();
    CHECK_EQ(thrum_spawn_detached(looks_at_nothing(NULL)), 0);
    sim_close();
}

static ASYNC(everything, ARGS_NONE, LOCALS(thrum_completed all; thrum_iteration each; size_t i; int error;))
{
    ASYNC_BEGIN;
    WITH (self->all, thrum_completed_open(&self->all, 50, gives('a', 3), thrum_sleep(2), fails('b', 2, -5))) {
        ASYNC_FOR (self->i, self->each, thrum_completed_each(&self->all)) {
            self->error = thrum_completed_result(&self->all, self->i, NULL);
            if (self->error == THRUM_ENOMEM)
                ASYNC_RAISE(THRUM_ENOMEM);
        }
    }
    ASYNC_END;
}

TEST(as_completed, nth_allocation_fails)
{
    CHECK_GT(every_allocation_fails(everything, 0), 5);
}
