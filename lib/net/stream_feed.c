/* Streams that are fed by hand. They stand on a carrier as others do; what is fed goes right into the stream's input
 * buffer, where each read finds all of it at once, as in asyncio: no byte lies in a second place. */
#include "net/stream_feed.h"

#include <thrum/feeds.h>

#include "net/carrier.h"

/* ---- the carrier ---- */

/* Asked by the reads that take bytes right into the caller's memory. */
static intptr_t fed_receive(void *link, void *to, size_t size)
{
    thrum_stream *stream = (thrum_stream *)link;
    size_t taken = stream_take(stream, to, size);
    if (taken)
        return (intptr_t)taken;
    return stream->flags & STREAM_FED_EOF ? 0 : THRUM_CARRIER_LATER;
}

/* There is no output: it was ended before anybody could write. */
static intptr_t fed_send(void *link, const thrum_slice *pieces, size_t count)
{
    (void)link, (void)pieces, (void)count;
    return THRUM_ESTATE;
}

static void fed_end(void *link)
{
    (void)link;
}

static void fed_close(void *link, bool late)
{
    (void)link, (void)late;
}

/* Who feeds wakes the reader. */
static void fed_watch(void *link, unsigned events)
{
    (void)link, (void)events;
}

static const thrum_carrier fed_carrier = {
    .size = sizeof fed_carrier,
    .name = "fed by hand",
    .receive = fed_receive,
    .send = fed_send,
    .end = fed_end,
    .close = fed_close,
    .watch = fed_watch,
};

/* ---- reading ---- */

static bool over(const thrum_stream *stream)
{
    return (stream->flags & (STREAM_INPUT_ENDED | STREAM_FED_EOF | STREAM_CLOSING)) != 0;
}

long stream_fed_more(const thrum_stream *stream)
{
    return over(stream) ? stream->read_error : STREAM_AGAIN;
}

thrum_step stream_fed_exactly(thrum_stream *stream, thrum_task *task)
{
    stream_request *request = &stream->request;
    int error = stream->read_error;
    request->done = 0;
    if (!error && buffer_size(stream->input) < request->size) {
        if (!over(stream))
            return stream_park_reader(stream, task);
        error = THRUM_EINCOMPLETE;
    }
    size_t taken = stream_take(stream, request->to, request->size);
    if (error)
        return stream_read_done(stream, task, stream_fail(stream, error, "read_exactly", taken), 0);
    return stream_read_done(stream, task, 0, taken);
}

/* ---- feeding ---- */

int thrum_stream_fed(thrum_stream **stream, const thrum_stream_options *options)
{
    int error = thrum_stream_carry(stream, &fed_carrier, NULL, options);
    if (error)
        return error;
    stream_carry(*stream, &fed_carrier, *stream);
    (*stream)->flags |= STREAM_FED | STREAM_WRITE_EOF | STREAM_FIN_SENT;
    return 0;
}

/* Whether a stream can be fed: 0 or an error. */
static int refused(const thrum_stream *stream)
{
    if (!(stream->flags & STREAM_FED))
        return THRUM_EINVAL;
    return stream->flags & STREAM_CLOSING ? THRUM_ECLOSED : 0;
}

int thrum_stream_feed_data(thrum_stream *stream, const void *data, size_t size)
{
    int error = refused(stream);
    if (error)
        return error;
    if (stream->flags & STREAM_FED_EOF)
        return THRUM_ESTATE;
    if (!size || stream->read_error)
        return 0;
    if (!buffer_append(&stream->input, data, size))
        return THRUM_ENOMEM;
    stream->flags &= ~(uint32_t)STREAM_LENT;
    stream_wake_reader(stream);
    return 0;
}

int thrum_stream_feed_eof(thrum_stream *stream)
{
    int error = refused(stream);
    if (error)
        return error;
    stream->flags |= STREAM_FED_EOF;
    stream_wake_reader(stream);
    return 0;
}

int thrum_stream_set_error(thrum_stream *stream, int error)
{
    int refusal = refused(stream);
    if (refusal)
        return refusal;
    if (error >= 0 || error == THRUM_ECANCELED)
        return THRUM_EINVAL;
    stream->read_error = error;
    stream->flags |= STREAM_INPUT_ENDED;
    stream->flags &= ~(uint32_t)STREAM_LENT;
    buffer_free(&stream->input);
    stream_wake_reader(stream);
    return 0;
}

int thrum_stream_error(const thrum_stream *stream)
{
    return stream->read_error;
}
