/* Names by the C library, which blocks: in threads. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "net/names.h"
#include "threads/job.h"

/* One look-up. The thread has it for itself: when nobody waits any more it ends there. */
typedef struct look_up {
    thrum_job job;
    thrum_task *task;
    thrum_time began; /* in debug mode */
    int (*give)(struct look_up *self);
    int error, system;
    name_query query;
    name_inverse inverse;
    struct addrinfo *found;
    char name[NI_MAXHOST], service[NI_MAXSERV];
    char text[];
} look_up;

static look_up *look_up_of(thrum_job *job)
{
    return (look_up *)(void *)((char *)job - offsetof(look_up, job));
}

static void look_up_free(look_up *self)
{
    if (self->found)
        freeaddrinfo(self->found);
    free(self);
}

static void on_done(thrum_job *job)
{
    thrum_wake(&look_up_of(job)->task->waiter, 0, 0);
}

static void discard(thrum_job *job)
{
    look_up_free(look_up_of(job));
}

static look_up *look_up_new(void (*work)(thrum_job *), int (*give)(look_up *), const char *host, const char *port)
{
    size_t host_size = host ? strlen(host) + 1 : 0, port_size = port ? strlen(port) + 1 : 0;
    look_up *self = (look_up *)calloc(1, sizeof *self + host_size + port_size + 1);
    if (!self)
        return NULL;
    if (host)
        self->query.host = (const char *)memcpy(self->text, host, host_size);
    if (port)
        self->query.port = (const char *)memcpy(self->text + host_size, port, port_size);
    self->give = give;
    self->job.work = work;
    self->job.done = on_done;
    self->job.discard = discard;
    return self;
}

/* ---- the wait for it ---- */

static thrum_step start(thrum_task *task, thrum_record *record)
{
    look_up *self = (look_up *)record->object;
    thrum_loop *loop = loop_here();
    self->task = task;
    self->began = loop && loop->debug ? thrum_loop_time(loop) : 0;
    int error = thrum_job_start(&self->job, NULL);
    if (!error)
        return thrum_parked(task);
    look_up_free(self);
    return thrum_done(task, error, 0);
}

static thrum_step resume(thrum_task *task)
{
    look_up *self = (look_up *)task->object;
    int error = self->job.cancelled ? THRUM_ESHUTDOWN : self->give(self);
    look_up_free(self);
    return thrum_done(task, error, 0);
}

static thrum_cancel_result cancel(thrum_task *task)
{
    look_up *self = (look_up *)task->object;
    if (thrum_task_woken(task))
        look_up_free(self);
    else
        thrum_job_abandon(&self->job);
    return THRUM_DETACHED;
}

static void drop(thrum_record *record)
{
    look_up_free((look_up *)record->object);
}

/* ---- addresses ---- */

static const thrum_operations look_up_operations = {start, resume, cancel, drop, "getaddrinfo", NULL};

static void ask(thrum_job *job)
{
    look_up *self = look_up_of(job);
    struct addrinfo hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = self->query.family;
    hints.ai_socktype = self->query.type;
    hints.ai_protocol = self->query.protocol;
    hints.ai_flags = self->query.flags;
    self->error = getaddrinfo(self->query.host, self->query.port, &hints, &self->found);
    self->system = self->error == EAI_SYSTEM ? errno : 0;
}

static int give_addresses(look_up *self)
{
    const name_query *query = &self->query;
    names_slow("getaddrinfo", query->host ? query->host : "this machine", self->began);
    if (self->error)
        return names_error(self->error, self->system, "getaddrinfo");
    for (const struct addrinfo *found = self->found; found; found = found->ai_next) {
        net_address address;
        memset(&address, 0, sizeof address);
        if (found->ai_addrlen > sizeof address.as)
            continue;
        memcpy(&address.as, found->ai_addr, found->ai_addrlen);
        address.size = found->ai_addrlen;
        if (!query->put(query->to, &address, found->ai_socktype, found->ai_protocol))
            return THRUM_ENOMEM;
    }
    if (query->canonical && self->found->ai_canonname && !query->canonical(query->to, self->found->ai_canonname))
        return THRUM_ENOMEM;
    return 0;
}

thrum_awaitable names_thread_look_up(const name_query *query)
{
    look_up *self = look_up_new(ask, give_addresses, query->host, query->port);
    if (!self)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    name_query copied = *query;
    copied.host = self->query.host;
    copied.port = self->query.port;
    self->query = copied;
    return thrum_awaitable_make(&look_up_operations, self, 0, 0);
}

/* ---- names ---- */

static const thrum_operations invert_operations = {start, resume, cancel, drop, "getnameinfo", NULL};

static void ask_name(thrum_job *job)
{
    look_up *self = look_up_of(job);
    const net_address *address = &self->inverse.address;
    self->error = getnameinfo(&address->as.any, address->size, self->inverse.host ? self->name : NULL,
                              self->inverse.host ? sizeof self->name : 0, self->inverse.service ? self->service : NULL,
                              self->inverse.service ? sizeof self->service : 0, self->inverse.flags);
    self->system = self->error == EAI_SYSTEM ? errno : 0;
}

static int give_names(look_up *self)
{
    char text[THRUM_ERROR_TEXT];
    address_text(&self->inverse.address.as.any, self->inverse.address.size, text, sizeof text);
    names_slow("getnameinfo", text, self->began);
    return self->error ? names_error(self->error, self->system, "getnameinfo")
                       : names_give(&self->inverse, self->name, self->service);
}

thrum_awaitable names_thread_invert(const name_inverse *inverse)
{
    look_up *self = look_up_new(ask_name, give_names, NULL, NULL);
    if (!self)
        return thrum_awaitable_failing(THRUM_ENOMEM);
    self->inverse = *inverse;
    return thrum_awaitable_make(&invert_operations, self, 0, 0);
}
