/* Opening terminals, pipes and devices: once more, or new ones in pairs. */
#include "loop/system.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- once more ---- */

#if SYSTEM_LINUX
/* This is a new open file, not another number for the same one, as it is on other systems. */
static int name_of(int descriptor, char *name, size_t room)
{
    return snprintf(name, room, "/proc/self/fd/%d", descriptor) < (int)room ? 0 : -1;
}
#else
static int name_of(int descriptor, char *name, size_t room)
{
    return isatty(descriptor) ? ttyname_r(descriptor, name, room) : -1;
}
#endif

/* A terminal may be waited for, and that wait be interrupted. */
static int open_whole(const char *name, int flags)
{
    int descriptor;
    do
        descriptor = open(name, flags | O_NOCTTY | O_CLOEXEC);
    while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

static bool same(int a, int b)
{
    struct stat one, other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino &&
           one.st_rdev == other.st_rdev;
}

int system_open_again(int descriptor, bool writes)
{
    char name[128];
    if (name_of(descriptor, name, sizeof name))
        return -1;
    int again = open_whole(name, (writes ? O_WRONLY : O_RDONLY) | O_NONBLOCK);
    if (again >= 0 && !same(again, descriptor)) {
        (void)close(again);
        return -1;
    }
    return again;
}

/* ---- pseudo-terminals ---- */

static int or_error(int descriptor)
{
    return descriptor >= 0 ? descriptor : -errno;
}

int system_open_pty(void)
{
#if SYSTEM_LINUX
    int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
#else
    int ours = posix_openpt(O_RDWR | O_NOCTTY);
    if (ours >= 0)
        (void)fcntl(ours, F_SETFD, FD_CLOEXEC);
#endif
    if (ours < 0 || (grantpt(ours) == 0 && unlockpt(ours) == 0))
        return or_error(ours);
    int error = -errno;
    (void)close(ours);
    return error;
}

/* ptsname() gives one and the same memory to all threads. */
static pthread_mutex_t naming = PTHREAD_MUTEX_INITIALIZER;

int system_open_pty_program(int ours)
{
    pthread_mutex_lock(&naming);
    const char *name = ptsname(ours);
    int theirs = or_error(name ? open_whole(name, O_RDWR) : -1);
    pthread_mutex_unlock(&naming);
    return theirs;
}
