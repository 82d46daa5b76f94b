/* The port for POSIX systems: awaits of descriptors, and its clock also where that ends. */
/* Cancellations are looked at, and end there. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <poll.h>
#include <unistd.h>

#include <thrum/port.h>

#include "bare_support.h"

static int ends[2];

static ASYNC(sleeps_so_long, ARGS_NONE, LOCALS(thrum_time since;))
{
    ASYNC_BEGIN;
    self->since = thrum_port_now();
    AWAIT(thrum_sleep(30)); /* across the end of the clock, where that begins shortly before it */
    CHECK_GE((int32_t)(thrum_port_now() - self->since), 29);
    CHECK_LT((int32_t)(thrum_port_now() - self->since), 5000);
    ASYNC_END;
}

TEST(descriptors, sleeps_last_as_long_as_they_are)
{
    CHECK_EQ(bare_run(sleeps_so_long), 0);
}

/* An alarm that has passed ends the sleep at once; the loop asked for it, and then came an interrupt. */
TEST(descriptors, an_alarm_that_has_passed_is_pending)
{
    thrum_port_open();
    const thrum_time now = thrum_port_now();
    for (uint32_t ago = 0; ago < 3; ago++) {
        uintptr_t was = thrum_port_lock();
        thrum_port_arm(now - ago);
        thrum_port_idle();
        thrum_port_unlock(was);
    }
}

static ASYNC(writes_later, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(2));
    CHECK_EQ(write(ends[1], "x", 1), 1);
    ASYNC_END;
}

static ASYNC(reads, ARGS_NONE, LOCALS(int found, error; thrum_task * writer; char byte;))
{
    ASYNC_BEGIN;
    self->writer = thrum_spawn(writes_later());
    AWAIT_INTO(self->found, thrum_port_ready(ends[0], POLLIN));
    CHECK_EQ(self->found, POLLIN);
    CHECK_EQ(read(ends[0], &self->byte, 1), 1);
    AWAIT_INTO(self->found, thrum_port_ready(ends[1], POLLIN | POLLOUT));
    CHECK_EQ(self->found, POLLOUT);
    AWAIT_CATCH(self->error, thrum_timeout(2, thrum_port_ready(ends[0], POLLIN)));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    AWAIT(thrum_task_wait(self->writer));
    thrum_task_release(self->writer);
    close(ends[1]);
    AWAIT_INTO(self->found, thrum_port_ready(ends[0], POLLIN));
    CHECK_EQ(self->found, POLLHUP);
    close(ends[0]);
    AWAIT_INTO(self->found, thrum_port_ready(ends[0], POLLIN));
    CHECK_EQ(self->found, POLLNVAL);
    ASYNC_END;
}

TEST(descriptors, descriptors_are_awaited)
{
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(bare_run(reads), 0);
}

static bool readable;

static ASYNC(waits_until_readable, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_port_ready(ends[0], POLLIN));
    readable = true;
    ASYNC_END;
}

/* A task that always runs on leaves the loop no rest, and no sleep in which it would look at descriptors. */
static ASYNC(never_rests, ARGS_NONE, LOCALS(thrum_task *reader;))
{
    ASYNC_BEGIN;
    self->reader = thrum_spawn(waits_until_readable());
    AWAIT(thrum_yield());
    CHECK_EQ(write(ends[1], "x", 1), 1);
    while (!readable)
        AWAIT(thrum_yield());
    AWAIT(thrum_task_wait(self->reader));
    thrum_task_release(self->reader);
    ASYNC_END;
}

TEST(descriptors, a_busy_loop_looks_at_descriptors)
{
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(bare_run(never_rests), 0);
}

static thrum_task *readers[17];

static ASYNC(waits_for_many, ARGS_NONE, LOCALS(int i, error;))
{
    ASYNC_BEGIN;
    for (int i = 0; i < 16; i++)
        CHECK(readers[i] = thrum_spawn(waits_until_readable()));
    AWAIT(thrum_yield());
    AWAIT_CATCH(self->error, thrum_port_ready(ends[0], POLLIN));
    CHECK_EQ(self->error, THRUM_ENOMEM);
    thrum_task_cancel(readers[3]);
    AWAIT_CATCH_ALL(self->error, thrum_task_wait(readers[3]));
    readers[16] = thrum_spawn(waits_until_readable());
    AWAIT(thrum_yield());
    CHECK_EQ(write(ends[1], "x", 1), 1);
    for (self->i = 0; self->i < 17; self->i++) {
        if (self->i != 3)
            AWAIT(thrum_task_wait(readers[self->i]));
        thrum_task_release(readers[self->i]);
    }
    ASYNC_END;
}

TEST(descriptors, so_many_descriptors_and_no_more)
{
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(bare_run(waits_for_many), 0);
}
