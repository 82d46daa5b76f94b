/* Sending a part of a file: by sendfile(2), or by reading and sending where that is not better or does not work. */
#include <thrum/async.h>

#include <errno.h>
#include <unistd.h>

#include "loop/system.h"
#include "net/stream_output.h"

/* One piece that is read and sent. A file that ends within one goes this way at once: together with what was written
 * before it leaves in one system call. */
enum { PIECE = 16384, MOST = 1024 * 1024 };

bool stream_sendfile_portable = false;

/* The file has no more, or fails: what it had is all. */
static long file_over(stream_writer *writer, int error)
{
    if (writer->file->follows && !writer->done)
        system_push(writer->stream->in.descriptor);
    writer->failed = error;
    writer->total = writer->done;
    return 0;
}

/* What was written before goes first. */
static long send_piece(thrum_stream *stream, stream_writer *writer, size_t *wanted)
{
    char piece[PIECE];
    size_t size = stream_unsent(writer) < sizeof piece ? stream_unsent(writer) : sizeof piece;
    ssize_t got;
    do
        got = pread(writer->file->descriptor, piece, size, (off_t)(writer->file->offset + writer->done));
    while (got < 0 && errno == EINTR);
    if (got <= 0) {
        (void)file_over(writer, got < 0 ? -errno : 0);
        *wanted = stream_pending(stream);
        return *wanted ? stream_send(stream, NULL, 0, 0) : 0;
    }
    thrum_slice slice = {piece, (size_t)got};
    *wanted = stream_pending(stream) + (size_t)got;
    return stream_send(stream, &slice, 1, 0);
}

long stream_send_file(thrum_stream *stream, stream_writer *writer, size_t *wanted)
{
    size_t size = stream_unsent(writer);
    if (writer->file->passing)
        return stream_send_passing(stream, writer, wanted);
    bool portable = stream_sendfile_portable || writer->file->portable || stream_carrier(stream);
    if (!writer->file->native && (size <= PIECE || portable))
        return send_piece(stream, writer, wanted);
    if (portable)
        return file_over(writer, THRUM_EUNSUPPORTED);
    if (stream_pending(stream)) {
        *wanted = stream_pending(stream);
        writer->file->follows = true;
        return stream_send_more(stream);
    }
    *wanted = size = size < MOST ? size : MOST;
    ssize_t sent = system_sendfile(stream->in.descriptor, writer->file->descriptor,
                                   (off_t)(writer->file->offset + writer->done), size);
    if (sent > 0)
        return (long)sent;
    if (sent == 0)
        return file_over(writer, 0);
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return STREAM_AGAIN;
    if (errno == EPIPE || errno == ECONNRESET)
        return -errno;
    /* Not with this kind of file, or the file or the connection failed: reading and sending tells which. */
    writer->file->portable = true;
    return writer->file->native ? file_over(writer, errno == EINVAL || errno == ENOSYS ? THRUM_EUNSUPPORTED : -errno)
                                : send_piece(stream, writer, wanted);
}

/* ---- the call ---- */

static ASYNC(sendfile_all, ARGS((thrum_stream *, stream), (int, descriptor), (uint64_t, offset), (size_t, count)),
             LOCALS(stream_file file; size_t sent;))
{
    ASYNC_BEGIN;
    self->file.descriptor = self->descriptor;
    self->file.offset = self->offset;
    self->file.count = self->count;
    AWAIT_INTO(self->sent, stream_write_file(self->stream, &self->file));
    ASYNC_RETURN(self->sent);
    ASYNC_END;
}

thrum_awaitable thrum_stream_sendfile(thrum_stream *stream, int file, uint64_t offset, size_t count)
{
    if (file < 0 || offset > INT64_MAX)
        return thrum_awaitable_failing(THRUM_EINVAL);
    return sendfile_all(stream, file, offset, count < INT64_MAX - offset ? count : (size_t)(INT64_MAX - offset));
}
