/* The end of a stream: graceful, at the deadline, by force. Numbers are those of tests/net/PORTED.md. */
#include "support.h"

/* 127: everything that was written arrives, megabytes of it, then the end; also when the peer had sent what nobody
 * read. */
NET_TEST(close, sends_everything_first, LOCALS(pair pair; char *bytes; outcome over; thrum_task * task; size_t at;))
{
    enum { SIZE = 3000000 };
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->bytes = counted(SIZE);
    peer_send(&self->pair, "nobody reads this");
    CHECK_EQ(thrum_stream_set_write_limits(self->pair.stream, 2 * SIZE, SIZE), 0);
    AWAIT(thrum_stream_write(self->pair.stream, self->bytes, SIZE));
    self->task = begin(thrum_stream_close(self->pair.stream), &self->over);
    CHECK(!self->over.over);
    CHECK(thrum_stream_is_closing(self->pair.stream));
    while (self->at < SIZE) {
        self->at += peer_count(&self->pair, self->at);
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    }
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    CHECK_STR(peer_read(&self->pair), "(end)");
    free(self->bytes);
    pair_close(&self->pair);
    ASYNC_END;
}

/* With nothing to send it does not suspend; closing again, closing NULL and aborting what is closed are no errors. */
NET_TEST(close, again, LOCALS(pair pair; outcome over; thrum_task * task; int i;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    for (self->i = 0; self->i < 3; self->i++) {
        self->task = begin(thrum_stream_close(self->i < 2 ? self->pair.stream : NULL), &self->over);
        CHECK(self->over.over);
        CHECK_EQ(self->over.error, 0);
        thrum_task_release(self->task);
    }
    CHECK_STR(peer_read(&self->pair), "(end)");
    thrum_stream_abort(self->pair.stream);
    thrum_stream_abort(NULL);
    thrum_stream_release(NULL);
    AWAIT(thrum_stream_wait_closed(self->pair.stream));
    pair_close(&self->pair);
    ASYNC_END;
}

/* Small writes that were collected and not sent yet go out with the close, and do not with an abort. */
NET_TEST(close, collected_bytes, LOCALS(pair pair;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    AWAIT(thrum_stream_write(self->pair.stream, "last words", 10));
    AWAIT(thrum_stream_close(self->pair.stream));
    CHECK_STR(peer_read(&self->pair), "last words");
    CHECK_STR(peer_read(&self->pair), "(end)");
    pair_close(&self->pair);
    self->pair = pair_open();
    AWAIT(thrum_stream_write(self->pair.stream, "last words", 10));
    thrum_stream_abort(self->pair.stream);
    CHECK_STR(peer_read(&self->pair), "(end)");
    pair_close(&self->pair);
    ASYNC_END;
}

NET_TEST(close, deadline, LOCALS(pair pair; char *bytes; outcome over; thrum_task * task;))
{
    static const thrum_stream_options options = {
        .size = sizeof options, .high = 10000000, .close_deadline = MILLISECONDS(5)};
    ASYNC_BEGIN;
    self->pair = pair_with(&options);
    self->bytes = counted(5000000);
    calls_send = (call_plan){.most = 1000, .fail = EAGAIN, .failures = -1, .after = 1};
    AWAIT(thrum_stream_write(self->pair.stream, self->bytes, 5000000));
    self->task = begin(thrum_stream_wait_closed(self->pair.stream), &self->over);
    AWAIT(note_outcome(thrum_stream_close(self->pair.stream), &self->over));
    CHECK_EQ(self->over.error, THRUM_ETIMEDOUT);
    CHECK_EQ(self->over.number, 5000000 - 1000);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ETIMEDOUT);
    AWAIT(note_outcome(thrum_stream_wait_closed(self->pair.stream), &self->over));
    CHECK_EQ(self->over.error, THRUM_ETIMEDOUT);
    calls_clear();
    CHECK_EQ(peer_count(&self->pair, 0), 1000);
    CHECK_STR(peer_read(&self->pair), "(end)");
    free(self->bytes);
    pair_close(&self->pair);
    ASYNC_END;
}

/* 126: an error ends the wait for the end, though the stream stays open: what was received can still be read, and close
 * ends it. */
NET_TEST(close, lost, LOCALS(pair pair; outcome over, early; thrum_task * task; char text[8]; size_t n; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        self->pair = pair_open();
        self->task = begin(thrum_stream_wait_closed(self->pair.stream), &self->early);
        peer_send(&self->pair, "reply");
        if (self->i == 0) {
            close(self->pair.peer);
            self->pair.peer = -1;
            AWAIT(thrum_stream_write(self->pair.stream, "request", 7));
            AWAIT(note_outcome(thrum_stream_flush(self->pair.stream), &self->over));
        } else {
            calls_recv = (call_plan){.fail = ECONNRESET, .failures = 1};
            AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 1), &self->over));
        }
        CHECK_EQ(self->over.error, self->i ? -ECONNRESET : -EPIPE);
        AWAIT(self->task);
        thrum_task_release(self->task);
        CHECK_EQ(self->early.error, self->over.error);
        CHECK(!thrum_stream_is_closing(self->pair.stream));
        AWAIT(note_outcome(thrum_stream_wait_closed(self->pair.stream), &self->over));
        CHECK_EQ(self->over.error, self->early.error);
        if (self->i == 0) {
            AWAIT_INTO(self->n, thrum_stream_read(self->pair.stream, self->text, sizeof self->text));
            CHECK_EQ(self->n, 5);
        }
        AWAIT(note_outcome(thrum_stream_close(self->pair.stream), &self->over));
        CHECK(thrum_stream_is_closing(self->pair.stream));
        AWAIT(note_outcome(thrum_stream_wait_closed(self->pair.stream), &self->over));
        CHECK_EQ(self->over.error, self->early.error);
        pair_close(&self->pair);
    }
    ASYNC_END;
}

/* A close that is cancelled goes on by itself. */
NET_TEST(close, cancelled, LOCALS(pair pair; char *bytes; outcome over; thrum_task * task; size_t at;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->bytes = counted(60000);
    calls_send = (call_plan){.most = 20000, .fail = EAGAIN, .failures = 2, .after = 1};
    AWAIT(thrum_stream_write(self->pair.stream, self->bytes, 60000));
    self->task = begin(thrum_stream_close(self->pair.stream), &self->over);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECANCELED);
    while (self->at < 60000) {
        self->at += peer_count(&self->pair, self->at);
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    }
    AWAIT(thrum_stream_wait_closed(self->pair.stream));
    CHECK_STR(peer_read(&self->pair), "(end)");
    free(self->bytes);
    pair_close(&self->pair);
    ASYNC_END;
}

/* One documented error each; test_eof_feed_when_closing_writer: the reader is at the end of file. */
NET_TEST(close, use_afterwards, LOCALS(pair pair; outcome over; char text[8]; const void *data; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        self->pair = pair_open();
        peer_send(&self->pair, "unread");
        if (self->i)
            AWAIT(thrum_stream_close(self->pair.stream));
        else
            thrum_stream_abort(self->pair.stream);
        CHECK(thrum_stream_at_eof(self->pair.stream));
        CHECK(thrum_stream_is_closing(self->pair.stream));
        AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 8), &self->over));
        CHECK_EQ(self->over.error, THRUM_ECLOSED);
        AWAIT(note_outcome(thrum_stream_read_exactly(self->pair.stream, self->text, 8), &self->over));
        CHECK_EQ(self->over.error, THRUM_ECLOSED);
        AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->text, 8), &self->over));
        CHECK_EQ(self->over.error, THRUM_ECLOSED);
        AWAIT(note_outcome(thrum_stream_fill(self->pair.stream, &self->data, 1), &self->over));
        CHECK_EQ(self->over.error, THRUM_ECLOSED);
        AWAIT(note_outcome(thrum_stream_write(self->pair.stream, "x", 1), &self->over));
        CHECK_EQ(self->over.error, THRUM_ECLOSED);
        AWAIT(note_outcome(thrum_stream_flush(self->pair.stream), &self->over));
        CHECK_EQ(self->over.error, THRUM_ECLOSED);
        CHECK_EQ(thrum_stream_write_eof(self->pair.stream), THRUM_ECLOSED);
        CHECK_EQ(thrum_stream_unread(self->pair.stream, "x", 1), THRUM_ECLOSED);
        CHECK_EQ(thrum_stream_descriptor(self->pair.stream), THRUM_ECLOSED);
        CHECK_EQ(thrum_stream_sockname(self->pair.stream, self->text, 8), THRUM_ECLOSED);
        pair_close(&self->pair);
    }
    ASYNC_END;
}

/* Somebody else closes: a reader finds the end, a writer is told; 128: after the call, not in it. */
NET_TEST(close, under_those_who_wait,
         LOCALS(pair pair; char *bytes; char text[8]; outcome read, wrote; thrum_task * reader, *writer; int i;))
{
    ASYNC_BEGIN;
    self->bytes = counted(200000);
    for (self->i = 0; self->i < 2; self->i++) {
        self->pair = pair_open();
        calls_send = (call_plan){.most = 1000, .fail = EAGAIN, .failures = -1, .after = 1};
        self->reader = begin(thrum_stream_read(self->pair.stream, self->text, 8), &self->read);
        self->writer = begin(thrum_stream_write(self->pair.stream, self->bytes, 200000), &self->wrote);
        if (self->i) {
            thrum_stream_abort(self->pair.stream);
            CHECK(!self->read.over);
            CHECK(!self->wrote.over);
        } else {
            AWAIT(thrum_stream_close(self->pair.stream));
        }
        AWAIT(self->reader);
        AWAIT(self->writer);
        thrum_task_release(self->reader);
        thrum_task_release(self->writer);
        CHECK_EQ(self->read.error, 0);
        CHECK_EQ(self->read.value, 0);
        CHECK_EQ(self->wrote.error, THRUM_ECLOSED);
        CHECK_EQ(self->wrote.number, 1000);
        calls_clear();
        pair_close(&self->pair);
    }
    free(self->bytes);
    ASYNC_END;
}

/* A stream that is released while somebody waits: THRUM_ECLOSED, and nobody touches it any more. */
NET_TEST(close, released_under_those_who_wait,
         LOCALS(pair pair; char *bytes; char text[8]; outcome over[4]; thrum_task * tasks[4]; int i, j;))
{
    ASYNC_BEGIN;
    self->bytes = counted(200000);
    for (self->j = 0; self->j < 3; self->j++) {
        self->pair = pair_open();
        calls_send = (call_plan){.most = 1000, .fail = EAGAIN, .failures = -1, .after = 1};
        self->tasks[0] = begin(self->j == 0   ? thrum_stream_read(self->pair.stream, self->text, 8)
                               : self->j == 1 ? thrum_stream_read_exactly(self->pair.stream, self->text, 8)
                                              : thrum_stream_read_line(self->pair.stream, self->text, 8),
                               &self->over[0]);
        self->tasks[1] = begin(thrum_stream_write(self->pair.stream, self->bytes, 200000), &self->over[1]);
        self->tasks[2] = begin(thrum_stream_flush(self->pair.stream), &self->over[2]);
        self->tasks[3] = begin(thrum_stream_wait_closed(self->pair.stream), &self->over[3]);
        thrum_stream_release(self->pair.stream);
        self->pair.stream = NULL;
        for (self->i = 0; self->i < 4; self->i++) {
            if (self->i == 2)
                thrum_task_cancel(self->tasks[2]);
            AWAIT(self->tasks[self->i]);
            thrum_task_release(self->tasks[self->i]);
        }
        CHECK_EQ(self->over[0].error, THRUM_ECLOSED);
        CHECK_EQ(self->over[1].error, THRUM_ECLOSED);
        CHECK_EQ(self->over[3].error, 0);
        calls_clear();
        pair_close(&self->pair);
    }
    free(self->bytes);
    ASYNC_END;
}

/* 126, test_wait_closed_on_close_with_unread_data */
NET_TEST(close, with_unread_data, LOCALS(pair pair; char text[2]; size_t n;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "much of this is not read");
    AWAIT_INTO(self->n, thrum_stream_read(self->pair.stream, self->text, 2));
    AWAIT(thrum_stream_close(self->pair.stream));
    AWAIT(thrum_stream_wait_closed(self->pair.stream));
    CHECK_STR(peer_read(&self->pair), "(end)");
    pair_close(&self->pair);
    ASYNC_END;
}

/* What a loop leaves open is closed with it; streams may be released afterwards. */
static thrum_stream *left;
static ASYNC(leave_open, ARGS((int, end)), LOCALS(char text[8];))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_stream_adopt(&left, self->end, NULL), 0);
    AWAIT(thrum_stream_write(left, "written", 7));
    AWAIT(thrum_stream_read(left, self->text, 8));
    ASYNC_END;
}

static void quiet(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)report, (void)context;
}

static void stop(thrum_handle *handle)
{
    thrum_loop_stop((thrum_loop *)handle->context);
}

TEST(close, with_the_loop)
{
    thrum_pool_stats stats;
    thrum_loop *loop;
    thrum_handle handle;
    for (int i = 0; i < 2; i++) {
        int ends[2];
        char text[8];
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
        eager_prepare(loop);
        thrum_loop_set_exception_handler(loop, quiet, NULL);
        CHECK_EQ(thrum_spawn_detached(leave_open(ends[0])), 0);
        thrum_handle_init(&handle, stop, loop);
        CHECK_EQ(thrum_call_later(MILLISECONDS(2), &handle), 0);
        CHECK_EQ(thrum_loop_run_forever(loop), 0);
        CHECK_EQ(thrum_loop_close(loop), 0);
        CHECK_EQ(read(ends[1], text, 8), 7);
        CHECK_EQ(read(ends[1], text, 8), 0);
        thrum_stream_release(left);
        thrum_pool_stats_get(&stats);
        CHECK_EQ(stats.blocks, 0);
        close(ends[1]);
    }
}
