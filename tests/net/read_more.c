/* read_exactly, read_until, read_line. Numbers are those of tests/net/PORTED.md. */
#include "support.h"

static const thrum_stream_options small = {.size = sizeof small, .limit = 16};

/* ---- read_exactly ---- */

NET_TEST(read_exactly, across_pieces, LOCALS(pair pair; char text[16]; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->task = begin(thrum_stream_read_exactly(self->pair.stream, self->text, 6), &self->got);
    peer_send(&self->pair, "ab");
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK(!self->got.over);
    peer_send(&self->pair, "cdefgh");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 6);
    CHECK_MEM(self->text, "abcdef", 6);
    AWAIT(note_outcome(thrum_stream_read_exactly(self->pair.stream, self->text, 2), &self->got));
    CHECK_MEM(self->text, "gh", 2);
    AWAIT(note_outcome(thrum_stream_read_exactly(self->pair.stream, self->text, 0), &self->got));
    CHECK_EQ(self->got.error, 0);
    pair_close(&self->pair);
    ASYNC_END;
}

static ASYNC(feed, ARGS((pair *, to), (char *, bytes), (size_t, size)), LOCALS(size_t sent; ssize_t now;))
{
    ASYNC_BEGIN;
    while (self->sent < self->size) {
        self->now = write(self->to->peer, self->bytes + self->sent, self->size - self->sent);
        if (self->now > 0)
            self->sent += (size_t)self->now;
        else
            AWAIT(thrum_yield());
    }
    ASYNC_END;
}

/* 121, test_readexactly_limit: far more than the limit. */
NET_TEST(read_exactly, beyond_the_limit, LOCALS(pair pair; char *bytes, *got; outcome read; thrum_task * task;))
{
    enum { SIZE = 3000000 };
    ASYNC_BEGIN;
    self->pair = pair_with(&small);
    self->bytes = counted(SIZE);
    self->got = (char *)malloc(SIZE);
    self->task = begin(thrum_stream_read_exactly(self->pair.stream, self->got, SIZE), &self->read);
    AWAIT(feed(&self->pair, self->bytes, SIZE));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->read.value, SIZE);
    CHECK_MEM(self->got, self->bytes, SIZE);
    free(self->bytes);
    free(self->got);
    pair_close(&self->pair);
    ASYNC_END;
}

/* 120, test_readexactly_eof: the part is in the caller's memory, and then there is nothing. */
NET_TEST(read_exactly, end_of_file_in_the_middle, LOCALS(pair pair; char text[16]; outcome got;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "part");
    shutdown(self->pair.peer, SHUT_WR);
    AWAIT(note_outcome(thrum_stream_read_exactly(self->pair.stream, self->text, 10), &self->got));
    CHECK_EQ(self->got.error, THRUM_EINCOMPLETE);
    CHECK_EQ(self->got.number, 4);
    CHECK_MEM(self->text, "part", 4);
    AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 10), &self->got));
    CHECK_EQ(self->got.value, 0);
    pair_close(&self->pair);
    ASYNC_END;
}

NET_TEST(read_exactly, error_says_how_far, LOCALS(pair pair; char text[16]; outcome got;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "part");
    calls_recv = (call_plan){.fail = ECONNRESET, .failures = -1, .after = 1};
    shutdown(self->pair.peer, SHUT_WR);
    AWAIT(note_outcome(thrum_stream_read_exactly(self->pair.stream, self->text, 10), &self->got));
    CHECK_EQ(self->got.error, -ECONNRESET);
    CHECK_EQ(self->got.number, 4);
    pair_close(&self->pair);
    ASYNC_END;
}

/* Law 2: what a cancelled one took goes back, up to the limit; the stream goes on where the caller's buffer ends. */
NET_TEST(read_exactly, cancelled_gives_back,
         LOCALS(pair pair; char *bytes; char got[4096]; outcome read; int i; size_t size, kept;))
{
    static const size_t sizes[] = {5, 16, 17, 1500, 3000};
    ASYNC_BEGIN;
    self->bytes = counted(4000);
    for (self->i = 0; self->i < 5; self->i++) {
        self->pair = pair_with(&small);
        self->size = sizes[self->i];
        self->kept = self->size > 16 ? self->size - 16 : 0;
        CHECK_EQ(write(self->pair.peer, self->bytes, self->size), (ssize_t)self->size);
        AWAIT(
            note_outcome(thrum_timeout(MILLISECONDS(2), thrum_stream_read_exactly(self->pair.stream, self->got, 4000)),
                         &self->read));
        CHECK_EQ(self->read.error, THRUM_ETIMEDOUT);
        CHECK_EQ(thrum_stream_buffered(self->pair.stream), self->size - self->kept);
        CHECK_MEM(self->got, self->bytes, self->kept);
        CHECK_EQ(write(self->pair.peer, self->bytes + self->size, 4000 - self->size), (ssize_t)(4000 - self->size));
        AWAIT(note_outcome(thrum_stream_read_exactly(self->pair.stream, self->got + self->kept, 4000 - self->kept),
                           &self->read));
        CHECK_EQ(self->read.error, 0);
        CHECK_MEM(self->got, self->bytes, 4000);
        pair_close(&self->pair);
    }
    free(self->bytes);
    ASYNC_END;
}

NET_TEST(read_exactly, cancelled_says_how_much_it_keeps,
         LOCALS(pair pair; char text[64]; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->pair = pair_with(&small);
    self->task = begin(thrum_stream_read_exactly(self->pair.stream, self->text, 40), &self->got);
    peer_send(&self->pair, "0123456789012345678");
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.error, THRUM_ECANCELED);
    CHECK_EQ(self->got.number, 3);
    CHECK_EQ(thrum_stream_buffered(self->pair.stream), 16);
    pair_close(&self->pair);
    ASYNC_END;
}

/* ---- read_until ---- */

static const thrum_slice crlf = {"\r\n", 2}, several[] = {{"--end", 5}, {"\n", 1}, {"==", 2}}, empty = {"", 0};

/* 119, test_readuntil_multi_chunks: byte by byte, so that every place of the separator is a seam. */
NET_TEST(read_until, separator_across_pieces, LOCALS(pair pair; char text[16]; outcome got; thrum_task * task; int i;))
{
    static const char *const pieces[] = {"a", "\r", "b", "\r", "\r", "\n", "x"};
    ASYNC_BEGIN;
    self->pair = pair_with(&small);
    self->task = begin(thrum_stream_read_until(self->pair.stream, self->text, 16, &crlf, 1), &self->got);
    for (self->i = 0; self->i < 7; self->i++) {
        CHECK(!self->got.over || self->i == 6);
        peer_send(&self->pair, pieces[self->i]);
        AWAIT(thrum_sleep(MILLISECONDS(1)));
    }
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 6);
    CHECK_MEM(self->text, "a\rb\r\r\n", 6);
    pair_close(&self->pair);
    ASYNC_END;
}

NET_TEST(read_until, shortest_of_several, LOCALS(pair pair; char text[32]; outcome got;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "one==two\nthree--end==");
    AWAIT(note_outcome(thrum_stream_read_until(self->pair.stream, self->text, 32, several, 3), &self->got));
    CHECK_EQ(self->got.value, 5);
    AWAIT(note_outcome(thrum_stream_read_until(self->pair.stream, self->text, 32, several, 3), &self->got));
    CHECK_EQ(self->got.value, 4);
    AWAIT(note_outcome(thrum_stream_read_until(self->pair.stream, self->text, 32, several, 3), &self->got));
    CHECK_EQ(self->got.value, 10);
    CHECK_MEM(self->text, "three--end", 10);
    AWAIT(note_outcome(thrum_stream_read_until(self->pair.stream, self->text, 32, &empty, 1), &self->got));
    CHECK_EQ(self->got.error, THRUM_EINVAL);
    AWAIT(note_outcome(thrum_stream_read_until(self->pair.stream, self->text, 32, several, 0), &self->got));
    CHECK_EQ(self->got.error, THRUM_EINVAL);
    pair_close(&self->pair);
    ASYNC_END;
}

/* 118, 119, test_readuntil_limit_found_sep: the data stay, and `number` can be read away without cutting a
 * separator. */
NET_TEST(read_until, over_the_limit, LOCALS(pair pair; char text[64]; outcome got; size_t n;))
{
    ASYNC_BEGIN;
    self->pair = pair_with(&small);
    peer_send(&self->pair, "01234567890123456789\r\nrest\r\n");
    AWAIT(note_outcome(thrum_stream_read_until(self->pair.stream, self->text, 64, &crlf, 1), &self->got));
    CHECK_EQ(self->got.error, THRUM_ELIMIT);
    CHECK_EQ(self->got.number, 20);
    CHECK_EQ(thrum_stream_buffered(self->pair.stream), 28);
    AWAIT_INTO(self->n, thrum_stream_read_exactly(self->pair.stream, self->text, 20 + 2));
    AWAIT_INTO(self->n, thrum_stream_read_until(self->pair.stream, self->text, 64, &crlf, 1));
    CHECK_EQ(self->n, 6);
    /* Not found: the last byte may be the first of a separator. */
    peer_send(&self->pair, "01234567890123456\r");
    AWAIT(note_outcome(thrum_stream_read_until(self->pair.stream, self->text, 64, &crlf, 1), &self->got));
    CHECK_EQ(self->got.error, THRUM_ELIMIT);
    CHECK_EQ(self->got.number, 17);
    AWAIT_INTO(self->n, thrum_stream_read_exactly(self->pair.stream, self->text, 17));
    peer_send(&self->pair, "\n");
    AWAIT_INTO(self->n, thrum_stream_read_until(self->pair.stream, self->text, 64, &crlf, 1));
    CHECK_EQ(self->n, 2);
    /* The caller's memory is a limit too. */
    peer_send(&self->pair, "12345678\r\n");
    AWAIT(note_outcome(thrum_stream_read_until(self->pair.stream, self->text, 9, &crlf, 1), &self->got));
    CHECK_EQ(self->got.error, THRUM_ELIMIT);
    AWAIT_INTO(self->n, thrum_stream_read_until(self->pair.stream, self->text, 10, &crlf, 1));
    CHECK_EQ(self->n, 10);
    pair_close(&self->pair);
    ASYNC_END;
}

/* 120 */
NET_TEST(read_until, end_of_file, LOCALS(pair pair; char text[64]; outcome got;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "no separator");
    shutdown(self->pair.peer, SHUT_WR);
    AWAIT(note_outcome(thrum_stream_read_until(self->pair.stream, self->text, 64, &crlf, 1), &self->got));
    CHECK_EQ(self->got.error, THRUM_EINCOMPLETE);
    CHECK_EQ(self->got.number, 12);
    CHECK_MEM(self->text, "no separator", 12);
    AWAIT(note_outcome(thrum_stream_read_until(self->pair.stream, self->text, 64, &crlf, 1), &self->got));
    CHECK_EQ(self->got.number, 0);
    CHECK(thrum_stream_at_eof(self->pair.stream));
    pair_close(&self->pair);
    ASYNC_END;
}

NET_TEST(read_until, cancelled_takes_nothing, LOCALS(pair pair; char text[64]; outcome got;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "half");
    AWAIT(note_outcome(
        thrum_timeout(MILLISECONDS(2), thrum_stream_read_until(self->pair.stream, self->text, 64, &crlf, 1)),
        &self->got));
    CHECK_EQ(self->got.error, THRUM_ETIMEDOUT);
    peer_send(&self->pair, "\r\n");
    AWAIT(note_outcome(thrum_stream_read_until(self->pair.stream, self->text, 64, &crlf, 1), &self->got));
    CHECK_EQ(self->got.value, 6);
    pair_close(&self->pair);
    ASYNC_END;
}

/* ---- read_line ---- */

NET_TEST(read_line, lines, LOCALS(pair pair; char text[64]; outcome got;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    peer_send(&self->pair, "one\n\nlast");
    shutdown(self->pair.peer, SHUT_WR);
    AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.value, 4);
    CHECK_STR(self->text, "one\n");
    AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->text, 64), &self->got));
    CHECK_STR(self->text, "\n");
    AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.value, 4);
    CHECK_STR(self->text, "last");
    AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.error, 0);
    CHECK_EQ(self->got.value, 0);
    CHECK_STR(self->text, "");
    AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->text, 0), &self->got));
    CHECK_EQ(self->got.error, THRUM_EINVAL);
    pair_close(&self->pair);
    ASYNC_END;
}

/* 118, test_readline_limit_with_existing_data: the long line is gone, the rest of the stream is usable. */
NET_TEST(read_line, over_the_limit, LOCALS(pair pair; char text[64]; outcome got; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        self->pair = self->i ? pair_open() : pair_with(&small);
        peer_send(&self->pair, "a line of more than sixteen bytes\nnext\n");
        AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->text, self->i ? 17 : 64), &self->got));
        CHECK_EQ(self->got.error, THRUM_ELIMIT);
        AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->text, 64), &self->got));
        CHECK_EQ(self->got.error, 0);
        CHECK_STR(self->text, "next\n");
        peer_send(&self->pair, "a line that does not end at once, but");
        AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->text, self->i ? 17 : 64), &self->got));
        CHECK_EQ(self->got.error, THRUM_ELIMIT);
        CHECK_EQ(thrum_stream_buffered(self->pair.stream), 0);
        peer_send(&self->pair, " later\n");
        AWAIT(note_outcome(thrum_stream_read_line(self->pair.stream, self->text, 64), &self->got));
        CHECK_STR(self->text, " later\n");
        pair_close(&self->pair);
    }
    ASYNC_END;
}
