/* c-ares on the loop: what it waits for. Each look-up has a channel of its own, which goes with it: c-ares can only end
 * all that a channel does. */
#include "net/names_channel.h"

#ifdef THRUM_CARES

#include <pthread.h>
#include <string.h>

#include "core/state.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int begun;

static void begin(void)
{
    begun = ares_library_init(ARES_LIB_INIT_ALL);
}

/* ---- what c-ares waits for ---- */

static void process(name_channel *self, ares_socket_t readable, ares_socket_t writable);

static void on_ready(thrum_handle *handle)
{
    const ask_socket *at = (const ask_socket *)handle->context;
    process(at->owner, at->readable ? at->descriptor : ARES_SOCKET_BAD,
            at->writable ? at->descriptor : ARES_SOCKET_BAD);
}

static void on_readable(thrum_io *io)
{
    ask_socket *at = thrum_io_of(io, ask_socket, in);
    at->readable = true;
    (void)thrum_call_soon(&at->ready);
}

static void on_writable(thrum_io *io)
{
    ask_socket *at = thrum_io_of(io, ask_socket, out);
    at->writable = true;
    (void)thrum_call_soon(&at->ready);
}

static void on_time(thrum_handle *handle)
{
    process((name_channel *)handle->context, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void socket_free(ask_socket **link)
{
    ask_socket *at = *link;
    *link = at->next;
    (void)thrum_handle_cancel(&at->ready);
    thrum_io_close(&at->in);
    thrum_io_close(&at->out);
    pool_give(&thrum_state_here()->pool, at, sizeof *at, POOL_OTHER);
}

/* Without memory for a watcher the time limits of c-ares end the look-up. */
static ask_socket *socket_new(name_channel *self, ares_socket_t descriptor)
{
    ask_socket *at = (ask_socket *)pool_take(&thrum_state_here()->pool, sizeof *at, POOL_OTHER);
    if (!at)
        return NULL;
    memset(at, 0, sizeof *at);
    at->owner = self;
    at->descriptor = descriptor;
    thrum_handle_init(&at->ready, on_ready, at);
    at->next = self->sockets;
    self->sockets = at;
    int error = thrum_io_init(&at->in, descriptor, THRUM_IO_READ, on_readable);
    if (!error)
        error = thrum_io_init(&at->out, descriptor, THRUM_IO_WRITE, on_writable);
    if (!error)
        return at;
    socket_free(&self->sockets);
    return NULL;
}

/* c-ares says what it waits for: for nothing, before it closes a socket. */
static void on_socket(void *context, ares_socket_t descriptor, int read, int write)
{
    name_channel *self = (name_channel *)context;
    ask_socket **link = &self->sockets, *at;
    while (*link && (*link)->descriptor != descriptor)
        link = &(*link)->next;
    if (!read && !write) {
        if (*link)
            socket_free(link);
        return;
    }
    at = *link ? *link : socket_new(self, descriptor);
    if (!at)
        return;
    (read ? thrum_io_start : thrum_io_stop)(&at->in);
    (write ? thrum_io_start : thrum_io_stop)(&at->out);
}

void channel_watch(name_channel *self)
{
    struct timeval most, *next = self->over ? NULL : ares_timeout(self->channel, NULL, &most);
    (void)thrum_handle_cancel(&self->timer);
    if (next)
        (void)thrum_call_later(THRUM_SECONDS(1) * next->tv_sec + THRUM_MICROSECONDS(1) * next->tv_usec, &self->timer);
}

static void process(name_channel *self, ares_socket_t readable, ares_socket_t writable)
{
    for (ask_socket *at = self->sockets; at; at = at->next)
        if (at->descriptor == readable || at->descriptor == writable)
            at->readable = at->writable = false;
    ares_process_fd(self->channel, readable, writable);
    channel_watch(self);
    if (self->over && self->parked)
        thrum_wake(&self->task->waiter, 0, 0);
}

/* ---- a channel ---- */

void channel_init(name_channel *self)
{
    thrum_handle_init(&self->timer, on_time, self);
}

void channel_free(name_channel *self)
{
    self->parked = false;
    (void)thrum_handle_cancel(&self->timer);
    if (self->channel)
        ares_destroy(self->channel);
    while (self->sockets)
        socket_free(&self->sockets);
    pool_give(&thrum_state_here()->pool, self, self->size, POOL_OTHER);
}

/* As errors of thrum. */
static int error_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return 0;
    case ARES_ENOMEM:
        return THRUM_ENOMEM;
    case ARES_EBADSTR:
        return THRUM_EINVAL;
    default:
        return THRUM_ESTATE;
    }
}

static int open_channel(ares_channel *channel, const names_choice *choice, name_channel *self)
{
    struct ares_options options;
    int mask = 0;
    memset(&options, 0, sizeof options);
    if (self) {
        options.sock_state_cb = on_socket;
        options.sock_state_cb_data = self;
        mask |= ARES_OPT_SOCK_STATE_CB;
    }
    if (choice->timeout) {
        thrum_time milliseconds = choice->timeout / THRUM_MILLISECONDS(1);
        options.timeout = milliseconds < 1 ? 1 : milliseconds > 3600000 ? 3600000 : (int)milliseconds;
        mask |= ARES_OPT_TIMEOUTMS;
    }
    if (choice->tries) {
        options.tries = choice->tries > 100 ? 100 : (int)choice->tries;
        mask |= ARES_OPT_TRIES;
    }
    int status = ares_init_options(channel, &options, mask);
    if (status == ARES_SUCCESS && choice->servers[0]) {
        status = ares_set_servers_ports_csv(*channel, choice->servers);
        if (status != ARES_SUCCESS) {
            ares_destroy(*channel);
            *channel = NULL;
        }
    }
    return status;
}

int names_cares_try(const names_choice *choice)
{
    ares_channel channel = NULL;
    (void)pthread_once(&once, begin);
    int status = begun ? begun : open_channel(&channel, choice, NULL);
    if (status == ARES_SUCCESS)
        ares_destroy(channel);
    return error_of(status);
}

int channel_open(name_channel *self)
{
    const names_choice *choice = names_chosen();
    const thrum_loop *loop = loop_here();
    if (!choice || !loop)
        return THRUM_ESTATE;
    if (!loop->verbs.io_open)
        return THRUM_EUNSUPPORTED;
    self->began = loop->debug ? thrum_loop_time(loop_here()) : 0;
    return error_of(open_channel(&self->channel, choice, self));
}

#endif
