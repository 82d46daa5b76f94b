/* Certificates and keys, one's own and those that are trusted: PEM out of files and memory. */
#include "net/tls/link.h"

#if THRUM_TLS

#include <errno.h>
#include <limits.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- where PEM comes from ---- */

/* A file or a piece of memory. NULL: it cannot be opened, and `*error` says why. */
static BIO *source(const char *file, const void *data, size_t size, const char *operation, int *error)
{
    char text[THRUM_ERROR_TEXT];
    BIO *bio;
    *error = 0;
    if (!file) {
        bio = data && size <= INT_MAX ? BIO_new_mem_buf(data, (int)size) : NULL;
        if (!bio)
            *error = tls_failed(THRUM_EINVAL, 0, operation, "there is nothing to read");
        return bio;
    }
    errno = 0;
    bio = BIO_new_file(file, "r");
    if (!bio) {
        int why = errno ? errno : ENOENT;
        (void)snprintf(text, sizeof text, "%s: %.30s", strerror(why), file);
        *error = tls_failed(-why, why, operation, text);
    }
    return bio;
}

/* PEM that is read to its end leaves an error that is none. */
static bool at_end(void)
{
    unsigned long error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* Where none is known OpenSSL would ask at the terminal. */
static int no_password(char *buffer, int room, int writing, void *pointer)
{
    (void)buffer, (void)room, (void)writing, (void)pointer;
    return -1;
}

/* ---- whom to trust ---- */

static int trust_all(SSL_CTX *ssl, BIO *bio, bool server)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    X509 *certificate;
    int count = 0, error = 0;
    while (!error && (certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        if (X509_STORE_add_cert(store, certificate) != 1 || (server && SSL_CTX_add_client_CA(ssl, certificate) != 1))
            error = tls_failed_in("trust");
        X509_free(certificate);
        count++;
    }
    if (!error && !at_end())
        error = tls_failed_in("trust");
    ERR_clear_error();
    if (!error && !count)
        error = tls_failed(THRUM_ETLS, 0, "trust", "no certificate in the PEM to be trusted");
    return error;
}

static int trust_source(SSL_CTX *ssl, const char *file, const void *data, size_t size, bool server)
{
    int error;
    BIO *bio = source(file, data, size, "trust", &error);
    if (!bio)
        return error;
    error = trust_all(ssl, bio, server);
    BIO_free(bio);
    return error;
}

static int trust_folder(SSL_CTX *ssl, const char *folder)
{
    char text[THRUM_ERROR_TEXT];
    struct stat at;
    int why = stat(folder, &at) ? errno : S_ISDIR(at.st_mode) ? 0 : ENOTDIR;
    if (why) {
        (void)snprintf(text, sizeof text, "%s: %.30s", strerror(why), folder);
        return tls_failed(-why, why, "trust", text);
    }
    return SSL_CTX_load_verify_dir(ssl, folder) == 1 ? 0 : tls_failed_in("trust");
}

int tls_trust(SSL_CTX *ssl, const thrum_tls_options *options, bool server)
{
    int error = 0;
    bool own = options->trust_file || options->trust_folder || options->trust;
    if (options->trust_file)
        error = trust_source(ssl, options->trust_file, NULL, 0, server);
    if (!error && options->trust)
        error = trust_source(ssl, NULL, options->trust, options->trust_size, server);
    if (!error && options->trust_folder)
        error = trust_folder(ssl, options->trust_folder);
    if (!error && (!own || options->system_trust) && SSL_CTX_set_default_verify_paths(ssl) != 1)
        error = tls_failed_in("trust");
    return error;
}

/* ---- who one is ---- */

typedef struct asking {
    const thrum_tls_options *options;
    bool asked, refused; /* there is no password */
} asking;

static int ask_password(char *buffer, int room, int writing, void *pointer)
{
    asking *who = (asking *)pointer;
    const thrum_tls_options *options = who->options;
    (void)writing;
    int length =
        options->password && room > 0 ? options->password(options->password_context, buffer, (size_t)room) : -1;
    who->asked = true;
    who->refused = length < 0 || length > room;
    return who->refused ? -1 : length;
}

/* The first certificate is one's own, others lead from it to the root. */
static int use_chain(SSL_CTX *ssl, BIO *bio)
{
    X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, no_password, NULL);
    if (!certificate)
        return at_end() ? tls_failed(THRUM_ETLS, 0, "certificate", "no certificate in the PEM")
                        : tls_failed_in("certificate");
    int used = SSL_CTX_use_certificate(ssl, certificate);
    X509_free(certificate);
    if (used != 1 || SSL_CTX_clear_chain_certs(ssl) != 1)
        return tls_failed_in("certificate");
    while ((certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(ssl, certificate) != 1) {
            X509_free(certificate);
            return tls_failed_in("certificate");
        }
    }
    if (!at_end())
        return tls_failed_in("certificate");
    ERR_clear_error();
    return 0;
}

/* What was read is no key at all. */
static bool none_there(void)
{
    unsigned long error = ERR_peek_error();
    return at_end() || (ERR_GET_LIB(error) == ERR_LIB_OSSL_DECODER && ERR_GET_REASON(error) == ERR_R_UNSUPPORTED);
}

static int use_key(SSL_CTX *ssl, BIO *bio, const thrum_tls_options *options)
{
    asking who = {options, false, false};
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, ask_password, &who);
    if (who.refused)
        return tls_failed(THRUM_ETLS, 0, "key", "the private key is encrypted, and there is no password for it");
    if (!key && who.asked) /* a wrong one shows in many ways, all of them OpenSSL's affair */
        return tls_failed(THRUM_ETLS, 0, "key", "the private key cannot be read with this password");
    if (!key)
        return none_there() ? tls_failed(THRUM_ETLS, 0, "key", "no private key in the PEM") : tls_failed_in("key");
    int used = SSL_CTX_use_PrivateKey(ssl, key);
    EVP_PKEY_free(key);
    return used == 1 && SSL_CTX_check_private_key(ssl) == 1 ? 0 : tls_failed_in("key");
}

int tls_certify(SSL_CTX *ssl, const thrum_tls_options *options)
{
    bool own = options->key_file || options->key;
    int error;
    BIO *bio =
        source(options->certificate_file, options->certificate, options->certificate_size, "certificate", &error);
    if (!bio)
        return error;
    error = use_chain(ssl, bio);
    BIO_free(bio);
    if (error)
        return error;
    if (own)
        bio = source(options->key_file, options->key, options->key_size, "key", &error);
    else
        bio = source(options->certificate_file, options->certificate, options->certificate_size, "key", &error);
    if (!bio)
        return error;
    error = use_key(ssl, bio, options);
    BIO_free(bio);
    return error;
}

#endif
