/* What the tests of streams share: a loop that must end with nothing left, sockets whose other end is a plain
 * descriptor, and system calls that are counted, cut short or made to fail (calls.c). */
#ifndef TEST_NET_SUPPORT_H
#define TEST_NET_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <eager.h>
#include <test.h>
#include <thrum.h>

/* Whether what only Linux has is used. */
#ifdef THRUM_PORTABLE
enum { linux_only = false };
#else
enum { linux_only = true };
#endif

/* ---- system calls (calls.c) ---- */

typedef struct call_plan {
    int count;      /* calls so far */
    size_t most;    /* bytes that one may move; 0: any number */
    int fail;       /* errno of the next `failures` calls, or 0 */
    int failures;   /* how many; -1: all */
    int after;      /* calls that go through before the first failure */
    size_t moved;   /* bytes so far */
    bool swallowed; /* send() only says that it sent: the peer takes all at once */
} call_plan;

extern call_plan calls_send, calls_recv, calls_accept, calls_epoll_ctl, calls_epoll_wait;
void calls_clear(void);

/* ---- a loop a test ---- */

static inline int count_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 256; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

static inline void run(thrum_awaitable (*test)(void))
{
    thrum_pool_stats stats;
    thrum_loop *loop;
    int before = count_descriptors();
    calls_clear();
    CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
    eager_prepare(loop);
    CHECK_EQ(thrum_loop_run_until_complete(loop, test(), NULL), 0);
    calls_clear();
    CHECK_EQ(thrum_loop_close(loop), 0);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
    CHECK_EQ(count_descriptors(), before);
}

/* A test that is an async function: NET_TEST(suite, name, LOCALS(...)) { ASYNC_BEGIN; ... ASYNC_END; } */
#define NET_TEST(suite, name, ...)                                                                                     \
    static thrum_awaitable suite##_##name##_test(void);                                                                \
    TEST(suite, name)                                                                                                  \
    {                                                                                                                  \
        run(suite##_##name##_test);                                                                                    \
    }                                                                                                                  \
    static ASYNC(suite##_##name##_test, ARGS_NONE, __VA_ARGS__)

/* ---- sockets ---- */

/* A stream, and the descriptor at its other end, which does not block. */
typedef struct pair {
    thrum_stream *stream;
    int peer;
} pair;

static inline pair pair_with(const thrum_stream_options *options)
{
    int ends[2];
    pair made;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    CHECK_EQ(thrum_stream_adopt(&made.stream, ends[0], options), 0);
    made.peer = ends[1];
    return made;
}

static inline pair pair_open(void)
{
    return pair_with(NULL);
}

static inline void pair_close(pair *both)
{
    thrum_stream_release(both->stream);
    if (both->peer >= 0)
        close(both->peer);
    both->stream = NULL;
    both->peer = -1;
}

static inline void peer_send(const pair *both, const char *text)
{
    CHECK_EQ(write(both->peer, text, strlen(text)), (ssize_t)strlen(text));
}

/* What has arrived at the other end, as a string; "" when there is nothing, "(end)" at end of file. */
static inline const char *peer_read(const pair *both)
{
    static char text[4096];
    ssize_t got = read(both->peer, text, sizeof text - 1);
    if (got == 0)
        return "(end)";
    text[got < 0 ? 0 : got] = '\0';
    return text;
}

/* Read and count everything that is at the other end; the bytes must be 0, 1, 2, ... 250, 0, ... from `at` on. */
static inline size_t peer_count(const pair *both, size_t at)
{
    static unsigned char bytes[65536];
    size_t total = 0;
    ssize_t got;
    while ((got = read(both->peer, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < got; i++, total++)
            CHECK_EQ(bytes[i], (at + total) % 251);
    return total;
}

/* Such bytes. */
static inline char *counted(size_t size)
{
    char *bytes = (char *)malloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(unsigned char)(i % 251);
    return bytes;
}

static inline int64_t error_number(void)
{
    const thrum_error *error = thrum_error_last();
    return error ? error->number : -1;
}

/* ---- tasks that do one thing ---- */

typedef struct outcome {
    int error;
    long value;
    int64_t number;
    bool over;
} outcome;

/* Await something and note how it went; a cancellation too. */
static inline thrum_awaitable note_outcome(thrum_awaitable what, outcome *to);
static ASYNC(note_outcome_, ARGS((thrum_awaitable, what), (outcome *, to)), LOCALS(int error; long value;),
             ON_DROP(thrum_drop(self->what);))
{
    const thrum_error *detail;
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL_INTO(self->error, self->value, self->what);
    if (self->error == THRUM_ECANCELED)
        thrum_uncancel();
    detail = thrum_error_last();
    self->to->error = self->error;
    self->to->value = self->value;
    self->to->number = detail && detail->code == self->error ? detail->number : -1;
    self->to->over = true;
    ASYNC_END;
}
static inline thrum_awaitable note_outcome(thrum_awaitable what, outcome *to)
{
    return note_outcome_(what, to);
}

/* Begin to await something in a task of its own, which runs to where it waits. */
static inline thrum_task *begin(thrum_awaitable what, outcome *to)
{
    memset(to, 0, sizeof *to);
    return thrum_spawn_eager(note_outcome(what, to));
}

#endif
