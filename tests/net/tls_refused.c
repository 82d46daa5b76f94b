/* Whom TLS refuses, and what both ends hear of it. */
#include "tls_support.h"

/* Shake hands with a server that is `who`; the texts are in `ends`. The client's reads tell what the server made of it,
 * for with TLS 1.3 that comes behind the client's handshake. */
static ASYNC(meet, ARGS((tls_ends *, ends), (const char *, host)), LOCALS(outcome over; char byte;))
{
    ASYNC_BEGIN;
    ends_open(self->ends);
    AWAIT(shake(self->ends, self->host));
    if (!self->ends->client_over.error)
        AWAIT(note_text(thrum_stream_read(self->ends->client, &self->byte, 1), &self->ends->client_over,
                        self->ends->client_text));
    ASYNC_END;
}

/* A server that the client refuses: what the client says, and how the server hears of it. */
static ASYNC(refuse, ARGS((const identity *, who), (const char *, host), (const char *, why), (const char *, heard)),
             LOCALS(tls_ends ends;))
{
    ASYNC_BEGIN;
    self->ends.theirs = server_of(self->who);
    AWAIT(meet(&self->ends, self->host));
    CHECK_STR(self->ends.client_text, self->why);
    CHECK_EQ(self->ends.client_over.error, THRUM_ECERTIFICATE);
    CHECK_STR(self->ends.server_text, self->heard);
    CHECK_EQ(self->ends.server_over.error, THRUM_ETLS);
    ends_close(&self->ends);
    ASYNC_END;
}

NET_TEST(refused, expired, LOCALS(identity *who;))
{
    ASYNC_BEGIN;
    self->who = identity_make(&(identity_options){
        .name = "old", .names = "DNS:localhost", .issuer = root(), .from = -172800, .until = -86400});
    AWAIT(refuse(self->who, "localhost", "certificate has expired (depth 0, CN=old)",
                 "the peer refused: certificate expired"));
    identity_release(self->who);
    ASYNC_END;
}

NET_TEST(refused, not_yet_valid, LOCALS(identity *who;))
{
    ASYNC_BEGIN;
    self->who = identity_make(&(identity_options){
        .name = "young", .names = "DNS:localhost", .issuer = root(), .from = 86400, .until = 172800});
    AWAIT(refuse(self->who, "localhost", "certificate is not yet valid (depth 0, CN=young)",
                 "the peer refused: bad certificate"));
    identity_release(self->who);
    ASYNC_END;
}

NET_TEST(refused, self_signed, LOCALS(identity *who;))
{
    ASYNC_BEGIN;
    self->who = identity_make(&(identity_options){.name = "own", .names = "DNS:localhost"});
    AWAIT(refuse(self->who, "localhost", "self-signed certificate (depth 0, CN=own)", "the peer refused: unknown ca"));
    identity_release(self->who);
    ASYNC_END;
}

NET_TEST(refused, wrong_host, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(refuse(localhost(), "example.org", "hostname mismatch: not for example.org (depth 0, CN=localhost)",
                 "the peer refused: bad certificate"));
    AWAIT(refuse(localhost(), "127.0.0.2", "IP address mismatch: not for 127.0.0.2 (depth 0, CN=localhost)",
                 "the peer refused: bad certificate"));
    AWAIT(refuse(localhost(), "::2", "IP address mismatch: not for 0:0:0:0:0:0:0:2 (depth 0, CN=localhost)",
                 "the peer refused: bad certificate"));
    ASYNC_END;
}

/* The common name is no name: only what stands among the alternative names counts. */
NET_TEST(refused, only_a_common_name, LOCALS(identity *who;))
{
    ASYNC_BEGIN;
    self->who = identity_make(&(identity_options){.name = "localhost", .issuer = root()});
    AWAIT(refuse(self->who, "localhost", "hostname mismatch: not for localhost (depth 0, CN=localhost)",
                 "the peer refused: bad certificate"));
    identity_release(self->who);
    ASYNC_END;
}

/* The server does not send the certificate between its own and the root; with it all is well. */
NET_TEST(refused, broken_chain, LOCALS(identity *between; identity * who; tls_ends ends; char *chain;))
{
    ASYNC_BEGIN;
    self->between = identity_make(&(identity_options){.name = "Between", .issuer = root(), .authority = true});
    self->who = identity_make(&(identity_options){.name = "leaf", .names = "DNS:localhost", .issuer = self->between});
    self->ends.theirs = server_of(self->who);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(self->ends.client_over.error, 0);
    ends_close(&self->ends);
    self->chain = self->who->chain;
    self->who->chain = self->who->certificate;
    self->who->chain_size = self->who->certificate_size;
    AWAIT(refuse(self->who, "localhost", "unable to get local issuer certificate (depth 0, CN=leaf)",
                 "the peer refused: unknown ca"));
    self->who->chain = self->chain;
    identity_release(self->who);
    identity_release(self->between);
    ASYNC_END;
}

/* One that is no authority has signed. */
NET_TEST(refused, signed_by_nobody, LOCALS(identity *nobody; identity * who;))
{
    ASYNC_BEGIN;
    self->nobody = identity_make(&(identity_options){.name = "Nobody", .issuer = root()});
    self->who = identity_make(&(identity_options){.name = "leaf", .names = "DNS:localhost", .issuer = self->nobody});
    AWAIT(
        refuse(self->who, "localhost", "invalid CA certificate (depth 1, CN=Nobody)", "the peer refused: unknown ca"));
    identity_release(self->who);
    identity_release(self->nobody);
    ASYNC_END;
}

NET_TEST(refused, unknown_authority, LOCALS(identity *other; identity * who;))
{
    ASYNC_BEGIN;
    self->other = identity_make(&(identity_options){.name = "Other Root", .authority = true});
    self->who = identity_make(&(identity_options){.name = "leaf", .names = "DNS:localhost", .issuer = self->other});
    AWAIT(refuse(self->who, "localhost", "unable to get local issuer certificate (depth 0, CN=leaf)",
                 "the peer refused: unknown ca"));
    identity_release(self->who);
    identity_release(self->other);
    ASYNC_END;
}

/* ---- versions ---- */

/* A peer that speaks at most `version`, 1.0 or 1.1, at either side. */
NET_TEST(refused, old_versions, LOCALS(tls_ends ends; thrum_tls_options options; int round; thrum_tls_version version;))
{
    ASYNC_BEGIN;
    for (self->round = 0; self->round < 4; self->round++) {
        self->version = self->round & 1 ? THRUM_TLS_1_1 : THRUM_TLS_1_0;
        self->options = self->round & 2 ? server_options(localhost()) : client_options();
        self->options.lowest = THRUM_TLS_1_0;
        self->options.highest = self->version;
        self->options.ciphers = "DEFAULT:@SECLEVEL=0";
        *(self->round & 2 ? &self->ends.theirs : &self->ends.ours) = context_of(&self->options);
        AWAIT(meet(&self->ends, "localhost"));
        CHECK_EQ(self->ends.client_over.error, THRUM_ETLS);
        CHECK_EQ(self->ends.server_over.error, THRUM_ETLS);
        if (self->round & 2) {
            CHECK_STR(self->ends.client_text, "the peer refused: protocol version");
            CHECK_STR(self->ends.server_text, "unsupported protocol");
        } else {
            CHECK_STR(self->ends.client_text, "the peer refused: protocol version");
            CHECK_STR(self->ends.server_text, "unsupported protocol");
        }
        ends_close(&self->ends);
    }
    ASYNC_END;
}

/* ---- clients ---- */

static void expect_clients(tls_ends *ends, thrum_tls_verify verify)
{
    thrum_tls_options options = server_options(localhost());
    options.verify = verify;
    options.trust = root()->certificate;
    options.trust_size = root()->certificate_size;
    ends->theirs = context_of(&options);
}

static void show(tls_ends *ends, const identity *who)
{
    thrum_tls_options options = client_options();
    options.certificate = who->chain;
    options.certificate_size = who->chain_size;
    options.key = who->secret;
    options.key_size = who->secret_size;
    ends->ours = context_of(&options);
}

NET_TEST(refused, clients, LOCALS(tls_ends ends; identity * known; identity * stranger; thrum_tls_certificate * shown;))
{
    ASYNC_BEGIN;
    self->known = identity_make(&(identity_options){.name = "alice", .issuer = root()});
    self->stranger = identity_make(&(identity_options){.name = "mallory"});
    /* None. */
    expect_clients(&self->ends, THRUM_TLS_VERIFY_REQUIRED);
    AWAIT(meet(&self->ends, "localhost"));
    CHECK_STR(self->ends.server_text, "peer did not return a certificate");
    CHECK_EQ(self->ends.server_over.error, THRUM_ETLS);
    CHECK_STR(self->ends.client_text, "the peer refused: certificate required");
    CHECK_EQ(self->ends.client_over.error, THRUM_ETLS);
    ends_close(&self->ends);
    /* One of whom nobody knows. */
    expect_clients(&self->ends, THRUM_TLS_VERIFY_OPTIONAL);
    show(&self->ends, self->stranger);
    AWAIT(meet(&self->ends, "localhost"));
    CHECK_STR(self->ends.server_text, "self-signed certificate (depth 0, CN=mallory)");
    CHECK_EQ(self->ends.server_over.error, THRUM_ECERTIFICATE);
    CHECK_STR(self->ends.client_text, "the peer refused: unknown ca");
    ends_close(&self->ends);
    /* One that is known. */
    expect_clients(&self->ends, THRUM_TLS_VERIFY_REQUIRED);
    show(&self->ends, self->known);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(self->ends.server_over.error, 0);
    CHECK_EQ(thrum_stream_tls_certificate(self->ends.server, &self->shown), 0);
    CHECK_STR(self->shown->common_name, "alice");
    thrum_tls_certificate_release(self->shown);
    ends_close(&self->ends);
    /* None, where that may be. */
    expect_clients(&self->ends, THRUM_TLS_VERIFY_OPTIONAL);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(self->ends.server_over.error, 0);
    CHECK_EQ(thrum_stream_tls_certificate(self->ends.server, &self->shown), 0);
    CHECK_NULL(self->shown);
    thrum_tls_certificate_release(self->shown);
    ends_close(&self->ends);
    identity_release(self->known);
    identity_release(self->stranger);
    ASYNC_END;
}

/* ---- and who is not ---- */

NET_TEST(accepted, names, LOCALS(tls_ends ends; thrum_tls_options options; int i; identity * star;))
{
    static const char *const hosts[] = {"localhost", "127.0.0.1", "::1", "LOCALHOST", "localhost.", ""};
    ASYNC_BEGIN;
    for (self->i = 0; self->i < (int)(sizeof hosts / sizeof *hosts); self->i++) {
        ends_open(&self->ends);
        AWAIT(shake(&self->ends, hosts[self->i]));
        CHECK_STR(self->ends.client_text, "");
        CHECK_EQ(self->ends.client_over.error, 0);
        ends_close(&self->ends);
    }
    /* A star stands for one label, and for a whole one. */
    self->star = identity_make(&(identity_options){.name = "star", .names = "DNS:*.example.org", .issuer = root()});
    self->ends.theirs = server_of(self->star);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "www.example.org"));
    CHECK_EQ(self->ends.client_over.error, 0);
    ends_close(&self->ends);
    AWAIT(refuse(self->star, "a.b.example.org", "hostname mismatch: not for a.b.example.org (depth 0, CN=star)",
                 "the peer refused: bad certificate"));
    identity_release(self->star);
    /* Who asks for it trusts any name, or anybody. */
    self->options = client_options();
    self->options.any_host = true;
    self->ends.ours = context_of(&self->options);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "example.org"));
    CHECK_EQ(self->ends.client_over.error, 0);
    ends_close(&self->ends);
    self->options = (thrum_tls_options){.size = sizeof self->options, .verify = THRUM_TLS_VERIFY_NONE};
    self->ends.ours = context_of(&self->options);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "example.org"));
    CHECK_EQ(self->ends.client_over.error, 0);
    ends_close(&self->ends);
    ASYNC_END;
}

/* By default the system's store is trusted, and nobody here is in it. */
NET_TEST(refused, by_the_system_store, LOCALS(tls_ends ends;))
{
    ASYNC_BEGIN;
    self->ends.ours = context_of(NULL);
    AWAIT(meet(&self->ends, "localhost"));
    CHECK_EQ(self->ends.client_over.error, THRUM_ECERTIFICATE);
    CHECK_STR(self->ends.client_text, "unable to get local issuer certificate (depth 0, CN=localhost)");
    ends_close(&self->ends);
    ASYNC_END;
}

/* And who is in it is trusted, also beside a folder of one's own. */
NET_TEST(accepted, by_the_system_store, LOCALS(tls_ends ends; char *store; thrum_tls_options options; int i;))
{
    ASYNC_BEGIN;
    self->store = pem_file(root()->certificate, NULL);
    setenv("SSL_CERT_FILE", self->store, 1); /* OpenSSL's own way of saying where the store is */
    for (self->i = 0; self->i < 2; self->i++) {
        self->options = (thrum_tls_options){.size = sizeof self->options, .trust_folder = "/tmp", .system_trust = true};
        self->ends.ours = context_of(self->i ? &self->options : NULL);
        ends_open(&self->ends);
        AWAIT(shake(&self->ends, "localhost"));
        CHECK_STR(self->ends.client_text, "");
        CHECK_EQ(self->ends.client_over.error, 0);
        ends_close(&self->ends);
    }
FINALLY:
    unsetenv("SSL_CERT_FILE");
    unlink(self->store);
    free(self->store);
    ASYNC_END;
}
