/**
 * @file subprocess_protocols.h
 * Child processes in callback style: a transport, which calls a protocol. subprocess.h is the same for tasks.
 *
 * The calls of one process, each made by the loop and never from inside a call of the transport's, but for
 * `pause_writing`:
 *
 *     connection_made, (pipe_data_received | pipe_connection_lost | process_exited)*, connection_lost
 *
 * `connection_made` and `connection_lost` come once each, the latter when the process has exited and all pipes are
 * lost. What comes before the first of them waits for it. `process_exited` may come before the last data.
 *
 * The loop keeps a transport until connection_lost has returned. References beside that one are given by
 * thrum_subprocess_exec() and thrum_subprocess_shell() and by thrum_subprocess_transport_hold(), and given back by
 * thrum_subprocess_transport_release(), which ends nothing.
 */
#ifndef THRUM_SUBPROCESS_PROTOCOLS_H
#define THRUM_SUBPROCESS_PROTOCOLS_H

#include <thrum/subprocess.h>
#include <thrum/transports.h>

THRUM_BEGIN_DECLS

/** A child process in callback style. */
typedef struct thrum_subprocess_transport thrum_subprocess_transport;

/** What is told of a child process. Constant; usually static. Any call may be NULL: then nothing is done. `context` is
 * what the factory gave for this process. `descriptor` is 0, 1 or 2. */
typedef struct thrum_subprocess_protocol {
    size_t size; /**< sizeof(thrum_subprocess_protocol) */
    /** It runs. 0, or an error, which ends it. The transport is good until connection_lost has returned; whoever wants
     * it longer takes a reference. */
    int (*connection_made)(void *context, thrum_subprocess_transport *transport);
    /** Bytes came out of its standard output or error, at least 1, good until this returns. 0, or an error, which
     * closes the pipe. */
    int (*pipe_data_received)(void *context, int descriptor, const void *data, size_t size);
    /** A pipe is over: `error` is 0 at its end and after a close, else why it was lost. */
    void (*pipe_connection_lost)(void *context, int descriptor, int error);
    /** It has ended: thrum_subprocess_transport_get_returncode() says how. */
    void (*process_exited)(void *context);
    /** All is over: `error` is 0, what connection_made gave, or THRUM_ECLOSED when the loop was closed. */
    void (*connection_lost)(void *context, int error);
    /** More bytes are unsent to its standard input than the high mark; comes from inside the write that made it so. */
    void (*pause_writing)(void *context);
    /** They are down at the low mark. */
    void (*resume_writing)(void *context);
} thrum_subprocess_protocol;

/** Makes the protocol of a new process: it goes to `protocol`, and what its calls are given to `own`. 0, or an error,
 * which ends the process. Is asked once it runs; connection_made and connection_lost follow in any case. */
typedef int thrum_subprocess_protocol_factory(void *context, const thrum_subprocess_protocol **protocol, void **own);

/**
 * Start a program, and have a protocol told of it.
 * [awaits · cancel-safe: it is killed, and taken from the system · frames of the pool, a transport and one for each
 * pipe · this loop's thread only]
 *
 * @param factory    asked once, when it runs
 * @param context    handed to the factory
 * @param arguments  as for thrum_create_subprocess_exec()
 * @param options    as for thrum_create_subprocess_exec(), but that THRUM_STDIO_DEFAULT is a pipe, and `stream` does
 *                   not count; NULL is the default
 * @return gives a thrum_subprocess_transport *, a reference, when connection_made has returned; the error of the
 *         factory or of connection_made; else as thrum_create_subprocess_exec(); THRUM_ECANCELED
 *
 * asyncio: loop.subprocess_exec
 */
THRUM_API thrum_awaitable thrum_subprocess_exec(thrum_subprocess_protocol_factory *factory, void *context,
                                                const char *const *arguments,
                                                const thrum_subprocess_options *options) THRUM_MUST_USE_;

/**
 * Have a shell run a command, and a protocol told of it.
 * [awaits · cancel-safe: it is killed, and taken from the system · frames of the pool, a transport and one for each
 * pipe · this loop's thread only]
 *
 * @param factory  asked once, when it runs
 * @param context  handed to the factory
 * @param command  as for thrum_create_subprocess_shell()
 * @param options  as for thrum_subprocess_exec()
 * @return gives as thrum_subprocess_exec()
 *
 * asyncio: loop.subprocess_shell
 */
THRUM_API thrum_awaitable thrum_subprocess_shell(thrum_subprocess_protocol_factory *factory, void *context,
                                                 const char *command,
                                                 const thrum_subprocess_options *options) THRUM_MUST_USE_;

/**
 * The number of the process, as thrum_process_pid().
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives the number
 *
 * asyncio: SubprocessTransport.get_pid
 */
THRUM_API int thrum_subprocess_transport_get_pid(const thrum_subprocess_transport *transport);

/**
 * How it ended, as thrum_process_returncode().
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport   any
 * @param returncode  where it goes; not touched while it runs. May be NULL
 * @return gives 0; THRUM_EPENDING while it runs
 *
 * asyncio: SubprocessTransport.get_returncode
 */
THRUM_API int thrum_subprocess_transport_get_returncode(const thrum_subprocess_transport *transport, int *returncode);

/**
 * The transport of a pipe: to write to its standard input, to close it, to pause one that is read.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport   any
 * @param descriptor  0, 1 or 2
 * @return gives the transport, good as long as this one; NULL where there is no pipe
 *
 * asyncio: SubprocessTransport.get_pipe_transport
 */
THRUM_API thrum_transport *thrum_subprocess_transport_get_pipe_transport(const thrum_subprocess_transport *transport,
                                                                         int descriptor);

/**
 * Send it a signal, as thrum_process_send_signal().
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @param signal     SIGHUP, ...
 * @return gives as thrum_process_send_signal()
 *
 * asyncio: SubprocessTransport.send_signal
 */
THRUM_API int thrum_subprocess_transport_send_signal(thrum_subprocess_transport *transport, int signal);

/**
 * Ask it to end: SIGTERM.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives as thrum_process_send_signal()
 *
 * asyncio: SubprocessTransport.terminate
 */
THRUM_API int thrum_subprocess_transport_terminate(thrum_subprocess_transport *transport);

/**
 * End it: SIGKILL.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives as thrum_process_send_signal()
 *
 * asyncio: SubprocessTransport.kill
 */
THRUM_API int thrum_subprocess_transport_kill(thrum_subprocess_transport *transport);

/**
 * Close the pipes, and kill the process if it runs. What is still to be told is told.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any; NULL does nothing
 *
 * asyncio: SubprocessTransport.close
 */
THRUM_API void thrum_subprocess_transport_close(thrum_subprocess_transport *transport);

/**
 * Whether a transport is closed, or being closed.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives true or false
 *
 * asyncio: BaseTransport.is_closing
 */
THRUM_API bool thrum_subprocess_transport_is_closing(const thrum_subprocess_transport *transport);

/**
 * Wait until connection_lost has returned.
 * [awaits · does not suspend when it is so · cancel-safe · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives 0; the error that connection_lost was told; THRUM_ECANCELED
 *
 * asyncio: none; a future that connection_lost completes
 */
THRUM_API thrum_awaitable thrum_subprocess_transport_wait_closed(thrum_subprocess_transport *transport) THRUM_MUST_USE_;

/**
 * Take a reference: the transport's memory stays until it is given back.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  any
 * @return gives the transport
 *
 * asyncio: a reference
 */
THRUM_API thrum_subprocess_transport *thrum_subprocess_transport_hold(thrum_subprocess_transport *transport);

/**
 * Give a reference back. This ends nothing.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param transport  owned; NULL does nothing
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_subprocess_transport_release(thrum_subprocess_transport *transport);

THRUM_END_DECLS

#endif
