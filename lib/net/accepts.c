/* Connections taken one by one, from a server without a handler. They stay in the system's queue until somebody takes
 * them, so a cancelled wait loses none; the sockets are watched only while somebody waits. */
#include <errno.h>

#include <thrum/generators.h>

#include "net/server.h"

static void watch(thrum_server *server)
{
    for (size_t i = 0; i < server->count; i++)
        if (!thrum_handle_pending(&server->sockets[i].retry))
            thrum_io_start(&server->sockets[i].io);
}

static void unwatch(thrum_server *server)
{
    for (size_t i = 0; i < server->count; i++)
        thrum_io_stop(&server->sockets[i].io);
}

/* The server must live until the task has looked at it. */
static void wake_first(thrum_server *server)
{
    thrum_waiter *waiter = thrum_waiters_pop(&server->accepting);
    if (waiter) {
        server->woken++;
        thrum_wake(waiter, 0, 0);
    }
}

void server_wake_acceptor(thrum_server *server)
{
    wake_first(server);
    if (!server->accepting.first)
        unwatch(server);
}

void server_wake_acceptors(thrum_server *server)
{
    while (server->accepting.first)
        wake_first(server);
}

/* A connection from one of the sockets: 0, -EAGAIN when there is none, or why there will be none. */
static int take_one(thrum_server *server, thrum_stream **stream)
{
    for (size_t i = 0; i < server->count; i++) {
        server_arrival arrival;
        int error = server_take(&server->sockets[i], &arrival);
        if (!error)
            return server_make_stream(server, &arrival, stream);
        if (error != -EAGAIN)
            return error;
    }
    return -EAGAIN;
}

static thrum_step accept_now(thrum_task *task, thrum_server *server)
{
    thrum_stream *stream = NULL;
    if (server->flags & SERVER_CLOSED)
        return thrum_done(task, THRUM_ESTOP, 0);
    int error = take_one(server, &stream);
    if (error != -EAGAIN)
        return thrum_done(task, error, (thrum_value)(intptr_t)stream);
    thrum_waiters_add(&server->accepting, &task->waiter);
    watch(server);
    return thrum_parked(task);
}

static thrum_step accept_start(thrum_task *task, thrum_record *record)
{
    thrum_server *server = (thrum_server *)record->object;
    if (server_takes(server))
        return thrum_done(task, THRUM_ESTATE, 0);
    (void)thrum_server_start_serving(server);
    if (server->accepting.first || server->woken) { /* not before those who have waited longer */
        thrum_waiters_add(&server->accepting, &task->waiter);
        watch(server);
        return thrum_parked(task);
    }
    return accept_now(task, server);
}

static thrum_step accept_resume(thrum_task *task)
{
    thrum_server *server = (thrum_server *)task->object;
    server->woken--;
    if (!(server->flags & SERVER_CLOSED))
        return accept_now(task, server);
    server_settle(server);
    return thrum_done(task, THRUM_ESTOP, 0);
}

static thrum_cancel_result accept_cancel(thrum_task *task)
{
    thrum_server *server = (thrum_server *)task->object;
    if (thrum_task_woken(task)) {
        server->woken--;
        server_settle(server);
        return THRUM_DETACHED;
    }
    thrum_waiters_remove(&server->accepting, &task->waiter);
    if (!server->accepting.first)
        unwatch(server);
    return THRUM_DETACHED;
}

static const thrum_operations accept_operations = {accept_start, accept_resume,   accept_cancel,
                                                   NULL,         "server accept", NULL};

thrum_iterable thrum_server_accepts(thrum_server *server)
{
    return thrum_iterable_make(&accept_operations, server, 0, 0);
}

thrum_awaitable thrum_server_accept(thrum_server *server)
{
    return thrum_awaitable_make(&accept_operations, server, 0, 0);
}
