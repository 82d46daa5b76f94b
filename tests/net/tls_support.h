/* What the tests of TLS share: a world with an authority and a server that it knows, contexts of both sides, and two
 * streams that go over to TLS with each other. */
#ifndef TEST_NET_TLS_SUPPORT_H
#define TEST_NET_TLS_SUPPORT_H

#include "certificates.h"
#include "support.h"

/* ---- who is who ---- */

/* Made once a process. */
static inline const identity *root(void)
{
    static identity *made;
    if (!made)
        made = identity_make(&(identity_options){.name = "Test Root", .authority = true});
    return made;
}

static inline const identity *localhost(void)
{
    static identity *made;
    if (!made)
        made = identity_make(
            &(identity_options){.name = "localhost", .names = "DNS:localhost,IP:127.0.0.1,IP:::1", .issuer = root()});
    return made;
}

static inline thrum_tls_options server_options(const identity *who)
{
    thrum_tls_options options = {.size = sizeof options, .server = true};
    options.certificate = who->chain;
    options.certificate_size = who->chain_size;
    options.key = who->secret;
    options.key_size = who->secret_size;
    return options;
}

static inline thrum_tls_options client_options(void)
{
    thrum_tls_options options = {.size = sizeof options};
    options.trust = root()->certificate;
    options.trust_size = root()->certificate_size;
    return options;
}

static inline thrum_tls_context *context_of(const thrum_tls_options *options)
{
    thrum_tls_context *made;
    int error = thrum_tls_context_new(&made, options);
    if (error)
        FAIL(thrum_tls_problem());
    return made;
}

static inline thrum_tls_context *server_of(const identity *who)
{
    thrum_tls_options options = server_options(who);
    return context_of(&options);
}

static inline thrum_tls_context *client_context(void)
{
    thrum_tls_options options = client_options();
    return context_of(&options);
}

/* ---- two ends ---- */

typedef struct tls_ends {
    thrum_stream *client, *server;
    thrum_tls_context *ours, *theirs; /* of client and server */
    outcome client_over, server_over; /* of their handshakes */
    char client_text[128], server_text[128];
} tls_ends;

/* Note how something went, with the text of its error. */
static ASYNC(note_text, ARGS((thrum_awaitable, what), (outcome *, to), (char *, text)), LOCALS(int error;),
             ON_DROP(thrum_drop(self->what);))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, self->what);
    self->to->error = self->error;
    self->to->over = true;
    self->text[0] = '\0';
    if (self->error && thrum_error_last())
        strcpy(self->text, thrum_error_last()->text);
    ASYNC_END;
}

/* Shake hands at both ends at once; who is refused is in the outcomes. `host` is whom the client wants. */
static ASYNC(shake, ARGS((tls_ends *, ends), (const char *, host)), LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, note_text(thrum_start_tls(self->ends->server, self->ends->theirs, true, NULL),
                                                  &self->ends->server_over, self->ends->server_text));
        thrum_group_spawn(&self->group,
                          note_text(thrum_start_tls(self->ends->client, self->ends->ours, false, self->host),
                                    &self->ends->client_over, self->ends->client_text));
    }
    ASYNC_END;
}

/* Not every file shakes hands so. */
static inline void shake_is_used(void)
{
    (void)shake;
}

static inline void ends_open(tls_ends *ends)
{
    int sockets[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets), 0);
    CHECK_EQ(thrum_stream_adopt(&ends->client, sockets[0], NULL), 0);
    CHECK_EQ(thrum_stream_adopt(&ends->server, sockets[1], NULL), 0);
    if (!ends->ours)
        ends->ours = client_context();
    if (!ends->theirs)
        ends->theirs = server_of(localhost());
}

static inline void ends_close(tls_ends *ends)
{
    thrum_stream_release(ends->client);
    thrum_stream_release(ends->server);
    thrum_tls_context_release(ends->ours);
    thrum_tls_context_release(ends->theirs);
    memset(ends, 0, sizeof *ends);
}

#endif
