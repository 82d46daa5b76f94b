/* Standard input, output and error as streams, whose open files others share: so their flags are left alone. What can
 * be opened once more is; a carrier for the rest asks before each call, or has the call say that it may not wait. */
#include <thrum/stdstreams.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <thrum/carriers.h>

#include "loop/io.h"
#include "loop/system.h"
#include "net/stream_output.h"

/* What a pipe that can be written to has room for at least. */
#ifdef PIPE_BUF
enum { ROOM = PIPE_BUF };
#else
enum { ROOM = _POSIX_PIPE_BUF };
#endif

typedef struct shared_link {
    thrum_stream *stream;
    int descriptor; /* a duplicate: so the loop may watch it beside the number that others use */
    bool writes, socket, file;
    thrum_io io;
} shared_link;

/* ---- the carrier ---- */

static void ready(thrum_io *io)
{
    const shared_link *link = thrum_io_of(io, shared_link, io);
    thrum_stream_carrier_ready(link->stream, link->writes ? THRUM_CARRIER_WRITE : THRUM_CARRIER_READ);
}

static bool can(const shared_link *link, short events)
{
    struct pollfd asked = {.fd = link->descriptor, .events = events};
    return link->file || poll(&asked, 1, 0) > 0;
}

static intptr_t result(ssize_t moved)
{
    return moved >= 0 ? (intptr_t)moved : errno == EAGAIN || errno == EWOULDBLOCK ? THRUM_CARRIER_LATER : -errno;
}

static intptr_t shared_receive(void *own, void *to, size_t size)
{
    const shared_link *link = (const shared_link *)own;
    ssize_t got;
    if (link->writes || !can(link, POLLIN))
        return THRUM_CARRIER_LATER;
    do
        got = link->socket ? recv(link->descriptor, to, size, MSG_DONTWAIT) : read(link->descriptor, to, size);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EIO)
        return isatty(link->descriptor) ? 0 : -EIO; /* a terminal that is gone says so by an error */
    return result(got);
}

static intptr_t shared_send(void *own, const thrum_slice *pieces, size_t count)
{
    const shared_link *link = (const shared_link *)own;
    struct iovec vectors[STREAM_PIECES];
    size_t used = count < STREAM_PIECES ? count : STREAM_PIECES, room = link->file || link->socket ? SIZE_MAX : ROOM;
    ssize_t sent;
    if (!can(link, POLLOUT))
        return THRUM_CARRIER_LATER;
    for (size_t i = 0; i < used; i++) {
        size_t size = pieces[i].size < room ? pieces[i].size : room;
        vectors[i] = (struct iovec){.iov_base = (void *)(uintptr_t)pieces[i].data, .iov_len = size};
        room -= size;
        if (!room)
            used = i + 1;
    }
    if (link->socket) {
        const struct msghdr message = {.msg_iov = vectors, .msg_iovlen = used};
        do
            sent = sendmsg(link->descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
    } else {
        sent = system_write_quietly(link->descriptor, vectors, (int)used);
    }
    return result(sent);
}

/* Others may write on. */
static void shared_end(void *own)
{
    (void)own;
}

static void shared_close(void *own, bool late)
{
    shared_link *link = (shared_link *)own;
    (void)late;
    thrum_io_close(&link->io);
    (void)close(link->descriptor);
    free(link);
}

static void shared_watch(void *own, unsigned events)
{
    shared_link *link = (shared_link *)own;
    if (events & (link->writes ? THRUM_CARRIER_WRITE : THRUM_CARRIER_READ))
        thrum_io_start(&link->io);
    else
        thrum_io_stop(&link->io);
}

static int shared_info(const void *own, const char *name, void *to, size_t room)
{
    const shared_link *link = (const shared_link *)own;
    if (strcmp(name, "pipe"))
        return THRUM_EUNSUPPORTED;
    if (room < sizeof link->descriptor)
        return THRUM_EINVAL;
    memcpy(to, &link->descriptor, sizeof link->descriptor);
    return 0;
}

static const thrum_carrier shared_carrier = {
    .size = sizeof shared_carrier,
    .name = "standard stream",
    .receive = shared_receive,
    .send = shared_send,
    .end = shared_end,
    .close = shared_close,
    .watch = shared_watch,
    .extra_info = shared_info,
};

/* ---- opening ---- */

static int open_shared(thrum_stream **stream, int descriptor, mode_t mode, bool writes,
                       const thrum_stream_options *options)
{
    shared_link *link = (shared_link *)calloc(1, sizeof *link);
    if (!link)
        return THRUM_ENOMEM;
    link->writes = writes;
    link->socket = S_ISSOCK(mode);
    link->file = S_ISREG(mode);
    link->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    int error = link->descriptor < 0 ? -errno : 0;
    if (!error)
        error = thrum_io_init(&link->io, link->descriptor, writes ? THRUM_IO_WRITE : THRUM_IO_READ, ready);
    if (!error)
        error = thrum_stream_carry(stream, &shared_carrier, link, options);
    if (!error) {
        link->stream = *stream;
        (*stream)->flags |= STREAM_SHARED | (writes ? 0 : STREAM_WRITE_EOF | STREAM_FIN_SENT);
        return 0;
    }
    if (link->descriptor >= 0) {
        thrum_io_close(&link->io);
        (void)close(link->descriptor);
    }
    free(link);
    return error;
}

static int open_standard(thrum_stream **stream, int descriptor, bool writes, const thrum_stream_options *options)
{
    struct stat status;
    int flags = fcntl(descriptor, F_GETFL);
    *stream = NULL;
    if (!thrum_loop_current())
        return THRUM_ESTATE;
    if (flags < 0 || fstat(descriptor, &status))
        return -errno;
    if ((flags & O_ACCMODE) == (writes ? O_RDONLY : O_WRONLY) || S_ISDIR(status.st_mode))
        return THRUM_EINVAL;
    int own = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) ? system_open_again(descriptor, writes) : -1;
    if (own < 0)
        return open_shared(stream, descriptor, status.st_mode, writes, options);
    int error = thrum_stream_adopt_pipe(stream, own, options);
    if (error)
        (void)close(own);
    return error;
}

int thrum_open_stdin(thrum_stream **stream, const thrum_stream_options *options)
{
    return open_standard(stream, STDIN_FILENO, false, options);
}

int thrum_open_stdout(thrum_stream **stream, const thrum_stream_options *options)
{
    return open_standard(stream, STDOUT_FILENO, true, options);
}

int thrum_open_stderr(thrum_stream **stream, const thrum_stream_options *options)
{
    return open_standard(stream, STDERR_FILENO, true, options);
}
