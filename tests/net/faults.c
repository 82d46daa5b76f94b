/* Connections, datagrams and sockets under the fault layer (../support/faults.h): byte-exact data or a clean error,
 * never a hang, a leak or a call too many. */
#include "faulty.h"

TEST_LIMIT(faults, streams, 600)
{
    faulty_seeds(stream_talk, NULL, NULL, 60);
}

TEST_LIMIT(faults, transports, 600)
{
    faulty_seeds(transport_talk, NULL, NULL, 60);
}

TEST_LIMIT(faults, datagrams, 600)
{
    faulty_seeds(datagram_talk, NULL, NULL, 40);
}

TEST_LIMIT(faults, sockets, 600)
{
    faulty_seeds(socket_talk, NULL, NULL, 40);
}

TEST_LIMIT(faults, nth_of_streams, 600)
{
    faulty_nth(stream_talk, NULL, NULL, 40);
}

TEST_LIMIT(faults, nth_of_transports, 600)
{
    faulty_nth(transport_talk, NULL, NULL, 40);
}

TEST_LIMIT(faults, nth_of_datagrams, 600)
{
    faulty_nth(datagram_talk, NULL, NULL, 40);
}

TEST_LIMIT(faults, nth_of_sockets, 600)
{
    faulty_nth(socket_talk, NULL, NULL, 40);
}
