/* fill lends what came, unread takes back what is not wanted yet. */
#include "support.h"

static const thrum_stream_options small = {.size = sizeof small, .limit = 16};

NET_TEST(fill, lends, LOCALS(pair pair; const void *data; size_t n;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "hello");
    AWAIT_INTO(self->n, thrum_stream_fill(self->pair.stream, &self->data, 1));
    CHECK_EQ(self->n, 5);
    CHECK_MEM(self->data, "hello", 5);
    CHECK_EQ(thrum_stream_unread(self->pair.stream, (const char *)self->data + 2, 3), 0);
    CHECK_EQ(thrum_stream_buffered(self->pair.stream), 3);
    AWAIT_INTO(self->n, thrum_stream_fill(self->pair.stream, &self->data, 1));
    CHECK_EQ(self->n, 3);
    CHECK_MEM(self->data, "llo", 3);
    CHECK_EQ(thrum_stream_unread(self->pair.stream, self->data, 3), 0);
    CHECK_EQ(thrum_stream_unread(self->pair.stream, "he", 2), 0);
    peer_send(&self->pair, " world");
    AWAIT_INTO(self->n, thrum_stream_fill(self->pair.stream, &self->data, 11));
    CHECK_EQ(self->n, 11);
    CHECK_MEM(self->data, "hello world", 11);
    shutdown(self->pair.peer, SHUT_WR);
    AWAIT_INTO(self->n, thrum_stream_fill(self->pair.stream, &self->data, 1));
    CHECK_EQ(self->n, 0);
    pair_close(&self->pair);
    ASYNC_END;
}

/* An idle connection holds no buffer. */
NET_TEST(fill, waits_without_memory,
         LOCALS(pair pair; const void *data; outcome got; thrum_task * task; thrum_pool_stats before, during;
                size_t n;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "xyz");
    AWAIT_INTO(self->n, thrum_stream_fill(self->pair.stream, &self->data, 1));
    CHECK_EQ(thrum_stream_unread(self->pair.stream, self->data, self->n), 0);
    AWAIT_INTO(self->n, thrum_stream_fill(self->pair.stream, &self->data, 1));
    CHECK_EQ(self->n, 3);
    self->task = begin(thrum_yield(), &self->got);
    thrum_pool_stats_get(&self->before);
    AWAIT(self->task);
    thrum_task_release(self->task);
    self->task = begin(thrum_stream_fill(self->pair.stream, &self->data, 1), &self->got);
    thrum_pool_stats_get(&self->during);
    /* The same task and frame as the one before; and the buffer that was lent has gone. */
    CHECK_EQ(self->during.blocks, self->before.blocks - 1);
    peer_send(&self->pair, "!");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 1);
    pair_close(&self->pair);
    ASYNC_END;
}

NET_TEST(fill, at_least, LOCALS(pair pair; const void *data; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->pair = pair_with(&small);
    AWAIT(note_outcome(thrum_stream_fill(self->pair.stream, &self->data, 0), &self->got));
    CHECK_EQ(self->got.error, THRUM_EINVAL);
    AWAIT(note_outcome(thrum_stream_fill(self->pair.stream, &self->data, 17), &self->got));
    CHECK_EQ(self->got.error, THRUM_EINVAL);
    peer_send(&self->pair, "abc");
    self->task = begin(thrum_stream_fill(self->pair.stream, &self->data, 5), &self->got);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK(!self->got.over);
    peer_send(&self->pair, "defgh");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 8);
    CHECK_MEM(self->data, "abcdefgh", 8);
    peer_send(&self->pair, "end");
    shutdown(self->pair.peer, SHUT_WR);
    AWAIT(note_outcome(thrum_stream_fill(self->pair.stream, &self->data, 5), &self->got));
    CHECK_EQ(self->got.value, 3);
    CHECK_MEM(self->data, "end", 3);
    pair_close(&self->pair);
    ASYNC_END;
}

/* Law 2: nothing is lost when a fill is cancelled that had some of its bytes. */
NET_TEST(fill, cancelled_takes_nothing, LOCALS(pair pair; const void *data; outcome got; char text[8]; size_t n;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "abc");
    AWAIT(
        note_outcome(thrum_timeout(MILLISECONDS(2), thrum_stream_fill(self->pair.stream, &self->data, 5)), &self->got));
    CHECK_EQ(self->got.error, THRUM_ETIMEDOUT);
    CHECK_EQ(thrum_stream_buffered(self->pair.stream), 3);
    AWAIT_INTO(self->n, thrum_stream_read(self->pair.stream, self->text, 8));
    CHECK_EQ(self->n, 3);
    CHECK_MEM(self->text, "abc", 3);
    pair_close(&self->pair);
    ASYNC_END;
}

/* What was lent may be written, also when the write has to wait and others use the memory meanwhile. */
NET_TEST(fill, lent_bytes_can_be_written,
         LOCALS(pair pair; pair other; char *bytes; const void *data; size_t n, at; outcome wrote; thrum_task * task;))
{
    enum { SIZE = 60000 };
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->other = pair_open();
    CHECK_EQ(thrum_stream_set_write_limits(self->pair.stream, 1000, 100), 0);
    self->bytes = counted(SIZE);
    CHECK_EQ(write(self->pair.peer, self->bytes, SIZE), SIZE);
    peer_send(&self->other, "something else");
    AWAIT_INTO(self->n, thrum_stream_fill(self->pair.stream, &self->data, 1));
    CHECK_EQ(self->n, SIZE);
    calls_send = (call_plan){.most = 5000, .fail = EAGAIN, .failures = 2};
    self->task = begin(thrum_stream_write(self->pair.stream, self->data, SIZE), &self->wrote);
    CHECK(!self->wrote.over);
    AWAIT_INTO(self->n, thrum_stream_fill(self->other.stream, &self->data, 1));
    while (self->at < SIZE) {
        self->at += peer_count(&self->pair, self->at);
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    }
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->wrote.value, SIZE);
    free(self->bytes);
    pair_close(&self->pair);
    pair_close(&self->other);
    ASYNC_END;
}
