/**
 * @file stdstreams.h
 * This program's own standard input, output and error, as streams.
 *
 *     int error = thrum_open_stdin(&self->in, NULL);
 *     ...
 *     ASYNC_FOR (self->length, self->each, thrum_stream_lines(self->in, self->line, sizeof self->line))
 *         handle(self->line);
 *
 * Whether a descriptor is non-blocking is not a matter of the program: it belongs to the open file, which the shell and
 * every other program at the same terminal or pipe share. So nothing is changed there, and nothing has to be put back,
 * by whatever way this program ends. What is done instead:
 *
 * - A terminal, a pipe, a FIFO or a device is opened once more, by its name, and that open file is the stream's own.
 * - A socket is asked not to wait in each call.
 * - A regular file is read and written where the shell's position in it is, by the loop's thread: that does not wait
 *   but for the disk. thrum_file_open() and its like have it done in threads.
 * - Where opening once more is not possible (no /proc, somebody else's pipe, another system than Linux) the loop waits
 *   until something can be moved, and moves no more than there is room for. Only there another program which reads from
 *   the same pipe at the same moment can make this one wait.
 *
 * Descriptors 0 to 2 stay as they are: printf(3) goes on to work, in its own order. Closing such a stream closes what
 * is its own, so a reader at the other end sees the end of file when this program ends, or closes 1 itself.
 *
 * asyncio: loop.connect_read_pipe and connect_write_pipe with sys.stdin and sys.stdout, which leave them non-blocking
 */
#ifndef THRUM_STDSTREAMS_H
#define THRUM_STDSTREAMS_H

#include <thrum/streams.h>

THRUM_BEGIN_DECLS

/**
 * Open the standard input as a stream that reads.
 * [never waits · allocates · this loop's thread only]
 *
 * @param stream   where the stream goes; owned
 * @param options  copied; NULL is the default
 * @return gives 0; -EBADF when it is closed; THRUM_EINVAL when it is open for writing only; THRUM_ESTATE without a
 *         loop; THRUM_ENOMEM; THRUM_EUNSUPPORTED on virtual time; -errno
 *
 * asyncio: loop.connect_read_pipe(sys.stdin)
 */
THRUM_API int thrum_open_stdin(thrum_stream **stream, const thrum_stream_options *options);

/**
 * Open the standard output as a stream that writes.
 * [never waits · allocates · this loop's thread only]
 *
 * @param stream   where the stream goes; owned. Close it, or what has not left yet is lost.
 * @param options  copied; NULL is the default
 * @return gives 0; -EBADF when it is closed; THRUM_EINVAL when it is open for reading only; THRUM_ESTATE without a
 *         loop; THRUM_ENOMEM; THRUM_EUNSUPPORTED on virtual time; -errno
 *
 * asyncio: loop.connect_write_pipe(sys.stdout)
 */
THRUM_API int thrum_open_stdout(thrum_stream **stream, const thrum_stream_options *options);

/**
 * Open the standard error as a stream that writes; as thrum_open_stdout() otherwise.
 * [never waits · allocates · this loop's thread only]
 *
 * @param stream   where the stream goes; owned
 * @param options  copied; NULL is the default
 * @return gives as thrum_open_stdout()
 *
 * asyncio: loop.connect_write_pipe(sys.stderr)
 */
THRUM_API int thrum_open_stderr(thrum_stream **stream, const thrum_stream_options *options);

THRUM_END_DECLS

#endif
