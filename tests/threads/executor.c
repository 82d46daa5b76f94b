/* Executors: their threads, their end, the default one of a loop. Numbers are asyncio's corner semantics. Runs under
 * ThreadSanitizer. */
#include "support_executors.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

static ASYNC(joins, ARGS((thrum_executor *, executor)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_executor_join(self->executor));
    note('j');
    ASYNC_END;
}

static thrum_executor_stats stats_of(thrum_executor *executor)
{
    thrum_executor_stats stats;
    thrum_executor_stats_get(executor, &stats);
    return stats;
}

static void await_idle(thrum_executor *executor, unsigned count)
{
    while (stats_of(executor).idle < count)
        sched_yield();
}

/* ---- threads ---- */

/* A thread is started when there is a call and none is idle, up to the limit. */
LOOP_TEST(executor, starts_threads_when_they_are_needed)
{
    thrum_executor *executor = make(2, NULL);
    CHECK_EQ(stats_of(executor).threads, 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(thrum_loop_run_until_complete(loop, calls(executor, nothing, NULL), NULL), 0);
        await_idle(executor, 1);
        CHECK_EQ(stats_of(executor).threads, 1);
    }
    thrum_task *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = thrum_spawn(calls(executor, pass_door, NULL));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    gate_await_waiting(&door, 2);
    CHECK_EQ(stats_of(executor).threads, 2);
    CHECK_EQ(stats_of(executor).queued, 1);
    gate_open(&door, 3);
    for (int i = 0; i < 3; i++) {
        while (!thrum_task_done(tasks[i]))
            CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
        thrum_task_release(tasks[i]);
    }
    CHECK_EQ(thrum_loop_run_until_complete(loop, joins(executor), NULL), 0);
    CHECK_EQ(stats_of(executor).threads, 0);
    thrum_executor_release(executor);
}

/* As many as asyncio's has: processors that this process may use + 4, at most 32. */
LOOP_TEST(executor, has_a_thread_for_each_processor_and_four_by_default)
{
    enum { MORE = 33 };
    thrum_executor *executor = make(0, NULL);
    thrum_task *tasks[MORE];
#if defined(__linux__) && !defined(THRUM_PORTABLE)
    cpu_set_t set;
    CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    unsigned most = (unsigned)CPU_COUNT(&set) + 4;
#else
    unsigned most = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) + 4;
#endif
    most = most < 32 ? most : 32;
    for (int i = 0; i < MORE; i++)
        tasks[i] = thrum_spawn(calls(executor, pass_door, NULL));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    gate_await_waiting(&door, (int)most);
    CHECK_EQ(stats_of(executor).threads, most);
    CHECK_EQ(stats_of(executor).queued, MORE - most);
    gate_open(&door, MORE);
    for (int i = 0; i < MORE; i++) {
        while (!thrum_task_done(tasks[i]))
            CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
        thrum_task_release(tasks[i]);
    }
    CHECK_EQ(thrum_loop_run_until_complete(loop, joins(executor), NULL), 0);
    thrum_executor_release(executor);
}

/* Where threads have no names, there is nothing to compare. */
#define CHECK_NAME(name, expected)                                                                                     \
    do {                                                                                                               \
        if (strcmp((name), "?") != 0)                                                                                  \
            CHECK_STR(name, expected);                                                                                 \
    } while (0)

typedef struct seen {
    char name[16];
    bool blocked, fault_blocked, loop;
} seen;

static int look(void *argument, thrum_value *value)
{
    seen *mine = argument;
    sigset_t set;
    (void)value;
#if defined(__linux__) && !defined(THRUM_PORTABLE)
    pthread_getname_np(pthread_self(), mine->name, sizeof mine->name);
#else
    strcpy(mine->name, "?");
#endif
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    mine->blocked = sigismember(&set, SIGINT) && sigismember(&set, SIGUSR1) && sigismember(&set, SIGCHLD);
    mine->fault_blocked = sigismember(&set, SIGSEGV) || sigismember(&set, SIGABRT);
    mine->loop = thrum_loop_current() != NULL;
    return 0;
}

TEST(executor, names_its_threads_and_blocks_their_signals)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_executor *executor = make(1, "a-long-prefix-indeed");
    seen mine;
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(executor, look, &mine), NULL), 0);
    CHECK_NAME(mine.name, "a-long-pref-0");
    CHECK(mine.blocked);
    CHECK(!mine.fault_blocked);
    CHECK(!mine.loop);
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(NULL, look, &mine), NULL), 0);
    CHECK_NAME(mine.name, "thrum-0");
    thrum_executor_release(executor);
    close_loop(loop);
}

static int use_stack(void *argument, thrum_value *value)
{
    pthread_attr_t attributes;
    size_t size = 0;
    (void)argument;
    CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
    pthread_attr_getstacksize(&attributes, &size);
    pthread_attr_destroy(&attributes);
    *value = (thrum_value)size;
    return 0;
}

TEST(executor, stack_size_is_an_option)
{
    thrum_executor_options options = {.size = sizeof options, .stack = 512 * 1024};
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_executor *executor;
    thrum_value size = 0;
    CHECK_EQ(thrum_executor_new(&executor, &options), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(executor, use_stack, NULL), &size), 0);
    CHECK_GE(size, 512 * 1024 - 65536);
    CHECK_LE(size, 1024 * 1024);
    thrum_executor_release(executor);
    options.stack = SIZE_MAX / 2 + 1; /* more than any system has: no thread can be had */
    CHECK_EQ(thrum_executor_new(&executor, &options), 0);
    CHECK_LT(thrum_loop_run_until_complete(loop, calls(executor, nothing, NULL), NULL), 0);
    thrum_executor_release(executor);
    close_loop(loop);
}

TEST(executor, options_are_checked)
{
    thrum_executor_options options = {.size = sizeof options + 1};
    thrum_executor *executor;
    CHECK_EQ(thrum_executor_new(&executor, &options), THRUM_EINVAL);
    CHECK_EQ(thrum_executor_new(NULL, NULL), THRUM_EINVAL);
    thrum_executor_release(NULL);
}

/* ---- its end ---- */

/* What is queued is made; what comes later is refused. */
LOOP_TEST(executor, shut_down_makes_what_is_queued)
{
    thrum_executor *executor = make(1, NULL);
    thrum_task *first = thrum_spawn(calls(executor, pass_door, NULL));
    thrum_task *second = thrum_spawn(calls(executor, nothing, NULL));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    gate_await_waiting(&door, 1);
    thrum_executor_shutdown(executor, false);
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(executor, nothing, NULL), NULL), THRUM_ESHUTDOWN);
    gate_open(&door, 1);
    CHECK_EQ(thrum_loop_run_until_complete(loop, joins(executor), NULL), 0);
    while (!thrum_task_done(second))
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_task_result(first, NULL), 0);
    CHECK_EQ(thrum_task_result(second, NULL), 0);
    thrum_task_release(first);
    thrum_task_release(second);
    thrum_executor_release(executor);
}

LOOP_TEST(executor, shut_down_can_cancel_what_is_queued)
{
    thrum_executor *executor = make(1, NULL);
    thrum_task *first = thrum_spawn(calls(executor, pass_door, NULL));
    thrum_task *second = thrum_spawn(calls(executor, nothing, NULL));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    gate_await_waiting(&door, 1);
    thrum_executor_shutdown(executor, true);
    while (!thrum_task_done(second))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    CHECK(thrum_task_cancelled(second));
    CHECK(!thrum_task_done(first));
    gate_open(&door, 1);
    while (!thrum_task_done(first))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    CHECK_EQ(thrum_task_result(first, NULL), 0);
    thrum_task_release(first);
    thrum_task_release(second);
    thrum_executor_release(executor);
}

LOOP_TEST(executor, released_makes_what_is_queued)
{
    thrum_executor *executor = make(1, NULL);
    thrum_task *first = thrum_spawn(calls(executor, pass_door, NULL));
    thrum_task *second = thrum_spawn(calls(executor, nothing, NULL));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    gate_await_waiting(&door, 1);
    thrum_executor_release(executor);
    gate_open(&door, 1);
    while (!thrum_task_done(second))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    CHECK_EQ(thrum_task_result(first, NULL), 0);
    CHECK_EQ(thrum_task_result(second, NULL), 0);
    thrum_task_release(first);
    thrum_task_release(second);
}

LOOP_TEST(executor, joining_can_be_cancelled_and_done_by_several)
{
    thrum_executor *executor = make(1, NULL);
    thrum_task *call = thrum_spawn(calls(executor, pass_door, NULL)), *waiting[3];
    note_clear();
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    gate_await_waiting(&door, 1);
    for (int i = 0; i < 3; i++)
        waiting[i] = thrum_spawn(joins(executor));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    thrum_task_cancel(waiting[1]);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK(thrum_task_cancelled(waiting[1]));
    gate_open(&door, 1);
    while (!thrum_task_done(waiting[0]) || !thrum_task_done(waiting[2]) || !thrum_task_done(call))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    CHECK_STR(noted.text, "jj");
    CHECK_EQ(thrum_loop_run_until_complete(loop, joins(executor), NULL), 0); /* again */
    for (int i = 0; i < 3; i++)
        thrum_task_release(waiting[i]);
    thrum_task_release(call);
    thrum_drop(thrum_executor_join(executor));
    thrum_executor_release(executor);
}

/* A cancellation comes when the threads have told of their end, but the loop has not taken it up. */
LOOP_TEST(executor, joining_cancelled_at_the_end_loses_nothing)
{
    for (int passes = 0; passes < 3; passes++) {
        thrum_executor *executor = make(1, NULL);
        CHECK_EQ(thrum_loop_run_until_complete(loop, calls(executor, nothing, NULL), NULL), 0);
        await_idle(executor, 1);
        thrum_task *task = thrum_spawn(joins(executor));
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
        while (!thrum_task_done(task) && thrum_loop_next_deadline(loop) != 0)
            continue;
        for (int i = 0; i < passes; i++)
            CHECK_EQ(thrum_loop_step(loop, 0), 0);
        thrum_task_cancel(task);
        while (!thrum_task_done(task))
            CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
        thrum_task_release(task);
        thrum_executor_release(executor);
    }
}

/* ---- the default one ---- */

/* test_set_default_executor */
LOOP_TEST(default_executor, can_be_set)
{
    thrum_executor *executor = make(1, "mine"), *other = make(1, "other");
    seen mine;
    CHECK_EQ(thrum_loop_set_default_executor(loop, executor), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(NULL, look, &mine), NULL), 0);
    CHECK_NAME(mine.name, "mine-0");
    CHECK_EQ(thrum_loop_set_default_executor(loop, other), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(NULL, look, &mine), NULL), 0);
    CHECK_NAME(mine.name, "other-0");
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(executor, look, &mine), NULL), 0);
    CHECK_EQ(thrum_loop_set_default_executor(loop, NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(NULL, look, &mine), NULL), 0);
    CHECK_NAME(mine.name, "thrum-0");
    thrum_executor_release(executor);
    thrum_executor_release(other);
}

/* 163: joined, and then refused. */
LOOP_TEST(default_executor, is_joined_and_refuses)
{
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(NULL, nothing, NULL), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_loop_shutdown_default_executor(SECONDS(5)), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(NULL, nothing, NULL), NULL), THRUM_ESHUTDOWN);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_loop_shutdown_default_executor(SECONDS(5)), NULL), 0);
    thrum_executor *executor = make(1, NULL);
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(executor, nothing, NULL), NULL), 0);
    thrum_executor_release(executor);
}

/* Without a call there was none. */
LOOP_TEST(default_executor, that_was_never_made_can_be_shut_down)
{
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_loop_shutdown_default_executor(THRUM_NEVER), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(NULL, nothing, NULL), NULL), THRUM_ESHUTDOWN);
}

/* test_shutdown_default_executor_timeout */
TEST(default_executor, that_does_not_end_is_named)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    log_begin();
    thrum_task *call = thrum_spawn(calls(NULL, pass_door, NULL));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    gate_await_waiting(&door, 1);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_loop_shutdown_default_executor(MILLISECONDS(10)), NULL),
             THRUM_ETIMEDOUT);
    CHECK(log_has("did not end within 10 ms"));
    gate_open(&door, 1);
    while (!thrum_task_done(call))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    thrum_task_release(call);
    thrum_log_set(NULL, NULL);
    close_loop(loop);
}

/* ---- runners ---- */

static int wait_a_little(void *argument, thrum_value *value)
{
    (void)value;
    gate_pass(&door);
    for (int i = 0; i < 100; i++)
        sched_yield();
    atomic_store((atomic_int *)argument, 1);
    return 0;
}

static ASYNC(leaves_a_call, ARGS((atomic_int *, made)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_spawn_detached(thrum_to_thread_abandon(wait_a_little, self->made, NULL)), 0);
    AWAIT(thrum_yield());
    gate_open(&door, 1);
    gate_await_passed(&door, 1);
    ASYNC_END;
}

/* 163: a runner joins them, also those whose calls nobody awaits any more. */
TEST(default_executor, is_joined_by_runners)
{
    atomic_int made = 0;
    CHECK_EQ(thrum_run(leaves_a_call(&made)), 0);
    CHECK_EQ(atomic_load(&made), 1);
}

/* ---- 164: generators are closed before the executor is shut down ---- */

static char made;

static ASYNC_GEN(ticks, ARGS_NONE, LOCALS(long i;))
{
    ASYNC_BEGIN;
    for (;;)
        YIELD(self->i++);
FINALLY:
    AWAIT(thrum_to_thread(nothing, NULL));
    made = 'g';
    ASYNC_END;
}

static thrum_iteration left_open;

static ASYNC(leaves_a_generator, ARGS_NONE, LOCALS(thrum_value first;))
{
    ASYNC_BEGIN;
    thrum_iteration_open(&left_open, ticks());
    AWAIT_INTO(self->first, thrum_iteration_next(&left_open));
    AWAIT_INTO(self->first, thrum_iteration_next(&left_open));
    CHECK_EQ(self->first, 1);
    AWAIT(thrum_to_thread(nothing, NULL));
    ASYNC_END;
}

TEST(default_executor, outlives_generators)
{
    made = 0;
    CHECK_EQ(thrum_run(leaves_a_generator()), 0);
    CHECK_EQ(made, 'g');
}

/* ---- several loops, one executor ---- */

enum { LOOPS = 4, CALLS = 100 };

static int add_one(void *argument, thrum_value *value)
{
    (void)value;
    atomic_fetch_add((atomic_int *)argument, 1);
    return 0;
}

static ASYNC(calls_many, ARGS((thrum_executor *, executor), (atomic_int *, count)), LOCALS(thrum_group group; int i;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        for (self->i = 0; self->i < CALLS; self->i++)
            thrum_group_spawn_detached(&self->group, calls(self->executor, add_one, self->count));
    }
    ASYNC_END;
}

static atomic_int counted;

/* At the end of a thread. */
static void *run_to_its_end(thrum_loop *loop, thrum_awaitable what)
{
    int error = thrum_loop_run_until_complete(loop, what, NULL);
    thrum_loop_close(loop);
    thrum_pool_clear();
    return (void *)(intptr_t)error;
}

static void *run_loop(void *executor)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    return run_to_its_end(loop, calls_many(executor, &counted));
}

TEST(executor, serves_several_loops)
{
    thrum_executor *executor = make(3, NULL);
    pthread_t threads[LOOPS];
    void *error;
    atomic_store(&counted, 0);
    for (int i = 0; i < LOOPS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, run_loop, executor), 0);
    for (int i = 0; i < LOOPS; i++) {
        pthread_join(threads[i], &error);
        CHECK_EQ((intptr_t)error, 0);
    }
    CHECK_EQ(atomic_load(&counted), LOOPS * CALLS);
    thrum_executor_release(executor);
}

/* ---- options that cannot be right ---- */

TEST(executor, refuses_a_stack_that_no_thread_can_have)
{
    thrum_executor_options options = {.size = sizeof options, .threads = 1, .stack = 1};
    thrum_executor *executor = (thrum_executor *)(void *)&options;
    CHECK_EQ(thrum_executor_new(&executor, &options), THRUM_EINVAL);
    CHECK(executor == NULL);
    options.stack = (size_t)PTHREAD_STACK_MIN - 1;
    CHECK_EQ(thrum_executor_new(&executor, &options), THRUM_EINVAL);
    options.stack = (size_t)PTHREAD_STACK_MIN + 256 * 1024; /* sanitizers and thread-local storage take of it */
    CHECK_EQ(thrum_executor_new(&executor, &options), 0);
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(executor, nothing, NULL), NULL), 0);
    close_loop(loop);
    thrum_executor_release(executor);
}

/* ---- a loop that closes while a task waits for the threads ---- */

static void *run_loop_to_the_door(void *executor)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    return run_to_its_end(loop, calls(executor, pass_door, NULL));
}

/* Another loop's call keeps the thread; at its end it tells nobody. */
TEST(executor, loop_closes_while_a_task_joins)
{
    thrum_executor *executor = make(1, NULL);
    pthread_t other;
    void *error;
    CHECK_EQ(pthread_create(&other, NULL, run_loop_to_the_door, executor), 0);
    gate_await_waiting(&door, 1);
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    note_clear();
    thrum_spawn_detached(joins(executor));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    close_loop(loop);
    gate_open(&door, 1);
    pthread_join(other, &error);
    CHECK_EQ((intptr_t)error, 0);
    loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, joins(executor), NULL), 0);
    CHECK_STR(noted.text, "j");
    close_loop(loop);
    thrum_executor_release(executor);
}

/* The threads have told of their end, but the loop has not taken it up. */
TEST(executor, loop_closes_when_the_threads_have_ended)
{
    thrum_executor *executor = make(1, NULL);
    pthread_t other;
    void *error;
    CHECK_EQ(pthread_create(&other, NULL, run_loop_to_the_door, executor), 0);
    gate_await_waiting(&door, 1); /* so that none ends before the loop is out of its step */
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    note_clear();
    thrum_spawn_detached(joins(executor));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    gate_open(&door, 1);
    while (thrum_loop_next_deadline(loop) != 0)
        continue;
    close_loop(loop);
    CHECK_STR(noted.text, "");
    pthread_join(other, &error);
    CHECK_EQ((intptr_t)error, 0);
    thrum_executor_release(executor);
}
