/* What a context has to say while hands are shaken: by which name it is asked, which protocol goes inside, and whom
 * the key material is told to. */
#include "net/tls/link.h"

#if THRUM_TLS

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* ---- names ---- */

/* SSL_set_SSL_CTX() takes over certificates and callbacks; whom to trust and how is the connection's own. */
static void change_context(SSL *ssl, const thrum_tls_context *chosen)
{
    (void)SSL_set_SSL_CTX(ssl, chosen->ssl);
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(chosen->ssl), SSL_get_verify_callback(ssl));
    (void)SSL_set1_verify_cert_store(ssl, SSL_CTX_get_cert_store(chosen->ssl));
    const STACK_OF(X509_NAME) *names = SSL_CTX_get_client_CA_list(chosen->ssl);
    SSL_set_client_CA_list(ssl, names ? SSL_dup_CA_list(names) : NULL);
    (void)SSL_clear_options(ssl, SSL_get_options(ssl) & ~SSL_CTX_get_options(chosen->ssl));
    (void)SSL_set_options(ssl, SSL_CTX_get_options(chosen->ssl));
}

static int choose_name(SSL *ssl, int *alert, void *argument)
{
    thrum_tls_context *context = (thrum_tls_context *)argument, *chosen = context;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    if (context->choose(context->choose_context, name, &chosen) < 0 || !chosen || !chosen->server)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    if (chosen != context)
        change_context(ssl, chosen);
    return name ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* ---- protocols ---- */

/* The server's favourite of those that the client knows. With none in common it goes on without, as Python does. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *offered,
                           unsigned offered_size, void *argument)
{
    const thrum_tls_context *context = (const thrum_tls_context *)argument;
    unsigned char *found;
    (void)ssl;
    if (!offered_size || SSL_select_next_proto(&found, size, context->protocols, context->protocols_size, offered,
                                               offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = found;
    return SSL_TLSEXT_ERR_OK;
}

static int set_protocols(thrum_tls_context *context, const thrum_tls_options *options)
{
    enum { LONGEST = 255, ALL = 65535 };
    size_t size = 0;
    for (size_t i = 0; i < options->protocol_count; i++) {
        size_t length = strlen(options->protocols[i]);
        if (!length || length > LONGEST)
            return tls_failed(THRUM_EINVAL, 0, "set protocols", "names of protocols have 1 to 255 bytes");
        size += 1 + length;
    }
    if (!size)
        return 0;
    if (size > ALL)
        return tls_failed(THRUM_EINVAL, 0, "set protocols", "too many protocols");
    unsigned char *at = context->protocols = (unsigned char *)malloc(size);
    if (!at)
        return tls_failed(THRUM_ENOMEM, 0, "set protocols", "out of memory");
    for (size_t i = 0; i < options->protocol_count; i++) {
        size_t length = strlen(options->protocols[i]);
        *at++ = (unsigned char)length;
        memcpy(at, options->protocols[i], length);
        at += length;
    }
    context->protocols_size = (unsigned)size;
    if (options->server)
        SSL_CTX_set_alpn_select_cb(context->ssl, choose_protocol, context);
    else if (SSL_CTX_set_alpn_protos(context->ssl, context->protocols, context->protocols_size) != 0)
        return tls_failed_in("set protocols");
    return 0;
}

/* ---- key material ---- */

static void log_key(const SSL *ssl, const char *line)
{
    const thrum_tls_context *context = tls_context_of(SSL_get_SSL_CTX(ssl));
    if (context->key_line)
        context->key_line(context->key_line_context, line);
    if (context->key_log >= 0) {
        struct iovec pieces[2] = {{(void *)(uintptr_t)line, strlen(line)}, {(void *)(uintptr_t) "\n", 1}};
        /* One call a line: others may append to the file. What does not go in is lost, and that is all. */
        ssize_t written = writev(context->key_log, pieces, 2);
        (void)written;
    }
}

static int set_key_log(thrum_tls_context *context, const thrum_tls_options *options)
{
    char text[THRUM_ERROR_TEXT];
    context->key_line = options->key_line;
    context->key_line_context = options->key_line_context;
    if (options->key_log_file) {
        context->key_log = open(options->key_log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (context->key_log < 0) {
            int why = errno;
            (void)snprintf(text, sizeof text, "%s: %.30s", strerror(why), options->key_log_file);
            return tls_failed(-why, why, "key log", text);
        }
    }
    if (options->key_line || options->key_log_file)
        SSL_CTX_set_keylog_callback(context->ssl, log_key);
    return 0;
}

int tls_set_choices(thrum_tls_context *context, const thrum_tls_options *options)
{
    if (options->choose) {
        context->choose = options->choose;
        context->choose_context = options->choose_context;
        (void)SSL_CTX_set_tlsext_servername_callback(context->ssl, choose_name);
        (void)SSL_CTX_set_tlsext_servername_arg(context->ssl, context);
    }
    int error = set_protocols(context, options);
    return error ? error : set_key_log(context, options);
}

#endif
