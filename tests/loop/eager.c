/* Tasks that begin eagerly because the loop's task factory says so. The number in a comment is the corner point of
 * asyncio's behaviour; a name is the test of test_eager_task_factory that the test stands for. */
#include <sim.h>

static void open_eager(void)
{
    sim_open();
    thrum_loop_set_task_factory(sim.loop, thrum_eager_task_factory, NULL);
}

/* Runs `what` on an eager loop; tasks begin eagerly within it, itself not: the loop does not run yet. */
static int run(thrum_awaitable what, thrum_value *value)
{
    open_eager();
    thrum_task *task = thrum_spawn(what);
    CHECK(!thrum_task_done(task));
    int error = sim_until(task);
    CHECK_EQ(error, 0);
    error = thrum_task_result(task, value);
    thrum_task_release(task);
    sim_close();
    return error;
}

static ASYNC(gives, ARGS((int, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(sleeps, ARGS((int, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(0.1)));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(raises, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

static size_t called, passes_at_call;

static void note_call(thrum_handle *handle)
{
    called++;
    passes_at_call = sim.passes;
    *(thrum_value *)handle->context = thrum_handle_value(handle);
}

static ASYNC(completes, ARGS_NONE,
             LOCALS(thrum_task *task; thrum_handle done; thrum_value given; int result; size_t n;))
{
    ASYNC_BEGIN;
    self->n = thrum_all_tasks(NULL, 0);
    self->task = thrum_spawn(gives(7));
    CHECK(thrum_task_done(self->task));
    CHECK_EQ(thrum_all_tasks(NULL, 0), self->n);
    thrum_handle_init(&self->done, note_call, &self->given);
    CHECK_EQ(thrum_task_add_done_callback(self->task, &self->done), 0);
    CHECK_EQ(called, 0);
    self->n = sim.passes;
    AWAIT_INTO(self->result, self->task);
    CHECK_EQ(self->result, 7);
    CHECK_EQ(sim.passes, self->n); /* nothing was waited for */
    CHECK_EQ(called, 0);
    AWAIT(thrum_yield());
    CHECK_EQ(called, 1);
    CHECK_EQ(passes_at_call, self->n + 1);
    CHECK_EQ(self->given, 7);
    CHECK(!thrum_task_cancel(self->task));
    CHECK(!thrum_task_cancelled(self->task));
    thrum_task_release(self->task);
    CHECK_EQ(thrum_spawn_detached(gives(1)), 0);
    ASYNC_END;
}

/* 52, eager_completion, all_tasks_with_eager_completion, cancellation_after_eager_completion */
TEST(eager, ends_at_once)
{
    called = 0;
    CHECK_EQ(run(completes(), NULL), 0);
    CHECK_EQ(sim.reports, 0);
}

static ASYNC(fails_at_once, ARGS_NONE, LOCALS(thrum_task *task; int error;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(raises(-7));
    CHECK(thrum_task_done(self->task));
    CHECK(thrum_current_task() != self->task);
    AWAIT_CATCH(self->error, self->task);
    CHECK_EQ(self->error, -7);
    thrum_task_release(self->task);
    CHECK_EQ(sim.reports, 0);
    CHECK_EQ(thrum_spawn_detached(raises(-8)), 0); /* nobody can ask for it */
    CHECK_EQ(sim.reports, 1);
    CHECK_EQ(sim.notes[0].error, -8);
    ASYNC_END;
}

TEST(eager, fails_at_once)
{
    CHECK_EQ(run(fails_at_once(), NULL), 0);
}

static ASYNC(sets_result, ARGS((thrum_future *, future), (int, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_future_set_result(self->future, self->value), 0);
    ASYNC_END;
}

static ASYNC(awaits_future, ARGS_NONE, LOCALS(thrum_future future; int value;))
{
    ASYNC_BEGIN;
    thrum_future_init(&self->future);
    CHECK_EQ(thrum_spawn_detached(sets_result(&self->future, 9)), 0);
    CHECK(thrum_future_done(&self->future));
    AWAIT_INTO(self->value, &self->future);
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

/* await_future_during_eager_step */
TEST(eager, completes_a_future)
{
    thrum_value value = 0;
    CHECK_EQ(run(awaits_future(), &value), 0);
    CHECK_EQ(value, 9);
}

static ASYNC(suspends, ARGS_NONE, LOCALS(thrum_task *task; int value;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(sleeps(3));
    CHECK(!thrum_task_done(self->task));
    CHECK_EQ(thrum_all_tasks(NULL, 0), 2);
    AWAIT_INTO(self->value, self->task);
    CHECK(thrum_task_done(self->task));
    thrum_task_release(self->task);
    self->task = thrum_spawn(sleeps(4));
    CHECK(thrum_task_cancel_with(self->task, "a message"));
    CHECK_GT(thrum_task_cancelling(self->task), 0);
    AWAIT_CATCH_ALL(self->value, self->task);
    CHECK_EQ(self->value, THRUM_ECANCELED);
    CHECK_STR(thrum_task_error(self->task)->text, "a message");
    thrum_task_release(self->task);
    ASYNC_END;
}

/* 53, block_after_eager_step, cancellation_after_eager_step_blocks */
TEST(eager, goes_on_as_any_other)
{
    CHECK_EQ(run(suspends(), NULL), 0);
}

static thrum_task *noted;
static bool among_all;

static ASYNC(notes_itself, ARGS((thrum_future *, before), (thrum_future *, after), (int, error)),
             LOCALS(thrum_task *tasks[8];))
{
    ASYNC_BEGIN;
    noted = thrum_current_task();
    size_t count = thrum_all_tasks(self->tasks, 8);
    among_all = false;
    for (size_t i = 0; i < count; i++)
        among_all = among_all || self->tasks[i] == noted;
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT(self->before);
    CHECK_PTR(thrum_current_task(), noted);
    CHECK_EQ(thrum_future_set_result(self->after, 0), 0);
    ASYNC_END;
}

static ASYNC(looks_at_current, ARGS_NONE, LOCALS(thrum_task *me, *task; thrum_future before, after; int error;))
{
    ASYNC_BEGIN;
    self->me = thrum_current_task();
    self->task = thrum_spawn(notes_itself(&self->before, &self->after, -9));
    CHECK_PTR(noted, self->task);
    CHECK(among_all);
    CHECK_PTR(thrum_current_task(), self->me); /* also when the child raises */
    AWAIT_CATCH(self->error, self->task);
    CHECK_EQ(self->error, -9);
    thrum_task_release(self->task);
    thrum_future_init(&self->before);
    thrum_future_init(&self->after);
    self->task = thrum_spawn(notes_itself(&self->before, &self->after, 0));
    CHECK_PTR(noted, self->task);
    CHECK_PTR(thrum_current_task(), self->me);
    CHECK_EQ(thrum_all_tasks(NULL, 0), 2);
    CHECK_EQ(thrum_future_set_result(&self->before, 0), 0);
    AWAIT(&self->after);
    CHECK(thrum_task_done(self->task));
    CHECK_EQ(thrum_all_tasks(NULL, 0), 1);
    thrum_task_release(self->task);
    ASYNC_END;
}

/* 53, current_task, all_tasks_with_blocking */
TEST(eager, current_task)
{
    CHECK_EQ(run(looks_at_current(), NULL), 0);
}

static ASYNC(says_lazily, ARGS((int *, out)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    *self->out = 1;
    ASYNC_END;
}

static ASYNC(asks_for_lazy, ARGS_NONE, LOCALS(thrum_spawn_options options; thrum_task * task; int began;))
{
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.start = THRUM_START_LAZY;
    self->options.name = "lazy";
    self->task = thrum_spawn_with(says_lazily(&self->began), &self->options);
    CHECK_EQ(self->began, 0);
    CHECK_STR(thrum_task_name(self->task), "lazy");
    AWAIT(self->task);
    CHECK_EQ(self->began, 1);
    thrum_task_release(self->task);
    ASYNC_END;
}

/* create_task(eager_start=False) where the factory is eager. */
TEST(eager, not_when_asked_otherwise)
{
    CHECK_EQ(run(asks_for_lazy(), NULL), 0);
}

/* ---- counting ---- */

static struct {
    size_t made, suspended;
} counter;

static thrum_task *count_tasks(thrum_loop *loop, thrum_awaitable what, const thrum_spawn_options *options, void *eager)
{
    thrum_task *task =
        *(bool *)eager ? thrum_eager_task_factory(loop, what, options, NULL) : thrum_task_create(what, options);
    counter.made++;
    counter.suspended += task && !thrum_task_done(task);
    return task;
}

static ASYNC(recursive_groups, ARGS((int, width), (int, depth)), LOCALS(thrum_group group; int i;))
{
    ASYNC_BEGIN;
    if (self->depth) {
        WITH (self->group, thrum_group_open(&self->group)) {
            for (self->i = 0; self->i < self->width; self->i++)
                CHECK_NOT_NULL(thrum_group_spawn(&self->group, recursive_groups(self->width, self->depth - 1)));
        }
    }
    ASYNC_END;
}

static void count(bool eager, size_t suspended)
{
    counter.made = counter.suspended = 0;
    sim_open();
    thrum_loop_set_task_factory(sim.loop, count_tasks, &eager);
    CHECK_EQ(sim_run(recursive_groups(5, 4), NULL), 0);
    CHECK_EQ(counter.made, 781);
    CHECK_EQ(counter.suspended, suspended);
    sim_close();
}

/* recursive_taskgroups. The innermost end at once; a group that had children waits for them to be told of. */
TEST(eager, recursive_groups)
{
    count(false, 781);
    count(true, 781 - 625);
}

static ASYNC(recursive_gathers, ARGS((int, depth)), LOCALS(thrum_value sums[3]; int i;))
{
    ASYNC_BEGIN;
    if (self->depth == 0)
        ASYNC_RETURN(1);
    AWAIT(thrum_gather(self->sums, recursive_gathers(self->depth - 1), recursive_gathers(self->depth - 1),
                       recursive_gathers(self->depth - 1)));
    for (self->i = 1; self->i < 3; self->i++)
        self->sums[0] += self->sums[self->i];
    ASYNC_RETURN(self->sums[0]);
    ASYNC_END;
}

/* recursive_gather: what ends at once is taken at once, all the way up. */
TEST(eager, recursive_gathers)
{
    for (int eager = 0; eager < 2; eager++) {
        thrum_value leaves = 0;
        bool as_told = eager;
        counter.made = counter.suspended = 0;
        sim_open();
        thrum_loop_set_task_factory(sim.loop, count_tasks, &as_told);
        CHECK_EQ(sim_run(recursive_gathers(4), &leaves), 0);
        CHECK_EQ(leaves, 81);
        CHECK_EQ(counter.made, 121);
        CHECK_EQ(counter.suspended, eager ? 1 : 121); /* the first one begins before the loop runs */
        sim_close();
    }
}

/* ---- groups ---- */

static ASYNC(cancels_its_group, ARGS((thrum_group *, group), (int *, ended)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_group_cancel(self->group);
    AWAIT(thrum_sleep(SECONDS(10)));
    *self->ended = 1;
FINALLY:
    *self->ended += 2;
    ASYNC_END;
}

static ASYNC(group_is_cancelled, ARGS_NONE, LOCALS(thrum_group group; int ended;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        CHECK_NOT_NULL(thrum_group_spawn(&self->group, cancels_its_group(&self->group, &self->ended)));
        CHECK_EQ(thrum_group_error(&self->group), 0);
        /* 108: it takes no more. */
        CHECK_NULL(thrum_group_spawn(&self->group, gives(1)));
        CHECK_EQ(thrum_group_error(&self->group), THRUM_ESTATE);
        AWAIT(thrum_sleep(SECONDS(5)));
        FAIL("the body is cancelled as well");
    }
    CHECK_EQ(self->ended, 2);
    CHECK_EQ(thrum_now(), 0);
    ASYNC_END;
}

/* 109, 155418: a child cancels the group before it first suspends. */
TEST(eager, a_child_cancels_its_group)
{
    CHECK_EQ(run(group_is_cancelled(), NULL), 0);
}

static ASYNC(spawns_sibling, ARGS((thrum_group *, group)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_group_spawn_detached(self->group, sleeps(1)), 0);
    CHECK_NOT_NULL(thrum_group_spawn(self->group, raises(THRUM_EAPP(1))));
    ASYNC_END;
}

static ASYNC(group_of_failing, ARGS_NONE, LOCALS(thrum_group group; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->group, thrum_group_open(&self->group)) {
            CHECK_EQ(thrum_group_spawn_detached(&self->group, spawns_sibling(&self->group)), 0);
            CHECK_EQ(thrum_group_size(&self->group), 3);
        }
    }
    CATCH (self->error, self->attempt) {
        CHECK_EQ(self->error, THRUM_EGROUP);
    }
    CHECK_EQ(self->error, THRUM_EGROUP);
    CHECK_EQ(thrum_now(), 0);
    ASYNC_END;
}

TEST(eager, a_child_fails_at_once)
{
    CHECK_EQ(run(group_of_failing(), NULL), 0);
}

/* ---- 54: a start that fails ---- */

static size_t allowance;

static void *sometimes(void *context, size_t size)
{
    (void)context;
    if (!allowance)
        return NULL;
    allowance--;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context, (void)size;
    free(memory);
}

static ASYNC(start_fails, ARGS_NONE, LOCALS(thrum_task *me, *task; thrum_spawn_options options; int i;))
{
    ASYNC_BEGIN;
    self->me = thrum_current_task();
    self->options.size = sizeof self->options;
    self->options.name = "needs a block more";
    self->options.context = thrum_context_new();
    for (self->i = 0; self->i < 3; self->i++) { /* the frame, the task, what hangs on it */
        allowance = (size_t)self->i;
        self->task = thrum_spawn_with(notes_itself(NULL, NULL, -1), &self->options);
        allowance = 1000;
        CHECK(!self->task || self->i == 0); /* an awaitable for which there was no memory can still be spawned */
        CHECK_PTR(thrum_current_task(), self->me);
        if (self->task) {
            CHECK_EQ(thrum_task_result(self->task, NULL), THRUM_ENOMEM);
            thrum_task_release(self->task);
        }
    }
    CHECK_NULL(noted);
    thrum_context_release(self->options.context);
    AWAIT(thrum_sleep(SECONDS(1)));
    ASYNC_END;
}

TEST(eager, a_start_that_fails)
{
    static const thrum_allocator allocator = {sometimes, release, NULL, true};
    noted = NULL;
    allowance = 1000;
    CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
    CHECK_EQ(run(start_fails(), NULL), 0);
}
