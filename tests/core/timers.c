/* Handles and timers: order, cancelling, a million at once, random ones against a sorted array. The number in a comment
 * is the corner point of asyncio's behaviour; a name is the asyncio test that the test stands for. */
#include <stdlib.h>

#include <sim.h>

static char trace[128];

static void put(const char *text)
{
    CHECK_LT(strlen(trace) + strlen(text), sizeof trace);
    strcat(trace, text);
}

static void called(thrum_handle *handle)
{
    put((const char *)handle->context);
}

#define HANDLE(text) THRUM_HANDLE_INIT(called, (void *)(uintptr_t)(text))

static void again(thrum_handle *handle)
{
    put((const char *)handle->context);
    if (strlen(trace) < 6)
        CHECK_EQ(thrum_call_soon(handle), 0);
}

/* 1: what a callback queues runs in the next pass, so that two that do it take turns. */
TEST(timers, calls_queued_by_calls)
{
    thrum_handle a = THRUM_HANDLE_INIT(again, (void *)(uintptr_t) "a"),
                 b = THRUM_HANDLE_INIT(again, (void *)(uintptr_t) "b");
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(thrum_call_soon(&a), 0);
    CHECK_EQ(thrum_call_soon(&b), 0);
    CHECK_EQ(thrum_call_soon(&b), THRUM_ESTATE);
    sim_pass();
    CHECK_STR(trace, "ab");
    sim_settle();
    CHECK_STR(trace, "abababa");
    sim_close();
}

static thrum_future two_futures[2];

static void completes_both(thrum_handle *handle)
{
    (void)handle;
    thrum_future_set_result(&two_futures[1], 0);
    thrum_future_set_result(&two_futures[0], 0);
}

/* 3: first in, first out, also across done callbacks of futures completed in one call. */
TEST(timers, first_in_first_out)
{
    thrum_handle both = THRUM_HANDLE_INIT(completes_both, NULL), a = HANDLE("a"), b = HANDLE("b"), c = HANDLE("c"),
                 d = HANDLE("d");
    trace[0] = '\0';
    sim_open();
    thrum_future_init(&two_futures[0]);
    thrum_future_init(&two_futures[1]);
    thrum_future_add_done_callback(&two_futures[0], &a);
    thrum_future_add_done_callback(&two_futures[1], &b);
    CHECK_EQ(thrum_call_soon(&both), 0);
    CHECK_EQ(thrum_call_soon(&c), 0);
    sim_pass();
    CHECK_EQ(thrum_call_soon(&d), 0);
    sim_settle();
    CHECK_STR(trace, "cbad");
    sim_close();
}

static thrum_handle soon = HANDLE("s"), later = HANDLE("l");

static void queues_both(thrum_handle *handle)
{
    (void)handle;
    CHECK_EQ(thrum_call_later(0, &later), 0);
    CHECK_EQ(thrum_call_soon(&soon), 0);
}

/* 4: a delay of 0 comes after what is queued soon; 6: never at once. */
TEST(timers, a_delay_of_nothing)
{
    thrum_handle handle = THRUM_HANDLE_INIT(queues_both, NULL), early = HANDLE("e");
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(thrum_call_soon(&handle), 0);
    sim_settle();
    CHECK_STR(trace, "sl");
    CHECK_EQ(thrum_call_later(-100, &early), 0);
    CHECK_EQ(thrum_call_at(sim_at(-100), &later), 0);
    CHECK_STR(trace, "sl");
    sim_finish();
    CHECK_EQ(strlen(trace), 4);
    CHECK_EQ(sim_time(), 0);
    sim_close();
}

/* What is to come never does not, wherever the clock stands, and can be taken back. */
TEST(timers, never)
{
    thrum_handle never = HANDLE("n"), at = HANDLE("a"), soonest = HANDLE("l");
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(thrum_call_later(THRUM_NEVER, &never), 0);
    CHECK_EQ(thrum_call_at(THRUM_NEVER, &at), 0);
    CHECK_EQ(thrum_call_later(THRUM_NEVER, &never), THRUM_ESTATE);
    CHECK_EQ(thrum_call_later(40, &soonest), 0);
    thrum_task *task = thrum_spawn(thrum_sleep(50));
    sim_until(task);
    thrum_task_release(task);
    CHECK_STR(trace, "l");
    CHECK(thrum_handle_pending(&never));
    CHECK(thrum_handle_cancel(&never));
    CHECK(thrum_handle_cancel(&at));
    CHECK(!thrum_handle_cancel(&at));
    CHECK(!thrum_handle_pending(&never));
    CHECK_EQ(thrum_call_soon(&never), 0);
    sim_finish();
    CHECK_STR(trace, "ln");
    sim_close();
}

/* call_later_negative_delays, time_and_call_at: in the order of their times, those of one time in that of arming. */
TEST(timers, order)
{
    thrum_handle a = HANDLE("a"), b = HANDLE("b"), c = HANDLE("c"), d = HANDLE("d"), e = HANDLE("e"), f = HANDLE("f");
    trace[0] = '\0';
    sim_open();
    thrum_call_at(sim_at(30), &a);
    thrum_call_at(sim_at(20), &b);
    thrum_call_at(sim_at(30), &c);
    thrum_call_later(10, &d);
    thrum_call_at(sim_at(20), &e);
    CHECK_EQ(thrum_handle_when(&b), sim_at(20));
    CHECK_EQ(thrum_handle_when(&f), 0);
    CHECK_LT(thrum_handle_compare(&b, &a), 0);
    CHECK_GT(thrum_handle_compare(&a, &b), 0);
    CHECK_EQ(thrum_handle_compare(&a, &c), 0);
    CHECK_LT(thrum_handle_compare(&f, &d), 0); /* not timed */
    CHECK(thrum_handle_pending(&b));
    sim_finish();
    CHECK_STR(trace, "dbeac");
    CHECK_EQ(sim_time(), 30);
    CHECK_EQ(thrum_handle_when(&b), 0);
    CHECK(!thrum_handle_pending(&b));
    /* overdue ones, too */
    trace[0] = '\0';
    thrum_call_at(sim_at(12), &a);
    thrum_call_at(sim_at(11), &b);
    thrum_call_at(sim_at(30), &c);
    thrum_call_at(sim_at(12), &d);
    sim_finish();
    CHECK_STR(trace, "badc");
    sim_close();
}

static void cancels(thrum_handle *handle)
{
    put("x");
    CHECK(thrum_handle_cancel((thrum_handle *)handle->context));
    CHECK(!thrum_handle_cancel((thrum_handle *)handle->context));
}

/* 8: a call that is queued is taken back, also by one of the same pass; a cancelled handle can be used again. */
TEST(timers, calls_taken_back)
{
    thrum_handle b = HANDLE("b"), c = HANDLE("c"), a = THRUM_HANDLE_INIT(cancels, &b),
                 t = THRUM_HANDLE_INIT(cancels, &c);
    trace[0] = '\0';
    sim_open();
    thrum_call_soon(&a);
    thrum_call_soon(&b);
    sim_settle();
    CHECK_STR(trace, "x");
    thrum_call_at(sim_at(10), &t);
    thrum_call_at(sim_at(10), &c);
    sim_finish();
    CHECK_STR(trace, "xx");
    CHECK(!thrum_handle_cancel(&b));
    CHECK(!thrum_handle_cancel(NULL));
    CHECK_EQ(thrum_call_at(sim_at(20), &b), 0);
    CHECK(thrum_handle_cancel(&b));
    CHECK_EQ(thrum_call_at(sim_at(15), &b), 0);
    CHECK_EQ(thrum_call_at(sim_at(15), &b), THRUM_ESTATE);
    sim_finish();
    CHECK_STR(trace, "xxb");
    CHECK_EQ(sim_time(), 15);
    sim_close();
}

/* A handle that the loop forgot when it closed can be used with the next one; without a loop it cannot. */
TEST(timers, forgotten_when_the_loop_closes)
{
    thrum_handle a = HANDLE("a"), b = HANDLE("b");
    thrum_future future = THRUM_FUTURE_INIT;
    trace[0] = '\0';
    CHECK_EQ(thrum_call_soon(&a), THRUM_ESTATE);
    for (int round = 0; round < 2; round++) {
        sim_open();
        CHECK_EQ(thrum_call_soon(&a), 0);
        CHECK_EQ(thrum_call_at(sim_at(100), &b), 0);
        sim_close();
        CHECK(!thrum_handle_pending(&a));
        CHECK(!thrum_handle_pending(&b));
        CHECK(!thrum_handle_cancel(&a));
        CHECK(!thrum_handle_cancel(&b));
    }
    CHECK_EQ(thrum_future_add_done_callback(&future, &a), THRUM_ESTATE);
    CHECK_EQ(thrum_call_at(sim_at(5), &a), THRUM_ESTATE);
    CHECK_STR(trace, "");
}

/* ---- many ---- */

typedef struct many {
    thrum_handle handle;
    sim_delay when;
    size_t number;
    bool stopped;
} many;

static size_t fired;
static sim_delay last_when;
static size_t last_number;

static void fires(thrum_handle *handle)
{
    const many *one = (const many *)handle->context;
    CHECK_EQ(one->when, sim_time());
    CHECK(!one->stopped);
    CHECK(one->when > last_when || (one->when == last_when && one->number > last_number));
    last_when = one->when;
    last_number = one->number;
    fired++;
}

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* A million at once: armed, a third stopped, the rest fire in order; equal times in the order of arming. */
TEST_LIMIT(timers, a_million, 60)
{
    /* Not so many where they stand in one list. */
    size_t count = !THRUM_RADIX_TIMERS ? 2000 : THRUM_TEST_SCALE > 1 ? 200000 : 1000000, stopped = 0;
    many *all = (many *)calloc(count, sizeof *all);
    CHECK_NOT_NULL(all);
    random_state = 88172645463325252u;
    sim_open();
    fired = 0;
    last_when = -1;
    last_number = 0;
    for (size_t i = 0; i < count; i++) {
        all[i].number = i + 1;
        all[i].when = (sim_delay)(next_random() % (count / 4)) * (i % 2 ? 100003 : 1000003);
        thrum_handle_init(&all[i].handle, fires, &all[i]);
        CHECK_EQ(thrum_call_at(sim_at(all[i].when), &all[i].handle), 0);
    }
    for (size_t i = 0; i < count; i += 3) {
        all[i].stopped = true;
        CHECK(thrum_handle_cancel(&all[i].handle));
        stopped++;
    }
    CHECK_EQ(fired, 0);
    sim_finish();
    CHECK_EQ(fired, count - stopped);
    CHECK_EQ(sim_blocks(), 0); /* and none of them took memory */
    sim_close();
    free(all);
}

/* A million made and taken back, one after the other, among others that stay: 7. */
TEST_LIMIT(timers, armed_and_stopped_over_and_over, 60)
{
    thrum_handle stay[10], one = HANDLE("x");
    trace[0] = '\0';
    sim_open();
    for (int i = 0; i < 10; i++) {
        thrum_handle_init(&stay[i], called, (void *)(uintptr_t) ".");
        CHECK_EQ(thrum_call_at(sim_at((sim_delay)1 << (2 * i)), &stay[i]), 0);
    }
    for (int i = 0; i < (THRUM_HOSTED ? 1000000 / THRUM_TEST_SCALE : 10000); i++) {
        CHECK_EQ(thrum_call_later(SECONDS(30) + i, &one), 0);
        CHECK(thrum_handle_cancel(&one));
    }
    sim_finish();
    CHECK_STR(trace, "..........");
    CHECK_EQ(sim_time(), (sim_delay)1 << 18);
    sim_close();
}

/* Random times, stops and restarts, also from inside of callbacks, against a plain array. */
enum { SLOTS = 60 };
static many slots[SLOTS];
static size_t arming;

static void arm(many *one, sim_delay when)
{
    if (sim_at(when) == THRUM_NEVER)
        when++; /* where times are 32 bits wide */
    one->when = when;
    one->number = ++arming;
    one->stopped = false;
    CHECK_EQ(thrum_call_at(sim_at(when), &one->handle), 0);
}

static sim_delay random_delay(void)
{
    static const unsigned shifts[] = {
        2, 4, 6, 8, 12, 20, THRUM_TIME_BITS == 64 ? 33 : 24, THRUM_TIME_BITS == 64 ? 50 : 27};
    return (sim_delay)(next_random() & ((UINT64_C(1) << shifts[next_random() % 8]) - 1));
}

static void random_fires(thrum_handle *handle)
{
    many *one = (many *)handle->context;
    CHECK(!one->stopped);
    CHECK_EQ(one->when, sim_time());
    /* Nothing that is armed was due before this one. */
    for (int i = 0; i < SLOTS; i++)
        if (&slots[i] != one && thrum_handle_pending(&slots[i].handle)) {
            CHECK_GE((sim_delay)((thrum_time)slots[i].when - (thrum_time)one->when), 0);
            if (slots[i].when == one->when)
                CHECK_GT(slots[i].number, one->number);
        }
    one->stopped = true;
    fired++;
    for (int changes = (int)(next_random() % 4); changes > 0; changes--) {
        many *other = &slots[next_random() % SLOTS];
        if (thrum_handle_pending(&other->handle)) {
            CHECK(thrum_handle_cancel(&other->handle));
            other->stopped = true;
        } else if (fired < 3000) {
            arm(other, sim_time() + 1 + random_delay());
        }
    }
}

TEST_LIMIT(timers, random_against_an_array, 60)
{
    for (uint64_t seed = 1; seed <= (THRUM_HOSTED ? 60 : 6); seed++) {
        random_state = seed * 0x9e3779b97f4a7c15u;
        fired = arming = 0;
        sim_open();
        for (int i = 0; i < SLOTS; i++) {
            thrum_handle_init(&slots[i].handle, random_fires, &slots[i]);
            arm(&slots[i], random_delay());
        }
        sim_finish();
        CHECK_GE(fired, SLOTS / 2);
        for (int i = 0; i < SLOTS; i++)
            CHECK(!thrum_handle_pending(&slots[i].handle));
        sim_close();
    }
}

/* Tasks that sleep come in the order of their times, too, among handles of the same times. */
static ASYNC(sleeper, ARGS((sim_delay, when), (const char *, name)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep_until(sim_at(self->when)));
    CHECK_EQ(sim_time(), self->when);
    put(self->name);
    ASYNC_END;
}

TEST(timers, sleeping_tasks)
{
    trace[0] = '\0';
    sim_open();
    thrum_spawn_detached(sleeper(20, "c"));
    thrum_spawn_detached(sleeper(10, "a"));
    thrum_spawn_detached(sleeper(20, "d"));
    thrum_spawn_detached(sleeper(10, "b"));
    sim_finish();
    CHECK_STR(trace, "abcd");
    sim_close();
}

/* A sleep without end lasts until it is cancelled, however far its clock reaches. */
static ASYNC(sleep_for_ever, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(THRUM_NEVER));
    FAIL("it ended");
    ASYNC_END;
}

static ASYNC(outlast, ARGS((sim_delay, most)), LOCALS(thrum_task *task; int i, error;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(sleep_for_ever());
    for (self->i = 0; self->i < 5; self->i++)
        AWAIT(thrum_sleep((thrum_time)self->most)); /* more than once around */
    CHECK(!thrum_task_done(self->task));
    thrum_task_cancel(self->task);
    AWAIT_CATCH_ALL(self->error, self->task);
    CHECK_EQ(self->error, THRUM_ECANCELED);
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

TEST(timers, a_sleep_without_end)
{
    CHECK_EQ(sim_run(outlast(INT32_MAX), NULL), 0);
    CHECK_EQ(sim_run(thrum_timeout(THRUM_NEVER, thrum_sleep(50)), NULL), 0);
    sim_open(); /* with nothing beside it */
    thrum_task *task = thrum_spawn(sleep_for_ever());
    sim_settle();
    CHECK(!thrum_task_done(task));
    thrum_task_cancel(task);
    CHECK_EQ(sim_until(task), 0);
    CHECK(thrum_task_cancelled(task));
    thrum_task_release(task);
    sim_close();
}

/* The ways of a pass: plain, in debug mode, in an order by a seed. Firmware has but the first one. */
static void open_for(int way)
{
    sim_open();
#ifdef TEST_SIM_CORE
    (void)way;
#else
    if (way == 1)
        thrum_loop_set_debug(sim.loop, true);
    if (way == 2) {
        thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM, .seed = 7};
        thrum_loop_close(sim.loop);
        CHECK_EQ(thrum_loop_new(&sim.loop, &options), 0);
    }
#endif
}

TEST(timers, a_pass_when_none_is_due)
{
    for (int way = 0; way < 3; way++) {
        thrum_handle called_soon = HANDLE("s"), timer = HANDLE("t");
        open_for(way);
        trace[0] = '\0';
        CHECK_EQ(thrum_call_soon(&called_soon), 0);
        sim_pass(); /* there is none at all */
        CHECK_STR(trace, "s");
        CHECK_EQ(thrum_call_later(10, &timer), 0);
        CHECK_EQ(thrum_call_soon(&called_soon), 0);
        sim_pass(); /* there is one */
        CHECK_STR(trace, "ss");
        sim_finish();
        CHECK_STR(trace, "sst");
        CHECK_EQ(sim_time(), 10);
        sim_close();
    }
}
