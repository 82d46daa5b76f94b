/* Servers: accepting, handlers, addresses. Numbers are those of tests/net/PORTED.md. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "support.h"

/* ---- handlers, and what they note ---- */

static struct {
    int begun, ended;
    int error; /* of the last handler */
} served;

static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char buffer[4096]; size_t n;))
{
    ASYNC_BEGIN;
    served.begun++;
    for (;;) {
        AWAIT_INTO(self->n, thrum_stream_read(self->client, self->buffer, sizeof self->buffer));
        if (!self->n)
            break;
        AWAIT(thrum_stream_write(self->client, self->buffer, self->n));
    }
FINALLY:
    served.ended++;
    AWAIT(thrum_stream_close(self->client));
    ASYNC_END;
}

static ASYNC(fail, ARGS((thrum_stream *, client), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_write(self->client, "bye", 3));
    ASYNC_RAISE(THRUM_EAPP(7));
    ASYNC_END;
}

static ASYNC(leave, ARGS((thrum_stream *, client), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_write(self->client, self->context, strlen(self->context)));
    ASYNC_END;
}

/* ---- reports ---- */

static struct {
    int count, error;
    char message[128];
    bool detailed;
} reported;

static void note_report(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)context;
    reported.count++;
    reported.error = report->error;
    reported.detailed = report->detail != NULL;
    snprintf(reported.message, sizeof reported.message, "%s", report->message);
}

static void note_reports(void)
{
    memset(&reported, 0, sizeof reported);
    memset(&served, 0, sizeof served);
    thrum_loop_set_exception_handler(thrum_loop_current(), note_report, NULL);
}

/* ---- clients: plain descriptors ---- */

static int new_client(const thrum_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)thrum_server_port(server));
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(connect(made, (struct sockaddr *)(void *)&address, sizeof address), 0);
    fcntl(made, F_SETFL, O_NONBLOCK);
    return made;
}

/* Wait until something can be read, and read it; 0 at the end, -errno. */
static ASYNC(client_read, ARGS((int, descriptor), (char *, text), (size_t, size)), LOCALS(ssize_t got;))
{
    ASYNC_BEGIN;
    memset(self->text, 0, self->size);
    for (;;) {
        self->got = read(self->descriptor, self->text, self->size - 1);
        if (self->got >= 0)
            ASYNC_RETURN(self->got);
        if (errno != EAGAIN)
            ASYNC_RETURN(-errno);
        AWAIT(thrum_sleep(MICROSECONDS(200)));
    }
    ASYNC_END;
}

static ASYNC(until_ended, ARGS((thrum_server *, server)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (thrum_server_clients(self->server))
        AWAIT(thrum_sleep(MICROSECONDS(200)));
    ASYNC_END;
}

/* ---- the tests ---- */

NET_TEST(servers, serve, LOCALS(thrum_server *server; int clients[20], i; char text[16]; int n;))
{
    ASYNC_BEGIN;
    note_reports();
    AWAIT_INTO(self->server, thrum_start_server(echo, NULL, "127.0.0.1", "0"));
    CHECK(thrum_server_is_serving(self->server));
    CHECK_EQ(thrum_server_sockets(self->server), 1);
    for (self->i = 0; self->i < 20; self->i++)
        self->clients[self->i] = new_client(self->server);
    for (self->i = 0; self->i < 20; self->i++) {
        CHECK_EQ(write(self->clients[self->i], "hello", 5), 5);
        AWAIT_INTO(self->n, client_read(self->clients[self->i], self->text, sizeof self->text));
        CHECK_STR(self->text, "hello");
    }
    CHECK_EQ(thrum_server_clients(self->server), 20);
    for (self->i = 0; self->i < 20; self->i++) {
        shutdown(self->clients[self->i], SHUT_WR);
        AWAIT_INTO(self->n, client_read(self->clients[self->i], self->text, sizeof self->text));
        CHECK_EQ(self->n, 0);
        close(self->clients[self->i]);
    }
    AWAIT(until_ended(self->server));
    CHECK_EQ(served.begun, 20);
    CHECK_EQ(served.ended, 20);
    CHECK_EQ(reported.count, 0);
    thrum_server_close(self->server);
    AWAIT(thrum_server_wait_closed(self->server));
    thrum_server_release(self->server);
    ASYNC_END;
}

static thrum_context_var tenant = THRUM_CONTEXT_VAR("tenant", 0);

static ASYNC(names_tenant, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char digit;))
{
    ASYNC_BEGIN;
    self->digit = (char)('0' + thrum_context_get(&tenant));
    CHECK_EQ(thrum_context_set(&tenant, 9, NULL), 0);
    AWAIT(thrum_stream_write(self->client, &self->digit, 1));
    ASYNC_END;
}

/* Handlers begin with the variables of who had the server begin to serve, each with a copy. */
NET_TEST(servers, context_variables, LOCALS(thrum_server *server; int client, n, i; char text[16];))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_context_set(&tenant, 3, NULL), 0);
    AWAIT_INTO(self->server, thrum_start_server(names_tenant, NULL, "127.0.0.1", "0"));
    CHECK_EQ(thrum_context_set(&tenant, 4, NULL), 0);
    for (self->i = 0; self->i < 2; self->i++) {
        self->client = new_client(self->server);
        AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
        CHECK_STR(self->text, "3");
        close(self->client);
    }
    AWAIT(until_ended(self->server));
    thrum_server_close(self->server);
    thrum_server_release(self->server);
    CHECK_EQ(thrum_context_get(&tenant), 4);
    ASYNC_END;
}

/* The server closes the stream when the handler ends: what it wrote arrives. */
NET_TEST(servers, close_when_the_handler_ends, LOCALS(thrum_server *server; int client, n; char text[16];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(leave, "context", "127.0.0.1", "0"));
    self->client = new_client(self->server);
    AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
    CHECK_STR(self->text, "context");
    AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
    close(self->client);
    ASYNC_END;
}

/* test_unhandled_exception: reported, and the connection closed; the server goes on. */
NET_TEST(servers, handler_fails, LOCALS(thrum_server *server; int client, n, i; char text[16];))
{
    ASYNC_BEGIN;
    note_reports();
    AWAIT_INTO(self->server, thrum_start_server(fail, NULL, "127.0.0.1", "0"));
    for (self->i = 1; self->i <= 2; self->i++) {
        self->client = new_client(self->server);
        AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
        CHECK_STR(self->text, "bye");
        AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
        CHECK_EQ(self->n, 0);
        CHECK_EQ(reported.count, self->i);
        CHECK_EQ(reported.error, THRUM_EAPP(7));
        CHECK(reported.detailed);
        CHECK_STR(reported.message, "a connection's handler failed");
        close(self->client);
    }
    ASYNC_END;
}

static thrum_awaitable no_memory(thrum_stream *stream, void *context)
{
    (void)stream, (void)context;
    return thrum_awaitable_failing(THRUM_ENOMEM);
}

static void cancel_all(thrum_handle *handle)
{
    thrum_task *tasks[16];
    size_t count = thrum_all_tasks(tasks, 16);
    for (size_t i = 0; i < count; i++)
        if (tasks[i] != handle->context)
            thrum_task_cancel(tasks[i]);
}

/* A handler that never begins, for want of memory or because it is cancelled first: the connection is closed. */
NET_TEST(servers, handler_never_begins,
         LOCALS(thrum_server *server; int client, n, i; char text[16]; thrum_handle handle;))
{
    ASYNC_BEGIN;
    note_reports();
    AWAIT_INTO(self->server, thrum_start_server(no_memory, NULL, "127.0.0.1", "0"));
    self->client = new_client(self->server);
    AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
    CHECK_EQ(reported.error, THRUM_ENOMEM);
    close(self->client);
    thrum_server_release(self->server);
    AWAIT_INTO(self->server, thrum_start_server(echo, NULL, "127.0.0.1", "0"));
    self->client = new_client(self->server);
    /* Pass by pass, until the task is there; it has not begun then. */
    thrum_handle_init(&self->handle, cancel_all, thrum_current_task());
    while (!thrum_server_clients(self->server)) {
        AWAIT(thrum_sleep(MICROSECONDS(50)));
        (void)thrum_call_soon(&self->handle);
        AWAIT(thrum_yield());
    }
    cancel_all(&self->handle);
    AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
    close(self->client);
    AWAIT(until_ended(self->server));
    CHECK_EQ(served.begun, served.ended);
    CHECK_EQ(reported.count, 1);
    ASYNC_END;
}

/* A handler that is cancelled: its connection is closed without waiting, nothing is reported. */
NET_TEST(servers, handler_cancelled, LOCALS(thrum_server *server; int client, n; char text[16]; thrum_handle handle;))
{
    ASYNC_BEGIN;
    note_reports();
    AWAIT_INTO(self->server, thrum_start_server(echo, NULL, "127.0.0.1", "0"));
    self->client = new_client(self->server);
    CHECK_EQ(write(self->client, "x", 1), 1);
    AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
    thrum_handle_init(&self->handle, cancel_all, thrum_current_task());
    cancel_all(&self->handle);
    AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
    CHECK_EQ(served.ended, 1);
    CHECK_EQ(reported.count, 0);
    close(self->client);
    ASYNC_END;
}

/* 140, test_accept_connection_retry: one report, no busy loop, and the client is served after a second. */
NET_TEST(servers, out_of_descriptors, LOCALS(thrum_server *server; int client, n; char text[16];))
{
    ASYNC_BEGIN;
    note_reports();
    AWAIT_INTO(self->server, thrum_start_server(leave, "late", "127.0.0.1", "0"));
    calls_clear();
    calls_accept = (call_plan){.fail = EMFILE, .failures = 1};
    self->client = new_client(self->server);
    AWAIT(thrum_sleep(MILLISECONDS(20)));
    CHECK_EQ(calls_accept.count, 1);
    CHECK_EQ(reported.count, 1);
    CHECK_EQ(reported.error, -EMFILE);
    CHECK_LE(calls_epoll_wait.count, 6);
    AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
    CHECK_STR(self->text, "late");
    CHECK_EQ(reported.count, 1);
    close(self->client);
    ASYNC_END;
}

/* And the retry finds that the server was closed meanwhile. */
NET_TEST(servers, out_of_descriptors_then_closed, LOCALS(thrum_server *server; int client;))
{
    ASYNC_BEGIN;
    note_reports();
    AWAIT_INTO(self->server, thrum_start_server(leave, "late", "127.0.0.1", "0"));
    calls_accept = (call_plan){.fail = ENFILE, .failures = -1};
    self->client = new_client(self->server);
    while (!reported.count)
        AWAIT(thrum_sleep(MICROSECONDS(200)));
    thrum_server_close(self->server);
    AWAIT(thrum_sleep(MILLISECONDS(1100)));
    CHECK_EQ(reported.count, 1);
    CHECK_EQ(calls_accept.count, 1);
    close(self->client);
    thrum_server_release(self->server);
    ASYNC_END;
}

/* test_accept_connection_skip_connectionabortederror: on to the next in the same event. */
NET_TEST(servers, connection_aborted, LOCALS(thrum_server *server; int client, n; char text[16];))
{
    ASYNC_BEGIN;
    note_reports();
    AWAIT_INTO(self->server, thrum_start_server(leave, "served", "127.0.0.1", "0"));
    calls_accept = (call_plan){.fail = ECONNABORTED, .failures = 3};
    self->client = new_client(self->server);
    AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
    CHECK_STR(self->text, "served");
    CHECK_EQ(reported.count, 0);
    close(self->client);
    ASYNC_END;
}

/* What comes by accept is close-on-exec and non-blocking from birth. */
static ASYNC(look, ARGS((thrum_stream *, client), (void *, context)), LOCALS_NONE)
{
    char text[THRUM_ADDRESS_TEXT];
    ASYNC_BEGIN;
    served.begun++;
    CHECK(fcntl(thrum_stream_descriptor(self->client), F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(thrum_stream_descriptor(self->client), F_GETFL) & O_NONBLOCK);
    CHECK_EQ(thrum_stream_peername(self->client, text, sizeof text), 0);
    CHECK_EQ(strncmp(text, "127.0.0.1:", 10), 0);
    CHECK_GT(thrum_stream_peer_port(self->client), 0);
    ASYNC_END;
}

NET_TEST(servers, accepted_streams, LOCALS(thrum_server *server; int client, n; char text[16];))
{
    ASYNC_BEGIN;
    note_reports();
    AWAIT_INTO(self->server, thrum_start_server(look, NULL, "127.0.0.1", "0"));
    CHECK(fcntl(thrum_server_descriptor(self->server, 0), F_GETFD) & FD_CLOEXEC);
    self->client = new_client(self->server);
    AWAIT_INTO(self->n, client_read(self->client, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
    CHECK_EQ(served.begun, 1);
    close(self->client);
    ASYNC_END;
}
