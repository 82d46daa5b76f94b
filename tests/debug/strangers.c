/* Debug mode: calls from a thread that is not the loop's. The other thread has finished with everything before the loop
 * goes on, so that nothing here is a race but what is being tried. */
#include "support.h"

#include <pthread.h>

static lines logged;

static void note(void *context, const char *line)
{
    (void)context;
    put_line(&logged, line);
}

static thrum_future future;
static thrum_task *waiting, *sleeping, *ended;
static thrum_handle soon, later, done;
static int result;

static ASYNC(waits, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(&future);
    ASYNC_END;
}

static ASYNC(sleeps, ARGS((thrum_time, span)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->span));
    ASYNC_END;
}

static ASYNC(spawns, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    waiting = thrum_spawn(waits());
    sleeping = thrum_spawn(sleeps(SECONDS(1)));
    ended = thrum_spawn(sleeps(0));
    AWAIT(ended);
    ASYNC_END;
}

static void called(thrum_handle *handle)
{
    ++*(int *)handle->context;
}

/* What the stranger does. */

static void completes_a_future(void)
{
    result = thrum_future_set_result(&future, 0);
}

static void cancels_a_parked_task(void)
{
    result = thrum_task_cancel(waiting);
}

static void cancels_a_sleeping_task(void)
{
    result = thrum_task_cancel(sleeping);
}

static void releases_a_task(void)
{
    thrum_task_release(ended);
}

static void takes_a_call_back(void)
{
    result = thrum_handle_cancel(&soon);
}

static void takes_a_timer_back(void)
{
    result = thrum_handle_cancel(&later);
}

static void takes_a_done_callback_back(void)
{
    result = thrum_task_remove_done_callback(sleeping, &done);
}

static void queues_a_handle_in_use(void)
{
    result = thrum_call_soon(&later);
}

static const struct row {
    void (*act)(void);
    const char *told;
    int result;
} rows[] = {
    {completes_a_future, "a task of another loop was woken in this thread", THRUM_ESTATE},
    {cancels_a_parked_task, "a task of another loop was cancelled in this thread", 0},
    {cancels_a_sleeping_task, "a task of another loop was cancelled in this thread", 0},
    {releases_a_task, "a task of another loop was released in this thread", -1},
    {takes_a_call_back, "a handle of another loop was used in this thread", 0},
    {takes_a_timer_back, "a handle of another loop was used in this thread", 0},
    {takes_a_done_callback_back, "a handle of another loop was used in this thread", 0},
    {queues_a_handle_in_use, "a handle of another loop was used in this thread", THRUM_ESTATE},
};

static const struct row *acted;

static void *without_a_loop(void *argument)
{
    (void)argument;
    acted->act();
    return NULL;
}

static ASYNC(acts, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    acted->act();
    ASYNC_END;
}

static thrum_loop *open_debug(void)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM, .debug = true};
    thrum_loop *loop = NULL;
    if (thrum_loop_new(&loop, &options))
        return NULL;
    eager_prepare(loop);
    return loop;
}

static void *with_a_loop(void *argument)
{
    thrum_loop *loop = open_debug();
    (void)argument;
    thrum_loop_run_until_complete(loop, acts(), NULL);
    thrum_loop_close(loop);
    thrum_pool_clear();
    return NULL;
}

static void try_row(const struct row *row, bool loop_there)
{
    pthread_t thread;
    int calls = 0;
    acted = row;
    result = -1;
    logged.text[0] = '\0';
    thrum_log_set(note, NULL);
    thrum_future_init(&future);
    thrum_loop *loop = open_debug();
    CHECK_EQ(thrum_loop_run_until_complete(loop, spawns(), NULL), 0);
    thrum_handle_init(&soon, called, &calls);
    thrum_handle_init(&later, called, &calls);
    thrum_handle_init(&done, called, &calls);
    CHECK_EQ(thrum_call_soon(&soon), 0);
    CHECK_EQ(thrum_call_later(SECONDS(2), &later), 0);
    CHECK_EQ(thrum_task_add_done_callback(sleeping, &done), 0);
    CHECK_STR(logged.text, "");

    pthread_create(&thread, NULL, loop_there ? with_a_loop : without_a_loop, NULL);
    pthread_join(thread, NULL);
    if (loop_there || row->act != queues_a_handle_in_use)
        CHECK(strstr(logged.text, row->told));
    else
        CHECK(strstr(logged.text, "a call was queued in a thread without a loop"));
    CHECK_EQ(result, row->result);
    /* Both places: what was misused, and by whom. */
    if (strncmp(row->told, "a task", 6) == 0)
        CHECK(strstr(logged.text, "  made in spawns, "));
    if (loop_there)
        CHECK(strstr(logged.text, "in acts, "));

    /* Nothing happened to the loop. */
    thrum_loop_step(loop, 0);
    CHECK_EQ(calls, 1);
    while (!thrum_task_done(sleeping) || calls < 3)
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    CHECK_EQ(thrum_task_result(sleeping, NULL), 0);
    CHECK(!thrum_task_done(waiting));
    CHECK_EQ(thrum_future_set_result(&future, 0), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_task_result(waiting, NULL), 0);
    thrum_task_release(waiting);
    thrum_task_release(sleeping);
    thrum_task_release(ended);
    thrum_loop_close(loop);
}

/* 28, check_thread */
TEST(strangers, in_a_thread_without_a_loop)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        try_row(&rows[i], false);
}

TEST(strangers, in_a_thread_with_another_loop)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        try_row(&rows[i], true);
}

/* Not of anybody's loop, but in no loop's thread. */
static void *starts(void *argument)
{
    thrum_handle handle = THRUM_HANDLE_INIT(called, NULL);
    (void)argument;
    result = thrum_call_soon(&handle) == THRUM_ESTATE && thrum_spawn_detached(waits()) == THRUM_ESTATE;
    thrum_pool_clear();
    return NULL;
}

static void start_elsewhere(void)
{
    pthread_t thread;
    logged.text[0] = '\0';
    pthread_create(&thread, NULL, starts, NULL);
    pthread_join(thread, NULL);
    CHECK(result);
}

TEST(strangers, without_a_loop_nothing_is_started)
{
    thrum_log_set(note, NULL);
    start_elsewhere();
    CHECK_STR(logged.text, ""); /* nobody is in debug mode */
    thrum_loop *loop = open_debug();
    start_elsewhere();
    CHECK_STR(logged.text, "a call was queued in a thread without a loop: thrum_call_soon_threadsafe() is for that\n"
                           "a task was started in a thread without a loop: thrum_call_soon_threadsafe() is for that\n");
    thrum_loop_close(loop);
    start_elsewhere();
    CHECK_STR(logged.text, "");
}
