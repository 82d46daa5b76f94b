/* What can be said of names without asking anybody, in the words of the C library: numbers, services, no host at all,
 * and which types of sockets each address is given for. */
#include "net/names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "loop/system.h"

/* Only some systems have these. */
#ifndef EAI_ADDRFAMILY
#define EAI_ADDRFAMILY EAI_NONAME
#endif

/* The types of sockets, in the order of the C library. */
typedef struct kind {
    int type, protocol;
    const char *name; /* of the protocol in the list of services; NULL: it has no ports */
    bool asked;       /* only given to who asks for its type or protocol */
} kind;

static const kind kinds[] = {
    {SOCK_STREAM, IPPROTO_TCP, "tcp", false},
    {SOCK_DGRAM, IPPROTO_UDP, "udp", false},
#if defined(SOCK_DCCP) && defined(IPPROTO_DCCP)
    {SOCK_DCCP, IPPROTO_DCCP, "dccp", true},
#endif
#ifdef IPPROTO_UDPLITE
    {SOCK_DGRAM, IPPROTO_UDPLITE, "udplite", true},
#endif
#ifdef IPPROTO_SCTP
    {SOCK_STREAM, IPPROTO_SCTP, "sctp", true},
    {SOCK_SEQPACKET, IPPROTO_SCTP, "sctp", true},
#endif
    {SOCK_RAW, 0, NULL, false},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static bool fits(const name_query *query, const kind *one)
{
    if (!query->type && !query->protocol)
        return !one->asked;
    return (!query->type || query->type == one->type) &&
           (!query->protocol || !one->protocol || query->protocol == one->protocol);
}

int names_put(const name_query *query, const net_address *address, int port)
{
    bool named = false, one_only = query->type || query->protocol;
    for (unsigned i = 0; i < KINDS; i++) {
        net_address made = *address;
        int at = port;
        if (!fits(query, &kinds[i]))
            continue;
        if (port < 0)
            at = kinds[i].name ? system_service(query->port, kinds[i].name) : -1;
        if (at < 0)
            continue;
        named = true;
        address_set_port(&made, at);
        if (!query->put(query->to, &made, kinds[i].type, kinds[i].protocol ? kinds[i].protocol : query->protocol))
            return THRUM_ENOMEM;
        if (one_only)
            break;
    }
    return named ? 0 : names_error(EAI_SERVICE, 0, "getaddrinfo");
}

/* What is wrong with what is asked for: a code of getaddrinfo(3), or 0. */
static int wrong(const name_query *query)
{
    static const int known =
        AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_NUMERICSERV | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG;
    if (query->flags & ~known || (query->flags & AI_CANONNAME && !query->host))
        return EAI_BADFLAGS;
    if (!query->host && !query->port)
        return EAI_NONAME;
    if (query->family && query->family != AF_INET && query->family != AF_INET6)
        return EAI_FAMILY;
    for (unsigned i = 0; i < KINDS; i++)
        if (fits(query, &kinds[i])) /* the first one counts, where some are asked for */
            return (query->type || query->protocol) && query->port && !kinds[i].name ? EAI_SERVICE : 0;
    return query->type ? EAI_SOCKTYPE : EAI_SERVICE;
}

static int put_number(const name_query *query, const char *host, int port)
{
    net_address address;
    if (!address_numeric(&address, host, 0) || (query->family && address.as.any.sa_family != query->family))
        return 0;
    return names_put(query, &address, port);
}

/* IPv4 in its older forms, as 127.1; and nothing behind it. */
static bool numeric(net_address *address, const char *host)
{
    if (address_numeric(address, host, 0))
        return true;
    memset(address, 0, sizeof *address);
    address->as.in.sin_family = AF_INET;
    address->size = sizeof address->as.in;
    return *host && host[strspn(host, "0123456789abcdefABCDEFxX.")] == '\0' &&
           inet_aton(host, &address->as.in.sin_addr);
}

void names_map(net_address *address)
{
    struct in_addr plain = address->as.in.sin_addr;
    memset(address, 0, sizeof *address);
    address->size = sizeof address->as.in6;
    address->as.in6.sin6_family = AF_INET6;
    address->as.in6.sin6_addr.s6_addr[10] = address->as.in6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(&address->as.in6.sin6_addr.s6_addr[12], &plain, sizeof plain);
}

static bool put_numeric(const name_query *query, net_address *address, int port, int *error)
{
    if (!numeric(address, query->host))
        return false;
    if (query->family == AF_INET6 && address->as.any.sa_family == AF_INET && query->flags & AI_V4MAPPED)
        names_map(address);
    if (query->family && query->family != address->as.any.sa_family)
        *error = names_error(EAI_ADDRFAMILY, 0, "getaddrinfo");
    else
        *error = names_put(query, address, port);
    if (!*error && query->canonical && !query->canonical(query->to, query->host))
        *error = THRUM_ENOMEM;
    return true;
}

int names_plain(const name_query *query, bool services)
{
    net_address address;
    int port = port_numeric(query->port), code = wrong(query), error;
    if (!code && port < 0 && query->flags & AI_NUMERICSERV)
        code = EAI_NONAME;
    if (code)
        return names_error(code, 0, "getaddrinfo");
    if (port < 0 && !services)
        return NAMES_ASK;
    if (!query->host) {
        bool passive = (query->flags & AI_PASSIVE) != 0;
        error = put_number(query, passive ? "0.0.0.0" : "::1", port);
        return error ? error : put_number(query, passive ? "::" : "127.0.0.1", port);
    }
    if (put_numeric(query, &address, port, &error))
        return error;
    if (query->flags & AI_NUMERICHOST)
        return names_error(EAI_NONAME, 0, "getaddrinfo");
    return NAMES_ASK;
}
