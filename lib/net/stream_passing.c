/* Descriptors that go with the bytes of a Unix socket, and who is at its other end. */
#include <thrum/async.h>
#include <thrum/unixsockets.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "loop/system.h"
#include "net/stream_output.h"

#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif

/* Linux passes no more with one call; there is always room for so many, so that none is lost on the way. */
enum { MOST = 253 };

typedef union passing_control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(MOST * sizeof(int))];
} passing_control;

/* ---- sending ---- */

static ssize_t send_first(int descriptor, const thrum_passing *passing)
{
    passing_control control;
    struct iovec piece = {passing->data, passing->size};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (passing->count) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(passing->count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(passing->count * sizeof(int));
        memcpy(CMSG_DATA(head), passing->descriptors, passing->count * sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

long stream_send_passing(thrum_stream *stream, const stream_writer *writer, size_t *wanted)
{
    const thrum_passing *passing = writer->file->passing;
    if (stream_pending(stream)) {
        *wanted = stream_pending(stream);
        return stream_send(stream, NULL, 0, 0);
    }
    *wanted = passing->size - writer->done;
    if (writer->done) {
        const thrum_slice rest = {(const char *)passing->data + writer->done, *wanted};
        return stream_send(stream, &rest, 1, 0);
    }
    ssize_t sent = send_first(stream->in.descriptor, passing);
    if (sent >= 0)
        return (long)sent;
    return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_AGAIN : -errno;
}

static int check_descriptors(const thrum_passing *passing)
{
    if (!passing || !passing->data || !passing->size || passing->count > MOST)
        return THRUM_EINVAL;
    for (size_t i = 0; i < passing->count; i++)
        if (fcntl(passing->descriptors[i], F_GETFD) < 0)
            return -errno;
    return 0;
}

static ASYNC(send_all, ARGS((thrum_stream *, stream), (const thrum_passing *, passing)),
             LOCALS(stream_file file; size_t sent; int error;))
{
    ASYNC_BEGIN;
    self->error = stream_carrier(self->stream) ? THRUM_EUNSUPPORTED : check_descriptors(self->passing);
    if (self->error)
        ASYNC_RAISE(self->error);
    self->file.descriptor = -1;
    self->file.passing = self->passing;
    self->file.count = self->passing->size;
    AWAIT_INTO(self->sent, stream_write_file(self->stream, &self->file));
    ASYNC_RETURN(self->sent);
    ASYNC_END;
}

thrum_awaitable thrum_stream_send_descriptors(thrum_stream *stream, const thrum_passing *passing)
{
    return send_all(stream, passing);
}

/* ---- receiving ---- */

static void take_descriptors(const struct msghdr *message, thrum_passing *passing)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR((struct msghdr *)(uintptr_t)message); at;
         at = CMSG_NXTHDR((struct msghdr *)(uintptr_t)message, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(at) + i * sizeof descriptor, sizeof descriptor);
            if (passing->count < passing->room) {
                (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC); /* it is already, where the system can do so at once */
                passing->descriptors[passing->count++] = descriptor;
            } else {
                (void)close(descriptor);
                passing->cut = true;
            }
        }
    }
    if (message->msg_flags & MSG_CTRUNC)
        passing->cut = true;
}

static long receive(thrum_stream *stream, thrum_passing *passing)
{
    passing_control control;
    struct iovec piece = {passing->data, passing->size};
    struct msghdr message;
    passing->count = 0;
    passing->cut = false;
    if (stream->flags & (STREAM_INPUT_ENDED | STREAM_CLOSING))
        return stream->read_error;
    memset(&message, 0, sizeof message);
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    long got = (long)recvmsg(stream->in.descriptor, &message, MSG_CMSG_CLOEXEC);
    if (got > 0)
        take_descriptors(&message, passing);
    else if (got == 0 || errno != EINTR)
        got = stream_receive_rest(stream, passing->data, passing->size, got);
    else
        got = receive(stream, passing);
    return got;
}

static thrum_step attempt(thrum_stream *stream, thrum_task *task)
{
    long got = receive(stream, (thrum_passing *)(void *)stream->request.to);
    if (got == STREAM_AGAIN)
        return stream_park_reader(stream, task);
    if (got < 0)
        return stream_read_done(stream, task, stream_fail(stream, (int)got, "receive_descriptors", 0), 0);
    return stream_read_done(stream, task, 0, (size_t)got);
}

static thrum_step receive_start(thrum_task *task, thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    thrum_passing *passing = (thrum_passing *)(intptr_t)record->a;
    int error = stream_may_read(stream);
    if (!error && (stream_carrier(stream) || stream->flags & STREAM_FED))
        error = THRUM_EUNSUPPORTED;
    if (!error && (!passing->data || !passing->size))
        error = THRUM_EINVAL;
    if (error)
        return thrum_done(task, error, 0);
    passing->count = 0;
    passing->cut = false;
    size_t ahead = stream_take(stream, passing->data, passing->size);
    if (ahead)
        return thrum_done(task, 0, (thrum_value)ahead);
    stream->request.to = (char *)(void *)passing;
    return attempt(stream, task);
}

static thrum_step receive_resume(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    return stream ? attempt(stream, task) : thrum_done(task, THRUM_ECLOSED, 0);
}

static const thrum_operations receive_operations = {
    receive_start, receive_resume, stream_read_cancel, NULL, "stream receive_descriptors", NULL};

thrum_awaitable thrum_stream_receive_descriptors(thrum_stream *stream, thrum_passing *passing)
{
    return passing ? thrum_awaitable_make(&receive_operations, stream, (thrum_value)(intptr_t)passing, 0)
                   : thrum_awaitable_failing(THRUM_EINVAL);
}

/* ---- who is there ---- */

int thrum_stream_peer_credentials(const thrum_stream *stream, thrum_credentials *credentials)
{
    net_address own = {.size = sizeof own.as};
    memset(credentials, 0, sizeof *credentials);
    if (stream->flags & STREAM_CLOSED)
        return THRUM_ECLOSED;
    if (stream_carrier(stream))
        return THRUM_EUNSUPPORTED;
    if (getsockname(stream->in.descriptor, &own.as.any, &own.size))
        return -errno;
    return own.as.any.sa_family == AF_UNIX
               ? system_peer(stream->in.descriptor, &credentials->process, &credentials->user, &credentials->group)
               : THRUM_EUNSUPPORTED;
}
