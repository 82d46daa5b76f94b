/* Transports: the order in which a protocol is told, reading and pausing, the end. Numbers are those of
 * tests/net/PORTED.md. */
#include "protocols.h"

static struct {
    int count, error;
    char message[128];
} reported;

static void note_report(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)context;
    reported.count++;
    reported.error = report->error;
    CHECK_NOT_NULL(report->transport);
    snprintf(reported.message, sizeof reported.message, "%s", report->message);
}

static void note_reports(void)
{
    memset(&reported, 0, sizeof reported);
    thrum_loop_set_exception_handler(thrum_loop_current(), note_report, NULL);
}

/* Made, data, the end, lost: in this order, each from the loop. */
NET_TEST(transports, grammar, LOCALS(noted what; wire both;))
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    CHECK_STR(self->what.calls, ""); /* not from inside of the call */
    AWAIT(until_told(&self->what, 1));
    CHECK_STR(self->what.calls, "M");
    CHECK_PTR(self->what.transport, self->both.transport);
    CHECK_EQ(write(self->both.peer, "hello", 5), 5);
    AWAIT(until_bytes(&self->what, 5));
    CHECK_STR(self->what.data, "hello");
    CHECK_EQ(shutdown(self->both.peer, SHUT_WR), 0);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "MdeL");
    CHECK_EQ(self->what.error, 0);
    CHECK(thrum_transport_is_closing(self->both.transport));
    thrum_transport_release(self->both.transport);
    close(self->both.peer);
    ASYNC_END;
}

/* Nobody has a reference but the loop: the transport goes with connection_lost. */
NET_TEST(transports, kept_by_the_loop, LOCALS(noted what; wire both;))
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    CHECK_PTR(thrum_transport_hold(self->both.transport), self->both.transport);
    thrum_transport_release(self->both.transport);
    thrum_transport_release(self->both.transport);
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(thrum_transport_write(self->what.transport, "x", 1), 0);
    AWAIT(passes(2));
    close(self->both.peer);
    AWAIT(until_lost(&self->what));
    ASYNC_END;
}

static void close_there(noted *to)
{
    thrum_transport_close(to->transport);
    CHECK(thrum_transport_is_closing(to->transport));
    CHECK(!strchr(to->calls, 'L'));
}

static void abort_there(noted *to)
{
    thrum_transport_abort(to->transport);
    thrum_transport_abort(to->transport);
    CHECK(!strchr(to->calls, 'L'));
}

/* 128: close and abort never call connection_lost themselves, and it comes once, with 0; 129: no data after close. */
NET_TEST(transports, close_in_a_call, LOCALS(noted what; wire both; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 4; self->i++) {
        memset(&self->what, 0, sizeof self->what);
        *(self->i < 2 ? &self->what.told : &self->what.made) = self->i % 2 ? abort_there : close_there;
        self->both = wire_open(&self->what);
        CHECK_EQ(write(self->both.peer, "hello", 5), 5);
        AWAIT(until_lost(&self->what));
        CHECK_STR(self->what.calls, self->i < 2 ? "MdL" : "ML");
        CHECK_EQ(self->what.error, 0);
        AWAIT(passes(3));
        CHECK_EQ(self->what.call_count, strlen(self->what.calls));
        thrum_transport_release(self->both.transport);
        if (self->i != 3) /* what is aborted with input that nobody took is reset */
            CHECK_STR(peer_read(&(pair){.peer = self->both.peer}), "(end)");
        close(self->both.peer);
    }
    ASYNC_END;
}

/* 127: close sends everything first, megabytes, then the end; abort drops it. */
NET_TEST(transports, close_sends_everything, LOCALS(noted what; wire both; char *bytes; size_t got; pair peer;))
{
    ASYNC_BEGIN;
    self->bytes = counted(3000000);
    self->both = wire_open(&self->what);
    self->peer.peer = self->both.peer;
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes, 3000000), 0);
    free(self->bytes);
    thrum_transport_close(self->both.transport);
    CHECK_GT(thrum_transport_get_write_buffer_size(self->both.transport), 0);
    while (!strchr(self->what.calls, 'L')) {
        self->got += peer_count(&self->peer, self->got);
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    }
    self->got += peer_count(&self->peer, self->got);
    CHECK_EQ(self->got, 3000000);
    CHECK_STR(self->what.calls, "MprL");
    CHECK_EQ(self->what.error, 0);
    CHECK_STR(peer_read(&self->peer), "(end)");
    thrum_transport_release(self->both.transport);
    close(self->both.peer);
    ASYNC_END;
}

NET_TEST(transports, abort_drops, LOCALS(noted what; wire both; char *bytes; pair peer;))
{
    ASYNC_BEGIN;
    self->bytes = counted(3000000);
    self->both = wire_open(&self->what);
    self->peer.peer = self->both.peer;
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes, 3000000), 0);
    free(self->bytes);
    thrum_transport_abort(self->both.transport);
    CHECK_EQ(thrum_transport_get_write_buffer_size(self->both.transport), 0);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "MpL");
    CHECK_LT(peer_count(&self->peer, 0), 3000000);
    thrum_transport_release(self->both.transport);
    close(self->both.peer);
    ASYNC_END;
}

/* test_write_buffer_after_close: while what was written before is being sent, more is taken; then nothing is. */
NET_TEST(transports, write_after_close, LOCALS(noted what; wire both; char *bytes; size_t got; pair peer;))
{
    ASYNC_BEGIN;
    self->bytes = counted(1000000);
    self->both = wire_open(&self->what);
    self->peer.peer = self->both.peer;
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes, 900000), 0);
    thrum_transport_close(self->both.transport);
    CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes + 900000, 100000), 0);
    free(self->bytes);
    while (!strchr(self->what.calls, 'L')) {
        self->got += peer_count(&self->peer, self->got);
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    }
    CHECK_EQ(self->got + peer_count(&self->peer, self->got), 1000000);
    CHECK_EQ(thrum_transport_write(self->both.transport, "late", 4), 0);
    CHECK_STR(peer_read(&self->peer), "(end)");
    thrum_transport_release(self->both.transport);
    close(self->both.peer);
    ASYNC_END;
}

/* test_read_ready_eof_keep_open; 134: the peer has ended, the socket is not watched any more, writing goes on. */
NET_TEST(transports, end_keeps_open, LOCALS(noted what; wire both; pair peer;))
{
    ASYNC_BEGIN;
    self->what.keep = 1;
    self->both = wire_open(&self->what);
    self->peer.peer = self->both.peer;
    CHECK_EQ(shutdown(self->both.peer, SHUT_WR), 0);
    AWAIT(until_told(&self->what, 2));
    CHECK_STR(self->what.calls, "Me");
    calls_clear();
    AWAIT(thrum_sleep(MILLISECONDS(5)));
    CHECK_LE(calls_epoll_wait.count, 5);
    CHECK_EQ(calls_recv.count, 0);
    CHECK_EQ(thrum_transport_write(self->both.transport, "still", 5), 0);
    thrum_transport_pause_reading(self->both.transport);
    thrum_transport_resume_reading(self->both.transport); /* the end is not told again */
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_STR(peer_read(&self->peer), "still");
    CHECK_STR(self->what.calls, "Me");
    thrum_transport_close(self->both.transport);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "MeL");
    thrum_transport_release(self->both.transport);
    close(self->both.peer);
    ASYNC_END;
}

/* test_data_received_error, test_read_ready_buffered... : an error of the protocol's ends the connection, and is
 * told. */
NET_TEST(transports, protocol_fails, LOCALS(noted what; wire both; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 4; self->i++) {
        note_reports();
        memset(&self->what, 0, sizeof self->what);
        if (self->i == 0)
            self->what.fail_made = THRUM_EAPP(3);
        else if (self->i == 1)
            self->what.keep = THRUM_EAPP(3);
        else
            self->what.fail = THRUM_EAPP(3);
        self->both = wire_with(self->i == 3 ? &noting_buffered : &noting, &self->what, NULL);
        CHECK_EQ(write(self->both.peer, "hello", 5), 5);
        CHECK_EQ(shutdown(self->both.peer, SHUT_WR), 0);
        AWAIT(until_lost(&self->what));
        CHECK_STR(self->what.calls, self->i == 0 ? "ML" : self->i == 1 ? "MdeL" : self->i == 2 ? "MdL" : "MuL");
        CHECK_EQ(self->what.error, THRUM_EAPP(3));
        CHECK_EQ(reported.count, 1);
        CHECK_EQ(reported.error, THRUM_EAPP(3));
        CHECK_STR(reported.message, "a protocol failed");
        thrum_transport_release(self->both.transport);
        close(self->both.peer);
    }
    ASYNC_END;
}

/* test_read_ready_conn_reset: connection_lost has the error, and nobody else is told. */
NET_TEST(transports, reset, LOCALS(noted what; wire both;))
{
    ASYNC_BEGIN;
    note_reports();
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    calls_recv = (call_plan){.fail = ECONNRESET, .failures = 1};
    CHECK_EQ(write(self->both.peer, "hello", 5), 5);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "ML");
    CHECK_EQ(self->what.error, -ECONNRESET);
    CHECK_EQ(reported.count, 0);
    thrum_transport_release(self->both.transport);
    close(self->both.peer);
    ASYNC_END;
}

/* test_read_ready_tryagain_interrupted: neither is an error. */
NET_TEST(transports, nothing_there_after_all, LOCALS(noted what; wire both;))
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    calls_recv = (call_plan){.fail = EAGAIN, .failures = 1};
    CHECK_EQ(write(self->both.peer, "hello", 5), 5);
    AWAIT(until_bytes(&self->what, 5));
    calls_recv = (call_plan){.fail = EINTR, .failures = 1};
    CHECK_EQ(write(self->both.peer, " again", 6), 6);
    AWAIT(until_bytes(&self->what, 11));
    CHECK_STR(self->what.calls, "Mdd");
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

static void pause_there(noted *to)
{
    thrum_transport_pause_reading(to->transport);
    thrum_transport_pause_reading(to->transport);
    CHECK(!thrum_transport_is_reading(to->transport));
}

/* 132: in data_received a pause holds at once, in connection_made before the first byte; 133: both may be repeated, and
 * do nothing once it is closed. */
NET_TEST(transports, pause_reading, LOCALS(noted what; wire both; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        memset(&self->what, 0, sizeof self->what);
        *(self->i ? &self->what.made : &self->what.told) = pause_there;
        self->both = wire_open(&self->what);
        CHECK(thrum_transport_is_reading(self->both.transport));
        CHECK_EQ(write(self->both.peer, "one", 3), 3);
        AWAIT(until_told(&self->what, self->i ? 1 : 2));
        CHECK_EQ(write(self->both.peer, "two", 3), 3);
        AWAIT(thrum_sleep(MILLISECONDS(2)));
        CHECK_STR(self->what.calls, self->i ? "M" : "Md");
        self->what.told = NULL;
        thrum_transport_resume_reading(self->both.transport);
        thrum_transport_resume_reading(self->both.transport);
        CHECK(thrum_transport_is_reading(self->both.transport));
        AWAIT(until_bytes(&self->what, 6));
        CHECK_STR(self->what.data, "onetwo");
        thrum_transport_pause_reading(self->both.transport);
        thrum_transport_close(self->both.transport);
        thrum_transport_resume_reading(self->both.transport);
        CHECK(!thrum_transport_is_reading(self->both.transport));
        AWAIT(until_lost(&self->what));
        thrum_transport_resume_reading(self->both.transport);
        thrum_transport_pause_reading(self->both.transport);
        CHECK_EQ(strlen(self->what.calls), self->what.call_count);
        thrum_transport_release(self->both.transport);
        close(self->both.peer);
    }
    ASYNC_END;
}

/* Paused before the poll's find is looked at: it stays for later. */
NET_TEST(transports, paused_between, LOCALS(noted what; wire both;))
{
    ASYNC_BEGIN;
    self->both = wire_open(&self->what);
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(write(self->both.peer, "one", 3), 3);
    CHECK_EQ(shutdown(self->both.peer, SHUT_WR), 0);
    thrum_transport_pause_reading(self->both.transport);
    AWAIT(thrum_sleep(MILLISECONDS(2)));
    CHECK_STR(self->what.calls, "M");
    thrum_transport_resume_reading(self->both.transport);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "MdeL");
    thrum_transport_release(self->both.transport);
    close(self->both.peer);
    ASYNC_END;
}

/* A peer that never stops: each time something came, it has sent more. */
static struct {
    char *bytes;
    int peer, turns;
    size_t at_turn, most; /* bytes that had come at the others' last turn; the most between two turns */
} flood;

enum { FLOOD = 3 * 1024 * 1024, SHARE = 256 * 1024, PIECE = 64 * 1024 };

static void flood_on(noted *to)
{
    if (to->size - flood.at_turn > flood.most)
        flood.most = to->size - flood.at_turn;
    while (to->size < FLOOD && write(flood.peer, flood.bytes, PIECE) > 0)
        continue;
}

static ASYNC(take_turns, ARGS((const noted *, what)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (;; flood.turns++) {
        flood.at_turn = self->what->size;
        AWAIT(thrum_yield());
    }
    ASYNC_END;
}

/* A flood does not keep the loop from others: they have their turn after so many bytes at the latest. */
NET_TEST(transports, a_flood_lets_others_run, LOCALS(noted what; wire both; outcome over; thrum_task * others;))
{
    ASYNC_BEGIN;
    memset(&flood, 0, sizeof flood);
    flood.bytes = counted(PIECE);
    self->what.told = flood_on;
    self->both = wire_open(&self->what);
    flood.peer = self->both.peer;
    self->others = begin(take_turns(&self->what), &self->over);
    CHECK_EQ(write(flood.peer, flood.bytes, PIECE), PIECE);
    AWAIT(until_bytes(&self->what, FLOOD));
    thrum_task_cancel(self->others);
    AWAIT(self->others);
    thrum_task_release(self->others);
    CHECK_LE(flood.most, SHARE + PIECE);
    CHECK_GE(flood.turns, FLOOD / (SHARE + PIECE));
    free(flood.bytes);
    AWAIT(wire_close(&self->both, &self->what));
    ASYNC_END;
}

/* Who waits for the end goes on when it was told, with its error; cancelled, somebody else still does. */
NET_TEST(transports, wait_closed, LOCALS(noted what; wire both; outcome first, second; thrum_task * tasks[2]; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        memset(&self->what, 0, sizeof self->what);
        self->both = wire_open(&self->what);
        self->tasks[0] = begin(thrum_transport_wait_closed(self->both.transport), &self->first);
        self->tasks[1] = begin(thrum_transport_wait_closed(self->both.transport), &self->second);
        AWAIT(until_told(&self->what, 1));
        thrum_task_cancel(self->tasks[0]);
        AWAIT(self->tasks[0]);
        CHECK_EQ(self->first.error, THRUM_ECANCELED);
        CHECK(!self->second.over);
        if (self->i) {
            calls_recv = (call_plan){.fail = ECONNRESET, .failures = 1};
            CHECK_EQ(write(self->both.peer, "x", 1), 1);
        } else {
            thrum_transport_close(self->both.transport);
            CHECK_STR(self->what.calls, "M");
        }
        AWAIT(self->tasks[1]);
        CHECK_STR(self->what.calls, "ML");
        CHECK_EQ(self->second.error, self->i ? -ECONNRESET : 0);
        AWAIT(note_outcome(thrum_transport_wait_closed(self->both.transport), &self->first));
        CHECK_EQ(self->first.error, self->i ? -ECONNRESET : 0);
        thrum_task_release(self->tasks[0]);
        thrum_task_release(self->tasks[1]);
        thrum_transport_release(self->both.transport);
        close(self->both.peer);
    }
    ASYNC_END;
}

/* A protocol without any call: it takes everything, and is closed at the end. */
NET_TEST(transports, calls_left_out, LOCALS(thrum_protocol none; wire both; char *bytes;))
{
    ASYNC_BEGIN;
    self->none.size = sizeof self->none;
    self->bytes = counted(1000000);
    self->both = wire_with(&self->none, NULL, NULL);
    CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes, 1000000), 0);
    CHECK_EQ(write(self->both.peer, "hello", 5), 5);
    while (read(self->both.peer, self->bytes, 1000000) > 0 ||
           thrum_transport_get_write_buffer_size(self->both.transport))
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    free(self->bytes);
    CHECK(!thrum_transport_is_closing(self->both.transport));
    close(self->both.peer);
    while (!thrum_transport_is_closing(self->both.transport))
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    thrum_transport_release(self->both.transport);
    ASYNC_END;
}
