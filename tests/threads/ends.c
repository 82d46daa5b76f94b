/* What ends apart: a thread that never does, and a process that was forked while threads are at work. Numbers are
 * asyncio's corner semantics. Neither runs under ThreadSanitizer, which wants every thread to end, and none after a
 * fork. */
#include "support_executors.h"

#include <sys/wait.h>
#include <unistd.h>

static ASYNC(joins, ARGS((thrum_executor *, executor)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_executor_join(self->executor));
    ASYNC_END;
}

static ASYNC(hangs_in_a_thread, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_spawn_detached(calls(NULL, pass_door, NULL)), 0);
    AWAIT(thrum_yield());
    gate_await_waiting(&door, 1);
    ASYNC_RETURN(9);
    ASYNC_END;
}

/* A thread that never ends does not keep a program from ending: the runner names it and leaves it behind. */
TEST(default_executor, that_never_ends_is_left_behind)
{
    const thrum_runner_options options = {.size = sizeof options, .shutdown = MILLISECONDS(20)};
    thrum_runner runner;
    thrum_value value = 0;
    log_begin();
    CHECK_EQ(thrum_runner_init(&runner, &options), 0);
    CHECK_EQ(thrum_runner_run(&runner, hangs_in_a_thread(), &value), 0);
    CHECK_EQ(value, 9);
    CHECK_EQ(thrum_runner_close(&runner), THRUM_ETIMEDOUT);
    CHECK(log_has("task calls"));
    CHECK_NULL(thrum_loop_current());
    /* The thread has its loop no more; another one can be made. */
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    gate_open(&door, 1);
    CHECK_EQ(thrum_loop_run_until_complete(loop, calls(NULL, nothing, NULL), NULL), 0);
    close_loop(loop);
    thrum_log_set(NULL, NULL);
}

/* ---- 25: fork ---- */

static int in_child(thrum_executor *parents)
{
    thrum_loop_options options = {.size = sizeof options};
    thrum_executor_stats stats;
    thrum_loop *loop;
    if (thrum_loop_current() || thrum_loop_new(&loop, &options))
        return 1;
    if (thrum_loop_run_until_complete(loop, calls(parents, nothing, NULL), NULL) != THRUM_ESTATE)
        return 2;
    if (thrum_loop_run_until_complete(loop, thrum_executor_join(parents), NULL) != THRUM_ESTATE)
        return 3;
    thrum_executor_shutdown(parents, true);
    thrum_executor_stats_get(parents, &stats);
    if (stats.threads)
        return 4;
    thrum_executor_release(parents);
    if (thrum_loop_run_until_complete(loop, calls(NULL, nothing, NULL), NULL))
        return 5;
    if (thrum_loop_run_until_complete(loop, thrum_loop_shutdown_default_executor(SECONDS(5)), NULL))
        return 6;
    return thrum_loop_close(loop) ? 7 : 0;
}

/* A call of the parent's is at work and another one queued; the child has no such threads, and may have its own. */
TEST(executor, child_process_has_its_own)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_executor *executor = make(1, NULL);
    thrum_task *first = thrum_spawn(calls(executor, pass_door, NULL));
    thrum_task *second = thrum_spawn(calls(executor, nothing, NULL)), *third = thrum_spawn(joins(executor));
    thrum_task *fourth = thrum_spawn(calls(NULL, nothing, NULL));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    gate_await_waiting(&door, 1);
    pid_t child = fork();
    if (child == 0)
        _exit(in_child(executor));
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
    gate_open(&door, 1);
    while (!thrum_task_done(first) || !thrum_task_done(second) || !thrum_task_done(third) || !thrum_task_done(fourth))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    thrum_task_release(first);
    thrum_task_release(second);
    thrum_task_release(third);
    thrum_task_release(fourth);
    thrum_executor_release(executor);
    close_loop(loop);
}

/* ---- 25: fork at any time ---- */

static atomic_bool over;
static thrum_loop *parents;

static void do_nothing(thrum_post *post)
{
    (void)post;
}

/* Holds the library's locks as often as can be. */
static void *be_busy(void *argument)
{
    while (!atomic_load(&over)) {
        thrum_post post = {.call = do_nothing};
        thrum_loop *loop;
        thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM};
        thrum_call_soon_threadsafe(parents, &post);
        thrum_post_cancel(parents, &post);
        if (thrum_loop_new(&loop, &options) == 0)
            thrum_loop_close(loop);
        thrum_log_set(NULL, NULL);
    }
    thrum_pool_clear();
    return argument;
}

static int make_a_loop_in_child(void)
{
    thrum_loop *loop;
    alarm(9); /* should it hang, it ends all the same */
    thrum_log_set(log_line, NULL);
    if (thrum_loop_new(&loop, NULL))
        return 1;
    if (thrum_loop_run_until_complete(loop, calls(NULL, nothing, NULL), NULL))
        return 2;
    return thrum_loop_close(loop) ? 3 : 0;
}

TEST_LIMIT(executor, child_process_may_be_made_at_any_time, 30)
{
    enum { BUSY = 3 };
    pthread_t threads[BUSY];
    parents = open_loop(THRUM_BACKEND_LIBEV);
    for (int i = 0; i < BUSY; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, be_busy, NULL), 0);
    for (int i = 0; i < 60; i++) {
        int status;
        thrum_loop_step(parents, 0);
        pid_t child = fork();
        if (child == 0)
            _exit(make_a_loop_in_child());
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK(WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), 0);
    }
    atomic_store(&over, true);
    for (int i = 0; i < BUSY; i++)
        pthread_join(threads[i], NULL);
    close_loop(parents);
}
