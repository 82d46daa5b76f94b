/* From options to an endpoint. */
#include <thrum/async.h>

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "core/state.h"
#include "net/datagram.h"
#include "net/names.h"
#include "net/resolve.h"

/* ---- options ---- */

static bool has_local(const thrum_datagram_options *options)
{
    return options->local_host || options->local_port;
}

static bool has_remote(const thrum_datagram_options *options)
{
    return options->remote_host || options->remote_port;
}

static bool has_path(const thrum_datagram_options *options)
{
    return options->local_path || options->remote_path;
}

/* A socket says everything itself; paths and hosts do not go together; something has to say which family. */
static int check(const thrum_datagram_options *given, thrum_datagram_options *options, bool told)
{
    memset(options, 0, sizeof *options);
    if (!given || given->size < sizeof given->size || given->size > sizeof *options)
        return THRUM_EINVAL;
    memcpy(options, given, given->size);
    bool hosts = has_local(options) || has_remote(options), paths = has_path(options);
    bool rest = options->family || options->protocol || options->reuse_port || options->allow_broadcast;
    if (told && options->queue)
        return THRUM_EINVAL;
    if (options->socket)
        return hosts || paths || rest ? THRUM_EINVAL : 0;
    if (paths)
        return hosts || (options->family && options->family != AF_UNIX) ? THRUM_EINVAL : 0;
    if (options->family == AF_UNIX)
        return hosts ? THRUM_EINVAL : 0;
    return hosts || options->family ? 0 : THRUM_EINVAL;
}

/* ---- a socket ---- */

static int fail(int error, const char *operation, const net_address *address)
{
    char text[THRUM_ADDRESS_TEXT] = "";
    if (address)
        address_text(&address->as.any, address->size, text, sizeof text);
    return thrum_error_set(error, error > THRUM_ECANCELED ? -error : 0, operation, 0, text);
}

static int set_options(int descriptor, const thrum_datagram_options *options, int family)
{
    const int on = 1;
    if (options->reuse_port && family != AF_UNIX && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on))
        return -errno;
    if (options->allow_broadcast && setsockopt(descriptor, SOL_SOCKET, SO_BROADCAST, &on, sizeof on))
        return -errno;
    int error = options->errors ? system_keep_failures(descriptor, family) : 0;
    return error == -ENOSYS ? THRUM_EUNSUPPORTED : error;
}

/* An endpoint on the loop's network. It says nothing of datagrams to others than who is connected. */
static int open_there(thrum_datagrams **made, const thrum_datagram_options *options, int family,
                      const net_address *local, const net_address *remote)
{
    net_address any;
    if (options->errors)
        return THRUM_EUNSUPPORTED;
    memset(&any, 0, sizeof any);
    any.as.any.sa_family = (sa_family_t)family;
    any.size = family == AF_INET6 ? sizeof any.as.in6 : family == AF_INET ? sizeof any.as.in : 0;
    int error = datagram_new(made, -1, options, local ? local : &any, options->allow_broadcast ? NULL : remote);
    if (error)
        return fail(error, "bind", local ? local : remote);
    if (remote)
        (void)thrum_address_from_raw(&(*made)->remote, &remote->as, remote->size);
    return 0;
}

/* An endpoint of a new socket; `local` and `remote` may be NULL. */
static int open_pair(thrum_datagrams **made, const thrum_datagram_options *options, int family,
                     const net_address *local, const net_address *remote)
{
    if (network_here(NULL))
        return open_there(made, options, family, local, remote);
    int descriptor = system_socket(family, SOCK_DGRAM);
    if (descriptor < 0)
        return fail(-errno, "socket", local ? local : remote);
    int error = set_options(descriptor, options, family);
    if (error)
        error = fail(error, "setsockopt", NULL);
    if (!error && local && family == AF_UNIX)
        listen_remove_stale(local, SOCK_DGRAM);
    if (!error && local && bind(descriptor, &local->as.any, local->size))
        error = fail(-errno, "bind", local);
    if (!error && remote && !options->allow_broadcast && connect(descriptor, &remote->as.any, remote->size))
        error = fail(-errno, "connect", remote);
    if (!error)
        error = datagram_new(made, descriptor, options, NULL, NULL);
    if (error) {
        (void)close(descriptor);
        return error;
    }
    if (remote)
        (void)thrum_address_from_raw(&(*made)->remote, &remote->as, remote->size);
    return 0;
}

static int adopt(thrum_datagrams **made, const thrum_datagram_options *options)
{
    net_address own = {.size = sizeof own.as};
    int kind = 0, descriptor = *options->socket;
    socklen_t size = sizeof kind;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &size) || getsockname(descriptor, &own.as.any, &own.size))
        return -errno;
    if (kind != SOCK_DGRAM)
        return THRUM_EINVAL;
    int error = system_prepare(descriptor);
    if (!error)
        error = set_options(descriptor, options, own.as.any.sa_family);
    return error ? error : datagram_new(made, descriptor, options, NULL, NULL);
}

/* ---- the pairs ---- */

/* The pair's endpoint, or the error of the first one that cannot be made. An address goes with the first of the other
 * side that has its family. */
static int open_any(thrum_datagrams **made, const thrum_datagram_options *options, const net_addresses *local,
                    const net_addresses *remote)
{
    const net_addresses *leading = local->count ? local : remote, *other = local->count ? remote : local;
    int first = 0;
    for (size_t i = 0; i < leading->count; i++) {
        const net_address *one = &leading->list[i], *match = NULL;
        for (size_t k = 0; k < other->count && !match; k++)
            if (other->list[k].as.any.sa_family == one->as.any.sa_family)
                match = &other->list[k];
        if (other->count && !match)
            continue;
        int error =
            open_pair(made, options, one->as.any.sa_family, local->count ? one : match, local->count ? match : one);
        if (!error)
            return 0;
        if (!first)
            first = error;
    }
    return first ? first : THRUM_EINVAL; /* no family that both have */
}

static int open_paths(thrum_datagrams **made, const thrum_datagram_options *options)
{
    net_address local, remote;
    if ((options->local_path && !address_unix(&local, options->local_path)) ||
        (options->remote_path && !address_unix(&remote, options->remote_path)))
        return THRUM_EINVAL;
    return open_pair(made, options, AF_UNIX, options->local_path ? &local : NULL,
                     options->remote_path ? &remote : NULL);
}

static bool put(void *to, const net_address *address, int type, int protocol)
{
    (void)type, (void)protocol;
    return addresses_add((net_addresses *)to, address);
}

static thrum_awaitable resolve(net_addresses *to, const char *host, const char *port,
                               const thrum_datagram_options *options, bool passive)
{
    const name_query query = {
        .host = host && *host ? host : NULL,
        .port = port ? port : "0",
        .family = options->family,
        .type = SOCK_DGRAM,
        .protocol = options->protocol,
        .flags = passive ? AI_PASSIVE : 0,
        .put = put,
        .to = to,
    };
    return names_look_up(&query);
}

/* ---- its protocol ---- */

static thrum_step made_start(thrum_task *task, thrum_record *record)
{
    ((thrum_datagrams *)record->object)->maker = task;
    return thrum_parked(task);
}

/* Woken, it is the maker's no more. */
static thrum_step made_resume(thrum_task *task)
{
    ((thrum_datagrams *)task->object)->maker = NULL;
    return thrum_done(task, 0, 0);
}

static thrum_cancel_result made_cancel(thrum_task *task)
{
    ((thrum_datagrams *)task->object)->maker = NULL;
    return THRUM_DETACHED;
}

static const thrum_operations made_operations = {made_start, made_resume, made_cancel, NULL, "connection_made", NULL};

static int ask_factory(thrum_datagrams *endpoint, thrum_datagram_factory *factory, void *context)
{
    const thrum_datagram_protocol *protocol = NULL;
    void *own = NULL;
    int error = factory(context, &protocol, &own);
    if (!error && (!protocol || protocol->size != sizeof *protocol))
        error = THRUM_EINVAL;
    if (!error && !datagram_scratch_hold())
        error = THRUM_ENOMEM;
    if (!error)
        datagram_tell(endpoint, protocol, own);
    return error;
}

/* ---- the call ---- */

static ASYNC(create_endpoint,
             ARGS((thrum_datagram_factory *, factory), (void *, context), (thrum_datagram_options, options)),
             LOCALS(net_addresses local, remote; thrum_datagrams * endpoint; int error;))
{
    thrum_datagrams *made;
    ASYNC_BEGIN;
    if (has_local(&self->options))
        AWAIT(resolve(&self->local, self->options.local_host, self->options.local_port, &self->options, true));
    if (has_remote(&self->options))
        AWAIT(resolve(&self->remote, self->options.remote_host, self->options.remote_port, &self->options, false));
    if (self->options.socket)
        self->error = adopt(&self->endpoint, &self->options);
    else if (has_path(&self->options))
        self->error = open_paths(&self->endpoint, &self->options);
    else if (!self->local.count && !self->remote.count)
        self->error = open_pair(&self->endpoint, &self->options, self->options.family, NULL, NULL);
    else
        self->error = open_any(&self->endpoint, &self->options, &self->local, &self->remote);
    if (self->error)
        ASYNC_RAISE(self->error);
    if (self->factory) {
        self->error = ask_factory(self->endpoint, self->factory, self->context);
        if (self->error)
            ASYNC_RAISE(self->error);
        AWAIT(thrum_awaitable_make(&made_operations, self->endpoint, 0, 0));
    }
    made = self->endpoint;
    self->endpoint = NULL;
    ASYNC_RETURN(made);
FINALLY:
    addresses_free(&self->local);
    addresses_free(&self->remote);
    thrum_datagrams_abort(self->endpoint);
    thrum_datagrams_release(self->endpoint);
    ASYNC_END;
}

thrum_awaitable thrum_create_datagram_endpoint(thrum_datagram_factory *factory, void *context,
                                               const thrum_datagram_options *options)
{
    thrum_datagram_options checked;
    int error = check(options, &checked, factory != NULL);
    return error ? thrum_awaitable_failing(error) : create_endpoint(factory, context, checked);
}
