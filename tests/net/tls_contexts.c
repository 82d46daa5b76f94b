/* Contexts: credentials out of files and memory, what is chosen while hands are shaken, sessions. */
#include <openssl/x509.h>

#include "tls_support.h"

static void check_problem(const thrum_tls_options *options, int error, const char *problem)
{
    thrum_tls_context *made = (thrum_tls_context *)(intptr_t)1;
    int got = thrum_tls_context_new(&made, options);
    CHECK_STR(thrum_tls_problem(), problem);
    CHECK_EQ(got, error);
    CHECK_NULL(made);
}

static int right(void *context, char *buffer, size_t room)
{
    CHECK_GE(room, 6);
    memcpy(buffer, (const char *)context, strlen((const char *)context));
    return (int)strlen((const char *)context);
}

TEST(contexts, what_is_refused)
{
    thrum_tls_options options = {.size = sizeof options + 1};
    check_problem(&options, THRUM_EINVAL, "options that contradict each other");
    options = (thrum_tls_options){.size = sizeof options, .verify = THRUM_TLS_VERIFY_OPTIONAL};
    check_problem(&options, THRUM_EINVAL, "options that contradict each other");
    options = (thrum_tls_options){.size = sizeof options, .lowest = THRUM_TLS_1_3, .highest = THRUM_TLS_1_2};
    check_problem(&options, THRUM_EINVAL, "options that contradict each other");
    options = (thrum_tls_options){.size = sizeof options, .key_file = "/nowhere"};
    check_problem(&options, THRUM_EINVAL, "options that contradict each other");
    options = server_options(localhost());
    options.verify = THRUM_TLS_VERIFY_REQUIRED; /* of whom? */
    check_problem(&options, THRUM_EINVAL, "options that contradict each other");
    options = (thrum_tls_options){.size = sizeof options, .trust_file = "/nowhere/ca.pem"};
    check_problem(&options, -ENOENT, "No such file or directory: /nowhere/ca.pem");
    options = (thrum_tls_options){.size = sizeof options, .trust_folder = "/nowhere"};
    check_problem(&options, -ENOENT, "No such file or directory: /nowhere");
    options = (thrum_tls_options){.size = sizeof options, .trust = "nothing", .trust_size = 7};
    check_problem(&options, THRUM_ETLS, "no certificate in the PEM to be trusted");
    options = (thrum_tls_options){.size = sizeof options, .certificate_file = "/nowhere/cert.pem"};
    check_problem(&options, -ENOENT, "No such file or directory: /nowhere/cert.pem");
    options = (thrum_tls_options){.size = sizeof options, .certificate = "nothing", .certificate_size = 7};
    check_problem(&options, THRUM_ETLS, "no certificate in the PEM");
    options = server_options(localhost());
    options.key = NULL;
    check_problem(&options, THRUM_ETLS, "no private key in the PEM");
    options = server_options(localhost());
    options.key = root()->secret;
    options.key_size = root()->secret_size;
    check_problem(&options, THRUM_ETLS, "key values mismatch");
    options = client_options();
    options.ciphers = "NONSENSE";
    check_problem(&options, THRUM_ETLS, "no cipher match");
    options = client_options();
    options.protocols = &(const char *const){""};
    options.protocol_count = 1;
    check_problem(&options, THRUM_EINVAL, "names of protocols have 1 to 255 bytes");
    options = client_options();
    options.key_log_file = "/nowhere/keys";
    check_problem(&options, -ENOENT, "No such file or directory: /nowhere/keys");
}

/* The password of a key: right, wrong, none. Nobody is asked at the terminal. */
TEST(contexts, password)
{
    identity *who =
        identity_make(&(identity_options){.name = "locked", .names = "DNS:localhost", .password = "sesame"});
    thrum_tls_options options = server_options(who);
    thrum_tls_context *made;
    options.password = right;
    options.password_context = (void *)(uintptr_t) "sesame";
    CHECK_EQ(thrum_tls_context_new(&made, &options), 0);
    CHECK_STR(thrum_tls_problem(), "");
    thrum_tls_context_release(made);
    options.password_context = (void *)(uintptr_t) "wrong!";
    CHECK_EQ(thrum_tls_context_new(&made, &options), THRUM_ETLS);
    CHECK_STR(thrum_tls_problem(), "the private key cannot be read with this password");
    options.password = NULL;
    CHECK_EQ(thrum_tls_context_new(&made, &options), THRUM_ETLS);
    CHECK_STR(thrum_tls_problem(), "the private key is encrypted, and there is no password for it");
    identity_release(who);
}

/* Files: certificate and key in one, or in two; whom to trust as a file, and not in a folder. */
NET_TEST(contexts, files,
         LOCALS(tls_ends ends; char *both; char *one; char *two; char *trust; thrum_tls_options options;))
{
    ASYNC_BEGIN;
    self->both = pem_file(localhost()->chain, localhost()->secret);
    self->one = pem_file(localhost()->chain, NULL);
    self->two = pem_file(localhost()->secret, NULL);
    self->trust = pem_file(root()->certificate, NULL);
    self->options = (thrum_tls_options){.size = sizeof self->options, .server = true, .certificate_file = self->both};
    self->ends.theirs = context_of(&self->options);
    self->options = (thrum_tls_options){.size = sizeof self->options, .trust_file = self->trust};
    self->ends.ours = context_of(&self->options);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(self->ends.client_over.error, 0);
    ends_close(&self->ends);
    self->options = (thrum_tls_options){
        .size = sizeof self->options, .server = true, .certificate_file = self->one, .key_file = self->two};
    self->ends.theirs = context_of(&self->options);
    /* A folder that has nothing for us, but the system's store may stand beside it. */
    self->options = (thrum_tls_options){.size = sizeof self->options, .trust_folder = "/tmp", .system_trust = true};
    self->ends.ours = context_of(&self->options);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(self->ends.client_over.error, THRUM_ECERTIFICATE);
    ends_close(&self->ends);
    unlink(self->both), unlink(self->one), unlink(self->two), unlink(self->trust);
    free(self->both), free(self->one), free(self->two), free(self->trust);
    ASYNC_END;
}

/* A folder of files that are named by what their certificates' names come to, as `openssl rehash` does it. */
NET_TEST(contexts, folder, LOCALS(tls_ends ends; char folder[32], name[64]; char *trust; thrum_tls_options options;))
{
    ASYNC_BEGIN;
    strcpy(self->folder, "/tmp/thrum-trust-XXXXXX");
    CHECK_NOT_NULL(mkdtemp(self->folder));
    self->trust = pem_file(root()->certificate, NULL);
    snprintf(self->name, sizeof self->name, "%s/%08lx.0", self->folder, X509_subject_name_hash((X509 *)root()->own));
    CHECK_EQ(rename(self->trust, self->name), 0);
    self->options = (thrum_tls_options){.size = sizeof self->options, .trust_folder = self->folder};
    self->ends.ours = context_of(&self->options);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_STR(self->ends.client_text, "");
    CHECK_EQ(self->ends.client_over.error, 0);
    ends_close(&self->ends);
    unlink(self->name);
    rmdir(self->folder);
    free(self->trust);
    ASYNC_END;
}

/* References: a context lives as long as a connection needs it. */
NET_TEST(contexts, outlived_by_connections, LOCALS(tls_ends ends; thrum_tls_context * more; char text[8];))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    self->more = thrum_tls_context_retain(self->ends.theirs);
    CHECK_PTR(self->more, self->ends.theirs);
    CHECK_NULL(thrum_tls_context_retain(NULL));
    CHECK_NOT_NULL(thrum_tls_context_object(self->more));
    AWAIT(shake(&self->ends, "localhost"));
    thrum_tls_context_release(self->more);
    thrum_tls_context_release(self->ends.theirs);
    thrum_tls_context_release(self->ends.ours);
    thrum_tls_context_release(NULL);
    self->ends.theirs = self->ends.ours = NULL;
    AWAIT(thrum_stream_write(self->ends.client, "hello", 5));
    AWAIT(thrum_stream_read_exactly(self->ends.server, self->text, 5));
    ends_close(&self->ends);
    ASYNC_END;
}

/* ---- what is agreed on ---- */

NET_TEST(contexts, info,
         LOCALS(tls_ends ends; thrum_tls_info info; thrum_tls_options options; thrum_tls_certificate * shown;))
{
    int64_t now;
    ASYNC_BEGIN;
    self->options = client_options();
    self->options.highest = THRUM_TLS_1_2;
    self->options.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
    self->ends.ours = context_of(&self->options);
    ends_open(&self->ends);
    CHECK_EQ(thrum_stream_tls_info(self->ends.client, &self->info), THRUM_EINVAL);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(thrum_stream_tls_info(self->ends.client, &self->info), 0);
    CHECK_STR(self->info.version, "TLSv1.2");
    CHECK_STR(self->info.cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
    CHECK_EQ(self->info.bits, 128);
    CHECK_NULL(self->info.protocol);
    CHECK(!self->info.resumed && !self->info.compressed && !self->info.kernel);
    CHECK_EQ(thrum_stream_tls_info(self->ends.server, &self->info), 0);
    CHECK_STR(self->info.name, "localhost");
    CHECK_EQ(thrum_stream_tls_certificate(self->ends.client, &self->shown), 0);
    CHECK_STR(self->shown->subject, "CN=localhost,O=thrum");
    CHECK_STR(self->shown->issuer, "CN=Test Root,O=thrum");
    CHECK_STR(self->shown->common_name, "localhost");
    CHECK_EQ(self->shown->name_count, 3);
    CHECK_STR(self->shown->names[0], "DNS:localhost");
    CHECK_STR(self->shown->names[1], "IP:127.0.0.1");
    CHECK_STR(self->shown->names[2], "IP:::1");
    CHECK_EQ(strlen(self->shown->fingerprint), 64);
    CHECK_GT(strlen(self->shown->serial), 2);
    now = time(NULL);
    CHECK(self->shown->not_before > now - 90000 && self->shown->not_before < now - 86000);
    CHECK(self->shown->not_after > now + 86000 && self->shown->not_after < now + 90000);
    CHECK_GT(self->shown->der_size, 200);
    CHECK_EQ(self->shown->der[0], 0x30);
    thrum_tls_certificate_release(self->shown);
    thrum_stream_abort(self->ends.client);
    CHECK_EQ(thrum_stream_tls_info(self->ends.client, &self->info), THRUM_ECLOSED);
    CHECK_EQ(thrum_stream_tls_certificate(self->ends.client, &self->shown), THRUM_ECLOSED);
    ends_close(&self->ends);
    ASYNC_END;
}

/* The server's favourite of those that both know; with none in common, none. */
NET_TEST(contexts, protocols, LOCALS(tls_ends ends; thrum_tls_info info; thrum_tls_options options; int i;))
{
    static const char *const servers[] = {"h2", "http/1.1"};
    static const char *const clients[3][2] = {{"http/1.1", "h2"}, {"spdy", "http/1.1"}, {"spdy", "gopher"}};
    static const char *const agreed[] = {"h2", "http/1.1", NULL};
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        self->options = server_options(localhost());
        self->options.protocols = servers;
        self->options.protocol_count = 2;
        self->ends.theirs = context_of(&self->options);
        self->options = client_options();
        self->options.protocols = clients[self->i];
        self->options.protocol_count = 2;
        self->ends.ours = context_of(&self->options);
        ends_open(&self->ends);
        AWAIT(shake(&self->ends, "localhost"));
        CHECK_EQ(thrum_stream_tls_info(self->ends.client, &self->info), 0);
        CHECK_STR(self->info.protocol, agreed[self->i]);
        CHECK_EQ(thrum_stream_tls_info(self->ends.server, &self->info), 0);
        CHECK_STR(self->info.protocol, agreed[self->i]);
        ends_close(&self->ends);
    }
    ASYNC_END;
}

/* ---- by name ---- */

typedef struct houses {
    thrum_tls_context *red, *blue;
    const char *asked;
} houses;

static int choose(void *context, const char *name, thrum_tls_context **chosen)
{
    houses *all = (houses *)context;
    all->asked = name ? "some" : "none";
    if (name && !strcmp(name, "red.example"))
        *chosen = all->red;
    else if (name && !strcmp(name, "blue.example"))
        *chosen = all->blue;
    else if (name && !strcmp(name, "nobody.example"))
        return -1;
    return 0;
}

NET_TEST(contexts, by_name,
         LOCALS(tls_ends ends; houses all; identity * red; identity * blue; thrum_tls_options options;
                thrum_tls_certificate * shown;))
{
    ASYNC_BEGIN;
    self->red = identity_make(&(identity_options){.name = "red", .names = "DNS:red.example", .issuer = root()});
    self->blue =
        identity_make(&(identity_options){.name = "blue", .names = "DNS:blue.example", .issuer = root(), .rsa = true});
    self->all.red = server_of(self->red);
    self->options = server_options(self->blue);
    self->options.verify = THRUM_TLS_VERIFY_REQUIRED;
    self->options.trust = root()->certificate;
    self->options.trust_size = root()->certificate_size;
    self->all.blue = context_of(&self->options);
    self->options = server_options(localhost());
    self->options.choose = choose;
    self->options.choose_context = &self->all;
    self->ends.theirs = context_of(&self->options);
    self->ends.ours = client_context();
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "red.example"));
    CHECK_EQ(self->ends.client_over.error, 0);
    CHECK_PTR(thrum_stream_tls_context(self->ends.server), self->all.red);
    CHECK_EQ(thrum_stream_tls_certificate(self->ends.client, &self->shown), 0);
    CHECK_STR(self->shown->common_name, "red");
    thrum_tls_certificate_release(self->shown);
    thrum_stream_release(self->ends.client), thrum_stream_release(self->ends.server);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(self->ends.client_over.error, 0);
    CHECK_PTR(thrum_stream_tls_context(self->ends.server), self->ends.theirs);
    thrum_stream_release(self->ends.client), thrum_stream_release(self->ends.server);
    /* An address is not asked for. */
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "127.0.0.1"));
    CHECK_EQ(self->ends.client_over.error, 0);
    CHECK_STR(self->all.asked, "none");
    thrum_stream_release(self->ends.client), thrum_stream_release(self->ends.server);
    /* That one wants to see a certificate. */
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "blue.example"));
    CHECK_STR(self->ends.server_text, "peer did not return a certificate");
    thrum_stream_release(self->ends.client), thrum_stream_release(self->ends.server);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "nobody.example"));
    CHECK_STR(self->ends.client_text, "the peer refused: unrecognized name");
    CHECK_EQ(self->ends.server_over.error, THRUM_ETLS);
    ends_close(&self->ends);
    thrum_tls_context_release(self->all.red);
    thrum_tls_context_release(self->all.blue);
    identity_release(self->red);
    identity_release(self->blue);
    ASYNC_END;
}

/* A certificate of each kind: a client that knows only one of them gets that. */
NET_TEST(contexts, two_certificates,
         LOCALS(tls_ends ends; identity * rsa; thrum_tls_options options; thrum_tls_info info;))
{
    ASYNC_BEGIN;
    self->rsa = identity_make(
        &(identity_options){.name = "localhost", .names = "DNS:localhost", .issuer = root(), .rsa = true});
    self->ends.theirs = server_of(localhost());
    self->options = server_options(self->rsa);
    CHECK_EQ(thrum_tls_context_add_certificate(self->ends.theirs, &self->options), 0);
    CHECK_EQ(thrum_tls_context_add_certificate(self->ends.theirs, NULL), THRUM_EINVAL);
    self->options = client_options();
    self->options.highest = THRUM_TLS_1_2;
    self->options.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
    self->ends.ours = context_of(&self->options);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(self->ends.client_over.error, 0);
    CHECK_EQ(thrum_stream_tls_info(self->ends.client, &self->info), 0);
    CHECK_STR(self->info.cipher, "ECDHE-RSA-AES128-GCM-SHA256");
    ends_close(&self->ends);
    identity_release(self->rsa);
    ASYNC_END;
}

/* ---- sessions ---- */

/* A connection with this session, which reads a byte, so that tickets have come; its own is given. */
static ASYNC(once,
             ARGS((tls_ends *, ends), (const char *, host), (const thrum_tls_session *, session),
                  (thrum_tls_session **, next), (bool *, resumed)),
             LOCALS(thrum_group group; thrum_tls_start_options options; char byte; thrum_tls_info info;))
{
    ASYNC_BEGIN;
    ends_open(self->ends);
    self->options = (thrum_tls_start_options){
        .size = sizeof self->options, .server_hostname = self->host, .session = self->session};
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, thrum_start_tls(self->ends->server, self->ends->theirs, true, NULL));
        thrum_group_spawn(&self->group, thrum_start_tls_with(self->ends->client, self->ends->ours, &self->options));
    }
    AWAIT(thrum_stream_write(self->ends->server, "x", 1));
    AWAIT(thrum_stream_read_exactly(self->ends->client, &self->byte, 1));
    CHECK_EQ(thrum_stream_tls_session(self->ends->server, self->next), THRUM_EINVAL);
    *self->next = NULL;
    (void)thrum_stream_tls_session(self->ends->client, self->next);
    CHECK_EQ(thrum_stream_tls_info(self->ends->client, &self->info), 0);
    *self->resumed = self->info.resumed;
    thrum_stream_release(self->ends->client);
    thrum_stream_release(self->ends->server);
    ASYNC_END;
}

/* What is refused before hands are shaken; the stream is as it was. */
static ASYNC(refuses,
             ARGS((thrum_tls_context *, context), (const char *, host), (const thrum_tls_session *, session),
                  (const char *, text)),
             LOCALS(pair pair; thrum_tls_start_options options; int error;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->options = (thrum_tls_start_options){
        .size = sizeof self->options, .server_hostname = self->host, .session = self->session};
    AWAIT_CATCH(self->error, thrum_start_tls_with(self->pair.stream, self->context, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    CHECK_STR(thrum_error_last()->text, self->text);
    CHECK(!thrum_stream_is_closing(self->pair.stream));
    AWAIT(thrum_stream_write(self->pair.stream, "plain", 5));
    AWAIT(thrum_stream_flush(self->pair.stream));
    CHECK_STR(peer_read(&self->pair), "plain");
    pair_close(&self->pair);
    ASYNC_END;
}

/* Another context does not take it, though it is just like the first; nor does another host, also not what was written
 * down. */
static ASYNC(refused_elsewhere,
             ARGS((thrum_tls_context *, context), (const thrum_tls_session *, session),
                  (const thrum_tls_session *, stored)),
             LOCALS(thrum_tls_context *other;))
{
    ASYNC_BEGIN;
    self->other = client_context();
    AWAIT(refuses(self->other, "localhost", self->session, "the TLS session is another context's"));
    AWAIT(refuses(self->context, "127.0.0.1", self->session, "the TLS session is another host's"));
    AWAIT(refuses(self->other, "example.org", self->stored, "the TLS session is another host's"));
    thrum_tls_context_release(self->other);
    ASYNC_END;
}

/* Nobody looked at whom this one is of, and to resume it would be not to look either: who looks does not take it. */
NET_TEST(contexts, session_of_whom_nobody_verified,
         LOCALS(tls_ends ends; thrum_tls_options options; thrum_tls_session * session; thrum_tls_session * read;
                thrum_tls_context * strict; bool resumed; char saved[4096]; long size;))
{
    ASYNC_BEGIN;
    self->options = (thrum_tls_options){.size = sizeof self->options, .verify = THRUM_TLS_VERIFY_NONE};
    self->ends.ours = context_of(&self->options);
    AWAIT(once(&self->ends, "localhost", NULL, &self->session, &self->resumed));
    self->size = thrum_tls_session_save(self->session, self->saved, sizeof self->saved);
    CHECK_EQ(thrum_tls_session_load(&self->read, self->saved, (size_t)self->size), 0);
    self->strict = client_context();
    AWAIT(refuses(self->strict, "localhost", self->read, "the TLS session's peer was not verified"));
    thrum_tls_session_release(self->session);
    AWAIT(once(&self->ends, "localhost", self->read, &self->session, &self->resumed));
    CHECK(self->resumed);
    thrum_tls_session_release(self->session);
    thrum_tls_session_release(self->read);
    thrum_tls_context_release(self->strict);
    thrum_tls_context_release(self->ends.ours);
    thrum_tls_context_release(self->ends.theirs);
    ASYNC_END;
}

/* Nor did anybody compare whose certificate this is, where no host was given or the context says any_host; and who
 * resumes it would not either. */
NET_TEST(contexts, session_of_a_host_that_nobody_compared,
         LOCALS(tls_ends ends; identity * other; thrum_tls_options options; thrum_tls_session * session;
                thrum_tls_session * read; thrum_tls_context * strict; bool resumed; char saved[4096]; long size;))
{
    ASYNC_BEGIN;
    self->other = identity_make(&(identity_options){.name = "other", .names = "DNS:other.org", .issuer = root()});
    self->strict = client_context();
    self->ends.ours = self->strict;
    self->ends.theirs = server_of(self->other);
    AWAIT(once(&self->ends, "", NULL, &self->session, &self->resumed));
    AWAIT(refuses(self->strict, "localhost", self->session, "the TLS session's peer is another host"));
    AWAIT(refuses(self->strict, "127.0.0.1", self->session, "the TLS session's peer is another host"));
    thrum_tls_session_release(self->session);
    self->options = client_options();
    self->options.any_host = true;
    self->ends.ours = context_of(&self->options);
    AWAIT(once(&self->ends, "localhost", NULL, &self->session, &self->resumed));
    self->size = thrum_tls_session_save(self->session, self->saved, sizeof self->saved);
    CHECK_EQ(thrum_tls_session_load(&self->read, self->saved, (size_t)self->size), 0);
    AWAIT(refuses(self->strict, "localhost", self->read, "the TLS session's peer is another host"));
    thrum_tls_session_release(self->session);
    AWAIT(once(&self->ends, "localhost", self->read, &self->session, &self->resumed));
    CHECK(self->resumed);
    thrum_tls_session_release(self->session);
    thrum_tls_session_release(self->read);
    thrum_tls_context_release(self->strict);
    thrum_tls_context_release(self->ends.ours);
    thrum_tls_context_release(self->ends.theirs);
    identity_release(self->other);
    ASYNC_END;
}

/* With 1.3 and 1.2, by tickets and by the server's cache; also from what was written down. */
NET_TEST(contexts, sessions,
         LOCALS(tls_ends ends; thrum_tls_session * first; thrum_tls_session * second; bool resumed; int i;
                thrum_tls_options options; char saved[4096]; long size; thrum_tls_session * read;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 4; self->i++) {
        self->options = server_options(localhost());
        self->options.no_tickets = self->i & 1;
        self->ends.theirs = context_of(&self->options);
        self->options = client_options();
        self->options.highest = self->i & 2 ? THRUM_TLS_1_2 : THRUM_TLS_1_3;
        self->ends.ours = context_of(&self->options);
        AWAIT(once(&self->ends, "localhost", NULL, &self->first, &self->resumed));
        CHECK(!self->resumed);
        CHECK_NOT_NULL(self->first);
        self->size = thrum_tls_session_save(self->first, NULL, 0);
        CHECK(self->size > 0 && self->size < (long)sizeof self->saved);
        CHECK_EQ(thrum_tls_session_save(self->first, self->saved, 10), THRUM_ELIMIT);
        CHECK_EQ(thrum_tls_session_save(self->first, self->saved, sizeof self->saved), self->size);
        CHECK_EQ(thrum_tls_session_load(&self->read, self->saved, (size_t)self->size), 0);
        AWAIT(refused_elsewhere(self->ends.ours, self->first, self->read));
        AWAIT(once(&self->ends, "localhost", self->read, &self->second, &self->resumed));
        CHECK(self->resumed);
        thrum_tls_session_release(self->second);
        thrum_tls_session_release(self->first);
        thrum_tls_session_release(self->read);
        thrum_tls_context_release(self->ends.ours);
        thrum_tls_context_release(self->ends.theirs);
        memset(&self->ends, 0, sizeof self->ends);
    }
    CHECK_EQ(thrum_tls_session_load(&self->read, "nonsense", 8), THRUM_ETLS);
    CHECK_NULL(self->read);
    thrum_tls_session_release(NULL);
    /* A server that resumes nothing gives nothing to resume. */
    self->options = server_options(localhost());
    self->options.no_resumption = true;
    self->ends.theirs = context_of(&self->options);
    self->ends.ours = client_context();
    AWAIT(once(&self->ends, "localhost", NULL, &self->first, &self->resumed));
    CHECK_NULL(self->first);
    thrum_tls_context_release(self->ends.ours);
    thrum_tls_context_release(self->ends.theirs);
    ASYNC_END;
}

/* ---- key material ---- */

static void note_line(void *context, const char *line)
{
    if (!strncmp(line, "CLIENT_TRAFFIC_SECRET_0 ", 24))
        ++*(int *)context;
}

NET_TEST(contexts, key_log,
         LOCALS(tls_ends ends; thrum_tls_options options; char *file; int lines; char text[4096]; long size;))
{
    FILE *log;
    ASYNC_BEGIN;
    self->file = pem_file("# keys\n", NULL);
    self->options = client_options();
    self->options.key_line = note_line;
    self->options.key_line_context = &self->lines;
    self->options.key_log_file = self->file;
    self->ends.ours = context_of(&self->options);
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    ends_close(&self->ends);
    CHECK_EQ(self->lines, 1);
    log = fopen(self->file, "r");
    CHECK_NOT_NULL(log);
    self->size = (long)fread(self->text, 1, sizeof self->text - 1, log);
    fclose(log);
    self->text[self->size] = '\0';
    CHECK(!strncmp(self->text, "# keys\n", 7));
    CHECK_NOT_NULL(strstr(self->text, "\nCLIENT_TRAFFIC_SECRET_0 "));
    CHECK_EQ(self->text[self->size - 1], '\n');
    unlink(self->file);
    free(self->file);
    ASYNC_END;
}
