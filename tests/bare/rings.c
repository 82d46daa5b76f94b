/* Rings between an interrupt and the loop. */
#include <time.h>

#include "bare_support.h"

TEST(rings, items_come_out_as_they_went_in)
{
    static uint8_t memory[4];
    static thrum_ring ring = THRUM_RING_INIT(memory);
    uint8_t out = 0, next = 0, expected = 0;
    for (int round = 0; round < 100000; round++) { /* past where the indices go round */
        const int in = 1 + round % 4;
        for (int i = 0; i < in; i++) {
            CHECK_EQ(thrum_ring_count(&ring), i);
            CHECK(thrum_ring_push(&ring, &next));
            next++;
        }
        CHECK_EQ(thrum_ring_room(&ring), 4 - in);
        for (int i = 0; i < in; i++, expected++) {
            CHECK(thrum_ring_pop(&ring, &out));
            CHECK_EQ(out, expected);
        }
        CHECK(!thrum_ring_pop(&ring, &out));
    }
    CHECK_EQ(thrum_ring_refused(&ring), 0);
}

TEST(rings, a_full_one_refuses_and_counts)
{
    struct sample {
        uint32_t at;
        int16_t value;
    };
    static struct sample memory[2];
    static thrum_ring ring = THRUM_RING_INIT(memory);
    struct sample sample = {7, -3}, out;
    CHECK(thrum_ring_push(&ring, &sample));
    sample.at = 8;
    CHECK(thrum_ring_push(&ring, &sample));
    sample.at = 9;
    CHECK(!thrum_ring_push(&ring, &sample));
    CHECK(!thrum_ring_push(&ring, &sample));
    CHECK_EQ(thrum_ring_refused(&ring), 2);
    CHECK_EQ(thrum_ring_count(&ring), 2);
    CHECK_EQ(thrum_ring_room(&ring), 0);
    CHECK(thrum_ring_pop(&ring, &out));
    CHECK_EQ(out.at, 7);
    CHECK_EQ(out.value, -3);
    CHECK(thrum_ring_push(&ring, &sample));
    CHECK(thrum_ring_pop(&ring, &out));
    CHECK_EQ(out.at, 8);
    CHECK(thrum_ring_pop(&ring, &out));
    CHECK_EQ(out.at, 9);
}

/* ---- an interrupt at any instant ---- */

static uint32_t numbers[8];
static thrum_ring ring = THRUM_RING_INIT(numbers);
static volatile uint32_t pushed;

static void push(int number)
{
    (void)number;
    const uint32_t next = pushed;
    if (thrum_ring_push(&ring, &next))
        pushed = next + 1;
}

/* Timers of the system interrupt wherever the loop is. */
TEST(rings, an_interrupt_pushes_at_any_instant)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec often = {{0, 20000}, {0, 20000}};
    bare_interrupt(push);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &often, NULL), 0);
    for (uint32_t expected = 0, got; expected < 2000;) {
        CHECK_LE(thrum_ring_count(&ring), 8);
        if (thrum_ring_pop(&ring, &got)) {
            CHECK_EQ(got, expected);
            expected++;
        }
    }
    CHECK_EQ(timer_delete(timer), 0);
}
