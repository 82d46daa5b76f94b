/* How TLS connections end: in order, cut off, late. Numbers are those of tests/net/PORTED.md. */
#include "tls_support.h"

/* A close waits for the peer's close_notify; the peer reads the end of file. */
NET_TEST(tls_end, close, LOCALS(tls_ends ends; outcome over; thrum_task * task; char text[8]; long got;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    AWAIT(thrum_stream_write(self->ends.client, "last", 4));
    self->task = begin(thrum_stream_close(self->ends.client), &self->over);
    AWAIT(thrum_yield());
    CHECK(!self->over.over);
    AWAIT_INTO(self->got, thrum_stream_read(self->ends.server, self->text, sizeof self->text));
    CHECK_EQ(self->got, 4);
    AWAIT_INTO(self->got, thrum_stream_read(self->ends.server, self->text, sizeof self->text));
    CHECK_EQ(self->got, 0);
    CHECK(thrum_stream_at_eof(self->ends.server));
    CHECK(!self->over.over);
    AWAIT(thrum_stream_close(self->ends.server));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    AWAIT(thrum_stream_wait_closed(self->ends.client));
    AWAIT(thrum_stream_wait_closed(self->ends.server));
    ends_close(&self->ends);
    ASYNC_END;
}

/* flush_before_shutdown: megabytes leave before the close_notify, and both sides may close at once. */
static ASYNC(read_all, ARGS((thrum_stream *, stream), (size_t, wanted)), LOCALS(size_t at; char *bytes; size_t got;))
{
    ASYNC_BEGIN;
    self->bytes = (char *)malloc(65536);
    do {
        AWAIT_INTO(self->got, thrum_stream_read(self->stream, self->bytes, 65536));
        for (size_t i = 0; i < self->got; i++, self->at++)
            CHECK_EQ((unsigned char)self->bytes[i], self->at % 251);
    } while (self->got);
    CHECK_EQ(self->at, self->wanted);
    AWAIT(thrum_stream_close(self->stream));
FINALLY:
    free(self->bytes);
    ASYNC_END;
}

NET_TEST(tls_end, flushes_before_it_closes, LOCALS(tls_ends ends; outcome over; thrum_task * task; char *bytes;))
{
    enum { SIZE = 5000000 };
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(thrum_stream_set_write_limits(self->ends.client, 2 * SIZE, SIZE), 0);
    self->bytes = counted(SIZE);
    AWAIT(thrum_stream_write(self->ends.client, self->bytes, SIZE));
    free(self->bytes);
    self->task = begin(read_all(self->ends.server, SIZE), &self->over);
    AWAIT(thrum_stream_close(self->ends.client));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    ends_close(&self->ends);
    ASYNC_END;
}

/* Point 147, remote_shutdown_receives_trailing_data: data and close_notify at once: the data comes first. And what the
 * peer sends to one who closes is received, so that it can end in order. */
NET_TEST(tls_end, trailing_data,
         LOCALS(tls_ends ends; outcome over; thrum_task * task; char text[8]; char *bytes; long got;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    self->task = begin(thrum_stream_close(self->ends.client), &self->over);
    AWAIT(thrum_yield());
    self->bytes = counted(300000);
    AWAIT(thrum_stream_write(self->ends.server, self->bytes, 300000));
    free(self->bytes);
    AWAIT(thrum_stream_close(self->ends.server));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    ends_close(&self->ends);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    AWAIT(thrum_stream_write(self->ends.client, "trail", 5));
    self->task = begin(thrum_stream_close(self->ends.client), &self->over);
    AWAIT(thrum_yield());
    AWAIT_INTO(self->got, thrum_stream_read(self->ends.server, self->text, sizeof self->text));
    CHECK_EQ(self->got, 5);
    AWAIT_INTO(self->got, thrum_stream_read(self->ends.server, self->text, sizeof self->text));
    CHECK_EQ(self->got, 0);
    AWAIT(thrum_stream_close(self->ends.server));
    AWAIT(self->task);
    thrum_task_release(self->task);
    ends_close(&self->ends);
    ASYNC_END;
}

/* The peer does not answer the close_notify. */
NET_TEST(tls_end, shutdown_timeout,
         LOCALS(pair pair; tls_ends ends; outcome over; thrum_tls_start_options options; thrum_task * task;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    self->options = (thrum_tls_start_options){
        .size = sizeof self->options, .server_hostname = "localhost", .shutdown_timeout = MILLISECONDS(20)};
    self->task = begin(thrum_start_tls(self->ends.server, self->ends.theirs, true, NULL), &self->over);
    AWAIT(thrum_start_tls_with(self->ends.client, self->ends.ours, &self->options));
    AWAIT(self->task);
    thrum_task_release(self->task);
    AWAIT(note_outcome(thrum_stream_close(self->ends.client), &self->over));
    CHECK_EQ(self->over.error, THRUM_ETIMEDOUT);
    CHECK_EQ(self->over.number, 0);
    AWAIT(note_outcome(thrum_stream_wait_closed(self->ends.client), &self->over));
    CHECK_EQ(self->over.error, THRUM_ETIMEDOUT);
    ends_close(&self->ends);
    ASYNC_END;
}

/* A peer that only sends on is not listened to for ever. */
static ASYNC(send_for_ever, ARGS((thrum_stream *, stream)), LOCALS(char *bytes; long sent;))
{
    ASYNC_BEGIN;
    self->bytes = counted(100000);
    for (;;)
        AWAIT(thrum_stream_write(self->stream, self->bytes, 100000));
FINALLY:
    free(self->bytes);
    ASYNC_END;
}

NET_TEST(tls_end, flooded_while_closing, LOCALS(tls_ends ends; outcome over; thrum_task * task;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    self->task = begin(send_for_ever(self->ends.server), &self->over);
    AWAIT(thrum_stream_close(self->ends.client));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK(self->over.error == -EPIPE || self->over.error == -ECONNRESET);
    ends_close(&self->ends);
    ASYNC_END;
}

/* ---- cut off ---- */

/* The connection ends without a close_notify: an error of its own, after the data. */
static ASYNC(cut, ARGS((tls_ends *, ends), (outcome *, over), (char *, text)), LOCALS(char bytes[16]; long got;))
{
    ASYNC_BEGIN;
    AWAIT(shake(self->ends, "localhost"));
    CHECK_EQ(self->ends->client_over.error, 0);
    AWAIT(thrum_stream_write(self->ends->server, "some", 4));
    AWAIT(thrum_stream_flush(self->ends->server));
    thrum_stream_abort(self->ends->server);
    AWAIT_INTO(self->got, thrum_stream_read(self->ends->client, self->bytes, sizeof self->bytes));
    CHECK_EQ(self->got, 4);
    AWAIT(note_text(thrum_stream_read(self->ends->client, self->bytes, sizeof self->bytes), self->over, self->text));
    ASYNC_END;
}

NET_TEST(tls_end, truncated, LOCALS(tls_ends ends; outcome over; char text[128]; thrum_tls_options options;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(cut(&self->ends, &self->over, self->text));
    CHECK_EQ(self->over.error, THRUM_ETRUNCATED);
    CHECK_STR(self->text, "the peer closed the connection without close_notify");
    CHECK(!thrum_stream_at_eof(self->ends.client));
    AWAIT(note_outcome(thrum_stream_read(self->ends.client, self->text, 1), &self->over));
    CHECK_EQ(self->over.error, THRUM_ETRUNCATED);
    AWAIT(thrum_stream_close(self->ends.client));
    AWAIT(note_outcome(thrum_stream_wait_closed(self->ends.client), &self->over));
    CHECK_EQ(self->over.error, THRUM_ETRUNCATED);
    ends_close(&self->ends);
    /* Who wants it so takes it for the end of file. */
    self->options = client_options();
    self->options.allow_truncation = true;
    self->ends.ours = context_of(&self->options);
    ends_open(&self->ends);
    AWAIT(cut(&self->ends, &self->over, self->text));
    CHECK_EQ(self->over.error, 0);
    CHECK(thrum_stream_at_eof(self->ends.client));
    ends_close(&self->ends);
    ASYNC_END;
}

/* Bytes of a record that was changed on its way. */
NET_TEST(tls_end, tampered, LOCALS(tls_ends ends; outcome over; char text[128];))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(
        send(thrum_stream_descriptor(self->ends.server), "\x17\x03\x03\x00\x20garbage garbage garbage garbage!", 37, 0),
        37);
    AWAIT(note_text(thrum_stream_read(self->ends.client, self->text, 8), &self->over, self->text));
    CHECK_EQ(self->over.error, THRUM_ETLS);
    CHECK_STR(self->text, "decryption failed or bad record mac");
    /* The peer is told. */
    AWAIT(note_text(thrum_stream_read(self->ends.server, self->text, 8), &self->over, self->text));
    CHECK_EQ(self->over.error, THRUM_ETLS);
    CHECK_STR(self->text, "the peer refused: bad record mac");
    ends_close(&self->ends);
    ASYNC_END;
}

/* connection_lost_when_busy: the connection goes while much is under way; later writes are errors. */
NET_TEST(tls_end, lost_while_writing, LOCALS(tls_ends ends; outcome over; thrum_task * task;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    self->task = begin(send_for_ever(self->ends.client), &self->over);
    AWAIT(thrum_yield());
    thrum_stream_abort(self->ends.server);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK(self->over.error == -EPIPE || self->over.error == -ECONNRESET);
    AWAIT(note_outcome(thrum_stream_write(self->ends.client, "x", 1), &self->over));
    CHECK(self->over.error == -EPIPE || self->over.error == -ECONNRESET);
    AWAIT(note_outcome(thrum_stream_flush(self->ends.client), &self->over));
    CHECK(self->over.error == -EPIPE || self->over.error == -ECONNRESET);
    AWAIT(note_outcome(thrum_stream_close(self->ends.client), &self->over));
    ends_close(&self->ends);
    ASYNC_END;
}

/* ---- one way ---- */

/* A close_notify is sent, and reading goes on. */
NET_TEST(tls_end, write_eof, LOCALS(tls_ends ends; outcome over; char text[8]; long got;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    AWAIT(thrum_stream_write(self->ends.client, "last", 4));
    CHECK_EQ(thrum_stream_write_eof(self->ends.client), 0);
    CHECK_EQ(thrum_stream_write_eof(self->ends.client), 0);
    AWAIT(note_outcome(thrum_stream_write(self->ends.client, "x", 1), &self->over));
    CHECK_EQ(self->over.error, THRUM_ESTATE);
    AWAIT_INTO(self->got, thrum_stream_read(self->ends.server, self->text, sizeof self->text));
    CHECK_EQ(self->got, 4);
    AWAIT_INTO(self->got, thrum_stream_read(self->ends.server, self->text, sizeof self->text));
    CHECK_EQ(self->got, 0);
    AWAIT(thrum_stream_write(self->ends.server, "answer", 6));
    AWAIT_INTO(self->got, thrum_stream_read(self->ends.client, self->text, sizeof self->text));
    CHECK_EQ(self->got, 6);
    self->got = 0;
    thrum_stream_release(self->ends.server);
    self->ends.server = NULL;
    AWAIT(thrum_stream_close(self->ends.client));
    ends_close(&self->ends);
    ASYNC_END;
}

/* The loop ends under a connection that nobody closed: what was written leaves. */
static thrum_stream *left_open;
static tls_ends left;
static ASYNC(leave_open, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    ends_open(&left);
    AWAIT(shake(&left, "localhost"));
    AWAIT(thrum_stream_write(left.client, "bye", 3));
    ASYNC_END;
}

TEST(tls_end, loop_closes)
{
    thrum_pool_stats stats;
    thrum_loop *loop;
    int before = count_descriptors();
    CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, leave_open(), NULL), 0);
    CHECK_EQ(thrum_loop_close(loop), 0);
    ends_close(&left);
    (void)left_open;
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
    CHECK_EQ(count_descriptors(), before);
}
