/**
 * @file servers.h
 * Servers over TCP and Unix sockets: each connection gets a task that runs the handler.
 *
 *     AWAIT_INTO(self->server, thrum_start_server(echo, NULL, "127.0.0.1", "7777"));
 *     AWAIT(thrum_server_serve_forever(self->server));
 *
 * The server owns the streams of its connections. When a handler ends, its stream is closed gracefully and released
 * (after a cancellation without waiting for the peer); also when the handler never began. An error that comes out of a
 * handler goes to the loop's exception handler, and ends that connection only.
 * The server itself lives until thrum_server_release(), or to the end of its loop.
 */
#ifndef THRUM_SERVERS_H
#define THRUM_SERVERS_H

#include <thrum/generators.h>
#include <thrum/streams.h>

THRUM_BEGIN_DECLS

/** A server. */
typedef struct thrum_server thrum_server;

/** What serves a connection: an async function, called once for each. */
typedef thrum_awaitable thrum_stream_handler(thrum_stream *client, void *context);

/** How a server listens. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_server_options {
    size_t size;                        /**< sizeof(thrum_server_options) */
    const thrum_stream_options *stream; /**< of the connections; copied; NULL: all default */
    const char *const *hosts;           /**< further addresses, beside the one that is an argument; NULL: none */
    size_t host_count;                  /**< how many */
    int backlog;                        /**< connections that wait to be accepted; 0: 100 */
    int family;                         /**< AF_INET or AF_INET6 only; 0: both */
    bool reuse_port;                    /**< several sockets may listen on the port, and share its connections */
    bool keep_address;                  /**< do not set SO_REUSEADDR */
    bool paused;                        /**< do not accept before thrum_server_start_serving() or serve_forever */
    bool keep_path;                     /**< leave the Unix socket's file when the server is closed */
    uint32_t mode;                      /**< permissions of the Unix socket's file; 0: as the umask gives them */
    thrum_tls_context *tls;       /**< of a server: the connections speak TLS (tls.h); held; not without handler */
    thrum_time handshake_timeout; /**< of TLS; 0: 60 s */
    thrum_time shutdown_timeout;  /**< of TLS: how long closing a connection may take; 0: 30 s */
    /** Stream sockets that are bound or listen already, of a parent process or one's own, in place of host, port or
     * path, which are NULL then. They stay the caller's: the server has descriptors of its own. NULL: none. */
    const int *sockets;
    size_t socket_count; /**< how many */
    bool keep_alive;     /**< set SO_KEEPALIVE for the connections */
} thrum_server_options;

/**
 * Listen on a TCP port, and start to accept.
 * [awaits · cancel-safe: nothing stays open · allocates · this loop's thread only]
 *
 * @param handler  called with the stream of each connection; NULL: thrum_server_accepts() gives them
 * @param context  handed to the handler; outlives the server's connections
 * @param host     a name or a numeric address; NULL: every interface, both families
 * @param port     a number or the name of a service; "0": one that is free, the same on every address
 * @return gives a thrum_server *; -EADDRINUSE and others of bind(2) and listen(2), the detail names the address;
 *         THRUM_ERESOLVE; THRUM_EINVAL; THRUM_ENOMEM; THRUM_EUNSUPPORTED on a backend without descriptors;
 *         THRUM_ECANCELED
 *
 * asyncio: start_server
 */
THRUM_API thrum_awaitable thrum_start_server(thrum_stream_handler *handler, void *context, const char *host,
                                             const char *port) THRUM_MUST_USE_;

/**
 * Start a TCP server with options.
 * [awaits · allocates · this loop's thread only]
 *
 * @param handler  as for thrum_start_server()
 * @param context  handed to the handler
 * @param host     as for thrum_start_server()
 * @param port     as for thrum_start_server()
 * @param options  copied, its strings are not: they stay until this is awaited; NULL is the default
 * @return gives as thrum_start_server(); THRUM_EINVAL for options that cannot be right
 *
 * asyncio: start_server
 */
THRUM_API thrum_awaitable thrum_start_server_with(thrum_stream_handler *handler, void *context, const char *host,
                                                  const char *port,
                                                  const thrum_server_options *options) THRUM_MUST_USE_;

/**
 * Listen on a Unix socket, and start to accept. A socket that a dead server left there is replaced, any other file is
 * not. When the server is closed, the file is removed, if it is still the same one.
 * [awaits, never suspends · allocates · this loop's thread only]
 *
 * @param handler  called with the stream of each connection
 * @param context  handed to the handler; outlives the server's connections
 * @param path     where; one that begins with '@' is in the abstract namespace (Linux)
 * @return gives a thrum_server *; -EADDRINUSE and others of bind(2) and listen(2), the detail names the path;
 *         THRUM_EINVAL when the path is too long; THRUM_ENOMEM; THRUM_EUNSUPPORTED
 *
 * asyncio: start_unix_server
 */
THRUM_API thrum_awaitable thrum_start_unix_server(thrum_stream_handler *handler, void *context,
                                                  const char *path) THRUM_MUST_USE_;

/**
 * Start a server on a Unix socket with options.
 * [awaits · allocates · this loop's thread only]
 *
 * @param handler  as for thrum_start_server()
 * @param context  handed to the handler
 * @param path     as for thrum_start_unix_server()
 * @param options  copied; NULL is the default
 * @return gives as thrum_start_unix_server(); THRUM_EINVAL for options that cannot be right
 *
 * asyncio: start_unix_server
 */
THRUM_API thrum_awaitable thrum_start_unix_server_with(thrum_stream_handler *handler, void *context, const char *path,
                                                       const thrum_server_options *options) THRUM_MUST_USE_;

/**
 * Accept connections until the server is closed. Cancelled, it closes the server and its connections, waits for their
 * handlers, and goes on with the cancellation.
 * [awaits · two frames of the pool · this loop's thread only]
 *
 * @param server  open
 * @return gives 0 when somebody calls thrum_server_close(); THRUM_EBUSY when another task serves already; THRUM_ECLOSED
 *         when the server was closed before; THRUM_ECANCELED
 *
 * asyncio: Server.serve_forever (where close() makes it raise CancelledError)
 */
THRUM_API thrum_awaitable thrum_server_serve_forever(thrum_server *server) THRUM_MUST_USE_;

/**
 * The connections of a server that was made without a handler, one after the other:
 *
 *     ASYNC_FOR (self->stream, self->each, thrum_server_accepts(self->server))
 *         (void)thrum_group_spawn_detached(&self->group, serve(self->stream));
 *
 * Several tasks may take them. What nobody has taken waits in the system's queue.
 * [awaits at each item · cancel-safe: the connection stays · a stream of the pool for each · this loop's thread only]
 *
 * @param server  made with NULL for its handler; outlives the loop over them, or is closed and released within it
 * @return gives an iterable, each of whose items is a thrum_stream *, the caller's from then on; it ends when the
 *         server is closed. An item fails with THRUM_ENOMEM, THRUM_ESTATE for a server with a handler, and -errno of
 *         accept(2) where no more will come.
 *
 * asyncio: loop.sock_accept in a loop
 */
THRUM_API thrum_iterable thrum_server_accepts(thrum_server *server) THRUM_MUST_USE_;

/**
 * The next connection of a server that was made without a handler.
 * [awaits · cancel-safe: the connection stays · a stream of the pool · this loop's thread only]
 *
 * @param server  made with NULL for its handler
 * @return gives a thrum_stream *, the caller's from now on; THRUM_ESTOP when the server is closed; else as an item of
 *         thrum_server_accepts()
 *
 * asyncio: loop.sock_accept
 */
THRUM_API thrum_awaitable thrum_server_accept(thrum_server *server) THRUM_MUST_USE_;

/**
 * Start to accept connections, when the server was made with `paused`; else it does already.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param server  open
 * @return gives 0; THRUM_ECLOSED; -errno of listen(2)
 *
 * asyncio: Server.start_serving
 */
THRUM_API int thrum_server_start_serving(thrum_server *server);

/**
 * Stop listening. Connections go on.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param server  any; closed or NULL does nothing
 *
 * asyncio: Server.close
 */
THRUM_API void thrum_server_close(thrum_server *server);

/**
 * Wait until the server is closed and every connection has ended.
 * [awaits · does not suspend when it is so · no allocation · this loop's thread only]
 *
 * @param server  any
 * @return gives 0; THRUM_ECLOSED when the server is released meanwhile; THRUM_ECANCELED
 *
 * asyncio: Server.wait_closed
 */
THRUM_API thrum_awaitable thrum_server_wait_closed(thrum_server *server) THRUM_MUST_USE_;

/**
 * Close the connections that are open now, gracefully: their reads give end of file.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param server  any; NULL does nothing
 *
 * asyncio: Server.close_clients
 */
THRUM_API void thrum_server_close_clients(thrum_server *server);

/**
 * Drop the connections that are open now.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param server  any; NULL does nothing
 *
 * asyncio: Server.abort_clients
 */
THRUM_API void thrum_server_abort_clients(thrum_server *server);

/**
 * How many connections have a handler that has not ended.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param server  any
 * @return gives a count
 *
 * asyncio: len(Server._clients)
 */
THRUM_API size_t thrum_server_clients(const thrum_server *server);

/**
 * Whether a server accepts connections.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param server  any
 * @return gives true or false
 *
 * asyncio: Server.is_serving
 */
THRUM_API bool thrum_server_is_serving(const thrum_server *server);

/**
 * How many sockets of a server listen.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param server  any
 * @return gives a count; 0 when closed
 *
 * asyncio: len(Server.sockets)
 */
THRUM_API size_t thrum_server_sockets(const thrum_server *server);

/**
 * Where a server listens, as text: "127.0.0.1:80", "[::]:80", or a path.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param server  open
 * @param index   below thrum_server_sockets()
 * @param text    where it goes, with a NUL; THRUM_ADDRESS_TEXT bytes are enough
 * @param room    of `text`; more is cut
 * @return gives 0; THRUM_EINVAL when there is no such socket
 *
 * asyncio: Server.sockets[index].getsockname()
 */
THRUM_API int thrum_server_address(const thrum_server *server, size_t index, char *text, size_t room);

/**
 * The port of the first socket.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param server  any
 * @return gives the port; 0 for a Unix socket or a closed server
 *
 * asyncio: Server.sockets[0].getsockname()[1]
 */
THRUM_API int thrum_server_port(const thrum_server *server);

/**
 * A listening socket, for setsockopt(2) and the like. It stays the server's.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param server  any
 * @param index   less than thrum_server_sockets()
 * @return gives the descriptor; THRUM_EINVAL when there is none; THRUM_EUNSUPPORTED on a network (networks.h)
 *
 * asyncio: Server.sockets[index]
 */
THRUM_API int thrum_server_descriptor(const thrum_server *server, size_t index);

/**
 * Give a server back before its loop ends. It is closed, and its connections dropped; handlers that still run keep a
 * closed stream to their end.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param server  any; NULL does nothing. Not to be used afterwards.
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_server_release(thrum_server *server);

THRUM_END_DECLS

#endif
