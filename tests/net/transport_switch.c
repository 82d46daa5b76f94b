/* Other protocols in the middle of a connection; a transport that becomes a stream and a stream that becomes a
 * transport. Numbers are those of tests/net/PORTED.md. */
#include "protocols.h"

static noted second;

static void switch_to_second(noted *to)
{
    CHECK_EQ(thrum_transport_set_protocol(to->transport, &noting_buffered, &second), 0);
}

static void switch_and_put_back(noted *to)
{
    switch_to_second(to);
    CHECK_EQ(thrum_transport_unread(to->transport, "back", 4), 0);
}

/* test_proto_type_switch: from plain to buffered and back in the middle; what comes next goes to the other. */
NET_TEST(transport_switch, protocols, LOCALS(noted what; wire both;))
{
    ASYNC_BEGIN;
    memset(&second, 0, sizeof second);
    self->what.told = switch_to_second;
    self->both = wire_open(&self->what);
    CHECK_EQ(write(self->both.peer, "one", 3), 3);
    AWAIT(until_bytes(&self->what, 3));
    CHECK_EQ(write(self->both.peer, "two", 3), 3);
    AWAIT(until_bytes(&second, 3));
    CHECK_STR(self->what.calls, "Md");
    CHECK_STR(second.calls, "u");
    CHECK_STR(second.data, "two");
    CHECK_EQ(thrum_transport_set_protocol(self->both.transport, NULL, NULL), THRUM_EINVAL);
    self->what.told = NULL;
    CHECK_EQ(thrum_transport_set_protocol(self->both.transport, &noting, &self->what), 0);
    CHECK_EQ(write(self->both.peer, "three", 5), 5);
    AWAIT(until_bytes(&self->what, 8));
    CHECK_STR(self->what.data, "onethree");
    AWAIT(wire_close(&self->both, &self->what));
    CHECK_STR(second.calls, "u");
    ASYNC_END;
}

/* What the first one puts back is told to the second one, before what comes. */
NET_TEST(transport_switch, put_back, LOCALS(noted what; wire both; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        memset(&second, 0, sizeof second);
        memset(&self->what, 0, sizeof self->what);
        self->what.told = switch_and_put_back;
        self->both = wire_with(self->i ? &noting_buffered : &noting, &self->what, NULL);
        CHECK_EQ(write(self->both.peer, "hello", 5), 5);
        AWAIT(until_bytes(&second, 4));
        CHECK_EQ(write(self->both.peer, " on", 3), 3);
        AWAIT(until_bytes(&second, 7));
        CHECK_STR(second.data, "back on");
        AWAIT(wire_close(&self->both, &second));
    }
    ASYNC_END;
}

/* test_get_buffer_zerosized, test_proto_buf_switch: no room is an error of the protocol's. */
static int reports;
static void count_report(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop, (void)context;
    reports++;
    CHECK_EQ(report->error, THRUM_EINVAL);
}

static intptr_t no_room(void *context, size_t hint, void **memory)
{
    (void)hint;
    *memory = ((noted *)context)->memory;
    return 0;
}

NET_TEST(transport_switch, no_room, LOCALS(noted what; wire both; thrum_protocol protocol;))
{
    ASYNC_BEGIN;
    reports = 0;
    thrum_loop_set_exception_handler(thrum_loop_current(), count_report, NULL);
    self->protocol = noting_buffered;
    self->protocol.get_buffer = no_room;
    self->both = wire_with(&self->protocol, &self->what, NULL);
    CHECK_EQ(write(self->both.peer, "hello", 5), 5);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "ML");
    CHECK_EQ(self->what.error, THRUM_EINVAL);
    CHECK_EQ(reports, 1);
    thrum_transport_release(self->both.transport);
    close(self->both.peer);
    ASYNC_END;
}

/* test_buffered_proto_create_connection: more than its memory holds comes in several pieces. */
NET_TEST(transport_switch, buffered, LOCALS(noted what; wire both; char *bytes;))
{
    ASYNC_BEGIN;
    self->bytes = counted(3000);
    self->both = wire_with(&noting_buffered, &self->what, NULL);
    CHECK_EQ(write(self->both.peer, self->bytes, 3000), 3000);
    CHECK_EQ(shutdown(self->both.peer, SHUT_WR), 0);
    AWAIT(until_lost(&self->what));
    CHECK_EQ(self->what.size, 3000);
    CHECK_MEM(self->what.data, self->bytes, 3000);
    CHECK_STR(self->what.calls + 1 + 3000 / 64, "ueL");
    free(self->bytes);
    thrum_transport_release(self->both.transport);
    close(self->both.peer);
    ASYNC_END;
}

/* ---- to a stream ---- */

static thrum_stream *turned;

static void turn_into_stream(noted *to)
{
    CHECK_EQ(thrum_transport_unread(to->transport, to->data + 3, to->size - 3), 0);
    CHECK_EQ(thrum_transport_write(to->transport, "ok ", 3), 0);
    CHECK_EQ(thrum_stream_of_transport(&turned, to->transport), 0);
    CHECK_EQ(thrum_stream_of_transport(&turned, to->transport), THRUM_ECLOSED);
}

/* In a call of the protocol's: the rest of what it was given, and what was collected to be sent, stay. */
NET_TEST(transport_switch, to_a_stream, LOCALS(noted what; wire both; char text[16]; size_t n; int descriptor;))
{
    ASYNC_BEGIN;
    self->what.told = turn_into_stream;
    self->both = wire_open(&self->what);
    CHECK_EQ(write(self->both.peer, "upgrade", 7), 7);
    AWAIT(until_bytes(&self->what, 7));
    CHECK_EQ(write(self->both.peer, "!", 1), 1);
    AWAIT_INTO(self->n, thrum_stream_read_exactly(turned, self->text, 5));
    CHECK_MEM(self->text, "rade!", 5);
    AWAIT(thrum_stream_write(turned, "then", 4));
    AWAIT(thrum_stream_flush(turned));
    CHECK_STR(peer_read(&(pair){.peer = self->both.peer}), "ok then");
    CHECK_EQ(thrum_stream_get_extra_info(turned, "socket", &self->descriptor, sizeof self->descriptor), 0);
    CHECK_EQ(self->descriptor, thrum_stream_descriptor(turned));
    CHECK_EQ(thrum_stream_get_extra_info(turned, "pipe", &self->descriptor, sizeof self->descriptor),
             THRUM_EUNSUPPORTED);
    CHECK(thrum_transport_is_closing(self->both.transport));
    CHECK_EQ(thrum_transport_write(self->both.transport, "x", 1), 0);
    thrum_transport_abort(self->both.transport);
    thrum_transport_close(self->both.transport);
    thrum_transport_resume_reading(self->both.transport);
    AWAIT(thrum_stream_close(turned));
    thrum_stream_release(turned);
    CHECK_STR(self->what.calls, "Md");
    thrum_transport_release(self->both.transport);
    close(self->both.peer);
    ASYNC_END;
}

/* Each state: paused, with unsent output above the mark, at the end of the input, after the end of the output. */
NET_TEST(transport_switch, states_to_a_stream,
         LOCALS(noted what; wire both; thrum_stream * stream; char *bytes; char text[16]; size_t n, got; pair peer;
                int error;))
{
    ASYNC_BEGIN;
    self->bytes = counted(1000000);
    self->both = wire_open(&self->what);
    self->peer.peer = self->both.peer;
    CHECK_EQ(thrum_stream_of_transport(&self->stream, self->both.transport), THRUM_ESTATE);
    thrum_transport_pause_reading(self->both.transport);
    AWAIT(until_told(&self->what, 1));
    CHECK_EQ(write(self->both.peer, "early", 5), 5);
    CHECK_EQ(shutdown(self->both.peer, SHUT_WR), 0);
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_EQ(thrum_transport_write(self->both.transport, self->bytes, 1000000), 0);
    CHECK_EQ(thrum_transport_write_eof(self->both.transport), 0);
    free(self->bytes);
    CHECK_STR(self->what.calls, "Mp");
    CHECK_EQ(thrum_stream_of_transport(&self->stream, self->both.transport), 0);
    CHECK_GT(thrum_stream_unsent(self->stream), 65536);
    AWAIT_INTO(self->n, thrum_stream_read(self->stream, self->text, sizeof self->text));
    CHECK_EQ(self->n, 5);
    AWAIT_INTO(self->n, thrum_stream_read(self->stream, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
    AWAIT_CATCH(self->error, thrum_stream_write(self->stream, "x", 1));
    CHECK_EQ(self->error, THRUM_ESTATE);
    while (self->got < 1000000) {
        self->got += peer_count(&self->peer, self->got);
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    }
    AWAIT(thrum_stream_close(self->stream));
    CHECK_STR(peer_read(&self->peer), "(end)");
    thrum_stream_release(self->stream);
    thrum_transport_release(self->both.transport);
    CHECK_STR(self->what.calls, "Mp");
    close(self->both.peer);
    ASYNC_END;
}

/* ---- to a transport ---- */

/* What a stream had buffered is told first, then what comes; what it had not sent leaves; and what is refused. */
NET_TEST(transport_switch, to_a_transport,
         LOCALS(noted what; pair both; char text[16]; thrum_transport * transport; outcome how; thrum_task * task;
                thrum_stream * fed; size_t n; int error;))
{
    ASYNC_BEGIN;
    self->both = pair_open();
    self->task = begin(thrum_stream_read(self->both.stream, self->text, 3), &self->how);
    CHECK_EQ(thrum_transport_of_stream(NULL, self->both.stream, &noting, &self->what), THRUM_EBUSY);
    CHECK_EQ(thrum_transport_of_stream(NULL, self->both.stream, NULL, &self->what), THRUM_EINVAL);
    peer_send(&self->both, "onetwo");
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(thrum_stream_buffered(self->both.stream), 3);
    AWAIT(thrum_stream_write(self->both.stream, "unsent", 6));
    CHECK_EQ(thrum_transport_of_stream(&self->transport, self->both.stream, &noting, &self->what), 0);
    AWAIT_CATCH_INTO(self->error, self->n, thrum_stream_read(self->both.stream, self->text, 3));
    CHECK_EQ(self->error, THRUM_EBUSY);
    AWAIT_CATCH(self->error, thrum_stream_write(self->both.stream, "x", 1));
    CHECK_EQ(self->error, THRUM_EBUSY);
    CHECK_EQ(thrum_transport_of_stream(NULL, self->both.stream, &noting, &self->what), THRUM_EBUSY);
    AWAIT(until_bytes(&self->what, 3));
    CHECK_STR(self->what.data, "two");
    peer_send(&self->both, "three");
    AWAIT(until_bytes(&self->what, 8));
    CHECK_STR(self->what.data, "twothree");
    CHECK_STR(peer_read(&self->both), "unsent");
    CHECK_STR(self->what.calls, "Mdd");
    CHECK_EQ(thrum_stream_of_transport(&self->both.stream, self->transport), 0);
    thrum_transport_release(self->transport);
    thrum_stream_abort(self->both.stream);
    CHECK_EQ(thrum_transport_of_stream(NULL, self->both.stream, &noting, &self->what), THRUM_ECLOSED);
    pair_close(&self->both);
    CHECK_EQ(thrum_stream_fed(&self->fed, NULL), 0);
    CHECK_EQ(thrum_transport_of_stream(NULL, self->fed, &noting, &self->what), THRUM_EINVAL);
    thrum_stream_release(self->fed);
    ASYNC_END;
}

/* A stream at its end, with bytes put back, and one that is broken. */
NET_TEST(transport_switch, ends_to_a_transport, LOCALS(noted what; pair both; char text[16]; size_t n; int error;))
{
    ASYNC_BEGIN;
    self->both = pair_open();
    peer_send(&self->both, "one");
    CHECK_EQ(shutdown(self->both.peer, SHUT_WR), 0);
    AWAIT_INTO(self->n, thrum_stream_read(self->both.stream, self->text, 3));
    CHECK_EQ(self->n, 3);
    AWAIT_INTO(self->n, thrum_stream_read(self->both.stream, self->text, 3));
    CHECK_EQ(self->n, 0);
    CHECK_EQ(thrum_stream_unread(self->both.stream, "ne", 2), 0);
    self->what.keep = 1;
    CHECK_EQ(thrum_transport_of_stream(NULL, self->both.stream, &noting, &self->what), 0);
    AWAIT(until_told(&self->what, 3));
    CHECK_STR(self->what.calls, "Mde");
    CHECK_STR(self->what.data, "ne");
    thrum_transport_close(self->what.transport);
    AWAIT(until_lost(&self->what));
    close(self->both.peer);

    memset(&self->what, 0, sizeof self->what);
    self->both = pair_open();
    close(self->both.peer);
    AWAIT_CATCH(self->error, thrum_stream_write(self->both.stream, "x", 1));
    AWAIT_CATCH(self->error, thrum_stream_flush(self->both.stream));
    CHECK_EQ(self->error, -EPIPE);
    CHECK_EQ(thrum_transport_of_stream(NULL, self->both.stream, &noting, &self->what), 0);
    AWAIT(until_lost(&self->what));
    CHECK_STR(self->what.calls, "ML");
    CHECK_EQ(self->what.error, -EPIPE);
    ASYNC_END;
}

/* There and back again, with bytes coming all the time: each arrives once. */
NET_TEST(transport_switch, there_and_back,
         LOCALS(noted what; pair both; char text[512]; thrum_transport * transport; size_t n, total, sent; int i;
                char *bytes;))
{
    ASYNC_BEGIN;
    self->bytes = counted(20000);
    self->both = pair_open();
    for (self->i = 0; self->i < 100; self->i++) {
        CHECK_EQ(write(self->both.peer, self->bytes + self->sent, 200), 200);
        self->sent += 200;
        if (self->i % 2 == 0) {
            AWAIT_INTO(self->n, thrum_stream_read(self->both.stream, self->text, 1 + (size_t)self->i));
            CHECK_MEM(self->text, self->bytes + self->total, self->n);
            self->total += self->n;
        } else {
            memset(&self->what, 0, sizeof self->what);
            CHECK_EQ(thrum_transport_of_stream(&self->transport, self->both.stream, &noting, &self->what), 0);
            AWAIT(until_bytes(&self->what, 1));
            CHECK_EQ(thrum_stream_of_transport(&self->both.stream, self->transport), 0);
            thrum_transport_release(self->transport);
            CHECK_MEM(self->what.data, self->bytes + self->total, self->what.size);
            self->total += self->what.size;
        }
    }
    CHECK_EQ(shutdown(self->both.peer, SHUT_WR), 0);
    for (;;) {
        AWAIT_INTO(self->n, thrum_stream_read(self->both.stream, self->text, sizeof self->text));
        if (!self->n)
            break;
        CHECK_MEM(self->text, self->bytes + self->total, self->n);
        self->total += self->n;
    }
    CHECK_EQ(self->total, 20000);
    free(self->bytes);
    pair_close(&self->both);
    ASYNC_END;
}

/* ---- a stream that is a server's ---- */

static noted taken;
static int ended;

static ASYNC(hands_over, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char text[4]; size_t n;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->n, thrum_stream_read(self->client, self->text, 3));
    CHECK_EQ(thrum_transport_of_stream(NULL, self->client, &noting, &taken), 0);
    if (self->context)
        AWAIT(thrum_sleep(SECONDS(60)));
FINALLY:
    ended++;
    ASYNC_END;
}

/* A handler makes a transport of its stream: its end does not end the connection, the server waits for it. */
NET_TEST(transport_switch, of_a_handler,
         LOCALS(thrum_server *server; thrum_stream * client; char port[16]; int round; size_t n; char text[16];))
{
    ASYNC_BEGIN;
    for (self->round = 0; self->round < 3; self->round++) {
        memset(&taken, 0, sizeof taken);
        ended = 0;
        AWAIT_INTO(self->server, thrum_start_server(hands_over, NULL, "127.0.0.1", "0"));
        snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
        AWAIT_INTO(self->client, thrum_open_connection("127.0.0.1", self->port));
        AWAIT(thrum_stream_write(self->client, "onetwo", 6));
        AWAIT(thrum_stream_flush(self->client));
        AWAIT(until_bytes(&taken, 3));
        AWAIT(thrum_sleep(MILLISECONDS(1)));
        CHECK_EQ(ended, 1);
        CHECK_STR(taken.data, "two");
        CHECK_EQ(thrum_server_clients(self->server), 1);
        if (self->round == 0) {
            CHECK_EQ(thrum_transport_write(taken.transport, "bye", 3), 0);
            thrum_transport_close(taken.transport);
            AWAIT_INTO(self->n, thrum_stream_read(self->client, self->text, sizeof self->text));
            CHECK_EQ(self->n, 3);
        } else if (self->round == 1) {
            thrum_server_close_clients(self->server);
        } else {
            thrum_server_abort_clients(self->server);
        }
        AWAIT_INTO(self->n, thrum_stream_read(self->client, self->text, sizeof self->text));
        CHECK_EQ(self->n, 0);
        thrum_server_close(self->server);
        AWAIT(thrum_server_wait_closed(self->server));
        CHECK_STR(taken.calls, "MdL");
        thrum_stream_release(self->client);
        thrum_server_release(self->server);
    }
    ASYNC_END;
}

static void cancel_others(thrum_task *mine)
{
    thrum_task *tasks[16];
    size_t count = thrum_all_tasks(tasks, 16);
    for (size_t i = 0; i < count; i++)
        if (tasks[i] != mine)
            thrum_task_cancel(tasks[i]);
}

/* The handler is cancelled afterwards: the stream goes with it, and the protocol is told. */
NET_TEST(transport_switch, of_a_cancelled_handler, LOCALS(thrum_server *server; thrum_stream * client; char port[16];))
{
    ASYNC_BEGIN;
    memset(&taken, 0, sizeof taken);
    AWAIT_INTO(self->server, thrum_start_server(hands_over, "waits", "127.0.0.1", "0"));
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(self->client, thrum_open_connection("127.0.0.1", self->port));
    AWAIT(thrum_stream_write(self->client, "onetwo", 6));
    AWAIT(thrum_stream_flush(self->client));
    AWAIT(until_bytes(&taken, 3));
    cancel_others(thrum_current_task());
    AWAIT(until_lost(&taken));
    CHECK_STR(taken.calls, "MdL");
    CHECK_EQ(thrum_server_clients(self->server), 0);
    thrum_stream_release(self->client);
    thrum_server_release(self->server);
    ASYNC_END;
}
