/* Other implementations at the other end: openssl's s_client and s_server, and Debian's Python with asyncio and ssl. */
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "tls_support.h"

/* ---- a child, whose standard input and outputs are a stream ---- */

typedef struct child {
    pid_t process;
    thrum_stream *stream;
} child;

/* The words of its command, then NULL. */
static child child_start(const char *first, ...)
{
    char *words[20] = {(char *)(uintptr_t)first};
    va_list more;
    va_start(more, first);
    for (int i = 1; i < 19 && (words[i] = va_arg(more, char *)) != NULL; i++)
        continue;
    va_end(more);
    child made;
    int ends[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    made.process = fork();
    if (!made.process) {
        (void)dup2(ends[1], 0);
        (void)dup2(ends[1], 1);
        (void)dup2(ends[1], 2);
        execvp(words[0], words);
        _exit(127);
    }
    CHECK_GT(made.process, 0);
    close(ends[1]);
    CHECK_EQ(thrum_stream_adopt(&made.stream, ends[0], NULL), 0);
    return made;
}

static void child_end(child *one)
{
    int status;
    thrum_stream_release(one->stream);
    (void)kill(one->process, SIGTERM);
    CHECK_EQ(waitpid(one->process, &status, 0), one->process);
}

/* Read lines until one begins with `start`; what follows it goes to `rest`. */
static ASYNC(expect, ARGS((thrum_stream *, stream), (const char *, start), (char *, rest), (size_t, room)),
             LOCALS(char line[512]; long got;))
{
    ASYNC_BEGIN;
    do {
        AWAIT_INTO(self->got, thrum_stream_read_line(self->stream, self->line, sizeof self->line));
        if (!self->got)
            FAIL(self->start);
        self->line[strcspn(self->line, "\n")] = '\0';
    } while (strncmp(self->line, self->start, strlen(self->start)) != 0);
    if (self->rest)
        snprintf(self->rest, self->room, "%s", self->line + strlen(self->start));
    ASYNC_END;
}

/* ---- a server of ours ---- */

typedef struct world {
    thrum_tls_context *tls;
    thrum_server *server;
    char address[32], port[8];
    char *trust, *certificate, *key;
    int connections, renegotiations, error;
} world;

static ASYNC(answer, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char line[64]; long got; int error;))
{
    world *all;
    ASYNC_BEGIN;
    ((world *)self->context)->connections++;
    do {
        AWAIT_CATCH_INTO(self->error, self->got, thrum_stream_read_line(self->client, self->line, sizeof self->line));
        if (!self->error && self->got)
            AWAIT(thrum_stream_write(self->client, self->line, (size_t)self->got));
    } while (!self->error && self->got);
    all = (world *)self->context;
    all->error = self->error;
    ASYNC_END;
}

static ASYNC(world_open, ARGS((world *, all), (thrum_tls_version, highest)), LOCALS(thrum_server_options options;))
{
    thrum_tls_options tls;
    ASYNC_BEGIN;
    signal(SIGPIPE, SIG_IGN);
    tls = server_options(localhost());
    tls.highest = self->highest;
    self->all->tls = context_of(&tls);
    self->options = (thrum_server_options){.size = sizeof self->options, .tls = self->all->tls};
    AWAIT_INTO(self->all->server, thrum_start_server_with(answer, self->all, "127.0.0.1", "0", &self->options));
    snprintf(self->all->port, sizeof self->all->port, "%d", thrum_server_port(self->all->server));
    snprintf(self->all->address, sizeof self->all->address, "127.0.0.1:%s", self->all->port);
    self->all->trust = pem_file(root()->certificate, NULL);
    self->all->certificate = pem_file(localhost()->chain, NULL);
    self->all->key = pem_file(localhost()->secret, NULL);
    ASYNC_END;
}

static ASYNC(world_close, ARGS((world *, all)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_server_close(self->all->server);
    thrum_server_abort_clients(self->all->server);
    AWAIT(thrum_server_wait_closed(self->all->server));
    thrum_server_release(self->all->server);
    thrum_tls_context_release(self->all->tls);
    unlink(self->all->trust), unlink(self->all->certificate), unlink(self->all->key);
    free(self->all->trust), free(self->all->certificate), free(self->all->key);
    ASYNC_END;
}

/* ---- openssl ---- */

/* s_client verifies our chain and name; lines go there and back; it ends in order. */
static ASYNC(talk_to_s_client, ARGS((world *, all), (const char *, version)), LOCALS(child child;))
{
    ASYNC_BEGIN;
    self->child = child_start("openssl", "s_client", "-quiet", "-connect", self->all->address, "-CAfile",
                              self->all->trust, "-verify_return_error", "-verify_hostname", "localhost", "-servername",
                              "localhost", self->version, NULL);
    AWAIT(thrum_stream_write(self->child.stream, "hello\n", 6));
    AWAIT(expect(self->child.stream, "hello", NULL, 0));
    child_end(&self->child);
    ASYNC_END;
}

NET_TEST(tls_peers, s_client, LOCALS(world all;))
{
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, THRUM_TLS_DEFAULT));
    AWAIT(talk_to_s_client(&self->all, "-tls1_3"));
    AWAIT(talk_to_s_client(&self->all, "-tls1_2"));
    CHECK_EQ(self->all.connections, 2);
    AWAIT(world_close(&self->all));
    ASYNC_END;
}

/* A client of TLS 1.2 that wants to renegotiate is refused, and hears why. */
NET_TEST(tls_peers, renegotiation, LOCALS(world all; child child; char line[512]; long got; int error; bool asked;))
{
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, THRUM_TLS_1_2));
    self->child = child_start("openssl", "s_client", "-connect", self->all.address, "-CAfile", self->all.trust,
                              "-verify_return_error", "-tls1_2", NULL);
    AWAIT(expect(self->child.stream, "    Verify return code: 0", NULL, 0));
    AWAIT(thrum_stream_write(self->child.stream, "R\n", 2));
    do {
        AWAIT_CATCH_INTO(self->error, self->got,
                         thrum_stream_read_line(self->child.stream, self->line, sizeof self->line));
        self->asked |= strstr(self->line, ":no renegotiation:") != NULL;
    } while (self->got && !self->error); /* it gives up */
    CHECK(self->asked);
    CHECK_EQ(self->all.connections, 1);
    child_end(&self->child);
    AWAIT(world_close(&self->all));
    ASYNC_END;
}

/* So is a server that wants it from a client of ours. */
NET_TEST(tls_peers, renegotiation_by_the_server,
         LOCALS(world all; child child; char port[64], line[512]; thrum_tls_context * ours; thrum_stream * stream;
                thrum_connect_options options; long got; int error; bool refused;))
{
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, THRUM_TLS_DEFAULT)); /* for its files */
    self->ours = client_context();
    self->child = child_start("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", self->all.certificate, "-key",
                              self->all.key, "-tls1_2", NULL);
    AWAIT(expect(self->child.stream, "ACCEPT 127.0.0.1:", self->port, sizeof self->port));
    self->options = (thrum_connect_options){.size = sizeof self->options, .tls = self->ours};
    AWAIT_INTO(self->stream, thrum_open_connection_with("localhost", self->port, &self->options));
    AWAIT(thrum_stream_write(self->stream, "hello\n", 6));
    AWAIT(thrum_stream_flush(self->stream));
    AWAIT(expect(self->child.stream, "hello", NULL, 0));
    AWAIT(thrum_stream_write(self->child.stream, "r\n", 2));
    AWAIT_CATCH_INTO(self->error, self->got, thrum_stream_read(self->stream, self->line, sizeof self->line));
    CHECK(self->error || !self->got); /* it gives up */
    while (!self->refused) {
        AWAIT_INTO(self->got, thrum_stream_read_line(self->child.stream, self->line, sizeof self->line));
        CHECK_GT(self->got, 0);
        self->refused = strstr(self->line, ":no renegotiation:") != NULL;
    }
    thrum_stream_release(self->stream);
    child_end(&self->child);
    thrum_tls_context_release(self->ours);
    AWAIT(world_close(&self->all));
    ASYNC_END;
}

/* s_server turns lines round. Its certificate is verified by us; a stranger's is refused. */
NET_TEST(tls_peers, s_server,
         LOCALS(world all; child child; char port[64]; thrum_tls_context * ours; thrum_stream * stream;
                thrum_connect_options options; char line[16]; long got; outcome over; char text[128];))
{
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, THRUM_TLS_DEFAULT)); /* for its files */
    self->ours = client_context();
    self->child = child_start("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", self->all.certificate, "-key",
                              self->all.key, "-rev", NULL);
    AWAIT(expect(self->child.stream, "ACCEPT 127.0.0.1:", self->port, sizeof self->port));
    self->options = (thrum_connect_options){.size = sizeof self->options, .tls = self->ours};
    AWAIT(note_text(thrum_open_connection_with("127.0.0.1", self->port,
                                               &(thrum_connect_options){.size = sizeof(thrum_connect_options),
                                                                        .tls = self->ours,
                                                                        .server_hostname = "example.org"}),
                    &self->over, self->text));
    CHECK_EQ(self->over.error, THRUM_ECERTIFICATE);
    AWAIT_INTO(self->stream, thrum_open_connection_with("localhost", self->port, &self->options));
    AWAIT(thrum_stream_write(self->stream, "hello\n", 6));
    AWAIT_INTO(self->got, thrum_stream_read_line(self->stream, self->line, sizeof self->line));
    CHECK_STR(self->line, "olleh\n");
    thrum_stream_release(self->stream);
    child_end(&self->child);
    thrum_tls_context_release(self->ours);
    AWAIT(world_close(&self->all));
    ASYNC_END;
}

/* ---- Python ---- */

static const char python_client[] =
    "import asyncio, ssl, sys\n"
    "async def main(port, trust):\n"
    "    context = ssl.create_default_context(cafile=trust)\n"
    "    reader, writer = await asyncio.open_connection('localhost', port, ssl=context, family=2)\n"
    "    for size in (1, 50, 20):\n"
    "        writer.write(b'x' * size + b'\\n')\n"
    "        assert await reader.readline() == b'x' * size + b'\\n'\n"
    "    writer.close()\n"
    "    await writer.wait_closed()\n"
    "    reader, writer = await asyncio.open_connection('localhost', port, ssl=context, family=2)\n"
    "    writer.write(b'again\\n')\n"
    "    assert await reader.readline() == b'again\\n'\n"
    "    print('done', flush=True)\n"
    "    writer.close()\n"
    "    await writer.wait_closed()\n"
    "    print('closed', flush=True)\n"
    "asyncio.run(main(int(sys.argv[1]), sys.argv[2]))\n";

NET_TEST(tls_peers, python_client, LOCALS(world all; child child;))
{
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, THRUM_TLS_DEFAULT));
    self->child = child_start("/usr/bin/python3", "-c", python_client, self->all.port, self->all.trust, NULL);
    AWAIT(expect(self->child.stream, "done", NULL, 0));
    AWAIT(expect(self->child.stream, "closed", NULL, 0));
    CHECK_EQ(self->all.connections, 2);
    CHECK_EQ(self->all.error, 0);
    child_end(&self->child);
    AWAIT(world_close(&self->all));
    ASYNC_END;
}

/* Its server sends data and close_notify at once. */
static const char python_server[] = "import asyncio, ssl, sys\n"
                                    "context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)\n"
                                    "context.load_cert_chain(sys.argv[1], sys.argv[2])\n"
                                    "context.set_alpn_protocols(['echo/1'])\n"
                                    "async def echo(reader, writer):\n"
                                    "    writer.write(await reader.readline())\n"
                                    "    writer.close()\n"
                                    "    await writer.wait_closed()\n"
                                    "async def main():\n"
                                    "    server = await asyncio.start_server(echo, '127.0.0.1', 0, ssl=context)\n"
                                    "    print('port', server.sockets[0].getsockname()[1], flush=True)\n"
                                    "    await server.serve_forever()\n"
                                    "asyncio.run(main())\n";

NET_TEST(tls_peers, python_server,
         LOCALS(world all; child child; char port[64]; thrum_tls_context * ours; thrum_stream * stream;
                thrum_connect_options options; char line[16]; long got; thrum_tls_info info; thrum_tls_options tls;))
{
    static const char *const protocols[] = {"echo/2", "echo/1"};
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, THRUM_TLS_DEFAULT));
    self->tls = client_options();
    self->tls.protocols = protocols;
    self->tls.protocol_count = 2;
    self->ours = context_of(&self->tls);
    self->child = child_start("/usr/bin/python3", "-c", python_server, self->all.certificate, self->all.key, NULL);
    AWAIT(expect(self->child.stream, "port ", self->port, sizeof self->port));
    self->options = (thrum_connect_options){.size = sizeof self->options, .tls = self->ours};
    AWAIT_INTO(self->stream, thrum_open_connection_with("localhost", self->port, &self->options));
    CHECK_EQ(thrum_stream_tls_info(self->stream, &self->info), 0);
    CHECK_STR(self->info.protocol, "echo/1");
    AWAIT(thrum_stream_write(self->stream, "hello\n", 6));
    AWAIT_INTO(self->got, thrum_stream_read_line(self->stream, self->line, sizeof self->line));
    CHECK_STR(self->line, "hello\n");
    AWAIT_INTO(self->got, thrum_stream_read(self->stream, self->line, sizeof self->line));
    CHECK_EQ(self->got, 0);
    AWAIT(thrum_stream_close(self->stream));
    thrum_stream_release(self->stream);
    child_end(&self->child);
    thrum_tls_context_release(self->ours);
    AWAIT(world_close(&self->all));
    ASYNC_END;
}
