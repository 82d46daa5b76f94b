/* Making connections and servers whose bytes go to protocols. */
#include <thrum/async.h>

#include <unistd.h>

#include "net/connect.h"
#include "net/server.h"
#include "net/tls/above.h"
#include "net/transport.h"

/* ---- waiting for connection_made, and for the end ---- */

static thrum_step wait_in(thrum_task *task, thrum_waiters *waiters)
{
    thrum_waiters_add(waiters, &task->waiter);
    return thrum_parked(task);
}

static void wait_no_more(thrum_task *task, thrum_waiters *waiters)
{
    if (!thrum_task_woken(task))
        thrum_waiters_remove(waiters, &task->waiter);
}

static thrum_step made_start(thrum_task *task, thrum_record *record)
{
    thrum_transport *transport = (thrum_transport *)record->object;
    return transport->flags & TRANSPORT_MADE ? thrum_done(task, 0, 0) : wait_in(task, &transport->makers);
}

static thrum_cancel_result made_cancel(thrum_task *task)
{
    wait_no_more(task, &((thrum_transport *)task->object)->makers);
    return THRUM_DETACHED;
}

static thrum_step lost_start(thrum_task *task, thrum_record *record)
{
    thrum_transport *transport = (thrum_transport *)record->object;
    return transport->flags & TRANSPORT_LOST ? thrum_done(task, transport->error, 0)
                                             : wait_in(task, &transport->enders);
}

static thrum_cancel_result lost_cancel(thrum_task *task)
{
    wait_no_more(task, &((thrum_transport *)task->object)->enders);
    return THRUM_DETACHED;
}

static const thrum_operations made_operations = {made_start, NULL, made_cancel, NULL, "connection_made", NULL};
static const thrum_operations lost_operations = {lost_start, NULL, lost_cancel, NULL, "connection_lost", NULL};

thrum_awaitable thrum_transport_wait_closed(thrum_transport *transport)
{
    return thrum_awaitable_make(&lost_operations, transport, 0, 0);
}

/* ---- connections ---- */

/* `memory` is no transport yet; `left` says that the connection is the caller's, or lost by itself. */
static ASYNC(connect_protocol_in,
             ARGS((thrum_awaitable, stream_to_come), (thrum_transport *, memory), (thrum_protocol_factory *, factory),
                  (void *, context), (uint32_t, kind)),
             LOCALS(thrum_stream *stream; thrum_transport * transport; bool left; int ignored;),
             ON_DROP(thrum_drop(self->stream_to_come); transport_give(self->memory);))
{
    int error;
    ASYNC_BEGIN;
    AWAIT_INTO(self->stream, self->stream_to_come);
    error = transport_make(self->memory, self->stream, self->factory, self->context, self->kind);
    if (error)
        ASYNC_RAISE(error);
    self->transport = thrum_transport_hold(self->memory);
    self->memory = NULL;
    self->stream = NULL;
    AWAIT(thrum_awaitable_make(&made_operations, self->transport, 0, 0));
    self->left = true;
    ASYNC_RETURN(self->transport);
FINALLY:
    thrum_stream_release(self->stream);
    transport_give(self->memory);
    if (self->transport && !self->left) {
        /* What the factory gave may lie in a frame that waits for this one. */
        thrum_transport_abort(self->transport);
        AWAIT_CATCH(self->ignored, thrum_transport_wait_closed(self->transport));
        thrum_transport_release(self->transport);
    }
    ASYNC_END;
}

/* A transport of the stream that this gives. The transport's memory comes first, so that a connection that stands does
 * not fail for want of it. */
static thrum_awaitable connect_protocol(thrum_awaitable stream_to_come, thrum_protocol_factory *factory, void *context,
                                        uint32_t kind)
{
    thrum_transport *memory = transport_take();
    if (memory)
        return connect_protocol_in(stream_to_come, memory, factory, context, kind);
    thrum_drop(stream_to_come);
    return thrum_awaitable_failing(THRUM_ENOMEM);
}

thrum_awaitable thrum_create_connection_with(thrum_protocol_factory *factory, void *context, const char *host,
                                             const char *port, const thrum_connect_options *options)
{
    if (!factory)
        return thrum_awaitable_failing(THRUM_EINVAL);
    return connect_protocol(thrum_open_connection_with(host, port, options), factory, context, 0);
}

thrum_awaitable thrum_create_connection(thrum_protocol_factory *factory, void *context, const char *host,
                                        const char *port)
{
    return thrum_create_connection_with(factory, context, host, port, NULL);
}

thrum_awaitable thrum_create_unix_connection_with(thrum_protocol_factory *factory, void *context, const char *path,
                                                  const thrum_connect_options *options)
{
    if (!factory)
        return thrum_awaitable_failing(THRUM_EINVAL);
    return connect_protocol(thrum_open_unix_connection_with(path, options), factory, context, 0);
}

thrum_awaitable thrum_create_unix_connection(thrum_protocol_factory *factory, void *context, const char *path)
{
    return thrum_create_unix_connection_with(factory, context, path, NULL);
}

/* The descriptor is taken in any case: whoever is cancelled could not tell whether it was. */
static void close_descriptor(int descriptor)
{
    if (descriptor >= 0)
        (void)close(descriptor);
}

static ASYNC(adopt, ARGS((int, descriptor), (transport_adopts *, how)), LOCALS_NONE,
             ON_DROP(close_descriptor(self->descriptor);))
{
    thrum_stream *stream;
    int error;
    ASYNC_BEGIN;
    error = self->how(&stream, self->descriptor);
    if (error) {
        close_descriptor(self->descriptor);
        ASYNC_RAISE(error);
    }
    ASYNC_RETURN(stream);
    ASYNC_END;
}

thrum_awaitable transport_adopt(thrum_protocol_factory *factory, void *context, int descriptor, transport_adopts *how,
                                uint32_t kind)
{
    if (factory)
        return connect_protocol(adopt(descriptor, how), factory, context, kind);
    close_descriptor(descriptor);
    return thrum_awaitable_failing(THRUM_EINVAL);
}

static ASYNC(adopt_connected,
             ARGS((int, descriptor), (thrum_connect_options, options), (thrum_stream_options, settings)),
             LOCALS(thrum_stream *stream; int error;), ON_DROP(close_descriptor(self->descriptor);))
{
    thrum_stream *made;
    ASYNC_BEGIN;
    self->error = thrum_stream_adopt(&self->stream, self->descriptor, &self->settings);
    if (self->error) {
        close_descriptor(self->descriptor);
        ASYNC_RAISE(self->error);
    }
    if (self->options.tls)
        AWAIT(connect_tls(self->stream, &self->options, NULL, tls_serves(self->options.tls)));
    made = self->stream;
    self->stream = NULL;
    ASYNC_RETURN(made);
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

/* A socket that is connected is not looked for; and a server asks nobody who it is. */
static bool for_connected(const thrum_connect_options *options)
{
    return !options->local_host && !options->local_port && !options->family && !options->happy_eyeballs_delay &&
           !options->interleave && !options->all_errors &&
           !(options->tls && tls_serves(options->tls) && (options->server_hostname || options->session));
}

thrum_awaitable thrum_connect_accepted_socket(thrum_protocol_factory *factory, void *context, int descriptor,
                                              const thrum_connect_options *options)
{
    thrum_connect_options checked;
    thrum_stream_options settings;
    int error = factory ? connect_check(options, &checked, &settings) : THRUM_EINVAL;
    if (!error && for_connected(&checked))
        return connect_protocol(adopt_connected(descriptor, checked, settings), factory, context, 0);
    close_descriptor(descriptor);
    return thrum_awaitable_failing(error ? error : THRUM_EINVAL);
}

/* ---- servers ---- */

thrum_awaitable thrum_create_server_with(thrum_protocol_factory *factory, void *context, const char *host,
                                         const char *port, const thrum_server_options *options)
{
    if (!factory)
        return thrum_awaitable_failing(THRUM_EINVAL);
    return server_start((server_use){NULL, factory, context}, host, port, options);
}

thrum_awaitable thrum_create_server(thrum_protocol_factory *factory, void *context, const char *host, const char *port)
{
    return thrum_create_server_with(factory, context, host, port, NULL);
}

thrum_awaitable thrum_create_unix_server_with(thrum_protocol_factory *factory, void *context, const char *path,
                                              const thrum_server_options *options)
{
    if (!factory)
        return thrum_awaitable_failing(THRUM_EINVAL);
    return server_start_unix((server_use){NULL, factory, context}, path, options);
}

thrum_awaitable thrum_create_unix_server(thrum_protocol_factory *factory, void *context, const char *path)
{
    return thrum_create_unix_server_with(factory, context, path, NULL);
}
