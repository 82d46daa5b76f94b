/* Work that completes at once leaves the C stack where it was, and lets other tasks run meanwhile. */
#include <stdlib.h>

#include <sim.h>

static uintptr_t deepest;

static void note_depth(void)
{
    volatile char here = 0;
    uintptr_t at = (uintptr_t)&here;
    (void)here;
    if (!deepest || at < deepest)
        deepest = at;
}

static size_t others, rounds;
static bool stop;

static ASYNC(other, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (!stop) {
        others++;
        AWAIT(thrum_yield());
    }
    ASYNC_END;
}

static ASYNC(at_once, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    if ((++rounds & 0xffff) == 0)
        note_depth();
    ASYNC_END;
}

static ASYNC(completes_many, ARGS((size_t, count), (thrum_future *, done)), LOCALS(size_t i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->count; self->i += 2) {
        AWAIT(self->done);
        AWAIT(at_once());
        if (self->i == 0)
            note_depth();
    }
    stop = true;
    ASYNC_END;
}

/* 32: a loop of awaits that are done does not starve the others; 10 million of them. */
TEST_LIMIT(stack, ten_million_immediate_completions, 60)
{
    size_t count = 10000000 / (THRUM_TEST_SCALE * THRUM_TEST_SCALE);
    thrum_future done = THRUM_FUTURE_INIT;
    deepest = others = rounds = 0;
    stop = false;
    sim_open();
    thrum_future_set_result(&done, 0);
    CHECK_EQ(thrum_spawn_detached(other()), 0);
    CHECK_EQ(sim_run(completes_many(2, &done), NULL), 0);
    uintptr_t before = deepest;
    sim_settle();
    stop = false;
    others = 0;
    CHECK_EQ(thrum_spawn_detached(other()), 0);
    CHECK_EQ(sim_run(completes_many(count, &done), NULL), 0);
    CHECK_LE(before - deepest, 1024);
    CHECK_GE(others, count / (2 * THRUM_AWAIT_BUDGET));
    sim_settle();
    sim_close();
}

/* A chain of futures, each completed by the callback of the one before. */
typedef struct chain_link {
    thrum_future future;
    thrum_handle handle;
} chain_link;

static chain_link *links;
static size_t link_count;

static void next_link(thrum_handle *handle)
{
    size_t i = (size_t)((chain_link *)handle->context - links);
    if ((i & 0xfff) == 0)
        note_depth();
    if (i + 1 < link_count)
        thrum_future_set_result(&links[i + 1].future, thrum_handle_value(handle) + 1);
}

TEST_LIMIT(stack, chain_of_a_million_futures, 60)
{
    thrum_value value = 0;
    link_count = 1000000 / THRUM_TEST_SCALE;
    links = (chain_link *)calloc(link_count, sizeof *links);
    CHECK_NOT_NULL(links);
    deepest = others = 0;
    stop = false;
    sim_open();
    for (size_t i = 0; i < link_count; i++) {
        thrum_handle_init(&links[i].handle, next_link, &links[i]);
        CHECK_EQ(thrum_future_add_done_callback(&links[i].future, &links[i].handle), 0);
    }
    CHECK_EQ(thrum_spawn_detached(other()), 0);
    thrum_future_set_result(&links[0].future, 1);
    sim_pass();
    uintptr_t before = deepest;
    CHECK_EQ(sim_run(thrum_future_wait(&links[link_count - 1].future), &value), 0);
    CHECK_EQ(value, link_count);
    CHECK_LE(before - deepest, 1024);
    CHECK_GE(others, link_count);
    stop = true;
    sim_settle();
    sim_close();
    free(links);
}

/* Tasks that wait for one another in a long chain: the end of one wakes the next, one pass each. */
static ASYNC(follows, ARGS((thrum_task *, task)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, self->task);
    thrum_task_release(self->task);
    ASYNC_RETURN(self->value + 1);
    ASYNC_END;
}

TEST_LIMIT(stack, chain_of_tasks, 60)
{
    thrum_value value = 0;
    size_t count = 100000 / THRUM_TEST_SCALE;
    sim_open();
    thrum_task *task = thrum_spawn(thrum_sleep(5));
    for (size_t i = 0; i < count; i++)
        task = thrum_spawn(follows(task));
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, &value), 0);
    CHECK_EQ(value, count);
    thrum_task_release(task);
    sim_close();
}

/* Calls nested deeply: a step costs the same at every depth, the C stack does not grow. */
static ASYNC(deep, ARGS((size_t, depth)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->depth == 0)
        AWAIT(thrum_sleep(5));
    else
        AWAIT(deep(self->depth - 1));
    note_depth();
    ASYNC_END;
}

TEST_LIMIT(stack, calls_nested_deeply, 60)
{
    deepest = 0;
    CHECK_EQ(sim_run(deep(1), NULL), 0);
    uintptr_t before = deepest;
    CHECK_EQ(sim_run(deep(300000 / THRUM_TEST_SCALE), NULL), 0);
    CHECK_LE(before - deepest, 16384);
}

/* ---- eager starts ---- */

static int eager_depth, eager_most;

static ASYNC(eager, ARGS((int, levels)), LOCALS(thrum_task *task;))
{
    ASYNC_BEGIN;
    CHECK_NOT_NULL(thrum_current_task());
    if (++eager_depth > eager_most)
        eager_most = eager_depth;
    if (self->levels) {
        thrum_task *mine = thrum_current_task();
        self->task = thrum_spawn_eager(eager(self->levels - 1));
        CHECK_PTR(thrum_current_task(), mine); /* 53: the parent is current again */
    }
    eager_depth--;
    if (self->task)
        AWAIT(self->task);
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

/* 52, 53, eager_start_true: nested to a bound, beyond it a task begins like any other. */
TEST(stack, eager_starts_are_bounded)
{
    eager_depth = eager_most = 0;
    CHECK_EQ(sim_run(eager(100), NULL), 0);
    CHECK_EQ(eager_depth, 0);
    CHECK_LE(eager_most, THRUM_EAGER_DEPTH + 1);
    CHECK_GT(eager_most, THRUM_EAGER_DEPTH / 2);
}

static ASYNC(gives, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(6);
    ASYNC_END;
}

TEST(stack, eager_task_that_ends_at_once)
{
    thrum_value value = 0;
    sim_open();
    thrum_task *task = thrum_spawn_eager(gives(0)), *failed = thrum_spawn_eager(gives(-5));
    CHECK(thrum_task_done(task));
    CHECK_EQ(thrum_all_tasks(NULL, 0), 0);
    CHECK(!sim_ready());
    CHECK_NULL(thrum_current_task());
    CHECK_EQ(thrum_task_result(task, &value), 0);
    CHECK_EQ(value, 6);
    CHECK_EQ(thrum_task_result(failed, NULL), -5);
    thrum_task_release(task);
    thrum_task_release(failed);
    sim_close();
}

/* ---- 49, 50, tb_logger_exception_*: reports, made when a task goes, not when it fails ---- */

TEST(stack, errors_that_nobody_sees_are_reported)
{
    sim_open();
    thrum_task *seen = thrum_spawn(gives(-5)), *unseen = thrum_spawn(gives(-6)), *cancelled = thrum_spawn(gives(-7));
    thrum_spawn_detached(gives(-8));
    sim_settle();
    CHECK_EQ(sim.reports, 1); /* the detached one; the others when they go */
    CHECK_EQ(sim.notes[0].error, -8);
    CHECK_STR(sim.notes[0].function, "gives");
    CHECK_EQ(thrum_task_result(seen, NULL), -5);
    thrum_task_release(seen);
    thrum_task_cancel(cancelled); /* counts as having dealt with it */
    thrum_task_release(cancelled);
    CHECK_EQ(sim.reports, 1);
    thrum_task_release(unseen);
    CHECK_EQ(sim.reports, 2);
    CHECK_EQ(sim.notes[1].error, -6);
    sim_close();
}

TEST(stack, tasks_that_a_closing_loop_finds_are_reported)
{
    sim_open();
    thrum_task *task = thrum_spawn(other());
    stop = false;
    sim_pass();
    sim_abandon();
    CHECK_EQ(sim.reports, 1);
    CHECK(sim.notes[0].task);
    CHECK_STR(sim.notes[0].function, "other");
    CHECK_GT(sim.notes[0].line, 0);
    CHECK(thrum_task_done(task));
    thrum_task_release(task);
    CHECK_EQ(sim_blocks(), 0);
}
