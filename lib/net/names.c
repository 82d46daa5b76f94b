/* Names: what is the same whoever looks them up. */
#include "net/names.h"

#include <thrum/async.h>

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "core/state.h"
#include "loop/log.h"
#include "net/addresses.h"
#include "net/network.h"

/* ---- who does it ---- */

static _Thread_local names_choice here;

static void loop_closes(thrum_loop_closer *closer)
{
    ((names_choice *)(void *)((char *)closer - offsetof(names_choice, closer)))->loop = NULL;
}

const names_choice *names_chosen(void)
{
    return here.loop && here.loop == loop_here() && here.kind != THRUM_RESOLVER_THREADS ? &here : NULL;
}

/* Built without c-ares nothing is chosen but threads. */
static int try_cares(const names_choice *choice)
{
#ifdef THRUM_CARES
    return names_cares_try(choice);
#else
    (void)choice;
    return THRUM_EUNSUPPORTED;
#endif
}

int thrum_loop_set_resolver(thrum_loop *loop, const thrum_resolver_options *options)
{
    thrum_resolver_options all = {.size = sizeof all};
    names_choice made = {.loop = loop};
    int error = 0;
    if (!loop || loop != loop_here())
        return THRUM_ESTATE;
    if (options) {
        if (options->size < sizeof options->size || options->size > sizeof all)
            return THRUM_EINVAL;
        memcpy(&all, options, options->size);
    }
    if (all.timeout < 0 || (all.servers && strlen(all.servers) >= sizeof made.servers))
        return THRUM_EINVAL;
    made.kind = all.kind;
    made.timeout = all.timeout;
    made.tries = all.tries;
    (void)snprintf(made.servers, sizeof made.servers, "%s", all.servers ? all.servers : "");
    if (all.kind == THRUM_RESOLVER_CARES)
        error = try_cares(&made);
    else if (all.kind != THRUM_RESOLVER_THREADS)
        error = THRUM_EINVAL;
    if (error)
        return error;
    if (here.loop == loop)
        thrum_loop_forget(&here.closer);
    here = made;
    here.closer.close = loop_closes;
    thrum_loop_remember(&here.closer);
    return 0;
}

/* ---- what all have to say ---- */

int names_error(int code, int system, const char *operation)
{
    if (code == EAI_MEMORY)
        return THRUM_ENOMEM;
    return thrum_error_set(THRUM_ERESOLVE, system, operation, code, gai_strerror(code));
}

void names_slow(const char *operation, const char *what, thrum_time began)
{
    thrum_loop *loop = loop_here();
    if (!loop || !loop->debug || !began)
        return;
    thrum_time took = thrum_loop_time(loop) - began;
    if (took >= loop->slow)
        thrum_log("%s of %s took %u ms", operation, what, (unsigned)(took / THRUM_MILLISECONDS(1)));
}

int names_give(const name_inverse *inverse, const char *host, const char *service)
{
    if ((inverse->host && strlen(host) >= inverse->host_room) ||
        (inverse->service && strlen(service) >= inverse->service_room))
        return names_error(EAI_OVERFLOW, 0, "getnameinfo");
    if (inverse->host)
        memcpy(inverse->host, host, strlen(host) + 1);
    if (inverse->service)
        memcpy(inverse->service, service, strlen(service) + 1);
    return 0;
}

/* ---- what is known already ---- */

static thrum_step known_start(thrum_task *task, thrum_record *record)
{
    return thrum_done(task, (int)record->a, 0);
}

static const thrum_operations known_operations = {known_start, NULL, NULL, NULL, "numeric address", NULL};

thrum_awaitable names_look_up(const name_query *query)
{
    const names_choice *choice = names_chosen();
    bool network = network_here(NULL) != NULL;
    int error = names_plain(query, choice || network);
    if (error == NAMES_ASK && network)
        error = network_look_up(query);
    if (error != NAMES_ASK)
        return thrum_awaitable_make(&known_operations, NULL, error, 0);
#ifdef THRUM_CARES
    if (choice)
        return names_cares_look_up(query);
#endif
    return names_thread_look_up(query);
}

/* ---- lists ---- */

static bool list_put(void *to, const net_address *address, int type, int protocol)
{
    thrum_address_list *list = (thrum_address_list *)to;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 4;
        thrum_address_info *more =
            (thrum_address_info *)pool_take(&thrum_state_here()->pool, room * sizeof *more, POOL_OTHER);
        if (!more)
            return false;
        if (list->count)
            memcpy(more, list->list, list->count * sizeof *more);
        if (list->list)
            pool_give(&thrum_state_here()->pool, list->list, list->room * sizeof *more, POOL_OTHER);
        list->list = more;
        list->room = room;
    }
    thrum_address_info *info = &list->list[list->count++];
    info->family = address->as.any.sa_family;
    info->type = type;
    info->protocol = protocol;
    return thrum_address_from_raw(&info->address, &address->as, address->size) == 0;
}

static void forget_canonical(thrum_address_list *list)
{
    if (list->canonical)
        pool_give(&thrum_state_here()->pool, list->canonical, strlen(list->canonical) + 1, POOL_OTHER);
    list->canonical = NULL;
}

static bool list_canonical(void *to, const char *name)
{
    thrum_address_list *list = (thrum_address_list *)to;
    size_t size = strlen(name) + 1;
    forget_canonical(list);
    list->canonical = (char *)pool_take(&thrum_state_here()->pool, size, POOL_OTHER);
    if (list->canonical)
        memcpy(list->canonical, name, size);
    return list->canonical != NULL;
}

void thrum_address_list_free(thrum_address_list *list)
{
    if (list->list)
        pool_give(&thrum_state_here()->pool, list->list, list->room * sizeof *list->list, POOL_OTHER);
    forget_canonical(list);
    memset(list, 0, sizeof *list);
}

/* ---- public ---- */

static ASYNC(get_address_info,
             ARGS((thrum_address_list *, list), (const char *, host), (const char *, port), (thrum_name_hints, hints)),
             LOCALS(name_query query;))
{
    ASYNC_BEGIN;
    self->query = (name_query){
        .host = self->host,
        .port = self->port,
        .family = self->hints.family,
        .type = self->hints.type,
        .protocol = self->hints.protocol,
        .flags = self->hints.flags,
        .put = list_put,
        .canonical = self->hints.flags & AI_CANONNAME ? list_canonical : NULL,
        .to = self->list,
    };
    AWAIT(names_look_up(&self->query));
    ASYNC_RETURN(self->list->count);
    ASYNC_END;
}

thrum_awaitable thrum_getaddrinfo(thrum_address_list *list, const char *host, const char *port,
                                  const thrum_name_hints *hints)
{
    thrum_name_hints all = {.size = sizeof all};
    if (!list || (hints && (hints->size < sizeof hints->size || hints->size > sizeof all)))
        return thrum_awaitable_failing(THRUM_EINVAL);
    if (hints)
        memcpy(&all, hints, hints->size);
    return get_address_info(list, host, port, all);
}

thrum_awaitable thrum_getnameinfo(const thrum_address *address, char *host, size_t host_room, char *service,
                                  size_t service_room, int flags)
{
    name_inverse inverse = {.flags = flags};
    if (!address || (host && !host_room) || (service && !service_room))
        return thrum_awaitable_failing(THRUM_EINVAL);
    address_get(&inverse.address, address);
    inverse.host = host;
    inverse.host_room = host_room;
    inverse.service = service;
    inverse.service_room = service_room;
#ifdef THRUM_CARES
    if (names_chosen())
        return names_cares_invert(&inverse);
#endif
    return names_thread_invert(&inverse);
}
