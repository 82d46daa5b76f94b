/* A server as the files of this folder see it. */
#ifndef THRUM_NET_SERVER_H
#define THRUM_NET_SERVER_H

#include <thrum/servers.h>
#include <thrum/timeouts.h>

#include <sys/types.h>

#include "net/resolve.h"
#include "net/stream.h"

enum {
    SERVER_CLOSED = 0x01,
    SERVER_SERVING = 0x02,
    SERVER_FOREVER = 0x04,  /* a task is in serve_forever */
    SERVER_RELEASED = 0x08, /* to be freed with its last connection */
    SERVER_UNIX = 0x10
};

/* One socket that listens. */
typedef struct server_socket {
    thrum_server *server;
    int descriptor;
    thrum_io io;
    thrum_handle accept; /* takes what came, in the pass after the poll */
    thrum_handle retry;  /* after the system had no descriptor left */
} server_socket;

struct thrum_server {
    thrum_stream_handler *handler;
    void *context;
    uint32_t flags;
    thrum_stream_options stream;
    int backlog;
    server_socket *sockets;
    size_t count, room;
    net_link clients; /* streams whose handlers have not ended */
    size_t client_count;
    thrum_waiters closing; /* serve_forever: waits for thrum_server_close() */
    thrum_waiters waiters; /* wait_closed */
    thrum_loop_closer closer;
    net_address path; /* of a Unix socket to be removed; size 0: none */
    dev_t device;
    ino_t inode;
};

/* ---- listen.c ---- */

/* A socket that listens, or an error whose detail names the address. */
int listen_on(net_address *address, const thrum_server_options *options);

/* ---- accept.c ---- */

void server_acceptable(thrum_io *io);
void server_accept(thrum_handle *handle);
void server_retry(thrum_handle *handle);

/* ---- server.c ---- */

/* A connection has ended: its stream goes. */
void server_client_over(thrum_server *server, thrum_stream *stream);

/* Somebody has to hear of it, and it is no task's error. */
void server_report(const char *message, int error, const thrum_error *detail);

#endif
