/* A network in memory, as the files that make it see it. */
#ifndef THRUM_TESTING_SIMNET_H
#define THRUM_TESTING_SIMNET_H

#include <thrum/testing_network.h>

#include "pair.h"

enum { HOST_NAME = 64, HOST_ADDRESSES = 8 };

typedef struct test_host {
    struct test_host *next;
    char name[HOST_NAME];
    thrum_address addresses[HOST_ADDRESSES];
    int count;
    int port; /* the next one for who wants any */
    bool down;
} test_host;

/* How one host reaches another; made when somebody asks. */
typedef struct test_route {
    struct test_route *next;
    thrum_test_network *network;
    test_host *from, *to;
    thrum_test_path path;
    uint64_t seed;
    bool cut;
    thrum_handle heal;
} test_route;

/* Where something is. */
typedef struct test_place {
    test_host *host;
    thrum_address address;
} test_place;

/* A connection: its first end is that of who asked for it. */
typedef struct test_connection {
    test_pair pair;                       /* stands first */
    struct test_connection *next, **link; /* among those of the network */
    struct test_connection *after;        /* in the queue of who listens */
    thrum_test_network *network;          /* NULL: closed */
    test_place places[2];
    test_route *routes[2]; /* there and back */
} test_connection;

/* A multicast group that somebody has joined; its port is 0. */
typedef struct test_group {
    struct test_group *next;
    thrum_address address;
} test_group;

/* What stands behind a port of the library's: it listens, or receives datagrams. */
typedef struct test_datagram test_datagram;
typedef struct test_socket {
    struct test_socket *next, **link;
    thrum_test_network *network; /* NULL: closed */
    test_place place;
    bool datagrams;
    thrum_network_port *port;
    unsigned events;    /* that it wants to be told of */
    thrum_handle poll;  /* tells it, in each pass in which they are possible */
    thrum_handle alarm; /* begins to, when the time has come */
    /* One that listens: */
    test_connection *first, *last; /* that wait to be taken */
    int waiting, backlog;
    /* One for datagrams: */
    thrum_address peer;      /* from whom alone they come; or none */
    test_datagram *arriving; /* soonest first */
    size_t count;
    test_group *groups;   /* that it is in */
    thrum_time failed_at; /* when it hears that nobody receives at its peer's; or THRUM_NEVER */
} test_socket;

struct thrum_test_network {
    thrum_loop *loop;
    test_host *hosts; /* the first one is home */
    test_route *routes;
    test_connection *connections;
    test_socket *sockets;
    thrum_test_path path;
    uint64_t seed;
    thrum_time give_up;
    thrum_test_put *trace;
    void *context;
    int numbered; /* hosts whose address we chose */
};

/* ---- network.c ---- */

/* Names: NULL where there is none. */
test_host *simnet_host(const thrum_test_network *network, const char *name);

/* The host that runs. */
test_host *simnet_here(thrum_test_network *network);

/* Who has an address, as seen from a host: NULL for nobody. */
test_host *simnet_owner(thrum_test_network *network, test_host *from, const thrum_address *address);

/* NULL: no memory. */
test_route *simnet_route(thrum_test_network *network, test_host *from, test_host *to);

/* Where a connection or a datagram of a host comes from, when it goes there and nobody has said. False: nowhere. */
bool simnet_source(test_host *host, const thrum_address *to, thrum_address *source);

/* Whether something passes at all; and how long it is under way, or -1 when it is lost. */
bool simnet_passes(const test_route *route);
thrum_time simnet_delay(test_route *route);

/* A line for who traces. Places are those of what it is about; `to` may be NULL. */
void simnet_tell(const thrum_test_network *network, const test_place *from, const test_place *to, const char *format,
                 ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 4, 5)))
#endif
    ;

/* ---- network_addresses.c ---- */

bool simnet_is_any(const thrum_address *address);
bool simnet_is_loopback(const thrum_address *address);
bool simnet_is_group(const thrum_address *address);
void simnet_set_port(thrum_address *address, int port);

/* The same but for the port. */
bool simnet_same_host(const thrum_address *a, const thrum_address *b);

/* ---- network_sockets.c ---- */

/* Bind: 0 or an error as bind(2). `*at` is told its port. */
int simnet_bind(thrum_test_network *network, thrum_address *at, bool datagrams, thrum_network_port *port,
                test_socket **made);

/* Who hears what is sent to an address of a host; NULL: nobody. */
test_socket *simnet_find(const thrum_test_network *network, const test_host *host, const thrum_address *to,
                         bool datagrams);

/* A port that nobody has; 0: all are used. */
int simnet_free_port(const thrum_test_network *network, test_host *host, const thrum_address *address, bool datagrams);

/* See to it that the port is told when there is something to tell. */
void simnet_look(test_socket *socket);

/* Calls of thrum_network. */
void simnet_watch(void *link, unsigned events);
void simnet_close(void *link, bool late);

/* The network ends: sockets and connections go on without it. */
void simnet_let_go(thrum_test_network *network);

/* ---- network_streams.c ---- */

thrum_awaitable simnet_connect(void *own, const thrum_address *local, const thrum_address *to,
                               const thrum_stream_options *options);
int simnet_accept(void *link, thrum_stream **stream, thrum_address *peer, const thrum_stream_options *options);

/* Connections that nobody took are reset. */
void simnet_refuse_all(test_socket *socket, bool late);

/* Have its ways be as the paths are now. */
void simnet_set_ways(test_connection *connection);

/* Break both ends now. */
void simnet_break(test_connection *connection, int error);

/* It goes on without its network: broken. */
void simnet_part(test_connection *connection);

/* ---- network_datagrams.c ---- */

int simnet_send(void *link, const thrum_datagram *datagram);
int simnet_receive(void *link, thrum_datagram *datagram);
int simnet_join(void *link, const thrum_address *group, bool join);

/* When there is something to receive, or THRUM_NEVER. */
thrum_time simnet_receivable_at(const test_socket *socket);

void simnet_forget(test_socket *socket);

/* What is under way and does not pass any more is lost. */
void simnet_lose(test_socket *socket);

/* ---- network_faults.c ---- */

/* The time of a cut is over. */
void simnet_healed(thrum_handle *handle);

#endif
