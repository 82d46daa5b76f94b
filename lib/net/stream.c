/* Streams: how they are made and freed, and what is known of them. */
#include "net/stream_output.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <thrum/events.h>

#include "core/checks.h"
#include "core/state.h"
#include "net/server.h"

enum { DEFAULT_LIMIT = 65536 };

int stream_options_check(const thrum_stream_options *given, thrum_stream_options *options)
{
    memset(options, 0, sizeof *options);
    if (given) {
        if (given->size < sizeof given->size || given->size > sizeof *options)
            return THRUM_EINVAL;
        memcpy(options, given, given->size);
    }
    options->size = sizeof *options;
    if (!options->limit)
        options->limit = DEFAULT_LIMIT;
    if (!options->high)
        options->high = options->low ? options->low * 4 : DEFAULT_LIMIT;
    if (!options->low)
        options->low = options->high / 4;
    if (options->close_deadline <= 0)
        options->close_deadline = THRUM_SECONDS(30);
    return options->low > options->high || options->limit > SIZE_MAX / 4 ? THRUM_EINVAL : 0;
}

void stream_forget(thrum_stream *stream)
{
    if (stream->flags & STREAM_FORGOTTEN)
        return;
    bool transport = stream->flags & STREAM_TRANSPORT;
    if (!(stream->flags & STREAM_CLOSED) && !(transport && transport_is_lost(stream)))
        loop_tell_unclosed(transport ? "transport" : "stream", stream);
    stream->flags |= STREAM_FORGOTTEN;
    stream_uncollect(stream);
    if (buffer_size(stream->output) && !(stream->flags & STREAM_CLOSED))
        (void)stream_send(stream, NULL, 0, 0); /* what was written before, as far as the system takes it */
    stream_shut(stream, 0);
    stream->reader = NULL;
}

static void loop_closes(thrum_loop_closer *closer)
{
    stream_forget((thrum_stream *)(void *)((char *)closer - offsetof(thrum_stream, closer)));
}

/* ---- the list that it hangs in ---- */

static void remember(thrum_stream *stream)
{
    stream->closer.close = loop_closes;
    thrum_loop_remember(&stream->closer);
}

void stream_join_server(thrum_stream *stream, thrum_server *server)
{
    thrum_loop_forget(&stream->closer);
    stream->flags |= STREAM_CLIENT;
    stream->server = server;
    link_before(&server->clients, &stream->client);
}

void stream_leave_server(thrum_stream *stream)
{
    link_remove(&stream->client);
    stream->flags &= ~(uint32_t)STREAM_CLIENT;
    if (!(stream->flags & STREAM_FORGOTTEN))
        remember(stream);
}

/* ---- making one ---- */

/* What a stream has elsewhere. */
static int furnish(thrum_stream *stream, const thrum_carrier *carrier, int descriptor,
                   const thrum_stream_options *options, const struct sockaddr *peer)
{
    const stream_settings settings = {
        .limit = options->limit, .high = options->high, .low = options->low, .close_deadline = options->close_deadline};
    stream_collected.scratch = (char *)thrum_loop_scratch();
    if (!stream_collected.scratch)
        return thrum_loop_current() ? THRUM_ENOMEM : THRUM_ESTATE;
    stream->settings = stream_settings_take(&settings);
    if (!stream->settings || (peer && !stream_keep_peer(stream, peer)))
        return THRUM_ENOMEM;
    stream->in.descriptor = descriptor;
    return carrier ? 0 : thrum_io_init(&stream->in, descriptor, THRUM_IO_READ, stream_readable);
}

static void forget_peer(thrum_stream *stream)
{
    if (stream->flags & STREAM_PEER6)
        pool_give(&thrum_state_here()->pool, stream->peer6, sizeof *stream->peer6, POOL_OTHER);
    stream->flags &= ~(uint32_t)(STREAM_PEER4 | STREAM_PEER6);
}

static void give_furniture(thrum_stream *stream)
{
    stream_settings_give(stream->settings);
    forget_peer(stream);
    pool_give(&thrum_state_here()->pool, stream, sizeof *stream, POOL_OTHER);
}

bool stream_keep_peer(thrum_stream *stream, const struct sockaddr *peer)
{
    if (peer->sa_family == AF_INET || peer->sa_family == AF_INET6)
        forget_peer(stream);
    if (peer->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)peer;
        stream->peer4.address = in->sin_addr;
        stream->peer4.port = in->sin_port;
        stream->flags |= STREAM_PEER4;
    } else if (peer->sa_family == AF_INET6) {
        stream->peer6 = (struct sockaddr_in6 *)pool_take(&thrum_state_here()->pool, sizeof *stream->peer6, POOL_OTHER);
        if (!stream->peer6)
            return false;
        memcpy(stream->peer6, peer, sizeof *stream->peer6);
        stream->flags |= STREAM_PEER6;
    }
    return true;
}

/* What was remembered; false: nothing was. */
static bool kept_peer(const thrum_stream *stream, net_address *peer)
{
    memset(&peer->as, 0, sizeof peer->as);
    if (stream->flags & STREAM_PEER6) {
        peer->as.in6 = *stream->peer6;
        peer->size = sizeof peer->as.in6;
    } else if (stream->flags & STREAM_PEER4) {
        peer->as.in.sin_family = AF_INET;
        peer->as.in.sin_addr = stream->peer4.address;
        peer->as.in.sin_port = stream->peer4.port;
        peer->size = sizeof peer->as.in;
    } else {
        return false;
    }
    return true;
}

/* `carrier` is NULL for a socket. */
static int make(thrum_stream **made, const thrum_carrier *carrier, int descriptor, const thrum_stream_options *options,
                const struct sockaddr *peer)
{
    thrum_stream *stream = (thrum_stream *)pool_take(&thrum_state_here()->pool, sizeof *stream, POOL_OTHER);
    if (!stream)
        return THRUM_ENOMEM;
    memset(stream, 0, sizeof *stream);
    int error = furnish(stream, carrier, descriptor, options, peer);
    if (error) {
        give_furniture(stream);
        return error;
    }
    remember(stream);
    loop_count_open(LOOP_STREAMS, true);
    thrum_made_note(stream);
    thrum_loop_before_wait(stream_send_collected);
    *made = stream;
    return 0;
}

int stream_new(thrum_stream **made, int descriptor, const thrum_stream_options *options, const struct sockaddr *peer)
{
    return make(made, NULL, descriptor, options, peer);
}

int stream_new_carried(thrum_stream **made, const thrum_carrier *carrier, void *link,
                       const thrum_stream_options *options)
{
    int error = make(made, carrier, -1, options, NULL);
    if (error)
        return error;
    thrum_stream *stream = *made;
    stream_carry(stream, carrier, link);
    return 0;
}

int thrum_stream_adopt(thrum_stream **stream, int descriptor, const thrum_stream_options *options)
{
    thrum_stream_options checked;
    net_address peer;
    int kind = 0, error = stream_options_check(options, &checked);
    socklen_t size = sizeof kind;
    if (error)
        return error;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &size))
        return -errno;
    if (kind != SOCK_STREAM)
        return THRUM_EINVAL;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    peer.size = sizeof peer.as;
    if (getpeername(descriptor, &peer.as.any, &peer.size))
        peer.as.any.sa_family = AF_UNSPEC;
    else if (peer.as.any.sa_family != AF_UNIX)
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return stream_new(stream, descriptor, &checked, &peer.as.any);
}

void stream_wake_without(thrum_task *task, int error, size_t number)
{
    task->object = NULL;
    thrum_wake(&task->waiter, error, (thrum_value)number);
    task->waiter.node.error = (int32_t)error;
    task->waiter.as.value = (thrum_value)number;
}

void stream_free(thrum_stream *stream)
{
    if (stream->flags & STREAM_TRANSPORT)
        transport_orphaned(stream);
    if (!(stream->flags & STREAM_CLOSED))
        stream_shut(stream, 0);
    if (stream->reader) {
        stream_wake_without(stream->reader, THRUM_ECLOSED, 0);
        stream->reader = NULL;
    }
    buffer_free(&stream->input);
    if (!(stream->flags & STREAM_FORGOTTEN))
        thrum_loop_forget(&stream->closer);
    give_furniture(stream);
}

void thrum_stream_release(thrum_stream *stream)
{
    if (!stream)
        return;
    if (stream->flags & STREAM_SERVED)
        thrum_stream_abort(stream);
    else
        stream_free(stream);
}

int stream_fail(const thrum_stream *stream, int code, const char *operation, size_t number)
{
    char peer[THRUM_ADDRESS_TEXT] = "";
    if (stream->flags & STREAM_TLS && code <= THRUM_ETLS && code >= THRUM_ETRUNCATED && tls_problem(stream))
        return thrum_error_set(code, 0, operation, (int64_t)number, tls_problem(stream));
    (void)thrum_stream_peername(stream, peer, sizeof peer);
    return thrum_error_set(code, code > THRUM_ECANCELED ? -code : 0, operation, (int64_t)number, peer);
}

/* ---- what is known ---- */

int thrum_stream_peername(const thrum_stream *stream, char *text, size_t room)
{
    net_address peer;
    if (room)
        text[0] = '\0';
    if (kept_peer(stream, &peer)) {
        address_text(&peer.as.any, peer.size, text, room);
        return 0;
    }
    if (stream->flags & STREAM_CLOSED)
        return THRUM_ECLOSED;
    if (stream_carrier(stream)) {
        stream_carrier_address(stream, true, text, room);
        return 0;
    }
    peer.size = sizeof peer.as;
    if (getpeername(stream->in.descriptor, &peer.as.any, &peer.size))
        return -errno;
    address_text(&peer.as.any, peer.size, text, room);
    return 0;
}

int thrum_stream_sockname(const thrum_stream *stream, char *text, size_t room)
{
    net_address own;
    if (room)
        text[0] = '\0';
    if (stream->flags & STREAM_CLOSED)
        return THRUM_ECLOSED;
    if (stream_carrier(stream)) {
        stream_carrier_address(stream, false, text, room);
        return 0;
    }
    own.size = sizeof own.as;
    if (getsockname(stream->in.descriptor, &own.as.any, &own.size))
        return -errno;
    address_text(&own.as.any, own.size, text, room);
    return 0;
}

int thrum_stream_peer_port(const thrum_stream *stream)
{
    net_address peer;
    return kept_peer(stream, &peer) ? address_port(&peer.as.any) : 0;
}

int thrum_stream_descriptor(const thrum_stream *stream)
{
    if (stream->flags & STREAM_CLOSED)
        return THRUM_ECLOSED;
    while (stream->flags & STREAM_TLS)
        stream = ((const stream_above *)stream_link(stream))->inner;
    return stream_carrier(stream) ? THRUM_EUNSUPPORTED : stream->in.descriptor;
}

bool thrum_stream_at_eof(const thrum_stream *stream)
{
    return stream->flags & (STREAM_INPUT_ENDED | STREAM_CLOSING | STREAM_FED_EOF) && !stream->read_error &&
           !buffer_size(stream->input);
}

size_t thrum_stream_buffered(const thrum_stream *stream)
{
    return buffer_size(stream->input);
}

bool thrum_stream_is_closing(const thrum_stream *stream)
{
    return (stream->flags & STREAM_CLOSING) != 0;
}

int thrum_stream_get_extra_info(const thrum_stream *stream, const char *name, void *to, size_t room)
{
    if (!strcmp(name, "peername"))
        return thrum_stream_peername(stream, (char *)to, room);
    if (!strcmp(name, "sockname"))
        return thrum_stream_sockname(stream, (char *)to, room);
    if (stream->flags & STREAM_CLOSED)
        return THRUM_ECLOSED;
    if (stream_carrier(stream))
        return stream_carrier(stream)->extra_info
                   ? stream_carrier(stream)->extra_info(stream_link(stream), name, to, room)
                   : THRUM_EUNSUPPORTED;
    if (strcmp(name, "socket"))
        return THRUM_EUNSUPPORTED;
    if (room < sizeof stream->in.descriptor)
        return THRUM_EINVAL;
    memcpy(to, &stream->in.descriptor, sizeof stream->in.descriptor);
    return 0;
}
