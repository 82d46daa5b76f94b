/* Looking names up, whoever does it. */
#ifndef THRUM_NET_NAMES_H
#define THRUM_NET_NAMES_H

#include <thrum/names.h>

#include <sys/socket.h>

#include "loop/loop.h"
#include "net/address.h"

/* What is looked for, and who takes what is found. */
typedef struct name_query {
    const char *host, *port; /* or NULL; copied by who needs them for longer than a call */
    int family, type, protocol, flags;
    /* False: no memory. */
    bool (*put)(void *to, const net_address *address, int type, int protocol);
    bool (*canonical)(void *to, const char *name); /* NULL: it is not wanted */
    void *to;
} name_query;

/* An address that is looked for the name of. */
typedef struct name_inverse {
    net_address address;
    int flags;
    char *host, *service;
    size_t host_room, service_room;
} name_inverse;

/* What can be answered without asking anybody: 0; an error, with its detail; 1: it is a name. */
enum { NAMES_ASK = 1 };
int names_plain(const name_query *query, bool services);

/* Put an address of a host, once for each type of socket that is wanted; as names_plain(). A positive port is one that
 * all have; -1: the service that query->port names. */
int names_put(const name_query *query, const net_address *address, int port);

/* An IPv4 address as one of IPv6. */
void names_map(net_address *address);

/* A code of getaddrinfo(3) as an error, with its detail. */
int names_error(int code, int system, const char *operation);

/* Put the names in place; 0 or an error. */
int names_give(const name_inverse *inverse, const char *host, const char *service);

/* In debug mode: it has taken long? */
void names_slow(const char *operation, const char *what, thrum_time began);

/* ---- names_threads.c ---- */

thrum_awaitable names_thread_look_up(const name_query *query) THRUM_MUST_USE_;
thrum_awaitable names_thread_invert(const name_inverse *inverse) THRUM_MUST_USE_;

/* ---- names_cares.c, names_channel.c ---- */

/* What this loop has chosen. */
typedef struct names_choice {
    thrum_loop_closer closer;
    const thrum_loop *loop; /* NULL: nothing was chosen */
    thrum_resolver kind;
    thrum_time timeout;
    unsigned tries;
    char servers[256];
} names_choice;

/* NULL: threads. */
const names_choice *names_chosen(void);

/* As the choice says that was made; and whether one can be: 0; THRUM_EINVAL; THRUM_ENOMEM. Only where c-ares is. */
thrum_awaitable names_cares_look_up(const name_query *query) THRUM_MUST_USE_;
thrum_awaitable names_cares_invert(const name_inverse *inverse) THRUM_MUST_USE_;
int names_cares_try(const names_choice *choice);

/* ---- names.c ---- */

/* By whoever this loop has chosen; what is numeric at once. */
thrum_awaitable names_look_up(const name_query *query) THRUM_MUST_USE_;

#endif
