/**
 * @file testing_network.h
 * A network in memory, for tests of programs that know nothing of it: hosts with names and addresses, and between each
 * two of them latency, loss, reordering and a bandwidth, all by a seed. It can be cut and healed, connections are
 * reset, hosts drop dead. In virtual time a minute of it takes a millisecond, and a run that fails is its seed.
 *
 *     thrum_test_network *network;
 *     thrum_test_network_open(&network, NULL);                           under the loop that runs
 *     thrum_test_network_add_host(network, "server", NULL);
 *     thrum_test_network_add_host(network, "client", NULL);
 *     thrum_spawn_detached(thrum_test_network_as(network, "server", serve("7777")));
 *     AWAIT(thrum_test_network_as(network, "client", talk("server", "7777")));
 *
 * What serve() and talk() make goes through it (networks.h): streams, servers, transports, TLS, datagrams, Unix
 * sockets, names. They, and all tasks and calls that they start, are on that host; what is on none is on the first one,
 * "home". "localhost", 127.0.0.1, ::1 and paths of Unix sockets are each host's own.
 *
 * Connections behave as TCP's do. What is sent arrives in order or not at all; what is lost is sent again. Where nobody
 * listens a connection is refused, and where nobody answers it times out after 127 s. A full backlog is silent. Who
 * sends to an end that is closed gets a reset, and bytes that nobody read reset the connection. An end whose bytes do
 * not arrive waits for `give_up`, and gets -ETIMEDOUT; one that only reads hears nothing, for ever.
 *
 * Part of libthrum-testing, as testing.h. Not among what thrum.h includes.
 */
#ifndef THRUM_TESTING_NETWORK_H
#define THRUM_TESTING_NETWORK_H

#include <thrum/networks.h>
#include <thrum/testing.h>

THRUM_BEGIN_DECLS

/** A network. */
typedef struct thrum_test_network thrum_test_network;

/** How one host reaches another. Chances are in thousandths. Zeroed memory with `size` set carries everything at once;
 * members may be added at the end. */
typedef struct thrum_test_path {
    size_t size;        /**< sizeof(thrum_test_path) */
    thrum_time latency; /**< how long everything is under way */
    thrum_time jitter;  /**< and up to so much more, by the seed: datagrams overtake each other, bytes do not */
    uint64_t rate;      /**< bytes a second of a connection; 0: any number */
    unsigned lost;      /**< of 1000 datagrams; what a connection loses is sent again, 200 ms later and more */
    unsigned doubled;   /**< of 1000 datagrams: these come twice */
    unsigned reset;     /**< of 1000 pieces that a connection sends: at these it is reset */
    size_t fragment;    /**< bytes of a connection that arrive at a time at most, from 1 up by the seed; 0: any */
    size_t window;      /**< bytes of a connection under way and not read at most; 0: 65536 */
    size_t queue;       /**< datagrams that wait to be received at most; more are lost; 0: 1000 */
} thrum_test_path;

/** How a network is made. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_test_network_options {
    size_t size;                 /**< sizeof(thrum_test_network_options) */
    uint64_t seed;               /**< of all that is by chance; 0: that of the run, thrum_test_seed() */
    const thrum_test_path *path; /**< between all hosts, until told otherwise; copied; NULL: everything at once */
    thrum_time give_up;          /**< how long an end waits for an answer to what it sent; 0: 15 minutes */
    thrum_test_put *trace;       /**< is told what happens, a line each: "0.250000 home:49152 > server:80: 5 bytes";
                                    NULL: nothing. It may not use the network. */
    void *context;               /**< for it */
} thrum_test_network_options;

/* ---- the network ---- */

/**
 * Put a network under the loop that runs. It has one host, "home", with the address 10.0.0.1.
 * [never waits · allocates, not from the pool · this loop's thread only]
 *
 * @param network  where it goes; to be closed before the loop is
 * @param options  copied; NULL is the default
 * @return gives 0; THRUM_EINVAL; THRUM_ESTATE without a loop, and when it has a network; THRUM_ENOMEM
 *
 * asyncio: none
 */
THRUM_API int thrum_test_network_open(thrum_test_network **network, const thrum_test_network_options *options);

/**
 * End a network: its connections are broken with -ENETDOWN, servers hear of nobody any more, and what is made from now
 * on has the system's sockets.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param network  NULL does nothing. Not to be used afterwards.
 *
 * asyncio: none
 */
THRUM_API void thrum_test_network_close(thrum_test_network *network);

/**
 * Add a host, or one more address of a host.
 * [never waits · allocates, not from the pool · this loop's thread only]
 *
 * @param network  open
 * @param name     by which others find it; copied; below 64 bytes
 * @param address  a number, "10.1.2.3", "fd00::5"; NULL: the next free one, 10.0.0.2 and so on
 * @return gives 0; THRUM_EINVAL for what is no address, one that somebody has, the ninth of a host, and a name that is
 *         too long; THRUM_ENOMEM
 *
 * asyncio: none
 */
THRUM_API int thrum_test_network_add_host(thrum_test_network *network, const char *name, const char *address);

/**
 * Await something on a host: it, and all that it starts, makes its connections and servers there. The host is a context
 * variable (contextvars.h).
 * [awaits · one frame · this loop's thread only]
 *
 * @param network  open
 * @param host     its name; good until this is awaited
 * @param what     spent
 * @return gives what `what` gives; THRUM_EINVAL for a host that there is not; THRUM_ENOMEM; THRUM_EUNSUPPORTED where
 *         thrum was built without context variables
 *
 * asyncio: none
 */
THRUM_API thrum_awaitable thrum_test_network_as(thrum_test_network *network, const char *host,
                                                thrum_awaitable what) THRUM_MUST_USE_;

/**
 * Say how one host reaches another from now on, also over connections that there are.
 * [never waits · allocates, not from the pool · this loop's thread only]
 *
 * @param network   open
 * @param from, to  hosts; may be the same: its connections with itself. NULL: every one, also those to come
 * @param path      copied
 * @return gives 0; THRUM_EINVAL for hosts that there are not; THRUM_ENOMEM
 *
 * asyncio: none
 */
THRUM_API int thrum_test_network_path(thrum_test_network *network, const char *from, const char *to,
                                      const thrum_test_path *path);

/* ---- what goes wrong ---- */

/**
 * Cut two hosts off from each other: nothing arrives any more, also of what is under way, and nobody is told.
 * [never waits · allocates, not from the pool · this loop's thread only]
 *
 * @param network  open
 * @param a, b     hosts; `b` NULL: `a` from all others
 * @param time     how long, from now on; 0: until thrum_test_network_heal()
 * @return gives 0; THRUM_EINVAL for hosts that there are not; THRUM_ENOMEM
 *
 * asyncio: none
 */
THRUM_API int thrum_test_network_cut(thrum_test_network *network, const char *a, const char *b, thrum_time time);

/**
 * Heal what was cut: connections that have not been given up go on, datagrams that were sent meanwhile are lost.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param network  open
 * @param a, b     hosts; `b` NULL: `a` with all others; both NULL: all
 * @return gives 0; THRUM_EINVAL for hosts that there are not
 *
 * asyncio: none
 */
THRUM_API int thrum_test_network_heal(thrum_test_network *network, const char *a, const char *b);

/**
 * Reset connections at once, as something in between does: both ends get -ECONNRESET, and what was under way is lost.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param network  open
 * @param a, b     the hosts of their ends; NULL: any
 * @return gives how many connections there were; THRUM_EINVAL for hosts that there are not
 *
 * asyncio: none
 */
THRUM_API int thrum_test_network_reset(thrum_test_network *network, const char *a, const char *b);

/**
 * Have a host drop dead. Its own ends of connections break with -ENETDOWN, and what is made there fails so; the other
 * ends hear nothing: what they send is not answered. When it is up again, its servers can be reached, and who sends
 * over an old connection gets a reset.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param network  open
 * @param host     its name
 * @param up       true: it lives again
 * @return gives 0; THRUM_EINVAL for a host that there is not
 *
 * asyncio: none
 */
THRUM_API int thrum_test_network_power(thrum_test_network *network, const char *host, bool up);

THRUM_END_DECLS

#endif
