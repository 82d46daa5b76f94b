/* Exploring finds what is planted here, names it, and replays it alone. */
#include <pthread.h>
#include <stdlib.h>

#include "support.h"

/* ---- nothing is wrong ---- */

/* Whoever puts is not to wait for one that was cancelled, also when it has not begun. */
static ASYNC(worker, ARGS((thrum_queue *, queue)), LOCALS(int item;), ON_DROP(thrum_queue_shutdown(self->queue, true);))
{
    ASYNC_BEGIN;
    do
        AWAIT(thrum_queue_get(self->queue, &self->item));
    while (self->item);
FINALLY:
    thrum_queue_shutdown(self->queue, true);
    ASYNC_END;
}

static ASYNC(sound, ARGS((void *, context)),
             LOCALS(thrum_queue queue; int items[2]; int i; thrum_group group; thrum_stream * a; thrum_stream * b;
                    char text[8];))
{
    ASYNC_BEGIN;
    thrum_queue_init(&self->queue, self->items, 2, sizeof(int));
    WITH (self->group, thrum_group_open(&self->group)) {
        if (!thrum_group_spawn(&self->group, worker(&self->queue)))
            ASYNC_RAISE(THRUM_ENOMEM);
        for (self->i = 5; self->i >= 0; self->i--)
            AWAIT(thrum_queue_put(&self->queue, &self->i));
    }
    if (thrum_test_stream_pair(&self->a, &self->b, NULL))
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(thrum_stream_write(self->a, "abc", 3));
    AWAIT(thrum_timeout(SECONDS(1), thrum_stream_read_exactly(self->b, self->text, 3)));
FINALLY:
    thrum_stream_release(self->a);
    thrum_stream_release(self->b);
    ASYNC_END;
}

TEST(testing_explore, a_sound_program)
{
    thrum_test_explored explored;
    thrum_test_explore_options options = {.size = sizeof options, .seeds = 7};
    CHECK_EQ(thrum_test_explore(sound, NULL, &options, &explored), 0);
    CHECK_EQ(explored.failed, 0);
    CHECK_EQ(explored.seeds, 7);
    CHECK_GE(explored.waiting, 5);
    CHECK_GE(explored.woken, 7);
    CHECK_GE(explored.allocations, 10);
    /* Each kind ends with a run whose place is not reached, and there is one without anything. */
    CHECK_EQ(explored.runs, 1 + 7 + explored.waiting + 1 + explored.woken + 1 + explored.allocations + 1);
    options.no_seeds = options.no_cancels = options.no_allocations = true;
    CHECK_EQ(thrum_test_explore(sound, NULL, &options, &explored), 0);
    CHECK_EQ(explored.runs, 1);
    options.no_cancels = false;
    options.most = 2;
    CHECK_EQ(thrum_test_explore(sound, NULL, &options, &explored), 0);
    CHECK_EQ(explored.waiting, 2);
    CHECK_EQ(explored.woken, 2);
}

/* ---- a clean-up that a cancellation skips ---- */

static ASYNC(skips, ARGS((void *, context)), LOCALS(thrum_stream *a; thrum_stream * b; char c;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1)));
    if (thrum_test_stream_pair(&self->a, &self->b, NULL))
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(thrum_stream_write(self->a, "x", 1));
    AWAIT(thrum_stream_read(self->b, &self->c, 1)); /* from here the streams are lost */
    thrum_stream_release(self->a);
    thrum_stream_release(self->b);
    ASYNC_END;
}

TEST(testing_explore, finds_a_clean_up_that_is_skipped)
{
    told text = {.used = 0};
    const thrum_test_options run = {.size = sizeof run, .put = told_put, .context = &text};
    thrum_test_explore_options options = {.size = sizeof options, .run = &run, .seeds = 2, .stop = true};
    thrum_test_explored explored;
    CHECK_EQ(thrum_test_explore(skips, NULL, &options, &explored), 1);
    CHECK_TOLD(text, "waiting=2: task skips waiting for stream read, in skips");
    CHECK_TOLD(text, " blocks of the pool"); /* what the two streams consist of */
    CHECK_TOLD(text, "THRUM_TEST_REPLAY=\"waiting=2\"");
}

/* What was never given back must not spoil the runs that follow. */
TEST(testing_explore, goes_on_after_a_failure)
{
    told text = {.used = 0};
    const thrum_test_options run = {.size = sizeof run, .put = told_put, .context = &text};
    thrum_test_explore_options options = {.size = sizeof options, .run = &run, .seeds = 2};
    thrum_test_explored explored;
    int failed = thrum_test_explore(skips, NULL, &options, &explored);
    CHECK_GE(failed, 2);
    CHECK_EQ(explored.failed, failed);
    CHECK_GE(explored.allocations, 4);
    memset(&text, 0, sizeof text);
    options.replay = "waiting=2";
    CHECK_EQ(thrum_test_explore(skips, NULL, &options, &explored), 1);
    CHECK_EQ(explored.runs, 1);
    options.replay = "waiting=1";
    CHECK_EQ(thrum_test_explore(skips, NULL, &options, &explored), 0);
    options.replay = "seed=2 woken=1";
    CHECK_EQ(thrum_test_explore(skips, NULL, &options, &explored), 0);
    options.replay = "sleeping=2";
    CHECK_EQ(thrum_test_explore(skips, NULL, &options, &explored), THRUM_EINVAL);
    options.replay = "waiting=";
    CHECK_EQ(thrum_test_explore(skips, NULL, &options, &explored), THRUM_EINVAL);
    options.replay = NULL;
    setenv("THRUM_TEST_REPLAY", "waiting=2", 1);
    CHECK_EQ(thrum_test_explore(skips, NULL, &options, &explored), 1);
    unsetenv("THRUM_TEST_REPLAY");
    CHECK_EQ(explored.runs, 1);
}

/* ---- a mistake that shows in other orders only ---- */

static ASYNC(add_one, ARGS((int *, order), (int, number)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    *self->order = *self->order * 10 + self->number;
    ASYNC_END;
}

static ASYNC(counts_on_order, ARGS((void *, context)), LOCALS(thrum_group group; int order;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, add_one(&self->order, 1));
        thrum_group_spawn(&self->group, add_one(&self->order, 2));
    }
    if (self->order != 12)
        ASYNC_RAISE(THRUM_EAPP(21));
    ASYNC_END;
}

TEST(testing_explore, finds_what_counts_on_an_order)
{
    told text = {.used = 0};
    const thrum_test_options run = {.size = sizeof run, .put = told_put, .context = &text};
    thrum_test_explore_options options = {
        .size = sizeof options, .run = &run, .no_cancels = true, .no_allocations = true};
    thrum_test_explored explored;
    int failed = thrum_test_explore(counts_on_order, NULL, &options, &explored);
    CHECK_GE(failed, 1);
    CHECK_LT(failed, 20);
    CHECK_TOLD(text, "gives EAPP and not THRUM_OK");
    const char *replay = strstr(text.text, "seed=");
    CHECK_NOT_NULL(replay);
    options.replay = replay;
    char name[16];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(replay, ":"), replay);
    options.replay = name;
    CHECK_EQ(thrum_test_explore(counts_on_order, NULL, &options, &explored), 1);
}

/* ---- a loss that shows when memory is short only ---- */

static ASYNC(child, ARGS((thrum_stream *, stream)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(0));
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static ASYNC(forgets_on_drop, ARGS((void *, context)), LOCALS(thrum_stream *a; thrum_stream * b; thrum_task * task;))
{
    ASYNC_BEGIN;
    if (thrum_test_stream_pair(&self->a, &self->b, NULL))
        ASYNC_RAISE(THRUM_ENOMEM);
    thrum_stream_release(self->b);
    self->task = thrum_spawn(child(self->a)); /* without ON_DROP: lost when this fails */
    if (!self->task)
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(self->task);
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

TEST(testing_explore, finds_what_is_lost_without_memory)
{
    told text = {.used = 0};
    const thrum_test_options run = {.size = sizeof run, .put = told_put, .context = &text};
    thrum_test_explore_options options = {
        .size = sizeof options, .run = &run, .no_seeds = true, .no_cancels = true, .stop = true};
    CHECK_EQ(thrum_test_explore(forgets_on_drop, NULL, &options, NULL), 1);
    CHECK_TOLD(text, "allocation=");
    CHECK_TOLD(text, " blocks of the pool"); /* what a stream consists of */
}

/* ---- the caller's own check ---- */

static int runs_checked;

static int refuse_cancellations(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    runs_checked++;
    CHECK_PTR(context, &runs_checked);
    return run->injection == THRUM_TEST_CANCEL_WAITING && result->error == THRUM_ECANCELED;
}

TEST(testing_explore, asks_the_caller)
{
    told text = {.used = 0};
    const thrum_test_options run = {.size = sizeof run, .put = told_put, .context = &text};
    thrum_test_explore_options options = {.size = sizeof options, .run = &run, .check = refuse_cancellations};
    thrum_test_explored explored;
    CHECK_GE(thrum_test_explore(sound, &runs_checked, &options, &explored), 3);
    CHECK_TOLD(text, "its check failed");
    CHECK_EQ(runs_checked, explored.runs);
}

/* ---- several threads ---- */

static void *explore_sound(void *failed)
{
    const thrum_test_explore_options options = {.size = sizeof options, .seeds = 3};
    *(int *)failed = thrum_test_explore(sound, NULL, &options, NULL);
    return NULL;
}

TEST(testing_explore, in_several_threads)
{
    pthread_t threads[3];
    int failed[3];
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, explore_sound, &failed[i]), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
        CHECK_EQ(failed[i], 0);
    }
}

/* ---- eager tasks, debug mode ---- */

TEST(testing_explore, with_eager_tasks_in_debug_mode)
{
    const thrum_test_options run = {.size = sizeof run, .eager = true, .debug = true};
    const thrum_test_explore_options options = {.size = sizeof options, .run = &run};
    CHECK_EQ(thrum_test_explore(sound, NULL, &options, NULL), 0);
}
