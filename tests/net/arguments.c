/* Arguments that cannot be right, each by itself: of connections, servers, datagrams, names, networks, carriers and
 * streams. Each is refused with an error, before anything is made. */
#include "arguments.h"

static const char text[] = "x";

/* ---- connections and servers ---- */

enum { CONNECT = sizeof(thrum_connect_options), SERVE = sizeof(thrum_server_options) };

static const thrum_connect_options connects[] = {
    {.size = 1},
    {.size = CONNECT + 1},
    {.size = CONNECT, .handshake_timeout = -1},
    {.size = CONNECT, .shutdown_timeout = -1},
    /* These are TLS's, and there is none. */
    {.size = CONNECT, .server_hostname = text},
    {.size = CONNECT, .handshake_timeout = 1},
    {.size = CONNECT, .shutdown_timeout = 1},
    {.size = CONNECT, .session = (const thrum_tls_session *)(const void *)text},
    {.size = CONNECT, .happy_eyeballs_delay = -1},
    {.size = CONNECT, .stream = &wrong_stream},
};

static const int no_socket = -1;
static const char *const hosts[] = {"localhost"};

static const thrum_server_options servers[] = {
    {.size = 1},
    {.size = SERVE + 1},
    {.size = SERVE, .handshake_timeout = -1},
    {.size = SERVE, .shutdown_timeout = -1},
    {.size = SERVE, .handshake_timeout = 1},
    {.size = SERVE, .shutdown_timeout = 1},
    {.size = SERVE, .backlog = -1},
    {.size = SERVE, .sockets = &no_socket},
    {.size = SERVE, .socket_count = 1},
    {.size = SERVE, .sockets = &no_socket, .socket_count = 1, .hosts = hosts, .host_count = 1},
    {.size = SERVE, .stream = &wrong_stream},
};

static int no_protocol(void *context, const thrum_protocol **protocol, void **own)
{
    (void)context, (void)protocol, (void)own;
    FAIL("a factory was asked for what had been refused");
    return 0;
}

NET_TEST(arguments, connections, LOCALS(size_t i; int error;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < COUNT(connects); self->i++) {
        REFUSED_AWAIT(thrum_open_connection_with("localhost", "7", &connects[self->i]));
        REFUSED_AWAIT(thrum_open_unix_connection_with("/nowhere", &connects[self->i]));
        REFUSED_AWAIT(thrum_create_connection_with(no_protocol, NULL, "localhost", "7", &connects[self->i]));
        REFUSED_AWAIT(thrum_create_unix_connection_with(no_protocol, NULL, "/nowhere", &connects[self->i]));
    }
    for (self->i = 0; self->i < COUNT(servers); self->i++) {
        REFUSED_AWAIT(thrum_start_server_with(NULL, NULL, NULL, "0", &servers[self->i]));
        REFUSED_AWAIT(thrum_start_unix_server_with(NULL, NULL, NULL, &servers[self->i]));
        REFUSED_AWAIT(thrum_create_server_with(no_protocol, NULL, NULL, "0", &servers[self->i]));
    }
    static const thrum_server_options sockets = {.size = SERVE, .sockets = &no_socket, .socket_count = 1};
    REFUSED_AWAIT(thrum_start_server_with(NULL, NULL, "localhost", NULL, &sockets));
    REFUSED_AWAIT(thrum_start_server_with(NULL, NULL, NULL, "0", &sockets));
    REFUSED_AWAIT(thrum_start_unix_server_with(NULL, NULL, "/nowhere", &sockets));
    ASYNC_END;
}

/* ---- datagrams ---- */

enum { OPEN = sizeof(thrum_datagram_options) };

static const thrum_datagram_options datagrams[] = {
    {.size = 1},
    {.size = OPEN + 1},
    {.size = OPEN}, /* nothing says which family */
    {.size = OPEN, .socket = &no_socket, .local_host = text},
    {.size = OPEN, .socket = &no_socket, .local_port = text},
    {.size = OPEN, .socket = &no_socket, .remote_host = text},
    {.size = OPEN, .socket = &no_socket, .remote_port = text},
    {.size = OPEN, .socket = &no_socket, .local_path = text},
    {.size = OPEN, .socket = &no_socket, .remote_path = text},
    {.size = OPEN, .socket = &no_socket, .family = AF_INET},
    {.size = OPEN, .socket = &no_socket, .protocol = 17},
    {.size = OPEN, .socket = &no_socket, .reuse_port = true},
    {.size = OPEN, .socket = &no_socket, .allow_broadcast = true},
    {.size = OPEN, .local_path = text, .local_host = text},
    {.size = OPEN, .local_path = text, .remote_port = text},
    {.size = OPEN, .remote_path = text, .family = AF_INET},
    {.size = OPEN, .family = AF_UNIX, .local_host = text},
    {.size = OPEN, .local_host = "127.0.0.1", .high = 1, .low = 2},
};

static int no_datagrams(void *context, const thrum_datagram_protocol **protocol, void **own)
{
    (void)context, (void)own;
    *protocol = NULL;
    return 0;
}

static int old_datagrams(void *context, const thrum_datagram_protocol **protocol, void **own)
{
    static const thrum_datagram_protocol old = {.size = 1};
    (void)context, (void)own;
    *protocol = &old;
    return 0;
}

NET_TEST(arguments, datagrams,
         LOCALS(size_t i; int error; thrum_datagrams * endpoint; thrum_address at; char path[200];))
{
    ASYNC_BEGIN;
    REFUSED_AWAIT(thrum_create_datagram_endpoint(NULL, NULL, NULL));
    for (self->i = 0; self->i < COUNT(datagrams); self->i++)
        REFUSED_AWAIT(thrum_create_datagram_endpoint(NULL, NULL, &datagrams[self->i]));
    /* Who hears of each has no queue. */
    static const thrum_datagram_options told = {.size = OPEN, .local_host = "127.0.0.1", .queue = 1};
    REFUSED_AWAIT(thrum_create_datagram_endpoint(no_datagrams, NULL, &told));
    static const thrum_datagram_options plain = {.size = OPEN, .local_host = "127.0.0.1"};
    REFUSED_AWAIT(thrum_create_datagram_endpoint(no_datagrams, NULL, &plain));
    REFUSED_AWAIT(thrum_create_datagram_endpoint(old_datagrams, NULL, &plain));
    memset(self->path, 'a', sizeof self->path - 1);
    const thrum_datagram_options far = {.size = OPEN, .remote_path = self->path};
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, &far));
    CHECK_LT(self->error, 0);
    const thrum_datagram_options near = {.size = OPEN, .local_path = self->path};
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(NULL, NULL, &near));
    CHECK_LT(self->error, 0);
    /* One that is connected sends there alone; one that is not has to be told where to. */
    AWAIT_INTO(self->endpoint, thrum_create_datagram_endpoint(NULL, NULL, &plain));
    AWAIT_CATCH(self->error, thrum_datagrams_send(self->endpoint, text, 1, NULL));
    CHECK_EQ(self->error, -EDESTADDRREQ);
    REFUSED(thrum_datagrams_set_write_buffer_limits(self->endpoint, 1, 2));
    REFUSED_AWAIT(thrum_datagrams_receive_many(self->endpoint, NULL, 0));
    CHECK_EQ(thrum_address_from_ip(&self->at, "127.0.0.1", 9), 0);
    thrum_datagrams_release(self->endpoint);
    static const thrum_datagram_options connected = {.size = OPEN, .remote_host = "127.0.0.1", .remote_port = "7"};
    AWAIT_INTO(self->endpoint, thrum_create_datagram_endpoint(NULL, NULL, &connected));
    REFUSED_AWAIT(thrum_datagrams_send(self->endpoint, text, 1, &self->at));
    REFUSED(thrum_datagrams_sendto(self->endpoint, text, 1, &self->at));
    thrum_datagrams_release(self->endpoint);
    thrum_datagrams_release(NULL);
    ASYNC_END;
}

/* ---- names, addresses, networks, carriers ---- */

NET_TEST(arguments, names,
         LOCALS(thrum_address_list list; thrum_address at; thrum_name_hints hints; char room[8]; int error;))
{
    ASYNC_BEGIN;
    self->hints.size = 1;
    REFUSED_AWAIT(thrum_getaddrinfo(NULL, "localhost", NULL, NULL));
    REFUSED_AWAIT(thrum_getaddrinfo(&self->list, "localhost", NULL, &self->hints));
    self->hints.size = sizeof self->hints + 1;
    REFUSED_AWAIT(thrum_getaddrinfo(&self->list, "localhost", NULL, &self->hints));
    CHECK_EQ(thrum_address_from_ip(&self->at, "127.0.0.1", 7), 0);
    REFUSED_AWAIT(thrum_getnameinfo(NULL, self->room, sizeof self->room, NULL, 0, 0));
    REFUSED_AWAIT(thrum_getnameinfo(&self->at, self->room, 0, NULL, 0, 0));
    REFUSED_AWAIT(thrum_getnameinfo(&self->at, NULL, 0, self->room, 0, 0));
    thrum_loop *loop = thrum_loop_running();
    thrum_resolver_options resolver = {.size = 1};
    char many[2000];
    REFUSED(thrum_loop_set_resolver(loop, &resolver));
    resolver.size = sizeof resolver + 1;
    REFUSED(thrum_loop_set_resolver(loop, &resolver));
    resolver = (thrum_resolver_options){.size = sizeof resolver, .timeout = -1};
    REFUSED(thrum_loop_set_resolver(loop, &resolver));
    memset(many, '1', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    resolver = (thrum_resolver_options){.size = sizeof resolver, .servers = many};
    REFUSED(thrum_loop_set_resolver(loop, &resolver));
    resolver = (thrum_resolver_options){.size = sizeof resolver, .kind = (thrum_resolver)99};
    REFUSED(thrum_loop_set_resolver(loop, &resolver));
    REFUSED(thrum_address_from_ip(&self->at, NULL, 7));
    REFUSED(thrum_address_from_ip(&self->at, "127.0.0.1", -1));
    REFUSED(thrum_address_from_ip(&self->at, "127.0.0.1", 65536));
    REFUSED(thrum_address_from_ip(&self->at, "localhost", 7));
    REFUSED(thrum_address_from_raw(&self->at, NULL, 16));
    REFUSED(thrum_address_from_raw(&self->at, text, 1));
    REFUSED(thrum_address_from_raw(&self->at, many, sizeof many));
    ASYNC_END;
}

/* Each verb is missing once: nothing calls the others, whose places are only not NULL. */
#define WITHOUT(type, given, member)                                                                                   \
    memset(&given, 1, sizeof given);                                                                                   \
    given.size = sizeof given;                                                                                         \
    memset((char *)&given + offsetof(type, member), 0, sizeof given.member)

#define NETWORK_WITHOUT(member)                                                                                        \
    WITHOUT(thrum_network, network, member);                                                                           \
    REFUSED(thrum_loop_set_network(thrum_loop_running(), &network, NULL))

#define CARRIER_WITHOUT(member)                                                                                        \
    WITHOUT(thrum_carrier, carrier, member);                                                                           \
    REFUSED(thrum_stream_carry(&stream, &carrier, NULL, NULL))

NET_TEST(arguments, verbs, LOCALS_NONE)
{
    thrum_network network;
    thrum_carrier carrier;
    thrum_stream *stream;
    ASYNC_BEGIN;
    NETWORK_WITHOUT(size);
    NETWORK_WITHOUT(look_up);
    NETWORK_WITHOUT(connect);
    NETWORK_WITHOUT(listen);
    NETWORK_WITHOUT(accept);
    NETWORK_WITHOUT(open);
    NETWORK_WITHOUT(send);
    NETWORK_WITHOUT(receive);
    NETWORK_WITHOUT(watch);
    NETWORK_WITHOUT(close);
    CARRIER_WITHOUT(size);
    CARRIER_WITHOUT(receive);
    CARRIER_WITHOUT(send);
    CARRIER_WITHOUT(end);
    CARRIER_WITHOUT(close);
    CARRIER_WITHOUT(watch);
    WITHOUT(thrum_carrier, carrier, name);
    REFUSED(thrum_stream_carry(NULL, &carrier, NULL, NULL));
    REFUSED(thrum_stream_carry(&stream, &carrier, NULL, &wrong_stream));
    ASYNC_END;
}

/* ---- sockets and streams ---- */

NET_TEST(arguments, streams, LOCALS(thrum_stream *stream; int ends[2]; int error; char byte; thrum_passing passing;))
{
    ASYNC_BEGIN;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, self->ends), 0); /* which block */
    thrum_stream_options options = {.size = 1};
    REFUSED(thrum_stream_adopt(&self->stream, self->ends[0], &wrong_stream));
    REFUSED(thrum_stream_adopt(&self->stream, self->ends[0], &options));
    options.size = sizeof options + 1;
    REFUSED(thrum_stream_adopt(&self->stream, self->ends[0], &options));
    options = (thrum_stream_options){.size = sizeof options, .limit = SIZE_MAX / 2};
    REFUSED(thrum_stream_adopt(&self->stream, self->ends[0], &options));
    thrum_loop_set_debug(thrum_loop_running(), true); /* else nobody looks */
    REFUSED_AWAIT(thrum_sock_recv(self->ends[0], &self->byte, 1));
    thrum_loop_set_debug(thrum_loop_running(), false);
    AWAIT_CATCH(self->error, thrum_sock_recv(-1, &self->byte, 1));
    CHECK_EQ(self->error, -EBADF);
    CHECK_EQ(thrum_stream_adopt(&self->stream, self->ends[0], NULL), 0);
    REFUSED_AWAIT(thrum_stream_send_descriptors(self->stream, NULL));
    REFUSED_AWAIT(thrum_stream_send_descriptors(self->stream, &self->passing));
    self->passing = (thrum_passing){.data = &self->byte};
    REFUSED_AWAIT(thrum_stream_send_descriptors(self->stream, &self->passing));
    REFUSED_AWAIT(thrum_stream_receive_descriptors(self->stream, &self->passing));
    self->passing = (thrum_passing){.size = 1};
    REFUSED_AWAIT(thrum_stream_receive_descriptors(self->stream, &self->passing));
    self->passing = (thrum_passing){.data = &self->byte, .size = 1, .count = 1000};
    REFUSED_AWAIT(thrum_stream_send_descriptors(self->stream, &self->passing));
    REFUSED_AWAIT(thrum_stream_sendfile(self->stream, -1, 0, 1));
    REFUSED_AWAIT(thrum_stream_sendfile(self->stream, 0, UINT64_MAX, 1));
    thrum_stream_release(self->stream);
    close(self->ends[1]);
    ASYNC_END;
}
