/* Unix sockets: the file, and what is done to it. Numbers are those of tests/net/PORTED.md. */
#include <sys/stat.h>
#include <sys/un.h>

#include "support.h"

static ASYNC(greet, ARGS((thrum_stream *, client), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_write(self->client, self->context, strlen(self->context)));
    ASYNC_END;
}

static char folder[64], path[96], moved[96];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/thrum-test-XXXXXX");
    CHECK_NOT_NULL(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(moved, sizeof moved, "%s/moved", folder);
}

static bool exists(const char *file)
{
    struct stat facts;
    return lstat(file, &facts) == 0;
}

NET_TEST(unix_servers, serve,
         LOCALS(thrum_server *server; thrum_stream * client; char text[THRUM_ADDRESS_TEXT]; int n;))
{
    ASYNC_BEGIN;
    make_folder();
    AWAIT_INTO(self->server, thrum_start_unix_server(greet, "hello", path));
    CHECK_EQ(thrum_server_address(self->server, 0, self->text, sizeof self->text), 0);
    CHECK_STR(self->text, path);
    CHECK_EQ(thrum_server_port(self->server), 0);
    AWAIT_INTO(self->client, thrum_open_unix_connection(path));
    CHECK_EQ(thrum_stream_peername(self->client, self->text, sizeof self->text), 0);
    CHECK_STR(self->text, path);
    CHECK_EQ(thrum_stream_sockname(self->client, self->text, sizeof self->text), 0);
    CHECK_STR(self->text, "");
    CHECK_EQ(thrum_stream_peer_port(self->client), 0);
    AWAIT_INTO(self->n, thrum_stream_read(self->client, self->text, sizeof self->text));
    CHECK_EQ(self->n, 5);
    AWAIT_INTO(self->n, thrum_stream_read(self->client, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
    thrum_stream_release(self->client);
    CHECK(exists(path));
    thrum_server_close(self->server);
    CHECK(!exists(path));
    rmdir(folder);
    ASYNC_END;
}

/* 141, test_unix_server_cleanup_replaced: another file at the path stays; a missing one is no error. */
NET_TEST(unix_servers, file_of_another, LOCALS(thrum_server *server, *other;))
{
    ASYNC_BEGIN;
    make_folder();
    AWAIT_INTO(self->server, thrum_start_unix_server(greet, "", path));
    CHECK_EQ(rename(path, moved), 0);
    AWAIT_INTO(self->other, thrum_start_unix_server(greet, "", path));
    thrum_server_close(self->server);
    CHECK(exists(path));
    unlink(moved);
    unlink(path);
    thrum_server_close(self->other);
    rmdir(folder);
    ASYNC_END;
}

/* 141: the socket of a dead server is replaced, that of a live one and any other file are not. */
NET_TEST(unix_servers, something_is_there, LOCALS(thrum_server *server; int error, dead;))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    FILE *file;
    ASYNC_BEGIN;
    make_folder();
    memcpy(address.sun_path, path, sizeof path);
    self->dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(self->dead, (struct sockaddr *)(void *)&address, sizeof address), 0);
    close(self->dead);
    AWAIT_INTO(self->server, thrum_start_unix_server(greet, "", path));
    AWAIT_CATCH(self->error, thrum_start_unix_server(greet, "", path));
    CHECK_EQ(self->error, -EADDRINUSE);
    CHECK_STR(thrum_error_last()->text, path);
    thrum_server_close(self->server);
    file = fopen(path, "w");
    CHECK_NOT_NULL(file);
    fclose(file);
    AWAIT_CATCH(self->error, thrum_start_unix_server(greet, "", path));
    CHECK_EQ(self->error, -EADDRINUSE);
    CHECK(exists(path));
    unlink(path);
    rmdir(folder);
    ASYNC_END;
}

NET_TEST(unix_servers, options,
         LOCALS(thrum_server *server; thrum_server_options options; int error; char longer[200];
                thrum_connect_options connect; thrum_stream_options limits; thrum_stream * client;))
{
    struct stat facts;
    ASYNC_BEGIN;
    make_folder();
    self->options.size = sizeof self->options;
    self->options.mode = 0600;
    self->options.keep_path = true;
    AWAIT_INTO(self->server, thrum_start_unix_server_with(greet, "", path, &self->options));
    CHECK_EQ(lstat(path, &facts), 0);
    CHECK_EQ(facts.st_mode & 0777, 0600);
    thrum_server_close(self->server);
    CHECK(exists(path));
    unlink(path);
    rmdir(folder);
    memset(self->longer, 'x', sizeof self->longer - 1);
    AWAIT_CATCH(self->error, thrum_start_unix_server(greet, "", self->longer));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_open_unix_connection(self->longer));
    CHECK_EQ(self->error, THRUM_EINVAL);
    /* The abstract namespace has no files. */
    snprintf(self->longer, sizeof self->longer, "@thrum-test-%d", (int)getpid());
    AWAIT_INTO(self->server, thrum_start_unix_server(greet, "", self->longer));
    AWAIT_INTO(self->client, thrum_open_unix_connection(self->longer));
    CHECK_EQ(thrum_stream_peername(self->client, self->longer + 100, 100), 0);
    CHECK_STR(self->longer + 100, self->longer);
    thrum_stream_release(self->client);
    self->limits.size = sizeof self->limits;
    self->limits.high = 100;
    self->connect.size = sizeof self->connect;
    self->connect.stream = &self->limits;
    AWAIT_INTO(self->client, thrum_open_unix_connection_with(self->longer, &self->connect));
    thrum_stream_write_limits(self->client, &self->limits.low, NULL);
    CHECK_EQ(self->limits.low, 100);
    thrum_stream_release(self->client);
    self->connect.size = 0;
    AWAIT_CATCH(self->error, thrum_open_unix_connection_with(self->longer, &self->connect));
    CHECK_EQ(self->error, THRUM_EINVAL);
    ASYNC_END;
}

/* One that is connected at once has nothing to wait for, and holds no memory for waiting. */
NET_TEST(unix_servers, connected_at_once,
         LOCALS(pair like; thrum_stream * client; int listener; thrum_pool_stats before, after;))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    ASYNC_BEGIN;
    make_folder();
    strcpy(address.sun_path, path);
    self->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(self->listener, (struct sockaddr *)(void *)&address, sizeof address), 0);
    CHECK_EQ(listen(self->listener, 1), 0);
    self->like = pair_open(); /* what streams share is there */
    thrum_pool_stats_get(&self->before);
    AWAIT_INTO(self->client, thrum_open_unix_connection(path));
    thrum_pool_stats_get(&self->after);
    CHECK_EQ(self->after.blocks, self->before.blocks + 1);
    thrum_stream_release(self->client);
    pair_close(&self->like);
    close(self->listener);
    unlink(path);
    rmdir(folder);
    ASYNC_END;
}

/* connect() on a Unix socket whose queue is full says EAGAIN, and means it. */
NET_TEST(unix_servers, full_queue,
         LOCALS(thrum_server *server; thrum_server_options options; thrum_stream * clients[3]; outcome over;
                thrum_task * task; int i;))
{
    ASYNC_BEGIN;
    make_folder();
    self->options.size = sizeof self->options;
    self->options.paused = true;
    self->options.backlog = 1;
    AWAIT_INTO(self->server, thrum_start_unix_server_with(greet, "", path, &self->options));
    AWAIT_INTO(self->clients[0], thrum_open_unix_connection(path));
    AWAIT_INTO(self->clients[1], thrum_open_unix_connection(path));
    self->task = begin(thrum_open_unix_connection(path), &self->over);
    AWAIT(thrum_sleep(MILLISECONDS(5)));
    CHECK(!self->over.over);
    thrum_server_start_serving(self->server);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    self->clients[2] = (thrum_stream *)(intptr_t)self->over.value;
    for (self->i = 0; self->i < 3; self->i++)
        thrum_stream_release(self->clients[self->i]);
    thrum_server_close(self->server);
    rmdir(folder);
    ASYNC_END;
}
