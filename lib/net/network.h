/* Where connections, servers, datagrams and names meet what stands in for the system's sockets. */
#ifndef THRUM_NET_NETWORK_H
#define THRUM_NET_NETWORK_H

#include <thrum/networks.h>

#include "loop/io.h"
#include "net/names.h"
#include "net/resolve.h"

/* Something of ours that listens or receives there; part of that. */
struct thrum_network_port {
    loop_source source;
    const thrum_network *network; /* NULL: it has a descriptor */
    void *link;                   /* the network's */
    thrum_io *in, *out;           /* who is told; NULL: nobody. Of `source` */
    net_address address;          /* where it is */
};

struct server_arrival;

/* The network under this thread's loop, and its own; NULL: sockets. */
const thrum_network *network_here(void **own);

/* There is one: ask it for a name, as names_plain(). */
int network_look_up(const name_query *query);

/* There is one: gives a stream from there, owned. Addresses and options outlive the await. */
thrum_awaitable network_connect(const net_address *to, const net_addresses *local,
                                const thrum_stream_options *options) THRUM_MUST_USE_;

/* There is one: listen there; `address` is told which port it was. 0, or an error whose detail names the address. */
int network_listen(thrum_network_port *port, net_address *address, int backlog);

/* There is one: receive datagrams there, of `remote` only if it is not NULL. 0 or an error. */
int network_open(thrum_network_port *port, const net_address *local, const net_address *remote);

/* server_take() of such a one. */
int network_accept(thrum_network_port *port, const thrum_stream_options *options, struct server_arrival *arrival);

/* The port's watchers are closed. `late`: the loop closes. */
void network_close(thrum_network_port *port, bool late);

#endif
