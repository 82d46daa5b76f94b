/* Virtual time, and the seeded order. */
#include "support.h"

#include <time.h>

static ASYNC(sleeps, ARGS((int, times), (thrum_time, delay)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (self->times-- > 0)
        AWAIT(thrum_sleep(self->delay));
    ASYNC_END;
}

static thrum_loop *open_sim(uint64_t seed, thrum_time start)
{
    thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM, .seed = seed, .start = start};
    thrum_loop *loop;
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    return loop;
}

TEST(sim, time_jumps_and_is_exact)
{
    struct timespec before, after;
    thrum_loop *loop = open_sim(0, 0);
    CHECK_EQ(thrum_loop_time(loop), 0);
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK_EQ(thrum_loop_run_until_complete(loop, sleeps(1000, SECONDS(3600)), NULL), 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK_EQ(thrum_loop_time(loop), SECONDS(3600.0 * 1000));
    CHECK_LT(after.tv_sec - before.tv_sec, 10);
    CHECK_EQ(thrum_loop_resolution(loop), 1);
    close_loop(loop);
}

TEST(sim, starts_where_it_is_told_to)
{
    thrum_loop *loop = open_sim(0, SECONDS(77));
    CHECK_EQ(thrum_now(), SECONDS(77));
    CHECK_EQ(thrum_loop_run_until_complete(loop, sleeps(1, 5), NULL), 0);
    CHECK_EQ(thrum_loop_time(loop), SECONDS(77) + 5);
    close_loop(loop);
}

TEST(sim, a_step_moves_time_no_further_than_it_may)
{
    thrum_loop *loop = open_sim(0, 0);
    thrum_handle timer = noting("t");
    note_clear();
    CHECK_EQ(thrum_call_later(SECONDS(10), &timer), 0);
    CHECK_EQ(thrum_loop_step(loop, SECONDS(4)), 0);
    CHECK_EQ(thrum_loop_time(loop), SECONDS(4));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_time(loop), SECONDS(4));
    CHECK_STR(noted.text, "");
    CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    CHECK_EQ(thrum_loop_time(loop), SECONDS(10));
    CHECK_STR(noted.text, "t");
    close_loop(loop);
}

/* ---- a deadlock is told, not waited for ---- */

WAITS_FOR(waits)

TEST(sim, a_deadlock_is_reported)
{
    thrum_event never = THRUM_EVENT_INIT;
    thrum_loop *loop = open_sim(0, 0);
    log_begin();
    CHECK_EQ(thrum_loop_run_until_complete(loop, waits(&never), NULL), THRUM_ESTATE);
    CHECK(log_has("deadlock: nothing is ready and no timer is set"));
    CHECK(log_has("waits for: event") || log_has("waits in event")); /* a list, or a tree where that is linked */
    CHECK(log_has("in waits, ") || log_has("in async waits()"));
    CHECK(log_has("sim.c"));
    CHECK_EQ(thrum_all_tasks(NULL, 0), 1);
    CHECK_EQ(thrum_loop_run_forever(loop), THRUM_ESTATE);
    CHECK_EQ(thrum_loop_step(loop, 0), 0); /* does not wait, so there is none */
    thrum_event_set(&never);
    CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    CHECK_EQ(thrum_all_tasks(NULL, 0), 0);
    close_loop(loop);
}

/* ---- seeds ---- */

static void in_order_of_seed(uint64_t seed, char text[64])
{
    static const char letters[] = "abcdefghijklmnop";
    thrum_handle handles[16];
    thrum_loop *loop = open_sim(seed, 0);
    note_clear();
    for (int i = 0; i < 16; i++) {
        handles[i] = noting(letters + i);
        if (i < 8)
            CHECK_EQ(thrum_call_soon(&handles[i]), 0);
        else
            CHECK_EQ(thrum_call_later(0, &handles[i]), 0);
    }
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(noted.count, 16);
    for (int i = 0; i < 16; i++)
        CHECK_NOT_NULL(strchr(noted.text, letters[i]));
    memcpy(text, noted.text, 17);
    close_loop(loop);
}

TEST(sim, a_seed_gives_another_order_always_the_same)
{
    char none[64], one[64], two[64], again[64];
    in_order_of_seed(0, none);
    in_order_of_seed(1, one);
    in_order_of_seed(2, two);
    in_order_of_seed(1, again);
    CHECK_STR(none, "abcdefghijklmnop");
    CHECK(strcmp(one, none) != 0);
    CHECK(strcmp(two, none) != 0);
    CHECK(strcmp(one, two) != 0);
    CHECK_STR(again, one);
}

/* Each of the 6 orders of three calls comes up, and none much more often than others. */
TEST(sim, all_orders_come_up)
{
    int seen[27] = {0}, orders = 0;
    for (uint64_t seed = 1; seed <= 1200; seed++) {
        thrum_handle handles[3] = {noting("0"), noting("1"), noting("2")};
        thrum_loop *loop = open_sim(seed, 0);
        note_clear();
        for (int i = 0; i < 3; i++)
            CHECK_EQ(thrum_call_soon(&handles[i]), 0);
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
        seen[(noted.text[0] - '0') * 9 + (noted.text[1] - '0') * 3 + (noted.text[2] - '0')]++;
        close_loop(loop);
    }
    for (int i = 0; i < 27; i++) {
        if (seen[i]) {
            orders++;
            CHECK_GT(seen[i], 120);
            CHECK_LT(seen[i], 300);
        }
    }
    CHECK_EQ(orders, 6);
}
