/**
 * @file terminals.h
 * Terminals: their size and mode, and pseudo-terminals, at whose other end a program runs as if somebody typed.
 *
 *     static const thrum_pty_options pty = {.size = sizeof pty, .rows = 24, .columns = 80};
 *     AWAIT_INTO(self->child, thrum_create_subprocess_pty(arguments, NULL, &pty, &self->terminal));
 *     AWAIT(thrum_stream_write(self->terminal, "ls\n", 3));
 *     AWAIT_INTO(self->n, thrum_stream_read(self->terminal, self->text, sizeof self->text));
 *
 * The stream of a pseudo-terminal gives what programs write there, and what is written to it they read, as they would
 * from a keyboard: "\x03" is Ctrl-C, "\x04" at the beginning of a line the end of file. Unless it is `raw`, the system
 * gives back what is typed, turns "\n" of programs into "\r\n", and hands them whole lines. When the last program has
 * let go of the terminal reading gives end of file. Closing the stream hangs up: what runs there gets SIGHUP.
 *
 * asyncio: none
 */
#ifndef THRUM_TERMINALS_H
#define THRUM_TERMINALS_H

#include <thrum/subprocess.h>

THRUM_BEGIN_DECLS

/** How large a terminal is, in characters. */
typedef struct thrum_terminal_size {
    unsigned rows, columns; /**< 0: not known */
} thrum_terminal_size;

/**
 * How large a terminal is. It gets SIGWINCH, or rather those who have it for a controlling terminal, when that changes.
 * [never waits · no allocation · any thread]
 *
 * @param descriptor  of a terminal, at either end
 * @param size        where it goes
 * @return gives 0; -ENOTTY when it is no terminal; -errno
 *
 * asyncio: os.get_terminal_size
 */
THRUM_API int thrum_terminal_get_size(int descriptor, thrum_terminal_size *size);

/**
 * Change the size of a terminal. The programs in its foreground get SIGWINCH, if it is another one.
 * [never waits · no allocation · any thread]
 *
 * @param descriptor  of a terminal, at either end
 * @param size        at most 65535 each
 * @return gives 0; THRUM_EINVAL; -ENOTTY; -errno
 *
 * asyncio: none
 */
THRUM_API int thrum_terminal_set_size(int descriptor, const thrum_terminal_size *size);

/** What a terminal was like before thrum_terminal_raw(). Fields are private. */
typedef struct thrum_terminal_mode {
    uint64_t words[16];
} thrum_terminal_mode;

/**
 * Have a terminal hand over each key as it comes, without showing it, Ctrl-C among them: the program does it all. This
 * mode belongs to the terminal, not to the program: put it back by thrum_terminal_restore() in a FINALLY. After SIGKILL
 * nobody does, and `stty sane` helps.
 * [never waits · no allocation · any thread]
 *
 * @param descriptor  of a terminal
 * @param before      where its mode goes, for thrum_terminal_restore()
 * @return gives 0; -ENOTTY when it is no terminal; -errno
 *
 * asyncio: tty.setraw
 */
THRUM_API int thrum_terminal_raw(int descriptor, thrum_terminal_mode *before);

/**
 * Put the mode of a terminal back, when what was written has gone out.
 * [waits for a terminal that is stopped · no allocation · any thread]
 *
 * @param descriptor  of the terminal
 * @param before      filled in by thrum_terminal_raw()
 * @return gives 0; -ENOTTY; -errno
 *
 * asyncio: termios.tcsetattr
 */
THRUM_API int thrum_terminal_restore(int descriptor, const thrum_terminal_mode *before);

/** What a pseudo-terminal is like. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_pty_options {
    size_t size;                        /**< sizeof(thrum_pty_options) */
    unsigned rows, columns;             /**< 0: not known, as of a new terminal */
    bool raw;                           /**< bytes pass as they are, nothing is shown or means a signal */
    const thrum_stream_options *stream; /**< of the stream; NULL: all default */
} thrum_pty_options;

/**
 * Make a pseudo-terminal.
 * [never waits · allocates · this loop's thread only]
 *
 * @param stream   where the stream of this end goes; owned
 * @param program  where the descriptor of the end for programs goes, close-on-exec and blocking; owned, for close(2).
 *                 Close it here when a program has it: as long as it is open there is no end of file.
 * @param options  copied; NULL is the default
 * @return gives 0; THRUM_EINVAL; THRUM_ESTATE without a loop; THRUM_ENOMEM; THRUM_EUNSUPPORTED on virtual time; -errno
 *
 * asyncio: os.openpty with loop.connect_read_pipe
 */
THRUM_API int thrum_open_pty(thrum_stream **stream, int *program, const thrum_pty_options *options);

/**
 * Change the size of a pseudo-terminal: the programs there get SIGWINCH.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  of thrum_open_pty() or thrum_create_subprocess_pty()
 * @param size    at most 65535 each
 * @return gives as thrum_terminal_set_size(); THRUM_ECLOSED; THRUM_EUNSUPPORTED for a stream of another kind
 *
 * asyncio: none
 */
THRUM_API int thrum_pty_resize(const thrum_stream *stream, const thrum_terminal_size *size);

/**
 * Start a program on a pseudo-terminal of its own, which is its standard input, output and error, and its controlling
 * terminal: it leads a session.
 * [awaits, never suspends; the thread stands still until the program is loaded · frames and blocks of the pool · this
 * loop's thread only]
 *
 * @param arguments  as for thrum_create_subprocess_exec()
 * @param options    as there, but for `in`, `out`, `err` and the session, which are not looked at. It stays, as
 *                   `pty` does, until this is awaited
 * @param pty        NULL is the default
 * @param terminal   where the stream goes; owned, also after the program's end
 * @return gives a thrum_process *, owned; the errors of thrum_open_pty() and thrum_create_subprocess_exec(), and then
 *         `*terminal` is NULL
 *
 * asyncio: none; pty.fork comes nearest
 */
THRUM_API thrum_awaitable thrum_create_subprocess_pty(const char *const *arguments,
                                                      const thrum_subprocess_options *options,
                                                      const thrum_pty_options *pty,
                                                      thrum_stream **terminal) THRUM_MUST_USE_;

THRUM_END_DECLS

#endif
