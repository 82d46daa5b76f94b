/* The carrier of TLS: moves a stream's bytes through OpenSSL to and from the inner stream. */
#include "net/tls/link.h"

#if THRUM_TLS

#include <errno.h>
#include <string.h>

#include "core/state.h"

/* ---- receiving ---- */

/* The inner stream gave all it had, and OpenSSL all that it made of that. */
static bool nothing_left(const tls_link *tls)
{
    return tls->flags & TLS_DRY && !tls->above.inner->input && !SSL_has_pending(tls->ssl);
}

static intptr_t tls_receive(void *link, void *to, size_t size)
{
    tls_link *tls = (tls_link *)link;
    size_t got = 0, part;
    int result = 1;
    if (!(tls->flags & TLS_ESTABLISHED))
        return STREAM_AGAIN;
    if (tls->failure)
        return tls->failure;
    tls_forget_errors();
    tls->flags &= ~(uint32_t)(TLS_DRY | TLS_STUCK);
    while (got < size && (result = SSL_read_ex(tls->ssl, (char *)to + got, size - got, &part)) == 1) {
        got += part;
        if (nothing_left(tls)) { /* to ask once more would cost as much again */
            tls->flags |= TLS_STUCK;
            return (intptr_t)got;
        }
    }
    int outcome = result == 1 ? 0 : tls_outcome(tls, result);
    tls_look(tls); /* there may be more that no descriptor tells of */
    return got ? (intptr_t)got : outcome;
}

/* ---- sending ---- */

/* What is left of some pieces. */
typedef struct rest {
    const thrum_slice *piece;
    size_t offset, size;
} rest;

/* The next bytes for a record: in place where there is enough in one piece, else put together in `room`. */
static size_t next(rest *left, char *room, const void **data)
{
    size_t used = 0, wanted = left->size < TLS_RECORD ? left->size : TLS_RECORD;
    while (left->piece->size == left->offset) {
        left->piece++;
        left->offset = 0;
    }
    *data = room;
    if (left->piece->size - left->offset >= wanted) {
        *data = (const char *)left->piece->data + left->offset;
        left->offset += wanted;
        used = wanted;
    }
    while (used < wanted) {
        size_t part = left->piece->size - left->offset;
        part = part < wanted - used ? part : wanted - used;
        memcpy(room + used, (const char *)left->piece->data + left->offset, part);
        used += part;
        left->offset += part;
        if (left->offset == left->piece->size) {
            left->piece++;
            left->offset = 0;
        }
    }
    left->size -= wanted;
    return wanted;
}

static intptr_t tls_send(void *link, const thrum_slice *pieces, size_t count)
{
    char room[TLS_RECORD];
    tls_link *tls = (tls_link *)link;
    thrum_stream *inner = tls->above.inner;
    rest left = {pieces, 0, 0};
    size_t done = 0, part;
    int error = 0;
    for (size_t i = 0; i < count; i++)
        left.size += pieces[i].size;
    if (inner->write_error || inner->flags & STREAM_CLOSED)
        return inner->write_error ? inner->write_error : THRUM_ECLOSED;
    if (tls->flags & TLS_ENDED)
        return -EPIPE;
    if (!(tls->flags & TLS_ESTABLISHED) || tls_unsent(tls) >= TLS_HIGH)
        return STREAM_AGAIN;
    tls_forget_errors();
    tls->flags |= TLS_SENDING;
    if (left.size > TLS_RECORD) /* all but the last record are collected: else their memory grows step by step */
        (void)buffer_reserve(&inner->output, left.size < TLS_HIGH ? left.size - TLS_RECORD : TLS_HIGH - TLS_RECORD);
    while (left.size && tls_unsent(tls) < TLS_HIGH && !error) {
        const void *data;
        size_t size = next(&left, room, &data);
        if (left.size && tls_unsent(tls) + size < TLS_HIGH)
            tls->flags |= TLS_MORE;
        else
            tls->flags &= ~(uint32_t)TLS_MORE;
        int result = SSL_write_ex(tls->ssl, data, size, &part);
        if (result == 1)
            done += part;
        else
            error = tls_outcome(tls, result);
    }
    tls->flags &= ~(uint32_t)(TLS_SENDING | TLS_MORE);
    if (error && error != STREAM_AGAIN)
        return error;
    tls_look(tls);
    return done ? (intptr_t)done : STREAM_AGAIN;
}

/* ---- telling the outer stream ---- */

/* OpenSSL or the inner stream hold input that was not looked at. */
static bool readable(const tls_link *tls)
{
    const thrum_stream *inner = tls->above.inner;
    if (tls->flags & TLS_STUCK)
        return false;
    return tls->failure || inner->input || inner->flags & (STREAM_INPUT_ENDED | STREAM_CLOSED) ||
           SSL_has_pending(tls->ssl) || SSL_get_shutdown(tls->ssl) & SSL_RECEIVED_SHUTDOWN;
}

/* There is room for what the outer stream has; where it has nothing, somebody waits until everything has left. */
static bool writable(const tls_link *tls)
{
    const thrum_stream *outer = tls->above.outer;
    if (!(tls->flags & TLS_ESTABLISHED))
        return false;
    return tls_unsent(tls) <= (thrum_stream_unsent(outer) > tls_unsent(tls) ? TLS_HIGH / 2 : 0);
}

static unsigned possible(const tls_link *tls)
{
    unsigned events = 0;
    if (tls->events & THRUM_CARRIER_READ && readable(tls))
        events |= THRUM_CARRIER_READ;
    if (tls->events & THRUM_CARRIER_WRITE && writable(tls))
        events |= THRUM_CARRIER_WRITE;
    return events;
}

static bool broken(const tls_link *tls)
{
    return tls->above.inner->write_error && !tls->above.outer->write_error;
}

void tls_look(tls_link *tls)
{
    if (!(tls->above.outer->flags & STREAM_FORGOTTEN) && !thrum_handle_pending(&tls->tell) &&
        (possible(tls) || broken(tls)))
        (void)thrum_call_soon(&tls->tell);
}

void tls_tell(thrum_handle *handle)
{
    tls_link *tls = (tls_link *)handle->context;
    thrum_stream *outer = tls->above.outer;
    if (tls->flags & TLS_FINISHING) {
        if (!(tls->flags & TLS_ANSWERED) && tls_finish_step(tls))
            stream_finish(outer);
        return;
    }
    if (broken(tls)) {
        outer->lost += tls->above.inner->lost;
        outer->loss = outer->lost ? tls->above.inner->write_error : 0;
        stream_output_failed(outer, tls->above.inner->write_error);
    }
    stream_carrier_tell(outer, possible(tls));
    tls_look(tls);
}

void tls_readable(stream_above *above)
{
    tls_link *tls = (tls_link *)(void *)above;
    tls->flags &= ~(uint32_t)TLS_STUCK;
    if (tls->flags & TLS_FINISHING) {
        if (!thrum_handle_pending(&tls->tell))
            (void)thrum_call_soon(&tls->tell);
    } else if (tls->events & THRUM_CARRIER_READ) {
        stream_carrier_tell(above->outer, THRUM_CARRIER_READ);
    } else {
        stream_unwatch(above->inner);
    }
}

void tls_pumped(stream_above *above)
{
    tls_link *tls = (tls_link *)(void *)above;
    if (tls->flags & TLS_SENDING)
        return;
    if (stream_over(above->outer)) /* TLS in TLS: who waits there until everything has left */
        tls_pumped(above->outer->above);
    if (!(tls->flags & TLS_FINISHING))
        tls_look(tls);
    else if (!thrum_handle_pending(&tls->tell))
        (void)thrum_call_soon(&tls->tell);
}

static void tls_watch(void *link, unsigned events)
{
    tls_link *tls = (tls_link *)link;
    thrum_stream *inner = tls->above.inner;
    tls->events = events;
    if (!(inner->flags & STREAM_CLOSED)) {
        if (events & THRUM_CARRIER_READ)
            stream_watch(inner);
        else if (!(tls->flags & TLS_FINISHING))
            stream_unwatch(inner);
    }
    tls_look(tls);
}

/* ---- the end ---- */

static void tls_end(void *link)
{
    tls_link *tls = (tls_link *)link;
    thrum_stream *inner = tls->above.inner, *outer = tls->above.outer;
    if (tls->flags & TLS_ENDED || !(tls->flags & TLS_ESTABLISHED))
        return;
    tls->flags |= TLS_ENDED | TLS_MORE;
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl); /* an error of it has no consequence but that the peer sees no close_notify */
    ERR_clear_error();
    tls->flags &= ~(uint32_t)TLS_MORE;
    tls_flush(tls);
    /* A peer that does not see the end of the output may wait for it for ever: who flushes it hears of that. */
    if (inner->write_error && !outer->write_error && !(outer->flags & (STREAM_CLOSING | STREAM_TRANSPORT)))
        stream_output_failed(outer, inner->write_error);
}

/* What comes now is dropped, but not for ever. */
static bool drop_input(tls_link *tls)
{
    char nowhere[TLS_RECORD]; /* not the loop's scratch memory: a protocol may just be looking at what lies there */
    for (;;) {
        intptr_t got = tls_receive(tls, nowhere, sizeof nowhere);
        if (got == STREAM_AGAIN)
            return false;
        if (got <= 0)
            return true;
        tls->dropped += (size_t)got;
        if (tls->dropped >= TLS_DISCARDED)
            return true;
    }
}

static bool answered(tls_link *tls)
{
    thrum_stream *inner = tls->above.inner, *outer = tls->above.outer;
    if (inner->write_error) {
        outer->lost += inner->lost;
        outer->loss = outer->lost ? inner->write_error : outer->loss;
        return true;
    }
    if (inner->flags & STREAM_CLOSED)
        return true;
    if (tls_unsent(tls))
        return false;
    if (tls->flags & TLS_KERNEL_SEND && !tls->failure)
        (void)SSL_shutdown(tls->ssl); /* it may have had to wait until what was written had left */
    ERR_clear_error();
    if (tls->failure || drop_input(tls))
        return true;
    if (readable(tls)) {
        if (!thrum_handle_pending(&tls->tell))
            (void)thrum_call_soon(&tls->tell);
    } else {
        stream_watch(inner);
    }
    return false;
}

bool tls_finish_step(tls_link *tls)
{
    if (!answered(tls))
        return false;
    tls->flags |= TLS_ANSWERED;
    if (!(tls->above.inner->flags & STREAM_CLOSED))
        stream_unwatch(tls->above.inner);
    return true;
}

bool tls_finished(thrum_stream *stream)
{
    tls_link *tls = tls_of(stream);
    if (!tls || tls->flags & TLS_ANSWERED)
        return true;
    tls_end(tls);
    tls->flags |= TLS_FINISHING | TLS_ORDERLY;
    return tls_finish_step(tls);
}

bool tls_established(const thrum_stream *stream)
{
    const tls_link *tls = tls_of(stream);
    return tls && tls->flags & TLS_ESTABLISHED;
}

static void tls_close(void *link, bool late)
{
    tls_link *tls = (tls_link *)link;
    thrum_stream *inner = tls->above.inner;
    if (!late)
        (void)thrum_handle_cancel(&tls->tell);
    /* Else OpenSSL takes the session for spoilt. */
    SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    inner->above = NULL;
    if (late)
        inner->flags |= STREAM_FORGOTTEN;
    else if (tls->flags & TLS_ORDERLY && !(inner->flags & STREAM_CLOSED) && !tls_unsent(tls))
        stream_finish(inner);
    stream_free(inner);
    pool_give(&thrum_state_here()->pool, tls, sizeof *tls, POOL_OTHER);
}

static void tls_address(const void *link, bool peer, char *text, size_t room)
{
    const tls_link *tls = (const tls_link *)link;
    if (peer)
        (void)thrum_stream_peername(tls->above.inner, text, room);
    else
        (void)thrum_stream_sockname(tls->above.inner, text, room);
}

const thrum_carrier tls_carrier = {
    .size = sizeof tls_carrier,
    .name = "TLS",
    .receive = tls_receive,
    .send = tls_send,
    .end = tls_end,
    .close = tls_close,
    .watch = tls_watch,
    .address = tls_address,
    .extra_info = tls_extra_info,
};

#endif
