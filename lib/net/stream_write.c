/* Writing: write, write_vectors, flush, write_eof, and the marks between which writers wait. */
#include "net/stream_output.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "core/inlining.h"
#include "core/operations.h"
#include "core/state.h"

/* Writes are collected up to this; what is larger is sent at once. */
enum { COLLECTED = LOOP_COLLECTED };

/* Why nothing can be written now, or 0. */
static int refused(thrum_stream *stream)
{
    if (stream->flags & STREAM_CLOSING)
        return THRUM_ECLOSED;
    if (stream->write_error) {
        stream->flags |= STREAM_LOSS_TOLD;
        return stream->write_error;
    }
    return stream->flags & STREAM_WRITE_EOF ? THRUM_ESTATE : 0;
}

/* The same for tasks: what belongs to a transport is not theirs. */
static int refused_here(thrum_stream *stream)
{
    return stream->flags & STREAM_TRANSPORT ? THRUM_EBUSY : refused(stream);
}

static thrum_step refuse(thrum_stream *stream, thrum_task *task, int error, size_t number)
{
    return thrum_done(task, stream_fail(stream, error, "write", number), 0);
}

/* Stand in the queue; `writer` says what is left. False: no memory. */
static bool queue_up(thrum_stream *stream, thrum_task *task, const stream_writer *writer)
{
    stream_writer *parked = (stream_writer *)pool_take(&thrum_state_here()->pool, sizeof *parked, POOL_OTHER);
    if (!parked)
        return false;
    *parked = *writer;
    if (writer->slices == &writer->one)
        parked->slices = &parked->one;
    parked->task = task;
    parked->stream = stream;
    stream_writer_add(parked);
    task->object = parked;
    return true;
}

static thrum_step park(thrum_stream *stream, thrum_task *task, const stream_writer *writer)
{
    int error = stream_await_room(stream);
    if (!error && !queue_up(stream, task, writer))
        error = THRUM_ENOMEM;
    return error ? refuse(stream, task, error, writer->done) : thrum_parked(task);
}

/* Whether bytes that have not left lie in the memory that thrum_stream_fill() lends: they would not stay there while
 * the task waits. */
static bool lent(const stream_writer *writer)
{
    for (size_t i = 0; i < writer->count; i++) {
        uintptr_t at = (uintptr_t)writer->slices[i].data - (uintptr_t)stream_collected.scratch;
        if (at < LOOP_SCRATCH)
            return true;
    }
    return false;
}

/* Send what the kernel takes of it now, while nobody else waits: 1 when that is all, 0 when there is a rest, or the
 * error that broke the output. */
static int send_now(thrum_stream *stream, stream_writer *writer)
{
    for (;;) {
        size_t wanted = stream_pending(stream) + stream_unsent(writer);
        long sent = stream_send(stream, writer->slices, writer->count, writer->offset);
        if (sent == STREAM_AGAIN)
            break;
        if (sent < 0) {
            stream_output_failed(stream, (int)sent);
            return (int)sent;
        }
        bool limited = writer->count >= STREAM_PIECES;
        stream_writer_advance(writer, stream_output_advance(stream, (size_t)sent));
        if ((size_t)sent == wanted) {
            buffer_trim(&stream->output);
            return 1;
        }
        if (!limited)
            break;
    }
    buffer_trim(&stream->output);
    return 0;
}

/* Send what the kernel takes, keep a small rest, wait with a large one. */
static thrum_step write_slices(thrum_stream *stream, thrum_task *task, stream_writer *writer)
{
    if (!stream_awaits_room(stream) && !stream->writers) {
        int sent = send_now(stream, writer);
        if (sent > 0)
            return thrum_done(task, 0, (thrum_value)writer->total);
        if (sent < 0) {
            stream->flags |= STREAM_LOSS_TOLD;
            return refuse(stream, task, sent, writer->done);
        }
    }
    stream_uncollect(stream);
    if (stream->write_error)
        return refuse(stream, task, refused(stream), writer->done);
    size_t rest = stream_unsent(writer);
    if (!stream->writers && buffer_size(stream->output) + rest <= stream->settings->high &&
        !stream_await_room(stream) && stream_keep_rest(stream, writer))
        return thrum_done(task, 0, (thrum_value)writer->total);
    if (lent(writer)) {
        if (stream->writers)
            return refuse(stream, task, THRUM_EBUSY, writer->done);
        if (!stream_keep_rest(stream, writer))
            return refuse(stream, task, THRUM_ENOMEM, writer->done);
    }
    return park(stream, task, writer);
}

THRUM_COLD_ bool stream_collect_otherwise(thrum_stream *stream, const void *data, size_t size)
{
    if (stream->output) {
        if (size + buffer_size(stream->output) > COLLECTED)
            return false;
    } else if (stream_collected.stream == stream) {
        if (size > COLLECTED - stream_collected.size)
            return false;
        memcpy(stream_collected_data() + stream_collected.size, data, size);
        stream_collected.size += size;
        return true;
    }
    return stream_collect_slow(stream, data, size);
}

/* What leaves by TLS is collected until it fills a record. */
enum { RECORD = 16384 };

static bool collect_record(thrum_stream *stream, const void *data, size_t size)
{
    size_t all = stream_pending(stream) + size;
    if (size >= RECORD || all > RECORD || stream_awaits_room(stream) || stream->writers ||
        !buffer_reserve(&stream->output, all))
        return false;
    stream_uncollect(stream);
    return stream_collect_slow(stream, data, size);
}

/* A large write, or one that has to wait. */
static THRUM_COLD_ thrum_step write_one(thrum_stream *stream, thrum_task *task, const void *data, size_t size)
{
    stream_writer writer;
    if (stream->flags & STREAM_TLS && collect_record(stream, data, size))
        return thrum_done(task, 0, (thrum_value)size);
    memset(&writer, 0, sizeof writer);
    writer.one.data = data;
    writer.one.size = writer.total = size;
    writer.slices = &writer.one;
    writer.count = 1;
    return write_slices(stream, task, &writer);
}

static thrum_step write_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    const void *data = (const void *)(intptr_t)record->a;
    size_t size = (size_t)record->b;
    if (THRUM_UNLIKELY_(stream->flags & (STREAM_CLOSING | STREAM_WRITE_EOF | STREAM_TRANSPORT) || stream->write_error))
        return refuse(stream, task, refused_here(stream), 0);
    if (!size || (size <= COLLECTED && stream_collect(stream, data, size)))
        return done(thrum_state_here(), task, 0, (thrum_value)size);
    return write_one(stream, task, data, size);
}

/* Write what is not simply collected, and keep what does not leave. */
static THRUM_COLD_ int put(thrum_stream *stream, stream_writer *writer)
{
    if (!stream_awaits_room(stream)) {
        int sent = send_now(stream, writer);
        if (sent)
            return sent < 0 ? sent : 0;
    }
    stream_uncollect(stream);
    if (stream->write_error)
        return stream->write_error;
    int error = stream_await_room(stream);
    if (!error && !stream_keep_rest(stream, writer))
        error = THRUM_ENOMEM;
    if (error)
        stream_output_failed(stream, error);
    return error;
}

int stream_put(thrum_stream *stream, const void *data, size_t size)
{
    if (size <= COLLECTED && stream_collect(stream, data, size))
        return 0;
    if (stream->flags & STREAM_TLS && collect_record(stream, data, size))
        return 0;
    stream_writer writer;
    memset(&writer, 0, sizeof writer);
    writer.one.data = data;
    writer.one.size = writer.total = size;
    writer.slices = &writer.one;
    writer.count = 1;
    return put(stream, &writer);
}

/* The first slice is done. */
static void writer_skip(stream_writer *writer)
{
    writer->done += writer->slices->size;
    writer->slices++;
    writer->count--;
}

/* Leave pieces that are small together to be sent with others; false: some are left. */
static bool collect_slices(thrum_stream *stream, stream_writer *writer)
{
    if (writer->total + stream_pending(stream) > COLLECTED || stream->writers)
        return false;
    while (writer->count) {
        if (writer->slices->size && !stream_collect(stream, writer->slices->data, writer->slices->size))
            return false;
        writer_skip(writer);
    }
    return true;
}

static void writer_of(stream_writer *writer, const thrum_slice *slices, size_t count)
{
    memset(writer, 0, sizeof *writer);
    writer->slices = slices;
    writer->count = count;
    for (size_t i = 0; i < count; i++)
        writer->total += slices[i].size;
}

int stream_put_slices(thrum_stream *stream, const thrum_slice *slices, size_t count)
{
    stream_writer writer;
    writer_of(&writer, slices, count);
    return !writer.total || collect_slices(stream, &writer) ? 0 : put(stream, &writer);
}

static thrum_step vectors_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    int error = refused_here(stream);
    stream_writer writer;
    if (error)
        return refuse(stream, task, error, 0);
    writer_of(&writer, (const thrum_slice *)(intptr_t)record->a, (size_t)record->b);
    if (!writer.total || collect_slices(stream, &writer))
        return thrum_done(task, 0, (thrum_value)writer.total);
    return write_slices(stream, task, &writer);
}

static thrum_step write_resume(thrum_task *task)
{
    stream_writer *writer = (stream_writer *)task->object;
    if (!writer) {
        int error = (int)task->waiter.node.error;
        thrum_value number = task->waiter.as.value;
        return thrum_done(task, error ? thrum_error_set(error, 0, "write", number, NULL) : 0, number);
    }
    thrum_stream *stream = writer->stream;
    writer->running = true;
    stream_pump(stream);
    if (!writer->over) {
        writer->running = false;
        return thrum_parked(task);
    }
    int error = writer->error;
    size_t number = writer->done, total = writer->total;
    pool_give(&thrum_state_here()->pool, writer, sizeof *writer, POOL_OTHER);
    return error ? refuse(stream, task, error, number) : thrum_done(task, 0, (thrum_value)total);
}

static thrum_cancel_result write_cancel(thrum_task *task)
{
    stream_writer *writer = (stream_writer *)task->object;
    size_t number = (size_t)task->waiter.as.value;
    if (writer) {
        number = writer->done;
        stream_writer_remove(writer);
        pool_give(&thrum_state_here()->pool, writer, sizeof *writer, POOL_OTHER);
    }
    stream_wake_without(task, THRUM_ECANCELED, number);
    return THRUM_FORWARDED; /* to write_resume(), which says how many */
}

static const thrum_operations write_operations = {write_start, write_resume, write_cancel, NULL, "stream write", NULL};
static const thrum_operations vectors_operations = {vectors_start, write_resume,           write_cancel,
                                                    NULL,          "stream write_vectors", NULL};

thrum_awaitable thrum_stream_write(thrum_stream *stream, const void *buffer, size_t size)
{
    return thrum_awaitable_make(&write_operations, stream, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}

thrum_awaitable thrum_stream_write_vectors(thrum_stream *stream, const thrum_slice *slices, size_t count)
{
    return thrum_awaitable_make(&vectors_operations, stream, (thrum_value)(intptr_t)slices, (thrum_value)count);
}

/* ---- a file ---- */

static thrum_step file_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    stream_file *file = (stream_file *)(intptr_t)record->a;
    stream_writer writer;
    int error = file->of_transport ? refused(stream) : refused_here(stream);
    if (error)
        return refuse(stream, task, error, 0);
    memset(&writer, 0, sizeof writer);
    writer.file = file;
    writer.total = writer.file->count;
    uint8_t running = task->waiter.node.state;
    if (!queue_up(stream, task, &writer))
        return refuse(stream, task, THRUM_ENOMEM, 0);
    (void)thrum_parked(task);
    task->waiter.node.state = running; /* it may not wait at all */
    return write_resume(task);
}

static const thrum_operations file_operations = {file_start, write_resume, write_cancel, NULL, "stream sendfile", NULL};

thrum_awaitable stream_write_file(thrum_stream *stream, stream_file *file)
{
    return thrum_awaitable_make(&file_operations, stream, (thrum_value)(intptr_t)file, 0);
}

/* ---- flush ---- */

static thrum_step flush_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    stream_writer writer;
    if (!(stream->flags & STREAM_CLOSING) && !stream->write_error) {
        if (stream_awaits_room(stream))
            stream_uncollect(stream);
        else
            stream_pump(stream);
    }
    int error = refused_here(stream);
    if (error && error != THRUM_ESTATE)
        return refuse(stream, task, error, 0);
    if (!stream->output && !stream->writers && !stream_below(stream))
        return thrum_done(task, 0, 0);
    memset(&writer, 0, sizeof writer);
    return park(stream, task, &writer);
}

static const thrum_operations flush_operations = {flush_start, write_resume, write_cancel, NULL, "stream flush", NULL};

thrum_awaitable thrum_stream_flush(thrum_stream *stream)
{
    return thrum_awaitable_make(&flush_operations, stream, 0, 0);
}

/* ---- the rest ---- */

int thrum_stream_write_eof(thrum_stream *stream)
{
    int error = refused_here(stream);
    if (error)
        return error == THRUM_ESTATE ? 0 : error;
    stream->flags |= STREAM_WRITE_EOF;
    if (!stream_awaits_room(stream))
        stream_pump(stream);
    return 0;
}

bool thrum_stream_can_write_eof(const thrum_stream *stream)
{
    return !(stream->flags & (STREAM_TLS | STREAM_FED));
}

THRUM_COLD_ size_t stream_below_tls(const thrum_stream *stream)
{
    return stream_link(stream) ? thrum_stream_unsent(((const stream_above *)stream_link(stream))->inner) : 0;
}

size_t thrum_stream_unsent(const thrum_stream *stream)
{
    size_t size = stream_pending(stream) + stream_below(stream);
    const stream_writer *writer = stream->writers;
    if (writer)
        do
            size += stream_unsent(writer);
        while ((writer = writer->next) != stream->writers);
    return size;
}

int thrum_stream_set_write_limits(thrum_stream *stream, size_t high, size_t low)
{
    if (low > high)
        return THRUM_EINVAL;
    return stream_settings_change(stream, high, low, stream->settings->close_deadline);
}

void thrum_stream_write_limits(const thrum_stream *stream, size_t *high, size_t *low)
{
    if (high)
        *high = stream->settings->high;
    if (low)
        *low = stream->settings->low;
}
