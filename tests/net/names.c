/* Names: both ways of looking them up beside what the C library says, and c-ares with a name server of the test's own.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <thrum/names.h>
#include <thrum/sockets.h>

#include "support.h"

/* ---- a name server ---- */

typedef struct name_server {
    int socket;
    char address[THRUM_ADDRESS_TEXT];
    unsigned asked;
} name_server;

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_PTR = 12, TYPE_AAAA = 28 };

/* The name in a question as text; gives what stands behind it. */
static const unsigned char *name_of(const unsigned char *at, char *name, size_t room)
{
    size_t used = 0;
    while (*at && used + *at + 2 < room) {
        memcpy(name + used, at + 1, *at);
        used += *at;
        name[used++] = '.';
        at += *at + 1;
    }
    name[used ? used - 1 : 0] = '\0';
    return at + 1;
}

static unsigned char *put_name(unsigned char *at, const char *name)
{
    while (*name) {
        size_t length = strcspn(name, ".");
        *at++ = (unsigned char)length;
        memcpy(at, name, length);
        at += length;
        name += length + (name[length] == '.');
    }
    *at++ = 0;
    return at;
}

/* An answer about the name of the question, or about `owner`. */
static unsigned char *put_record(unsigned char *at, const char *owner, int type, const void *data, size_t size)
{
    static const unsigned char seconds[4] = {0, 0, 0, 60};
    if (owner) {
        at = put_name(at, owner);
    } else {
        *at++ = 0xc0; /* the name at offset 12 */
        *at++ = 12;
    }
    *at++ = 0;
    *at++ = (unsigned char)type;
    *at++ = 0;
    *at++ = 1;
    memcpy(at, seconds, 4);
    at[4] = (unsigned char)(size >> 8);
    at[5] = (unsigned char)size;
    memcpy(at + 6, data, size);
    return at + 6 + size;
}

/* Answers in place; the size, 0 for no answer. */
static size_t answer(unsigned char *packet, size_t size)
{
    static const unsigned char a1[4] = {192, 0, 2, 1}, a2[4] = {192, 0, 2, 2};
    static const unsigned char aaaa[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    unsigned char data[64];
    char name[256];
    const unsigned char *behind = name_of(packet + 12, name, sizeof name);
    int type = behind[1], count = 0;
    unsigned char *at = packet + (behind + 4 - packet);
    const char *host = name;
    (void)size;
    packet[2] |= 0x80;
    packet[3] = 0x80;
    memset(packet + 6, 0, 6);
    if (strcmp(name, "silent.test") == 0)
        return 0;
    if (strcmp(name, "fails.test") == 0)
        packet[3] |= 2;
    if (strcmp(name, "nothing.test") == 0)
        packet[3] |= 3;
    if (strcmp(name, "alias.test") == 0) {
        at = put_record(at, NULL, TYPE_CNAME, data, (size_t)(put_name(data, "host.test") - data));
        host = "host.test";
        count++;
    }
    if (strcmp(host, "host.test") == 0 && type == TYPE_A) {
        at = put_record(at, host == name ? NULL : host, TYPE_A, a1, 4);
        at = put_record(at, host == name ? NULL : host, TYPE_A, a2, 4);
        count += 2;
    }
    if (strcmp(host, "host.test") == 0 && type == TYPE_AAAA) {
        at = put_record(at, host == name ? NULL : host, TYPE_AAAA, aaaa, 16);
        count++;
    }
    if (strcmp(host, "families.test") == 0 && type == TYPE_A) {
        at = put_record(at, NULL, TYPE_A, "\177\0\0\1", 4);
        at = put_record(at, NULL, TYPE_A, "\177\0\0\2", 4);
        count += 2;
    }
    if (strcmp(host, "families.test") == 0 && type == TYPE_AAAA) {
        at = put_record(at, NULL, TYPE_AAAA, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
        at = put_record(at, NULL, TYPE_AAAA, "\0\0\0\0\0\0\0\0\0\0\xff\xff\177\0\0\1", 16);
        count += 2;
    }
    if (strcmp(name, "1.2.0.192.in-addr.arpa") == 0 && type == TYPE_PTR) {
        at = put_record(at, NULL, TYPE_PTR, data, (size_t)(put_name(data, "host.test") - data));
        count++;
    }
    packet[7] = (unsigned char)count;
    return (size_t)(at - packet);
}

static ASYNC(serve_names, ARGS((name_server *, server)),
             LOCALS(unsigned char packet[1024]; thrum_address from; size_t size;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->size,
                   thrum_sock_recvfrom(self->server->socket, self->packet, sizeof self->packet, &self->from));
        self->server->asked++;
        self->size = answer(self->packet, self->size);
        if (self->size)
            AWAIT(thrum_sock_sendto(self->server->socket, self->packet, self->size, &self->from));
    }
    ASYNC_END;
}

static thrum_task *server_start(name_server *server)
{
    thrum_address address;
    socklen_t size = sizeof address.words;
    server->asked = 0;
    server->socket = thrum_sock_open(AF_INET, SOCK_DGRAM);
    CHECK_EQ(thrum_address_from_ip(&address, "127.0.0.1", 0), 0);
    CHECK_EQ(bind(server->socket, (const struct sockaddr *)thrum_address_raw(&address), (socklen_t)address.size), 0);
    CHECK_EQ(getsockname(server->socket, (struct sockaddr *)(void *)address.words, &size), 0);
    thrum_address_text(&address, server->address, sizeof server->address);
    return thrum_spawn(serve_names(server));
}

static ASYNC(server_stop, ARGS((name_server *, server), (thrum_task *, task)), LOCALS(int ignored;))
{
    ASYNC_BEGIN;
    thrum_task_cancel(self->task);
    AWAIT_CATCH_ALL(self->ignored, self->task);
    thrum_task_release(self->task);
    close(self->server->socket);
    ASYNC_END;
}

/* ---- which way ---- */

static bool use(thrum_resolver kind, const char *servers)
{
    const thrum_resolver_options options = {
        .size = sizeof options, .kind = kind, .servers = servers, .timeout = MILLISECONDS(200), .tries = 1};
    int error = thrum_loop_set_resolver(thrum_loop_current(), &options);
    CHECK(error == 0 || (kind == THRUM_RESOLVER_CARES && error == THRUM_EUNSUPPORTED));
    return !error;
}

/* ---- both, and the C library ---- */

typedef struct question {
    const char *host, *port;
    int family, type, protocol, flags;
} question;

static const question questions[] = {
    {"127.0.0.1", "80", 0, 0, 0, 0},
    {"127.0.0.1", NULL, 0, 0, 0, 0},
    {"127.1", "80", 0, SOCK_STREAM, 0, 0},
    {"0x7f.1", "80", 0, SOCK_STREAM, 0, 0},
    {"::1", "80", 0, SOCK_DGRAM, 0, 0},
    {"::1", "80", AF_INET6, 0, IPPROTO_UDP, 0},
    {"127.0.0.1", "80", 0, SOCK_RAW, 0, 0},
    {"127.0.0.1", "80", 0, SOCK_RAW, 42, 0},
    {"127.0.0.1", NULL, 0, SOCK_RAW, 42, 0},
    {"127.0.0.1", NULL, 0, SOCK_RAW, 0, 0},
    {"127.0.0.1", "80", 0, 0, IPPROTO_SCTP, 0},
    {"::1", "80", AF_INET, 0, 0, 0},
    {"127.0.0.1", "80", AF_INET6, 0, 0, 0},
    {"127.0.0.1", "80", AF_INET6, 0, 0, AI_V4MAPPED},
    {"127.0.0.1", "80", 0, SOCK_SEQPACKET, 0, 0},
    {"127.0.0.1", "80", 0, SOCK_STREAM, IPPROTO_UDP, 0},
    {"127.0.0.1", "80", 0, 0, 250, 0},
    {"127.0.0.1", "80", 77, 0, 0, 0},
    {"127.0.0.1", "80", 0, 0, 0, AI_CANONNAME},
    {NULL, "80", 0, SOCK_STREAM, 0, 0},
    {NULL, "80", 0, SOCK_STREAM, 0, AI_PASSIVE},
    {NULL, "80", AF_INET, 0, 0, AI_PASSIVE},
    {NULL, "80", AF_INET6, 0, 0, 0},
    {NULL, "80", 0, 0, 0, AI_CANONNAME},
    {NULL, NULL, 0, 0, 0, 0},
    {"127.0.0.1", "http", 0, 0, 0, 0},
    {"127.0.0.1", "domain", 0, 0, 0, 0},
    {"127.0.0.1", "domain", 0, SOCK_DGRAM, 0, 0},
    {"127.0.0.1", "http", 0, SOCK_DGRAM, 0, 0},
    {"127.0.0.1", "http", 0, SOCK_RAW, 0, 0},
    {"127.0.0.1", "no such service", 0, 0, 0, 0},
    {"127.0.0.1", "no such service", 0, SOCK_STREAM, 0, 0},
    {"127.0.0.1", "http", 0, SOCK_STREAM, 0, AI_NUMERICSERV},
    {NULL, "http", 0, SOCK_STREAM, 0, AI_PASSIVE},
    {"localhost", "80", 0, 0, 0, AI_NUMERICHOST},
    {"localhost", "80", AF_INET, 0, 0, 0},
    {"localhost", "80", AF_INET, SOCK_STREAM, 0, AI_CANONNAME},
    {"localhost", "http", AF_INET, SOCK_STREAM, 0, 0},
    {"localhost", "no such service", AF_INET, SOCK_STREAM, 0, 0},
    {"127.0.0.1", "80", 0, 0, 0, 0x100000},
    {"", "80", AF_INET, SOCK_STREAM, 0, AI_NUMERICHOST},
};

/* What the C library says must be what was found. */
static void compare(const question *asked, int error, int64_t number, const thrum_address_list *list)
{
    struct addrinfo hints, *found = NULL;
    size_t i = 0;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = asked->family;
    hints.ai_socktype = asked->type;
    hints.ai_protocol = asked->protocol;
    hints.ai_flags = asked->flags;
    int expected = getaddrinfo(asked->host, asked->port, &hints, &found);
    CHECK_EQ(error, expected ? THRUM_ERESOLVE : 0);
#ifdef THRUM_PORTABLE
    if (expected == EAI_ADDRFAMILY) /* is not in POSIX */
        expected = EAI_NONAME;
#endif
    if (expected) {
        CHECK_EQ(number, expected);
        return;
    }
    for (const struct addrinfo *one = found; one; one = one->ai_next, i++) {
        CHECK_LT(i, list->count);
        CHECK_EQ(list->list[i].family, one->ai_family);
        CHECK_EQ(list->list[i].type, one->ai_socktype);
        CHECK_EQ(list->list[i].protocol, one->ai_protocol);
        CHECK_EQ(list->list[i].address.size, one->ai_addrlen);
        CHECK_MEM(thrum_address_raw(&list->list[i].address), one->ai_addr, one->ai_addrlen);
    }
    CHECK_EQ(i, list->count);
    CHECK_STR(list->canonical, found->ai_canonname);
    freeaddrinfo(found);
}

static ASYNC(ask_all, ARGS_NONE,
             LOCALS(size_t i, n; int error; thrum_address_list list; thrum_name_hints hints; const question *asked;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < sizeof questions / sizeof questions[0]; self->i++) {
        self->asked = &questions[self->i];
        self->hints.size = sizeof self->hints;
        self->hints.family = self->asked->family;
        self->hints.type = self->asked->type;
        self->hints.protocol = self->asked->protocol;
        self->hints.flags = self->asked->flags;
        AWAIT_CATCH_INTO(self->error, self->n,
                         thrum_getaddrinfo(&self->list, self->asked->host, self->asked->port, &self->hints));
        if (!self->error)
            CHECK_EQ(self->n, self->list.count);
        compare(self->asked, self->error, self->error ? error_number() : 0, &self->list);
        thrum_address_list_free(&self->list);
    }
    ASYNC_END;
}

static ASYNC(invert_all, ARGS_NONE,
             LOCALS(size_t i; int error, expected; thrum_address address; char host[1025], service[32];
                    char own_host[1025], own_service[32];))
{
    static const struct {
        const char *host;
        int port, flags;
    } asked[] = {
        {"127.0.0.1", 80, 0},
        {"127.0.0.1", 53, NI_DGRAM},
        {"127.0.0.1", 80, NI_NUMERICSERV},
        {"127.0.0.1", 1, NI_NUMERICHOST},
        {"::1", 80, NI_NUMERICHOST | NI_NUMERICSERV},
        {"127.0.0.1", 65000, NI_NAMEREQD},
    };
    ASYNC_BEGIN;
    for (self->i = 0; self->i < sizeof asked / sizeof asked[0]; self->i++) {
        CHECK_EQ(thrum_address_from_ip(&self->address, asked[self->i].host, asked[self->i].port), 0);
        AWAIT_CATCH(self->error, thrum_getnameinfo(&self->address, self->host, sizeof self->host, self->service,
                                                   sizeof self->service, asked[self->i].flags));
        self->expected = getnameinfo((const struct sockaddr *)thrum_address_raw(&self->address),
                                     (socklen_t)self->address.size, self->own_host, sizeof self->own_host,
                                     self->own_service, sizeof self->own_service, asked[self->i].flags);
        CHECK_EQ(self->error, self->expected ? THRUM_ERESOLVE : 0);
        CHECK_STR(self->host, self->own_host);
        CHECK_STR(self->service, self->own_service);
    }
    AWAIT_CATCH(self->error, thrum_getnameinfo(&self->address, self->host, 2, NULL, 0, NI_NUMERICHOST));
    CHECK_EQ(self->error, THRUM_ERESOLVE);
    CHECK_EQ(error_number(), EAI_OVERFLOW);
    AWAIT(thrum_getnameinfo(&self->address, NULL, 0, self->service, sizeof self->service, NI_NUMERICSERV));
    CHECK_STR(self->service, "65000");
    ASYNC_END;
}

NET_TEST(names, in_threads, LOCALS_NONE)
{
    ASYNC_BEGIN;
    CHECK(use(THRUM_RESOLVER_THREADS, NULL));
    AWAIT(ask_all());
    AWAIT(invert_all());
    ASYNC_END;
}

NET_TEST(names, by_cares, LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (!use(THRUM_RESOLVER_CARES, "127.0.0.1:1"))
        ASYNC_RETURN(0);
    AWAIT(ask_all());
    AWAIT(invert_all());
    ASYNC_END;
}

/* ---- real look-ups ---- */

static bool has(const thrum_address_list *list, const char *text)
{
    char one[THRUM_ADDRESS_TEXT];
    for (size_t i = 0; i < list->count; i++) {
        thrum_address_text(&list->list[i].address, one, sizeof one);
        if (strcmp(one, text) == 0)
            return true;
    }
    return false;
}

static ASYNC(expect, ARGS((const char *, host), (int, code)),
             LOCALS(int error; thrum_address_list list; thrum_name_hints hints;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_getaddrinfo(&self->list, self->host, "80", NULL));
    CHECK_EQ(self->error, THRUM_ERESOLVE);
    CHECK_EQ(error_number(), self->code);
    CHECK_STR(thrum_error_last()->operation, "getaddrinfo");
    CHECK_STR(thrum_error_last()->text, gai_strerror(self->code));
    thrum_address_list_free(&self->list);
    ASYNC_END;
}

/* POSIX has no code of its own for a name that has no address. */
#if defined THRUM_PORTABLE || !defined EAI_NODATA
enum { WITHOUT_ADDRESS = EAI_NONAME };
#else
enum { WITHOUT_ADDRESS = EAI_NODATA };
#endif

NET_TEST(names, from_a_server,
         LOCALS(name_server server; thrum_task * task; thrum_address_list list; thrum_name_hints hints; size_t n;
                thrum_address address; char name[100]; int error;))
{
    ASYNC_BEGIN;
    self->task = server_start(&self->server);
    if (!use(THRUM_RESOLVER_CARES, self->server.address)) {
        AWAIT(server_stop(&self->server, self->task));
        ASYNC_RETURN(0);
    }
    self->hints.size = sizeof self->hints;
    self->hints.type = SOCK_STREAM;
    self->hints.flags = AI_CANONNAME;
    AWAIT_INTO(self->n, thrum_getaddrinfo(&self->list, "alias.test", "80", &self->hints));
    CHECK_EQ(self->n, 3);
    CHECK(has(&self->list, "192.0.2.1:80") && has(&self->list, "192.0.2.2:80") && has(&self->list, "[2001:db8::1]:80"));
    CHECK_STR(self->list.canonical, "host.test");
    thrum_address_list_free(&self->list);
    self->hints.family = AF_INET;
    AWAIT_INTO(self->n, thrum_getaddrinfo(&self->list, "host.test", "http", &self->hints));
    CHECK_EQ(self->n, 2);
    CHECK_STR(self->list.canonical, "host.test");
    thrum_address_list_free(&self->list);
    self->hints.family = AF_INET6;
    self->hints.flags = AI_V4MAPPED | AI_ALL;
    AWAIT_INTO(self->n, thrum_getaddrinfo(&self->list, "host.test", "80", &self->hints));
    CHECK_EQ(self->n, 3);
    CHECK(has(&self->list, "[::ffff:192.0.2.1]:80"));
    thrum_address_list_free(&self->list);
    self->hints.flags = 0;
    AWAIT_INTO(self->n, thrum_getaddrinfo(&self->list, "host.test", "80", &self->hints));
    CHECK_EQ(self->n, 1);
    thrum_address_list_free(&self->list);
    AWAIT(expect("nothing.test", EAI_NONAME));
    AWAIT(expect("empty.test", WITHOUT_ADDRESS));
    AWAIT(expect("fails.test", EAI_AGAIN));
    AWAIT(expect("silent.test", EAI_AGAIN));
    CHECK_EQ(thrum_address_from_ip(&self->address, "192.0.2.1", 80), 0);
    AWAIT(thrum_getnameinfo(&self->address, self->name, sizeof self->name, NULL, 0, 0));
    CHECK_STR(self->name, "host.test");
    CHECK_EQ(thrum_address_from_ip(&self->address, "192.0.2.9", 80), 0);
    AWAIT_CATCH(self->error, thrum_getnameinfo(&self->address, self->name, sizeof self->name, NULL, 0, NI_NAMEREQD));
    CHECK_EQ(self->error, THRUM_ERESOLVE);
    AWAIT(server_stop(&self->server, self->task));
    ASYNC_END;
}

/* The loop's other work goes on meanwhile; many at once. */
NET_TEST(names, many_at_once,
         LOCALS(name_server server; thrum_task * task; thrum_address_list lists[20]; int i; outcome over[20];
                thrum_task * tasks[20];))
{
    ASYNC_BEGIN;
    self->task = server_start(&self->server);
    if (use(THRUM_RESOLVER_CARES, self->server.address)) {
        for (self->i = 0; self->i < 20; self->i++)
            self->tasks[self->i] =
                begin(thrum_getaddrinfo(&self->lists[self->i], "host.test", "80", NULL), &self->over[self->i]);
        for (self->i = 0; self->i < 20; self->i++) {
            AWAIT(self->tasks[self->i]);
            thrum_task_release(self->tasks[self->i]);
            CHECK_EQ(self->over[self->i].error, 0);
            CHECK_EQ(self->over[self->i].value, 9); /* three addresses, for three types of sockets */
            thrum_address_list_free(&self->lists[self->i]);
        }
    }
    AWAIT(server_stop(&self->server, self->task));
    ASYNC_END;
}

/* Cancelled, the look-up is over: its sockets are closed before the task goes on. */
NET_TEST(names, cancelled,
         LOCALS(name_server server; thrum_task * task, *asking; thrum_address_list list; outcome over; int before;))
{
    ASYNC_BEGIN;
    self->task = server_start(&self->server);
    if (use(THRUM_RESOLVER_CARES, self->server.address)) {
        self->before = count_descriptors();
        self->asking = begin(thrum_getaddrinfo(&self->list, "silent.test", "80", NULL), &self->over);
        while (!self->server.asked)
            AWAIT(thrum_yield());
        CHECK_GT(count_descriptors(), self->before);
        thrum_task_cancel(self->asking);
        CHECK_EQ(count_descriptors(), self->before);
        AWAIT(self->asking);
        thrum_task_release(self->asking);
        CHECK_EQ(self->over.error, THRUM_ECANCELED);
    }
    CHECK(use(THRUM_RESOLVER_THREADS, NULL));
    self->asking = begin(thrum_getaddrinfo(&self->list, "localhost", "80", NULL), &self->over);
    thrum_task_cancel(self->asking);
    AWAIT(self->asking);
    thrum_task_release(self->asking);
    CHECK_EQ(self->over.error, THRUM_ECANCELED);
    thrum_address_list_free(&self->list);
    AWAIT(server_stop(&self->server, self->task));
    ASYNC_END;
}

/* Connections look names up the same way. */
NET_TEST(names, for_connections, LOCALS(name_server server; thrum_task * task; int error; thrum_stream * stream;))
{
    ASYNC_BEGIN;
    self->task = server_start(&self->server);
    if (use(THRUM_RESOLVER_CARES, self->server.address)) {
        AWAIT_CATCH_INTO(self->error, self->stream, thrum_open_connection("nothing.test", "80"));
        CHECK_EQ(self->error, THRUM_ERESOLVE);
        CHECK_EQ(error_number(), EAI_NONAME);
        CHECK_GE(self->server.asked, 1);
    }
    AWAIT(server_stop(&self->server, self->task));
    ASYNC_END;
}

/* Families take turns as a connection's options say. In which order addresses were tried stands in the error, as each
 * of them refuses. */
NET_TEST(names, families_take_turns,
         LOCALS(name_server server; thrum_task * task; thrum_connect_options options; thrum_stream * stream;
                int error, i;))
{
    static const char *const orders[] = {"[::1]:9, 127.0.0.1:9, 127.0.0.2:9, ",
                                         "[::1]:9, 127.0.0.1:9, [::ffff:127.0.0.1]:9, ",
                                         "[::1]:9, [::ffff:127.0.0.1]:9, 127.0.0.1:9, "};
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->task = server_start(&self->server);
    if (use(THRUM_RESOLVER_CARES, self->server.address)) {
        for (self->i = 0; self->i < 4; self->i++) {
            self->options.interleave = (unsigned)self->i % 3;
            self->options.happy_eyeballs_delay = self->i == 3 ? SECONDS(60) : 0; /* with one they do by default */
            AWAIT_CATCH_INTO(self->error, self->stream,
                             thrum_open_connection_with("families.test", "9", &self->options));
            CHECK_EQ(self->error, -ECONNREFUSED);
            CHECK_MEM(thrum_error_last()->text, orders[self->i == 3 ? 1 : self->i],
                      strlen(orders[self->i == 3 ? 1 : self->i]));
        }
    }
    AWAIT(server_stop(&self->server, self->task));
    ASYNC_END;
}

static char told[256];
static void note_line(void *context, const char *line)
{
    (void)context;
    if (strstr(line, "getaddrinfo"))
        snprintf(told, sizeof told, "%s", line);
}

/* test_getaddrinfo_debug: a slow look-up is named in debug mode. */
NET_TEST(names, slow_ones_are_named, LOCALS(thrum_address_list list; int error;))
{
    ASYNC_BEGIN;
    thrum_log_set(note_line, NULL);
    thrum_loop_set_debug(thrum_loop_current(), true);
    thrum_loop_set_slow_callback_duration(thrum_loop_current(), 1);
    AWAIT_CATCH(self->error, thrum_getaddrinfo(&self->list, "127.0.0.1", "http", NULL));
    CHECK_EQ(strncmp(told, "getaddrinfo of 127.0.0.1 took ", 30), 0);
    thrum_address_list_free(&self->list);
    told[0] = '\0';
    if (use(THRUM_RESOLVER_CARES, "127.0.0.1:1")) {
        AWAIT_CATCH(self->error, thrum_getaddrinfo(&self->list, "silent.test", "80", NULL));
        CHECK_EQ(strncmp(told, "getaddrinfo of silent.test took ", 32), 0);
    }
    thrum_loop_set_debug(thrum_loop_current(), false);
    thrum_log_set(NULL, NULL);
    ASYNC_END;
}

NET_TEST(names, arguments,
         LOCALS(int error; thrum_address_list list; thrum_name_hints hints; char name[4]; thrum_awaitable dropped;
                thrum_resolver_options options; thrum_address address;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_getaddrinfo(&self->list, "localhost", "80", &self->hints));
    CHECK_EQ(self->error, THRUM_EINVAL); /* no size */
    AWAIT_CATCH(self->error, thrum_getaddrinfo(NULL, "localhost", "80", NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_getnameinfo(NULL, self->name, 4, NULL, 0, 0));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_getnameinfo(&self->address, self->name, 0, NULL, 0, 0));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_getnameinfo(&self->address, self->name, 4, NULL, 0, 0));
    CHECK_EQ(self->error, THRUM_ERESOLVE); /* no address */
    self->dropped = thrum_getaddrinfo(&self->list, "localhost", "80", NULL);
    thrum_drop(self->dropped);
    self->dropped = thrum_getnameinfo(&self->address, self->name, 4, NULL, 0, 0);
    thrum_drop(self->dropped);
    CHECK_EQ(thrum_loop_set_resolver(NULL, NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_loop_set_resolver(thrum_loop_current(), &self->options), THRUM_EINVAL);
    self->options.size = sizeof self->options;
    self->options.kind = (thrum_resolver)7;
    CHECK_EQ(thrum_loop_set_resolver(thrum_loop_current(), &self->options), THRUM_EINVAL);
    self->options.kind = THRUM_RESOLVER_CARES;
    self->options.servers = "no address";
    self->error = thrum_loop_set_resolver(thrum_loop_current(), &self->options);
    CHECK(self->error == THRUM_EINVAL || self->error == THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_loop_set_resolver(thrum_loop_current(), NULL), 0);
    ASYNC_END;
}

static int reports;
static void count_reports(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)report, (void)context;
    reports++;
}

/* The loop closes while somebody asks: nothing is left, but for a thread at work, which ends by itself. */
TEST(names, loop_closes)
{
    for (int kind = 1; kind >= 0; kind--) {
        thrum_address_list list = {0};
        thrum_pool_stats stats;
        thrum_loop *loop;
        int before = count_descriptors();
        CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
        thrum_loop_set_exception_handler(loop, count_reports, NULL);
        if (use((thrum_resolver)kind, kind ? "127.0.0.1:1" : NULL)) {
            CHECK_EQ(thrum_spawn_detached(thrum_getaddrinfo(&list, "localhost.test", "80", NULL)), 0);
            CHECK_EQ(thrum_loop_step(loop, 0), 0);
            reports = 0;
        }
        CHECK_EQ(thrum_loop_close(loop), 0);
        thrum_pool_stats_get(&stats);
        CHECK_EQ(stats.blocks, 0);
        if (kind == THRUM_RESOLVER_CARES)
            CHECK_EQ(count_descriptors(), before);
    }
}
