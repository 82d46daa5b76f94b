/* Names and texts of the system's errors, for thrum_error_name() and thrum_error_text(). */
#include <errno.h>
#include <string.h>

#include "loop/loop.h"

#if defined(__GLIBC__) && (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 32)) && defined(_GNU_SOURCE)

const char *loop_system_error(int code, bool name)
{
    return code < 0 && code >= -4095 ? name ? strerrorname_np(-code) : strerrordesc_np(-code) : NULL;
}

#else

typedef struct system_text {
    int number;
    const char *name, *text;
} system_text;

/* What programs of this kind meet. */
static const system_text texts[] = {
    {EPERM, "EPERM", "operation not permitted"},
    {ENOENT, "ENOENT", "no such file or directory"},
    {EINTR, "EINTR", "interrupted system call"},
    {EIO, "EIO", "input/output error"},
    {EBADF, "EBADF", "bad file descriptor"},
    {EAGAIN, "EAGAIN", "try again"},
    {ENOMEM, "ENOMEM", "out of memory"},
    {EACCES, "EACCES", "permission denied"},
    {EEXIST, "EEXIST", "file exists"},
    {ENOTDIR, "ENOTDIR", "not a directory"},
    {EISDIR, "EISDIR", "is a directory"},
    {EINVAL, "EINVAL", "invalid argument"},
    {ENFILE, "ENFILE", "too many open files in the system"},
    {EMFILE, "EMFILE", "too many open files"},
    {ENOSPC, "ENOSPC", "no space left on device"},
    {EPIPE, "EPIPE", "broken pipe"},
    {EADDRINUSE, "EADDRINUSE", "address in use"},
    {EADDRNOTAVAIL, "EADDRNOTAVAIL", "address not available"},
    {ENETUNREACH, "ENETUNREACH", "network is unreachable"},
    {ECONNABORTED, "ECONNABORTED", "connection aborted"},
    {ECONNRESET, "ECONNRESET", "connection reset by peer"},
    {ENOBUFS, "ENOBUFS", "no buffer space"},
    {ENOTCONN, "ENOTCONN", "not connected"},
    {ETIMEDOUT, "ETIMEDOUT", "connection timed out"},
    {ECONNREFUSED, "ECONNREFUSED", "connection refused"},
    {EHOSTUNREACH, "EHOSTUNREACH", "no route to host"},
};

const char *loop_system_error(int code, bool name)
{
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (code == -texts[i].number)
            return name ? texts[i].name : texts[i].text;
    return NULL;
}

#endif
