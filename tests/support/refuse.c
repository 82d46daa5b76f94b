/* Calls of the C library that fail when a test says so. */
#include "refuse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "eager.h"
#include "test.h"

enum {
    MOST = 4096,
    SYSTEM = 1 << REFUSE_SYSTEM,
    INTERRUPT = 1 << REFUSE_INTERRUPT,
    EITHER = SYSTEM | INTERRUPT,
    MEMORY = 1 << REFUSE_MEMORY | 1 << REFUSE_BLOCK
};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static size_t calls, fail_at;
static const void *blocks[MOST];
static atomic_size_t live;
static atomic_bool counting;
static const char *said; /* the call that failed */
static refusal failing;

/* Sanitizers call these functions before they are ready themselves. */
#define EARLY_ __attribute__((no_sanitize("address", "undefined")))

EARLY_ static bool asleep(void)
{
    return !atomic_load_explicit(&counting, memory_order_relaxed);
}

/* Whether this call, which may fail in these ways, is the one. */
EARLY_ static bool refused(const char *name, unsigned ways)
{
    if (asleep())
        return false;
    pthread_mutex_lock(&guard);
    bool now = counting && ways & 1u << failing && ++calls == fail_at;
    if (now)
        said = name;
    pthread_mutex_unlock(&guard);
    if (now)
        errno = failing == REFUSE_SYSTEM ? EIO : failing == REFUSE_INTERRUPT ? EINTR : ENOMEM;
    return now;
}

/* ---- memory ---- */

EARLY_ static void *keep(void *memory)
{
    if (asleep())
        return memory;
    pthread_mutex_lock(&guard);
    if (counting && memory && live < MOST)
        blocks[live++] = memory;
    pthread_mutex_unlock(&guard);
    return memory;
}

/* What was not noted is of the C library, or was there before. */
EARLY_ static void forget(const void *memory)
{
    if (!atomic_load_explicit(&live, memory_order_relaxed))
        return;
    pthread_mutex_lock(&guard);
    for (size_t i = live; i > 0; i--)
        if (blocks[i - 1] == memory) {
            blocks[i - 1] = blocks[--live];
            break;
        }
    pthread_mutex_unlock(&guard);
}

#define WRAP(type, name, parameters, arguments, ways, otherwise)                                                       \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        return refused(#name, ways) ? otherwise : __real_##name arguments;                                             \
    }

#define WRAP_MEMORY(name, parameters, arguments, before)                                                               \
    void *__real_##name parameters;                                                                                    \
    void *__wrap_##name parameters;                                                                                    \
    void *__wrap_##name parameters                                                                                     \
    {                                                                                                                  \
        if (refused(#name, MEMORY))                                                                                    \
            return NULL;                                                                                               \
        before;                                                                                                        \
        return keep(__real_##name arguments);                                                                          \
    }

WRAP_MEMORY(malloc, (size_t size), (size), (void)0)
WRAP_MEMORY(calloc, (size_t count, size_t size), (count, size), (void)0)
WRAP_MEMORY(realloc, (void *memory, size_t size), (memory, size), forget(memory))
WRAP_MEMORY(strdup, (const char *text), (text), (void)0)

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
    forget(memory);
    __real_free(memory);
}

static void *take_block(void *context, size_t size)
{
    (void)context;
    return __wrap_malloc(size);
}

static void give_block(void *context, void *block, size_t size)
{
    (void)context, (void)size;
    __wrap_free(block);
}

/* ---- descriptors ---- */

WRAP(int, socket, (int family, int type, int protocol), (family, type, protocol), SYSTEM, -1)
WRAP(int, pipe2, (int ends[2], int flags), (ends, flags), SYSTEM, -1)
WRAP(int, eventfd, (unsigned value, int flags), (value, flags), SYSTEM, -1)
WRAP(int, posix_openpt, (int flags), (flags), SYSTEM, -1)
WRAP(int, grantpt, (int descriptor), (descriptor), SYSTEM, -1)
WRAP(int, unlockpt, (int descriptor), (descriptor), SYSTEM, -1)
WRAP(char *, ptsname, (int descriptor), (descriptor), SYSTEM, NULL)
WRAP(int, tcgetattr, (int descriptor, struct termios *mode), (descriptor, mode), SYSTEM, -1)
WRAP(int, tcsetattr, (int descriptor, int when, const struct termios *mode), (descriptor, when, mode), SYSTEM, -1)
WRAP(int, fsync, (int descriptor), (descriptor), EITHER, -1)
WRAP(int, fdatasync, (int descriptor), (descriptor), EITHER, -1)
WRAP(int, fchmod, (int descriptor, mode_t mode), (descriptor, mode), SYSTEM, -1)
WRAP(int, ftruncate64, (int descriptor, off_t size), (descriptor, size), EITHER, -1)
WRAP(int, fstat64, (int descriptor, struct stat *found), (descriptor, found), SYSTEM, -1)
WRAP(int, stat64, (const char *path, struct stat *found), (path, found), SYSTEM, -1)
WRAP(int, lstat64, (const char *path, struct stat *found), (path, found), SYSTEM, -1)
WRAP(int, fstatat64, (int folder, const char *path, struct stat *found, int flags), (folder, path, found, flags),
     SYSTEM, -1)
WRAP(DIR *, opendir, (const char *path), (path), SYSTEM, NULL)
WRAP(struct dirent *, readdir64, (DIR * folder), (folder), SYSTEM, NULL)
WRAP(int, rename, (const char *from, const char *to), (from, to), SYSTEM, -1)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), SYSTEM, -1)
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode), SYSTEM, -1)
WRAP(int, getrlimit64, (__rlimit_resource_t what, struct rlimit *limit), (what, limit), SYSTEM, -1)
WRAP(int, poll, (struct pollfd * list, nfds_t count, int limit), (list, count, limit), INTERRUPT, -1)
WRAP(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options), (type, id, info, options), INTERRUPT, -1)
WRAP(ssize_t, read, (int descriptor, void *to, size_t size), (descriptor, to, size), EITHER, -1)
/* Not for good: an eventfd and a pipe that wake a loop take what is written. */
WRAP(ssize_t, write, (int descriptor, const void *data, size_t size), (descriptor, data, size), INTERRUPT, -1)
WRAP(ssize_t, pread64, (int descriptor, void *to, size_t size, off_t at), (descriptor, to, size, at), EITHER, -1)
WRAP(ssize_t, pwrite64, (int descriptor, const void *data, size_t size, off_t at), (descriptor, data, size, at), EITHER,
     -1)
WRAP(ssize_t, writev, (int descriptor, const struct iovec *list, int count), (descriptor, list, count), EITHER, -1)

/* It closes, and says so or does not. */
int __real_close(int descriptor);
int __wrap_close(int descriptor);
int __wrap_close(int descriptor)
{
    int result = __real_close(descriptor), why = errno;
    if (refused("close", EITHER))
        return -1;
    errno = why;
    return result;
}

int __wrap_open64(const char *path, int flags, ...);
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    unsigned mode = flags & O_CREAT ? va_arg(more, unsigned) : 0;
    va_end(more);
    return refused("open", EITHER) ? -1 : __real_open64(path, flags, mode);
}

/* The library gives a number or nothing. */
int __wrap_fcntl64(int descriptor, int command, ...);
int __real_fcntl64(int descriptor, int command, ...);
int __wrap_fcntl64(int descriptor, int command, ...)
{
    va_list more;
    va_start(more, command);
    int argument = command == F_GETFL || command == F_GETFD ? 0 : va_arg(more, int);
    va_end(more);
    return refused("fcntl", SYSTEM) ? -1 : __real_fcntl64(descriptor, command, argument);
}

int __wrap_ioctl(int descriptor, unsigned long request, ...);
int __real_ioctl(int descriptor, unsigned long request, ...);
int __wrap_ioctl(int descriptor, unsigned long request, ...)
{
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    return refused("ioctl", SYSTEM) ? -1 : __real_ioctl(descriptor, request, argument);
}

/* ---- sockets ---- */

WRAP(int, bind, (int descriptor, const struct sockaddr *to, socklen_t size), (descriptor, to, size), SYSTEM, -1)
WRAP(int, listen, (int descriptor, int most), (descriptor, most), SYSTEM, -1)
WRAP(int, connect, (int descriptor, const struct sockaddr *to, socklen_t size), (descriptor, to, size), SYSTEM, -1)
WRAP(int, accept4, (int descriptor, struct sockaddr *from, socklen_t *size, int flags), (descriptor, from, size, flags),
     INTERRUPT, -1)
WRAP(int, shutdown, (int descriptor, int how), (descriptor, how), SYSTEM, -1)
WRAP(int, getsockname, (int descriptor, struct sockaddr *to, socklen_t *size), (descriptor, to, size), SYSTEM, -1)
WRAP(int, getpeername, (int descriptor, struct sockaddr *to, socklen_t *size), (descriptor, to, size), SYSTEM, -1)
WRAP(int, getsockopt, (int descriptor, int level, int name, void *to, socklen_t *size),
     (descriptor, level, name, to, size), SYSTEM, -1)
WRAP(int, setsockopt, (int descriptor, int level, int name, const void *value, socklen_t size),
     (descriptor, level, name, value, size), SYSTEM, -1)
WRAP(ssize_t, recv, (int descriptor, void *to, size_t size, int flags), (descriptor, to, size, flags), EITHER, -1)
WRAP(ssize_t, recvfrom, (int descriptor, void *to, size_t size, int flags, struct sockaddr *from, socklen_t *length),
     (descriptor, to, size, flags, from, length), EITHER, -1)
WRAP(ssize_t, recvmsg, (int descriptor, struct msghdr *message, int flags), (descriptor, message, flags), EITHER, -1)
WRAP(int, recvmmsg, (int descriptor, struct mmsghdr *list, unsigned count, int flags, struct timespec *limit),
     (descriptor, list, count, flags, limit), EITHER, -1)
WRAP(ssize_t, send, (int descriptor, const void *data, size_t size, int flags), (descriptor, data, size, flags), EITHER,
     -1)
WRAP(ssize_t, sendto,
     (int descriptor, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length),
     (descriptor, data, size, flags, to, length), EITHER, -1)
WRAP(ssize_t, sendmsg, (int descriptor, const struct msghdr *message, int flags), (descriptor, message, flags), EITHER,
     -1)
WRAP(int, sendmmsg, (int descriptor, struct mmsghdr *list, unsigned count, int flags), (descriptor, list, count, flags),
     EITHER, -1)
WRAP(ssize_t, sendfile64, (int descriptor, int file, off_t *at, size_t size), (descriptor, file, at, size), EITHER, -1)
WRAP(int, getnameinfo,
     (const struct sockaddr *address, socklen_t size, char *host, socklen_t host_room, char *service,
      socklen_t service_room, int flags),
     (address, size, host, host_room, service, service_room, flags), SYSTEM | MEMORY,
     (failing == REFUSE_SYSTEM ? EAI_SYSTEM : EAI_MEMORY))
WRAP(int, getaddrinfo, (const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found),
     (host, port, hints, found), SYSTEM | MEMORY, (failing == REFUSE_SYSTEM ? EAI_SYSTEM : EAI_MEMORY))

/* ---- threads ---- */

WRAP(int, pthread_create, (pthread_t * made, const pthread_attr_t *how, void *(*begin)(void *), void *argument),
     (made, how, begin, argument), SYSTEM, EAGAIN)

/* ---- trying ---- */

/* Blocks that are left. A thread whose end was waited for may be about to free what it ran on. */
static size_t left(void)
{
    const time_t limit = time(NULL) + 5;
    for (;;) {
        pthread_mutex_lock(&guard);
        size_t count = live;
        pthread_mutex_unlock(&guard);
        if (!count || time(NULL) > limit)
            return count;
        sched_yield();
    }
}

static int descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 256; i++)
        count += __real_fcntl64(i, F_GETFD) >= 0;
    return count;
}

static void quiet(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)report, (void)context;
}

/* With a runner, since that waits for threads at its end. */
static int run_once(const refuse_program *program)
{
    if (program->plain)
        return program->plain();
    static const thrum_runner_options options = {.size = sizeof options, .no_signals = true};
    thrum_runner runner;
    CHECK_EQ(thrum_runner_init(&runner, &options), 0);
    thrum_loop *loop = thrum_runner_loop(&runner);
    if (loop) {
        thrum_loop_set_exception_handler(loop, quiet, NULL);
        eager_prepare(loop);
    }
    int error = thrum_runner_run(&runner, program->run(), NULL);
    thrum_runner_close(&runner);
    return error;
}

static bool expected(const refuse_program *program, refusal kind, int error)
{
    for (const int *one = program->also; one && *one && kind != REFUSE_INTERRUPT; one++)
        if (*one == error)
            return true;
    switch (kind) {
    case REFUSE_MEMORY:
    case REFUSE_BLOCK:
        return error == THRUM_ENOMEM;
    case REFUSE_SYSTEM:
        return error == -EIO || error == -EAGAIN;
    default:
        return false;
    }
}

static void fail(refusal kind, size_t call, const char *what, long value)
{
    static const char *const names[] = {"memory", "blocks", "system", "interrupted"};
    static char text[200];
    snprintf(text, sizeof text, "%s, call %zu, %s(): %s: %ld", names[kind], call, said ? said : "none", what, value);
    FAIL(text);
}

thrum_time refuse_patience(void)
{
    return fail_at && failing != REFUSE_INTERRUPT ? SECONDS(1) : SECONDS(30);
}

size_t refuse_each(const refuse_program *program, refusal kind)
{
    const thrum_allocator each = {.allocate = take_block, .release = give_block, .each = true};
    const thrum_allocator usual = {.allocate = take_block, .release = give_block};
    size_t failed = 0;
    int first = run_once(program); /* also for what the C library takes once and keeps */
    if (first)
        fail(kind, 0, thrum_error_name(first), first);
    CHECK_EQ(thrum_pool_clear(), 0);
    if (kind == REFUSE_BLOCK)
        CHECK_EQ(thrum_pool_use_allocator(&each), 0);
    for (size_t n = 0;; n++) {
        int before = descriptors();
        failing = kind;
        calls = 0;
        live = 0;
        said = NULL;
        fail_at = n;
        counting = true;
        int error = run_once(program);
        bool reached = calls >= n;
        fail_at = 0;
        int busy = thrum_pool_clear();
        counting = false;
        if (error && !(n && expected(program, kind, error)))
            fail(kind, n, thrum_error_name(error), error);
        failed += error != 0;
        if (busy)
            fail(kind, n, "blocks of the pool are left", busy);
        if (left())
            fail(kind, n, "blocks are left", (long)live);
        if (descriptors() != before)
            fail(kind, n, "descriptors are left", descriptors() - before);
        if (program->after)
            program->after();
        if (!reached)
            break;
    }
    CHECK_EQ(thrum_pool_use_allocator(&usual), 0);
    return failed;
}

void refuse_each_kind(const refuse_program *program, size_t system, size_t memory)
{
    CHECK_GE(refuse_each(program, REFUSE_SYSTEM), system);
    CHECK_GE(refuse_each(program, REFUSE_MEMORY), memory);
    CHECK_GT(refuse_each(program, REFUSE_BLOCK), memory);
    CHECK_EQ(refuse_each(program, REFUSE_INTERRUPT), 0);
}
