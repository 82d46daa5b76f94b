/* Waiting for a server, and what is known of it. */
#include <thrum/async.h>

#include <sys/socket.h>

#include "net/server.h"

/* ---- waiting ---- */

static thrum_step closing_start(thrum_task *task, thrum_record *record)
{
    thrum_server *server = (thrum_server *)record->object;
    if (server->flags & SERVER_CLOSED)
        return thrum_done(task, 0, 0);
    thrum_waiters_add(&server->closing, &task->waiter);
    return thrum_parked(task);
}

static thrum_cancel_result closing_cancel(thrum_task *task)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(&((thrum_server *)task->object)->closing, &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations closing_operations = {closing_start,          NULL, closing_cancel, NULL,
                                                    "server serve_forever", NULL};

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_server *server = (thrum_server *)record->object;
    if (server->flags & SERVER_CLOSED && !server->client_count)
        return thrum_done(task, 0, 0);
    thrum_waiters_add(&server->waiters, &task->waiter);
    return thrum_parked(task);
}

static thrum_cancel_result wait_cancel(thrum_task *task)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(&((thrum_server *)task->object)->waiters, &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations wait_operations = {wait_start, NULL, wait_cancel, NULL, "server wait_closed", NULL};

thrum_awaitable thrum_server_wait_closed(thrum_server *server)
{
    return thrum_awaitable_make(&wait_operations, server, 0, 0);
}

/* ---- serve_forever ---- */

/* `begun` says that the way out is this one's business; `left` that it is no cancellation. */
static ASYNC(serve_forever, ARGS((thrum_server *, server)), LOCALS(bool begun; bool left;))
{
    ASYNC_BEGIN;
    if (self->server->flags & SERVER_CLOSED)
        ASYNC_RAISE(THRUM_ECLOSED);
    if (self->server->flags & SERVER_FOREVER)
        ASYNC_RAISE(THRUM_EBUSY);
    self->server->flags |= SERVER_FOREVER;
    self->begun = true;
    (void)thrum_server_start_serving(self->server);
    AWAIT(thrum_awaitable_make(&closing_operations, self->server, 0, 0));
    self->left = true; /* closed, perhaps released: not touched any more */
FINALLY:
    if (self->begun && !self->left) {
        self->server->flags &= ~(uint32_t)SERVER_FOREVER;
        thrum_server_close(self->server);
        thrum_server_close_clients(self->server);
        AWAIT(thrum_server_wait_closed(self->server));
    }
    ASYNC_END;
}

thrum_awaitable thrum_server_serve_forever(thrum_server *server)
{
    return serve_forever(server);
}

/* ---- what is known ---- */

size_t thrum_server_clients(const thrum_server *server)
{
    return server->client_count;
}

bool thrum_server_is_serving(const thrum_server *server)
{
    return (server->flags & SERVER_SERVING) != 0;
}

size_t thrum_server_sockets(const thrum_server *server)
{
    return server->count;
}

int thrum_server_descriptor(const thrum_server *server, size_t index)
{
    if (index >= server->count)
        return THRUM_EINVAL;
    return server->sockets[index].port.network ? THRUM_EUNSUPPORTED : server->sockets[index].descriptor;
}

static bool socket_address(const thrum_server *server, size_t index, net_address *address)
{
    if (index < server->count && server->sockets[index].port.network) {
        *address = server->sockets[index].port.address;
        return true;
    }
    address->size = sizeof address->as;
    return index < server->count && !getsockname(server->sockets[index].descriptor, &address->as.any, &address->size);
}

int thrum_server_address(const thrum_server *server, size_t index, char *text, size_t room)
{
    net_address address;
    if (!socket_address(server, index, &address))
        return THRUM_EINVAL;
    address_text(&address.as.any, address.size, text, room);
    return 0;
}

int thrum_server_port(const thrum_server *server)
{
    net_address address;
    return socket_address(server, 0, &address) ? address_port(&address.as.any) : 0;
}
