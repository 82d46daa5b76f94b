/* TLS over streams: moving bytes, and going over to it. Numbers are those of tests/net/PORTED.md. */
#include "tls_support.h"

NET_TEST(tls, echo, LOCALS(tls_ends ends; char text[8]; int round;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(self->ends.client_over.error, 0);
    CHECK_EQ(self->ends.server_over.error, 0);
    for (self->round = 0; self->round < 3; self->round++) {
        AWAIT(thrum_stream_write(self->ends.client, "hello", 5));
        AWAIT(thrum_stream_read_exactly(self->ends.server, self->text, 5));
        CHECK_MEM(self->text, "hello", 5);
        AWAIT(thrum_stream_write(self->ends.server, "world", 5));
        AWAIT(thrum_stream_read_exactly(self->ends.client, self->text, 5));
        CHECK_MEM(self->text, "world", 5);
    }
    ends_close(&self->ends);
    ASYNC_END;
}

/* Through the same stream a name looks as it did, the marks are what they were, and the descriptor is the one below. */
NET_TEST(tls, is_the_same_stream,
         LOCALS(tls_ends ends; int descriptor; char name[THRUM_ADDRESS_TEXT]; size_t high, low;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    self->descriptor = thrum_stream_descriptor(self->ends.client);
    CHECK(thrum_stream_can_write_eof(self->ends.client));
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(thrum_stream_descriptor(self->ends.client), self->descriptor);
    CHECK_EQ(thrum_stream_peername(self->ends.client, self->name, sizeof self->name), 0);
    CHECK_EQ(thrum_stream_sockname(self->ends.client, self->name, sizeof self->name), 0);
    CHECK(!thrum_stream_can_write_eof(self->ends.client));
    thrum_stream_write_limits(self->ends.client, &self->high, &self->low);
    CHECK_EQ(self->high, 65536);
    CHECK_EQ(self->low, 16384);
    CHECK_NOT_NULL(thrum_stream_tls_object(self->ends.client));
    CHECK_PTR(thrum_stream_tls_context(self->ends.client), self->ends.ours);
    thrum_stream_abort(self->ends.client);
    CHECK_NULL(thrum_stream_tls_object(self->ends.client));
    CHECK_NULL(thrum_stream_tls_context(self->ends.client));
    CHECK_EQ(thrum_stream_descriptor(self->ends.client), THRUM_ECLOSED);
    ends_close(&self->ends);
    ASYNC_END;
}

/* ---- much ---- */

enum { MUCH = 10000000 };

static ASYNC(pour, ARGS((thrum_stream *, stream), (const char *, bytes)), LOCALS(size_t at; size_t size;))
{
    ASYNC_BEGIN;
    for (self->size = 1; self->at < MUCH; self->at += self->size) {
        self->size = (self->size * 7 + 11) % 200000;
        if (self->size > MUCH - self->at)
            self->size = MUCH - self->at;
        AWAIT(thrum_stream_write(self->stream, self->bytes + self->at, self->size));
    }
    AWAIT(thrum_stream_flush(self->stream));
    CHECK_EQ(thrum_stream_unsent(self->stream), 0);
    ASYNC_END;
}

static ASYNC(drink, ARGS((thrum_stream *, stream)), LOCALS(size_t at; const void *data; size_t size;))
{
    const unsigned char *bytes;
    ASYNC_BEGIN;
    while (self->at < MUCH) {
        AWAIT_INTO(self->size, thrum_stream_fill(self->stream, &self->data, 1));
        CHECK(self->size > 0);
        bytes = (const unsigned char *)self->data;
        for (size_t i = 0; i < self->size; i++, self->at++)
            CHECK_EQ(bytes[i], self->at % 251);
    }
    ASYNC_END;
}

static ASYNC(both_ways, ARGS((tls_ends *, ends)), LOCALS(thrum_group group; char *bytes;))
{
    ASYNC_BEGIN;
    self->bytes = counted(MUCH);
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, pour(self->ends->client, self->bytes));
        thrum_group_spawn(&self->group, pour(self->ends->server, self->bytes));
        thrum_group_spawn(&self->group, drink(self->ends->client));
        thrum_group_spawn(&self->group, drink(self->ends->server));
    }
FINALLY:
    free(self->bytes);
    ASYNC_END;
}

NET_TEST(tls, much_both_ways, LOCALS(tls_ends ends;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    AWAIT(both_ways(&self->ends));
    ends_close(&self->ends);
    ASYNC_END;
}

NET_TEST(tls, in_tls, LOCALS(tls_ends ends; tls_ends second; thrum_tls_info info;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_EQ(self->ends.client_over.error, 0);
    AWAIT(shake(&self->ends, "localhost"));
    CHECK_STR(self->ends.client_text, "");
    CHECK_EQ(self->ends.client_over.error, 0);
    CHECK_EQ(self->ends.server_over.error, 0);
    AWAIT(both_ways(&self->ends));
    CHECK_EQ(thrum_stream_tls_info(self->ends.server, &self->info), 0);
    CHECK_STR(self->info.version, "TLSv1.3");
    ends_close(&self->ends);
    ASYNC_END;
}

/* ---- small writes ---- */

/* Writes of one step become one record and one system call; so do those of more than what plain streams collect. */
NET_TEST(tls, small_writes_leave_together, LOCALS(tls_ends ends; char *bytes; int i; size_t moved;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    AWAIT(thrum_stream_flush(self->ends.server));
    self->bytes = counted(15000);
    calls_clear();
    for (self->i = 0; self->i < 30; self->i++)
        AWAIT(thrum_stream_write(self->ends.client, self->bytes + self->i * 500, 500));
    CHECK_EQ(calls_send.count, 0);
    AWAIT(thrum_stream_flush(self->ends.client));
    CHECK_EQ(calls_send.count, 1);
    CHECK_LT(calls_send.moved, 15000 + 100);
    AWAIT(thrum_stream_read_exactly(self->ends.server, self->bytes, 15000));
    for (self->i = 0; self->i < 15000; self->i++)
        CHECK_EQ((unsigned char)self->bytes[self->i], self->i % 251);
    free(self->bytes);
    ends_close(&self->ends);
    ASYNC_END;
}

/* A large one is cut into full records that leave in one call. */
NET_TEST(tls, large_writes_leave_in_one_call, LOCALS(tls_ends ends; char *bytes;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    AWAIT(thrum_stream_flush(self->ends.server));
    self->bytes = counted(50000);
    calls_clear();
    AWAIT(thrum_stream_write(self->ends.client, self->bytes, 50000));
    CHECK_EQ(calls_send.count, 1);
    CHECK_LT(calls_send.moved, 50000 + 4 * 30);
    AWAIT(thrum_stream_read_exactly(self->ends.server, self->bytes, 50000));
    /* Few calls: a receive takes many records. */
    CHECK_LE(calls_recv.count, 4);
    free(self->bytes);
    ends_close(&self->ends);
    ASYNC_END;
}

/* One send and one receive for a message, and none that finds nothing. */
NET_TEST(tls, steady_echo, LOCALS(tls_ends ends; char text[64]; int i;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(shake(&self->ends, "localhost"));
    for (self->i = 0; self->i < 110; self->i++) {
        if (self->i == 10)
            calls_clear();
        AWAIT(thrum_stream_write(self->ends.client, "0123456789", 10));
        AWAIT(thrum_stream_read_exactly(self->ends.server, self->text, 10));
        AWAIT(thrum_stream_write(self->ends.server, "0123456789", 10));
        AWAIT(thrum_stream_read_exactly(self->ends.client, self->text, 10));
    }
    CHECK_EQ(calls_send.count, 200);
    CHECK_EQ(calls_recv.count, 200);
    ends_close(&self->ends);
    ASYNC_END;
}

/* ---- going over ---- */

static ASYNC(upgrade_server, ARGS((tls_ends *, ends)), LOCALS(char line[32]; long got;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->got, thrum_stream_read_line(self->ends->server, self->line, sizeof self->line));
    CHECK_STR(self->line, "STARTTLS\n");
    AWAIT(thrum_stream_write(self->ends->server, "go ahead\n", 9));
    AWAIT(thrum_start_tls(self->ends->server, self->ends->theirs, true, NULL));
    AWAIT_INTO(self->got, thrum_stream_read_line(self->ends->server, self->line, sizeof self->line));
    CHECK_STR(self->line, "inside\n");
    AWAIT(thrum_stream_write(self->ends->server, "answer\n", 7));
    AWAIT(thrum_stream_flush(self->ends->server));
    ASYNC_END;
}

/* The client says STARTTLS and goes on at once: its first flight lies in the server's buffer when that goes over,
 * behind the line. Point 146: nothing of it is lost; what the server wrote before leaves before. */
static ASYNC(upgrade_client, ARGS((tls_ends *, ends)),
             LOCALS(char line[32]; outcome over; thrum_task * task; long got;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_write(self->ends->client, "STARTTLS\n", 9));
    /* The answer is read by hand later: it comes before the server's flight. */
    AWAIT_INTO(self->got, thrum_stream_read_line(self->ends->client, self->line, sizeof self->line));
    CHECK_STR(self->line, "go ahead\n");
    AWAIT(thrum_start_tls(self->ends->client, self->ends->ours, false, "localhost"));
    AWAIT(thrum_stream_write(self->ends->client, "inside\n", 7));
    AWAIT_INTO(self->got, thrum_stream_read_line(self->ends->client, self->line, sizeof self->line));
    CHECK_STR(self->line, "answer\n");
    ASYNC_END;
}

NET_TEST(start_tls, after_plain_lines, LOCALS(tls_ends ends; thrum_group group;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, upgrade_server(&self->ends));
        thrum_group_spawn(&self->group, upgrade_client(&self->ends));
    }
    ends_close(&self->ends);
    ASYNC_END;
}

/* start_tls_buffered_data: all of the client's first flight was received with the line before it. */
NET_TEST(start_tls, buffered_data, LOCALS(tls_ends ends; outcome over; thrum_task * task; char line[32]; long got;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(thrum_stream_write(self->ends.client, "STARTTLS\n", 9));
    self->task = begin(thrum_start_tls(self->ends.client, self->ends.ours, false, "localhost"), &self->over);
    /* What the client sent lies in the socket: a line is read through the buffer, which takes all of it. */
    AWAIT_INTO(self->got, thrum_stream_read_line(self->ends.server, self->line, sizeof self->line));
    CHECK_STR(self->line, "STARTTLS\n");
    CHECK_GT(thrum_stream_buffered(self->ends.server), 100);
    AWAIT(thrum_start_tls(self->ends.server, self->ends.theirs, true, NULL));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    AWAIT(thrum_stream_write(self->ends.client, "inside\n", 7));
    AWAIT_INTO(self->got, thrum_stream_read_line(self->ends.server, self->line, sizeof self->line));
    CHECK_STR(self->line, "inside\n");
    ends_close(&self->ends);
    ASYNC_END;
}

/* What was written before leaves before, in the clear, though the system takes it slowly. */
NET_TEST(start_tls, unsent_output_leaves_first,
         LOCALS(pair pair; thrum_tls_context * tls; char *bytes; outcome over; thrum_task * task; size_t at;
                char first[8]; long got;))
{
    static const thrum_stream_options roomy = {.size = sizeof roomy, .high = 4000000};
    ASYNC_BEGIN;
    self->pair = pair_with(&roomy);
    self->tls = client_context();
    self->bytes = counted(2000000);
    AWAIT(thrum_stream_write(self->pair.stream, self->bytes, 2000000));
    CHECK_GT(thrum_stream_unsent(self->pair.stream), 0);
    self->task = begin(thrum_start_tls(self->pair.stream, self->tls, false, ""), &self->over);
    while (self->at < 2000000) {
        self->got = read(self->pair.peer, self->bytes, 2000000 - self->at < 65536 ? 2000000 - self->at : 65536);
        for (long i = 0; i < self->got; i++, self->at++)
            CHECK_EQ((unsigned char)self->bytes[i], self->at % 251);
        AWAIT(thrum_yield());
    }
    do {
        AWAIT(thrum_yield());
        self->got = read(self->pair.peer, self->first, sizeof self->first);
    } while (self->got < 0);
    CHECK_EQ(self->first[0], 22); /* a record of the handshake */
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECANCELED);
    CHECK(thrum_stream_is_closing(self->pair.stream));
    free(self->bytes);
    thrum_tls_context_release(self->tls);
    pair_close(&self->pair);
    ASYNC_END;
}

/* Refused, and the stream is as it was. */
NET_TEST(start_tls, refused,
         LOCALS(tls_ends ends; outcome over; outcome reading; thrum_task * task; char text[8];
                thrum_tls_start_options options; thrum_stream * fed;))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    AWAIT(note_outcome(thrum_start_tls(self->ends.client, self->ends.ours, true, NULL), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL); /* a client's context on the server's side */
    AWAIT(note_outcome(thrum_start_tls(self->ends.client, NULL, false, NULL), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL);
    AWAIT(note_outcome(thrum_start_tls(self->ends.client, self->ends.ours, false, NULL), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL); /* whoever has a certificate would do */
    self->options =
        (thrum_tls_start_options){.size = sizeof self->options, .server_hostname = "", .handshake_timeout = -1};
    AWAIT(note_outcome(thrum_start_tls_with(self->ends.client, self->ends.ours, &self->options), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL);
    self->options =
        (thrum_tls_start_options){.size = sizeof self->options, .server_hostname = "", .shutdown_timeout = -1};
    AWAIT(note_outcome(thrum_start_tls_with(self->ends.client, self->ends.ours, &self->options), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL);
    CHECK_EQ(thrum_stream_fed(&self->fed, NULL), 0);
    AWAIT(note_outcome(thrum_start_tls(self->fed, self->ends.ours, false, NULL), &self->over));
    CHECK_EQ(self->over.error, THRUM_EINVAL);
    thrum_stream_release(self->fed);
    self->task = begin(thrum_stream_read(self->ends.client, self->text, sizeof self->text), &self->reading);
    AWAIT(note_outcome(thrum_start_tls(self->ends.client, self->ends.ours, false, "localhost"), &self->over));
    CHECK_EQ(self->over.error, THRUM_EBUSY);
    AWAIT(thrum_stream_write(self->ends.server, "plain", 5));
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->reading.value, 5);
    CHECK_EQ(thrum_stream_write_eof(self->ends.client), 0);
    AWAIT(note_outcome(thrum_start_tls(self->ends.client, self->ends.ours, false, "localhost"), &self->over));
    CHECK_EQ(self->over.error, THRUM_ESTATE);
    AWAIT(thrum_stream_close(self->ends.client));
    AWAIT(note_outcome(thrum_start_tls(self->ends.client, self->ends.ours, false, "localhost"), &self->over));
    CHECK_EQ(self->over.error, THRUM_ECLOSED);
    ends_close(&self->ends);
    ASYNC_END;
}

/* ---- the handshake does not come to its end ---- */

/* ssl_handshake_timeout: the peer is silent. */
NET_TEST(handshake, timeout,
         LOCALS(pair pair; thrum_tls_context * tls; outcome over; char text[128]; thrum_tls_start_options options;))
{
    ASYNC_BEGIN;
    self->pair = pair_open();
    self->tls = server_of(localhost());
    self->options = (thrum_tls_start_options){
        .size = sizeof self->options, .server_side = true, .handshake_timeout = MILLISECONDS(20)};
    AWAIT(note_text(thrum_start_tls_with(self->pair.stream, self->tls, &self->options), &self->over, self->text));
    CHECK_EQ(self->over.error, THRUM_ETIMEDOUT);
    CHECK_STR(self->text, "the TLS handshake took longer than 0.02 s");
    CHECK(thrum_stream_is_closing(self->pair.stream));
    CHECK_STR(peer_read(&self->pair), "(end)");
    thrum_tls_context_release(self->tls);
    pair_close(&self->pair);
    ASYNC_END;
}

/* The peer hangs up, or speaks another language. */
NET_TEST(handshake, no_peer, LOCALS(pair pair; thrum_tls_context * tls; outcome over; char text[128];))
{
    ASYNC_BEGIN;
    self->tls = server_of(localhost());
    self->pair = pair_open();
    CHECK_EQ(shutdown(self->pair.peer, SHUT_WR), 0);
    AWAIT(note_text(thrum_start_tls(self->pair.stream, self->tls, true, NULL), &self->over, self->text));
    CHECK_EQ(self->over.error, -ECONNRESET);
    CHECK_STR(self->text, "the peer closed the connection during the TLS handshake");
    pair_close(&self->pair);
    self->pair = pair_open();
    peer_send(&self->pair, "GET / HTTP/1.0\r\n\r\n");
    AWAIT(note_text(thrum_start_tls(self->pair.stream, self->tls, true, NULL), &self->over, self->text));
    CHECK_EQ(self->over.error, THRUM_ETLS);
    CHECK_STR(self->text, "http request");
    AWAIT(note_outcome(thrum_stream_read(self->pair.stream, self->text, 1), &self->over));
    CHECK_EQ(self->over.error, THRUM_ECLOSED);
    AWAIT(note_outcome(thrum_stream_wait_closed(self->pair.stream), &self->over));
    CHECK_EQ(self->over.error, THRUM_ETLS);
    pair_close(&self->pair);
    thrum_tls_context_release(self->tls);
    ASYNC_END;
}

/* start_tls_slow_client_cancel and close_during_handshake: cancelled, closed, aborted, released under it. */
NET_TEST(handshake, ended_from_outside,
         LOCALS(pair pair; thrum_tls_context * tls; outcome over; thrum_task * task; int how;))
{
    ASYNC_BEGIN;
    self->tls = client_context();
    for (self->how = 0; self->how < 4; self->how++) {
        self->pair = pair_open();
        self->task = begin(thrum_start_tls(self->pair.stream, self->tls, false, "localhost"), &self->over);
        AWAIT(thrum_yield());
        CHECK(!self->over.over);
        if (self->how == 0) {
            thrum_task_cancel(self->task);
        } else if (self->how == 1) {
            AWAIT(thrum_stream_close(self->pair.stream));
        } else if (self->how == 2) {
            thrum_stream_abort(self->pair.stream);
        } else {
            thrum_stream_release(self->pair.stream);
            self->pair.stream = NULL;
        }
        AWAIT(self->task);
        thrum_task_release(self->task);
        CHECK_EQ(self->over.error, self->how == 0 ? THRUM_ECANCELED : THRUM_ECLOSED);
        pair_close(&self->pair);
    }
    thrum_tls_context_release(self->tls);
    ASYNC_END;
}

/* What is written during the handshake leaves behind it. */
NET_TEST(handshake, writing_meanwhile,
         LOCALS(tls_ends ends; outcome over; outcome writing; thrum_task * task; char text[8];))
{
    ASYNC_BEGIN;
    ends_open(&self->ends);
    self->task = begin(thrum_start_tls(self->ends.client, self->ends.ours, false, "localhost"), &self->over);
    AWAIT(thrum_yield());
    AWAIT(note_outcome(thrum_stream_write(self->ends.client, "early", 5), &self->writing));
    CHECK_EQ(self->writing.value, 5);
    AWAIT(thrum_yield());
    AWAIT(thrum_yield());
    AWAIT(thrum_start_tls(self->ends.server, self->ends.theirs, true, NULL));
    AWAIT(thrum_stream_read_exactly(self->ends.server, self->text, 5));
    CHECK_MEM(self->text, "early", 5);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, 0);
    ends_close(&self->ends);
    ASYNC_END;
}
