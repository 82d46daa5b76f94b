/* Arguments that cannot be right, each by itself: of connections, servers, datagrams, names, networks, files,
 * executors, children, pipelines, terminals and runners. Each is refused with an error, before anything is made. */
#include "children.h"

#include <limits.h>
#include <pthread.h>

#define REFUSED(what) CHECK_EQ(what, THRUM_EINVAL)
#define REFUSED_AWAIT(what)                                                                                            \
    do {                                                                                                               \
        AWAIT_CATCH(self->error, what);                                                                                \
        REFUSED(self->error);                                                                                          \
    } while (0)
#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char text[] = "x";

/* Limits of streams that do not go together. */
static const thrum_stream_options wrong_stream = {.size = sizeof wrong_stream, .high = 1, .low = 2};

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

/* ---- files and threads ---- */

NET_TEST(arguments, files,
         LOCALS(thrum_file *file; char *data; char byte; thrum_file_info info; int error; thrum_executor * executor;
                thrum_iteration each; thrum_entry * entry;))
{
    static const char much[] = "";
    ASYNC_BEGIN;
    REFUSED_AWAIT(thrum_file_open(NULL, 0, 0));
    REFUSED_AWAIT(thrum_read_file(NULL, &self->data, 1));
    REFUSED_AWAIT(thrum_read_file("/nowhere", NULL, 1));
    REFUSED_AWAIT(thrum_write_file(NULL, much, 0, 0));
    REFUSED_AWAIT(thrum_write_file("/nowhere", much, SIZE_MAX, 0));
    REFUSED_AWAIT(thrum_stat(NULL, &self->info));
    REFUSED_AWAIT(thrum_rename(NULL, "/nowhere"));
    REFUSED_AWAIT(thrum_rename("/nowhere", NULL));
    REFUSED_AWAIT(thrum_unlink(NULL));
    REFUSED_AWAIT(thrum_file_read_at(NULL, &self->byte, 1, 0));
    AWAIT_INTO(self->file, thrum_file_open("/dev/null", O_RDWR, 0));
    REFUSED_AWAIT(thrum_file_read_at(self->file, &self->byte, 1, UINT64_MAX));
    REFUSED_AWAIT(thrum_file_read_at(self->file, &self->byte, SIZE_MAX, 1));
    thrum_file_release(self->file);
    CHECK_EQ(thrum_file_adopt(&self->file, -1), -EBADF);
    thrum_executor_options options = {.size = 0};
    REFUSED(thrum_executor_new(NULL, NULL));
    REFUSED(thrum_executor_new(&self->executor, &options));
    options.size = sizeof options + 1;
    REFUSED(thrum_executor_new(&self->executor, &options));
    REFUSED_AWAIT(thrum_executor_join(NULL));
    ASYNC_END;
}

/* ---- children, pipelines, terminals ---- */

enum { RUN = sizeof(thrum_subprocess_options) };

static const char *const echo[] = {"echo", NULL}, *const none[] = {NULL};
static const thrum_subprocess_descriptor no_descriptor = {-1, 3}, nowhere = {0, -1};

static const thrum_subprocess_options runs[] = {
    {.size = 1},
    {.size = RUN + 1},
    {.size = RUN, .in = {(thrum_stdio_kind)99, 0}},
    {.size = RUN, .out = {(thrum_stdio_kind)99, 0}},
    {.size = RUN, .err = {(thrum_stdio_kind)99, 0}},
    {.size = RUN, .in = {THRUM_STDIO_DESCRIPTOR, -1}},
    {.size = RUN, .in = {THRUM_STDIO_STDOUT, 0}},
    {.size = RUN, .descriptors = &no_descriptor, .descriptor_count = 1},
    {.size = RUN, .descriptors = &nowhere, .descriptor_count = 1},
    {.size = RUN, .process_group = -1},
    {.size = RUN, .process_group = 1, .new_process_group = true},
    {.size = RUN, .process_group = 1, .new_session = true},
    {.size = RUN, .whole_group = true},
    {.size = RUN, .controlling_terminal = true},
};

static int no_subprocess(void *context, const thrum_subprocess_protocol **protocol, void **own)
{
    (void)context, (void)own;
    *protocol = NULL;
    return 0;
}

NET_TEST(arguments, children,
         LOCALS(thrum_pipeline_command one; size_t i; int error, program; thrum_process_output output;
                thrum_stream * terminal; thrum_pty_options pty;))
{
    static const thrum_subprocess_options reads = {.size = RUN, .in = {THRUM_STDIO_PIPE, 0}},
                                          writes = {.size = RUN, .out = {THRUM_STDIO_PIPE, 0}};
    static const thrum_subprocess_descriptor not_open = {999, 5};
    static const thrum_subprocess_limit no_limit = {9999, 0, 0};
    static const thrum_subprocess_options closed = {.size = RUN, .descriptors = &not_open, .descriptor_count = 1},
                                          unlimited = {.size = RUN, .limits = &no_limit, .limit_count = 1};
    static uint32_t groups[65537 + 1000]; /* more than there may be */
    static const thrum_subprocess_identity nobodies[] = {
        {.user = UINT32_MAX}, {.group = UINT32_MAX}, {.groups = groups, .group_count = COUNT(groups)}};
    static const thrum_pipeline_command nothing[] = {{.options = NULL}}, both[] = {{echo, "echo", NULL}},
                                        reader[] = {{echo, NULL, NULL}, {echo, NULL, &reads}},
                                        writer[] = {{echo, NULL, &writes}, {echo, NULL, NULL}};
    ASYNC_BEGIN;
    for (self->i = 0; self->i < COUNT(runs); self->i++) {
        self->one = (thrum_pipeline_command){echo, NULL, &runs[self->i]};
        REFUSED_AWAIT(thrum_create_subprocess_exec(echo, &runs[self->i]));
        REFUSED_AWAIT(thrum_create_subprocess_shell("echo", &runs[self->i]));
        REFUSED_AWAIT(thrum_subprocess_exec(no_subprocess, NULL, echo, &runs[self->i]));
        REFUSED_AWAIT(thrum_subprocess_shell(no_subprocess, NULL, "echo", &runs[self->i]));
        REFUSED_AWAIT(thrum_create_pipeline(&self->one, 1));
    }
    REFUSED_AWAIT(thrum_create_subprocess_exec(NULL, NULL));
    REFUSED_AWAIT(thrum_create_subprocess_exec(none, NULL));
    REFUSED_AWAIT(thrum_create_subprocess_shell(NULL, NULL));
    REFUSED_AWAIT(thrum_subprocess_exec(NULL, NULL, echo, NULL));
    REFUSED_AWAIT(thrum_subprocess_exec(no_subprocess, NULL, NULL, NULL));
    REFUSED_AWAIT(thrum_subprocess_shell(NULL, NULL, "echo", NULL));
    REFUSED_AWAIT(thrum_subprocess_shell(no_subprocess, NULL, NULL, NULL));
    REFUSED_AWAIT(thrum_process_communicate(NULL, NULL, 0, &self->output));
    REFUSED_AWAIT(thrum_create_pipeline(NULL, 1));
    REFUSED_AWAIT(thrum_create_pipeline(both, 0));
    REFUSED_AWAIT(thrum_create_pipeline(both, 1));
    REFUSED_AWAIT(thrum_create_pipeline(nothing, 1));
    REFUSED_AWAIT(thrum_create_pipeline(reader, 2)); /* its input is the one before it */
    REFUSED_AWAIT(thrum_create_pipeline(writer, 2));
    REFUSED_AWAIT(thrum_run_pipeline(NULL, 1, NULL, 0, &self->output));
    REFUSED_AWAIT(thrum_pipeline_communicate(NULL, NULL, 0, &self->output));
    REFUSED(thrum_open_pty(&self->terminal, &self->program, &self->pty));
    self->pty.size = sizeof self->pty + 1;
    REFUSED(thrum_open_pty(&self->terminal, &self->program, &self->pty));
    REFUSED_AWAIT(thrum_create_subprocess_pty(echo, NULL, &self->pty, &self->terminal));
    CHECK_NULL(self->terminal);
    REFUSED_AWAIT(thrum_create_subprocess_pty(echo, &runs[1], NULL, &self->terminal));
    CHECK_NULL(self->terminal);
    /* What the system says no to, in the child: the call's error. */
    AWAIT_CATCH(self->error, thrum_create_subprocess_exec(echo, &closed));
    CHECK_EQ(self->error, -EBADF);
    AWAIT_CATCH(self->error, thrum_create_subprocess_exec(echo, &unlimited));
    CHECK_EQ(self->error, -EINVAL);
    for (self->i = 0; self->i < COUNT(nobodies); self->i++) {
        const thrum_subprocess_options options = {.size = RUN, .identity = &nobodies[self->i]};
        AWAIT_CATCH(self->error, thrum_create_subprocess_exec(echo, &options));
        CHECK(self->error == -EINVAL || self->error == -EPERM); /* of root, and of everybody else */
    }
    REFUSED(thrum_terminal_set_size(0, NULL));
    REFUSED(thrum_terminal_set_size(0, &(thrum_terminal_size){65536, 0}));
    REFUSED(thrum_terminal_set_size(0, &(thrum_terminal_size){0, 65536}));
    REFUSED(thrum_open_stdin(&self->terminal, &wrong_stream));
    ASYNC_END;
}

/* ---- runners ---- */

TEST(arguments, runners)
{
    thrum_runner runner;
    thrum_loop_options loop = {.size = 0};
    thrum_runner_options options = {.size = 0};
    REFUSED(thrum_runner_init(NULL, NULL));
    REFUSED(thrum_runner_init(&runner, &options));
    options.size = sizeof options + 1;
    REFUSED(thrum_runner_init(&runner, &options));
    options = (thrum_runner_options){.size = sizeof options, .shutdown = -1};
    REFUSED(thrum_runner_init(&runner, &options));
    options = (thrum_runner_options){.size = sizeof options, .loop = &loop};
    REFUSED(thrum_runner_init(&runner, &options));
    loop.size = sizeof loop + 1;
    REFUSED(thrum_runner_init(&runner, &options));
    /* These say so in the log. */
    CHECK(dup2(open("/dev/null", O_WRONLY), 2) == 2);
    thrum_cores_options cores = {.size = 0};
    CHECK_EQ(thrum_run_on_every_core(NULL, NULL, NULL), 1);
    CHECK_EQ(thrum_run_on_every_core((thrum_core_starter *)(void (*)(void))abort, NULL, &cores), 1);
    cores.size = sizeof cores + 1;
    CHECK_EQ(thrum_run_on_every_core((thrum_core_starter *)(void (*)(void))abort, NULL, &cores), 1);
    options = (thrum_runner_options){.size = 0};
    cores = (thrum_cores_options){.size = sizeof cores, .runner = &options};
    CHECK_EQ(thrum_run_on_every_core((thrum_core_starter *)(void (*)(void))abort, NULL, &cores), 1);
    options.size = sizeof options + 1;
    CHECK_EQ(thrum_run_on_every_core((thrum_core_starter *)(void (*)(void))abort, NULL, &cores), 1);
}

/* ---- from the wrong place ---- */

/* No loop, and another thread's. */
static void *elsewhere(void *argument)
{
    thrum_loop *loops[] = {NULL, (thrum_loop *)argument};
    for (int i = 0; i < 2; i++) {
        thrum_loop *loop = loops[i];
        CHECK_EQ(thrum_loop_set_network(loop, NULL, NULL), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_set_resolver(loop, NULL), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_set_default_executor(loop, NULL), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_stats_clear(loop), THRUM_ESTATE);
        CHECK_EQ(thrum_watchdog_start(loop, SECONDS(1)), THRUM_ESTATE);
        CHECK_EQ(thrum_watchdog_stop(loop), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_run_forever(loop), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_yield(), NULL), THRUM_ESTATE);
        CHECK_EQ(thrum_loop_step(loop, 0), THRUM_ESTATE);
    }
    CHECK_EQ(thrum_loop_close((thrum_loop *)argument), THRUM_ESTATE);
    CHECK_NULL(thrum_loop_running());
    thrum_signal_receiver *receiver;
    const int number = SIGUSR1;
    thrum_file *file;
    CHECK_EQ(thrum_signal_receiver_open(&receiver, &number, 1), THRUM_ESTATE);
    CHECK_EQ(thrum_file_adopt(&file, 0), THRUM_ESTATE);
    return NULL;
}

TEST(arguments, of_another_thread)
{
    thrum_loop *loop;
    pthread_t thread;
    CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
    CHECK_EQ(pthread_create(&thread, NULL, elsewhere, loop), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(thrum_watchdog_stop(loop), THRUM_ESTATE); /* there is none */
    CHECK_EQ(thrum_loop_close(loop), 0);
}
