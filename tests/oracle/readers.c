/* Statements of readers: streams that are fed by hand. A newline is written as `/`, no bytes at all as `-`. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 512, MOST_SEPARATORS = 4 };

/* The bytes that a word stands for: gives how many. */
static size_t bytes_of(const char *word, char *to, size_t room)
{
    size_t size = strlen(word);
    if (size > room)
        refuse(0, "too long a text", word);
    for (size_t i = 0; i < size; i++)
        to[i] = word[i] == '/' ? '\n' : word[i];
    return size;
}

static thrum_value text(const char *bytes, size_t size)
{
    char word[ROOM + 1];
    if (!size)
        return result_text("-");
    for (size_t i = 0; i < size; i++)
        word[i] = bytes[i] == '\n' ? '/' : bytes[i];
    word[size] = '\0';
    return result_text(word);
}

int of_reader(const struct statement *s, thrum_stream *reader, thrum_value *value)
{
    char bytes[ROOM];
    switch (s->op) {
    case OP_FEED:
        return thrum_stream_feed_data(reader, bytes, bytes_of(s->words[2], bytes, sizeof bytes));
    case OP_FEED_EOF:
        return thrum_stream_feed_eof(reader);
    case OP_FAIL_READER:
        return thrum_stream_set_error(reader, error_named(s->words[2]));
    case OP_AT_EOF:
        *value = RESULT(thrum_stream_at_eof(reader));
        return 0;
    case OP_BUFFERED:
        *value = RESULT(thrum_stream_buffered(reader));
        return 0;
    default:
        if (thrum_stream_error(reader))
            *value = result_text(error_name(thrum_stream_error(reader)));
        return 0;
    }
}

static thrum_stream *reader_named(const char *name)
{
    return program_object(&oracle.program, name)->as.reader.stream;
}

/* What a statement waits for; separators lie in memory of the caller's. */
static thrum_awaitable what_reads(const struct statement *s, char *to, size_t room, thrum_slice *separators,
                                  char *words)
{
    switch (s->op) {
    case OP_READ:
        return thrum_stream_read(reader_named(s->words[1]), to, (size_t)atoi(s->words[2]));
    case OP_READ_EXACTLY:
        return thrum_stream_read_exactly(reader_named(s->words[1]), to, (size_t)atoi(s->words[2]));
    case OP_READ_LINE:
        return thrum_stream_read_line(reader_named(s->words[1]), to, room);
    case OP_WAIT_FOR_READ:
        return thrum_timeout(MICROSECONDS(atoi(s->words[1])),
                             thrum_stream_read(reader_named(s->words[2]), to, (size_t)atoi(s->words[3])));
    default:
        for (int i = 2; i < s->count; i++) {
            separators[i - 2] = (thrum_slice){words, bytes_of(s->words[i], words, ROOM / MOST_SEPARATORS)};
            words += separators[i - 2].size;
        }
        return thrum_stream_read_until(reader_named(s->words[1]), to, room, separators, (size_t)s->count - 2);
    }
}

/* Where an error says how much, that is a line of the trace, too: the bytes before the end, or how far one may skip. */
ASYNC(reading, ARGS((struct run *, run), (const struct statement *, here)),
      LOCALS(char bytes[ROOM]; char words[ROOM]; thrum_slice separators[MOST_SEPARATORS]; size_t n; int error;))
{
    const thrum_error *detail;
    ASYNC_BEGIN;
    if (self->here->op == OP_READ_UNTIL && self->here->count > MOST_SEPARATORS + 2)
        refuse(self->here->line, "too many separators", "read_until");
    AWAIT_CATCH_ALL_INTO(self->error, self->n,
                         what_reads(self->here, self->bytes, sizeof self->bytes, self->separators, self->words));
    detail = thrum_error_last();
    if (self->error == THRUM_EINCOMPLETE)
        note(self->run, self->here->line, 0, text(self->bytes, (size_t)detail->number));
    if (self->error == THRUM_ELIMIT && self->here->op == OP_READ_UNTIL)
        note(self->run, self->here->line, 0, RESULT(detail->number));
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(text(self->bytes, self->n));
    ASYNC_END;
}

ASYNC(lines, ARGS((struct run *, run), (const struct statement *, here)),
      LOCALS(thrum_iteration each; char line[ROOM]; size_t n; int left; thrum_value result;))
{
    ASYNC_BEGIN;
    self->left = atoi(self->here->words[2]);
    ASYNC_FOR (self->n, self->each,
               thrum_stream_lines(reader_named(self->here->words[1]), self->line, sizeof self->line)) {
        note(self->run, self->here->line, 0, text(self->line, self->n));
        AWAIT_INTO(self->result, block(self->run, self->here->body));
        if (self->result && self->result != BROKE)
            ASYNC_RETURN(self->result);
        if (self->result || --self->left == 0)
            break;
    }
    ASYNC_END;
}
