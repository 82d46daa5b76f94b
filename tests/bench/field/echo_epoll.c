/* Echo on epoll by hand: one wait, one recv, one send, nothing else. The reference of the echo figures. */
#include "../support/listen.h"

#include <stdint.h>
#include <sys/epoll.h>

struct connection {
    int fd;
    size_t sent, length; /* of `rest` */
    char *rest;          /* what the socket did not take yet; NULL when there is nothing */
};

static int poller;

static void watch(struct connection *connection, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    epoll_ctl(poller, operation, fd, &event);
}

static void drop(struct connection *connection)
{
    close(connection->fd);
    free(connection->rest);
    free(connection);
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = echo_accept(listener)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection)
            abort();
        connection->fd = fd;
        watch(connection, EPOLL_CTL_ADD, fd, EPOLLIN);
    }
}

static void keep_rest(struct connection *connection, const char *data, size_t length)
{
    connection->rest = malloc(length);
    if (!connection->rest)
        abort();
    memcpy(connection->rest, data, length);
    connection->sent = 0;
    connection->length = length;
    watch(connection, EPOLL_CTL_MOD, connection->fd, EPOLLOUT);
}

static void send_rest(struct connection *connection)
{
    ssize_t n =
        send(connection->fd, connection->rest + connection->sent, connection->length - connection->sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        drop(connection);
        return;
    }
    connection->sent += n > 0 ? (size_t)n : 0;
    if (connection->sent < connection->length)
        return;
    free(connection->rest);
    connection->rest = NULL;
    watch(connection, EPOLL_CTL_MOD, connection->fd, EPOLLIN);
}

static void echo(struct connection *connection)
{
    static char buffer[ECHO_BUFFER];
    ssize_t got = recv(connection->fd, buffer, sizeof buffer, 0), sent;

    if (got < 0 && errno == EAGAIN)
        return;
    sent = got > 0 ? send(connection->fd, buffer, (size_t)got, MSG_NOSIGNAL) : 0;
    if (got <= 0 || (sent < 0 && errno != EAGAIN))
        drop(connection);
    else if (sent < got)
        keep_rest(connection, buffer + (sent > 0 ? sent : 0), (size_t)(got - (sent > 0 ? sent : 0)));
}

int main(int argc, char **argv)
{
    struct epoll_event events[256];
    int listener = argc > 1 ? echo_listen_unix(argv[1]) : echo_listen();

    poller = epoll_create1(EPOLL_CLOEXEC);
    watch(NULL, EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        int n = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < n; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection)
                accept_all(listener);
            else if (connection->rest)
                send_rest(connection);
            else
                echo(connection);
        }
    }
}
