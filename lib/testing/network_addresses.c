/* What addresses mean to a network. */
#include <netinet/in.h>
#include <string.h>

#include "network.h"

static const struct sockaddr_in *in4(const thrum_address *address)
{
    return (const struct sockaddr_in *)thrum_address_raw(address);
}

static const struct sockaddr_in6 *in6(const thrum_address *address)
{
    return (const struct sockaddr_in6 *)thrum_address_raw(address);
}

bool simnet_is_any(const thrum_address *address)
{
    switch (thrum_address_family(address)) {
    case AF_INET:
        return in4(address)->sin_addr.s_addr == htonl(INADDR_ANY);
    case AF_INET6:
        return IN6_IS_ADDR_UNSPECIFIED(&in6(address)->sin6_addr);
    default:
        return false;
    }
}

bool simnet_is_loopback(const thrum_address *address)
{
    switch (thrum_address_family(address)) {
    case AF_INET:
        return ntohl(in4(address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&in6(address)->sin6_addr);
    default:
        return true; /* a path is each host's own */
    }
}

bool simnet_is_group(const thrum_address *address)
{
    switch (thrum_address_family(address)) {
    case AF_INET:
        return IN_MULTICAST(ntohl(in4(address)->sin_addr.s_addr));
    case AF_INET6:
        return IN6_IS_ADDR_MULTICAST(&in6(address)->sin6_addr);
    default:
        return false;
    }
}

void simnet_set_port(thrum_address *address, int port)
{
    if (thrum_address_family(address) == AF_INET)
        ((struct sockaddr_in *)(uintptr_t)in4(address))->sin_port = htons((uint16_t)port);
    else if (thrum_address_family(address) == AF_INET6)
        ((struct sockaddr_in6 *)(uintptr_t)in6(address))->sin6_port = htons((uint16_t)port);
}

bool simnet_same_host(const thrum_address *a, const thrum_address *b)
{
    thrum_address one = *a, other = *b;
    simnet_set_port(&one, 0);
    simnet_set_port(&other, 0);
    return thrum_address_equal(&one, &other);
}
