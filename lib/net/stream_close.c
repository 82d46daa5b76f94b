/* The end of a stream: graceful, by force, or by the deadline between the two. */
#include "net/stream_output.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DISCARD_READS = 64, DISCARDED = 16384 };

/* What wait_closed gives: why bytes were lost, or what ended the connection. */
static int outcome(const thrum_stream *stream)
{
    return stream->loss ? stream->loss : stream->write_error ? stream->write_error : stream->read_error;
}

/* Those who wait for the end have it. */
static void tell_closers(thrum_stream *stream)
{
    thrum_waiter *waiter;
    while ((waiter = thrum_waiters_pop(&stream->closers)))
        thrum_wake(waiter, outcome(stream), (thrum_value)stream->lost);
}

/* An error has ended a direction. The stream stays open for its owner, who may read what was received; but who only
 * waits for the end need not wait for the owner. */
static bool lost(const thrum_stream *stream)
{
    return outcome(stream) && !(stream->flags & (STREAM_CLOSING | STREAM_FED | STREAM_TRANSPORT));
}

void stream_lost(thrum_stream *stream)
{
    if (lost(stream))
        tell_closers(stream);
}

void stream_shut(thrum_stream *stream, int error)
{
    if (stream->flags & STREAM_CLOSED)
        return;
    stream->flags |= STREAM_CLOSING | STREAM_CLOSED;
    if (!(stream->flags & STREAM_INNER))
        loop_count_open(LOOP_STREAMS, false);
    if (error && stream_pending(stream)) {
        stream->lost += stream_pending(stream);
        stream->loss = error;
    }
    if (stream_collected.stream == stream)
        stream_collected.stream = NULL;
    stream_uncork(stream);
    stream_outlet_give(stream);
    if (stream_carrier(stream)) {
        stream_carrier_close(stream);
    } else {
        thrum_io_close(&stream->in);
        (void)close(stream->in.descriptor);
        stream->in.descriptor = -1;
    }
    buffer_free(&stream->output);
    if (!stream->reader) { /* of one who reads it is freed with the stream */
        stream->flags &= ~(uint32_t)STREAM_LENT;
        buffer_free(&stream->input);
    }
    stream_wake_reader(stream);
    while (stream->writers)
        stream_writer_over(stream->writers, THRUM_ECLOSED);
    tell_closers(stream);
    if ((stream->flags & (STREAM_CLIENT | STREAM_SERVED)) == STREAM_CLIENT)
        server_stream_over(stream);
}

void stream_end_output(const thrum_stream *stream)
{
    if (stream_carrier(stream))
        stream_carrier(stream)->end(stream_link(stream));
    else
        (void)shutdown(stream->in.descriptor, SHUT_WR);
}

/* Not into the loop's scratch memory: a protocol may just be looking at what lies there. */
static bool discard(const thrum_stream *stream)
{
    char nowhere[DISCARDED];
    if (stream->flags & STREAM_SHARED)
        return false;
    if (stream_carrier(stream))
        return stream_carrier(stream)->receive(stream_link(stream), nowhere, sizeof nowhere) == DISCARDED;
    return recv(stream->in.descriptor, nowhere, sizeof nowhere, 0) == DISCARDED;
}

/* Everything has left. Input that nobody read would make the kernel reset the connection, and the peer lose what it has
 * not read yet: so the output is ended first, and what has come by then is discarded. */
void stream_finish_now(thrum_stream *stream)
{
    if (!(stream->flags & (STREAM_TLS | STREAM_INPUT_ENDED)) && !stream->write_error) {
        if (!(stream->flags & STREAM_FIN_SENT))
            stream_end_output(stream);
        for (int i = 0; i < DISCARD_READS && discard(stream); i++)
            continue;
    }
    stream_shut(stream, 0);
}

void stream_finish(thrum_stream *stream)
{
    if (THRUM_UNLIKELY_(stream->flags & STREAM_TLS) && !tls_finished(stream))
        return; /* called again when the peer has answered */
    if (THRUM_UNLIKELY_(stream->flags & STREAM_TRANSPORT))
        transport_finished(stream, 0);
    else
        stream_finish_now(stream);
}

/* It has to end before everything has left. */
static void end_late(thrum_stream *stream, int error)
{
    if (stream->flags & STREAM_TLS) { /* also when nothing was lost: the peer did not say that it has everything */
        stream->lost += stream_below(stream);
        stream->loss = error;
    }
    if (stream->flags & STREAM_TRANSPORT)
        transport_finished(stream, error);
    else
        stream_shut(stream, error);
}

void stream_deadline(thrum_handle *handle)
{
    end_late((thrum_stream *)handle->context, THRUM_ETIMEDOUT);
}

void stream_begin_close(thrum_stream *stream)
{
    if (stream->flags & STREAM_CLOSING)
        return;
    if (stream->flags & STREAM_TLS && !tls_established(stream)) { /* nothing can be sent in order */
        thrum_stream_abort(stream);
        return;
    }
    stream->flags |= STREAM_CLOSING;
    if (stream->flags & STREAM_TRANSPORT)
        transport_closing(stream);
    stream_unwatch(stream);
    stream_wake_reader(stream);
    while (stream->writers)
        stream_writer_over(stream->writers, THRUM_ECLOSED);
    if (stream_awaits_room(stream))
        stream_uncollect(stream);
    else
        stream_pump(stream);
    if (stream->flags & (STREAM_CLOSED | STREAM_FINISHED))
        return;
    int error = stream_outlet_arm(stream, stream->settings->close_deadline);
    if (error) /* nothing would end it if the peer does not */
        end_late(stream, error);
}

void thrum_stream_abort(thrum_stream *stream)
{
    if (stream && stream->flags & STREAM_TRANSPORT)
        transport_finished(stream, 0);
    else if (stream)
        stream_shut(stream, 0);
}

void thrum_stream_reset(thrum_stream *stream)
{
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    thrum_stream *lowest = stream;
    if (!stream || stream->flags & STREAM_CLOSED)
        return;
    while (lowest->flags & STREAM_TLS && stream_link(lowest))
        lowest = ((stream_above *)stream_link(lowest))->inner;
    if (!stream_carrier(lowest))
        (void)setsockopt(lowest->in.descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    else if (stream_carrier(lowest)->reset && stream_link(lowest))
        stream_carrier(lowest)->reset(stream_link(lowest));
    thrum_stream_abort(stream);
}

/* ---- close and wait_closed ---- */

/* `close` tells of lost bytes, once, and only if no write has; `wait_closed` of any error, as often as it is asked. */
static thrum_step closed_outcome(thrum_stream *stream, thrum_task *task, bool closing)
{
    int error = outcome(stream);
    if (closing) {
        error = stream->flags & STREAM_LOSS_TOLD ? 0 : stream->loss;
        if (error)
            stream->flags |= STREAM_LOSS_TOLD;
    }
    return thrum_done(task, error ? stream_fail(stream, error, "close", stream->lost) : 0, 0);
}

static thrum_step wait_until_closed(thrum_stream *stream, thrum_task *task)
{
    thrum_waiters_add(&stream->closers, &task->waiter);
    return thrum_parked(task);
}

static thrum_step close_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    if (!stream)
        return thrum_done(task, 0, 0);
    stream_begin_close(stream);
    return stream->flags & STREAM_CLOSED ? closed_outcome(stream, task, true) : wait_until_closed(stream, task);
}

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    return stream->flags & STREAM_CLOSED || lost(stream) ? closed_outcome(stream, task, false)
                                                         : wait_until_closed(stream, task);
}

/* The stream may be gone: what the wake handed over is the outcome. */
static thrum_step closed_resume(thrum_task *task)
{
    int error = (int)task->waiter.node.error;
    return thrum_done(task, error ? thrum_error_set(error, 0, "close", task->waiter.as.value, NULL) : 0, 0);
}

static thrum_cancel_result closed_cancel(thrum_task *task)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(&((thrum_stream *)task->object)->closers, &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations close_operations = {close_start, closed_resume,  closed_cancel,
                                                  NULL,        "stream close", NULL};
static const thrum_operations wait_operations = {wait_start, closed_resume,        closed_cancel,
                                                 NULL,       "stream wait_closed", NULL};

thrum_awaitable thrum_stream_close(thrum_stream *stream)
{
    return thrum_awaitable_make(&close_operations, stream, 0, 0);
}

thrum_awaitable thrum_stream_wait_closed(thrum_stream *stream)
{
    return thrum_awaitable_make(&wait_operations, stream, 0, 0);
}
