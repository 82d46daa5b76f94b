/* What is known of a connection: what it agreed on, and the peer's certificate. */
#include "net/tls/link.h"

#if THRUM_TLS

#include <stdio.h>
#include <string.h>

int tls_ask(const thrum_stream *stream, tls_link **tls)
{
    tls_problem_clear();
    if (!(stream->flags & STREAM_TLS))
        return THRUM_EINVAL;
    if (stream->flags & STREAM_CLOSED)
        return THRUM_ECLOSED;
    *tls = tls_of(stream);
    return (*tls)->flags & TLS_ESTABLISHED ? 0 : THRUM_ESTATE;
}

int thrum_stream_tls_info(const thrum_stream *stream, thrum_tls_info *info)
{
    tls_link *tls;
    const unsigned char *protocol;
    unsigned size;
    memset(info, 0, sizeof *info);
    int error = tls_ask(stream, &tls);
    if (error)
        return error;
    info->version = SSL_get_version(tls->ssl);
    info->cipher = SSL_get_cipher_name(tls->ssl);
    info->bits = SSL_get_cipher_bits(tls->ssl, NULL);
    info->name = SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);
    info->resumed = SSL_session_reused(tls->ssl) != 0;
    info->kernel = (tls->flags & TLS_KERNEL_SEND) != 0;
    SSL_get0_alpn_selected(tls->ssl, &protocol, &size);
    if (size && size < sizeof tls->protocol) {
        memcpy(tls->protocol, protocol, size);
        tls->protocol[size] = '\0';
        info->protocol = tls->protocol;
    }
    return 0;
}

void *thrum_stream_tls_object(const thrum_stream *stream)
{
    const tls_link *tls = tls_of(stream);
    return tls ? tls->ssl : NULL;
}

thrum_tls_context *thrum_stream_tls_context(const thrum_stream *stream)
{
    const tls_link *tls = tls_of(stream);
    return tls ? tls_context_of(SSL_get_SSL_CTX(tls->ssl)) : NULL;
}

/* ---- by name ---- */

static int put_text(const char *text, char *to, size_t room)
{
    if (!text)
        return THRUM_EUNSUPPORTED;
    if (!room)
        return THRUM_EINVAL;
    (void)snprintf(to, room, "%s", text);
    return 0;
}

static int put_pointer(void *pointer, void *to, size_t room)
{
    if (room < sizeof pointer)
        return THRUM_EINVAL;
    memcpy(to, &pointer, sizeof pointer);
    return 0;
}

int tls_extra_info(const void *link, const char *name, void *to, size_t room)
{
    const tls_link *tls = (const tls_link *)link;
    const thrum_stream *outer = tls->above.outer;
    thrum_tls_certificate *certificate;
    thrum_tls_info info;
    if (!strcmp(name, "ssl_object"))
        return put_pointer(tls->ssl, to, room);
    if (!strcmp(name, "sslcontext"))
        return put_pointer(thrum_stream_tls_context(outer), to, room);
    if (!strcmp(name, "peercert")) {
        int error = room < sizeof certificate ? THRUM_EINVAL : thrum_stream_tls_certificate(outer, &certificate);
        return error ? error : put_pointer(certificate, to, room);
    }
    if (!thrum_stream_tls_info(outer, &info)) {
        if (!strcmp(name, "cipher"))
            return put_text(info.cipher, (char *)to, room);
        if (!strcmp(name, "version"))
            return put_text(info.version, (char *)to, room);
        if (!strcmp(name, "alpn"))
            return put_text(info.protocol, (char *)to, room);
    }
    return thrum_stream_get_extra_info(tls->above.inner, name, to, room);
}

#endif
