/* Tasks for other threads' loops. Names are those of asyncio's tests (test_tasks.RunCoroutineThreadsafeTests). Runs
 * under ThreadSanitizer. */
#include "support_loops.h"

#include <errno.h>
#include <sched.h>

typedef struct order {
    thrum_time delay;
    int fails;
    bool cancels, never;
    thrum_value result;
    atomic_int begun, ended;
} order;

static ASYNC(carry_out, ARGS((order *, given)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    atomic_fetch_add(&self->given->begun, 1);
    AWAIT(thrum_sleep(self->given->delay));
    if (self->given->fails)
        ASYNC_RAISE(thrum_error_set(self->given->fails, ENOENT, "open", 3, "no such thing"));
    if (self->given->cancels) {
        thrum_task_cancel(thrum_current_task());
        AWAIT(thrum_yield());
    }
    if (self->given->never)
        AWAIT(thrum_sleep(SECONDS(100000)));
    ASYNC_RETURN(self->given->result);
FINALLY:
    AWAIT(thrum_yield());
    AWAIT(thrum_yield());
    atomic_fetch_add(&self->given->ended, 1);
    ASYNC_END;
}

static thrum_awaitable start(void *argument)
{
    return carry_out(argument);
}

/* run_coroutine_threadsafe */
TEST(run_threadsafe, gives_the_result)
{
    loop_thread other;
    order given = {.result = 3, .delay = MILLISECONDS(1)};
    thrum_value value = 0;
    loop_thread_start(&other, NULL);
    thrum_thread_future *future = thrum_run_threadsafe(other.loop, start, &given);
    CHECK_EQ(thrum_thread_future_result(future, THRUM_NEVER, &value), 0);
    CHECK_EQ(value, 3);
    CHECK(thrum_thread_future_done(future));
    CHECK(!thrum_thread_future_cancelled(future));
    CHECK(!thrum_thread_future_cancel(future));
    CHECK_EQ(thrum_thread_future_join(future, 0), 0);
    CHECK_EQ(thrum_thread_future_set_result(future, 1), THRUM_EDONE);
    thrum_thread_future_release(future);
    loop_thread_end(&other);
}

/* run_coroutine_threadsafe_with_exception; the detail crosses over */
TEST(run_threadsafe, gives_the_error)
{
    loop_thread other;
    order given = {.fails = THRUM_EAPP(4)};
    loop_thread_start(&other, NULL);
    thrum_thread_future *future = thrum_run_threadsafe(other.loop, start, &given);
    CHECK_EQ(thrum_thread_future_result(future, THRUM_NEVER, NULL), THRUM_EAPP(4));
    const thrum_error *detail = thrum_thread_future_error(future);
    CHECK_NOT_NULL(detail);
    CHECK_EQ(detail->code, THRUM_EAPP(4));
    CHECK_EQ(detail->system, ENOENT);
    CHECK_STR(detail->text, "no such thing");
    CHECK_STR(thrum_function_name(detail->trace[0].function), "carry_out");
    thrum_thread_future_release(future);
    loop_thread_end(&other);
}

/* run_coroutine_threadsafe_with_timeout: and the task is cancelled, and ends */
TEST(run_threadsafe, timeout_then_cancel_ends_the_task)
{
    loop_thread other;
    order given = {.never = true};
    loop_thread_start(&other, NULL);
    thrum_thread_future *future = thrum_run_threadsafe(other.loop, start, &given);
    CHECK_EQ(thrum_thread_future_result(future, 0, NULL), THRUM_ETIMEDOUT);
    CHECK_EQ(thrum_thread_future_result(future, MICROSECONDS(100), NULL), THRUM_ETIMEDOUT);
    while (!atomic_load(&given.begun))
        sched_yield();
    CHECK(!thrum_thread_future_done(future));
    CHECK(thrum_thread_future_cancel(future));
    CHECK(thrum_thread_future_done(future));
    CHECK_EQ(thrum_thread_future_result(future, THRUM_NEVER, NULL), THRUM_ECANCELED);
    CHECK_EQ(thrum_thread_future_join(future, THRUM_NEVER), 0);
    CHECK_EQ(atomic_load(&given.ended), 1);
    CHECK(thrum_thread_future_cancel(future)); /* again */
    thrum_thread_future_release(future);
    loop_thread_end(&other);
}

/* run_coroutine_threadsafe_task_cancelled */
TEST(run_threadsafe, cancelled_by_itself)
{
    loop_thread other;
    order given = {.cancels = true};
    loop_thread_start(&other, NULL);
    thrum_thread_future *future = thrum_run_threadsafe(other.loop, start, &given);
    CHECK_EQ(thrum_thread_future_result(future, THRUM_NEVER, NULL), THRUM_ECANCELED);
    CHECK(thrum_thread_future_cancelled(future));
    thrum_thread_future_release(future);
    loop_thread_end(&other);
}

static atomic_int told_error;

static void note_error(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop;
    (void)context;
    atomic_store(&told_error, report->error);
}

static bool refuse_all;

static void *refusing_allocate(void *context, size_t size)
{
    (void)context;
    return refuse_all ? NULL : malloc(size);
}

static void refusing_release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static thrum_awaitable start_without_memory(void *argument)
{
    refuse_all = true;
    (void)argument;
    return thrum_yield();
}

/* run_coroutine_threadsafe_task_factory_exception: both are told that no task can be made */
TEST(run_threadsafe, without_a_task_both_are_told)
{
    const thrum_allocator allocator = {refusing_allocate, refusing_release, NULL, true};
    CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_loop_set_exception_handler(loop, note_error, NULL);
    atomic_store(&told_error, 0);
    thrum_thread_future *future = thrum_run_threadsafe(loop, start_without_memory, NULL);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    refuse_all = false;
    CHECK_EQ(thrum_thread_future_result(future, 0, NULL), THRUM_ENOMEM);
    CHECK_EQ(atomic_load(&told_error), THRUM_ENOMEM);
    thrum_thread_future_release(future);
    close_loop(loop);
}

static ASYNC(fails_while_cleaning, ARGS((order *, given)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    atomic_fetch_add(&self->given->begun, 1);
    AWAIT(thrum_sleep(SECONDS(100000)));
FINALLY:
    ASYNC_RAISE(THRUM_EAPP(8));
    ASYNC_END;
}

static thrum_awaitable start_failing(void *argument)
{
    return fails_while_cleaning(argument);
}

/* The future was cancelled already: the error reaches the exception handler. */
TEST(run_threadsafe, error_after_the_cancellation_reaches_the_handler)
{
    loop_thread other;
    order given = {.result = 0};
    atomic_store(&told_error, 0);
    loop_thread_start(&other, note_error);
    thrum_thread_future *future = thrum_run_threadsafe(other.loop, start_failing, &given);
    while (!atomic_load(&given.begun))
        sched_yield();
    thrum_thread_future_cancel(future);
    CHECK_EQ(thrum_thread_future_join(future, THRUM_NEVER), 0);
    CHECK_EQ(thrum_thread_future_result(future, 0, NULL), THRUM_ECANCELED);
    thrum_thread_future_release(future);
    loop_thread_end(&other);
    CHECK_EQ(atomic_load(&told_error), THRUM_EAPP(8));
}

/* Its own loop cannot bring it about while the thread blocks. */
TEST(run_threadsafe, blocking_in_the_loops_own_thread_is_refused)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    order given = {.result = 6};
    thrum_value value = 0;
    thrum_thread_future *future = thrum_run_threadsafe(loop, start, &given);
    CHECK_EQ(thrum_thread_future_result(future, THRUM_NEVER, &value), THRUM_ESTATE);
    CHECK_EQ(thrum_thread_future_join(future, SECONDS(1)), THRUM_ESTATE);
    while (!thrum_thread_future_done(future))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    CHECK_EQ(thrum_thread_future_result(future, THRUM_NEVER, &value), 0);
    CHECK_EQ(value, 6);
    thrum_thread_future_release(future);
    /* Cancelled before it begins, it does not. */
    atomic_store(&given.begun, 0);
    future = thrum_run_threadsafe(loop, start, &given);
    CHECK(thrum_thread_future_cancel(future));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_thread_future_join(future, 0), 0);
    CHECK_EQ(atomic_load(&given.begun), 0);
    thrum_thread_future_release(future);
    close_loop(loop);
}

static void ignore(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop;
    (void)report;
    (void)context;
}

/* 19: never a hang. Not begun, begun, and cancelled meanwhile. */
TEST(run_threadsafe, loop_that_closes_says_so)
{
    for (int cancel = 0; cancel < 2; cancel++) {
        thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
        thrum_loop_set_exception_handler(loop, ignore, NULL);
        order given = {.never = true}, late = {.never = true};
        int expected = cancel ? THRUM_ECANCELED : THRUM_ECLOSED;
        thrum_thread_future *begun = thrum_run_threadsafe(loop, start, &given);
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
        CHECK_EQ(atomic_load(&given.begun), 1);
        thrum_thread_future *waiting = thrum_run_threadsafe(loop, start, &late);
        if (cancel) {
            thrum_thread_future_cancel(begun);
            thrum_thread_future_cancel(waiting);
        }
        close_loop(loop);
        CHECK_EQ(thrum_thread_future_result(begun, THRUM_NEVER, NULL), expected);
        CHECK_EQ(thrum_thread_future_result(waiting, THRUM_NEVER, NULL), expected);
        CHECK_EQ(thrum_thread_future_join(begun, THRUM_NEVER), 0);
        CHECK_EQ(thrum_thread_future_join(waiting, THRUM_NEVER), 0);
        CHECK_EQ(atomic_load(&late.begun), 0);
        thrum_thread_future_release(begun);
        thrum_thread_future_release(waiting);
        thrum_thread_future *refused = thrum_run_threadsafe(loop, start, &late);
        CHECK_EQ(thrum_thread_future_result(refused, THRUM_NEVER, NULL), THRUM_ECLOSED);
        thrum_thread_future_release(refused);
    }
}

enum { THREADS = 8, EACH = 50 };

typedef struct asker {
    pthread_t thread;
    thrum_loop *loop;
    long results, cancelled, closed;
} asker;

static void *ask(void *argument)
{
    asker *self = argument;
    for (long i = 0; i < EACH; i++) {
        order given = {.result = i, .never = i % 5 == 4};
        thrum_value value = -1;
        thrum_thread_future *future = thrum_run_threadsafe(self->loop, start, &given);
        if (given.never)
            thrum_thread_future_cancel(future);
        int error = thrum_thread_future_result(future, THRUM_NEVER, &value);
        self->results += !error && value == i;
        self->cancelled += error == THRUM_ECANCELED;
        self->closed += error == THRUM_ECLOSED;
        thrum_thread_future_join(future, THRUM_NEVER); /* `given` goes */
        thrum_thread_future_release(future);
    }
    return NULL;
}

TEST(run_threadsafe, from_many_threads_under_load)
{
    loop_thread other;
    asker askers[THREADS];
    memset(askers, 0, sizeof askers);
    loop_thread_start(&other, NULL);
    for (int i = 0; i < THREADS; i++) {
        askers[i].loop = other.loop;
        CHECK_EQ(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(askers[i].thread, NULL);
        CHECK_EQ(askers[i].results, EACH * 4 / 5);
        CHECK_EQ(askers[i].cancelled, EACH / 5);
    }
    loop_thread_end(&other);
}

/* And while it closes: each gets its result, or is told. */
TEST(run_threadsafe, from_many_threads_while_the_loop_closes)
{
    for (int round = 0; round < 10; round++) {
        loop_thread other;
        asker askers[THREADS];
        memset(askers, 0, sizeof askers);
        loop_thread_start(&other, ignore);
        for (int i = 0; i < THREADS; i++) {
            askers[i].loop = other.loop;
            CHECK_EQ(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
        }
        for (int i = 0; i < round * 30; i++)
            sched_yield();
        loop_thread_end(&other);
        for (int i = 0; i < THREADS; i++) {
            pthread_join(askers[i].thread, NULL);
            CHECK_EQ(askers[i].results + askers[i].cancelled + askers[i].closed, EACH);
        }
    }
}
