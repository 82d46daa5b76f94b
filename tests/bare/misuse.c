/* In debug builds the program ends when an interrupt calls what is not for interrupts; what is for them goes
 * through. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thrum/port.h>
#include <thrum/serial.h>

#include "bare_support.h"

extern volatile sig_atomic_t thrum_port_interrupts;

static thrum_signal posted = THRUM_SIGNAL_INIT;
static uint8_t bytes[4];
static thrum_ring ring = THRUM_RING_INIT(bytes);
static thrum_event event = THRUM_EVENT_INIT;
static thrum_future future = THRUM_FUTURE_INIT;
static thrum_lock lock = THRUM_LOCK_INIT;
static thrum_semaphore semaphore = THRUM_SEMAPHORE_INIT(1);
static thrum_rwlock rwlock = THRUM_RWLOCK_INIT;
static thrum_sender sender;
static thrum_receiver receiver;
static thrum_waiters waiters;
static thrum_waiter waiter;
static void sends(thrum_stream *stream);
static const thrum_serial_driver driver = {sends, NULL, NULL};
THRUM_SERIAL(uart, &driver, NULL, 8, 8);
static thrum_task *task;

static ASYNC(waits, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_signal_wait(&posted));
    ASYNC_END;
}

static void nothing_wrong(void)
{
    uint8_t byte = 1;
    CHECK(thrum_ring_push(&ring, &byte));
    CHECK(thrum_ring_pop(&ring, &byte));
    CHECK_EQ(thrum_ring_count(&ring), 0);
    CHECK_EQ(thrum_ring_room(&ring), 4);
    CHECK_EQ(thrum_ring_refused(&ring), 0);
    (void)thrum_port_now();
    thrum_signal_post_from_isr(&posted);
}

static void sets_an_event(void)
{
    thrum_event_set(&event);
}

static void completes_a_future(void)
{
    (void)thrum_future_set_result(&future, 1);
}

static void cancels(void)
{
    thrum_task_cancel(task);
}

static void spawns(void)
{
    (void)!thrum_spawn(waits());
}

static void makes_an_awaitable(void)
{
    thrum_drop(thrum_sleep(1));
}

static void waits_for_a_signal(void)
{
    thrum_drop(thrum_signal_wait(&posted));
}

static void locks(void)
{
    thrum_drop(thrum_lock_acquire(&lock));
}

static void takes_a_lock(void)
{
    (void)thrum_lock_try(&lock);
}

static void gives_a_lock_back(void)
{
    (void)thrum_lock_release(&lock);
}

static void takes_a_unit(void)
{
    (void)thrum_semaphore_try(&semaphore);
}

static void gives_a_unit_back(void)
{
    (void)thrum_semaphore_release(&semaphore);
}

static void sends(thrum_stream *stream)
{
    (void)stream;
}

static void takes_to_read(void)
{
    (void)thrum_rwlock_try_read(&rwlock);
}

static void takes_to_write(void)
{
    (void)thrum_rwlock_try_write(&rwlock);
}

static void clones_a_sender(void)
{
    thrum_sender clone;
    (void)thrum_sender_clone(&sender, &clone);
}

static void clones_a_receiver(void)
{
    thrum_receiver clone;
    (void)thrum_receiver_clone(&receiver, &clone);
}

static void takes_a_signal_back(void)
{
    (void)thrum_signal_cancel(&posted);
}

static void ends_what_is_written(void)
{
    (void)thrum_stream_write_eof(&uart);
}

static void gives_bytes_back(void)
{
    (void)thrum_stream_unread(&uart, "", 0);
}

static void looks_at_a_result(void)
{
    (void)thrum_task_result(task, NULL);
}

static void looks_at_a_futures_result(void)
{
    (void)thrum_future_result(&future, NULL);
}

static void stands_in_line(void)
{
    thrum_waiters_add(&waiters, &waiter);
}

static void takes_the_first_in_line(void)
{
    (void)thrum_waiters_pop(&waiters);
}

static void steps(void)
{
    thrum_bare_step();
}

static void (*volatile called)(void);

static void interrupt(int number)
{
    (void)number;
    thrum_port_interrupts++;
    called();
    thrum_port_interrupts--;
}

static ASYNC(is_interrupted, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    task = thrum_spawn(waits());
    AWAIT(thrum_yield());
    raise(SIGUSR1);
    thrum_signal_post_from_isr(&posted);
    AWAIT(thrum_task_wait(task));
    thrum_task_release(task);
    ASYNC_END;
}

/* What the program says and how it ends, when an interrupt calls that. */
static int ended(void (*call)(void), char *said, size_t room)
{
    int ends[2], status;
    CHECK_EQ(pipe(ends), 0);
    const pid_t child = fork();
    CHECK_GE(child, 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        bare_interrupt(interrupt);
        called = call;
        _exit(bare_run(is_interrupted) == 0 ? 0 : 1);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; length < room - 1 && (got = read(ends[0], said + length, room - 1 - length)) > 0;)
        length += (size_t)got;
    said[length] = '\0';
    close(ends[0]);
    CHECK_EQ(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(misuse, what_is_for_interrupts_may_be_called)
{
    char said[200];
    CHECK_EQ(ended(nothing_wrong, said, sizeof said), 0);
}

static void must_panic(void (*call)(void))
{
    char said[200];
    CHECK_EQ(ended(call, said, sizeof said), 128 + SIGABRT);
    CHECK_NOT_NULL(strstr(said, "called from an interrupt"));
}

TEST(misuse, setting_an_event)
{
    must_panic(sets_an_event);
}

TEST(misuse, completing_a_future)
{
    must_panic(completes_a_future);
}

TEST(misuse, cancelling)
{
    must_panic(cancels);
}

TEST(misuse, spawning)
{
    must_panic(spawns);
}

TEST(misuse, making_an_awaitable)
{
    must_panic(makes_an_awaitable);
}

TEST(misuse, waiting_for_a_signal)
{
    must_panic(waits_for_a_signal);
}

TEST(misuse, locking)
{
    must_panic(locks);
}

/* What is inline asks, too. */
TEST(misuse, taking_and_giving_back_at_once)
{
    must_panic(takes_a_lock);
    CHECK(thrum_lock_try(&lock));
    must_panic(gives_a_lock_back);
    must_panic(takes_a_unit);
    must_panic(gives_a_unit_back);
}

TEST(misuse, what_never_waits)
{
    static void (*const calls[])(void) = {takes_to_read,     takes_to_write,         clones_a_sender,
                                          clones_a_receiver, takes_a_signal_back,    ends_what_is_written,
                                          gives_bytes_back,  looks_at_a_result,      looks_at_a_futures_result,
                                          stands_in_line,    takes_the_first_in_line};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        must_panic(calls[i]);
}

TEST(misuse, stepping_the_loop)
{
    must_panic(steps);
}
