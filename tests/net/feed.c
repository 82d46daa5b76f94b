/* Streams that are fed by hand: feeding, the end, errors, read and read_exactly. */
#include "feeding.h"

/* test_feed_empty_data, test_feed_nonempty_data, test_read_zero */
NET_TEST(feed, lies_there, LOCALS(thrum_stream *stream; char text[16]; outcome got;))
{
    ASYNC_BEGIN;
    self->stream = fed(0, "");
    CHECK_EQ(thrum_stream_buffered(self->stream), 0);
    feed(self->stream, "data");
    CHECK_EQ(thrum_stream_buffered(self->stream), 4);
    AWAIT(note_outcome(thrum_stream_read(self->stream, self->text, 0), &self->got));
    CHECK_EQ(self->got.value, 0);
    AWAIT(note_outcome(thrum_stream_read_exactly(self->stream, self->text, 0),
                       &self->got)); /* readexactly_zero_or_less */
    CHECK_EQ(self->got.value, 0);
    AWAIT(left(self->stream, "data"));
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static ASYNC(read_small_or_large, ARGS((size_t, size)),
             LOCALS(thrum_stream *stream; char text[4096]; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->stream = fed(0, "");
    self->task = begin(thrum_stream_read(self->stream, self->text, self->size), &self->got);
    CHECK_EQ(thrum_stream_feed_data(self->stream, self->text, 0), 0); /* wakes nobody */
    AWAIT(thrum_yield());
    AWAIT(thrum_yield());
    CHECK(!self->got.over);
    feed(self->stream, "line1\n");
    feed(self->stream, "line2\n");
    CHECK(!self->got.over);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 12);
    CHECK_MEM(self->text, "line1\nline2\n", 12);
    /* What lies there is given at once, however it came. */
    feed(self->stream, "ab");
    feed(self->stream, "cdef");
    AWAIT(note_outcome(thrum_stream_read_exactly(self->stream, self->text, 1), &self->got));
    feed(self->stream, "g");
    AWAIT(left(self->stream, "bcdefg"));
    /* test_read_eof */
    self->task = begin(thrum_stream_read(self->stream, self->text, self->size), &self->got);
    CHECK_EQ(thrum_stream_feed_eof(self->stream), 0);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.error, 0);
    CHECK_EQ(self->got.value, 0);
    AWAIT(note_outcome(thrum_stream_read(self->stream, self->text, self->size), &self->got));
    CHECK_EQ(self->got.value, 0);
    CHECK_EQ(thrum_stream_feed_data(self->stream, "x", 1), THRUM_ESTATE);
    CHECK_EQ(thrum_stream_feed_data(self->stream, "x", 0), THRUM_ESTATE);
    CHECK_EQ(thrum_stream_feed_eof(self->stream), 0);
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* test_read, test_read_line_breaks: small reads go another way than large ones. */
NET_TEST(feed, read, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(read_small_or_large(30));
    AWAIT(read_small_or_large(4096));
    ASYNC_END;
}

/* test_read_until_eof, test_at_eof: the bytes, and then the end, though both came before the reader went on. */
NET_TEST(feed, bytes_and_the_end, LOCALS(thrum_stream *stream; char text[4096]; outcome got; thrum_task * task; int i;))
{
    static const size_t sizes[] = {40, 4096};
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        self->stream = fed(0, "");
        CHECK(!thrum_stream_at_eof(self->stream));
        self->task = begin(thrum_stream_read(self->stream, self->text, sizes[self->i]), &self->got);
        feed(self->stream, "chunk1\n");
        feed(self->stream, "chunk2");
        CHECK_EQ(thrum_stream_feed_eof(self->stream), 0);
        CHECK(!thrum_stream_at_eof(self->stream));
        AWAIT(self->task);
        thrum_task_release(self->task);
        CHECK_EQ(self->got.value, 13);
        CHECK_MEM(self->text, "chunk1\nchunk2", 13);
        CHECK(thrum_stream_at_eof(self->stream));
        AWAIT(note_outcome(thrum_stream_read(self->stream, self->text, sizes[self->i]), &self->got));
        CHECK_EQ(self->got.error, 0);
        CHECK_EQ(self->got.value, 0);
        thrum_stream_release(self->stream);
    }
    ASYNC_END;
}

/* test_read_limit, test_readexactly_limit: neither is bounded by the limit; megabytes neither. */
NET_TEST(feed, beyond_the_limit, LOCALS(thrum_stream *stream; char text[16], *bytes, *copy; outcome got; size_t at;))
{
    enum { SIZE = 700000, PART = 300000 };
    ASYNC_BEGIN;
    self->stream = fed(3, "chunk");
    AWAIT(note_outcome(thrum_stream_read(self->stream, self->text, 5), &self->got));
    CHECK_EQ(self->got.value, 5);
    feed(self->stream, "chunk");
    AWAIT(note_outcome(thrum_stream_read_exactly(self->stream, self->text, 5), &self->got));
    CHECK_EQ(self->got.value, 5);
    self->bytes = counted(SIZE);
    self->copy = (char *)malloc(SIZE);
    CHECK_EQ(thrum_stream_feed_data(self->stream, self->bytes, SIZE), 0);
    while (self->at < SIZE) {
        AWAIT(note_outcome(thrum_stream_read(self->stream, self->copy + self->at, PART), &self->got));
        CHECK(self->got.value > 0);
        self->at += (size_t)self->got.value;
    }
    CHECK_MEM(self->copy, self->bytes, SIZE);
    free(self->bytes);
    free(self->copy);
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* test_readexactly: it takes all of its bytes or none. */
NET_TEST(feed, read_exactly, LOCALS(thrum_stream *stream; char text[4096]; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->stream = fed(3, "");
    self->task = begin(thrum_stream_read_exactly(self->stream, self->text, 12), &self->got);
    feed(self->stream, "line1\n");
    AWAIT(thrum_yield());
    AWAIT(thrum_yield());
    CHECK_EQ(thrum_stream_buffered(self->stream), 6);
    feed(self->stream, "line2\n");
    feed(self->stream, "line3\n");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 12);
    CHECK_MEM(self->text, "line1\nline2\n", 12);
    CHECK_EQ(thrum_stream_buffered(self->stream), 6);
    /* Cancelled: nothing is taken, beyond the limit neither. */
    self->task = begin(thrum_stream_read_exactly(self->stream, self->text, 4096), &self->got);
    feed(self->stream, "line4\n");
    AWAIT(thrum_yield());
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.error, THRUM_ECANCELED);
    CHECK_EQ(self->got.number, 0);
    /* test_readexactly_eof */
    self->task = begin(thrum_stream_read_exactly(self->stream, self->text, 4096), &self->got);
    CHECK_EQ(thrum_stream_feed_eof(self->stream), 0);
    CHECK(!thrum_stream_at_eof(self->stream));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.error, THRUM_EINCOMPLETE);
    CHECK_EQ(self->got.number, 12);
    CHECK_MEM(self->text, "line3\nline4\n", 12);
    CHECK(thrum_stream_at_eof(self->stream));
    AWAIT(note_outcome(thrum_stream_read_exactly(self->stream, self->text, 5), &self->got));
    CHECK_EQ(self->got.error, THRUM_EINCOMPLETE);
    CHECK_EQ(self->got.number, 0);
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* ---- errors ---- */

/* test_read_exception, test_readline_exception, test_readexactly_exception, test_exception: it outranks what was
 * fed. */
NET_TEST(feed, error_outranks_bytes,
         LOCALS(thrum_stream *stream; char text[4096]; outcome got; const void *data; int i;))
{
    static const thrum_slice comma = {",", 1};
    ASYNC_BEGIN;
    self->stream = fed(0, "line\n");
    CHECK_EQ(thrum_stream_error(self->stream), 0);
    AWAIT(note_outcome(thrum_stream_read(self->stream, self->text, 2), &self->got));
    CHECK_EQ(self->got.value, 2);
    CHECK_EQ(thrum_stream_set_error(self->stream, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_stream_set_error(self->stream, THRUM_ECANCELED), THRUM_EINVAL);
    CHECK_EQ(thrum_stream_set_error(self->stream, OWN_ERROR), 0);
    CHECK_EQ(thrum_stream_error(self->stream), OWN_ERROR);
    CHECK_EQ(thrum_stream_buffered(self->stream), 0);
    feed(self->stream, "more\n"); /* nobody can read it any more */
    CHECK_EQ(thrum_stream_feed_eof(self->stream), 0);
    for (self->i = 0; self->i < 2; self->i++) {
        AWAIT(note_outcome(thrum_stream_read(self->stream, self->text, 2), &self->got));
        CHECK_EQ(self->got.error, OWN_ERROR);
        AWAIT(note_outcome(thrum_stream_read(self->stream, self->text, 4096), &self->got));
        CHECK_EQ(self->got.error, OWN_ERROR);
        AWAIT(note_outcome(thrum_stream_read_exactly(self->stream, self->text, 2), &self->got));
        CHECK_EQ(self->got.error, OWN_ERROR);
        AWAIT(note_outcome(thrum_stream_read_line(self->stream, self->text, 64), &self->got));
        CHECK_EQ(self->got.error, OWN_ERROR);
        AWAIT(note_outcome(thrum_stream_read_until(self->stream, self->text, 64, &comma, 1), &self->got));
        CHECK_EQ(self->got.error, OWN_ERROR);
        AWAIT(note_outcome(thrum_stream_fill(self->stream, &self->data, 1), &self->got));
        CHECK_EQ(self->got.error, OWN_ERROR);
        CHECK(!thrum_stream_at_eof(self->stream));
    }
    CHECK_EQ(thrum_stream_set_error(self->stream, THRUM_EAPP(8)), 0);
    AWAIT(note_outcome(thrum_stream_read(self->stream, self->text, 2), &self->got));
    CHECK_EQ(self->got.error, THRUM_EAPP(8));
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* test_exception_waiter: whatever it does, the task that waits has the error, also right behind bytes. */
NET_TEST(feed, error_reaches_who_waits,
         LOCALS(thrum_stream *stream; char text[4096]; outcome got; thrum_task * task; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 8; self->i++) {
        self->stream = fed(0, "");
        switch (self->i / 2) {
        case 0:
            self->task = begin(thrum_stream_read_line(self->stream, self->text, 64), &self->got);
            break;
        case 1:
            self->task = begin(thrum_stream_read(self->stream, self->text, 64), &self->got);
            break;
        case 2:
            self->task = begin(thrum_stream_read(self->stream, self->text, 4096), &self->got);
            break;
        default:
            self->task = begin(thrum_stream_read_exactly(self->stream, self->text, 64), &self->got);
        }
        if (self->i % 2)
            feed(self->stream, "bytes");
        CHECK_EQ(thrum_stream_set_error(self->stream, OWN_ERROR), 0);
        AWAIT(self->task);
        thrum_task_release(self->task);
        CHECK_EQ(self->got.error, OWN_ERROR);
        thrum_stream_release(self->stream);
    }
    ASYNC_END;
}

/* test_exception_cancel: an error after the reader was cancelled; bytes stay when it was cancelled after they woke
 * it. */
NET_TEST(feed, cancelled_reader, LOCALS(thrum_stream *stream; char text[64]; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->stream = fed(0, "ab");
    self->task = begin(thrum_stream_read_line(self->stream, self->text, 64), &self->got);
    feed(self->stream, "cd");
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.error, THRUM_ECANCELED);
    AWAIT(left(self->stream, "abcd"));
    self->task = begin(thrum_stream_read_line(self->stream, self->text, 64), &self->got);
    thrum_task_cancel(self->task);
    CHECK_EQ(thrum_stream_set_error(self->stream, OWN_ERROR), 0);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.error, THRUM_ECANCELED);
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* 123: a second reader is refused, the first one not disturbed, also between its wake and its going on. */
NET_TEST(feed, one_reader_at_a_time,
         LOCALS(thrum_stream *stream; char text[64]; outcome got, second; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->stream = fed(0, "a");
    self->task = begin(thrum_stream_read_exactly(self->stream, self->text, 3), &self->got);
    AWAIT(note_outcome(thrum_stream_read(self->stream, self->text + 8, 1), &self->second));
    CHECK_EQ(self->second.error, THRUM_EBUSY);
    feed(self->stream, "bc");
    CHECK_EQ(thrum_stream_unread(self->stream, "x", 1), THRUM_EBUSY);
    AWAIT(note_outcome(thrum_stream_read(self->stream, self->text + 8, 1), &self->second));
    CHECK_EQ(self->second.error, THRUM_EBUSY);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 3);
    CHECK_MEM(self->text, "abc", 3);
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* ---- the rest of a stream ---- */

/* There is no output, other streams are not fed, and after a close there is no input. */
NET_TEST(feed, what_is_refused, LOCALS(thrum_stream *stream; pair pair; char text[64]; outcome got; thrum_task * task;))
{
    static const thrum_stream_options wrong = {.size = sizeof wrong, .high = 1, .low = 2};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_stream_fed(&self->stream, &wrong), THRUM_EINVAL);
    self->pair = pair_open();
    CHECK_EQ(thrum_stream_feed_data(self->pair.stream, "x", 1), THRUM_EINVAL);
    CHECK_EQ(thrum_stream_feed_eof(self->pair.stream), THRUM_EINVAL);
    CHECK_EQ(thrum_stream_set_error(self->pair.stream, OWN_ERROR), THRUM_EINVAL);
    pair_close(&self->pair);
    self->stream = fed(0, "rest");
    AWAIT(note_outcome(thrum_stream_write(self->stream, "x", 1), &self->got));
    CHECK_EQ(self->got.error, THRUM_ESTATE);
    CHECK_EQ(thrum_stream_descriptor(self->stream), THRUM_EUNSUPPORTED);
    AWAIT(left(self->stream, "rest"));
    self->task = begin(thrum_stream_read(self->stream, self->text, 64), &self->got);
    AWAIT(thrum_stream_close(self->stream));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.error, 0);
    CHECK_EQ(self->got.value, 0);
    CHECK_EQ(thrum_stream_feed_data(self->stream, "x", 1), THRUM_ECLOSED);
    CHECK_EQ(thrum_stream_feed_eof(self->stream), THRUM_ECLOSED);
    CHECK_EQ(thrum_stream_set_error(self->stream, OWN_ERROR), THRUM_ECLOSED);
    AWAIT(note_outcome(thrum_stream_read(self->stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.error, THRUM_ECLOSED);
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* Lent memory holds what lies there, and feeding does not move it away under who reads on. */
NET_TEST(feed, fill_and_unread, LOCALS(thrum_stream *stream; const void *data; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->stream = fed(0, "abc");
    AWAIT(note_outcome(thrum_stream_fill(self->stream, &self->data, 1), &self->got));
    CHECK_EQ(self->got.value, 3);
    CHECK_MEM(self->data, "abc", 3);
    CHECK_EQ(thrum_stream_unread(self->stream, "bc", 2), 0);
    self->task = begin(thrum_stream_fill(self->stream, &self->data, 4), &self->got);
    feed(self->stream, "d");
    AWAIT(thrum_yield());
    AWAIT(thrum_yield());
    CHECK(!self->got.over);
    feed(self->stream, "ef");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 5);
    feed(self->stream, "g");
    self->task = begin(thrum_stream_fill(self->stream, &self->data, 4), &self->got);
    CHECK_EQ(thrum_stream_feed_eof(self->stream), 0);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 1);
    CHECK_MEM(self->data, "g", 1);
    thrum_stream_release(self->stream);
    ASYNC_END;
}
