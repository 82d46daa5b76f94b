/* Fuzzes what finds the ends of lines and separators in a stream (thrum_stream_read_line, _read_until, _read_exactly,
 * _unread): a task feeds the input in pieces, another reads it, and each result is held against what stands in the
 * input.
 *
 * Of the input, every fourth byte says what is done, and the others are the bytes of the stream. */
#include "fuzz.h"

enum { ROOM = 4096, LIMITS = 4 };

static struct {
    const unsigned char *steps, *bytes;
    size_t step_count, step, size, fed, at; /* `at`: what was read, or dropped, so far */
    thrum_stream *stream;
    thrum_slice separators[3];
    size_t separator_count, limit;
    unsigned char room[ROOM + 1];
} now;

static unsigned next_step(void)
{
    return now.step_count ? now.steps[now.step++ % now.step_count] : 0;
}

/* ---- what must be found ---- */

/* Where the shortest piece from `now.at` on ends that has a separator at its end; SIZE_MAX when there is none. */
static size_t shortest(const thrum_slice *separators, size_t count)
{
    for (size_t end = now.at + 1; end <= now.size; end++)
        for (size_t i = 0; i < count; i++)
            if (separators[i].size <= end - now.at &&
                !memcmp(now.bytes + end - separators[i].size, separators[i].data, separators[i].size))
                return end;
    return SIZE_MAX;
}

/* Of the separators that end there the shortest one counts: where it begins. */
static size_t last_start(size_t end)
{
    size_t start = 0;
    for (size_t i = 0; i < now.separator_count; i++) {
        size_t length = now.separators[i].size;
        if (length <= end - now.at && !memcmp(now.bytes + end - length, now.separators[i].data, length) &&
            end - length > start)
            start = end - length;
    }
    return start;
}

/* Whether a separator, or the part of it that has come, begins at what is next. */
static bool starts_here(void)
{
    for (size_t i = 0; i < now.separator_count; i++) {
        size_t length = now.separators[i].size, come = now.fed - now.at;
        if (!memcmp(now.bytes + now.at, now.separators[i].data, length < come ? length : come))
            return true;
    }
    return false;
}

static void took(size_t size)
{
    MUST(size <= now.fed - now.at);
    MUST(!memcmp(now.room, now.bytes + now.at, size));
    now.at += size;
}

/* ---- one reading call each ---- */

static ASYNC(until, ARGS_NONE, LOCALS(size_t got; int error; int64_t number; size_t room;))
{
    ASYNC_BEGIN;
    self->room = next_step() & 1 ? ROOM : 1 + next_step();
    AWAIT_CATCH_INTO(self->error, self->got,
                     thrum_stream_read_until(now.stream, now.room, self->room, now.separators, now.separator_count));
    self->number = self->error ? thrum_error_last()->number : 0;
    size_t end = shortest(now.separators, now.separator_count);
    if (!self->error) {
        MUST(now.at + self->got == end);
        MUST(self->got <= self->room);
        took(self->got);
        ASYNC_RETURN(0);
    }
    if (self->error == THRUM_EINCOMPLETE) {
        MUST(end == SIZE_MAX && now.fed == now.size);
        MUST((size_t)self->number == now.size - now.at);
        took((size_t)self->number);
        ASYNC_RETURN(0);
    }
    /* So much can be read away, and the separator is still found. It is nothing when the separator alone is too
     * long. */
    MUST(self->error == THRUM_ELIMIT && self->number >= 0 && (size_t)self->number <= now.fed - now.at);
    MUST(self->number || starts_here());
    MUST(end == SIZE_MAX || now.at + (size_t)self->number <= last_start(end));
    self->number = self->number < 1 ? 1 : self->number < ROOM ? self->number : ROOM;
    AWAIT_INTO(self->got, thrum_stream_read_exactly(now.stream, now.room, (size_t)self->number));
    took(self->got);
    ASYNC_END;
}

static ASYNC(line, ARGS_NONE, LOCALS(size_t got; int error; size_t room;))
{
    const thrum_slice newline = {"\n", 1};
    ASYNC_BEGIN;
    self->room = next_step() & 1 ? ROOM : 2 + next_step();
    AWAIT_CATCH_INTO(self->error, self->got, thrum_stream_read_line(now.stream, (char *)now.room, self->room));
    size_t end = shortest(&newline, 1), held = thrum_stream_buffered(now.stream);
    if (self->error) {
        /* What was dropped ends with the newline, where that had come. */
        MUST(self->error == THRUM_ELIMIT);
        MUST(now.fed - held > now.at && now.fed - held <= end);
        now.at = now.fed - held;
    } else {
        MUST(now.at + self->got == (end == SIZE_MAX ? now.size : end));
        MUST(now.room[self->got] == '\0');
        took(self->got);
    }
    ASYNC_END;
}

static ASYNC(exactly, ARGS_NONE, LOCALS(size_t got, size; int error; int64_t number;))
{
    ASYNC_BEGIN;
    self->size = next_step() & 1 ? next_step() : 1 + next_step() * 16u;
    AWAIT_CATCH_INTO(self->error, self->got, thrum_stream_read_exactly(now.stream, now.room, self->size));
    self->number = self->error ? thrum_error_last()->number : 0;
    if (self->error) {
        MUST(self->error == THRUM_EINCOMPLETE && now.fed == now.size);
        MUST((size_t)self->number == now.size - now.at && (size_t)self->number < self->size);
        took((size_t)self->number);
    } else {
        MUST(self->got == self->size);
        took(self->got);
    }
    ASYNC_END;
}

static ASYNC(some, ARGS_NONE, LOCALS(size_t got, back;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->got, thrum_stream_read(now.stream, now.room, 1 + next_step()));
    took(self->got);
    self->back = next_step();
    if (self->back < self->got) {
        MUST(!thrum_stream_unread(now.stream, now.room + self->got - self->back, self->back));
        now.at -= self->back;
    }
    ASYNC_END;
}

/* ---- both tasks ---- */

static ASYNC(feed, ARGS_NONE, LOCALS(size_t size;))
{
    ASYNC_BEGIN;
    while (now.fed < now.size) {
        self->size = 1 + (next_step() & 1 ? next_step() % 8u : next_step() * 4u);
        if (self->size > now.size - now.fed)
            self->size = now.size - now.fed;
        MUST(!thrum_stream_feed_data(now.stream, now.bytes + now.fed, self->size));
        now.fed += self->size;
        AWAIT(thrum_yield());
    }
    MUST(!thrum_stream_feed_eof(now.stream));
    ASYNC_END;
}

static ASYNC(take, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (!thrum_stream_at_eof(now.stream)) {
        unsigned how = next_step() % 4;
        AWAIT(how == 0 ? until() : how == 1 ? line() : how == 2 ? exactly() : some());
        MUST(now.at + thrum_stream_buffered(now.stream) == now.fed);
    }
    MUST(now.at == now.size);
    ASYNC_END;
}

static ASYNC(both, ARGS_NONE, LOCALS_NONE)
{
    static const size_t limits[LIMITS] = {16, 100, 1000, 0};
    thrum_stream_options options = {.size = sizeof options};
    ASYNC_BEGIN;
    options.limit = now.limit = limits[next_step() % LIMITS];
    MUST(!thrum_stream_fed(&now.stream, &options));
    AWAIT(thrum_gather(NULL, take(), feed()));
FINALLY:
    thrum_stream_release(now.stream);
    ASYNC_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const thrum_slice all[] = {{"\r\n", 2}, {"\n\n\n", 3}, {"ab", 2}, {"abab", 4}, {"\n", 1}, {"x", 1}};
    size_t quarter = size / 4;
    now.steps = data;
    now.step_count = quarter;
    now.step = now.fed = now.at = 0;
    now.bytes = data + quarter;
    now.size = size - quarter;
    now.separator_count = 1 + next_step() % 3;
    for (size_t i = 0; i < now.separator_count; i++)
        now.separators[i] = all[(next_step() + i) % (sizeof all / sizeof all[0])];
    return fuzz_run(both());
}
