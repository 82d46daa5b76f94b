/* Objects that are used as they must not be: an error or no effect, never the loss of somebody else's wake-up. */
#include "support.h"

static thrum_lock lock;
static thrum_future future;

static ASYNC(locks, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_lock_acquire(&lock));
    ASYNC_END;
}

static ASYNC(waits, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(&future);
    ASYNC_END;
}

TEST(misuse, completed_twice)
{
    thrum_value value;
    sim_open();
    thrum_future_init(&future);
    CHECK_EQ(thrum_future_set_result(&future, 1), 0);
    CHECK_EQ(thrum_future_set_result(&future, 2), THRUM_EDONE);
    CHECK_EQ(thrum_future_set_error(&future, THRUM_EINVAL), THRUM_EDONE);
    CHECK(!thrum_future_cancel(&future));
    CHECK_EQ(thrum_future_result(&future, &value), 0);
    CHECK_EQ(value, 1);
    sim_close();
}

TEST(misuse, released_without_being_held)
{
    sim_open();
    thrum_lock_init(&lock);
    CHECK_EQ(thrum_lock_release(&lock), THRUM_ESTATE);
    sim_close();
}

/* Who waited for the object of before can still be cancelled, and takes nobody with it who waits for the new one. */
TEST(misuse, lock_made_anew_with_waiters)
{
    sim_open();
    thrum_lock_init(&lock);
    thrum_task *holds = thrum_spawn(locks()), *before = thrum_spawn(locks());
    sim_settle();
    thrum_lock_init(&lock);
    thrum_task *again = thrum_spawn(locks()), *after = thrum_spawn(locks());
    sim_settle();
    thrum_task_cancel(before);
    sim_settle();
    CHECK(thrum_task_cancelled(before));
    CHECK(thrum_task_done(again));
    CHECK_EQ(thrum_lock_release(&lock), 0);
    sim_settle();
    CHECK(thrum_task_done(after));
    thrum_task_release(holds);
    thrum_task_release(before);
    thrum_task_release(again);
    thrum_task_release(after);
    sim_close();
}

TEST(misuse, future_made_anew_with_waiters)
{
    sim_open();
    thrum_future_init(&future);
    thrum_task *before = thrum_spawn(waits());
    sim_settle();
    thrum_future_init(&future);
    thrum_task *after = thrum_spawn(waits());
    sim_settle();
    CHECK_EQ(thrum_future_set_result(&future, 0), 0);
    sim_settle();
    CHECK(thrum_task_done(after));
    CHECK(!thrum_task_done(before));
    thrum_task_release(before);
    thrum_task_release(after);
    sim_abandon(); /* `before` is destroyed with the loop */
    CHECK_EQ(sim_blocks(), 0);
}

/* ---- released twice ---- */

static lines logged;

static void note(void *context, const char *line)
{
    (void)context;
    put_line(&logged, line);
}

static ASYNC(nothing, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_END;
}

static ASYNC(releases_twice, ARGS_NONE, LOCALS(thrum_task *task; thrum_task * next[2];))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(nothing());
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_STR(logged.text, "");
    thrum_task_release(self->task);
    CHECK(strstr(logged.text, "a task was released twice\n"));
    CHECK(strstr(logged.text, "  in releases_twice, "));
    /* Its memory is not given out twice. */
    self->next[0] = thrum_spawn(nothing());
    self->next[1] = thrum_spawn(nothing());
    CHECK(self->next[0] != self->next[1]);
    thrum_task_release(self->next[0]);
    thrum_task_release(self->next[1]);
    ASYNC_END;
}

TEST(misuse, released_twice)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM, .debug = true};
    thrum_loop *loop = NULL;
    thrum_log_set(note, NULL);
    logged.text[0] = '\0';
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    eager_prepare(loop);
    CHECK_EQ(thrum_loop_run_until_complete(loop, releases_twice(), NULL), 0);
    CHECK_EQ(thrum_loop_close(loop), 0);
}
