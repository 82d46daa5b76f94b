/* The sample httpd, with everything that can come in between: connections over memory, the server over sockets. */
#include <fcntl.h>
#include <sys/stat.h>

#include "network_samples.h"
#include "samples_server.h"

#include "../../samples/httpd/main.c"
#undef main

enum { FILE_SIZE = 60000 };

static struct site site;
static int descriptors_before;
static char folder[] = "/tmp/thrum-httpd-XXXXXX";

static void put_file(const char *name, size_t size)
{
    char path[80];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK_GE(file, 0);
    CHECK_EQ(ftruncate(file, (off_t)size), 0);
    close(file);
}

static int next_descriptor(void)
{
    int next = dup(0);
    close(next);
    return next;
}

static void set_up(void)
{
    CHECK_NOT_NULL(mkdtemp(folder));
    put_file("small", 5);
    put_file("large", FILE_SIZE);
    site = (struct site){.most = 2, .quiet = true, .idle = SECONDS(60), .header = SECONDS(10), .grace = SECONDS(10)};
    site.echo = true;
    idle_open(&site);
    site.root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    descriptors_before = next_descriptor();
}

static void tear_down(void)
{
    CHECK_EQ(unlinkat(site.root, "small", 0), 0);
    CHECK_EQ(unlinkat(site.root, "large", 0), 0);
    close(site.root);
    CHECK_EQ(rmdir(folder), 0);
}

/* Every connection is counted out, out of the list of idle ones, and its files are closed. */
static int all_is_back(void *context, const thrum_test_options *run, const thrum_test_result *result)
{
    (void)context;
    (void)run;
    (void)result;
    bool wrong = site.connections || idle_any(&site) || next_descriptor() != descriptors_before;
    site.connections = 0;
    site.stopping = false;
    idle_open(&site);
    return wrong;
}

/* ---- connections ---- */

/* Read responses until the connection ends. Gives how many bytes there were. */
static ASYNC(read_all, ARGS((thrum_stream *, stream)), LOCALS(size_t all; size_t size;), BUFFERS(char bytes[4096];))
{
    ASYNC_BEGIN;
    do {
        AWAIT_INTO(self->size, thrum_timeout(SECONDS(300), thrum_stream_read(self->stream, self->bytes, 4096)));
        self->all += self->size;
    } while (self->size);
    ASYNC_RETURN(self->all);
    ASYNC_END;
}

static const char requests[] = "GET /small HTTP/1.1\r\nHost: a\r\n\r\n"
                               "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                               "HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
                               "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

static const thrum_test_script slow = {.size = sizeof slow,
                                       .there = {.fragment = 40, .latency = MILLISECONDS(5)},
                                       .back = {.window = 4000, .latency = MILLISECONDS(5)}};

static ASYNC(ask, ARGS((void *, context)), LOCALS(thrum_stream *stream; size_t size;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->stream, thrum_test_connect(connection, &site, (const thrum_test_script *)self->context));
    AWAIT(thrum_stream_write(self->stream, requests, sizeof requests - 1));
    AWAIT_INTO(self->size, read_all(self->stream));
    if (self->size < FILE_SIZE)
        ASYNC_RAISE(THRUM_EINCOMPLETE);
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static void explore_connection(thrum_test_program *program, const thrum_test_script *script, int expected, size_t least)
{
    const thrum_test_explore_options options = {
        .size = sizeof options, .check = all_is_back, .seeds = 10, .expected = expected};
    set_up();
    explore_twice(program, (void *)(uintptr_t)script, &options, least);
    tear_down();
}

TEST_LIMIT(testing_samples, httpd_connection, 100)
{
    explore_connection(ask, &slow, 0, 40);
}

/* A peer that goes away in the middle. */
TEST_LIMIT(testing_samples, httpd_broken_connection, 60)
{
    static const thrum_test_script broken = {.size = sizeof broken,
                                             .back = {.window = 4000, .cut_after = 20000, .cut_error = -ECONNRESET}};
    explore_connection(ask, &broken, -ECONNRESET, 8);
}

/* One that dribbles, until its time is up; and more of them than the site wants. */
static ASYNC(dribble, ARGS((void *, context)), LOCALS(thrum_stream *streams[3]; int i; size_t size;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++)
        AWAIT_INTO(self->streams[self->i], thrum_test_connect(connection, &site, NULL));
    AWAIT(thrum_stream_write(self->streams[0], "GET / HTTP/1.1\r\nHos", 19));
    for (self->i = 0; self->i < 3; self->i++)
        AWAIT_INTO(self->size, read_all(self->streams[self->i]));
FINALLY:
    for (self->i = 0; self->i < 3; self->i++)
        thrum_stream_release(self->streams[self->i]);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, httpd_slow_clients, 60)
{
    explore_connection(dribble, NULL, 0, 8);
}

/* A WebSocket: a message, a ping, and silence, until the server has enough. The masks are 0. */
static ASYNC(talk, ARGS((void *, context)), LOCALS(thrum_stream *stream; size_t size;))
{
    static const char upgrade[] = "GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                                  "\x81\x85\0\0\0\0hello\x89\x81\0\0\0\0!";
    static const char answer[] = "\x81\5hello\x8a\1!\x89\0\x88\2\3\xe9"; /* with a ping, and a close */
    ASYNC_BEGIN;
    AWAIT_INTO(self->stream, thrum_test_connect(connection, &site, (const thrum_test_script *)self->context));
    AWAIT(thrum_stream_write(self->stream, upgrade, sizeof upgrade - 1));
    AWAIT_INTO(self->size, read_all(self->stream));
    if (self->size < 100 + sizeof answer)
        ASYNC_RAISE(THRUM_EINCOMPLETE);
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, httpd_websocket, 60)
{
    explore_connection(talk, &slow, 0, 12);
}

/* ---- the server ---- */

static thrum_awaitable app_at(void *context)
{
    const struct settings settings = {.folder = "here", .address = "127.0.0.1", .port = "0"};
    (void)context;
    return app(&site, settings, NULL);
}

TEST_LIMIT(testing_samples, httpd_server, 60)
{
    served any = {.serve = app_at, .say = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"};
    set_up();
    explore_sockets(serve_a_while, &any, all_is_back, 4);
    tear_down();
}

/* ---- on a network ---- */

enum { CLIENTS = 4, REQUESTS = 6 };

static unsigned answered;

static void fill_file(const char *name, size_t size)
{
    static char bytes[FILE_SIZE];
    int file = openat(site.root, name, O_WRONLY | O_CLOEXEC);
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(0, i);
    CHECK_EQ(write(file, bytes, size), (long long)size);
    close(file);
}

/* What is asked for, and what has to come. */
typedef struct question {
    char text[160];
    int status;
    size_t first, length; /* of the file's bytes; 0: the answer is text */
} question;

static void make_question(question *made, test_dice *dice)
{
    size_t size = roll(dice, 2) ? FILE_SIZE : 5;
    const char *name = size == FILE_SIZE ? "large" : "small";
    unsigned first = roll(dice, (unsigned)size), end = first + roll(dice, (unsigned)size - first);
    *made = (question){.status = 200};
    switch (roll(dice, 4)) {
    case 0:
        made->status = 404;
        (void)snprintf(made->text, sizeof made->text, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
        break;
    case 1:
        made->status = 206;
        made->first = first;
        made->length = end - first + 1;
        (void)snprintf(made->text, sizeof made->text, "GET /%s HTTP/1.1\r\nHost: a\r\nRange: bytes=%u-%u\r\n\r\n", name,
                       first, end);
        break;
    default:
        made->length = size;
        (void)snprintf(made->text, sizeof made->text, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", name);
    }
}

/* Read an answer. That a connection ends in the middle of one, its head says how long it is. */
static ASYNC(read_answer, ARGS((thrum_stream *, stream), (const question *, asked)),
             LOCALS(char line[256]; size_t size; size_t length; int status;), BUFFERS(char body[FILE_SIZE];))
{
    ASYNC_BEGIN;
    do {
        AWAIT_INTO(self->size, thrum_stream_read_line(self->stream, self->line, sizeof self->line));
        if (!self->size || self->line[self->size - 1] != '\n')
            ASYNC_RAISE(THRUM_EINCOMPLETE);
        if (!self->status)
            CHECK_EQ(sscanf(self->line, "HTTP/1.1 %d ", &self->status), 1);
        (void)sscanf(self->line, "Content-Length: %zu", &self->length);
    } while (strcmp(self->line, "\r\n") != 0);
    CHECK_SEED(self->status == self->asked->status);
    CHECK_LE(self->length, FILE_SIZE);
    AWAIT_INTO(self->size, thrum_stream_read_exactly(self->stream, self->body, self->length));
    if (self->asked->length)
        CHECK_SEED(self->length == self->asked->length);
    for (size_t i = 0; self->asked->length && i < self->length; i++)
        CHECK_SEED(self->body[i] == byte_at(0, self->asked->first + i));
    answered++;
    ASYNC_END;
}

/* Some ask for everything first, and read then. */
static ASYNC(browse, ARGS((thrum_stream *, stream), (test_dice, dice)),
             LOCALS(question asked[REQUESTS]; int i; bool ahead;))
{
    ASYNC_BEGIN;
    self->ahead = roll(&self->dice, 2);
    for (self->i = 0; self->i < REQUESTS; self->i++) {
        make_question(&self->asked[self->i], &self->dice);
        AWAIT(thrum_stream_write(self->stream, self->asked[self->i].text, strlen(self->asked[self->i].text)));
        if (!self->ahead)
            AWAIT(read_answer(self->stream, &self->asked[self->i]));
        AWAIT(thrum_sleep(roll_time(&self->dice, 300)));
    }
    for (self->i = 0; self->ahead && self->i < REQUESTS; self->i++)
        AWAIT(read_answer(self->stream, &self->asked[self->i]));
    AWAIT(thrum_stream_close(self->stream));
    ASYNC_END;
}

static ASYNC(visit, ARGS((thrum_test_network *, network), (unsigned, number)),
             LOCALS(test_dice dice; thrum_stream * stream; int error;))
{
    ASYNC_BEGIN;
    self->dice = dice_of(100 + self->number);
    AWAIT(thrum_sleep(roll_time(&self->dice, 3000)));
    AWAIT_CATCH_INTO(self->error, self->stream,
                     thrum_test_network_as(self->network, "client", thrum_open_connection("server", "80")));
    if (!self->error)
        AWAIT_CATCH(self->error, browse(self->stream, self->dice));
    CHECK_SEED(stormy() || !self->error);
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static ASYNC(web_day, ARGS((void *, context)),
             LOCALS(thrum_test_network *network; thrum_task * server; thrum_group group; unsigned i;))
{
    const struct settings settings = {.folder = "here", .address = "0.0.0.0", .port = "80"};
    ASYNC_BEGIN;
    CHECK_EQ(open_network(&self->network), 0);
    CHECK_EQ(thrum_test_network_add_host(self->network, "server", NULL), 0);
    CHECK_EQ(thrum_test_network_add_host(self->network, "client", NULL), 0);
    self->server = thrum_spawn(thrum_test_network_as(self->network, "server", app(&site, settings, NULL)));
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, break_things(self->network, "server", "client"));
        for (self->i = 0; self->i < CLIENTS; self->i++)
            thrum_group_spawn(&self->group, visit(self->network, self->i));
    }
    AWAIT(end_task(self->server));
    thrum_test_network_close(self->network);
    ASYNC_END;
}

static thrum_awaitable web_program(void *context)
{
    return web_day(context);
}

static void web_is_back(void)
{
    CHECK_EQ(all_is_back(NULL, NULL, NULL), 0);
}

TEST_LIMIT(testing_network_samples, httpd, 3600)
{
    set_up();
    site.most = CLIENTS;
    site.header = SECONDS(60); /* the line is cut for seconds, and what is lost comes later */
    fill_file("small", 5);
    fill_file("large", FILE_SIZE);
    run_seeds(web_program, web_is_back);
    CHECK_GT(answered, CLIENTS * REQUESTS);
    tear_down();
}
