/* Context variables: what tasks and calls inherit, and what they keep to themselves. The number in a comment is the
 * corner point of asyncio's behaviour; a name is the asyncio test that the test stands for. */
#include <stdlib.h>

#include <sim.h>

static thrum_context_var number = THRUM_CONTEXT_VAR("number", -1);
static thrum_context_var others[40];

static int get(void)
{
    return (int)thrum_context_get(&number);
}

static void set(int value)
{
    CHECK_EQ(thrum_context_set(&number, value, NULL), 0);
}

static void end(thrum_task *task)
{
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, NULL), 0);
    thrum_task_release(task);
}

/* ---- tasks ---- */

static ASYNC(changes_late, ARGS((int, seen), (int, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(MILLISECONDS(10)));
    CHECK_EQ(get(), self->seen);
    set(self->value);
    ASYNC_END;
}

static ASYNC(inherit_main, ARGS_NONE, LOCALS(thrum_task *task;))
{
    ASYNC_BEGIN;
    CHECK_EQ(get(), -1);
    self->task = thrum_spawn(changes_late(-1, 7));
    set(1);
    AWAIT(self->task);
    CHECK_EQ(get(), 1);
    thrum_task_release(self->task);
    self->task = thrum_spawn(changes_late(1, 8)); /* it has what its maker had when it was made */
    set(2);
    AWAIT(self->task);
    CHECK_EQ(get(), 2);
    thrum_task_release(self->task);
    ASYNC_END;
}

/* context_1 */
TEST(contextvars, a_child_has_a_context_of_its_own)
{
    CHECK_EQ(sim_run(inherit_main(), NULL), 0);
    CHECK_EQ(get(), -1);
}

static ASYNC(counts_up, ARGS((int, from)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 10; self->i++) {
        set(self->from + self->i);
        AWAIT(thrum_sleep(MILLISECONDS(1 + self->from % 7)));
        CHECK_EQ(get(), self->from + self->i);
    }
    ASYNC_END;
}

static ASYNC(many, ARGS_NONE, LOCALS(thrum_group group; int i;))
{
    ASYNC_BEGIN;
    set(-7);
    WITH (self->group, thrum_group_open(&self->group)) {
        for (self->i = 0; self->i < 100; self->i++)
            CHECK_NOT_NULL(thrum_group_spawn(&self->group, counts_up(self->i * 10)));
    }
    CHECK_EQ(get(), -7);
    ASYNC_END;
}

/* 55, context_3: a task's variable is there in its later steps, and nobody else sees it. */
TEST(contextvars, tasks_do_not_see_one_another)
{
    CHECK_EQ(sim_run(many(), NULL), 0);
}

static ASYNC(sets, ARGS((int, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    set(self->value);
    ASYNC_END;
}

static int in(const thrum_context *context)
{
    thrum_value value = -100;
    return thrum_context_find(context, &number, &value) ? (int)value : -100;
}

static ASYNC(shares, ARGS_NONE, LOCALS(thrum_context *context; thrum_spawn_options options; thrum_task * task; int i;))
{
    ASYNC_BEGIN;
    self->context = thrum_context_copy();
    CHECK_NOT_NULL(self->context);
    CHECK_EQ(in(self->context), -100);
    self->options.size = sizeof self->options;
    self->options.context = self->context;
    for (self->i = 1; self->i < 3; self->i++) {
        self->task = thrum_spawn_with(sets(self->i), &self->options);
        AWAIT(self->task);
        CHECK_EQ(in(self->context), self->i);
        thrum_task_release(self->task);
    }
    CHECK_EQ(get(), -1);
    thrum_context_release(self->context);
    ASYNC_END;
}

/* context_4, context_5, context_6: a context that is given is used as it is. */
TEST(contextvars, tasks_share_a_context_that_they_are_given)
{
    CHECK_EQ(sim_run(shares(), NULL), 0);
}

static ASYNC(says_its_context, ARGS((int, seen)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(get(), self->seen);
    AWAIT(thrum_sleep(SECONDS(2)));
    set(self->seen + 1);
    AWAIT(thrum_sleep(SECONDS(2)));
    CHECK_EQ(get(), self->seen + 1);
    ASYNC_END;
}

/* Task.get_context: what the task sets is seen there. */
TEST(contextvars, the_context_of_a_task)
{
    sim_open();
    set(3);
    thrum_task *task = thrum_spawn(says_its_context(3)), *bare = thrum_spawn(sets(5));
    set(9);
    thrum_context *context = thrum_task_context(task), *empty = thrum_task_context(bare), *again;
    CHECK_EQ(in(context), 3);
    sim_pass();
    sim_pass();
    CHECK_EQ(in(empty), 5);
    CHECK_EQ(in(context), 3);
    again = thrum_task_context(task);
    CHECK_PTR(again, context);
    thrum_context_release(again);
    end(task);
    CHECK_EQ(in(context), 4);
    thrum_context_release(context);
    end(bare);
    thrum_context_release(empty);
    CHECK_EQ(get(), 9);
    thrum_context_token token;
    CHECK_EQ(thrum_context_set(&number, 0, &token), 0);
    CHECK_EQ(thrum_context_reset(&token), 0);
    sim_abandon();
}

/* ---- calls ---- */

static int seen[8];
static size_t calls;

static void see_and_set(thrum_handle *handle)
{
    CHECK_LT(calls, sizeof seen / sizeof *seen);
    seen[calls++] = get();
    set((int)(intptr_t)handle->context);
    CHECK_EQ(get(), (int)(intptr_t)handle->context);
}

static ASYNC(queues_calls, ARGS((thrum_handle *, soon), (thrum_handle *, later), (thrum_handle *, done)),
             LOCALS(thrum_future future; int i;))
{
    ASYNC_BEGIN;
    thrum_future_init(&self->future);
    CHECK_EQ(thrum_call_soon(self->soon), 0); /* nothing is set yet */
    set(1);
    CHECK_EQ(thrum_call_later(MILLISECONDS(5), self->later), 0);
    set(2);
    CHECK_EQ(thrum_future_add_done_callback(&self->future, self->done), 0);
    set(3);
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT(thrum_sleep(MILLISECONDS(1)));
        CHECK_EQ(get(), 3);
    }
    CHECK_EQ(thrum_future_set_result(&self->future, 0), 0);
    AWAIT(thrum_sleep(MILLISECONDS(10)));
    CHECK_EQ(get(), 3);
    ASYNC_END;
}

/* 55, context_2: a call has what its maker had when it was queued; what it sets goes with it. */
TEST(contextvars, calls)
{
    thrum_handle soon = THRUM_HANDLE_INIT(see_and_set, (void *)11), later = THRUM_HANDLE_INIT(see_and_set, (void *)12),
                 done = THRUM_HANDLE_INIT(see_and_set, (void *)13), alone = THRUM_HANDLE_INIT(see_and_set, (void *)14);
    calls = 0;
    sim_open();
    CHECK_EQ(thrum_call_soon(&alone), 0);
    sim_pass();
    CHECK_EQ(get(), -1);
    CHECK_EQ(sim_run(queues_calls(&soon, &later, &done), NULL), 0);
    CHECK_EQ(calls, 4);
    CHECK_EQ(seen[0], -1);
    CHECK_EQ(seen[1], -1);
    CHECK_EQ(seen[2], 2);
    CHECK_EQ(seen[3], 1);
    CHECK_EQ(get(), -1);
    sim_close();
}

/* A handle that is taken back, or never called, keeps nothing. */
TEST(contextvars, calls_taken_back)
{
    thrum_handle a = THRUM_HANDLE_INIT(see_and_set, NULL), b = a, c = a, d = a, e = a;
    thrum_future future;
    thrum_context_token token;
    thrum_future_init(&future);
    calls = 0;
    sim_open();
    CHECK_EQ(thrum_context_set(&number, 1, &token), 0);
    CHECK_EQ(thrum_call_soon(&a), 0);
    CHECK_EQ(thrum_call_later(SECONDS(1), &b), 0);
    CHECK_EQ(thrum_future_add_done_callback(&future, &c), 0);
    CHECK_EQ(thrum_call_later(SECONDS(1), &d), 0);
    CHECK_EQ(thrum_call_soon(&e), 0);
    CHECK_EQ(thrum_context_reset(&token), 0);
    CHECK_GT(sim_blocks(), 0);
    CHECK(thrum_handle_cancel(&a));
    CHECK(thrum_handle_cancel(&b));
    CHECK(thrum_future_remove_done_callback(&future, &c));
    sim_close(); /* forgets d and e */
    CHECK_EQ(calls, 0);
    CHECK(!thrum_handle_pending(&e));
}

static thrum_context *given;

static void queues_itself(thrum_handle *handle)
{
    seen[calls++] = get();
    set(20 + (int)calls);
    if (calls < 3)
        CHECK_EQ(thrum_call_soon(handle), 0);
}

/* call_soon(context=): as it is, once. */
TEST(contextvars, calls_in_a_context_that_they_are_given)
{
    thrum_handle handle = THRUM_HANDLE_INIT(queues_itself, NULL), other = THRUM_HANDLE_INIT(see_and_set, NULL);
    calls = 0;
    sim_open();
    given = thrum_context_new();
    CHECK_EQ(thrum_handle_set_context(&handle, given), 0);
    CHECK_NULL(thrum_handle_context(&handle));
    CHECK_EQ(thrum_call_soon(&handle), 0);
    CHECK_EQ(thrum_handle_set_context(&handle, NULL), THRUM_ESTATE);
    thrum_context *same = thrum_handle_context(&handle);
    CHECK_PTR(same, given);
    thrum_context_release(same);
    CHECK_EQ(thrum_handle_set_context(&other, given), 0);
    CHECK_EQ(thrum_handle_set_context(&other, NULL), 0);
    sim_settle();
    CHECK_EQ(calls, 3);
    CHECK_EQ(seen[0], -1);
    CHECK_EQ(seen[1], 21); /* a copy of it, from the second call on */
    CHECK_EQ(seen[2], 22);
    CHECK_EQ(in(given), 21);
    CHECK_EQ(thrum_handle_set_context(&other, given), 0);
    CHECK_EQ(thrum_call_soon(&other), 0);
    CHECK(thrum_handle_cancel(&other));
    CHECK_EQ(thrum_call_soon(&other), 0); /* not any more */
    sim_settle();
    CHECK_EQ(seen[3], -1);
    thrum_context_release(given);
    sim_close();
}

/* Handle.get_context: where nothing was given. */
TEST(contextvars, the_context_of_a_call)
{
    thrum_handle handle = THRUM_HANDLE_INIT(see_and_set, (void *)5);
    calls = 0;
    sim_open();
    CHECK_EQ(thrum_call_soon(&handle), 0);
    thrum_context *context = thrum_handle_context(&handle);
    sim_settle();
    CHECK_EQ(in(context), 5);
    thrum_context_release(context);
    sim_close();
}

/* ---- tokens ---- */

static thrum_context_token kept;

static void resets_foreign(void *argument)
{
    (void)argument;
    CHECK_EQ(thrum_context_reset(&kept), THRUM_ESTATE);
    CHECK_EQ(thrum_context_set(&number, 4, NULL), 0);
    CHECK_EQ(thrum_context_reset(&kept), THRUM_ESTATE);
}

static void makes_token(thrum_handle *handle)
{
    (void)handle;
    CHECK_EQ(thrum_context_set(&number, 4, &kept), 0);
}

static void resets_token(thrum_handle *handle)
{
    (void)handle;
    CHECK_EQ(thrum_context_set(&number, 5, NULL), 0);
    CHECK_EQ(thrum_context_reset(&kept), THRUM_ESTATE);
}

TEST(contextvars, tokens)
{
    thrum_context_token first, second;
    thrum_handle a = THRUM_HANDLE_INIT(makes_token, NULL), b = THRUM_HANDLE_INIT(resets_token, NULL);
    sim_open();
    CHECK_EQ(thrum_context_set(&number, 1, &first), 0);
    CHECK_EQ(thrum_context_set(&number, 2, &second), 0);
    CHECK_EQ(thrum_context_reset(&second), 0);
    CHECK_EQ(get(), 1);
    CHECK_EQ(thrum_context_reset(&second), THRUM_ESTATE);
    CHECK_EQ(thrum_context_set(&number, 3, &kept), 0);
    thrum_context *copy = thrum_context_copy();
    thrum_context_run(copy, resets_foreign, NULL);
    CHECK_EQ(in(copy), 4);
    CHECK_EQ(get(), 3);
    thrum_context_release(copy);
    CHECK_EQ(thrum_context_reset(&kept), 0);
    CHECK_EQ(get(), 1);
    CHECK_EQ(thrum_context_reset(&first), 0);
    CHECK_EQ(get(), -1);
    CHECK_EQ(thrum_context_size(NULL), 0);
    /* Two calls, one after the other. */
    CHECK_EQ(thrum_call_soon(&a), 0);
    CHECK_EQ(thrum_call_soon(&b), 0);
    sim_settle();
    sim_close();
}

/* ---- many variables ---- */

static ASYNC(many_variables, ARGS((size_t, count)), LOCALS(thrum_context_token tokens[40]; thrum_context * copy;))
{
    ASYNC_BEGIN;
    for (size_t i = 0; i < self->count; i++) {
        size_t at = i * 7 % self->count; /* not in the order of their addresses */
        others[at].value = -5;
        CHECK_EQ(thrum_context_set(&others[at], (thrum_value)at, &self->tokens[at]), 0);
    }
    CHECK_EQ(thrum_context_size(NULL), self->count);
    self->copy = thrum_context_copy();
    for (size_t i = 0; i < self->count; i++)
        CHECK_EQ(thrum_context_get(&others[i]), i);
    for (size_t i = 0; i < self->count; i += 2)
        CHECK_EQ(thrum_context_reset(&self->tokens[i]), 0);
    for (size_t i = 0; i < self->count; i++)
        CHECK_EQ(thrum_context_get(&others[i]), i % 2 ? (int)i : -5);
    CHECK_EQ(thrum_context_size(self->copy), self->count);
    thrum_context_release(self->copy);
    for (size_t i = 1; i < self->count; i += 2)
        CHECK_EQ(thrum_context_reset(&self->tokens[i]), 0);
    CHECK_EQ(thrum_context_size(NULL), 0);
    ASYNC_END;
}

TEST(contextvars, many_variables)
{
    CHECK_EQ(sim_run(many_variables(40), NULL), 0);
    CHECK_EQ(sim_run(many_variables(1), NULL), 0);
}

/* ---- running in a context ---- */

static ASYNC(eager_child, ARGS((int, before)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK_EQ(get(), self->before);
    set(50);
    AWAIT(thrum_yield());
    CHECK_EQ(get(), 50);
    ASYNC_END;
}

static void runs_a_loop(void *argument)
{
    (void)argument;
    CHECK_EQ(get(), 30);
    set(31);
    thrum_task *task = thrum_spawn(sets(32));
    end(task);
    CHECK_EQ(get(), 31);
    task = thrum_spawn_eager(eager_child(31));
    CHECK_EQ(get(), 31);
    end(task);
}

/* What runs inside of thrum_context_run() has contexts of its own. */
TEST(contextvars, run)
{
    sim_open();
    thrum_context *context = thrum_context_new();
    set(30);
    thrum_context *copy = thrum_context_copy();
    set(40);
    CHECK_EQ(in(context), -100);
    thrum_context_run(copy, runs_a_loop, NULL);
    CHECK_EQ(in(copy), 31);
    CHECK_EQ(get(), 40);
    thrum_context_release(copy);
    thrum_context_release(context);
    thrum_context_release(NULL);
    sim_abandon();
}

static ASYNC(starts_eagerly, ARGS_NONE, LOCALS(thrum_task *task;))
{
    ASYNC_BEGIN;
    set(1);
    self->task = thrum_spawn_eager(eager_child(1));
    CHECK_EQ(get(), 1);
    AWAIT(self->task);
    CHECK_EQ(get(), 1);
    thrum_task_release(self->task);
    ASYNC_END;
}

/* test_eager_task_factory: context_vars */
TEST(contextvars, an_eager_step_runs_in_the_childs_context)
{
    CHECK_EQ(sim_run(starts_eagerly(), NULL), 0);
}

/* ---- memory ---- */

static size_t allocations, fail_at, live;

static void *failing(void *context, size_t size)
{
    (void)context;
    if (++allocations == fail_at)
        return NULL;
    live++;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    live--;
    free(memory);
}

static const thrum_allocator allocator = {failing, release, NULL, true};

static void nothing(thrum_handle *handle)
{
    (void)handle;
}

static ASYNC(tries_to_set, ARGS((int, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    if (thrum_context_set(&number, self->value, NULL))
        ASYNC_RAISE(THRUM_ENOMEM);
    CHECK_EQ(get(), self->value);
    ASYNC_END;
}

static ASYNC(scenario, ARGS((thrum_handle *, handle)),
             LOCALS(thrum_context_token token; thrum_context * context; thrum_spawn_options options; thrum_task * task;
                    bool ok;))
{
    ASYNC_BEGIN;
    if (thrum_context_set(&number, 1, &self->token) == THRUM_ENOMEM) {
        CHECK_EQ(get(), -1);
        ASYNC_RAISE(THRUM_ENOMEM);
    }
    self->task = thrum_spawn(tries_to_set(2));
    if (!self->task)
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(self->task);
    thrum_task_release(self->task);
    self->task = NULL;
    self->context = thrum_context_copy();
    if (!self->context)
        ASYNC_RAISE(THRUM_ENOMEM);
    self->options.size = sizeof self->options;
    self->options.context = self->context;
    self->options.name = "named";
    self->task = thrum_spawn_with(tries_to_set(6), &self->options);
    if (!self->task)
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(self->task);
    CHECK_EQ(in(self->context), 6);
    CHECK_EQ(thrum_call_soon(self->handle), 0);
    if (thrum_context_reset(&self->token) == THRUM_ENOMEM) {
        CHECK_EQ(get(), 1);
        ASYNC_RAISE(THRUM_ENOMEM);
    }
    CHECK_EQ(get(), -1);
    self->ok = true;
FINALLY:
    thrum_task_release(self->task);
    thrum_context_release(self->context);
    ASYNC_END;
}

TEST(contextvars, nth_allocation_fails)
{
    thrum_handle handle = THRUM_HANDLE_INIT(nothing, NULL);
    size_t all = 0, failed = 0;
    CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
    for (size_t n = 0; n <= all; n++) {
        sim_open();
        CHECK_EQ(sim_run(thrum_sleep(0), NULL), 0); /* the pool has what it keeps */
        size_t before = live;
        allocations = 0;
        fail_at = n;
        int error = sim_run(scenario(&handle), NULL);
        sim_settle();
        CHECK(error == 0 || error == THRUM_ENOMEM);
        failed += error != 0;
        if (n == 0)
            all = allocations;
        fail_at = 0;
        CHECK_EQ(sim_blocks(), 0);
        CHECK_EQ(live, before);
        sim_close();
    }
    CHECK_GT(all, 8);
    CHECK_GT(failed, 6);
}

/* ---- what it costs ---- */

static ASYNC(sleeper, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1)));
    ASYNC_END;
}

/* A child that inherits takes one block more than others, however many variables there are. */
TEST(contextvars, inheriting_copies_nothing)
{
    sim_open();
    size_t before = sim_blocks();
    CHECK_EQ(thrum_spawn_detached(sleeper()), 0);
    size_t bare = sim_blocks() - before;
    for (size_t i = 0; i < 40; i++)
        CHECK_EQ(thrum_context_set(&others[i], 1, NULL), 0);
    before = sim_blocks();
    CHECK_EQ(thrum_spawn_detached(sleeper()), 0);
    CHECK_EQ(sim_blocks() - before, bare + 1);
    before = sim_blocks();
    thrum_handle handle = THRUM_HANDLE_INIT(nothing, NULL);
    CHECK_EQ(thrum_call_soon(&handle), 0);
    CHECK_EQ(sim_blocks(), before);
    sim_finish();
    sim_abandon();
}
