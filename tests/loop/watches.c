/* Descriptors that are watched by number: thrum_add_reader() and the others. Numbers are asyncio's corner semantics. */
#include "support.h"

#include <fcntl.h>
#include <sys/socket.h>

typedef struct channel {
    int ends[2];
} channel;

static channel channel_open(void)
{
    channel made;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, made.ends), 0);
    return made;
}

static void channel_close(channel *pair)
{
    close(pair->ends[0]);
    close(pair->ends[1]);
}

static void put(const channel *pair)
{
    CHECK_EQ(write(pair->ends[1], "x", 1), 1);
}

static size_t drain(const channel *pair)
{
    char bytes[16];
    ssize_t got = read(pair->ends[0], bytes, sizeof bytes);
    return got < 0 ? 0 : (size_t)got;
}

/* ---- 2: what was ready, then descriptors, then timers that are due ---- */

TEST(watches, descriptors_come_after_what_is_ready_and_before_timers)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    channel pair = channel_open();
    thrum_handle ready = noting("r"), timer = noting("t");
    char letter = 'd';
    note_clear();
    CHECK_EQ(thrum_call_later(0, &timer), 0);
    CHECK_EQ(thrum_add_reader(pair.ends[0], note_letter, &letter), 0);
    put(&pair);
    CHECK_EQ(thrum_call_soon(&ready), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "rdt");
    CHECK(thrum_remove_reader(pair.ends[0]));
    channel_close(&pair);
    close_loop(loop);
}

/* ---- level triggered ---- */

TEST(watches, a_reader_is_called_once_a_pass_while_there_is_something)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    channel pair = channel_open();
    char letter = 'd';
    note_clear();
    CHECK_EQ(thrum_add_reader(pair.ends[0], note_letter, &letter), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "");
    put(&pair);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "ddd");
    CHECK_EQ(drain(&pair), 1);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "ddd");
    CHECK(thrum_remove_reader(pair.ends[0]));
    CHECK(!thrum_remove_reader(pair.ends[0]));
    put(&pair);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "ddd");
    channel_close(&pair);
    close_loop(loop);
}

/* ---- 1: calls that queue each other do not starve descriptors ---- */

static thrum_handle ping, pong;
static unsigned long rounds;

static void play(thrum_handle *handle)
{
    rounds++;
    thrum_call_soon(handle == &ping ? &pong : &ping);
}

TEST(watches, a_busy_ready_queue_does_not_starve_them)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    channel pair = channel_open();
    rounds = 0;
    thrum_handle_init(&ping, play, NULL);
    thrum_handle_init(&pong, play, NULL);
    thrum_call_soon(&ping);
    CHECK_EQ(thrum_add_reader(pair.ends[0], stop_loop, NULL), 0);
    put(&pair);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    CHECK_LT(rounds, 1000000);
    thrum_remove_reader(pair.ends[0]);
    thrum_handle_cancel(&ping);
    thrum_handle_cancel(&pong);
    channel_close(&pair);
    close_loop(loop);
}

/* ---- 9: taken back by another one of the same pass ---- */

typedef struct rival {
    channel *mine, *other;
} rival;

static void remove_rival(thrum_handle *handle)
{
    const rival *who = handle->context;
    note('r');
    CHECK(thrum_remove_reader(who->other->ends[0]));
}

TEST(watches, one_that_was_found_ready_can_still_be_taken_back)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    channel a = channel_open(), b = channel_open();
    rival one = {&a, &b}, two = {&b, &a};
    note_clear();
    CHECK_EQ(thrum_add_reader(a.ends[0], remove_rival, &one), 0);
    CHECK_EQ(thrum_add_reader(b.ends[0], remove_rival, &two), 0);
    put(&a);
    put(&b);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "r");
    CHECK_NE(thrum_remove_reader(a.ends[0]), thrum_remove_reader(b.ends[0]));
    channel_close(&a);
    channel_close(&b);
    close_loop(loop);
}

/* ---- 10: replacing ---- */

static void replace_other(thrum_handle *handle)
{
    static char letter = 'n';
    const rival *who = handle->context;
    note('r');
    CHECK_EQ(thrum_add_reader(who->other->ends[0], note_letter, &letter), 0);
    CHECK(thrum_remove_reader(who->mine->ends[0]));
}

TEST(watches, replacing_takes_a_queued_call_back)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    channel a = channel_open(), b = channel_open();
    rival one = {&a, &b}, two = {&b, &a};
    note_clear();
    CHECK_EQ(thrum_add_reader(a.ends[0], replace_other, &one), 0);
    CHECK_EQ(thrum_add_reader(b.ends[0], replace_other, &two), 0);
    put(&a);
    put(&b);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "r"); /* the other one was queued, and is not made */
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "rn");
    CHECK_NE(thrum_remove_reader(a.ends[0]), thrum_remove_reader(b.ends[0]));
    channel_close(&a);
    channel_close(&b);
    close_loop(loop);
}

/* ---- 11: both directions of one descriptor ---- */

TEST(watches, reader_and_writer_are_independent)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    channel pair = channel_open();
    char reader = 'r', writer = 'w';
    note_clear();
    put(&pair);
    CHECK_EQ(thrum_add_reader(pair.ends[0], note_letter, &reader), 0);
    CHECK_EQ(thrum_add_writer(pair.ends[0], note_letter, &writer), 0);
    CHECK(thrum_remove_reader(pair.ends[0]));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "w");
    CHECK_EQ(thrum_add_reader(pair.ends[0], note_letter, &reader), 0);
    CHECK(thrum_remove_writer(pair.ends[0]));
    CHECK(!thrum_remove_writer(pair.ends[0]));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "wr");
    CHECK(thrum_remove_reader(pair.ends[0]));
    channel_close(&pair);
    close_loop(loop);
}

/* ---- 12: a number that is used again ---- */

TEST(watches, a_number_may_be_used_again)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    channel old = channel_open();
    char first = '1', second = '2';
    int number = old.ends[0];
    note_clear();
    CHECK_EQ(thrum_add_reader(number, note_letter, &first), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    channel_close(&old); /* without removing the reader */
    channel fresh = channel_open();
    if (fresh.ends[0] != number) {
        CHECK_EQ(dup2(fresh.ends[0], number), number);
        close(fresh.ends[0]);
        fresh.ends[0] = number;
    }
    put(&fresh);
    CHECK_EQ(thrum_add_reader(number, note_letter, &second), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "2");
    CHECK(thrum_remove_reader(number));
    /* And the other way round: removed, closed, another file, watched within one pass. */
    channel_close(&fresh);
    fresh = channel_open();
    put(&fresh);
    CHECK_EQ(thrum_add_reader(fresh.ends[0], note_letter, &first), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "21");
    CHECK(thrum_remove_reader(fresh.ends[0]));
    channel_close(&fresh);
    close_loop(loop);
}

/* ---- 14: an event that came in the pass of the stop ---- */

static void take_and_stop(thrum_handle *handle)
{
    note('t');
    CHECK_EQ(drain((const channel *)handle->context), 1);
    thrum_loop_stop(thrum_loop_running());
}

TEST(watches, an_event_at_the_stop_is_seen_once)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    channel pair = channel_open();
    note_clear();
    put(&pair);
    CHECK_EQ(thrum_add_reader(pair.ends[0], take_and_stop, &pair), 0);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    thrum_loop_stop(loop);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    CHECK_STR(noted.text, "t");
    thrum_remove_reader(pair.ends[0]);
    channel_close(&pair);
    close_loop(loop);
}

/* ---- what is refused ---- */

TEST(watches, errors)
{
    channel pair = channel_open();
    CHECK_EQ(thrum_add_reader(pair.ends[0], stop_loop, NULL), THRUM_ESTATE);
    CHECK(!thrum_remove_reader(pair.ends[0]));
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_add_reader(-1, stop_loop, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_add_reader(pair.ends[0], NULL, NULL), THRUM_EINVAL);
    int closed = fcntl(pair.ends[0], F_DUPFD_CLOEXEC, 100);
    close(closed);
    CHECK_EQ(thrum_add_writer(closed, stop_loop, NULL), THRUM_EINVAL);
    CHECK(!thrum_remove_reader(closed));
    CHECK(!thrum_remove_writer(-5));
    /* A loop that closes lets go of what is watched. */
    CHECK_EQ(thrum_add_reader(pair.ends[0], stop_loop, NULL), 0);
    close_loop(loop);
    CHECK(!thrum_remove_reader(pair.ends[0]));
    loop = open_loop(THRUM_BACKEND_SIM);
    CHECK_EQ(thrum_add_reader(pair.ends[0], stop_loop, NULL), THRUM_EUNSUPPORTED);
    close_loop(loop);
    channel_close(&pair);
}

TEST(watches, many_descriptors)
{
    enum { MANY = 150 };
    static channel pairs[MANY];
    static char letter = 'm';
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    note_clear();
    for (int i = 0; i < MANY; i++) {
        pairs[i] = channel_open();
        CHECK_EQ(thrum_add_reader(pairs[i].ends[0], note_letter, &letter), 0);
        put(&pairs[i]);
    }
    /* A poll need not give all at once the first time; at some time it does. */
    for (int i = 0; i < 10 && noted.count < MANY; i++) {
        note_clear();
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    }
    CHECK_EQ(noted.count, MANY);
    for (int i = 0; i < MANY; i++) {
        CHECK(thrum_remove_reader(pairs[i].ends[0]));
        channel_close(&pairs[i]);
    }
    close_loop(loop);
}
