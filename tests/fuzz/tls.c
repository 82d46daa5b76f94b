/* Fuzzes what TLS connections receive. A stream of thrum's talks to OpenSSL at the other end of a socket, and the input
 * says what becomes of the bytes on their way there: some are changed, added, left out, or OpenSSL is passed over
 * altogether. The stream gives what OpenSSL was told to write, up to an error: never another byte, and never a hang.
 *
 * The first byte: 1: the stream is the server; 2: the rest is what the peer sends, without OpenSSL; 4: TLS 1.2. The
 * others are steps of one to three bytes. */
#include <errno.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../net/certificates.h"
#include "fuzz.h"

enum { SERVER = 1, RAW = 2, OLDER = 4, WROTE = 1 << 16 };

static thrum_tls_context *ours[2]; /* client, server */
static SSL_CTX *theirs[2];         /* server, client: by what the stream is */

static struct {
    const uint8_t *steps;
    size_t left;
    unsigned mode;
    int peer;
    SSL *ssl;
    BIO *in, *out;
    thrum_stream *stream;
    bool over, changed;
    size_t wrote, got; /* plain text of the peer's */
    char text[4096];
} now;

static unsigned char byte_at(size_t at)
{
    return (unsigned char)(at * 31 + (at >> 8));
}

static unsigned next_step(void)
{
    if (!now.left)
        return 0;
    now.left--;
    return *now.steps++;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const identity *root, *host; /* for the search for leaks: kept */
    root = identity_make(&(identity_options){.name = "Root", .authority = true});
    host = identity_make(&(identity_options){.name = "host", .names = "DNS:host", .issuer = root});
    thrum_tls_options client = {
        .size = sizeof client, .trust = root->certificate, .trust_size = root->certificate_size};
    thrum_tls_options server = {.size = sizeof server, .server = true};
    (void)argc, (void)argv;
    server.certificate = host->chain;
    server.certificate_size = host->chain_size;
    server.key = host->secret;
    server.key_size = host->secret_size;
    MUST(!thrum_tls_context_new(&ours[0], &client) && !thrum_tls_context_new(&ours[1], &server));
    theirs[0] = SSL_CTX_new(TLS_server_method());
    theirs[1] = SSL_CTX_new(TLS_client_method());
    MUST(theirs[0] && theirs[1]);
    MUST(SSL_CTX_use_certificate(theirs[0], (X509 *)host->own) == 1);
    MUST(SSL_CTX_use_PrivateKey(theirs[0], (EVP_PKEY *)host->key) == 1);
    return 0;
}

/* ---- the peer ---- */

static void send_to_stream(const void *bytes, size_t size)
{
    ssize_t sent = send(now.peer, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    now.changed = now.changed || sent != (ssize_t)size;
}

/* What OpenSSL has for the stream goes there, as the input says. */
static void pass_on(unsigned how)
{
    static unsigned char bytes[WROTE];
    int got = BIO_read(now.out, bytes, sizeof bytes);
    size_t size = got > 0 ? (size_t)got : 0, place;
    if (!size)
        return;
    switch (how % 8) {
    case 1: /* one bit is another */
        place = (next_step() * 256u + next_step()) % size;
        bytes[place] ^= (unsigned char)(1 << how / 8 % 8);
        now.changed = true;
        break;
    case 2: /* the end is missing */
        size = (next_step() * 256u) % size;
        now.changed = true;
        break;
    case 3: /* twice the same */
        send_to_stream(bytes, size);
        now.changed = true;
        break;
    case 4: /* something in front of it */
        for (unsigned i = how / 8; i; i--)
            send_to_stream(&(unsigned char){(unsigned char)next_step()}, 1);
        now.changed = now.changed || how / 8;
        break;
    case 5: /* the length of the first record */
        if (size > 4)
            bytes[3 + how / 8 % 2] = (unsigned char)next_step();
        now.changed = true;
        break;
    default:
        break;
    }
    if (size)
        send_to_stream(bytes, size);
}

static void write_some(size_t size)
{
    static unsigned char bytes[2048];
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(now.wrote + i);
    if (SSL_is_init_finished(now.ssl) && SSL_write(now.ssl, bytes, (int)size) == (int)size)
        now.wrote += size;
}

static void peer_turn(void)
{
    unsigned char bytes[4096];
    ssize_t got;
    while ((got = recv(now.peer, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        (void)BIO_write(now.in, bytes, (int)got);
    if (!SSL_is_init_finished(now.ssl)) {
        (void)SSL_do_handshake(now.ssl);
        pass_on(next_step());
        return;
    }
    (void)SSL_read(now.ssl, bytes, sizeof bytes);
    unsigned what = next_step();
    switch (what % 8) {
    case 0:
    case 1:
        write_some(1 + what / 8);
        break;
    case 2:
        write_some(1 + what * 8u);
        break;
    case 3:
        (void)SSL_key_update(now.ssl, what & 8 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
        break;
    case 4:
        (void)SSL_renegotiate(now.ssl);
        break;
    case 5:
        (void)SSL_shutdown(now.ssl);
        break;
    default:
        break;
    }
    (void)SSL_do_handshake(now.ssl);
    pass_on(next_step());
}

static ASYNC(peer, ARGS_NONE, LOCALS(int idle;))
{
    ASYNC_BEGIN;
    if (now.mode & RAW) {
        send_to_stream(now.steps, now.left);
    } else {
        /* When there is nothing to be done any more some turns are left for what is on its way. */
        for (self->idle = 0; !now.over && self->idle < 8; self->idle = now.left ? 0 : self->idle + 1) {
            peer_turn();
            AWAIT(thrum_yield());
        }
    }
    (void)shutdown(now.peer, SHUT_WR);
    while (!now.over) {
        unsigned char nothing[1024];
        while (recv(now.peer, nothing, sizeof nothing, MSG_DONTWAIT) > 0)
            continue;
        AWAIT(thrum_yield());
    }
    ASYNC_END;
}

/* ---- the stream ---- */

static bool expected(int error)
{
    return !error || error == THRUM_ETLS || error == THRUM_ETRUNCATED || error == THRUM_ECERTIFICATE ||
           error == -ECONNRESET || error == -EPIPE;
}

static ASYNC(ours_here, ARGS_NONE, LOCALS(int error; size_t got;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_start_tls(now.stream, ours[now.mode & SERVER], now.mode & SERVER,
                                             now.mode & SERVER ? NULL : "host"));
    MUST(expected(self->error));
    while (!self->error) {
        AWAIT_CATCH_INTO(self->error, self->got, thrum_stream_read(now.stream, now.text, sizeof now.text));
        MUST(expected(self->error));
        if (self->error || !self->got)
            break;
        MUST(now.got + self->got <= now.wrote);
        for (size_t i = 0; i < self->got; i++)
            MUST((unsigned char)now.text[i] == byte_at(now.got + i));
        now.got += self->got;
        AWAIT_CATCH(self->error, thrum_stream_write(now.stream, now.text, self->got / 2));
        MUST(expected(self->error));
    }
    AWAIT_CATCH(self->error, thrum_stream_close(now.stream));
    now.over = true;
    ASYNC_END;
}

static ASYNC(both, ARGS_NONE, LOCALS(int ends[2];))
{
    ASYNC_BEGIN;
    MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, self->ends));
    now.peer = self->ends[1];
    MUST(!thrum_stream_adopt(&now.stream, self->ends[0], NULL));
    AWAIT(thrum_gather(NULL, ours_here(), peer()));
    thrum_stream_release(now.stream);
    close(now.peer);
    ASYNC_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    memset(&now, 0, sizeof now);
    now.mode = data[0];
    now.steps = data + 1;
    now.left = size - 1;
    if (!(now.mode & RAW)) {
        now.ssl = SSL_new(theirs[now.mode & SERVER]);
        now.in = BIO_new(BIO_s_mem());
        now.out = BIO_new(BIO_s_mem());
        MUST(now.ssl && now.in && now.out);
        SSL_set_bio(now.ssl, now.in, now.out);
        if (now.mode & OLDER)
            (void)SSL_set_max_proto_version(now.ssl, TLS1_2_VERSION);
        if (now.mode & SERVER)
            SSL_set_connect_state(now.ssl);
        else
            SSL_set_accept_state(now.ssl);
    }
    (void)fuzz_run_on(THRUM_BACKEND_LIBEV, both());
    SSL_free(now.ssl);
    return 0;
}
