/* The sample dns, with everything that can come in between: a server in the same loop answers over UDP and TCP. And its
 * reader of messages, at its bounds. */
#include "samples.h"

#undef printf
#define printf(...) ((void)samples_text) /* it may be long */
#include "../../samples/dns/main.c"
#undef main

#include "../../samples/dns/names.h"

/* ---- asking ---- */

/* The question with an answer in it: of 1 byte over UDP ("truncated"), whole over TCP. */
static size_t answer(unsigned char *to, const unsigned char *question, size_t size, bool truncated)
{
    static const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1};
    size -= 11; /* without the OPT */
    memcpy(to, question, size);
    to[2] = truncated ? 0x83 : 0x81;
    to[3] = 0x80;
    to[7] = 1;
    to[11] = 0;
    memcpy(to + size, record, sizeof record);
    return size + sizeof record;
}

/* Answer each datagram: first with what is no answer. */
static ASYNC(serve_datagrams, ARGS((thrum_datagrams *, endpoint)),
             LOCALS(thrum_datagram datagram; thrum_datagram reply; int error; unsigned char question[DNS_QUERY];
                    unsigned char bytes[DNS_QUERY + 16];))
{
    ASYNC_BEGIN;
    while (self->error != THRUM_ECLOSED) {
        self->datagram.data = self->question;
        self->datagram.room = sizeof self->question;
        AWAIT_CATCH(self->error, thrum_datagrams_receive(self->endpoint, &self->datagram));
        if (self->error)
            continue; /* one who asked is gone */
        AWAIT(thrum_datagrams_send(self->endpoint, "?", 1, &self->datagram.address));
        self->reply.size = answer(self->bytes, self->question, self->datagram.size, true);
        AWAIT(thrum_datagrams_send(self->endpoint, self->bytes, self->reply.size, &self->datagram.address));
    }
FINALLY: /* who asks from now on is told so, and need not wait */
    thrum_datagrams_abort(self->endpoint);
    ASYNC_END;
}

static ASYNC(serve_stream, ARGS((thrum_stream *, client), (void *, context)),
             LOCALS(int error; size_t size; unsigned char length[2]; unsigned char question[DNS_QUERY];
                    unsigned char bytes[DNS_QUERY + 18];))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_stream_read_exactly(self->client, self->length, 2));
    if (self->error)
        ASYNC_RETURN(0); /* who asked has been cancelled */
    AWAIT_CATCH_INTO(self->error, self->size,
                     thrum_stream_read_exactly(self->client, self->question, self->length[1] + self->length[0] * 256U));
    if (self->error)
        ASYNC_RETURN(0);
    self->size = answer(self->bytes + 2, self->question, self->size, false);
    self->bytes[0] = 0;
    self->bytes[1] = (unsigned char)self->size;
    AWAIT_CATCH(self->error, thrum_stream_write(self->client, self->bytes, self->size + 2));
    ASYNC_END;
}

/* What answers shall be known by. */
static const char *last_answer(struct dns_question *question, char *text, size_t room)
{
    struct dns_record record;
    question->reply.records = 1; /* it was read to its end */
    question->reply.at = question->size - 16;
    if (dns_next_record(&question->reply, &record) != 1 || !dns_data_text(&question->reply, &record, text, room))
        return "";
    return text;
}

static struct dns_question question;

static ASYNC(ask_both_ways, ARGS((void *, context)),
             LOCALS(thrum_server *server; thrum_datagrams * endpoint; thrum_datagram_options options; struct job job;
                    struct dns_server at; thrum_group group; char port[16];))
{
    char text[32];
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(serve_stream, NULL, "127.0.0.1", "0"));
    (void)snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    self->options = (thrum_datagram_options){.size = sizeof self->options, .local_host = "127.0.0.1"};
    self->options.local_port = self->port;
    AWAIT_INTO(self->endpoint, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    self->at = (struct dns_server){"127.0.0.1", self->port};
    self->job = (struct job){.questions = &question, .count = 1};
    self->job.how = (struct dns_how){.servers = &self->at, .server_count = 1, .tries = 4, .patience = MILLISECONDS(60)};
    memset(&question, 0, sizeof question);
    question.name = "Host.Test";
    question.type = DNS_A;
    WITH (self->group, thrum_group_open(&self->group)) {
        (void)thrum_group_spawn(&self->group, serve_datagrams(self->endpoint));
        AWAIT(app(&self->job));
        thrum_group_cancel(&self->group);
    }
    if (strcmp(last_answer(&question, text, sizeof text), "10.0.0.1") != 0)
        ASYNC_RAISE(THRUM_EINCOMPLETE);
FINALLY:
    thrum_datagrams_release(self->endpoint);
    thrum_server_close(self->server);
    thrum_server_release(self->server);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, dns, 60)
{
    explore_sockets(ask_both_ways, NULL, NULL, 4);
}

/* ---- names ---- */

static size_t read_name(const unsigned char *bytes, size_t size, size_t at, char name[DNS_NAME])
{
    unsigned char *copy = (unsigned char *)malloc(size); /* so that a byte too far is seen */
    memcpy(copy, bytes, size);
    size_t end = dns_read_name(copy, size, at, name);
    free(copy);
    return end;
}

/* What was written is read as the same, and not from any part of it. */
TEST(dns, names_go_round)
{
    static const char *const names[] = {".", "a.", "example.org.", "with\\.dot.\\\\\\000\\255."};
    unsigned char bytes[256];
    char text[DNS_NAME];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t size = dns_write_name(bytes, names[i]);
        CHECK_EQ(read_name(bytes, size, 0, text), size);
        CHECK_STR(text, names[i]);
        for (size_t less = 1; less < size; less++)
            CHECK_EQ(read_name(bytes, less, 0, text), 0);
    }
}

TEST(dns, longest_name)
{
    unsigned char bytes[256];
    char text[DNS_NAME];
    memset(bytes, 255, sizeof bytes); /* each of which is four characters */
    bytes[0] = bytes[64] = bytes[128] = 63;
    bytes[192] = 61;
    bytes[254] = 0;
    CHECK_EQ(read_name(bytes, 255, 0, text), 255);
    CHECK_EQ(strlen(text), 250 * 4 + 4);
    bytes[192] = 62;
    bytes[255] = 0;
    CHECK_EQ(read_name(bytes, 256, 0, text), 0);
}

/* Pointers lead back, and come to an end. */
TEST(dns, pointers)
{
    static const unsigned char bytes[] = {1, 'a', 0, 1, 'b', 0xc0, 0, 0xc0, 3, 0xc0, 9, 0xc0, 13, 0xc0, 11, 0xc0};
    char text[DNS_NAME];
    CHECK_EQ(read_name(bytes, sizeof bytes, 7, text), 9);
    CHECK_STR(text, "b.a.");
    CHECK_EQ(read_name(bytes, sizeof bytes, 9, text), 0);  /* at itself */
    CHECK_EQ(read_name(bytes, sizeof bytes, 11, text), 0); /* forwards */
    CHECK_EQ(read_name(bytes, sizeof bytes, 13, text), 0); /* and round in a circle */
    CHECK_EQ(read_name(bytes, sizeof bytes, 15, text), 0); /* cut */
    CHECK_EQ(read_name(bytes, sizeof bytes, 16, text), 0);
}
