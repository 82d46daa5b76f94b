#include "net/resolve.h"

#include <string.h>

#include "core/state.h"

bool addresses_add(net_addresses *addresses, const net_address *address)
{
    if (addresses->count == addresses->room) {
        size_t room = addresses->room ? addresses->room * 2 : 4;
        net_address *list = (net_address *)pool_take(&thrum_state_here()->pool, room * sizeof *list, POOL_OTHER);
        if (!list)
            return false;
        size_t count = addresses->count;
        if (count)
            memcpy(list, addresses->list, count * sizeof *list);
        addresses_free(addresses);
        addresses->list = list;
        addresses->room = room;
        addresses->count = count;
    }
    addresses->list[addresses->count++] = *address;
    return true;
}

void addresses_free(net_addresses *addresses)
{
    if (addresses->list)
        pool_give(&thrum_state_here()->pool, addresses->list, addresses->room * sizeof *addresses->list, POOL_OTHER);
    memset(addresses, 0, sizeof *addresses);
}

/* Add a numeric address; 0, or THRUM_ENOMEM. One of the wrong family is passed over. */
static int add_numeric(net_addresses *addresses, const char *host, int port, int family)
{
    net_address address;
    if (!address_numeric(&address, host, port) || (family && address.as.any.sa_family != family))
        return 0;
    return addresses_add(addresses, &address) ? 0 : THRUM_ENOMEM;
}

/* What needs no resolver: 0 or an error; 1: it is a name. */
static int without_resolver(net_addresses *addresses, const char *host, const char *port, int family, bool passive)
{
    int number = port_numeric(port), error;
    net_address address;
    if (number < 0)
        return 1;
    if (!host || !*host) {
        error = add_numeric(addresses, passive ? "0.0.0.0" : "::1", number, family);
        return error ? error : add_numeric(addresses, passive ? "::" : "127.0.0.1", number, family);
    }
    if (!address_numeric(&address, host, number))
        return 1;
    return add_numeric(addresses, host, number, family);
}

static ASYNC(resolve,
             ARGS((net_addresses *, addresses), (const char *, host), (const char *, port), (int, family),
                  (bool, passive)),
             LOCALS(int error;))
{
    ASYNC_BEGIN;
    self->error = without_resolver(self->addresses, self->host, self->port, self->family, self->passive);
    if (self->error == 1)
        ASYNC_RAISE(thrum_error_set(THRUM_ERESOLVE, 0, "getaddrinfo", 0, self->host));
    if (self->error)
        ASYNC_RAISE(self->error);
    if (!self->addresses->count)
        ASYNC_RAISE(thrum_error_set(THRUM_ERESOLVE, 0, "getaddrinfo", 0, self->host));
    ASYNC_END;
}

thrum_awaitable net_resolve(net_addresses *addresses, const char *host, const char *port, int family, bool passive)
{
    return resolve(addresses, host, port, family, passive);
}
