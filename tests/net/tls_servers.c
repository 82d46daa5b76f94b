/* Servers and connections that speak TLS, as streams and as protocols. Numbers are those of tests/net/PORTED.md. */
#include "protocols.h"
#include "tls_support.h"

/* ---- a world with a server ---- */

typedef struct world {
    thrum_tls_context *server_tls, *client_tls;
    thrum_server *server;
    char port[8];
    int handled, reported;
    const char *protocol;
} world;

static ASYNC(answer, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char line[64]; long got;))
{
    ASYNC_BEGIN;
    ((world *)self->context)->handled++;
    for (;;) {
        AWAIT_INTO(self->got, thrum_stream_read_line(self->client, self->line, sizeof self->line));
        if (!self->got)
            break;
        AWAIT(thrum_stream_write(self->client, self->line, (size_t)self->got));
    }
    ASYNC_END;
}

static void note_report(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)report;
    ((world *)context)->reported++;
}

static ASYNC(world_open, ARGS((world *, all), (thrum_time, patience)), LOCALS(thrum_server_options options;))
{
    ASYNC_BEGIN;
    self->all->server_tls = server_of(localhost());
    self->all->client_tls = client_context();
    self->options = (thrum_server_options){
        .size = sizeof self->options, .tls = self->all->server_tls, .handshake_timeout = self->patience};
    AWAIT_INTO(self->all->server, thrum_start_server_with(answer, self->all, "127.0.0.1", "0", &self->options));
    snprintf(self->all->port, sizeof self->all->port, "%d", thrum_server_port(self->all->server));
    thrum_loop_set_exception_handler(thrum_loop_current(), note_report, self->all);
    ASYNC_END;
}

static ASYNC(world_close, ARGS((world *, all)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_server_close(self->all->server);
    AWAIT(thrum_server_wait_closed(self->all->server));
    thrum_server_release(self->all->server);
    thrum_tls_context_release(self->all->server_tls);
    thrum_tls_context_release(self->all->client_tls);
    CHECK_EQ(self->all->reported, 0);
    ASYNC_END;
}

static thrum_awaitable dial(const world *all, const char *host, const char *name)
{
    thrum_connect_options options = {.size = sizeof options, .tls = all->client_tls, .server_hostname = name};
    return thrum_open_connection_with(host, all->port, &options);
}

static ASYNC(say, ARGS((thrum_stream *, stream)), LOCALS(char line[16]; long got;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_write(self->stream, "hello\n", 6));
    AWAIT_INTO(self->got, thrum_stream_read_line(self->stream, self->line, sizeof self->line));
    CHECK_STR(self->line, "hello\n");
    AWAIT(thrum_stream_close(self->stream));
    thrum_stream_release(self->stream);
    ASYNC_END;
}

NET_TEST(tls_server, serves, LOCALS(world all; thrum_stream * stream;))
{
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, 0));
    AWAIT_INTO(self->stream, dial(&self->all, "127.0.0.1", NULL));
    AWAIT(say(self->stream));
    AWAIT_INTO(self->stream, dial(&self->all, "localhost", NULL));
    AWAIT(say(self->stream));
    AWAIT_INTO(self->stream, dial(&self->all, "127.0.0.1", "localhost"));
    AWAIT(say(self->stream));
    AWAIT_INTO(self->stream, dial(&self->all, "127.0.0.1", ""));
    AWAIT(say(self->stream));
    CHECK_EQ(self->all.handled, 4);
    AWAIT(world_close(&self->all));
    ASYNC_END;
}

/* The context and the session may be the caller's own from before. */
NET_TEST(tls_server, resumes,
         LOCALS(world all; thrum_stream * stream; thrum_tls_session * session; thrum_connect_options options;
                thrum_tls_info info; char line[8]; long got;))
{
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, 0));
    AWAIT_INTO(self->stream, dial(&self->all, "localhost", NULL));
    AWAIT(thrum_stream_write(self->stream, "x\n", 2));
    AWAIT_INTO(self->got, thrum_stream_read_line(self->stream, self->line, sizeof self->line));
    CHECK_EQ(thrum_stream_tls_session(self->stream, &self->session), 0);
    AWAIT(say(self->stream));
    self->options =
        (thrum_connect_options){.size = sizeof self->options, .tls = self->all.client_tls, .session = self->session};
    AWAIT_INTO(self->stream, thrum_open_connection_with("localhost", self->all.port, &self->options));
    CHECK_EQ(thrum_stream_tls_info(self->stream, &self->info), 0);
    CHECK(self->info.resumed);
    AWAIT(say(self->stream));
    thrum_tls_session_release(self->session);
    AWAIT(world_close(&self->all));
    ASYNC_END;
}

/* Who fails to shake hands never reaches the handler, and nothing is reported. */
NET_TEST(tls_server, strangers, LOCALS(world all; thrum_stream * stream; outcome over; char text[128]; long got;))
{
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, MILLISECONDS(30)));
    AWAIT(note_text(dial(&self->all, "127.0.0.1", "example.org"), &self->over, self->text));
    CHECK_EQ(self->over.error, THRUM_ECERTIFICATE);
    CHECK_STR(self->text, "hostname mismatch: not for example.org (depth 0, CN=localhost)");
    /* One that speaks something else. */
    AWAIT_INTO(self->stream, thrum_open_connection("127.0.0.1", self->all.port));
    AWAIT(thrum_stream_write(self->stream, "GET / HTTP/1.0\r\n\r\n", 18));
    do
        AWAIT_CATCH_INTO(self->over.error, self->got, thrum_stream_read(self->stream, self->text, sizeof self->text));
    while (self->got && !self->over.error);
    thrum_stream_release(self->stream);
    /* One that hangs up. */
    AWAIT_INTO(self->stream, thrum_open_connection("127.0.0.1", self->all.port));
    thrum_stream_release(self->stream);
    /* One that is silent is cut off. */
    AWAIT_INTO(self->stream, thrum_open_connection("127.0.0.1", self->all.port));
    AWAIT_CATCH_INTO(self->over.error, self->got, thrum_stream_read(self->stream, self->text, sizeof self->text));
    CHECK_EQ(self->got, 0);
    thrum_stream_release(self->stream);
    CHECK_EQ(self->all.handled, 0);
    AWAIT(world_close(&self->all));
    ASYNC_END;
}

/* A silent one does not hold up others, nor the end of the server. */
NET_TEST(tls_server, slow_ones, LOCALS(world all; thrum_stream * slow; thrum_stream * stream;))
{
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, 0));
    AWAIT_INTO(self->slow, thrum_open_connection("127.0.0.1", self->all.port));
    AWAIT_INTO(self->stream, dial(&self->all, "localhost", NULL));
    AWAIT(say(self->stream));
    CHECK_EQ(self->all.handled, 1);
    thrum_server_close_clients(self->all.server);
    AWAIT(world_close(&self->all));
    thrum_stream_release(self->slow);
    ASYNC_END;
}

static char logged[1024];
static void note_log(void *context, const char *line)
{
    (void)context;
    strncat(logged, line, sizeof logged - strlen(logged) - 1);
}

/* In debug mode it is told. */
NET_TEST(tls_server, debug_mode_tells, LOCALS(world all; outcome over; char text[128];))
{
    ASYNC_BEGIN;
    logged[0] = '\0';
    thrum_log_set(note_log, NULL);
    AWAIT(world_open(&self->all, 0));
    thrum_loop_set_debug(thrum_loop_current(), true);
    AWAIT(note_text(dial(&self->all, "127.0.0.1", "example.org"), &self->over, self->text));
    AWAIT(world_close(&self->all));
    thrum_loop_set_debug(thrum_loop_current(), false);
    thrum_log_set(NULL, NULL);
    CHECK_NOT_NULL(strstr(logged, "the TLS handshake with a client failed"));
    CHECK_NOT_NULL(strstr(logged, "the peer refused: bad certificate"));
    ASYNC_END;
}

/* ---- options ---- */

NET_TEST(tls_server, options,
         LOCALS(world all; outcome over; thrum_server_options server; thrum_connect_options client;))
{
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, 0));
    self->server = (thrum_server_options){.size = sizeof self->server, .tls = self->all.server_tls};
    AWAIT(note_outcome(thrum_start_server_with(NULL, NULL, "127.0.0.1", "0", &self->server), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL); /* without a handler */
    self->server.handshake_timeout = -1;
    AWAIT(note_outcome(thrum_start_server_with(answer, NULL, "127.0.0.1", "0", &self->server), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL);
    self->server.tls = NULL;
    self->server.handshake_timeout = 1;
    AWAIT(note_outcome(thrum_start_server_with(answer, NULL, "127.0.0.1", "0", &self->server), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL); /* there is no TLS */
    self->client = (thrum_connect_options){.size = sizeof self->client, .server_hostname = "localhost"};
    AWAIT(note_outcome(thrum_open_connection_with("127.0.0.1", "1", &self->client), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL);
    self->client =
        (thrum_connect_options){.size = sizeof self->client, .tls = self->all.client_tls, .shutdown_timeout = -1};
    AWAIT(note_outcome(thrum_open_connection_with("127.0.0.1", "1", &self->client), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL);
    self->client = (thrum_connect_options){.size = sizeof self->client, .tls = self->all.client_tls};
    AWAIT(note_outcome(thrum_open_unix_connection_with("/nowhere", &self->client), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL); /* a path names no host */
    self->client.tls = self->all.server_tls;
    AWAIT(note_outcome(thrum_open_connection_with("127.0.0.1", self->all.port, &self->client), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL);
    AWAIT(world_close(&self->all));
    ASYNC_END;
}

/* A connection that is cancelled while it shakes hands leaves nothing. */
NET_TEST(tls_server, cancelled_connect, LOCALS(pair pair; world all; outcome over; thrum_task * task; int i; int j;))
{
    ASYNC_BEGIN;
    AWAIT(world_open(&self->all, 0));
    for (self->i = 0; self->i < 6; self->i++) {
        self->task = begin(dial(&self->all, "127.0.0.1", NULL), &self->over);
        for (self->j = 0; self->j < self->i; self->j++)
            AWAIT(thrum_yield());
        thrum_task_cancel(self->task);
        AWAIT(self->task);
        thrum_task_release(self->task);
        if (!self->over.error)
            thrum_stream_release((thrum_stream *)(intptr_t)self->over.value);
        else
            CHECK_EQ(self->over.error, THRUM_ECANCELED);
    }
    thrum_server_close_clients(self->all.server);
    thrum_server_close(self->all.server);
    AWAIT(thrum_server_wait_closed(self->all.server));
    self->all.reported = 0; /* handlers whose clients were cut off, which is an error to them */
    AWAIT(world_close(&self->all));
    ASYNC_END;
}

/* ---- protocols ---- */

/* Both ends are protocols: made only when hands are shaken, data, the end, lost. Point 147: data and close_notify that
 * come together are told in this order. */
NET_TEST(tls_protocols, talk,
         LOCALS(world all; noted client; noted server; thrum_transport * transport; thrum_server_options listening;
                thrum_connect_options options; char text[64];))
{
    ASYNC_BEGIN;
    self->all.server_tls = server_of(localhost());
    self->all.client_tls = client_context();
    self->listening = (thrum_server_options){.size = sizeof self->listening, .tls = self->all.server_tls};
    AWAIT_INTO(self->all.server,
               thrum_create_server_with(factory_noting, &self->server, "127.0.0.1", "0", &self->listening));
    snprintf(self->all.port, sizeof self->all.port, "%d", thrum_server_port(self->all.server));
    self->options = (thrum_connect_options){.size = sizeof self->options, .tls = self->all.client_tls};
    AWAIT_INTO(self->transport, thrum_create_connection_with(factory_noting, &self->client, "localhost", self->all.port,
                                                             &self->options));
    AWAIT(until_told(&self->server, 1));
    CHECK_STR(self->client.calls, "M");
    CHECK_STR(self->server.calls, "M");
    CHECK(!thrum_transport_can_write_eof(self->transport));
    CHECK_EQ(thrum_transport_write_eof(self->transport), THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "version", self->text, sizeof self->text), 0);
    CHECK_STR(self->text, "TLSv1.3");
    CHECK_EQ(thrum_transport_write(self->transport, "hello", 5), 0);
    AWAIT(until_bytes(&self->server, 5));
    CHECK_EQ(thrum_transport_write(self->server.transport, "last words", 10), 0);
    thrum_transport_close(self->server.transport);
    AWAIT(until_lost(&self->client));
    CHECK_STR(self->client.calls, "MdeL");
    CHECK_STR(self->client.data, "last words");
    CHECK_EQ(self->client.error, 0);
    AWAIT(until_lost(&self->server));
    CHECK_EQ(self->server.error, 0);
    thrum_transport_release(self->transport);
    AWAIT(world_close(&self->all));
    ASYNC_END;
}

/* connect_accepted_socket with ssl: a socket made elsewhere, both ends of it, each the one that its context is for. */
NET_TEST(tls_protocols, accepted_socket,
         LOCALS(int ends[2]; tls_ends contexts; noted client, server; thrum_connect_options options; outcome over;
                thrum_task * task; thrum_transport * transport; char text[64];))
{
    ASYNC_BEGIN;
    ends_open(&self->contexts);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends), 0);
    self->options = (thrum_connect_options){.size = sizeof self->options, .tls = self->contexts.theirs};
    self->task =
        begin(thrum_connect_accepted_socket(factory_noting, &self->server, self->ends[0], &self->options), &self->over);
    self->options.tls = self->contexts.ours;
    self->options.server_hostname = "localhost";
    AWAIT(passes(3));
    CHECK_EQ(self->server.call_count, 0);
    AWAIT_INTO(self->transport,
               thrum_connect_accepted_socket(factory_noting, &self->client, self->ends[1], &self->options));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "version", self->text, sizeof self->text), 0);
    CHECK_STR(self->text, "TLSv1.3");
    CHECK_EQ(thrum_transport_write(self->transport, "hello", 5), 0);
    AWAIT(until_bytes(&self->server, 5));
    CHECK_STR(self->server.data, "hello");
    thrum_transport_close(self->transport);
    AWAIT(until_lost(&self->server));
    AWAIT(until_lost(&self->client));
    CHECK_STR(self->server.calls, "MdeL");
    CHECK_STR(self->client.calls, "ML");
    thrum_transport_release(self->transport);
    thrum_transport_release((thrum_transport *)(intptr_t)self->over.value);
    ends_close(&self->contexts);
    ASYNC_END;
}

/* ssl_handshake_timeout of connect_accepted_socket; and one that is cancelled, and names that the peer does not have:
 * no protocol is made. What cannot be right is said before; and the socket is closed in any case. */
NET_TEST(tls_protocols, accepted_socket_fails,
         LOCALS(int ends[2]; tls_ends contexts; noted what; thrum_connect_options options; outcome over, done;
                char text[128]; thrum_task * task; int i;))
{
    ASYNC_BEGIN;
    ends_open(&self->contexts);
    for (self->i = 0; self->i < 7; self->i++) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends), 0);
        self->options = (thrum_connect_options){.size = sizeof self->options, .tls = self->contexts.theirs};
        self->options.handshake_timeout = self->i ? 0 : MILLISECONDS(20);
        if (self->i == 2)
            self->options.server_hostname = "localhost"; /* is for clients */
        else if (self->i == 3)
            self->options.tls = self->contexts.ours; /* and they need it */
        else if (self->i == 4)
            self->options.local_port = "0"; /* it is connected */
        else if (self->i == 5)
            self->options.handshake_timeout = -1;
        else if (self->i == 6)
            self->options.size = 0;
        self->task =
            begin(note_text(thrum_connect_accepted_socket(factory_noting, &self->what, self->ends[0], &self->options),
                            &self->over, self->text),
                  &self->done);
        if (self->i == 1)
            thrum_task_cancel(self->task);
        AWAIT(self->task);
        thrum_task_release(self->task);
        if (self->i == 0) {
            CHECK_EQ(self->over.error, THRUM_ETIMEDOUT);
            CHECK_STR(self->text, "the TLS handshake took longer than 0.02 s");
        } else if (self->i == 1) {
            CHECK_EQ(self->done.error, THRUM_ECANCELED);
        } else {
            CHECK_EQ(self->over.error, THRUM_EINVAL);
        }
        CHECK_EQ(read(self->ends[1], self->text, sizeof self->text), 0);
        close(self->ends[1]);
    }
    CHECK_EQ(self->what.call_count, 0);
    ends_close(&self->contexts);
    ASYNC_END;
}

/* Hands are shaken, and the client's end is a transport. */
static ASYNC(transport_over_tls, ARGS((tls_ends *, ends), (noted *, what), (thrum_transport **, made)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ends_open(self->ends);
    AWAIT(shake(self->ends, "localhost"));
    CHECK_EQ(thrum_transport_of_stream(self->made, self->ends->client, &noting, self->what), 0);
    self->ends->client = NULL;
    AWAIT(until_told(self->what, 1));
    ASYNC_END;
}

/* connection_lost comes when the peer has answered the close_notify; until then what it sends is dropped. 147. */
NET_TEST(tls_protocols, close_waits,
         LOCALS(tls_ends ends; noted what; thrum_transport * transport; char text[8]; long got;))
{
    ASYNC_BEGIN;
    AWAIT(transport_over_tls(&self->ends, &self->what, &self->transport));
    CHECK_EQ(thrum_transport_write(self->transport, "bye", 3), 0);
    thrum_transport_close(self->transport);
    AWAIT(passes(3));
    CHECK_STR(self->what.calls, "M");
    AWAIT_INTO(self->got, thrum_stream_read(self->ends.server, self->text, sizeof self->text));
    CHECK_EQ(self->got, 3);
    AWAIT(thrum_stream_write(self->ends.server, "late", 4));
    AWAIT(thrum_stream_close(self->ends.server));
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "ML");
    CHECK_EQ(self->what.error, 0);
    thrum_transport_release(self->transport);
    ends_close(&self->ends);
    ASYNC_END;
}

/* 148: a buffered protocol is fed until TLS has nothing more, though its memory fills exactly. */
NET_TEST(tls_protocols, buffered, LOCALS(tls_ends ends; noted what; thrum_transport * transport; char *bytes;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    self->what.room = 16;
    CHECK_EQ(thrum_transport_of_stream(&self->transport, self->ends.client, &noting_buffered, &self->what), 0);
    self->ends.client = NULL;
    self->bytes = counted(1600);
    AWAIT(thrum_stream_write(self->ends.server, self->bytes, 1600));
    AWAIT(until_bytes(&self->what, 1600));
    CHECK_MEM(self->what.data, self->bytes, 1600);
    free(self->bytes);
    thrum_transport_abort(self->transport);
    AWAIT(until_lost(&self->what));
    thrum_transport_release(self->transport);
    ends_close(&self->ends);
    ASYNC_END;
}

/* 146: start_tls under a protocol: it is made once; what came behind the plain line is TLS, and not lost. */
NET_TEST(tls_protocols, start_tls,
         LOCALS(tls_ends ends; noted what; thrum_transport * transport; outcome over; thrum_task * task;
                thrum_tls_start_options options; char text[16];))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    CHECK_EQ(thrum_transport_of_stream(&self->transport, self->ends.client, &noting, &self->what), 0);
    self->ends.client = NULL;
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(thrum_transport_write(self->transport, "STARTTLS\n", 9), 0);
    AWAIT(thrum_stream_read_exactly(self->ends.server, self->text, 9));
    self->options = (thrum_tls_start_options){.size = sizeof self->options, .server_hostname = "localhost"};
    self->task = begin(thrum_transport_start_tls(self->transport, self->ends.ours, &self->options), &self->over);
    AWAIT(thrum_yield());
    CHECK_EQ(thrum_transport_write(self->transport, "x", 1), THRUM_ESTATE);
    AWAIT(thrum_start_tls(self->ends.server, self->ends.theirs, true, NULL));
    AWAIT(thrum_stream_write(self->ends.server, "inside", 6));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    AWAIT(until_bytes(&self->what, 6));
    CHECK_STR(self->what.calls, "Md");
    CHECK_STR(self->what.data, "inside");
    CHECK_EQ(thrum_transport_write(self->transport, "answer", 6), 0);
    AWAIT(thrum_stream_read_exactly(self->ends.server, self->text, 6));
    CHECK_MEM(self->text, "answer", 6);
    thrum_transport_close(self->transport);
    AWAIT(thrum_stream_close(self->ends.server));
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "MdL");
    thrum_transport_release(self->transport);
    ends_close(&self->ends);
    ASYNC_END;
}

/* It fails, is cancelled, closed or aborted under it: the protocol is told of the end, once. */
NET_TEST(tls_protocols, start_tls_ends,
         LOCALS(pair pair; noted what; thrum_transport * transport; outcome over; int how; thrum_task * task;
                thrum_tls_context * tls;))
{
    static const thrum_tls_start_options anybody = {.size = sizeof anybody, .server_hostname = ""};
    ASYNC_BEGIN;
    self->tls = client_context();
    for (self->how = 0; self->how < 5; self->how++) {
        memset(&self->what, 0, sizeof self->what);
        self->pair = pair_open();
        CHECK_EQ(thrum_transport_of_stream(&self->transport, self->pair.stream, &noting, &self->what), 0);
        if (self->how == 0) { /* before it is made */
            AWAIT(note_outcome(thrum_transport_start_tls(self->transport, self->tls, &anybody), &self->over));
            CHECK_EQ(self->over.error, THRUM_ESTATE);
        }
        AWAIT(until_told(&self->what, 1));
        AWAIT(note_outcome(thrum_transport_start_tls(self->transport, self->tls, NULL), &self->over));
        CHECK_EQ(self->over.error, THRUM_EINVAL); /* no name; the connection is as it was */
        self->task = begin(thrum_transport_start_tls(self->transport, self->tls, &anybody), &self->over);
        AWAIT(thrum_yield());
        if (self->how == 0)
            thrum_task_cancel(self->task);
        else if (self->how == 1)
            thrum_transport_close(self->transport);
        else if (self->how == 2)
            thrum_transport_abort(self->transport);
        else if (self->how == 3)
            CHECK_EQ(shutdown(self->pair.peer, SHUT_WR), 0);
        else
            peer_send(&self->pair, "nonsense");
        AWAIT(self->task);
        thrum_task_release(self->task);
        CHECK_EQ(self->over.error, self->how == 0   ? THRUM_ECANCELED
                                   : self->how == 3 ? -ECONNRESET
                                   : self->how == 4 ? THRUM_ETLS
                                                    : THRUM_ECLOSED);
        AWAIT(until_lost(&self->what));
        CHECK_STR(self->what.calls, "ML");
        CHECK_EQ(self->what.error, self->how == 3 ? -ECONNRESET : self->how == 4 ? THRUM_ETLS : 0);
        thrum_transport_release(self->transport);
        close(self->pair.peer);
    }
    thrum_tls_context_release(self->tls);
    ASYNC_END;
}

/* A transport over TLS becomes a stream: what comes goes on where it was, and so does what is sent. */
NET_TEST(tls_protocols, to_a_stream, LOCALS(tls_ends ends; noted what; thrum_transport * transport; char text[8];))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(thrum_transport_of_stream(&self->transport, self->ends.client, &noting, &self->what), 0);
    self->ends.client = NULL;
    AWAIT(thrum_stream_write(self->ends.server, "one", 3));
    AWAIT(until_bytes(&self->what, 3));
    thrum_transport_pause_reading(self->transport);
    AWAIT(thrum_stream_write(self->ends.server, "two", 3));
    AWAIT(thrum_stream_flush(self->ends.server));
    CHECK_EQ(thrum_transport_unread(self->transport, "e", 1), 0);
    CHECK_EQ(thrum_transport_write(self->transport, "ab", 2), 0);
    CHECK_EQ(thrum_stream_of_transport(&self->ends.client, self->transport), 0);
    thrum_transport_release(self->transport);
    AWAIT(thrum_stream_read_exactly(self->ends.client, self->text, 4));
    CHECK_MEM(self->text, "etwo", 4);
    AWAIT(thrum_stream_write(self->ends.client, "c", 1));
    AWAIT(thrum_stream_flush(self->ends.client));
    AWAIT(thrum_stream_read_exactly(self->ends.server, self->text, 3));
    CHECK_MEM(self->text, "abc", 3);
    CHECK_STR(self->what.calls, "Md");
    ends_close(&self->ends);
    ASYNC_END;
}

/* loop.sendfile over TLS: the file is read and sent, behind what was written; without a fallback it is refused. */
NET_TEST(tls_protocols, sendfile,
         LOCALS(tls_ends ends; noted what; thrum_transport * transport; FILE * file; char *bytes, *got; outcome over;
                thrum_task * task; int error;))
{
    enum { SIZE = 300000 };
    ASYNC_BEGIN;
    AWAIT(transport_over_tls(&self->ends, &self->what, &self->transport));
    self->file = tmpfile();
    self->bytes = counted(SIZE);
    self->got = counted(SIZE + 5);
    CHECK_EQ(write(fileno(self->file), self->bytes, SIZE), SIZE);
    AWAIT_CATCH(self->error, thrum_sendfile(self->transport, fileno(self->file), 0, SIZE, false));
    CHECK_EQ(self->error, THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_transport_write(self->transport, "first", 5), 0);
    self->task = begin(thrum_sendfile(self->transport, fileno(self->file), 0, SIZE_MAX, true), &self->over);
    CHECK(!self->over.over);
    CHECK_EQ(thrum_transport_write(self->transport, "x", 1), THRUM_ESTATE);
    AWAIT(thrum_stream_read_exactly(self->ends.server, self->got, SIZE + 5));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.value, SIZE);
    CHECK_MEM(self->got, "first", 5);
    CHECK_MEM(self->got + 5, self->bytes, SIZE);
    CHECK_EQ(thrum_transport_write(self->transport, "x", 1), 0);
    thrum_transport_abort(self->transport);
    AWAIT(until_lost(&self->what));
    thrum_transport_release(self->transport);
    fclose(self->file);
    free(self->bytes), free(self->got);
    ends_close(&self->ends);
    ASYNC_END;
}

/* Facts by their names. */
NET_TEST(tls_protocols, extra_info, LOCALS(tls_ends ends; char text[64]; void *pointer; int descriptor;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(thrum_stream_get_extra_info(self->ends.client, "cipher", self->text, sizeof self->text), 0);
    CHECK_STR(self->text, "TLS_AES_256_GCM_SHA384");
    CHECK_EQ(thrum_stream_get_extra_info(self->ends.client, "alpn", self->text, sizeof self->text), THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_stream_get_extra_info(self->ends.client, "compression", self->text, sizeof self->text),
             THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_stream_get_extra_info(self->ends.client, "socket", &self->descriptor, sizeof self->descriptor), 0);
    CHECK_EQ(self->descriptor, thrum_stream_descriptor(self->ends.client));
    CHECK_EQ(thrum_stream_get_extra_info(self->ends.client, "sslcontext", &self->pointer, sizeof self->pointer), 0);
    CHECK_PTR(self->pointer, self->ends.ours);
    CHECK_EQ(thrum_stream_get_extra_info(self->ends.client, "ssl_object", &self->pointer, sizeof self->pointer), 0);
    CHECK_PTR(self->pointer, thrum_stream_tls_object(self->ends.client));
    CHECK_EQ(thrum_stream_get_extra_info(self->ends.client, "ssl_object", &self->pointer, 1), THRUM_EINVAL);
    CHECK_EQ(thrum_stream_get_extra_info(self->ends.client, "peercert", &self->pointer, sizeof self->pointer), 0);
    CHECK_STR(((thrum_tls_certificate *)self->pointer)->common_name, "localhost");
    thrum_tls_certificate_release((thrum_tls_certificate *)self->pointer);
    ends_close(&self->ends);
    ASYNC_END;
}
