/* What went wrong: OpenSSL's queue of errors is emptied after every call, and turned into an error and a text. */
#include "net/tls/link.h"

#if THRUM_TLS

#include <errno.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "core/state.h"

THRUM_PER_THREAD_ char tls_last_problem[THRUM_ERROR_TEXT];

const char *thrum_tls_problem(void)
{
    return tls_last_problem;
}

void tls_problem_clear(void)
{
    tls_last_problem[0] = '\0';
    ERR_clear_error();
}

/* The first error of the queue is the cause, others are consequences. 0: there is none. */
static unsigned long first_error(void)
{
    unsigned long first = ERR_get_error();
    ERR_clear_error();
    return first;
}

/* Alerts of the peer have reasons from 1000 on: "sslv3 alert certificate expired", "tlsv1 unrecognized name", whatever
 * the version. */
static void describe(unsigned long error, char *text, size_t room)
{
    enum { ALERTS = 1000 };
    const char *reason = ERR_reason_error_string(error);
    const char *told = reason ? strchr(reason, ' ') : NULL;
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) >= ALERTS && told)
        (void)snprintf(text, room, "the peer refused: %s", told + (strncmp(told, " alert ", 7) ? 1 : 7));
    else if (reason)
        (void)snprintf(text, room, "%s", reason);
    else
        (void)snprintf(text, room, "error %lx of OpenSSL", error);
}

int tls_failed(int code, int system, const char *operation, const char *text)
{
    (void)snprintf(tls_last_problem, sizeof tls_last_problem, "%s", text);
    ERR_clear_error();
    return thrum_error_set(code, system, operation, 0, text);
}

int tls_failed_in(const char *operation)
{
    char text[THRUM_ERROR_TEXT];
    unsigned long error = first_error();
    describe(error, text, sizeof text);
    return tls_failed(ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? THRUM_ENOMEM : THRUM_ETLS, ERR_GET_REASON(error),
                      operation, text);
}

/* "hostname mismatch: not for 'example.org' (depth 0, CN=other.org)" */
static int refused(tls_link *tls)
{
    const char *why = X509_verify_cert_error_string(tls->verify), *host = NULL;
    X509_VERIFY_PARAM *parameters = SSL_get0_param(tls->ssl);
    char *address = NULL;
    if (tls->verify == X509_V_ERR_HOSTNAME_MISMATCH) {
        host = X509_VERIFY_PARAM_get0_host(parameters, 0);
        why = "hostname mismatch";
    } else if (tls->verify == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        host = address = X509_VERIFY_PARAM_get1_ip_asc(parameters);
        why = "IP address mismatch";
    }
    if (host)
        (void)snprintf(tls->problem, sizeof tls->problem, "%s: not for %s (depth %d, %s)", why, host, tls->depth,
                       tls->subject);
    else
        (void)snprintf(tls->problem, sizeof tls->problem, "%s (depth %d, %s)", why, tls->depth, tls->subject);
    OPENSSL_free(address);
    return THRUM_ECERTIFICATE;
}

static int failed(tls_link *tls)
{
    unsigned long error = first_error();
    if (tls->flags & TLS_REFUSED)
        return refused(tls);
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        if (tls->flags & TLS_ESTABLISHED) {
            (void)snprintf(tls->problem, sizeof tls->problem, "the peer closed the connection without close_notify");
            return THRUM_ETRUNCATED;
        }
        (void)snprintf(tls->problem, sizeof tls->problem, "the peer closed the connection during the TLS handshake");
        return -ECONNRESET;
    }
    describe(error, tls->problem, sizeof tls->problem);
    return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? THRUM_ENOMEM : THRUM_ETLS;
}

int tls_outcome(tls_link *tls, int result)
{
    const thrum_stream *inner = tls->above.inner;
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        tls->flags |= TLS_STUCK;
        return STREAM_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        return STREAM_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        /* Whose error it is: what was sent broke the connection, or what was received did. */
        if (inner->flags & STREAM_CLOSED)
            return tls->failure = THRUM_ECLOSED;
        if (inner->read_error)
            return tls->failure = inner->read_error;
        return inner->write_error ? inner->write_error : -ECONNRESET;
    default:
        return tls->failure = failed(tls);
    }
}

const char *tls_problem(const thrum_stream *stream)
{
    const tls_link *tls = tls_of(stream);
    return tls && tls->problem[0] ? tls->problem : NULL;
}

#endif
