/* server CERT KEY: the same over thrum's streams. */
#include <stdio.h>

#include <thrum.h>

enum { MOST_LENT = 65536 };

static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(const void *data; size_t size;))
{
    ASYNC_BEGIN;
    thrum_stream_set_write_limits(self->client, 2 * MOST_LENT, MOST_LENT);
    for (;;) {
        if (thrum_stream_unsent(self->client) > MOST_LENT)
            AWAIT(thrum_stream_flush(self->client));
        AWAIT_INTO(self->size, thrum_stream_fill(self->client, &self->data, 1));
        if (self->size == 0)
            break;
        AWAIT(thrum_stream_write(self->client, self->data, self->size));
    }
    ASYNC_END;
}

/* A client that hangs up without a close_notify is nothing to tell of here. */
static ASYNC(handle, ARGS((thrum_stream *, client), (void *, context)), LOCALS(int ignored;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->ignored, echo(self->client, self->context));
    thrum_stream_abort(self->client);
    ASYNC_END;
}

static ASYNC(serve, ARGS((thrum_tls_context *, tls)), LOCALS(thrum_server *server; thrum_server_options options;))
{
    ASYNC_BEGIN;
    self->options = (thrum_server_options){.size = sizeof self->options, .backlog = 4096, .tls = self->tls};
    AWAIT_INTO(self->server, thrum_start_server_with(handle, NULL, "127.0.0.1", "0", &self->options));
    printf("PORT %d\n", thrum_server_port(self->server));
    fflush(stdout);
    AWAIT(thrum_server_serve_forever(self->server));
    ASYNC_END;
}

int main(int argc, char **argv)
{
    thrum_tls_options options = {.size = sizeof options, .server = true};
    thrum_tls_context *tls;
    if (argc < 3)
        return 2;
    options.certificate_file = argv[1];
    options.key_file = argv[2];
    if (thrum_tls_context_new(&tls, &options)) {
        fprintf(stderr, "%s\n", thrum_tls_problem());
        return 2;
    }
    return thrum_run(serve(tls));
}
