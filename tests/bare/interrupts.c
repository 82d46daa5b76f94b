/* In debug builds an interrupt that calls what is not for interrupts stops the program. */
#include "machine.h"

static thrum_event event;
static thrum_signal signal = THRUM_SIGNAL_INIT;
static thrum_handle handle;

static void sets_an_event(void)
{
    thrum_event_set(&event);
}

static void makes_an_awaitable(void)
{
    thrum_drop(thrum_sleep(1));
}

static void queues_a_call(void)
{
    thrum_call_soon(&handle);
}

static void posts(void)
{
    thrum_signal_post_from_isr(&signal);
}

static ASYNC(interrupted, ARGS((int, which)), LOCALS_NONE)
{
    static void (*const calls[])(void) = {sets_an_event, makes_an_awaitable, queues_a_call, posts};
    ASYNC_BEGIN;
    machine_interrupt(calls[self->which]);
    AWAIT(thrum_signal_wait(&signal));
    ASYNC_END;
}

static void expect_panic(int which)
{
    machine_memory(2048);
    if (setjmp(machine_panic) == 0) {
        thrum_bare_run(interrupted(which), NULL);
        FAIL("that went well");
    }
    CHECK_STR(machine_panicked, "called from an interrupt");
}

static void nothing(thrum_handle *called)
{
    (void)called;
}

/* A waiter, so that there is something to wake. */
static ASYNC(wait_for_event, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_event_wait(&event));
    ASYNC_END;
}

static ASYNC(with_a_waiter, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_spawn_detached(wait_for_event());
    AWAIT(thrum_sleep(0));
    AWAIT(interrupted(0));
    ASYNC_END;
}

TEST(interrupts, may_not_wake_tasks_themselves)
{
    machine_memory(4096);
    thrum_event_init(&event);
    if (setjmp(machine_panic) == 0) {
        thrum_bare_run(with_a_waiter(), NULL);
        FAIL("that went well");
    }
    CHECK_STR(machine_panicked, "called from an interrupt");
}

TEST(interrupts, may_not_make_awaitables)
{
    expect_panic(1);
}

TEST(interrupts, may_not_queue_calls)
{
    thrum_handle_init(&handle, nothing, NULL);
    expect_panic(2);
}

TEST(interrupts, may_post)
{
    machine_memory(2048);
    CHECK_EQ(thrum_bare_run(interrupted(3), NULL), 0);
    CHECK_NULL(machine_panicked);
}
