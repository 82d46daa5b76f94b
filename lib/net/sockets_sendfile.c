/* Sending a part of a file down a plain descriptor: by sendfile(2), or by reading and sending. */
#include "net/sockets.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/system.h"

enum { PIECE = 16384 }; /* is read and sent at once */

static bool stream_socket(int descriptor, long *error)
{
    int kind = 0;
    socklen_t size = sizeof kind;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &size))
        *error = -errno;
    else if (kind != SOCK_STREAM)
        *error = THRUM_EINVAL;
    return !*error;
}

/* Bytes; 0 at the end of the file; SOCK_LATER or an error. */
static long send_piece(const sock_call *call, size_t most)
{
    char piece[PIECE];
    ssize_t got, sent;
    do
        got = pread(call->file, piece, most < sizeof piece ? most : sizeof piece, (off_t)(call->offset + call->done));
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got < 0 ? -errno : 0;
    do
        sent = send(call->descriptor, piece, (size_t)got, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? sock_failed() : (long)sent;
}

/* Before the first byte, whatever is wrong is for the fallback, which finds out what. */
static long send_native(sock_call *call, size_t most)
{
    ssize_t sent = system_sendfile(call->descriptor, call->file, (off_t)(call->offset + call->done), most);
    if (sent >= 0)
        return (long)sent;
    if (errno == EAGAIN || errno == EWOULDBLOCK || call->done)
        return sock_failed();
    if (!call->fallback)
        return THRUM_EUNSUPPORTED;
    call->portable = true;
    return send_piece(call, most);
}

static long begin(sock_call *call)
{
    struct stat file;
    long error = 0;
    call->begun = true;
    if (!stream_socket(call->descriptor, &error))
        return error;
    if (fstat(call->file, &file))
        return -errno;
    if (!S_ISREG(file.st_mode)) {
        call->portable = true;
        return call->fallback ? 0 : THRUM_EUNSUPPORTED;
    }
    return 0;
}

static long send_file(sock_call *call)
{
    size_t turn = 0;
    long sent = call->begun ? 0 : begin(call);
    if (sent < 0)
        return sent;
    while (call->done < call->size) {
        size_t most = call->size - call->done;
        if (turn >= SOCK_TURN)
            return SOCK_LATER;
        if (most > SOCK_TURN - turn)
            most = SOCK_TURN - turn;
        sent = call->portable ? send_piece(call, most) : send_native(call, most);
        if (sent < 0)
            return sent;
        if (!sent)
            break;
        call->done += (size_t)sent;
        turn += (size_t)sent;
    }
    return (long)call->done;
}

static const thrum_operations sendfile_operations = {sock_start, sock_partly_resume, sock_partly_cancel,
                                                     sock_drop,  "sock_sendfile",    NULL};

thrum_awaitable thrum_sock_sendfile(int descriptor, int file, uint64_t offset, size_t count, bool fallback)
{
    if (file < 0 || !count || offset > INT64_MAX)
        return thrum_awaitable_failing(THRUM_EINVAL);
    sock_call *call = sock_new(send_file, descriptor, THRUM_IO_WRITE);
    if (call) {
        call->file = file;
        call->offset = offset;
        call->size = count < INT64_MAX - offset ? count : (size_t)(INT64_MAX - offset);
        call->fallback = fallback;
    }
    return sock_awaitable(&sendfile_operations, call);
}
