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

/* ---- a close that fails, too, does not hide why the connection did not come about ---- */

static ASYNC(refused, ARGS((void *, context)), LOCALS(thrum_stream *stream; int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_INTO(self->error, self->stream, thrum_open_connection("127.0.0.1", "9"));
    CHECK_EQ(self->error, -ECONNREFUSED);
    ASYNC_END;
}

TEST(faults, close_fails_after_connect)
{
    const fault_plan plan = {.kinds = FAULT_BROKEN, .one_in = 1, .closes_fail = true};
    thrum_loop *loop;
    int before = count_descriptors();
    CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
    faults_begin(&plan);
    int error = thrum_loop_run_until_complete(loop, refused(NULL), NULL);
    faults_end();
    CHECK_EQ(error, 0);
    CHECK_EQ(faults.hard, 1);
    CHECK_EQ(thrum_loop_close(loop), 0);
    CHECK_EQ(count_descriptors(), before);
}
