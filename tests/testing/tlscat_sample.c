/* The sample tlscat, with everything that can come in between, on a network in memory: whom it connects to runs in the
 * same loop, and its standard streams are in memory, too. */
#include "samples.h"

#include <thrum/feeds.h>
#include <thrum/testing_network.h>

#include "../net/tls_support.h"

static thrum_stream *shown; /* the other end of the standard output */

static int fake_stdin(thrum_stream **stream)
{
    int error = thrum_stream_fed(stream, NULL);
    if (!error)
        error = thrum_stream_feed_data(*stream, "hello", 5);
    return error ? error : thrum_stream_feed_eof(*stream);
}

#define thrum_open_stdin(stream, options) fake_stdin(stream)
#define thrum_open_stdout(stream, options) thrum_test_stream_pair(stream, &shown, options)
#include "../../samples/tlscat.c"
#undef main

static thrum_tls_context *ours, *theirs;

/* What comes goes back, up to its end. */
static ASYNC(reply, ARGS((thrum_stream *, client), (void *, context)),
             LOCALS(const void *data; size_t size; int error;))
{
    ASYNC_BEGIN;
    do {
        AWAIT_CATCH_INTO(self->error, self->size, thrum_stream_fill(self->client, &self->data, 1));
        if (!self->error)
            AWAIT_CATCH(self->error, thrum_stream_write(self->client, self->data, self->size));
    } while (self->size && !self->error);
    ASYNC_END;
}

static ASYNC(talk, ARGS((void *, context)),
             LOCALS(thrum_test_network *network; thrum_server_options options; thrum_server * server; struct job job;
                    char bytes[6]; size_t size;))
{
    static const thrum_test_path path = {.size = sizeof path, .latency = MILLISECONDS(10), .fragment = 700};
    static const thrum_test_network_options how = {.size = sizeof how, .path = &path};
    int error;
    ASYNC_BEGIN;
    error = thrum_test_network_open(&self->network, &how);
    if (error)
        ASYNC_RAISE(error);
    self->options = (thrum_server_options){.size = sizeof self->options, .tls = theirs};
    AWAIT_INTO(self->server, thrum_start_server_with(reply, NULL, "127.0.0.1", "443", &self->options));
    self->job = (struct job){.host = "localhost", .port = "443", .tls = ours, .patience = SECONDS(10)};
    AWAIT(app(&self->job));
    AWAIT_INTO(self->size, thrum_stream_read(shown, self->bytes, sizeof self->bytes));
    if (self->size != 5 || memcmp(self->bytes, "hello", 5) != 0)
        ASYNC_RAISE(THRUM_EINCOMPLETE);
FINALLY:
    thrum_stream_release(shown);
    shown = NULL;
    thrum_server_close(self->server);
    thrum_server_release(self->server);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, tlscat, 60)
{
    samples_text[0] = '\0'; /* it prints nothing but errors */
    ours = client_context();
    theirs = server_of(localhost());
    explore_sample(talk, NULL, NULL, 10);
    thrum_tls_context_release(ours);
    thrum_tls_context_release(theirs);
}
