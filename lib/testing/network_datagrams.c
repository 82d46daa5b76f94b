/* Datagrams over a network in memory: each goes right into the list of who receives there, with the time of its
 * arrival. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "random.h"

enum { MOST = 1000, LARGEST = 65507, IN_ALL = 1000 };

struct test_datagram {
    test_datagram *next;
    thrum_time due;
    const test_route *route;
    thrum_address from;
    size_t size;
    char bytes[];
};

/* ---- what there is ---- */

thrum_time simnet_receivable_at(const test_socket *socket)
{
    thrum_time when = socket->arriving ? socket->arriving->due : THRUM_NEVER;
    return when < socket->failed_at ? when : socket->failed_at;
}

static void drop(test_socket *socket, test_datagram **link)
{
    test_datagram *gone = *link;
    *link = gone->next;
    socket->count--;
    free(gone);
}

/* ---- groups ---- */

static void leave_group(test_group **link)
{
    test_group *gone = *link;
    *link = gone->next;
    free(gone);
}

/* Where a group stands in the list, or its end. */
static test_group **find_group(test_socket *socket, const thrum_address *group)
{
    test_group **link = &socket->groups;
    while (*link && !simnet_same_host(&(*link)->address, group))
        link = &(*link)->next;
    return link;
}

int simnet_join(void *link, const thrum_address *group, bool join)
{
    test_socket *socket = (test_socket *)link;
    test_group **at = find_group(socket, group);
    if (!socket->network)
        return -ENETDOWN;
    if (!simnet_is_group(group) || thrum_address_family(group) != thrum_address_family(&socket->place.address))
        return THRUM_EINVAL;
    if (join == (*at != NULL))
        return join ? -EADDRINUSE : -EADDRNOTAVAIL;
    if (!join) {
        leave_group(at);
        return 0;
    }
    test_group *made = (test_group *)calloc(1, sizeof *made);
    if (!made)
        return THRUM_ENOMEM;
    made->address = *group;
    *at = made;
    return 0;
}

void simnet_forget(test_socket *socket)
{
    while (socket->arriving)
        drop(socket, &socket->arriving);
    while (socket->groups)
        leave_group(&socket->groups);
    socket->failed_at = THRUM_NEVER;
}

void simnet_lose(test_socket *socket)
{
    for (test_datagram **link = &socket->arriving; *link;)
        if ((*link)->due > thrum_now() && !simnet_passes((*link)->route))
            drop(socket, link);
        else
            link = &(*link)->next;
    simnet_look(socket);
}

/* ---- receiving ---- */

int simnet_receive(void *link, thrum_datagram *datagram)
{
    test_socket *socket = (test_socket *)link;
    const test_datagram *first = socket->arriving;
    if (!socket->network)
        return -ENETDOWN;
    if (socket->failed_at <= thrum_now()) {
        socket->failed_at = THRUM_NEVER;
        datagram->address = socket->peer;
        return -ECONNREFUSED;
    }
    if (!first || first->due > thrum_now())
        return THRUM_CARRIER_LATER;
    datagram->size = first->size < datagram->room ? first->size : datagram->room;
    datagram->flags = first->size > datagram->room ? THRUM_DATAGRAM_TRUNCATED : 0;
    datagram->address = first->from;
    if (datagram->size)
        memcpy(datagram->data, first->bytes, datagram->size);
    drop(socket, &socket->arriving);
    simnet_look(socket);
    return 0;
}

/* ---- sending ---- */

static bool chance(test_route *route, unsigned thousandths)
{
    return thousandths && random_below(&route->seed, IN_ALL) < thousandths;
}

/* One copy. False: no memory. */
static bool deliver(test_socket *to, const test_place *from, test_route *route, const thrum_datagram *datagram)
{
    thrum_time delay = simnet_passes(route) ? simnet_delay(route) : -1;
    if (delay < 0 || to->count >= (route->path.queue ? route->path.queue : MOST)) {
        simnet_tell(route->network, from, &to->place, "datagram of %zu bytes, lost", datagram->size);
        return true;
    }
    test_datagram *made = (test_datagram *)malloc(sizeof *made + datagram->size);
    if (!made)
        return false;
    simnet_tell(route->network, from, &to->place, "datagram of %zu bytes", datagram->size);
    made->due = time_after(thrum_now(), delay);
    made->route = route;
    made->from = from->address;
    made->size = datagram->size;
    if (datagram->size)
        memcpy(made->bytes, datagram->data, datagram->size);
    test_datagram **at = &to->arriving;
    while (*at && (*at)->due <= made->due)
        at = &(*at)->next;
    made->next = *at;
    *at = made;
    to->count++;
    simnet_look(to);
    return true;
}

/* Nobody is there, which one that is connected is told. */
static void refuse(test_socket *socket, test_route *there, test_route *back)
{
    thrum_time delay = simnet_passes(there) ? simnet_delay(there) : -1;
    thrum_time answer = delay < 0 || !socket->peer.size || !simnet_passes(back) ? -1 : simnet_delay(back);
    if (answer < 0 || socket->failed_at != THRUM_NEVER)
        return;
    socket->failed_at = time_after(time_after(thrum_now(), delay), answer);
    simnet_look(socket);
}

/* And perhaps another one. */
static bool deliver_copies(test_socket *to, const test_place *from, test_route *route, const thrum_datagram *datagram)
{
    bool sent = deliver(to, from, route, datagram);
    return sent && chance(route, route->path.doubled) ? deliver(to, from, route, datagram) : sent;
}

/* Whoever is in the group, at its port, on any host, this one too: each by a way of its own. To nobody is no error. */
static int send_to_group(thrum_test_network *network, const test_place *from, const thrum_datagram *datagram)
{
    for (test_socket *to = network->sockets; to; to = to->next) {
        if (!to->groups || thrum_address_port(&to->place.address) != thrum_address_port(&datagram->address) ||
            !*find_group(to, &datagram->address) || (to->peer.size && !thrum_address_equal(&to->peer, &from->address)))
            continue;
        test_route *route = simnet_route(network, from->host, to->place.host);
        if (!route || !deliver_copies(to, from, route, datagram))
            return THRUM_ENOMEM;
    }
    return 0;
}

int simnet_send(void *link, const thrum_datagram *datagram)
{
    test_socket *socket = (test_socket *)link;
    thrum_test_network *network = socket->network;
    test_place from = socket->place;
    int port = thrum_address_port(&from.address);
    bool group = simnet_is_group(&datagram->address);
    if (!network || from.host->down)
        return -ENETDOWN;
    if (datagram->size > LARGEST)
        return -EMSGSIZE;
    test_host *host = group ? NULL : simnet_owner(network, from.host, &datagram->address);
    if (!host && !group)
        return -EHOSTUNREACH;
    if (simnet_is_any(&from.address)) {
        if (!simnet_source(from.host, &datagram->address, &from.address))
            return -ENETUNREACH;
        simnet_set_port(&from.address, port);
    }
    if (group)
        return send_to_group(network, &from, datagram);
    test_route *there = simnet_route(network, from.host, host), *back = simnet_route(network, host, from.host);
    if (!there || !back)
        return THRUM_ENOMEM;
    test_socket *to = simnet_find(network, host, &datagram->address, true);
    if (!to || (to->peer.size && !thrum_address_equal(&to->peer, &from.address))) {
        refuse(socket, there, back);
        return 0;
    }
    return deliver_copies(to, &from, there, datagram) ? 0 : THRUM_ENOMEM;
}
