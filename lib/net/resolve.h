/* From a host and a port to addresses. */
#ifndef THRUM_NET_RESOLVE_H
#define THRUM_NET_RESOLVE_H

#include <thrum/async.h>

#include "net/address.h"

typedef struct net_addresses {
    net_address *list;
    size_t count, room;
} net_addresses;

/* Add one; false: no memory. */
bool addresses_add(net_addresses *addresses, const net_address *address);
void addresses_free(net_addresses *addresses);

/* Look up a host and a port, and add what is found; family 0: both. `passive` is for servers: no host means every
 * interface, otherwise this machine. What is numeric is not looked up, and the task does not suspend.
 * Gives 0; THRUM_ERESOLVE with what the resolver says; THRUM_EINVAL; THRUM_ENOMEM. */
thrum_awaitable net_resolve(net_addresses *addresses, const char *host, const char *port, int family,
                            bool passive) THRUM_MUST_USE_;

#endif
