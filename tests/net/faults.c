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
    faulty_nth(stream_talk, NULL, NULL);
}

TEST_LIMIT(faults, nth_of_transports, 600)
{
    faulty_nth(transport_talk, NULL, NULL);
}

TEST_LIMIT(faults, nth_of_datagrams, 600)
{
    faulty_nth(datagram_talk, NULL, NULL);
}

TEST_LIMIT(faults, nth_of_sockets, 600)
{
    faulty_nth(socket_talk, NULL, NULL);
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

/* ---- the system has no memory to watch a socket, for a while ---- */

static ASYNC(unwatched, ARGS((void *, context)), LOCALS(pair ends; outcome read; thrum_task * reader; char bytes[4];))
{
    const fault_plan plan = {.kinds = FAULT_UNWATCHED, .one_in = 1};
    ASYNC_BEGIN;
    faults_begin(&plan);
    self->ends = pair_open();
    self->reader = begin(thrum_stream_read(self->ends.stream, self->bytes, sizeof self->bytes), &self->read);
    while (faults.disturbed < 2 && !getenv("THRUM_POLLER")) /* other pollers need no memory */
        AWAIT(thrum_sleep(MICROSECONDS(100)));
    CHECK(!self->read.over);
    faults_end();
    peer_send(&self->ends, "abc");
    AWAIT(thrum_task_wait(self->reader));
    CHECK_EQ(self->read.error, 0);
    CHECK_EQ(self->read.value, 3);
    thrum_task_release(self->reader);
    pair_close(&self->ends);
    ASYNC_END;
}

TEST(faults, watched_once_there_is_memory)
{
    thrum_loop *loop;
    CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, unwatched(NULL), NULL), 0);
    CHECK_EQ(thrum_loop_close(loop), 0);
}
