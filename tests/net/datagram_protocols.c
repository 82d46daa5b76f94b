/* Endpoints that call a protocol. Names are those of test_selector_events and test_events, numbers those of
 * tests/net/PORTED.md. */
#include <netinet/in.h>
#include <thrum/datagrams.h>

#include "support.h"

/* ---- a protocol that writes down what it hears ---- */

typedef struct journal {
    char text[512]; /* "made", "=bytes", "!", "pause", "resume", "lost" with blanks between */
    thrum_datagrams *endpoint;
    int error, lost;
    thrum_address about, from;
    void (*then)(struct journal *journal); /* called behind each datagram */
    size_t received;
} journal;

static void write_down(journal *self, const char *format, int length, const char *what)
{
    size_t used = strlen(self->text);
    if (used)
        used += (size_t)snprintf(self->text + used, sizeof self->text - used, " ");
    snprintf(self->text + used, sizeof self->text - used, format, length, what);
}

static void on_made(void *context, thrum_datagrams *endpoint)
{
    journal *self = (journal *)context;
    self->endpoint = endpoint;
    write_down(self, "%.*s", 4, "made");
}

static void on_datagram(void *context, const thrum_datagram *datagram)
{
    journal *self = (journal *)context;
    self->received++;
    self->from = datagram->address;
    write_down(self, "=%.*s", (int)datagram->size, (const char *)datagram->data);
    if (self->then)
        self->then(self);
}

static void on_error(void *context, int error, const thrum_address *about)
{
    journal *self = (journal *)context;
    self->error = error;
    if (about)
        self->about = *about;
    write_down(self, "%.*s", 1, "!");
}

static void on_lost(void *context, int error)
{
    journal *self = (journal *)context;
    self->lost = error;
    write_down(self, "%.*s", 4, "lost");
}

static void on_pause(void *context)
{
    write_down((journal *)context, "%.*s", 5, "pause");
}

static void on_resume(void *context)
{
    write_down((journal *)context, "%.*s", 6, "resume");
}

static const thrum_datagram_protocol journal_protocol = {
    .size = sizeof journal_protocol,
    .connection_made = on_made,
    .datagram_received = on_datagram,
    .error_received = on_error,
    .connection_lost = on_lost,
    .pause_writing = on_pause,
    .resume_writing = on_resume,
};

static int make_journal(void *context, const thrum_datagram_protocol **protocol, void **own)
{
    *protocol = &journal_protocol;
    *own = context;
    return 0;
}

static thrum_awaitable journal_on(journal *self, const thrum_datagrams *peer)
{
    static char port[8];
    thrum_datagram_options options = {.size = sizeof options};
    thrum_address address;
    if (peer) {
        CHECK_EQ(thrum_datagrams_sockname(peer, &address), 0);
        snprintf(port, sizeof port, "%d", thrum_address_port(&address));
        options.remote_host = "127.0.0.1";
        options.remote_port = port;
    } else {
        options.local_host = "127.0.0.1";
    }
    memset(self, 0, sizeof *self);
    return thrum_create_datagram_endpoint(make_journal, self, &options);
}

static thrum_awaitable journal_of(journal *self, const int *socket)
{
    const thrum_datagram_options options = {.size = sizeof options, .socket = socket};
    memset(self, 0, sizeof *self);
    return thrum_create_datagram_endpoint(make_journal, self, &options);
}

/* ---- the tests ---- */

/* test_create_datagram_endpoint: made, datagrams, lost, in this order and once; empty ones come, too. */
NET_TEST(datagram_protocols, grammar,
         LOCALS(journal server, client; thrum_datagrams * a, *b; thrum_address own; int error; char bytes[4];
                thrum_datagram one;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->a, journal_on(&self->server, NULL));
    CHECK_STR(self->server.text, "made"); /* when the await returns */
    CHECK_PTR(self->server.endpoint, self->a);
    AWAIT_INTO(self->b, journal_on(&self->client, self->a));
    CHECK_EQ(thrum_datagrams_sendto(self->b, "one", 3, NULL), 0);
    CHECK_EQ(thrum_datagrams_sendto(self->b, NULL, 0, NULL), 0);
    CHECK_EQ(thrum_datagrams_sendto(self->b, "three", 5, NULL), 0);
    while (self->server.received < 3)
        AWAIT(thrum_yield());
    CHECK_STR(self->server.text, "made =one = =three");
    CHECK_EQ(thrum_datagrams_sockname(self->b, &self->own), 0);
    CHECK(thrum_address_equal(&self->own, &self->server.from));
    CHECK_EQ(thrum_datagrams_sendto(self->a, "back", 4, &self->server.from), 0);
    while (self->client.received < 1)
        AWAIT(thrum_yield());
    /* A task does not receive beside a protocol, but may send. */
    self->one.data = self->bytes;
    self->one.room = 4;
    AWAIT_CATCH(self->error, thrum_datagrams_receive(self->a, &self->one));
    CHECK_EQ(self->error, THRUM_EBUSY);
    AWAIT(thrum_datagrams_send(self->a, "task", 4, &self->server.from));
    while (self->client.received < 2)
        AWAIT(thrum_yield());
    CHECK_STR(self->client.text, "made =back =task");
    /* The end is told from the loop, not from inside the call. */
    thrum_datagrams_close(self->a);
    CHECK_STR(self->server.text, "made =one = =three");
    AWAIT(thrum_datagrams_wait_closed(self->a));
    CHECK_STR(self->server.text, "made =one = =three lost");
    thrum_datagrams_abort(self->a);
    thrum_datagrams_release(self->a);
    /* Released, it goes on until it is closed. */
    thrum_datagrams_release(self->b);
    AWAIT(thrum_yield());
    CHECK_STR(self->client.text, "made =back =task");
    thrum_datagrams_abort(self->b);
    AWAIT(thrum_yield());
    CHECK_STR(self->client.text, "made =back =task lost");
    CHECK_EQ(self->client.lost, 0);
    ASYNC_END;
}

/* 142, test_datagram_send_to_non_listening_address, test_error_received_connected: told, and not the end. */
NET_TEST(datagram_protocols, errors, LOCALS(journal server, client; thrum_datagrams * a, *b; thrum_address to; int n;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->a, journal_on(&self->server, NULL));
    AWAIT_INTO(self->b, journal_on(&self->client, self->a));
    CHECK_EQ(thrum_datagrams_peername(self->b, &self->to), 0);
    thrum_datagrams_abort(self->a);
    AWAIT(thrum_datagrams_wait_closed(self->a));
    thrum_datagrams_release(self->a);
    CHECK_EQ(thrum_datagrams_sendto(self->b, "x", 1, NULL), 0);
    while (!self->client.error)
        AWAIT(thrum_yield());
    CHECK_EQ(self->client.error, -ECONNREFUSED);
    CHECK(thrum_address_equal(&self->client.about, &self->to));
    /* test_sendto_error_received_connected: also what comes out of the next call. */
    CHECK_EQ(thrum_datagrams_sendto(self->b, "x", 1, NULL), 0);
    CHECK_EQ(thrum_datagrams_sendto(self->b, "y", 1, NULL), 0);
    CHECK_STR(self->client.text, "made ! !");
    CHECK(!thrum_datagrams_is_closing(self->b));
    /* test_sendto_connected_addr: no other address than that of the remote one. */
    CHECK_EQ(thrum_datagrams_sendto(self->b, "x", 1, &self->to), 0);
    CHECK_EQ(thrum_address_from_ip(&self->to, "127.0.0.1", 9), 0);
    CHECK_EQ(thrum_datagrams_sendto(self->b, "x", 1, &self->to), THRUM_EINVAL);
    thrum_datagrams_abort(self->b);
    AWAIT(thrum_datagrams_wait_closed(self->b));
    thrum_datagrams_release(self->b);
    ASYNC_END;
}

static int drain(int peer)
{
    char bytes[2048];
    int count = 0;
    while (read(peer, bytes, sizeof bytes) >= 0)
        count++;
    return count;
}

/* 143, test_sendto_buffer, test_sendto_ready, test_sendto_ready_tryagain: flow control and its numbers; the count of
 * unsent bytes comes back to 0. */
NET_TEST(datagram_protocols, flow_control,
         LOCALS(journal journal; thrum_datagrams * endpoint; int ends[2]; char bytes[1000]; size_t sent, i;))
{
    ASYNC_BEGIN;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, self->ends), 0);
    fcntl(self->ends[1], F_SETFL, O_NONBLOCK);
    AWAIT_INTO(self->endpoint, journal_of(&self->journal, &self->ends[0]));
    CHECK_EQ(thrum_datagrams_set_write_buffer_limits(self->endpoint, 1, 2), THRUM_EINVAL);
    CHECK_EQ(thrum_datagrams_set_write_buffer_limits(self->endpoint, 3000, 1010), 0);
    while (!thrum_datagrams_write_buffer_size(self->endpoint)) {
        CHECK_EQ(thrum_datagrams_sendto(self->endpoint, self->bytes, 1000, NULL), 0);
        self->sent++;
    }
    CHECK_EQ(thrum_datagrams_write_buffer_size(self->endpoint), 1008);
    CHECK_EQ(thrum_datagrams_sendto(self->endpoint, self->bytes, 1000, NULL), 0);
    CHECK_STR(self->journal.text, "made");
    CHECK_EQ(thrum_datagrams_sendto(self->endpoint, self->bytes, 1000, NULL), 0);
    CHECK_STR(self->journal.text, "made pause");
    CHECK_EQ(thrum_datagrams_sendto(self->endpoint, self->bytes, 1000, NULL), 0);
    self->sent += 3;
    while (thrum_datagrams_write_buffer_size(self->endpoint)) {
        self->sent -= (size_t)drain(self->ends[1]);
        AWAIT(thrum_yield());
    }
    CHECK_STR(self->journal.text, "made pause resume");
    CHECK_EQ(drain(self->ends[1]), self->sent);
    /* Marks that are moved below what is there pause at once. */
    while (!thrum_datagrams_write_buffer_size(self->endpoint))
        CHECK_EQ(thrum_datagrams_sendto(self->endpoint, self->bytes, 1000, NULL), 0);
    CHECK_EQ(thrum_datagrams_set_write_buffer_limits(self->endpoint, 0, 0), 0);
    CHECK_STR(self->journal.text, "made pause resume pause");
    /* test_abort, test_close: what was taken leaves before the end is told. */
    thrum_datagrams_close(self->endpoint);
    AWAIT(thrum_yield());
    CHECK_STR(self->journal.text, "made pause resume pause");
    while (self->journal.text[strlen(self->journal.text) - 1] != 't') {
        (void)drain(self->ends[1]);
        AWAIT(thrum_yield());
    }
    CHECK_STR(self->journal.text, "made pause resume pause resume lost");
    thrum_datagrams_release(self->endpoint);
    close(self->ends[1]);
    ASYNC_END;
}

static void then_close(journal *self)
{
    thrum_datagrams_close(self->endpoint);
}

static void then_abort_and_release(journal *self)
{
    thrum_datagrams_abort(self->endpoint);
    thrum_datagrams_release(self->endpoint);
}

/* 129: after close nothing more is received, also of what came with the same call of the system. */
NET_TEST(datagram_protocols, closed_by_what_it_received,
         LOCALS(journal server, client; thrum_datagrams * a, *b; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        AWAIT_INTO(self->a, journal_on(&self->server, NULL));
        AWAIT_INTO(self->b, journal_on(&self->client, self->a));
        self->server.then = self->i ? then_abort_and_release : then_close;
        CHECK_EQ(thrum_datagrams_sendto(self->b, "1", 1, NULL), 0);
        CHECK_EQ(thrum_datagrams_sendto(self->b, "2", 1, NULL), 0);
        while (self->server.text[strlen(self->server.text) - 1] != 't')
            AWAIT(thrum_yield());
        CHECK_STR(self->server.text, "made =1 lost");
        if (!self->i)
            thrum_datagrams_release(self->a);
        thrum_datagrams_abort(self->b);
        thrum_datagrams_release(self->b);
        AWAIT(thrum_yield());
    }
    ASYNC_END;
}

static int refuse(void *context, const thrum_datagram_protocol **protocol, void **own)
{
    (void)protocol, (void)own;
    return *(int *)context;
}

/* The factory refuses; and whoever waits for the beginning is cancelled: the protocol is told of both ends. */
NET_TEST(datagram_protocols, not_made,
         LOCALS(journal journal; int error, no; outcome over; thrum_task * task; thrum_datagram_options options;))
{
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.local_host = "127.0.0.1";
    self->no = THRUM_EAPP(1);
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(refuse, &self->no, &self->options));
    CHECK_EQ(self->error, THRUM_EAPP(1));
    self->no = 0;
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(refuse, &self->no, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL); /* no protocol */
    self->options.queue = 5;
    AWAIT_CATCH(self->error, thrum_create_datagram_endpoint(make_journal, &self->journal, &self->options));
    CHECK_EQ(self->error, THRUM_EINVAL); /* protocols have none */
    self->task = begin(journal_on(&self->journal, NULL), &self->over);
    thrum_task_cancel(self->task);
    AWAIT(self->task);
    thrum_task_release(self->task);
    CHECK_EQ(self->over.error, THRUM_ECANCELED);
    while (!strstr(self->journal.text, "lost"))
        AWAIT(thrum_yield());
    CHECK_STR(self->journal.text, "made lost");
    ASYNC_END;
}

/* The largest there are arrive whole. */
NET_TEST(datagram_protocols, large, LOCALS(journal journal; thrum_datagrams * endpoint; int ends[2]; char *bytes;))
{
    ASYNC_BEGIN;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, self->ends), 0);
    AWAIT_INTO(self->endpoint, journal_of(&self->journal, &self->ends[0]));
    self->bytes = (char *)calloc(1, 150000);
    CHECK_EQ(write(self->ends[1], self->bytes, 150000), 150000);
    while (!self->journal.received)
        AWAIT(thrum_yield());
    free(self->bytes);
    thrum_datagrams_abort(self->endpoint);
    thrum_datagrams_release(self->endpoint);
    AWAIT(thrum_yield());
    close(self->ends[1]);
    ASYNC_END;
}

static thrum_context_var who = THRUM_CONTEXT_VAR("who", 0);
static thrum_value heard_by;
static void then_look(journal *self)
{
    (void)self;
    heard_by = thrum_context_get(&who);
}

/* In the context variables of who made it. */
NET_TEST(datagram_protocols, context, LOCALS(journal server, client; thrum_datagrams * a, *b;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_context_set(&who, 7, NULL), 0);
    AWAIT_INTO(self->a, journal_on(&self->server, NULL));
    CHECK_EQ(thrum_context_set(&who, 8, NULL), 0);
    self->server.then = then_look;
    AWAIT_INTO(self->b, journal_on(&self->client, self->a));
    CHECK_EQ(thrum_datagrams_sendto(self->b, "x", 1, NULL), 0);
    while (!self->server.received)
        AWAIT(thrum_yield());
    CHECK_EQ(heard_by, 7);
    thrum_datagrams_abort(self->a);
    thrum_datagrams_abort(self->b);
    thrum_datagrams_release(self->a);
    thrum_datagrams_release(self->b);
    AWAIT(thrum_yield());
    ASYNC_END;
}

/* The loop closes: the end is told, also to one that has not begun. */
TEST(datagram_protocols, loop_closes)
{
    journal one;
    thrum_pool_stats stats;
    thrum_value value;
    thrum_loop *loop;
    int before = count_descriptors();
    CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, journal_on(&one, NULL), &value), 0);
    thrum_datagrams_release((thrum_datagrams *)(intptr_t)value);
    CHECK_EQ(thrum_loop_close(loop), 0);
    CHECK_STR(one.text, "made lost");
    CHECK_EQ(one.lost, THRUM_ECLOSED);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
    CHECK_EQ(count_descriptors(), before);
}
