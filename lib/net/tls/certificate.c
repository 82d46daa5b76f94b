/* The peer's certificate in plain C: everything in one piece of memory. */
#include "net/tls/link.h"

#if THRUM_TLS

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the fields as text, each put behind the last one ---- */

static void put_name(BIO *to, const X509_NAME *name)
{
    (void)X509_NAME_print_ex(to, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    (void)BIO_write(to, "", 1);
}

static void put_common_name(BIO *to, const X509_NAME *name)
{
    char text[256] = "";
    (void)X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof text);
    (void)BIO_write(to, text, (int)strlen(text) + 1);
}

static void put_hexadecimal(BIO *to, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        (void)BIO_printf(to, "%02X", bytes[i]);
    (void)BIO_write(to, "", 1);
}

static void put_serial(BIO *to, const X509 *certificate)
{
    (void)i2a_ASN1_INTEGER(to, X509_get0_serialNumber(certificate));
    (void)BIO_write(to, "", 1);
}

static void put_fingerprint(BIO *to, const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    (void)X509_digest(certificate, EVP_sha256(), digest, &size);
    put_hexadecimal(to, digest, size);
}

/* A name with a NUL in it must not look like a shorter one: such a one is left out. */
static bool put_string(BIO *to, const char *kind, const ASN1_STRING *string)
{
    const char *text = (const char *)ASN1_STRING_get0_data(string);
    int size = ASN1_STRING_length(string);
    if (size <= 0 || memchr(text, 0, (size_t)size))
        return false;
    (void)BIO_printf(to, "%s:%.*s", kind, size, text);
    (void)BIO_write(to, "", 1);
    return true;
}

static bool put_address(BIO *to, const ASN1_STRING *string)
{
    char text[INET6_ADDRSTRLEN];
    int size = ASN1_STRING_length(string);
    if ((size != 4 && size != 16) ||
        !inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(string), text, sizeof text))
        return false;
    (void)BIO_printf(to, "IP:%s", text);
    (void)BIO_write(to, "", 1);
    return true;
}

static bool put_general_name(BIO *to, const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DNS:
        return put_string(to, "DNS", name->d.dNSName);
    case GEN_EMAIL:
        return put_string(to, "email", name->d.rfc822Name);
    case GEN_URI:
        return put_string(to, "URI", name->d.uniformResourceIdentifier);
    case GEN_IPADD:
        return put_address(to, name->d.iPAddress);
    default:
        return false;
    }
}

static size_t put_names(BIO *to, const X509 *certificate)
{
    size_t count = 0;
    GENERAL_NAMES *names = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        count += put_general_name(to, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    return count;
}

/* Days since 1970-01-01 of a day in the Gregorian calendar. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t seconds(const ASN1_TIME *time)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return 0;
    return days(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday) * 86400 + parts.tm_hour * 3600 +
           parts.tm_min * 60 + parts.tm_sec;
}

/* ---- all of it ---- */

typedef struct whole {
    thrum_tls_certificate public; /* first */
    const char *names[];          /* then the texts, then DER */
} whole;

static thrum_tls_certificate *make(X509 *certificate, BIO *texts)
{
    put_name(texts, X509_get_subject_name(certificate));
    put_name(texts, X509_get_issuer_name(certificate));
    put_common_name(texts, X509_get_subject_name(certificate));
    put_serial(texts, certificate);
    put_fingerprint(texts, certificate);
    size_t count = put_names(texts, certificate);
    char *text;
    long size = BIO_get_mem_data(texts, &text);
    int der = i2d_X509(certificate, NULL);
    if (size <= 0 || der <= 0)
        return NULL;
    whole *made = (whole *)calloc(1, sizeof *made + count * sizeof *made->names + (size_t)size + (size_t)der);
    if (!made)
        return NULL;
    char *at = (char *)(made->names + count);
    const char **fields[] = {&made->public.subject, &made->public.issuer, &made->public.common_name,
                             &made->public.serial, &made->public.fingerprint};
    memcpy(at, text, (size_t)size);
    unsigned char *bytes = (unsigned char *)at + size;
    made->public.der = bytes;
    made->public.der_size = (size_t)der;
    (void)i2d_X509(certificate, &bytes);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++, at += strlen(at) + 1)
        *fields[i] = at;
    for (size_t i = 0; i < count; i++, at += strlen(at) + 1)
        made->names[i] = at;
    made->public.names = made->names;
    made->public.name_count = count;
    made->public.not_before = seconds(X509_get0_notBefore(certificate));
    made->public.not_after = seconds(X509_get0_notAfter(certificate));
    return &made->public;
}

int thrum_stream_tls_certificate(const thrum_stream *stream, thrum_tls_certificate **certificate)
{
    thrum_tls_info info;
    *certificate = NULL;
    int error = thrum_stream_tls_info(stream, &info);
    if (error)
        return error;
    X509 *shown = SSL_get1_peer_certificate(tls_of(stream)->ssl);
    if (!shown)
        return 0;
    BIO *texts = BIO_new(BIO_s_mem());
    if (texts)
        *certificate = make(shown, texts);
    BIO_free(texts);
    X509_free(shown);
    ERR_clear_error();
    return *certificate ? 0 : THRUM_ENOMEM;
}

void thrum_tls_certificate_release(thrum_tls_certificate *certificate)
{
    free(certificate);
}

#endif
