/* Sending: what was collected, what a full kernel left over, and the queue of those who wait to write. */
#include "net/stream_output.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "core/state.h"
#include "loop/system.h"

/* ---- the system call ---- */

/* How a call ended that gave `sent`. */
static long sent_or_error(ssize_t sent)
{
    if (sent >= 0)
        return (long)sent;
    return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_AGAIN : -errno;
}

static char *pending_data(const thrum_stream *stream)
{
    return stream_collected.stream == stream ? stream_collected_data() : buffer_data(stream->output);
}

/* The buffer and the slices as pieces; `offset` bytes of the first slice have left. */
static int gather(const thrum_stream *stream, struct iovec *pieces, const thrum_slice *slices, size_t count,
                  size_t offset)
{
    int used = 0;
    if (stream_pending(stream)) {
        pieces[0].iov_base = pending_data(stream);
        pieces[0].iov_len = stream_pending(stream);
        used = 1;
    }
    for (size_t i = 0; i < count && used < STREAM_PIECES; i++, offset = 0) {
        if (slices[i].size > offset) {
            pieces[used].iov_base = (char *)(uintptr_t)slices[i].data + offset;
            pieces[used++].iov_len = slices[i].size - offset;
        }
    }
    return used;
}

long stream_send(thrum_stream *stream, const thrum_slice *slices, size_t count, size_t offset)
{
    struct iovec pieces[STREAM_PIECES];
    struct msghdr message;
    ssize_t sent;
    memset(&message, 0, sizeof message);
    message.msg_iov = pieces;
    message.msg_iovlen = (size_t)gather(stream, pieces, slices, count, offset);
    if (stream_carrier(stream))
        return stream_carrier_send(stream, pieces, message.msg_iovlen);
    do
        sent = message.msg_iovlen == 1
                   ? send(stream->in.descriptor, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL)
                   : sendmsg(stream->in.descriptor, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent_or_error(sent);
}

long stream_send_more(thrum_stream *stream)
{
    ssize_t sent;
    do
        sent = system_send_more(stream->in.descriptor, pending_data(stream), stream_pending(stream));
    while (sent < 0 && errno == EINTR);
    return sent_or_error(sent);
}

/* ---- small writes of a step leave together ---- */

THRUM_PER_THREAD_ net_collected stream_collected;

/* One of those in the array. False: no memory. */
static bool cork(thrum_stream *stream)
{
    net_collected *all = &stream_collected;
    struct thrum_pool *pool = &thrum_state_here()->pool;
    if (all->count == all->room) {
        unsigned room = all->room ? all->room * 2 : 16;
        thrum_stream **others = (thrum_stream **)pool_take(pool, room * sizeof *others, POOL_OTHER);
        if (!others)
            return false;
        if (all->others) {
            memcpy(others, all->others, all->count * sizeof *others);
            pool_give(pool, all->others, all->room * sizeof *others, POOL_OTHER);
        }
        all->others = others;
        all->room = room;
    }
    all->others[all->count++] = stream;
    all->corked++;
    stream->corked = all->count;
    return true;
}

void stream_uncork(thrum_stream *stream)
{
    net_collected *all = &stream_collected;
    if (!stream->corked)
        return;
    all->others[stream->corked - 1] = NULL;
    stream->corked = 0;
    if (--all->corked)
        return;
    pool_give(&thrum_state_here()->pool, all->others, all->room * sizeof(thrum_stream *), POOL_OTHER);
    all->others = NULL;
    all->count = all->room = 0;
}

void stream_uncollect(thrum_stream *stream)
{
    stream_uncork(stream);
    if (stream_collected.stream != stream)
        return;
    stream_collected.stream = NULL;
    if (!buffer_append(&stream->output, stream_collected_data(), stream_collected.size)) {
        stream->lost += stream_collected.size;
        stream_output_failed(stream, THRUM_ENOMEM);
    }
}

bool stream_collect_slow(thrum_stream *stream, const void *data, size_t size)
{
    thrum_stream *last = stream_collected.stream;
    if (stream->output) {
        bool begins = !stream_awaits_room(stream) && !stream->corked;
        if (begins && !cork(stream))
            return false;
        if (buffer_append(&stream->output, data, size))
            return true;
        if (begins)
            stream_uncork(stream);
        return false;
    }
    if (last) {
        /* That one moves out. */
        if (!buffer_reserve(&last->output, stream_collected.size))
            return false;
        if (!cork(last)) {
            buffer_trim(&last->output);
            return false;
        }
        stream_collected.stream = NULL;
        (void)buffer_append(&last->output, stream_collected_data(), stream_collected.size);
    }
    stream_collected.stream = stream;
    stream_collected.size = size;
    memcpy(stream_collected_data(), data, size);
    return true;
}

/* The one that has room of its own. False: others may have collected something, too. */
static inline bool send_single(thrum_stream *stream)
{
    ssize_t sent = send(stream->in.descriptor, stream_collected_data(), stream_collected.size, MSG_NOSIGNAL);
    if (THRUM_LIKELY_(sent == (ssize_t)stream_collected.size)) {
        stream_collected.stream = NULL;
        return !stream_collected.corked;
    }
    if (sent > 0)
        (void)stream_output_advance(stream, (size_t)sent);
    stream_pump(stream);
    return false;
}

void stream_send_collected(void)
{
    do {
        thrum_stream *stream = stream_collected.stream;
        if (stream && THRUM_UNLIKELY_(stream->flags & STREAM_CARRIED))
            stream_pump(stream);
        else if (stream && THRUM_LIKELY_(send_single(stream)))
            return;
        for (unsigned i = 0; i < stream_collected.count; i++) /* it ends with the last one that leaves */
            if (stream_collected.others[i])
                stream_pump(stream_collected.others[i]);
    } while (stream_collected.stream || stream_collected.corked); /* a carrier has written to another stream */
}

/* ---- the queue of writers ---- */

/* A file whose reader keeps up would hold the loop to its end: after so many bytes it goes on in the next pass. */
enum { PUMP_BURST = 1024 * 1024 };

void stream_writer_add(stream_writer *writer)
{
    thrum_stream *stream = writer->stream;
    stream_writer *first = stream->writers;
    writer->next = first ? first : writer;
    writer->previous = first ? first->previous : writer;
    writer->previous->next = writer->next->previous = writer;
    if (!first)
        stream->writers = writer;
}

void stream_writer_remove(stream_writer *writer)
{
    thrum_stream *stream = writer->stream;
    writer->previous->next = writer->next;
    writer->next->previous = writer->previous;
    if (stream->writers == writer)
        stream->writers = writer->next == writer ? NULL : writer->next;
}

void stream_writer_over(stream_writer *writer, int error)
{
    thrum_task *task = writer->task;
    stream_writer_remove(writer);
    writer->error = error;
    writer->over = true;
    if (writer->running)
        return;
    size_t number = error ? writer->done : writer->total;
    pool_give(&thrum_state_here()->pool, writer, sizeof *writer, POOL_OTHER);
    stream_wake_without(task, error, number);
}

void stream_output_failed(thrum_stream *stream, int error)
{
    stream->write_error = error;
    stream->lost += stream_pending(stream);
    if (stream_collected.stream == stream)
        stream_collected.stream = NULL;
    if (stream->lost && !stream->loss)
        stream->loss = error;
    buffer_free(&stream->output);
    stream_outlet_rest(stream);
    while (stream->writers) {
        stream->flags |= STREAM_LOSS_TOLD;
        stream_writer_over(stream->writers, error);
    }
    if (stream->flags & STREAM_TRANSPORT)
        transport_finished(stream, error);
    else
        stream_lost(stream);
}

void stream_drop_output(thrum_stream *stream, int error)
{
    if (stream_collected.stream == stream)
        stream_collected.stream = NULL;
    stream_uncork(stream);
    buffer_free(&stream->output);
    stream_outlet_give(stream);
    while (stream->writers)
        stream_writer_over(stream->writers, error);
}

void stream_writer_advance(stream_writer *writer, size_t sent)
{
    if (writer->file)
        writer->done += sent;
    while (sent && writer->count) {
        size_t rest = writer->slices->size - writer->offset, part = sent < rest ? sent : rest;
        writer->done += part;
        writer->offset += part;
        sent -= part;
        if (part == rest) {
            writer->slices++;
            writer->count--;
            writer->offset = 0;
        }
    }
}

size_t stream_output_advance(thrum_stream *stream, size_t sent)
{
    size_t held = stream_pending(stream), part = sent < held ? sent : held;
    if (stream_collected.stream == stream) {
        stream_collected.size -= part;
        if (stream_collected.size) {
            char *data = stream_collected_data();
            memmove(data, data + part, stream_collected.size);
        } else {
            stream_collected.stream = NULL;
        }
    } else {
        buffer_skip(stream->output, part);
    }
    return sent - part;
}

bool stream_keep_rest(thrum_stream *stream, stream_writer *writer)
{
    if (!buffer_reserve(&stream->output, stream_unsent(writer)))
        return false;
    for (size_t i = 0; i < writer->count; i++, writer->offset = 0)
        (void)buffer_append(&stream->output, (const char *)writer->slices[i].data + writer->offset,
                            writer->slices[i].size - writer->offset);
    writer->done = writer->total;
    writer->count = 0;
    return true;
}

/* Let those at the head of the queue go whose rest is below the low mark. */
static void settle(thrum_stream *stream)
{
    while (stream->writers) {
        stream_writer *writer = stream->writers;
        size_t rest = stream_unsent(writer), held = buffer_size(stream->output);
        if (held + rest > (writer->slices ? stream->settings->low : 0) || (!writer->slices && stream_below(stream)))
            return;
        if (rest && !stream_keep_rest(stream, writer))
            return; /* no memory: it goes when the kernel has taken it */
        stream_writer_over(writer, writer->failed);
    }
}

/* The first writer that has not only to wait for what was written before. */
static stream_writer *with_bytes(const thrum_stream *stream)
{
    stream_writer *writer = stream->writers;
    if (!writer)
        return NULL;
    do {
        if (stream_unsent(writer))
            return writer;
        writer = writer->next;
    } while (writer != stream->writers);
    return NULL;
}

/* What is left goes when the kernel has room. */
static void wait_for_room(thrum_stream *stream)
{
    int error = !(stream->flags & STREAM_CLOSED) && (stream->output || stream->writers) ? stream_await_room(stream) : 0;
    if (error)
        stream_output_failed(stream, error);
}

void stream_pump(thrum_stream *stream)
{
    long sent = 0;
    size_t burst = 0;
    while (!stream->write_error && !(stream->flags & STREAM_CLOSED)) {
        stream_writer *writer = with_bytes(stream);
        size_t wanted = stream_pending(stream) + (writer ? stream_unsent(writer) : 0);
        if (!wanted)
            break;
        if (writer && writer->file)
            sent = stream_send_file(stream, writer, &wanted);
        else
            sent = writer ? stream_send(stream, writer->slices, writer->count, writer->offset)
                          : stream_send(stream, NULL, 0, 0);
        if (sent < 0)
            break;
        bool all = (size_t)sent == wanted || (writer && writer->count >= STREAM_PIECES);
        size_t rest = stream_output_advance(stream, (size_t)sent);
        if (writer)
            stream_writer_advance(writer, rest);
        burst += (size_t)sent;
        if (!all || burst >= PUMP_BURST)
            break;
        settle(stream);
    }
    if (sent < 0 && sent != STREAM_AGAIN) {
        stream_output_failed(stream, (int)sent);
    } else {
        stream_uncollect(stream);
        settle(stream);
        buffer_trim(&stream->output);
        wait_for_room(stream);
    }
    if (stream->flags & STREAM_CLOSED)
        return;
    if (!stream->output && !stream->writers) {
        stream_outlet_rest(stream);
        if (stream->flags & STREAM_CLOSING)
            stream_finish(stream);
        else if (stream->flags & STREAM_WRITE_EOF && !(stream->flags & STREAM_FIN_SENT)) {
            stream->flags |= STREAM_FIN_SENT;
            stream_end_output(stream);
        }
    }
    if (stream->flags & STREAM_TRANSPORT)
        transport_sent(stream);
    else if (stream_over(stream))
        tls_pumped(stream->above);
}

/* ---- the kernel has room again ---- */

void stream_pump_call(thrum_handle *handle)
{
    thrum_stream *stream = (thrum_stream *)handle->context;
    if (stream->flags & STREAM_TRANSPORT)
        transport_pump(stream);
    else
        stream_pump(stream);
}

void stream_writable(thrum_io *io)
{
    thrum_stream *stream = (thrum_stream *)thrum_io_of(io, stream_outlet, io)->pump.context;
    if (stream->flags & STREAM_CONNECTING)
        stream_wake_reader(stream);
    else if (stream->writers)
        thrum_wake(&stream->writers->task->waiter, 0, 0);
    else if (!thrum_handle_pending(&stream->outlet->pump))
        (void)thrum_call_soon(&stream->outlet->pump);
}
