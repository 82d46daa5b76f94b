#include "certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY = 86400 };

static void must(bool fine, const char *what)
{
    if (fine)
        return;
    (void)fprintf(stderr, "certificates: %s\n", what);
    ERR_print_errors_fp(stderr);
    abort();
}

static void extend(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    must(extension && X509_add_ext(certificate, extension, -1) == 1, value);
    X509_EXTENSION_free(extension);
}

static char *text_of(BIO *bio, size_t *size)
{
    char *text;
    *size = (size_t)BIO_get_mem_data(bio, &text);
    char *copy = (char *)malloc(*size + 1);
    must(copy != NULL, "memory");
    memcpy(copy, text, *size);
    copy[*size] = '\0';
    BIO_free(bio);
    return copy;
}

static void write_pem(identity *one, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());
    must(PEM_write_bio_X509(bio, (X509 *)one->own) == 1, "certificate");
    one->certificate = text_of(bio, &one->certificate_size);
    bio = BIO_new(BIO_s_mem());
    const identity *above = one;
    do
        must(PEM_write_bio_X509(bio, (X509 *)above->own) == 1, "chain");
    while ((above = above->issuer) != NULL && above->issuer);
    one->chain = text_of(bio, &one->chain_size);
    bio = BIO_new(BIO_s_mem());
    must(PEM_write_bio_PKCS8PrivateKey(bio, (EVP_PKEY *)one->key, password ? EVP_aes_256_cbc() : NULL, password,
                                       password ? (int)strlen(password) : 0, NULL, NULL) == 1,
         "key");
    one->secret = text_of(bio, &one->secret_size);
}

identity *identity_make(const identity_options *options)
{
    static long serial = 1000;
    identity *one = (identity *)calloc(1, sizeof *one);
    must(one != NULL, "memory");
    one->issuer = options->issuer;
    EVP_PKEY *key = options->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    one->key = key;
    one->own = certificate;
    must(key && certificate, "key");
    X509 *issuer = options->issuer ? (X509 *)options->issuer->own : certificate;
    bool dated = options->from || options->until;
    must(X509_set_version(certificate, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial) == 1 &&
             X509_gmtime_adj(X509_getm_notBefore(certificate), dated ? options->from : -DAY) != NULL &&
             X509_gmtime_adj(X509_getm_notAfter(certificate), dated ? options->until : DAY) != NULL &&
             X509_set_pubkey(certificate, key) == 1,
         "fields");
    X509_NAME *name = X509_get_subject_name(certificate);
    must(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"thrum", -1, -1, 0) == 1 &&
             X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)options->name, -1, -1, 0) ==
                 1 &&
             X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1,
         "names");
    extend(certificate, issuer, NID_basic_constraints, options->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    extend(certificate, issuer, NID_subject_key_identifier, "hash");
    if (options->names)
        extend(certificate, issuer, NID_subject_alt_name, options->names);
    must(X509_sign(certificate, options->issuer ? (EVP_PKEY *)options->issuer->key : key, EVP_sha256()) > 0, "sign");
    write_pem(one, options->password);
    return one;
}

void identity_release(identity *one)
{
    if (!one)
        return;
    EVP_PKEY_free((EVP_PKEY *)one->key);
    X509_free((X509 *)one->own);
    free(one->certificate);
    free(one->chain);
    free(one->secret);
    free(one);
}

char *pem_file(const char *first, const char *second)
{
    char *name = strdup("/tmp/thrum-tls-XXXXXX");
    int file = name ? mkstemp(name) : -1;
    must(file >= 0, "file");
    must(write(file, first, strlen(first)) == (ssize_t)strlen(first), "write");
    if (second)
        must(write(file, second, strlen(second)) == (ssize_t)strlen(second), "write");
    (void)close(file);
    return name;
}
