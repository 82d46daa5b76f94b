/* Writing, and the end. A write goes into the ring as far as there is room; who has more than that waits in line, and
 * goes on when the device has taken most of what is there. */
#include "net/bare/stream.h"

#include "core/memory.h"

/* ---- the ring ---- */

static size_t put(thrum_serial_ring *ring, const uint8_t *data, size_t size)
{
    size_t room = ring_capacity(ring) - ring_held(ring);
    if (size > room)
        size = room;
    thrum_serial_index tail = ring->tail;
    for (size_t i = 0; i < size; i++) {
        ring->memory[tail] = data[i];
        tail = ring_after(ring, tail);
    }
    ring->tail = tail; /* now an interrupt may take them */
    return size;
}

/* Put what there is room for; true when that is all. */
static bool put_slices(thrum_serial_ring *ring, thrum_serial_writer *writer)
{
    for (; writer->count; writer->slices++, writer->count--, writer->offset = 0) {
        const thrum_slice *slice = writer->slices;
        size_t part = put(ring, (const uint8_t *)slice->data + writer->offset, slice->size - writer->offset);
        writer->offset += part;
        writer->done += part;
        if (writer->offset < slice->size)
            return false;
    }
    return true;
}

static void start(thrum_stream *stream)
{
    if (!ring_held(&stream->output))
        return;
    uintptr_t was = mask();
    stream->driver->send(stream);
    unmask(was);
}

/* ---- the line of writers ---- */

/* Take a writer out of the line, and give its memory back. */
static void leave(thrum_serial_writer *writer)
{
    thrum_stream *stream = writer->stream;
    thrum_serial_writer **link = &stream->writers;
    while (*link != writer)
        link = &(*link)->next;
    *link = writer->next;
    if (writer == &stream->first)
        writer->task = NULL;
    else
        pool_give(&thrum_state_here()->pool, writer, sizeof *writer, POOL_OTHER);
}

/* A writer's wait is over: it finds in the wake how, since it has nothing else any more but the stream. */
static void finish(thrum_serial_writer *writer, int error)
{
    thrum_task *task = writer->task;
    size_t done = writer->done;
    task->object = writer->stream;
    leave(writer);
    thrum_wake(&task->waiter, error, (thrum_value)done);
}

void stream_fail_writers(thrum_stream *stream, int error)
{
    while (stream->writers)
        finish(stream->writers, error);
}

/* Those at the head of the line go on whose bytes are all in the ring; a flush, when that is empty. */
static void move(thrum_stream *stream)
{
    thrum_serial_writer *writer;
    while ((writer = stream->writers) != NULL) {
        bool flush = !writer->slices;
        if (flush ? ring_held(&stream->output) != 0 : !put_slices(&stream->output, writer))
            return;
        finish(writer, 0);
    }
}

void stream_pump(thrum_stream *stream)
{
    /* Told first, looked then: an interrupt that drains the ring from here on posts the signal. */
    stream->wants = 1;
    move(stream);
    start(stream);
    if (stream->flags & STREAM_CLOSING && !ring_held(&stream->output))
        stream_shut(stream);
    else if (!stream->writers && !(stream->flags & STREAM_CLOSING))
        stream->wants = 0;
}

static int refused(const thrum_stream *stream)
{
    return stream->flags & STREAM_CLOSING ? THRUM_ECLOSED : stream->flags & STREAM_WRITE_EOF ? THRUM_ESTATE : 0;
}

/* Wait in line. */
static thrum_step park(thrum_stream *stream, thrum_task *task, const thrum_serial_writer *writer)
{
    thrum_serial_writer *parked = &stream->first, **link = &stream->writers;
    if (parked->task)
        parked = (thrum_serial_writer *)pool_take(&thrum_state_here()->pool, sizeof *parked, POOL_OTHER);
    if (!parked)
        return thrum_done(task, stream_fail(stream, THRUM_ENOMEM, "write", writer->done), 0);
    *parked = *writer;
    if (writer->slices == &writer->one)
        parked->slices = &parked->one;
    parked->stream = stream;
    parked->task = task;
    parked->next = NULL;
    while (*link)
        link = &(*link)->next;
    *link = parked;
    task->object = parked;
    thrum_step step = thrum_parked(task);
    stream_pump(stream); /* the ring may have drained meanwhile: then the task is woken right here */
    return step;
}

static thrum_step write_all(thrum_stream *stream, thrum_task *task, thrum_serial_writer *writer)
{
    int error = refused(stream);
    if (error)
        return thrum_done(task, stream_fail(stream, error, "write", 0), 0);
    if (stream->writers || !put_slices(&stream->output, writer))
        return park(stream, task, writer);
    start(stream);
    return thrum_done(task, 0, (thrum_value)writer->done);
}

static thrum_step write_start(thrum_task *task, thrum_record *record)
{
    thrum_serial_writer writer;
    memset(&writer, 0, sizeof writer);
    writer.one.data = (const void *)(intptr_t)record->a;
    writer.one.size = (size_t)record->b;
    writer.slices = &writer.one;
    writer.count = 1;
    return write_all((thrum_stream *)record->object, task, &writer);
}

static thrum_step vectors_start(thrum_task *task, thrum_record *record)
{
    thrum_serial_writer writer;
    memset(&writer, 0, sizeof writer);
    writer.slices = (const thrum_slice *)(intptr_t)record->a;
    writer.count = (size_t)record->b;
    return write_all((thrum_stream *)record->object, task, &writer);
}

static thrum_step flush_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    thrum_serial_writer writer;
    if (stream->flags & STREAM_CLOSING)
        return thrum_done(task, stream_fail(stream, THRUM_ECLOSED, "flush", 0), 0);
    if (!stream->writers && !ring_held(&stream->output))
        return thrum_done(task, 0, 0);
    memset(&writer, 0, sizeof writer);
    return park(stream, task, &writer);
}

static thrum_step write_resume(thrum_task *task)
{
    int error = (int)task->waiter.node.error;
    thrum_value done = task->waiter.as.value;
    if (error)
        (void)stream_fail((thrum_stream *)task->object, error, "write", (size_t)done);
    return thrum_done(task, error, error ? 0 : done);
}

/* What is in the ring leaves; the rest does not. */
static thrum_cancel_result write_cancel(thrum_task *task)
{
    if (thrum_task_woken(task)) {
        task->waiter.node.error = THRUM_ECANCELED; /* all of it was written meanwhile, which it says */
    } else {
        thrum_serial_writer *writer = (thrum_serial_writer *)task->object;
        thrum_stream *stream = writer->stream;
        finish(writer, THRUM_ECANCELED);
        stream_pump(stream); /* who stands behind it */
    }
    return THRUM_FORWARDED;
}

static const thrum_operations write_operations = {write_start, write_resume, write_cancel, NULL, "stream write", NULL};
static const thrum_operations vectors_operations = {vectors_start, write_resume,           write_cancel,
                                                    NULL,          "stream write_vectors", NULL};
static const thrum_operations flush_operations = {flush_start, write_resume, write_cancel, NULL, "stream flush", NULL};

thrum_awaitable thrum_stream_write(thrum_stream *stream, const void *buffer, size_t size)
{
    return thrum_awaitable_make(&write_operations, stream, (thrum_value)(intptr_t)buffer, (thrum_value)size);
}

thrum_awaitable thrum_stream_write_vectors(thrum_stream *stream, const thrum_slice *slices, size_t count)
{
    return thrum_awaitable_make(&vectors_operations, stream, (thrum_value)(intptr_t)slices, (thrum_value)count);
}

thrum_awaitable thrum_stream_flush(thrum_stream *stream)
{
    return thrum_awaitable_make(&flush_operations, stream, 0, 0);
}

int thrum_stream_write_eof(thrum_stream *stream)
{
    not_for_interrupts();
    if (stream->flags & STREAM_CLOSING)
        return THRUM_ECLOSED;
    stream->flags |= STREAM_WRITE_EOF;
    return 0;
}

size_t thrum_stream_unsent(const thrum_stream *stream)
{
    size_t size = ring_held(&stream->output);
    for (const thrum_serial_writer *writer = stream->writers; writer; writer = writer->next)
        for (size_t i = 0; i < writer->count; i++)
            size += writer->slices[i].size - (i ? 0 : writer->offset);
    return size;
}
