/* Transports: writing, the marks of flow control, the end of the output, losses. Numbers are those of
 * tests/net/PORTED.md. */
#include <thrum/carriers.h>

#include "protocols.h"

static struct {
    int count;
    char last[128];
} logged;

static void note_log(void *context, const char *line)
{
    (void)context;
    logged.count++;
    snprintf(logged.last, sizeof logged.last, "%s", line);
}

/* Passes until the other end has got so many bytes, counted ones. */
static ASYNC(drain, ARGS((int, peer), (size_t, from), (size_t, to)), LOCALS(pair other;))
{
    ASYNC_BEGIN;
    self->other.peer = self->peer;
    while (self->from < self->to) {
        self->from += peer_count(&self->other, self->from);
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    }
    CHECK_EQ(self->from, self->to);
    ASYNC_END;
}

/* test_write, test_write_no_data: small ones of a step leave in one call, an empty one is nothing. */
NET_TEST(transport_write, small_ones_leave_together, LOCALS(noted what; wire both;))
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    calls_clear();
    CHECK_EQ(thrum_transport_write(self->both.transport, "one", 3), 0);
    CHECK_EQ(thrum_transport_write(self->both.transport, "", 0), 0);
    CHECK_EQ(thrum_transport_write(self->both.transport, "two", 3), 0);
    CHECK_EQ(thrum_transport_get_write_buffer_size(self->both.transport), 6);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_STR(peer_read(&(pair){.peer = self->both.peer}), "onetwo");
    CHECK_EQ(calls_send.count, 1);
    CHECK_EQ(thrum_transport_get_write_buffer_size(self->both.transport), 0);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* ---- a carrier over a transport ---- */

static intptr_t receive_nothing(void *link, void *to, size_t size)
{
    (void)link, (void)to, (void)size;
    return THRUM_CARRIER_LATER;
}

static intptr_t send_on(void *link, const thrum_slice *pieces, size_t count)
{
    CHECK_EQ(count, 1);
    CHECK_EQ(thrum_transport_write((thrum_transport *)link, pieces[0].data, pieces[0].size), 0);
    return (intptr_t)pieces[0].size;
}

static void end_nothing(void *link)
{
    (void)link;
}

static void close_nothing(void *link, bool late)
{
    (void)link, (void)late;
}

static void watch_nothing(void *link, unsigned events)
{
    (void)link, (void)events;
}

static const thrum_carrier tunnel = {.size = sizeof tunnel,
                                     .receive = receive_nothing,
                                     .send = send_on,
                                     .end = end_nothing,
                                     .close = close_nothing,
                                     .watch = watch_nothing};

/* What is sent before the loop waits may be collected once more, elsewhere: that leaves before the loop waits, too. */
NET_TEST(transport_write, by_a_carrier, LOCALS(noted what; wire both; thrum_stream * streams[2]; char text[8]; int n;))
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(thrum_stream_carry(&self->streams[0], &tunnel, self->both.transport, NULL), 0);
    CHECK_EQ(thrum_stream_carry(&self->streams[1], &tunnel, self->both.transport, NULL), 0);
    AWAIT(thrum_stream_write(self->streams[0], "one", 3));
    AWAIT_INTO(self->n, thrum_timeout(SECONDS(5), thrum_sock_recv(self->both.peer, self->text, 8)));
    CHECK_EQ(self->n, 3);
    AWAIT(thrum_stream_write(self->streams[0], "two", 3));
    AWAIT(thrum_stream_write(self->streams[1], "three", 5));
    AWAIT_INTO(self->n, thrum_timeout(SECONDS(5), thrum_sock_recv(self->both.peer, self->text, 8)));
    CHECK_EQ(self->n, 8);
    thrum_stream_release(self->streams[0]);
    thrum_stream_release(self->streams[1]);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* Two writes for each. */
static intptr_t send_framed(void *link, const thrum_slice *pieces, size_t count)
{
    CHECK_EQ(thrum_transport_write((thrum_transport *)link, "<", 1), 0);
    return send_on(link, pieces, count);
}

static const thrum_carrier framing = {.size = sizeof framing,
                                      .receive = receive_nothing,
                                      .send = send_framed,
                                      .end = end_nothing,
                                      .close = close_nothing,
                                      .watch = watch_nothing};

/* What a carrier is given stays as it is while it writes elsewhere. */
NET_TEST(transport_write, by_a_carrier_that_frames,
         LOCALS(noted what; wire both; thrum_stream * stream; char text[16]; int n;))
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(thrum_stream_carry(&self->stream, &framing, self->both.transport, NULL), 0);
    AWAIT(thrum_stream_write(self->stream, "first", 5));
    AWAIT_INTO(self->n, thrum_timeout(SECONDS(5), thrum_sock_recv(self->both.peer, self->text, 16)));
    CHECK_EQ(self->n, 6);
    CHECK_MEM(self->text, "<first", 6);
    thrum_stream_release(self->stream);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* test_write_partial, test_write_ready_partial, _tryagain: whatever the system takes at a time, every byte arrives
 * once; what is written meanwhile comes behind. */
NET_TEST(transport_write, partial, LOCALS(noted what; wire both; char *bytes; size_t i, done;))
{
    ASYNC_BEGIN;
    self->bytes = counted(60000);
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    calls_send = (call_plan){.most = 777, .fail = EAGAIN, .failures = 3, .after = 2};
    for (self->done = 0; self->done < 60000; self->done += self->i) {
        self->i = self->done % 3 == 0 ? 5000 : 10;
        if (self->i > 60000 - self->done)
            self->i = 60000 - self->done;
        CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes + self->done, self->i), 0);
    }
    free(self->bytes);
    AWAIT(drain(self->both.peer, 0, 60000));
    CHECK_STR(self->what.calls, "M");
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* test_write_sendmsg_full, _partial, _half_buffer: several pieces, as one. */
NET_TEST(transport_write, vectors, LOCALS(noted what; wire both; char *bytes; thrum_slice slices[200]; int i, round;))
{
    ASYNC_BEGIN;
    self->bytes = counted(251 * 200);
    for (self->i = 0; self->i < 200; self->i++)
        self->slices[self->i] = (thrum_slice){self->bytes + 251 * self->i, 251};
    self->slices[3].size = 0;
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    for (self->round = 0; self->round < 3; self->round++) {
        calls_send = (call_plan){.most = self->round ? 1000 : 0, .fail = EAGAIN, .failures = self->round, .after = 1};
        CHECK_EQ(thrum_transport_write_vectors(self->both.transport, self->slices, self->round == 2 ? 5 : 200), 0);
        AWAIT(drain(self->both.peer, 0, 251 * (self->round == 2 ? 4 : 199)));
    }
    CHECK_EQ(thrum_transport_write_vectors(self->both.transport, self->slices, 0), 0);
    CHECK_EQ(thrum_transport_write_vectors(self->both.transport, self->slices + 3, 1), 0);
    free(self->bytes);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* 131: pause_writing comes once from inside of the write that goes above the high mark, resume_writing once at the low
 * one. */
NET_TEST(transport_write, marks, LOCALS(noted what; wire both; char *bytes; size_t low, high, size;))
{
    ASYNC_BEGIN;
    self->bytes = counted(4000000);
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    thrum_transport_get_write_buffer_limits(self->both.transport, &self->low, &self->high);
    CHECK_EQ(self->low, 16384);
    CHECK_EQ(self->high, 65536);
    while (thrum_transport_get_write_buffer_size(self->both.transport) <= 65536) {
        CHECK_STR(self->what.calls, "M");
        CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes + self->size, 20080), 0);
        self->size += 20080;
    }
    CHECK_STR(self->what.calls, "Mp");
    CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes + self->size, 100), 0);
    self->size += 100;
    CHECK_STR(self->what.calls, "Mp");
    free(self->bytes);
    while (!strchr(self->what.calls, 'r')) {
        char rest[4096];
        while (read(self->both.peer, rest, sizeof rest) > 0)
            continue;
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    }
    CHECK_STR(self->what.calls, "Mpr");
    CHECK_LE(thrum_transport_get_write_buffer_size(self->both.transport), 16384);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* test_set_write_buffer_limits and asyncio's numbers: what goes with what, and what cannot be. */
NET_TEST(transport_write, limits, LOCALS(noted what; wire both; size_t low, high;))
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
#define LIMITS(set_high, set_low, want_high, want_low)                                                                 \
    do {                                                                                                               \
        CHECK_EQ(thrum_transport_set_write_buffer_limits(self->both.transport, set_high, set_low), 0);                 \
        thrum_transport_get_write_buffer_limits(self->both.transport, &self->low, &self->high);                        \
        CHECK_EQ(self->high, want_high);                                                                               \
        CHECK_EQ(self->low, want_low);                                                                                 \
    } while (0)
    LIMITS(1024, 128, 1024, 128);
    LIMITS(1024, THRUM_MARK_DEFAULT, 1024, 256);
    LIMITS(THRUM_MARK_DEFAULT, 1024, 4096, 1024);
    LIMITS(0, THRUM_MARK_DEFAULT, 0, 0);
    LIMITS(0, 0, 0, 0);
    LIMITS(THRUM_MARK_DEFAULT, THRUM_MARK_DEFAULT, 65536, 16384);
    CHECK_EQ(thrum_transport_set_write_buffer_limits(self->both.transport, 2, 3), THRUM_EINVAL);
    CHECK_EQ(thrum_transport_set_write_buffer_limits(self->both.transport, 0, 1), THRUM_EINVAL);
    LIMITS(THRUM_MARK_DEFAULT, 0, 0, 0);
    thrum_transport_get_write_buffer_limits(self->both.transport, NULL, NULL);
    /* With a high mark of 0 nothing is told as long as the system takes all of it. */
    CHECK_EQ(thrum_transport_write(self->both.transport, "one", 3), 0);
    CHECK_STR(self->what.calls, "M");
    CHECK_STR(peer_read(&(pair){.peer = self->both.peer}), "one");
    AWAIT(wire_close(&self->both, &self->what));
    CHECK_STR(self->what.calls, "ML");
    ASYNC_END;
}

/* Marks that are set lower than what is unsent pause at once (3.12). */
NET_TEST(transport_write, limits_pause, LOCALS(noted what; wire both; char *bytes;))
{
    ASYNC_BEGIN;
    self->bytes = counted(1000);
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    calls_send = (call_plan){.fail = EAGAIN, .failures = -1};
    CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes, 1000), 0);
    CHECK_STR(self->what.calls, "M");
    CHECK_EQ(thrum_transport_set_write_buffer_limits(self->both.transport, 500, 100), 0);
    CHECK_STR(self->what.calls, "Mp");
    CHECK_EQ(thrum_transport_set_write_buffer_limits(self->both.transport, 400, 100), 0);
    CHECK_STR(self->what.calls, "Mp");
    free(self->bytes);
    calls_clear();
    AWAIT(drain(self->both.peer, 0, 1000));
    AWAIT(until_told(&self->what, 3));
    CHECK_STR(self->what.calls, "Mpr");
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

static char *plenty;
static int resumed;

/* 131: resume_writing writes on, and is paused again from inside of it. */
static void write_on(void *context)
{
    noted *to = (noted *)context;
    note_call(to, 'r');
    if (++resumed < 3)
        CHECK_EQ(thrum_transport_write(to->transport, plenty, 1000000), 0);
}

NET_TEST(transport_write, resume_writes_on, LOCALS(noted what; wire both; thrum_protocol protocol; size_t got;))
{
    ASYNC_BEGIN;
    plenty = counted(1000000);
    self->protocol = noting;
    self->protocol.resume_writing = write_on;
    self->both = wire_with(&self->protocol, &self->what, NULL);
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(thrum_transport_write(self->both.transport, plenty, 1000000), 0);
    while (self->got < 3000000) {
        char rest[4096];
        ssize_t part;
        while ((part = read(self->both.peer, rest, sizeof rest)) > 0)
            self->got += (size_t)part;
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    }
    free(plenty);
    AWAIT(until_told(&self->what, 7));
    CHECK_STR(self->what.calls, "Mprprpr");
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* test_write_exception; 130: a write that fails ends the connection with its error, asynchronously; writes after it are
 * dropped, and from the fifth on each says so in the log. */
NET_TEST(transport_write, lost, LOCALS(noted what; wire both; int i;))
{
    ASYNC_BEGIN;
    memset(&logged, 0, sizeof logged);
    thrum_log_set(note_log, NULL);
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    close(self->both.peer);
    self->both.peer = -1;
    thrum_transport_pause_reading(self->both.transport); /* or the end is seen first */
    CHECK_EQ(thrum_transport_set_write_buffer_limits(self->both.transport, 0, 0), 0);
    CHECK_EQ(thrum_transport_write(self->both.transport, "lost", 4), 0);
    CHECK_STR(self->what.calls, "M");
    CHECK(thrum_transport_is_closing(self->both.transport));
    calls_clear();
    for (self->i = 0; self->i < 4; self->i++)
        CHECK_EQ(thrum_transport_write(self->both.transport, "more", 4), 0);
    CHECK_EQ(logged.count, 0);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "ML");
    CHECK_EQ(self->what.error, -EPIPE);
    CHECK_EQ(thrum_transport_write(self->both.transport, "more", 4), 0);
    CHECK_EQ(logged.count, 1);
    CHECK_STR(logged.last, "a write to a connection that is lost");
    CHECK_EQ(thrum_transport_write_vectors(self->both.transport, &(thrum_slice){"more", 4}, 1), 0);
    CHECK_EQ(logged.count, 2);
    CHECK_EQ(calls_send.count, 0);
    thrum_log_set(NULL, NULL);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

static void write_there(noted *to)
{
    CHECK_EQ(thrum_transport_write(to->transport, "late", 4), 0);
}

/* 130: a write in connection_lost does no harm, one in data_received leaves when that has returned. */
NET_TEST(transport_write, in_calls, LOCALS(noted what; wire both;))
{
    ASYNC_BEGIN;
    self->what.told = self->what.lost = write_there;
    self->both = wire_open(&self->what);
    CHECK_EQ(write(self->both.peer, "x", 1), 1);
    AWAIT(until_bytes(&self->what, 1));
    CHECK_STR(peer_read(&(pair){.peer = self->both.peer}), "late");
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* The error of a write that was collected, and is only met when it is sent. */
NET_TEST(transport_write, lost_when_collected, LOCALS(noted what; wire both;))
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(thrum_transport_write(self->both.transport, "lost", 4), 0);
    calls_send = (call_plan){.fail = ECONNRESET, .failures = -1};
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "ML");
    CHECK_EQ(self->what.error, -ECONNRESET);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* test_write_eof, test_write_eof_buffer, test_write_eof_after_close; 135: the end comes behind what was written, later
 * writes are refused, reading goes on. */
NET_TEST(transport_write, write_eof, LOCALS(noted what; wire both; char *bytes; pair peer;))
{
    ASYNC_BEGIN;
    self->bytes = counted(2000000);
    self->both = wire_open(&self->what);
    self->peer.peer = self->both.peer;
    AWAIT(until_told(&self->what, 1));
    CHECK(thrum_transport_can_write_eof(self->both.transport));
    CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes, 2000000), 0);
    free(self->bytes);
    CHECK_EQ(thrum_transport_write_eof(self->both.transport), 0);
    CHECK_EQ(thrum_transport_write_eof(self->both.transport), 0);
    CHECK_EQ(thrum_transport_write(self->both.transport, "x", 1), THRUM_ESTATE);
    AWAIT(drain(self->both.peer, 0, 2000000));
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_STR(peer_read(&self->peer), "(end)");
    CHECK_EQ(write(self->both.peer, "hello", 5), 5);
    AWAIT(until_bytes(&self->what, 5));
    CHECK_STR(self->what.data, "hello");
    CHECK(!thrum_transport_is_closing(self->both.transport));
    thrum_transport_close(self->both.transport);
    CHECK_EQ(thrum_transport_write_eof(self->both.transport), 0);
    AWAIT(until_lost(&self->what));
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* The close deadline: a peer that takes nothing does not keep a closed connection for ever. */
NET_TEST(transport_write, deadline, LOCALS(noted what; wire both; char *bytes; thrum_stream_options options;))
{
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.close_deadline = MILLISECONDS(20);
    self->bytes = counted(3000000);
    self->both = wire_with(&noting, &self->what, &self->options);
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes, 3000000), 0);
    free(self->bytes);
    thrum_transport_close(self->both.transport);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "MpL");
    CHECK_EQ(self->what.error, THRUM_ETIMEDOUT);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}
