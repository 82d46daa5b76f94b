/**
 * @file transports.h
 * Connections in callback style: a transport, which calls a protocol (protocols.h). For programs and protocol libraries
 * that are written with callbacks; streams.h and servers.h are the same connections for tasks that await.
 *
 *     static const thrum_protocol echo = {.size = sizeof echo, .connection_made = remember, .data_received =
 *     send_back}; ...
 *     AWAIT_INTO(self->server, thrum_create_server(make_echo, NULL, "127.0.0.1", "7777"));
 *     AWAIT(thrum_server_serve_forever(self->server));
 *
 * A transport is a stream whose reader is the protocol: the same buffers, marks, options and carriers, and either can
 * be turned into the other at any time (thrum_stream_of_transport(), thrum_transport_of_stream()).
 *
 * Who owns what. The loop keeps a transport until connection_lost has returned. References beside that one are given by
 * thrum_create_connection() and the like and by thrum_transport_hold(), and given back by thrum_transport_release(),
 * which closes nothing. With a reference a transport may be asked and told things after its end, which do nothing.
 *
 * None of these functions calls the protocol, but for `pause_writing` and `get_buffer`'s kin that are named there: what
 * follows from close and abort is told in the next pass of the loop.
 */
#ifndef THRUM_TRANSPORTS_H
#define THRUM_TRANSPORTS_H

#include <thrum/protocols.h>
#include <thrum/servers.h>
#include <thrum/streams.h>

THRUM_BEGIN_DECLS

/* ---- making connections ---- */

/**
 * Connect over TCP, and have a protocol told of the connection.
 * [awaits · cancel-safe: the connection is closed; a protocol that was made is told of both ends · frames of the pool,
 * a stream and a transport · this loop's thread only]
 *
 * @param factory  asked once, when the connection stands
 * @param context  handed to the factory
 * @param host     as for thrum_open_connection()
 * @param port     as for thrum_open_connection()
 * @return gives a thrum_transport *, a reference, when connection_made has returned; the error of the factory or of
 *         connection_made; else as thrum_open_connection()
 *
 * asyncio: loop.create_connection
 */
THRUM_API thrum_awaitable thrum_create_connection(thrum_protocol_factory *factory, void *context, const char *host,
                                                  const char *port) THRUM_MUST_USE_;

/**
 * The same with options.
 * [awaits · allocates · this loop's thread only]
 *
 * @param factory  asked once, when the connection stands
 * @param context  handed to the factory
 * @param host     as for thrum_open_connection()
 * @param port     as for thrum_open_connection()
 * @param options  as for thrum_open_connection_with(); NULL is the default
 * @return gives as thrum_create_connection() and thrum_open_connection_with()
 *
 * asyncio: loop.create_connection with keywords
 */
THRUM_API thrum_awaitable thrum_create_connection_with(thrum_protocol_factory *factory, void *context, const char *host,
                                                       const char *port,
                                                       const thrum_connect_options *options) THRUM_MUST_USE_;

/**
 * Connect to a Unix socket, and have a protocol told of the connection.
 * [awaits · cancel-safe as thrum_create_connection() · frames of the pool, a stream and a transport · this loop's
 * thread only]
 *
 * @param factory  asked once, when the connection stands
 * @param context  handed to the factory
 * @param path     as for thrum_open_unix_connection()
 * @return gives a thrum_transport *, a reference; else as thrum_create_connection() and thrum_open_unix_connection()
 *
 * asyncio: loop.create_unix_connection
 */
THRUM_API thrum_awaitable thrum_create_unix_connection(thrum_protocol_factory *factory, void *context,
                                                       const char *path) THRUM_MUST_USE_;

/**
 * The same with options.
 * [awaits · allocates · this loop's thread only]
 *
 * @param factory  asked once, when the connection stands
 * @param context  handed to the factory
 * @param path     as for thrum_open_unix_connection()
 * @param options  as for thrum_open_unix_connection_with(); NULL is the default
 * @return gives as thrum_create_unix_connection(); THRUM_EINVAL for options that cannot be right
 *
 * asyncio: loop.create_unix_connection with keywords
 */
THRUM_API thrum_awaitable thrum_create_unix_connection_with(thrum_protocol_factory *factory, void *context,
                                                            const char *path,
                                                            const thrum_connect_options *options) THRUM_MUST_USE_;

/**
 * Have a protocol told of a connection that exists: one that was accepted or connected elsewhere. With `tls` hands are
 * shaken first, at the end that the context is for.
 * [awaits · cancel-safe as thrum_create_connection() · a frame of the pool, a stream and a transport, and what TLS
 * takes · this loop's thread only]
 *
 * @param factory     asked once
 * @param context     handed to the factory
 * @param descriptor  a connected stream socket; taken by this call whatever it gives: when it fails, or is never
 *                    awaited, it is closed
 * @param options     `stream` and what is of TLS; copied, its strings are not; NULL is the default. A client's context
 *                    needs `server_hostname` here, as in thrum_tls_start_options
 * @return gives a thrum_transport *, a reference, when connection_made has returned; the error of the factory or of
 *         connection_made; THRUM_EINVAL for options that cannot be right or say whom to connect to; else as
 *         thrum_stream_adopt() and thrum_start_tls(); THRUM_ECANCELED
 *
 * asyncio: loop.connect_accepted_socket, loop.create_connection(sock=...)
 */
THRUM_API thrum_awaitable thrum_connect_accepted_socket(thrum_protocol_factory *factory, void *context, int descriptor,
                                                        const thrum_connect_options *options) THRUM_MUST_USE_;

/**
 * Have a protocol told of what comes out of a pipe, a FIFO, a terminal or another character device. When it ends,
 * eof_received and connection_lost are told. The end of a terminal counts as end of file, too.
 * [awaits · cancel-safe as thrum_create_connection() · frames of the pool, a stream and a transport · this loop's
 * thread only]
 *
 * @param factory     asked once
 * @param context     handed to the factory
 * @param descriptor  open for reading; set non-blocking and close-on-exec; taken by this call whatever it gives: when
 *                    it fails, or is never awaited, it is closed. Being non-blocking belongs to what was opened, not to
 *                    the descriptor: stdin may share it with stdout and with other programs.
 * @return gives a thrum_transport *, a reference, when connection_made has returned; THRUM_EINVAL for a file of another
 *         kind, or one that is not open for reading; the error of the factory or of connection_made; THRUM_ENOMEM;
 *         THRUM_EUNSUPPORTED; -errno; THRUM_ECANCELED
 *
 * asyncio: loop.connect_read_pipe
 */
THRUM_API thrum_awaitable thrum_connect_read_pipe(thrum_protocol_factory *factory, void *context,
                                                  int descriptor) THRUM_MUST_USE_;

/**
 * Make a transport that writes to a pipe, a FIFO, a terminal or another character device. When nobody is left who reads
 * at the other end, connection_lost is told without a write having to find out, -EPIPE when bytes were unsent; not so
 * with devices.
 * [awaits · cancel-safe as thrum_create_connection() · frames of the pool, a stream and a transport · this loop's
 * thread only]
 *
 * @param factory     asked once
 * @param context     handed to the factory
 * @param descriptor  open for writing; else as for thrum_connect_read_pipe()
 * @return gives as thrum_connect_read_pipe()
 *
 * asyncio: loop.connect_write_pipe
 */
THRUM_API thrum_awaitable thrum_connect_write_pipe(thrum_protocol_factory *factory, void *context,
                                                   int descriptor) THRUM_MUST_USE_;

/* ---- servers ---- */

/**
 * Listen on a TCP port, and make a protocol for each connection. Everything of servers.h works on the server, but that
 * connections are not taken by thrum_server_accept().
 * [awaits · cancel-safe: nothing stays open · allocates · this loop's thread only]
 *
 * @param factory  asked once for each connection; its error goes to the loop's exception handler
 * @param context  handed to the factory; outlives the server's connections
 * @param host     as for thrum_start_server()
 * @param port     as for thrum_start_server()
 * @return gives a thrum_server *; THRUM_EINVAL without a factory; else as thrum_start_server()
 *
 * asyncio: loop.create_server
 */
THRUM_API thrum_awaitable thrum_create_server(thrum_protocol_factory *factory, void *context, const char *host,
                                              const char *port) THRUM_MUST_USE_;

/**
 * The same with options.
 * [awaits · allocates · this loop's thread only]
 *
 * @param factory  as for thrum_create_server()
 * @param context  as for thrum_create_server()
 * @param host     as for thrum_start_server()
 * @param port     as for thrum_start_server()
 * @param options  as for thrum_start_server_with(); NULL is the default
 * @return gives as thrum_create_server(); THRUM_EINVAL for options that cannot be right
 *
 * asyncio: loop.create_server with keywords
 */
THRUM_API thrum_awaitable thrum_create_server_with(thrum_protocol_factory *factory, void *context, const char *host,
                                                   const char *port,
                                                   const thrum_server_options *options) THRUM_MUST_USE_;

/**
 * Listen on a Unix socket, and make a protocol for each connection.
 * [awaits, never suspends · allocates · this loop's thread only]
 *
 * @param factory  as for thrum_create_server()
 * @param context  as for thrum_create_server()
 * @param path     as for thrum_start_unix_server()
 * @return gives a thrum_server *; THRUM_EINVAL without a factory; else as thrum_start_unix_server()
 *
 * asyncio: loop.create_unix_server
 */
THRUM_API thrum_awaitable thrum_create_unix_server(thrum_protocol_factory *factory, void *context,
                                                   const char *path) THRUM_MUST_USE_;

/**
 * The same with options.
 * [awaits · allocates · this loop's thread only]
 *
 * @param factory  as for thrum_create_server()
 * @param context  as for thrum_create_server()
 * @param path     as for thrum_start_unix_server()
 * @param options  as for thrum_start_unix_server_with(); NULL is the default
 * @return gives as thrum_create_unix_server(); THRUM_EINVAL for options that cannot be right
 *
 * asyncio: loop.create_unix_server with keywords
 */
THRUM_API thrum_awaitable thrum_create_unix_server_with(thrum_protocol_factory *factory, void *context,
                                                        const char *path,
                                                        const thrum_server_options *options) THRUM_MUST_USE_;

/* ---- the protocol ---- */

/**
 * Have another protocol told from now on. It is not told connection_made; the one before is told nothing more.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @param protocol   of either kind; stays as long as it is used
 * @param context    handed to its calls
 * @return gives 0; THRUM_EINVAL for a protocol that cannot be right
 *
 * asyncio: BaseTransport.set_protocol
 */
THRUM_API int thrum_transport_set_protocol(thrum_transport *transport, const thrum_protocol *protocol, void *context);

/**
 * Who is told.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @param context    where what its calls are given goes; may be NULL
 * @return gives the protocol
 *
 * asyncio: BaseTransport.get_protocol
 */
THRUM_API const thrum_protocol *thrum_transport_get_protocol(const thrum_transport *transport, void **context);

/**
 * Put bytes back in front of what is to be received next: for who takes bytes of somebody else's, before it sets
 * another protocol or turns the transport into a stream. They are told of in a later pass.
 * [never waits · takes a buffer of the pool · this loop's thread only]
 *
 * @param transport  open
 * @param data       any bytes; usually the end of what data_received was given
 * @param size       how many
 * @return gives 0; THRUM_ENOMEM (nothing went back); THRUM_ECLOSED
 *
 * asyncio: none; a protocol calls data_received of the next one
 */
THRUM_API int thrum_transport_unread(thrum_transport *transport, const void *data, size_t size);

/* ---- reading ---- */

/**
 * Receive nothing for the time being. In data_received it holds at once; in connection_made before the first byte.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any; paused, closing or closed does nothing
 *
 * asyncio: ReadTransport.pause_reading
 */
THRUM_API void thrum_transport_pause_reading(thrum_transport *transport);

/**
 * Receive again.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any; not paused, closing or closed does nothing
 *
 * asyncio: ReadTransport.resume_reading
 */
THRUM_API void thrum_transport_resume_reading(thrum_transport *transport);

/**
 * Whether a transport receives: it is neither paused nor closing.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives true or false
 *
 * asyncio: ReadTransport.is_reading
 */
THRUM_API bool thrum_transport_is_reading(const thrum_transport *transport);

/* ---- writing ---- */

/**
 * Write all of it. Never waits: what the system does not take now is copied, and leaves when there is room. When more
 * is unsent than the high mark, pause_writing is called before this returns. Small writes are collected, and leave
 * together at the end of a call of the protocol's, when 4 KiB have come together, or at the latest in the loop's next
 * pass.
 *
 * A connection that is lost, or closed with nothing left to send, takes no bytes: they are dropped, and from the fifth
 * such write on each says so in the log. What the connection met is told to connection_lost.
 * [never waits · takes buffers of the pool; without memory for them the connection is lost · this loop's thread only]
 *
 * @param transport  any
 * @param data       copied as far as they do not leave at once
 * @param size       how many bytes; 0 does nothing
 * @return gives 0; THRUM_ESTATE after thrum_transport_write_eof() and during thrum_sendfile(); THRUM_EUNSUPPORTED for
 *         the read end of a pipe
 *
 * asyncio: WriteTransport.write
 */
THRUM_API int thrum_transport_write(thrum_transport *transport, const void *data, size_t size);

/**
 * Write several pieces, as one, without copying them together where they leave at once.
 * [never waits · takes buffers of the pool; without memory for them the connection is lost · this loop's thread only]
 *
 * @param transport  any
 * @param slices     the pieces; copied as far as they do not leave at once
 * @param count      how many
 * @return gives as thrum_transport_write()
 *
 * asyncio: WriteTransport.writelines
 */
THRUM_API int thrum_transport_write_vectors(thrum_transport *transport, const thrum_slice *slices, size_t count);

/**
 * End the output: once everything written has left, the peer sees end of file. Reading goes on. Doing it again, or on a
 * connection that is closing, does nothing. The write end of a pipe is closed by it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives 0; THRUM_EUNSUPPORTED where thrum_transport_can_write_eof() is false
 *
 * asyncio: WriteTransport.write_eof
 */
THRUM_API int thrum_transport_write_eof(thrum_transport *transport);

/**
 * Send a part of a file, after everything written before, without copying it through memory where the system can
 * (sendfile(2)). Until it has ended no write is taken, and nothing is received, if something was before.
 * [awaits · cancelled: a part may be sent, the number of the detail says how much · one frame and a block of the pool ·
 * this loop's thread only]
 *
 * @param transport  any
 * @param file       a descriptor that can be read at an offset; stays the caller's, open until the await has ended. Its
 *                   own position is neither used nor changed.
 * @param offset     where the part begins, in bytes
 * @param count      how many bytes; SIZE_MAX for all that follow
 * @param fallback   read and send where sendfile(2) cannot do it
 * @return gives how many bytes were sent: fewer than `count` when the file ends before; THRUM_ECLOSED when it is
 *         closing; THRUM_ESTATE after thrum_transport_write_eof() and when a file is being sent already;
 *         THRUM_EUNSUPPORTED when sendfile(2) cannot do it and there is no fallback; -EIO, -EISDIR and others of
 *         reading, the connection goes on; the error that lost the connection, with the number of bytes sent;
 *         THRUM_EINVAL; THRUM_ENOMEM; THRUM_ECANCELED
 *
 * asyncio: loop.sendfile
 */
THRUM_API thrum_awaitable thrum_sendfile(thrum_transport *transport, int file, uint64_t offset, size_t count,
                                         bool fallback) THRUM_MUST_USE_;

/**
 * Whether the output can end before the input does.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives true or false
 *
 * asyncio: WriteTransport.can_write_eof
 */
THRUM_API bool thrum_transport_can_write_eof(const thrum_transport *transport);

/**
 * Bytes that were written and that the system has not taken yet.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives a count of bytes
 *
 * asyncio: WriteTransport.get_write_buffer_size
 */
THRUM_API size_t thrum_transport_get_write_buffer_size(const thrum_transport *transport);

/** For a mark: what goes with the other one, 64 KiB for the high and a quarter of it for the low one. */
#define THRUM_MARK_DEFAULT ((size_t)-1)

/**
 * Set the marks of flow control: above `high` unsent bytes pause_writing is called, also by this call, at `low`
 * resume_writing.
 * [never waits · a block of the pool, unless another stream has the same · this loop's thread only]
 *
 * @param transport  any
 * @param high       in bytes; 0: pause whenever the system does not take all; THRUM_MARK_DEFAULT: four times `low`, or
 *                   64 KiB
 * @param low        in bytes, at most `high`; THRUM_MARK_DEFAULT: a quarter of `high`
 * @return gives 0; THRUM_EINVAL when `low` is above `high`; THRUM_ECLOSED; THRUM_ENOMEM
 *
 * asyncio: WriteTransport.set_write_buffer_limits
 */
THRUM_API int thrum_transport_set_write_buffer_limits(thrum_transport *transport, size_t high, size_t low);

/**
 * Read the marks of flow control.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any; 0 and 0 when it is closed
 * @param low        where the lower mark goes, in bytes; may be NULL
 * @param high       where the upper mark goes, in bytes; may be NULL
 *
 * asyncio: WriteTransport.get_write_buffer_limits
 */
THRUM_API void thrum_transport_get_write_buffer_limits(const thrum_transport *transport, size_t *low, size_t *high);

/* ---- the end ---- */

/**
 * Close gracefully: nothing is received any more, what was written is sent, then connection_lost is told 0. After the
 * close deadline of the connection's options the rest is dropped, and connection_lost told THRUM_ETIMEDOUT.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any; closing, closed or NULL does nothing
 *
 * asyncio: BaseTransport.close
 */
THRUM_API void thrum_transport_close(thrum_transport *transport);

/**
 * Drop the connection: what is unsent is lost, and connection_lost is told 0.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any; one that is lost or NULL does nothing
 *
 * asyncio: WriteTransport.abort
 */
THRUM_API void thrum_transport_abort(thrum_transport *transport);

/**
 * Whether a transport is closed, being closed, or lost.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives true or false
 *
 * asyncio: BaseTransport.is_closing
 */
THRUM_API bool thrum_transport_is_closing(const thrum_transport *transport);

/**
 * Wait until connection_lost has returned, and what it was told of is over: in a FINALLY, before memory goes that a
 * protocol uses.
 * [awaits · does not suspend when it is so · no allocation · this loop's thread only]
 *
 * @param transport  a reference, kept meanwhile
 * @return gives 0, also when it was turned into a stream; the error that connection_lost was told; THRUM_ECANCELED
 *
 * asyncio: none; StreamWriter.wait_closed
 */
THRUM_API thrum_awaitable thrum_transport_wait_closed(thrum_transport *transport) THRUM_MUST_USE_;

/**
 * Take a reference: the transport's memory stays until it is given back.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives `transport`
 *
 * asyncio: a reference
 */
THRUM_API thrum_transport *thrum_transport_hold(thrum_transport *transport);

/**
 * Give a reference back. This closes nothing.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  a reference; NULL does nothing
 *
 * asyncio: a reference going away
 */
THRUM_API void thrum_transport_release(thrum_transport *transport);

/* ---- what is known of it ---- */

/**
 * A fact about a connection, by its name. Of every one: "peername", "sockname": the addresses as text, as
 * thrum_stream_peername() and thrum_stream_sockname(); "socket": the descriptor, an int, of a socket. Of a pipe:
 * "pipe": the descriptor, an int. What carries the bytes may know more.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any; up to connection_lost, and in it
 * @param name       which one
 * @param to         where it goes; text with a NUL at its end, cut where there is no room
 * @param room       bytes at `to`; an int needs sizeof(int)
 * @return gives 0; THRUM_EUNSUPPORTED: there is no such fact; THRUM_EINVAL: not enough room; THRUM_ECLOSED; -errno
 *
 * asyncio: BaseTransport.get_extra_info
 */
THRUM_API int thrum_transport_get_extra_info(const thrum_transport *transport, const char *name, void *to, size_t room);

/* ---- to a stream and back ---- */

/**
 * Turn a stream into a transport: from now on a protocol is told what comes, what is buffered first. Unsent bytes stay
 * to be sent. connection_made is told in the next pass.
 * [never waits · allocates · this loop's thread only]
 *
 * @param transport  where it goes; a reference, to be given back; may be NULL
 * @param stream     open, and no task reads or waits to write there; the transport's from now on, also when it belongs
 *                   to a handler of a server, whose end does not close it then
 * @param protocol   stays as long as it is used
 * @param context    handed to its calls
 * @return gives 0; THRUM_EBUSY: a task reads or waits to write; THRUM_ECLOSED; THRUM_EINVAL for a protocol that cannot
 *         be right or a stream that is fed by hand; THRUM_ENOMEM
 *
 * asyncio: StreamWriter.transport with set_protocol
 */
THRUM_API int thrum_transport_of_stream(thrum_transport **transport, thrum_stream *stream,
                                        const thrum_protocol *protocol, void *context);

/**
 * Turn a transport into a stream: what was received and not told can be read there, unsent bytes stay to be sent, and
 * an end of file that came is found by the next read. The protocol is told nothing more, not connection_lost either.
 * The transport counts as closed; references to it are given back as ever. A call of the protocol may do it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream     where it goes; owned, unless it was a server's to begin with
 * @param transport  open; connection_made has been called
 * @return gives 0; THRUM_ECLOSED: closing or lost; THRUM_EBUSY during thrum_sendfile(); THRUM_ESTATE before
 *         connection_made
 *
 * asyncio: set_protocol with a StreamReaderProtocol
 */
THRUM_API int thrum_stream_of_transport(thrum_stream **stream, thrum_transport *transport);

THRUM_END_DECLS

#endif
