/**
 * @file testing.h
 * Testing programs that are written with thrum, under any test runner: virtual time, an order of running that follows a
 * seed, connections in memory that fragment, delay and fail as told, and cancellations and lack of memory at every
 * place where they can happen. It is a library of its own, libthrum-testing (`pkg-config thrum-testing`), so nothing of
 * it is in programs; and it stands on the public headers alone. Failures are return codes, and text through one
 * function.
 *
 *     static ASYNC(handler, ARGS((thrum_stream *, client), (void *, context)), ...) { ... }    what is tested
 *
 *     static ASYNC(program, ARGS((void *, context)), LOCALS(thrum_stream *stream; char answer[5];))
 *     {
 *         ASYNC_BEGIN;
 *         AWAIT_INTO(self->stream, thrum_test_connect(handler, NULL, NULL));
 *         AWAIT(thrum_stream_write(self->stream, "hello", 5));
 *         AWAIT(thrum_stream_read_exactly(self->stream, self->answer, 5));
 *     FINALLY:
 *         thrum_stream_release(self->stream);
 *         ASYNC_END;
 *     }
 *
 *     assert(thrum_test_run(program(NULL), NULL) == 0);          once
 *     assert(thrum_test_explore(program, NULL, NULL, NULL) == 0);     with everything that can come in between
 *
 * Not among what thrum.h includes.
 */
#ifndef THRUM_TESTING_H
#define THRUM_TESTING_H

#include <thrum/carriers.h>
#include <thrum/events.h>
#include <thrum/pool.h>
#include <thrum/servers.h>

THRUM_BEGIN_DECLS

/* ---- one run ---- */

/** Takes a line of text, without its newline. */
typedef void thrum_test_put(void *context, const char *line);

/** Where a run was led astray. */
typedef enum thrum_test_injection {
    THRUM_TEST_NOTHING,
    THRUM_TEST_CANCEL_WAITING, /**< the task that suspends as the n-th is cancelled there and then: while it waits */
    THRUM_TEST_CANCEL_WOKEN, /**< the task that goes on as the n-th is cancelled just before: woken, but not running; or
                                    not begun */
    THRUM_TEST_FAIL_ALLOCATION /**< the n-th block of the pool is refused */
} thrum_test_injection;

/** How a run goes. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_test_options {
    size_t size;                /**< sizeof(thrum_test_options) */
    thrum_backend_kind backend; /**< default: virtual time. With THRUM_BACKEND_LIBEV real sockets work, in real time */
    uint64_t seed;              /**< of the order in which tasks run; 0: asyncio's */
    thrum_test_injection injection; /**< what comes in between */
    size_t at;                      /**< and where: the n-th, counted from 1 */
    size_t most_passes;             /**< a run that takes more passes of the loop is given up; 0: 1,000,000 */
    thrum_time most_time;           /**< or more of the loop's time; 0: for ever, in real time 60 s */
    bool debug;                     /**< the loop's debug mode */
    bool eager;                     /**< tasks begin eagerly */
    bool no_tasks_left; /**< a task that runs still when the program ends is a failure; it is cancelled anyway */
    bool errors_may_be_reported; /**< errors that only the exception handler hears of are no failure; with an injection
                                         they never are */
    thrum_test_put *put;         /**< where text goes; NULL: the standard error */
    void *context;               /**< for it */
    bool
        every_await; /**< awaits that would complete at once suspend, too, when they have: so all of them are places for
                           injections; AWAIT_LOCK and its like where the program is compiled with
                           -DTHRUM_INLINE_AWAITS=0 */
} thrum_test_options;

/** What a run came to. */
typedef struct thrum_test_result {
    int error;          /**< what the program gave */
    thrum_value value;  /**< and its result */
    bool injected;      /**< the place of the injection was reached */
    bool deadlock;      /**< nothing was ready and no timer set before the program ended */
    size_t failures;    /**< how many things were wrong; each was told */
    size_t passes;      /**< of the loop */
    size_t suspensions; /**< of all tasks: places for THRUM_TEST_CANCEL_WAITING */
    size_t steps;       /**< of all tasks: places for THRUM_TEST_CANCEL_WOKEN */
    size_t
        allocations; /**< blocks that were asked for: places for THRUM_TEST_FAIL_ALLOCATION; thrum_test_run_program() */
    thrum_time duration; /**< of the loop's time */
} thrum_test_result;

/**
 * Run something to its end on a loop of its own, in virtual time unless told otherwise, and look at what it leaves
 * behind: tasks, reports to the exception handler, blocks of the pool (frames, tasks, streams, servers). What is wrong
 * is told through `put`; when nothing can go on, with every task and where it waits.
 * [waits for the world, in virtual time for nothing · a thread without a loop, whose pool holds nothing else]
 *
 * @param what     an awaitable; spent
 * @param options  borrowed for the call; NULL is the default. Allocations are neither counted nor refused: `what` is
 *                 made already, see thrum_test_run_program()
 * @return gives 0; the error of `what`; THRUM_ESTATE for a deadlock, after too many passes, when something was left
 *         behind, and when this thread has a loop; THRUM_EINVAL
 *
 * asyncio: unittest.IsolatedAsyncioTestCase
 */
THRUM_API int thrum_test_run(thrum_awaitable what, const thrum_test_options *options);

/** Makes what is to be run, afresh each time. */
typedef thrum_awaitable thrum_test_program(void *context);

/**
 * The same for a program, whose allocations are counted too, and come one by one, so that the checks of a sanitizer or
 * valgrind see each block.
 * [waits for the world, in virtual time for nothing · a thread without a loop and without blocks of the pool]
 *
 * @param program  called once, before there is a loop; NULL gives THRUM_EINVAL
 * @param context  handed to it
 * @param options  borrowed for the call; NULL is the default
 * @param result   where more is said; may be NULL
 * @return gives as thrum_test_run(); THRUM_ESTATE also when blocks of this thread's pool are in use
 *
 * asyncio: unittest.IsolatedAsyncioTestCase
 */
THRUM_API int thrum_test_run_program(thrum_test_program *program, void *context, const thrum_test_options *options,
                                     thrum_test_result *result);

/**
 * The seed of the run that goes on in this thread: for what a program does by chance.
 * [never waits · no allocation · any thread]
 *
 * @return gives the seed of its options; 0 when none goes on
 *
 * asyncio: none
 */
THRUM_API uint64_t thrum_test_seed(void);

/* ---- many runs ---- */

/** What is explored. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_test_explore_options {
    size_t size;                   /**< sizeof(thrum_test_explore_options) */
    const thrum_test_options *run; /**< how each goes; its seed and injection are not used; NULL: all default */
    size_t seeds;                  /**< orders of running; 0: 20 */
    size_t most;                   /**< injections of one kind; 0: all */
    bool no_seeds;                 /**< leave the seeds out */
    bool no_cancels;               /**< leave the cancellations out */
    bool no_allocations;           /**< leave the refused blocks out */
    bool stop;                     /**< end with the first run that fails */
    int expected;                  /**< what the program gives when nothing comes in between */
    /** Called after each run, when its loop is gone: anything but 0 is a failure. NULL: with an injection every error
     * is right, without one `expected`. */
    int (*check)(void *context, const thrum_test_options *run, const thrum_test_result *result);
    const char *replay; /**< one run only, as it was printed: "seed=3 waiting=7"; NULL: $THRUM_TEST_REPLAY, or all */
} thrum_test_explore_options;

/** How an exploration went. */
typedef struct thrum_test_explored {
    size_t runs, failed;
    size_t seeds, waiting, woken, allocations; /**< runs of each kind */
} thrum_test_explored;

/**
 * Run a program over seeds, then with each of its tasks cancelled at each place, one at a time: while it waits, when it
 * was woken or has not begun; then with each block of the pool refused. Every run has to end with nothing left behind.
 * One that fails is named by a line that replays it alone.
 * [waits for the world, in virtual time for nothing · a thread without a loop and without blocks of the pool]
 *
 * @param program   makes what is run, each time the same
 * @param context   handed to it
 * @param options   borrowed for the call; NULL is the default
 * @param explored  where the numbers go; may be NULL
 * @return gives how many runs failed; THRUM_EINVAL; THRUM_ESTATE as thrum_test_run_program()
 *
 * asyncio: none
 */
THRUM_API int thrum_test_explore(thrum_test_program *program, void *context, const thrum_test_explore_options *options,
                                 thrum_test_explored *explored);

/* ---- connections in memory ---- */

/** One direction of a connection. Zeroed memory carries everything at once. */
typedef struct thrum_test_link {
    size_t fragment;    /**< bytes that arrive at a time; 0: any number */
    size_t short_send;  /**< bytes that are taken at a time; 0: any number */
    bool random;        /**< both are the most: each time a number from 1 up, by the seed */
    size_t window;      /**< bytes under way and not read at most, then the sender waits; 0: 65536 */
    thrum_time latency; /**< how long a byte is under way */
    thrum_time jitter;  /**< and up to so much more, by the seed; bytes stay in order */
    uint64_t rate;      /**< bytes a second; 0: any number */
    size_t stall_after; /**< after so many bytes nothing arrives for `stall`; 0: never */
    thrum_time stall;   /**< 0: for ever */
    size_t cut_after;   /**< after so many bytes the connection breaks; 0: never */
    thrum_time cut_at;  /**< or so long after it was made; 0: never */
    int cut_error; /**< what the receiver gets then: -ECONNRESET or the like; 0: end of file. The sender gets the same,
                              or -EPIPE for 0 */
} thrum_test_link;

/** Both directions. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_test_script {
    size_t size; /**< sizeof(thrum_test_script) */
    uint64_t seed;
    thrum_test_link there; /**< from the first end to the second: from client to server */
    thrum_test_link back;
    const thrum_stream_options *streams; /**< of both ends; NULL: all default */
} thrum_test_script;

/**
 * Make two streams that are connected through memory, without descriptors. All of streams.h works on both; they are in
 * no way different from those of sockets, but for thrum_stream_descriptor().
 * [never waits · allocates · this loop's thread only]
 *
 * @param a       where one end goes; owned
 * @param b       where the other end goes; owned
 * @param script  copied; NULL is the default
 * @return gives 0; THRUM_EINVAL; THRUM_ESTATE without a loop; THRUM_ENOMEM
 *
 * asyncio: none; socket.socketpair comes nearest
 */
THRUM_API int thrum_test_stream_pair(thrum_stream **a, thrum_stream **b, const thrum_test_script *script);

/**
 * Connect to a handler that is written for thrum_start_server(): it runs in a task of its own at the other end of a
 * connection in memory, and as with a server its stream is closed and released when it ends. An error that comes out of
 * it goes to the loop's exception handler.
 * [awaits · does not suspend · allocates · this loop's thread only]
 *
 * @param handler  called with the stream
 * @param context  handed to the handler
 * @param script   good until this is awaited; `there` is from the caller to the handler; NULL is the default
 * @return gives a thrum_stream *, owned; THRUM_EINVAL; THRUM_ENOMEM
 *
 * asyncio: open_connection
 */
THRUM_API thrum_awaitable thrum_test_connect(thrum_stream_handler *handler, void *context,
                                             const thrum_test_script *script) THRUM_MUST_USE_;

/* ---- datagrams in memory ---- */

/** How a datagram link treats what it is given. Chances are in thousandths. Zeroed memory with `size` set loses
 * nothing; members may be added at the end. */
typedef struct thrum_test_weather {
    size_t size; /**< sizeof(thrum_test_weather) */
    uint64_t seed;
    unsigned lost;      /**< of 1000 */
    unsigned doubled;   /**< of 1000 */
    unsigned late;      /**< of 1000: these take `delay` longer, so that later ones overtake them */
    thrum_time delay;   /**< 0: 100 ms */
    thrum_time latency; /**< that all have */
    size_t most;        /**< datagrams that wait to be received at most; more are lost; 0: 1000 */
} thrum_test_weather;

/** One end of a datagram link. */
typedef struct thrum_test_datagrams thrum_test_datagrams;

/**
 * Make two ends that send datagrams to each other through memory, with two awaitables of their own: for a protocol that
 * needs no more. What is written for thrum_datagrams runs on a network in memory (testing_network.h).
 * [never waits · allocates · this loop's thread only]
 *
 * @param a        where one end goes; owned
 * @param b        where the other end goes; owned
 * @param weather  copied; NULL loses nothing
 * @return gives 0; THRUM_EINVAL; THRUM_ENOMEM
 *
 * asyncio: none; create_datagram_endpoint comes nearest
 */
THRUM_API int thrum_test_datagram_pair(thrum_test_datagrams **a, thrum_test_datagrams **b,
                                       const thrum_test_weather *weather);

/**
 * Send a datagram. What the link does with it the sender does not learn.
 * [awaits · does not suspend · allocates, not from the pool · this loop's thread only]
 *
 * @param end   open
 * @param data  the bytes, in memory that outlives the await
 * @param size  how many; may be 0
 * @return gives `size`; THRUM_ENOMEM; THRUM_ECANCELED
 *
 * asyncio: DatagramTransport.sendto
 */
THRUM_API thrum_awaitable thrum_test_datagram_send(thrum_test_datagrams *end, const void *data,
                                                   size_t size) THRUM_MUST_USE_;

/**
 * Wait for a datagram. One task may wait at a time.
 * [awaits · cancel-safe: nothing is taken · no allocation · this loop's thread only]
 *
 * @param end     open
 * @param buffer  where it goes, in memory that outlives the await
 * @param size    room in it; what is beyond is cut off
 * @return gives how many bytes the datagram has, which may be more than `size`; THRUM_ECLOSED when the other end is
 *         released and nothing is under way; THRUM_EBUSY; THRUM_ECANCELED
 *
 * asyncio: DatagramProtocol.datagram_received
 */
THRUM_API thrum_awaitable thrum_test_datagram_receive(thrum_test_datagrams *end, void *buffer,
                                                      size_t size) THRUM_MUST_USE_;

/**
 * Give an end back. What it has sent still arrives.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param end  owned; NULL does nothing. No task waits there. Not to be used afterwards.
 *
 * asyncio: DatagramTransport.close
 */
THRUM_API void thrum_test_datagram_release(thrum_test_datagrams *end);

THRUM_END_DECLS

#endif
