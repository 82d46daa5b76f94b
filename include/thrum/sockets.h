/**
 * @file sockets.h
 * Socket calls on plain descriptors, awaited: for sockets that the program makes, sets and closes itself. Streams
 * (streams.h) and datagrams (datagrams.h) are more comfortable, and faster where much is sent.
 *
 * Each call is tried at once, and only if it cannot be done waits for the descriptor. A call that is cancelled has
 * taken nothing, but for thrum_sock_sendall() and thrum_sock_sendfile(), which say how much they have sent; the
 * descriptor may be used for the next one right away, or closed. One task may read while another one writes. Several
 * may wait for the same: each gets a datagram or connection of its own, but the bytes of a stream fall to whoever comes
 * first.
 *
 * The descriptor is non-blocking and stays open until the await has ended. In debug mode a blocking one is refused; out
 * of it, thrum_sock_accept() and thrum_sock_connect() block the loop with one. A descriptor that a stream, server or
 * datagram endpoint owns is refused.
 */
#ifndef THRUM_SOCKETS_H
#define THRUM_SOCKETS_H

#include <thrum/addresses.h>
#include <thrum/awaitables.h>

THRUM_BEGIN_DECLS

/**
 * Make a socket that is non-blocking and closed in programs that are executed.
 * [never waits · no allocation · any thread]
 *
 * @param family  AF_INET, AF_INET6, AF_UNIX
 * @param type    SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET
 * @return gives a descriptor, owned; -errno of socket(2)
 *
 * asyncio: socket.socket and setblocking(False)
 */
THRUM_API int thrum_sock_open(int family, int type);

/**
 * Receive what is there, waiting while there is nothing.
 * [awaits · does not suspend when there is something · cancel-safe: nothing is taken · one block of the pool · this
 * loop's thread only]
 *
 * @param descriptor  of a socket
 * @param buffer      where the bytes go, in memory that outlives the await
 * @param size        room in it
 * @return gives the number of bytes; 0 at end of file, for an empty datagram and for a `size` of 0; -errno of recv(2);
 *         THRUM_ESTATE for a descriptor that is not the program's own, and without a loop; THRUM_EINVAL in debug mode
 *         for a blocking one; THRUM_EUNSUPPORTED on backends without descriptors; THRUM_ENOMEM; THRUM_ECANCELED
 *
 * asyncio: loop.sock_recv, loop.sock_recv_into
 */
THRUM_API thrum_awaitable thrum_sock_recv(int descriptor, void *buffer, size_t size) THRUM_MUST_USE_;

/**
 * Receive, and learn from whom.
 * [awaits · does not suspend when there is something · cancel-safe: nothing is taken · one block of the pool · this
 * loop's thread only]
 *
 * @param descriptor  of a socket
 * @param buffer      where the bytes go, in memory that outlives the await
 * @param size        room in it; the rest of a larger datagram is lost
 * @param from        where the sender's address goes, none for a connected stream; in memory that outlives the await;
 *                    NULL: it is not wanted
 * @return gives as thrum_sock_recv()
 *
 * asyncio: loop.sock_recvfrom, loop.sock_recvfrom_into
 */
THRUM_API thrum_awaitable thrum_sock_recvfrom(int descriptor, void *buffer, size_t size,
                                              thrum_address *from) THRUM_MUST_USE_;

/**
 * Send all of it, waiting while the system takes no more. Two that send down one stream at once mix their bytes.
 * [awaits · does not suspend when all is taken, but after each megabyte · cancelled: a part may be sent, the number of
 * the detail says how much · one block of the pool · this loop's thread only]
 *
 * @param descriptor  of a connected socket
 * @param data        the bytes, in memory that outlives the await
 * @param size        how many
 * @return gives `size`; -errno of send(2), with the number of bytes that were sent; else as thrum_sock_recv()
 *
 * asyncio: loop.sock_sendall
 */
THRUM_API thrum_awaitable thrum_sock_sendall(int descriptor, const void *data, size_t size) THRUM_MUST_USE_;

/**
 * Send one datagram.
 * [awaits · does not suspend when the system takes it · cancel-safe: nothing is sent · one block of the pool · this
 * loop's thread only]
 *
 * @param descriptor  of a datagram socket
 * @param data        the bytes, in memory that outlives the await
 * @param size        how many; may be 0
 * @param to          where to, in memory that outlives the await; NULL: to whom the socket is connected
 * @return gives the number of bytes sent; -errno of sendto(2); else as thrum_sock_recv()
 *
 * asyncio: loop.sock_sendto
 */
THRUM_API thrum_awaitable thrum_sock_sendto(int descriptor, const void *data, size_t size,
                                            const thrum_address *to) THRUM_MUST_USE_;

/**
 * Connect a socket. Names are looked up by thrum_getaddrinfo() before.
 * [awaits · cancelled: the socket can only be closed · one block of the pool · this loop's thread only]
 *
 * @param descriptor  of a socket that is not connected
 * @param to          where to, in memory that outlives the await
 * @return gives 0; -ECONNREFUSED and others of connect(2), the detail names the address; -EAGAIN for a Unix socket
 *         whose queue is full; THRUM_EINVAL for no address; else as thrum_sock_recv()
 *
 * asyncio: loop.sock_connect
 */
THRUM_API thrum_awaitable thrum_sock_connect(int descriptor, const thrum_address *to) THRUM_MUST_USE_;

/**
 * Take a connection.
 * [awaits · does not suspend when there is one · cancel-safe: it stays in the queue · one block of the pool · this
 * loop's thread only]
 *
 * @param descriptor  of a socket that listens
 * @param peer        where the other end's address goes, in memory that outlives the await; NULL: it is not wanted
 * @return gives a descriptor, owned, non-blocking and close-on-exec; -errno of accept(2); else as thrum_sock_recv()
 *
 * asyncio: loop.sock_accept
 */
THRUM_API thrum_awaitable thrum_sock_accept(int descriptor, thrum_address *peer) THRUM_MUST_USE_;

/**
 * Send a part of a file, without copying it through memory where the system can. Reading from a disk may hold up the
 * loop meanwhile. The file's position is neither used nor moved.
 * [awaits · does not suspend when all is taken, but after each megabyte · cancelled: a part may be sent, the number of
 * the detail says how much · one block of the pool · this loop's thread only]
 *
 * @param descriptor  of a connected stream socket. It has to be non-blocking: sendfile(2) would hold up the loop on one
 *                    that blocks
 * @param file        a descriptor that can be read at an offset, open until the await has ended; it stays the caller's
 * @param offset      where in the file to begin, in bytes
 * @param count       how many bytes at most, above 0; SIZE_MAX: up to the end of the file
 * @param fallback    whether to read and send where sendfile(2) does not do it
 * @return gives the number of bytes sent, fewer than `count` at the end of the file; THRUM_EUNSUPPORTED where
 *         sendfile(2) does not do it and `fallback` is false; THRUM_EINVAL for a count of 0, a negative file and a
 *         socket that is no stream; -errno with the number of bytes sent; else as thrum_sock_recv()
 *
 * asyncio: loop.sock_sendfile
 */
THRUM_API thrum_awaitable thrum_sock_sendfile(int descriptor, int file, uint64_t offset, size_t count,
                                              bool fallback) THRUM_MUST_USE_;

THRUM_END_DECLS

#endif
