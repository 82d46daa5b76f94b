/* A TLS connection as the files of this folder see it: a carrier whose link has OpenSSL's side of it and the inner
 * stream. OpenSSL reads and writes through bio.c, right from and to the inner stream. */
#ifndef THRUM_NET_TLS_LINK_H
#define THRUM_NET_TLS_LINK_H

#include "net/tls/above.h" /* in any case: a file that comes to nothing else declares something */

#if THRUM_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <thrum/carriers.h>
#include <thrum/tls.h>

#include "net/stream_output.h"

enum {
    TLS_RECORD = 16384,     /* bytes of one at most */
    TLS_HIGH = 65536,       /* ciphertext that waits for the system: more is not made */
    TLS_DISCARDED = 1 << 20 /* what is received while a stream closes, at most */
};

enum {
    TLS_ESTABLISHED = 0x0001, /* the handshake is over */
    TLS_SERVER = 0x0002,
    TLS_ENDED = 0x0004,       /* a close_notify was sent */
    TLS_FINISHING = 0x0008,   /* the outer stream closes: waits for the peer's */
    TLS_ORDERLY = 0x0010,     /* what was sent last is to reach the peer */
    TLS_DRY = 0x0020,         /* the inner stream gave all it had: not asked again in this call */
    TLS_STUCK = 0x0040,       /* OpenSSL can do nothing with what it has: until more comes */
    TLS_MORE = 0x0080,        /* more follows in this step: ciphertext is collected */
    TLS_SENDING = 0x0100,     /* on the stack: the outer stream's own pump */
    TLS_REFUSED = 0x0200,     /* the peer's certificate was */
    TLS_KERNEL_SEND = 0x0400, /* the kernel encrypts */
    TLS_ANSWERED = 0x0800     /* the peer has, or never will */
};

typedef struct tls_link {
    stream_above above; /* first */
    SSL *ssl;
    unsigned events; /* that the outer stream wants to be told of */
    uint32_t flags;
    thrum_handle tell;
    int failure;    /* why TLS is at its end; 0: it is not */
    size_t dropped; /* bytes that came while the stream closed */
    int verify;     /* why the certificate was refused, how far up the chain, and whose it is */
    int depth;
    int record; /* the kernel's: type of the record that follows, 0: data */
    char subject[40];
    char protocol[256]; /* by ALPN, as text */
    char problem[THRUM_ERROR_TEXT];
} tls_link;

static inline tls_link *tls_of(const thrum_stream *stream)
{
    return stream->flags & STREAM_TLS ? (tls_link *)stream_link(stream) : NULL;
}

static inline size_t tls_unsent(const tls_link *tls)
{
    const thrum_stream *inner = tls->above.inner;
    return buffer_size(inner->output) + stream_below(inner);
}

/* ---- bio.c ---- */

/* Give a connection its two directions. False: no memory. */
bool tls_attach(tls_link *tls);

/* Send what was collected. */
void tls_flush(tls_link *tls);

/* ---- kernel.c ---- */

/* Give the system the keys of what is sent. False: it does not take them, and nothing has changed. */
bool tls_kernel_begin(tls_link *tls, const void *keys);

/* Send what is no data, as a record of the type tls->record: how much, STREAM_AGAIN, or an error. */
long tls_kernel_control(const tls_link *tls, const char *data, size_t size);

/* ---- link.c ---- */

extern const thrum_carrier tls_carrier;

/* See to it that the outer stream is told of what is possible. */
void tls_look(tls_link *tls);
void tls_tell(thrum_handle *handle);

/* A step of the end; true: it has come. */
bool tls_finish_step(tls_link *tls);

/* ---- failures.c ---- */

/* Turn what a call of OpenSSL gave, `result`, into an error, and empty its queue: STREAM_AGAIN, 0 at the end of the
 * input, or an error of which tls->problem says more. */
int tls_outcome(tls_link *tls, int result);

extern THRUM_PER_THREAD_ char tls_last_problem[THRUM_ERROR_TEXT];

/* The queue of this thread is empty before each call, since every failure empties it; but for what the program left
 * there by calls of its own. To empty it again takes ten times as long as to look. */
static inline void tls_forget_errors(void)
{
    if (THRUM_UNLIKELY_(ERR_peek_error() != 0))
        ERR_clear_error();
}

/* For calls without a connection: note what OpenSSL's queue says, or `text`, for thrum_tls_problem() and the detail.
 * Gives `code`. */
int tls_failed(int code, int system, const char *operation, const char *text);
int tls_failed_in(const char *operation);
void tls_problem_clear(void);

/* ---- info.c ---- */

/* The connection; or an error: there is none to ask. */
int tls_ask(const thrum_stream *stream, tls_link **tls);

int tls_extra_info(const void *link, const char *name, void *to, size_t room);

/* ---- sessions.c ---- */

/* Have a connection resume a session, after its host was set. 0; or THRUM_EINVAL: it is not for this one, and
 * tls_last_problem says why. */
int tls_session_use(SSL *ssl, const thrum_tls_context *context, SSL_SESSION *session);

/* ---- handshake.c ---- */

/* Shake hands. Failed, cancelled or never begun, it ends the stream. */
thrum_awaitable tls_handshake(thrum_stream *stream) THRUM_MUST_USE_;

/* ---- wrap.c ---- */

/* Put TLS on a stream. 0; or an error, and the stream is as it was, or shut where its descriptor is not watched any
 * more. */
int tls_wrap(thrum_stream *stream, thrum_tls_context *context, const thrum_tls_start_options *options);

/* ---- context.c ---- */

/* It lives as long as its SSL_CTX, whose references are its own. */
struct thrum_tls_context {
    SSL_CTX *ssl;
    uintptr_t number; /* never 0, and never that of another one, also of one that is gone */
    bool server, any_host, kernel;
    unsigned char *protocols; /* as ALPN has them on the wire */
    unsigned protocols_size;
    thrum_tls_choose *choose;
    void *choose_context;
    thrum_tls_key_line *key_line;
    void *key_line_context;
    int key_log; /* descriptor, or -1 */
};

thrum_tls_context *tls_context_of(const SSL_CTX *ssl);

/* ---- credentials.c ---- */

int tls_trust(SSL_CTX *ssl, const thrum_tls_options *options, bool server);
int tls_certify(SSL_CTX *ssl, const thrum_tls_options *options);

/* ---- choosing.c ---- */

/* The callbacks for names, protocols and key lines. */
int tls_set_choices(thrum_tls_context *context, const thrum_tls_options *options);

#endif
#endif
