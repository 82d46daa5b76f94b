/* Multicast groups. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "net/datagram.h"

static int change4(const thrum_datagrams *endpoint, const net_address *group, unsigned interface, bool join)
{
#if SYSTEM_LINUX
    struct ip_mreqn request;
    memset(&request, 0, sizeof request);
    request.imr_multiaddr = group->as.in.sin_addr;
    request.imr_ifindex = (int)interface;
#else
    struct ip_mreq request; /* has the interface's address in place of its number */
    memset(&request, 0, sizeof request);
    request.imr_multiaddr = group->as.in.sin_addr;
    if (interface)
        return THRUM_EUNSUPPORTED;
#endif
    return setsockopt(endpoint->descriptor, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
                      sizeof request)
               ? -errno
               : 0;
}

static int change6(const thrum_datagrams *endpoint, const net_address *group, unsigned interface, bool join)
{
    struct ipv6_mreq request;
    memset(&request, 0, sizeof request);
    request.ipv6mr_multiaddr = group->as.in6.sin6_addr;
    request.ipv6mr_interface = interface ? interface : group->as.in6.sin6_scope_id;
    return setsockopt(endpoint->descriptor, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request,
                      sizeof request)
               ? -errno
               : 0;
}

static int change(const thrum_datagrams *endpoint, const thrum_address *group, const char *interface, bool join)
{
    net_address address;
    const thrum_network *network = endpoint->port.network;
    unsigned index = interface && !network ? if_nametoindex(interface) : 0;
    address_get(&address, group);
    if (endpoint->flags & DATAGRAM_CLOSED)
        return THRUM_ECLOSED;
    if (network) /* it has no interfaces */
        return network->join ? network->join(endpoint->port.link, group, join) : THRUM_EUNSUPPORTED;
    if (interface && !index)
        return -ENODEV;
    switch (address.as.any.sa_family) {
    case AF_INET:
        return change4(endpoint, &address, index, join);
    case AF_INET6:
        return change6(endpoint, &address, index, join);
    default:
        return THRUM_EINVAL;
    }
}

int thrum_datagrams_join(thrum_datagrams *endpoint, const thrum_address *group, const char *interface)
{
    return change(endpoint, group, interface, true);
}

int thrum_datagrams_leave(thrum_datagrams *endpoint, const thrum_address *group, const char *interface)
{
    return change(endpoint, group, interface, false);
}
