/* Names by c-ares. What it gives for a host is put in the form that the C library has, and its errors in its words. */
#include "net/names_channel.h"

#ifdef THRUM_CARES

#include <netdb.h>
#include <string.h>

#include "core/state.h"

/* Only some systems have it. */
#ifndef EAI_NODATA
#define EAI_NODATA EAI_NONAME
#endif

static name_channel *look_up_new(const name_query *query)
{
    size_t host_size = query && query->host ? strlen(query->host) + 1 : 0;
    size_t port_size = query && query->port ? strlen(query->port) + 1 : 0;
    size_t size = sizeof(name_channel) + host_size + port_size;
    name_channel *self = (name_channel *)pool_take(&thrum_state_here()->pool, size, POOL_OTHER);
    if (!self)
        return NULL;
    memset(self, 0, size);
    self->size = size;
    channel_init(self);
    if (query)
        self->query = *query;
    if (host_size)
        self->query.host = (const char *)memcpy(self->text, query->host, host_size);
    if (port_size)
        self->query.port = (const char *)memcpy(self->text + host_size, query->port, port_size);
    return self;
}

/* In the words of getaddrinfo(3). */
static int code_of(int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
        return EAI_NONAME;
    case ARES_ENODATA:
        return EAI_NODATA;
    case ARES_ESERVFAIL:
    case ARES_EREFUSED:
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED:
        return EAI_AGAIN;
    case ARES_ENOMEM:
        return EAI_MEMORY;
    case ARES_EBADFAMILY:
        return EAI_FAMILY;
    case ARES_EBADFLAGS:
    case ARES_EBADHINTS:
        return EAI_BADFLAGS;
    case ARES_ESERVICE:
        return EAI_SERVICE;
    default:
        return EAI_FAIL;
    }
}

/* ---- the wait ---- */

static thrum_step finish(name_channel *self, thrum_task *task)
{
    char text[THRUM_ERROR_TEXT];
    bool inverse = self->inverse.address.size != 0;
    int error = self->error;
    address_text(&self->inverse.address.as.any, self->inverse.address.size, text, sizeof text);
    names_slow(inverse ? "getnameinfo" : "getaddrinfo", inverse ? text : self->query.host, self->began);
    channel_free(self);
    if (error > 0)
        error = names_error(code_of(error), 0, inverse ? "getnameinfo" : "getaddrinfo");
    return thrum_done(task, error, 0);
}

/* What c-ares knows by itself it has said already. */
static thrum_step wait(name_channel *self, thrum_task *task)
{
    if (self->over)
        return finish(self, task);
    self->task = task;
    self->parked = true;
    channel_watch(self);
    return thrum_parked(task);
}

static thrum_step fail(name_channel *self, thrum_task *task, int error)
{
    channel_free(self);
    return thrum_done(task, error, 0);
}

static thrum_step resume(thrum_task *task)
{
    return finish((name_channel *)task->object, task);
}

static thrum_cancel_result cancel(thrum_task *task)
{
    channel_free((name_channel *)task->object);
    return THRUM_DETACHED;
}

static void drop(thrum_record *record)
{
    channel_free((name_channel *)record->object);
}

/* ---- addresses ---- */

/* How many of a family were found. */
static unsigned count_of(const struct ares_addrinfo *found, int family)
{
    unsigned count = 0;
    for (const struct ares_addrinfo_node *node = found->nodes; node; node = node->ai_next)
        count += node->ai_family == family;
    return count;
}

/* The port for all of them, or -1 for a service. */
static int put_found(const name_channel *self, const struct ares_addrinfo *found)
{
    const name_query *query = &self->query;
    int port = port_numeric(query->port), error = 0;
    bool mapped = query->family == AF_INET6 && query->flags & AI_V4MAPPED &&
                  (query->flags & AI_ALL || !count_of(found, AF_INET6));
    bool any = false;
    for (const struct ares_addrinfo_node *node = found->nodes; node && !error; node = node->ai_next) {
        net_address address;
        memset(&address, 0, sizeof address);
        if ((size_t)node->ai_addrlen > sizeof address.as)
            continue;
        memcpy(&address.as, node->ai_addr, (size_t)node->ai_addrlen);
        address.size = (socklen_t)node->ai_addrlen;
        if (mapped && node->ai_family == AF_INET)
            names_map(&address);
        if (query->family && address.as.any.sa_family != query->family)
            continue;
        any = true;
        error = names_put(query, &address, port);
    }
    if (!any && !error)
        return ARES_ENODATA;
    if (!error && query->canonical) {
        const struct ares_addrinfo_cname *alias = found->cnames;
        const char *name = query->host;
        for (; alias; alias = alias->next)
            name = alias->name ? alias->name : name;
        error = query->canonical(query->to, name) ? 0 : THRUM_ENOMEM;
    }
    return error;
}

/* When the channel is destroyed, too: nobody waits then. */
static void on_addresses(void *context, int status, int timeouts, struct ares_addrinfo *found)
{
    name_channel *self = (name_channel *)context;
    (void)timeouts;
    if (status != ARES_EDESTRUCTION && status != ARES_ECANCELLED) {
        self->over = true;
        self->error = status == ARES_SUCCESS ? put_found(self, found) : status;
    }
    if (found)
        ares_freeaddrinfo(found);
}

static thrum_step look_up_start(thrum_task *task, thrum_record *record)
{
    name_channel *self = (name_channel *)record->object;
    struct ares_addrinfo_hints hints;
    int error = channel_open(self);
    if (error)
        return fail(self, task, error);
    memset(&hints, 0, sizeof hints);
    hints.ai_family = self->query.flags & AI_V4MAPPED ? AF_UNSPEC : self->query.family;
    hints.ai_socktype = SOCK_STREAM; /* one of each: names_put() knows the others */
    hints.ai_flags = self->query.flags & AI_ADDRCONFIG ? ARES_AI_ADDRCONFIG : 0;
    hints.ai_flags |= self->query.flags & AI_CANONNAME ? ARES_AI_CANONNAME : 0;
    ares_getaddrinfo(self->channel, self->query.host, NULL, &hints, on_addresses, self);
    return wait(self, task);
}

static const thrum_operations look_up_operations = {look_up_start, resume, cancel, drop, "getaddrinfo", NULL};

thrum_awaitable names_cares_look_up(const name_query *query)
{
    name_channel *self = look_up_new(query);
    return self ? thrum_awaitable_make(&look_up_operations, self, 0, 0) : thrum_awaitable_failing(THRUM_ENOMEM);
}

/* ---- names ---- */

static void on_names(void *context, int status, int timeouts, char *name, char *service)
{
    name_channel *self = (name_channel *)context;
    char number[NI_MAXHOST];
    (void)timeouts;
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
        return;
    self->over = true;
    if (name && strchr(name, ':')) { /* no name: the number, as the C library writes it */
        (void)getnameinfo(&self->inverse.address.as.any, self->inverse.address.size, number, sizeof number, NULL, 0,
                          NI_NUMERICHOST);
        name = number;
    }
    self->error =
        status == ARES_SUCCESS ? names_give(&self->inverse, name ? name : "", service ? service : "") : status;
}

static int inverse_flags(const name_inverse *inverse)
{
    int flags = (inverse->host ? ARES_NI_LOOKUPHOST : 0) | (inverse->service ? ARES_NI_LOOKUPSERVICE : 0);
    flags |= inverse->flags & NI_NUMERICHOST ? ARES_NI_NUMERICHOST : 0;
    flags |= inverse->flags & NI_NUMERICSERV ? ARES_NI_NUMERICSERV : 0;
    flags |= inverse->flags & NI_NAMEREQD ? ARES_NI_NAMEREQD : 0;
    flags |= inverse->flags & NI_NOFQDN ? ARES_NI_NOFQDN : 0;
    return flags | (inverse->flags & NI_DGRAM ? ARES_NI_DGRAM : 0);
}

static thrum_step invert_start(thrum_task *task, thrum_record *record)
{
    name_channel *self = (name_channel *)record->object;
    int error = channel_open(self);
    if (error)
        return fail(self, task, error);
    ares_getnameinfo(self->channel, &self->inverse.address.as.any, (ares_socklen_t)self->inverse.address.size,
                     inverse_flags(&self->inverse), on_names, self);
    return wait(self, task);
}

static const thrum_operations invert_operations = {invert_start, resume, cancel, drop, "getnameinfo", NULL};

thrum_awaitable names_cares_invert(const name_inverse *inverse)
{
    name_channel *self = look_up_new(NULL);
    if (!self)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    self->inverse = *inverse;
    return thrum_awaitable_make(&invert_operations, self, 0, 0);
}

#endif
