/* What is asked of every backend that watches descriptors, and of the others, who have to say so. */
#include "contract.h"

/* ---- descriptors ---- */

CONTRACT(without_descriptors_it_says_so)
{
    channel pair = channel_open();
    unsigned calls = 0;
    bool has = !here->without_descriptors;
    CHECK_EQ(thrum_add_reader(pair.ends[0], count, &calls), has ? 0 : THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_add_writer(pair.ends[0], count, &calls), has ? 0 : THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_remove_reader(pair.ends[0]), has);
    CHECK_EQ(thrum_remove_writer(pair.ends[0]), has);
    channel_close(&pair);
}

/* Called in each pass as long as it is readable, and not otherwise. */
CONTRACT_IO(readers_are_level_triggered)
{
    channel pair = channel_open();
    unsigned calls = 0;
    CHECK_EQ(thrum_add_reader(pair.ends[0], count, &calls), 0);
    CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    CHECK_EQ(calls, 0);
    put(pair.ends[1]);
    for (unsigned i = 1; i <= 5; i++) {
        CHECK_EQ(thrum_loop_step(here->loop, THRUM_NEVER), 0);
        CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
        CHECK_GE(calls, i);
    }
    take(pair.ends[0]);
    CHECK_EQ(thrum_loop_step(here->loop, 0), 0); /* what was found before */
    unsigned before = calls;
    CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    CHECK_EQ(calls, before);
    CHECK(thrum_remove_reader(pair.ends[0]));
    put(pair.ends[1]);
    CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    CHECK_EQ(calls, before);
    channel_close(&pair);
}

/* The two directions of one descriptor are watched apart. */
CONTRACT_IO(readers_and_writers_are_two)
{
    channel pair = channel_open();
    unsigned reads = 0, writes = 0;
    char bytes[4096] = {0};
    CHECK_EQ(thrum_add_reader(pair.ends[0], count, &reads), 0);
    CHECK_EQ(thrum_add_writer(pair.ends[0], count, &writes), 0);
    while (!writes)
        CHECK_EQ(thrum_loop_step(here->loop, THRUM_NEVER), 0);
    CHECK_EQ(reads, 0);
    while (write(pair.ends[0], bytes, sizeof bytes) > 0)
        continue; /* full: not writable */
    CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    writes = 0;
    CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    CHECK_EQ(writes, 0);
    put(pair.ends[1]);
    while (!reads)
        CHECK_EQ(thrum_loop_step(here->loop, THRUM_NEVER), 0);
    CHECK_EQ(writes, 0);
    CHECK(thrum_remove_reader(pair.ends[0]));
    while (read(pair.ends[1], bytes, sizeof bytes) > 0)
        continue;
    reads = 0;
    while (!writes)
        CHECK_EQ(thrum_loop_step(here->loop, THRUM_NEVER), 0);
    CHECK_EQ(reads, 0);
    CHECK(thrum_remove_writer(pair.ends[0]));
    channel_close(&pair);
}

/* The number of a descriptor that was closed comes back as another file, in the same pass. */
CONTRACT_IO(a_number_may_come_back)
{
    unsigned calls = 0;
    for (unsigned i = 1; i <= 20; i++) {
        channel pair = channel_open();
        CHECK_EQ(thrum_add_reader(pair.ends[0], count, &calls), 0);
        CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
        CHECK(thrum_remove_reader(pair.ends[0]));
        int number = pair.ends[0];
        channel_close(&pair);
        pair = channel_open();
        CHECK_EQ(pair.ends[0], number);
        CHECK_EQ(thrum_add_reader(pair.ends[0], count, &calls), 0);
        put(pair.ends[1]);
        while (calls < i)
            CHECK_EQ(thrum_loop_step(here->loop, THRUM_NEVER), 0);
        CHECK(thrum_remove_reader(pair.ends[0]));
        calls = i;
        channel_close(&pair);
    }
}

enum { MANY = 120 };

typedef struct crowd {
    channel pairs[MANY];
    unsigned calls[MANY];
} crowd;

/* All that are ready are called, in whatever order they come and go. */
CONTRACT_IO(many_come_and_go)
{
    static crowd all;
    memset(&all, 0, sizeof all);
    for (unsigned i = 0; i < MANY; i++) {
        all.pairs[i] = channel_open();
        CHECK_EQ(thrum_add_reader(all.pairs[i].ends[0], count, &all.calls[i]), 0);
        put(all.pairs[i].ends[1]);
    }
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned i = round % 3; i < MANY; i += 3)
            CHECK(thrum_remove_reader(all.pairs[i].ends[0]));
        unsigned missing;
        memset(all.calls, 0, sizeof all.calls);
        do {
            CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
            missing = 0;
            for (unsigned i = 0; i < MANY; i++)
                missing += i % 3 != round % 3 && !all.calls[i];
        } while (missing);
        for (unsigned i = round % 3; i < MANY; i += 3) {
            CHECK_EQ(all.calls[i], 0);
            CHECK_EQ(thrum_add_reader(all.pairs[i].ends[0], count, &all.calls[i]), 0);
        }
    }
    for (unsigned i = 0; i < MANY; i++) {
        CHECK(thrum_remove_reader(all.pairs[i].ends[0]));
        channel_close(&all.pairs[i]);
    }
}

static ASYNC(spins, ARGS((const unsigned *, until)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (!*self->until)
        AWAIT(thrum_yield());
    ASYNC_END;
}

/* Neither a task that is always ready nor a descriptor that is keeps the loop from the rest. */
CONTRACT_IO(nobody_is_starved)
{
    channel loud = channel_open(), quiet = channel_open();
    unsigned noise = 0, calls = 0, timer = 0;
    thrum_handle due = THRUM_HANDLE_INIT(count, &timer);
    CHECK_EQ(thrum_add_writer(loud.ends[0], count, &noise), 0);
    CHECK_EQ(thrum_call_later(MILLISECONDS(1), &due), 0);
    run(here, spins(&timer));
    CHECK_EQ(thrum_add_reader(quiet.ends[0], count, &calls), 0);
    put(quiet.ends[1]);
    run(here, spins(&calls));
    CHECK_GT(noise, 0);
    CHECK(thrum_remove_writer(loud.ends[0]));
    CHECK(thrum_remove_reader(quiet.ends[0]));
    channel_close(&loud);
    channel_close(&quiet);
}

static void take_out(thrum_handle *handle)
{
    const channel *both = (const channel *)handle->context;
    thrum_remove_reader(both->ends[0]);
    thrum_loop_stop(thrum_loop_running());
}

CONTRACT_IO(a_reader_takes_itself_out)
{
    channel pairs[3];
    for (int i = 0; i < 3; i++) {
        pairs[i] = channel_open();
        put(pairs[i].ends[1]);
        CHECK_EQ(thrum_add_reader(pairs[i].ends[0], take_out, &pairs[i]), 0);
    }
    for (int left = 3; left > 0;) {
        CHECK_EQ(thrum_loop_run_forever(here->loop), 0);
        left = 0;
        for (int i = 0; i < 3; i++) {
            if (thrum_remove_reader(pairs[i].ends[0])) {
                CHECK_EQ(thrum_add_reader(pairs[i].ends[0], take_out, &pairs[i]), 0);
                left++;
            }
        }
    }
    for (int i = 0; i < 3; i++)
        channel_close(&pairs[i]);
}

enum { BYTES = 300000 };

static ASYNC(sends, ARGS((thrum_stream *, stream)), LOCALS(char bytes[1000]; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < BYTES; self->i += (int)sizeof self->bytes) {
        memset(self->bytes, 'a' + self->i / 1000 % 26, sizeof self->bytes);
        AWAIT(thrum_stream_write(self->stream, self->bytes, sizeof self->bytes));
    }
    AWAIT(thrum_stream_close(self->stream));
    ASYNC_END;
}

static ASYNC(receives, ARGS((thrum_stream *, stream)), LOCALS(char bytes[777]; size_t n; size_t all;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->n, thrum_stream_read(self->stream, self->bytes, sizeof self->bytes));
        if (!self->n)
            break;
        for (size_t i = 0; i < self->n; i++)
            CHECK_EQ(self->bytes[i], 'a' + (int)((self->all + i) / 1000 % 26));
        self->all += self->n;
    }
    CHECK_EQ(self->all, BYTES);
    AWAIT(thrum_stream_close(self->stream));
    ASYNC_END;
}

static ASYNC(moves_bytes, ARGS((int, a), (int, b)), LOCALS(thrum_group group; thrum_stream * near; thrum_stream * far;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_stream_adopt(&self->near, self->a, NULL), 0);
    CHECK_EQ(thrum_stream_adopt(&self->far, self->b, NULL), 0);
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, sends(self->near));
        thrum_group_spawn(&self->group, receives(self->far));
    }
    thrum_stream_release(self->near);
    thrum_stream_release(self->far);
    ASYNC_END;
}

CONTRACT_IO(streams_move_their_bytes)
{
    channel pair = channel_open();
    run(here, moves_bytes(pair.ends[0], pair.ends[1]));
}

/* ---- a main loop that waits for a descriptor of ours ---- */

CONTRACT(its_descriptor_shows_what_there_is_to_do)
{
    int descriptor = thrum_loop_descriptor(here->loop);
    if (descriptor < 0) {
        CHECK_EQ(descriptor, THRUM_EUNSUPPORTED);
        return;
    }
    struct pollfd watched = {.fd = descriptor, .events = POLLIN};
    channel pair = channel_open();
    unsigned calls = 0;
    CHECK_EQ(thrum_add_reader(pair.ends[0], count, &calls), 0);
    CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    CHECK_EQ(poll(&watched, 1, 0), 0);
    put(pair.ends[1]);
    CHECK_EQ(poll(&watched, 1, -1), 1);
    while (!calls)
        CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    CHECK(thrum_remove_reader(pair.ends[0]));
    CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    CHECK_EQ(poll(&watched, 1, 0), 0);
    poster mine = {.post = {.call = stop_after_call, .context = &mine}, .loop = here->loop};
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, post_once, &mine), 0);
    CHECK_EQ(poll(&watched, 1, -1), 1);
    pthread_join(thread, NULL);
    while (!mine.calls)
        CHECK_EQ(thrum_loop_step(here->loop, 0), 0);
    channel_close(&pair);
}
