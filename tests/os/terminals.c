/* This program's own standard streams, and pseudo-terminals. The programs whose standard streams are looked at are
 * forked children; their other ends are here. */
#include "../loop/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

/* ---- a program with standard streams ---- */

static ASYNC(in_capitals, ARGS_NONE,
             LOCALS(thrum_stream *in, *out; thrum_iteration each; char line[256]; size_t length;))
{
    ASYNC_BEGIN;
    int error = thrum_open_stdin(&self->in, NULL);
    if (!error)
        error = thrum_open_stdout(&self->out, NULL);
    if (error)
        ASYNC_RAISE(error);
    ASYNC_FOR (self->length, self->each, thrum_stream_lines(self->in, self->line, sizeof self->line)) {
        for (size_t i = 0; i < self->length; i++)
            if (self->line[i] >= 'a' && self->line[i] <= 'z')
                self->line[i] = (char)(self->line[i] - 'a' + 'A');
        AWAIT(thrum_stream_write(self->out, self->line, self->length));
        AWAIT(thrum_stream_flush(self->out));
    }
FINALLY:
    thrum_stream_release(self->in);
    if (self->out)
        AWAIT(thrum_stream_close(self->out));
    thrum_stream_release(self->out);
    ASYNC_END;
}

enum { MUCH = 1 << 20 };

static ASYNC(writes_much, ARGS_NONE, LOCALS(thrum_stream *out; char block[4096]; size_t sent;))
{
    ASYNC_BEGIN;
    int error = thrum_open_stdout(&self->out, NULL);
    if (error)
        ASYNC_RAISE(error);
    while (self->sent < MUCH) {
        memset(self->block, 'a' + (int)(self->sent / sizeof self->block % 26), sizeof self->block);
        AWAIT(thrum_stream_write(self->out, self->block, sizeof self->block));
        self->sent += sizeof self->block;
    }
FINALLY:
    AWAIT(thrum_stream_close(self->out));
    thrum_stream_release(self->out);
    ASYNC_END;
}

/* A child with these for standard input and output. */
static pid_t start(thrum_awaitable program(void), int in, int out)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child)
        return child;
    signal(SIGPIPE, SIG_DFL);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
        _exit(99);
    for (int i = 3; i < 64; i++)
        close(i);
    _exit(thrum_run(program()));
}

static int status_of(pid_t child)
{
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

static void say(int descriptor, const char *text)
{
    CHECK_EQ(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
}

/* What comes must be this. */
static void expect(int descriptor, const char *text)
{
    char got[256];
    size_t have = 0, size = strlen(text);
    while (have < size) {
        ssize_t more = read(descriptor, got + have, size - have);
        CHECK_GT(more, 0);
        have += (size_t)more;
    }
    CHECK_MEM(got, text, size);
}

static bool waits(int descriptor)
{
    return !(fcntl(descriptor, F_GETFL) & O_NONBLOCK);
}

/* ---- of every kind ---- */

TEST(standard, pipes)
{
    int in[2], out[2];
    CHECK(pipe(in) == 0 && pipe(out) == 0);
    fcntl(in[1], F_SETFD, FD_CLOEXEC);
    pid_t child = start(in_capitals, in[0], out[1]);
    say(in[1], "one\ntwo\n");
    expect(out[0], "ONE\nTWO\n");
    CHECK(waits(in[0]) && waits(out[1])); /* they are the child's own open files, too */
    close(in[1]);
    CHECK_EQ(status_of(child), 0);
    CHECK(waits(in[0]) && waits(out[1]));
}

TEST(standard, one_socket_for_both)
{
    int ends[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid_t child = start(in_capitals, ends[1], ends[1]);
    say(ends[0], "one\n");
    expect(ends[0], "ONE\n");
    CHECK(waits(ends[1]));
    CHECK_EQ(shutdown(ends[0], SHUT_WR), 0);
    CHECK_EQ(status_of(child), 0);
    CHECK(waits(ends[1]));
}

static int temporary_file(void)
{
    char name[] = "/tmp/thrum-standard-XXXXXX";
    int file = mkstemp(name);
    CHECK_GE(file, 0);
    CHECK_EQ(unlink(name), 0);
    return file;
}

/* They are read and written where the shell is in them. */
TEST(standard, files)
{
    int in = temporary_file(), out = temporary_file();
    char text[32] = "";
    say(in, "skipped\none\ntwo");
    CHECK_EQ(lseek(in, 8, SEEK_SET), 8);
    say(out, "before\n");
    CHECK_EQ(status_of(start(in_capitals, in, out)), 0);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 15);
    say(out, "\nafter\n");
    CHECK_EQ(pread(out, text, sizeof text, 0), 21);
    CHECK_STR(text, "before\nONE\nTWO\nafter\n");
    CHECK(waits(in) && waits(out));
}

TEST(standard, the_null_device)
{
    int null = open("/dev/null", O_RDWR);
    CHECK_EQ(status_of(start(in_capitals, null, null)), 0);
    CHECK_EQ(status_of(start(writes_much, null, null)), 0);
    CHECK(waits(null));
}

TEST(standard, a_slow_reader)
{
    static char got[MUCH];
    for (int sockets = 0; sockets < 2; sockets++) {
        int ends[2];
        size_t have = 0;
        ssize_t more;
        CHECK_EQ(sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends), 0);
        pid_t child = start(writes_much, ends[1], ends[1]);
        while (have < MUCH && (more = read(ends[0], got + have, 1000)) > 0)
            have += (size_t)more;
        CHECK_EQ(have, MUCH);
        for (size_t i = 0; i < MUCH; i += 512)
            CHECK_EQ(got[i], 'a' + (int)(i / 4096 % 26));
        CHECK_EQ(status_of(child), 0);
        CHECK(waits(ends[1]));
    }
}

/* Nobody reads: an error, and no SIGPIPE. */
TEST(standard, a_reader_that_is_gone)
{
    for (int sockets = 0; sockets < 2; sockets++) {
        int ends[2], null = open("/dev/null", O_RDWR);
        CHECK_EQ(sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends), 0);
        close(ends[0]);
        CHECK_EQ(dup2(null, 2), 2); /* the error's text */
        int status = status_of(start(writes_much, null, ends[1]));
        CHECK(WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), 1);
    }
}

/* In a child: what each of them gives that cannot be opened. */
static int refusals(void)
{
    thrum_stream *stream;
    thrum_loop *loop;
    if (thrum_open_stdin(&stream, NULL) != THRUM_ESTATE || thrum_loop_new(&loop, NULL))
        return 1;
    int one_way = open("/dev/null", O_WRONLY), folder = open("/", O_RDONLY);
    if (dup2(one_way, 0) || thrum_open_stdin(&stream, NULL) != THRUM_EINVAL || stream)
        return 2;
    if (dup2(folder, 0) || thrum_open_stdin(&stream, NULL) != THRUM_EINVAL || thrum_open_stdout(&stream, NULL))
        return 3;
    thrum_stream_release(stream);
    close(2);
    if (thrum_open_stderr(&stream, NULL) != -EBADF)
        return 4;
    return thrum_loop_close(loop);
}

TEST(standard, refused)
{
    pid_t child = fork();
    if (child == 0)
        _exit(refusals());
    CHECK_EQ(status_of(child), 0);
}

/* ---- at a terminal ---- */

typedef struct shells_terminal {
    int ours, theirs;
    struct termios mode;
} shells_terminal;

static shells_terminal open_terminal(void)
{
    shells_terminal made = {.ours = posix_openpt(O_RDWR | O_NOCTTY)};
    CHECK(made.ours >= 0 && grantpt(made.ours) == 0 && unlockpt(made.ours) == 0);
    made.theirs = open(ptsname(made.ours), O_RDWR | O_NOCTTY);
    CHECK_GE(made.theirs, 0);
    CHECK_EQ(tcgetattr(made.theirs, &made.mode), 0);
    return made;
}

static void is_as_before(const shells_terminal *terminal)
{
    struct termios mode;
    CHECK(waits(terminal->theirs));
    CHECK_EQ(tcgetattr(terminal->theirs, &mode), 0);
    CHECK_EQ(mode.c_iflag, terminal->mode.c_iflag);
    CHECK_EQ(mode.c_oflag, terminal->mode.c_oflag);
    CHECK_EQ(mode.c_lflag, terminal->mode.c_lflag);
}

TEST(standard, a_terminal)
{
    shells_terminal shell = open_terminal();
    pid_t child = start(in_capitals, shell.theirs, shell.theirs);
    say(shell.ours, "one\n");
    expect(shell.ours, "one\r\nONE\r\n");
    is_as_before(&shell);
    say(shell.ours, "\x04"); /* Ctrl-D */
    CHECK_EQ(status_of(child), 0);
    is_as_before(&shell);
}

/* The shell's terminal is as it was, also when the program has no say in its end. */
TEST(standard, a_terminal_after_sigkill)
{
    shells_terminal shell = open_terminal();
    pid_t child = start(in_capitals, shell.theirs, shell.theirs);
    say(shell.ours, "one\n");
    expect(shell.ours, "one\r\nONE\r\n");
    CHECK_EQ(kill(child, SIGKILL), 0);
    CHECK_EQ(status_of(child), SIGKILL);
    is_as_before(&shell);
}

/* ---- pseudo-terminals ---- */

static char text[4096];

/* Run a program on one, type something when it has said something, and collect what it says until the end of file. */
static ASYNC(converse,
             ARGS((const char *const *, arguments), (const thrum_pty_options *, pty), (const char *, until),
                  (const char *, keys)),
             LOCALS(thrum_process *child; thrum_stream * terminal; int code; bool typed; size_t n, size;))
{
    ASYNC_BEGIN;
    memset(text, 0, sizeof text);
    AWAIT_INTO(self->child, thrum_create_subprocess_pty(self->arguments, NULL, self->pty, &self->terminal));
    for (;;) {
        AWAIT_INTO(self->n, thrum_stream_read(self->terminal, text + self->size, sizeof text - 1 - self->size));
        if (!self->n)
            break;
        self->size += self->n;
        if (!self->typed && self->until && strstr(text, self->until)) {
            self->typed = true;
            AWAIT(thrum_stream_write(self->terminal, self->keys, strlen(self->keys)));
        }
    }
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    ASYNC_RETURN(self->code);
FINALLY:
    thrum_process_release(self->child);
    thrum_stream_release(self->terminal);
    ASYNC_END;
}

static int run_on_pty(const char *command, const thrum_pty_options *pty, const char *until, const char *keys)
{
    const char *arguments[] = {"/bin/sh", "-c", command, NULL};
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_value code = -1000;
    CHECK_EQ(thrum_loop_run_until_complete(loop, converse(arguments, pty, until, keys), &code), 0);
    close_loop(loop);
    return (int)code;
}

/* It is its controlling terminal, of the size that was asked for; test_events.read_pty_output: EIO means the end. */
TEST(pty, a_program_on_one)
{
    static const thrum_pty_options pty = {.size = sizeof pty, .rows = 12, .columns = 34};
    CHECK_EQ(run_on_pty("stty size; echo for the user >/dev/tty; echo wrong >&2; exit 3", &pty, NULL, NULL), 3);
    CHECK_STR(text, "12 34\r\nfor the user\r\nwrong\r\n");
}

/* test_events.bidirectional_pty */
TEST(pty, is_typed_at)
{
    CHECK_EQ(run_on_pty("echo name; read name; echo \"it is $name\"", NULL, "name", "thrum\n"), 0);
    CHECK_NOT_NULL(strstr(text, "it is thrum\r\n"));
}

TEST(pty, ctrl_c_and_ctrl_d)
{
    CHECK_EQ(run_on_pty("echo ready; exec sleep 1000", NULL, "ready", "\x03"), -SIGINT);
    CHECK_EQ(run_on_pty("echo ready; exec cat", NULL, "ready", "\x04"), 0);
}

TEST(pty, raw)
{
    static const thrum_pty_options pty = {.size = sizeof pty, .raw = true};
    CHECK_EQ(run_on_pty("printf 'ready\n'; head -c 3", &pty, "ready", "a\x03\n"), 0);
    CHECK_STR(text, "ready\na\x03\n");
}

static ASYNC(resizes, ARGS_NONE, LOCALS(thrum_process *child; thrum_stream * terminal; char line[64]; int code;))
{
    static const char *const command[] = {
        "/bin/sh", "-c", "trap 'kill $!; stty size; exit 7' WINCH; sleep 1000 & echo ready; wait", NULL};
    static const thrum_terminal_size size = {55, 66}, wrong = {70000, 1};
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_pty(command, NULL, NULL, &self->terminal));
    AWAIT(thrum_stream_read_line(self->terminal, self->line, sizeof self->line));
    CHECK_STR(self->line, "ready\r\n");
    CHECK_EQ(thrum_pty_resize(self->terminal, &wrong), THRUM_EINVAL);
    CHECK_EQ(thrum_pty_resize(self->terminal, &size), 0);
    AWAIT(thrum_stream_read_line(self->terminal, self->line, sizeof self->line));
    CHECK_STR(self->line, "55 66\r\n");
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    CHECK_EQ(self->code, 7);
FINALLY:
    thrum_process_release(self->child);
    thrum_stream_release(self->terminal);
    ASYNC_END;
}

TEST(pty, is_resized)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, resizes(), NULL), 0);
    close_loop(loop);
}

static ASYNC(hangs_up, ARGS_NONE, LOCALS(thrum_process *child; thrum_stream * terminal; char line[64]; int code;))
{
    static const char *const command[] = {"/bin/sh", "-c", "echo ready; exec sleep 1000", NULL};
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_pty(command, NULL, NULL, &self->terminal));
    AWAIT(thrum_stream_read_line(self->terminal, self->line, sizeof self->line));
    AWAIT(thrum_stream_close(self->terminal));
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    CHECK_EQ(self->code, -SIGHUP);
FINALLY:
    thrum_process_release(self->child);
    thrum_stream_release(self->terminal);
    ASYNC_END;
}

TEST(pty, closed_hangs_up)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, hangs_up(), NULL), 0);
    close_loop(loop);
}

static int lowest_free(void)
{
    int next = dup(0);
    close(next);
    return next;
}

static ASYNC(refused_ones, ARGS_NONE, LOCALS(int error, program; thrum_stream * terminal; thrum_process * child;))
{
    static const char *const missing[] = {"/no/such/program", NULL}, *const present[] = {"true", NULL};
    static const thrum_pty_options none = {0}, large = {.size = sizeof large, .rows = 70000};
    static const thrum_subprocess_options unsized = {0};
    ASYNC_BEGIN;
    AWAIT_CATCH_INTO(self->error, self->child, thrum_create_subprocess_pty(missing, NULL, NULL, &self->terminal));
    CHECK_EQ(self->error, -ENOENT);
    CHECK_NULL(self->terminal);
    AWAIT_CATCH_INTO(self->error, self->child, thrum_create_subprocess_pty(present, &unsized, NULL, &self->terminal));
    CHECK_EQ(self->error, THRUM_EINVAL);
    CHECK_NULL(self->terminal);
    AWAIT_CATCH_INTO(self->error, self->child, thrum_create_subprocess_pty(present, NULL, &none, &self->terminal));
    CHECK_EQ(self->error, THRUM_EINVAL);
    CHECK_EQ(thrum_open_pty(&self->terminal, &self->program, &large), THRUM_EINVAL);
    CHECK_EQ(self->program, -1);
    ASYNC_END;
}

TEST(pty, refused_leaves_nothing)
{
    thrum_stream *stream;
    int program;
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, refused_ones(), NULL), 0);
    int before = lowest_free();
    CHECK_EQ(thrum_loop_run_until_complete(loop, refused_ones(), NULL), 0);
    CHECK_EQ(lowest_free(), before);
    close_loop(loop);
    before = lowest_free();
    CHECK_EQ(thrum_open_pty(&stream, &program, NULL), THRUM_ESTATE);
    loop = open_loop(THRUM_BACKEND_SIM);
    int within = lowest_free();
    CHECK_EQ(thrum_open_pty(&stream, &program, NULL), THRUM_EUNSUPPORTED);
    CHECK_EQ(lowest_free(), within);
    close_loop(loop);
    CHECK_EQ(lowest_free(), before);
}

/* ---- a terminal's size and mode ---- */

TEST(terminal, size_and_mode)
{
    const thrum_terminal_size wanted = {7, 8};
    thrum_terminal_size size;
    thrum_terminal_mode mode;
    struct termios now;
    int ends[2];
    shells_terminal shell = open_terminal();
    CHECK_EQ(thrum_terminal_set_size(shell.ours, &wanted), 0);
    CHECK_EQ(thrum_terminal_get_size(shell.theirs, &size), 0);
    CHECK(size.rows == 7 && size.columns == 8);
    CHECK_EQ(thrum_terminal_raw(shell.theirs, &mode), 0);
    CHECK_EQ(tcgetattr(shell.theirs, &now), 0);
    CHECK_EQ(now.c_lflag & (ICANON | ECHO | ISIG), 0);
    CHECK_EQ(now.c_oflag & OPOST, 0);
    say(shell.ours, "\x03");
    expect(shell.theirs, "\x03");
    CHECK_EQ(thrum_terminal_restore(shell.theirs, &mode), 0);
    is_as_before(&shell);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(thrum_terminal_get_size(ends[0], &size), -ENOTTY);
    CHECK_EQ(thrum_terminal_set_size(ends[0], &wanted), -ENOTTY);
    CHECK_EQ(thrum_terminal_raw(ends[0], &mode), -ENOTTY);
    CHECK_EQ(thrum_terminal_restore(ends[0], &mode), -ENOTTY);
}
