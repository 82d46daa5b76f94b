#include "net/resolve.h"

#include <netdb.h>
#include <string.h>

#include "core/state.h"
#include "net/names.h"

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

static bool put(void *to, const net_address *address, int type, int protocol)
{
    (void)type, (void)protocol;
    return addresses_add((net_addresses *)to, address);
}

thrum_awaitable net_resolve(net_addresses *addresses, const char *host, const char *port, int family, bool passive)
{
    net_address numeric;
    const name_query query = {
        .host = host && *host ? host : NULL,
        .port = port ? port : "0",
        .family = family,
        .type = SOCK_STREAM,
        .flags = passive ? AI_PASSIVE : 0,
        .put = put,
        .to = addresses,
    };
    if (query.host && family && address_numeric(&numeric, host, 0) && numeric.as.any.sa_family != family)
        return thrum_awaitable_failing(THRUM_EINVAL); /* a numeric address of the other family */
    return names_look_up(&query);
}
