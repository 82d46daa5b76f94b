/* What listens and what receives datagrams: places with somebody behind them. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "network.h"

enum { FIRST_PORT = 49152, PORTS = 65536 - FIRST_PORT };

/* ---- who is where ---- */

static bool same_family(const thrum_address *a, const thrum_address *b)
{
    return thrum_address_family(a) == thrum_address_family(b);
}

/* Whether two cannot be at once. */
static bool clash(const thrum_address *a, const thrum_address *b)
{
    return same_family(a, b) && thrum_address_port(a) == thrum_address_port(b) &&
           (simnet_is_any(a) || simnet_is_any(b) || thrum_address_equal(a, b));
}

static bool taken(const thrum_test_network *network, const test_host *host, const thrum_address *at, bool datagrams)
{
    for (const test_socket *socket = network->sockets; socket && at->size; socket = socket->next)
        if (socket->datagrams == datagrams && socket->place.host == host && clash(&socket->place.address, at))
            return true;
    return false;
}

int simnet_free_port(const thrum_test_network *network, test_host *host, const thrum_address *address, bool datagrams)
{
    thrum_address wanted = *address;
    for (int i = 0; i < PORTS; i++) {
        int port = host->port;
        host->port = port + 1 < FIRST_PORT + PORTS ? port + 1 : FIRST_PORT;
        simnet_set_port(&wanted, port);
        if (!taken(network, host, &wanted, datagrams))
            return port;
    }
    return 0;
}

test_socket *simnet_find(const thrum_test_network *network, const test_host *host, const thrum_address *to,
                         bool datagrams)
{
    for (test_socket *socket = network->sockets; socket; socket = socket->next) {
        const thrum_address *at = &socket->place.address;
        if (socket->datagrams == datagrams && socket->place.host == host && same_family(at, to) &&
            thrum_address_port(at) == thrum_address_port(to) &&
            (simnet_is_any(at) || simnet_is_any(to) || thrum_address_equal(at, to)))
            return socket;
    }
    return NULL;
}

/* ---- telling ---- */

static thrum_time wanted_at(const test_socket *socket)
{
    if (socket->datagrams && socket->events & THRUM_CARRIER_WRITE)
        return 0;
    if (!(socket->events & THRUM_CARRIER_READ))
        return THRUM_NEVER;
    return socket->datagrams ? simnet_receivable_at(socket) : socket->first ? 0 : THRUM_NEVER;
}

void simnet_look(test_socket *socket)
{
    if (!socket->network || thrum_handle_pending(&socket->poll))
        return;
    thrum_time when = wanted_at(socket);
    (void)thrum_handle_cancel(&socket->alarm);
    if (when <= thrum_now())
        (void)thrum_call_soon(&socket->poll);
    else if (when != THRUM_NEVER)
        (void)thrum_call_at(when, &socket->alarm);
}

static void poll_call(thrum_handle *handle)
{
    test_socket *socket = (test_socket *)handle->context;
    unsigned events = socket->datagrams ? socket->events & THRUM_CARRIER_WRITE : 0;
    if (socket->datagrams ? simnet_receivable_at(socket) <= thrum_now() : socket->first != NULL)
        events |= socket->events & THRUM_CARRIER_READ;
    thrum_network_ready(socket->port, events);
    simnet_look(socket);
}

void simnet_watch(void *link, unsigned events)
{
    test_socket *socket = (test_socket *)link;
    socket->events = events;
    simnet_look(socket);
}

/* ---- making and closing ---- */

int simnet_bind(thrum_test_network *network, thrum_address *at, bool datagrams, thrum_network_port *port,
                test_socket **made)
{
    test_host *host = simnet_here(network);
    bool internet = at->size && thrum_address_family(at) != AF_UNIX;
    if (host->down)
        return -ENETDOWN;
    if (simnet_owner(network, host, at) != host)
        return -EADDRNOTAVAIL;
    if (internet && !thrum_address_port(at))
        simnet_set_port(at, simnet_free_port(network, host, at, datagrams));
    if ((internet && !thrum_address_port(at)) || taken(network, host, at, datagrams))
        return -EADDRINUSE;
    test_socket *socket = (test_socket *)calloc(1, sizeof *socket);
    if (!socket)
        return THRUM_ENOMEM;
    socket->network = network;
    socket->place.host = host;
    socket->place.address = *at;
    socket->datagrams = datagrams;
    socket->port = port;
    socket->failed_at = THRUM_NEVER;
    thrum_handle_init(&socket->poll, poll_call, socket);
    thrum_handle_init(&socket->alarm, poll_call, socket);
    socket->link = &network->sockets;
    socket->next = network->sockets;
    if (socket->next)
        socket->next->link = &socket->next;
    network->sockets = socket;
    *made = socket;
    return 0;
}

/* Nobody finds it any more. */
static void leave(test_socket *socket, bool late)
{
    if (!socket->network)
        return;
    *socket->link = socket->next;
    if (socket->next)
        socket->next->link = socket->link;
    socket->network = NULL;
    (void)thrum_handle_cancel(&socket->poll);
    (void)thrum_handle_cancel(&socket->alarm);
    if (socket->datagrams)
        simnet_forget(socket);
    else
        simnet_refuse_all(socket, late);
}

void simnet_close(void *link, bool late)
{
    test_socket *socket = (test_socket *)link;
    leave(socket, late);
    free(socket);
}

void simnet_let_go(thrum_test_network *network)
{
    while (network->sockets)
        leave(network->sockets, false);
    while (network->connections)
        simnet_part(network->connections);
}
