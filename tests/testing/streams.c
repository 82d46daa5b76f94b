/* Connections in memory: that they are streams like others, and that they do what their script says. */
#include <errno.h>
#include <stdint.h>

#include <test.h>
#include <thrum.h>
#include <thrum/testing.h>

/* A test that is an async function; it must leave nothing behind. */
#define PAIR_TEST(name, ...)                                                                                           \
    static thrum_awaitable name##_test(void);                                                                          \
    TEST(testing_streams, name)                                                                                        \
    {                                                                                                                  \
        CHECK_EQ(thrum_test_run(name##_test(), NULL), 0);                                                              \
    }                                                                                                                  \
    static ASYNC(name##_test, ARGS_NONE,                                                                               \
                 LOCALS(thrum_stream *a; thrum_stream * b; int error; size_t n; char text[64]; __VA_ARGS__))

static void give_back(thrum_stream **a, thrum_stream **b)
{
    thrum_stream_release(*a);
    thrum_stream_release(*b);
    *a = *b = NULL;
}

PAIR_TEST(both_directions_and_the_end, int unused;)
{
    char address[THRUM_ADDRESS_TEXT];
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, NULL), 0);
    CHECK_EQ(thrum_stream_descriptor(self->a), THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_stream_peername(self->a, address, sizeof address), 0);
    CHECK_STR(address, "memory");
    CHECK_EQ(thrum_stream_sockname(self->a, address, sizeof address), 0);
    AWAIT(thrum_stream_write(self->a, "ping\n", 5));
    AWAIT_INTO(self->n, thrum_stream_read_line(self->b, self->text, sizeof self->text));
    CHECK_STR(self->text, "ping\n");
    AWAIT(thrum_stream_write(self->b, "pong", 4));
    CHECK_EQ(thrum_stream_write_eof(self->b), 0);
    AWAIT_INTO(self->n, thrum_stream_read(self->a, self->text, sizeof self->text));
    CHECK_EQ(self->n, 4);
    AWAIT_INTO(self->n, thrum_stream_read(self->a, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
    CHECK(thrum_stream_at_eof(self->a));
    AWAIT(thrum_stream_write(self->a, "more", 4)); /* only the other direction is over */
    AWAIT(thrum_stream_close(self->a));
    CHECK_EQ(thrum_stream_descriptor(self->a), THRUM_ECLOSED);
    AWAIT_INTO(self->n, thrum_stream_read_exactly(self->b, self->text, 4));
    AWAIT_INTO(self->n, thrum_stream_read(self->b, self->text, sizeof self->text));
    CHECK_EQ(self->n, 0);
    AWAIT(thrum_stream_close(self->b));
    give_back(&self->a, &self->b);
    CHECK_EQ(thrum_now(), 0);
    ASYNC_END;
}

PAIR_TEST(latency_is_virtual_time, thrum_time began;)
{
    const thrum_test_script script = {.size = sizeof script, .there = {.latency = SECONDS(3600)}};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &script), 0);
    self->began = thrum_now();
    AWAIT(thrum_stream_write(self->a, "x", 1));
    AWAIT_CATCH(self->error, thrum_timeout(SECONDS(3599), thrum_stream_read(self->b, self->text, 1)));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    AWAIT_INTO(self->n, thrum_stream_read(self->b, self->text, 1));
    CHECK_EQ(self->n, 1);
    CHECK_EQ(thrum_now() - self->began, SECONDS(3600));
    AWAIT(thrum_stream_write(self->b, "y", 1)); /* the way back is another one */
    AWAIT_INTO(self->n, thrum_stream_read(self->a, self->text, 1));
    CHECK_EQ(thrum_now() - self->began, SECONDS(3600));
    give_back(&self->a, &self->b);
    ASYNC_END;
}

PAIR_TEST(fragments, int rounds;)
{
    const thrum_test_script script = {.size = sizeof script, .there = {.fragment = 3}};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &script), 0);
    AWAIT(thrum_stream_write(self->a, "0123456789", 10));
    AWAIT(thrum_stream_close(self->a));
    do {
        AWAIT_INTO(self->n, thrum_stream_read(self->b, self->text, sizeof self->text));
        CHECK_LE(self->n, 3);
        self->rounds++;
    } while (self->n);
    CHECK_EQ(self->rounds, 5); /* 3 + 3 + 3 + 1, and the end */
    give_back(&self->a, &self->b);
    ASYNC_END;
}

/* Four bytes under way at most: a writer waits for the reader, byte by byte. */
static ASYNC(send_all, ARGS((thrum_stream *, stream), (size_t, size)), LOCALS(size_t done; char byte;))
{
    ASYNC_BEGIN;
    (void)thrum_stream_set_write_limits(self->stream, 0, 0);
    for (self->done = 0; self->done < self->size; self->done++) {
        self->byte = (char)('a' + self->done % 26);
        AWAIT(thrum_stream_write(self->stream, &self->byte, 1));
        AWAIT(thrum_stream_flush(self->stream));
    }
    ASYNC_END;
}

PAIR_TEST(a_full_window_holds_the_writer, thrum_task *writer; size_t got;)
{
    const thrum_test_script script = {
        .size = sizeof script, .seed = 5, .there = {.window = 4, .fragment = 3, .short_send = 2, .random = true}};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &script), 0);
    self->writer = thrum_spawn(send_all(self->a, 100));
    AWAIT(thrum_sleep(SECONDS(1)));
    CHECK(!thrum_task_done(self->writer));
    CHECK_EQ(thrum_stream_unsent(self->a), 1);
    for (self->got = 0; self->got < 100; self->got += self->n) {
        AWAIT_INTO(self->n, thrum_stream_read(self->b, self->text, sizeof self->text));
        for (size_t i = 0; i < self->n; i++)
            CHECK_EQ(self->text[i], 'a' + (int)((self->got + i) % 26));
    }
    AWAIT(self->writer);
    thrum_task_release(self->writer);
    give_back(&self->a, &self->b);
    ASYNC_END;
}

PAIR_TEST(a_rate_takes_its_time, int unused;)
{
    const thrum_test_script script = {.size = sizeof script, .there = {.rate = 10}};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &script), 0);
    AWAIT(thrum_stream_write(self->a, "0123456789012345678901234567890123456789", 40));
    AWAIT_INTO(self->n, thrum_stream_read_exactly(self->b, self->text, 40));
    CHECK_EQ(thrum_now(), SECONDS(4));
    give_back(&self->a, &self->b);
    ASYNC_END;
}

PAIR_TEST(cut_by_a_reset, int unused;)
{
    const thrum_test_script script = {.size = sizeof script, .there = {.cut_after = 5, .cut_error = -ECONNRESET}};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &script), 0);
    AWAIT(thrum_stream_write(self->a, "0123456789", 10));
    AWAIT_CATCH(self->error, thrum_stream_read_exactly(self->b, self->text, 10));
    CHECK_EQ(self->error, -ECONNRESET);
    CHECK_EQ(thrum_error_last()->number, 5);
    AWAIT_CATCH(self->error, thrum_stream_write(self->a, self->text, 1));
    AWAIT_CATCH(self->error, thrum_stream_flush(self->a));
    CHECK_EQ(self->error, -ECONNRESET);
    give_back(&self->a, &self->b);
    ASYNC_END;
}

PAIR_TEST(cut_at_a_time_ends_the_file, int unused;)
{
    const thrum_test_script script = {.size = sizeof script, .there = {.cut_at = SECONDS(7)}};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &script), 0);
    AWAIT_INTO(self->n, thrum_stream_read(self->b, self->text, 1));
    CHECK_EQ(self->n, 0);
    CHECK_EQ(thrum_now(), SECONDS(7));
    AWAIT_CATCH(self->error, thrum_stream_write(self->a, "x", 1));
    AWAIT_CATCH(self->error, thrum_stream_flush(self->a));
    CHECK_EQ(self->error, -EPIPE);
    give_back(&self->a, &self->b);
    ASYNC_END;
}

PAIR_TEST(stalls, int unused;)
{
    const thrum_test_script script = {.size = sizeof script, .there = {.stall_after = 2, .stall = SECONDS(9)}};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &script), 0);
    AWAIT(thrum_stream_write(self->a, "abcd", 4));
    AWAIT_INTO(self->n, thrum_stream_read(self->b, self->text, 4));
    CHECK_EQ(self->n, 2);
    AWAIT_INTO(self->n, thrum_stream_read(self->b, self->text, 4));
    CHECK_EQ(self->n, 2);
    CHECK_EQ(thrum_now(), SECONDS(9));
    give_back(&self->a, &self->b);
    ASYNC_END;
}

/* What nobody has read resets the connection, behind what was sent before. */
PAIR_TEST(closed_with_bytes_unread, int unused;)
{
    const thrum_test_script script = {.size = sizeof script, .there = {.latency = SECONDS(1)}};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &script), 0);
    AWAIT(thrum_stream_write(self->a, "late", 4));
    AWAIT(thrum_stream_write(self->b, "bye", 3));
    AWAIT(thrum_stream_flush(self->a));
    AWAIT(thrum_stream_close(self->b));
    AWAIT_INTO(self->n, thrum_stream_read_exactly(self->a, self->text, 3));
    AWAIT_CATCH(self->error, thrum_stream_read(self->a, self->text, 1));
    CHECK_EQ(self->error, -ECONNRESET);
    AWAIT_CATCH(self->error, thrum_stream_write(self->a, "x", 1));
    AWAIT_CATCH(self->error, thrum_stream_flush(self->a));
    CHECK_EQ(self->error, -EPIPE);
    give_back(&self->a, &self->b);
    ASYNC_END;
}

PAIR_TEST(a_stalled_peer_meets_the_close_deadline, thrum_stream_options options;)
{
    thrum_test_script script = {.size = sizeof script, .there = {.window = 1}};
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.close_deadline = SECONDS(5);
    script.streams = &self->options;
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &script), 0);
    AWAIT(thrum_stream_write(self->a, "abc", 3));
    AWAIT_CATCH(self->error, thrum_stream_close(self->a));
    CHECK_EQ(self->error, THRUM_ETIMEDOUT);
    CHECK_EQ(thrum_error_last()->number, 2);
    CHECK_EQ(thrum_now(), SECONDS(5));
    give_back(&self->a, &self->b);
    ASYNC_END;
}

PAIR_TEST(lent_bytes, const void *data;)
{
    const thrum_test_script script = {.size = sizeof script, .there = {.fragment = 2}};
    ASYNC_BEGIN;
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &script), 0);
    AWAIT(thrum_stream_write(self->a, "abcdef", 6));
    AWAIT_INTO(self->n, thrum_stream_fill(self->b, &self->data, 5));
    CHECK_GE(self->n, 5);
    CHECK_MEM(self->data, "abcde", 5);
    give_back(&self->a, &self->b);
    ASYNC_END;
}

/* Large writes, in many pieces, arrive whole. */
enum { LARGE = 300000 };
static char large[LARGE], arrived[LARGE];

static ASYNC(write_large, ARGS((thrum_stream *, stream)), LOCALS(thrum_slice slices[100];))
{
    ASYNC_BEGIN;
    for (size_t i = 0; i < 100; i++)
        self->slices[i] = (thrum_slice){large + i * (LARGE / 100), LARGE / 100};
    AWAIT(thrum_stream_write_vectors(self->stream, self->slices, 100));
    AWAIT(thrum_stream_close(self->stream));
    ASYNC_END;
}

PAIR_TEST(large_writes, thrum_task *writer;)
{
    const thrum_test_script script = {
        .size = sizeof script, .seed = 3, .there = {.short_send = 9000, .fragment = 7000, .random = true}};
    ASYNC_BEGIN;
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)(i * 7 + i / 251);
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &script), 0);
    self->writer = thrum_spawn(write_large(self->a));
    AWAIT(thrum_stream_read_exactly(self->b, arrived, LARGE));
    CHECK_MEM(arrived, large, LARGE);
    AWAIT(self->writer);
    thrum_task_release(self->writer);
    give_back(&self->a, &self->b);
    ASYNC_END;
}

/* ---- any script ---- */

/* Whatever the script, what is sent arrives, in order and whole, however it is read: no wake-up is lost. */
enum { STORY = 3000, STORIES = 200 };

static uint32_t draw(uint32_t *seed, uint32_t end)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % end;
}

static thrum_test_link draw_link(uint32_t *seed)
{
    thrum_test_link link = {.random = draw(seed, 2) != 0};
    if (draw(seed, 2))
        link.fragment = 1 + draw(seed, 200);
    if (draw(seed, 2))
        link.short_send = 1 + draw(seed, 200);
    if (draw(seed, 2))
        link.window = 1 + draw(seed, 300);
    if (draw(seed, 2))
        link.latency = (thrum_time)draw(seed, 1000000);
    if (draw(seed, 2))
        link.jitter = (thrum_time)draw(seed, 1000000);
    if (draw(seed, 3) == 0)
        link.rate = 1000 + draw(seed, 100000);
    if (draw(seed, 3) == 0) {
        link.stall_after = 1 + draw(seed, STORY);
        link.stall = MILLISECONDS(700);
    }
    return link;
}

static char letter(size_t i)
{
    return (char)(i % 61 == 60 ? '\n' : 'a' + i % 23);
}

static ASYNC(tell_story, ARGS((thrum_stream *, stream), (uint32_t, seed)),
             LOCALS(size_t done; size_t size; char text[STORY];))
{
    ASYNC_BEGIN;
    for (size_t i = 0; i < STORY; i++)
        self->text[i] = letter(i);
    for (self->done = 0; self->done < STORY; self->done += self->size) {
        self->size = 1 + draw(&self->seed, 500);
        if (self->size > STORY - self->done)
            self->size = STORY - self->done;
        AWAIT(thrum_stream_write(self->stream, self->text + self->done, self->size));
        if (draw(&self->seed, 4) == 0)
            AWAIT(thrum_stream_flush(self->stream));
        if (draw(&self->seed, 4) == 0)
            AWAIT(thrum_sleep(MILLISECONDS(1)));
    }
    AWAIT(thrum_stream_close(self->stream));
    ASYNC_END;
}

static ASYNC(hear_story, ARGS((thrum_stream *, stream), (uint32_t, seed)),
             LOCALS(size_t done; size_t n; size_t wanted; const void *lent; int error; char text[300];))
{
    ASYNC_BEGIN;
    do {
        self->wanted = 1 + draw(&self->seed, 250);
        self->lent = self->text;
        if (draw(&self->seed, 4) == 0) {
            AWAIT_INTO(self->n, thrum_stream_fill(self->stream, &self->lent, self->wanted));
        } else if (draw(&self->seed, 3) == 0) {
            AWAIT_INTO(self->n, thrum_stream_read_line(self->stream, self->text, sizeof self->text));
        } else if (draw(&self->seed, 2) == 0 && self->done + self->wanted <= STORY) {
            AWAIT_INTO(self->n, thrum_stream_read_exactly(self->stream, self->text, self->wanted));
        } else {
            do /* one that is cancelled has taken nothing */
                AWAIT_CATCH_INTO(
                    self->error, self->n,
                    thrum_timeout(MILLISECONDS(300), thrum_stream_read(self->stream, self->text, self->wanted)));
            while (self->error == THRUM_ETIMEDOUT);
        }
        for (size_t i = 0; i < self->n; i++)
            CHECK_EQ(((const char *)self->lent)[i], letter(self->done + i));
        self->done += self->n;
    } while (self->n);
    CHECK_EQ(self->done, STORY);
    ASYNC_END;
}

static ASYNC(exchange, ARGS((uint32_t, seed)),
             LOCALS(thrum_stream *a; thrum_stream * b; thrum_group group; thrum_test_script script;))
{
    ASYNC_BEGIN;
    self->script = (thrum_test_script){.size = sizeof self->script, .seed = self->seed};
    self->script.there = draw_link(&self->seed);
    self->script.back = draw_link(&self->seed);
    CHECK_EQ(thrum_test_stream_pair(&self->a, &self->b, &self->script), 0);
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, tell_story(self->a, self->seed));
        thrum_group_spawn(&self->group, hear_story(self->b, self->seed + 1));
    }
    give_back(&self->a, &self->b);
    ASYNC_END;
}

TEST_LIMIT(testing_streams, any_script, 60)
{
    for (uint32_t seed = 1; seed <= STORIES; seed++) {
        const thrum_test_options options = {.size = sizeof options, .seed = seed % 2 ? seed : 0};
        CHECK_EQ(thrum_test_run(exchange(seed), &options), 0);
    }
}

/* ---- as a server ---- */

static int handled;

static ASYNC(handler, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char c;))
{
    ASYNC_BEGIN;
    CHECK_PTR(self->context, &handled);
    AWAIT(thrum_stream_read_exactly(self->client, &self->c, 1));
    AWAIT(thrum_stream_write(self->client, &self->c, 1));
    handled++;
    ASYNC_END;
}

PAIR_TEST(a_handler_at_the_other_end, int unused;)
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->a, thrum_test_connect(handler, &handled, NULL));
    AWAIT(thrum_stream_write(self->a, "q", 1));
    AWAIT_INTO(self->n, thrum_stream_read_exactly(self->a, self->text, 1));
    CHECK_EQ(self->text[0], 'q');
    AWAIT_INTO(self->n, thrum_stream_read(self->a, self->text, 1));
    CHECK_EQ(self->n, 0); /* closed by whoever runs the handler */
    CHECK_EQ(handled, 1);
    AWAIT_CATCH(self->error, thrum_test_connect(NULL, NULL, NULL));
    CHECK_EQ(self->error, THRUM_EINVAL);
    give_back(&self->a, &self->b);
    ASYNC_END;
}

/* A loop that closes before its streams do. */
TEST(testing_streams, outlive_their_loop)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM, .debug = true};
    thrum_loop *loop;
    thrum_stream *a, *b;
    thrum_pool_stats stats;
    CHECK_EQ(thrum_test_stream_pair(&a, &b, NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    CHECK_EQ(thrum_test_stream_pair(&a, NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_test_stream_pair(&a, &b, NULL), 0);
    CHECK_EQ(thrum_loop_close(loop), 0);
    thrum_stream_release(a);
    thrum_stream_release(b);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
}

/* What is carried by something else is checked before it is used. */
TEST(testing_streams, a_carrier_needs_its_calls)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM};
    const thrum_carrier nothing = {.size = sizeof nothing};
    thrum_loop *loop;
    thrum_stream *stream;
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    CHECK_EQ(thrum_stream_carry(&stream, &nothing, NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_stream_carry(&stream, NULL, NULL, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_loop_close(loop), 0);
}
