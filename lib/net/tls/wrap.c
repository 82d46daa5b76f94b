/* Going over to TLS: the stream stays where it is, and what it stood on, descriptor or carrier, goes with its buffers
 * to a stream under it. */
#include <thrum/async.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <thrum/timeouts.h>

#include "core/state.h"
#include "net/tls/link.h"

#if THRUM_TLS

#include <openssl/x509v3.h>

/* ---- OpenSSL's side ---- */

static int note_verification(int ok, X509_STORE_CTX *store)
{
    if (ok)
        return ok;
    SSL *ssl = (SSL *)X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    tls_link *tls = (tls_link *)SSL_get_app_data(ssl);
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    char name[64] = "?";
    tls->flags |= TLS_REFUSED;
    tls->verify = X509_STORE_CTX_get_error(store);
    tls->depth = X509_STORE_CTX_get_error_depth(store);
    if (certificate)
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    (void)snprintf(tls->subject, sizeof tls->subject, "CN=%.36s", name);
    return ok;
}

/* The name to ask for and to find: an address is not asked for. */
static bool set_host(SSL *ssl, const char *host, bool any_host)
{
    unsigned char address[sizeof(struct in6_addr)];
    char name[256];
    size_t length = strcspn(host, "%");
    if (length >= sizeof name)
        return false;
    memcpy(name, host, length);
    name[length] = '\0';
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return any_host || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    if (length && name[length - 1] == '.')
        name[length - 1] = '\0';
    return SSL_set_tlsext_host_name(ssl, name) == 1 && (any_host || SSL_set1_host(ssl, name) == 1);
}

static int open_ssl(tls_link *tls, const thrum_tls_context *context, const thrum_tls_start_options *options)
{
    tls->ssl = SSL_new(context->ssl);
    if (!tls->ssl || !SSL_set_app_data(tls->ssl, tls) || !tls_attach(tls))
        return THRUM_ENOMEM;
    SSL_set_verify(tls->ssl, SSL_CTX_get_verify_mode(context->ssl), note_verification);
    if (options->server_side) {
        SSL_set_accept_state(tls->ssl);
        tls->flags |= TLS_SERVER;
        return 0;
    }
    SSL_set_connect_state(tls->ssl);
    SSL_set_hostflags(tls->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (options->server_hostname && options->server_hostname[0] &&
        !set_host(tls->ssl, options->server_hostname, context->any_host))
        return THRUM_EINVAL;
    SSL_SESSION *session = (SSL_SESSION *)(uintptr_t)options->session;
    return session ? tls_session_use(tls->ssl, context, session) : 0;
}

/* ---- the stream under it ---- */

static int refused(const thrum_stream *stream)
{
    if (stream->flags & STREAM_CLOSING)
        return THRUM_ECLOSED;
    if (stream->flags & STREAM_FED)
        return THRUM_EINVAL;
    if (stream->flags & STREAM_WRITE_EOF)
        return THRUM_ESTATE;
    return stream->reader ? THRUM_EBUSY : stream->write_error;
}

/* What the outer stream stood on, and what it has received, is the inner one's now. It hangs in no list: the outer one
 * closes it. */
static int move_down(thrum_stream *stream, thrum_stream *inner)
{
    stream_unwatch(stream);
    stream_outlet_give(stream);
    *inner = *stream;
    inner->flags = STREAM_INNER | (stream->flags & (STREAM_INPUT_ENDED | STREAM_CARRIED | STREAM_TLS));
    inner->settings->streams++;
    inner->writers = NULL;
    inner->reader = NULL;
    memset(&inner->closers, 0, sizeof inner->closers);
    inner->closer.next = inner->closer.previous = &inner->closer;
    if (stream_carrier(inner)) {
        inner->in.started = false;
        if (inner->flags & STREAM_TLS)
            tls_of(inner)->above.outer = inner;
        return 0;
    }
    int descriptor = stream->in.descriptor;
    thrum_io_close(&stream->in);
    memset(&inner->in, 0, sizeof inner->in);
    inner->in.descriptor = descriptor; /* it is closed there in any case */
    return thrum_io_init(&inner->in, descriptor, THRUM_IO_READ, stream_readable);
}

int tls_wrap(thrum_stream *stream, thrum_tls_context *context, const thrum_tls_start_options *options)
{
    struct thrum_pool *pool = &thrum_state_here()->pool;
    int error = refused(stream);
    if (error)
        return error;
    tls_link *tls = (tls_link *)pool_take(pool, sizeof *tls, POOL_OTHER);
    thrum_stream *inner = (thrum_stream *)pool_take(pool, sizeof *inner, POOL_OTHER);
    if (tls)
        memset(tls, 0, sizeof *tls);
    error = tls && inner ? open_ssl(tls, context, options) : THRUM_ENOMEM;
    ERR_clear_error();
    if (!error && options->shutdown_timeout)
        error =
            stream_settings_change(stream, stream->settings->high, stream->settings->low, options->shutdown_timeout);
    if (error) {
        if (tls) {
            SSL_free(tls->ssl);
            pool_give(pool, tls, sizeof *tls, POOL_OTHER);
        }
        if (inner)
            pool_give(pool, inner, sizeof *inner, POOL_OTHER);
        return error;
    }
    stream_uncollect(stream);
    if (stream->flags & STREAM_LENT) {
        stream->flags &= ~(uint32_t)STREAM_LENT;
        buffer_trim(&stream->input);
    }
    error = move_down(stream, inner);
    inner->above = &tls->above;
    tls->above.outer = stream;
    tls->above.inner = inner;
    thrum_handle_init(&tls->tell, tls_tell, tls);
    stream->input = stream->output = NULL;
    stream->read_error = 0;
    stream->flags &= ~(uint32_t)(STREAM_INPUT_ENDED | STREAM_TRY_FIRST);
    stream->flags |= STREAM_TLS | STREAM_WHOLE;
    stream_carry(stream, &tls_carrier, tls);
    if (error)
        stream_shut(stream, 0);
    return error;
}

/* ---- the call ---- */

enum { HANDSHAKE_SECONDS = 60 };

static ASYNC(go_over,
             ARGS((thrum_stream *, stream), (thrum_tls_context *, context), (thrum_tls_start_options, options)),
             LOCALS(int error;), ON_DROP(thrum_tls_context_release(self->context);))
{
    char text[THRUM_ERROR_TEXT];
    ASYNC_BEGIN;
    AWAIT(thrum_stream_flush(self->stream));
    tls_problem_clear();
    self->error = tls_wrap(self->stream, self->context, &self->options);
    if (self->error)
        ASYNC_RAISE(thrum_error_set(self->error, 0, "start_tls", 0, thrum_tls_problem()));
    AWAIT_CATCH(self->error, thrum_timeout(self->options.handshake_timeout, tls_handshake(self->stream)));
    if (self->error == THRUM_ETIMEDOUT) {
        (void)snprintf(text, sizeof text, "the TLS handshake took longer than %g s",
                       (double)self->options.handshake_timeout / (double)THRUM_SECONDS(1));
        ASYNC_RAISE(thrum_error_set(THRUM_ETIMEDOUT, 0, "handshake", 0, text));
    }
    if (self->error)
        ASYNC_RAISE(self->error);
FINALLY:
    thrum_tls_context_release(self->context);
    ASYNC_END;
}

bool tls_serves(const thrum_tls_context *context)
{
    return context->server;
}

bool tls_unnamed(const thrum_tls_context *context, const thrum_tls_start_options *options)
{
    return !context->server && !options->server_side && !options->server_hostname && !context->any_host &&
           SSL_CTX_get_verify_mode(context->ssl) != SSL_VERIFY_NONE;
}

thrum_awaitable thrum_start_tls_with(thrum_stream *stream, thrum_tls_context *context,
                                     const thrum_tls_start_options *options)
{
    thrum_tls_start_options checked;
    memset(&checked, 0, sizeof checked);
    if (options) {
        if (options->size < sizeof options->size || options->size > sizeof checked)
            return thrum_awaitable_failing(THRUM_EINVAL);
        memcpy(&checked, options, options->size);
    }
    if (!context || context->server != checked.server_side || checked.handshake_timeout < 0 ||
        checked.shutdown_timeout < 0 || stream->flags & STREAM_FED || tls_unnamed(context, &checked))
        return thrum_awaitable_failing(THRUM_EINVAL);
    if (!checked.handshake_timeout)
        checked.handshake_timeout = THRUM_SECONDS(HANDSHAKE_SECONDS);
    return go_over(stream, thrum_tls_context_retain(context), checked);
}

thrum_awaitable thrum_start_tls(thrum_stream *stream, thrum_tls_context *context, bool server_side,
                                const char *server_hostname)
{
    const thrum_tls_start_options options = {
        .size = sizeof options, .server_side = server_side, .server_hostname = server_hostname};
    return thrum_start_tls_with(stream, context, &options);
}

#endif
