/* Sessions: what a client keeps of a connection, so that the next one to the same server shakes hands faster. A
 * thrum_tls_session is an SSL_SESSION.
 *
 * Who resumes one verifies nothing again: what the first connection found out of the peer is believed. So a session is
 * for the context and the host that it comes from. The context stands beside it in memory alone, by a number that no
 * other context of the process ever has; the host and what verifying came to are written down with it. */
#include "net/tls/link.h"

#if THRUM_TLS

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509v3.h>

/* ---- whose it is ---- */

enum { HOST = 256 };

static int context_mark = -1;

static void make_mark(void)
{
    context_mark = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static bool marks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_mark);
    return context_mark >= 0;
}

/* Whom a connection asks for, by name or by address; "": for nobody. */
static void host_of(const SSL *ssl, char host[HOST])
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    char *address = name ? NULL : X509_VERIFY_PARAM_get1_ip_asc(SSL_get0_param((SSL *)(uintptr_t)ssl));
    (void)snprintf(host, HOST, "%s", name ? name : address ? address : "");
    OPENSSL_free(address);
}

/* OpenSSL keeps an application's bytes with a session, for servers' tickets; a client sends them to nobody. */
static void host_of_session(SSL_SESSION *session, char host[HOST])
{
    void *data = NULL;
    size_t size = 0;
    (void)SSL_SESSION_get0_ticket_appdata(session, &data, &size);
    (void)snprintf(host, HOST, "%.*s", (int)(size < HOST ? size : 0), size ? (const char *)data : "");
}

/* A session may be in use in several threads, and is marked after the fact. */
static pthread_mutex_t marking = PTHREAD_MUTEX_INITIALIZER;

static bool mark(SSL_SESSION *session, const SSL *ssl)
{
    void *number = (void *)tls_context_of(SSL_get_SSL_CTX(ssl))->number;
    char host[HOST], marked[HOST];
    if (!marks())
        return false;
    host_of(ssl, host);
    (void)pthread_mutex_lock(&marking);
    host_of_session(session, marked);
    bool done = SSL_SESSION_set_ex_data(session, context_mark, number) == 1 &&
                (!strcasecmp(host, marked) || SSL_SESSION_set1_ticket_appdata(session, host, strlen(host)) == 1);
    (void)pthread_mutex_unlock(&marking);
    return done;
}

static void read_marks(SSL_SESSION *session, const void **number, char host[HOST])
{
    (void)pthread_mutex_lock(&marking);
    *number = marks() ? SSL_SESSION_get_ex_data(session, context_mark) : NULL;
    host_of_session(session, host);
    (void)pthread_mutex_unlock(&marking);
}

/* Whether a session's certificate is for whom the connection wants: where the session comes from nobody may have
 * compared that. */
static bool is_wanted(SSL *ssl, SSL_SESSION *session)
{
    X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
    X509 *peer = SSL_SESSION_get0_peer(session);
    const char *name = X509_VERIFY_PARAM_get0_host(wanted, 0);
    char *address = name ? NULL : X509_VERIFY_PARAM_get1_ip_asc(wanted);
    bool is = !name && !address;
    if (name && peer)
        is = X509_check_host(peer, name, 0, X509_VERIFY_PARAM_get_hostflags(wanted), NULL) == 1;
    else if (address && peer)
        is = X509_check_ip_asc(peer, address, 0) == 1;
    OPENSSL_free(address);
    return is;
}

int tls_session_use(SSL *ssl, const thrum_tls_context *context, SSL_SESSION *session)
{
    const void *number;
    char host[HOST], marked[HOST];
    host_of(ssl, host);
    read_marks(session, &number, marked);
    if (number && number != (const void *)context->number)
        return tls_failed(THRUM_EINVAL, 0, "start_tls", "the TLS session is another context's");
    if (marked[0] && strcasecmp(host, marked) != 0)
        return tls_failed(THRUM_EINVAL, 0, "start_tls", "the TLS session is another host's");
    if (SSL_set_session(ssl, session) != 1)
        return tls_failed(THRUM_EINVAL, 0, "start_tls", "the TLS session cannot be used");
    if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE)
        return 0;
    if (SSL_get_verify_result(ssl) != X509_V_OK)
        return tls_failed(THRUM_EINVAL, 0, "start_tls", "the TLS session's peer was not verified");
    if (!is_wanted(ssl, session))
        return tls_failed(THRUM_EINVAL, 0, "start_tls", "the TLS session's peer is another host");
    return 0;
}

/* ---- what users call ---- */

int thrum_stream_tls_session(const thrum_stream *stream, thrum_tls_session **session)
{
    tls_link *tls;
    *session = NULL;
    int error = tls_ask(stream, &tls);
    if (error)
        return error;
    if (tls->flags & TLS_SERVER)
        return THRUM_EINVAL;
    SSL_SESSION *held = SSL_get1_session(tls->ssl);
    error = !held || !SSL_SESSION_is_resumable(held) ? THRUM_EPENDING : mark(held, tls->ssl) ? 0 : THRUM_ENOMEM;
    if (error)
        SSL_SESSION_free(held);
    else
        *session = (thrum_tls_session *)(void *)held;
    return error;
}

intptr_t thrum_tls_session_save(const thrum_tls_session *session, void *buffer, size_t room)
{
    SSL_SESSION *held = (SSL_SESSION *)(void *)(uintptr_t)session;
    unsigned char *at = (unsigned char *)buffer;
    tls_problem_clear();
    int size = i2d_SSL_SESSION(held, NULL);
    if (size <= 0)
        return tls_failed_in("session");
    if (!buffer)
        return size;
    return (size_t)size > room ? THRUM_ELIMIT : i2d_SSL_SESSION(held, &at);
}

int thrum_tls_session_load(thrum_tls_session **session, const void *data, size_t size)
{
    const unsigned char *at = (const unsigned char *)data;
    tls_problem_clear();
    *session = size <= LONG_MAX ? (thrum_tls_session *)(void *)d2i_SSL_SESSION(NULL, &at, (long)size) : NULL;
    return *session ? 0 : tls_failed_in("session");
}

void thrum_tls_session_release(thrum_tls_session *session)
{
    SSL_SESSION_free((SSL_SESSION *)(void *)session);
}

#endif
