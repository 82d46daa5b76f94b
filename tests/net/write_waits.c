/* Writers that wait for a slow peer: the marks, the queue, and what a cancelled one has done. */
#include "support.h"

/* Make the kernel take no more until the next readiness: the first send of this test says EAGAIN. */
static void stall(void)
{
    calls_send = (call_plan){.fail = EAGAIN, .failures = -1};
}

static void unstall(void)
{
    calls_clear();
}

NET_TEST(write_waits, between_the_marks,
         LOCALS(pair pair; char *bytes; outcome wrote; thrum_task * task; size_t at, high, low;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->bytes = counted(200000);
    thrum_stream_write_limits(self->pair.stream, &self->high, &self->low);
    CHECK_EQ(self->high, 65536);
    CHECK_EQ(self->low, 16384);
    CHECK_EQ(thrum_stream_set_write_limits(self->pair.stream, 10, 11), THRUM_EINVAL);
    stall();
    self->task = begin(thrum_stream_write(self->pair.stream, self->bytes, 65536), &self->wrote);
    CHECK(self->wrote.over); /* not above the high mark */
    CHECK_EQ(self->wrote.value, 65536);
    thrum_task_release(self->task);
    self->task = begin(thrum_stream_write(self->pair.stream, self->bytes + 65536, 1), &self->wrote);
    CHECK(!self->wrote.over);
    CHECK_EQ(thrum_stream_unsent(self->pair.stream), 65537);
    unstall();
    calls_send = (call_plan){.most = 65537 - 16385, .fail = EAGAIN, .failures = -1, .after = 1};
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_EQ(thrum_stream_unsent(self->pair.stream), 16385);
    CHECK(!self->wrote.over); /* still above the low one */
    unstall();
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->wrote.error, 0);
    AWAIT(thrum_stream_flush(self->pair.stream));
    CHECK_EQ(peer_count(&self->pair, 0), 65537);
    free(self->bytes);
    pair_close(&self->pair);
    ASYNC_END;
}

/* test_multiple_drain: ten wait, all go at once. */
NET_TEST(write_waits, ten_wait_to_flush, LOCALS(pair pair; outcome over[10]; thrum_task * tasks[10]; int i;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    stall();
    AWAIT(thrum_stream_write(self->pair.stream, "0123456789", 10));
    for (self->i = 0; self->i < 10; self->i++)
        self->tasks[self->i] = begin(thrum_stream_flush(self->pair.stream), &self->over[self->i]);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    for (self->i = 0; self->i < 10; self->i++)
        CHECK(!self->over[self->i].over);
    unstall();
    for (self->i = 0; self->i < 10; self->i++) {
        AWAIT(self->tasks[self->i]);
        thrum_task_release(self->tasks[self->i]);
        CHECK_EQ(self->over[self->i].error, 0);
    }
    CHECK_STR(peer_read(&self->pair), "0123456789");
    pair_close(&self->pair);
    ASYNC_END;
}

/* Many writers: the bytes of each stay together, first come, first served. */
NET_TEST(write_waits, first_come_first_served,
         LOCALS(pair pair; char *bytes; outcome over[5]; thrum_task * tasks[5]; int i; size_t at;))
{
    enum { EACH = 100400 }; /* 400 times 251 */
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->bytes = counted(EACH);
    calls_send = (call_plan){.most = 30000, .fail = EAGAIN, .failures = 1};
    for (self->i = 0; self->i < 5; self->i++)
        self->tasks[self->i] = begin(thrum_stream_write(self->pair.stream, self->bytes, EACH), &self->over[self->i]);
    while (self->at < 5 * EACH) {
        self->at += peer_count(&self->pair, self->at);
        AWAIT(thrum_sleep(MICROSECONDS(100)));
        for (self->i = 0; self->i < 4; self->i++)
            CHECK(self->over[self->i].over || !self->over[self->i + 1].over);
    }
    for (self->i = 0; self->i < 5; self->i++) {
        AWAIT(self->tasks[self->i]);
        thrum_task_release(self->tasks[self->i]);
        CHECK_EQ(self->over[self->i].value, EACH);
    }
    free(self->bytes);
    pair_close(&self->pair);
    ASYNC_END;
}

/* 125: on loss all who wait get the error, each with what was done of its own. */
NET_TEST(write_waits, loss_reaches_all, LOCALS(pair pair; char *bytes; outcome over[3]; thrum_task * tasks[3]; int i;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->bytes = counted(100000);
    calls_send = (call_plan){.most = 30000, .fail = EAGAIN, .failures = 1, .after = 1};
    for (self->i = 0; self->i < 3; self->i++)
        self->tasks[self->i] = begin(thrum_stream_write(self->pair.stream, self->bytes, 100000), &self->over[self->i]);
    calls_send = (call_plan){.fail = EPIPE, .failures = -1};
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT(self->tasks[self->i]);
        thrum_task_release(self->tasks[self->i]);
        CHECK_EQ(self->over[self->i].error, -EPIPE);
        CHECK_EQ(self->over[self->i].number, self->i ? 0 : 30000);
    }
    free(self->bytes);
    pair_close(&self->pair);
    ASYNC_END;
}

/* Law 2: a cancelled writer says how many bytes are done; exactly so many come, and then what the next one writes. It
 * is cancelled when it waits, and when it was woken. */
NET_TEST(write_waits, cancelled,
         LOCALS(pair pair; char *bytes; outcome wrote, next; thrum_task * task; int i; size_t at;))
{
    enum { SIZE = 502000 };
    ASYNC_BEGIN;
    self->bytes = counted(SIZE);
    for (self->i = 0; self->i < 40; self->i++) {
        self->pair = pair_open();
        calls_send = (call_plan){.most = 1000 * (size_t)(self->i + 1), .fail = EAGAIN, .failures = 1, .after = 1};
        self->task = begin(thrum_stream_write(self->pair.stream, self->bytes, SIZE), &self->wrote);
        self->at = 0;
        while (self->i % 4 && self->at < (size_t)self->i * 10000) {
            self->at += peer_count(&self->pair, self->at);
            AWAIT(thrum_yield());
        }
        thrum_task_cancel(self->task);
        AWAIT(self->task);
        thrum_task_release(self->task);
        CHECK_EQ(self->wrote.error, THRUM_ECANCELED);
        CHECK_GT(self->wrote.number, 0);
        CHECK_LT(self->wrote.number, SIZE);
        unstall();
        /* The rest, so that the counting goes on without a gap. */
        self->task = begin(
            thrum_stream_write(self->pair.stream, self->bytes + self->wrote.number, SIZE - (size_t)self->wrote.number),
            &self->next);
        while (self->at < SIZE) {
            self->at += peer_count(&self->pair, self->at);
            AWAIT(thrum_sleep(MICROSECONDS(100)));
        }
        AWAIT(self->task);
        thrum_task_release(self->task);
        CHECK_EQ(self->next.error, 0);
        pair_close(&self->pair);
    }
    free(self->bytes);
    ASYNC_END;
}

/* A writer in the middle of the queue goes; the others do not notice. */
NET_TEST(write_waits, cancelled_in_the_queue,
         LOCALS(pair pair; char *bytes; outcome over[3]; thrum_task * tasks[3]; size_t at;))
{
    enum { EACH = 100400 };
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->bytes = counted(EACH);
    stall();
    self->tasks[0] = begin(thrum_stream_write(self->pair.stream, self->bytes, EACH), &self->over[0]);
    self->tasks[1] = begin(thrum_stream_write(self->pair.stream, self->bytes, EACH), &self->over[1]);
    self->tasks[2] = begin(thrum_stream_flush(self->pair.stream), &self->over[2]);
    thrum_task_cancel(self->tasks[1]);
    AWAIT(self->tasks[1]);
    CHECK_EQ(self->over[1].error, THRUM_ECANCELED);
    CHECK_EQ(self->over[1].number, 0);
    unstall();
    while (self->at < EACH) {
        self->at += peer_count(&self->pair, self->at);
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    }
    AWAIT(self->tasks[0]);
    AWAIT(self->tasks[2]);
    CHECK_EQ(self->over[0].error, 0);
    CHECK_EQ(self->over[2].error, 0);
    thrum_task_release(self->tasks[0]);
    thrum_task_release(self->tasks[1]);
    thrum_task_release(self->tasks[2]);
    free(self->bytes);
    pair_close(&self->pair);
    ASYNC_END;
}

static ASYNC(count_turns, ARGS((long *, turns)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (;;) {
        ++*self->turns;
        AWAIT(thrum_yield());
    }
    ASYNC_END;
}

/* A connection that could always read and write on does not hold the loop: others have their turns. */
NET_TEST(write_waits, a_flood_lets_others_run,
         LOCALS(pair pair; thrum_task * task; long turns, seen; int i; size_t n; char buffer[4096];))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->task = thrum_spawn(count_turns(&self->turns));
    for (self->i = 0; self->i < 5000; self->i++) {
        ssize_t wrote = write(self->pair.peer, self->buffer, sizeof self->buffer);
        CHECK_EQ(wrote, (ssize_t)sizeof self->buffer);
        AWAIT_INTO(self->n, thrum_stream_read(self->pair.stream, self->buffer, 2048));
        CHECK_EQ(self->n, 2048);
        AWAIT_INTO(self->n, thrum_stream_read(self->pair.stream, self->buffer, 4096));
        AWAIT(thrum_stream_write(self->pair.stream, self->buffer, 4096));
        (void)peer_read(&self->pair);
        if (self->i % 250 == 249) {
            CHECK_GT(self->turns, self->seen);
            self->seen = self->turns;
        }
    }
    thrum_task_cancel(self->task);
    AWAIT_CATCH_ALL(self->i, self->task);
    thrum_task_release(self->task);
    pair_close(&self->pair);
    ASYNC_END;
}
