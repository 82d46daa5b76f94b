/* The loop's clock and its timers. Numbers are asyncio's corner semantics. */
#include "support.h"

static ASYNC(sleeps, ARGS((int, times), (thrum_time, delay)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (self->times-- > 0)
        AWAIT(thrum_sleep(self->delay));
    ASYNC_END;
}

/* ---- 5: short sleeps do not make the loop spin ---- */

TEST(time, short_sleeps_take_few_passes)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    const thrum_time delays[5] = {100000, 10000, 1000, 100, 10};
    int passes = 0;
    for (int i = 0; i < 5; i++) {
        thrum_task *task = thrum_spawn(sleeps(1, delays[i]));
        for (; !thrum_task_done(task); passes++)
            CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
        thrum_task_release(task);
    }
    CHECK_LE(passes, 20);
    CHECK_GT(thrum_loop_resolution(loop), 0);
    CHECK_LE(thrum_loop_resolution(loop), MILLISECONDS(20));
    close_loop(loop);
}

TEST(time, nothing_is_called_early)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    const thrum_time delays[] = {1, 999, 250000, 999999, 1000000, 1000001, 2700000, 3000000, 12345678};
    for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
        thrum_time before = thrum_loop_time(loop);
        CHECK_EQ(thrum_loop_run_until_complete(loop, sleeps(1, delays[i]), NULL), 0);
        CHECK_GE(thrum_loop_time(loop) - before, delays[i]);
    }
    close_loop(loop);
}

/* A timer that was taken back leaves the poll to the next one, and one that comes sooner is not missed. */
TEST(time, what_comes_first_is_waited_for)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_handle far = noting("f"), near = noting("n"), gone = noting("g");
    note_clear();
    thrum_time before = thrum_loop_time(loop);
    CHECK_EQ(thrum_call_later(MILLISECONDS(30), &far), 0);
    CHECK_EQ(thrum_call_later(SECONDS(1), &gone), 0);
    CHECK_EQ(thrum_loop_step(loop, MILLISECONDS(1)), 0);
    CHECK(thrum_handle_cancel(&gone));
    CHECK_EQ(thrum_call_later(MILLISECONDS(5), &near), 0);
    /* Where the machine has stood still for long by now, `near` is the later one. */
    const char *order = thrum_handle_when(&near) < thrum_handle_when(&far) ? "nf" : "fn";
    while (noted.count < 2)
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    CHECK_STR(noted.text, order);
    CHECK_GE(thrum_loop_time(loop) - before, MILLISECONDS(30));
    close_loop(loop);
}

/* ---- a step waits no longer than it may ---- */

TEST(time, a_step_waits_at_most_so_long)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_handle far = noting("f");
    CHECK_EQ(thrum_call_later(SECONDS(100), &far), 0);
    thrum_time before = thrum_loop_time(loop);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_step(loop, MILLISECONDS(4)), 0);
    thrum_time took = thrum_loop_time(loop) - before;
    CHECK_GE(took, MILLISECONDS(3));
    CHECK_LT(took, SECONDS(8));
    thrum_handle_cancel(&far);
    close_loop(loop);
}

/* ---- 27: deadlines that are very far away ---- */

LOOP_TEST(time, far_deadlines_are_kept)
{
    thrum_handle far[3] = {noting("d"), noting("y"), noting("n")}, soon = noting("s");
    note_clear();
    CHECK_EQ(thrum_call_later(SECONDS(86400 * 2.0), &far[0]), 0);
    CHECK_EQ(thrum_call_later(SECONDS(86400 * 365.0 * 100), &far[1]), 0);
    CHECK_EQ(thrum_call_at(THRUM_NEVER - 1, &far[2]), 0);
    CHECK_EQ(thrum_call_later(MILLISECONDS(2), &soon), 0);
    thrum_time when = thrum_handle_when(&soon);
    CHECK_EQ(thrum_loop_next_deadline(loop), when);
    CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    while (noted.count < 1)
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    CHECK_STR(noted.text, "s");
    CHECK_EQ(thrum_loop_next_deadline(loop), thrum_handle_when(&far[0]));
    CHECK_EQ(thrum_loop_step(loop, MILLISECONDS(1)), 0); /* it waits, and comes back */
    CHECK_STR(noted.text, "s");
    for (int i = 0; i < 3; i++)
        CHECK(thrum_handle_cancel(&far[i]));
}

TEST(time, very_far_deadlines_come_on_virtual_time)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_SIM);
    CHECK_EQ(thrum_loop_run_until_complete(loop, sleeps(1, SECONDS(86400 * 365.0 * 200)), NULL), 0);
    CHECK_EQ(thrum_loop_time(loop), SECONDS(1000) + SECONDS(86400 * 365.0 * 200));
    close_loop(loop);
}

/* ---- the cached time ---- */

static ASYNC(looks_at_the_time, ARGS_NONE, LOCALS(thrum_time first;))
{
    ASYNC_BEGIN;
    self->first = thrum_now();
    for (thrum_time until = thrum_loop_time(thrum_loop_running()) + MILLISECONDS(2);;) {
        CHECK_GE(thrum_now(), self->first);
        if (thrum_loop_time(thrum_loop_running()) >= until)
            break;
    }
    CHECK_GE(thrum_now(), self->first + MILLISECONDS(2)); /* loop_time() has read it anew */
    self->first = thrum_now();
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    CHECK_GE(thrum_now(), self->first + MILLISECONDS(1));
    ASYNC_END;
}

TEST(time, is_kept_for_the_pass_until_it_is_read_anew)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, looks_at_the_time(), NULL), 0);
    close_loop(loop);
    CHECK_EQ(thrum_now(), 0);
}

TEST(time, many_timers_on_the_real_clock_keep_their_order)
{
    enum { MANY = 200 };
    static thrum_handle handles[MANY];
    static char letters[MANY];
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    note_clear();
    for (int i = 0; i < MANY; i++) {
        int rank = i * 77 % MANY;
        letters[i] = (char)(32 + rank / 4);
        thrum_handle_init(&handles[i], note_letter, &letters[i]);
        CHECK_EQ(thrum_call_later(MICROSECONDS(50) * rank, &handles[i]), 0);
    }
    while (noted.count < MANY)
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    for (int i = 1; i < MANY; i++)
        CHECK_LE(noted.text[i - 1], noted.text[i]);
    close_loop(loop);
}
