/* Pipes, FIFOs, terminals and other character devices, and sockets taken for such: a carrier that moves a stream's
 * bytes by read(2) and write(2). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <thrum/carriers.h>

#include "loop/system.h"
#include "net/stream_output.h"
#include "net/transport.h"

typedef struct pipe_link {
    thrum_stream *stream;
    int descriptor;
    bool reads, writes; /* which directions it is for */
    bool socket, device;
    bool watched; /* a write end tells when nobody reads at the other end */
    thrum_io in, out;
} pipe_link;

/* ---- the carrier ---- */

static void readable(thrum_io *io)
{
    thrum_stream_carrier_ready(thrum_io_of(io, pipe_link, in)->stream, THRUM_CARRIER_READ);
}

static void writable(thrum_io *io)
{
    thrum_stream_carrier_ready(thrum_io_of(io, pipe_link, out)->stream, THRUM_CARRIER_WRITE);
}

static intptr_t result(ssize_t moved)
{
    return moved >= 0 ? (intptr_t)moved : errno == EAGAIN || errno == EWOULDBLOCK ? THRUM_CARRIER_LATER : -errno;
}

/* Whether nobody is left at the other end of one that only writes. What comes out of a socket stays there. */
static intptr_t look(pipe_link *link)
{
    char byte;
    struct pollfd end = {.fd = link->descriptor, .events = POLLIN};
    if (poll(&end, 1, 0) > 0) {
        if (!link->socket)
            return end.revents & (POLLERR | POLLHUP) ? 0 : THRUM_CARRIER_LATER;
        if (recv(link->descriptor, &byte, 1, MSG_PEEK) == 0 || end.revents & (POLLERR | POLLHUP))
            return 0;
        link->watched = false;
        thrum_io_stop(&link->in);
    }
    return THRUM_CARRIER_LATER;
}

static intptr_t pipe_receive(void *own, void *to, size_t size)
{
    pipe_link *link = (pipe_link *)own;
    ssize_t got;
    if (!link->reads)
        return look(link);
    do
        got = read(link->descriptor, to, size);
    while (got < 0 && errno == EINTR);
    /* A terminal whose other end is closed says so by an error. */
    return got < 0 && errno == EIO && link->device ? 0 : result(got);
}

static intptr_t pipe_send(void *own, const thrum_slice *pieces, size_t count)
{
    const pipe_link *link = (const pipe_link *)own;
    struct iovec vectors[STREAM_PIECES];
    size_t used = count < STREAM_PIECES ? count : STREAM_PIECES;
    for (size_t i = 0; i < used; i++) {
        vectors[i].iov_base = (void *)(uintptr_t)pieces[i].data;
        vectors[i].iov_len = pieces[i].size;
    }
    return result(system_write_quietly(link->descriptor, vectors, (int)used));
}

/* A socket can end one direction; everything else ends with its descriptor. */
static void pipe_end(void *own)
{
    const pipe_link *link = (const pipe_link *)own;
    if (link->socket)
        (void)shutdown(link->descriptor, SHUT_WR);
}

static void link_free(pipe_link *link)
{
    thrum_io_close(&link->in);
    thrum_io_close(&link->out);
    pool_give(&thrum_state_here()->pool, link, sizeof *link, POOL_OTHER);
}

static void pipe_close(void *own, bool late)
{
    pipe_link *link = (pipe_link *)own;
    int descriptor = link->descriptor;
    (void)late;
    link_free(link);
    (void)close(descriptor);
}

static void pipe_watch(void *own, unsigned events)
{
    pipe_link *link = (pipe_link *)own;
    if (events & THRUM_CARRIER_READ && (link->reads || link->watched))
        thrum_io_start(&link->in);
    else
        thrum_io_stop(&link->in);
    if (events & THRUM_CARRIER_WRITE)
        thrum_io_start(&link->out);
    else
        thrum_io_stop(&link->out);
}

static int pipe_info(const void *own, const char *name, void *to, size_t room)
{
    const pipe_link *link = (const pipe_link *)own;
    if (strcmp(name, "pipe"))
        return THRUM_EUNSUPPORTED;
    if (room < sizeof link->descriptor)
        return THRUM_EINVAL;
    memcpy(to, &link->descriptor, sizeof link->descriptor);
    return 0;
}

static const thrum_carrier pipe_carrier = {
    .size = sizeof pipe_carrier,
    .name = "pipe",
    .receive = pipe_receive,
    .send = pipe_send,
    .end = pipe_end,
    .close = pipe_close,
    .watch = pipe_watch,
    .extra_info = pipe_info,
};

/* ---- making one ---- */

/* What it is, and that it can be used in this direction. */
static int examine(pipe_link *link)
{
    struct stat status;
    int flags = fcntl(link->descriptor, F_GETFL);
    if (flags < 0 || fstat(link->descriptor, &status))
        return -errno;
    link->socket = S_ISSOCK(status.st_mode);
    link->device = S_ISCHR(status.st_mode);
    if (!S_ISFIFO(status.st_mode) && !link->socket && !link->device)
        return THRUM_EINVAL;
    if ((link->reads && (flags & O_ACCMODE) == O_WRONLY) || (link->writes && (flags & O_ACCMODE) == O_RDONLY))
        return THRUM_EINVAL;
    link->watched = !link->reads && !link->device;
    return system_prepare(link->descriptor);
}

static int open_link(pipe_link *link)
{
    int error = examine(link);
    if (!error && (link->reads || link->watched))
        error = thrum_io_init(&link->in, link->descriptor, THRUM_IO_READ, readable);
    if (!error)
        error = thrum_io_init(&link->out, link->descriptor, THRUM_IO_WRITE, writable);
    return error;
}

static int make(thrum_stream **stream, int descriptor, const thrum_stream_options *options, bool reads, bool writes)
{
    if (!thrum_loop_current())
        return THRUM_ESTATE;
    pipe_link *link = (pipe_link *)pool_take(&thrum_state_here()->pool, sizeof *link, POOL_OTHER);
    if (!link)
        return THRUM_ENOMEM;
    memset(link, 0, sizeof *link);
    link->descriptor = descriptor;
    link->reads = reads;
    link->writes = writes;
    int error = open_link(link);
    if (!error)
        error = thrum_stream_carry(stream, &pipe_carrier, link, options);
    if (error) {
        link_free(link);
        return error;
    }
    link->stream = *stream;
    (*stream)->flags |= STREAM_SHARED;
    if (!writes)
        (*stream)->flags |= STREAM_WRITE_EOF | STREAM_FIN_SENT;
    return 0;
}

int thrum_stream_adopt_pipe(thrum_stream **stream, int descriptor, const thrum_stream_options *options)
{
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0)
        return -errno;
    return make(stream, descriptor, options, (flags & O_ACCMODE) != O_WRONLY, (flags & O_ACCMODE) != O_RDONLY);
}

/* ---- transports ---- */

static int adopt_read_end(thrum_stream **stream, int descriptor)
{
    return make(stream, descriptor, NULL, true, false);
}

static int adopt_write_end(thrum_stream **stream, int descriptor)
{
    return make(stream, descriptor, NULL, false, true);
}

thrum_awaitable thrum_connect_read_pipe(thrum_protocol_factory *factory, void *context, int descriptor)
{
    return transport_adopt(factory, context, descriptor, adopt_read_end, TRANSPORT_READ_PIPE);
}

thrum_awaitable thrum_connect_write_pipe(thrum_protocol_factory *factory, void *context, int descriptor)
{
    return transport_adopt(factory, context, descriptor, adopt_write_end, TRANSPORT_WRITE_PIPE);
}
