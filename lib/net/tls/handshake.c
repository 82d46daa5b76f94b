/* The handshake: the task that waits for it takes the place of the one that reads. */
#include "net/tls/link.h"

#if THRUM_TLS

#include <thrum/awaitables.h>

#include "core/state.h"

/* An alert that tells the peer why was sent; with it the stream ends. */
static void give_up(thrum_stream *stream, int error)
{
    tls_of(stream)->flags |= TLS_ORDERLY;
    stream->reader = NULL;
    stream->read_error = error;
    stream_shut(stream, 0);
}

static thrum_step failed(thrum_stream *stream, thrum_task *task, int error)
{
    const char *problem = tls_problem(stream);
    if (problem)
        (void)thrum_error_set(error, 0, "handshake", tls_of(stream)->depth, problem);
    else
        (void)stream_fail(stream, error, "handshake", 0);
    give_up(stream, error);
    return thrum_done(task, error, 0);
}

static thrum_step attempt(thrum_stream *stream, thrum_task *task)
{
    tls_link *tls = tls_of(stream);
    ERR_clear_error();
    tls->flags &= ~(uint32_t)(TLS_DRY | TLS_STUCK);
    tls->flags |= TLS_MORE;
    int result = SSL_do_handshake(tls->ssl);
    int outcome = result == 1 ? 0 : tls_outcome(tls, result);
    tls->flags &= ~(uint32_t)TLS_MORE;
    tls_flush(tls);
    if (result == 1) {
        tls->flags |= TLS_ESTABLISHED;
        if (SSL_has_pending(tls->ssl) || tls->above.inner->input)
            stream->flags |= STREAM_TRY_FIRST;
        stream->reader = NULL;
        if (!tls->events)
            tls_carrier.watch(tls, 0);
        tls_look(tls);
        return thrum_done(task, 0, 0);
    }
    if (outcome == STREAM_AGAIN && !tls->above.inner->write_error)
        return stream_park_reader(stream, task);
    return failed(stream, task, outcome == STREAM_AGAIN ? tls->above.inner->write_error : outcome);
}

static thrum_step handshake_start(thrum_task *task, thrum_record *record)
{
    return attempt((thrum_stream *)record->object, task);
}

static thrum_step handshake_resume(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    if (!stream)
        return thrum_done(task, THRUM_ECLOSED, 0);
    if (!(stream->flags & STREAM_CLOSED))
        return attempt(stream, task);
    stream->reader = NULL;
    return thrum_done(task, stream_fail(stream, THRUM_ECLOSED, "handshake", 0), 0);
}

static thrum_cancel_result handshake_cancel(thrum_task *task)
{
    thrum_stream *stream = (thrum_stream *)task->object;
    if (stream && !(stream->flags & STREAM_CLOSED))
        give_up(stream, THRUM_ECLOSED);
    else if (stream)
        stream->reader = NULL;
    return THRUM_DETACHED;
}

static void handshake_drop(thrum_record *record)
{
    thrum_stream *stream = (thrum_stream *)record->object;
    if (tls_of(stream) && !(stream->flags & STREAM_CLOSED))
        give_up(stream, THRUM_ECLOSED);
}

static const thrum_operations handshake_operations = {handshake_start, handshake_resume, handshake_cancel,
                                                      handshake_drop,  "TLS handshake",  NULL};

thrum_awaitable tls_handshake(thrum_stream *stream)
{
    return thrum_awaitable_make(&handshake_operations, stream, 0, 0);
}

#endif
