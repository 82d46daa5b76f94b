/* A network under a loop, in place of the system's sockets. */
#include "net/network.h"

#include <thrum/async.h>

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "net/addresses.h"
#include "net/server.h"

/* ---- which one ---- */

const thrum_network *network_here(void **own)
{
    const thrum_loop *loop = loop_here();
    if (own)
        *own = loop ? loop->network_own : NULL;
    return loop ? loop->network : NULL;
}

int thrum_loop_set_network(thrum_loop *loop, const thrum_network *network, void *own)
{
    if (!loop || loop != loop_here())
        return THRUM_ESTATE;
    if (network && (network->size != sizeof *network || !network->look_up || !network->connect || !network->listen ||
                    !network->accept || !network->open || !network->send || !network->receive || !network->watch ||
                    !network->close))
        return THRUM_EINVAL;
    loop->network = network;
    loop->network_own = network ? own : NULL;
    return 0;
}

const thrum_network *thrum_loop_get_network(const thrum_loop *loop, void **own)
{
    if (own)
        *own = loop->network_own;
    return loop->network;
}

static void put(thrum_address *to, const net_address *from)
{
    (void)thrum_address_from_raw(to, &from->as, from->size);
}

static int fail(int error, const char *operation, const net_address *address)
{
    char text[THRUM_ADDRESS_TEXT];
    address_text(&address->as.any, address->size, text, sizeof text);
    return thrum_error_set(error, error > THRUM_ECANCELED ? -error : 0, operation, address_port(&address->as.any),
                           text);
}

/* ---- names ---- */

enum { FOUND = 16 };

int network_look_up(const name_query *query)
{
    thrum_address found[FOUND];
    void *own;
    int count = network_here(&own)->look_up(own, query->host, found, FOUND), error = 0;
    bool any = false;
    if (count < 0)
        return thrum_error_set(count, count > THRUM_ECANCELED ? -count : 0, "getaddrinfo", 0, query->host);
    for (int i = 0; i < count && !error; i++) {
        net_address address;
        if (query->family && thrum_address_family(&found[i]) != query->family)
            continue;
        any = true;
        address_get(&address, &found[i]);
        error = names_put(query, &address, port_numeric(query->port));
    }
    if (any && !error && query->canonical && !query->canonical(query->to, query->host))
        error = THRUM_ENOMEM;
    return any ? error : names_error(EAI_NONAME, 0, "getaddrinfo");
}

/* ---- connections ---- */

static ASYNC(connect_there,
             ARGS((const net_address *, address), (const net_addresses *, locals),
                  (const thrum_stream_options *, options)),
             LOCALS(thrum_address to, local; thrum_stream * stream; size_t i;))
{
    const thrum_network *network;
    void *own;
    ASYNC_BEGIN;
    put(&self->to, self->address);
    for (self->i = 0; self->i < self->locals->count && !self->local.size; self->i++)
        if (self->locals->list[self->i].as.any.sa_family == self->address->as.any.sa_family)
            put(&self->local, &self->locals->list[self->i]);
    if (self->locals->count && !self->local.size)
        ASYNC_RAISE(-EADDRNOTAVAIL); /* none of its family */
    network = network_here(&own);
    if (!network)
        ASYNC_RAISE(THRUM_ESTATE);
    AWAIT_INTO(self->stream, network->connect(own, &self->local, &self->to, self->options));
    if (!stream_keep_peer(self->stream, &self->address->as.any)) { /* known beyond its end, as with sockets */
        stream_free(self->stream);
        ASYNC_RAISE(THRUM_ENOMEM);
    }
    ASYNC_RETURN(self->stream);
    ASYNC_END;
}

thrum_awaitable network_connect(const net_address *to, const net_addresses *local, const thrum_stream_options *options)
{
    return connect_there(to, local, options);
}

/* ---- what listens and receives ---- */

/* One of its watchers was started or stopped. */
static void watch(loop_source *source)
{
    thrum_network_port *port = (thrum_network_port *)(void *)((char *)source - offsetof(thrum_network_port, source));
    port->network->watch(port->link, (port->in && port->in->started ? (unsigned)THRUM_CARRIER_READ : 0) |
                                         (port->out && port->out->started ? (unsigned)THRUM_CARRIER_WRITE : 0));
}

void thrum_network_ready(thrum_network_port *port, unsigned events)
{
    if (events & THRUM_CARRIER_READ && port->in && port->in->started)
        port->in->ready(port->in);
    if (events & THRUM_CARRIER_WRITE && port->out && port->out->started)
        port->out->ready(port->out);
}

static void made(thrum_network_port *port, const thrum_network *network, const thrum_address *at, net_address *address)
{
    address_get(address, at);
    port->address = *address;
    port->source.changed = watch;
    port->network = network;
}

int network_listen(thrum_network_port *port, net_address *address, int backlog)
{
    thrum_address at;
    void *own;
    const thrum_network *network = network_here(&own);
    put(&at, address);
    int error = network->listen(own, &at, backlog, port, &port->link);
    if (error)
        return fail(error, "bind", address);
    made(port, network, &at, address);
    return 0;
}

int network_open(thrum_network_port *port, const net_address *local, const net_address *remote)
{
    thrum_address at, to = {0};
    net_address bound;
    void *own;
    const thrum_network *network = network_here(&own);
    put(&at, local);
    if (remote)
        put(&to, remote);
    int error = network->open(own, &at, &to, port, &port->link);
    if (!error)
        made(port, network, &at, &bound);
    return error;
}

int network_accept(thrum_network_port *port, const thrum_stream_options *options, server_arrival *arrival)
{
    thrum_address peer = {0};
    arrival->error = port->network->accept(port->link, &arrival->stream, &peer, options);
    if (arrival->error == THRUM_CARRIER_LATER)
        return -EAGAIN;
    address_get(&arrival->peer, &peer);
    if (!arrival->error && !stream_keep_peer(arrival->stream, &arrival->peer.as.any)) {
        stream_free(arrival->stream);
        arrival->stream = NULL;
        arrival->error = THRUM_ENOMEM;
    }
    return 0;
}

void network_close(thrum_network_port *port, bool late)
{
    port->network->close(port->link, late);
    port->network = NULL;
}
