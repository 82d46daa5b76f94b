/* Descriptors through Unix sockets, who is at the other end, and sockets from the parent process. */
#include <netinet/in.h>
#include <sys/wait.h>
#include <thrum/unixsockets.h>

#include "support.h"

static void open_streams(thrum_stream *streams[2])
{
    int ends[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    CHECK_EQ(thrum_stream_adopt(&streams[0], ends[0], NULL), 0);
    CHECK_EQ(thrum_stream_adopt(&streams[1], ends[1], NULL), 0);
}

static void release_streams(thrum_stream *streams[2])
{
    thrum_stream_release(streams[0]);
    thrum_stream_release(streams[1]);
}

/* A pipe's end goes over, behind what was written before; what comes is close-on-exec, and it is that pipe. */
NET_TEST(passing, over_and_used,
         LOCALS(thrum_stream *streams[2]; int pipe_ends[2], got[4]; char bytes[16], text[4]; thrum_passing out, in;
                int n;))
{
    ASYNC_BEGIN;
    open_streams(self->streams);
    CHECK_EQ(pipe(self->pipe_ends), 0);
    AWAIT(thrum_stream_write(self->streams[0], "before", 6));
    self->out.data = "with";
    self->out.size = 4;
    self->out.descriptors = self->pipe_ends;
    self->out.count = 2;
    AWAIT_INTO(self->n, thrum_stream_send_descriptors(self->streams[0], &self->out));
    CHECK_EQ(self->n, 4);
    AWAIT(thrum_stream_write(self->streams[0], "after", 5));
    AWAIT(thrum_stream_flush(self->streams[0]));
    self->in.data = self->bytes;
    self->in.size = 6;
    self->in.descriptors = self->got;
    self->in.room = 4;
    AWAIT_INTO(self->n, thrum_stream_receive_descriptors(self->streams[1], &self->in));
    CHECK_EQ(self->n, 6);
    CHECK_EQ(self->in.count, 0);
    self->in.size = sizeof self->bytes;
    AWAIT_INTO(self->n, thrum_stream_receive_descriptors(self->streams[1], &self->in));
    CHECK_MEM(self->bytes, "with", 4);
    CHECK_EQ(self->in.count, 2);
    CHECK(!self->in.cut);
    CHECK(fcntl(self->got[0], F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(self->got[1], F_GETFD) & FD_CLOEXEC);
    CHECK_EQ(write(self->got[1], "pipe", 4), 4);
    CHECK_EQ(read(self->pipe_ends[0], self->text, 4), 4);
    CHECK_MEM(self->text, "pipe", 4);
    for (int i = 0; i < 2; i++) {
        close(self->got[i]);
        close(self->pipe_ends[i]);
    }
    release_streams(self->streams);
    ASYNC_END;
}

/* More than there is room for: the rest is closed, and that is said. */
NET_TEST(passing, no_room,
         LOCALS(thrum_stream *streams[2]; int many[40], got[2]; char byte; thrum_passing out, in; int n, before, i;))
{
    ASYNC_BEGIN;
    open_streams(self->streams);
    self->before = count_descriptors();
    for (self->i = 0; self->i < 40; self->i++)
        self->many[self->i] = thrum_stream_descriptor(self->streams[0]);
    self->out.data = "x";
    self->out.size = 1;
    self->out.descriptors = self->many;
    self->out.count = 40;
    self->in.data = &self->byte;
    self->in.size = 1;
    self->in.descriptors = self->got;
    self->in.room = 2;
    AWAIT(thrum_stream_send_descriptors(self->streams[0], &self->out));
    AWAIT_INTO(self->n, thrum_stream_receive_descriptors(self->streams[1], &self->in));
    CHECK_EQ(self->n, 1);
    CHECK_EQ(self->in.count, 2);
    CHECK(self->in.cut);
    CHECK_EQ(count_descriptors(), self->before + 2);
    close(self->got[0]);
    close(self->got[1]);
    self->in.room = 0;
    AWAIT(thrum_stream_send_descriptors(self->streams[0], &self->out));
    AWAIT(thrum_stream_receive_descriptors(self->streams[1], &self->in));
    CHECK_EQ(self->in.count, 0);
    CHECK(self->in.cut);
    CHECK_EQ(count_descriptors(), self->before);
    release_streams(self->streams);
    ASYNC_END;
}

/* It waits, for bytes and for room; a cancelled receive has taken nothing; end of file and the close are as with any
 * read. */
NET_TEST(passing, waits,
         LOCALS(thrum_stream *streams[2]; int got[1]; char *bytes; char byte[8]; thrum_passing out, in; outcome over;
                thrum_task * task; size_t total; int n;))
{
    ASYNC_BEGIN;
    open_streams(self->streams);
    self->in.data = self->byte;
    self->in.size = 8;
    self->in.descriptors = self->got;
    self->in.room = 1;
    self->task = begin(thrum_stream_receive_descriptors(self->streams[1], &self->in), &self->over);
    CHECK(!self->over.over);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECANCELED);
    /* Megabytes with a descriptor: it comes with the first of them. */
    self->bytes = counted(2000000);
    self->got[0] = thrum_stream_descriptor(self->streams[0]);
    self->out.data = self->bytes;
    self->out.size = 2000000;
    self->out.descriptors = self->got;
    self->out.count = 1;
    self->task = begin(thrum_stream_send_descriptors(self->streams[0], &self->out), &self->over);
    CHECK(!self->over.over);
    AWAIT_INTO(self->n, thrum_stream_receive_descriptors(self->streams[1], &self->in));
    CHECK_EQ(self->n, 8);
    CHECK_EQ(self->in.count, 1);
    close(self->in.descriptors[0]);
    self->in.data = self->bytes;
    for (self->total = 8; self->total < 2000000; self->total += (size_t)self->n) {
        /* In place: the bytes that come are those that stand there. */
        self->in.data = self->bytes + self->total;
        self->in.size = 2000000 - self->total;
        AWAIT_INTO(self->n, thrum_stream_receive_descriptors(self->streams[1], &self->in));
        CHECK_EQ(self->in.count, 0);
    }
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.value, 2000000);
    for (self->total = 0; self->total < 2000000; self->total++)
        CHECK_EQ((unsigned char)self->bytes[self->total], self->total % 251);
    free(self->bytes);
    thrum_stream_release(self->streams[0]);
    self->in.data = self->byte;
    self->in.size = 8;
    AWAIT_INTO(self->n, thrum_stream_receive_descriptors(self->streams[1], &self->in));
    CHECK_EQ(self->n, 0);
    thrum_stream_release(self->streams[1]);
    ASYNC_END;
}

NET_TEST(passing, arguments,
         LOCALS(thrum_stream *streams[2]; thrum_passing out; int wrong[1], error; char byte; thrum_awaitable unused;))
{
    ASYNC_BEGIN;
    open_streams(self->streams);
    self->out.data = &self->byte;
    AWAIT_CATCH(self->error, thrum_stream_send_descriptors(self->streams[0], &self->out));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_stream_receive_descriptors(self->streams[0], &self->out));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_stream_receive_descriptors(self->streams[0], NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->out.size = 1;
    self->out.count = 254;
    AWAIT_CATCH(self->error, thrum_stream_send_descriptors(self->streams[0], &self->out));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->wrong[0] = 999;
    self->out.descriptors = self->wrong;
    self->out.count = 1;
    AWAIT_CATCH(self->error, thrum_stream_send_descriptors(self->streams[0], &self->out));
    CHECK_EQ(self->error, -EBADF);
    /* The stream is as it was. */
    AWAIT(thrum_stream_write(self->streams[0], "x", 1));
    thrum_stream_abort(self->streams[0]);
    self->out.count = 0;
    AWAIT_CATCH(self->error, thrum_stream_send_descriptors(self->streams[0], &self->out));
    CHECK_EQ(self->error, THRUM_ECLOSED);
    self->unused = thrum_stream_receive_descriptors(self->streams[1], &self->out);
    thrum_drop(self->unused);
    release_streams(self->streams);
    ASYNC_END;
}

/* Who is there. */
NET_TEST(passing, credentials,
         LOCALS(thrum_stream *streams[2]; thrum_credentials who; thrum_server * server; thrum_stream * client;
                char port[8];))
{
    ASYNC_BEGIN;
    open_streams(self->streams);
#ifndef THRUM_PORTABLE
    CHECK_EQ(thrum_stream_peer_credentials(self->streams[0], &self->who), 0);
    CHECK_EQ(self->who.process, getpid());
    CHECK_EQ(self->who.user, getuid());
    CHECK_EQ(self->who.group, getgid());
#endif
    thrum_stream_abort(self->streams[0]);
    CHECK_EQ(thrum_stream_peer_credentials(self->streams[0], &self->who), THRUM_ECLOSED);
    release_streams(self->streams);
    AWAIT_INTO(self->server, thrum_start_server(NULL, NULL, "127.0.0.1", "0"));
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(self->client, thrum_open_connection("127.0.0.1", self->port));
    CHECK_EQ(thrum_stream_peer_credentials(self->client, &self->who), THRUM_EUNSUPPORTED);
    thrum_stream_release(self->client);
    thrum_server_release(self->server);
    ASYNC_END;
}

/* ---- from the parent ---- */

static void set_number(const char *name, long number)
{
    char text[24];
    snprintf(text, sizeof text, "%ld", number);
    setenv(name, text, 1);
}

/* Descriptors 3 and 4 are what somebody else may have there: so all of it happens in a child. 0: as it should be. */
static int in_child(void)
{
    thrum_inherited_socket list[4];
    int listener = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_DGRAM, 0);
    int high[2] = {fcntl(listener, F_DUPFD, 20), fcntl(other, F_DUPFD, 20)};
    if (dup2(high[0], 3) != 3 || dup2(high[1], 4) != 4)
        return 1;
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
    if (thrum_inherited_sockets(list, 4) != 0)
        return 2;
    set_number("LISTEN_FDS", 2);
    set_number("LISTEN_PID", (long)getpid() + 1);
    if (thrum_inherited_sockets(list, 4) != 0 || !getenv("LISTEN_FDS"))
        return 3; /* meant for somebody else */
    set_number("LISTEN_PID", (long)getpid());
    if (thrum_inherited_sockets(list, 1) != THRUM_ELIMIT || !getenv("LISTEN_FDS"))
        return 4;
    setenv("LISTEN_FDS", "two", 1);
    if (thrum_inherited_sockets(list, 4) != THRUM_EINVAL)
        return 5;
    set_number("LISTEN_FDS", 2);
    setenv("LISTEN_FDNAMES", "web:udp", 1);
    if (thrum_inherited_sockets(list, 4) != 2 || list[0].descriptor != 3 || list[1].descriptor != 4)
        return 6;
    if (strcmp(list[0].name, "web") != 0 || strcmp(list[1].name, "udp") != 0)
        return 7;
    if (!(fcntl(3, F_GETFD) & FD_CLOEXEC) || !(fcntl(4, F_GETFD) & FD_CLOEXEC))
        return 8;
    if (getenv("LISTEN_FDS") || getenv("LISTEN_PID") || getenv("LISTEN_FDNAMES"))
        return 9;
    if (thrum_inherited_sockets(list, 4) != 0)
        return 10; /* taken */
    set_number("LISTEN_FDS", 2);
    set_number("LISTEN_PID", (long)getpid());
    if (thrum_inherited_sockets(list, 4) != 2 || strcmp(list[1].name, "unknown") != 0)
        return 11;
    close(4);
    set_number("LISTEN_FDS", 2);
    set_number("LISTEN_PID", (long)getpid());
    return thrum_inherited_sockets(list, 4) == -EBADF ? 0 : 12;
}

TEST(inherited, taken_once)
{
    int status;
    pid_t child = fork();
    CHECK_GE(child, 0);
    if (!child)
        _exit(in_child());
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}
