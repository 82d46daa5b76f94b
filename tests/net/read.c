/* Reading: what comes, how much of it, and what a reader that is cancelled leaves. Numbers are those of
 * tests/net/PORTED.md. */
#include "support.h"

NET_TEST(read, gives_what_is_there, LOCALS(pair pair; char text[16]; size_t n;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "hello");
    AWAIT_INTO(self->n, thrum_stream_read(self->pair.stream, self->text, sizeof self->text));
    CHECK_EQ(self->n, 5);
    CHECK_MEM(self->text, "hello", 5);
    AWAIT_INTO(self->n, thrum_stream_read(self->pair.stream, self->text, 0));
    CHECK_EQ(self->n, 0);
    pair_close(&self->pair);
    ASYNC_END;
}

NET_TEST(read, waits_and_ends, LOCALS(pair pair; char text[2048]; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->task = begin(thrum_stream_read(self->pair.stream, self->text, sizeof self->text), &self->got);
    AWAIT(thrum_yield());
    CHECK(!self->got.over);
    peer_send(&self->pair, "later");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 5);
    shutdown(self->pair.peer, SHUT_WR);
    CHECK(!thrum_stream_at_eof(self->pair.stream));
    AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 10), &self->got));
    CHECK_EQ(self->got.error, 0);
    CHECK_EQ(self->got.value, 0);
    CHECK(thrum_stream_at_eof(self->pair.stream));
    AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, sizeof self->text), &self->got));
    CHECK_EQ(self->got.value, 0);
    pair_close(&self->pair);
    ASYNC_END;
}

/* Many small reads cost one system call, large ones go straight into the caller's memory. */
NET_TEST(read, small_ones_share_a_call,
         LOCALS(pair pair; char text[2048]; int i; size_t n; thrum_pool_stats stats; size_t blocks;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "0123456789");
    calls_clear();
    for (self->i = 0; self->i < 5; self->i++) {
        AWAIT_INTO(self->n, thrum_stream_read(self->pair.stream, self->text, 2));
        CHECK_EQ(self->n, 2);
        CHECK_EQ(self->text[0], '0' + 2 * self->i);
    }
    CHECK_EQ(calls_recv.count, 1);
    CHECK_EQ(thrum_stream_buffered(self->pair.stream), 0);
    thrum_pool_stats_get(&self->stats);
    self->blocks = self->stats.blocks;
    peer_send(&self->pair, "0123456789");
    AWAIT_INTO(self->n, thrum_stream_read(self->pair.stream, self->text, sizeof self->text));
    CHECK_EQ(self->n, 10);
    thrum_pool_stats_get(&self->stats);
    CHECK_EQ(self->stats.blocks, self->blocks);
    pair_close(&self->pair);
    ASYNC_END;
}

/* A read that filled its buffer tries again before it waits; one that came short does not. */
NET_TEST(read, tries_first_only_after_a_full_buffer,
         LOCALS(pair pair; char text[2048]; char *bytes; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->bytes = counted(5000);
    CHECK_EQ(write(self->pair.peer, self->bytes, 5000), 5000);
    AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 2048), &self->got));
    calls_clear();
    self->task = begin(thrum_stream_read(self->pair.stream, self->text, 2048), &self->got);
    CHECK(self->got.over);
    CHECK_EQ(self->got.value, 2048);
    thrum_task_release(self->task);
    self->task = begin(thrum_stream_read(self->pair.stream, self->text, 2048), &self->got);
    CHECK(self->got.over);
    CHECK_EQ(self->got.value, 5000 - 2 * 2048);
    thrum_task_release(self->task);
    CHECK_EQ(calls_recv.count, 2);
    self->task = begin(thrum_stream_read(self->pair.stream, self->text, 2048), &self->got);
    CHECK_EQ(calls_recv.count, 2);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    free(self->bytes);
    pair_close(&self->pair);
    ASYNC_END;
}

/* 123: a second reader is told so at once, and the first one does not notice; a cancelled one loses nothing. */
NET_TEST(read, one_reader_at_a_time,
         LOCALS(pair pair; char text[16], other[16]; outcome got, second; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->task = begin(thrum_stream_read(self->pair.stream, self->text, 16), &self->got);
    AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->other, 16), &self->second));
    CHECK_EQ(self->second.error, THRUM_EBUSY);
    AWAIT(note_outcome(thrum_stream_read_exactly(self->pair.stream, self->other, 16), &self->second));
    CHECK_EQ(self->second.error, THRUM_EBUSY);
    AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->other, 16), &self->second));
    CHECK_EQ(self->second.error, THRUM_EBUSY);
    CHECK_EQ(thrum_stream_unread(self->pair.stream, "x", 1), THRUM_EBUSY);
    peer_send(&self->pair, "first");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.error, 0);
    CHECK_EQ(self->got.value, 5);
    pair_close(&self->pair);
    ASYNC_END;
}

/* Law 2: a read that was cancelled has taken nothing, also when it was woken already. */
NET_TEST(read, cancelled_takes_nothing, LOCALS(pair pair; char text[2048]; outcome got; thrum_task * task; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        self->pair = pair_open();
        self->task = begin(thrum_stream_read(self->pair.stream, self->text, self->i ? 2048 : 10), &self->got);
        AWAIT(thrum_yield());
        peer_send(&self->pair, "kept");
        thrum_task_cancel(self->task);
        AWAIT(self->task);
        thrum_task_release(self->task);
        CHECK_EQ(self->got.error, THRUM_ECANCELED);
        AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 2048), &self->got));
        CHECK_EQ(self->got.value, 4);
        CHECK_MEM(self->text, "kept", 4);
        pair_close(&self->pair);
    }
    ASYNC_END;
}

static void cancel_it(thrum_handle *handle)
{
    thrum_task_cancel((thrum_task *)handle->context);
}

/* The same when readiness and cancellation come in one pass: the handle runs between the poll and the reader. */
NET_TEST(read, cancelled_after_it_was_woken,
         LOCALS(pair pair; char text[64]; outcome got; thrum_task * task; thrum_handle handle; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        self->pair = pair_open();
        self->task = begin(self->i ? thrum_stream_read_exactly(self->pair.stream, self->text, 8)
                                   : thrum_stream_read(self->pair.stream, self->text, 64),
                           &self->got);
        AWAIT(thrum_sleep(MILLISECONDS(1)));
        peer_send(&self->pair, "kept");
        thrum_handle_init(&self->handle, cancel_it, self->task);
        CHECK_EQ(thrum_call_soon(&self->handle), 0);
        AWAIT(self->task);
        thrum_task_release(self->task);
        CHECK_EQ(self->got.error, THRUM_ECANCELED);
        AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 64), &self->got));
        CHECK_EQ(self->got.value, 4);
        pair_close(&self->pair);
    }
    ASYNC_END;
}

/* test_exception_cancel: a reader is cancelled, then the connection breaks; the next reader hears of it. */
NET_TEST(read, error_after_a_cancelled_reader, LOCALS(pair pair; char text[64]; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->task = begin(thrum_stream_read(self->pair.stream, self->text, 64), &self->got);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    peer_send(&self->pair, "x");
    calls_recv = (call_plan){.fail = ECONNRESET, .failures = 1};
    AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.error, -ECONNRESET);
    CHECK_STR(thrum_error_last()->operation, "read");
    pair_close(&self->pair);
    ASYNC_END;
}

/* 122, but better: what was received comes before the error, and then the error as often as one reads. */
NET_TEST(read, data_before_the_error, LOCALS(pair pair; char text[64]; outcome got; int i;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "partial");
    calls_recv = (call_plan){.fail = ECONNRESET, .failures = -1, .after = 1};
    shutdown(self->pair.peer, SHUT_WR);
    AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.error, -ECONNRESET);
    CHECK(!thrum_stream_at_eof(self->pair.stream));
    AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.value, 7);
    for (self->i = 0; self->i < 2; self->i++) {
        AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 64), &self->got));
        CHECK_EQ(self->got.error, -ECONNRESET);
        CHECK(!thrum_stream_at_eof(self->pair.stream)); /* as in asyncio */
    }
    CHECK_EQ(thrum_stream_error(self->pair.stream), -ECONNRESET);
    pair_close(&self->pair);
    ASYNC_END;
}

NET_TEST(read, survives_a_signal, LOCALS(pair pair; char text[64]; outcome got;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "x");
    calls_recv = (call_plan){.fail = EINTR, .failures = 3};
    AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.value, 1);
    pair_close(&self->pair);
    ASYNC_END;
}

/* 134: end of file does not keep the loop busy, and writing goes on. */
NET_TEST(read, end_of_file_is_quiet, LOCALS(pair pair; char text[64]; outcome got;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    shutdown(self->pair.peer, SHUT_WR);
    AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.value, 0);
    calls_clear();
    AWAIT(thrum_sleep(MILLISECONDS(20)));
    CHECK_LE(calls_epoll_wait.count, 4);
    AWAIT(thrum_stream_write(self->pair.stream, "still", 5));
    AWAIT(thrum_stream_flush(self->pair.stream));
    CHECK_STR(peer_read(&self->pair), "still");
    pair_close(&self->pair);
    ASYNC_END;
}
