/* Each call of the C library that streams, servers, datagrams, names and transports make fails once
 * (support/refuse.h): for want of memory, for any reason, and by a signal, which nobody may notice. */
#include <netdb.h>
#include <netinet/in.h>
#include <refuse.h>
#include <sys/stat.h>

#include "support.h"

/* What a connection whose other end gave up may give, and an acceptor that nobody comes to. */
static const int broken[] = {
    -ECONNRESET,     -EPIPE,         -ENOTCONN, -ECONNREFUSED, THRUM_EINCOMPLETE, THRUM_ECLOSED,
    THRUM_ETIMEDOUT, THRUM_ERESOLVE, 0};

/* ---- streams ---- */

static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char bytes[256]; size_t n;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->n, thrum_stream_read(self->client, self->bytes, sizeof self->bytes));
        if (!self->n)
            break;
        AWAIT(thrum_stream_write(self->client, self->bytes, self->n));
    }
    ASYNC_END;
}

static ASYNC(talk, ARGS((thrum_stream *, stream)), LOCALS(char text[128]; size_t n;))
{
    ASYNC_BEGIN;
    int error = thrum_stream_peername(self->stream, self->text, sizeof self->text);
    if (!error)
        error = thrum_stream_sockname(self->stream, self->text, sizeof self->text);
    if (error)
        ASYNC_RAISE(error);
    AWAIT(thrum_stream_write(self->stream, "one\n", 4));
    AWAIT_INTO(self->n, thrum_stream_read_exactly(self->stream, self->text, 4));
    CHECK_MEM(self->text, "one\n", 4);
    error = thrum_stream_write_eof(self->stream);
    if (error)
        ASYNC_RAISE(error);
    AWAIT_INTO(self->n, thrum_stream_read(self->stream, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
    ASYNC_END;
}

static ASYNC(streams, ARGS_NONE, LOCALS(thrum_server *server; thrum_stream * client; char port[8];))
{
    const thrum_server_options serving = {.size = sizeof serving, .reuse_port = true, .keep_alive = true};
    const thrum_connect_options connecting = {.size = sizeof connecting, .local_host = "127.0.0.1", .family = AF_INET};
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server_with(echo, NULL, NULL, "0", &serving));
    if (thrum_server_port(self->server) <= 0)
        ASYNC_RAISE(-EIO);
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(self->client,
               thrum_timeout(refuse_patience(), thrum_open_connection_with("localhost", self->port, &connecting)));
    AWAIT(thrum_timeout(refuse_patience(), talk(self->client)));
    AWAIT(thrum_stream_close(self->client));
FINALLY:
    thrum_stream_release(self->client);
    thrum_server_release(self->server);
    ASYNC_END;
}

TEST_LIMIT(every_call, streams, 60)
{
    refuse_each_kind(&(refuse_program){.run = streams, .also = broken}, 10, 2);
}

/* ---- Unix sockets ---- */

static const char *path_of(void)
{
    static char path[64];
    if (!*path)
        snprintf(path, sizeof path, "/tmp/thrum-every-call-%d", (int)getpid());
    return path;
}

static ASYNC(unix_sockets, ARGS_NONE,
             LOCALS(thrum_server *server, *second; thrum_stream * client, *accepted; char text[8]; int got[2], given;
                    thrum_passing out, in; thrum_credentials who; size_t n;))
{
    const thrum_server_options options = {.size = sizeof options, .mode = 0600};
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_unix_server_with(NULL, NULL, path_of(), &options));
    AWAIT_INTO(self->client, thrum_open_unix_connection(path_of()));
    AWAIT_INTO(self->accepted, thrum_timeout(refuse_patience(), thrum_server_accept(self->server)));
    if (linux_only) {
        int error = thrum_stream_peer_credentials(self->accepted, &self->who);
        if (error)
            ASYNC_RAISE(error);
        CHECK_EQ(self->who.process, getpid());
    }
    self->given = thrum_stream_descriptor(self->client);
    self->out = (thrum_passing){.data = "with", .size = 4, .descriptors = &self->given, .count = 1};
    self->in = (thrum_passing){.data = self->text, .size = sizeof self->text, .descriptors = self->got, .room = 2};
    AWAIT(thrum_stream_send_descriptors(self->client, &self->out));
    AWAIT_INTO(self->n, thrum_timeout(refuse_patience(), thrum_stream_receive_descriptors(self->accepted, &self->in)));
    CHECK_EQ(self->n, 4);
    CHECK_EQ(self->in.count, 1);
    /* A server on a socket that was made elsewhere. */
    self->given = thrum_server_descriptor(self->server, 0);
    const thrum_server_options taken = {.size = sizeof taken, .sockets = &self->given, .socket_count = 1};
    AWAIT_INTO(self->second, thrum_start_unix_server_with(echo, NULL, NULL, &taken));
FINALLY:
    for (size_t i = 0; i < self->in.count; i++)
        close(self->got[i]);
    thrum_stream_release(self->client);
    thrum_stream_release(self->accepted);
    thrum_server_release(self->second);
    thrum_server_release(self->server);
    ASYNC_END;
}

static void nothing_there(void)
{
    struct stat found;
    if (lstat(path_of(), &found) == 0) /* the call that looked whether it is the server's failed */
        CHECK_EQ(unlink(path_of()), 0);
}

TEST_LIMIT(every_call, unix_sockets, 60)
{
    refuse_each_kind(&(refuse_program){.run = unix_sockets, .also = broken, .after = nothing_there}, 10, 2);
}

/* ---- datagrams ---- */

typedef struct journal {
    thrum_datagrams *endpoint;
    int received, failed, lost;
} journal;

static journal heard_datagrams; /* which an endpoint tells until the loop closes */

static void on_made(void *context, thrum_datagrams *endpoint)
{
    ((journal *)context)->endpoint = endpoint;
}

static void on_datagram(void *context, const thrum_datagram *datagram)
{
    CHECK_EQ(datagram->size, 5);
    ((journal *)context)->received++;
}

static void on_failure(void *context, int error, const thrum_address *about)
{
    (void)about;
    CHECK(error < 0);
    ((journal *)context)->failed = error;
}

static void on_lost(void *context, int error)
{
    (void)error;
    ((journal *)context)->lost++;
}

static int make_journal(void *context, const thrum_datagram_protocol **protocol, void **own)
{
    static const thrum_datagram_protocol heard = {
        .size = sizeof heard,
        .connection_made = on_made,
        .datagram_received = on_datagram,
        .error_received = on_failure,
        .connection_lost = on_lost,
    };
    *protocol = &heard;
    *own = context;
    return 0;
}

static ASYNC(datagrams, ARGS_NONE,
             LOCALS(thrum_datagrams *a, *b, *c, *d; thrum_address at; char port[8], bytes[3][8]; thrum_datagram list[3];
                    int sent, i; size_t n;))
{
    ASYNC_BEGIN;
    memset(&heard_datagrams, 0, sizeof heard_datagrams);
    const thrum_datagram_options open = {
        .size = sizeof open, .local_host = "127.0.0.1", .reuse_port = true, .errors = linux_only};
    AWAIT_INTO(self->a, thrum_create_datagram_endpoint(NULL, NULL, &open));
    int error = thrum_datagrams_sockname(self->a, &self->at);
    if (error)
        ASYNC_RAISE(error);
    snprintf(self->port, sizeof self->port, "%d", thrum_address_port(&self->at));
    const thrum_datagram_options to = {.size = sizeof to,
                                       .remote_host = "localhost",
                                       .remote_port = self->port,
                                       .family = AF_INET,
                                       .allow_broadcast = true};
    AWAIT_INTO(self->b, thrum_create_datagram_endpoint(NULL, NULL, &to));
    const thrum_datagram_options plain = {.size = sizeof plain, .remote_host = "127.0.0.1", .remote_port = self->port};
    AWAIT_INTO(self->c, thrum_create_datagram_endpoint(make_journal, &heard_datagrams, &plain));
    for (self->i = 0; self->i < 3; self->i++)
        self->list[self->i] = (thrum_datagram){.data = self->bytes[self->i], .room = sizeof self->bytes[0], .size = 5};
    AWAIT(thrum_datagrams_send(self->b, "hello", 5, NULL));
    AWAIT(thrum_datagrams_send_many(self->b, self->list, 2));
    error = thrum_datagrams_sendto(self->c, "hello", 5, NULL);
    if (error)
        ASYNC_RAISE(error);
    self->sent = heard_datagrams.failed ? 3 : 4;
    while (self->sent > 0) {
        AWAIT_INTO(self->n, thrum_timeout(refuse_patience(), thrum_datagrams_receive_many(self->a, self->list, 3)));
        self->sent -= (int)self->n;
    }
    AWAIT(thrum_datagrams_send(self->a, "hello", 5, &self->list[self->n - 1].address));
    const thrum_datagram_options grouped = {.size = sizeof grouped, .local_host = "0.0.0.0"};
    AWAIT_INTO(self->d, thrum_create_datagram_endpoint(NULL, NULL, &grouped));
    CHECK_EQ(thrum_address_from_ip(&self->at, "239.255.7.7", 0), 0);
    error = thrum_datagrams_join(self->d, &self->at, linux_only ? "lo" : NULL);
    if (!error)
        error = thrum_datagrams_leave(self->d, &self->at, linux_only ? "lo" : NULL);
    if (error)
        ASYNC_RAISE(error);
FINALLY:
    thrum_datagrams_release(self->a);
    thrum_datagrams_release(self->b);
    thrum_datagrams_release(self->c);
    thrum_datagrams_release(self->d);
    ASYNC_END;
}

TEST_LIMIT(every_call, datagrams, 60)
{
    static const int late[] = {THRUM_ETIMEDOUT, THRUM_EUNSUPPORTED, THRUM_ERESOLVE, 0};
    refuse_each_kind(&(refuse_program){.run = datagrams, .also = late}, 8, 2);
}

/* ---- names, by threads and by c-ares ---- */

static thrum_resolver resolver;

static ASYNC(names, ARGS_NONE, LOCALS(thrum_address_list list; char host[64], service[32]; size_t n;))
{
    const thrum_name_hints hints = {
        .size = sizeof hints, .family = AF_INET, .type = SOCK_STREAM, .flags = AI_CANONNAME};
    const thrum_resolver_options options = {.size = sizeof options, .kind = resolver};
    ASYNC_BEGIN;
    int error = thrum_loop_set_resolver(thrum_loop_running(), &options);
    if (error)
        ASYNC_RAISE(error);
    AWAIT_INTO(self->n, thrum_getaddrinfo(&self->list, "localhost", "80", &hints));
    CHECK_EQ(self->n, 1);
    AWAIT(thrum_getnameinfo(&self->list.list[0].address, self->host, sizeof self->host, self->service,
                            sizeof self->service, NI_NUMERICSERV));
    CHECK_STR(self->service, "80");
FINALLY:
    thrum_address_list_free(&self->list);
    ASYNC_END;
}

static const int unresolved[] = {THRUM_ERESOLVE, THRUM_ESTATE, 0};

TEST_LIMIT(every_call, names_by_threads, 60)
{
    resolver = THRUM_RESOLVER_THREADS;
    refuse_each_kind(&(refuse_program){.run = names, .also = unresolved}, 2, 2);
}

TEST_LIMIT(every_call, names_by_cares, 60)
{
    resolver = THRUM_RESOLVER_CARES;
    thrum_loop *loop;
    const thrum_resolver_options options = {.size = sizeof options, .kind = resolver};
    CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
    int error = thrum_loop_set_resolver(loop, &options);
    CHECK_EQ(thrum_loop_close(loop), 0);
    if (error == THRUM_EUNSUPPORTED)
        SKIP("built without c-ares");
    refuse_each_kind(&(refuse_program){.run = names, .also = unresolved}, 0, 0);
}

/* ---- plain sockets, and files that go out ---- */

static int file_of(const char *text)
{
    char name[] = "/tmp/thrum-every-call-XXXXXX";
    int file = mkstemp(name);
    CHECK_GE(file, 0);
    CHECK_EQ(unlink(name), 0);
    CHECK_EQ(write(file, text, strlen(text)), (ssize_t)strlen(text));
    return file;
}

static int made_file = -1;

static ASYNC(sockets, ARGS_NONE,
             LOCALS(int listener, client, accepted; thrum_address at, peer; socklen_t size; char text[16]; size_t n;
                    thrum_stream * stream;))
{
    ASYNC_BEGIN;
    self->client = self->accepted = -1;
    self->listener = thrum_sock_open(AF_INET, SOCK_STREAM);
    if (self->listener < 0)
        ASYNC_RAISE(self->listener);
    CHECK_EQ(thrum_address_from_ip(&self->at, "127.0.0.1", 0), 0);
    struct sockaddr_in own = {.sin_family = AF_INET};
    self->size = sizeof own;
    if (bind(self->listener, (const struct sockaddr *)thrum_address_raw(&self->at), sizeof own) ||
        listen(self->listener, 1) || getsockname(self->listener, (struct sockaddr *)&own, &self->size))
        ASYNC_RAISE(-errno);
    CHECK_EQ(thrum_address_from_raw(&self->at, &own, self->size), 0);
    self->client = thrum_sock_open(AF_INET, SOCK_STREAM);
    if (self->client < 0)
        ASYNC_RAISE(self->client);
    AWAIT(thrum_sock_connect(self->client, &self->at));
    AWAIT_INTO(self->accepted, thrum_sock_accept(self->listener, &self->peer));
    AWAIT(thrum_sock_sendall(self->client, "abc", 3));
    AWAIT_INTO(self->n, thrum_sock_recv(self->accepted, self->text, sizeof self->text));
    CHECK_EQ(self->n, 3);
    AWAIT_INTO(self->n, thrum_sock_sendfile(self->client, made_file, 0, SIZE_MAX, true));
    CHECK_EQ(self->n, 5);
    AWAIT_INTO(self->n, thrum_sock_recv(self->accepted, self->text, sizeof self->text));
    CHECK_MEM(self->text, "bytes", 5);
    int error = thrum_stream_adopt(&self->stream, self->client, NULL);
    if (error)
        ASYNC_RAISE(error);
    self->client = -1;
    AWAIT_INTO(self->n, thrum_stream_sendfile(self->stream, made_file, 0, 5));
    AWAIT(thrum_stream_flush(self->stream));
    AWAIT_INTO(self->n, thrum_sock_recv(self->accepted, self->text, sizeof self->text));
    CHECK_MEM(self->text, "bytes", 5);
FINALLY:
    thrum_stream_release(self->stream);
    if (self->listener >= 0)
        close(self->listener);
    if (self->client >= 0)
        close(self->client);
    if (self->accepted >= 0)
        close(self->accepted);
    ASYNC_END;
}

TEST_LIMIT(every_call, sockets, 60)
{
    made_file = file_of("bytes");
    refuse_each_kind(&(refuse_program){.run = sockets}, 10, 2);
    close(made_file);
}

/* ---- transports ---- */

typedef struct heard {
    thrum_transport *transport;
    thrum_event over;
    char text[16];
    size_t size;
} heard;

static heard in, out; /* which transports tell until the loop closes */

static int transport_made(void *context, thrum_transport *transport)
{
    ((heard *)context)->transport = thrum_transport_hold(transport);
    return 0;
}

static int transport_received(void *context, const void *data, size_t size)
{
    heard *self = (heard *)context;
    CHECK_LE(self->size + size, sizeof self->text);
    memcpy(self->text + self->size, data, size);
    self->size += size;
    return 0;
}

static void transport_lost(void *context, int error)
{
    (void)error;
    thrum_event_set(&((heard *)context)->over);
}

static int make_heard(void *context, const thrum_protocol **protocol, void **own)
{
    static const thrum_protocol plain = {
        .size = sizeof plain,
        .connection_made = transport_made,
        .data_received = transport_received,
        .connection_lost = transport_lost,
    };
    *protocol = &plain;
    *own = context;
    return 0;
}

static ASYNC(transports, ARGS_NONE, LOCALS(int ends[2]; thrum_transport * reading, *writing; size_t n;))
{
    ASYNC_BEGIN;
    memset(&in, 0, sizeof in);
    memset(&out, 0, sizeof out);
    thrum_event_init(&in.over);
    thrum_event_init(&out.over);
    CHECK_EQ(pipe(self->ends), 0);
    AWAIT_INTO(self->reading, thrum_connect_read_pipe(make_heard, &in, self->ends[0]));
    self->ends[0] = -1;
    AWAIT_INTO(self->writing, thrum_connect_write_pipe(make_heard, &out, self->ends[1]));
    self->ends[1] = -1;
    int error = thrum_transport_write(self->writing, "hello", 5);
    if (error)
        ASYNC_RAISE(error);
    thrum_transport_close(self->writing);
    AWAIT(thrum_timeout(refuse_patience(), thrum_event_wait(&in.over)));
    AWAIT(thrum_timeout(refuse_patience(), thrum_event_wait(&out.over)));
    if (in.size < 5)
        ASYNC_RAISE(THRUM_EINCOMPLETE);
    CHECK_MEM(in.text, "hello", 5);
FINALLY:
    for (int i = 0; i < 2; i++)
        if (self->ends[i] >= 0)
            close(self->ends[i]);
    thrum_transport_release(in.transport);
    thrum_transport_release(out.transport);
    thrum_transport_release(self->reading);
    thrum_transport_release(self->writing);
    ASYNC_END;
}

TEST_LIMIT(every_call, transports, 60)
{
    refuse_each_kind(&(refuse_program){.run = transports, .also = broken}, 3, 2);
}
