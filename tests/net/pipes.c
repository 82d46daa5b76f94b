/* Pipes, FIFOs, terminals and devices as transports and as streams. Numbers are those of tests/net/PORTED.md. */
#include <signal.h>
#include <sys/stat.h>
#include <termios.h>

#include "protocols.h"

/* A pipe; the other end does not block. */
static void open_pipe(int ends[2], int other)
{
    CHECK_EQ(pipe(ends), 0);
    fcntl(ends[other], F_SETFL, O_NONBLOCK);
}

static const char *text_of(int descriptor)
{
    return peer_read(&(pair){.peer = descriptor});
}

/* test_read_pipe: data, the end, lost; whatever eof_received says. */
NET_TEST(pipes, read_pipe, LOCALS(noted what; thrum_transport * transport; int ends[2], pipe; char text[64];))
{
    ASYNC_BEGIN;
    open_pipe(self->ends, 1);
    self->what.keep = 1;
    AWAIT_INTO(self->transport, thrum_connect_read_pipe(factory_noting, &self->what, self->ends[0]));
    CHECK_STR(self->what.calls, "M");
    CHECK(fcntl(self->ends[0], F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(self->ends[0], F_GETFD) & FD_CLOEXEC);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "pipe", &self->pipe, sizeof self->pipe), 0);
    CHECK_EQ(self->pipe, self->ends[0]);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "pipe", &self->pipe, 1), THRUM_EINVAL);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "socket", &self->pipe, sizeof self->pipe),
             THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_transport_get_extra_info(self->transport, "peername", self->text, sizeof self->text), 0);
    CHECK_STR(self->text, "pipe");
    CHECK_EQ(thrum_transport_write(self->transport, "x", 1), THRUM_EUNSUPPORTED);
    CHECK(!thrum_transport_can_write_eof(self->transport));
    CHECK_EQ(thrum_transport_write_eof(self->transport), THRUM_EUNSUPPORTED);
    CHECK_EQ(write(self->ends[1], "hello", 5), 5);
    AWAIT(until_bytes(&self->what, 5));
    thrum_transport_pause_reading(self->transport);
    CHECK_EQ(write(self->ends[1], " again", 6), 6);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_EQ(self->what.size, 5);
    thrum_transport_resume_reading(self->transport);
    AWAIT(until_bytes(&self->what, 11));
    CHECK_STR(self->what.data, "hello again");
    close(self->ends[1]);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "MddeL");
    CHECK_EQ(self->what.error, 0);
    thrum_transport_release(self->transport);
    ASYNC_END;
}

/* It is told of the end when the frame of the test is gone. */
static noted left;

/* test_unclosed_pipe_transport: what was not closed ends with the loop; NET_TEST looks for descriptors and blocks. */
NET_TEST(pipes, left_to_the_loop, LOCALS(thrum_transport *transport; int ends[2];))
{
    ASYNC_BEGIN;
    open_pipe(self->ends, 1);
    AWAIT_INTO(self->transport, thrum_connect_read_pipe(factory_noting, &left, self->ends[0]));
    thrum_transport_release(self->transport);
    close(self->ends[1]);
    ASYNC_END;
}

/* test_write_pipe: what is written arrives; megabytes by a full pipe; close sends them first; write_eof closes. */
NET_TEST(pipes, write_pipe,
         LOCALS(noted what; thrum_transport * transport; int ends[2], i; char *bytes; pair other; size_t got;))
{
    ASYNC_BEGIN;
    self->bytes = counted(1000000);
    for (self->i = 0; self->i < 2; self->i++) {
        memset(&self->what, 0, sizeof self->what);
        open_pipe(self->ends, 0);
        self->other.peer = self->ends[0];
        AWAIT_INTO(self->transport, thrum_connect_write_pipe(factory_noting, &self->what, self->ends[1]));
        CHECK(thrum_transport_can_write_eof(self->transport));
        CHECK(!thrum_transport_is_reading(self->transport));
        thrum_transport_pause_reading(self->transport);
        thrum_transport_resume_reading(self->transport);
        CHECK_EQ(thrum_transport_write(self->transport, "hello", 5), 0);
        AWAIT(thrum_sleep(MILLISECONDS(1)));
        CHECK_STR(text_of(self->ends[0]), "hello");
        CHECK_EQ(thrum_transport_write(self->transport, self->bytes, 1000000), 0);
        CHECK_STR(self->what.calls, "Mp");
        if (self->i)
            thrum_transport_close(self->transport);
        else
            CHECK_EQ(thrum_transport_write_eof(self->transport), 0);
        CHECK(thrum_transport_is_closing(self->transport));
        for (self->got = 0; !strchr(self->what.calls, 'L');) {
            self->got += peer_count(&self->other, self->got);
            AWAIT(thrum_sleep(MICROSECONDS(100)));
        }
        CHECK_EQ(self->got + peer_count(&self->other, self->got), 1000000);
        CHECK_STR(self->what.calls, "MprL");
        CHECK_EQ(self->what.error, 0);
        thrum_transport_release(self->transport);
        close(self->ends[0]);
    }
    free(self->bytes);
    ASYNC_END;
}

/* test_write_pipe_disconnect_on_close: the reader goes, and it is told without a write; -EPIPE when bytes were unsent.
 * SIGPIPE, which would end this program, is not raised. */
NET_TEST(pipes, reader_goes, LOCALS(noted what; thrum_transport * transport; int ends[2], i; char *bytes;))
{
    ASYNC_BEGIN;
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    self->bytes = counted(1000000);
    for (self->i = 0; self->i < 4; self->i++) {
        memset(&self->what, 0, sizeof self->what);
        if (self->i < 3)
            open_pipe(self->ends, 0);
        else
            CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, self->ends), 0);
        AWAIT_INTO(self->transport, thrum_connect_write_pipe(factory_noting, &self->what, self->ends[1]));
        if (self->i == 1)
            CHECK_EQ(thrum_transport_write(self->transport, self->bytes, 1000000), 0);
        close(self->ends[0]);
        if (self->i == 2) { /* a write finds out first */
            CHECK_EQ(thrum_transport_set_write_buffer_limits(self->transport, 0, 0), 0);
            CHECK_EQ(thrum_transport_write(self->transport, self->bytes, 10), 0);
        }
        AWAIT(until_lost(&self->what));
        CHECK_EQ(self->what.error, self->i == 1 || self->i == 2 ? -EPIPE : 0);
        CHECK(!strchr(self->what.calls, 'e'));
        thrum_transport_release(self->transport);
    }
    free(self->bytes);
    ASYNC_END;
}

/* A socket as a write end, out of which something comes: it stays, and is not asked over and over. */
NET_TEST(pipes, socket_that_talks_back, LOCALS(noted what; thrum_transport * transport; int ends[2];))
{
    ASYNC_BEGIN;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, self->ends), 0);
    AWAIT_INTO(self->transport, thrum_connect_write_pipe(factory_noting, &self->what, self->ends[1]));
    CHECK_EQ(write(self->ends[0], "what?", 5), 5);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    calls_clear();
    AWAIT(thrum_sleep(MILLISECONDS(3)));
    CHECK_LE(calls_epoll_wait.count, 4);
    CHECK_STR(self->what.calls, "M");
    CHECK_EQ(thrum_transport_write(self->transport, "hello", 5), 0);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_STR(text_of(self->ends[0]), "hello");
    thrum_transport_abort(self->transport);
    AWAIT(until_lost(&self->what));
    thrum_transport_release(self->transport);
    close(self->ends[0]);
    ASYNC_END;
}

static void check_closed(int descriptor)
{
    CHECK_EQ(fcntl(descriptor, F_GETFD), -1);
}

/* Files, wrong directions, no descriptor; what is refused is closed, also when it is never awaited. */
NET_TEST(pipes, refused, LOCALS(noted what; int ends[2], spare, error;))
{
    thrum_stream *stream;
    ASYNC_BEGIN;
    open_pipe(self->ends, 1);
    self->spare = dup(self->ends[0]);
    AWAIT_CATCH(self->error, thrum_connect_read_pipe(NULL, NULL, self->spare));
    CHECK_EQ(self->error, THRUM_EINVAL);
    check_closed(self->spare);
    self->spare = dup(self->ends[1]);
    AWAIT_CATCH(self->error, thrum_connect_write_pipe(NULL, NULL, self->spare));
    CHECK_EQ(self->error, THRUM_EINVAL);
    check_closed(self->spare);
    self->spare = open("/proc/self/exe", O_RDONLY);
    CHECK_EQ(thrum_stream_adopt_pipe(&stream, self->spare, NULL), THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_connect_read_pipe(factory_noting, &self->what, self->spare));
    CHECK_EQ(self->error, THRUM_EINVAL);
    check_closed(self->spare);
    self->spare = dup(self->ends[1]);
    AWAIT_CATCH(self->error, thrum_connect_read_pipe(factory_noting, &self->what, self->spare));
    CHECK_EQ(self->error, THRUM_EINVAL);
    check_closed(self->spare);
    self->spare = dup(self->ends[0]);
    AWAIT_CATCH(self->error, thrum_connect_write_pipe(factory_noting, &self->what, self->spare));
    CHECK_EQ(self->error, THRUM_EINVAL);
    check_closed(self->spare);
    self->spare = dup(self->ends[0]);
    thrum_drop(thrum_connect_read_pipe(factory_noting, &self->what, self->spare));
    check_closed(self->spare);
    AWAIT_CATCH(self->error, thrum_connect_write_pipe(factory_noting, &self->what, -1));
    CHECK_EQ(self->error, -EBADF);
    CHECK_EQ(thrum_stream_adopt_pipe(&stream, -1, NULL), -EBADF);
    CHECK_STR(self->what.calls, "");
    CHECK_EQ(close(self->ends[0]), 0);
    CHECK_EQ(close(self->ends[1]), 0);
    ASYNC_END;
}

/* A terminal: both directions, as two transports over one device. */
static int open_terminal(int *slave)
{
    struct termios how;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK_GE(master, 0);
    CHECK_EQ(grantpt(master), 0);
    CHECK_EQ(unlockpt(master), 0);
    *slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK_GE(*slave, 0);
    CHECK_EQ(tcgetattr(*slave, &how), 0);
    cfmakeraw(&how);
    CHECK_EQ(tcsetattr(*slave, TCSANOW, &how), 0);
    return master;
}

/* test_read_pty_output: the other end closes, which counts as the end. */
NET_TEST(pipes, terminal_output, LOCALS(noted what; thrum_transport * transport; int master, slave;))
{
    ASYNC_BEGIN;
    self->master = open_terminal(&self->slave);
    AWAIT_INTO(self->transport, thrum_connect_read_pipe(factory_noting, &self->what, self->master));
    CHECK_EQ(write(self->slave, "hello", 5), 5);
    AWAIT(until_bytes(&self->what, 5));
    close(self->slave);
    AWAIT(until_lost(&self->what));
    CHECK_EQ(self->what.error, 0);
    CHECK_STR(self->what.calls, "MdeL");
    thrum_transport_release(self->transport);
    ASYNC_END;
}

/* test_write_pty, test_bidirectional_pty. */
NET_TEST(pipes, both_directions_of_a_terminal,
         LOCALS(noted in, out; thrum_transport * reads, *writes; int master, slave;))
{
    ASYNC_BEGIN;
    self->master = open_terminal(&self->slave);
    fcntl(self->master, F_SETFL, O_NONBLOCK);
    AWAIT_INTO(self->reads, thrum_connect_read_pipe(factory_noting, &self->in, self->slave));
    AWAIT_INTO(self->writes, thrum_connect_write_pipe(factory_noting, &self->out, dup(self->slave)));
    CHECK_EQ(write(self->master, "in", 2), 2);
    AWAIT(until_bytes(&self->in, 2));
    CHECK_STR(self->in.data, "in");
    CHECK_EQ(thrum_transport_write(self->writes, "out", 3), 0);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_STR(text_of(self->master), "out");
    thrum_transport_close(self->reads);
    AWAIT(until_lost(&self->in));
    CHECK_EQ(thrum_transport_write(self->writes, "still", 5), 0);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_STR(text_of(self->master), "still");
    thrum_transport_close(self->writes);
    AWAIT(until_lost(&self->out));
    CHECK_STR(self->in.calls, "MdL");
    CHECK_STR(self->out.calls, "ML");
    thrum_transport_release(self->reads);
    thrum_transport_release(self->writes);
    close(self->master);
    ASYNC_END;
}

/* A device that no poller takes: writing there works all the same. */
NET_TEST(pipes, null_device, LOCALS(noted what; thrum_transport * transport;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->transport, thrum_connect_write_pipe(factory_noting, &self->what, open("/dev/null", O_WRONLY)));
    CHECK_EQ(thrum_transport_write(self->transport, "nothing", 7), 0);
    thrum_transport_close(self->transport);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "ML");
    thrum_transport_release(self->transport);
    ASYNC_END;
}

/* As streams: lines out of a FIFO, the end, and a write to one whose reader is gone. */
NET_TEST(pipes, streams, LOCALS(thrum_stream *in, *out; int ends[2], error; char line[16], path[64]; size_t n;))
{
    ASYNC_BEGIN;
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    snprintf(self->path, sizeof self->path, "/tmp/thrum-fifo-%d", (int)getpid());
    CHECK_EQ(mkfifo(self->path, 0600), 0);
    self->ends[0] = open(self->path, O_RDONLY | O_NONBLOCK);
    self->ends[1] = open(self->path, O_WRONLY);
    CHECK_EQ(unlink(self->path), 0);
    CHECK_EQ(thrum_stream_adopt_pipe(&self->in, self->ends[0], NULL), 0);
    CHECK_EQ(thrum_stream_adopt_pipe(&self->out, self->ends[1], NULL), 0);
    AWAIT(thrum_stream_write(self->out, "one\ntwo\n", 8));
    AWAIT_INTO(self->n, thrum_stream_read_line(self->in, self->line, sizeof self->line));
    CHECK_STR(self->line, "one\n");
    AWAIT_CATCH(self->error, thrum_stream_write(self->in, "x", 1));
    CHECK_EQ(self->error, THRUM_ESTATE);
    AWAIT(thrum_stream_close(self->out));
    thrum_stream_release(self->out);
    AWAIT_INTO(self->n, thrum_stream_read_line(self->in, self->line, sizeof self->line));
    CHECK_STR(self->line, "two\n");
    AWAIT_INTO(self->n, thrum_stream_read_line(self->in, self->line, sizeof self->line));
    CHECK_EQ(self->n, 0);
    AWAIT(thrum_stream_close(self->in));
    thrum_stream_release(self->in);
    open_pipe(self->ends, 0);
    CHECK_EQ(thrum_stream_adopt_pipe(&self->out, self->ends[1], NULL), 0);
    close(self->ends[0]);
    AWAIT(thrum_stream_write(self->out, "lost", 4));
    AWAIT_CATCH(self->error, thrum_stream_flush(self->out));
    CHECK_EQ(self->error, -EPIPE);
    thrum_stream_release(self->out);
    ASYNC_END;
}

/* A transport over a pipe becomes a stream. */
NET_TEST(pipes, to_a_stream,
         LOCALS(noted what; thrum_transport * transport; thrum_stream * stream; int ends[2]; char line[16]; size_t n;))
{
    ASYNC_BEGIN;
    open_pipe(self->ends, 1);
    AWAIT_INTO(self->transport, thrum_connect_read_pipe(factory_noting, &self->what, self->ends[0]));
    CHECK_EQ(thrum_stream_of_transport(&self->stream, self->transport), 0);
    CHECK_EQ(write(self->ends[1], "one\n", 4), 4);
    AWAIT_INTO(self->n, thrum_stream_read_line(self->stream, self->line, sizeof self->line));
    CHECK_STR(self->line, "one\n");
    thrum_stream_release(self->stream);
    thrum_transport_release(self->transport);
    close(self->ends[1]);
    CHECK_STR(self->what.calls, "M");
    ASYNC_END;
}
