/* Child processes: how they are started, and what they are given. Numbers are those of tests/os/PORTED.md. */
#include "children.h"

#include <sys/resource.h>
#include <sys/stat.h>

/* test_shell, test_start_new_session's beginning: what it exits with, and its number. */
CHILD_TEST(process, exit_code, LOCALS(thrum_process *child; int code, again;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("/bin/sh", "-c", "exit 7"), NULL));
    CHECK_GT(thrum_process_pid(self->child), 0);
    CHECK_NULL(thrum_process_stdin(self->child));
    CHECK_NULL(thrum_process_stdout(self->child));
    CHECK_NULL(thrum_process_stderr(self->child));
    CHECK_EQ(thrum_process_returncode(self->child, &self->again), THRUM_EPENDING);
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    CHECK_EQ(self->code, 7);
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    CHECK_EQ(self->code, 7);
    CHECK_EQ(thrum_process_returncode(self->child, &self->again), 0);
    CHECK_EQ(self->again, 7);
    CHECK_EQ(thrum_process_returncode(self->child, NULL), 0);
    thrum_process_release(self->child);
    thrum_process_release(NULL);
    ASYNC_END;
}

/* test_stdin_stdout: by the streams, line by line. */
CHILD_TEST(process, streams, LOCALS(thrum_process *child; int code; char line[32];))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("cat"), &three_pipes));
    AWAIT(thrum_stream_write(thrum_process_stdin(self->child), "one\n", 4));
    AWAIT(thrum_stream_read_line(thrum_process_stdout(self->child), self->line, sizeof self->line));
    CHECK_STR(self->line, "one\n");
    AWAIT(thrum_stream_write(thrum_process_stdin(self->child), "two\n", 4));
    AWAIT(thrum_stream_close(thrum_process_stdin(self->child)));
    AWAIT(thrum_stream_read_line(thrum_process_stdout(self->child), self->line, sizeof self->line));
    CHECK_STR(self->line, "two\n");
    AWAIT_INTO(self->code, thrum_stream_read(thrum_process_stdout(self->child), self->line, sizeof self->line));
    CHECK_EQ(self->code, 0);
    AWAIT_INTO(self->code, thrum_process_wait(self->child));
    CHECK_EQ(self->code, 0);
    thrum_process_release(self->child);
    ASYNC_END;
}

/* test_communicate, test_communicate_none_input: all three at once. */
CHILD_TEST(process, communicate, LOCALS(thrum_process *child; int code; thrum_process_output output;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->child, thrum_create_subprocess_shell("cat; echo oops >&2; exit 3", &three_pipes));
    AWAIT_INTO(self->code, thrum_process_communicate(self->child, "some data", 9, &self->output));
    CHECK_EQ(self->code, 3);
    CHECK_STR(self->output.out, "some data");
    CHECK_EQ(self->output.out_size, 9);
    CHECK_STR(self->output.err, "oops\n");
    CHECK_EQ(self->output.taken, 9);
    AWAIT_INTO(self->code, thrum_process_communicate(self->child, "some data", 9, &self->output)); /* nothing is left */
    CHECK_EQ(self->code, 3);
    CHECK_EQ(self->output.out_size, 9);
    thrum_process_output_free(&self->output);
    CHECK_NULL(self->output.out);
    thrum_process_release(self->child);
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("cat"), &three_pipes));
    AWAIT_INTO(self->code, thrum_process_communicate(self->child, NULL, 0, &self->output));
    CHECK_EQ(self->code, 0);
    CHECK_EQ(self->output.out_size + self->output.err_size, 0);
    thrum_process_output_free(&self->output);
    AWAIT_CATCH(self->code, thrum_process_communicate(self->child, NULL, 1, &self->output));
    CHECK_EQ(self->code, THRUM_EINVAL);
    thrum_process_release(self->child);
    ASYNC_END;
}

/* test_devnull_input, _output, _error; test_stdin_not_inheritable's kin: where the three go. */
CHILD_TEST(process, standard_descriptors,
           LOCALS(thrum_subprocess_options options; char text[256]; int code, ends[2], inherited, saved; FILE * file;))
{
    ASYNC_BEGIN;
    self->options = three_pipes;
    self->options.in.kind = THRUM_STDIO_DEVNULL;
    self->options.err.kind = THRUM_STDIO_STDOUT;
    AWAIT_INTO(self->code, ask("cat; echo one; echo two >&2", &self->options, self->text));
    CHECK_STR(self->text, "one\ntwo\n");
    self->options = three_pipes;
    self->options.err.kind = THRUM_STDIO_DEVNULL;
    AWAIT_INTO(self->code, ask("cat; echo one; echo two >&2", &self->options, self->text));
    CHECK_STR(self->text, "one\n");
    self->file = tmpfile();
    self->options = three_pipes;
    self->options.out = self->options.err = (thrum_stdio){THRUM_STDIO_DESCRIPTOR, fileno(self->file)};
    AWAIT_INTO(self->code, ask("cat; echo one; echo two >&2", &self->options, self->text));
    CHECK_STR(self->text, "");
    CHECK_EQ(lseek(fileno(self->file), 0, SEEK_END), 8);
    fclose(self->file);
    /* The error inherited, the output not, and the other way round: both ours. */
    CHECK_EQ(pipe2(self->ends, O_CLOEXEC | O_NONBLOCK), 0);
    self->saved = dup(2);
    dup2(self->ends[1], 2);
    self->options = three_pipes;
    self->options.err.kind = THRUM_STDIO_INHERIT;
    AWAIT_INTO(self->code, ask("echo one; echo two >&2", &self->options, self->text));
    dup2(self->saved, 2);
    CHECK_STR(self->text, "one\n");
    CHECK_STR(peer_read(&(pair){.peer = self->ends[0]}), "two\n");
    self->options = (thrum_subprocess_options){.size = sizeof self->options};
    self->inherited = dup(1);
    dup2(self->ends[1], 1);
    self->options.out.kind = THRUM_STDIO_INHERIT;
    self->options.err.kind = THRUM_STDIO_STDOUT;
    AWAIT_INTO(self->code, ask("echo one; echo two >&2", &self->options, self->text));
    dup2(self->inherited, 1);
    CHECK_STR(peer_read(&(pair){.peer = self->ends[0]}), "one\ntwo\n");
    close(self->saved);
    close(self->inherited);
    close(self->ends[0]);
    close(self->ends[1]);
    ASYNC_END;
}

/* 158, test_stdin_not_inheritable: descriptors that a child gets, exchanged ones among them, and no others. */
CHILD_TEST(process, descriptors,
           LOCALS(thrum_subprocess_options options; thrum_subprocess_descriptor moves[3]; char text[256];
                  int code, plain, ends[2], other[2];))
{
    ASYNC_BEGIN;
    self->options = three_pipes;
    self->plain = open("/dev/null", O_RDONLY); /* not close-on-exec */
    snprintf(self->text, sizeof self->text, "true </dev/fd/%d", self->plain);
    self->options.err.kind = THRUM_STDIO_DEVNULL;
    AWAIT_INTO(self->code, ask(self->text, &self->options, self->text));
    CHECK_NE(self->code, 0);
    snprintf(self->text, sizeof self->text, "true </dev/fd/%d", self->plain);
    self->options.keep_descriptors = true;
    AWAIT_INTO(self->code, ask(self->text, &self->options, self->text));
    CHECK_EQ(self->code, 0);
    CHECK_EQ(pipe2(self->ends, O_CLOEXEC | O_NONBLOCK), 0);
    CHECK_EQ(pipe2(self->other, O_CLOEXEC | O_NONBLOCK), 0);
    self->moves[0] = (thrum_subprocess_descriptor){self->ends[1], self->other[1]};
    self->moves[1] = (thrum_subprocess_descriptor){self->other[1], self->ends[1]};
    self->moves[2] = (thrum_subprocess_descriptor){self->plain, self->plain};
    self->options.keep_descriptors = false;
    self->options.descriptors = self->moves;
    self->options.descriptor_count = 3;
    snprintf(self->text, sizeof self->text, "true </dev/fd/%d && echo one >/dev/fd/%d && echo two >/dev/fd/%d",
             self->plain, self->ends[1], self->other[1]);
    AWAIT_INTO(self->code, ask(self->text, &self->options, self->text));
    CHECK_EQ(self->code, 0);
    CHECK_STR(peer_read(&(pair){.peer = self->other[0]}), "one\n");
    CHECK_STR(peer_read(&(pair){.peer = self->ends[0]}), "two\n");
    close(self->plain);
    for (int i = 0; i < 2; i++) {
        close(self->ends[i]);
        close(self->other[i]);
    }
    ASYNC_END;
}

/* Directory, environment, PATH, another name, mask of permissions, limits. */
CHILD_TEST(process, surroundings,
           LOCALS(thrum_subprocess_options options; char text[256]; int code; thrum_process * child;
                  thrum_process_output output;))
{
    static const char *const environment[] = {"NAME=value", "PATH=/nowhere::/bin:/usr/bin", NULL};
    static const thrum_subprocess_limit limit = {RLIMIT_NOFILE, 33, 44};
    ASYNC_BEGIN;
    self->options = three_pipes;
    self->options.directory = "/";
    self->options.environment = environment;
    self->options.set_umask = true;
    self->options.umask = 027;
    self->options.limits = &limit;
    self->options.limit_count = 1;
    AWAIT_INTO(self->code, ask("pwd; echo $NAME; umask; ulimit -Sn; ulimit -Hn", &self->options, self->text));
    CHECK_STR(self->text, "/\nvalue\n0027\n33\n44\n");
    self->options = three_pipes;
    self->options.environment = environment;
    self->options.executable = "sh";
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("other", "-c", "echo $0"), &self->options));
    AWAIT(thrum_process_communicate(self->child, NULL, 0, &self->output));
    CHECK_STR(self->output.out, "other\n");
    thrum_process_output_free(&self->output);
    thrum_process_release(self->child);
    ASYNC_END;
}

/* test_start_new_session, test_process_group: whose group and session it is in. */
CHILD_TEST(process, groups,
           LOCALS(thrum_subprocess_options options; thrum_process * child, *other; int code; char text[256];))
{
    ASYNC_BEGIN;
    self->options = three_pipes;
    self->options.new_process_group = true;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("cat"), &self->options));
    CHECK_EQ(getpgid(thrum_process_pid(self->child)), thrum_process_pid(self->child));
    CHECK_EQ(getsid(thrum_process_pid(self->child)), getsid(0));
    self->options = three_pipes;
    self->options.process_group = thrum_process_pid(self->child);
    AWAIT_INTO(self->other, thrum_create_subprocess_exec(COMMAND("cat"), &self->options));
    CHECK_EQ(getpgid(thrum_process_pid(self->other)), thrum_process_pid(self->child));
    thrum_process_release(self->other);
    thrum_process_release(self->child);
    self->options = three_pipes;
    self->options.new_session = self->options.new_process_group = true;
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(COMMAND("cat"), &self->options));
    CHECK_EQ(getsid(thrum_process_pid(self->child)), thrum_process_pid(self->child));
    thrum_process_release(self->child);
    self->options = three_pipes;
    self->options.process_group = 1;
    AWAIT_CATCH(self->code, ask("true", &self->options, self->text));
    CHECK_EQ(self->code, -EPERM);
    CHECK_STR(thrum_error_last()->operation, "setpgid");
    AWAIT(until_childless());
    ASYNC_END;
}

/* As somebody else: root may, others are told. */
CHILD_TEST(process, identity, LOCALS(thrum_subprocess_options options; char text[256]; int code;))
{
    static const uint32_t groups[] = {4711, 4712};
    static const thrum_subprocess_identity nobody = {4713, 4714, groups, 2};
    ASYNC_BEGIN;
    self->options = three_pipes;
    self->options.identity = &nobody;
    self->options.err.kind = THRUM_STDIO_DEVNULL;
    AWAIT_CATCH_INTO(self->code, self->code, ask("id -u; id -g; id -G", &self->options, self->text));
    if (geteuid() == 0) {
        CHECK_EQ(self->code, 0);
        CHECK_STR(self->text, "4713\n4714\n4714 4711 4712\n");
    } else {
        CHECK_EQ(self->code, -EPERM);
        CHECK_STR(thrum_error_last()->operation, "setgroups");
    }
    ASYNC_END;
}

/* What is blocked or ignored here is not in the child, unless it is asked for. Handlers never are. */
static void handler(int number)
{
    (void)number;
}

CHILD_TEST(process, signals_it_starts_with, LOCALS(thrum_subprocess_options options; char text[256]; int code;))
{
    sigset_t set;
    ASYNC_BEGIN;
    self->options = three_pipes;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, handler);
    AWAIT_INTO(self->code, ask("kill -PIPE $$; echo not reached", &self->options, self->text));
    CHECK_EQ(self->code, -SIGPIPE);
    AWAIT_INTO(self->code, ask("kill -TERM $$; echo not reached", &self->options, self->text));
    CHECK_EQ(self->code, -SIGTERM);
    AWAIT_INTO(self->code, ask("kill -USR1 $$; echo not reached", &self->options, self->text));
    CHECK_EQ(self->code, -SIGUSR1);
    AWAIT_INTO(self->code, ask("kill -HUP $$; echo ignored", &self->options, self->text));
    CHECK_STR(self->text, "ignored\n");
    self->options.keep_signals = true;
    AWAIT_INTO(self->code, ask("kill -PIPE $$; kill -TERM $$; echo reached", &self->options, self->text));
    CHECK_STR(self->text, "reached\n");
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
    ASYNC_END;
}

/* ---- what is refused ---- */

typedef struct refusal {
    const char *program, *directory;
    int error;
    const char *operation, *text;
} refusal;

/* test_popen_error, test_popen_error_with_stdin_pipe: an error of the call whose detail names it; nothing is left. */
CHILD_TEST(process, not_started, LOCALS(thrum_subprocess_options options; int error, i; thrum_process * child;))
{
    static const refusal cases[] = {
        {"/no/such/program", NULL, -ENOENT, "exec", "/no/such/program"},
        {"no-such-program", NULL, -ENOENT, "exec", "no-such-program"},
        {"/dev/null", NULL, -EACCES, "exec", "/dev/null"},
        {"/bin/sh/x", NULL, -ENOTDIR, "exec", "/bin/sh/x"},
        {"true", "/no/such/folder", -ENOENT, "chdir", "/no/such/folder"},
        {"true", "/dev/null", -ENOTDIR, "chdir", "/dev/null"},
    };
    ASYNC_BEGIN;
    self->options = three_pipes;
    for (self->i = 0; self->i < (int)(sizeof cases / sizeof cases[0]); self->i++) {
        self->options = three_pipes;
        self->options.directory = cases[self->i].directory;
        AWAIT_CATCH_INTO(self->error, self->child,
                         thrum_create_subprocess_exec(COMMAND(cases[self->i].program), &self->options));
        CHECK_EQ(self->error, cases[self->i].error);
        CHECK_STR(thrum_error_last()->operation, cases[self->i].operation);
        CHECK_STR(thrum_error_last()->text, cases[self->i].text);
        CHECK(childless());
    }
    ASYNC_END;
}

/* A file that no system takes for a program, and one in PATH that may not be run. */
CHILD_TEST(process, no_program,
           LOCALS(thrum_subprocess_options options; const char *environment[2]; char folder[64], path[96], text[256];
                  int error; thrum_process * child;))
{
    FILE *file;
    ASYNC_BEGIN;
    self->environment[0] = self->text;
    self->environment[1] = NULL;
    self->options = three_pipes;
    strcpy(self->folder, "/tmp/thrum-process-XXXXXX");
    CHECK_NOT_NULL(mkdtemp(self->folder));
    snprintf(self->path, sizeof self->path, "%s/program", self->folder);
    file = fopen(self->path, "w");
    fputs("no program\n", file);
    fclose(file);
    snprintf(self->text, sizeof self->text, "PATH=/nowhere:%s:/nowhere/else", self->folder);
    self->options.environment = self->environment;
    AWAIT_CATCH(self->error, thrum_create_subprocess_exec(COMMAND("program"), &self->options));
    CHECK_EQ(self->error, -EACCES);
    chmod(self->path, 0755);
    AWAIT_CATCH(self->error, thrum_create_subprocess_exec(COMMAND("program"), &self->options));
    CHECK_EQ(self->error, -ENOEXEC);
    unlink(self->path);
    rmdir(self->folder);
    ASYNC_END;
}

/* Options that cannot be right. */
CHILD_TEST(process, bad_options, LOCALS(thrum_subprocess_options options; int error, i;))
{
    static const thrum_subprocess_descriptor negative = {-1, 5};
    static const thrum_subprocess_options cases[] = {
        {.size = 1},
        {.size = sizeof cases[0] + 1},
        {.size = sizeof cases[0], .out = {THRUM_STDIO_STDOUT, 0}},
        {.size = sizeof cases[0], .in = {THRUM_STDIO_DESCRIPTOR, -1}},
        {.size = sizeof cases[0], .err = {(thrum_stdio_kind)77, 0}},
        {.size = sizeof cases[0], .descriptors = &negative, .descriptor_count = 1},
        {.size = sizeof cases[0], .process_group = 5, .new_session = true},
        {.size = sizeof cases[0], .process_group = -5},
        {.size = sizeof cases[0], .whole_group = true},
        {.size = sizeof cases[0], .controlling_terminal = true},
    };
    static const thrum_subprocess_descriptor closed = {250, 5};
    ASYNC_BEGIN;
    self->options = three_pipes;
    for (self->i = 0; self->i < (int)(sizeof cases / sizeof cases[0]); self->i++) {
        AWAIT_CATCH(self->error, thrum_create_subprocess_exec(COMMAND("true"), &cases[self->i]));
        CHECK_EQ(self->error, THRUM_EINVAL);
    }
    AWAIT_CATCH(self->error, thrum_create_subprocess_exec(COMMAND(NULL), NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_create_subprocess_exec(NULL, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_create_subprocess_shell(NULL, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    self->options.descriptors = &closed;
    self->options.descriptor_count = 1;
    AWAIT_CATCH(self->error, thrum_create_subprocess_exec(COMMAND("true"), &self->options));
    CHECK_EQ(self->error, -EBADF);
    CHECK_STR(thrum_error_last()->operation, "descriptors");
    self->options = three_pipes;
    self->options.new_session = self->options.controlling_terminal = true;
    AWAIT_CATCH(self->error, thrum_create_subprocess_exec(COMMAND("true"), &self->options));
    CHECK_EQ(self->error, -ENOTTY);
    CHECK_STR(thrum_error_last()->operation, "controlling terminal");
    ASYNC_END;
}

/* Virtual time has no descriptors. */
TEST(process, virtual_time)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM};
    thrum_loop *loop;
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_create_subprocess_exec(COMMAND("true"), NULL), NULL),
             THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_loop_close(loop), 0);
}
