/* Echo with libev callbacks: one read watcher that keeps running, a write watcher only after EAGAIN. */
#include "../support/listen.h"

#include <ev.h>

struct connection {
    ev_io readable, writable;
    size_t sent, length;
    char *rest;
};

static void drop(struct ev_loop *loop, struct connection *connection)
{
    ev_io_stop(loop, &connection->readable);
    ev_io_stop(loop, &connection->writable);
    close(connection->readable.fd);
    free(connection->rest);
    free(connection);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct connection *connection = watcher->data;
    ssize_t n =
        send(watcher->fd, connection->rest + connection->sent, connection->length - connection->sent, MSG_NOSIGNAL);
    (void)events;
    if (n < 0 && errno != EAGAIN) {
        drop(loop, connection);
        return;
    }
    connection->sent += n > 0 ? (size_t)n : 0;
    if (connection->sent < connection->length)
        return;
    free(connection->rest);
    connection->rest = NULL;
    ev_io_stop(loop, &connection->writable);
    ev_io_start(loop, &connection->readable);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    static char buffer[ECHO_BUFFER];
    struct connection *connection = watcher->data;
    ssize_t got = recv(watcher->fd, buffer, sizeof buffer, 0), sent;
    (void)events;

    if (got < 0 && errno == EAGAIN)
        return;
    sent = got > 0 ? send(watcher->fd, buffer, (size_t)got, MSG_NOSIGNAL) : 0;
    if (got <= 0 || (sent < 0 && errno != EAGAIN)) {
        drop(loop, connection);
        return;
    }
    if (sent < 0)
        sent = 0;
    if (sent == got)
        return;
    connection->length = (size_t)(got - sent);
    connection->sent = 0;
    connection->rest = malloc(connection->length);
    if (!connection->rest)
        abort();
    memcpy(connection->rest, buffer + sent, connection->length);
    ev_io_stop(loop, &connection->readable);
    ev_io_start(loop, &connection->writable);
}

static void on_connection(struct ev_loop *loop, ev_io *watcher, int events)
{
    int fd;
    (void)events;
    while ((fd = echo_accept(watcher->fd)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection)
            abort();
        connection->readable.data = connection->writable.data = connection;
        ev_io_init(&connection->readable, on_readable, fd, EV_READ);
        ev_io_init(&connection->writable, on_writable, fd, EV_WRITE);
        ev_io_start(loop, &connection->readable);
    }
}

int main(void)
{
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
    ev_io listener;

    ev_io_init(&listener, on_connection, echo_listen(), EV_READ);
    ev_io_start(loop, &listener);
    ev_run(loop, 0);
    return 0;
}
