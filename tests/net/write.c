/* Writing: what leaves when, in how many system calls. Numbers are those of tests/net/PORTED.md. */
#include "support.h"

/* Small writes of one step leave in one system call. */
NET_TEST(write, small_ones_leave_together, LOCALS(pair pair; int i; char text[8]; outcome got; thrum_task * task;))
{
    static const char piece[900];
    ASYNC_BEGIN;
    self->pair = pair_open();
    calls_clear();
    for (self->i = 0; self->i < 100; self->i++)
        AWAIT(thrum_stream_write(self->pair.stream, "0123456789", 10));
    CHECK_EQ(calls_send.count, 0);
    CHECK_EQ(thrum_stream_unsent(self->pair.stream), 1000);
    /* At the latest at the end of the pass. */
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_EQ(calls_send.count, 1);
    CHECK_EQ(calls_send.moved, 1000);
    CHECK_EQ(thrum_stream_unsent(self->pair.stream), 0);
    /* When the task waits for input. */
    AWAIT(thrum_stream_write(self->pair.stream, "a", 1));
    AWAIT(thrum_stream_write(self->pair.stream, "b", 1));
    self->task = begin(thrum_stream_read(self->pair.stream, self->text, 8), &self->got);
    CHECK_EQ(calls_send.count, 2);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    /* At flush. */
    AWAIT(thrum_stream_write(self->pair.stream, "c", 1));
    AWAIT(thrum_stream_flush(self->pair.stream));
    CHECK_EQ(calls_send.count, 3);
    AWAIT(thrum_stream_flush(self->pair.stream));
    CHECK_EQ(calls_send.count, 3);
    /* When 4 KiB have come together. */
    for (self->i = 0; self->i < 5; self->i++)
        AWAIT(thrum_stream_write(self->pair.stream, piece, sizeof piece));
    CHECK_EQ(calls_send.count, 4);
    pair_close(&self->pair);
    ASYNC_END;
}

/* Two connections that are written to in turn in one step: one call each, in the right order. */
NET_TEST(write, in_turn, LOCALS(pair a, b, c; int i;))
{
    ASYNC_BEGIN;
    self->a = pair_open();
    self->b = pair_open();
    self->c = pair_open();
    calls_clear();
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT(thrum_stream_write(self->a.stream, "a1", 2));
        AWAIT(thrum_stream_write(self->b.stream, "b1", 2));
        AWAIT(thrum_stream_write(self->a.stream, "a2", 2));
        AWAIT(thrum_stream_write(self->c.stream, "c1", 2));
    }
    CHECK_EQ(calls_send.count, 0);
    CHECK_EQ(thrum_stream_unsent(self->a.stream), 12);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_EQ(calls_send.count, 3);
    CHECK_STR(peer_read(&self->a), "a1a2a1a2a1a2");
    CHECK_STR(peer_read(&self->b), "b1b1b1");
    CHECK_STR(peer_read(&self->c), "c1c1c1");
    pair_close(&self->a);
    pair_close(&self->b);
    pair_close(&self->c);
    ASYNC_END;
}

/* A head and a large body: one call, the body from the caller's memory. */
NET_TEST(write, large_ones_leave_at_once, LOCALS(pair pair; char *bytes; thrum_slice slices[3];))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->bytes = counted(20000);
    calls_clear();
    AWAIT(thrum_stream_write(self->pair.stream, self->bytes, 100));
    AWAIT(thrum_stream_write(self->pair.stream, self->bytes + 100, 9900));
    CHECK_EQ(calls_send.count, 1);
    self->slices[0] = (thrum_slice){self->bytes + 10000, 3};
    self->slices[1] = (thrum_slice){NULL, 0};
    self->slices[2] = (thrum_slice){self->bytes + 10003, 9997};
    AWAIT(thrum_stream_write_vectors(self->pair.stream, self->slices, 3));
    CHECK_EQ(calls_send.count, 2);
    CHECK_EQ(peer_count(&self->pair, 0), 20000);
    /* Small pieces are collected like small writes. */
    self->slices[2].size = 248;
    AWAIT(thrum_stream_write_vectors(self->pair.stream, self->slices, 3));
    CHECK_EQ(calls_send.count, 2);
    AWAIT(thrum_stream_flush(self->pair.stream));
    CHECK_EQ(calls_send.count, 3);
    CHECK_EQ(peer_count(&self->pair, 10000), 251);
    AWAIT(thrum_stream_write_vectors(self->pair.stream, self->slices, 0));
    AWAIT(thrum_stream_write(self->pair.stream, NULL, 0));
    AWAIT(thrum_stream_flush(self->pair.stream));
    CHECK_EQ(calls_send.count, 3);
    free(self->bytes);
    pair_close(&self->pair);
    ASYNC_END;
}

/* test_write_partial, test_write_sendmsg_partial: the kernel takes k bytes a call, and says EAGAIN now and then;
 * exactly what was written arrives. */
NET_TEST(write, partial,
         LOCALS(pair pair; char *bytes; thrum_slice slices[100]; size_t at, i, most; outcome over; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->bytes = counted(12550);
    for (self->most = 1; self->most < 14000; self->most = self->most * 3 + 1) {
        self->pair = pair_open();
        calls_send = (call_plan){.most = self->most, .fail = EAGAIN, .failures = 1, .after = 1};
        for (self->i = 0, self->at = 0; self->i < 100; self->i++) {
            self->slices[self->i] = (thrum_slice){self->bytes + self->at, self->i * 2};
            self->at += self->i * 2;
        }
        AWAIT(thrum_stream_write_vectors(self->pair.stream, self->slices, 100));
        AWAIT(thrum_stream_write(self->pair.stream, self->bytes + self->at, 1000));
        self->at += 1000;
        AWAIT(thrum_stream_write(self->pair.stream, self->bytes + self->at, 12550 - self->at));
        self->task = begin(thrum_stream_flush(self->pair.stream), &self->over);
        for (self->at = 0; self->at < 12550;) {
            self->at += peer_count(&self->pair, self->at);
            AWAIT(thrum_yield());
        }
        AWAIT(self->task);
        thrum_task_release(self->task);
        CHECK_EQ(self->over.error, 0);
        pair_close(&self->pair);
    }
    free(self->bytes);
    ASYNC_END;
}

/* In the steady state an echo is one recv and one send, and the poller is told nothing new. */
NET_TEST(write, steady_echo, LOCALS(pair pair; char text[4096]; int i; size_t n;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    for (self->i = 0; self->i < 110; self->i++) {
        if (self->i == 10)
            calls_clear();
        peer_send(&self->pair, "ping");
        AWAIT_INTO(self->n, thrum_stream_read(self->pair.stream, self->text, sizeof self->text));
        AWAIT(thrum_stream_write(self->pair.stream, self->text, self->n));
        AWAIT(thrum_stream_flush(self->pair.stream));
        CHECK_STR(peer_read(&self->pair), "ping");
    }
    CHECK_EQ(calls_recv.count, 100);
    CHECK_EQ(calls_send.count, 100);
    CHECK_EQ(calls_epoll_ctl.count, 0);
    pair_close(&self->pair);
    ASYNC_END;
}

/* test_write_exception: the first writer hears of it, with how much was done; the next ones too. No signal. */
NET_TEST(write, error, LOCALS(pair pair; char *bytes; outcome wrote;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->bytes = counted(10000);
    calls_send = (call_plan){.most = 6000, .fail = ECONNRESET, .failures = -1, .after = 1};
    CHECK_EQ(thrum_stream_set_write_limits(self->pair.stream, 0, 0), 0);
    AWAIT(note_outcome(thrum_stream_write(self->pair.stream, self->bytes, 10000), &self->wrote));
    CHECK_EQ(self->wrote.error, -ECONNRESET);
    CHECK_EQ(self->wrote.number, 6000);
    AWAIT(note_outcome(thrum_stream_write(self->pair.stream, self->bytes, 1), &self->wrote));
    CHECK_EQ(self->wrote.error, -ECONNRESET);
    CHECK_EQ(self->wrote.number, 0);
    AWAIT(note_outcome(thrum_stream_flush(self->pair.stream), &self->wrote));
    CHECK_EQ(self->wrote.error, -ECONNRESET);
    CHECK_EQ(thrum_stream_write_eof(self->pair.stream), -ECONNRESET);
    /* 126: each time. */
    AWAIT(note_outcome(thrum_stream_close(self->pair.stream), &self->wrote));
    CHECK_EQ(self->wrote.error, 0);
    AWAIT(note_outcome(thrum_stream_wait_closed(self->pair.stream), &self->wrote));
    CHECK_EQ(self->wrote.error, -ECONNRESET);
    AWAIT(note_outcome(thrum_stream_wait_closed(self->pair.stream), &self->wrote));
    CHECK_EQ(self->wrote.error, -ECONNRESET);
    pair_close(&self->pair);
    calls_clear();
    /* A peer that is gone, for real. */
    self->pair = pair_open();
    close(self->pair.peer);
    self->pair.peer = -1;
    AWAIT(note_outcome(thrum_stream_write(self->pair.stream, self->bytes, 10000), &self->wrote));
    CHECK_EQ(self->wrote.error, -EPIPE);
    pair_close(&self->pair);
    free(self->bytes);
    ASYNC_END;
}

/* test_drain_raises, 124: small writes in a tight loop, without another await: loss is noticed. */
NET_TEST(write, loss_is_noticed_in_a_tight_loop, LOCALS(pair pair; int error; int i;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    close(self->pair.peer);
    self->pair.peer = -1;
    for (self->i = 0; self->i < 10000 && !self->error; self->i++)
        AWAIT_CATCH(self->error, thrum_stream_write(self->pair.stream, "0123456789", 10));
    CHECK_EQ(self->error, -EPIPE);
    CHECK_LT(self->i, 1000);
    pair_close(&self->pair);
    ASYNC_END;
}

/* 135, test_write_eof_buffer: the end comes after what was written; then writing is refused and reading goes on. */
NET_TEST(write, write_eof, LOCALS(pair pair; outcome got; char text[8]; char *bytes; size_t at;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->bytes = counted(50000);
    calls_send = (call_plan){.most = 7000, .fail = EAGAIN, .failures = 1, .after = 1};
    AWAIT(thrum_stream_write(self->pair.stream, self->bytes, 50000));
    CHECK_GT(thrum_stream_unsent(self->pair.stream), 0);
    CHECK_EQ(thrum_stream_write_eof(self->pair.stream), 0);
    CHECK_EQ(thrum_stream_write_eof(self->pair.stream), 0);
    AWAIT(note_outcome(thrum_stream_write(self->pair.stream, "x", 1), &self->got));
    CHECK_EQ(self->got.error, THRUM_ESTATE);
    while ((self->at += peer_count(&self->pair, self->at)) < 50000)
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    AWAIT(thrum_stream_flush(self->pair.stream));
    CHECK_STR(peer_read(&self->pair), "(end)");
    peer_send(&self->pair, "answer");
    AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 8), &self->got));
    CHECK_EQ(self->got.value, 6);
    free(self->bytes);
    pair_close(&self->pair);
    ASYNC_END;
}
