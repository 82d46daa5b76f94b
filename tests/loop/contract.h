/* What doc/backends.md and thrum/backends.h ask of a backend: each test runs over libev with each of its pollers, over
 * a guest in a libev loop, over virtual time where it applies, and over the example of doc/backends.md, which is cut
 * out of there. Another backend needs a line among the kinds and one in CONTRACT. */
#ifndef TEST_LOOP_CONTRACT_H
#define TEST_LOOP_CONTRACT_H

#include "support.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "poll_backend.h"

typedef struct contract {
    thrum_loop_options options;
    bool without_descriptors; /* nor does it wait for those who do not say that they will come */
    bool guest;
    struct ev_loop *ev; /* the application's, of a guest */
    thrum_loop *loop;
} contract;

static THRUM_UNUSED_ const contract select_kind = {.options = {.poller = THRUM_POLLER_SELECT}};
static THRUM_UNUSED_ const contract poll_kind = {.options = {.poller = THRUM_POLLER_POLL}};
#ifdef __linux__
static THRUM_UNUSED_ const contract best_kind = {.options = {.poller = THRUM_POLLER_EPOLL}};
#else
static THRUM_UNUSED_ const contract best_kind = {.options = {.poller = THRUM_POLLER_KQUEUE}};
#endif
static THRUM_UNUSED_ const contract guest_kind = {.guest = true};
static THRUM_UNUSED_ const contract sim_kind = {.options = {.backend = THRUM_BACKEND_SIM}, .without_descriptors = true};
static THRUM_UNUSED_ const contract example_kind = {.options = {.custom = &poll_backend}};

static inline int try_to_open(contract *here)
{
    here->options.size = sizeof here->options;
    if (!here->guest)
        return thrum_loop_new(&here->loop, &here->options);
    if (!here->ev)
        here->ev = ev_loop_new(EVFLAG_AUTO);
    return thrum_loop_from_ev(&here->loop, here->ev);
}

static inline void begin(contract *here)
{
    CHECK_EQ(try_to_open(here), 0);
}

static inline void end(contract *here)
{
    close_loop(here->loop);
    if (here->ev)
        ev_loop_destroy(here->ev);
}

#ifndef CONTRACT_LIMIT
#define CONTRACT_LIMIT 20
#endif

#define ONE(what, kind)                                                                                                \
    TEST_LIMIT(kind, what, CONTRACT_LIMIT)                                                                             \
    {                                                                                                                  \
        contract here = kind##_kind;                                                                                   \
        begin(&here);                                                                                                  \
        what(&here);                                                                                                   \
        end(&here);                                                                                                    \
    }

/* A test for each of them that watches descriptors; and for each of all. `here->loop` is open, and is closed
 * afterwards. */
#define CONTRACT_IO(what)                                                                                              \
    static void what(contract *here);                                                                                  \
    ONE(what, select)                                                                                                  \
    ONE(what, poll)                                                                                                    \
    ONE(what, best)                                                                                                    \
    ONE(what, guest)                                                                                                   \
    ONE(what, example)                                                                                                 \
    static void what(contract *here)

#define CONTRACT(what)                                                                                                 \
    static void what(contract *here);                                                                                  \
    ONE(what, sim)                                                                                                     \
    CONTRACT_IO(what)

static inline void run(contract *here, thrum_awaitable what)
{
    CHECK_EQ(thrum_loop_run_until_complete(here->loop, what, NULL), 0);
}

typedef struct channel {
    int ends[2];
} channel;

static inline channel channel_open(void)
{
    channel made;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, made.ends), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(fcntl(made.ends[i], F_SETFL, O_NONBLOCK), 0);
    return made;
}

static inline void channel_close(channel *pair)
{
    close(pair->ends[0]);
    close(pair->ends[1]);
}

static inline void put(int descriptor)
{
    CHECK_EQ(write(descriptor, "x", 1), 1);
}

static inline void take(int descriptor)
{
    char byte;
    CHECK_EQ(read(descriptor, &byte, 1), 1);
}

/* The lowest number that a new descriptor gets. */
static inline int lowest(void)
{
    int descriptor = dup(0);
    CHECK_GE(descriptor, 0);
    close(descriptor);
    return descriptor;
}

static inline void count(thrum_handle *handle)
{
    ++*(unsigned *)handle->context;
}

/* ---- what several tests use ---- */

typedef struct poster {
    thrum_post post;
    thrum_loop *loop;
    unsigned calls;
    bool errno_stays;
} poster;

static inline void stop_after_call(thrum_post *post)
{
    ((poster *)post->context)->calls++;
    thrum_loop_stop(thrum_loop_running());
}

static inline void *post_once(void *argument)
{
    poster *mine = (poster *)argument;
    errno = 77;
    mine->errno_stays = thrum_call_soon_threadsafe(mine->loop, &mine->post) == 0 && errno == 77;
    return NULL;
}

#endif
