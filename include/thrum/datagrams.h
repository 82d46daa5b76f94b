/**
 * @file datagrams.h
 * Datagrams over UDP and Unix sockets: an endpoint, which tasks receive from and send with, or which calls a protocol.
 *
 *     AWAIT_INTO(self->endpoint, thrum_create_datagram_endpoint(NULL, NULL, &options));
 *     AWAIT(thrum_datagrams_receive(self->endpoint, &self->datagram));
 *     AWAIT(thrum_datagrams_send(self->endpoint, self->datagram.data, self->datagram.size, &self->datagram.address));
 *
 * A datagram is received into the caller's memory in the step in which the await returns, so a receive that was
 * cancelled has taken none. One task may receive at a time; any number may send, first come, first served. Many are
 * moved by one call, and on Linux by one system call, by thrum_datagrams_receive_many() and
 * thrum_datagrams_send_many(), without an allocation.
 *
 * What arrives while nobody receives waits in the system's buffer of the socket (SO_RCVBUF), or with `queue` in one of
 * the endpoint's own; what finds no room is dropped and counted.
 *
 * Errors that the network reports of an earlier datagram (nobody listens there) never end an endpoint.
 */
#ifndef THRUM_DATAGRAMS_H
#define THRUM_DATAGRAMS_H

#include <thrum/addresses.h>
#include <thrum/awaitables.h>

THRUM_BEGIN_DECLS

/** An endpoint. */
typedef struct thrum_datagrams thrum_datagrams;

/** What is said of a datagram that was received. */
enum { THRUM_DATAGRAM_TRUNCATED = 1 /**< it had more bytes than there was room for, and those are lost */ };

/** One datagram, in memory of the caller's. What was received can be sent as it stands. */
typedef struct thrum_datagram {
    void *data;            /**< its bytes, or where they go */
    size_t room;           /**< how many may be received there */
    size_t size;           /**< how many they are; 0 is a datagram, too */
    uint32_t flags;        /**< THRUM_DATAGRAM_TRUNCATED, or 0 */
    thrum_address address; /**< from whom it is, or where to it goes; none: to whom the endpoint is connected */
} thrum_datagram;

/** What is told of an endpoint in callback style. Constant; usually static. Any call may be NULL. `context` is what the
 * factory gave. connection_made and connection_lost come once each, first and last; all calls are made by the loop but
 * for pause_writing and error_received, which may come from inside thrum_datagrams_sendto(). They run in the context
 * variables of who made the endpoint. */
typedef struct thrum_datagram_protocol {
    size_t size; /**< sizeof(thrum_datagram_protocol) */
    /** The endpoint stands. It is good until connection_lost has returned. */
    void (*connection_made)(void *context, thrum_datagrams *endpoint);
    /** A datagram came. It lies in memory that all endpoints of the loop share, and is good until this returns. */
    void (*datagram_received)(void *context, const thrum_datagram *datagram);
    /** Sending or receiving failed; the endpoint goes on. `about` is where the datagram went that it is about, or
     * none. */
    void (*error_received)(void *context, int error, const thrum_address *about);
    /** It is over: 0, or THRUM_ECLOSED when the loop closes before. */
    void (*connection_lost)(void *context, int error);
    /** More bytes are unsent than the high mark; comes from inside the call that made it so. */
    void (*pause_writing)(void *context);
    /** They are down at the low mark. */
    void (*resume_writing)(void *context);
} thrum_datagram_protocol;

/** Makes the protocol of a new endpoint: it goes to `protocol`, and what its calls are given to `own`. 0, or an error,
 * which closes the endpoint. */
typedef int thrum_datagram_factory(void *context, const thrum_datagram_protocol **protocol, void **own);

/** How an endpoint is made. Zeroed memory with `size` set is the default; members may be added at the end. The strings
 * are good until the await has ended. */
typedef struct thrum_datagram_options {
    size_t size;             /**< sizeof(thrum_datagram_options) */
    const char *local_host;  /**< bind to this address; NULL: any, where there is a local port */
    const char *local_port;  /**< and this port; NULL: any */
    const char *remote_host; /**< connect to this address: only its datagrams come; NULL with a remote port: this
                                  machine */
    const char *remote_port; /**< and this port */
    const char *local_path;  /**< a Unix socket: bind to this path, from which the socket of one that died is removed */
    const char *remote_path; /**< and connect to this one */
    const int *socket;       /**< take this bound or connected socket, which becomes the endpoint's; it stays the
                                  caller's when it does not fit;
                                  none of the above and the next four goes with it */
    int family;              /**< AF_INET or AF_INET6 only; AF_UNIX for paths; 0: what the addresses say */
    int protocol;            /**< IPPROTO_UDP or the like only; 0: any */
    bool reuse_port;         /**< others that ask for it too may bind to the same port */
    bool allow_broadcast;    /**< send to broadcast addresses; a remote address is sent to, but not connected */
    bool errors;  /**< hear of what the network says of each datagram, to whomever it went: Linux's error queue;
                                  else only a connected endpoint does */
    size_t queue; /**< so many datagrams wait with the endpoint for who receives; 0: they wait in the system */
    size_t most;  /**< bytes that one of those may have; 0: 2048 */
    size_t high;  /**< pause_writing above so many unsent bytes, each datagram counting 8 more; 0: 65536 */
    size_t low;   /**< and resume_writing at this many; 0: a quarter of `high` */
} thrum_datagram_options;

/* ---- making one ---- */

/**
 * Make an endpoint. Each pair of a local and a remote address of the same family is tried in turn.
 * [awaits · does not suspend without names and a factory · cancel-safe: nothing stays open · allocates · this loop's
 * thread only]
 *
 * @param factory  asked for the protocol when the socket stands; NULL: tasks receive
 * @param context  handed to the factory
 * @param options  copied; there has to be an address, a socket or a family
 * @return gives a thrum_datagrams *, a reference, when connection_made has returned; THRUM_EINVAL for options that do
 *         not go together, a socket of another kind and addresses that have no family in common; -EADDRINUSE and others
 *         of bind(2) and connect(2), of the first pair, with its address in the detail; the factory's error;
 *         THRUM_ERESOLVE; THRUM_ENOMEM; THRUM_EUNSUPPORTED on backends without descriptors, and for `errors` where
 *         there is no such queue; THRUM_ESTATE; THRUM_ECANCELED
 *
 * asyncio: loop.create_datagram_endpoint
 */
THRUM_API thrum_awaitable thrum_create_datagram_endpoint(thrum_datagram_factory *factory, void *context,
                                                         const thrum_datagram_options *options) THRUM_MUST_USE_;

/**
 * Give a reference back. An endpoint without a protocol is dropped with it, and tasks that use it get THRUM_ECLOSED;
 * one with a protocol goes on until it is closed.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param endpoint  any; NULL does nothing. Not to be used afterwards, but by its protocol.
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_datagrams_release(thrum_datagrams *endpoint);

/* ---- receiving ---- */

/**
 * Receive a datagram, waiting while there is none.
 * [awaits · does not suspend when there is one · cancel-safe: nothing is taken · no allocation · this loop's thread
 * only]
 *
 * @param endpoint  without a protocol
 * @param datagram  `data` and `room` set; the rest is filled in. It and its memory outlive the await.
 * @return gives the size; -ECONNREFUSED and others for an earlier datagram, whose address then stands in `datagram`
 *         where it is known, and the endpoint goes on; THRUM_EBUSY when a task receives already, or a protocol does;
 *         THRUM_ECLOSED; THRUM_ECANCELED
 *
 * asyncio: DatagramProtocol.datagram_received
 */
THRUM_API thrum_awaitable thrum_datagrams_receive(thrum_datagrams *endpoint, thrum_datagram *datagram) THRUM_MUST_USE_;

/**
 * Receive what is there, waiting while there is nothing: on Linux up to 32 in one system call.
 * [awaits · cancel-safe: nothing is taken · no allocation · this loop's thread only]
 *
 * @param endpoint  without a protocol
 * @param list      as in thrum_datagrams_receive(), each
 * @param count     how many there may be, at least 1
 * @return gives how many were received, at least 1; errors as thrum_datagrams_receive(), about the first of `list`;
 *         THRUM_EINVAL for a count of 0
 *
 * asyncio: none
 */
THRUM_API thrum_awaitable thrum_datagrams_receive_many(thrum_datagrams *endpoint, thrum_datagram *list,
                                                       size_t count) THRUM_MUST_USE_;

/**
 * How many datagrams were lost because there was no room for them: in the queue of the endpoint and, where the system
 * tells (Linux), in its buffer.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param endpoint  any
 * @return gives a count
 *
 * asyncio: none
 */
THRUM_API uint64_t thrum_datagrams_dropped(const thrum_datagrams *endpoint);

/* ---- sending ---- */

/**
 * Send a datagram, waiting while the system has no room for it.
 * [awaits · does not suspend when there is room · cancel-safe: nothing is sent · one block of the pool · this loop's
 * thread only]
 *
 * @param endpoint  open
 * @param data      its bytes, in memory that outlives the await
 * @param size      how many; may be 0
 * @param to        where to; copied; NULL: to whom the endpoint is connected
 * @return gives `size`; -EMSGSIZE and others of sendto(2), on a connected endpoint also what an earlier datagram came
 *         to; THRUM_EINVAL for another address than that of the remote one; THRUM_ECLOSED; THRUM_ENOMEM;
 *         THRUM_ECANCELED
 *
 * asyncio: none; DatagramTransport.sendto comes nearest
 */
THRUM_API thrum_awaitable thrum_datagrams_send(thrum_datagrams *endpoint, const void *data, size_t size,
                                               const thrum_address *to) THRUM_MUST_USE_;

/**
 * Send many, on Linux up to 32 in one system call.
 * [awaits · does not suspend when there is room · cancelled: some may be sent, the number of the detail says how many ·
 * takes a block of the pool where it waits · this loop's thread only]
 *
 * @param endpoint  open
 * @param list      `data`, `size` and `address` set; it and its memory outlive the await
 * @param count     how many
 * @return gives `count`; errors as thrum_datagrams_send() of the first one that fails, with the number of those that
 *         were sent before it
 *
 * asyncio: none
 */
THRUM_API thrum_awaitable thrum_datagrams_send_many(thrum_datagrams *endpoint, const thrum_datagram *list,
                                                    size_t count) THRUM_MUST_USE_;

/**
 * Send without waiting: what the system has no room for is copied and sent later, however much it is; pause_writing
 * says when to stop. What goes wrong is told by error_received, where there is a protocol.
 * [never waits · takes a block of the pool where there is no room · may call the protocol · this loop's thread only]
 *
 * @param endpoint  any; closing does nothing
 * @param data      its bytes; borrowed for the call
 * @param size      how many; may be 0
 * @param to        where to; borrowed for the call; NULL: to whom the endpoint is connected
 * @return gives 0; THRUM_EINVAL for another address than that of the remote one; THRUM_ENOMEM; without a protocol also
 *         -errno of sendto(2)
 *
 * asyncio: DatagramTransport.sendto
 */
THRUM_API int thrum_datagrams_sendto(thrum_datagrams *endpoint, const void *data, size_t size, const thrum_address *to);

/**
 * Bytes that wait to be sent, each datagram counting 8 more.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param endpoint  any
 * @return gives a count of bytes
 *
 * asyncio: DatagramTransport.get_write_buffer_size
 */
THRUM_API size_t thrum_datagrams_write_buffer_size(const thrum_datagrams *endpoint);

/**
 * Say at how many unsent bytes the protocol is told to pause and to go on.
 * [never waits · no allocation · may call the protocol · this loop's thread only]
 *
 * @param endpoint  any
 * @param high      pause_writing above this many
 * @param low       resume_writing at this many
 * @return gives 0; THRUM_EINVAL when `low` is above `high`
 *
 * asyncio: DatagramTransport.set_write_buffer_limits
 */
THRUM_API int thrum_datagrams_set_write_buffer_limits(thrum_datagrams *endpoint, size_t high, size_t low);

/* ---- groups ---- */

/**
 * Receive what is sent to a multicast group.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param endpoint   bound to the group's port, of the group's family
 * @param group      its address; the port does not count
 * @param interface  through which it is joined: its name; NULL: the system chooses; a network (networks.h) has none
 * @return gives 0; THRUM_EINVAL for what is no Internet address; -ENODEV for an interface that there is not; -errno of
 *         setsockopt(2); THRUM_ECLOSED; THRUM_EUNSUPPORTED on a network without groups
 *
 * asyncio: none (setsockopt of its socket)
 */
THRUM_API int thrum_datagrams_join(thrum_datagrams *endpoint, const thrum_address *group, const char *interface);

/**
 * Leave a group that was joined.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param endpoint   any
 * @param group      as it was joined
 * @param interface  as it was joined
 * @return gives as thrum_datagrams_join(); -EADDRNOTAVAIL when it was not joined
 *
 * asyncio: none (setsockopt of its socket)
 */
THRUM_API int thrum_datagrams_leave(thrum_datagrams *endpoint, const thrum_address *group, const char *interface);

/* ---- the end, and what is known ---- */

/**
 * Close an endpoint: what thrum_datagrams_sendto() has left leaves first. Tasks that use it get THRUM_ECLOSED, and the
 * protocol hears no more of it but connection_lost, resume_writing and errors.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param endpoint  any; NULL does nothing
 *
 * asyncio: DatagramTransport.close
 */
THRUM_API void thrum_datagrams_close(thrum_datagrams *endpoint);

/**
 * Close an endpoint; what has not left is dropped.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param endpoint  any; NULL does nothing
 *
 * asyncio: DatagramTransport.abort
 */
THRUM_API void thrum_datagrams_abort(thrum_datagrams *endpoint);

/**
 * Wait until an endpoint is closed, and its protocol has heard of that.
 * [awaits · does not suspend when it is so · no allocation · this loop's thread only]
 *
 * @param endpoint  any
 * @return gives 0; THRUM_ECANCELED
 *
 * asyncio: none
 */
THRUM_API thrum_awaitable thrum_datagrams_wait_closed(thrum_datagrams *endpoint) THRUM_MUST_USE_;

/**
 * Whether an endpoint is closed or being closed.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param endpoint  any
 * @return gives true or false
 *
 * asyncio: DatagramTransport.is_closing
 */
THRUM_API bool thrum_datagrams_is_closing(const thrum_datagrams *endpoint);

/**
 * The address that an endpoint is bound to.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param endpoint  any
 * @param address   where it goes
 * @return gives 0; -errno of getsockname(2); THRUM_ECLOSED
 *
 * asyncio: get_extra_info("sockname")
 */
THRUM_API int thrum_datagrams_sockname(const thrum_datagrams *endpoint, thrum_address *address);

/**
 * The address that an endpoint sends to when it is told no other.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param endpoint  any
 * @param address   where it goes
 * @return gives 0; -ENOTCONN where there is none
 *
 * asyncio: get_extra_info("peername")
 */
THRUM_API int thrum_datagrams_peername(const thrum_datagrams *endpoint, thrum_address *address);

/**
 * An endpoint's socket, for setsockopt(2) and the like. Receiving, sending and closing are the endpoint's business.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param endpoint  any
 * @return gives the descriptor; THRUM_ECLOSED
 *
 * asyncio: get_extra_info("socket")
 */
THRUM_API int thrum_datagrams_descriptor(const thrum_datagrams *endpoint);

THRUM_END_DECLS

#endif
