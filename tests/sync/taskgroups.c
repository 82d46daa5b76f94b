/* Task groups. The number in a comment is the corner point of asyncio's behaviour; a name is the asyncio test that the
 * test stands for. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <sim.h>

static char trace[128];

static void put(const char *text)
{
    CHECK_LT(strlen(trace) + strlen(text), sizeof trace);
    strcat(trace, text);
}

static unsigned cancelling(void)
{
    return thrum_task_cancelling(thrum_current_task());
}

/* Sleeps, then gives or raises; when cancelled, cleans up for a while, and may raise something else. */
static ASYNC(child, ARGS((thrum_time, delay), (int, error), (thrum_time, clean), (int, clean_error)),
             LOCALS(int caught;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->caught, thrum_sleep(self->delay));
    if (self->caught) {
        put("x");
        AWAIT(thrum_sleep(self->clean));
        put("y");
        ASYNC_RAISE(self->clean_error ? self->clean_error : self->caught);
    }
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_RETURN(self->delay);
    ASYNC_END;
}

static thrum_awaitable gives(thrum_time delay)
{
    return child(delay, 0, 0, 0);
}

static thrum_awaitable fails(thrum_time delay, int error)
{
    return child(delay, error, 0, 0);
}

/* What the group's error said. */
static int errors[8], nested_errors[8];
static size_t error_count;

static void note_errors(int code)
{
    error_count = 0;
#if THRUM_DETAILS
    const thrum_error *error = thrum_error_last();
    CHECK_NOT_NULL(error);
    CHECK_EQ(error->code, code);
    if (code == THRUM_EGROUP) {
        for (const thrum_error *one = error->errors; one && error_count < 8; one = one->next) {
            nested_errors[error_count] = one->errors ? (int)one->errors->code : 0;
            errors[error_count++] = (int)one->code;
        }
        CHECK_EQ(error->number, error_count);
    }
#else
    (void)code;
#endif
}

#define CHECK_ERRORS(...)                                                                                              \
    do {                                                                                                               \
        static const int want_[] = {__VA_ARGS__};                                                                      \
        if (THRUM_DETAILS) {                                                                                           \
            CHECK_EQ(error_count, sizeof want_ / sizeof *want_);                                                       \
            for (size_t i_ = 0; i_ < error_count; i_++)                                                                \
                CHECK_EQ(errors[i_], want_[i_]);                                                                       \
        }                                                                                                              \
    } while (0)

typedef struct plan {
    bool eager;
    thrum_awaitable (*first)(void), (*second)(void);
    thrum_time body;  /* how long the body sleeps; 0 does not */
    int body_error;   /* and what it raises then */
    int body_catches; /* 1: swallows a cancellation; else raises this instead of it */
    thrum_time body_cleans;
} plan;

static thrum_task *kept;

static ASYNC(group_of_two, ARGS((const plan *, does)), LOCALS(thrum_group group; thrum_try attempt; int error, caught;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->group, thrum_group_open(&self->group)) {
            if (self->does->first)
                kept = self->does->eager ? thrum_group_spawn_eager(&self->group, self->does->first())
                                         : thrum_group_spawn(&self->group, self->does->first());
            if (self->does->second) {
                if (self->does->eager)
                    thrum_group_spawn_eager(&self->group, self->does->second());
                else
                    thrum_group_spawn(&self->group, self->does->second());
            }
            put("b");
            if (self->does->body_catches) {
                AWAIT_CATCH_ALL(self->caught, thrum_sleep(self->does->body));
                put(self->caught ? "C" : "-");
                if (self->does->body_cleans)
                    AWAIT(thrum_sleep(self->does->body_cleans));
                if (self->caught && self->does->body_catches != 1)
                    ASYNC_RAISE(self->does->body_catches);
            } else if (self->does->body) {
                AWAIT(thrum_sleep(self->does->body));
            }
            if (self->does->body_error)
                ASYNC_RAISE(self->does->body_error);
            put("e");
        }
    }
    CATCH (self->error, self->attempt) {
        note_errors(self->error);
        CHECK_EQ(thrum_group_size(&self->group), 0);
        CHECK_EQ(cancelling(), 0); /* cancelling_level_preserved */
        ASYNC_RAISE(self->error);
    }
    CHECK_EQ(thrum_group_size(&self->group), 0);
    ASYNC_RETURN(sim_time());
    ASYNC_END;
}

/* Each program runs with lazy and with eager children. */
static void check(plan what, int error, thrum_time time, const char *expected)
{
    for (int eager = 0; eager < 2; eager++) {
        thrum_value got = 0;
        what.eager = eager;
        trace[0] = '\0';
        error_count = 0;
        sim_open();
        CHECK_EQ(sim_run(group_of_two(&what), &got), error);
        CHECK_EQ(sim_time(), time);
        if (!error)
            CHECK_EQ(got, time);
        sim_finish();
        CHECK_EQ(sim_time(), time);
        CHECK_EQ(sim.reports, 0);
        sim_close();
        CHECK_STR(trace, expected);
    }
}

static thrum_awaitable gives_10(void)
{
    return gives(10);
}
static thrum_awaitable gives_50(void)
{
    return gives(50);
}
static thrum_awaitable fails_10(void)
{
    return fails(10, -1);
}
static thrum_awaitable fails_10_too(void)
{
    return fails(10, -2);
}
static thrum_awaitable fails_20(void)
{
    return fails(20, -3);
}
static thrum_awaitable cancels_10(void)
{
    return fails(10, THRUM_ECANCELED);
}
static thrum_awaitable cleans_badly(void)
{
    return child(50, 0, 5, -4);
}
static thrum_awaitable cleans_long(void)
{
    return child(50, 0, 30, 0);
}
static thrum_awaitable interrupts(void)
{
    return fails(10, THRUM_EINTERRUPTED);
}
static thrum_awaitable exits(void)
{
    return fails(10, THRUM_EEXIT);
}

/* taskgroup_01, _02; 102 */
TEST(taskgroups, waits_for_its_children)
{
    check((plan){.first = gives_10, .second = gives_50}, 0, 50, "be");
    check((plan){.first = gives_10, .second = gives_50, .body = 20}, 0, 50, "be");
    check((plan){.first = gives_10, .second = gives_50, .body = 80}, 0, 80, "be");
}

/* 107 */
static ASYNC(empty, ARGS_NONE, LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        put("b");
    }
    put("e");
    ASYNC_END;
}

TEST(taskgroups, empty_one_does_not_suspend)
{
    trace[0] = '\0';
    sim_open();
    thrum_task *task = thrum_spawn(empty());
    sim_pass();
    CHECK(thrum_task_done(task));
    thrum_task_release(task);
    sim_close();
    CHECK_STR(trace, "be");
}

/* taskgroup_03, 105: a child that ends as cancelled is ignored. */
TEST(taskgroups, cancelled_child_is_ignored)
{
    check((plan){.first = cancels_10, .second = gives_50}, 0, 50, "be");
}

/* cancel_children_on_child_error, taskgroup_04: the siblings and the body are cancelled, one error comes out. */
TEST(taskgroups, child_fails)
{
    check((plan){.first = fails_10, .second = gives_50, .body = 100}, THRUM_EGROUP, 10, "bxy");
    CHECK_ERRORS(-1);
    check((plan){.first = gives_50, .second = fails_10}, THRUM_EGROUP, 10, "bexy");
    CHECK_ERRORS(-1);
    check((plan){.first = fails_10, .second = fails_10_too}, THRUM_EGROUP, 10, "be");
    CHECK_ERRORS(-1, -2);
    check((plan){.first = fails_10, .second = fails_20, .body = 100}, THRUM_EGROUP, 10, "bxy");
    CHECK_ERRORS(-1);
}

/* taskgroup_08: an error in the clean-up of a cancelled child replaces its cancellation. */
TEST(taskgroups, clean_up_fails)
{
    check((plan){.first = fails_10, .second = cleans_badly}, THRUM_EGROUP, 15, "bexy");
    CHECK_ERRORS(-1, -4);
    check((plan){.first = fails_10, .second = cleans_long}, THRUM_EGROUP, 40, "bexy");
    CHECK_ERRORS(-1);
}

/* taskgroup_09, _10, _19: the body's error cancels the children and comes last. */
TEST(taskgroups, body_fails)
{
    check((plan){.first = gives_10, .second = gives_50, .body = 20, .body_error = -7}, THRUM_EGROUP, 20, "bxy");
    CHECK_ERRORS(-7);
    check((plan){.first = cleans_badly, .body = 20, .body_error = -7}, THRUM_EGROUP, 25, "bxy");
    CHECK_ERRORS(-4, -7);
    check((plan){.body_error = -7}, THRUM_EGROUP, 0, "b");
    CHECK_ERRORS(-7);
    check((plan){.first = gives_10, .body = 1, .body_error = -7}, THRUM_EGROUP, 1, "bxy");
    CHECK_ERRORS(-7);
}

/* taskgroup_18, _20a, _21a, context_manager_exit_raises: the body makes its own error of the group's cancellation. */
TEST(taskgroups, body_replaces_the_cancellation)
{
    check((plan){.first = fails_10, .body = 100, .body_catches = -8}, THRUM_EGROUP, 10, "bC");
    CHECK_ERRORS(-1, -8);
    check((plan){.first = fails_10, .body = 100, .body_catches = 1}, THRUM_EGROUP, 10, "bCe");
    CHECK_ERRORS(-1);
}

/* 100: while the body cleans up after its cancellation, a second child fails: the body is not cancelled again. */
TEST(taskgroups, parent_is_cancelled_once)
{
    check((plan){.first = fails_10, .second = cleans_badly, .body = 100, .body_catches = 1, .body_cleans = 30},
          THRUM_EGROUP, 40, "bxCye");
    CHECK_ERRORS(-1, -4);
}

/* 106, taskgroup_20: an interrupt or exit that a child ends with comes out bare. */
TEST(taskgroups, interrupt_comes_out_bare)
{
    check((plan){.first = interrupts, .second = cleans_badly}, THRUM_EINTERRUPTED, 15, "bexy");
    check((plan){.first = exits, .second = cleans_long, .body = 100}, THRUM_EEXIT, 40, "bxy");
}

/* ---- from outside ---- */

static thrum_task *start(plan *what, bool eager)
{
    what->eager = eager;
    trace[0] = '\0';
    error_count = 0;
    return thrum_spawn(group_of_two(what));
}

static void at(sim_delay when)
{
    while (sim_next() >= 0 && sim_next() < when)
        CHECK_EQ(sim_step_(true), 0);
}

static void finish(thrum_task *task, int error, thrum_time time, const char *expected)
{
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, NULL), error);
    CHECK_EQ(sim_time(), time);
    CHECK_STR(trace, expected);
    thrum_task_release(task);
    sim_finish();
    CHECK_EQ(sim_time(), time);
    sim_close();
}

/* taskgroup_07: in the body; taskgroup_17, _22: while it waits for the children, also again and again. */
TEST(taskgroups, cancelled_from_outside)
{
    for (int eager = 0; eager < 2; eager++) {
        plan in_body = {.first = cleans_long, .second = gives_50, .body = 100};
        sim_open();
        thrum_task *task = start(&in_body, eager);
        at(50);
        thrum_task_cancel(task);
        CHECK_EQ(thrum_task_cancelling(task), 1);
        finish(task, THRUM_ECANCELED, 30, "bxxyy");

        plan in_exit = {.first = cleans_long, .second = gives_50};
        sim_open();
        task = start(&in_exit, eager);
        at(50);
        thrum_task_cancel(task);
        at(30);
        thrum_task_cancel(task); /* counted, and otherwise without effect */
        thrum_task_cancel(task);
        CHECK_EQ(thrum_task_cancelling(task), 3);
        finish(task, THRUM_ECANCELED, 30, "bexxyy");
    }
}

/* 103, taskgroup_15, error_and_cancel: a cancellation from outside and a child's error: the error comes out, and the
 * cancellation at the next await. */
static ASYNC(then_waits, ARGS((const plan *, does)), LOCALS(thrum_group group; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->group, thrum_group_open(&self->group)) {
            thrum_group_spawn(&self->group, self->does->first());
            AWAIT(thrum_sleep(self->does->body));
        }
    }
    CATCH (self->error, self->attempt) {
        CHECK_EQ(self->error, THRUM_EGROUP);
        CHECK_EQ(cancelling(), 1);
        put("g");
    }
    AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(1)));
    CHECK_EQ(self->error, THRUM_ECANCELED);
    put("c");
    AWAIT(thrum_sleep(3));
    put("e");
    ASYNC_END;
}

TEST(taskgroups, cancelled_and_child_fails)
{
    plan what = {.first = cleans_badly, .body = 100};
    trace[0] = '\0';
    sim_open();
    thrum_task *task = thrum_spawn(then_waits(&what));
    sim_pass();
    sim_pass();
    thrum_task_cancel(task);
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, NULL), 0);
    CHECK_STR(trace, "xygce");
    CHECK_EQ(sim_time(), 8);
    thrum_task_release(task);
    sim_close();
}

/* taskgroup_16: the same in a task that another one waits for, which is cancelled and passes that on: while the group's
 * body cleans up, a child fails. That is what comes out. */
static ASYNC(is_slow_to_leave, ARGS_NONE, LOCALS(thrum_group group; int caught;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, fails_20());
        AWAIT_CATCH_ALL(self->caught, thrum_sleep(100));
        put(self->caught == THRUM_ECANCELED ? "c" : "-");
        AWAIT(thrum_sleep(50));
        ASYNC_RAISE(self->caught);
    }
    ASYNC_END;
}

static ASYNC(waits_for_that, ARGS_NONE, LOCALS(thrum_task *task; int error;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(is_slow_to_leave());
    AWAIT_CATCH(self->error, self->task);
    note_errors(self->error);
    ASYNC_RAISE(self->error);
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

TEST(taskgroups, cancelled_through_a_task_and_child_fails)
{
    trace[0] = '\0';
    sim_open();
    thrum_task *task = thrum_spawn(waits_for_that());
    at(20);
    thrum_task_cancel(task);
    finish(task, THRUM_EGROUP, 20, "c");
    CHECK_ERRORS(-3);
}

/* taskgroup_23: who has ended has left the group, while it is open. */
static ASYNC(spawns_again_and_again, ARGS_NONE, LOCALS(thrum_group group; int i;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        for (self->i = 0; self->i < 10; self->i++) {
            AWAIT(thrum_sleep(10));
            thrum_group_spawn(&self->group, gives(30));
            CHECK_LT(thrum_group_size(&self->group), 5);
        }
        AWAIT(thrum_sleep(135));
        CHECK_EQ(thrum_group_size(&self->group), 0);
    }
    ASYNC_RETURN(sim_time());
    ASYNC_END;
}

TEST(taskgroups, children_leave_when_they_end)
{
    thrum_value time = 0;
    CHECK_EQ(sim_run(spawns_again_and_again(), &time), 0);
    CHECK_EQ(time, 235);
}

/* ---- nested ---- */

static ASYNC(nested, ARGS((const plan *, outer), (const plan *, inner)),
             LOCALS(thrum_group out, in; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->out, thrum_group_open(&self->out)) {
            if (self->outer->first)
                thrum_group_spawn(&self->out, self->outer->first());
            WITH (self->in, thrum_group_open(&self->in)) {
                thrum_group_spawn(&self->in, self->inner->first());
                if (self->inner->body)
                    AWAIT(thrum_sleep(self->inner->body));
            }
            put("i");
        }
    }
    CATCH (self->error, self->attempt) {
        note_errors(self->error);
        CHECK_EQ(cancelling(), 0);
        ASYNC_RAISE(self->error);
    }
    ASYNC_END;
}

static void check_nested(plan outer, plan inner, int error, const char *expected)
{
    trace[0] = '\0';
    CHECK_EQ(sim_run(nested(&outer, &inner), NULL), error);
    CHECK_STR(trace, expected);
}

TEST(taskgroups, nested)
{
    /* taskgroup_13: the outer one's failure cancels the inner, which gives no error of its own */
    check_nested((plan){.first = fails_10}, (plan){.first = gives_50}, THRUM_EGROUP, "xy");
    CHECK_ERRORS(-1);
    CHECK_EQ(nested_errors[0], 0);
    check_nested((plan){.first = fails_10}, (plan){.first = gives_50, .body = 100}, THRUM_EGROUP, "xy");
    CHECK_ERRORS(-1);
    /* taskgroup_14: the inner one's failure is an error in the outer's list */
    check_nested((plan){.first = gives_50}, (plan){.first = fails_10, .body = 100}, THRUM_EGROUP, "xy");
    CHECK_ERRORS(THRUM_EGROUP);
#if THRUM_DETAILS
    CHECK_EQ(nested_errors[0], -1);
#endif
    /* 104: both at once: the inner one takes back its own request only, the other goes on to the outer */
    check_nested((plan){.first = fails_10}, (plan){.first = fails_10_too, .body = 100}, THRUM_EGROUP, "");
    CHECK_ERRORS(-1, THRUM_EGROUP);
}

/* nested_groups_both_cancelled: a request from outside survives the inner group. taskgroup_11, _12: also with nobody
 * else in the outer one, and when its children were about to fail. */
TEST(taskgroups, nested_and_cancelled_from_outside)
{
    for (int passes = 1; passes < 13; passes++) {
        plan outer = {.first = passes & 1 ? gives_50 : NULL};
        plan inner = {.first = passes & 2 ? cleans_long : fails_10, .body = 100};
        trace[0] = '\0';
        sim_open();
        thrum_task *task = thrum_spawn(nested(&outer, &inner));
        for (int i = 0; i <= passes / 4; i++)
            sim_pass();
        thrum_task_cancel(task);
        CHECK_EQ(sim_until(task), 0);
        CHECK(thrum_task_cancelled(task));
        thrum_task_release(task);
        sim_finish();
        sim_close();
    }
}

/* ---- a child that waits for a task, and is waited for itself ---- */

static ASYNC(fails_with_detail, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(5));
    ASYNC_RAISE(thrum_error_set(-7, 0, "detail", 1, "of what failed"));
    ASYNC_END;
}

static ASYNC(forgives, ARGS((thrum_task *, task)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, self->task);
    ASYNC_RETURN(self->error);
    ASYNC_END;
}

static ASYNC(waits_for_a_child, ARGS_NONE, LOCALS(thrum_group group; thrum_task * task; thrum_task * child; int error;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(fails_with_detail());
    WITH (self->group, thrum_group_open(&self->group)) {
        self->child = thrum_group_spawn(&self->group, forgives(self->task));
        AWAIT_INTO(self->error, self->child);
    }
    ASYNC_RETURN(self->error);
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

/* The detail of the task's error goes to the child, and leaves its own waiters alone. */
TEST(taskgroups, child_is_waited_for_and_gets_a_detail)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(waits_for_a_child(), &value), 0);
    CHECK_EQ((int)value, -7);
}
