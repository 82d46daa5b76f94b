/* The end of a stream of firmware: when everything has left, or at once. */
#include "net/bare/stream.h"

void stream_shut(thrum_stream *stream)
{
    if (stream->flags & STREAM_CLOSED)
        return;
    stream->flags |= STREAM_CLOSING | STREAM_CLOSED;
    uintptr_t was = mask();
    stream->output.head = stream->output.tail;
    stream->wants = 0;
    stream->least = 0;
    if (stream->driver->stop)
        stream->driver->stop(stream);
    unmask(was);
    (void)thrum_signal_cancel(&stream->moved);
    stream_wake_reader(stream);
    stream_fail_writers(stream, THRUM_ECLOSED);
    thrum_waiter *waiter;
    while ((waiter = thrum_waiters_pop(&stream->closers)))
        thrum_wake(waiter, 0, 0);
}

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    if (!stream || stream->flags & STREAM_CLOSED)
        return thrum_done(task, 0, 0);
    thrum_waiters_add(&stream->closers, &task->waiter);
    return thrum_parked(task);
}

static thrum_step close_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    if (stream && !(stream->flags & STREAM_CLOSING)) {
        stream->flags |= STREAM_CLOSING;
        stream_wake_reader(stream);
        stream_fail_writers(stream, THRUM_ECLOSED);
        stream_pump(stream);
    }
    return wait_start(task, record);
}

static thrum_cancel_result wait_cancel(thrum_task *task)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(&((thrum_stream *)task->object)->closers, &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations close_operations = {close_start, NULL, wait_cancel, NULL, "stream close", NULL};
static const thrum_operations wait_operations = {wait_start, NULL, wait_cancel, NULL, "stream wait_closed", NULL};

thrum_awaitable thrum_stream_close(thrum_stream *stream)
{
    return thrum_awaitable_make(&close_operations, stream, 0, 0);
}

thrum_awaitable thrum_stream_wait_closed(thrum_stream *stream)
{
    return thrum_awaitable_make(&wait_operations, stream, 0, 0);
}

void thrum_stream_abort(thrum_stream *stream)
{
    not_for_interrupts();
    if (stream)
        stream_shut(stream);
}

void thrum_stream_release(thrum_stream *stream)
{
    thrum_stream_abort(stream);
}
