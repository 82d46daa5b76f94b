#include "net/address.h"

#include <arpa/inet.h>
#include <limits.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void unix_text(const struct sockaddr_un *address, socklen_t size, char *text, size_t room)
{
    size_t offset = offsetof(struct sockaddr_un, sun_path);
    size_t length = size > offset ? size - offset : 0;
    if (length && address->sun_path[0] == '\0')
        snprintf(text, room, "@%.*s", (int)(length - 1), address->sun_path + 1);
    else
        snprintf(text, room, "%.*s", (int)length, address->sun_path);
}

void address_text(const struct sockaddr *address, socklen_t size, char *text, size_t room)
{
    char host[INET6_ADDRSTRLEN];
    if (!room)
        return;
    text[0] = '\0';
    if (size < sizeof address->sa_family)
        return;
    switch (address->sa_family) {
    case AF_INET: {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        if (inet_ntop(AF_INET, &in->sin_addr, host, sizeof host))
            snprintf(text, room, "%s:%d", host, ntohs(in->sin_port));
        break;
    }
    case AF_INET6: {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)address;
        if (!inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host))
            break;
        if (in->sin6_scope_id)
            snprintf(text, room, "[%s%%%u]:%d", host, (unsigned)in->sin6_scope_id, ntohs(in->sin6_port));
        else
            snprintf(text, room, "[%s]:%d", host, ntohs(in->sin6_port));
        break;
    }
    case AF_UNIX:
        unix_text((const struct sockaddr_un *)(const void *)address, size, text, room);
        break;
    default:
        break;
    }
}

int address_port(const struct sockaddr *address)
{
    switch (address->sa_family) {
    case AF_INET:
        return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
    case AF_INET6:
        return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    default:
        return 0;
    }
}

void address_set_port(net_address *address, int port)
{
    if (address->as.any.sa_family == AF_INET)
        address->as.in.sin_port = htons((uint16_t)port);
    else if (address->as.any.sa_family == AF_INET6)
        address->as.in6.sin6_port = htons((uint16_t)port);
}

bool address_unix(net_address *address, const char *path)
{
    size_t length = path ? strlen(path) : 0;
    memset(address, 0, sizeof *address);
    if (!length || length >= sizeof address->as.un.sun_path)
        return false;
    address->as.un.sun_family = AF_UNIX;
    memcpy(address->as.un.sun_path, path, length);
    address->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (path[0] == '@')
        address->as.un.sun_path[0] = '\0';
    else
        address->size++; /* the NUL */
    return true;
}

/* An interface by its name or number. */
static bool parse_scope(const char *scope, uint32_t *index)
{
    char *end = NULL;
    *index = if_nametoindex(scope);
    if (*index)
        return true;
    unsigned long number = *scope >= '0' && *scope <= '9' ? strtoul(scope, &end, 10) : ULONG_MAX;
    *index = (uint32_t)number;
    return number <= INT_MAX && !*end;
}

bool address_numeric(net_address *address, const char *host, int port)
{
    char plain[INET6_ADDRSTRLEN + 1];
    const char *scope = strchr(host, '%');
    size_t length = scope ? (size_t)(scope - host) : strlen(host);
    memset(address, 0, sizeof *address);
    if (!scope && inet_pton(AF_INET, host, &address->as.in.sin_addr) == 1) {
        address->as.in.sin_family = AF_INET;
        address->size = sizeof address->as.in;
        address_set_port(address, port);
        return true;
    }
    if (length >= sizeof plain)
        return false;
    memcpy(plain, host, length);
    plain[length] = '\0';
    if (inet_pton(AF_INET6, plain, &address->as.in6.sin6_addr) != 1 ||
        (scope && !parse_scope(scope + 1, &address->as.in6.sin6_scope_id)))
        return false;
    address->as.in6.sin6_family = AF_INET6;
    address->size = sizeof address->as.in6;
    address_set_port(address, port);
    return true;
}

int port_numeric(const char *port)
{
    int number = 0;
    for (; port && *port; port++) {
        if (*port < '0' || *port > '9')
            return -1;
        number = number * 10 + (*port - '0');
        if (number > 65535)
            return -1;
    }
    return number;
}
