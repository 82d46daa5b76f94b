#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "core/state.h"
#include "threads/job.h"

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

/* ---- in a thread ---- */

typedef struct lookup {
    thrum_job job;
    thrum_task *task;
    net_addresses *addresses;
    int family, error, system;
    bool passive;
    struct addrinfo *found;
    const char *port; /* behind the host; NULL: none */
    char host[];
} lookup;

static lookup *lookup_of(thrum_job *job)
{
    return (lookup *)(void *)((char *)job - offsetof(lookup, job));
}

static void lookup_free(lookup *self)
{
    if (self->found)
        freeaddrinfo(self->found);
    free(self);
}

static void lookup_work(thrum_job *job)
{
    lookup *self = lookup_of(job);
    struct addrinfo hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = self->family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = self->passive ? AI_PASSIVE : 0;
    self->error = getaddrinfo(self->host[0] ? self->host : NULL, self->port, &hints, &self->found);
    self->system = self->error == EAI_SYSTEM ? errno : 0;
}

static void lookup_done(thrum_job *job)
{
    lookup *self = lookup_of(job);
    thrum_wake(&self->task->waiter, 0, 0);
}

static void lookup_discard(thrum_job *job)
{
    lookup_free(lookup_of(job));
}

static lookup *lookup_new(const char *host, const char *port)
{
    size_t host_size = strlen(host ? host : "") + 1, port_size = port ? strlen(port) + 1 : 0;
    lookup *self = (lookup *)calloc(1, sizeof *self + host_size + port_size);
    if (!self)
        return NULL;
    memcpy(self->host, host ? host : "", host_size);
    if (port) {
        memcpy(self->host + host_size, port, port_size);
        self->port = self->host + host_size;
    }
    self->job.work = lookup_work;
    self->job.done = lookup_done;
    self->job.discard = lookup_discard;
    return self;
}

/* ---- the wait for it ---- */

static thrum_step lookup_start(thrum_task *task, thrum_record *record)
{
    lookup *self = (lookup *)record->object;
    self->task = task;
    int error = thrum_job_start(&self->job);
    if (!error)
        return thrum_parked(task);
    lookup_free(self);
    return thrum_done(task, error, 0);
}

static thrum_step lookup_resume(thrum_task *task)
{
    lookup *self = (lookup *)task->object;
    int error = 0;
    if (self->error == EAI_MEMORY)
        error = THRUM_ENOMEM;
    else if (self->error)
        error = thrum_error_set(THRUM_ERESOLVE, self->system, "getaddrinfo", self->error, gai_strerror(self->error));
    for (const struct addrinfo *found = self->found; found && !error; found = found->ai_next) {
        net_address address;
        memset(&address, 0, sizeof address);
        if (found->ai_addrlen > sizeof address.as)
            continue;
        memcpy(&address.as, found->ai_addr, found->ai_addrlen);
        address.size = found->ai_addrlen;
        if (!addresses_add(self->addresses, &address))
            error = THRUM_ENOMEM;
    }
    lookup_free(self);
    return thrum_done(task, error, 0);
}

static thrum_cancel_result lookup_cancel(thrum_task *task)
{
    lookup *self = (lookup *)task->object;
    if (thrum_task_woken(task))
        lookup_free(self);
    else
        thrum_job_abandon(&self->job);
    return THRUM_DETACHED;
}

static void lookup_drop(thrum_record *record)
{
    lookup_free((lookup *)record->object);
}

static const thrum_operations lookup_operations = {lookup_start, lookup_resume, lookup_cancel, lookup_drop,
                                                   "getaddrinfo"};

/* ---- either way ---- */

static thrum_step numeric_start(thrum_task *task, thrum_record *record)
{
    (void)record;
    return thrum_done(task, 0, 0);
}

static const thrum_operations numeric_operations = {numeric_start, NULL, NULL, NULL, "numeric address"};

thrum_awaitable net_resolve(net_addresses *addresses, const char *host, const char *port, int family, bool passive)
{
    size_t before = addresses->count;
    int error = without_resolver(addresses, host, port, family, passive);
    if (!error && addresses->count == before)
        error = THRUM_EINVAL; /* a numeric address of the other family */
    if (error < 0)
        return thrum_awaitable_failing(error);
    if (!error)
        return thrum_awaitable_make(&numeric_operations, addresses, 0, 0);
    lookup *self = lookup_new(host, port);
    if (!self)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    self->addresses = addresses;
    self->family = family;
    self->passive = passive;
    return thrum_awaitable_make(&lookup_operations, self, 0, 0);
}
