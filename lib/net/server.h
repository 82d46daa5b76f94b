/* A server as the files of this folder see it. */
#ifndef THRUM_NET_SERVER_H
#define THRUM_NET_SERVER_H

#include <thrum/protocols.h>
#include <thrum/servers.h>
#include <thrum/timeouts.h>
#include <thrum/tls.h>

#include <sys/types.h>

#include "net/network.h"
#include "net/resolve.h"
#include "net/stream.h"

enum {
    SERVER_CLOSED = 0x01,
    SERVER_SERVING = 0x02,
    SERVER_FOREVER = 0x04,  /* a task is in serve_forever */
    SERVER_RELEASED = 0x08, /* to be freed with its last connection */
    SERVER_UNIX = 0x10,
    SERVER_FORGOTTEN = 0x20 /* the loop is gone */
};

/* One socket that listens. */
typedef struct server_socket {
    thrum_server *server;
    int descriptor;
    thrum_network_port port; /* in place of the descriptor, when it listens on a network */
    thrum_io io;
    thrum_handle accept; /* takes what came, in the pass after the poll */
    thrum_handle retry;  /* after the system had no descriptor left */
} server_socket;

/* Who gets the connections: a handler, a protocol's factory, or with neither the tasks that accept. */
typedef struct server_use {
    thrum_stream_handler *handler;
    thrum_protocol_factory *factory;
    void *context; /* of either */
} server_use;

struct thrum_server {
    server_use use;
    struct context_map *variables; /* that its handlers have */
    uint32_t flags;
    thrum_stream_options stream;
    thrum_tls_context *tls; /* NULL: the connections are plain */
    thrum_time handshake_timeout, shutdown_timeout;
    int backlog;
    server_socket *sockets;
    size_t count, room;
    net_link clients; /* streams whose handlers have not ended */
    size_t client_count;
    thrum_waiters closing;   /* serve_forever: waits for thrum_server_close() */
    thrum_waiters waiters;   /* wait_closed */
    thrum_waiters accepting; /* accept: waits for a connection */
    unsigned woken;          /* of those, but did not look yet */
    bool taking;             /* on the stack: a caller whose callees may release the server */
    thrum_loop_closer closer;
    net_address path; /* of a Unix socket to be removed; size 0: none */
    dev_t device;
    ino_t inode;
};

static inline bool server_takes(const thrum_server *server)
{
    return server->use.handler || server->use.factory;
}

/* ---- listen.c ---- */

/* A socket that listens, or an error whose detail names the address. */
int listen_on(net_address *address, const thrum_server_options *options);

/* The same for a socket that is bound or listens already, which stays: the result is another descriptor of it. */
int listen_given(int descriptor, int backlog);

/* ---- accept.c ---- */

void server_acceptable(thrum_io *io);
void server_accept(thrum_handle *handle);
void server_retry(thrum_handle *handle);

/* A connection that has come: a descriptor; or of a network its stream, or why it has none. */
typedef struct server_arrival {
    int descriptor;
    thrum_stream *stream;
    int error;
    net_address peer;
} server_arrival;

/* The next one: 0; -EAGAIN when there is none now; or why that socket gives no more. */
int server_take(server_socket *listener, server_arrival *arrival);

/* Its stream. When there is none, the connection is closed. */
int server_make_stream(const thrum_server *server, const server_arrival *arrival, thrum_stream **stream);

/* ---- accepts.c ---- */

/* A connection came; the server was closed. */
void server_wake_acceptor(thrum_server *server);
void server_wake_acceptors(thrum_server *server);

/* ---- server.c ---- */

/* Listen on all of these addresses, or with the sockets of the options, or on none. */
int server_open(thrum_server **made, server_use use, net_addresses *addresses, const thrum_server_options *options);

/* The file of a Unix socket is to be removed when the server is closed, if it is still this one. */
void server_keep_path(thrum_server *server);

/* ---- server_start.c ---- */

/* What the public calls share; `options` may be NULL. */
thrum_awaitable server_start(server_use use, const char *host, const char *port,
                             const thrum_server_options *options) THRUM_MUST_USE_;
thrum_awaitable server_start_unix(server_use use, const char *path,
                                  const thrum_server_options *options) THRUM_MUST_USE_;

/* Closed, and the last connection over: those who wait hear it. It may be freed. */
void server_settle(thrum_server *server);

/* A connection has ended: its stream goes. */
void server_client_over(thrum_server *server, thrum_stream *stream);

/* Somebody has to hear of it, and it is no task's error. */
void server_report(thrum_server *server, const char *message, int error, const thrum_error *detail);

#endif
