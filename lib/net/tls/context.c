/* Contexts: OpenSSL's SSL_CTX with what is safe as its default. */
#include "net/tls/link.h"

#if THRUM_TLS

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With forward secrecy and authenticated encryption, then what older peers have. */
static const char CIPHERS[] =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:!aNULL:!eNULL:!SHA1:!AESCCM";

/* ---- its life is that of the SSL_CTX ---- */

static int context_index = -1;

static void context_gone(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long number, void *argument)
{
    thrum_tls_context *context = (thrum_tls_context *)pointer;
    (void)parent, (void)data, (void)index, (void)number, (void)argument;
    if (!context)
        return;
    if (context->key_log >= 0)
        (void)close(context->key_log);
    free(context->protocols);
    free(context);
}

static void make_index(void)
{
    context_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, context_gone);
}

thrum_tls_context *tls_context_of(const SSL_CTX *ssl)
{
    return (thrum_tls_context *)SSL_CTX_get_ex_data(ssl, context_index);
}

thrum_tls_context *thrum_tls_context_retain(thrum_tls_context *context)
{
    if (context)
        (void)SSL_CTX_up_ref(context->ssl);
    return context;
}

void thrum_tls_context_release(thrum_tls_context *context)
{
    if (context)
        SSL_CTX_free(context->ssl);
}

void *thrum_tls_context_object(const thrum_tls_context *context)
{
    return context->ssl;
}

static int context_open(thrum_tls_context **made)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static atomic_uintptr_t numbers;
    (void)pthread_once(&once, make_index);
    thrum_tls_context *context = (thrum_tls_context *)calloc(1, sizeof *context);
    if (!context)
        return THRUM_ENOMEM;
    context->key_log = -1;
    context->number = atomic_fetch_add(&numbers, 1) + 1;
    context->ssl = context_index >= 0 ? SSL_CTX_new(TLS_method()) : NULL;
    if (!context->ssl || SSL_CTX_set_ex_data(context->ssl, context_index, context) != 1) {
        SSL_CTX_free(context->ssl);
        free(context);
        return THRUM_ENOMEM;
    }
    *made = context;
    return 0;
}

/* ---- settings ---- */

static int version_number(thrum_tls_version version, int otherwise)
{
    static const int numbers[] = {0, TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    return version == THRUM_TLS_DEFAULT ? otherwise : numbers[version];
}

static bool sensible(const thrum_tls_options *options)
{
    if ((unsigned)options->verify > THRUM_TLS_VERIFY_REQUIRED || (unsigned)options->lowest > THRUM_TLS_1_3 ||
        (unsigned)options->highest > THRUM_TLS_1_3 || (options->highest && options->lowest > options->highest))
        return false;
    bool trust = options->trust_file || options->trust_folder || options->trust || options->system_trust;
    bool certificate = options->certificate_file || options->certificate;
    if (!certificate && (options->key_file || options->key))
        return false;
    if (!options->server)
        return options->verify != THRUM_TLS_VERIFY_OPTIONAL && !options->choose;
    /* A server that verifies says whom it trusts: every client that some authority of the world knows is nobody. */
    return options->verify < THRUM_TLS_VERIFY_OPTIONAL || trust;
}

static int verify_mode(const thrum_tls_options *options)
{
    switch (options->verify) {
    case THRUM_TLS_VERIFY_NONE:
        return SSL_VERIFY_NONE;
    case THRUM_TLS_VERIFY_OPTIONAL:
        return SSL_VERIFY_PEER;
    case THRUM_TLS_VERIFY_REQUIRED:
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    default:
        return options->server ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
    }
}

static int set_protocol(SSL_CTX *ssl, const thrum_tls_options *options)
{
    uint64_t flags = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE;
    if (options->no_tickets || options->no_resumption)
        flags |= SSL_OP_NO_TICKET;
    if (options->allow_truncation)
        flags |= SSL_OP_IGNORE_UNEXPECTED_EOF;
    if (options->kernel)
        flags |= SSL_OP_ENABLE_KTLS;
    (void)SSL_CTX_set_options(ssl, flags);
    (void)SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_default_read_buffer_len(ssl, TLS_HIGH);
    if (SSL_CTX_set_min_proto_version(ssl, version_number(options->lowest, TLS1_2_VERSION)) != 1 ||
        SSL_CTX_set_max_proto_version(ssl, version_number(options->highest, 0)) != 1)
        return tls_failed_in("set versions");
    if (SSL_CTX_set_cipher_list(ssl, options->ciphers ? options->ciphers : CIPHERS) != 1 ||
        (options->suites && SSL_CTX_set_ciphersuites(ssl, options->suites) != 1))
        return tls_failed_in("set ciphers");
    return 0;
}

static int set_sessions(SSL_CTX *ssl, const thrum_tls_options *options)
{
    static const unsigned char id[] = "thrum";
    if (!options->server) {
        (void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        return 0;
    }
    (void)SSL_CTX_set_session_cache_mode(ssl, options->no_resumption ? SSL_SESS_CACHE_OFF : SSL_SESS_CACHE_SERVER);
    if (options->no_resumption)
        (void)SSL_CTX_set_num_tickets(ssl, 0);
    return SSL_CTX_set_session_id_context(ssl, id, sizeof id - 1) == 1 ? 0 : tls_failed_in("set sessions");
}

/* ---- making one ---- */

static int fill(thrum_tls_context *context, const thrum_tls_options *options)
{
    SSL_CTX *ssl = context->ssl;
    int error = set_protocol(ssl, options);
    context->server = options->server;
    context->any_host = options->any_host;
    context->kernel = options->kernel;
    SSL_CTX_set_verify(ssl, verify_mode(options), NULL);
    if (!error)
        error = set_sessions(ssl, options);
    if (!error && verify_mode(options) != SSL_VERIFY_NONE)
        error = tls_trust(ssl, options, options->server);
    if (!error && (options->certificate_file || options->certificate))
        error = tls_certify(ssl, options);
    return error ? error : tls_set_choices(context, options);
}

static int copy_options(thrum_tls_options *options, const thrum_tls_options *given)
{
    memset(options, 0, sizeof *options);
    if (given) {
        if (given->size < sizeof given->size || given->size > sizeof *options)
            return THRUM_EINVAL;
        memcpy(options, given, given->size);
    }
    return 0;
}

int thrum_tls_context_new(thrum_tls_context **context, const thrum_tls_options *options)
{
    thrum_tls_options checked;
    tls_problem_clear();
    *context = NULL;
    if (copy_options(&checked, options) || !sensible(&checked))
        return tls_failed(THRUM_EINVAL, 0, "tls context", "options that contradict each other");
    thrum_tls_context *made;
    int error = context_open(&made);
    if (error)
        return tls_failed(error, 0, "tls context", "out of memory");
    error = fill(made, &checked);
    ERR_clear_error();
    if (error)
        thrum_tls_context_release(made);
    else
        *context = made;
    return error;
}

int thrum_tls_context_add_certificate(thrum_tls_context *context, const thrum_tls_options *options)
{
    thrum_tls_options checked;
    tls_problem_clear();
    if (copy_options(&checked, options) || !(checked.certificate_file || checked.certificate))
        return tls_failed(THRUM_EINVAL, 0, "add certificate", "there is no certificate");
    int error = tls_certify(context->ssl, &checked);
    ERR_clear_error();
    return error;
}

#endif
