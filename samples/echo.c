/* An echo server: what a client sends comes back, until it hangs up or stays silent for 30 s.
 *
 *     echo                    on 127.0.0.1, port 7777
 *     echo --port 9000        on another port
 *     echo --unix /tmp/echo   on a Unix socket
 *
 * Talk to it with `nc 127.0.0.1 7777` or `nc -U /tmp/echo`; Ctrl-C ends it. */
#include <getopt.h>
#include <stdio.h>

#include <thrum.h>

/* Runs once for each connection, all of them at the same time. Only what is in LOCALS and ARGS, reached by `self->`,
 * survives an AWAIT. */
static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(size_t n;), BUFFERS(char buffer[4096];))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->n,
                   thrum_timeout(SECONDS(30), thrum_stream_read(self->client, self->buffer, sizeof self->buffer)));
        if (self->n == 0)
            break; /* end of file */
        AWAIT(thrum_stream_write(self->client, self->buffer, self->n));
    }
FINALLY: /* on return, on error and on cancellation alike */
    AWAIT(thrum_stream_close(self->client));
    ASYNC_END;
}

static ASYNC(app, ARGS((const char *, port), (const char *, path)), LOCALS(thrum_server *server;))
{
    char address[THRUM_ADDRESS_TEXT];
    ASYNC_BEGIN;
    if (self->path)
        AWAIT_INTO(self->server, thrum_start_unix_server(echo, NULL, self->path));
    else
        AWAIT_INTO(self->server, thrum_start_server(echo, NULL, "127.0.0.1", self->port));
    thrum_server_address(self->server, 0, address, sizeof address);
    printf("echo listens on %s\n", address);
    fflush(stdout);
    AWAIT(thrum_server_serve_forever(self->server));
FINALLY:
    thrum_server_close(self->server); /* close takes NULL: the server may not have come to be */
    ASYNC_END;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"unix", required_argument, NULL, 'u'},
        {NULL, 0, NULL, 0},
    };
    const char *port = "7777", *path = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'p':
            port = optarg;
            break;
        case 'u':
            path = optarg;
            break;
        default:
            fprintf(stderr, "usage: %s [--port PORT | --unix PATH]\n", argv[0]);
            return 2;
        }
    }
    return thrum_run(app(port, path));
}
