/* Futures between threads, and waiting for them in a loop. Numbers are asyncio's corner semantics; names that of its
 * tests. Runs under ThreadSanitizer. */
#include "support_loops.h"

#include <sched.h>

static ASYNC(waits, ARGS((thrum_thread_future *, future)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, thrum_wrap_future(self->future));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

/* ---- by themselves: test_concurrent_futures ---- */

static int called;

static void on_done(thrum_thread_callback *callback, thrum_thread_future *future)
{
    CHECK(thrum_thread_future_done(future));
    called = called * 10 + *(const int *)callback->context;
}

TEST(thread_future, is_done_once)
{
    int one = 1, two = 2, three = 3;
    thrum_value value = 0;
    thrum_thread_callback first = {.call = on_done, .context = &one}, second = {.call = on_done, .context = &two},
                          third = {.call = on_done, .context = &three};
    thrum_thread_future *future = thrum_thread_future_new();
    called = 0;
    CHECK(!thrum_thread_future_done(future));
    CHECK_EQ(thrum_thread_future_result(future, 0, &value), THRUM_ETIMEDOUT);
    thrum_thread_future_add_done_callback(future, &first);
    thrum_thread_future_add_done_callback(future, &second);
    thrum_thread_future_add_done_callback(future, &third);
    CHECK(thrum_thread_future_remove_done_callback(future, &third));
    CHECK(!thrum_thread_future_remove_done_callback(future, &third));
    CHECK_EQ(thrum_thread_future_set_error(future, 5), THRUM_EINVAL);
    CHECK_EQ(thrum_thread_future_set_result(future, 9), 0);
    CHECK_EQ(called, 12);
    CHECK_EQ(thrum_thread_future_set_result(future, 10), THRUM_EDONE);
    CHECK_EQ(thrum_thread_future_set_error(future, THRUM_EAPP(1)), THRUM_EDONE);
    CHECK_EQ(thrum_thread_future_result(future, THRUM_NEVER, &value), 0);
    CHECK_EQ(value, 9);
    CHECK(!thrum_thread_future_cancel(future));
    CHECK(!thrum_thread_future_begin(future));
    thrum_thread_future_add_done_callback(future, &third); /* at once */
    CHECK_EQ(called, 123);
    CHECK(!thrum_thread_future_remove_done_callback(future, &third));
    thrum_thread_future_release(thrum_thread_future_hold(future));
    thrum_thread_future_release(future);
    thrum_thread_future_release(NULL);
}

TEST(thread_future, that_has_begun_is_not_cancelled)
{
    thrum_thread_future *future = thrum_thread_future_new();
    CHECK(thrum_thread_future_begin(future));
    CHECK(!thrum_thread_future_begin(future));
    CHECK(!thrum_thread_future_cancel(future));
    CHECK_EQ(thrum_thread_future_set_error(future, THRUM_EAPP(2)), 0);
    CHECK_EQ(thrum_thread_future_result(future, THRUM_NEVER, NULL), THRUM_EAPP(2));
    thrum_thread_future_release(future);
    future = thrum_thread_future_new();
    CHECK(thrum_thread_future_cancel(future));
    CHECK(!thrum_thread_future_begin(future));
    CHECK_EQ(thrum_thread_future_set_result(future, 1), THRUM_EDONE);
    CHECK_EQ(thrum_thread_future_result(future, THRUM_NEVER, NULL), THRUM_ECANCELED);
    CHECK_EQ(thrum_thread_future_join(future, 0), 0);
    thrum_thread_future_release(future);
}

static void *complete(void *argument)
{
    thrum_thread_future *future = argument;
    for (int i = 0; i < 20; i++)
        sched_yield();
    thrum_thread_future_set_result(future, 77);
    thrum_thread_future_release(future);
    return NULL;
}

TEST(thread_future, is_waited_for_by_threads)
{
    for (int limited = 0; limited < 2; limited++) {
        pthread_t thread;
        thrum_value value = 0;
        thrum_thread_future *future = thrum_thread_future_new();
        CHECK_EQ(pthread_create(&thread, NULL, complete, thrum_thread_future_hold(future)), 0);
        CHECK_EQ(thrum_thread_future_result(future, limited ? SECONDS(9) : THRUM_NEVER, &value), 0);
        CHECK_EQ(value, 77);
        pthread_join(thread, NULL);
        thrum_thread_future_release(future);
    }
}

/* ---- in a loop: test_futures.wrap_future ---- */

LOOP_TEST(wrap_future, gives_what_another_thread_sets)
{
    pthread_t thread;
    thrum_value value = 0;
    thrum_thread_future *future = thrum_thread_future_new();
    CHECK_EQ(pthread_create(&thread, NULL, complete, thrum_thread_future_hold(future)), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, waits(future), &value), 0);
    CHECK_EQ(value, 77);
    pthread_join(thread, NULL);
    CHECK_EQ(thrum_loop_run_until_complete(loop, waits(future), &value), 0); /* done already */
    CHECK_EQ(value, 77);
    thrum_drop(thrum_wrap_future(future));
    thrum_thread_future_release(future);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_wrap_future(NULL), NULL), THRUM_EINVAL);
}

/* wrap_future_cancel: the cancellation goes on to the other future */
LOOP_TEST(wrap_future, cancelled_cancels_the_other)
{
    thrum_thread_future *future = thrum_thread_future_new();
    thrum_task *one = thrum_spawn(waits(future)), *two = thrum_spawn(waits(future));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    thrum_task_cancel(one);
    CHECK(thrum_thread_future_cancelled(future));
    for (int i = 0; i < 3; i++)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK(thrum_task_cancelled(one));
    CHECK(thrum_task_cancelled(two));
    thrum_task_release(one);
    thrum_task_release(two);
    thrum_thread_future_release(future);
}

/* and the other way */
LOOP_TEST(wrap_future, is_cancelled_by_the_other)
{
    thrum_thread_future *future = thrum_thread_future_new();
    thrum_task *task = thrum_spawn(waits(future));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    thrum_thread_future_cancel(future);
    CHECK(!thrum_task_done(task));
    CHECK_EQ(thrum_loop_step(loop, 0), 0); /* the post */
    CHECK(!thrum_task_done(task));
    CHECK_EQ(thrum_loop_step(loop, 0), 0); /* the task */
    CHECK(thrum_task_cancelled(task));
    thrum_task_release(task);
    thrum_thread_future_release(future);
}

/* wrap_future_cancel2: the other has begun, or is done, and keeps what it has */
LOOP_TEST(wrap_future, cancelled_leaves_one_that_has_begun)
{
    thrum_value value = 0;
    thrum_thread_future *future = thrum_thread_future_new();
    CHECK(thrum_thread_future_begin(future));
    for (int i = 0; i < 3; i++) {
        thrum_task *task = thrum_spawn(waits(future));
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
        if (i == 1)
            thrum_thread_future_set_result(future, 42);
        if (i < 2)
            CHECK(thrum_task_cancel(task));
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
        CHECK_EQ(thrum_task_cancelled(task), i < 2);
        thrum_task_release(task);
    }
    CHECK_EQ(thrum_thread_future_result(future, 0, &value), 0);
    CHECK_EQ(value, 42);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    thrum_thread_future_release(future);
}

static void ignore(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop;
    (void)report;
    (void)context;
}

/* 163: completed when the loop is closed, or while it closes. The end of the loop is no cancellation. */
TEST(wrap_future, completion_after_the_loop_is_dropped)
{
    for (int round = 0; round < 40; round++) {
        thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
        pthread_t thread;
        thrum_thread_future *future = thrum_thread_future_new();
        thrum_loop_set_exception_handler(loop, ignore, NULL);
        CHECK_EQ(thrum_spawn_detached(waits(future)), 0);
        CHECK_EQ(thrum_spawn_detached(waits(future)), 0);
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
        if (round % 2)
            CHECK_EQ(pthread_create(&thread, NULL, complete, thrum_thread_future_hold(future)), 0);
        for (int i = 0; i < round; i++)
            sched_yield();
        close_loop(loop);
        if (round % 2)
            pthread_join(thread, NULL);
        else
            CHECK_EQ(thrum_thread_future_set_result(future, 1), 0);
        CHECK_EQ(thrum_thread_future_result(future, 0, NULL), 0);
        thrum_thread_future_release(future);
    }
}

/* ---- from loop to loop ---- */

static ASYNC(answer, ARGS((const int *, question)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(MICROSECONDS(*self->question % 7)));
    if (*self->question < 0)
        ASYNC_RAISE(thrum_error_set(THRUM_EAPP(6), 0, "answer", *self->question, "negative"));
    ASYNC_RETURN(*self->question * 2);
    ASYNC_END;
}

static thrum_awaitable start_answer(void *argument)
{
    return answer(argument);
}

static ASYNC(asks, ARGS((thrum_loop *, other), (int, question)),
             LOCALS(thrum_thread_future *future; thrum_value value;))
{
    ASYNC_BEGIN;
    self->future = thrum_run_threadsafe(self->other, start_answer, &self->question);
    AWAIT_INTO(self->value, thrum_wrap_future(self->future));
    ASYNC_RETURN(self->value);
FINALLY:
    thrum_thread_future_release(self->future);
    ASYNC_END;
}

static ASYNC(asks_many, ARGS((thrum_loop *, other), (int, count)),
             LOCALS(thrum_group group; int i; thrum_task * tasks[64]; thrum_value sum;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        for (self->i = 0; self->i < self->count; self->i++)
            self->tasks[self->i] = thrum_group_spawn(&self->group, asks(self->other, self->i));
        for (self->i = 0; self->i < self->count; self->i++) {
            thrum_value value;
            AWAIT_INTO(value, self->tasks[self->i]);
            self->sum += value;
        }
    }
    ASYNC_RETURN(self->sum);
    ASYNC_END;
}

static ASYNC(asks_in_vain, ARGS((thrum_loop *, other)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, asks(self->other, -5));
    CHECK_EQ(self->error, THRUM_EAPP(6));
    const thrum_error *detail = thrum_error_last();
    CHECK_NOT_NULL(detail);
    CHECK_STR(detail->text, "negative");
    CHECK_EQ(detail->number, -5);
    ASYNC_END;
}

/* Several loops in several threads. */
TEST(wrap_future, connects_loops)
{
    enum { LOOPS = 3 };
    loop_thread others[LOOPS];
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    for (int i = 0; i < LOOPS; i++)
        loop_thread_start(&others[i], NULL);
    for (int i = 0; i < LOOPS; i++) {
        thrum_value sum = 0;
        CHECK_EQ(thrum_loop_run_until_complete(loop, asks_many(others[i].loop, 64), &sum), 0);
        CHECK_EQ(sum, 63 * 64);
        CHECK_EQ(thrum_loop_run_until_complete(loop, asks_in_vain(others[i].loop), NULL), 0);
    }
    for (int i = 0; i < LOOPS; i++)
        loop_thread_end(&others[i]);
    close_loop(loop);
}

static ASYNC(wraps, ARGS((thrum_thread_future *, future)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_wrap_future(self->future));
    FAIL("it has no result when the loop closes");
    ASYNC_END;
}

/* The future is as it was: whoever completes it later finds nobody who waits. */
TEST(wrap_future, loop_closes_while_a_task_waits)
{
    thrum_thread_future *future = thrum_thread_future_new();
    thrum_value value;
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_spawn_detached(wraps(future));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    close_loop(loop);
    CHECK_EQ(thrum_thread_future_set_result(future, 3), 0);
    CHECK_EQ(thrum_thread_future_result(future, 0, &value), 0);
    CHECK_EQ(value, 3);
    thrum_thread_future_release(future);
}
