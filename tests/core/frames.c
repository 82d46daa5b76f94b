/* Frames: what a frame that never began gives back, frames of a function's own, functions of other files. */
/* Awaitables are dropped on purpose. thrum-check: ignore-file thrum-awaitable-dropped */
#include <sim.h>

#include "plain.h"

static int dropped, began;

/* ---- ON_DROP ---- */

static ASYNC(owner, ARGS((int *, owned), (int, n)), LOCALS(char room[200];),
             ON_DROP(dropped += self->n; *self->owned -= 1;))
{
    ASYNC_BEGIN;
    began++;
    AWAIT(thrum_sleep(10));
FINALLY:
    *self->owned -= 1;
    ASYNC_END;
}

static ASYNC(calls_owner, ARGS((int *, owned)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(owner(self->owned, 1));
    ASYNC_END;
}

TEST(frames, dropped_by_hand)
{
    int owned = 1;
    dropped = began = 0;
    thrum_drop(owner(&owned, 3));
    CHECK_EQ(dropped, 3);
    CHECK_EQ(owned, 0);
    CHECK_EQ(began, 0);
    CHECK_EQ(sim_blocks(), 0);
}

TEST(frames, cancelled_before_the_first_step)
{
    int owned = 1;
    dropped = began = 0;
    sim_open();
    thrum_task *task = thrum_spawn(owner(&owned, 3));
    CHECK(thrum_task_cancel(task));
    CHECK_EQ(dropped, 0); /* not before its turn */
    sim_pass();
    CHECK(thrum_task_cancelled(task));
    CHECK_EQ(dropped, 3);
    CHECK_EQ(owned, 0);
    CHECK_EQ(began, 0);
    thrum_task_release(task);
    sim_close();
}

TEST(frames, body_that_began_does_not_run_on_drop)
{
    int owned = 1;
    dropped = began = 0;
    CHECK_EQ(sim_run(owner(&owned, 3), NULL), 0);
    CHECK_EQ(dropped, 0);
    CHECK_EQ(owned, 0);
    CHECK_EQ(began, 1);
    owned = 1;
    sim_open();
    thrum_task *task = thrum_spawn(owner(&owned, 3));
    sim_pass();
    CHECK(thrum_task_cancel(task));
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(dropped, 0);
    CHECK_EQ(owned, 0);
    thrum_task_release(task);
    sim_close();
}

/* A timeout of 0 never starts what it was given: wait_for_timeout_less_then_0_or_0_coroutine_do_not_started. */
TEST(frames, dropped_inside_of_others)
{
    int owned = 2;
    dropped = began = 0;
    CHECK_EQ(sim_run(thrum_timeout(0, owner(&owned, 3)), NULL), THRUM_ETIMEDOUT);
    CHECK_EQ(dropped, 3);
    thrum_drop(thrum_timeout(SECONDS(1), thrum_timeout(SECONDS(2), owner(&owned, 4))));
    CHECK_EQ(dropped, 7);
    CHECK_EQ(owned, 0);
    CHECK_EQ(began, 0);
    thrum_drop(thrum_sleep(1));
    thrum_drop(thrum_yield());
    thrum_drop(thrum_awaitable_failing(THRUM_ENOMEM));
    thrum_drop(thrum_awaitable_failing(-5));
    thrum_drop(thrum_timeout(1, thrum_sleep(1)));
    CHECK_EQ(sim_blocks(), 0);
}

/* Gives so many blocks and no more. */
static size_t allowance;

static void *sometimes(void *context, size_t size)
{
    static union {
        long long align;
        char bytes[1 << 17];
    } memory;
    static size_t used;
    (void)context;
    if (!allowance || used + size > sizeof memory.bytes)
        return NULL;
    allowance--;
    char *block = memory.bytes + used;
    used += (size + 15) / 16 * 16;
    return block;
}

static const thrum_allocator scarce = {sometimes, NULL, NULL, true};

TEST(frames, no_memory_for_the_frame)
{
    int owned = 1;
    dropped = began = 0;
    allowance = 0;
    CHECK_EQ(thrum_pool_use_allocator(&scarce), 0);
    thrum_awaitable what = owner(&owned, 3);
    CHECK_EQ(dropped, 3);
    CHECK_EQ(owned, 0);
    thrum_drop(what);
    CHECK_EQ(dropped, 3);
    allowance = 100;
    sim_open();
    allowance = 0;
    owned = 3;
    CHECK_NULL(thrum_spawn(owner(&owned, 1)));
    CHECK_NULL(thrum_spawn_eager(owner(&owned, 1)));
    CHECK_EQ(thrum_spawn_detached(owner(&owned, 1)), THRUM_ENOMEM);
    CHECK_EQ(owned, 0);
    sim_close();
}

/* Room for the frame and not for the task: the spawn drops the frame. */
TEST(frames, no_memory_for_the_task)
{
    int owned = 3;
    dropped = began = 0;
    allowance = 100;
    CHECK_EQ(thrum_pool_use_allocator(&scarce), 0);
    sim_open();
    allowance = 1;
    CHECK_NULL(thrum_spawn(owner(&owned, 1)));
    allowance = 1;
    CHECK_NULL(thrum_spawn_eager(owner(&owned, 1)));
    allowance = 1;
    CHECK_EQ(thrum_spawn_detached(owner(&owned, 1)), THRUM_ENOMEM);
    CHECK_EQ(owned, 0);
    CHECK_EQ(dropped, 3);
    CHECK_EQ(began, 0);
    sim_close();
}

TEST(frames, never_awaited_is_reported_and_dropped)
{
    int owned = 1;
    dropped = began = 0;
    sim_open();
    thrum_awaitable what = owner(&owned, 3);
    (void)what;
    sim_abandon();
    CHECK_EQ(sim.reports, 1);
    CHECK_STR(sim.notes[0].message, "async function was never awaited");
    CHECK_STR(sim.notes[0].function, "owner");
    CHECK_EQ(dropped, 3);
    CHECK_EQ(owned, 0);
    CHECK_EQ(began, 0);
    CHECK_EQ(sim_blocks(), 0);
}

/* One frame holds another, and neither was awaited: each is dropped once, and the outermost named. */
TEST(frames, never_awaited_nested)
{
    int owned = 2;
    dropped = began = 0;
    sim_open();
    thrum_awaitable what = thrum_timeout(SECONDS(1), owner(&owned, 3));
    thrum_awaitable other = thrum_timeout(SECONDS(1), thrum_timeout(SECONDS(1), owner(&owned, 4)));
    (void)what;
    (void)other;
    sim_abandon();
    CHECK_GE(sim.reports, 2);
    CHECK_EQ(dropped, 7);
    CHECK_EQ(owned, 0);
    CHECK_EQ(sim_blocks(), 0);
}

/* ---- RESERVE ---- */

static ASYNC(reserved, ARGS((int, n)), LOCALS(int doubled;), RESERVE(3))
{
    ASYNC_BEGIN;
    CHECK_EQ(self->doubled, 0);
    self->doubled = self->n * 2;
    AWAIT(thrum_sleep(10));
    ASYNC_RETURN(self->doubled);
    ASYNC_END;
}

static ASYNC(reserved_and_more, ARGS((int *, owned)), LOCALS(int x;), RESERVE(1), ON_DROP(*self->owned += 1;),
             BUFFERS(char buffer[100];))
{
    ASYNC_BEGIN;
    memset(self->buffer, 7, sizeof self->buffer);
    AWAIT(thrum_sleep(1));
    ASYNC_END;
}

TEST(frames, reserved_frames_come_before_the_pool)
{
    thrum_awaitable made[4];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++)
            made[i] = reserved(i);
        CHECK_EQ(sim_blocks(), 0);
        made[3] = reserved(3);
        CHECK_EQ(sim_blocks(), 1);
        for (int i = 0; i < 4; i++)
            thrum_drop(made[(i + round) % 4]);
        CHECK_EQ(sim_blocks(), 0);
    }
    sim_open();
    thrum_task *tasks[5];
    for (int i = 0; i < 5; i++)
        tasks[i] = thrum_spawn(reserved(i));
    for (int i = 0; i < 5; i++) {
        thrum_value value = 0;
        CHECK_EQ(sim_until(tasks[i]), 0);
        CHECK_EQ(thrum_task_result(tasks[i], &value), 0);
        CHECK_EQ(value, 2 * i);
        thrum_task_release(tasks[i]);
    }
    int owned = 0;
    thrum_awaitable one = reserved_and_more(&owned), two = reserved_and_more(&owned);
    CHECK_EQ(sim_blocks(), 1);
    thrum_drop(one);
    thrum_drop(two);
    CHECK_EQ(owned, 2);
    CHECK_EQ(sim_run(reserved_and_more(&owned), NULL), 0);
    sim_close();
}

/* A reserve serves when the pool has nothing: the clean-up that must not fail. */
static ASYNC(with_reserve, ARGS_NONE, LOCALS(thrum_value value; int err;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, reserved(21));
    AWAIT_CATCH(self->err, calls_owner(NULL));
    CHECK_EQ(self->err, THRUM_ENOMEM);
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

TEST(frames, reserve_serves_when_memory_is_used_up)
{
    thrum_value value = 0;
    allowance = 100;
    CHECK_EQ(thrum_pool_use_allocator(&scarce), 0);
    sim_open();
    thrum_task *task = thrum_spawn(with_reserve());
    CHECK_NOT_NULL(task);
    allowance = 0;
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, &value), 0);
    CHECK_EQ(value, 42);
    thrum_task_release(task);
    sim_close();
}

/* ---- other files ---- */

TEST(frames, functions_of_another_file)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(plain_gives(6), &value), 0);
    CHECK_EQ(value, 6);
    CHECK_EQ(sim_run(plain_twice(plain_gives, 4), &value), 0);
    CHECK_EQ(value, 8);
}

TEST(frames, functions_of_a_file_without_short_names)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(long_names(3), &value), 0);
    CHECK_EQ(value, 3 * 111 + 1000);
}
