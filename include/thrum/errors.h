/**
 * @file errors.h
 * Errors are ints: 0 is fine, negative is an error. The system's are `-errno`; thrum's own and the application's lie
 * below them. Beside the code an error carries, without a call of `malloc`, a detail (which call, which host, how many
 * bytes) and a trace of the awaits that it passed through.
 */
#ifndef THRUM_ERRORS_H
#define THRUM_ERRORS_H

#include <thrum/types.h>

THRUM_BEGIN_DECLS

/** thrum's own errors. asyncio's name stands behind each. */
enum thrum_error_code {
    THRUM_OK = 0,
    THRUM_ECANCELED = -4501,    /**< the task was cancelled (CancelledError) */
    THRUM_ETIMEDOUT = -4502,    /**< a deadline passed (TimeoutError) */
    THRUM_ENOMEM = -4503,       /**< the pool is used up (MemoryError) */
    THRUM_EINVAL = -4504,       /**< an argument that cannot be right (ValueError) */
    THRUM_ESTATE = -4505,       /**< not now: wrong state, used twice, from the wrong place (RuntimeError) */
    THRUM_EPENDING = -4506,     /**< the future has no result yet (InvalidStateError) */
    THRUM_EDONE = -4507,        /**< the future has its result already (InvalidStateError) */
    THRUM_EGROUP = -4508,       /**< children of a group failed; `errors` of the detail lists how (ExceptionGroup) */
    THRUM_EINCOMPLETE = -4509,  /**< end of file in the middle of what was asked for (IncompleteReadError) */
    THRUM_ELIMIT = -4510,       /**< no separator within the stream's limit (LimitOverrunError) */
    THRUM_ECLOSED = -4511,      /**< the stream, server or loop is closed (RuntimeError, ConnectionError) */
    THRUM_EBUSY = -4512,        /**< somebody else waits here already, and only one may (RuntimeError) */
    THRUM_ESHUTDOWN = -4513,    /**< the queue or executor was shut down (QueueShutDown, RuntimeError) */
    THRUM_EEMPTY = -4514,       /**< nothing in the queue (QueueEmpty) */
    THRUM_EFULL = -4515,        /**< no room in the queue (QueueFull) */
    THRUM_EBROKEN = -4516,      /**< the barrier is broken (BrokenBarrierError) */
    THRUM_ERESOLVE = -4517,     /**< the name could not be looked up; the detail says why (gaierror) */
    THRUM_EUNSUPPORTED = -4518, /**< not on this platform, backend or stream (NotImplementedError) */
    THRUM_EINTERRUPTED = -4519, /**< a signal asked the program to end (KeyboardInterrupt) */
    THRUM_EEXIT = -4520,        /**< asked to leave with a given exit code (SystemExit) */
    THRUM_ESTOP = -4521,        /**< an iteration has no more items (StopAsyncIteration) */
    THRUM_ELEFT = -4522,        /**< out of a YIELD: the generator is being closed (GeneratorExit) */
    THRUM_ETLS = -4523,         /**< TLS failed; the detail says what (ssl.SSLError) */
    THRUM_ECERTIFICATE = -4524, /**< the peer's certificate was refused; the detail says why
                                     (ssl.SSLCertVerificationError) */
    THRUM_ETRUNCATED = -4525,   /**< a TLS connection was cut off, not ended (ssl.SSLEOFError) */
    THRUM_EAPP_ = -5000,
    THRUM_EAPP_LAST_ = -32000
};

/** The application's own errors, 0 <= n <= 27000. */
#define THRUM_EAPP(n) (THRUM_EAPP_ - (n))

/** One await that an error passed through. */
typedef struct thrum_trace_entry {
    const thrum_function *function; /**< whose body it is; thrum_function_name(), thrum_function_file() */
    uint16_t line;                  /**< where in its file; 16383 stands for that line and all below it */
} thrum_trace_entry;

/** What is known of an error besides its code. Read it with the functions below; it lives as long as they say. */
typedef struct thrum_error {
    struct thrum_error *next;   /**< the next error of the same group */
    struct thrum_error *errors; /**< the first error of a group, or of a connection's attempts, or NULL */
    const char *operation;      /**< what was being done ("connect"), or NULL; static storage */
    int64_t number;             /**< bytes done, an exit status, a port: what `operation` says */
    int32_t code;               /**< the error itself */
    int32_t system;             /**< errno or the like at its source, or 0 */
    int32_t context;            /**< the error that this one replaced on its way, or 0 (`__context__`) */
    uint16_t references;        /**< private */
    uint16_t depth;             /**< entries of `trace` */
    thrum_trace_entry trace[THRUM_TRACE_DEPTH];
    char text[THRUM_ERROR_TEXT]; /**< which host, which file, why; may be empty */
} thrum_error;

/**
 * The name of an error code: "THRUM_ETIMEDOUT", "ECONNREFUSED"; "EAPP" for those of the application.
 * [never waits · no allocation · any thread]
 *
 * @param code  any int
 * @return gives static text, or "E?" for a code that nothing has
 *
 * asyncio: the class name of an exception
 */
THRUM_API const char *thrum_error_name(int code);

/**
 * What an error code means, in a few words: "timed out".
 * [never waits · no allocation · any thread]
 *
 * @param code  any int
 * @return gives static text
 *
 * asyncio: the text of an exception
 */
THRUM_API const char *thrum_error_text(int code);

/**
 * Say more about the error that the calling operation or async function is about to give.
 * Call it just before `ASYNC_RAISE(code)` or before an operation fails; the detail goes with the error to whoever gets
 * it.
 * [never waits · takes a block of the pool, or does nothing when there is none · this loop's thread only]
 *
 * @param code       the error to come
 * @param system     errno or the like behind it, or 0
 * @param operation  static text, what was being done; may be NULL
 * @param number     bytes done, a port, an exit status; 0 where there is none
 * @param text       copied and cut at THRUM_ERROR_TEXT - 1 bytes; may be NULL
 * @return gives `code`, so that it can be raised in the same statement
 *
 * asyncio: the arguments and attributes of an exception
 */
THRUM_API int thrum_error_set(int code, int system, const char *operation, int64_t number, const char *text);

/**
 * The detail of the error that the current task met last.
 * [never waits · no allocation · this loop's thread only]
 *
 * @return gives the detail, good until the task's next error or end; NULL when there is none, or outside of tasks
 *
 * asyncio: `except ... as error`
 */
THRUM_API const thrum_error *thrum_error_last(void);

/**
 * The name of an async function.
 * [never waits · no allocation · any thread]
 *
 * @param function  from a trace; NULL gives "?"
 * @return gives static text
 *
 * asyncio: FrameCallGraphEntry.frame
 */
THRUM_API const char *thrum_function_name(const thrum_function *function);

/**
 * The file that an async function stands in.
 * [never waits · no allocation · any thread]
 *
 * @param function  from a trace; NULL gives "?"
 * @return gives static text
 *
 * asyncio: FrameCallGraphEntry.frame
 */
THRUM_API const char *thrum_function_file(const thrum_function *function);

THRUM_END_DECLS

#endif
