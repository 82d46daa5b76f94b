/* Reading: what all reading operations share, and read, read_exactly, fill. */
#include "net/stream_feed.h"
#include "net/stream_output.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "core/inlining.h"
#include "core/operations.h"
#include "core/ready.h"
#include "core/state.h"

/* Reads below this go through the stream's buffer, so that many small ones cost one system call; and so much may one
 * stream take in a row before it waits for the loop's poll like the others. */
enum { DIRECT_READ = 1024, BURST = 256 * 1024 };

/* ---- shared ---- */

void stream_readable(thrum_io *io)
{
    thrum_stream *stream = thrum_io_of(io, thrum_stream, in);
    thrum_task *reader = stream->reader;
    thrum_state *state = thrum_state_here();
    if (THRUM_LIKELY_(reader && reader->waiter.node.state == NODE_PARKED && is_usual(state)))
        wake_parked(state, reader, 0, 0); /* as thrum_wake(), which looks at more */
    else if (reader)
        thrum_wake(&reader->waiter, 0, 0);
    else if (stream_over(stream))
        tls_readable(stream->above);
    else
        stream_unwatch(stream);
}

void stream_wake_reader(thrum_stream *stream)
{
    if (stream->reader)
        thrum_wake(&stream->reader->waiter, 0, 0);
}

int stream_may_read(thrum_stream *stream)
{
    if (stream->reader)
        return THRUM_EBUSY;
    if (stream->flags & STREAM_LENT) {
        stream->flags &= ~(uint32_t)STREAM_LENT;
        buffer_trim(&stream->input);
    }
    return (stream->flags & (STREAM_CLOSING | STREAM_ENDED_BY_SERVER)) == STREAM_CLOSING ? THRUM_ECLOSED : 0;
}

thrum_step stream_park_reader(thrum_stream *stream, thrum_task *task)
{
    stream->reader = task;
    stream->burst = 0;
    stream_flush_collected();
    if (!stream->in.started)
        stream_watch(stream);
    return parked(task);
}

thrum_step stream_read_done(thrum_stream *stream, thrum_task *task, int error, size_t value)
{
    stream->reader = NULL;
    return done(thrum_state_here(), task, error, (thrum_value)value);
}

thrum_cancel_result stream_read_cancel(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    if (stream) {
        stream->reader = NULL;
        buffer_trim(&stream->input);
    }
    return THRUM_DETACHED;
}

/* recv() gave no bytes. */
long stream_receive_rest(thrum_stream *stream, void *to, size_t size, long got)
{
    while (got < 0 && errno == EINTR)
        got = (long)recv(stream->in.descriptor, to, size, 0);
    stream->flags &= ~(uint32_t)STREAM_TRY_FIRST;
    if (got > 0) {
        stream->burst += (unsigned)got;
        return got;
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return STREAM_AGAIN;
    stream->read_error = got < 0 ? -errno : 0;
    stream->flags |= STREAM_INPUT_ENDED;
    thrum_io_stop(&stream->in);
    stream_lost(stream);
    return stream->read_error;
}

long stream_receive_buffered(thrum_stream *stream, size_t size)
{
    if (THRUM_UNLIKELY_(stream->flags & STREAM_FED))
        return stream_fed_more(stream);
    if (!stream->input && size < BUFFER_FIRST)
        size = BUFFER_FIRST;
    if (!buffer_reserve(&stream->input, size))
        return THRUM_ENOMEM;
    net_buffer *input = stream->input;
    long got = stream_receive(stream, input->bytes + input->tail, buffer_room(input));
    if (got > 0)
        input->tail += (size_t)got;
    else
        buffer_trim(&stream->input);
    return got;
}

size_t stream_take(thrum_stream *stream, void *to, size_t size)
{
    size_t held = buffer_size(stream->input);
    if (held < size)
        size = held;
    if (size) {
        memcpy(to, buffer_data(stream->input), size);
        buffer_skip(stream->input, size);
        buffer_trim(&stream->input);
    }
    return size;
}

bool stream_try_again(const thrum_stream *stream)
{
    return stream->flags & (STREAM_INPUT_ENDED | STREAM_CLOSING | STREAM_FED) ||
           (stream->flags & STREAM_TRY_FIRST && stream->burst < BURST);
}

/* ---- read ---- */

/* recv() gave nothing, or a small read goes through the stream's buffer. */
static THRUM_COLD_ thrum_step read_otherwise(thrum_stream *stream, thrum_task *task, long got)
{
    stream_request *request = &stream->request;
    if (request->size < DIRECT_READ) {
        got = stream_receive_buffered(stream, request->size);
        if (got > 0)
            got = (long)stream_take(stream, request->to, request->size);
    }
    if (got >= 0)
        return stream_read_done(stream, task, 0, (size_t)got);
    if (got == STREAM_AGAIN)
        return stream_park_reader(stream, task);
    return stream_read_done(stream, task, stream_fail(stream, (int)got, "read", 0), 0);
}

static thrum_step read_attempt(thrum_stream *stream, thrum_task *task)
{
    long got = 0;
    if (THRUM_LIKELY_(stream->request.size >= DIRECT_READ) || stream->flags & STREAM_FED) {
        got = stream_receive(stream, stream->request.to, stream->request.size);
        if (THRUM_LIKELY_(got > 0))
            return stream_read_done(stream, task, 0, (size_t)got);
    }
    return read_otherwise(stream, task, got);
}

/* Not simply waiting for the first bytes. */
static THRUM_COLD_ thrum_step read_start_otherwise(thrum_stream *stream, thrum_task *task)
{
    size_t taken = stream_take(stream, stream->request.to, stream->request.size);
    if (taken || !stream->request.size)
        return thrum_done(task, 0, (thrum_value)taken);
    return stream_try_again(stream) ? read_attempt(stream, task) : stream_park_reader(stream, task);
}

static thrum_step read_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    int error = stream->reader || stream->flags & (STREAM_LENT | STREAM_CLOSING) ? stream_may_read(stream) : 0;
    if (THRUM_UNLIKELY_(error))
        return thrum_done(task, error, 0);
    stream->request.to = (char *)(intptr_t)record->a;
    stream->request.size = (size_t)record->b;
    if (THRUM_UNLIKELY_(stream->input || !stream->request.size ||
                        stream->flags & (STREAM_TRY_FIRST | STREAM_INPUT_ENDED | STREAM_CLOSING | STREAM_FED)))
        return read_start_otherwise(stream, task);
    return stream_park_reader(stream, task);
}

static thrum_step read_resume(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    if (THRUM_UNLIKELY_(!stream))
        return thrum_done(task, THRUM_ECLOSED, 0);
    return read_attempt(stream, task);
}

static const thrum_operations read_operations = {read_start, read_resume,   stream_read_cancel,
                                                 NULL,       "stream read", NULL};

thrum_awaitable thrum_stream_read(thrum_stream *stream, void *buffer, size_t size)
{
    return thrum_awaitable_make(&read_operations, stream, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}

/* ---- read_exactly ---- */

static thrum_step exactly_attempt(thrum_stream *stream, thrum_task *task)
{
    stream_request *request = &stream->request;
    if (THRUM_UNLIKELY_(stream->flags & STREAM_FED))
        return stream_fed_exactly(stream, task);
    while (request->done < request->size) {
        size_t rest = request->size - request->done;
        char *to = request->to + request->done;
        long got;
        if (rest >= DIRECT_READ) {
            got = stream_receive(stream, to, rest);
        } else {
            got = stream_receive_buffered(stream, rest);
            if (got > 0)
                got = (long)stream_take(stream, to, rest);
        }
        if (got == STREAM_AGAIN)
            return stream_park_reader(stream, task);
        if (got <= 0) {
            int error = got ? (int)got : THRUM_EINCOMPLETE;
            return stream_read_done(stream, task, stream_fail(stream, error, "read_exactly", request->done), 0);
        }
        request->done += (size_t)got;
        if (request->done < request->size && !stream_try_again(stream))
            return stream_park_reader(stream, task);
    }
    return stream_read_done(stream, task, 0, request->size);
}

static thrum_step exactly_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    stream_request *request = &stream->request;
    int error = stream_may_read(stream);
    if (error)
        return thrum_done(task, error, 0);
    request->to = (char *)(intptr_t)record->a;
    request->size = (size_t)record->b;
    if (THRUM_UNLIKELY_(stream->flags & STREAM_FED))
        return stream_fed_exactly(stream, task);
    request->done = stream_take(stream, request->to, request->size);
    if (request->done == request->size)
        return thrum_done(task, 0, (thrum_value)request->size);
    return stream_try_again(stream) ? exactly_attempt(stream, task) : stream_park_reader(stream, task);
}

static thrum_step exactly_resume(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    if (stream)
        return exactly_attempt(stream, task);
    int error = task->waiter.node.error ? (int)task->waiter.node.error : THRUM_ECLOSED;
    return thrum_done(task, thrum_error_set(error, 0, "read_exactly", task->waiter.as.value, NULL), 0);
}

/* What was taken goes back, as far as the limit allows, so that the stream goes on where the caller's buffer ends. */
static thrum_cancel_result exactly_cancel(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    if (!stream)
        return THRUM_DETACHED;
    const stream_request *request = &stream->request;
    size_t taken = request->done, back = taken < stream->settings->limit ? taken : stream->settings->limit;
    if (buffer_prepend(&stream->input, request->to + taken - back, back))
        taken -= back;
    stream->reader = NULL;
    stream_wake_without(task, THRUM_ECANCELED, taken);
    return THRUM_FORWARDED; /* to exactly_resume(), which says how many */
}

static const thrum_operations exactly_operations = {exactly_start, exactly_resume,        exactly_cancel,
                                                    NULL,          "stream read_exactly", NULL};

thrum_awaitable thrum_stream_read_exactly(thrum_stream *stream, void *buffer, size_t size)
{
    return thrum_awaitable_make(&exactly_operations, stream, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}

/* ---- fill ---- */

/* A task that has completed many waits in a row lets others run, between the end of one and what follows it. They may
 * use the memory that is lent: so bytes are lent only when that is at least so many waits away, which leaves
 * combinators around the fill room to end. */
enum { LENDING = 16 };

static thrum_step lend(thrum_stream *stream, thrum_task *task, const void *data, size_t size)
{
    *stream->request.lent = data;
    return stream_read_done(stream, task, 0, size);
}

static thrum_step lend_buffered(thrum_stream *stream, thrum_task *task)
{
    size_t size = buffer_size(stream->input);
    const char *data = size ? buffer_data(stream->input) : "";
    buffer_skip(stream->input, size);
    stream->flags |= STREAM_LENT;
    return lend(stream, task, data, size);
}

/* More than one byte is wanted, or some are here: they are put together in the stream's buffer. */
static thrum_step fill_buffered(thrum_stream *stream, thrum_task *task)
{
    size_t least = stream->request.size;
    for (;;) {
        size_t held = buffer_size(stream->input);
        if (held >= least)
            return lend_buffered(stream, task);
        long got = stream_receive_buffered(stream, least - held);
        if (got == STREAM_AGAIN)
            return stream_park_reader(stream, task);
        if (got < 0 && (!held || got == THRUM_ENOMEM))
            return stream_read_done(stream, task, stream_fail(stream, (int)got, "fill", 0), 0);
        if (got <= 0)
            return lend_buffered(stream, task);
        if (buffer_size(stream->input) < least && !stream_try_again(stream))
            return stream_park_reader(stream, task);
    }
}

static thrum_step fill_attempt(thrum_stream *stream, thrum_task *task)
{
    if (stream->input || stream->request.size > 1)
        return fill_buffered(stream, task);
    long got = stream_receive(stream, stream_collected.scratch, LOOP_SCRATCH);
    if (THRUM_LIKELY_(got >= 0))
        return lend(stream, task, stream_collected.scratch, (size_t)got);
    if (got == STREAM_AGAIN)
        return stream_park_reader(stream, task);
    return stream_read_done(stream, task, stream_fail(stream, (int)got, "fill", 0), 0);
}

static thrum_step fill_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    size_t least = (size_t)record->b;
    int error = stream->reader || stream->flags & (STREAM_LENT | STREAM_CLOSING) ? stream_may_read(stream) : 0;
    if (!error && (!least || least > stream->settings->limit))
        error = THRUM_EINVAL;
    if (THRUM_UNLIKELY_(error))
        return thrum_done(task, error, 0);
    stream->request.lent = (const void **)(intptr_t)record->a;
    stream->request.size = least;
    if (!stream->input && !stream_try_again(stream))
        return stream_park_reader(stream, task);
    if (THRUM_LIKELY_(thrum_state_here()->budget > LENDING && !stream_collected.lent))
        return fill_attempt(stream, task);
    thrum_step step = stream_park_reader(stream, task);
    thrum_wake(&task->waiter, 0, 0);
    return step;
}

static thrum_step fill_resume(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    return stream ? fill_attempt(stream, task) : thrum_done(task, THRUM_ECLOSED, 0);
}

static const thrum_operations fill_operations = {fill_start, fill_resume,   stream_read_cancel,
                                                 NULL,       "stream fill", NULL};

thrum_awaitable thrum_stream_fill(thrum_stream *stream, const void **data, size_t least)
{
    return thrum_awaitable_make(&fill_operations, stream, (thrum_value)(intptr_t)data, (thrum_value)least);
}

int thrum_stream_unread(thrum_stream *stream, const void *data, size_t size)
{
    if (stream->reader)
        return THRUM_EBUSY;
    if (stream->flags & STREAM_CLOSING)
        return THRUM_ECLOSED;
    if (!buffer_prepend(&stream->input, data, size))
        return THRUM_ENOMEM;
    if (size)
        stream->flags &= ~(uint32_t)STREAM_LENT;
    return 0;
}
