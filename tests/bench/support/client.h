/* What the load generators share: connections whose first echo has been compared byte by byte, and the server's
 * clock. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static inline void client_fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Connects, and has one message echoed while the socket still blocks: of `size` bytes that differ from connection to
 * connection, which are left in `message`. `room` holds as many. The socket does not block afterwards. */
static inline int client_connect(int port, int number, char *message, char *room, size_t size)
{
    struct sockaddr_in address;
    int on = 1, buffer = 1 << 18, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t done;
    ssize_t n;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        client_fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&address, sizeof address))
        client_fail("connect");

    for (size_t i = 0; i < size; i++)
        message[i] = (char)((size_t)number * 131 + i * 7 + (i >> 8));
    for (done = 0; done < size; done += (size_t)n)
        if ((n = send(fd, message + done, size - done, MSG_NOSIGNAL)) <= 0)
            client_fail("send");
    for (done = 0; done < size; done += (size_t)n)
        if ((n = recv(fd, room + done, size - done, 0)) <= 0)
            client_fail("recv");
    if (memcmp(message, room, size)) {
        fprintf(stderr, "connection %d: the echo differs\n", number);
        exit(1);
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static inline void client_watch(int poller, int operation, int fd, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};
    if (epoll_ctl(poller, operation, fd, &event))
        client_fail("epoll_ctl");
}

/* Takes what has come, without copying it (MSG_TRUNC): how much. */
static inline size_t client_take(int fd)
{
    ssize_t n = recv(fd, NULL, 1 << 20, MSG_TRUNC);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        fprintf(stderr, "the server closed a connection\n");
        exit(1);
    }
    return n > 0 ? (size_t)n : 0;
}

/* CPU time of another process in nanoseconds, by its own clock; 0 for none. */
static inline uint64_t client_server_cpu(pid_t server)
{
    clockid_t clock;
    return server && !clock_getcpuclockid(server, &clock) ? bench_clock(clock) : 0;
}

#endif
