/* Endpoints of datagrams: how they are made and end, and what is known of them. */
#include "net/datagram.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/checks.h"
#include "core/state.h"
#include "loop/loop.h"

enum { DEFAULT_HIGH = 65536, DEFAULT_MOST = 2048 };

/* ---- memory ---- */

static size_t queue_size(const datagram_queue *queue)
{
    return queue->room * (sizeof *queue->list + queue->most);
}

static bool queue_open(datagram_queue *queue, size_t room, size_t most)
{
    queue->room = room;
    queue->most = most ? most : DEFAULT_MOST;
    if (!room)
        return true;
    if (queue->most > SIZE_MAX / 4 || room > SIZE_MAX / 4 / (sizeof *queue->list + queue->most))
        return false;
    queue->list = (thrum_datagram *)pool_take(&thrum_state_here()->pool, queue_size(queue), POOL_OTHER);
    if (!queue->list)
        return false;
    memset(queue->list, 0, room * sizeof *queue->list);
    for (size_t i = 0; i < room; i++) {
        queue->list[i].data = (char *)(queue->list + room) + i * queue->most;
        queue->list[i].room = queue->most;
    }
    return true;
}

static void free_endpoint(thrum_datagrams *endpoint)
{
    pool_give(&thrum_state_here()->pool, endpoint, sizeof *endpoint, POOL_OTHER);
}

static void let_go(thrum_datagrams *endpoint)
{
    if (--endpoint->references)
        return;
    free_endpoint(endpoint);
}

/* ---- the end ---- */

static void wake_closers(thrum_datagrams *endpoint)
{
    thrum_waiter *waiter;
    while ((waiter = thrum_waiters_pop(&endpoint->closers)))
        thrum_wake(waiter, 0, 0);
}

/* The descriptor goes. Whoever uses the endpoint has been told. */
static void shut(thrum_datagrams *endpoint)
{
    if (endpoint->flags & DATAGRAM_CLOSED)
        return;
    endpoint->flags |= DATAGRAM_CLOSING;
    datagram_drop_copies(endpoint);
    endpoint->dropped = thrum_datagrams_dropped(endpoint);
    endpoint->flags |= DATAGRAM_CLOSED;
    thrum_io_close(&endpoint->in);
    thrum_io_close(&endpoint->out);
    if (endpoint->port.network)
        network_close(&endpoint->port, (endpoint->flags & DATAGRAM_FORGOTTEN) != 0);
    else
        (void)close(endpoint->descriptor);
    endpoint->descriptor = -1;
    (void)thrum_handle_cancel(&endpoint->turn);
    if (endpoint->queue.list)
        pool_give(&thrum_state_here()->pool, endpoint->queue.list, queue_size(&endpoint->queue), POOL_OTHER);
    endpoint->queue.list = NULL;
    endpoint->queue.count = 0;
    if (!(endpoint->flags & DATAGRAM_FORGOTTEN)) {
        thrum_loop_forget(&endpoint->closer);
        wake_closers(endpoint);
    }
}

static void forget_protocol(thrum_datagrams *endpoint)
{
    endpoint->protocol = NULL;
    context_forget(endpoint->variables);
    endpoint->variables = NULL;
    datagram_scratch_release();
    let_go(endpoint);
}

/* With a protocol the end comes in the next pass, from the loop. */
void datagram_finish(thrum_datagrams *endpoint)
{
    if (endpoint->flags & (DATAGRAM_LOSING | DATAGRAM_CLOSED))
        return;
    if (!endpoint->protocol) {
        shut(endpoint);
        return;
    }
    endpoint->flags |= DATAGRAM_LOSING;
    thrum_io_stop(&endpoint->in);
    thrum_io_stop(&endpoint->out);
    (void)thrum_call_soon(&endpoint->turn);
}

static void begin_close(thrum_datagrams *endpoint)
{
    endpoint->flags |= DATAGRAM_CLOSING;
    thrum_io_stop(&endpoint->in);
    if (endpoint->receiver)
        thrum_wake(&endpoint->receiver->waiter, 0, 0);
    datagram_senders_over(endpoint, THRUM_ECLOSED);
}

void thrum_datagrams_close(thrum_datagrams *endpoint)
{
    if (!endpoint || endpoint->flags & DATAGRAM_CLOSING)
        return;
    begin_close(endpoint);
    if (!endpoint->copies)
        datagram_finish(endpoint);
}

void thrum_datagrams_abort(thrum_datagrams *endpoint)
{
    if (!endpoint || endpoint->flags & (DATAGRAM_LOSING | DATAGRAM_CLOSED))
        return;
    begin_close(endpoint);
    datagram_drop_copies(endpoint);
    datagram_finish(endpoint);
}

/* A task that waits will not find the endpoint. */
static void orphan_receiver(thrum_datagrams *endpoint)
{
    if (endpoint->receiver)
        stream_wake_without(endpoint->receiver, THRUM_ECLOSED, 0);
    endpoint->receiver = NULL;
}

void thrum_datagrams_release(thrum_datagrams *endpoint)
{
    if (!endpoint)
        return;
    if (!endpoint->protocol) {
        thrum_datagrams_abort(endpoint);
        if (endpoint->flags & DATAGRAM_FORGOTTEN)
            endpoint->receiver = NULL;
        orphan_receiver(endpoint);
    }
    let_go(endpoint);
}

/* ---- what the loop calls ---- */

static void tell_made(thrum_datagrams *endpoint)
{
    endpoint->flags |= DATAGRAM_MADE;
    if (endpoint->protocol->connection_made)
        endpoint->protocol->connection_made(endpoint->context, endpoint);
    if (endpoint->maker)
        thrum_wake(&endpoint->maker->waiter, 0, 0);
    if (!(endpoint->flags & DATAGRAM_CLOSING))
        thrum_io_start(&endpoint->in);
    else if (endpoint->flags & DATAGRAM_LOSING)
        (void)thrum_call_soon(&endpoint->turn);
}

static void tell_lost(thrum_datagrams *endpoint, int error)
{
    if (endpoint->protocol->connection_lost)
        endpoint->protocol->connection_lost(endpoint->context, error);
    shut(endpoint);
}

static void turn(thrum_handle *handle)
{
    thrum_datagrams *endpoint = (thrum_datagrams *)handle->context;
    bool told = endpoint->protocol != NULL;
    context_entry entry;
    endpoint->references++;
    if (told)
        datagram_enter(endpoint, &entry);
    if (told && !(endpoint->flags & DATAGRAM_MADE)) {
        tell_made(endpoint);
    } else if (told && endpoint->flags & DATAGRAM_LOSING) {
        tell_lost(endpoint, 0);
    } else {
        if (endpoint->flags & DATAGRAM_WRITABLE)
            datagram_flush(endpoint);
        if (endpoint->flags & DATAGRAM_READABLE)
            datagram_read(endpoint);
    }
    if (told) {
        datagram_leave(endpoint, &entry);
        if (endpoint->flags & DATAGRAM_CLOSED)
            forget_protocol(endpoint);
    }
    let_go(endpoint);
}

/* The loop ends: nobody is woken any more, and the protocol hears of the end now. */
static void loop_closes(thrum_loop_closer *closer)
{
    thrum_datagrams *endpoint = (thrum_datagrams *)(void *)((char *)closer - offsetof(thrum_datagrams, closer));
    context_entry entry;
    if (!(endpoint->flags & DATAGRAM_LOSING))
        loop_tell_unclosed("datagram endpoint", endpoint);
    endpoint->flags |= DATAGRAM_FORGOTTEN | DATAGRAM_CLOSING;
    endpoint->receiver = NULL;
    endpoint->closers.first = NULL;
    link_init(&endpoint->senders);
    thrum_handle_init(&endpoint->turn, turn, endpoint); /* queued nowhere any more */
    if (!endpoint->protocol) {
        shut(endpoint);
        return;
    }
    datagram_enter(endpoint, &entry);
    if (!(endpoint->flags & DATAGRAM_MADE) && endpoint->protocol->connection_made)
        endpoint->protocol->connection_made(endpoint->context, endpoint);
    endpoint->flags |= DATAGRAM_MADE;
    tell_lost(endpoint, endpoint->flags & DATAGRAM_LOSING ? 0 : THRUM_ECLOSED);
    datagram_leave(endpoint, &entry);
    forget_protocol(endpoint);
}

/* ---- making one ---- */

/* Who is asked, and told of what comes. */
static int open_place(thrum_datagrams *endpoint, int descriptor, const net_address *local, const net_address *remote)
{
    thrum_network_port *port = &endpoint->port;
    int error;
    if (descriptor < 0) {
        error = network_open(port, local, remote);
        if (error)
            return error;
        thrum_io_init_source(&endpoint->in, &port->source, THRUM_IO_READ, datagram_readable);
        thrum_io_init_source(&endpoint->out, &port->source, THRUM_IO_WRITE, datagram_writable);
        port->in = &endpoint->in;
        port->out = &endpoint->out;
        endpoint->flags |=
            (port->address.as.any.sa_family == AF_UNIX ? DATAGRAM_UNIX : 0u) | (remote ? DATAGRAM_CONNECTED : 0u);
        return 0;
    }
    error = thrum_io_init(&endpoint->in, descriptor, THRUM_IO_READ, datagram_readable);
    return error ? error : thrum_io_init(&endpoint->out, descriptor, THRUM_IO_WRITE, datagram_writable);
}

static void learn(thrum_datagrams *endpoint)
{
    net_address own = {.size = sizeof own.as}, peer = {.size = sizeof peer.as};
    if (!getsockname(endpoint->descriptor, &own.as.any, &own.size) && own.as.any.sa_family == AF_UNIX)
        endpoint->flags |= DATAGRAM_UNIX;
    if (!getpeername(endpoint->descriptor, &peer.as.any, &peer.size) &&
        !thrum_address_from_raw(&endpoint->remote, &peer.as, peer.size))
        endpoint->flags |= DATAGRAM_CONNECTED;
}

int datagram_new(thrum_datagrams **made, int descriptor, const thrum_datagram_options *options,
                 const net_address *local, const net_address *remote)
{
    thrum_state *state = thrum_state_here();
    thrum_datagrams *endpoint = (thrum_datagrams *)pool_take(&state->pool, sizeof *endpoint, POOL_OTHER);
    if (!endpoint)
        return THRUM_ENOMEM;
    memset(endpoint, 0, sizeof *endpoint);
    endpoint->high = options->high ? options->high : options->low ? options->low * 4 : DEFAULT_HIGH;
    endpoint->low = options->low ? options->low : endpoint->high / 4;
    endpoint->flags = DATAGRAM_TRY_FIRST | (options->errors ? DATAGRAM_ERRORS : 0);
    int error = endpoint->low > endpoint->high ? THRUM_EINVAL : 0;
    if (!error)
        error = open_place(endpoint, descriptor, local, remote);
    if (!error && !queue_open(&endpoint->queue, options->queue, options->most))
        error = THRUM_ENOMEM;
    if (error) {
        thrum_io_close(&endpoint->in);
        thrum_io_close(&endpoint->out);
        if (endpoint->port.network)
            network_close(&endpoint->port, false);
        free_endpoint(endpoint);
        return error;
    }
    endpoint->descriptor = descriptor;
    endpoint->references = 1;
    endpoint->last = &endpoint->copies;
    link_init(&endpoint->senders);
    thrum_handle_init(&endpoint->turn, turn, endpoint);
    if (descriptor >= 0)
        learn(endpoint);
    endpoint->closer.close = loop_closes;
    thrum_loop_remember(&endpoint->closer);
    thrum_made_note(endpoint);
    if (endpoint->queue.list)
        thrum_io_start(&endpoint->in);
    *made = endpoint;
    return 0;
}

void datagram_tell(thrum_datagrams *endpoint, const thrum_datagram_protocol *protocol, void *context)
{
    endpoint->protocol = protocol;
    endpoint->context = context;
    endpoint->variables = context_capture(thrum_state_here());
    endpoint->references++;
    thrum_io_stop(&endpoint->in); /* until it has been told of the beginning */
    (void)thrum_call_soon(&endpoint->turn);
}

/* ---- waiting for the end ---- */

static thrum_step wait_start(thrum_task *task, thrum_record *record)
{
    thrum_datagrams *endpoint = (thrum_datagrams *)record->object;
    if (endpoint->flags & DATAGRAM_CLOSED)
        return thrum_done(task, 0, 0);
    thrum_waiters_add(&endpoint->closers, &task->waiter);
    return thrum_parked(task);
}

static thrum_cancel_result wait_cancel(thrum_task *task)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(&((thrum_datagrams *)task->object)->closers, &task->waiter);
    return THRUM_DETACHED;
}

static const thrum_operations wait_operations = {wait_start, NULL, wait_cancel, NULL, "datagrams wait_closed", NULL};

thrum_awaitable thrum_datagrams_wait_closed(thrum_datagrams *endpoint)
{
    return thrum_awaitable_make(&wait_operations, endpoint, 0, 0);
}

/* ---- what is known ---- */

bool thrum_datagrams_is_closing(const thrum_datagrams *endpoint)
{
    return (endpoint->flags & DATAGRAM_CLOSING) != 0;
}

int thrum_datagrams_sockname(const thrum_datagrams *endpoint, thrum_address *address)
{
    net_address own = {.size = sizeof own.as};
    memset(address, 0, sizeof *address);
    if (endpoint->flags & DATAGRAM_CLOSED)
        return THRUM_ECLOSED;
    if (endpoint->port.network)
        return thrum_address_from_raw(address, &endpoint->port.address.as, endpoint->port.address.size);
    if (getsockname(endpoint->descriptor, &own.as.any, &own.size))
        return -errno;
    return thrum_address_from_raw(address, &own.as, own.size);
}

int thrum_datagrams_peername(const thrum_datagrams *endpoint, thrum_address *address)
{
    *address = endpoint->remote;
    return address->size ? 0 : -ENOTCONN;
}

int thrum_datagrams_descriptor(const thrum_datagrams *endpoint)
{
    if (endpoint->flags & DATAGRAM_CLOSED)
        return THRUM_ECLOSED;
    return endpoint->port.network ? THRUM_EUNSUPPORTED : endpoint->descriptor;
}

uint64_t thrum_datagrams_dropped(const thrum_datagrams *endpoint)
{
    bool open = !(endpoint->flags & DATAGRAM_CLOSED) && !endpoint->port.network;
    return endpoint->dropped + (open ? system_drops(endpoint->descriptor) : 0);
}
