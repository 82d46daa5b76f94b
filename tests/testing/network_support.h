/* What the tests of networks share: a network with a server's host and a client's. */
#ifndef TEST_TESTING_NETWORK_SUPPORT_H
#define TEST_TESTING_NETWORK_SUPPORT_H

#include <errno.h>

#include <thrum/testing_network.h>

#include "support.h"

/* A test that is an async function with a network of its own, and leaves nothing behind. */
#define NETWORK_TEST(suite, name, ...)                                                                                 \
    static thrum_awaitable name##_test(void);                                                                          \
    TEST(suite, name)                                                                                                  \
    {                                                                                                                  \
        const thrum_test_options options = {.size = sizeof options, .no_tasks_left = true};                            \
        CHECK_EQ(thrum_test_run(name##_test(), &options), 0);                                                          \
    }                                                                                                                  \
    static ASYNC(name##_test, ARGS_NONE,                                                                               \
                 LOCALS(thrum_test_network *network; thrum_server * server; thrum_stream * a; thrum_stream * b;        \
                        int error; size_t n; thrum_time began; char text[64]; __VA_ARGS__))

static inline thrum_test_network *make_network(const thrum_test_network_options *options)
{
    thrum_test_network *network;
    CHECK_EQ(thrum_test_network_open(&network, options), 0);
    CHECK_EQ(thrum_test_network_add_host(network, "server", NULL), 0);
    CHECK_EQ(thrum_test_network_add_host(network, "client", NULL), 0);
    return network;
}

static inline thrum_test_network *make_slow_network(thrum_time latency)
{
    const thrum_test_path path = {.size = sizeof path, .latency = latency};
    const thrum_test_network_options options = {.size = sizeof options, .path = &path};
    return make_network(&options);
}

#define AS(host, what) thrum_test_network_as(self->network, host, what)

#endif
