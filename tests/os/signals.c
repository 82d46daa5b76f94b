/* Signals as calls and as something to wait for, on libev and on virtual time, in several threads, in forked children.
 * Numbers are asyncio's corner semantics. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include "../threads/support.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* The test's own process must be as a program finds itself. */
static void signals_begin(void)
{
    static const int used[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD};
    sigset_t none;
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        signal(used[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool handled_by(int number, void (*handler)(int))
{
    struct sigaction now;
    CHECK_EQ(sigaction(number, NULL, &now), 0);
    return now.sa_handler == handler;
}

static bool by_default(int number)
{
    return handled_by(number, SIG_DFL);
}

static void passes(thrum_loop *loop, int count)
{
    for (int i = 0; i < count; i++)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
}

static int calls, others;

static void count(thrum_handle *handle)
{
    ++*(int *)handle->context;
}

/* ---- handlers ---- */

/* 23: the call runs in the loop; many signals between two passes are at least one call. */
LOOP_TEST(handler, is_called_by_the_loop)
{
    signals_begin();
    calls = 0;
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &calls), 0);
    raise(SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR1);
    CHECK_EQ(calls, 0);
    passes(loop, 3);
    CHECK_EQ(calls, 1);
    raise(SIGUSR1);
    passes(loop, 3);
    CHECK_EQ(calls, 2);
    CHECK(thrum_remove_signal_handler(SIGUSR1));
    CHECK(by_default(SIGUSR1));
}

static void note_and_stop(thrum_handle *handle)
{
    count(handle);
    thrum_loop_stop(thrum_loop_current());
}

/* signal_handling_while_selecting: it ends the wait, and is called once. */
TEST(handler, ends_the_wait)
{
    const struct itimerval soon = {.it_value = {0, 2000}};
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    signals_begin();
    calls = 0;
    CHECK_EQ(thrum_add_signal_handler(SIGALRM, note_and_stop, &calls), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    CHECK_EQ(calls, 1);
    close_loop(loop); /* and gives it back */
    CHECK(by_default(SIGALRM));
}

LOOP_TEST(handler, is_replaced_with_what_it_has_heard)
{
    signals_begin();
    calls = others = 0;
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &calls), 0);
    raise(SIGUSR1);
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &others), 0);
    passes(loop, 3);
    CHECK_EQ(calls, 0);
    CHECK_EQ(others, 1);
    raise(SIGUSR1);
    passes(loop, 1); /* the call is queued */
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &calls), 0);
    passes(loop, 3);
    CHECK_EQ(calls + others, 2);
    CHECK(thrum_remove_signal_handler(SIGUSR1));
    CHECK(!thrum_remove_signal_handler(SIGUSR1));
}

LOOP_TEST(handler, removed_takes_its_call_back)
{
    signals_begin();
    calls = 0;
    for (int before = 0; before < 2; before++) {
        CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &calls), 0);
        raise(SIGUSR1);
        passes(loop, before);
        int made = calls;
        CHECK(thrum_remove_signal_handler(SIGUSR1));
        passes(loop, 3);
        CHECK_EQ(calls, made);
    }
}

LOOP_TEST(handler, refusals)
{
    signals_begin();
    const int before = calls;
    CHECK_EQ(thrum_add_signal_handler(0, count, &calls), THRUM_EINVAL);
    CHECK_EQ(thrum_add_signal_handler(-1, count, &calls), THRUM_EINVAL);
    CHECK_EQ(thrum_add_signal_handler(9999, count, &calls), THRUM_EINVAL);
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, NULL, &calls), THRUM_EINVAL);
    CHECK_EQ(thrum_add_signal_handler(SIGKILL, count, &calls), THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_add_signal_handler(SIGSTOP, count, &calls), THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_add_signal_handler(SIGSEGV, count, &calls), THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_add_signal_handler(SIGRTMIN - 1, count, &calls), THRUM_EUNSUPPORTED); /* the C library's */
    CHECK(!thrum_remove_signal_handler(SIGKILL));
    CHECK(!thrum_remove_signal_handler(-1));
    CHECK_EQ(calls, before);
    passes(loop, 1);
}

TEST(handler, needs_a_loop)
{
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &calls), THRUM_ESTATE);
    CHECK(!thrum_remove_signal_handler(SIGUSR1));
}

/* No mask is changed: who blocks a signal has it wait, and the call comes when it is let through. */
LOOP_TEST(handler, waits_for_who_blocks_the_signal)
{
    sigset_t blocked, before, after;
    signals_begin();
    calls = 0;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &blocked, NULL), 0);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &calls), 0);
    raise(SIGUSR1);
    passes(loop, 3);
    CHECK_EQ(calls, 0);
    CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &blocked, &after), 0);
    for (int i = 1; i < SIGRTMAX; i++)
        CHECK_EQ(sigismember(&after, i), sigismember(&before, i));
    passes(loop, 3);
    CHECK_EQ(calls, 1);
    CHECK(thrum_remove_signal_handler(SIGUSR1));
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    CHECK(!sigismember(&after, SIGUSR1));
    CHECK(by_default(SIGUSR1));
}

static thrum_context_var place = THRUM_CONTEXT_VAR("place", 0);
static thrum_value seen_there;

static void look(thrum_handle *handle)
{
    (void)handle;
    seen_there = thrum_context_get(&place);
}

/* A call sees the variables as they were when it was asked for. */
LOOP_TEST(handler, has_the_context_of_the_one_who_added_it)
{
    thrum_context_token first, second;
    signals_begin();
    CHECK_EQ(thrum_context_set(&place, 5, &first), 0);
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, look, NULL), 0);
    CHECK_EQ(thrum_context_set(&place, 6, &second), 0);
    raise(SIGUSR1);
    passes(loop, 3);
    CHECK(thrum_remove_signal_handler(SIGUSR1));
    CHECK_EQ(thrum_context_reset(&second), 0);
    CHECK_EQ(thrum_context_reset(&first), 0);
    CHECK_EQ(seen_there, 5);
}

/* ---- 24: what was there before comes back ---- */

static atomic_int foreign_calls; /* the storm has it run in two threads at once */

static void foreign(int number)
{
    (void)number;
    foreign_calls++;
}

LOOP_TEST(before, comes_back_with_the_last_one)
{
    thrum_signal_receiver *receiver;
    const int number = SIGUSR1;
    signals_begin();
    calls = 0;
    foreign_calls = 0;
    signal(SIGUSR1, foreign);
    signal(SIGUSR2, SIG_IGN);
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &calls), 0);
    CHECK_EQ(thrum_add_signal_handler(SIGUSR2, count, &calls), 0);
    CHECK_EQ(thrum_signal_receiver_open(&receiver, &number, 1), 0);
    raise(SIGUSR1);
    raise(SIGUSR2);
    passes(loop, 3);
    CHECK_EQ(calls, 2);
    CHECK(thrum_remove_signal_handler(SIGUSR1));
    CHECK(!handled_by(SIGUSR1, foreign)); /* the receiver listens still */
    thrum_signal_receiver_close(receiver);
    CHECK(handled_by(SIGUSR1, foreign));
    CHECK(thrum_remove_signal_handler(SIGUSR2));
    CHECK(handled_by(SIGUSR2, SIG_IGN));
    raise(SIGUSR1);
    CHECK_EQ(foreign_calls, 1);
}

LOOP_TEST(before, is_left_alone_when_the_application_changes_it_meanwhile)
{
    signals_begin();
    calls = 0;
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &calls), 0);
    signal(SIGUSR1, foreign);
    CHECK(thrum_remove_signal_handler(SIGUSR1));
    CHECK(handled_by(SIGUSR1, foreign));
    passes(loop, 1);
}

/* Who waits for children by SIGCHLD, as libev does in EV_DEFAULT, goes on to learn of them. */
LOOP_TEST(before, hears_of_children_all_the_same)
{
    signals_begin();
    calls = 0;
    foreign_calls = 0;
    signal(SIGCHLD, foreign);
    CHECK_EQ(thrum_add_signal_handler(SIGCHLD, count, &calls), 0);
    raise(SIGCHLD);
    passes(loop, 3);
    CHECK_EQ(calls, 1);
    CHECK_EQ(foreign_calls, 1);
    CHECK(thrum_remove_signal_handler(SIGCHLD));
    CHECK(handled_by(SIGCHLD, foreign));
}

static ASYNC(interrupted, ARGS((bool, removes)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_add_signal_handler(SIGINT, count, &calls), 0);
    raise(SIGINT);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_EQ(calls, 1);
    if (self->removes)
        CHECK(thrum_remove_signal_handler(SIGINT));
    raise(SIGINT);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    ASYNC_END;
}

/* 24: a handler of SIGINT comes before the run's own way, which is there again when it is removed. */
TEST(before, of_a_run_is_its_interruption)
{
    signals_begin();
    calls = 0;
    CHECK_EQ(thrum_run(interrupted(true)), 130);
    CHECK_EQ(calls, 1);
    CHECK(by_default(SIGINT));
    calls = 0;
    CHECK_EQ(thrum_run(interrupted(false)), 0);
    CHECK_EQ(calls, 2);
    CHECK(by_default(SIGINT));
}

/* A handler outlives a run, as the loop does, and what it gives back in the end is not the run's. */
TEST(before, of_a_run_is_gone_with_it)
{
    thrum_runner runner;
    signals_begin();
    calls = 0;
    CHECK_EQ(thrum_runner_init(&runner, NULL), 0);
    CHECK_EQ(thrum_runner_run(&runner, interrupted(false), NULL), 0);
    CHECK(!by_default(SIGINT));
    CHECK_EQ(thrum_runner_close(&runner), 0);
    CHECK(by_default(SIGINT));
}

/* ---- several loops ---- */

enum { LOOPS = 3 };
static pthread_barrier_t together;

static void *listen_in_a_thread(void *argument)
{
    int *mine = (int *)argument;
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, note_and_stop, mine), 0);
    pthread_barrier_wait(&together);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    CHECK_EQ(thrum_loop_close(loop), 0);
    thrum_pool_clear();
    return NULL;
}

TEST(loops, all_are_told)
{
    pthread_t threads[LOOPS];
    int told[LOOPS] = {0};
    signals_begin();
    CHECK_EQ(pthread_barrier_init(&together, NULL, LOOPS + 1), 0);
    for (int i = 0; i < LOOPS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, listen_in_a_thread, &told[i]), 0);
    pthread_barrier_wait(&together);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    for (int i = 0; i < LOOPS; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
        CHECK_EQ(told[i], 1);
    }
    CHECK(by_default(SIGUSR1));
}

static atomic_bool storm_over;

static void *storm(void *argument)
{
    (void)argument;
    while (!atomic_load(&storm_over))
        kill(getpid(), SIGUSR1);
    return NULL;
}

static ASYNC(come_and_go, ARGS((int, rounds)), LOCALS(int i; thrum_signal_receiver * receiver; thrum_task * waits;))
{
    static const int number = SIGUSR1;
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->rounds; self->i++) {
        CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &calls), 0);
        CHECK_EQ(thrum_signal_receiver_open(&self->receiver, &number, 1), 0);
        AWAIT(thrum_signal_receiver_next(self->receiver));
        AWAIT(thrum_wait_signal(SIGUSR1));
        thrum_signal_receiver_close(self->receiver);
        if (self->i % 2)
            CHECK(thrum_remove_signal_handler(SIGUSR1));
    }
    ASYNC_END;
}

/* Handlers run in both threads all the time, while listeners come and go. */
TEST(loops, listeners_come_and_go_in_a_storm)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    pthread_t thread;
    signals_begin();
    calls = 0;
    signal(SIGUSR1, foreign); /* else a signal in between would end the test */
    CHECK_EQ(pthread_create(&thread, NULL, storm, NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, come_and_go(100), NULL), 0);
    CHECK_GT(calls, 0);
    close_loop(loop);
    atomic_store(&storm_over, true);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(handled_by(SIGUSR1, foreign));
}

/* ---- fork ---- */

static int in_a_child(void)
{
    if (!by_default(SIGUSR1))
        return 1;
    calls = 0;
    thrum_loop *loop = NULL;
    if (thrum_loop_new(&loop, NULL) || thrum_remove_signal_handler(SIGUSR1) ||
        thrum_add_signal_handler(SIGUSR1, note_and_stop, &calls))
        return 2;
    kill(getpid(), SIGUSR1);
    if (thrum_loop_run_forever(loop) || calls != 1)
        return 3;
    thrum_loop_close(loop);
    return by_default(SIGUSR1) ? 0 : 4;
}

/* test_unix_events.fork_signal_handling: the child has its own, and the parent hears nothing of them. */
TEST(fork, the_child_has_none_and_may_have_its_own)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    int status = -1;
    signals_begin();
    calls = 0;
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &calls), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(in_a_child());
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    passes(loop, 3);
    CHECK_EQ(calls, 0);
    raise(SIGUSR1);
    passes(loop, 3);
    CHECK_EQ(calls, 1);
    close_loop(loop);
}

/* ---- receivers ---- */

static ASYNC(receives, ARGS((thrum_signal_receiver *, receiver), (int *, got)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT_INTO(*self->got, thrum_signal_receiver_next(self->receiver));
    ASYNC_END;
}

LOOP_TEST(receiver, keeps_each_until_it_is_taken)
{
    static const int numbers[] = {SIGUSR2, SIGUSR1, SIGUSR2};
    thrum_signal_receiver *receiver;
    int got = 0;
    signals_begin();
    CHECK_EQ(thrum_signal_receiver_open(&receiver, numbers, 3), 0);
    raise(SIGUSR2);
    raise(SIGUSR1);
    raise(SIGUSR1);
    CHECK_EQ(thrum_loop_run_until_complete(loop, receives(receiver, &got), NULL), 0);
    CHECK_EQ(got, SIGUSR1);
    raise(SIGUSR1); /* again: the other one has its turn all the same */
    CHECK_EQ(thrum_loop_run_until_complete(loop, receives(receiver, &got), NULL), 0);
    CHECK_EQ(got, SIGUSR2);
    CHECK_EQ(thrum_loop_run_until_complete(loop, receives(receiver, &got), NULL), 0);
    CHECK_EQ(got, SIGUSR1);
    thrum_signal_receiver_close(receiver);
    CHECK(by_default(SIGUSR1) && by_default(SIGUSR2));
}

LOOP_TEST(receiver, wakes_the_one_that_waits_and_loses_nothing)
{
    const int number = SIGUSR1;
    thrum_signal_receiver *receiver;
    int got = 0, ignored = 0;
    signals_begin();
    CHECK_EQ(thrum_signal_receiver_open(&receiver, &number, 1), 0);
    thrum_task *task = thrum_spawn(receives(receiver, &got));
    passes(loop, 2);
    CHECK_EQ(thrum_loop_run_until_complete(loop, receives(receiver, &ignored), NULL), THRUM_EBUSY);
    raise(SIGUSR1);
    passes(loop, 1);
    thrum_task_cancel(task); /* woken, and cancelled: the signal stays */
    passes(loop, 2);
    CHECK(thrum_task_cancelled(task));
    thrum_task_release(task);
    CHECK_EQ(got, 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, receives(receiver, &got), NULL), 0);
    CHECK_EQ(got, SIGUSR1);
    thrum_signal_receiver_close(receiver);
}

static ASYNC(loops_over, ARGS((thrum_signal_receiver *, receiver)), LOCALS(thrum_iteration each; int number, count;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->number, self->each, thrum_signal_receiver_each(self->receiver)) {
        CHECK_EQ(self->number, SIGUSR1);
        self->count++;
    }
    ASYNC_RETURN(self->count);
    ASYNC_END;
}

LOOP_TEST(receiver, ends_when_it_is_closed)
{
    const int number = SIGUSR1;
    thrum_signal_receiver *receiver;
    thrum_value value;
    int got = 0;
    signals_begin();
    for (int items = 0; items < 2; items++) {
        CHECK_EQ(thrum_signal_receiver_open(&receiver, &number, 1), 0);
        thrum_task *task = thrum_spawn(items ? loops_over(receiver) : receives(receiver, &got));
        passes(loop, 2);
        if (items) {
            raise(SIGUSR1);
            passes(loop, 4);
            raise(SIGUSR1);
            passes(loop, 4);
        }
        thrum_signal_receiver_close(receiver);
        passes(loop, 2);
        CHECK_EQ(thrum_task_result(task, &value), items ? 0 : THRUM_ECLOSED);
        if (items)
            CHECK_EQ(value, 2);
        thrum_task_release(task);
    }
    thrum_signal_receiver_close(NULL);
}

LOOP_TEST(receiver, refused_listens_to_nothing)
{
    static const int numbers[] = {SIGUSR1, SIGKILL, SIGUSR2}, wrong[] = {SIGUSR1, 0};
    thrum_signal_receiver *receiver;
    signals_begin();
    CHECK_EQ(thrum_signal_receiver_open(&receiver, numbers, 3), THRUM_EUNSUPPORTED);
    CHECK_NULL(receiver);
    CHECK_EQ(thrum_signal_receiver_open(&receiver, wrong, 2), THRUM_EINVAL);
    CHECK_EQ(thrum_signal_receiver_open(&receiver, wrong, 0), THRUM_EINVAL);
    CHECK(by_default(SIGUSR1) && by_default(SIGUSR2));
    passes(loop, 1);
}

TEST(receiver, that_is_left_closes_with_the_loop)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2};
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_signal_receiver *receiver;
    signals_begin();
    CHECK_EQ(thrum_signal_receiver_open(&receiver, numbers, 2), 0);
    raise(SIGUSR1);
    CHECK_EQ(thrum_loop_close(loop), 0);
    CHECK(by_default(SIGUSR1) && by_default(SIGUSR2));
}

/* ---- one wait ---- */

static ASYNC(waits_once, ARGS((int, number)), LOCALS(int got;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->got, thrum_wait_signal(self->number));
    ASYNC_RETURN(self->got);
    ASYNC_END;
}

LOOP_TEST(wait, listens_as_long_as_it_lasts)
{
    thrum_value value = 0;
    signals_begin();
    thrum_task *task = thrum_spawn(waits_once(SIGUSR1));
    passes(loop, 2);
    CHECK(!by_default(SIGUSR1));
    raise(SIGUSR1);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_task_wait(task), &value), 0);
    CHECK_EQ(value, SIGUSR1);
    CHECK(by_default(SIGUSR1));
    thrum_task_release(task);
    task = thrum_spawn(waits_once(SIGUSR1));
    passes(loop, 2);
    thrum_task_cancel(task);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_task_wait(task), NULL), THRUM_ECANCELED);
    CHECK(by_default(SIGUSR1));
    thrum_task_release(task);
    CHECK_EQ(thrum_loop_run_until_complete(loop, waits_once(SIGKILL), NULL), THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_loop_run_until_complete(loop, waits_once(0), NULL), THRUM_EINVAL);
}

TEST(wait, ends_with_the_loop)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    signals_begin();
    thrum_spawn_detached(waits_once(SIGUSR1));
    passes(loop, 2);
    thrum_loop_set_exception_handler(loop, NULL, NULL);
    log_begin();
    CHECK_EQ(thrum_loop_close(loop), 0);
    CHECK(by_default(SIGUSR1));
}

/* ---- a signal at every point of a run ---- */

static int points, at_point, at_signal, opened, closed;

static void point(void)
{
    if (++points == at_point)
        raise(at_signal);
}

static ASYNC(holds, ARGS((thrum_time, nap)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    opened++;
    for (self->i = 0; self->i < 2; self->i++) {
        point();
        AWAIT(thrum_sleep(self->nap));
        point();
        AWAIT(thrum_yield());
    }
    point();
FINALLY:
    closed++;
    AWAIT(thrum_yield());
    ASYNC_END;
}

static ASYNC(main_of_some, ARGS_NONE, LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    point();
    WITH (self->group, thrum_group_open(&self->group)) {
        point();
        thrum_group_spawn_detached(&self->group, holds(MILLISECONDS(2)));
        thrum_group_spawn_detached(&self->group, holds(MILLISECONDS(3)));
        AWAIT(holds(MILLISECONDS(1)));
        point();
    }
    point();
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    ASYNC_END;
}

/* Interrupted anywhere, all that was opened is closed, and the exit code says so. */
TEST(every_point, of_an_interrupted_run)
{
    static const thrum_loop_options sim = {.size = sizeof sim, .backend = THRUM_BACKEND_SIM};
    const thrum_runner_options options = {.size = sizeof options, .loop = &sim, .terminate = true};
    static const int both[] = {SIGINT, SIGTERM};
    signals_begin();
    at_point = points = 0;
    CHECK_EQ(thrum_run_with(main_of_some(), &options), 0);
    const int all = points;
    CHECK_GT(all, 15);
    for (int i = 0; i < 2 * all; i++) {
        points = opened = closed = 0;
        at_point = 1 + i / 2;
        at_signal = both[i % 2];
        CHECK_EQ(thrum_run_with(main_of_some(), &options), 128 + at_signal);
        CHECK_EQ(opened, closed);
        CHECK(by_default(SIGINT) && by_default(SIGTERM));
    }
}

static ASYNC(counts_signals, ARGS((thrum_signal_receiver *, receiver), (int *, received)),
             LOCALS(thrum_iteration each; int number;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->number, self->each, thrum_signal_receiver_each(self->receiver))
        ++*self->received;
    ASYNC_END;
}

static ASYNC(beside_a_receiver, ARGS((int *, received)), LOCALS(thrum_signal_receiver *receiver; thrum_task * task;))
{
    static const int number = SIGUSR1;
    ASYNC_BEGIN;
    CHECK_EQ(thrum_signal_receiver_open(&self->receiver, &number, 1), 0);
    CHECK_EQ(thrum_add_signal_handler(SIGUSR1, count, &calls), 0);
    self->task = thrum_spawn(counts_signals(self->receiver, self->received));
    AWAIT(main_of_some());
    AWAIT(thrum_yield());
    AWAIT(thrum_yield());
FINALLY:
    thrum_signal_receiver_close(self->receiver);
    AWAIT(thrum_task_wait(self->task));
    thrum_task_release(self->task);
    ASYNC_END;
}

/* It arrives exactly once, wherever the run stands. */
TEST(every_point, of_a_run_that_receives)
{
    static const thrum_loop_options sim = {.size = sizeof sim, .backend = THRUM_BACKEND_SIM};
    const thrum_runner_options options = {.size = sizeof options, .loop = &sim};
    int received = 0;
    signals_begin();
    at_point = points = calls = 0;
    CHECK_EQ(thrum_run_with(beside_a_receiver(&received), &options), 0);
    const int all = points;
    at_signal = SIGUSR1;
    for (int i = 1; i <= all; i++) {
        points = calls = received = 0;
        at_point = i;
        CHECK_EQ(thrum_run_with(beside_a_receiver(&received), &options), 0);
        CHECK_EQ(received, 1);
        CHECK_EQ(calls, 1);
        CHECK(by_default(SIGUSR1));
    }
}
