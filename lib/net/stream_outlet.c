/* What a stream has only while it cannot send, or end: what waits for room in the kernel, and for the deadline of a
 * close. It takes as much as nearly everything else of a stream together, and a connection that waits for its peer
 * needs none of it. */
#include "net/stream_output.h"

#include "core/state.h"

static bool busy(const stream_outlet *outlet)
{
    return outlet->io.started || thrum_handle_pending(&outlet->pump) || thrum_handle_pending(&outlet->timer);
}

/* Have one. 0; THRUM_ENOMEM, or why the backend does not watch for it. */
static int take(thrum_stream *stream)
{
    struct thrum_pool *pool = &thrum_state_here()->pool;
    if (stream->outlet)
        return 0;
    stream_outlet *outlet = (stream_outlet *)pool_take(pool, sizeof *outlet, POOL_OTHER);
    if (!outlet)
        return THRUM_ENOMEM;
    memset(outlet, 0, sizeof *outlet);
    int error =
        stream_carrier(stream) ? 0 : thrum_io_init(&outlet->io, stream->in.descriptor, THRUM_IO_WRITE, stream_writable);
    if (error) {
        pool_give(pool, outlet, sizeof *outlet, POOL_OTHER);
        return error;
    }
    thrum_handle_init(&outlet->pump, stream_pump_call, stream);
    thrum_handle_init(&outlet->timer, stream_deadline, stream);
    stream->outlet = outlet;
    return 0;
}

int stream_await_room(thrum_stream *stream)
{
    int error = take(stream);
    if (error)
        return error;
    if (stream_carrier(stream))
        stream_carrier_watch(stream, &stream->outlet->io, true);
    else
        thrum_io_start(&stream->outlet->io);
    return 0;
}

static void unwatch(thrum_stream *stream)
{
    if (stream_carrier(stream))
        stream_carrier_watch(stream, &stream->outlet->io, false);
    else
        thrum_io_stop(&stream->outlet->io);
}

void stream_outlet_rest(thrum_stream *stream)
{
    if (!stream->outlet)
        return;
    unwatch(stream);
    if (!busy(stream->outlet))
        stream_outlet_give(stream);
}

void stream_outlet_give(thrum_stream *stream)
{
    stream_outlet *outlet = stream->outlet;
    if (!outlet)
        return;
    if (!(stream->flags & STREAM_CLOSED))
        unwatch(stream);
    thrum_io_close(&outlet->io);
    if (!(stream->flags & STREAM_FORGOTTEN)) {
        (void)thrum_handle_cancel(&outlet->pump);
        (void)thrum_handle_cancel(&outlet->timer);
    }
    stream->outlet = NULL;
    pool_give(&thrum_state_here()->pool, outlet, sizeof *outlet, POOL_OTHER);
}

int stream_outlet_arm(thrum_stream *stream, thrum_time delay)
{
    int error = take(stream);
    if (!error)
        (void)thrum_call_later(delay, &stream->outlet->timer);
    return error;
}
