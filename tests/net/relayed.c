/* Connections and datagrams over a bad network (../support/relay.h): pieces of one byte, slow lines, cut ones, peers
 * that are gone without a word; and datagrams that are lost, repeated and overtaken. */
#include <thrum/datagrams.h>
#include <thrum/names.h>

#include "relayed.h"

NET_TEST(relayed, one_byte_at_a_time, LOCALS(line on; relay_plan plan;))
{
    ASYNC_BEGIN;
    self->plan.fragment = 1;
    AWAIT(line_open(&self->on, self->plan));
    AWAIT(converse(&self->on));
    AWAIT(line_close(&self->on));
    CHECK_EQ(self->on.served, 1);
    CHECK_EQ(self->on.echo_error, 0);
    ASYNC_END;
}

NET_TEST(relayed, in_pieces_and_late, LOCALS(line on;))
{
    ASYNC_BEGIN;
    AWAIT(over_many(&self->on, false));
    CHECK_EQ(self->on.served, 15);
    ASYNC_END;
}

NET_TEST(relayed, cut, LOCALS(line on;))
{
    ASYNC_BEGIN;
    AWAIT(over_many(&self->on, true));
    ASYNC_END;
}

/* ---- a peer that is gone without a word ---- */

/* A read waits until it is told not to; a close that has sent everything does not wait for anybody. */
NET_TEST(relayed, half_open, LOCALS(line on; relay_plan plan; thrum_stream * stream; int error; char byte[4];))
{
    ASYNC_BEGIN;
    self->plan.half_open = true;
    self->plan.cut_after = 6; /* "abc" there and back */
    AWAIT(line_open(&self->on, self->plan));
    AWAIT_INTO(self->stream, thrum_open_connection("127.0.0.1", self->on.port));
    AWAIT(thrum_stream_write(self->stream, "abc", 3));
    AWAIT(thrum_stream_read_exactly(self->stream, self->byte, 3));
    CHECK_MEM(self->byte, "abc", 3);
    AWAIT(thrum_stream_write(self->stream, "d", 1));
    AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(10), thrum_stream_read(self->stream, self->byte, 1)));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    CHECK(!thrum_stream_is_closing(self->stream));
    AWAIT(thrum_stream_close(self->stream));
    thrum_stream_release(self->stream);
    AWAIT(line_close(&self->on));
    ASYNC_END;
}

/* What nobody takes any more is dropped at the close's deadline, and its error says how much it was. */
NET_TEST(relayed, half_open_and_full,
         LOCALS(line on; relay_plan plan; thrum_stream * stream; thrum_connect_options options;
                thrum_stream_options marks; int error; char *bytes;))
{
    enum { MUCH = 8000000 };
    ASYNC_BEGIN;
    self->plan.half_open = true;
    self->plan.cut_after = 1000;
    AWAIT(line_open(&self->on, self->plan));
    self->marks.size = sizeof self->marks;
    self->marks.high = 2 * MUCH;
    self->marks.close_deadline = MILLISECONDS(20);
    self->options.size = sizeof self->options;
    self->options.stream = &self->marks;
    AWAIT_INTO(self->stream, thrum_open_connection_with("127.0.0.1", self->on.port, &self->options));
    self->bytes = counted(MUCH);
    AWAIT(thrum_stream_write(self->stream, self->bytes, MUCH));
    AWAIT_CATCH(self->error, thrum_stream_close(self->stream));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    CHECK_GT(error_number(), 0);
    CHECK_LT(error_number(), MUCH);
    thrum_stream_release(self->stream);
    AWAIT(line_close(&self->on));
    free(self->bytes);
    ASYNC_END;
}

/* The link goes in the middle of a read that waits. */
NET_TEST(relayed, cut_under_a_reader,
         LOCALS(line on; relay_plan plan; thrum_stream * stream; outcome read; thrum_task * reader; char bytes[8];))
{
    ASYNC_BEGIN;
    self->plan.reset = true;
    AWAIT(line_open(&self->on, self->plan));
    AWAIT_INTO(self->stream, thrum_open_connection("127.0.0.1", self->on.port));
    AWAIT(thrum_stream_write(self->stream, "abc", 3));
    AWAIT(thrum_stream_read_exactly(self->stream, self->bytes, 3));
    self->reader = begin(thrum_stream_read(self->stream, self->bytes, 8), &self->read);
    CHECK(!self->read.over);
    relay_cut(self->on.between);
    AWAIT(thrum_task_wait(self->reader));
    CHECK_EQ(self->read.error, -ECONNRESET);
    thrum_task_release(self->reader);
    thrum_stream_release(self->stream);
    AWAIT(line_close(&self->on));
    ASYNC_END;
}

/* ---- happy eyeballs: one address does not answer, the other is a slow line ---- */

NET_TEST(relayed, eyeballs,
         LOCALS(line on; relay * six; relay_plan plan; thrum_connect_options options; thrum_stream * stream;
                char bytes[4], name[THRUM_ADDRESS_TEXT];))
{
    ASYNC_BEGIN;
    self->plan.fragment = 1;
    self->plan.pace = 500;
    AWAIT(line_open(&self->on, self->plan));
    self->plan.ipv6 = self->plan.deaf = true;
    self->plan.listen_port = relay_port(self->on.between);
    self->six = relay_open(&self->plan);
    self->options.size = sizeof self->options;
    self->options.happy_eyeballs_delay = MILLISECONDS(5);
    AWAIT_INTO(self->stream, thrum_open_connection_with(NULL, self->on.port, &self->options));
    CHECK_EQ(thrum_stream_peername(self->stream, self->name, sizeof self->name), 0);
    CHECK_EQ(strncmp(self->name, "127.0.0.1:", 10), 0);
    AWAIT(thrum_stream_write(self->stream, "abcd", 4));
    AWAIT(thrum_stream_read_exactly(self->stream, self->bytes, 4));
    CHECK_MEM(self->bytes, "abcd", 4);
    thrum_stream_release(self->stream);
    CHECK_EQ(relay_close(self->six).connections, 0);
    AWAIT(line_close(&self->on));
    ASYNC_END;
}

/* ---- datagrams: a question is asked again until it is answered ---- */

enum { QUESTIONS = 40 };

typedef struct question {
    unsigned char number, attempt;
} question;

static ASYNC(answers, ARGS((thrum_datagrams *, endpoint)), LOCALS(thrum_datagram datagram; question asked;))
{
    ASYNC_BEGIN;
    for (;;) {
        self->datagram.data = &self->asked;
        self->datagram.room = sizeof self->asked;
        AWAIT(thrum_datagrams_receive(self->endpoint, &self->datagram));
        CHECK_EQ(self->datagram.size, sizeof self->asked);
        AWAIT(thrum_datagrams_send(self->endpoint, &self->asked, sizeof self->asked, &self->datagram.address));
    }
    ASYNC_END;
}

/* Answers to earlier questions, which were repeated or overtaken, are passed over. */
static ASYNC(answer_to, ARGS((thrum_datagrams *, endpoint), (int, number)),
             LOCALS(thrum_datagram datagram; question got;))
{
    ASYNC_BEGIN;
    do {
        self->datagram.data = &self->got;
        self->datagram.room = sizeof self->got;
        AWAIT(thrum_datagrams_receive(self->endpoint, &self->datagram));
        CHECK_EQ(self->datagram.size, sizeof self->got);
        CHECK_LE(self->got.number, self->number);
    } while (self->got.number != self->number);
    ASYNC_RETURN(self->got.attempt);
    ASYNC_END;
}

NET_TEST(relayed, datagrams,
         LOCALS(thrum_datagrams *server; thrum_datagrams * client; thrum_datagram_options options;
                thrum_task * answering; relay * between; relay_plan plan; char port[8]; thrum_address address;
                question ask; int error, asked; size_t answered;))
{
    relay_counts counts;
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.local_host = "127.0.0.1";
    self->options.local_port = "0";
    AWAIT_INTO(self->server, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    CHECK_EQ(thrum_datagrams_sockname(self->server, &self->address), 0);
    self->answering = thrum_spawn(answers(self->server));
    self->plan = (relay_plan){.seed = 3, .datagrams = true, .lose = 4, .repeat = 5, .hold = 6};
    self->plan.port = thrum_address_port(&self->address);
    self->between = relay_open(&self->plan);
    snprintf(self->port, sizeof self->port, "%d", relay_port(self->between));
    self->options =
        (thrum_datagram_options){.size = sizeof self->options, .remote_host = "127.0.0.1", .remote_port = self->port};
    AWAIT_INTO(self->client, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    for (self->ask.number = 0; self->ask.number < QUESTIONS; self->ask.number++) {
        self->error = THRUM_ETIMEDOUT;
        for (self->ask.attempt = 0; self->error; self->ask.attempt++) {
            self->asked++;
            AWAIT(thrum_datagrams_send(self->client, &self->ask, sizeof self->ask, NULL));
            AWAIT_CATCH_INTO(self->error, self->answered,
                             thrum_timeout(MILLISECONDS(5), answer_to(self->client, self->ask.number)));
            CHECK(!self->error || self->error == THRUM_ETIMEDOUT);
            CHECK(self->error || self->answered <= self->ask.attempt);
        }
    }
    counts = relay_close(self->between);
    CHECK_GT(counts.lost, 0);
    CHECK_GT(counts.repeated, 0);
    CHECK_GT(counts.held, 0);
    CHECK_GT(self->asked, QUESTIONS);
    thrum_task_cancel(self->answering);
    AWAIT_CATCH_ALL(self->error, thrum_task_wait(self->answering));
    CHECK_EQ(self->error, THRUM_ECANCELED);
    thrum_task_release(self->answering);
    thrum_datagrams_abort(self->client);
    thrum_datagrams_release(self->client);
    thrum_datagrams_abort(self->server);
    thrum_datagrams_release(self->server);
    ASYNC_END;
}
