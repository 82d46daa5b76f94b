/**
 * @file networks.h
 * What the connections, servers, datagrams and names of a loop go through in place of the system's sockets: a stack in
 * user space, a tunnel, or a network in memory. `thrum/testing_network.h` has one of those, for tests of programs that
 * know nothing of it.
 *
 * A network is a few calls; thrum_loop_set_network() puts it under a loop, on any backend. Everything of streams.h,
 * servers.h, transports.h, datagrams.h, tls.h and names.h that is not about descriptors then works on top of it, with
 * the same addresses, limits, deadlines and rules of cancellation. The calls that take descriptors (sockets.h, adopted
 * and inherited ones, pipes) still mean the system's.
 */
#ifndef THRUM_NETWORKS_H
#define THRUM_NETWORKS_H

#include <thrum/carriers.h>
#include <thrum/datagrams.h>
#include <thrum/events.h>

THRUM_BEGIN_DECLS

/** The library's side of something that listens or receives: to be told by thrum_network_ready(). */
typedef struct thrum_network_port thrum_network_port;

/**
 * A network. Constant; usually static. `own` is what thrum_loop_set_network() was given. Addresses are copied by who
 * needs them for longer than a call; Unix sockets come by their path, and a network that has none gives -EAFNOSUPPORT.
 * No call may wait, nor use the port or its streams from within; `connect` gives something to wait for.
 */
typedef struct thrum_network {
    size_t size; /**< sizeof(thrum_network) */

    /** The addresses of a host that is no number, best first, at most `room`: how many; 0 when nobody has that name; or
     * an error. The library picks the family that is asked for. */
    int (*look_up)(void *own, const char *host, thrum_address *found, int room);

    /** Connect: an awaitable that gives a thrum_stream *, owned, of thrum_stream_carry(); or an error as connect(2).
     * `local` is what to bind to, of the same family, or none. Both and the options outlive the await. */
    thrum_awaitable (*connect)(void *own, const thrum_address *local, const thrum_address *to,
                               const thrum_stream_options *options);

    /** Listen. A port of 0 becomes a free one; at most `backlog` connections wait to be taken. 0, with the link in
     * `*link`; or an error as bind(2). */
    int (*listen)(void *own, thrum_address *at, int backlog, thrum_network_port *port, void **link);

    /** Take a connection that has come to what listens, and say from whom it is: 0; THRUM_CARRIER_LATER; or why that
     * one is lost. */
    int (*accept)(void *link, thrum_stream **stream, thrum_address *peer, const thrum_stream_options *options);

    /** Receive datagrams at an address, whose port of 0 becomes a free one; where `to` is an address, those from there
     * only. As `listen`. */
    int (*open)(void *own, thrum_address *at, const thrum_address *to, thrum_network_port *port, void **link);

    /** Send a datagram to its address: 0; THRUM_CARRIER_LATER; or an error as sendto(2). */
    int (*send)(void *link, const thrum_datagram *datagram);

    /** Receive one: its bytes as far as there is room, `size`, `flags` and `address` are filled in. 0;
     * THRUM_CARRIER_LATER; or an error as recvfrom(2), about `address`. */
    int (*receive)(void *link, thrum_datagram *datagram);

    /** From now on the port wants to be told when these are possible, THRUM_CARRIER_READ (`accept`, `receive`) and
     * THRUM_CARRIER_WRITE (`send`), and of nothing else. Of what is possible already it is to be told as well, but not
     * from within this call; and again in every pass of the loop in which it is possible and wanted. */
    void (*watch)(void *link, unsigned events);

    /** What listens or receives is over; connections that nobody took are refused. The port is not to be told any more.
     * `late`: the loop closes, and no call can be queued any more. */
    void (*close)(void *link, bool late);

    /** What receives datagrams joins a multicast group, or leaves it; the port does not count. 0, or an error as
     * setsockopt(2). NULL: there are no groups. */
    int (*join)(void *link, const thrum_address *group, bool join);
} thrum_network;

/**
 * Put a network under a loop: what is made from now on goes through it. What was made before stays where it is.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop     open, this thread's
 * @param network  its calls; stays as long as anything that was made through it. NULL: the system's sockets again
 * @param own      handed to `look_up`, `connect`, `listen` and `open`
 * @return gives 0; THRUM_EINVAL when a call other than `join` is missing; THRUM_ESTATE for another thread's loop
 *
 * asyncio: overriding loop.create_connection, loop.create_server, loop.create_datagram_endpoint and loop.getaddrinfo
 */
THRUM_API int thrum_loop_set_network(thrum_loop *loop, const thrum_network *network, void *own);

/**
 * What thrum_loop_set_network() was given last.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop  open, this thread's
 * @param own   where what was given with it goes; may be NULL
 * @return gives the network; NULL: the system's sockets
 *
 * asyncio: none
 */
THRUM_API const thrum_network *thrum_loop_get_network(const thrum_loop *loop, void **own);

/**
 * Tell a port that its network can be asked again. For networks, from a call that the loop makes.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param port    of `listen` or `open`, not closed
 * @param events  THRUM_CARRIER_READ, THRUM_CARRIER_WRITE or both; what is not watched for is ignored
 *
 * asyncio: none
 */
THRUM_API void thrum_network_ready(thrum_network_port *port, unsigned events);

THRUM_END_DECLS

#endif
