/* Sockets that a process is started with, systemd's way: descriptors from 3 on, and three variables that tell of
 * them. */
#include <thrum/unixsockets.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST = 3 };

/* A number from 1 to `most`; 0 for none, -1 for what is no such number. */
static long number_of(const char *name, long most)
{
    const char *text = getenv(name);
    char *end;
    if (!text || !*text)
        return 0;
    errno = 0;
    long number = strtol(text, &end, 10);
    return errno || *end || number < 0 || number > most ? -1 : number;
}

/* The next one of "web:admin", and what stands behind it. */
static const char *next_name(const char *from, char *name, size_t room)
{
    size_t length = strcspn(from, ":"), kept = length < room ? length : room - 1;
    memcpy(name, from, kept);
    name[kept] = '\0';
    return from + length + (from[length] == ':');
}

int thrum_inherited_sockets(thrum_inherited_socket *list, size_t room)
{
    long process = number_of("LISTEN_PID", 0x7fffffff), count = number_of("LISTEN_FDS", 0xffff);
    const char *names = getenv("LISTEN_FDNAMES");
    if (process < 0 || (count < 0 && process == (long)getpid()))
        return THRUM_EINVAL;
    if (process != (long)getpid() || !count)
        return 0; /* meant for another process, or none */
    if ((size_t)count > room)
        return THRUM_ELIMIT;
    for (int i = 0; i < (int)count; i++)
        if (fcntl(FIRST + i, F_GETFD) < 0)
            return -errno;
    for (int i = 0; i < (int)count; i++) {
        list[i].descriptor = FIRST + i;
        (void)fcntl(FIRST + i, F_SETFD, FD_CLOEXEC);
        if (names && *names)
            names = next_name(names, list[i].name, sizeof list[i].name);
        else
            memcpy(list[i].name, "unknown", sizeof "unknown");
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return (int)count;
}
