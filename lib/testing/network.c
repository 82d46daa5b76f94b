/* A network in memory: its hosts, and how they reach each other. */
#include "network.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <thrum/async.h>
#include <thrum/contextvars.h>
#include <thrum/tasks.h>

#include "random.h"

enum { IN_ALL = 1000, GIVE_UP_SECONDS = 900, LINE = 300, FIRST_PORT = 49152, NUMBERED = 250 };

/* ---- hosts ---- */

test_host *simnet_host(const thrum_test_network *network, const char *name)
{
    test_host *host = network->hosts;
    while (host && (!name || strcmp(host->name, name) != 0))
        host = host->next;
    return host;
}

static bool has(const test_host *host, const thrum_address *address)
{
    for (int i = 0; i < host->count; i++)
        if (simnet_same_host(&host->addresses[i], address))
            return true;
    return false;
}

test_host *simnet_owner(thrum_test_network *network, test_host *from, const thrum_address *address)
{
    if (simnet_is_any(address) || simnet_is_loopback(address))
        return from;
    test_host *host = network->hosts;
    while (host && !has(host, address))
        host = host->next;
    return host;
}

bool simnet_source(test_host *host, const thrum_address *to, thrum_address *source)
{
    if (simnet_is_loopback(to) || simnet_is_any(to)) {
        *source = *to;
        return true;
    }
    for (int i = 0; i < host->count; i++) {
        *source = host->addresses[i];
        if (thrum_address_family(source) == thrum_address_family(to))
            return true;
    }
    return false;
}

static test_host *add_host(thrum_test_network *network, const char *name)
{
    test_host **last = &network->hosts, *host = (test_host *)calloc(1, sizeof *host);
    if (!host)
        return NULL;
    (void)snprintf(host->name, sizeof host->name, "%s", name);
    host->port = FIRST_PORT;
    while (*last)
        last = &(*last)->next;
    *last = host;
    return host;
}

int thrum_test_network_add_host(thrum_test_network *network, const char *name, const char *address)
{
    char numbered[32];
    thrum_address made;
    if (!network || !name || !*name || strlen(name) >= HOST_NAME || (!address && network->numbered >= NUMBERED))
        return THRUM_EINVAL;
    (void)snprintf(numbered, sizeof numbered, "10.0.0.%d", network->numbered + 1);
    test_host *host = simnet_host(network, name);
    if (thrum_address_from_ip(&made, address ? address : numbered, 0) || simnet_is_any(&made) ||
        simnet_is_loopback(&made) || simnet_owner(network, NULL, &made) || (host && host->count == HOST_ADDRESSES))
        return THRUM_EINVAL;
    if (!host && !(host = add_host(network, name)))
        return THRUM_ENOMEM;
    host->addresses[host->count++] = made;
    network->numbered += !address;
    return 0;
}

/* ---- names ---- */

static int look_up(void *own, const char *host, thrum_address *found, int room)
{
    thrum_test_network *network = (thrum_test_network *)own;
    const test_host *known = simnet_host(network, host);
    int count = 0;
    if (!strcmp(host, "localhost") && room >= 2) {
        (void)thrum_address_from_ip(&found[0], "127.0.0.1", 0);
        (void)thrum_address_from_ip(&found[1], "::1", 0);
        return 2;
    }
    for (; known && count < known->count && count < room; count++)
        found[count] = known->addresses[count];
    return count;
}

/* ---- which one runs ---- */

#if THRUM_CONTEXTS
static thrum_context_var current = THRUM_CONTEXT_VAR("thrum_test_host", 0);

/* The variable may come from a network that is gone. */
test_host *simnet_here(thrum_test_network *network)
{
    const test_host *wanted = (const test_host *)(intptr_t)thrum_context_get(&current);
    test_host *host = network->hosts;
    while (host && host != wanted)
        host = host->next;
    return host ? host : network->hosts;
}

static ASYNC(as_host, ARGS((thrum_test_network *, network), (const char *, name), (thrum_awaitable, what)),
             LOCALS(thrum_context_token token; bool set; thrum_value value;), ON_DROP(thrum_drop(self->what);))
{
    test_host *host;
    int error;
    ASYNC_BEGIN;
    host = simnet_host(self->network, self->name);
    error = host ? thrum_context_set(&current, (thrum_value)(intptr_t)host, &self->token) : THRUM_EINVAL;
    self->set = !error;
    if (error) {
        thrum_drop(self->what);
        ASYNC_RAISE(error);
    }
    AWAIT_INTO(self->value, self->what);
    ASYNC_RETURN(self->value);
FINALLY:
    if (self->set)
        (void)thrum_context_reset(&self->token);
    ASYNC_END;
}

thrum_awaitable thrum_test_network_as(thrum_test_network *network, const char *host, thrum_awaitable what)
{
    return as_host(network, host, what);
}
#else
test_host *simnet_here(thrum_test_network *network)
{
    return network->hosts;
}

thrum_awaitable thrum_test_network_as(thrum_test_network *network, const char *host, thrum_awaitable what)
{
    (void)network, (void)host;
    thrum_drop(what);
    return thrum_awaitable_failing(THRUM_EUNSUPPORTED);
}
#endif

/* ---- ways between them ---- */

test_route *simnet_route(thrum_test_network *network, test_host *from, test_host *to)
{
    test_route *route = network->routes;
    while (route && (route->from != from || route->to != to))
        route = route->next;
    if (route)
        return route;
    route = (test_route *)calloc(1, sizeof *route);
    if (!route)
        return NULL;
    route->network = network;
    route->from = from;
    route->to = to;
    route->path = network->path;
    route->seed = random_next(&network->seed);
    thrum_handle_init(&route->heal, simnet_healed, route);
    route->next = network->routes;
    return network->routes = route;
}

bool simnet_passes(const test_route *route)
{
    return !route->cut && !route->from->down && !route->to->down;
}

thrum_time simnet_delay(test_route *route)
{
    const thrum_test_path *path = &route->path;
    if (path->lost && random_below(&route->seed, IN_ALL) < path->lost)
        return -1;
    return time_after(path->latency,
                      path->jitter ? (thrum_time)random_below(&route->seed, (uint64_t)path->jitter + 1) : 0);
}

static void take_path(thrum_test_path *to, const thrum_test_path *from)
{
    memset(to, 0, sizeof *to);
    if (from)
        memcpy(to, from, from->size);
    to->size = sizeof *to;
}

int thrum_test_network_path(thrum_test_network *network, const char *from, const char *to, const thrum_test_path *path)
{
    if (!network || !path || path->size == 0 || path->size > sizeof *path || (from && !simnet_host(network, from)) ||
        (to && !simnet_host(network, to)))
        return THRUM_EINVAL;
    if (!from && !to)
        take_path(&network->path, path);
    for (test_host *a = network->hosts; a; a = a->next)
        for (test_host *b = network->hosts; b; b = b->next) {
            if ((from && strcmp(from, a->name) != 0) || (to && strcmp(to, b->name) != 0))
                continue;
            test_route *route = simnet_route(network, a, b);
            if (!route)
                return THRUM_ENOMEM;
            take_path(&route->path, path);
        }
    for (test_connection *connection = network->connections; connection; connection = connection->next)
        simnet_set_ways(connection);
    return 0;
}

/* ---- what is told ---- */

static size_t name_place(const test_place *place, char *text, size_t room)
{
    char address[THRUM_ADDRESS_TEXT];
    int size;
    thrum_address_text(&place->address, address, sizeof address);
    if (!place->address.size)
        size = snprintf(text, room, "%s", place->host->name);
    else if (thrum_address_family(&place->address) == AF_UNIX)
        size = snprintf(text, room, "%s:%s", place->host->name, address);
    else
        size = snprintf(text, room, "%s:%d", place->host->name, thrum_address_port(&place->address));
    return size < 0 ? 0 : (size_t)size < room ? (size_t)size : room - 1;
}

void simnet_tell(const thrum_test_network *network, const test_place *from, const test_place *to, const char *format,
                 ...)
{
    char line[LINE];
    va_list arguments;
    if (!network || !network->trace)
        return;
    thrum_time now = thrum_now(), second = THRUM_SECONDS(1);
    size_t used = (size_t)snprintf(line, sizeof line, "%lld.%06lld ", (long long)(now / second),
                                   (long long)(now % second / THRUM_MICROSECONDS(1)));
    used += name_place(from, line + used, sizeof line - used);
    if (to) {
        used += (size_t)snprintf(line + used, sizeof line - used, " > ");
        used += name_place(to, line + used, sizeof line - used);
    }
    used += (size_t)snprintf(line + used, sizeof line - used, ": ");
    va_start(arguments, format);
    (void)vsnprintf(line + used, sizeof line - used, format, arguments);
    va_end(arguments);
    network->trace(network->context, line);
}

/* ---- the network itself ---- */

static int network_listen(void *own, thrum_address *at, int backlog, thrum_network_port *port, void **link)
{
    test_socket *made;
    int error = simnet_bind((thrum_test_network *)own, at, false, port, &made);
    if (!error) {
        made->backlog = backlog;
        *link = made;
    }
    return error;
}

static int network_open(void *own, thrum_address *at, const thrum_address *to, thrum_network_port *port, void **link)
{
    test_socket *made;
    int error = simnet_bind((thrum_test_network *)own, at, true, port, &made);
    if (!error) {
        made->peer = *to;
        *link = made;
    }
    return error;
}

static const thrum_network memory_network = {.size = sizeof memory_network,
                                             .look_up = look_up,
                                             .connect = simnet_connect,
                                             .listen = network_listen,
                                             .accept = simnet_accept,
                                             .open = network_open,
                                             .send = simnet_send,
                                             .receive = simnet_receive,
                                             .watch = simnet_watch,
                                             .close = simnet_close,
                                             .join = simnet_join};

static int check(const thrum_test_network_options *given, thrum_test_network_options *options)
{
    memset(options, 0, sizeof *options);
    if (given) {
        if (given->size == 0 || given->size > sizeof *options)
            return THRUM_EINVAL;
        memcpy(options, given, given->size);
    }
    return options->path && (options->path->size == 0 || options->path->size > sizeof *options->path) ? THRUM_EINVAL
                                                                                                      : 0;
}

int thrum_test_network_open(thrum_test_network **network, const thrum_test_network_options *options)
{
    thrum_test_network_options all;
    thrum_loop *loop = thrum_loop_current();
    int error = network ? check(options, &all) : THRUM_EINVAL;
    if (error)
        return error;
    *network = NULL;
    if (!loop || thrum_loop_get_network(loop, NULL))
        return THRUM_ESTATE;
    thrum_test_network *made = (thrum_test_network *)calloc(1, sizeof *made);
    if (!made)
        return THRUM_ENOMEM;
    take_path(&made->path, all.path);
    made->loop = loop;
    made->seed = all.seed ? all.seed : thrum_test_seed();
    made->give_up = all.give_up ? all.give_up : THRUM_SECONDS(GIVE_UP_SECONDS);
    made->trace = all.trace;
    made->context = all.context;
    error = thrum_test_network_add_host(made, "home", NULL);
    if (error) {
        free(made);
        return error;
    }
    (void)thrum_loop_set_network(loop, &memory_network, made);
    *network = made;
    return 0;
}

void thrum_test_network_close(thrum_test_network *network)
{
    void *own;
    if (!network)
        return;
    if (network->loop == thrum_loop_current() && thrum_loop_get_network(network->loop, &own) && own == network)
        (void)thrum_loop_set_network(network->loop, NULL, NULL);
    network->trace = NULL;
    simnet_let_go(network);
    while (network->routes) {
        test_route *route = network->routes;
        network->routes = route->next;
        (void)thrum_handle_cancel(&route->heal);
        free(route);
    }
    while (network->hosts) {
        test_host *host = network->hosts;
        network->hosts = host->next;
        free(host);
    }
    free(network);
}
