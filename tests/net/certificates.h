/* Certificates for tests, made when they are wanted, so that none is ever out of date but on purpose. */
#ifndef TEST_NET_CERTIFICATES_H
#define TEST_NET_CERTIFICATES_H

#include <stdbool.h>
#include <stddef.h>

/* Somebody with a key and a certificate; all in PEM, `chain` is the certificate with those above it but the root. */
typedef struct identity {
    void *key, *own; /* OpenSSL's */
    const struct identity *issuer;
    char *certificate, *chain, *secret;
    size_t certificate_size, chain_size, secret_size;
} identity;

typedef struct identity_options {
    const char *name;       /* common name */
    const char *names;      /* "DNS:localhost,IP:127.0.0.1", or NULL */
    const identity *issuer; /* NULL: signs itself */
    bool authority;         /* may sign others */
    long from, until;       /* seconds from now; both 0: from yesterday until tomorrow */
    bool rsa;               /* else an elliptic curve */
    const char *password;   /* of the key, or NULL */
} identity_options;

identity *identity_make(const identity_options *options);
void identity_release(identity *one);

/* Write PEM to a new file; gives its name, which the test unlinks and frees. */
char *pem_file(const char *first, const char *second);

#endif
