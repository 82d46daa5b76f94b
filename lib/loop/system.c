#include "loop/system.h"

#include <thrum/errors.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#if SYSTEM_LINUX
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#endif

int system_prepare(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    return 0;
}

#if !SYSTEM_LINUX
/* Between its birth and this a program that another thread starts may inherit it: POSIX knows no better way. */
static int prepared(int descriptor)
{
    if (descriptor < 0)
        return descriptor;
    int error = system_prepare(descriptor);
#ifdef SO_NOSIGPIPE
    const int on = 1;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    if (!error)
        return descriptor;
    (void)close(descriptor);
    errno = -error;
    return -1;
}
#endif

int system_socket(int family, int type)
{
#if SYSTEM_LINUX
    return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
    return prepared(socket(family, type, 0));
#endif
}

int system_accept(int listener, struct sockaddr *address, socklen_t *size)
{
#if SYSTEM_LINUX
    return accept4(listener, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    return prepared(accept(listener, address, size));
#endif
}

/* ---- waking: an eventfd, or a pipe ---- */

int system_waker_open(system_waker *waker)
{
#if SYSTEM_LINUX
    waker->read = waker->write = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return waker->read < 0 ? -errno : 0;
#else
    int ends[2];
    if (pipe(ends) < 0)
        return -errno;
    waker->read = ends[0];
    waker->write = ends[1];
    int error = system_prepare(ends[0]);
    if (!error)
        error = system_prepare(ends[1]);
    if (error)
        system_waker_close(waker);
    return error;
#endif
}

void system_waker_close(system_waker *waker)
{
    (void)close(waker->read);
    if (waker->write != waker->read)
        (void)close(waker->write);
}

void system_waker_wake(const system_waker *waker)
{
    const uint64_t one = 1;
    int saved = errno;
    /* A full pipe is as good: somebody is being woken. */
    while (write(waker->write, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    errno = saved;
}

void system_waker_drain(const system_waker *waker)
{
    char drain[256];
    while (read(waker->read, drain, sizeof drain) == (ssize_t)sizeof drain)
        continue;
}

/* ---- who is there ---- */

int system_peer(int descriptor, int64_t *process, int64_t *user, int64_t *group)
{
#if SYSTEM_LINUX
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size))
        return -errno;
    *process = peer.pid;
    *user = (int64_t)peer.uid;
    *group = (int64_t)peer.gid;
    return 0;
#else
    (void)descriptor, (void)process, (void)user, (void)group;
    return THRUM_EUNSUPPORTED;
#endif
}

/* ---- services ---- */

int system_service(const char *name, const char *protocol)
{
    const struct servent *found = NULL;
#if SYSTEM_LINUX
    struct servent entry, *result = NULL;
    char memory[1024];
    if (!getservbyname_r(name, protocol, &entry, memory, sizeof memory, &result))
        found = result;
    return found ? ntohs((uint16_t)found->s_port) : -1;
#else
    static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&guard);
    found = getservbyname(name, protocol);
    int port = found ? ntohs((uint16_t)found->s_port) : -1;
    pthread_mutex_unlock(&guard);
    return port;
#endif
}

/* ---- without SIGPIPE ---- */

/* Calls that know no MSG_NOSIGNAL, and SIGPIPE is not ours to ignore: it is held back in this thread, and taken away if
 * this very call raised it. */
typedef struct held_signal {
    sigset_t broken, before;
} held_signal;

static void hold_back(held_signal *held)
{
    (void)sigemptyset(&held->broken);
    (void)sigaddset(&held->broken, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &held->broken, &held->before);
}

/* `whole`: everything was taken, so nothing was raised. A part may have been when the peer went in the middle; the
 * error comes with the next call then. errno stays. */
static void let_go(const held_signal *held, bool whole)
{
    sigset_t pending;
    int error = errno, number;
    if (!sigismember(&held->before, SIGPIPE)) {
        if (!whole && !sigpending(&pending) && sigismember(&pending, SIGPIPE))
            (void)sigwait(&held->broken, &number);
        (void)pthread_sigmask(SIG_SETMASK, &held->before, NULL);
    }
    errno = error;
}

ssize_t system_write_quietly(int descriptor, const struct iovec *pieces, int count)
{
    size_t size = 0;
    held_signal held;
    ssize_t sent;
    for (int i = 0; i < count; i++)
        size += pieces[i].iov_len;
    hold_back(&held);
    do
        sent = writev(descriptor, pieces, count);
    while (sent < 0 && errno == EINTR);
    let_go(&held, sent == (ssize_t)size);
    return sent;
}

/* ---- sending files ---- */

#if SYSTEM_LINUX
ssize_t system_send_more(int descriptor, const void *data, size_t size)
{
    return send(descriptor, data, size, MSG_NOSIGNAL | MSG_MORE);
}

void system_push(int descriptor)
{
    int off = 0;
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_CORK, &off, sizeof off); /* pushes, also where it was off */
}

ssize_t system_sendfile(int descriptor, int file, off_t at, size_t size)
{
    held_signal held;
    ssize_t sent;
    hold_back(&held);
    do
        sent = sendfile(descriptor, file, &at, size);
    while (sent < 0 && errno == EINTR);
    let_go(&held, sent == (ssize_t)size);
    return sent;
}
#else
ssize_t system_send_more(int descriptor, const void *data, size_t size)
{
    return send(descriptor, data, size, MSG_NOSIGNAL);
}

void system_push(int descriptor)
{
    (void)descriptor;
}

/* Other systems have other calls of this name. */
ssize_t system_sendfile(int descriptor, int file, off_t at, size_t size)
{
    (void)descriptor, (void)file, (void)at, (void)size;
    errno = ENOSYS;
    return -1;
}
#endif

/* ---- bytes ---- */

const void *system_find(const void *bytes, size_t size, const void *what, size_t length)
{
#if SYSTEM_LINUX
    return memmem(bytes, size, what, length);
#else
    const char *at = (const char *)bytes, *end = at + size;
    if (!length)
        return bytes;
    while ((size_t)(end - at) >= length && (at = memchr(at, *(const char *)what, (size_t)(end - at) - length + 1))) {
        if (memcmp(at, what, length) == 0)
            return at;
        at++;
    }
    return NULL;
#endif
}

/* ---- threads ---- */

#if !SYSTEM_LINUX
static pthread_t loading;

/* Libraries are loaded by the thread that main() will run in, nearly always. */
__attribute__((constructor)) static void note_thread(void)
{
    loading = pthread_self();
}
#endif

bool system_main_thread(void)
{
#if SYSTEM_LINUX
    return (pid_t)syscall(SYS_gettid) == getpid();
#else
    return pthread_equal(pthread_self(), loading) != 0;
#endif
}
