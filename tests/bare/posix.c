/* The port for POSIX systems: signals of the system are its interrupts. */
#include <signal.h>
#include <sys/time.h>

#include <test.h>
#include <thrum.h>

static uint64_t memory[512];
static thrum_signal rung = THRUM_SIGNAL_INIT;

static void ring(int number)
{
    (void)number;
    thrum_signal_post_from_isr(&rung);
}

static void ring_after(long microseconds, long every)
{
    struct sigaction action = {.sa_handler = ring};
    struct itimerval timer = {{0, every}, {0, microseconds}};
    CHECK_EQ(thrum_pool_use_memory(memory, sizeof memory), 0);
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static ASYNC(hear, ARGS((int, times)), LOCALS(int posts; int heard;))
{
    ASYNC_BEGIN;
    while (self->heard < self->times) {
        AWAIT_INTO(self->posts, thrum_signal_wait(&rung));
        self->heard += self->posts;
    }
    ASYNC_END;
}

TEST(posix, is_woken_by_a_signal)
{
    ring_after(2000, 0);
    CHECK_EQ(thrum_run(hear(1)), 0);
}

TEST(posix, misses_no_signal)
{
    ring_after(100, 100);
    CHECK_EQ(thrum_run(hear(1000)), 0);
}

TEST(posix, sleeps_until_timers_are_due)
{
    CHECK_EQ(thrum_pool_use_memory(memory, sizeof memory), 0);
    CHECK_EQ(thrum_bare_open(), 0);
    thrum_time began = thrum_port_now();
    CHECK_EQ(thrum_bare_run(thrum_sleep(MILLISECONDS(20)), NULL), 0);
    CHECK_GE(thrum_port_now() - began, MILLISECONDS(20));
    thrum_bare_close();
}

TEST(posix, gives_up_at_a_limit)
{
    ring_after(0, 0);
    CHECK_EQ(thrum_bare_run(thrum_timeout(MILLISECONDS(5), hear(1)), NULL), THRUM_ETIMEDOUT);
}
