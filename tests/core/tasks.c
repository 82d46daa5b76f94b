/* Tasks: order, cancellation, awaiting one another. The number in a comment is the corner point of asyncio's behaviour;
 * a name is the asyncio test that the test stands for (PORTED.md lists them all). */
#include <sim.h>

static char trace[128];

static void put(const char *text)
{
    CHECK_LT(strlen(trace) + strlen(text), sizeof trace);
    strcat(trace, text);
}

static ASYNC(sleeps, ARGS((thrum_time, delay), (int, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->delay));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(waits_for, ARGS((thrum_future *, future)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, self->future);
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(waits_for_task, ARGS((thrum_task *, task)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, self->task);
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(raises, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

static ASYNC(says, ARGS((const char *, text), (int, times)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->times; self->i++) {
        put(self->text);
        AWAIT(thrum_yield());
    }
    ASYNC_END;
}

/* Ends as expected and is released. */
static void end(thrum_task *task, int error, thrum_value value)
{
    thrum_value got = 0;
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, &got), error);
    CHECK_EQ(got, value);
    CHECK_EQ(thrum_task_cancelled(task), error == THRUM_ECANCELED);
    thrum_task_release(task);
}

/* ---- order ---- */

/* 34: a new task does not run before its creator suspends. */
static ASYNC(creates, ARGS_NONE, LOCALS(thrum_task *a, *b;))
{
    ASYNC_BEGIN;
    self->a = thrum_spawn(says("a", 2));
    self->b = thrum_spawn(says("b", 2));
    put("-");
    AWAIT(thrum_yield());
    put("|");
    AWAIT(self->b);
    put("+");
    AWAIT(self->a);
FINALLY:
    thrum_task_release(self->a);
    thrum_task_release(self->b);
    ASYNC_END;
}

TEST(tasks, run_in_the_order_of_making)
{
    sim_start_lazily();
    trace[0] = '\0';
    CHECK_EQ(sim_run(creates(), NULL), 0);
    CHECK_STR(trace, "-ab|ab+");
}

/* 33: a coroutine that is awaited costs no pass; a task costs one to start and one to wake. */
static ASYNC(calls, ARGS((bool, as_task)), LOCALS(thrum_task *task;))
{
    ASYNC_BEGIN;
    if (self->as_task) {
        self->task = thrum_spawn(raises(-5));
        AWAIT(self->task);
    } else {
        AWAIT(raises(-5));
    }
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

TEST(tasks, passes_of_a_call_and_of_a_task)
{
    sim_start_lazily();
    for (int as_task = 0; as_task < 2; as_task++) {
        sim_open();
        thrum_task *task = thrum_spawn(calls(as_task));
        CHECK_EQ(sim_settle(), as_task ? 3 : 1);
        end(task, -5, 0);
        sim_close();
    }
}

/* 48: both who wait for one task wake, in the order in which they came. */
TEST(tasks, two_wait_for_one)
{
    sim_open();
    thrum_task *inner = thrum_spawn(sleeps(10, 7));
    thrum_task *one = thrum_spawn(waits_for_task(inner)), *two = thrum_spawn(waits_for_task(inner));
    CHECK_EQ(sim_until(one), 0);
    CHECK(thrum_task_done(two));
    end(one, 0, 7);
    end(two, 0, 7);
    end(inner, 0, 7);
    sim_close();
}

/* ---- current_task, all_tasks ---- */

static thrum_task *seen[4];

static ASYNC(looks, ARGS((int, i)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    seen[self->i] = thrum_current_task();
    AWAIT(thrum_yield());
    CHECK_PTR(thrum_current_task(), seen[self->i]);
    AWAIT(thrum_sleep(10 - self->i));
    CHECK_PTR(thrum_current_task(), seen[self->i]);
    ASYNC_END;
}

static void look(thrum_handle *handle)
{
    CHECK_NULL(thrum_current_task());
    *(bool *)handle->context = true;
}

/* current_task_with_interleaving_tasks */
TEST(tasks, current_task)
{
    bool called = false;
    thrum_handle handle = THRUM_HANDLE_INIT(look, &called);
    CHECK_NULL(thrum_current_task());
    sim_open();
    thrum_task *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = thrum_spawn(looks(i));
    CHECK_EQ(thrum_call_soon(&handle), 0);
    CHECK_NULL(thrum_current_task());
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(sim_until(tasks[i]), 0);
        CHECK_PTR(seen[i], tasks[i]);
        end(tasks[i], 0, 0);
    }
    CHECK(called);
    sim_close();
}

static bool among(thrum_task **all, size_t count, const thrum_task *task)
{
    for (size_t i = 0; i < count; i++)
        if (all[i] == task)
            return true;
    return false;
}

static ASYNC(counts_all, ARGS_NONE, LOCALS(thrum_task *all[8];))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_all_tasks(self->all, 8), 3);
    CHECK(among(self->all, 3, thrum_current_task()));
    ASYNC_END;
}

TEST(tasks, all_tasks)
{
    thrum_task *all[4];
    CHECK_EQ(thrum_all_tasks(NULL, 0), 0);
    sim_open();
    thrum_task *a = thrum_spawn(sleeps(10, 0)), *b = thrum_spawn(sleeps(20, 0)), *c = thrum_spawn(counts_all());
    CHECK_EQ(thrum_all_tasks(NULL, 0), 3);
    CHECK_EQ(thrum_all_tasks(all, 1), 3);
    sim_pass();
    CHECK(thrum_task_done(c));
    CHECK_EQ(thrum_all_tasks(all, 4), 2);
    CHECK(among(all, 2, a) && among(all, 2, b));
    end(c, 0, 0);
    CHECK_EQ(thrum_all_tasks(all, 4), 2);
    end(a, 0, 0);
    end(b, 0, 0);
    CHECK_EQ(thrum_all_tasks(all, 4), 0);
    sim_close();
}

/* The same from one array. */
TEST(tasks, all_tasks_of_a_static_pool)
{
    static union {
        long long align;
        char bytes[1 << 16];
    } memory;
    thrum_task *all[40], *tasks[40];
    CHECK_EQ(thrum_pool_use_memory(memory.bytes, sizeof memory.bytes), 0);
    sim_open();
    for (int i = 0; i < 40; i++)
        tasks[i] = thrum_spawn(sleeps(i % 3, 0));
    CHECK_EQ(thrum_all_tasks(all, 40), 40);
    for (int i = 0; i < 40; i++)
        CHECK(among(all, 40, tasks[i]));
    for (int i = 0; i < 40; i += 2) {
        CHECK_EQ(sim_until(tasks[i]), 0);
        thrum_task_release(tasks[i]);
    }
    thrum_task *more = thrum_spawn(sleeps(100, 0));
    CHECK_EQ(thrum_all_tasks(all, 40), 1);
    CHECK_PTR(all[0], more);
    for (int i = 1; i < 40; i += 2)
        thrum_task_release(tasks[i]);
    sim_abandon(); /* with a task pending: it is told of and destroyed */
    CHECK_EQ(sim.reports, 1);
    thrum_task_release(more);
    thrum_pool_stats stats;
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.used, 0);
}

/* ---- names ---- */

TEST(tasks, names)
{
    sim_open();
    thrum_task *task = thrum_spawn(sleeps(1, 0)), *leaf = thrum_spawn(thrum_sleep(1));
    CHECK_STR(thrum_task_name(task), "sleeps");
    CHECK_NOT_NULL(thrum_task_name(leaf));
#if THRUM_DETAILS
    CHECK_EQ(thrum_task_set_name(task, "worker 1"), 0);
    CHECK_STR(thrum_task_name(task), "worker 1");
    CHECK_EQ(thrum_task_set_name(task, NULL), 0);
    CHECK_STR(thrum_task_name(task), "sleeps");
    CHECK_EQ(thrum_task_set_name(task, "again"), 0);
#endif
    CHECK_EQ(sim_until(task), 0);
    CHECK_STR(thrum_task_name(task), THRUM_DETAILS ? "again" : "sleeps"); /* also when it has ended */
    end(task, 0, 0);
    end(leaf, 0, 0);
    sim_close();
}

/* ---- results ---- */

TEST(tasks, result)
{
    thrum_value value = 99;
    sim_open();
    thrum_task *task = thrum_spawn(sleeps(1, 5));
    CHECK_EQ(thrum_task_result(task, &value), THRUM_EPENDING);
    CHECK(!thrum_task_done(task));
    CHECK(!thrum_task_cancelled(task));
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, NULL), 0);
    CHECK_EQ(thrum_task_result(task, &value), 0);
    CHECK_EQ(value, 5);
    thrum_task_release(task);
    thrum_task_release(NULL);
    sim_close();
}

/* A task of something else than an async function. */
TEST(tasks, of_any_awaitable)
{
    thrum_future future = THRUM_FUTURE_INIT;
    sim_open();
    thrum_task *nap = thrum_spawn(thrum_sleep(5)), *wait = thrum_spawn(thrum_future_wait(&future));
    thrum_task *both = thrum_spawn(thrum_timeout(100, thrum_task_wait(wait)));
    thrum_task *fails = thrum_spawn(thrum_awaitable_failing(THRUM_ENOMEM));
    sim_settle();
    thrum_future_set_result(&future, 8);
    end(both, 0, 8);
    end(wait, 0, 8);
    end(nap, 0, 0);
    end(fails, THRUM_ENOMEM, 0);
    sim_close();
}

/* 47, task_awaits_on_itself: an error inside, which can be caught; the task goes on. */
static ASYNC(waits_for_itself, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_current_task());
    CHECK_EQ(self->error, THRUM_ESTATE);
    AWAIT(thrum_yield());
    ASYNC_RETURN(3);
    ASYNC_END;
}

TEST(tasks, waits_for_itself)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(waits_for_itself(), &value), 0);
    CHECK_EQ(value, 3);
}

/* ---- releasing ---- */

TEST(tasks, released_while_it_runs)
{
    thrum_future future = THRUM_FUTURE_INIT;
    sim_open();
    thrum_task *task = thrum_spawn(waits_for(&future));
    CHECK_EQ(thrum_spawn_detached(sleeps(5, 1)), 0);
    sim_pass();
    thrum_task_release(task);
    CHECK_EQ(thrum_all_tasks(NULL, 0), 2);
    sim_finish();
    CHECK_EQ(thrum_all_tasks(NULL, 0), 1);
    thrum_future_set_result(&future, 1);
    sim_settle();
    CHECK_EQ(thrum_all_tasks(NULL, 0), 0);
    CHECK_EQ(sim.reports, THRUM_HOSTED ? sim.reports : 0);
    sim_close();
}

/* A waiter keeps what it was told although the handle goes at once. */
TEST(tasks, released_while_others_wait)
{
    sim_open();
    thrum_task *inner = thrum_spawn(sleeps(10, 7));
    thrum_task *one = thrum_spawn(waits_for_task(inner)), *two = thrum_spawn(waits_for_task(inner));
    sim_pass();
    thrum_task_release(inner);
    end(one, 0, 7);
    end(two, 0, 7);
    inner = thrum_spawn(sleeps(10, 7));
    one = thrum_spawn(waits_for_task(inner));
    sim_pass();
    thrum_task_release(inner);
    CHECK(thrum_task_cancel(one)); /* reaches the inner one, which nobody else holds */
    end(one, THRUM_ECANCELED, 0);
    sim_close();
}
