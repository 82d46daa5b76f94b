/* What the echo servers of the field share: a listening socket on a free port of 127.0.0.1, announced as "PORT n"; or
 * on a Unix socket, announced as "PORT 0". */
#ifndef BENCH_LISTEN_H
#define BENCH_LISTEN_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ECHO_BUFFER = 65536, ECHO_BACKLOG = 4096 };

static inline int echo_listen(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, ECHO_BACKLOG) ||
        getsockname(fd, (struct sockaddr *)&address, &length)) {
        perror("listen");
        exit(1);
    }
    printf("PORT %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static inline int echo_listen_unix(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address;

    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, ECHO_BACKLOG)) {
        perror("listen");
        exit(1);
    }
    printf("PORT 0\n");
    fflush(stdout);
    return fd;
}

/* The next connection, non-blocking and without Nagle's delay; -1 when there is none. */
static inline int echo_accept(int listener)
{
    int on = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

#endif
