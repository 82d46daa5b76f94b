/* read_until and read_line: look for a separator in what has come. */
#include "net/stream.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "loop/system.h"

#include "core/state.h"

static const thrum_slice newline = {"\n", 1};

static bool is_line(const stream_request *request)
{
    return request->separators == &newline;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The first separator from `from` on; of several the one that ends first, and of those the shortest. False: none. */
static bool search(const thrum_stream *stream, size_t from, size_t *start, size_t *end)
{
    const stream_request *request = &stream->request;
    const char *data = stream->input ? buffer_data(stream->input) : NULL;
    size_t size = buffer_size(stream->input);
    bool found = false;
    for (unsigned i = 0; i < stream->separators && size > from; i++) {
        const thrum_slice *separator = &request->separators[i];
        const char *at = separator->size == 1
                             ? (const char *)memchr(data + from, *(const char *)separator->data, size - from)
                             : (const char *)system_find(data + from, size - from, separator->data, separator->size);
        if (!at)
            continue;
        size_t begins = (size_t)(at - data), ends = begins + separator->size;
        if (!found || ends < *end || (ends == *end && begins > *start)) {
            *start = begins;
            *end = ends;
            found = true;
        }
    }
    return found;
}

static thrum_step until_done(thrum_stream *stream, thrum_task *task, size_t size)
{
    size_t taken = stream_take(stream, stream->request.to, size);
    if (is_line(&stream->request))
        stream->request.to[taken] = '\0';
    return stream_read_done(stream, task, 0, taken);
}

/* Too long. A line is dropped as far as it is here, up to its end; else everything stays. */
static thrum_step over_limit(thrum_stream *stream, thrum_task *task, size_t number)
{
    if (!is_line(&stream->request))
        return stream_read_done(stream, task, stream_fail(stream, THRUM_ELIMIT, "read_until", number), 0);
    size_t held = buffer_size(stream->input);
    size_t drop = number < held && buffer_data(stream->input)[number] == '\n' ? number + 1 : held;
    buffer_skip(stream->input, drop);
    buffer_trim(&stream->input);
    return stream_read_done(stream, task, stream_fail(stream, THRUM_ELIMIT, "read_line", number), 0);
}

static thrum_step end_of_file(thrum_stream *stream, thrum_task *task)
{
    size_t held = buffer_size(stream->input);
    if (held > stream->request.size)
        return over_limit(stream, task, stream->request.size);
    if (is_line(&stream->request))
        return until_done(stream, task, held);
    size_t taken = stream_take(stream, stream->request.to, held);
    return stream_read_done(stream, task, stream_fail(stream, THRUM_EINCOMPLETE, "read_until", taken), 0);
}

static thrum_step until_attempt(thrum_stream *stream, thrum_task *task, bool received)
{
    stream_request *request = &stream->request;
    size_t limit = smaller(stream->settings->limit, request->size), start = 0, end = 0;
    for (;;) {
        if (received && search(stream, request->scanned, &start, &end)) {
            if (start > stream->settings->limit || end > request->size)
                return over_limit(stream, task, start);
            return until_done(stream, task, end);
        }
        size_t held = buffer_size(stream->input);
        /* A separator may have begun in the last bytes. */
        request->scanned = held + 1 > stream->longest ? held + 1 - stream->longest : 0;
        if (request->scanned > limit)
            return over_limit(stream, task, request->scanned);
        if (received && !stream_try_again(stream))
            return stream_park_reader(stream, task);
        long got = stream_receive_buffered(stream, 1);
        if (got == STREAM_AGAIN)
            return stream_park_reader(stream, task);
        if (got == 0)
            return end_of_file(stream, task);
        if (got < 0) {
            const char *operation = is_line(request) ? "read_line" : "read_until";
            return stream_read_done(stream, task, stream_fail(stream, (int)got, operation, 0), 0);
        }
        received = true;
    }
}

static thrum_step until_begin(thrum_stream *stream, thrum_task *task)
{
    stream_request *request = &stream->request;
    request->scanned = 0;
    stream->longest = 0;
    for (unsigned i = 0; i < stream->separators; i++) {
        size_t size = request->separators[i].size;
        if (!size || size > UINT_MAX)
            return thrum_done(task, THRUM_EINVAL, 0);
        if (size > stream->longest)
            stream->longest = (unsigned)size;
    }
    if (buffer_size(stream->input) || stream_try_again(stream))
        return until_attempt(stream, task, buffer_size(stream->input) != 0);
    return stream_park_reader(stream, task);
}

static thrum_step until_resume(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    return stream ? until_attempt(stream, task, (stream->flags & STREAM_FED) != 0) : thrum_done(task, THRUM_ECLOSED, 0);
}

/* ---- read_until ---- */

/* The arguments are too many for a record: they travel in a block of the pool. */
typedef struct until_arguments {
    thrum_stream *stream;
    char *to;
    size_t size;
    const thrum_slice *separators;
    unsigned count;
} until_arguments;

static void until_free(until_arguments *arguments)
{
    pool_give(&thrum_state_here()->pool, arguments, sizeof *arguments, POOL_OTHER);
}

static void until_drop(thrum_record *record)
{
    until_free((until_arguments *)record->object);
}

static thrum_step until_start(thrum_task *task, thrum_record *record)
{
    until_arguments arguments = *(until_arguments *)record->object;
    until_free((until_arguments *)record->object);
    thrum_stream *stream = arguments.stream;
    int error = stream_may_read(stream);
    if (error)
        return thrum_done(task, error, 0);
    task->object = stream;
    stream->request.to = arguments.to;
    stream->request.size = arguments.size;
    stream->request.separators = arguments.separators;
    stream->separators = arguments.count;
    return until_begin(stream, task);
}

static const thrum_operations until_operations = {until_start, until_resume,        stream_read_cancel,
                                                  until_drop,  "stream read_until", NULL};

thrum_awaitable thrum_stream_read_until(thrum_stream *stream, void *buffer, size_t size, const thrum_slice *separators,
                                        size_t count)
{
    if (!count || count > UINT_MAX)
        return thrum_awaitable_failing(THRUM_EINVAL);
    until_arguments *arguments = (until_arguments *)pool_take(&thrum_state_here()->pool, sizeof *arguments, POOL_OTHER);
    if (!arguments)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    *arguments = (until_arguments){stream, (char *)buffer, size, separators, (unsigned)count};
    return thrum_awaitable_make(&until_operations, arguments, 0, 0);
}

/* ---- read_line ---- */

static thrum_step line_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    int error = stream_may_read(stream);
    if (!error && !record->b)
        error = THRUM_EINVAL;
    if (error)
        return thrum_done(task, error, 0);
    stream->request.to = (char *)(intptr_t)record->a;
    stream->request.size = (size_t)record->b - 1;
    stream->request.separators = &newline;
    stream->separators = 1;
    return until_begin(stream, task);
}

static const thrum_operations line_operations = {line_start, until_resume,       stream_read_cancel,
                                                 NULL,       "stream read_line", NULL};

/* The same until the end of file, where there is no line. */
static thrum_step next_step(thrum_task *task, thrum_step step)
{
    bool over = step.what == THRUM_DONE_ || task->waiter.node.flags & TASK_AS_IS;
    if (over && !task->waiter.node.error && !task->waiter.as.value)
        task->waiter.node.error = THRUM_ESTOP;
    return step;
}

static thrum_step lines_start(thrum_task *task, thrum_record *record)
{
    return next_step(task, line_start(task, record));
}

static thrum_step lines_resume(thrum_task *task)
{
    return next_step(task, until_resume(task));
}

static const thrum_operations lines_operations = {lines_start, lines_resume,   stream_read_cancel,
                                                  NULL,        "stream lines", NULL};

thrum_iterable thrum_stream_lines(thrum_stream *stream, char *buffer, size_t size)
{
    return thrum_iterable_make(&lines_operations, stream, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}

thrum_awaitable thrum_stream_read_line(thrum_stream *stream, char *buffer, size_t size)
{
    return thrum_awaitable_make(&line_operations, stream, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}
