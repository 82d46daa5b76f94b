/* Socket calls on plain descriptors: tried first, then waited for. */
#include "net/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "core/state.h"
#include "loop/loop.h"
#include "loop/system.h"
#include "net/addresses.h"
#include "net/stream.h"

#ifndef MSG_DONTWAIT
#define MSG_DONTWAIT 0
#endif

/* ---- a call ---- */

sock_call *sock_new(long (*attempt)(sock_call *), int descriptor, uint8_t events)
{
    sock_call *call = (sock_call *)pool_take(&thrum_state_here()->pool, sizeof *call, POOL_OTHER);
    if (!call)
        return NULL;
    memset(call, 0, sizeof *call);
    call->attempt = attempt;
    call->descriptor = descriptor;
    call->events = events;
    return call;
}

/* What streams and the like use is counted there (watches.c); these calls are not. */
static void close_watcher(sock_call *call)
{
    if (!call->watching)
        return;
    loop_descriptor_shared(loop_here(), call->descriptor, false);
    thrum_io_close(&call->io);
}

static void forget(sock_call *call)
{
    close_watcher(call);
    pool_give(&thrum_state_here()->pool, call, sizeof *call, POOL_OTHER);
}

long sock_failed(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? SOCK_LATER : -errno;
}

static thrum_step over(sock_call *call, thrum_task *task, long result)
{
    char text[THRUM_ADDRESS_TEXT] = "";
    const char *name = call->operations->name;
    int64_t done = (int64_t)call->done;
    if (result < 0 && call->address)
        thrum_address_text(call->address, text, sizeof text);
    forget(call);
    if (result >= 0)
        return thrum_done(task, 0, (thrum_value)result);
    int code = (int)result;
    return thrum_done(task, thrum_error_set(code, code > THRUM_ECANCELED ? -code : 0, name, done, text), 0);
}

static void ready(thrum_io *io)
{
    thrum_wake(&thrum_io_of(io, sock_call, io)->task->waiter, 0, 0);
}

static int watch(sock_call *call)
{
    int error = call->watching ? 0 : thrum_io_init(&call->io, call->descriptor, call->events, ready);
    if (error)
        return error;
    if (!call->watching)
        loop_descriptor_shared(loop_here(), call->descriptor, true);
    call->watching = true;
    thrum_io_start(&call->io);
    return 0;
}

static thrum_step go_on(sock_call *call, thrum_task *task)
{
    long result = call->attempt(call);
    if (result != SOCK_LATER)
        return over(call, task, result);
    int error = watch(call);
    return error ? over(call, task, error) : thrum_parked(task);
}

static int check(const sock_call *call)
{
    const thrum_loop *loop = loop_here();
    int flags;
    if (!loop)
        return THRUM_ESTATE;
    if (!loop->verbs.io_open)
        return THRUM_EUNSUPPORTED;
    if (call->descriptor < 0)
        return -EBADF;
    if (loop_descriptor_owned(loop, call->descriptor))
        return THRUM_ESTATE;
    if (!loop->debug)
        return 0;
    flags = fcntl(call->descriptor, F_GETFL);
    return flags < 0 ? -errno : flags & O_NONBLOCK ? 0 : THRUM_EINVAL;
}

thrum_step sock_start(thrum_task *task, thrum_record *record)
{
    sock_call *call = (sock_call *)record->object;
    int error = check(call);
    call->task = task;
    return error ? over(call, task, error) : go_on(call, task);
}

thrum_step sock_resume(thrum_task *task)
{
    return go_on((sock_call *)task->object, task);
}

thrum_cancel_result sock_cancel(thrum_task *task)
{
    forget((sock_call *)task->object);
    return THRUM_DETACHED;
}

/* A part was done: the detail says how much. */
thrum_cancel_result sock_partly_cancel(thrum_task *task)
{
    sock_call *call = (sock_call *)task->object;
    size_t done = call->done;
    forget(call);
    stream_wake_without(task, THRUM_ECANCELED, done);
    return THRUM_FORWARDED;
}

thrum_step sock_partly_resume(thrum_task *task)
{
    if (task->object)
        return sock_resume(task);
    int error = (int)task->waiter.node.error;
    return thrum_done(task, thrum_error_set(error, 0, task->operations->name, task->waiter.as.value, NULL), 0);
}

void sock_drop(thrum_record *record)
{
    forget((sock_call *)record->object);
}

thrum_awaitable sock_awaitable(const thrum_operations *operations, sock_call *call)
{
    if (!call)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    call->operations = operations;
    return thrum_awaitable_make(operations, call, 0, 0);
}

/* ---- receiving ---- */

static long receive(sock_call *call)
{
    ssize_t got;
    do
        got = recv(call->descriptor, call->to, call->size, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got < 0 ? sock_failed() : (long)got;
}

static long receive_from(sock_call *call)
{
    net_address from;
    ssize_t got;
    do {
        memset(&from, 0, sizeof from);
        from.size = sizeof from.as;
        got = recvfrom(call->descriptor, call->to, call->size, MSG_DONTWAIT, &from.as.any, &from.size);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return sock_failed();
    if (call->from)
        (void)thrum_address_from_raw(call->from, &from.as, from.size);
    return (long)got;
}

static const thrum_operations recv_operations = {sock_start, sock_resume, sock_cancel, sock_drop, "sock_recv", NULL};
static const thrum_operations recvfrom_operations = {sock_start, sock_resume,     sock_cancel,
                                                     sock_drop,  "sock_recvfrom", NULL};

thrum_awaitable thrum_sock_recv(int descriptor, void *buffer, size_t size)
{
    sock_call *call = sock_new(receive, descriptor, THRUM_IO_READ);
    if (call) {
        call->to = (char *)buffer;
        call->size = size;
    }
    return sock_awaitable(&recv_operations, call);
}

thrum_awaitable thrum_sock_recvfrom(int descriptor, void *buffer, size_t size, thrum_address *from)
{
    sock_call *call = sock_new(receive_from, descriptor, THRUM_IO_READ);
    if (call) {
        call->to = (char *)buffer;
        call->size = size;
        call->from = from;
    }
    return sock_awaitable(&recvfrom_operations, call);
}

/* ---- sending ---- */

/* A peer that takes all as fast as it comes would keep everybody else waiting. */
static long send_all(sock_call *call)
{
    size_t turn = 0;
    while (call->done < call->size) {
        size_t most = call->size - call->done;
        if (turn >= SOCK_TURN)
            return SOCK_LATER;
        if (most > SOCK_TURN - turn)
            most = SOCK_TURN - turn;
        ssize_t sent = send(call->descriptor, call->data + call->done, most, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EINTR)
            return sock_failed();
        if (sent > 0) {
            call->done += (size_t)sent;
            turn += (size_t)sent;
        }
    }
    return (long)call->size;
}

static long send_to(sock_call *call)
{
    const thrum_address *to = call->address;
    ssize_t sent;
    do
        sent = sendto(call->descriptor, call->data, call->size, MSG_NOSIGNAL | MSG_DONTWAIT,
                      to ? address_raw(to) : NULL, to ? (socklen_t)to->size : 0);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? sock_failed() : (long)sent;
}

static const thrum_operations sendall_operations = {sock_start, sock_partly_resume, sock_partly_cancel,
                                                    sock_drop,  "sock_sendall",     NULL};
static const thrum_operations sendto_operations = {sock_start, sock_resume,   sock_cancel,
                                                   sock_drop,  "sock_sendto", NULL};

static thrum_awaitable send_operation(const thrum_operations *operations, long (*attempt)(sock_call *), int descriptor,
                                      const void *data, size_t size, const thrum_address *to)
{
    sock_call *call = sock_new(attempt, descriptor, THRUM_IO_WRITE);
    if (call) {
        call->data = (const char *)data;
        call->size = size;
        call->address = to;
    }
    return sock_awaitable(operations, call);
}

thrum_awaitable thrum_sock_sendall(int descriptor, const void *data, size_t size)
{
    return send_operation(&sendall_operations, send_all, descriptor, data, size, NULL);
}

thrum_awaitable thrum_sock_sendto(int descriptor, const void *data, size_t size, const thrum_address *to)
{
    return send_operation(&sendto_operations, send_to, descriptor, data, size, to);
}

/* ---- connections ---- */

/* The second time the socket is writable: it has come to an end. */
static long connect_to(sock_call *call)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (call->begun) {
        if (getsockopt(call->descriptor, SOL_SOCKET, SO_ERROR, &error, &size))
            error = errno;
        return -error;
    }
    if (!call->address->size)
        return THRUM_EINVAL;
    if (!connect(call->descriptor, address_raw(call->address), (socklen_t)call->address->size))
        return 0;
    if (errno != EINPROGRESS && errno != EINTR)
        return -errno;
    call->begun = true;
    return SOCK_LATER;
}

static long take(sock_call *call)
{
    net_address peer;
    int made;
    do {
        memset(&peer, 0, sizeof peer);
        peer.size = sizeof peer.as;
        made = system_accept(call->descriptor, &peer.as.any, &peer.size);
    } while (made < 0 && errno == EINTR);
    if (made < 0)
        return sock_failed();
    if (call->from)
        (void)thrum_address_from_raw(call->from, &peer.as, peer.size);
    return made;
}

static const thrum_operations connect_operations = {sock_start, sock_resume,    sock_cancel,
                                                    sock_drop,  "sock_connect", NULL};
static const thrum_operations accept_operations = {sock_start, sock_resume,   sock_cancel,
                                                   sock_drop,  "sock_accept", NULL};

thrum_awaitable thrum_sock_connect(int descriptor, const thrum_address *to)
{
    sock_call *call = sock_new(connect_to, descriptor, THRUM_IO_WRITE);
    if (!to) {
        if (call)
            forget(call);
        return thrum_awaitable_failing(THRUM_EINVAL);
    }
    if (call)
        call->address = to;
    return sock_awaitable(&connect_operations, call);
}

thrum_awaitable thrum_sock_accept(int descriptor, thrum_address *peer)
{
    sock_call *call = sock_new(take, descriptor, THRUM_IO_READ);
    if (call)
        call->from = peer;
    return sock_awaitable(&accept_operations, call);
}

int thrum_sock_open(int family, int type)
{
    int made = system_socket(family, type);
    return made < 0 ? -errno : made;
}
