/* thrum_sendfile(): a file through a transport, in its place among what is written, while the protocol is quiet. */
#include "protocols.h"

#include "net/stream_output.h"

enum { LARGE = 3 * 1024 * 1024 + 17 };

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

/* Take everything at the other end until the file has been sent; `at` is where the counted bytes begin. */
static ASYNC(take_all, ARGS((int, peer), (size_t, at), (const outcome *, until)), LOCALS(pair ends; size_t total;))
{
    ASYNC_BEGIN;
    self->ends.peer = self->peer;
    while (!self->until->over) {
        self->total += peer_count(&self->ends, self->at + self->total);
        AWAIT(thrum_yield());
    }
    self->total += peer_count(&self->ends, self->at + self->total);
    ASYNC_RETURN(self->total);
    ASYNC_END;
}

#define BOTH(name)                                                                                                     \
    static thrum_awaitable name##_test(void);                                                                          \
    TEST(transport_sendfile, name)                                                                                     \
    {                                                                                                                  \
        run(name##_test);                                                                                              \
    }                                                                                                                  \
    TEST(transport_sendfile, name##_portably)                                                                          \
    {                                                                                                                  \
        stream_sendfile_portable = true;                                                                               \
        run(name##_test);                                                                                              \
        stream_sendfile_portable = false;                                                                              \
    }                                                                                                                  \
    static ASYNC(name##_test, ARGS_NONE,                                                                               \
                 LOCALS(noted what; wire both; int file, error; outcome sent; thrum_task * task; size_t got;))

/* test_sendfile, _partial, _for_closing_transp; test_sendfile_prevents_bare_write: what was written before comes first,
 * a write meanwhile is refused, input waits, the file's position stays. */
BOTH(in_its_place)
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    self->file = file_of(LARGE);
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(thrum_transport_write(self->both.transport, "\0\1\2\3", 4), 0);
    self->task = begin(thrum_sendfile(self->both.transport, self->file, 4, SIZE_MAX, true), &self->sent);
    CHECK(!self->sent.over);
    CHECK_EQ(thrum_transport_write(self->both.transport, "x", 1), THRUM_ESTATE);
    CHECK_EQ(thrum_transport_write_vectors(self->both.transport, &(thrum_slice){"x", 1}, 1), THRUM_ESTATE);
    CHECK(!thrum_transport_is_reading(self->both.transport));
    CHECK_EQ(write(self->both.peer, "hello", 5), 5);
    AWAIT_CATCH(self->error, thrum_sendfile(self->both.transport, self->file, 0, 1, true));
    CHECK_EQ(self->error, THRUM_ESTATE);
    CHECK_EQ(thrum_stream_of_transport(&(thrum_stream *){NULL}, self->both.transport), THRUM_EBUSY);
    AWAIT(thrum_yield());
    CHECK_STR(self->what.calls, "M");
    AWAIT_INTO(self->got, take_all(self->both.peer, 0, &self->sent));
    CHECK_EQ(self->got, LARGE);
    CHECK_EQ(self->sent.error, 0);
    CHECK_EQ(self->sent.value, LARGE - 4);
    CHECK_EQ(lseek(self->file, 0, SEEK_CUR), 7);
    AWAIT(until_bytes(&self->what, 5));
    CHECK(thrum_transport_is_reading(self->both.transport));
    CHECK_STR(self->what.calls, "Md");
    CHECK_EQ(thrum_transport_write(self->both.transport, "then", 4), 0);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_STR(peer_read(&(pair){.peer = self->both.peer}), "then");
    /* Paused before, it stays so. */
    thrum_transport_pause_reading(self->both.transport);
    AWAIT_INTO(self->got, thrum_sendfile(self->both.transport, self->file, 1, 100, true));
    CHECK_EQ(self->got, 100);
    CHECK(!thrum_transport_is_reading(self->both.transport));
    thrum_transport_close(self->both.transport);
    AWAIT_CATCH(self->error, thrum_sendfile(self->both.transport, self->file, 0, 1, true));
    CHECK_EQ(self->error, THRUM_ECLOSED);
FINALLY:
    thrum_task_release(self->task);
    close(self->file);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* A protocol that was paused goes on only when the file is through. */
BOTH(resumes_afterwards)
{
    char *bytes;
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    self->file = file_of(LARGE);
    AWAIT(until_told(&self->what, 1));
    bytes = counted(251 * 4000);
    CHECK_EQ(thrum_transport_write(self->both.transport, bytes, 251 * 4000), 0);
    free(bytes);
    CHECK_STR(self->what.calls, "Mp");
    self->task = begin(thrum_sendfile(self->both.transport, self->file, 0, LARGE, true), &self->sent);
    while (self->got < 251 * 8000) {
        self->got += peer_count(&(pair){.peer = self->both.peer}, self->got);
        CHECK_STR(self->what.calls, "Mp");
        AWAIT(thrum_yield());
    }
    AWAIT(take_all(self->both.peer, self->got, &self->sent));
    CHECK_EQ(self->sent.value, LARGE);
    AWAIT(until_told(&self->what, 3));
    CHECK_STR(self->what.calls, "Mpr");
FINALLY:
    thrum_task_release(self->task);
    close(self->file);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* test_sendfile_close_peer_in_the_middle_of_receiving: the error, with how much was sent, and connection_lost has
 * it. */
BOTH(peer_goes)
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    self->file = file_of(LARGE);
    AWAIT(until_told(&self->what, 1));
    self->task = begin(thrum_sendfile(self->both.transport, self->file, 0, LARGE, true), &self->sent);
    close(self->both.peer);
    self->both.peer = -1;
    AWAIT(self->task);
    CHECK_EQ(self->sent.error, -EPIPE);
    CHECK_GT(self->sent.number, 0);
    CHECK_LT(self->sent.number, LARGE);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "ML");
    CHECK_EQ(self->what.error, -EPIPE);
FINALLY:
    thrum_task_release(self->task);
    close(self->file);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* Cancelled, aborted and closed meanwhile: the rest is not sent, and the transport is as it was or at its end. */
BOTH(ends_early)
{
    int way;
    ASYNC_BEGIN;
    self->file = file_of(LARGE);
    for (self->got = 0; self->got < 3; self->got++) {
        memset(&self->what, 0, sizeof self->what);
        self->both = wire_open(&self->what);
        AWAIT(until_told(&self->what, 1));
        self->task = begin(thrum_sendfile(self->both.transport, self->file, 0, LARGE, true), &self->sent);
        way = (int)self->got;
        if (way == 0)
            thrum_task_cancel(self->task);
        else if (way == 1)
            thrum_transport_abort(self->both.transport);
        else
            thrum_transport_close(self->both.transport);
        AWAIT(self->task);
        thrum_task_release(self->task);
        self->task = NULL;
        CHECK_EQ(self->sent.error, self->got ? THRUM_ECLOSED : THRUM_ECANCELED);
        CHECK_GT(self->sent.number, 0);
        CHECK_EQ(thrum_transport_is_reading(self->both.transport), self->got == 0);
        AWAIT(wire_close(&self->both, &self->what));
        CHECK_STR(self->what.calls, "ML");
    }
FINALLY:
    close(self->file);
    ASYNC_END;
}

/* test_sendfile_no_fallback_for_fallback_transport and the native path: without a fallback what sendfile(2) cannot do
 * is refused, and nothing was sent. */
NET_TEST(transport_sendfile, without_fallback,
         LOCALS(noted what; wire both; int file, ends[2], error; outcome sent; thrum_task * task; size_t got;))
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    self->file = file_of(LARGE);
    AWAIT(until_told(&self->what, 1));
#ifndef THRUM_PORTABLE
    AWAIT_INTO(self->got, thrum_sendfile(self->both.transport, self->file, 0, 4, false));
    CHECK_EQ(self->got, 4);
    CHECK_EQ(calls_send.count, 0);
    self->task = begin(thrum_sendfile(self->both.transport, self->file, 4, LARGE, false), &self->sent);
    AWAIT_INTO(self->got, take_all(self->both.peer, 0, &self->sent));
    CHECK_EQ(self->got, LARGE);
    thrum_task_release(self->task);
    CHECK_EQ(calls_send.count, 0);
#endif
    stream_sendfile_portable = true;
    AWAIT_CATCH(self->error, thrum_sendfile(self->both.transport, self->file, 0, LARGE, false));
    CHECK_EQ(self->error, THRUM_EUNSUPPORTED);
    stream_sendfile_portable = false;
    CHECK_EQ(pipe(self->ends), 0); /* sendfile(2) does not read from a pipe at an offset */
    AWAIT_CATCH(self->error, thrum_sendfile(self->both.transport, self->ends[0], 0, 5, false));
    CHECK_LT(self->error, 0);
    CHECK_STR(peer_read(&(pair){.peer = self->both.peer}), "");
    AWAIT_CATCH(self->error, thrum_sendfile(self->both.transport, -1, 0, 5, true));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_CATCH(self->error, thrum_sendfile(self->both.transport, self->ends[0], 0, 5, true));
    CHECK_EQ(self->error, -ESPIPE);
    CHECK(!thrum_transport_is_closing(self->both.transport));
    CHECK_EQ(thrum_transport_write_eof(self->both.transport), 0);
    AWAIT_CATCH(self->error, thrum_sendfile(self->both.transport, self->file, 0, 5, true));
    CHECK_EQ(self->error, THRUM_ESTATE);
FINALLY:
    close(self->file);
    close(self->ends[0]);
    close(self->ends[1]);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* test_sendfile_not_supported, and through a pipe: nothing through a read end, by the fallback into a write end. */
NET_TEST(transport_sendfile, pipes,
         LOCALS(noted in, out; thrum_transport * reads, *writes; int ends[2], file, error; size_t got;))
{
    ASYNC_BEGIN;
    CHECK_EQ(pipe(self->ends), 0);
    self->file = file_of(3000);
    AWAIT_INTO(self->reads, thrum_connect_read_pipe(factory_noting, &self->in, self->ends[0]));
    AWAIT_INTO(self->writes, thrum_connect_write_pipe(factory_noting, &self->out, self->ends[1]));
    AWAIT_CATCH(self->error, thrum_sendfile(self->reads, self->file, 0, 3000, true));
    CHECK_EQ(self->error, THRUM_EUNSUPPORTED);
    AWAIT_CATCH(self->error, thrum_sendfile(self->writes, self->file, 0, 3000, false));
    CHECK_EQ(self->error, THRUM_EUNSUPPORTED);
    AWAIT_INTO(self->got, thrum_sendfile(self->writes, self->file, 0, 3000, true));
    CHECK_EQ(self->got, 3000);
    AWAIT(until_bytes(&self->in, 3000));
    thrum_transport_close(self->writes);
    AWAIT(until_lost(&self->in));
    CHECK_STR(self->in.calls + strlen(self->in.calls) - 2, "eL");
    AWAIT(until_lost(&self->out));
    thrum_transport_release(self->reads);
    thrum_transport_release(self->writes);
    close(self->file);
    ASYNC_END;
}
