/* These definitions come before the C library's. */
#include "failing.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

failing_plan failing_pipe = {0, -1, 0}, failing_fork = {0, -1, 0}, failing_open = {0, -1, 0};

static bool fails(failing_plan *plan)
{
    bool now = plan->count++ == plan->nth;
    if (now)
        errno = plan->error;
    return now;
}

int pipe2(int ends[2], int flags)
{
    return fails(&failing_pipe) ? -1 : (int)syscall(SYS_pipe2, ends, flags);
}

int pipe(int ends[2])
{
    return pipe2(ends, 0);
}

/* By its other name the library calls it under ThreadSanitizer. */
int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...);

int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
    typedef int clones(int (*)(void *), void *, int, void *, ...);
    static clones *real;
    va_list more;
    if (!real) {
        void *found = dlsym(RTLD_NEXT, "__clone");
        memcpy(&real, &found, sizeof real);
    }
    va_start(more, argument);
    void *parent = va_arg(more, void *);
    va_end(more);
    return fails(&failing_fork) ? -1 : real(function, stack, flags, argument, parent, NULL, NULL);
}

int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
    va_list more;
    va_start(more, argument);
    void *parent = va_arg(more, void *);
    va_end(more);
    return clone(function, stack, flags, argument, parent);
}

pid_t fork(void)
{
    typedef pid_t forks(void);
    static forks *real;
    if (!real) {
        void *found = dlsym(RTLD_NEXT, "fork");
        memcpy(&real, &found, sizeof real);
    }
    return fails(&failing_fork) ? -1 : real();
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? (mode_t)va_arg(more, int) : 0;
    va_end(more);
    if (strcmp(path, "/dev/null") == 0 && fails(&failing_open))
        return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
