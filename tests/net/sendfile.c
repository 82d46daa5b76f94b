/* thrum_stream_sendfile(): what arrives, in which order, and what it says when something ends early. Each case runs
 * with sendfile(2) and without. */
#include "support.h"

#include <signal.h>

#include "net/stream_output.h"

enum { LARGE = 3 * 1024 * 1024 + 17, SHORT = 1000 };

/* A file without a name, of counted bytes; its position is at 7. */
static int file_of(size_t size)
{
    char name[] = "/tmp/thrum-sendfile-XXXXXX", *bytes = counted(size);
    int file = mkstemp(name);
    CHECK_GE(file, 0);
    CHECK_EQ(unlink(name), 0);
    CHECK_EQ(write(file, bytes, size), (ssize_t)size);
    CHECK_EQ(lseek(file, 7, SEEK_SET), 7);
    free(bytes);
    return file;
}

/* Read the other end to the end of this: `at` is where the counted bytes begin. */
static ASYNC(take_all, ARGS((const pair *, ends), (size_t, at), (const outcome *, until)), LOCALS(size_t total;))
{
    ASYNC_BEGIN;
    while (!self->until->over) {
        self->total += peer_count(self->ends, self->at + self->total);
        AWAIT(thrum_yield());
    }
    self->total += peer_count(self->ends, self->at + self->total);
    ASYNC_RETURN(self->total);
    ASYNC_END;
}

#define BOTH(name)                                                                                                     \
    static thrum_awaitable name##_test(void);                                                                          \
    TEST(sendfile, name)                                                                                               \
    {                                                                                                                  \
        run(name##_test);                                                                                              \
    }                                                                                                                  \
    TEST(sendfile, name##_portably)                                                                                    \
    {                                                                                                                  \
        stream_sendfile_portable = true;                                                                               \
        run(name##_test);                                                                                              \
        stream_sendfile_portable = false;                                                                              \
    }                                                                                                                  \
    static ASYNC(name##_test, ARGS_NONE,                                                                               \
                 LOCALS(pair ends; int file; outcome sent, written; thrum_task * task, *other; size_t got;))

BOTH(sends_a_large_file)
{
    ASYNC_BEGIN;
    self->ends = pair_open();
    self->file = file_of(LARGE);
    self->task = begin(thrum_stream_sendfile(self->ends.stream, self->file, 0, LARGE), &self->sent);
    CHECK(!self->sent.over);
    AWAIT_INTO(self->got, take_all(&self->ends, 0, &self->sent));
    CHECK_EQ(self->sent.error, 0);
    CHECK_EQ(self->sent.value, LARGE);
    CHECK_EQ(self->got, LARGE);
    CHECK_EQ(lseek(self->file, 0, SEEK_CUR), 7);
FINALLY:
    thrum_task_release(self->task);
    close(self->file);
    pair_close(&self->ends);
    ASYNC_END;
}

BOTH(ends_where_the_file_ends)
{
    ASYNC_BEGIN;
    self->ends = pair_open();
    self->file = file_of(LARGE);
    self->task = begin(thrum_stream_sendfile(self->ends.stream, self->file, 251 * 1000, SIZE_MAX), &self->sent);
    AWAIT_INTO(self->got, take_all(&self->ends, 0, &self->sent));
    CHECK_EQ(self->sent.value, LARGE - 251 * 1000);
    CHECK_EQ(self->got, LARGE - 251 * 1000);
    AWAIT_INTO(self->got, thrum_stream_sendfile(self->ends.stream, self->file, LARGE, 5));
    CHECK_EQ(self->got, 0);
    AWAIT_INTO(self->got, thrum_stream_sendfile(self->ends.stream, self->file, 0, 0));
    CHECK_EQ(self->got, 0);
FINALLY:
    thrum_task_release(self->task);
    close(self->file);
    pair_close(&self->ends);
    ASYNC_END;
}

/* The head that was collected and the short file go out together. */
BOTH(follows_what_was_written)
{
    ASYNC_BEGIN;
    self->ends = pair_open();
    self->file = file_of(SHORT);
    calls_clear();
    AWAIT(thrum_stream_write(self->ends.stream, "head", 4));
    CHECK_STR(peer_read(&self->ends), "");
    AWAIT_INTO(self->got, thrum_stream_sendfile(self->ends.stream, self->file, 0, SHORT));
    CHECK_EQ(self->got, SHORT);
    CHECK_EQ(calls_send.count, 1);
    AWAIT(thrum_stream_write(self->ends.stream, "tail", 4));
    AWAIT(thrum_stream_flush(self->ends.stream));
    char text[2 * SHORT];
    CHECK_EQ(read(self->ends.peer, text, sizeof text), SHORT + 8);
    CHECK_MEM(text, "head\0\1\2\3", 8);
    CHECK_MEM(text + 4 + SHORT, "tail", 4);
FINALLY:
    close(self->file);
    pair_close(&self->ends);
    ASYNC_END;
}

/* One that did not wait leaves its task as it was: a yield that follows comes back. */
BOTH(yields_afterwards)
{
    ASYNC_BEGIN;
    self->ends = pair_open();
    self->file = file_of(SHORT);
    AWAIT_INTO(self->got, thrum_stream_sendfile(self->ends.stream, self->file, 0, SHORT));
    CHECK_EQ(self->got, SHORT);
    AWAIT(thrum_yield());
    CHECK_EQ(peer_count(&self->ends, 0), SHORT);
FINALLY:
    close(self->file);
    pair_close(&self->ends);
    ASYNC_END;
}

/* Writers wait in one queue: a file is not cut in two by a write, nor a write by a file. */
BOTH(keeps_its_place_among_writers)
{
    size_t total = 0;
    ssize_t got;
    static char bytes[LARGE + 400000];
    ASYNC_BEGIN;
    self->ends = pair_open();
    self->file = file_of(LARGE);
    memset(bytes, 'x', 400000);
    self->other = begin(thrum_stream_write(self->ends.stream, bytes, 400000), &self->written);
    self->task = begin(thrum_stream_sendfile(self->ends.stream, self->file, 0, LARGE), &self->sent);
    CHECK(!self->written.over && !self->sent.over);
    for (self->got = 0; self->got < 400000;) {
        size_t room = 400000 - self->got < 4096 ? 400000 - self->got : 4096;
        got = read(self->ends.peer, bytes + 100000, room);
        for (ssize_t i = 0; i < got; i++)
            CHECK_EQ(bytes[100000 + i], 'x');
        self->got += got > 0 ? (size_t)got : 0;
        AWAIT(thrum_yield());
    }
    AWAIT_INTO(self->got, take_all(&self->ends, 0, &self->sent));
    total = self->got;
    CHECK_EQ(total, LARGE);
    CHECK_EQ(self->written.value, 400000);
FINALLY:
    thrum_task_release(self->task);
    thrum_task_release(self->other);
    close(self->file);
    pair_close(&self->ends);
    ASYNC_END;
}

BOTH(says_how_much_a_cancelled_one_sent)
{
    size_t got;
    ASYNC_BEGIN;
    self->ends = pair_open();
    self->file = file_of(LARGE);
    self->task = begin(thrum_stream_sendfile(self->ends.stream, self->file, 0, LARGE), &self->sent);
    AWAIT(thrum_yield());
    got = peer_count(&self->ends, 0);
    self->got = got;
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    CHECK_EQ(self->sent.error, THRUM_ECANCELED);
    self->got += peer_count(&self->ends, self->got);
    CHECK_EQ(self->sent.number, self->got);
    CHECK_LT(self->got, LARGE);
    CHECK_GT(self->got, 0);
    AWAIT(thrum_stream_write(self->ends.stream, "on", 2));
    AWAIT(thrum_stream_flush(self->ends.stream));
    CHECK_STR(peer_read(&self->ends), "on");
FINALLY:
    thrum_task_release(self->task);
    close(self->file);
    pair_close(&self->ends);
    ASYNC_END;
}

/* The disposition of SIGPIPE is the default here: a signal would end this test. */
BOTH(fails_when_the_peer_is_gone)
{
    sigset_t blocked;
    ASYNC_BEGIN;
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    self->ends = pair_open();
    self->file = file_of(LARGE);
    close(self->ends.peer);
    self->ends.peer = -1;
    AWAIT_CATCH_INTO(self->sent.error, self->got, thrum_stream_sendfile(self->ends.stream, self->file, 0, LARGE));
    CHECK_EQ(self->sent.error, -EPIPE);
    CHECK_EQ(error_number(), 0);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &blocked), 0);
    CHECK(!sigismember(&blocked, SIGPIPE));
FINALLY:
    close(self->file);
    pair_close(&self->ends);
    ASYNC_END;
}

BOTH(leaves_the_connection_when_the_file_fails)
{
    ASYNC_BEGIN;
    self->ends = pair_open();
    self->file = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AWAIT(thrum_stream_write(self->ends.stream, "a", 1));
    AWAIT_CATCH_INTO(self->sent.error, self->got, thrum_stream_sendfile(self->ends.stream, self->file, 0, LARGE));
    CHECK_EQ(self->sent.error, -EISDIR);
    AWAIT_CATCH_INTO(self->sent.error, self->got, thrum_stream_sendfile(self->ends.stream, self->file, 0, 10));
    CHECK_EQ(self->sent.error, -EISDIR);
    AWAIT_CATCH_INTO(self->sent.error, self->got, thrum_stream_sendfile(self->ends.stream, 9999, 0, LARGE));
    CHECK_EQ(self->sent.error, -EBADF);
    AWAIT_CATCH_INTO(self->sent.error, self->got, thrum_stream_sendfile(self->ends.stream, -1, 0, 1));
    CHECK_EQ(self->sent.error, THRUM_EINVAL);
    AWAIT(thrum_stream_write(self->ends.stream, "b", 1));
    AWAIT(thrum_stream_flush(self->ends.stream));
    CHECK_STR(peer_read(&self->ends), "ab");
    AWAIT(thrum_stream_close(self->ends.stream));
    AWAIT_CATCH_INTO(self->sent.error, self->got, thrum_stream_sendfile(self->ends.stream, self->file, 0, 1));
    CHECK_EQ(self->sent.error, THRUM_ECLOSED);
FINALLY:
    close(self->file);
    pair_close(&self->ends);
    ASYNC_END;
}

/* ---- what stands before a file ---- */

/* Both ends of a TCP connection: the stream, and a descriptor that does not block. */
static pair tcp_pair(void)
{
    pair ends = {NULL, -1};
    thrum_address address;
    int listener = thrum_sock_open(AF_INET, SOCK_STREAM), near = thrum_sock_open(AF_INET, SOCK_STREAM);
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    CHECK_EQ(thrum_address_from_ip(&address, "127.0.0.1", 0), 0);
    CHECK_EQ(bind(listener, thrum_address_raw(&address), address.size), 0);
    CHECK_EQ(listen(listener, 1), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&bound, &size), 0);
    CHECK(!connect(near, (struct sockaddr *)&bound, size) || errno == EINPROGRESS);
    ends.peer = accept(listener, NULL, NULL);
    CHECK_GE(ends.peer, 0);
    CHECK_EQ(fcntl(ends.peer, F_SETFL, O_NONBLOCK), 0);
    close(listener);
    CHECK_EQ(thrum_stream_adopt(&ends.stream, near, NULL), 0);
    return ends;
}

/* The system may hold it back for the file. When there is none after all, it leaves with the call's end. */
BOTH(nothing_is_held_back_for_a_file_that_is_over)
{
    ASYNC_BEGIN;
    self->ends = tcp_pair();
    self->file = file_of(SHORT);
    AWAIT(thrum_stream_write(self->ends.stream, "head", 4));
    AWAIT_INTO(self->got, thrum_stream_sendfile(self->ends.stream, self->file, SHORT, LARGE));
    CHECK_EQ(self->got, 0);
    CHECK_STR(peer_read(&self->ends), "head");
FINALLY:
    close(self->file);
    pair_close(&self->ends);
    ASYNC_END;
}

/* ---- what is lent ---- */

static ASYNC(fill_twice, ARGS((thrum_stream *, stream), (thrum_event *, between)),
             LOCALS(const void *data; size_t size;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->size, thrum_stream_fill(self->stream, &self->data, 1));
    CHECK_EQ(self->size, 65536);
    AWAIT(self->between);
    AWAIT_INTO(self->size, thrum_stream_fill(self->stream, &self->data, 1));
    CHECK_EQ(self->size, 65536);
    ASYNC_END;
}

/* However many waits a task has completed in a row: nobody else runs between a fill and the look at what it lent. */
NET_TEST(fill, keeps_what_it_lends_from_other_tasks,
         LOCALS(pair ends, others; thrum_event set, go; thrum_task * other; const char *data; size_t size;
                int waits, i;))
{
    static char ours[131072], theirs[131072];
    ASYNC_BEGIN;
    memset(ours, 'o', sizeof ours);
    memset(theirs, 't', sizeof theirs);
    thrum_event_set(&self->set);
    for (self->waits = 100; self->waits < 140; self->waits++) {
        self->ends = pair_open();
        self->others = pair_open();
        CHECK_EQ(write(self->others.peer, theirs, sizeof theirs), sizeof theirs);
        thrum_event_clear(&self->go);
        self->other = thrum_spawn(fill_twice(self->others.stream, &self->go));
        while (!self->go.waiters.first)
            AWAIT(thrum_yield());
        CHECK_EQ(write(self->ends.peer, ours, sizeof ours), sizeof ours);
        AWAIT_INTO(self->size, thrum_stream_fill(self->ends.stream, (const void **)&self->data, 1));
        CHECK_EQ(self->size, 65536);
        thrum_event_set(&self->go);
        for (self->i = 0; self->i < self->waits; self->i++)
            AWAIT(&self->set);
        AWAIT_INTO(self->size,
                   thrum_timeout(SECONDS(5), thrum_stream_fill(self->ends.stream, (const void **)&self->data, 1)));
        CHECK_EQ(self->size, 65536);
        for (self->i = 0; self->i < 65536; self->i++)
            CHECK_EQ(self->data[self->i], 'o');
        AWAIT(self->other);
        thrum_task_release(self->other);
        pair_close(&self->ends);
        pair_close(&self->others);
    }
    ASYNC_END;
}
