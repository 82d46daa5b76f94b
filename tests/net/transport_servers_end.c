/* Servers whose bytes go to protocols: what they listen on, and the end. Numbers are those of tests/net/PORTED.md. */
#include "transport_servers.h"

static ASYNC(until_asked, ARGS((int, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (made.asked < self->count || strlen(made.each[made.asked - 1].calls) < 1)
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    ASYNC_END;
}

/* test_wait_closed_basic, _race; 138: closing leaves the connections, wait_closed waits for them. */
NET_TEST(transport_servers, close_leaves_connections,
         LOCALS(thrum_server *server; int client; outcome how; thrum_task * task;))
{
    ASYNC_BEGIN;
    begin_test();
    AWAIT_INTO(self->server, thrum_create_server(factory, "context", "127.0.0.1", "0"));
    self->client = new_client(self->server);
    AWAIT(until_asked(1));
    thrum_server_close(self->server);
    CHECK_EQ(thrum_server_sockets(self->server), 0);
    self->task = begin(thrum_server_wait_closed(self->server), &self->how);
    CHECK_EQ(write(self->client, "x", 1), 1);
    AWAIT(until_told(&made.each[0], 2));
    CHECK(!self->how.over);
    close(self->client);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->how.error, 0);
    CHECK_STR(made.each[0].calls, "MdeL");
    thrum_server_release(self->server);
    ASYNC_END;
}

/* test_close_clients, test_abort_clients; 139. */
NET_TEST(transport_servers, close_and_abort_clients,
         LOCALS(thrum_server *server; int clients[2], i; char *bytes; pair peer; size_t got;))
{
    ASYNC_BEGIN;
    begin_test();
    self->bytes = counted(16000000);
    AWAIT_INTO(self->server, thrum_create_server(factory, "context", "127.0.0.1", "0"));
    for (self->i = 0; self->i < 2; self->i++) {
        self->clients[0] = new_client(self->server);
        AWAIT(until_asked(self->i + 1));
        self->peer.peer = self->clients[0];
        CHECK_EQ(thrum_transport_write(made.each[self->i].transport, self->bytes, 16000000), 0);
        if (self->i)
            thrum_server_abort_clients(self->server);
        else
            thrum_server_close_clients(self->server);
        CHECK(thrum_transport_is_closing(made.each[self->i].transport));
        self->got = 0;
        while (!strchr(made.each[self->i].calls, 'L')) {
            self->got += peer_count(&self->peer, self->got);
            AWAIT(thrum_sleep(MICROSECONDS(100)));
        }
        self->got += peer_count(&self->peer, self->got);
        if (self->i)
            CHECK_LT(self->got, 16000000);
        else
            CHECK_EQ(self->got, 16000000);
        CHECK_EQ(thrum_server_clients(self->server), 0);
        close(self->clients[0]);
    }
    free(self->bytes);
    CHECK(thrum_server_is_serving(self->server));
    thrum_server_release(self->server);
    ASYNC_END;
}

/* 140, test_accept_connection_retry: out of descriptors, one report, then it is served. */
NET_TEST(transport_servers, out_of_descriptors, LOCALS(thrum_server *server; int client;))
{
    ASYNC_BEGIN;
    begin_test();
    AWAIT_INTO(self->server, thrum_create_server(factory, "context", "127.0.0.1", "0"));
    calls_accept = (call_plan){.fail = EMFILE, .failures = 1};
    self->client = new_client(self->server);
    AWAIT(until_asked(1));
    CHECK_EQ(reported.count, 1);
    CHECK_EQ(reported.error, -EMFILE);
    close(self->client);
    AWAIT(until_lost(&made.each[0]));
    thrum_server_release(self->server);
    ASYNC_END;
}

/* test_start_serving and serve_forever: a paused server takes nobody; cancelled, it ends with its connections. */
NET_TEST(transport_servers, serve_forever,
         LOCALS(thrum_server *server; int client, error; outcome how; thrum_task * task; thrum_server_options options;
                thrum_stream * stream;))
{
    ASYNC_BEGIN;
    begin_test();
    self->options.size = sizeof self->options;
    self->options.paused = true;
    AWAIT_INTO(self->server, thrum_create_server_with(factory, "context", "127.0.0.1", "0", &self->options));
    self->client = new_client(self->server);
    AWAIT(thrum_sleep(MILLISECONDS(2)));
    CHECK_EQ(made.asked, 0);
    CHECK(!thrum_server_is_serving(self->server));
    AWAIT_CATCH_INTO(self->error, self->stream, thrum_server_accept(self->server));
    CHECK_EQ(self->error, THRUM_ESTATE);
    self->task = begin(thrum_server_serve_forever(self->server), &self->how);
    AWAIT(until_asked(1));
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->how.error, THRUM_ECANCELED);
    CHECK_STR(made.each[0].calls, "ML");
    close(self->client);
    thrum_server_release(self->server);
    ASYNC_END;
}

/* The server is released: its connections are dropped, and their protocols told; the loop closes: the same. */
NET_TEST(transport_servers, released, LOCALS(thrum_server *server; int client;))
{
    ASYNC_BEGIN;
    begin_test();
    AWAIT_INTO(self->server, thrum_create_server(factory, "context", "127.0.0.1", "0"));
    self->client = new_client(self->server);
    AWAIT(until_asked(1));
    thrum_server_release(self->server);
    CHECK_STR(made.each[0].calls, "M");
    AWAIT(until_lost(&made.each[0]));
    close(self->client);
    ASYNC_END;
}

NET_TEST(transport_servers, loop_closes, LOCALS(thrum_server *server; int client;))
{
    ASYNC_BEGIN;
    begin_test();
    AWAIT_INTO(self->server, thrum_create_server(factory, "context", "127.0.0.1", "0"));
    self->client = new_client(self->server);
    AWAIT(until_asked(1));
    close(self->client); /* the loop ends without having looked */
    ASYNC_END;
}

static thrum_context_var tenant = THRUM_CONTEXT_VAR("tenant", 0);

static void count_tenant(noted *to)
{
    to->data[to->size++] = (char)('0' + thrum_context_get(&tenant));
    CHECK_EQ(thrum_context_set(&tenant, thrum_context_get(&tenant) + 1, NULL), 0);
}

/* The calls run in the variables of who had the server begin, each connection with a copy, and keep what they set. */
NET_TEST(transport_servers, context_variables, LOCALS(thrum_server *server; int client, i;))
{
    ASYNC_BEGIN;
    begin_test();
    CHECK_EQ(thrum_context_set(&tenant, 3, NULL), 0);
    AWAIT_INTO(self->server, thrum_create_server(factory, "context", "127.0.0.1", "0"));
    CHECK_EQ(thrum_context_set(&tenant, 7, NULL), 0);
    for (self->i = 0; self->i < 2; self->i++) {
        made.each[self->i].made = made.each[self->i].told = made.each[self->i].lost = count_tenant;
        self->client = new_client(self->server);
        CHECK_EQ(write(self->client, "x", 1), 1);
        close(self->client);
        AWAIT(until_asked(self->i + 1));
        AWAIT(until_lost(&made.each[self->i]));
        CHECK_EQ(strcmp(made.each[self->i].data, "3x45"), 0);
    }
    CHECK_EQ(thrum_context_get(&tenant), 7);
    thrum_server_release(self->server);
    ASYNC_END;
}

/* test_create_server_sock, test_create_unix_server_existing_path_sock, test_create_server_no_host_port_sock: sockets
 * that are bound or listen already, in place of an address. They stay the caller's. */
NET_TEST(transport_servers, given_sockets,
         LOCALS(thrum_server *server; int sockets[2], client, error; thrum_server_options options; noted what;
                thrum_transport * transport; char port[16];))
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    ASYNC_BEGIN;
    begin_test();
    self->sockets[0] = socket(AF_INET, SOCK_STREAM, 0);
    self->sockets[1] = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(bind(self->sockets[0], (struct sockaddr *)(void *)&address, sizeof address), 0);
    self->options.size = sizeof self->options;
    self->options.sockets = self->sockets;
    AWAIT_CATCH(self->error, thrum_create_server_with(factory, "context", NULL, NULL, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->options.socket_count = 2;
    AWAIT_CATCH(self->error, thrum_create_server_with(factory, "context", NULL, NULL, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL); /* the second is none for streams */
    self->options.socket_count = 1;
    AWAIT_CATCH(self->error, thrum_create_server_with(factory, "context", "127.0.0.1", NULL, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_create_server_with(factory, "context", NULL, "0", &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_create_unix_server_with(factory, "context", "/nowhere", &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_INTO(self->server, thrum_create_server_with(factory, "context", NULL, NULL, &self->options));
    CHECK_EQ(thrum_server_sockets(self->server), 1);
    CHECK_NE(thrum_server_descriptor(self->server, 0), self->sockets[0]);
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(self->transport, thrum_create_connection(factory_noting, &self->what, "127.0.0.1", self->port));
    AWAIT(until_asked(1));
    thrum_transport_abort(self->transport);
    AWAIT(until_lost(&made.each[0]));
    AWAIT(until_lost(&self->what));
    thrum_transport_release(self->transport);
    thrum_server_release(self->server);
    CHECK(fcntl(self->sockets[0], F_GETFD) >= 0);
    close(self->sockets[0]);
    close(self->sockets[1]);
    /* A Unix socket: its file goes with the server, unless it is to stay. */
    self->sockets[0] = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(local.sun_path, sizeof local.sun_path, "%s", new_path());
    CHECK_EQ(bind(self->sockets[0], (struct sockaddr *)(void *)&local, sizeof local), 0);
    self->options.keep_path = true;
    AWAIT_INTO(self->server, thrum_create_unix_server_with(factory, "context", NULL, &self->options));
    thrum_server_release(self->server);
    CHECK_EQ(access(path, F_OK), 0);
    self->options.keep_path = false;
    AWAIT_INTO(self->server, thrum_create_unix_server_with(factory, "context", NULL, &self->options));
    memset(&self->what, 0, sizeof self->what);
    AWAIT_INTO(self->transport, thrum_create_unix_connection(factory_noting, &self->what, path));
    AWAIT(until_asked(2));
    thrum_server_release(self->server);
    CHECK_EQ(access(path, F_OK), -1);
    AWAIT(until_lost(&self->what));
    thrum_transport_release(self->transport);
    close(self->sockets[0]);
    ASYNC_END;
}

/* test_create_server_multiple_hosts_*: the same address given twice is listened on once; one that this machine does not
 * have is passed over beside others; keep_alive. */
NET_TEST(transport_servers, hosts, LOCALS(thrum_server *server; int client, error; thrum_server_options options;))
{
    static const char *const twice[] = {"127.0.0.1", "192.0.2.1"};
    int on = 0, descriptor = -1;
    socklen_t size = sizeof on;
    ASYNC_BEGIN;
    begin_test();
    self->options.size = sizeof self->options;
    self->options.hosts = twice;
    self->options.host_count = 2;
    self->options.keep_alive = true;
    AWAIT_INTO(self->server, thrum_create_server_with(factory, "context", "127.0.0.1", "0", &self->options));
    CHECK_EQ(thrum_server_sockets(self->server), 1);
    self->client = new_client(self->server);
    AWAIT(until_asked(1));
    CHECK_EQ(thrum_transport_get_extra_info(made.each[0].transport, "socket", &descriptor, sizeof descriptor), 0);
    CHECK_EQ(getsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
    CHECK(on);
    close(self->client);
    AWAIT(until_lost(&made.each[0]));
    thrum_server_release(self->server);
    self->options.host_count = 0;
    AWAIT_CATCH(self->error, thrum_create_server_with(factory, "context", "192.0.2.1", "0", &self->options));
    CHECK_EQ(self->error, -EADDRNOTAVAIL);
    ASYNC_END;
}

/* The factory releases the server that asks it, whose only client this is: its protocol is told of both ends. */
static thrum_server *to_release;

static int releasing_factory(void *context, const thrum_protocol **protocol, void **own)
{
    thrum_server_release(to_release);
    to_release = NULL;
    return factory(context, protocol, own);
}

NET_TEST(transport_servers, released_by_the_factory, LOCALS(int client, i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        begin_test();
        made.fail = self->i ? THRUM_EINVAL : 0;
        AWAIT_INTO(to_release, thrum_create_server(releasing_factory, "context", "127.0.0.1", "0"));
        self->client = new_client(to_release);
        while (to_release)
            AWAIT(thrum_sleep(MICROSECONDS(100)));
        if (!self->i) {
            AWAIT(until_lost(&made.each[0]));
            CHECK_STR(made.each[0].calls, "ML");
        }
        close(self->client);
    }
    ASYNC_END;
}
