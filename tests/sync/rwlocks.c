/* Reader-writer lock. */
#include "lines.h"

static thrum_rwlock lock = THRUM_RWLOCK_INIT;

static ASYNC(reader, ARGS((char, name), (thrum_time, delay)), LOCALS(thrum_rwlock_read_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_rwlock_read_hold(&self->hold, &lock)) {
        CHECK(!thrum_rwlock_writing(&lock));
        put(self->name);
        AWAIT(thrum_sleep(self->delay));
    }
    ASYNC_END;
}

static ASYNC(writer, ARGS((char, name), (thrum_time, delay)), LOCALS(thrum_rwlock_write_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_rwlock_write_hold(&self->hold, &lock)) {
        CHECK_EQ(thrum_rwlock_readers(&lock), 0);
        CHECK(thrum_rwlock_writing(&lock));
        put(self->name);
        AWAIT(thrum_sleep(self->delay));
    }
    ASYNC_END;
}

static void check_free(void)
{
    CHECK_EQ(thrum_rwlock_readers(&lock), 0);
    CHECK(!thrum_rwlock_writing(&lock));
    CHECK_NULL(lock.waiters.first);
}

TEST(rwlocks, many_read_one_writes)
{
    begin();
    go(reader('a', SECONDS(1)));
    go(reader('b', SECONDS(2)));
    sim_pass();
    CHECK_STR(trace, "ab");
    CHECK_EQ(thrum_rwlock_readers(&lock), 2);
    go(writer('W', SECONDS(1)));
    go(reader('c', SECONDS(1))); /* behind the writer, though others read */
    go(reader('d', SECONDS(1)));
    go(writer('X', SECONDS(1)));
    go(reader('e', SECONDS(1)));
    sim_pass();
    CHECK_STR(trace, "ab");
    CHECK_EQ(sim_until(started[1]), 0);
    CHECK_EQ(thrum_rwlock_readers(&lock), 0);
    CHECK(thrum_rwlock_writing(&lock)); /* it is the writer's already */
    sim_pass();
    CHECK_STR(trace, "abW");
    CHECK_EQ(sim_until(started[2]), 0);
    CHECK_EQ(thrum_rwlock_readers(&lock), 2);
    sim_pass();
    CHECK_STR(trace, "abWcd");
    over();
    CHECK_STR(trace, "abWcdXe");
    check_free();
}

TEST(rwlocks, at_once)
{
    begin();
    thrum_rwlock_init(&lock);
    CHECK_EQ(thrum_rwlock_release_read(&lock), THRUM_ESTATE);
    CHECK_EQ(thrum_rwlock_release_write(&lock), THRUM_ESTATE);
    CHECK_EQ(thrum_rwlock_downgrade(&lock), THRUM_ESTATE);
    CHECK(thrum_rwlock_try_read(&lock));
    CHECK(thrum_rwlock_try_read(&lock));
    CHECK(!thrum_rwlock_try_write(&lock));
    CHECK_EQ(thrum_rwlock_release_write(&lock), THRUM_ESTATE);
    thrum_task *task = go(writer('W', 0));
    sim_pass();
    CHECK(!thrum_rwlock_try_read(&lock)); /* somebody waits */
    CHECK_EQ(thrum_rwlock_release_read(&lock), 0);
    CHECK_EQ(thrum_rwlock_release_read(&lock), 0);
    CHECK(!thrum_rwlock_try_read(&lock));
    CHECK(!thrum_rwlock_try_write(&lock));
    sim_settle();
    CHECK_EQ(ended(task), 0);
    CHECK(thrum_rwlock_try_write(&lock));
    CHECK(!thrum_rwlock_try_write(&lock));
    CHECK_EQ(thrum_rwlock_release_read(&lock), THRUM_ESTATE);
    CHECK_EQ(thrum_rwlock_release_write(&lock), 0);
    check_free();
    over();
}

static ASYNC(downgrader, ARGS_NONE, LOCALS(thrum_rwlock_write_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_rwlock_write_hold(&self->hold, &lock)) {
        put('W');
        AWAIT(thrum_sleep(SECONDS(1)));
        CHECK_EQ(thrum_rwlock_downgrade(&lock), 0);
        put('r');
        CHECK_EQ(thrum_rwlock_readers(&lock), 2); /* the reader behind came in, too */
        AWAIT(thrum_sleep(SECONDS(1)));
        put('.');
    }
    ASYNC_END;
}

TEST(rwlocks, downgrade)
{
    begin();
    go(downgrader());
    go(reader('a', SECONDS(3)));
    go(writer('X', 0));
    go(reader('b', 0));
    over();
    CHECK_STR(trace, "Wra.Xb");
    check_free();
}

/* A writer in line is cancelled: the readers behind it come in with those who read. */
TEST(rwlocks, cancelled_writer_lets_readers_in)
{
    begin();
    CHECK(thrum_rwlock_try_read(&lock));
    thrum_task *task = go(writer('W', 0));
    go(reader('a', 0));
    go(reader('b', 0));
    sim_pass();
    thrum_task_cancel(task);
    sim_pass();
    CHECK_EQ(ended(task), THRUM_ECANCELED);
    CHECK_EQ(thrum_rwlock_readers(&lock), 3);
    sim_pass();
    CHECK_STR(trace, "ab");
    CHECK_EQ(thrum_rwlock_release_read(&lock), 0);
    over();
    check_free();
}

/* It was given the lock and is cancelled before it runs. */
TEST(rwlocks, woken_then_cancelled)
{
    begin();
    CHECK(thrum_rwlock_try_write(&lock));
    thrum_task *first = go(writer('W', 0));
    go(reader('a', SECONDS(1)));
    thrum_task *second = go(reader('b', 0));
    thrum_task *last = go(writer('X', 0));
    sim_pass();
    CHECK_EQ(thrum_rwlock_release_write(&lock), 0);
    thrum_task_cancel(first);
    sim_pass();
    CHECK_EQ(ended(first), THRUM_ECANCELED);
    CHECK_EQ(thrum_rwlock_readers(&lock), 2);
    thrum_task_cancel(second);
    sim_pass();
    CHECK_EQ(ended(second), THRUM_ECANCELED);
    CHECK_EQ(thrum_rwlock_readers(&lock), 1);
    CHECK_STR(trace, "a");
    over();
    CHECK_STR(trace, "aX");
    (void)last;
    check_free();
}
