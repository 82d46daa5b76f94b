/* What the files of streams know of TLS: a stream that is carried by another one. They ask for it only where a stream
 * has STREAM_TLS among its flags, or stands under such a one. Without OpenSSL none does (none.c). */
#ifndef THRUM_NET_TLS_ABOVE_H
#define THRUM_NET_TLS_ABOVE_H

#include <stdbool.h>
#include <stddef.h>

#include <thrum/streams.h>
#include <thrum/tls.h>

/* The link of the carrier begins with this. `outer` is the stream that programs have, `inner` moves its bytes. */
typedef struct stream_above {
    thrum_stream *outer, *inner;
} stream_above;

/* The inner stream may be read, or its input has ended. From the poll: wakes tasks, queues calls. */
void tls_readable(stream_above *above);

/* The inner stream was pumped: perhaps there is room, or its output is broken. */
void tls_pumped(stream_above *above);

/* Whether the handshake of an outer stream is over. */
bool tls_established(const thrum_stream *stream);

/* An outer stream closes, and has no output left: say so to the peer, and wait for its answer. False: not yet;
 * stream_finish() is called again when it has come. */
bool tls_finished(thrum_stream *stream);

/* What went wrong with TLS, for the detail of the error; NULL: nothing did. */
const char *tls_problem(const thrum_stream *stream);

/* A client that would take anybody's certificate, without having said so. */
bool tls_unnamed(const thrum_tls_context *context, const thrum_tls_start_options *options);

/* Whether a context is for the accepting end. */
bool tls_serves(const thrum_tls_context *context);

#endif
