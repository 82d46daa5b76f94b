/* Futures and done callbacks, and the passes between a cause and the step that it wakes. The number in a comment is the
 * corner point of asyncio's behaviour; a name is the asyncio test that the test stands for. */
#include <stdlib.h>

#include <sim.h>

static char trace[128];

static void put(const char *text)
{
    CHECK_LT(strlen(trace) + strlen(text), sizeof trace);
    strcat(trace, text);
}

static ASYNC(waits_for, ARGS((thrum_future *, future), (const char *, name)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, self->future);
    put(self->name);
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static void end(thrum_task *task, int error, thrum_value value)
{
    thrum_value got = 0;
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, &got), error);
    CHECK_EQ(got, value);
    thrum_task_release(task);
}

static void called(thrum_handle *handle)
{
    put((const char *)handle->context);
}

TEST(futures, states)
{
    thrum_future future;
    thrum_value value = 3;
    sim_open();
    thrum_future_init(&future);
    CHECK(!thrum_future_done(&future));
    CHECK(!thrum_future_cancelled(&future));
    CHECK_EQ(thrum_future_result(&future, &value), THRUM_EPENDING);
    CHECK_EQ(value, 3);
    CHECK_EQ(thrum_future_set_error(&future, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_future_set_error(&future, 7), THRUM_EINVAL);
    CHECK_EQ(thrum_future_set_result(&future, 9), 0);
    CHECK_EQ(thrum_future_set_result(&future, 10), THRUM_EDONE);
    CHECK_EQ(thrum_future_set_error(&future, -5), THRUM_EDONE);
    CHECK(!thrum_future_cancel(&future));
    CHECK_EQ(thrum_future_result(&future, &value), 0);
    CHECK_EQ(value, 9);
    CHECK(thrum_future_done(&future));
    CHECK(!thrum_future_cancelled(&future));
    thrum_future_init(&future);
    CHECK_EQ(thrum_future_set_error(&future, -5), 0);
    CHECK_EQ(thrum_future_result(&future, NULL), -5);
    /* 31, cancel: a second one says no, and a result after it is refused */
    thrum_future_init(&future);
    CHECK(thrum_future_cancel(&future));
    CHECK(!thrum_future_cancel(&future));
    CHECK(thrum_future_cancelled(&future));
    CHECK_EQ(thrum_future_set_result(&future, 1), THRUM_EDONE);
    CHECK_EQ(thrum_future_result(&future, NULL), THRUM_ECANCELED);
    thrum_future_init(&future);
    CHECK_EQ(thrum_future_set_error(&future, THRUM_ECANCELED), 0);
    CHECK(thrum_future_cancelled(&future));
    sim_close();
}

/* 29: callbacks never run inside of what completes the future, nor when they are added to one that is done. */
TEST(futures, callbacks_run_through_the_loop)
{
    thrum_future future = THRUM_FUTURE_INIT;
    thrum_handle a = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "a"),
                 b = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "b"),
                 c = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "c");
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(thrum_future_add_done_callback(&future, &a), 0);
    CHECK_EQ(thrum_future_add_done_callback(&future, &a), THRUM_ESTATE);
    CHECK_EQ(thrum_future_add_done_callback(&future, &b), 0);
    CHECK(thrum_handle_pending(&a));
    CHECK_EQ(thrum_future_set_result(&future, 4), 0);
    CHECK_EQ(thrum_future_add_done_callback(&future, &c), 0);
    CHECK_STR(trace, "");
    sim_pass();
    CHECK_STR(trace, "abc");
    CHECK_EQ(thrum_handle_value(&a), 4);
    CHECK_EQ(thrum_handle_value(&c), 4);
    CHECK_EQ(thrum_handle_error(&c), 0);
    CHECK(!thrum_handle_pending(&a));
    sim_close();
}

/* callbacks_invoked_on_set_exception, and on cancellation */
TEST(futures, callbacks_are_told_the_error)
{
    thrum_future future = THRUM_FUTURE_INIT;
    thrum_handle a = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "a");
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(thrum_future_add_done_callback(&future, &a), 0);
    CHECK_EQ(thrum_future_set_error(&future, -5), 0);
    sim_settle();
    CHECK_EQ(thrum_handle_error(&a), -5);
    thrum_future_init(&future);
    CHECK_EQ(thrum_future_add_done_callback(&future, &a), 0);
    thrum_future_cancel(&future);
    sim_settle();
    CHECK_EQ(thrum_handle_error(&a), THRUM_ECANCELED);
    CHECK_STR(trace, "aa");
    sim_close();
}

/* callbacks_remove_first_callback; 30: one that is queued stays queued. */
TEST(futures, callbacks_removed)
{
    thrum_future future = THRUM_FUTURE_INIT, other = THRUM_FUTURE_INIT;
    thrum_handle a = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "a"),
                 b = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "b"),
                 c = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "c");
    trace[0] = '\0';
    sim_open();
    CHECK(!thrum_future_remove_done_callback(&future, &a));
    CHECK_EQ(thrum_future_add_done_callback(&future, &a), 0);
    CHECK_EQ(thrum_future_add_done_callback(&future, &b), 0);
    CHECK_EQ(thrum_future_add_done_callback(&future, &c), 0);
    CHECK(!thrum_future_remove_done_callback(&other, &a));
    CHECK(thrum_future_remove_done_callback(&future, &a));
    CHECK(!thrum_future_remove_done_callback(&future, &a));
    CHECK_EQ(thrum_future_set_result(&future, 0), 0);
    CHECK(!thrum_future_remove_done_callback(&future, &b)); /* queued */
    CHECK(thrum_handle_cancel(&c));                         /* which takes it back all the same */
    sim_settle();
    CHECK_STR(trace, "b");
    /* by cancelling the handle while it waits */
    thrum_future_init(&future);
    CHECK_EQ(thrum_future_add_done_callback(&future, &a), 0);
    CHECK(thrum_handle_cancel(&a));
    CHECK(!thrum_handle_cancel(&a));
    CHECK_EQ(thrum_future_set_result(&future, 0), 0);
    sim_settle();
    CHECK_STR(trace, "b");
    sim_close();
}

/* 51: a handle is added once; two that call the same are two, and each is removed by itself. */
TEST(futures, callbacks_added_twice)
{
    thrum_future future = THRUM_FUTURE_INIT, other = THRUM_FUTURE_INIT;
    thrum_handle a = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "a"),
                 b = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "a"),
                 c = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "a");
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(thrum_future_add_done_callback(&future, &a), 0);
    CHECK_EQ(thrum_future_add_done_callback(&future, &a), THRUM_ESTATE);
    CHECK_EQ(thrum_future_add_done_callback(&other, &a), THRUM_ESTATE);
    CHECK_EQ(thrum_future_add_done_callback(&future, &b), 0);
    CHECK_EQ(thrum_future_add_done_callback(&future, &c), 0);
    CHECK(thrum_future_remove_done_callback(&future, &b));
    CHECK_EQ(thrum_future_set_result(&future, 0), 0);
    sim_settle();
    CHECK_STR(trace, "aa");
    sim_close();
}

static thrum_future *shared;
static thrum_handle extra;

static void adds(thrum_handle *handle)
{
    (void)handle;
    put("+");
    thrum_handle_init(&extra, called, (void *)(uintptr_t) "x");
    CHECK_EQ(thrum_future_add_done_callback(shared, &extra), 0);
}

/* schedule_callbacks_list_mutation_1: added while they run, called in the next pass. */
TEST(futures, callbacks_added_by_a_callback)
{
    thrum_future future = THRUM_FUTURE_INIT;
    thrum_handle a = THRUM_HANDLE_INIT(adds, NULL), b = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "b");
    trace[0] = '\0';
    shared = &future;
    sim_open();
    thrum_future_add_done_callback(&future, &a);
    thrum_future_add_done_callback(&future, &b);
    thrum_future_set_result(&future, 0);
    sim_pass();
    CHECK_STR(trace, "+b");
    sim_pass();
    CHECK_STR(trace, "+bx");
    sim_close();
}

/* The same for tasks, also after the end. */
TEST(futures, callbacks_of_tasks)
{
    thrum_future future = THRUM_FUTURE_INIT;
    thrum_handle a = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "a"),
                 b = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "b");
    trace[0] = '\0';
    sim_open();
    thrum_task *task = thrum_spawn(waits_for(&future, "t"));
    CHECK_EQ(thrum_task_add_done_callback(task, &a), 0);
    CHECK_EQ(thrum_task_add_done_callback(task, &b), 0);
    CHECK(thrum_task_remove_done_callback(task, &b));
    CHECK(!thrum_task_remove_done_callback(task, &b));
    sim_settle();
    thrum_future_set_result(&future, 8);
    sim_pass();
    CHECK_STR(trace, "t");
    sim_pass();
    CHECK_STR(trace, "ta");
    CHECK_EQ(thrum_handle_value(&a), 8);
    CHECK_EQ(thrum_task_add_done_callback(task, &b), 0);
    CHECK_STR(trace, "ta");
    sim_pass();
    CHECK_STR(trace, "tab");
    CHECK_EQ(thrum_handle_value(&b), 8);
    end(task, 0, 8);
    sim_close();
}

/* 48 */
TEST(futures, waiters_wake_in_order)
{
    thrum_future future = THRUM_FUTURE_INIT;
    trace[0] = '\0';
    sim_open();
    thrum_task *a = thrum_spawn(waits_for(&future, "a")), *b = thrum_spawn(waits_for(&future, "b")),
               *c = thrum_spawn(waits_for(&future, "c"));
    sim_settle();
    thrum_future_set_result(&future, 2);
    CHECK_STR(trace, "");
    CHECK_EQ(sim_settle(), 1);
    CHECK_STR(trace, "abc");
    end(a, 0, 2);
    end(b, 0, 2);
    end(c, 0, 2);
    sim_close();
}

/* The struct may go as soon as the future is complete. */
TEST(futures, struct_goes_at_once)
{
    thrum_handle handle = THRUM_HANDLE_INIT(called, (void *)(uintptr_t) "h");
    for (int how = 0; how < 3; how++) {
        trace[0] = '\0';
        thrum_future *future = (thrum_future *)calloc(1, sizeof *future);
        sim_open();
        thrum_task *a = thrum_spawn(waits_for(future, "a")), *b = thrum_spawn(waits_for(future, "b"));
        sim_settle();
        thrum_future_add_done_callback(future, &handle);
        if (how == 0)
            thrum_future_set_result(future, 2);
        else if (how == 1)
            thrum_future_set_error(future, -5);
        else
            thrum_future_cancel(future);
        memset(future, 0xee, sizeof *future);
        free(future);
        thrum_task_cancel(b); /* looks at nothing of it either */
        end(b, THRUM_ECANCELED, 0);
        end(a, how == 0 ? 0 : how == 1 ? -5 : THRUM_ECANCELED, how == 0 ? 2 : 0);
        CHECK_EQ(thrum_handle_error(&handle), how == 0 ? 0 : how == 1 ? -5 : THRUM_ECANCELED);
        sim_close();
    }
}

/* ---- passes: 1 for a future, a task, a yield, an event, a lock; 2 for a sleep and the end of a group ---- */

static ASYNC(measured,
             ARGS((int, what), (thrum_future *, future), (thrum_event *, event), (thrum_lock *, lock),
                  (thrum_task *, task)),
             LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->what == 0)
        AWAIT(self->future);
    if (self->what == 1)
        AWAIT(self->event);
    if (self->what == 2)
        AWAIT(thrum_lock_acquire(self->lock));
    if (self->what == 3)
        AWAIT(self->task);
    if (self->what == 4)
        AWAIT(thrum_sleep(10));
    if (self->what == 5)
        AWAIT(thrum_timeout(20, thrum_future_wait(self->future)));
    if (self->what == 6)
        AWAIT(thrum_timeout(20, thrum_sleep(10)));
    if (self->what == 7)
        AWAIT(thrum_sleep_until(sim_at(10)));
    ASYNC_END;
}

static ASYNC(group_ends, ARGS((thrum_future *, future)), LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, thrum_future_wait(self->future));
    }
    ASYNC_END;
}

TEST(futures, passes)
{
    static const size_t passes[] = {1, 1, 1, 1, 2, 1, 2, 2};
    for (int what = 0; what < 9; what++) {
        thrum_future future = THRUM_FUTURE_INIT;
        thrum_event event = THRUM_EVENT_INIT;
        thrum_lock lock = THRUM_LOCK_INIT;
        sim_open();
        CHECK_EQ(sim_run(thrum_lock_acquire(&lock), NULL), 0);
        thrum_task *other = thrum_spawn(thrum_future_wait(&future));
        thrum_task *task = thrum_spawn(what < 8 ? measured(what, &future, &event, &lock, other) : group_ends(&future));
        sim_settle();
        CHECK(!thrum_task_done(task));
        size_t expected = what < 8 ? passes[what] : 0;
        if (what == 4 || what >= 6) {
            if (what < 8) {
                /* the pass that finds the timer due, and the next */
                size_t before = sim.passes;
                CHECK_EQ(sim_until(task), 0);
                CHECK_EQ(sim.passes - before, expected);
            } else {
                /* the child's step; telling the group; the parent's step: 2 after the child's end */
                thrum_future_set_result(&future, 0);
                size_t before = sim.passes;
                CHECK_EQ(sim_until(task), 0);
                CHECK_EQ(sim.passes - before, 3);
            }
        } else {
            if (what == 1)
                thrum_event_set(&event);
            else if (what == 2)
                CHECK_EQ(thrum_lock_release(&lock), 0);
            else
                thrum_future_set_result(&future, 0);
            size_t before = sim.passes;
            CHECK_EQ(sim_until(task), 0);
            /* A task that waits for a task: that task's own step comes first. */
            CHECK_EQ(sim.passes - before, what == 3 ? 2 : expected);
        }
        thrum_future_cancel(&future);
        sim_settle();
        thrum_task_release(other);
        thrum_task_release(task);
        sim_close();
    }
}

/* sleep_zero: one pass, no timer. */
TEST(futures, sleep_of_nothing)
{
    for (int delay = -5; delay <= 0; delay += 5) {
        sim_open();
        thrum_task *task = thrum_spawn(thrum_sleep(delay));
        sim_pass();
        CHECK(!thrum_task_done(task));
        CHECK(sim_ready());
        sim_pass();
        CHECK(thrum_task_done(task));
        thrum_task_release(task);
        sim_close();
    }
}
