/**
 * @file subprocess.h
 * Programs that run beside this one: started, fed, read from, waited for, and ended.
 *
 *     static const char *const list[] = {"ls", "-l", NULL};
 *     static const thrum_subprocess_options options = {.size = sizeof options, .out = {THRUM_STDIO_PIPE, 0}};
 *     ...
 *     AWAIT_INTO(self->child, thrum_create_subprocess_exec(list, &options));
 *     AWAIT(thrum_process_communicate(self->child, NULL, 0, &self->output));
 *     AWAIT_INTO(self->code, thrum_process_wait(self->child));
 * FINALLY:
 *     thrum_process_output_free(&self->output);
 *     thrum_process_release(self->child);
 *
 * A child ends with its handle: thrum_process_release() kills one that runs. What it has left behind is taken from the
 * system in any case, whoever is cancelled and whenever. Other children of the program are never touched, and no
 * handler of SIGCHLD is installed; the program must not ignore that signal, nor wait for children that it does not
 * know: an exit status that somebody else took is 255, which the log says.
 *
 * Waiting for the exit (thrum_process_wait()) is one thing, and for the ends of the pipes another: a child may close
 * its pipes and live on, and it may end while a child of its own holds them open. Every wait can be cut short by
 * thrum_timeout() and deadlines, and taken up again.
 *
 * A signal is sent to the very child, and never to a process that got its number after it. With `whole_group` it goes
 * to everything that the child has started, too.
 *
 * A program that writes to a pipe stands still while nobody reads it: what is a pipe is to be read.
 *
 * pipelines.h has several programs piped together; subprocess_protocols.h has the callback style.
 */
#ifndef THRUM_SUBPROCESS_H
#define THRUM_SUBPROCESS_H

#include <thrum/streams.h>

THRUM_BEGIN_DECLS

/** A child process. thrum_loop_close() kills those that are left, and says so in debug mode. */
typedef struct thrum_process thrum_process;

/** What a child's standard input, output or error is. */
typedef enum thrum_stdio_kind {
    THRUM_STDIO_DEFAULT,   /**< inherited; with the functions of subprocess_protocols.h a pipe */
    THRUM_STDIO_INHERIT,   /**< this program's own */
    THRUM_STDIO_PIPE,      /**< a pipe whose other end is a stream here */
    THRUM_STDIO_DEVNULL,   /**< the null device */
    THRUM_STDIO_STDOUT,    /**< of `err` only: wherever the standard output goes */
    THRUM_STDIO_DESCRIPTOR /**< `descriptor`: a file, a socket, a terminal; it stays the caller's */
} thrum_stdio_kind;

/** One of the three. */
typedef struct thrum_stdio {
    thrum_stdio_kind kind;
    int descriptor; /**< of THRUM_STDIO_DESCRIPTOR */
} thrum_stdio;

/** A descriptor that a child gets beside the three. */
typedef struct thrum_subprocess_descriptor {
    int here;  /**< its number in this program */
    int there; /**< and in the child, 0 or more */
} thrum_subprocess_descriptor;

/** A limit of setrlimit(2). */
typedef struct thrum_subprocess_limit {
    int resource;        /**< RLIMIT_NOFILE, RLIMIT_CPU, ... */
    uint64_t soft, hard; /**< UINT64_MAX: none */
} thrum_subprocess_limit;

/** Whom a child runs as. */
typedef struct thrum_subprocess_identity {
    uint32_t user, group;
    const uint32_t *groups; /**< further groups, and no others; NULL with a count of 0: none */
    size_t group_count;
} thrum_subprocess_identity;

/** How a child is started. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_subprocess_options {
    size_t size; /**< sizeof(thrum_subprocess_options) */
    thrum_stdio in, out, err;
    const thrum_stream_options *stream; /**< of the streams; NULL: all default */
    const char *executable;             /**< the file to run, where arguments[0] is to be another name; NULL:
                                                         arguments[0]; of a shell: another one than /bin/sh */
    const char *directory;              /**< it begins there; NULL: where this program is */
    const char *const *environment;     /**< "NAME=value", ..., NULL; NULL: as here. Its PATH is the one
                                                         in which the program is looked for */
    const thrum_subprocess_descriptor *descriptors; /**< that it gets beside the three; all others are closed there */
    size_t descriptor_count;
    const thrum_subprocess_limit *limits; /**< of resources */
    size_t limit_count;
    const thrum_subprocess_identity *identity; /**< NULL: as here */
    int process_group;                         /**< above 0: the group to join, one of this session */
    bool new_process_group;    /**< it leads a group of its own, which a terminal's Ctrl-C does not reach */
    bool new_session;          /**< and a session of its own, without a controlling terminal */
    bool controlling_terminal; /**< its standard input becomes the controlling terminal of its session;
                                                    goes with new_session */
    bool whole_group;          /**< goes with new_process_group or new_session: signals, the last one
                                                    among them, go to all of the group; the child's number is kept
                                                    until the handle is released. THRUM_EUNSUPPORTED inside of
                                                    libev's default loop */
    bool keep_descriptors;     /**< what is not close-on-exec is inherited */
    bool keep_signals;         /**< blocked and ignored signals stay so. Else nothing is blocked, and
                                                    SIGPIPE, SIGXFSZ are not ignored */
    bool set_umask;            /**< `umask` counts */
    uint32_t umask;            /**< for files that it makes */
} thrum_subprocess_options;

/** What a child has written, for thrum_process_communicate(). Zeroed memory is the beginning. */
typedef struct thrum_process_output {
    char *out;       /**< from malloc(), a 0 behind the last byte; NULL: it was no pipe, or nothing came yet */
    size_t out_size; /**< bytes */
    char *err;       /**< as `out` */
    size_t err_size; /**< as `out_size` */
    size_t most;     /**< set it before: more than so many bytes in either is an error; 0: no limit */
    size_t taken;    /**< bytes of the input that are on their way, or never will be */
    size_t out_room, err_room; /**< private */
} thrum_process_output;

/* ---- starting ---- */

/**
 * Start a program.
 * [awaits, never suspends; the thread stands still until the program is loaded · one frame and blocks of the pool ·
 * this loop's thread only]
 *
 * @param arguments  its name or path, its arguments, NULL. A name without '/' is looked for in PATH. They are copied
 * @param options    copied, what it points to is not; NULL is the default
 * @return gives a thrum_process *, owned, for thrum_process_release(). The program runs then: what kept it from being
 *         started is an error here, whose detail says what was being done and with which file: "exec" (-ENOENT,
 *         -EACCES,
 *         -ENOEXEC, ...), "chdir" (-ENOENT, -EACCES, -ENOTDIR), "setrlimit", "setgroups", "setgid", "setuid" (-EPERM,
 *         ...), "setsid", "setpgid", "controlling terminal", "descriptors" (-EBADF, ...), "pipe" (-EMFILE, ...), "fork"
 *         (-EAGAIN, ...); THRUM_EINVAL for arguments or options that cannot be right; THRUM_ENOMEM; THRUM_EUNSUPPORTED
 *         on backends without descriptors (virtual time), and for `whole_group` in libev's default loop, which takes
 *         the status of each child itself
 *
 * asyncio: create_subprocess_exec
 */
THRUM_API thrum_awaitable thrum_create_subprocess_exec(const char *const *arguments,
                                                       const thrum_subprocess_options *options) THRUM_MUST_USE_;

/**
 * Have a shell run a command. What of it comes from elsewhere is the caller's to quote.
 * [awaits, never suspends; the thread stands still until the shell is loaded · one frame and blocks of the pool · this
 * loop's thread only]
 *
 * @param command  for `/bin/sh -c`; copied
 * @param options  as for thrum_create_subprocess_exec()
 * @return gives as thrum_create_subprocess_exec(). What the shell does not find it says itself, and exits with 127.
 *
 * asyncio: create_subprocess_shell
 */
THRUM_API thrum_awaitable thrum_create_subprocess_shell(const char *command,
                                                        const thrum_subprocess_options *options) THRUM_MUST_USE_;

/* ---- what is known of it ---- */

/**
 * The stream that writes to a child's standard input. It is the process's, which closes and releases it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param process  any
 * @return gives the stream; NULL when it is no pipe
 *
 * asyncio: Process.stdin
 */
THRUM_API thrum_stream *thrum_process_stdin(const thrum_process *process);

/**
 * The stream that reads a child's standard output. It is the process's, which closes and releases it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param process  any
 * @return gives the stream; NULL when it is no pipe
 *
 * asyncio: Process.stdout
 */
THRUM_API thrum_stream *thrum_process_stdout(const thrum_process *process);

/**
 * The stream that reads a child's standard error. It is the process's, which closes and releases it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param process  any
 * @return gives the stream; NULL when it is no pipe
 *
 * asyncio: Process.stderr
 */
THRUM_API thrum_stream *thrum_process_stderr(const thrum_process *process);

/**
 * The number of a process. After its end it may be that of another one: send signals by thrum_process_send_signal().
 * [never waits · no allocation · this loop's thread only]
 *
 * @param process  any
 * @return gives the number
 *
 * asyncio: Process.pid
 */
THRUM_API int thrum_process_pid(const thrum_process *process);

/**
 * How a process ended, as far as the loop has seen it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param process     any
 * @param returncode  where it goes: what it exited with, or -N after signal N; not touched while it runs. May be NULL
 * @return gives 0; THRUM_EPENDING while it runs
 *
 * asyncio: Process.returncode
 */
THRUM_API int thrum_process_returncode(const thrum_process *process, int *returncode);

/* ---- waiting ---- */

/**
 * Wait until a process has ended; any number of tasks may. Its pipes may still hold bytes, and may still be open where
 * it has children of its own.
 * [awaits · does not suspend when it is so · cancel-safe: the process runs on · no allocation · this loop's thread
 * only]
 *
 * @param process  any
 * @return gives what it exited with; -N after signal N; THRUM_ECLOSED when the handle is released meanwhile
 *
 * asyncio: Process.wait, but that it does not wait for the pipes
 */
THRUM_API thrum_awaitable thrum_process_wait(thrum_process *process) THRUM_MUST_USE_;

/**
 * Write the input and close it, read output and error to their ends, all at once, and wait for the exit. What is no
 * pipe is left out; an input that nobody wants to read to its end is no error.
 *
 * Cancelled, timed out or after THRUM_ELIMIT it has lost nothing: `output` holds what came, and another call with the
 * same arguments goes on. Where somebody else holds the pipes open after the exit, that is the way out: a time limit,
 * and what `output` holds by then.
 * [awaits · cancel-safe: see above · frames and tasks of the pool, malloc() · this loop's thread only]
 *
 * @param process  whose streams nobody else uses meanwhile
 * @param input    the bytes, in memory that outlives the await; NULL for none
 * @param size     how many
 * @param output   zeroed before the first call, in memory that outlives the await
 * @return gives the return code, as thrum_process_wait(); THRUM_ELIMIT when more came than `output->most`;
 *         THRUM_EINVAL for a NULL, or a size without input; THRUM_ECLOSED when the handle is released meanwhile;
 *         THRUM_ENOMEM; errors of read(2) and write(2); THRUM_ECANCELED
 *
 * asyncio: Process.communicate
 */
THRUM_API thrum_awaitable thrum_process_communicate(thrum_process *process, const void *input, size_t size,
                                                    thrum_process_output *output) THRUM_MUST_USE_;

/**
 * Free what a child has written, and begin anew.
 * [never waits · no allocation · any thread]
 *
 * @param output  zeroed, or used by thrum_process_communicate(), which is over; `most` stays
 *
 * asyncio: the collector
 */
THRUM_API void thrum_process_output_free(thrum_process_output *output);

/* ---- ending ---- */

/**
 * Send a signal to a process; with `whole_group` to all of its group.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param process  any
 * @param signal   SIGHUP, SIGUSR1, ...; 0 sends none
 * @return gives 0, also when it has just ended; -ESRCH when its end is known; -EPERM when it runs as somebody else by
 *         now; THRUM_EINVAL for a number that is no signal
 *
 * asyncio: Process.send_signal
 */
THRUM_API int thrum_process_send_signal(thrum_process *process, int signal);

/**
 * Ask a process to end: SIGTERM.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param process  any
 * @return gives as thrum_process_send_signal()
 *
 * asyncio: Process.terminate
 */
THRUM_API int thrum_process_terminate(thrum_process *process);

/**
 * End a process: SIGKILL.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param process  any
 * @return gives as thrum_process_send_signal()
 *
 * asyncio: Process.kill
 */
THRUM_API int thrum_process_kill(thrum_process *process);

/**
 * Ask a process to end, give it some time, and then end it. One that has ended is no error. With `whole_group` what is
 * left of the group is killed at the end in any case.
 * [awaits · cancelled: it was asked, and is not killed · frames of the pool · this loop's thread only]
 *
 * @param process  any; NULL gives 0
 * @param grace    how long it may take to end by itself, in ticks; 0 kills at once, THRUM_NEVER never
 * @return gives the return code, as thrum_process_wait(); -EPERM; THRUM_ECANCELED
 *
 * asyncio: none; terminate, wait_for(wait(), grace), kill
 */
THRUM_API thrum_awaitable thrum_process_stop(thrum_process *process, thrum_time grace) THRUM_MUST_USE_;

/**
 * Give a process back. Its streams are aborted; if it runs it is killed, with `whole_group` everything in its group,
 * and what is left of it is taken from the system when it has ended, without anybody waiting. Tasks that wait for it
 * get THRUM_ECLOSED.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param process  owned; NULL does nothing. Not to be used afterwards.
 *
 * asyncio: the transport's close
 */
THRUM_API void thrum_process_release(thrum_process *process);

/**
 * Give a process back without ending it: it runs on, also after this program. Its streams are aborted. While the loop
 * runs it still takes from the system what is left when it ends.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param process  owned; NULL does nothing. Not to be used afterwards.
 *
 * asyncio: none
 */
THRUM_API void thrum_process_detach(thrum_process *process);

THRUM_END_DECLS

#endif
