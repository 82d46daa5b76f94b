/* The sample ntp, with everything that can come in between, on a network in memory that loses a third of all. */
#include "samples.h"

#include <thrum/testing_network.h>

#include "../../samples/ntp/main.c"
#undef main

/* Answer every question: first as somebody else would. */
static ASYNC(serve, ARGS((const char *, port)),
             LOCALS(thrum_datagram_options options; thrum_datagrams * endpoint; thrum_datagram datagram; int error;
                    unsigned char bytes[NTP_PACKET];))
{
    ASYNC_BEGIN;
    self->options = (thrum_datagram_options){.size = sizeof self->options, .local_host = "0.0.0.0"};
    self->options.local_port = self->port;
    AWAIT_INTO(self->endpoint, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    for (;;) {
        self->datagram.data = self->bytes;
        self->datagram.room = sizeof self->bytes;
        AWAIT(thrum_datagrams_receive(self->endpoint, &self->datagram));
        AWAIT(thrum_datagrams_send(self->endpoint, self->bytes, sizeof self->bytes, &self->datagram.address));
        memmove(self->bytes + 24, self->bytes + 40, 8); /* the cookie */
        self->bytes[0] = 4 << 3 | 4;
        self->bytes[1] = 1;
        AWAIT(thrum_datagrams_send(self->endpoint, self->bytes, sizeof self->bytes, &self->datagram.address));
    }
FINALLY:
    thrum_datagrams_release(self->endpoint);
    ASYNC_END;
}

static ASYNC(ask_over_network, ARGS((void *, context)),
             LOCALS(thrum_test_network *network; thrum_group group; struct job job;))
{
    static const thrum_test_path lossy = {.size = sizeof lossy, .latency = MILLISECONDS(10), .lost = 333};
    static const thrum_test_network_options options = {.size = sizeof options, .path = &lossy};
    int error;
    ASYNC_BEGIN;
    error = thrum_test_network_open(&self->network, &options);
    if (!error)
        error = thrum_test_network_add_host(self->network, "server", NULL);
    if (error)
        ASYNC_RAISE(error);
    self->job = (struct job){.server = "server", .port = "123", .samples = 2, .tries = 50};
    self->job.interval = self->job.patience = SECONDS(1);
    WITH (self->group, thrum_group_open(&self->group)) {
        (void)thrum_group_spawn(&self->group, thrum_test_network_as(self->network, "server", serve("123")));
        AWAIT(app(&self->job));
        thrum_group_cancel(&self->group);
    }
FINALLY:
    thrum_test_network_close(self->network);
    ASYNC_END;
}

TEST_LIMIT(testing_samples, ntp, 60)
{
    const thrum_test_explore_options options = {.size = sizeof options, .seeds = 20};
    explore_twice(ask_over_network, NULL, &options, 6);
}

/* Differences count, also across the day in 2036 on which the seconds go round. */
TEST(ntp, times_go_round)
{
    const struct timespec before = {.tv_sec = 2085978495, .tv_nsec = 500000000};
    const struct timespec after = {.tv_sec = 2085978496, .tv_nsec = 250000000};
    CHECK(ntp_time_of(after) < ntp_time_of(before));
    CHECK(ntp_seconds((int64_t)(ntp_time_of(after) - ntp_time_of(before))) == 0.75);
    const struct ntp_answer answer = {.received = ntp_time_of(after), .sent = ntp_time_of(after)};
    CHECK(ntp_offset(&answer, ntp_time_of(before), ntp_time_of(before)) == 0.75);
    CHECK(ntp_delay(&answer, ntp_time_of(before), ntp_time_of(after)) == 0.75);
}
