/* All tasks to the log when a signal comes. */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static lines logged;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static void note(void *context, const char *line)
{
    (void)context;
    pthread_mutex_lock(&guard);
    put_line(&logged, line);
    pthread_mutex_unlock(&guard);
}

static bool default_again(int signal)
{
    struct sigaction now;
    sigaction(signal, NULL, &now);
    return now.sa_handler == SIG_DFL;
}

static ASYNC(sleeps, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1000)));
    ASYNC_END;
}

static ASYNC(asks, ARGS_NONE, LOCALS(thrum_task *task; int i;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(sleeps());
    AWAIT(thrum_yield());
    kill(getpid(), SIGUSR1);
    for (self->i = 0; self->i < 3; self->i++)
        AWAIT(thrum_yield());
    thrum_task_cancel(self->task);
    thrum_task_release(self->task);
    ASYNC_END;
}

static thrum_loop *open_loop(void)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM};
    thrum_loop *loop;
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    eager_prepare(loop);
    return loop;
}

TEST(dump, on_a_signal)
{
    thrum_log_set(note, NULL);
    thrum_loop *loop = open_loop();
    CHECK_EQ(thrum_dump_on_signal(SIGUSR1), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, asks(), NULL), 0);
    CHECK(strstr(logged.text, "tasks of loop "));
    CHECK(strstr(logged.text, "* Task(name='sleeps', id=0x"));
    CHECK(strstr(logged.text, "), waits in sleep\n"));
    CHECK(strstr(logged.text, "in async sleeps()"));
    CHECK(!default_again(SIGUSR1));
    thrum_loop_close(loop);
    CHECK(default_again(SIGUSR1));
}

static void *other(void *argument)
{
    thrum_loop *loop = open_loop();
    pthread_barrier_t *barrier = argument;
    thrum_task *task = thrum_spawn(sleeps());
    thrum_loop_step(loop, 0);
    CHECK_EQ(thrum_dump_on_signal(SIGUSR1), 0);
    pthread_barrier_wait(barrier);
    pthread_barrier_wait(barrier); /* the signal has come */
    thrum_loop_step(loop, 0);
    thrum_loop_step(loop, 0);
    thrum_task_cancel(task);
    thrum_loop_step(loop, 0);
    thrum_task_release(task);
    thrum_loop_close(loop);
    thrum_pool_clear();
    return NULL;
}

TEST(dump, of_every_loop)
{
    pthread_barrier_t barrier;
    pthread_t threads[2];
    thrum_log_set(note, NULL);
    pthread_barrier_init(&barrier, NULL, 3);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, other, &barrier);
    pthread_barrier_wait(&barrier);
    pthread_kill(pthread_self(), SIGUSR1);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    const char *first = strstr(logged.text, "* Task(name='sleeps'");
    CHECK(first);
    CHECK(strstr(first + 1, "* Task(name='sleeps'"));
    CHECK(default_again(SIGUSR1));
    pthread_barrier_destroy(&barrier);
}

static void mine(int signal)
{
    (void)signal;
}

TEST(dump, of_a_runner)
{
    const thrum_runner_options options = {.size = sizeof options, .dump_signal = SIGUSR1};
    thrum_runner runner;
    thrum_log_set(note, NULL);
    CHECK_EQ(thrum_runner_init(&runner, &options), 0);
    CHECK_EQ(thrum_runner_run(&runner, asks(), NULL), 0);
    CHECK(strstr(logged.text, "tasks of loop "));
    CHECK(strstr(logged.text, "sleeps"));
    CHECK(!default_again(SIGUSR1));
    CHECK_EQ(thrum_runner_close(&runner), 0);
    CHECK(default_again(SIGUSR1));
    signal(SIGUSR1, mine); /* somebody else's: nothing runs */
    CHECK_EQ(thrum_runner_init(&runner, &options), 0);
    CHECK_EQ(thrum_runner_run(&runner, asks(), NULL), THRUM_EBUSY);
    CHECK_EQ(thrum_runner_close(&runner), 0);
}

TEST(dump, refusals)
{
    CHECK_EQ(thrum_dump_on_signal(SIGUSR1), THRUM_ESTATE);
    thrum_loop *loop = open_loop();
    CHECK_EQ(thrum_dump_on_signal(9999), THRUM_EINVAL);
    CHECK_EQ(thrum_dump_on_signal(SIGKILL), THRUM_EUNSUPPORTED);
    signal(SIGUSR2, mine);
    CHECK_EQ(thrum_dump_on_signal(SIGUSR2), THRUM_EBUSY);
    CHECK_EQ(thrum_dump_on_signal(SIGUSR1), 0);
    CHECK_EQ(thrum_dump_on_signal(SIGUSR1), THRUM_ESTATE);
    signal(SIGUSR1, mine); /* the application takes it back: it stays so */
    thrum_loop_close(loop);
    CHECK(!default_again(SIGUSR1));
}
