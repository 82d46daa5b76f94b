/* Streams that are fed by hand: read_line and read_until. Numbers are those of tests/net/PORTED.md. */
#include "feeding.h"

/* test_readline, test_readline_nolimit_nowait, test_readline_read_byte_count */
NET_TEST(feed_line, lines, LOCALS(thrum_stream *stream; char text[64]; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->stream = fed(0, "chunk1 ");
    self->task = begin(thrum_stream_read_line(self->stream, self->text, 64), &self->got);
    feed(self->stream, "chunk2 ");
    AWAIT(thrum_yield());
    feed(self->stream, "chunk3 ");
    feed(self->stream, "\n chunk4");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 22);
    CHECK_STR(self->text, "chunk1 chunk2 chunk3 \n");
    AWAIT(left(self->stream, " chunk4"));
    feed(self->stream, "line1\nline2\nline3\n");
    AWAIT(note_outcome(thrum_stream_read_line(self->stream, self->text, 64), &self->got));
    CHECK_STR(self->text, "line1\n");
    AWAIT(note_outcome(thrum_stream_read(self->stream, self->text, 7), &self->got));
    CHECK_MEM(self->text, "line2\nl", 7);
    AWAIT(left(self->stream, "ine3\n"));
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* test_readline_eof, test_readline_empty_eof, and a whole line with the end right behind it */
NET_TEST(feed_line, end_of_file, LOCALS(thrum_stream *stream; char text[64]; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->stream = fed(0, "");
    self->task = begin(thrum_stream_read_line(self->stream, self->text, 64), &self->got);
    feed(self->stream, "whole\nsome data");
    CHECK_EQ(thrum_stream_feed_eof(self->stream), 0);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_STR(self->text, "whole\n");
    AWAIT(note_outcome(thrum_stream_read_line(self->stream, self->text, 64), &self->got));
    CHECK_STR(self->text, "some data");
    AWAIT(note_outcome(thrum_stream_read_line(self->stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.error, 0);
    CHECK_EQ(self->got.value, 0);
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* test_readline_limit, test_readline_limit_with_existing_data, 118 */
NET_TEST(feed_line, over_the_limit, LOCALS(thrum_stream *stream; char text[64]; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->stream = fed(7, "");
    self->task = begin(thrum_stream_read_line(self->stream, self->text, 64), &self->got);
    feed(self->stream, "chunk1");
    feed(self->stream, "chunk2\n");
    feed(self->stream, "chunk3\n");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.error, THRUM_ELIMIT);
    AWAIT(left(self->stream, "chunk3\n"));
    feed(self->stream, "1234567\n");
    AWAIT(note_outcome(thrum_stream_read_line(self->stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.value, 8);
    feed(self->stream, "12345678\n");
    AWAIT(note_outcome(thrum_stream_read_line(self->stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.error, THRUM_ELIMIT);
    AWAIT(left(self->stream, ""));
    feed(self->stream, "1234"); /* no newline: all of it goes */
    feed(self->stream, "5678");
    AWAIT(note_outcome(thrum_stream_read_line(self->stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.error, THRUM_ELIMIT);
    AWAIT(left(self->stream, ""));
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* A line far beyond the limit that came in one piece is dropped with its newline, however buffers grew. */
NET_TEST(feed_line, long_one_in_one_piece, LOCALS(thrum_stream *stream; char text[64], *line; outcome got;))
{
    enum { SIZE = 100000 };
    ASYNC_BEGIN;
    self->stream = fed(0, "x");
    self->line = (char *)malloc(SIZE);
    memset(self->line, 'x', SIZE);
    self->line[SIZE - 6] = '\n';
    memcpy(self->line + SIZE - 5, "next\n", 5);
    CHECK_EQ(thrum_stream_feed_data(self->stream, self->line, SIZE), 0);
    free(self->line);
    AWAIT(note_outcome(thrum_stream_read_line(self->stream, self->text, 64), &self->got));
    CHECK_EQ(self->got.error, THRUM_ELIMIT);
    AWAIT(left(self->stream, "next\n"));
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* test_pep492: `async for line in reader` */
NET_TEST(feed_line, loop_over_lines,
         LOCALS(thrum_stream *stream; thrum_iteration each; char text[64]; size_t length; int count;))
{
    ASYNC_BEGIN;
    self->stream = fed(0, "a\nb\nc");
    CHECK_EQ(thrum_stream_feed_eof(self->stream), 0);
    ASYNC_FOR (self->length, self->each, thrum_stream_lines(self->stream, self->text, sizeof self->text)) {
        CHECK_EQ(self->text[0], 'a' + self->count);
        CHECK_EQ(self->length, self->count < 2 ? 2 : 1);
        self->count++;
    }
    CHECK_EQ(self->count, 3);
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* ---- read_until ---- */

static const thrum_slice three = {"AAA", 3};

/* 119, test_readuntil_multi_chunks, _1 */
NET_TEST(feed_until, across_pieces, LOCALS(thrum_stream *stream; char text[64]; outcome got; thrum_task * task; int i;))
{
    static const char *const pieces[][3] = {{"lineAAA", "", "xxx"},
                                            {"lineA", "A", "Axxx"},
                                            {"A", "A", "Axxx"},
                                            {"QWEAA", "XYAA", "Axxx"},
                                            {"QWEAA", "XYA", "AAxxx"}};
    static const char *const wanted[] = {"lineAAA", "lineAAA", "AAA", "QWEAAXYAAA", "QWEAAXYAAA"};
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 10; self->i++) {
        self->stream = fed(0, pieces[self->i / 2][0]);
        self->task = begin(thrum_stream_read_until(self->stream, self->text, 64, &three, 1), &self->got);
        feed(self->stream, pieces[self->i / 2][1]);
        if (self->i % 2) {
            AWAIT(thrum_yield());
            AWAIT(thrum_yield());
        }
        feed(self->stream, pieces[self->i / 2][2]);
        AWAIT(self->task);
        thrum_task_release(self->task);
        CHECK_EQ(self->got.value, strlen(wanted[self->i / 2]));
        CHECK_MEM(self->text, wanted[self->i / 2], strlen(wanted[self->i / 2]));
        AWAIT(left(self->stream, "xxx"));
        thrum_stream_release(self->stream);
    }
    ASYNC_END;
}

/* 120, test_readuntil_eof; and a separator that came with the end */
NET_TEST(feed_until, end_of_file, LOCALS(thrum_stream *stream; char text[64]; outcome got; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->stream = fed(0, "");
    self->task = begin(thrum_stream_read_until(self->stream, self->text, 64, &three, 1), &self->got);
    feed(self->stream, "oneAAAsome dataAA");
    CHECK_EQ(thrum_stream_feed_eof(self->stream), 0);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->got.value, 6);
    AWAIT(note_outcome(thrum_stream_read_until(self->stream, self->text, 64, &three, 1), &self->got));
    CHECK_EQ(self->got.error, THRUM_EINCOMPLETE);
    CHECK_EQ(self->got.number, 11);
    CHECK_MEM(self->text, "some dataAA", 11);
    AWAIT(left(self->stream, ""));
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* test_readuntil_limit, test_readuntil_limit_found_sep: everything stays. */
NET_TEST(feed_until, over_the_limit, LOCALS(thrum_stream *stream; char text[64]; outcome got;))
{
    ASYNC_BEGIN;
    self->stream = fed(3, "some dataAA");
    AWAIT(note_outcome(thrum_stream_read_until(self->stream, self->text, 64, &three, 1), &self->got));
    CHECK_EQ(self->got.error, THRUM_ELIMIT);
    CHECK_EQ(self->got.number, 9);
    CHECK_EQ(thrum_stream_buffered(self->stream), 11);
    feed(self->stream, "A");
    AWAIT(note_outcome(thrum_stream_read_until(self->stream, self->text, 64, &three, 1), &self->got));
    CHECK_EQ(self->got.error, THRUM_ELIMIT);
    CHECK_EQ(self->got.number, 9);
    AWAIT(left(self->stream, "some dataAAA"));
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* test_readuntil_multi_separator, _limit, _negative_offset: the one that ends first, and of those the shortest, which
 * is what the limit counts up to. */
NET_TEST(feed_until, several_separators, LOCALS(thrum_stream *stream; char text[64]; outcome got; thrum_task * task;))
{
    static const thrum_slice ends[] = {{"\r", 1}, {"\n", 1}}, nested[] = {{"DEF", 3}, {"BCDE", 4}},
                             alike[] = {{"ome dataA", 9}, {"A", 1}}, unlike[] = {{"A", 1}, {"long sep", 8}};
    ASYNC_BEGIN;
    self->stream = fed(0, "line 1\nline 2\r");
    AWAIT(note_outcome(thrum_stream_read_until(self->stream, self->text, 64, ends, 2), &self->got));
    CHECK_MEM(self->text, "line 1\n", 7);
    AWAIT(note_outcome(thrum_stream_read_until(self->stream, self->text, 64, ends, 2), &self->got));
    CHECK_MEM(self->text, "line 2\r", 7);
    feed(self->stream, "ABCDEFG");
    AWAIT(note_outcome(thrum_stream_read_until(self->stream, self->text, 64, nested, 2), &self->got));
    CHECK_EQ(self->got.value, 5);
    AWAIT(left(self->stream, "FG"));
    feed(self->stream, "data");
    self->task = begin(thrum_stream_read_until(self->stream, self->text, 64, unlike, 2), &self->got);
    feed(self->stream, "Z");
    AWAIT(thrum_yield());
    feed(self->stream, "Aaaa");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_MEM(self->text, "dataZA", 6);
    AWAIT(left(self->stream, "aaa"));
    thrum_stream_release(self->stream);
    self->stream = fed(3, "some dataA");
    AWAIT(note_outcome(thrum_stream_read_until(self->stream, self->text, 64, alike, 2), &self->got));
    CHECK_EQ(self->got.error, THRUM_ELIMIT);
    CHECK_EQ(self->got.number, 9);
    AWAIT(left(self->stream, "some dataA"));
    thrum_stream_release(self->stream);
    ASYNC_END;
}
