/**
 * @file streams.h
 * Connections over TCP and Unix sockets: one thrum_stream for both directions. servers.h has the other end.
 *
 * Who owns what. A stream of thrum_open_connection() or thrum_stream_adopt() is the caller's:
 * `AWAIT(thrum_stream_close(s))` and then `thrum_stream_release(s)`, or thrum_stream_release() alone, which drops the
 * connection. A stream that a server hands to its handler stays the server's, which closes and releases it when the
 * handler ends.
 *
 * What one await does. A read moves bytes only in the step in which it returns, so one that was cancelled has taken
 * none. One task may read at a time (a second one gets THRUM_EBUSY); any number may write, first come, first served,
 * and the bytes of one write stay together. When a call gives an error or THRUM_ECANCELED, the library no longer refers
 * to the caller's buffer, and the `number` of the error's detail says how many bytes were done.
 *
 * When bytes leave. Small writes are collected, and go out in one system call when the task waits for a read, when
 * 4 KiB have come together, at thrum_stream_flush(), or at the latest in the loop's next pass; large ones are sent at
 * once, from the caller's memory.
 *
 * Use after thrum_stream_close() or thrum_stream_abort() gives THRUM_ECLOSED.
 *
 * Firmware has the streams of serial.h, which says what differs there, and of this header what needs no system.
 */
#ifndef THRUM_STREAMS_H
#define THRUM_STREAMS_H

#include <thrum/generators.h>
#include <thrum/tasks.h>

THRUM_BEGIN_DECLS

/** A connection. */
typedef struct thrum_stream thrum_stream;

/** A piece of memory: of several that are written together, or one of several separators. */
typedef struct thrum_slice {
    const void *data;
    size_t size;
} thrum_slice;

#if THRUM_HOSTED
/** Whom a TLS connection trusts, and who it is (tls.h). */
typedef struct thrum_tls_context thrum_tls_context;

/** What it takes to resume a TLS session (tls.h). */
typedef struct thrum_tls_session thrum_tls_session;

/** How a stream behaves. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_stream_options {
    size_t size;               /**< sizeof(thrum_stream_options) */
    size_t limit;              /**< bytes that read_until, read_line and fill hold at most; 0: 65536 */
    size_t high;               /**< a write waits while more bytes than this are unsent; 0: 65536 */
    size_t low;                /**< and goes on at this many; 0: a quarter of `high` */
    thrum_time close_deadline; /**< how long thrum_stream_close() may take before it aborts; 0: 30 s */
} thrum_stream_options;

/** How a connection is made. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_connect_options {
    size_t size;                        /**< sizeof(thrum_connect_options) */
    const thrum_stream_options *stream; /**< copied; NULL: all default */
    const char *local_host;             /**< bind to this address first; NULL: any */
    const char *local_port;             /**< and to this port; NULL: any */
    int family;                         /**< AF_INET or AF_INET6 only; 0: both */
    thrum_time happy_eyeballs_delay;    /**< when one address has not answered for so long, the next one is tried beside
                                             it, and the first that answers wins (RFC 8305, which says 0.25 s); 0: the
                                             next one when that has failed */
    unsigned interleave;                /**< families take turns, after so many addresses of the first one; 0: 1 with a
                                             delay, else they stay in the order of the look-up */
    bool all_errors;                    /**< when all addresses fail: THRUM_EGROUP with an error for each */
    thrum_tls_context *tls;             /**< of a client: the connection speaks TLS (tls.h); NULL: it does not */
    const char *server_hostname;        /**< to ask for and to find in the certificate; NULL: `host`; "": none */
    thrum_time handshake_timeout;       /**< of TLS; 0: 60 s */
    thrum_time shutdown_timeout;        /**< of TLS: how long thrum_stream_close() may take; 0: 30 s */
    const thrum_tls_session *session;   /**< of TLS: of an earlier connection, to be resumed; NULL: none */
} thrum_connect_options;

/* ---- making one ---- */

/**
 * Connect over TCP. The addresses of a name are tried in their order, until one answers. A numeric address is not
 * looked up. When none answers the error is that of the first one; the detail's text names the addresses, and how each
 * failed where that differs; where there were several, its `errors` has the error of each, as a group's has.
 * [awaits · cancel-safe: nothing stays open · frames of the pool, one stream · this loop's thread only]
 *
 * @param host  a name or a numeric address; good until the await has ended; NULL: this machine
 * @param port  a number or the name of a service; good until the await has ended
 * @return gives a thrum_stream *, owned; -ECONNREFUSED and others of connect(2), the detail names the address;
 *         THRUM_ERESOLVE; THRUM_EINVAL; THRUM_ENOMEM; THRUM_EUNSUPPORTED on a backend without descriptors;
 *         THRUM_ECANCELED
 *
 * asyncio: open_connection
 */
THRUM_API thrum_awaitable thrum_open_connection(const char *host, const char *port) THRUM_MUST_USE_;

/**
 * Connect over TCP with options.
 * [awaits · allocates · this loop's thread only]
 *
 * @param host     as for thrum_open_connection()
 * @param port     as for thrum_open_connection()
 * @param options  copied, its strings are not: they stay until this is awaited; NULL is the default
 * @return gives as thrum_open_connection(); with `all_errors` THRUM_EGROUP; THRUM_EINVAL for options that cannot be
 *         right
 *
 * asyncio: open_connection with keywords
 */
THRUM_API thrum_awaitable thrum_open_connection_with(const char *host, const char *port,
                                                     const thrum_connect_options *options) THRUM_MUST_USE_;

/**
 * Connect to a Unix socket.
 * [awaits · cancel-safe: nothing stays open · one frame of the pool, one stream · this loop's thread only]
 *
 * @param path  of the socket; one that begins with '@' is in the abstract namespace (Linux)
 * @return gives a thrum_stream *, owned; -ENOENT, -ECONNREFUSED and others of connect(2); THRUM_EINVAL when the path is
 *         too long; THRUM_ENOMEM; THRUM_EUNSUPPORTED; THRUM_ECANCELED
 *
 * asyncio: open_unix_connection
 */
THRUM_API thrum_awaitable thrum_open_unix_connection(const char *path) THRUM_MUST_USE_;

/**
 * Connect to a Unix socket with options.
 * [awaits · allocates · this loop's thread only]
 *
 * @param path     as for thrum_open_unix_connection()
 * @param options  copied; NULL is the default
 * @return gives as thrum_open_unix_connection(); THRUM_EINVAL for options that cannot be right
 *
 * asyncio: open_unix_connection with keywords
 */
THRUM_API thrum_awaitable thrum_open_unix_connection_with(const char *path,
                                                          const thrum_connect_options *options) THRUM_MUST_USE_;

/**
 * Make a stream of a connected stream socket that exists. It is set non-blocking and close-on-exec.
 * [never waits · allocates · this loop's thread only]
 *
 * @param stream      where the stream goes; owned
 * @param descriptor  becomes the stream's, which closes it; when this fails it stays the caller's
 * @param options     copied; NULL is the default
 * @return gives 0; THRUM_EINVAL for limits that contradict each other; THRUM_ESTATE without a loop; THRUM_ENOMEM;
 *         THRUM_EUNSUPPORTED; -errno
 *
 * asyncio: open_connection(sock=...)
 */
THRUM_API int thrum_stream_adopt(thrum_stream **stream, int descriptor, const thrum_stream_options *options);

/**
 * Make a stream of a pipe, a FIFO, a terminal or another character device: of those directions that it is open for. One
 * that is open for reading only takes no write: THRUM_ESTATE. It is set non-blocking and close-on-exec.
 * [never waits · allocates · this loop's thread only]
 *
 * @param stream      where the stream goes; owned
 * @param descriptor  becomes the stream's, which closes it; when this fails it stays the caller's
 * @param options     copied; NULL is the default
 * @return gives 0; THRUM_EINVAL for a file of another kind or limits that contradict each other; THRUM_ESTATE without a
 *         loop; THRUM_ENOMEM; THRUM_EUNSUPPORTED; -errno
 *
 * asyncio: loop.connect_read_pipe with a StreamReaderProtocol
 */
THRUM_API int thrum_stream_adopt_pipe(thrum_stream **stream, int descriptor, const thrum_stream_options *options);

#endif

/* ---- reading ---- */

/**
 * Read what is there, waiting while there is nothing.
 * [awaits · cancel-safe: nothing is taken · takes a buffer of the pool for reads below 1 KiB · this loop's thread only]
 *
 * @param stream  open
 * @param buffer  where the bytes go, in memory that outlives the await
 * @param size    room in it; 0 gives 0
 * @return gives the number of bytes, 1 to `size`; 0 at end of file; -ECONNRESET and others of recv(2), after everything
 *         that was received; THRUM_EBUSY when a task reads already; THRUM_ECLOSED; THRUM_ENOMEM; THRUM_ECANCELED. A
 *         read that waits while somebody else closes the stream gives 0.
 *
 * asyncio: StreamReader.read
 */
THRUM_API thrum_awaitable thrum_stream_read(thrum_stream *stream, void *buffer, size_t size) THRUM_MUST_USE_;

/**
 * Read exactly so many bytes.
 * [awaits · cancel-safe up to the limit: see below · a cancelled one takes a buffer of the pool · this loop's thread
 * only]
 *
 * Cancelled (or timed out) half-way, the last bytes taken, as many as the stream's limit allows, go back into the
 * stream; the detail's number says how many stay in `buffer`: up to the limit none, and the stream is as it was.
 *
 * @param stream  open
 * @param buffer  where the bytes go, in memory that outlives the await
 * @param size    how many; may be far above the limit
 * @return gives `size`; THRUM_EINCOMPLETE at end of file: the number of the detail is how many bytes stand in `buffer`;
 *         -ECONNRESET and others of recv(2), with the number; THRUM_EBUSY; THRUM_ECLOSED; THRUM_ECANCELED
 *
 * asyncio: StreamReader.readexactly
 */
THRUM_API thrum_awaitable thrum_stream_read_exactly(thrum_stream *stream, void *buffer, size_t size) THRUM_MUST_USE_;

/**
 * Read up to and including the first of some separators; where several match, the shortest result counts.
 * [awaits · cancel-safe: nothing is taken · takes a buffer of the pool · this loop's thread only]
 *
 * @param stream      open
 * @param buffer      where the bytes go, the separator too, in memory that outlives the await
 * @param size        room in it
 * @param separators  in memory that outlives the await; none of them empty
 * @param count       how many separators, at least one
 * @return gives the number of bytes; THRUM_EINCOMPLETE at end of file: the rest, without a separator, was taken, and
 *         the number of the detail is how many bytes stand in `buffer`; THRUM_ELIMIT when more than the stream's limit
 *         or than `size` lies before a separator: nothing was taken, and the number says how many bytes can be read
 *         away without cutting a separator; THRUM_EINVAL; else as thrum_stream_read()
 *
 * asyncio: StreamReader.readuntil
 */
THRUM_API thrum_awaitable thrum_stream_read_until(thrum_stream *stream, void *buffer, size_t size,
                                                  const thrum_slice *separators, size_t count) THRUM_MUST_USE_;

/**
 * Read a line with its newline, and put a NUL behind it. The last line may lack the newline.
 * [awaits · cancel-safe: nothing is taken · takes a buffer of the pool · this loop's thread only]
 *
 * @param stream  open
 * @param buffer  where the line goes, in memory that outlives the await
 * @param size    room in it, with the NUL
 * @return gives the number of bytes without the NUL; 0 at end of file; THRUM_ELIMIT for a line that is longer than the
 *         stream's limit or `size`: what of it was received is dropped, and the stream can be read on; else as
 *         thrum_stream_read()
 *
 * asyncio: StreamReader.readline
 */
THRUM_API thrum_awaitable thrum_stream_read_line(thrum_stream *stream, char *buffer, size_t size) THRUM_MUST_USE_;

/**
 * The lines of a stream, one after the other, up to the end of file. Each lies in the buffer until the next one is
 * taken:
 *
 *     ASYNC_FOR (self->length, self->each, thrum_stream_lines(self->stream, self->line, sizeof self->line))
 *         use(self->line, self->length);
 *
 * [awaits at each item · cancel-safe: nothing is taken · takes a buffer of the pool · this loop's thread only]
 *
 * @param stream  open
 * @param buffer  where each line goes, in memory that outlives the loop over them
 * @param size    room in it, with the NUL
 * @return gives an iterable, each of whose items is the number of bytes as from thrum_stream_read_line(), and fails as
 *         that does
 *
 * asyncio: `async for line in reader`
 */
THRUM_API thrum_iterable thrum_stream_lines(thrum_stream *stream, char *buffer, size_t size) THRUM_MUST_USE_;

#if THRUM_HOSTED
/**
 * Wait for bytes and lend them: they lie in memory that all streams of the loop share, so a connection that waits needs
 * no buffer. They count as read; what is not wanted yet goes back by thrum_stream_unread().
 * [awaits · cancel-safe: nothing is taken · no allocation when `least` is 1 · this loop's thread only]
 *
 * @param stream  open
 * @param data    where the address of the bytes goes; they are good until the task suspends or uses the stream again,
 *                but may be handed to one thrum_stream_write() (THRUM_EBUSY when other tasks wait to write there)
 * @param least   wait for so many bytes, at least 1 and at most the stream's limit
 * @return gives the number of bytes, at least `least`, or fewer at end of file, 0 when there are none; THRUM_EINVAL;
 *         else as thrum_stream_read()
 *
 * asyncio: BufferedProtocol
 */
THRUM_API thrum_awaitable thrum_stream_fill(thrum_stream *stream, const void **data, size_t least) THRUM_MUST_USE_;
#endif

/**
 * Put bytes back, in front of what is to be read next.
 * [never waits · takes a buffer of the pool · this loop's thread only]
 *
 * @param stream  open
 * @param data    any bytes; usually the end of what thrum_stream_fill() lent
 * @param size    how many
 * @return gives 0; THRUM_ENOMEM (nothing went back); THRUM_EBUSY while a task reads; THRUM_ECLOSED
 *
 * asyncio: none; StreamReader.feed_data comes nearest
 */
THRUM_API int thrum_stream_unread(thrum_stream *stream, const void *data, size_t size);

/**
 * Whether the end of the input was seen and everything before it was read: the next read gives 0. Not so after an
 * error.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @return gives true or false
 *
 * asyncio: StreamReader.at_eof
 */
THRUM_API bool thrum_stream_at_eof(const thrum_stream *stream);

/**
 * Bytes that were received and not read yet, as far as the library holds them.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @return gives a count of bytes
 *
 * asyncio: len(StreamReader._buffer)
 */
THRUM_API size_t thrum_stream_buffered(const thrum_stream *stream);

/* ---- writing ---- */

/**
 * Write all of it. Waits while the peer is slow, that is while more bytes are unsent than the high mark; a return does
 * not mean that the peer has them, nor that they left.
 * [awaits · cancelled: a part may be written, the number of the detail says how much · takes buffers of the pool · this
 * loop's thread only]
 *
 * @param stream  open
 * @param buffer  the bytes, in memory that outlives the await
 * @param size    how many
 * @return gives `size`; -EPIPE, -ECONNRESET and others of send(2), also from an earlier write, with the number of bytes
 *         done; THRUM_ESTATE after thrum_stream_write_eof(); THRUM_ECLOSED; THRUM_ENOMEM; THRUM_ECANCELED
 *
 * asyncio: StreamWriter.write and drain
 */
THRUM_API thrum_awaitable thrum_stream_write(thrum_stream *stream, const void *buffer, size_t size) THRUM_MUST_USE_;

/**
 * Write several pieces, as one, without copying large ones together.
 * [awaits · cancelled: a part may be written, the number of the detail says how much · takes buffers of the pool · this
 * loop's thread only]
 *
 * @param stream  open
 * @param slices  the pieces; they and the array outlive the await
 * @param count   how many
 * @return gives how many bytes they are; else as thrum_stream_write()
 *
 * asyncio: StreamWriter.writelines and drain
 */
THRUM_API thrum_awaitable thrum_stream_write_vectors(thrum_stream *stream, const thrum_slice *slices,
                                                     size_t count) THRUM_MUST_USE_;

#if THRUM_HOSTED
/**
 * Send a part of a file, after everything written before, without copying it through memory where the system can
 * (sendfile(2)). Waits until the system has taken all of it. Reading from a disk may hold up the loop meanwhile.
 * [awaits · cancelled: a part may be sent, the number of the detail says how much · one frame and a block of the pool ·
 * this loop's thread only]
 *
 * @param stream  open
 * @param file    a descriptor that can be read at an offset; stays the caller's, open until the await has ended. Its
 *                own position is neither used nor changed.
 * @param offset  where the part begins, in bytes
 * @param count   how many bytes; SIZE_MAX for all that follow
 * @return gives how many bytes were sent: fewer than `count` when the file ends before; -EIO, -EISDIR and others of
 *         pread(2), the connection goes on; THRUM_EINVAL for a negative descriptor or an offset beyond all files; else
 *         as thrum_stream_write()
 *
 * asyncio: loop.sendfile
 */
THRUM_API thrum_awaitable thrum_stream_sendfile(thrum_stream *stream, int file, uint64_t offset,
                                                size_t count) THRUM_MUST_USE_;
#endif

/**
 * Send now what was collected, and wait until the system has taken all that was written.
 * [awaits · does not suspend when the system takes it at once · takes a block of the pool when it waits · this loop's
 * thread only]
 *
 * @param stream  open
 * @return gives 0; else as thrum_stream_write()
 *
 * asyncio: none; drain waits for the low mark only
 */
THRUM_API thrum_awaitable thrum_stream_flush(thrum_stream *stream) THRUM_MUST_USE_;

/**
 * End the output: once everything written has left, the peer sees end of file. Reading goes on. Doing it again does
 * nothing.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  open
 * @return gives 0; THRUM_ECLOSED; the error that an earlier write met
 *
 * asyncio: StreamWriter.write_eof
 */
THRUM_API int thrum_stream_write_eof(thrum_stream *stream);

#if THRUM_HOSTED
/**
 * Whether the output can be ended for itself, so that the peer sees end of file and may still send.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @return gives false for TLS, whose programs mostly take the end of one way for the end of both, and for a stream that
 *         is fed by hand; else true
 *
 * asyncio: StreamWriter.can_write_eof
 */
THRUM_API bool thrum_stream_can_write_eof(const thrum_stream *stream);
#endif

/**
 * Bytes that were written and that the system has not taken yet.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @return gives a count of bytes
 *
 * asyncio: WriteTransport.get_write_buffer_size
 */
THRUM_API size_t thrum_stream_unsent(const thrum_stream *stream);

#if THRUM_HOSTED
/**
 * Set the marks between which writes wait: above `high` unsent bytes they do, at `low` they go on.
 * [never waits · a block of the pool, unless another stream has the same · this loop's thread only]
 *
 * @param stream  any
 * @param high    0: a write returns when the system has taken all of it
 * @param low     at most `high`
 * @return gives 0; THRUM_EINVAL when `low` is above `high`; THRUM_ENOMEM
 *
 * asyncio: WriteTransport.set_write_buffer_limits
 */
THRUM_API int thrum_stream_set_write_limits(thrum_stream *stream, size_t high, size_t low);

/**
 * Read the marks between which a write waits.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @param high    where the upper mark goes, in bytes; may be NULL
 * @param low     where the lower mark goes, in bytes; may be NULL
 *
 * asyncio: WriteTransport.get_write_buffer_limits
 */
THRUM_API void thrum_stream_write_limits(const thrum_stream *stream, size_t *high, size_t *low);
#endif

/* ---- the end ---- */

/**
 * Close gracefully: what was written is sent, then the peer sees end of file. After the stream's close deadline the
 * rest is dropped. A task that reads gets 0, one that writes THRUM_ECLOSED. The stream stays the caller's, to be
 * released. A close that is cancelled goes on by itself. Closing again waits for the same end.
 * [awaits · does not suspend when nothing is unsent · no allocation · this loop's thread only]
 *
 * @param stream  any; NULL does nothing
 * @return gives 0; THRUM_ETIMEDOUT at the deadline, or the error of send(2), when bytes were lost: the number of the
 *         detail says how many; THRUM_ECANCELED
 *
 * asyncio: StreamWriter.close and wait_closed
 */
THRUM_API thrum_awaitable thrum_stream_close(thrum_stream *stream) THRUM_MUST_USE_;

/**
 * Drop the connection: nothing more is sent. A task that reads gets 0, one that writes THRUM_ECLOSED.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any; NULL does nothing
 *
 * asyncio: WriteTransport.abort
 */
THRUM_API void thrum_stream_abort(thrum_stream *stream);

#if THRUM_HOSTED
/**
 * Drop the connection so that the peer sees it: a read there fails with -ECONNRESET, where after thrum_stream_abort()
 * it may find the end of file, and take what came for everything. For who has to tell that it broke off: proxies, and
 * protocols whose messages end with the connection. Unix sockets know no resets.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any; NULL does nothing
 *
 * asyncio: SO_LINGER with 0 seconds, and WriteTransport.abort
 */
THRUM_API void thrum_stream_reset(thrum_stream *stream);
#endif

/**
 * Wait until the stream is closed, by whomever, or lost: until a call of anybody's has met an error of the connection.
 * One that is lost stays open, since what was received may be read: it is to be closed or released all the same.
 * [awaits · does not suspend when it is so · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @return gives 0; as often as it is asked, the error that lost the connection or its last bytes; THRUM_ECANCELED
 *
 * asyncio: StreamWriter.wait_closed
 */
THRUM_API thrum_awaitable thrum_stream_wait_closed(thrum_stream *stream) THRUM_MUST_USE_;

/**
 * Whether a stream is closed, or being closed. One whose connection is lost is neither before somebody closes it: reads
 * and writes give the error.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @return gives true or false
 *
 * asyncio: StreamWriter.is_closing
 */
THRUM_API bool thrum_stream_is_closing(const thrum_stream *stream);

/**
 * Give a stream back. One that is not closed is aborted; tasks that wait for it get THRUM_ECLOSED. A stream of a
 * server's is aborted, and given back by the server.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  owned; NULL does nothing. Not to be used afterwards.
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_stream_release(thrum_stream *stream);

#if THRUM_HOSTED
/* ---- what is known of it ---- */

/** Room that any address takes as text. */
#define THRUM_ADDRESS_TEXT 128

/**
 * The address of the other end as text: "127.0.0.1:80", "[::1]:80", the path of a Unix socket, or "".
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @param text    where it goes, with a NUL; THRUM_ADDRESS_TEXT bytes are enough
 * @param room    of `text`; more is cut
 * @return gives 0; -errno
 *
 * asyncio: get_extra_info("peername")
 */
THRUM_API int thrum_stream_peername(const thrum_stream *stream, char *text, size_t room);

/**
 * The address of this end, as text.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @param text    where it goes, with a NUL at its end
 * @param room    bytes at `text`
 * @return gives 0; THRUM_ECLOSED after the stream was closed; as thrum_stream_peername()
 *
 * asyncio: get_extra_info("sockname")
 */
THRUM_API int thrum_stream_sockname(const thrum_stream *stream, char *text, size_t room);

/**
 * The port of the other end.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @return gives the port; 0 for a Unix socket
 *
 * asyncio: get_extra_info("peername")[1]
 */
THRUM_API int thrum_stream_peer_port(const thrum_stream *stream);

/**
 * The stream's socket, for setsockopt(2) and the like. Reading, writing or closing it is the stream's business.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @return gives the descriptor; THRUM_ECLOSED; THRUM_EUNSUPPORTED when it has none (carriers.h)
 *
 * asyncio: get_extra_info("socket")
 */
THRUM_API int thrum_stream_descriptor(const thrum_stream *stream);

/**
 * A fact about a connection, by its name. Of every one: "peername", "sockname": the addresses as text, as
 * thrum_stream_peername() and thrum_stream_sockname(); "socket": the descriptor, an int, of a socket. Of TLS: "cipher",
 * "version" and "alpn" as text; "peercert", a thrum_tls_certificate * that the caller gives back; "sslcontext" and
 * "ssl_object", pointers that stay the stream's. What carries the bytes of others may know more.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @param name    which one
 * @param to      where it goes; text with a NUL at its end, cut where there is no room
 * @param room    bytes at `to`; an int needs sizeof(int)
 * @return gives 0; THRUM_EUNSUPPORTED: there is no such fact; THRUM_EINVAL: not enough room; THRUM_ECLOSED; -errno
 *
 * asyncio: get_extra_info
 */
THRUM_API int thrum_stream_get_extra_info(const thrum_stream *stream, const char *name, void *to, size_t room);
#endif

THRUM_END_DECLS

#endif
