/* The addresses of the interface: the system's own in memory that says nothing of the system. */
#include "net/addresses.h"

#include <string.h>

#include <thrum/errors.h>

_Static_assert(sizeof(((net_address *)0)->as) <= sizeof((thrum_address *)0)->words, "each address has room");

static void put(thrum_address *address, const net_address *from)
{
    memset(address, 0, sizeof *address);
    address->size = (uint32_t)from->size;
    memcpy(address->words, &from->as, from->size);
}

void address_get(net_address *to, const thrum_address *address)
{
    memset(to, 0, sizeof *to);
    to->size = (socklen_t)(address->size <= sizeof to->as ? address->size : 0);
    memcpy(&to->as, address->words, to->size);
}

int thrum_address_from_ip(thrum_address *address, const char *host, int port)
{
    net_address made;
    memset(address, 0, sizeof *address);
    if (!host || port < 0 || port > 65535 || !address_numeric(&made, host, port))
        return THRUM_EINVAL;
    put(address, &made);
    return 0;
}

int thrum_address_from_path(thrum_address *address, const char *path)
{
    net_address made;
    memset(address, 0, sizeof *address);
    if (!address_unix(&made, path))
        return THRUM_EINVAL;
    put(address, &made);
    return 0;
}

int thrum_address_from_raw(thrum_address *address, const void *raw, size_t size)
{
    memset(address, 0, sizeof *address);
    if (!raw || size < sizeof(sa_family_t) || size > sizeof((net_address *)0)->as)
        return THRUM_EINVAL;
    address->size = (uint32_t)size;
    memcpy(address->words, raw, size);
    return 0;
}

const void *thrum_address_raw(const thrum_address *address)
{
    return address->words;
}

int thrum_address_family(const thrum_address *address)
{
    struct sockaddr head;
    if (address->size < sizeof head.sa_family)
        return AF_UNSPEC;
    memcpy(&head, address->words, sizeof head);
    return head.sa_family;
}

int thrum_address_port(const thrum_address *address)
{
    net_address own;
    address_get(&own, address);
    return address_port(&own.as.any);
}

void thrum_address_text(const thrum_address *address, char *text, size_t room)
{
    net_address own;
    address_get(&own, address);
    address_text(&own.as.any, own.size, text, room);
}

bool thrum_address_equal(const thrum_address *a, const thrum_address *b)
{
    net_address one, other;
    address_get(&one, a);
    address_get(&other, b);
    if (one.as.any.sa_family != other.as.any.sa_family)
        return false;
    switch (one.as.any.sa_family) {
    case AF_INET:
        return one.as.in.sin_port == other.as.in.sin_port && one.as.in.sin_addr.s_addr == other.as.in.sin_addr.s_addr;
    case AF_INET6:
        return one.as.in6.sin6_port == other.as.in6.sin6_port &&
               one.as.in6.sin6_scope_id == other.as.in6.sin6_scope_id &&
               memcmp(&one.as.in6.sin6_addr, &other.as.in6.sin6_addr, sizeof one.as.in6.sin6_addr) == 0;
    default:
        return one.size == other.size && memcmp(&one.as, &other.as, one.size) == 0;
    }
}
