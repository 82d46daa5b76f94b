/* Task factories and task hooks. A name is the asyncio test that the test stands for. */
#include <sim.h>

static char trace[512];

static void put(const char *text)
{
    CHECK_LT(strlen(trace) + strlen(text), sizeof trace);
    strcat(trace, text);
}

static ASYNC(gives, ARGS((int, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

/* ---- factories ---- */

static struct {
    size_t calls;
    const char *name;
    thrum_loop *loop;
} seen;

static thrum_task *names(thrum_loop *loop, thrum_awaitable what, const thrum_spawn_options *options, void *context)
{
    thrum_spawn_options mine = *options;
    seen.calls++;
    seen.loop = loop;
    seen.name = options->name;
    mine.name = (const char *)context;
    return thrum_task_create(what, &mine);
}

static ASYNC(spawns_all_ways, ARGS_NONE, LOCALS(thrum_task *task; thrum_group group; thrum_spawn_options options;))
{
    ASYNC_BEGIN;
    seen.calls = 0;
    self->task = thrum_spawn(gives(1));
    CHECK_STR(thrum_task_name(self->task), "made");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(seen.calls, 1);
    CHECK_EQ(thrum_spawn_detached(gives(2)), 0);
    CHECK_EQ(seen.calls, 2);
    self->options.size = sizeof self->options;
    self->options.name = "asked for";
    self->task = thrum_spawn_with(gives(1), &self->options);
    CHECK_STR(seen.name, "asked for");
    CHECK_STR(thrum_task_name(self->task), "made");
    thrum_task_release(self->task);
    self->task = thrum_spawn_eager(gives(1));
    CHECK_STR(thrum_task_name(self->task), "made");
    thrum_task_release(self->task);
    CHECK_EQ(seen.calls, 4);
    WITH (self->group, thrum_group_open(&self->group)) {
        CHECK_STR(thrum_task_name(thrum_group_spawn(&self->group, gives(3))), "made");
        CHECK_EQ(thrum_group_spawn_detached(&self->group, gives(4)), 0);
        CHECK_STR(thrum_task_name(thrum_group_spawn_eager(&self->group, gives(5))), "made");
        CHECK_NOT_NULL(thrum_group_spawn_with(&self->group, gives(6), &self->options));
        CHECK_EQ(thrum_group_size(&self->group), 4);
    }
    CHECK_EQ(seen.calls, 8);
    ASYNC_END;
}

/* test_base_events: set_task_factory, create_named_task_with_custom_factory */
TEST(factories, make_every_task)
{
    char name[] = "made";
    void *context = NULL;
    sim_open();
    CHECK_NULL(sim_eager() ? NULL : thrum_loop_get_task_factory(sim.loop, NULL));
    thrum_loop_set_task_factory(sim.loop, names, name);
    CHECK(thrum_loop_get_task_factory(sim.loop, &context) == names);
    CHECK_PTR(context, name);
    CHECK_EQ(sim_run(spawns_all_ways(), NULL), 0);
    CHECK_PTR(seen.loop, sim.loop);
    thrum_loop_set_task_factory(sim.loop, NULL, NULL);
    CHECK_NULL(thrum_loop_get_task_factory(sim.loop, NULL));
    size_t calls = seen.calls;
    CHECK_EQ(sim_run(gives(1), NULL), 0);
    CHECK_EQ(seen.calls, calls);
    sim_close();
}

/* create_named_task_with_default_factory */
TEST(factories, names_without_one)
{
    thrum_spawn_options options = {.size = sizeof options, .name = "test_task"};
    sim_open();
    thrum_task *task = thrum_spawn_with(gives(1), &options);
    CHECK_STR(thrum_task_name(task), "test_task");
    CHECK_EQ(sim_until(task), 0);
    thrum_task_release(task);
    sim_close();
}

/* With another size, older or newer. */
TEST(factories, options_of_other_versions)
{
    thrum_spawn_options options = {.size = offsetof(thrum_spawn_options, context), .name = "short"};
    options.start = THRUM_START_EAGER; /* beyond the size */
    sim_open();
    thrum_task *task = thrum_spawn_with(gives(1), &options);
    CHECK_STR(thrum_task_name(task), "short");
    CHECK_EQ(sim_settle(), 2);
    thrum_task_release(task);
    sim_close();
}

static thrum_task *refuses(thrum_loop *loop, thrum_awaitable what, const thrum_spawn_options *options, void *context)
{
    (void)loop, (void)options, (void)context;
    thrum_drop(what);
    return NULL;
}

static thrum_task *forgets(thrum_loop *loop, thrum_awaitable what, const thrum_spawn_options *options, void *context)
{
    (void)loop, (void)options, (void)context;
    return thrum_task_create(what, NULL);
}

static ASYNC(is_refused, ARGS_NONE, LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    CHECK_NULL(thrum_spawn(gives(1)));
    CHECK_EQ(thrum_spawn_detached(gives(1)), THRUM_ENOMEM);
    WITH (self->group, thrum_group_open(&self->group)) {
        CHECK_NULL(thrum_group_spawn(&self->group, gives(1)));
        CHECK_NE(thrum_group_error(&self->group), 0);
        thrum_loop_set_task_factory(thrum_loop_current(), forgets, NULL);
        CHECK_NULL(thrum_group_spawn(&self->group, gives(1))); /* that is no child */
        CHECK_EQ(thrum_group_error(&self->group), THRUM_EINVAL);
        CHECK_EQ(thrum_group_size(&self->group), 0);
    }
    ASYNC_END;
}

TEST(factories, may_refuse)
{
    sim_open();
    thrum_task *task = thrum_spawn(is_refused());
    thrum_loop_set_task_factory(sim.loop, refuses, NULL);
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, NULL), 0);
    thrum_task_release(task);
    sim_finish();
    sim_close();
}

static ASYNC(wraps, ARGS((thrum_awaitable, what)), LOCALS(int value;), ON_DROP(thrum_drop(self->what);))
{
    ASYNC_BEGIN;
    put("(");
    AWAIT_INTO(self->value, self->what);
    put(")");
    ASYNC_RETURN(self->value + 100);
    ASYNC_END;
}

static thrum_task *wrap_all(thrum_loop *loop, thrum_awaitable what, const thrum_spawn_options *options, void *context)
{
    (void)loop, (void)context;
    return thrum_task_create(wraps(what), options);
}

TEST(factories, may_put_something_around)
{
    thrum_value value = 0;
    trace[0] = '\0';
    sim_open();
    thrum_loop_set_task_factory(sim.loop, wrap_all, NULL);
    CHECK_EQ(sim_run(gives(1), &value), 0);
    CHECK_EQ(value, 101);
    CHECK_STR(trace, "()");
    sim_close();
}

/* ---- hooks ---- */

static void put_name(const char *sign, const thrum_task *task)
{
    put(sign);
    put(thrum_task_name(task));
}

static void created(thrum_task *task, void *context)
{
    (void)context;
    put_name("+", task);
}

static void ended(thrum_task *task, void *context)
{
    (void)context;
    CHECK(thrum_task_done(task));
    put_name("-", task);
}

static void step_begin(thrum_task *task, void *context)
{
    (void)context;
    CHECK_PTR(thrum_current_task(), task);
    put_name("<", task);
}

static void step_end(thrum_task *task, void *context)
{
    (void)task, (void)context;
    put(">");
}

static const thrum_task_hooks all_hooks = {sizeof all_hooks, NULL, created, ended, step_begin, step_end, 0};

static ASYNC(b, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_END;
}

static ASYNC(c, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}

static ASYNC(a, ARGS_NONE, LOCALS(thrum_task *task;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(b());
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(thrum_spawn_detached(c()), 0);
    self->task = thrum_spawn_eager(b());
    AWAIT(self->task);
    thrum_task_release(self->task);
    ASYNC_END;
}

TEST(hooks, tell_of_tasks_and_steps)
{
    trace[0] = '\0';
    sim_start_lazily();
    sim_open();
    CHECK_EQ(thrum_loop_set_task_hooks(sim.loop, &all_hooks), 0);
    CHECK_EQ(sim_run(a(), NULL), 0);
    CHECK_STR(trace, "+a<a+b><b><b-b><a+c+b<b>><c-c><b-b><a-a>");
    CHECK_EQ(thrum_loop_set_task_hooks(sim.loop, NULL), 0);
    CHECK_EQ(sim_run(a(), NULL), 0);
    CHECK_STR(trace, "+a<a+b><b><b-b><a+c+b<b>><c-c><b-b><a-a>");
    sim_close();
}

/* Set when there are tasks already, by a step. */
static ASYNC(sets_hooks, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_loop_set_task_hooks(thrum_loop_current(), &all_hooks), 0);
    AWAIT(thrum_yield());
    ASYNC_END;
}

TEST(hooks, of_tasks_that_there_are)
{
    trace[0] = '\0';
    sim_open();
    thrum_task *task = thrum_spawn(sets_hooks()), *other = thrum_spawn(b());
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(sim_until(other), 0);
    CHECK_STR(trace, "<sets_hooks-sets_hooks><b-b>");
    thrum_task_release(task);
    thrum_task_release(other);
    sim_close();
}

/* A task that is cancelled before it begins, and one that is in need of a look before it goes on. */
TEST(hooks, of_cancelled_tasks)
{
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(thrum_loop_set_task_hooks(sim.loop, &all_hooks), 0);
    thrum_task *task = thrum_spawn(b());
    thrum_task_cancel(task);
    CHECK_EQ(sim_until(task), 0);
    CHECK_STR(trace, "+b<b-b>");
    thrum_task_release(task);
    trace[0] = '\0';
    task = thrum_spawn(b());
    sim_pass();
    thrum_task_cancel(task);
    CHECK_EQ(sim_until(task), 0);
    CHECK_STR(trace, "+b<b><b-b>");
    thrum_task_release(task);
    sim_close();
}

TEST(hooks, that_want_little)
{
    thrum_task_hooks hooks = {.size = offsetof(thrum_task_hooks, step_begin), .ended = ended};
    hooks.step_begin = step_begin; /* beyond the size */
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(thrum_loop_set_task_hooks(sim.loop, &hooks), 0);
    CHECK_EQ(sim_run(b(), NULL), 0);
    CHECK_STR(trace, "-b");
    hooks.size = 0;
    CHECK_EQ(thrum_loop_set_task_hooks(sim.loop, &hooks), THRUM_EINVAL);
    hooks.size = sizeof hooks + 1;
    CHECK_EQ(thrum_loop_set_task_hooks(sim.loop, &hooks), THRUM_EINVAL);
    sim_close();
}
