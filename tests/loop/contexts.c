/* Context variables where the loop makes calls: runners, descriptors, posts, exception handlers. A name is the asyncio
 * test that the test stands for. */
#include "support.h"

#include <fcntl.h>
#include <sys/socket.h>

static thrum_context_var number = THRUM_CONTEXT_VAR("number", -1);

static int get(void)
{
    return (int)thrum_context_get(&number);
}

static void set(int value)
{
    CHECK_EQ(thrum_context_set(&number, value, NULL), 0);
}

/* ---- runners ---- */

static ASYNC(swaps, ARGS((int, value)), LOCALS(int old;))
{
    ASYNC_BEGIN;
    self->old = get();
    AWAIT(thrum_yield());
    set(self->value);
    ASYNC_RETURN(self->old);
    ASYNC_END;
}

/* run_keeps_context */
TEST(contexts, a_runner_keeps_one)
{
    static const thrum_loop_options loop = {.size = sizeof loop, .backend = THRUM_BACKEND_SIM};
    const thrum_runner_options options = {.size = sizeof options, .loop = &loop};
    thrum_pool_stats stats;
    thrum_runner runner;
    thrum_value value;
    thrum_context *other = thrum_context_new();
    CHECK_EQ(thrum_runner_init(&runner, &options), 0);
    CHECK_EQ(thrum_runner_run(&runner, swaps(1), &value), 0);
    CHECK_EQ(value, -1);
    CHECK_EQ(thrum_runner_run(&runner, swaps(2), &value), 0);
    CHECK_EQ(value, 1);
    CHECK_EQ(thrum_runner_run_in(&runner, other, swaps(9), &value), 0);
    CHECK_EQ(value, -1);
    CHECK_EQ(thrum_runner_run_in(&runner, NULL, swaps(3), &value), 0);
    CHECK_EQ(value, 2);
    CHECK_EQ(get(), -1);
    CHECK_EQ(thrum_runner_close(&runner), 0);
    CHECK(thrum_context_find(other, &number, &value));
    CHECK_EQ(value, 9);
    thrum_context_release(other);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
}

/* What is set before is there in the program. */
TEST(contexts, a_runner_begins_with_the_threads)
{
    thrum_context_token token;
    thrum_runner runner;
    thrum_value value;
    CHECK_EQ(thrum_context_set(&number, 5, &token), 0);
    CHECK_EQ(thrum_runner_init(&runner, NULL), 0);
    CHECK_EQ(thrum_runner_run(&runner, swaps(6), &value), 0);
    CHECK_EQ(value, 5);
    CHECK_EQ(get(), 5);
    CHECK_EQ(thrum_runner_close(&runner), 0);
    CHECK_EQ(thrum_context_reset(&token), 0);
    CHECK_EQ(thrum_context_size(NULL), 0);
}

/* ---- descriptors ---- */

static int before[4];
static size_t calls;

static void count_up(thrum_handle *handle)
{
    CHECK_LT(calls, 4);
    before[calls++] = get();
    set(get() + 1);
    if (calls == 3)
        thrum_remove_reader((int)(intptr_t)handle->context);
    CHECK_EQ(get(), before[calls - 1] + 1);
}

static ASYNC(watches, ARGS((int, descriptor)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    set(10);
    CHECK_EQ(thrum_add_reader(self->descriptor, count_up, (void *)(intptr_t)self->descriptor), 0);
    set(20);
    while (calls < 3)
        AWAIT(thrum_yield());
    CHECK_EQ(get(), 20);
    ASYNC_END;
}

/* All calls for a descriptor are made in one context, a copy of the one in which the watching began. */
TEST(contexts, of_a_descriptor)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    int ends[2];
    calls = 0;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(thrum_loop_run_until_complete(loop, watches(ends[0]), NULL), 0);
    CHECK_EQ(before[0], 10);
    CHECK_EQ(before[1], 11);
    CHECK_EQ(before[2], 12);
    /* Left to the loop, queued or not. */
    CHECK_EQ(thrum_add_reader(ends[0], count_up, NULL), 0);
    CHECK_EQ(thrum_add_writer(ends[0], count_up, NULL), 0);
    close_loop(loop);
    close(ends[0]);
    close(ends[1]);
}

/* ---- posts ---- */

static void post_sets(thrum_post *post)
{
    *(int *)post->context = get();
    set(3);
}

/* A post has nothing of the loop's thread, and leaves nothing to the next. */
LOOP_TEST(contexts, of_posts)
{
    int seen[2] = {0, 0};
    thrum_post first = {.call = post_sets, .context = &seen[0]}, second = {.call = post_sets, .context = &seen[1]};
    thrum_context_token token;
    CHECK_EQ(thrum_context_set(&number, 8, &token), 0);
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &first), 0);
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &second), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(seen[0], -1);
    CHECK_EQ(seen[1], -1);
    CHECK_EQ(get(), 8);
    CHECK_EQ(thrum_context_reset(&token), 0);
}

/* ---- exception handlers ---- */

static struct {
    int count, number;
    bool task, handle, future;
} told;

static void tell(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)context;
    told.count++;
    told.number = get();
    told.task = report->task != NULL;
    told.handle = report->handle != NULL;
    told.future = report->future != NULL;
    set(1000);
    CHECK_EQ(get(), 1000);
    if (report->task) {
        thrum_context *same = thrum_task_context(report->task);
        CHECK_EQ(get(), 1000);
        thrum_context_release(same);
    }
}

static ASYNC(fails, ARGS((int, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->value)
        set(self->value);
    AWAIT(thrum_yield());
    ASYNC_RAISE(THRUM_EAPP(1));
    ASYNC_END;
}

/* test_futures2: task_exc_handler_correct_context */
LOOP_TEST(contexts, of_the_task_in_a_report)
{
    void *context = &told;
    CHECK_NULL(thrum_loop_get_exception_handler(loop, NULL));
    thrum_loop_set_exception_handler(loop, tell, &told);
    CHECK(thrum_loop_get_exception_handler(loop, &context) == tell);
    CHECK_PTR(context, &told);
    memset(&told, 0, sizeof told);
    set(7);
    CHECK_EQ(thrum_spawn_detached(fails(6)), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(told.count, 1);
    CHECK(told.task);
    CHECK_EQ(told.number, 6);
    CHECK_EQ(get(), 7);
    thrum_task *task = thrum_spawn(fails(0));
    for (int i = 0; i < 3; i++)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    set(8);
    thrum_task_release(task); /* the report comes now, in another context */
    CHECK_EQ(told.count, 2);
    CHECK_EQ(told.number, 7);
    CHECK_EQ(get(), 8);
    thrum_context_token token;
    CHECK_EQ(thrum_context_set(&number, 8, &token), 0);
    token.was_set = false; /* take it out, whatever was there */
    CHECK_EQ(thrum_context_reset(&token), 0);
}

static void reports_itself(thrum_handle *handle)
{
    const thrum_report report = {.message = "a call failed", .error = THRUM_EAPP(2), .handle = handle};
    set(get() + 1);
    thrum_loop_call_exception_handler(thrum_loop_current(), &report);
    CHECK_EQ(get(), 1000); /* it is one context */
}

/* test_futures2: handle_exc_handler_correct_context */
LOOP_TEST(contexts, of_the_handle_in_a_report)
{
    thrum_handle handle = THRUM_HANDLE_INIT(reports_itself, NULL);
    thrum_context_token token;
    thrum_future future;
    thrum_future_init(&future);
    const thrum_report of_handle = {.message = "it waits", .handle = &handle},
                       of_future = {.message = "nobody asked", .future = &future};
    memset(&told, 0, sizeof told);
    thrum_loop_set_exception_handler(loop, tell, NULL);
    CHECK_EQ(thrum_context_set(&number, 7, &token), 0);
    CHECK_EQ(thrum_call_soon(&handle), 0);
    CHECK_EQ(thrum_context_reset(&token), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(told.number, 8);
    CHECK(told.handle);
    CHECK_EQ(get(), -1);
    /* One that waits for its call. */
    CHECK_EQ(thrum_context_set(&number, 9, &token), 0);
    CHECK_EQ(thrum_call_later(SECONDS(1), &handle), 0);
    CHECK_EQ(thrum_context_reset(&token), 0);
    thrum_loop_call_exception_handler(loop, &of_handle);
    CHECK_EQ(told.number, 9);
    CHECK_EQ(get(), -1);
    CHECK(thrum_handle_cancel(&handle));
    /* Of neither: the current one. */
    thrum_context *context = thrum_context_copy();
    thrum_loop_call_exception_handler(loop, &of_future);
    CHECK_EQ(told.number, -1);
    CHECK(told.future);
    CHECK_EQ(told.count, 3);
    CHECK_EQ(get(), 1000);
    thrum_context_release(context);
    CHECK_EQ(thrum_context_set(&number, 8, &token), 0);
    token.was_set = false;
    CHECK_EQ(thrum_context_reset(&token), 0);
}
