/* What goes wrong in a network in memory. */
#include <errno.h>

#include "network.h"

/* Connections feel what passes now. */
static void apply(thrum_test_network *network)
{
    for (test_connection *connection = network->connections; connection; connection = connection->next)
        for (int i = 0; i < 2; i++) {
            test_end *end = &connection->pair.ends[i];
            if (simnet_passes(connection->routes[i]))
                pair_unblock(end);
            else
                pair_block(end);
        }
    for (test_socket *socket = network->sockets; socket; socket = socket->next)
        simnet_lose(socket);
}

/* ---- cutting and healing ---- */

static void heal(test_route *route)
{
    (void)thrum_handle_cancel(&route->heal);
    route->cut = false;
}

void simnet_healed(thrum_handle *handle)
{
    test_route *route = (test_route *)handle->context;
    heal(route);
    apply(route->network);
}

static bool between(const test_route *route, const test_host *a, const test_host *b)
{
    if (!b)
        return !a || ((route->from == a) != (route->to == a));
    return (route->from == a && route->to == b) || (route->from == b && route->to == a);
}

/* Routes that are to be cut have to be there. */
static int make_routes(thrum_test_network *network, test_host *a, test_host *b)
{
    for (test_host *host = network->hosts; host; host = host->next)
        if ((!b || host == b) && (!simnet_route(network, a, host) || !simnet_route(network, host, a)))
            return THRUM_ENOMEM;
    return 0;
}

int thrum_test_network_cut(thrum_test_network *network, const char *a, const char *b, thrum_time time)
{
    test_host *one = network ? simnet_host(network, a) : NULL, *other = one ? simnet_host(network, b) : NULL;
    if (!one || (b && !other) || time < 0)
        return THRUM_EINVAL;
    if (make_routes(network, one, other))
        return THRUM_ENOMEM;
    for (test_route *route = network->routes; route; route = route->next) {
        if (!between(route, one, other))
            continue;
        (void)thrum_handle_cancel(&route->heal);
        route->cut = true;
        if (time)
            (void)thrum_call_later(time, &route->heal);
    }
    apply(network);
    return 0;
}

int thrum_test_network_heal(thrum_test_network *network, const char *a, const char *b)
{
    const test_host *one = network ? simnet_host(network, a) : NULL, *other = one ? simnet_host(network, b) : NULL;
    if (!network || (a && !one) || (b && !other))
        return THRUM_EINVAL;
    for (test_route *route = network->routes; route; route = route->next)
        if (between(route, one, other))
            heal(route);
    apply(network);
    return 0;
}

/* ---- resets, and hosts ---- */

int thrum_test_network_reset(thrum_test_network *network, const char *a, const char *b)
{
    const test_host *one = network ? simnet_host(network, a) : NULL, *other = network ? simnet_host(network, b) : NULL;
    int count = 0;
    if (!network || (a && !one) || (b && !other))
        return THRUM_EINVAL;
    for (test_connection *connection = network->connections; connection; connection = connection->next) {
        const test_host *from = connection->places[0].host, *to = connection->places[1].host;
        bool meant = (!one || from == one) && (!other || to == other);
        if (!meant && !((!one || to == one) && (!other || from == other)))
            continue;
        simnet_break(connection, -ECONNRESET);
        count++;
    }
    return count;
}

int thrum_test_network_power(thrum_test_network *network, const char *name, bool up)
{
    test_host *host = network ? simnet_host(network, name) : NULL;
    if (!host)
        return THRUM_EINVAL;
    if (host->down != up)
        return 0;
    host->down = !up;
    for (test_connection *connection = network->connections; connection && !up; connection = connection->next)
        for (int i = 0; i < 2; i++)
            if (connection->places[i].host == host)
                pair_break(&connection->pair.ends[i], thrum_now(), -ENETDOWN);
    apply(network);
    return 0;
}
