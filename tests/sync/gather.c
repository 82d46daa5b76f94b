/* Gather. The number in a comment is the corner point of asyncio's behaviour; a name is the asyncio test that the test
 * stands for. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "combine.h"

static thrum_value results[8];
static thrum_outcome outcomes[8];

static void begin_clean(void)
{
    memset(results, 0, sizeof results);
    memset(outcomes, 0, sizeof outcomes);
    begin();
}

/* ---- all succeed ---- */

static ASYNC(three, ARGS_NONE, LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    self->value = 7;
    AWAIT_INTO(self->value, thrum_gather(results, gives('a', 30), gives('b', 10), gives('c', 20)));
    CHECK_EQ(self->value, 0);
    CHECK_EQ(sim_time(), 30);
    ASYNC_END;
}

/* success: results in the order of the arguments, whatever the order of ends. */
TEST(gather, results_stand_in_order)
{
    begin_clean();
    CHECK_EQ(sim_run(three(), NULL), 0);
    sim_close();
    CHECK_STR(trace, "abcBCA");
    CHECK_EQ(results[0], 'a');
    CHECK_EQ(results[1], 'b');
    CHECK_EQ(results[2], 'c');
}

static ASYNC(none, ARGS_NONE, LOCALS(int n;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_gather_array(0, NULL, NULL));
    self->n = 1;
    AWAIT_INTO(self->n, thrum_gather_all_array(0, NULL, NULL));
    CHECK_EQ(self->n, 0);
    ASYNC_END;
}

/* constructor_empty_sequence: done at once. */
TEST(gather, of_nothing)
{
    begin_clean();
    thrum_task *task = thrum_spawn(none());
    CHECK_EQ(passes_of(task), 1);
    CHECK_EQ(end_of(task, NULL), 0);
    sim_close();
}

static ASYNC(mixed, ARGS((thrum_task *, task), (thrum_future *, future)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_gather(results, self->task, gives('b', -2), self->future, thrum_yield()));
    ASYNC_END;
}

/* heterogenous_futures: tasks, futures, async functions and operations. */
TEST(gather, takes_everything_that_can_be_awaited)
{
    thrum_future future = THRUM_FUTURE_INIT;
    begin_clean();
    thrum_task *task = thrum_spawn(gives('a', 5));
    thrum_task *gathering = thrum_spawn(mixed(task, &future));
    sim_settle();
    thrum_future_set_result(&future, 77);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(end_of(task, NULL), 0);
    sim_close();
    CHECK_EQ(results[0], 'a');
    CHECK_EQ(results[1], 'b');
    CHECK_EQ(results[2], 77);
    CHECK_EQ(results[3], 0);
}

static ASYNC(same, ARGS((thrum_task *, task), (thrum_future *, future)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_gather(results, self->task, self->future, self->task, self->future));
    ASYNC_END;
}

/* 113, duplicate_coroutines: what is there twice gives its value in both places. */
TEST(gather, of_the_same_twice)
{
    thrum_future future = THRUM_FUTURE_INIT;
    begin_clean();
    thrum_task *task = thrum_spawn(gives('a', 5));
    thrum_task *gathering = thrum_spawn(same(task, &future));
    sim_settle();
    thrum_future_set_result(&future, 5);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(end_of(task, NULL), 0);
    sim_close();
    CHECK_STR(trace, "aA");
    CHECK_EQ(results[0], 'a');
    CHECK_EQ(results[1], 5);
    CHECK_EQ(results[2], 'a');
    CHECK_EQ(results[3], 5);
}

/* Two passes between the last end and the gather's; none when all are done before. */
TEST(gather, takes_as_many_passes_as_in_asyncio)
{
    thrum_future first = THRUM_FUTURE_INIT, second = THRUM_FUTURE_INIT;
    begin_clean();
    thrum_task *task = thrum_spawn(gives('a', -2));
    thrum_task *gathering = thrum_spawn(same(task, &first));
    sim_settle();
    thrum_future_set_result(&first, 5);
    CHECK_EQ(passes_of(gathering), 2);
    CHECK_EQ(end_of(gathering, NULL), 0);
    thrum_future_set_result(&second, 6);
    gathering = thrum_spawn(same(task, &second));
    CHECK_EQ(passes_of(gathering), 1);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(end_of(task, NULL), 0);
    sim_close();
}

#ifndef TEST_SIM_CORE
static ASYNC(all_at_once, ARGS_NONE, LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_gather(results, gives('a', -2), gives('b', -2)));
    CHECK_EQ(results[1], 'b');
    AWAIT_CATCH(self->caught, thrum_gather(results, gives('c', 5), fails('d', -2, -5)));
    CHECK_EQ(self->caught, -5);
    ASYNC_END;
}

/* Eager children that end at once: the gather does not suspend; nor does it wait longer than for those that it has
 * to. */
TEST(gather, of_eager_children)
{
    begin_clean();
    thrum_loop_set_task_factory(sim.loop, thrum_eager_task_factory, NULL);
    thrum_task *gathering = thrum_spawn(all_at_once());
    sim_pass();
    CHECK_STR(trace, "aAbBcdD");
    CHECK_EQ(passes_of(gathering), 3); /* the one that is cancelled ends, that is told, and the gather goes on */
    CHECK_EQ(end_of(gathering, NULL), 0);
    sim_close();
}
#endif

/* ---- one fails ---- */

static ASYNC(one_fails, ARGS((thrum_task *, held), (int, error)), LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->caught, thrum_gather(results, cleans('a', 100, 7), fails('b', 10, self->error), self->held));
    CHECK_EQ(self->caught, self->error);
    CHECK_EQ(sim_time(), 17); /* the one that was adopted has cleaned up */
    CHECK_EQ(thrum_task_cancelling(thrum_current_task()), 0);
#if THRUM_DETAILS
    const thrum_error *detail = thrum_error_last();
    CHECK_NOT_NULL(detail);
    CHECK_EQ(detail->code, self->error);
    CHECK_EQ(detail->number, 'b');
#endif
    put("!");
    ASYNC_END;
}

/* 110, one_exception: the first error; what is held by handle runs on; what was adopted is cancelled and joined. */
TEST(gather, first_error_ends_it)
{
    begin_clean();
    thrum_task *held = thrum_spawn(fails('h', 50, -7));
    CHECK_EQ(sim_run(one_fails(held, -5), NULL), 0);
    CHECK(!thrum_task_done(held));
    CHECK_EQ(sim_until(held), 0);
    CHECK_EQ(sim_time(), 50);
    /* 110, exception_marking: its late error counts as seen. */
    thrum_task_release(held);
    CHECK_EQ(sim.reports, 0);
    sim_close();
    CHECK_STR(trace, "habB(a)!H");
    CHECK_EQ(results[0], 0);
}

static ASYNC(by_handle, ARGS((thrum_task *, a), (thrum_task *, b), (int, error)), LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->caught, thrum_gather(results, self->a, self->b));
    CHECK_EQ(self->caught, self->error);
    CHECK_EQ(thrum_task_cancelling(thrum_current_task()), 0);
    put("!");
    ASYNC_END;
}

/* one_cancellation: a child that somebody else cancels ends the gather as cancelled, though nobody cancelled that. */
TEST(gather, child_that_is_cancelled)
{
    begin_clean();
    thrum_task *a = thrum_spawn(gives('a', 20)), *b = thrum_spawn(gives('b', 30));
    thrum_task *gathering = thrum_spawn(by_handle(a, b, THRUM_ECANCELED));
    sim_settle();
    thrum_task_cancel(a);
    CHECK_EQ(passes_of(gathering), 3);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(end_of(a, NULL), THRUM_ECANCELED);
    CHECK_EQ(end_of(b, NULL), 0);
    sim_close();
    CHECK_STR(trace, "ab(a)!B");
}

/* Children that have failed already: the first in the order of arguments, at once; others that were to begin do not. */
static ASYNC(failed_before, ARGS((thrum_task *, a), (thrum_task *, b)), LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->caught, thrum_gather(results, self->a, self->b));
    CHECK_EQ(self->caught, -3);
    AWAIT_CATCH(self->caught, thrum_gather(results, gives('c', -2), self->b));
    CHECK_EQ(self->caught, -4);
    ASYNC_END;
}

TEST(gather, child_that_has_failed_already)
{
    begin_clean();
    thrum_task *a = thrum_spawn(fails('a', -2, -3)), *b = thrum_spawn(fails('b', -2, -4));
    sim_settle();
    CHECK_EQ(sim_run(failed_before(a, b), NULL), 0);
    thrum_task_release(a);
    thrum_task_release(b);
    CHECK_EQ(sim.reports, 0);
    sim_close();
    CHECK_STR(trace, sim_eager() ? "aAbBcC" : "aAbB-c"); /* eagerly, it has begun before that is seen */
}

static ASYNC(itself, ARGS_NONE, LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->caught, thrum_gather(NULL, thrum_current_task()));
    CHECK_EQ(self->caught, THRUM_ESTATE);
    ASYNC_END;
}

TEST(gather, of_itself)
{
    begin_clean();
    CHECK_EQ(sim_run(itself(), NULL), 0);
    sim_close();
}

static thrum_task *circle[3];

static ASYNC(in_circle, ARGS((int, next), (bool, gathers)), LOCALS(int caught;))
{
    ASYNC_BEGIN;
    if (self->gathers)
        AWAIT(thrum_gather(NULL, circle[self->next], circle[self->next]));
    else
        AWAIT(circle[self->next]);
    ASYNC_END;
}

/* Tasks that wait for one another in a circle would wait for ever: a cancellation opens it. */
TEST(gather, in_a_circle)
{
    for (int gathers = 1; gathers < 8; gathers++) {
        begin_clean();
        for (int i = 0; i < 3; i++)
            circle[i] = thrum_spawn(in_circle((i + 1) % 3, gathers >> i & 1));
        sim_settle();
        thrum_task_cancel(circle[0]);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(end_of(circle[i], NULL), THRUM_ECANCELED);
        sim_close();
    }
}

/* ---- errors as outcomes ---- */

static ASYNC(outcomes_of, ARGS((thrum_task *, held)), LOCALS(int failed;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->failed, thrum_gather_all(outcomes, fails('a', 20, -5), gives('b', 10), self->held));
    CHECK_EQ(self->failed, 2);
    CHECK_EQ(outcomes[0].error, -5);
    CHECK_EQ(outcomes[0].value, 0);
    CHECK_EQ(outcomes[1].error, 0);
    CHECK_EQ(outcomes[1].value, 'b');
    CHECK_EQ(outcomes[2].error, -6);
    CHECK_NULL(outcomes[1].detail);
#if THRUM_DETAILS
    CHECK_EQ(outcomes[0].detail->number, 'a');
    CHECK_EQ(outcomes[0].detail->code, -5);
    CHECK_EQ(outcomes[2].detail->number, 'h');
    CHECK_EQ(thrum_error_last()->code, THRUM_EGROUP);
    CHECK_PTR(thrum_error_last()->errors, outcomes[0].detail);
    CHECK_PTR(thrum_error_last()->errors->next, outcomes[2].detail);
#endif
    ASYNC_END;
}

/* return_exceptions */
TEST(gather, errors_as_outcomes)
{
    begin_clean();
    thrum_task *held = thrum_spawn(fails('h', 5, -6));
    CHECK_EQ(sim_run(outcomes_of(held), NULL), 0);
#if THRUM_DETAILS
    CHECK_EQ(thrum_task_error(held)->number, 'h'); /* its own stays with it */
#endif
    thrum_task_release(held);
    CHECK_EQ(sim.reports, 0);
    sim_close();
    CHECK_STR(trace, "habHBA");
}

static ASYNC(outcomes_two, ARGS((thrum_task *, a), (thrum_task *, b), (int, error)), LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->caught, thrum_gather_all(outcomes, self->a, self->b));
    CHECK_EQ(self->caught, self->error);
    put("!");
    ASYNC_END;
}

/* result_exception_one_cancellation: one that is cancelled is an outcome. */
TEST(gather, cancellation_as_an_outcome)
{
    begin_clean();
    thrum_task *a = thrum_spawn(gives('a', 20)), *b = thrum_spawn(gives('b', 30));
    thrum_task *gathering = thrum_spawn(outcomes_two(a, b, 0));
    sim_settle();
    thrum_task_cancel(a);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(sim_time(), 30);
    CHECK_EQ(outcomes[0].error, THRUM_ECANCELED);
    CHECK_EQ(outcomes[1].error, 0);
    CHECK_EQ(outcomes[1].value, 'b');
    thrum_task_release(a);
    thrum_task_release(b);
    sim_close();
}

/* ---- the gather is cancelled ---- */

/* cancellation_broadcast: all are cancelled, also those that are held by handle. */
TEST(gather, cancelling_it_cancels_all)
{
    begin_clean();
    thrum_task *a = thrum_spawn(gives('a', 20)), *b = thrum_spawn(gives('b', 30));
    thrum_task *gathering = thrum_spawn(by_handle(a, b, THRUM_ECANCELED));
    thrum_task *again = thrum_spawn(three());
    sim_settle();
    CHECK(thrum_task_cancel(gathering));
    thrum_task_uncancel(gathering);
    CHECK(thrum_task_cancel(again));
    CHECK_EQ(thrum_task_cancelling(a), 1);
    CHECK_EQ(thrum_task_cancelling(b), 1);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(end_of(again, NULL), THRUM_ECANCELED);
    CHECK_EQ(end_of(a, NULL), THRUM_ECANCELED);
    CHECK_EQ(end_of(b, NULL), THRUM_ECANCELED);
    CHECK_EQ(sim_time(), 0);
    sim_close();
    CHECK_STR(trace, "ababc(a)(b)(a)(b)(c)!");
}

/* 112, cancel_gather_2: with errors as outcomes as well, and then when all have ended. */
TEST(gather, cancelled_with_errors_as_outcomes)
{
    begin_clean();
    thrum_task *a = thrum_spawn(gives('a', 20)), *b = thrum_spawn(cleans('b', 30, 9));
    thrum_task *gathering = thrum_spawn(outcomes_two(a, b, THRUM_ECANCELED));
    sim_settle();
    thrum_task_cancel(gathering);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(sim_time(), 9);
    CHECK_EQ(outcomes[0].error, 0); /* nothing is written */
    thrum_task_release(a);
    thrum_task_release(b);
    sim_close();
    CHECK_STR(trace, "ab(a)(b)!");
}

/* Without, the first that ends as cancelled ends it, as in asyncio; what it adopted has ended by then all the same. */
TEST(gather, cancelled_ends_with_the_first)
{
    begin_clean();
    thrum_task *a = thrum_spawn(gives('a', 20)), *b = thrum_spawn(cleans('b', 30, 9));
    thrum_task *gathering = thrum_spawn(by_handle(a, b, THRUM_ECANCELED));
    sim_settle();
    thrum_task_cancel(gathering);
    thrum_task_uncancel(gathering);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(sim_time(), 0);
    CHECK_EQ(end_of(a, NULL), THRUM_ECANCELED);
    CHECK_EQ(end_of(b, NULL), THRUM_ECANCELED);
    sim_close();
    CHECK_STR(trace, "ab(a)(b!)");
}

/* A child that ignores it, and one whose clean-up fails: the gather is cancelled in spite of the former, and has the
 * error of the latter. */
TEST(gather, cancelled_but_children_have_their_own_mind)
{
    begin_clean();
    thrum_task *a = thrum_spawn(ignores('a', 20)), *b = thrum_spawn(ignores('b', 30));
    thrum_task *gathering = thrum_spawn(by_handle(a, b, THRUM_ECANCELED));
    sim_settle();
    thrum_task_cancel(gathering);
    thrum_task_uncancel(gathering);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(end_of(a, NULL), 0);
    CHECK_EQ(end_of(b, NULL), 0);
    a = thrum_spawn(ignores('a', 20));
    b = thrum_spawn(fails_late('b', 30, 4, -8));
    gathering = thrum_spawn(by_handle(a, b, -8));
    sim_settle();
    thrum_task_cancel(gathering);
    thrum_task_uncancel(gathering);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(sim_time(), 4);
    thrum_task_release(a);
    thrum_task_release(b);
    sim_close();
}

static thrum_task *victim;

static void cancel_victim(thrum_handle *handle)
{
    (void)handle;
    CHECK(thrum_task_cancel(victim));
}

static ASYNC(one_more, ARGS((thrum_future *, future)), LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->caught, thrum_gather(results, self->future));
    CHECK_EQ(self->caught, THRUM_ECANCELED);
    ASYNC_END;
}

/* 44, 111, cancel_gather_1: all children are done, the gather does not know yet. It refuses; as with any await that is
 * complete, the cancellation beats the results. */
TEST(gather, cancelled_when_all_are_done)
{
    for (int passes = 0; passes < 2; passes++) {
        thrum_future future = THRUM_FUTURE_INIT;
        thrum_handle first = THRUM_HANDLE_INIT(cancel_victim, NULL);
        begin_clean();
        thrum_task *gathering = victim = thrum_spawn(one_more(&future));
        if (passes == 0)
            CHECK_EQ(thrum_future_add_done_callback(&future, &first), 0);
        sim_settle();
        thrum_future_set_result(&future, 42);
        if (passes == 1) {
            sim_pass();
            CHECK(thrum_task_cancel(victim));
        }
        CHECK_EQ(passes_of(gathering), passes == 0 ? 2 : 1);
        CHECK_EQ(end_of(gathering, NULL), 0);
        CHECK_EQ(results[0], 0);
        sim_close();
    }
}

static ASYNC(fails_slowly, ARGS_NONE, LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->caught, thrum_gather(NULL, fails('a', 1, -5), cleans('b', 50, 30)));
    CHECK_EQ(self->caught, THRUM_ECANCELED);
    put("!");
    ASYNC_END;
}

/* Cancelled while it has failed, and waits for what it adopted: that is cancelled once more, the cancellation wins. */
TEST(gather, cancelled_while_it_joins)
{
    begin_clean();
    thrum_task *gathering = thrum_spawn(fails_slowly());
    while (sim_time() < 1 || sim_ready())
        sim_step_(true);
    CHECK_STR(trace, "abA(b");
    thrum_task_cancel(gathering);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(sim_time(), 1);
    sim_close();
    CHECK_STR(trace, "abA(b!");
}

/* cancel_gather_2: the message of a cancellation arrives. */
#if THRUM_DETAILS
TEST(gather, cancelled_with_a_message)
{
    begin_clean();
    thrum_task *gathering = thrum_spawn(three());
    sim_settle();
    thrum_task_cancel_with(gathering, "enough");
    CHECK_EQ(sim_until(gathering), 0);
    CHECK_STR(thrum_task_error(gathering)->text, "enough");
    thrum_task_release(gathering);
    sim_close();
}
#endif

/* ---- handles and memory that go ---- */

static ASYNC(two_released, ARGS((thrum_task *, a), (thrum_task *, b)), LOCALS(int failed;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->failed, thrum_gather_all(outcomes, self->a, self->b));
    CHECK_EQ(self->failed, 1);
    CHECK_EQ(outcomes[0].value, 'a');
    CHECK_EQ(outcomes[1].error, -9);
#if THRUM_DETAILS
    CHECK_EQ(outcomes[1].detail->number, 'b');
#endif
    ASYNC_END;
}

/* The owner gives tasks back while they are gathered: before they end, and between their ends and the gather's. */
TEST(gather, tasks_that_are_released_meanwhile)
{
    for (int late = 0; late < 2; late++) {
        begin_clean();
        thrum_task *a = thrum_spawn(gives('a', -1)), *b = thrum_spawn(fails('b', -1, -9));
        thrum_task *gathering = thrum_spawn(two_released(a, b));
        sim_pass();
        if (late)
            sim_pass();
        CHECK_EQ(thrum_task_done(a), late);
        thrum_task_release(a);
        thrum_task_release(b);
        CHECK_EQ(end_of(gathering, NULL), 0);
        CHECK_EQ(sim.reports, 0);
        sim_close();
    }
}

static void gone(thrum_future *future)
{
    memset(future, 0xee, sizeof *future);
}

static ASYNC(two_futures, ARGS((thrum_future *, a), (thrum_future *, b)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_gather(results, self->a, self->b));
    ASYNC_END;
}

/* A future's memory goes as soon as it is completed. */
TEST(gather, futures_that_go_when_they_are_done)
{
    thrum_future a = THRUM_FUTURE_INIT, b = THRUM_FUTURE_INIT;
    begin_clean();
    thrum_task *gathering = thrum_spawn(two_futures(&a, &b));
    sim_settle();
    thrum_future_set_result(&a, 1);
    gone(&a);
    sim_settle();
    thrum_future_set_result(&b, 2);
    gone(&b);
    CHECK_EQ(end_of(gathering, NULL), 0);
    sim_close();
    CHECK_EQ(results[0], 1);
    CHECK_EQ(results[1], 2);
}

/* issue46672, and an awaitable that is never awaited: what it holds is dropped. */
TEST(gather, that_is_dropped)
{
    begin_clean();
    thrum_task *a = thrum_spawn(gives('a', -2));
    thrum_drop(thrum_gather(NULL, gives('b', 1), a, gives('c', 1)));
    CHECK_EQ(end_of(a, NULL), 0);
    thrum_task *unbegun = thrum_spawn(thrum_gather(NULL, gives('d', 1)));
    thrum_task_cancel(unbegun);
    CHECK_EQ(end_of(unbegun, NULL), THRUM_ECANCELED);
    sim_close();
    CHECK_STR(trace, "-b-caA-d");
}

static ASYNC(everything, ARGS_NONE, LOCALS(int caught; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(gives('t', 5));
    if (!self->task)
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(thrum_gather(results, gives('a', 3), thrum_sleep(2), self->task, thrum_sleep(4), gives('b', -2)));
    AWAIT_CATCH(self->caught, thrum_gather(results, gives('c', 3), fails('d', 2, -5), self->task));
    if (self->caught != -5)
        ASYNC_RAISE(self->caught);
    AWAIT(thrum_gather_all(outcomes, gives('e', 3), fails('f', 2, -5), fails('g', 2, -6)));
    CHECK(outcomes[1].error == -5 || outcomes[1].error == THRUM_ENOMEM);
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

TEST_LIMIT(gather, nth_allocation_fails, 60)
{
    CHECK_GT(every_allocation_fails(everything, 0), 10);
}

/* Its loop closes in the middle: frames, members and details all go. */
TEST(gather, loop_closes_meanwhile)
{
    begin_clean();
    CHECK_EQ(thrum_spawn_detached(thrum_gather_all(outcomes, fails('a', -2, -5), gives('b', 100))), 0);
    sim_settle();
    CHECK_EQ(sim_blocks() > 0, true);
    sim_close();
    begin_clean();
    CHECK_EQ(thrum_spawn_detached(thrum_gather(NULL, gives('a', 50), gives('b', 100))), 0);
    sim_close();
    CHECK_STR(trace, "-a-b");
}

/* ---- many ---- */

enum { MANY = 1000 };

static ASYNC(many, ARGS_NONE, LOCALS(size_t i;), BUFFERS(thrum_awaitable what[MANY]; thrum_value got[MANY];))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < MANY; self->i++)
        self->what[self->i] = thrum_gather_array(0, NULL, NULL);
    for (self->i = 0; self->i < MANY; self->i++) {
        thrum_drop(self->what[self->i]);
        self->what[self->i] = gives('a', (thrum_time)(self->i % 10));
        trace[0] = '\0';
    }
    for (self->i = 0; self->i < MANY; self->i++) {
        thrum_drop(self->what[self->i]);
        self->what[self->i] = thrum_sleep((thrum_time)(self->i % 10) + 1);
        trace[0] = '\0';
    }
    AWAIT(thrum_gather_array(MANY, self->what, self->got));
    CHECK_EQ(sim_time(), 10);
    ASYNC_END;
}

TEST(gather, of_a_thousand)
{
    begin_clean();
    CHECK_EQ(sim_run(many(), NULL), 0);
    sim_close();
}

/* ---- nested: gather_shield, shield_gather are among the tests of shield ---- */

static ASYNC(nested, ARGS_NONE, LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->caught,
                thrum_gather(NULL, thrum_gather(NULL, gives('a', 5), fails('b', 3, -5)),
                             thrum_timeout(2, thrum_gather(NULL, gives('c', 1), gives('d', 1))), gives('e', 9)));
    CHECK_EQ(self->caught, -5);
    CHECK_EQ(sim_time(), 3);
    ASYNC_END;
}

TEST(gather, in_a_gather)
{
    begin_clean();
    CHECK_EQ(sim_run(nested(), NULL), 0);
    sim_close();
    CHECK_STR(trace, sim_eager() ? "abcdeCDB(a)(e)" : "eabcdCDB(a)(e)");
}

/* ---- who waits for whom ---- */

static size_t told_tasks, told_futures;

static void told(void *context, thrum_task *task, thrum_future *future)
{
    (void)context;
    told_tasks += task != NULL;
    told_futures += future != NULL;
}

TEST(gather, tells_what_it_waits_for)
{
    thrum_future future = THRUM_FUTURE_INIT;
    begin_clean();
    thrum_task *a = thrum_spawn(gives('a', -2));
    thrum_task *gathering = thrum_spawn(mixed(a, &future));
    sim_pass();
    gathering->operations->awaits(gathering, told, NULL);
    CHECK_EQ(told_tasks, sim_eager() ? 1 : 2); /* what it adopted: `b`, if not over by now, and the yield */
    CHECK_EQ(told_futures, 1);
    thrum_future_set_result(&future, 0);
    CHECK_EQ(end_of(gathering, NULL), 0);
    CHECK_EQ(end_of(a, NULL), 0);
    sim_close();
}
