/* Addresses of sockets: from text and to text. */
#ifndef THRUM_NET_ADDRESS_H
#define THRUM_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct net_address {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } as;
    socklen_t size;
} net_address;

/* "127.0.0.1:80", "[::1]:80", a path, "@name" for the abstract namespace; "" for none. */
void address_text(const struct sockaddr *address, socklen_t size, char *text, size_t room);

/* The port of an Internet address, or 0. */
int address_port(const struct sockaddr *address);
void address_set_port(net_address *address, int port);

/* A path, or "@name". False: too long, or empty. */
bool address_unix(net_address *address, const char *path);

/* A numeric host; false when it is none, which then is for the resolver. A scope as in "fe80::1%eth0" is understood. */
bool address_numeric(net_address *address, const char *host, int port);

/* A port as a number: 0 to 65535, or -1 when it is none. NULL and "" are 0. */
int port_numeric(const char *port);

#endif
