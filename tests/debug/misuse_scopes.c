/* Groups, deadlines and iterations that are opened while they are open, or used in another thread. */
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static lines logged;
static thrum_group group;
static thrum_deadline limit;
static thrum_iteration iteration;
static thrum_future future;
static int result;

static void note(void *context, const char *line)
{
    (void)context;
    put_line(&logged, line);
}

static thrum_loop *open_loop(bool debug)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM, .debug = debug};
    thrum_loop *loop = NULL;
    thrum_log_set(note, NULL);
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    eager_prepare(loop);
    return loop;
}

static ASYNC(waits, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(&future);
    ASYNC_END;
}

static ASYNC(holds_open, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    WITH (group, thrum_group_open(&group)) {
        WITH (limit, thrum_deadline_after(&limit, SECONDS(9))) {
            thrum_group_spawn(&group, waits());
            AWAIT(&future);
        }
    }
    ASYNC_END;
}

/* ---- opened while it is open ---- */

/* As a block it is a trap: a scope that two tasks have open would be closed by none. */
static ASYNC(opens_group, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    WITH (group, thrum_group_open(&group)) {
        FAIL("it is open already");
    }
    ASYNC_END;
}

static ASYNC(opens_limit, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    WITH (limit, thrum_deadline_after(&limit, SECONDS(1))) {
        FAIL("it is open already");
    }
    ASYNC_END;
}

static thrum_awaitable enters_group(void)
{
    return thrum_group_open(&group);
}

static thrum_awaitable enters_limit(void)
{
    return thrum_deadline_after(&limit, SECONDS(1));
}

static void opened_again(thrum_awaitable (*opens)(void), bool debug)
{
    thrum_loop *loop = open_loop(debug);
    thrum_future_init(&future);
    thrum_task *task = thrum_spawn(holds_open());
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, opens(), NULL), THRUM_ESTATE);
    CHECK(!thrum_task_done(task));
    CHECK_EQ(thrum_group_size(&group), 1);
    CHECK_EQ(thrum_future_set_result(&future, 0), 0);
    while (!thrum_task_done(task))
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_task_result(task, NULL), 0);
    thrum_task_release(task);
    CHECK_EQ(thrum_loop_close(loop), 0);
}

TEST(misuse_scopes, opened_again)
{
    for (int debug = 0; debug < 2; debug++) {
        opened_again(enters_group, debug);
        opened_again(enters_limit, debug);
    }
}

static void aborts(thrum_awaitable (*opens)(void))
{
    int pipes[2], status;
    char said[400] = "";
    CHECK_EQ(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        thrum_loop *loop = open_loop(false);
        thrum_log_set(NULL, NULL);
        thrum_future_init(&future);
        thrum_spawn_detached(holds_open());
        thrum_loop_step(loop, 0);
        thrum_loop_run_until_complete(loop, opens(), NULL);
        _exit(0);
    }
    close(pipes[1]);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_GT(read(pipes[0], said, sizeof said - 1), 0);
    close(pipes[0]);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(strstr(said, "a block was entered again that is still open"));
    CHECK(strstr(said, "in opens_"));
}

TEST(misuse_scopes, blocks_of_two_tasks)
{
    aborts(opens_group);
    aborts(opens_limit);
}

static ASYNC_GEN(counts, ARGS_NONE, LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT(thrum_yield());
        YIELD(self->i);
    }
    ASYNC_END;
}

static ASYNC(takes, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_iteration_next(&iteration));
    ASYNC_END;
}

/* The generator is in use by somebody else. */
TEST(misuse_scopes, iterated_by_two)
{
    for (int debug = 0; debug < 2; debug++) {
        thrum_loop *loop = open_loop(debug);
        CHECK_EQ(thrum_iteration_open(&iteration, counts()), 0);
        thrum_task *first = thrum_spawn(takes()), *second = thrum_spawn(takes());
        for (int i = 0; i < 4; i++)
            CHECK_EQ(thrum_loop_step(loop, 0), 0);
        CHECK_EQ(thrum_task_result(first, NULL), 0);
        CHECK_EQ(thrum_task_result(second, NULL), THRUM_EBUSY);
        thrum_task_release(first);
        thrum_task_release(second);
        CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_iteration_close(&iteration), NULL), 0);
        CHECK_EQ(thrum_loop_close(loop), 0);
    }
}

/* ---- moved while it is open: debug mode names where its task is, and who used the other one ---- */

static thrum_group moved_group;
static thrum_deadline moved_limit;

static ASYNC(uses_what_was_moved, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    moved_group = group;
    moved_limit = limit;
    CHECK_NULL(thrum_group_spawn(&moved_group, waits()));
    CHECK_EQ(thrum_deadline_reschedule(&moved_limit, 0), THRUM_ESTATE);
    /* Those that were not are used as ever. */
    CHECK_NOT_NULL(thrum_group_spawn(&group, waits()));
    CHECK_EQ(thrum_deadline_reschedule(&limit, THRUM_NEVER), 0);
    ASYNC_END;
}

TEST(misuse_scopes, moved)
{
    thrum_loop *loop = open_loop(true);
    logged.text[0] = '\0';
    thrum_future_init(&future);
    thrum_task *task = thrum_spawn(holds_open());
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, uses_what_was_moved(), NULL), 0);
    CHECK(strstr(logged.text, "a group was moved while it is open"));
    CHECK(strstr(logged.text, "a deadline was moved while it is open"));
    CHECK(strstr(logged.text, "  somebody waits in holds_open, "));
    CHECK(strstr(logged.text, "  in uses_what_was_moved, "));
    CHECK_EQ(thrum_future_set_result(&future, 0), 0);
    while (!thrum_task_done(task))
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_task_result(task, NULL), 0);
    thrum_task_release(task);
    CHECK_EQ(thrum_loop_close(loop), 0);
}

/* A generator's open blocks are not its task's while it stands at a YIELD: there they have not been moved. */
static thrum_deadline yields_within;

static ASYNC_GEN(limited, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    WITH (yields_within, thrum_deadline_after(&yields_within, SECONDS(9)))
        YIELD(1);
    ASYNC_END;
}

static ASYNC(reschedules_from_a_loop, ARGS_NONE, LOCALS(thrum_iteration each; int item;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, limited())
        CHECK_EQ(thrum_deadline_reschedule(&yields_within, THRUM_NEVER), 0);
    ASYNC_END;
}

TEST(misuse_scopes, around_a_yield_it_is_not_moved)
{
    thrum_loop *loop = open_loop(true);
    logged.text[0] = '\0';
    CHECK_EQ(thrum_loop_run_until_complete(loop, reschedules_from_a_loop(), NULL), 0);
    CHECK_STR(logged.text, "");
    CHECK_EQ(thrum_loop_close(loop), 0);
}

/* ---- in another thread ---- */

static void spawns(void)
{
    result = thrum_group_spawn(&group, waits()) ? 0 : THRUM_ESTATE;
}

static void cancels(void)
{
    thrum_group_cancel(&group);
    result = THRUM_ESTATE;
}

static void reschedules(void)
{
    result = thrum_deadline_reschedule(&limit, 0);
}

static const struct row {
    void (*act)(void);
    const char *told;
} rows[] = {
    {spawns, "a group of another loop was used in this thread: "},
    {cancels, "a group of another loop was used in this thread: "},
    {reschedules, "a deadline of another loop was used in this thread: "},
};

static const struct row *row;

static void *without_a_loop(void *argument)
{
    (void)argument;
    row->act();
    thrum_pool_clear();
    return NULL;
}

static ASYNC(stranger, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    row->act();
    ASYNC_END;
}

static void *with_a_loop(void *argument)
{
    thrum_loop *loop = open_loop(true);
    (void)argument;
    thrum_loop_run_until_complete(loop, stranger(), NULL);
    thrum_loop_close(loop);
    thrum_pool_clear();
    return NULL;
}

static void in_a_thread(void *(*body)(void *argument), bool debug)
{
    pthread_t thread;
    thrum_loop *loop = open_loop(debug);
    logged.text[0] = '\0';
    result = -1;
    thrum_future_init(&future);
    thrum_task *task = thrum_spawn(holds_open());
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(pthread_create(&thread, NULL, body, NULL), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(result, THRUM_ESTATE);
    if (debug) {
        CHECK(strstr(logged.text, row->told));
        CHECK(strstr(logged.text, "  somebody waits in holds_open, "));
        CHECK(body == without_a_loop || strstr(logged.text, "in stranger, "));
    } else {
        CHECK_STR(logged.text, "");
    }
    CHECK_EQ(thrum_group_size(&group), 1);
    CHECK_EQ(thrum_future_set_result(&future, 0), 0);
    while (!thrum_task_done(task))
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_task_result(task, NULL), 0);
    thrum_task_release(task);
    CHECK_EQ(thrum_loop_close(loop), 0);
}

TEST(misuse_scopes, in_another_thread)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        row = &rows[i];
        in_a_thread(without_a_loop, false);
        in_a_thread(without_a_loop, true);
        in_a_thread(with_a_loop, true);
    }
}
