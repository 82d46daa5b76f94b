/* thrum_group_cancel (asyncio 3.15's TaskGroup.cancel), spawning late or in vain, joining, and eager children. The
 * number in a comment is the corner point of asyncio's behaviour. */
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

static ASYNC(child, ARGS((thrum_time, delay), (int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    put("<");
    AWAIT(thrum_sleep(self->delay));
    if (self->error)
        ASYNC_RAISE(self->error);
    put(">");
FINALLY:
    put(".");
    ASYNC_END;
}

static ASYNC(canceller, ARGS((thrum_group *, group), (thrum_time, delay), (int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->delay)
        AWAIT(thrum_sleep(self->delay));
    thrum_group_cancel(self->group);
    put("c");
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT(thrum_sleep(1));
    put("!");
FINALLY:
    put(",");
    ASYNC_END;
}

static void run(thrum_awaitable what, int error, thrum_time time, const char *expected)
{
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(sim_run(what, NULL), error);
    CHECK_EQ(sim_time(), time);
    sim_finish();
    CHECK_EQ(sim_time(), time);
    CHECK_EQ(sim.reports, 0);
    sim_close();
    CHECK_STR(trace, expected);
}

/* ---- where it is called ---- */

enum { IN_BODY, TWICE, BY_CHILD, BY_CHILD_AT_THE_END, BEFORE, AFTER, BODY_RAISES, CHILD_RAISES, NO_SUSPENSION };

static ASYNC(cancels, ARGS((int, how)), LOCALS(thrum_group group; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    if (self->how == BEFORE)
        thrum_group_cancel(&self->group);
    TRY (self->attempt) {
        WITH (self->group, thrum_group_open(&self->group)) {
            if (self->how == BEFORE)
                CHECK_NULL(thrum_group_spawn(&self->group, child(50, 0)));
            else
                thrum_group_spawn(&self->group, child(50, 0));
            if (self->how == BY_CHILD || self->how == BY_CHILD_AT_THE_END)
                thrum_group_spawn(&self->group, canceller(&self->group, 10, 0));
            if (self->how == CHILD_RAISES)
                thrum_group_spawn(&self->group, canceller(&self->group, 10, -3));
            if (self->how == IN_BODY || self->how == TWICE || self->how == BODY_RAISES || self->how == NO_SUSPENSION) {
                if (self->how != NO_SUSPENSION)
                    AWAIT(thrum_sleep(10));
                thrum_group_cancel(&self->group);
                if (self->how == TWICE)
                    thrum_group_cancel(&self->group);
                CHECK_NULL(thrum_group_spawn(&self->group, child(1, 0)));
                CHECK_EQ(thrum_group_error(&self->group), THRUM_ESTATE);
                if (self->how == BODY_RAISES)
                    ASYNC_RAISE(-4);
            }
            if (self->how != BY_CHILD_AT_THE_END && self->how != AFTER && self->how != NO_SUSPENSION) {
                AWAIT(thrum_sleep(100));
                put("!");
            }
            put("b");
        }
        put("e");
    }
    CATCH (self->error, self->attempt) {
        CHECK_EQ(cancelling(), 0);
        put("E");
        ASYNC_RAISE(self->error);
    }
    CHECK_EQ(cancelling(), 0);
    if (self->how == AFTER)
        thrum_group_cancel(&self->group);
    AWAIT(thrum_sleep(3)); /* nothing more comes */
    ASYNC_END;
}

TEST(group_cancel, of_children_and_body)
{
    run(cancels(IN_BODY), 0, 13, "<.e");
    run(cancels(TWICE), 0, 13, "<.e");
    run(cancels(BY_CHILD), 0, 13, "<c.,e");
    run(cancels(BY_CHILD_AT_THE_END), 0, 13, sim_eager() ? "<bc.,e" : "b<c.,e");
    run(cancels(NO_SUSPENSION), 0, 3, sim_eager() ? "<b.e" : "be"); /* lazily, the child never began */
}

TEST(group_cancel, before_and_after)
{
    run(cancels(BEFORE), 0, 3, "e");
    run(cancels(AFTER), 0, 53, sim_eager() ? "<b>.e" : "b<>.e");
}

TEST(group_cancel, errors_come_out_all_the_same)
{
    run(cancels(BODY_RAISES), THRUM_EGROUP, 10, "<.E");
    run(cancels(CHILD_RAISES), THRUM_EGROUP, 10, "<c,.E");
}

/* An outside cancellation that comes as well goes on. */
TEST(group_cancel, and_from_outside)
{
    for (int order = 0; order < 2; order++) {
        trace[0] = '\0';
        sim_open();
        thrum_task *task = thrum_spawn(cancels(order ? BY_CHILD : BY_CHILD_AT_THE_END));
        while (sim_time() < 10)
            CHECK_EQ(sim_step_(true), 0);
        thrum_task_cancel(task);
        CHECK_EQ(sim_until(task), 0);
        CHECK(thrum_task_cancelled(task));
        thrum_task_release(task);
        sim_finish();
        sim_close();
    }
}

/* 109, 155433: with a limit around it that expires in the same pass: the limit is not swallowed. */
static ASYNC(under_limit, ARGS((thrum_time, limit)), LOCALS(thrum_group group; thrum_deadline limit_;))
{
    ASYNC_BEGIN;
    WITH (self->limit_, thrum_deadline_after(&self->limit_, self->limit))
        WITH (self->group, thrum_group_open(&self->group)) {
            thrum_group_spawn(&self->group, canceller(&self->group, 10, 0));
            AWAIT(thrum_sleep(100));
        }
    put("e");
    ASYNC_END;
}

TEST(group_cancel, under_a_limit)
{
    run(under_limit(20), 0, 10, "c,e");
    run(under_limit(5), THRUM_ETIMEDOUT, 5, ",");
    run(under_limit(10), THRUM_ETIMEDOUT, 10, ","); /* the limit's timer comes first */
}

static void cancel_group(thrum_handle *handle)
{
    thrum_group_cancel((thrum_group *)handle->context);
    put("c");
}

static ASYNC(both_at_once, ARGS((bool, group_first)),
             LOCALS(thrum_group group; thrum_deadline limit; thrum_handle handle;))
{
    ASYNC_BEGIN;
    thrum_handle_init(&self->handle, cancel_group, &self->group);
    if (self->group_first)
        thrum_call_at(sim_at(10), &self->handle);
    WITH (self->limit, thrum_deadline_at(&self->limit, sim_at(10)))
        WITH (self->group, thrum_group_open(&self->group)) {
            if (!self->group_first)
                thrum_call_at(sim_at(10), &self->handle);
            thrum_group_spawn(&self->group, child(50, 0));
            AWAIT(thrum_sleep(100));
        }
    put("e");
    ASYNC_END;
}

TEST(group_cancel, in_the_pass_in_which_a_limit_expires)
{
    run(both_at_once(false), THRUM_ETIMEDOUT, 10, "<c.");
    run(both_at_once(true), THRUM_ETIMEDOUT, 10, "<c.");
}

/* timeout_taskgroup: an expired limit inside of a child is an error of the group's. */
static ASYNC(child_times_out, ARGS_NONE, LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, thrum_timeout(5, thrum_sleep(50)));
        thrum_group_spawn(&self->group, child(50, 0));
    }
    ASYNC_END;
}

TEST(group_cancel, child_times_out)
{
    run(child_times_out(), THRUM_EGROUP, 5, "<.");
}

/* ---- eager children ---- */

enum { EAGER_DONE, EAGER_FAILS, EAGER_CANCELS, EAGER_SPAWNS };

static ASYNC(spawner, ARGS((thrum_group *, group), (int, depth), (int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    put("(");
    if (self->depth)
        thrum_group_spawn_eager(self->group, spawner(self->group, self->depth - 1, self->error));
    else if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT(thrum_sleep(5));
    put(")");
    ASYNC_END;
}

static ASYNC(at_once, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    put("o");
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

static ASYNC(eager, ARGS((int, how)), LOCALS(thrum_group group; thrum_task * task; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        if (self->how == EAGER_DONE) {
            self->task = thrum_group_spawn_eager(&self->group, at_once(0));
            CHECK(thrum_task_done(self->task));
        }
        if (self->how == EAGER_FAILS) {
            self->task = thrum_group_spawn_eager(&self->group, at_once(-3));
            CHECK(thrum_task_done(self->task));
            CHECK_EQ(thrum_task_result(self->task, NULL), -3);
        }
        if (self->how == EAGER_CANCELS) /* 109, 155418: from a child before its first suspension */
            thrum_group_spawn_eager(&self->group, canceller(&self->group, 0, 0));
        if (self->how == EAGER_SPAWNS) /* cancels_task_if_created_during_creation */
            thrum_group_spawn_eager(&self->group, spawner(&self->group, 2, -5));
        put("b");
        AWAIT(thrum_sleep(50));
        put("w");
    }
    put("e");
    ASYNC_END;
}

TEST(group_cancel, eager_children)
{
    run(eager(EAGER_DONE), 0, 50, "obwe");
    run(eager(EAGER_FAILS), THRUM_EGROUP, 0, "ob");
    run(eager(EAGER_CANCELS), 0, 0, "cb,e");
    run(eager(EAGER_SPAWNS), THRUM_EGROUP, 0, "(((b");
}

/* ---- spawning ---- */

/* 102, taskgroup_24: children spawn siblings while the group is joined; _25: with failures, no hang. */
static ASYNC(begets, ARGS((thrum_group *, group), (int, generations), (int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(5));
    if (self->generations) {
        CHECK_EQ(thrum_group_spawn_detached(self->group, begets(self->group, self->generations - 1, self->error)), 0);
        thrum_group_spawn(self->group, begets(self->group, self->generations - 1, self->error));
    } else if (self->error) {
        ASYNC_RAISE(self->error);
    }
    put(".");
    ASYNC_END;
}

static ASYNC(family, ARGS((int, generations), (int, error)), LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, begets(&self->group, self->generations, self->error));
    }
    put("e");
    /* Closed: what is spawned now is dropped. */
    CHECK_NULL(thrum_group_spawn(&self->group, child(1, 0)));
    CHECK_EQ(thrum_group_error(&self->group), THRUM_ESTATE);
    CHECK_EQ(thrum_group_spawn_detached(&self->group, child(1, 0)), THRUM_ESTATE);
    CHECK_NULL(thrum_group_spawn_eager(&self->group, child(1, 0)));
    ASYNC_END;
}

TEST(group_cancel, children_spawn_while_it_is_joined)
{
    run(family(3, 0), 0, 20, "...............e");
    run(family(2, -4), THRUM_EGROUP, 15, "...");
}

/* 102: the last child is over, the group therefore, too, although who joins it has not gone on. */
static void spawns_late(thrum_handle *handle)
{
    thrum_group *group = (thrum_group *)handle->context;
    put("l");
    CHECK_NULL(thrum_group_spawn(group, child(1, 0)));
    CHECK_EQ(thrum_group_error(group), THRUM_ESTATE);
}

static ASYNC(ends_between, ARGS_NONE, LOCALS(thrum_group group; thrum_handle late;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_handle_init(&self->late, spawns_late, &self->group);
        thrum_task_add_done_callback(thrum_group_spawn(&self->group, child(10, 0)), &self->late);
        AWAIT(thrum_sleep(5));
        put("b");
    }
    put("e");
    ASYNC_END;
}

TEST(group_cancel, no_spawning_after_the_last_child)
{
    run(ends_between(), 0, 10, "<b>.le");
}

static ASYNC(fails_at_once, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    put("f");
    ASYNC_RAISE(-1);
    ASYNC_END;
}

static ASYNC(fails_before_the_body_suspends, ARGS((const thrum_spawn_options *, how)),
             LOCALS(thrum_group group; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->group, thrum_group_open(&self->group)) {
            CHECK_NOT_NULL(thrum_group_spawn_with(&self->group, fails_at_once(), self->how));
            put("b");
            CHECK_EQ(cancelling(), 0); /* the group is told in the next pass */
            AWAIT(thrum_sleep(10));
            put("!");
        }
    }
    CATCH (self->error, self->attempt) {
        CHECK_EQ(self->error, THRUM_EGROUP);
    }
    CHECK_EQ(self->error, THRUM_EGROUP);
    CHECK_EQ(cancelling(), 0);
    ASYNC_END;
}

/* 101: a child fails before the body first suspends: the body learns of it there. */
TEST(group_cancel, child_fails_before_the_body_suspends)
{
    thrum_spawn_options how = {.size = sizeof how, .start = THRUM_START_LAZY};
    run(fails_before_the_body_suspends(&how), 0, 0, "bf");
    how.start = THRUM_START_EAGER;
    run(fails_before_the_body_suspends(&how), 0, 0, "fb");
}

/* 108, no_create_task_after_failure, coro_closed_when_tg_closed: refused while it is being cancelled, nothing leaks. */
static int refusals;

static ASYNC(tries_late, ARGS((thrum_group *, group)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, thrum_sleep(50));
    CHECK_NULL(thrum_group_spawn(self->group, child(1, 0)));
    CHECK_EQ(thrum_group_spawn_detached(self->group, child(1, 0)), THRUM_ESTATE);
    CHECK_NULL(thrum_group_spawn_eager(self->group, child(1, 0)));
    refusals++;
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

static ASYNC(late, ARGS_NONE, LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    CHECK_NULL(thrum_group_spawn(&self->group, child(1, 0))); /* not open yet */
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, child(10, -1));
        thrum_group_spawn(&self->group, tries_late(&self->group));
    }
    ASYNC_END;
}

TEST(group_cancel, no_spawning_after_a_failure)
{
    refusals = 0;
    run(late(), THRUM_EGROUP, 10, "<.");
    CHECK_EQ(refusals, 1);
}

/* 105: cancelling one child by hand does nothing to the group. Handles are good until the group ends. */
static ASYNC(cancels_one, ARGS_NONE, LOCALS(thrum_group group; thrum_task * one, *two; thrum_value value; int error;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        self->one = thrum_group_spawn(&self->group, child(50, 0));
        self->two = thrum_group_spawn(&self->group, child(20, 0));
        CHECK_EQ(thrum_group_size(&self->group), 2);
        AWAIT(thrum_sleep(1));
        CHECK(thrum_task_cancel(self->one));
        AWAIT_CATCH_ALL(self->error, self->one);
        CHECK_EQ(self->error, THRUM_ECANCELED);
        AWAIT(thrum_sleep(50));
        CHECK_EQ(thrum_group_size(&self->group), 0);
        CHECK(thrum_task_cancelled(self->one));
        CHECK(thrum_task_done(self->two));
        CHECK_EQ(thrum_task_result(self->two, NULL), 0);
        AWAIT(self->two);
    }
    put("e");
    ASYNC_END;
}

TEST(group_cancel, one_child_by_hand)
{
    run(cancels_one(), 0, 51, "<<.>.e");
}

/* ---- joining inside of the block ---- */

static ASYNC(joins, ARGS((int, how)), LOCALS(thrum_group group; int error;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        AWAIT(thrum_group_join(&self->group)); /* nobody there */
        thrum_group_spawn(&self->group, child(10, 0));
        thrum_group_spawn(&self->group, child(20, self->how == 1 ? -1 : 0));
        AWAIT(thrum_group_join(&self->group));
        put("j");
        CHECK_EQ(thrum_group_size(&self->group), 0);
        thrum_group_spawn(&self->group, child(10, 0));
        if (self->how == 2)
            AWAIT(thrum_timeout(5, thrum_group_join(&self->group)));
        AWAIT(thrum_group_join(&self->group));
    }
    put("e");
    ASYNC_END;
}

TEST(group_cancel, joined_inside_of_the_block)
{
    run(joins(0), 0, 30, "<<>.>.j<>.e");
    run(joins(1), THRUM_EGROUP, 20, "<<>..");
    run(joins(2), THRUM_EGROUP, 25, "<<>.>.j<.");
}

/* Somebody else joins as well: refused, and the one who waited is woken. */
static ASYNC(joiner, ARGS((thrum_group *, group)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_group_join(self->group));
    put(self->error == THRUM_EBUSY ? "B" : self->error ? "?" : "J");
    ASYNC_END;
}

static ASYNC(joined_twice, ARGS((bool, at_exit)), LOCALS(thrum_group group; thrum_task * other;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, child(10, 0));
        self->other = thrum_spawn(joiner(&self->group));
        AWAIT(thrum_yield());
        AWAIT(thrum_yield());
        if (!self->at_exit)
            AWAIT(thrum_sleep(20));
    }
    put("e");
    AWAIT(self->other);
FINALLY:
    thrum_task_release(self->other);
    ASYNC_END;
}

TEST(group_cancel, joined_by_another_task)
{
    run(joined_twice(false), 0, 20, "<>.Je");
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(sim_run(joined_twice(true), NULL), 0);
    sim_close();
    CHECK_EQ(strlen(trace), 5); /* both go on, in one order or the other */
}
