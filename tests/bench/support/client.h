/* What the load generators share: their options, connections whose first echo has been compared byte by byte, and the
 * server's clock. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct client {
    int port, server, connections; /* server: its process id; 0 where nobody says */
    size_t bytes;                  /* a message has */
    long warm_ms, measured_ms;
    int poller;
    char *message, *room; /* so many bytes each */
};

#define CLIENT_OPTIONS "p:P:c:s:w:d:"

/* Takes an option that both have; 0 where it is none of them. */
static inline int client_option(struct client *client, int letter)
{
    switch (letter) {
    case 'p':
        client->port = atoi(optarg);
        return 1;
    case 'P':
        client->server = atoi(optarg);
        return 1;
    case 'c':
        client->connections = atoi(optarg);
        return 1;
    case 's':
        client->bytes = (size_t)atol(optarg);
        return 1;
    case 'w':
        client->warm_ms = atol(optarg);
        return 1;
    case 'd':
        client->measured_ms = atol(optarg);
        return 1;
    default:
        return 0;
    }
}

/* Once the options are known: the poller, and room for messages. */
static inline void client_prepare(struct client *client)
{
    client->poller = epoll_create1(EPOLL_CLOEXEC);
    client->message = malloc(client->bytes);
    client->room = malloc(client->bytes);
    bench_must(client->poller >= 0 && client->message && client->room, "no poller or no memory");
}

static inline void client_watch(const struct client *client, int operation, int fd, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};
    bench_must(!epoll_ctl(client->poller, operation, fd, &event), "epoll_ctl");
}

/* Connects, and has one message echoed while the socket still blocks, of bytes that differ from connection to
 * connection: those of the last one stay in `message`, for all. Afterwards the socket does not block, and is watched
 * for what comes, with `data`. */
static inline int client_connect(struct client *client, int number, void *data)
{
    size_t size = client->bytes;
    char *message = client->message, *room = client->room;
    struct sockaddr_in address;
    int on = 1, buffer = 1 << 18, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t done;
    ssize_t n;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)client->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bench_must(fd >= 0, "socket");
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bench_must(!connect(fd, (struct sockaddr *)&address, sizeof address), "connect");

    for (size_t i = 0; i < size; i++)
        message[i] = (char)((size_t)number * 131 + i * 7 + (i >> 8));
    for (done = 0; done < size; done += (size_t)n)
        bench_must((n = send(fd, message + done, size - done, MSG_NOSIGNAL)) > 0, "send");
    for (done = 0; done < size; done += (size_t)n)
        bench_must((n = recv(fd, room + done, size - done, 0)) > 0, "recv");
    if (memcmp(message, room, size)) {
        fprintf(stderr, "connection %d: the echo differs\n", number);
        exit(1);
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    client_watch(client, EPOLL_CTL_ADD, fd, EPOLLIN, data);
    return fd;
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

/* CPU time of the server in nanoseconds, by its own clock; 0 where nobody says which process it is. */
static inline uint64_t client_server_cpu(const struct client *client)
{
    clockid_t clock;
    return client->server && !clock_getcpuclockid(client->server, &clock) ? bench_clock(clock) : 0;
}

#endif
