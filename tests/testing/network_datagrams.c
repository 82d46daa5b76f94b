/* Datagrams over networks in memory. */
#include "network_support.h"

#define LATENCY MILLISECONDS(10)

static thrum_awaitable bind_to(const char *host, const char *port)
{
    const thrum_datagram_options options = {.size = sizeof options, .local_host = host, .local_port = port};
    return thrum_create_datagram_endpoint(NULL, NULL, &options);
}

static thrum_awaitable send_to(const char *host, const char *port)
{
    const thrum_datagram_options options = {.size = sizeof options, .remote_host = host, .remote_port = port};
    return thrum_create_datagram_endpoint(NULL, NULL, &options);
}

NETWORK_TEST(testing_network_datagrams, ask_and_answer, thrum_datagrams *server_end; thrum_datagrams * client_end;
             thrum_datagram datagram; char bytes[8];)
{
    char text[THRUM_ADDRESS_TEXT];
    thrum_address address;
    ASYNC_BEGIN;
    self->network = make_slow_network(LATENCY);
    AWAIT_INTO(self->server_end, AS("server", bind_to(NULL, "53")));
    AWAIT_CATCH(self->error, AS("server", bind_to("127.0.0.1", "53")));
    CHECK_EQ(self->error, -EADDRINUSE);
    CHECK_EQ(thrum_datagrams_descriptor(self->server_end), THRUM_EUNSUPPORTED);
    AWAIT_INTO(self->client_end, AS("client", send_to("server", "53")));
    CHECK_EQ(thrum_datagrams_peername(self->client_end, &address), 0);
    thrum_address_text(&address, text, sizeof text);
    CHECK_STR(text, "10.0.0.2:53");
    self->datagram.data = self->bytes;
    self->datagram.room = sizeof self->bytes;
    AWAIT(thrum_datagrams_send(self->client_end, "a question", 10, NULL));
    AWAIT(thrum_datagrams_receive(self->server_end, &self->datagram));
    CHECK_EQ(thrum_now(), LATENCY);
    CHECK_EQ(self->datagram.size, 8);
    CHECK_EQ(self->datagram.flags, THRUM_DATAGRAM_TRUNCATED);
    CHECK_MEM(self->bytes, "a questi", 8);
    thrum_address_text(&self->datagram.address, text, sizeof text);
    CHECK_STR(text, "10.0.0.3:49152");
    AWAIT(thrum_datagrams_send(self->server_end, "", 0, &self->datagram.address));
    AWAIT(thrum_datagrams_receive(self->client_end, &self->datagram));
    CHECK_EQ(thrum_now(), 2 * LATENCY);
    CHECK_EQ(self->datagram.size, 0);
    CHECK_EQ(self->datagram.flags, 0);
    /* Nobody is at home any more, which comes back to one that is connected. */
    thrum_datagrams_release(self->server_end);
    AWAIT(thrum_datagrams_send(self->client_end, "x", 1, NULL));
    AWAIT_CATCH(self->error, thrum_datagrams_receive(self->client_end, &self->datagram));
    CHECK_EQ(self->error, -ECONNREFUSED);
    CHECK_EQ(thrum_now(), 4 * LATENCY);
    thrum_datagrams_release(self->client_end);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

/* A group: who is in it hears what is sent to its port, the sender, too; and nobody who is not, or was. */
NETWORK_TEST(testing_network_datagrams, to_a_group, thrum_datagrams *ends[3]; thrum_datagram datagram;
             thrum_address group; int i; char byte;)
{
    static const char *const hosts[] = {"server", "client", "client"}, *const ports[] = {"5353", "5353", "1"};
    ASYNC_BEGIN;
    self->network = make_slow_network(LATENCY);
    for (self->i = 0; self->i < 3; self->i++)
        AWAIT_INTO(self->ends[self->i], AS(hosts[self->i], bind_to("0.0.0.0", ports[self->i])));
    CHECK_EQ(thrum_address_from_ip(&self->group, "224.0.0.251", 5353), 0);
    self->datagram.data = &self->byte;
    self->datagram.room = 1;
    AWAIT(thrum_datagrams_send(self->ends[0], "0", 1, &self->group)); /* nobody is there yet */
    for (self->i = 0; self->i < 3; self->i++)
        CHECK_EQ(thrum_datagrams_join(self->ends[self->i], &self->group, "of any name"), 0);
    CHECK_EQ(thrum_datagrams_join(self->ends[0], &self->group, NULL), -EADDRINUSE);
    AWAIT(thrum_datagrams_send(self->ends[0], "1", 1, &self->group));
    for (self->i = 0; self->i < 2; self->i++) {
        AWAIT(thrum_datagrams_receive(self->ends[self->i], &self->datagram));
        CHECK_EQ(self->byte, '1');
        thrum_address_text(&self->datagram.address, self->text, sizeof self->text);
        CHECK_STR(self->text, "10.0.0.2:5353");
    }
    CHECK_EQ(thrum_now(), LATENCY);
    CHECK_EQ(thrum_datagrams_leave(self->ends[1], &self->group, NULL), 0);
    CHECK_EQ(thrum_datagrams_leave(self->ends[1], &self->group, NULL), -EADDRNOTAVAIL);
    AWAIT(thrum_datagrams_send(self->ends[2], "2", 1, &self->group));
    CHECK_EQ(thrum_address_from_ip(&self->datagram.address, "10.0.0.3", 5353), 0);
    AWAIT(thrum_datagrams_send(self->ends[0], "3", 1, &self->datagram.address));
    AWAIT(thrum_datagrams_receive(self->ends[1], &self->datagram));
    CHECK_EQ(self->byte, '3');
    AWAIT(thrum_datagrams_receive(self->ends[0], &self->datagram));
    CHECK_EQ(self->byte, '2');
    for (self->i = 0; self->i < 3; self->i++)
        thrum_datagrams_release(self->ends[self->i]);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

NETWORK_TEST(testing_network_datagrams, only_from_its_peer, thrum_datagrams *ends[3]; thrum_datagram datagram;
             thrum_address address; int i;)
{
    const thrum_datagram_options paths = {.size = sizeof paths, .local_path = "/run/log"};
    const thrum_datagram_options to_path = {.size = sizeof to_path, .remote_path = "/run/log"};
    ASYNC_BEGIN;
    self->network = make_network(NULL);
    AWAIT_INTO(self->ends[0], AS("server", send_to("client", "1")));
    CHECK_EQ(thrum_datagrams_sockname(self->ends[0], &self->address), 0);
    AWAIT_INTO(self->ends[1], AS("client", bind_to("client", "2")));
    AWAIT_INTO(self->ends[2], AS("client", bind_to("client", "1")));
    CHECK_EQ(thrum_address_from_ip(&self->address, "10.0.0.2", thrum_address_port(&self->address)), 0);
    AWAIT(thrum_datagrams_send(self->ends[1], "2", 1, &self->address));
    AWAIT(thrum_datagrams_send(self->ends[2], "1", 1, &self->address));
    self->datagram.data = self->text;
    self->datagram.room = 1;
    AWAIT(thrum_datagrams_receive(self->ends[0], &self->datagram));
    CHECK_EQ(self->text[0], '1');
    CHECK_EQ(thrum_datagrams_join(self->ends[1], &self->address, NULL), THRUM_EINVAL); /* is no group */
    for (self->i = 0; self->i < 3; self->i++)
        thrum_datagrams_release(self->ends[self->i]);
    /* Paths of Unix sockets work as well, on one host. */
    AWAIT_INTO(self->ends[0], thrum_create_datagram_endpoint(NULL, NULL, &paths));
    AWAIT_INTO(self->ends[1], thrum_create_datagram_endpoint(NULL, NULL, &to_path));
    AWAIT(thrum_datagrams_send(self->ends[1], "u", 1, NULL));
    AWAIT(thrum_datagrams_receive(self->ends[0], &self->datagram));
    CHECK_EQ(self->text[0], 'u');
    thrum_datagrams_release(self->ends[0]);
    thrum_datagrams_release(self->ends[1]);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

/* ---- by seed ---- */

enum { MANY = 1000 };

typedef struct counted {
    unsigned came, twice, overtaken;
    int last;
    bool seen[MANY];
} counted;

static void datagram_came(void *context, const thrum_datagram *datagram)
{
    counted *all = (counted *)context;
    int number;
    CHECK_EQ(datagram->size, sizeof number);
    memcpy(&number, datagram->data, sizeof number);
    all->came++;
    all->twice += all->seen[number];
    all->overtaken += number < all->last;
    all->last = number;
    all->seen[number] = true;
}

static int make_counter(void *context, const thrum_datagram_protocol **protocol, void **own)
{
    static const thrum_datagram_protocol counter = {.size = sizeof counter, .datagram_received = datagram_came};
    *protocol = &counter;
    *own = context;
    return 0;
}

static ASYNC(send_many, ARGS((void *, context)),
             LOCALS(thrum_test_network *network; thrum_datagrams * from; thrum_datagrams * to; int i;))
{
    const thrum_test_path path = {
        .size = sizeof path, .latency = LATENCY, .jitter = LATENCY, .lost = 100, .doubled = 50};
    const thrum_test_network_options options = {.size = sizeof options, .path = &path};
    const thrum_datagram_options at = {.size = sizeof at, .local_port = "5"};
    ASYNC_BEGIN;
    self->network = make_network(&options);
    AWAIT_INTO(self->to, AS("server", thrum_create_datagram_endpoint(make_counter, self->context, &at)));
    AWAIT_INTO(self->from, AS("client", send_to("server", "5")));
    for (self->i = 0; self->i < MANY; self->i++) {
        AWAIT(thrum_datagrams_send(self->from, &self->i, sizeof self->i, NULL));
        AWAIT(thrum_sleep(MILLISECONDS(2)));
    }
    AWAIT(thrum_sleep(SECONDS(1)));
    /* What is under way when it is cut is lost, and what is sent then. */
    AWAIT(thrum_datagrams_send(self->from, &self->i, sizeof self->i, NULL));
    CHECK_EQ(thrum_test_network_cut(self->network, "client", "server", SECONDS(1)), 0);
    AWAIT(thrum_datagrams_send(self->from, &self->i, sizeof self->i, NULL));
    AWAIT(thrum_sleep(SECONDS(2)));
    thrum_datagrams_release(self->from);
    thrum_datagrams_close(self->to);
    AWAIT(thrum_datagrams_wait_closed(self->to));
    thrum_datagrams_release(self->to);
    thrum_test_network_close(self->network);
    ASYNC_END;
}

TEST(testing_network_datagrams, losses_by_seed)
{
    static counted first, again, other;
    thrum_test_options options = {.size = sizeof options, .seed = 7};
    CHECK_EQ(thrum_test_run(send_many(&first), &options), 0);
    CHECK_LT(first.came - first.twice, MANY - MANY / 20);
    CHECK_GT(first.came - first.twice, MANY - MANY / 5);
    CHECK_GT(first.twice, MANY / 50);
    CHECK_GT(first.overtaken, MANY / 10);
    CHECK_EQ(thrum_test_run(send_many(&again), &options), 0);
    CHECK_MEM(&again, &first, sizeof first);
    options.seed = 8;
    CHECK_EQ(thrum_test_run(send_many(&other), &options), 0);
    CHECK(memcmp(&other, &first, sizeof first) != 0);
}
