/* What a loop that closes leaves behind, and cancellations that go from task to task. */
#include <stdlib.h>

#include <sim.h>

static ASYNC(sleeps, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(1000));
    ASYNC_END;
}

static ASYNC(large, ARGS((int, depth)), LOCALS_NONE, BUFFERS(char room[100000];))
{
    ASYNC_BEGIN;
    self->room[0] = 1;
    if (self->depth)
        AWAIT(large(self->depth - 1));
    else
        AWAIT(thrum_sleep(1000));
    ASYNC_END;
}

/* Frames too large for a slab of many go back to the allocator while the tasks are walked. */
TEST(closing, large_frames_of_pending_tasks)
{
    sim_open();
    for (int i = 0; i < 3; i++)
        CHECK_EQ(thrum_spawn_detached(large(2)), 0);
    sim_pass();
    sim_close();
    CHECK_EQ(sim.reports, 3);
}

static void count_call(thrum_handle *handle)
{
    ++*(int *)handle->context;
}

TEST(closing, done_callbacks_of_pending_tasks_are_idle_again)
{
    int calls = 0;
    thrum_handle handles[2] = {THRUM_HANDLE_INIT(count_call, &calls), THRUM_HANDLE_INIT(count_call, &calls)};
    sim_open();
    thrum_task *task = thrum_spawn(sleeps());
    thrum_task *waits = thrum_spawn(thrum_task_wait(task));
    sim_pass();
    CHECK_EQ(thrum_task_add_done_callback(task, &handles[0]), 0);
    CHECK_EQ(thrum_task_add_done_callback(task, &handles[1]), 0);
    thrum_task_release(task);
    thrum_task_release(waits);
    sim_close();
    for (int i = 0; i < 2; i++) {
        CHECK(!thrum_handle_pending(&handles[i]));
        CHECK(!thrum_handle_cancel(&handles[i]));
    }
    CHECK_EQ(calls, 0);
    sim_open();
    CHECK_EQ(thrum_call_soon(&handles[1]), 0);
    sim_pass();
    CHECK_EQ(calls, 1);
    sim_close();
}

static int ended;

static ASYNC(waits_for, ARGS((thrum_task **, next)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->next)
        AWAIT(*self->next);
    else
        AWAIT(thrum_sleep(1000));
FINALLY:
    ended++;
    ASYNC_END;
}

/* More of them than the C stack would have room for, one call within the other. */
TEST(closing, cancellation_of_a_long_row)
{
    enum { COUNT = THRUM_HOSTED ? 200000 : 200 };
    thrum_task **tasks = (thrum_task **)calloc(COUNT, sizeof(thrum_task *));
    if (!tasks)
        return;
    sim_open();
    ended = 0;
    for (int i = 0; i < COUNT; i++) {
        tasks[i] = thrum_spawn(waits_for(i ? &tasks[i - 1] : NULL));
        CHECK(tasks[i]);
    }
    sim_pass();
    CHECK(thrum_task_cancel(tasks[COUNT - 1]));
    CHECK_EQ(thrum_task_cancelling(tasks[0]), 1);
    sim_until(tasks[COUNT - 1]);
    CHECK_EQ(ended, COUNT);
    for (int i = 0; i < COUNT; i++) {
        CHECK(thrum_task_cancelled(tasks[i]));
        thrum_task_release(tasks[i]);
    }
    sim_close();
    free(tasks);
}

/* Tasks that wait for one another in a circle would wait for ever; a cancellation opens it, also from outside of it. */
static void cancel_circle(int count, int extra)
{
    static thrum_task *tasks[16];
    sim_open();
    ended = 0;
    for (int i = 0; i < count; i++)
        tasks[i] = thrum_spawn(waits_for(&tasks[(i + 1) % count]));
    for (int i = count; i < count + extra; i++)
        tasks[i] = thrum_spawn(waits_for(&tasks[i == count ? 0 : i - 1]));
    sim_pass();
    CHECK(thrum_task_cancel(tasks[count + extra - 1]));
    for (int i = 0; i < count + extra + 2; i++)
        sim_pass();
    CHECK_EQ(ended, count + extra);
    for (int i = 0; i < count + extra; i++) {
        CHECK(thrum_task_cancelled(tasks[i]));
        thrum_task_release(tasks[i]);
    }
    sim_close();
}

TEST(closing, cancellation_of_a_circle)
{
    for (int count = 2; count < 9; count++)
        for (int extra = 0; extra < 7; extra++)
            cancel_circle(count, extra);
}
