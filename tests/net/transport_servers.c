/* Connections and servers whose bytes go to protocols. Numbers are those of tests/net/PORTED.md. */
#include <sys/stat.h>

#include "transport_servers.h"

static void echo(noted *to)
{
    CHECK_EQ(thrum_transport_write(to->transport, to->data, to->size), 0);
    to->size = 0;
}

static ASYNC(until_asked, ARGS((int, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (made.asked < self->count || strlen(made.each[made.asked - 1].calls) < 1)
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    ASYNC_END;
}

/* Both ends are protocols; create_connection gives the transport when connection_made has returned. */
NET_TEST(transport_servers, both_ends,
         LOCALS(thrum_server *server; thrum_transport * transport; noted client; char port[16];
                char text[THRUM_ADDRESS_TEXT]; int descriptor;))
{
    const thrum_protocol *protocol;
    void *context;
    ASYNC_BEGIN;
    begin_test();
    made.each[0].told = echo;
    AWAIT_INTO(self->server, thrum_create_server(factory, "context", "127.0.0.1", "0"));
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(self->transport, thrum_create_connection(factory_noting, &self->client, "127.0.0.1", self->port));
    CHECK_STR(self->client.calls, "M");
    protocol = thrum_transport_get_protocol(self->transport, &context);
    CHECK_PTR(protocol, &noting);
    CHECK_PTR(context, &self->client);
    CHECK_PTR(thrum_transport_get_protocol(self->transport, NULL), &noting);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "peername", self->text, sizeof self->text), 0);
    CHECK_EQ(strncmp(self->text, "127.0.0.1:", 10), 0);
    CHECK_STR(self->text + 10, self->port);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "sockname", self->text, sizeof self->text), 0);
    CHECK_EQ(strncmp(self->text, "127.0.0.1:", 10), 0);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "socket", &self->descriptor, sizeof(int)), 0);
    CHECK(fcntl(self->descriptor, F_GETFD) & FD_CLOEXEC);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "socket", &self->descriptor, 1), THRUM_EINVAL);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "weather", &self->descriptor, sizeof(int)),
             THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_transport_write(self->transport, "hello", 5), 0);
    AWAIT(until_bytes(&self->client, 5));
    CHECK_STR(self->client.data, "hello");
    CHECK_EQ(thrum_server_clients(self->server), 1);
    thrum_server_close(self->server);
    thrum_transport_close(self->transport);
    AWAIT(thrum_server_wait_closed(self->server));
    CHECK_STR(made.each[0].calls, "MdeL");
    CHECK_STR(self->client.calls, "MdL");
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "peername", self->text, sizeof self->text), THRUM_ECLOSED);
    thrum_transport_release(self->transport);
    thrum_server_release(self->server);
    CHECK_EQ(reported.count, 0);
    ASYNC_END;
}

/* Over a Unix socket, with marks of one's own. */
NET_TEST(transport_servers, unix_sockets,
         LOCALS(thrum_server *server; thrum_transport * transport; noted client; char text[THRUM_ADDRESS_TEXT];
                size_t low, high; thrum_stream_options marks; thrum_connect_options options;
                thrum_server_options listening;))
{
    struct stat facts;
    ASYNC_BEGIN;
    begin_test();
    made.each[0].told = echo;
    AWAIT_INTO(self->server, thrum_create_unix_server(factory, "context", new_path()));
    self->marks.size = sizeof self->marks;
    self->marks.high = 1000;
    self->options.size = sizeof self->options;
    self->options.stream = &self->marks;
    AWAIT_INTO(self->transport, thrum_create_unix_connection_with(factory_noting, &self->client, path, &self->options));
    thrum_transport_get_write_buffer_limits(self->transport, &self->low, &self->high);
    CHECK_EQ(self->high, 1000);
    CHECK_EQ(self->low, 250);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "peername", self->text, sizeof self->text), 0);
    CHECK_STR(self->text, path);
    CHECK_EQ(thrum_transport_write(self->transport, "hello", 5), 0);
    AWAIT(until_bytes(&self->client, 5));
    thrum_transport_release(self->transport);
    thrum_server_release(self->server);
    AWAIT(until_lost(&self->client));
    CHECK_EQ(access(path, F_OK), -1);
    CHECK_STR(made.each[0].calls, "MdL");
    self->listening = (thrum_server_options){.size = sizeof self->listening, .mode = 0600};
    AWAIT_INTO(self->server, thrum_create_unix_server_with(factory, "context", path, &self->listening));
    CHECK_EQ(lstat(path, &facts), 0);
    CHECK_EQ(facts.st_mode & 0777, 0600);
    memset(&self->client, 0, sizeof self->client);
    AWAIT_INTO(self->transport, thrum_create_unix_connection(factory_noting, &self->client, path));
    thrum_transport_abort(self->transport);
    AWAIT(until_lost(&self->client));
    thrum_transport_release(self->transport);
    thrum_server_release(self->server);
    ASYNC_END;
}

/* What cannot be right, and what is not there. */
NET_TEST(transport_servers, refused,
         LOCALS(noted what; int error; thrum_connect_options options; thrum_server_options listening;))
{
    ASYNC_BEGIN;
    self->options.size = 1;
    self->listening.size = 1;
    AWAIT_CATCH(self->error, thrum_create_connection(NULL, NULL, "127.0.0.1", "1"));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error,
                thrum_create_connection_with(factory_noting, &self->what, "127.0.0.1", "1", &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_create_connection(factory_noting, &self->what, "127.0.0.1", "1"));
    CHECK_EQ(self->error, -ECONNREFUSED);
    AWAIT_CATCH(self->error, thrum_create_unix_connection(NULL, NULL, "/nowhere"));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_create_unix_connection(factory_noting, &self->what, "/nowhere/at/all"));
    CHECK_EQ(self->error, -ENOENT);
    AWAIT_CATCH(self->error, thrum_create_server(NULL, NULL, "127.0.0.1", "0"));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_create_server_with(factory, NULL, "127.0.0.1", "0", &self->listening));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_create_unix_server(NULL, NULL, "/nowhere"));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_connect_accepted_socket(NULL, NULL, -1, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_connect_accepted_socket(factory_noting, &self->what, -1, NULL));
    CHECK_EQ(self->error, -EBADF);
    CHECK_STR(self->what.calls, "");
    ASYNC_END;
}

static int wrong_kind(void *context, const thrum_protocol **protocol, void **own)
{
    static const thrum_protocol half = {.size = sizeof half, .get_buffer = NULL, .buffer_updated = NULL};
    static thrum_protocol wrong;
    wrong = half;
    if (*(int *)context == 0)
        return THRUM_EAPP(5);
    if (*(int *)context == 1)
        wrong.size = 3;
    if (*(int *)context == 2)
        wrong.get_buffer = noting_buffered.get_buffer;
    *protocol = *(int *)context == 3 ? NULL : &wrong;
    *own = NULL;
    return 0;
}

/* connect_accepted_socket: a socket made elsewhere; a factory that fails closes it, and so does a datagram
 * socket. */
NET_TEST(transport_servers, accepted_socket, LOCALS(noted what; int ends[2], i, error; thrum_transport * transport;))
{
    ASYNC_BEGIN;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends), 0);
    AWAIT_INTO(self->transport, thrum_connect_accepted_socket(factory_noting, &self->what, self->ends[0], NULL));
    CHECK_STR(self->what.calls, "M");
    CHECK_EQ(write(self->ends[1], "hello", 5), 5);
    AWAIT(until_bytes(&self->what, 5));
    close(self->ends[1]);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "MdeL");
    thrum_transport_release(self->transport);
    for (self->i = 0; self->i < 4; self->i++) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends), 0);
        AWAIT_CATCH(self->error, thrum_connect_accepted_socket(wrong_kind, &self->i, self->ends[0], NULL));
        CHECK_EQ(self->error, self->i ? THRUM_EINVAL : THRUM_EAPP(5));
        CHECK_EQ(fcntl(self->ends[0], F_GETFD), -1);
        close(self->ends[1]);
    }
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, self->ends), 0);
    AWAIT_CATCH(self->error, thrum_connect_accepted_socket(factory_noting, &self->what, self->ends[0], NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    CHECK_EQ(fcntl(self->ends[0], F_GETFD), -1);
    close(self->ends[1]);
    ASYNC_END;
}

/* 137: an error of connection_made ends the connection; who connects gets it, and nobody else is told. */
NET_TEST(transport_servers, made_fails, LOCALS(noted what; int ends[2], error;))
{
    ASYNC_BEGIN;
    note_reports();
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends), 0);
    self->what.fail_made = THRUM_EAPP(9);
    AWAIT_CATCH(self->error, thrum_connect_accepted_socket(factory_noting, &self->what, self->ends[0], NULL));
    CHECK_EQ(self->error, THRUM_EAPP(9));
    CHECK_STR(self->what.calls, "ML");
    CHECK_EQ(self->what.error, THRUM_EAPP(9));
    CHECK_EQ(reported.count, 0);
    close(self->ends[1]);
    ASYNC_END;
}

/* 136: cancelled while it waits for connection_made: the connection is closed, and the protocol told of both ends. */
NET_TEST(transport_servers, cancelled, LOCALS(noted what; outcome how; int ends[2]; thrum_task * task;))
{
    ASYNC_BEGIN;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->ends), 0);
    self->task = begin(thrum_connect_accepted_socket(factory_noting, &self->what, self->ends[0], NULL), &self->how);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->how.error, THRUM_ECANCELED);
    CHECK_STR(self->what.calls, "ML");
    CHECK_EQ(self->what.error, 0);
    CHECK_EQ(read(self->ends[1], &self->what, 1), 0);
    close(self->ends[1]);
    ASYNC_END;
}

/* A factory that fails: that connection is dropped, and told of; the server goes on. */
NET_TEST(transport_servers, factory_fails, LOCALS(thrum_server *server; int client; char byte;))
{
    ASYNC_BEGIN;
    begin_test();
    AWAIT_INTO(self->server, thrum_create_server(factory, "context", "127.0.0.1", "0"));
    made.fail = THRUM_EAPP(2);
    self->client = new_client(self->server);
    while (read(self->client, &self->byte, 1) != 0)
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    close(self->client);
    CHECK_EQ(reported.count, 1);
    CHECK_EQ(reported.error, THRUM_EAPP(2));
    CHECK_EQ(thrum_server_clients(self->server), 0);
    made.fail = 0;
    self->client = new_client(self->server);
    AWAIT(until_asked(1));
    close(self->client);
    AWAIT(until_lost(&made.each[0]));
    thrum_server_release(self->server);
    ASYNC_END;
}
