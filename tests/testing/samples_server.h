/* A sample's server, with one client. */
#ifndef TEST_TESTING_SAMPLES_SERVER_H
#define TEST_TESTING_SAMPLES_SERVER_H

#include "samples.h"

/* A server's main function, which has one client and is then cancelled. */
typedef struct served {
    thrum_awaitable (*serve)(void *context);
    void *context;
    const char *say;  /* to the server, which answers */
    const char *path; /* of its Unix socket; NULL: it listens where it says on a port that it was given */
} served;

/* What a server says when it listens ends with its port. */
static inline thrum_awaitable open_connection_to(const served *at, char *port, size_t room)
{
    const char *colon = strrchr(samples_text, ':');
    if (at->path)
        return thrum_open_unix_connection(at->path);
    (void)snprintf(port, room, "%d", colon ? atoi(colon + 1) : 0);
    return thrum_open_connection("127.0.0.1", port);
}

/* Connect as soon as there is something to connect to. That may never be: somebody may have been cancelled. */
static ASYNC(open_soon, ARGS((const served *, at)), LOCALS(int tries; int error; thrum_stream * stream; char port[16];))
{
    ASYNC_BEGIN;
    for (self->tries = 0; self->tries < 20; self->tries++) {
        if (samples_text[0]) {
            AWAIT_INTO(self->stream, open_connection_to(self->at, self->port, sizeof self->port));
            ASYNC_RETURN((thrum_value)(intptr_t)self->stream);
        }
        AWAIT(thrum_sleep(0));
    }
    ASYNC_RAISE(THRUM_ESTATE);
    ASYNC_END;
}

static ASYNC(serve_a_while, ARGS((void *, context)),
             LOCALS(const served *at; thrum_task * server; thrum_stream * stream; char c;))
{
    ASYNC_BEGIN;
    samples_text[0] = '\0';
    self->at = (const served *)self->context;
    self->server = thrum_spawn(self->at->serve(self->at->context));
    if (!self->server)
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT_INTO(self->stream, open_soon(self->at));
    AWAIT(thrum_stream_write(self->stream, self->at->say, strlen(self->at->say)));
    AWAIT(thrum_timeout(SECONDS(2), thrum_stream_read(self->stream, &self->c, 1)));
FINALLY:
    if (self->server)
        (void)thrum_task_cancel(self->server); /* the end of the program waits for it */
    thrum_task_release(self->server);
    thrum_stream_release(self->stream);
    ASYNC_END;
}

#endif
