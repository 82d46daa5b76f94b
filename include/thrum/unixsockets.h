/**
 * @file unixsockets.h
 * What only Unix sockets can: pass open descriptors to another process, and say who is at the other end. And sockets
 * that a process is started with, systemd's way. Paths that begin with '@' are names in the abstract namespace (Linux),
 * wherever a path is taken.
 */
#ifndef THRUM_UNIXSOCKETS_H
#define THRUM_UNIXSOCKETS_H

#include <thrum/streams.h>

THRUM_BEGIN_DECLS

/** Bytes and descriptors that go with them. */
typedef struct thrum_passing {
    void *data;       /**< the bytes, or where they go; at least one: descriptors go with bytes */
    size_t size;      /**< how many; how many may come */
    int *descriptors; /**< to be passed, which stay the caller's; or where those go that come, which are owned then, and
                           closed in programs that are executed */
    size_t room;      /**< receiving: how many may come */
    size_t count;     /**< how many they are, at most 253 */
    bool cut;         /**< received: there were more than `room`; those are closed */
} thrum_passing;

/**
 * Send bytes, and descriptors with the first of them, behind everything that was written before.
 * [awaits · cancelled: a part may be sent, the number of the detail says how much; the descriptors went with the first
 * byte · a frame and a block of the pool · this loop's thread only]
 *
 * @param stream   over a Unix socket
 * @param passing  `data`, `size`, `descriptors` and `count` set; it and what it names outlive the await
 * @return gives `size`, once the system has all of it; THRUM_EINVAL for no byte or too many descriptors;
 *         THRUM_EUNSUPPORTED for a stream without a socket; -EBADF for what is no descriptor; -EINVAL and others of
 *         sendmsg(2) for a socket that passes none, which break the stream's output as errors of a write do; else as
 *         thrum_stream_write()
 *
 * asyncio: none (socket.send_fds blocks)
 */
THRUM_API thrum_awaitable thrum_stream_send_descriptors(thrum_stream *stream,
                                                        const thrum_passing *passing) THRUM_MUST_USE_;

/**
 * Receive what is there, bytes and descriptors, waiting while there is nothing. Bytes that another read has taken ahead
 * come without theirs, which the system has closed: so read a stream that passes descriptors by this alone, or by reads
 * of 1 KiB and more that do not reach them.
 * [awaits · cancel-safe: nothing is taken · no allocation · this loop's thread only]
 *
 * @param stream   over a Unix socket
 * @param passing  `data`, `size`, `descriptors` and `room` set; `count` and `cut` are filled in. It and what it names
 *                 outlive the await.
 * @return gives the number of bytes; 0 at end of file; THRUM_EINVAL for no room for a byte; THRUM_EUNSUPPORTED for a
 *         stream without a socket; else as thrum_stream_read()
 *
 * asyncio: none (socket.recv_fds blocks)
 */
THRUM_API thrum_awaitable thrum_stream_receive_descriptors(thrum_stream *stream,
                                                           thrum_passing *passing) THRUM_MUST_USE_;

/** Who is at the other end. */
typedef struct thrum_credentials {
    int64_t process; /**< its number when it connected; -1 where the system does not tell */
    int64_t user;
    int64_t group;
} thrum_credentials;

/**
 * Who connected, or listens, at the other end of a Unix socket, as the system knows it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream       over a Unix socket
 * @param credentials  where it goes
 * @return gives 0; THRUM_EUNSUPPORTED for other sockets, and where the system does not tell; THRUM_ECLOSED; -errno
 *
 * asyncio: get_extra_info("socket").getsockopt(SOL_SOCKET, SO_PEERCRED)
 */
THRUM_API int thrum_stream_peer_credentials(const thrum_stream *stream, thrum_credentials *credentials);

/** A socket that the process was started with. */
typedef struct thrum_inherited_socket {
    int descriptor; /**< owned */
    char name[64];  /**< that systemd has for it, cut; "unknown" without one */
} thrum_inherited_socket;

/**
 * Take the sockets that the process was started with, by $LISTEN_FDS, $LISTEN_PID and $LISTEN_FDNAMES. They are closed
 * in programs that are executed, and the three variables removed, so that nobody takes them a second time; nor does
 * anybody who was not meant. thrum_server_options takes such sockets, and thrum_datagram_options.
 * [never waits · no allocation · any thread, while no other one uses the environment]
 *
 * @param list  where they go
 * @param room  how many fit
 * @return gives how many there are, 0 when the process was started with none; THRUM_ELIMIT when they are more than
 *         `room`: none is taken then; THRUM_EINVAL for a number that is none; -EBADF when one is not open
 *
 * asyncio: none
 */
THRUM_API int thrum_inherited_sockets(thrum_inherited_socket *list, size_t room);

THRUM_END_DECLS

#endif
