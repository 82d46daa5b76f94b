/* A fault layer under the sockets of a test. */
#include "faults.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096, PIECES = 64 };

fault_counts faults;

static _Thread_local bool active; /* zero but in the thread of the test */
static fault_plan plan;
static uint64_t row, choices;
static bool ours[DESCRIPTORS];

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void faults_begin(const fault_plan *wanted)
{
    plan = *wanted;
    row = plan.seed;
    choices = ~plan.seed;
    memset(&faults, 0, sizeof faults);
    memset(ours, 0, sizeof ours);
    active = true;
}

void faults_end(void)
{
    active = false;
}

size_t faults_choose(size_t count)
{
    return count ? (size_t)(draw(&choices) % count) : 0;
}

/* ---- which call meets what ---- */

static bool disturbs(int descriptor)
{
    return active && descriptor >= 0 && descriptor < DESCRIPTORS && ours[descriptor];
}

/* One of `possible`, or 0. */
static unsigned next_fault(unsigned possible)
{
    long number = faults.calls++;
    possible &= plan.kinds;
    if (!possible || (plan.one_in ? draw(&row) % plan.one_in != 0 : number != plan.nth))
        return 0;
    unsigned chosen = possible;
    for (unsigned skip = (unsigned)(draw(&row) % (unsigned)__builtin_popcount(possible)); skip; skip--)
        chosen &= chosen - 1;
    chosen &= ~chosen + 1;
    faults.disturbed++;
    faults.hard += (chosen & FAULTS_HARD) != 0;
    return chosen;
}

static int say(int error)
{
    errno = error;
    return -1;
}

static int option_of(int descriptor, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    return (int)syscall(SYS_getsockopt, descriptor, SOL_SOCKET, name, &value, &size) ? -1 : value;
}

static int opened(long descriptor)
{
    /* TCP with windows below its segment's size falls into waiting for timers. */
    const int little = 2048;
    if (!active || descriptor < 0 || descriptor >= DESCRIPTORS)
        return (int)descriptor;
    ours[descriptor] = true;
    if (plan.narrow && option_of((int)descriptor, SO_DOMAIN) == AF_UNIX)
        (void)syscall(SYS_setsockopt, descriptor, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    return (int)descriptor;
}

static bool is_datagram(int descriptor)
{
    return option_of(descriptor, SO_TYPE) == SOCK_DGRAM;
}

/* Both ends learn of it: TCP sends a reset, other sockets end. */
static void break_off(int descriptor)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    if (is_datagram(descriptor))
        return;
    if (syscall(SYS_connect, descriptor, &nobody, sizeof nobody))
        (void)syscall(SYS_shutdown, descriptor, SHUT_RDWR);
}

enum { READS = FAULT_SHORT | FAULT_AGAIN | FAULT_INTERRUPTED | FAULT_BROKEN, ONCE = READS & ~FAULT_SHORT };

/* True: the call goes no further, errno says why. `*size`, which may be NULL, becomes smaller when it is to be
 * short. */
static bool stopped(int descriptor, size_t *size, int broken)
{
    if (!disturbs(descriptor))
        return false;
    switch (next_fault(size && *size > 1 && !is_datagram(descriptor) ? READS : ONCE)) {
    case FAULT_SHORT:
        *size = draw(&row) & 1 ? 1 : 1 + (size_t)(draw(&row) % *size);
        return false;
    case FAULT_AGAIN:
        errno = EAGAIN;
        return true;
    case FAULT_INTERRUPTED:
        errno = EINTR;
        return true;
    case FAULT_BROKEN:
        break_off(descriptor);
        errno = is_datagram(descriptor) ? ECONNREFUSED : broken;
        return true;
    default:
        return false;
    }
}

/* The first `size` bytes of a message. */
static struct msghdr first_of(const struct msghdr *message, struct iovec *pieces, size_t size)
{
    struct msghdr shorter = *message;
    size_t i = 0;
    for (; i < message->msg_iovlen && i < PIECES && size; i++) {
        pieces[i] = message->msg_iov[i];
        if (pieces[i].iov_len > size)
            pieces[i].iov_len = size;
        size -= pieces[i].iov_len;
    }
    shorter.msg_iov = pieces;
    shorter.msg_iovlen = i;
    return shorter;
}

static size_t size_of(const struct iovec *pieces, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].iov_len;
    return size;
}

/* ---- receiving ---- */

ssize_t read(int descriptor, void *to, size_t size)
{
    return stopped(descriptor, &size, ECONNRESET) ? -1 : syscall(SYS_read, descriptor, to, size);
}

ssize_t recv(int descriptor, void *to, size_t size, int flags)
{
    return stopped(descriptor, &size, ECONNRESET) ? -1 : syscall(SYS_recvfrom, descriptor, to, size, flags, NULL, NULL);
}

ssize_t recvfrom(int descriptor, void *to, size_t size, int flags, __SOCKADDR_ARG from, socklen_t *length)
{
    return stopped(descriptor, &size, ECONNRESET)
               ? -1
               : syscall(SYS_recvfrom, descriptor, to, size, flags, from.__sockaddr__, length);
}

ssize_t recvmsg(int descriptor, struct msghdr *message, int flags)
{
    struct iovec pieces[PIECES];
    size_t whole = size_of(message->msg_iov, message->msg_iovlen), size = whole;
    if (stopped(descriptor, &size, ECONNRESET))
        return -1;
    if (size == whole)
        return syscall(SYS_recvmsg, descriptor, message, flags);
    struct msghdr shorter = first_of(message, pieces, size);
    ssize_t got = syscall(SYS_recvmsg, descriptor, &shorter, flags);
    message->msg_namelen = shorter.msg_namelen;
    message->msg_controllen = shorter.msg_controllen;
    message->msg_flags = shorter.msg_flags;
    return got;
}

static bool stopped_many(int descriptor, unsigned *count)
{
    if (!disturbs(descriptor))
        return false;
    switch (next_fault(*count > 1 ? READS : ONCE)) {
    case FAULT_SHORT:
        *count = 1 + (unsigned)(draw(&row) % (*count - 1));
        return false;
    case FAULT_AGAIN:
        errno = EAGAIN;
        return true;
    case FAULT_INTERRUPTED:
        errno = EINTR;
        return true;
    case FAULT_BROKEN:
        errno = ECONNREFUSED;
        return true;
    default:
        return false;
    }
}

int recvmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit)
{
    return stopped_many(descriptor, &count) ? -1
                                            : (int)syscall(SYS_recvmmsg, descriptor, messages, count, flags, limit);
}

/* ---- sending ---- */

/* A reset is found by either call of the two; what the writing one says depends on who looked first. */
static int broken_write(void)
{
    return active && draw(&row) & 1 ? EPIPE : ECONNRESET;
}

ssize_t write(int descriptor, const void *data, size_t size)
{
    return stopped(descriptor, &size, EPIPE) ? -1 : syscall(SYS_write, descriptor, data, size);
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count)
{
    struct iovec fewer[PIECES];
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = (size_t)count};
    size_t whole = size_of(pieces, (size_t)count), size = whole;
    if (stopped(descriptor, &size, EPIPE))
        return -1;
    if (size != whole)
        message = first_of(&message, fewer, size);
    return syscall(SYS_writev, descriptor, message.msg_iov, message.msg_iovlen);
}

ssize_t send(int descriptor, const void *data, size_t size, int flags)
{
    return stopped(descriptor, &size, broken_write()) ? -1
                                                      : syscall(SYS_sendto, descriptor, data, size, flags, NULL, 0);
}

ssize_t sendto(int descriptor, const void *data, size_t size, int flags, __CONST_SOCKADDR_ARG to, socklen_t length)
{
    return stopped(descriptor, &size, broken_write())
               ? -1
               : syscall(SYS_sendto, descriptor, data, size, flags, to.__sockaddr__, length);
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags)
{
    struct iovec pieces[PIECES];
    size_t whole = size_of(message->msg_iov, message->msg_iovlen), size = whole;
    if (stopped(descriptor, &size, broken_write()))
        return -1;
    if (size == whole)
        return syscall(SYS_sendmsg, descriptor, message, flags);
    struct msghdr shorter = first_of(message, pieces, size);
    return syscall(SYS_sendmsg, descriptor, &shorter, flags);
}

int sendmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags)
{
    return stopped_many(descriptor, &count) ? -1 : (int)syscall(SYS_sendmmsg, descriptor, messages, count, flags);
}

ssize_t sendfile(int descriptor, int file, off_t *at, size_t size)
{
    return stopped(descriptor, &size, EPIPE) ? -1 : syscall(SYS_sendfile, descriptor, file, at, size);
}

/* ---- connections ---- */

int connect(int descriptor, __CONST_SOCKADDR_ARG to, socklen_t length)
{
    unsigned fault = disturbs(descriptor) ? next_fault(FAULT_INTERRUPTED | FAULT_BROKEN | FAULT_REFUSED) : 0;
    if (fault & FAULTS_HARD)
        return say(fault == FAULT_BROKEN ? ECONNREFUSED : ENETUNREACH);
    int result = (int)syscall(SYS_connect, descriptor, to.__sockaddr__, length);
    return fault && (!result || errno == EINPROGRESS) ? say(EINTR) : result;
}

static int accept_with(int listener, struct sockaddr *from, socklen_t *length, int flags)
{
    unsigned fault = disturbs(listener) ? next_fault(ONCE) : 0;
    if (fault & (FAULT_AGAIN | FAULT_INTERRUPTED))
        return say(fault == FAULT_AGAIN ? EAGAIN : EINTR);
    long descriptor = syscall(SYS_accept4, listener, from, length, flags);
    if (descriptor < 0 || !fault)
        return opened(descriptor);
    break_off((int)descriptor);
    (void)syscall(SYS_close, descriptor);
    return say(ECONNABORTED);
}

int accept4(int listener, __SOCKADDR_ARG from, socklen_t *length, int flags)
{
    return accept_with(listener, from.__sockaddr__, length, flags);
}

int accept(int listener, __SOCKADDR_ARG from, socklen_t *length)
{
    return accept_with(listener, from.__sockaddr__, length, 0);
}

static bool refused(int descriptor, int error)
{
    if (!disturbs(descriptor) || !next_fault(FAULT_REFUSED))
        return false;
    errno = error;
    return true;
}

int socket(int family, int type, int protocol)
{
    if (active && next_fault(FAULT_REFUSED))
        return say(EMFILE);
    return opened(syscall(SYS_socket, family, type, protocol));
}

int socketpair(int family, int type, int protocol, int ends[2])
{
    if (syscall(SYS_socketpair, family, type, protocol, ends))
        return -1;
    (void)opened(ends[0]);
    (void)opened(ends[1]);
    return 0;
}

int pipe(int ends[2])
{
    if (syscall(SYS_pipe2, ends, 0))
        return -1;
    (void)opened(ends[0]);
    (void)opened(ends[1]);
    return 0;
}

int bind(int descriptor, __CONST_SOCKADDR_ARG to, socklen_t length)
{
    return refused(descriptor, EADDRINUSE) ? -1 : (int)syscall(SYS_bind, descriptor, to.__sockaddr__, length);
}

int listen(int descriptor, int most)
{
    return refused(descriptor, EADDRINUSE) ? -1 : (int)syscall(SYS_listen, descriptor, most);
}

int setsockopt(int descriptor, int level, int name, const void *value, socklen_t length)
{
    return refused(descriptor, ENOBUFS) ? -1 : (int)syscall(SYS_setsockopt, descriptor, level, name, value, length);
}

int getsockopt(int descriptor, int level, int name, void *value, socklen_t *length)
{
    return refused(descriptor, ENOBUFS) ? -1 : (int)syscall(SYS_getsockopt, descriptor, level, name, value, length);
}

int getsockname(int descriptor, __SOCKADDR_ARG to, socklen_t *length)
{
    return refused(descriptor, ENOBUFS) ? -1 : (int)syscall(SYS_getsockname, descriptor, to.__sockaddr__, length);
}

int shutdown(int descriptor, int how)
{
    return refused(descriptor, ENOTCONN) ? -1 : (int)syscall(SYS_shutdown, descriptor, how);
}

int close(int descriptor)
{
    if (active && descriptor >= 0 && descriptor < DESCRIPTORS)
        ours[descriptor] = false;
    int result = (int)syscall(SYS_close, descriptor);
    if (active && result && errno == EBADF)
        faults.bad_closes++;
    return active && plan.closes_fail && !result ? say(EIO) : result;
}

/* ---- the poll ---- */

/* Keeps some events back. They are level-triggered, so they are found again; at least as often as not one goes
 * through. */
static int kept_back(struct epoll_event *events, int count)
{
    int left = 0;
    for (int i = 0; i < count; i++)
        if (draw(&row) & 1)
            events[left++] = events[i];
    return left;
}

/* libev takes the descriptor for dead then: it stops its watchers and tells them of an error. */
int epoll_ctl(int poller, int operation, int descriptor, struct epoll_event *event)
{
    if (operation != EPOLL_CTL_DEL && disturbs(descriptor) && next_fault(FAULT_UNWATCHED))
        return say(ENOMEM);
    return (int)syscall(SYS_epoll_ctl, poller, operation, descriptor, event);
}

int epoll_wait(int poller, struct epoll_event *events, int most, int limit)
{
    unsigned fault = active ? next_fault(FAULT_INTERRUPTED | FAULT_LATE) : 0;
    if (fault == FAULT_INTERRUPTED)
        return say(EINTR);
    int count = (int)syscall(SYS_epoll_pwait, poller, events, most, limit, NULL, 0);
    return fault ? kept_back(events, count) : count;
}
