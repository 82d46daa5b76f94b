/* Each call of the C library that child processes, pipelines, terminals, standard streams, signals, watches and runners
 * on every core make fails once (support/refuse.h). */
#include "children.h"

#include <refuse.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <termios.h>

static void no_child(void)
{
    CHECK(childless());
}

/* In both ways that children are made and watched, where there are two. */
static void each_kind(const refuse_program *program, size_t least)
{
    for (int portable = !linux_only; portable < 2; portable++) {
        spawn_portable = portable;
        CHECK_GE(refuse_each(program, REFUSE_SYSTEM), least);
        CHECK_GE(refuse_each(program, REFUSE_MEMORY), 1);
        CHECK_EQ(refuse_each(program, REFUSE_INTERRUPT), 0);
    }
    CHECK_GE(refuse_each(program, REFUSE_BLOCK), 1);
}

/* What a child whose pipe could not be had says, and one that was killed meanwhile. */
static const int broken[] = {-EPIPE, -ESRCH, THRUM_ECLOSED, THRUM_EINCOMPLETE, THRUM_ETIMEDOUT, 0};

/* ---- children ---- */

static int made(void *context, const thrum_subprocess_protocol **protocol, void **own)
{
    static const thrum_subprocess_protocol silent = {.size = sizeof silent};
    *protocol = &silent;
    *own = context;
    return 0;
}

static const char *const echo[] = {"echo", "hello", NULL}, *const cat[] = {"cat", NULL};

static int kept = -1; /* standard input, which is closed while children begin, or -1 */

static ASYNC(children, ARGS_NONE,
             LOCALS(thrum_process *child; thrum_subprocess_transport * transport; thrum_process_output output;
                    int code;))
{
    static const thrum_subprocess_limit limit = {RLIMIT_CORE, 0, 0};
    thrum_subprocess_options options = three_pipes;
    ASYNC_BEGIN;
    options.limits = &limit;
    options.limit_count = 1;
    options.new_process_group = options.whole_group = true;
    if (kept >= 0)
        close(0);
    AWAIT_INTO(self->child, thrum_create_subprocess_exec(cat, &options));
    AWAIT_INTO(self->code,
               thrum_timeout(refuse_patience(), thrum_process_communicate(self->child, "hello", 5, &self->output)));
    CHECK_EQ(self->code, 0);
    CHECK_STR(self->output.out, "hello");
    AWAIT_INTO(self->transport, thrum_subprocess_exec(made, NULL, echo, NULL));
    AWAIT(thrum_timeout(refuse_patience(), thrum_subprocess_transport_wait_closed(self->transport)));
FINALLY:
    thrum_process_release(self->child);
    thrum_process_output_free(&self->output);
    thrum_subprocess_transport_release(self->transport);
    ASYNC_END;
}

TEST_LIMIT(every_call, children, 200)
{
    each_kind(&(refuse_program){.run = children, .also = broken, .after = no_child}, 10);
}

static int without_standard_input(void)
{
    static const thrum_runner_options options = {.size = sizeof options, .no_signals = true};
    thrum_runner runner;
    CHECK_EQ(thrum_runner_init(&runner, &options), 0);
    int error = thrum_runner_run(&runner, children(), NULL);
    thrum_runner_close(&runner);
    CHECK_EQ(dup2(kept, 0), 0); /* whoever had that number has closed it */
    return error;
}

/* The pipes of a program that has closed its own standard streams would be among those of the child. */
TEST_LIMIT(every_call, children_of_a_program_without_standard_input, 200)
{
    kept = dup(0);
    CHECK_GT(kept, 2);
    each_kind(&(refuse_program){.plain = without_standard_input, .also = broken, .after = no_child}, 10);
}

/* ---- pipelines ---- */

static ASYNC(pipelines, ARGS_NONE, LOCALS(thrum_pipeline *pipeline; thrum_process_output output; int code;))
{
    static const thrum_subprocess_options reading = {.size = sizeof reading, .in = {THRUM_STDIO_PIPE, 0}},
                                          writing = {.size = sizeof writing, .out = {THRUM_STDIO_PIPE, 0}};
    static const thrum_pipeline_command both[] = {{.arguments = cat, .options = &reading},
                                                  {.command = "cat", .options = &writing}};
    ASYNC_BEGIN;
    AWAIT_INTO(self->pipeline, thrum_create_pipeline(both, 2));
    AWAIT_INTO(self->code,
               thrum_timeout(refuse_patience(), thrum_pipeline_communicate(self->pipeline, "hello", 5, &self->output)));
    CHECK_EQ(self->code, 0);
    CHECK_STR(self->output.out, "hello");
    thrum_pipeline_release(self->pipeline);
    self->pipeline = NULL;
    AWAIT_INTO(self->pipeline, thrum_create_pipeline(both, 2));
    AWAIT_INTO(self->code, thrum_pipeline_stop(self->pipeline, SECONDS(30)));
    CHECK_EQ(self->code, -SIGTERM);
FINALLY:
    thrum_pipeline_release(self->pipeline);
    thrum_process_output_free(&self->output);
    ASYNC_END;
}

TEST_LIMIT(every_call, pipelines, 200)
{
    each_kind(&(refuse_program){.run = pipelines, .also = broken, .after = no_child}, 10);
}

/* ---- terminals ---- */

static ASYNC(terminals, ARGS_NONE,
             LOCALS(thrum_stream *stream; int program; thrum_terminal_mode mode; thrum_process * child; char text[8];
                    size_t n;))
{
    const thrum_pty_options options = {.size = sizeof options, .rows = 24, .columns = 80, .raw = true};
    ASYNC_BEGIN;
    self->program = -1;
    int error = thrum_open_pty(&self->stream, &self->program, &options);
    if (error)
        ASYNC_RAISE(error);
    thrum_terminal_size size = {0, 0};
    error = thrum_terminal_get_size(self->program, &size);
    if (!error)
        error = thrum_pty_resize(self->stream, &(thrum_terminal_size){25, 80});
    if (!error)
        error = thrum_terminal_raw(self->program, &self->mode);
    if (!error)
        error = thrum_terminal_restore(self->program, &self->mode);
    if (error)
        ASYNC_RAISE(error);
    CHECK_EQ(size.rows, 24);
    CHECK_EQ(dprintf(self->program, "hello"), 5); /* which no wrapped call does */
    AWAIT_INTO(self->n, thrum_timeout(refuse_patience(), thrum_stream_read_exactly(self->stream, self->text, 5)));
    CHECK_MEM(self->text, "hello", 5);
    thrum_stream_release(self->stream);
    self->stream = NULL;
    AWAIT_INTO(self->child, thrum_create_subprocess_pty(echo, NULL, &options, &self->stream));
    AWAIT_INTO(self->n, thrum_timeout(refuse_patience(), thrum_stream_read_exactly(self->stream, self->text, 5)));
    CHECK_MEM(self->text, "hello", 5);
    AWAIT(thrum_timeout(refuse_patience(), thrum_process_wait(self->child)));
FINALLY:
    if (self->program >= 0)
        close(self->program);
    thrum_process_release(self->child);
    thrum_stream_release(self->stream);
    ASYNC_END;
}

TEST_LIMIT(every_call, terminals, 200)
{
    each_kind(&(refuse_program){.run = terminals, .also = broken, .after = no_child}, 8);
}

/* ---- this program's own streams: pipes, files, a terminal, a socket ---- */

static int feeding = -1, written = -1; /* what stands behind standard input, and behind standard error */

static ASYNC(own_streams, ARGS_NONE, LOCALS(thrum_stream *in, *out; char text[8]; size_t n;))
{
    ASYNC_BEGIN;
    CHECK_EQ(dprintf(feeding, "hello\n"), 6); /* which no wrapped call does */
    int error = thrum_open_stdin(&self->in, NULL);
    if (!error)
        error = thrum_open_stderr(&self->out, NULL);
    if (error)
        ASYNC_RAISE(error);
    AWAIT_INTO(self->n, thrum_timeout(refuse_patience(), thrum_stream_read(self->in, self->text, sizeof self->text)));
    AWAIT(thrum_stream_write(self->out, self->text, self->n));
    AWAIT(thrum_stream_flush(self->out));
    AWAIT(thrum_stream_close(self->out));
FINALLY:
    thrum_stream_release(self->in);
    thrum_stream_release(self->out);
    ASYNC_END;
}

/* What was not read is not the next one's, and the flags are as they were. */
static void drained(void)
{
    char bytes[64];
    CHECK_EQ(fcntl(0, F_GETFL) & O_NONBLOCK, 0);
    CHECK_EQ(fcntl(2, F_GETFL) & O_NONBLOCK, 0);
    for (int i = 0; i < 2; i++) {
        int from = i ? written : 0;
        if (from >= 0) {
            CHECK_EQ(fcntl(from, F_SETFL, fcntl(from, F_GETFL) | O_NONBLOCK), 0);
            while (read(from, bytes, sizeof bytes) > 0)
                continue;
            CHECK_EQ(fcntl(from, F_SETFL, fcntl(from, F_GETFL) & ~O_NONBLOCK), 0);
        }
    }
}

static const int ended[] = {-EPIPE, THRUM_ETIMEDOUT, 0};

TEST_LIMIT(every_call, own_streams_are_pipes, 60)
{
    int in[2], out[2];
    CHECK(pipe(in) == 0 && pipe(out) == 0);
    CHECK(dup2(in[0], 0) == 0 && dup2(out[1], 2) == 2);
    feeding = in[1];
    written = out[0];
    each_kind(&(refuse_program){.run = own_streams, .also = ended, .after = drained}, 4);
}

TEST_LIMIT(every_call, own_streams_are_a_terminal_and_a_file, 60)
{
    char name[] = "/tmp/thrum-every-call-XXXXXX";
    int file = mkstemp(name), pty = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(file >= 0 && unlink(name) == 0);
    CHECK(pty >= 0 && grantpt(pty) == 0 && unlockpt(pty) == 0);
    int terminal = open(ptsname(pty), O_RDWR | O_NOCTTY);
    CHECK_GE(terminal, 0);
    CHECK(dup2(terminal, 0) == 0 && dup2(file, 2) == 2);
    close(terminal);
    feeding = pty;
    each_kind(&(refuse_program){.run = own_streams, .also = ended, .after = drained}, 3);
}

/* What cannot be opened once more. */
TEST_LIMIT(every_call, own_streams_are_a_file_and_a_socket, 60)
{
    char name[] = "/tmp/thrum-every-call-XXXXXX";
    int file = mkstemp(name), ends[2];
    feeding = open(name, O_WRONLY | O_APPEND);
    CHECK(file >= 0 && feeding >= 0 && unlink(name) == 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK(dup2(file, 0) == 0 && dup2(ends[1], 2) == 2);
    written = ends[0];
    each_kind(&(refuse_program){.run = own_streams, .also = ended, .after = drained}, 4);
}

/* ---- what a loop watches ---- */

static void nothing(thrum_handle *handle)
{
    (void)handle;
}

static ASYNC(watches, ARGS_NONE, LOCALS(int ends[2]; thrum_signal_receiver * receiver; thrum_watch * watch;))
{
    static const int numbers[] = {SIGUSR1, SIGUSR2};
    ASYNC_BEGIN;
    CHECK_EQ(pipe(self->ends), 0);
    int error = thrum_add_reader(self->ends[0], nothing, NULL);
    if (!error)
        error = thrum_add_writer(self->ends[1], nothing, NULL);
    if (!error)
        error = thrum_add_signal_handler(SIGHUP, nothing, NULL);
    if (!error)
        error = thrum_signal_receiver_open(&self->receiver, numbers, 2);
    if (!error)
        error = thrum_watch_open(&self->watch, "/", SECONDS(5));
    if (!error)
        error = thrum_watchdog_start(thrum_loop_running(), SECONDS(1));
    if (error)
        ASYNC_RAISE(error);
    raise(SIGUSR1);
    AWAIT(thrum_signal_receiver_next(self->receiver));
FINALLY:
    thrum_watch_close(self->watch);
    thrum_signal_receiver_close(self->receiver);
    thrum_remove_signal_handler(SIGHUP);
    for (int i = 0; i < 2; i++) {
        thrum_remove_reader(self->ends[i]);
        thrum_remove_writer(self->ends[i]);
        close(self->ends[i]);
    }
    ASYNC_END;
}

TEST_LIMIT(every_call, watches, 60)
{
    static const int also[] = {THRUM_EINVAL, 0}; /* a descriptor that may not be looked at is taken for none */
    const refuse_program program = {.run = watches, .also = also};
    each_kind(&program, 1);
}

/* ---- every core ---- */

static atomic_int begun;

/* The first time until there are two: the memory of as many loops as there were at once is kept for later ones. */
static ASYNC(waits, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    atomic_fetch_add(&begun, 1);
    do
        AWAIT(thrum_sleep(MILLISECONDS(1)));
    while (atomic_load(&begun) < 2);
    ASYNC_END;
}

static thrum_awaitable start(unsigned number, void *argument)
{
    (void)number, (void)argument;
    return waits();
}

/* Gives a status, as main() does: why it failed is in the log. */
static int cores(void)
{
    static const thrum_runner_options quiet = {.size = sizeof quiet, .no_signals = true};
    const thrum_cores_options options = {.size = sizeof options, .threads = 2, .pin = true, .runner = &quiet};
    return thrum_run_on_every_core(start, NULL, &options) ? -EIO : 0;
}

TEST_LIMIT(every_call, cores, 60)
{
    static const int also[] = {-EIO, 0};
    CHECK(dup2(open("/dev/null", O_WRONLY), 2) == 2); /* where it says so */
    const refuse_program program = {.plain = cores, .also = also};
    CHECK_GE(refuse_each(&program, REFUSE_SYSTEM), 2);
    CHECK_GE(refuse_each(&program, REFUSE_MEMORY), 2);
    CHECK_EQ(refuse_each(&program, REFUSE_INTERRUPT), 0);
}
