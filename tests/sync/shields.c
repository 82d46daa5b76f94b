/* Shields of cancel scopes: what is held back, what is not, and when it comes after all. asyncio has none (its shield()
 * leaves a task behind); the model is trio's CancelScope(shield=True), bounded. */
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

/* Cancel a task, by hand, when so much time has passed. */
static void cancel_task(thrum_handle *handle)
{
    thrum_task_cancel((thrum_task *)handle->context);
}

typedef struct outcome {
    int error;
    thrum_time time;
    const char *trace;
} outcome;

/* Run it, cancelled `times` times at `when`. */
static void run(thrum_awaitable what, thrum_time when, int times, outcome expected)
{
    thrum_handle cancels[3];
    trace[0] = '\0';
    sim_open();
    thrum_task *task = thrum_spawn(what);
    for (int i = 0; i < times; i++) {
        thrum_handle_init(&cancels[i], cancel_task, task);
        CHECK_EQ(thrum_call_later(when, &cancels[i]), 0);
    }
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, NULL), expected.error);
    thrum_task_release(task);
    CHECK_EQ(sim_time(), expected.time);
    CHECK_STR(trace, expected.trace);
    sim_finish();
    CHECK_EQ(sim.reports, 0);
    sim_close();
}

/* ---- what is asked from outside ---- */

enum { NOTHING = 0, RAISES = 1, WITHDRAWS = 2, CANCELS_ITSELF = 4, ENDS_IT = 8 };

static ASYNC(shielded, ARGS((thrum_time, bound), (int, how)), LOCALS(thrum_cancel_scope shield;))
{
    ASYNC_BEGIN;
    WITH (self->shield, thrum_shield_for(&self->shield, self->bound)) {
        AWAIT(thrum_sleep(20));
        put("a");
        if (self->how & WITHDRAWS) {
            while (cancelling())
                CHECK_EQ(thrum_uncancel(), cancelling());
        }
        if (self->how & CANCELS_ITSELF) {
            thrum_cancel_scope_cancel(&self->shield);
            CHECK_EQ(cancelling(), thrum_cancel_scope_held(&self->shield) + 1);
        }
        if (self->how & ENDS_IT)
            thrum_cancel_scope_unshield(&self->shield);
        if (self->how & RAISES)
            ASYNC_RAISE(-5);
        AWAIT(thrum_sleep(20));
        put("b");
    }
    put(thrum_cancel_scope_caught(&self->shield) ? "C" : "-");
    AWAIT(thrum_sleep(10));
    put("e");
FINALLY:
    CHECK_EQ(thrum_cancel_scope_held(&self->shield), 0);
    put("f");
    AWAIT(thrum_sleep(1));
    ASYNC_END;
}

TEST(shields, held_until_the_end)
{
    const int out = THRUM_ECANCELED;
    run(shielded(THRUM_NEVER, NOTHING), 10, 0, (outcome){0, 51, "ab-ef"});
    run(shielded(THRUM_NEVER, NOTHING), 10, 1, (outcome){out, 41, "ab-f"});
    run(shielded(THRUM_NEVER, NOTHING), 10, 3, (outcome){out, 41, "ab-f"});
    run(shielded(THRUM_NEVER, NOTHING), 45, 1, (outcome){out, 46, "ab-f"});
    run(shielded(THRUM_NEVER, WITHDRAWS), 10, 1, (outcome){0, 51, "ab-ef"}); /* 41 */
    run(shielded(THRUM_NEVER, WITHDRAWS), 10, 2, (outcome){0, 51, "ab-ef"});
    run(shielded(THRUM_NEVER, WITHDRAWS), 30, 1, (outcome){out, 41, "ab-f"});
    run(shielded(THRUM_NEVER, CANCELS_ITSELF), 10, 0, (outcome){0, 31, "aCef"});
    run(shielded(THRUM_NEVER, CANCELS_ITSELF), 10, 1, (outcome){out, 21, "aCf"}); /* its own; then the held one */
    run(shielded(THRUM_NEVER, ENDS_IT), 10, 1, (outcome){out, 21, "af"});
    run(shielded(THRUM_NEVER, ENDS_IT), 10, 0, (outcome){0, 51, "ab-ef"});
    run(shielded(0, NOTHING), 10, 1, (outcome){out, 11, "f"}); /* none */
}

/* An error of the body's own goes out; the held cancellation comes at the next await, in FINALLY. */
TEST(shields, error_goes_out)
{
    run(shielded(THRUM_NEVER, RAISES), 10, 0, (outcome){-5, 21, "af"});
    run(shielded(THRUM_NEVER, RAISES), 10, 1, (outcome){THRUM_ECANCELED, 20, "af"});
}

/* When its time is up, where the task is parked. */
TEST(shields, time_is_up)
{
    const int out = THRUM_ECANCELED;
    run(shielded(30, NOTHING), 10, 0, (outcome){0, 51, "ab-ef"});
    run(shielded(30, NOTHING), 10, 1, (outcome){out, 31, "af"});
    run(shielded(15, NOTHING), 10, 1, (outcome){out, 16, "f"});
    run(shielded(15, NOTHING), 16, 1, (outcome){out, 17, "f"});
    run(shielded(20, NOTHING), 10, 1, (outcome){out, 21, "f"}); /* it was set before the sleep, and comes before */
    run(shielded(30, WITHDRAWS), 10, 2, (outcome){0, 51, "ab-ef"});
    run(shielded(-2, NOTHING), 10, 1, (outcome){out, 11, "f"});
}

/* ---- deadlines, timeouts and scopes around it and inside ---- */

enum { DEADLINE_AROUND, TIMEOUT_AROUND, SCOPE_AROUND, LEVEL_AROUND, DEADLINE_INSIDE, TIMEOUT_INSIDE, SCOPE_INSIDE };

static ASYNC(inside, ARGS((int, how), (thrum_time, bound)),
             LOCALS(thrum_cancel_scope shield; thrum_cancel_scope scope; thrum_deadline limit; int error; thrum_try t;))
{
    ASYNC_BEGIN;
    WITH (self->shield, thrum_shield_for(&self->shield, self->bound)) {
        TRY (self->t) {
            if (self->how == TIMEOUT_INSIDE)
                AWAIT(thrum_timeout(10, thrum_sleep(100)));
            if (self->how == DEADLINE_INSIDE) {
                WITH (self->limit, thrum_deadline_after(&self->limit, 10)) {
                    AWAIT(thrum_sleep(100));
                }
            }
            if (self->how == SCOPE_INSIDE) {
                WITH (self->scope, thrum_move_on_after(&self->scope, 10)) {
                    AWAIT(thrum_sleep(100));
                }
            }
        }
        CATCH (self->error, self->t) {
            CHECK_EQ(self->error, THRUM_ETIMEDOUT);
            put("t");
        }
        AWAIT(thrum_sleep(20));
        put("i");
    }
    put("o");
    AWAIT(thrum_sleep(10));
    put("e");
    ASYNC_END;
}

static ASYNC(around, ARGS((int, how), (thrum_time, bound)),
             LOCALS(thrum_cancel_scope scope; thrum_deadline limit; thrum_try t; int error;))
{
    ASYNC_BEGIN;
    if (self->how == TIMEOUT_AROUND) {
        AWAIT(thrum_timeout(5, inside(self->how, self->bound)));
    } else if (self->how == DEADLINE_AROUND) {
        WITH (self->limit, thrum_deadline_after(&self->limit, 5)) {
            AWAIT(inside(self->how, self->bound));
        }
    } else if (self->how == SCOPE_AROUND || self->how == LEVEL_AROUND) {
        WITH (self->scope,
              thrum_cancel_scope_open(&self->scope, sim_at(5), 0,
                                      self->how == LEVEL_AROUND ? THRUM_CANCEL_LEVEL : THRUM_CANCEL_EDGE)) {
            AWAIT(inside(self->how, self->bound));
        }
        put("C");
    } else {
        AWAIT(inside(self->how, self->bound));
    }
    CHECK_EQ(cancelling(), 0);
    ASYNC_END;
}

/* What is inside works as ever, also while something from outside is held (90: it does not count in there). */
TEST(shields, limits_inside)
{
    const int out = THRUM_ECANCELED;
    for (int held = 0; held < 3; held++) {
        run(around(DEADLINE_INSIDE, THRUM_NEVER), 5, held,
            (outcome){held ? out : 0, held ? 30 : 40, held ? "tio" : "tioe"});
        run(around(TIMEOUT_INSIDE, THRUM_NEVER), 5, held,
            (outcome){held ? out : 0, held ? 30 : 40, held ? "tio" : "tioe"});
        run(around(SCOPE_INSIDE, THRUM_NEVER), 5, held, (outcome){held ? out : 0, held ? 30 : 40, held ? "io" : "ioe"});
        /* At the same time as the limit inside. */
        run(around(DEADLINE_INSIDE, THRUM_NEVER), 10, held,
            (outcome){held ? out : 0, held ? 30 : 40, held ? "tio" : "tioe"});
        run(around(TIMEOUT_INSIDE, THRUM_NEVER), 10, held,
            (outcome){held ? out : 0, held ? 30 : 40, held ? "tio" : "tioe"});
        run(around(SCOPE_INSIDE, THRUM_NEVER), 10, held,
            (outcome){held ? out : 0, held ? 30 : 40, held ? "io" : "ioe"});
    }
    run(around(DEADLINE_INSIDE, 7), 5, 1, (outcome){out, 7, ""});
    run(around(SCOPE_INSIDE, 15), 5, 1, (outcome){out, 15, ""});
}

TEST(shields, limits_around)
{
    run(around(DEADLINE_AROUND, THRUM_NEVER), 0, 0, (outcome){THRUM_ETIMEDOUT, 20, "io"});
    run(around(TIMEOUT_AROUND, THRUM_NEVER), 0, 0, (outcome){THRUM_ETIMEDOUT, 20, "io"});
    run(around(SCOPE_AROUND, THRUM_NEVER), 0, 0, (outcome){0, 20, "ioC"});
    run(around(LEVEL_AROUND, THRUM_NEVER), 0, 0, (outcome){0, 20, "ioC"});
    run(around(DEADLINE_AROUND, 12), 0, 0, (outcome){THRUM_ETIMEDOUT, 12, ""});
    run(around(TIMEOUT_AROUND, 12), 0, 0, (outcome){THRUM_ETIMEDOUT, 12, ""});
    run(around(SCOPE_AROUND, 12), 0, 0, (outcome){0, 12, "C"});
    run(around(LEVEL_AROUND, 12), 0, 0, (outcome){0, 12, "C"});
    /* And from outside as well: that one goes through them all. */
    for (int how = DEADLINE_AROUND; how <= LEVEL_AROUND; how++)
        run(around(how, THRUM_NEVER), 10, 1, (outcome){THRUM_ECANCELED, 20, "io"});
}

/* A shield in a shield: held by the outer one for as long as that lasts, then by the inner one. */
static ASYNC(twice, ARGS((thrum_time, outer), (thrum_time, inner)), LOCALS(thrum_cancel_scope a; thrum_cancel_scope b;))
{
    ASYNC_BEGIN;
    WITH (self->a, thrum_shield_for(&self->a, self->outer)) {
        WITH (self->b, thrum_shield_for(&self->b, self->inner)) {
            AWAIT(thrum_sleep(20));
            put("b");
        }
        AWAIT(thrum_sleep(20));
        put("a");
    }
    AWAIT(thrum_sleep(20));
    put("!");
    ASYNC_END;
}

TEST(shields, in_one_another)
{
    const int out = THRUM_ECANCELED;
    run(twice(THRUM_NEVER, THRUM_NEVER), 5, 2, (outcome){out, 40, "ba"});
    run(twice(10, THRUM_NEVER), 5, 2, (outcome){out, 20, "b"});
    run(twice(THRUM_NEVER, 10), 5, 2, (outcome){out, 40, "ba"});
    run(twice(10, 15), 5, 2, (outcome){out, 15, ""});
    run(twice(15, 10), 5, 2, (outcome){out, 15, ""});
    run(twice(10, 10), 5, 1, (outcome){out, 10, ""});
    run(twice(30, 10), 25, 1, (outcome){out, 30, "b"});
}

/* ---- groups and tasks ---- */

static ASYNC(child, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->error ? 15 : 30));
    put("c");
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

static ASYNC(group_in_shield, ARGS((int, error), (thrum_time, bound)),
             LOCALS(thrum_cancel_scope shield; thrum_group group; int got; thrum_try t;))
{
    ASYNC_BEGIN;
    WITH (self->shield, thrum_shield_for(&self->shield, self->bound)) {
        TRY (self->t) {
            WITH (self->group, thrum_group_open(&self->group)) {
                thrum_group_spawn(&self->group, child(self->error));
                AWAIT(thrum_sleep(20));
                put("b");
            }
        }
        CATCH (self->got, self->t) {
            CHECK_EQ(self->got, THRUM_EGROUP);
            put("G");
        }
        AWAIT(thrum_sleep(10));
        put("s");
    }
    AWAIT(thrum_sleep(10));
    put("!");
    ASYNC_END;
}

TEST(shields, group_inside)
{
    const int out = THRUM_ECANCELED;
    run(group_in_shield(0, THRUM_NEVER), 10, 1, (outcome){out, 40, "bcs"});
    run(group_in_shield(0, THRUM_NEVER), 25, 1, (outcome){out, 40, "bcs"});  /* while it is joined */
    run(group_in_shield(-5, THRUM_NEVER), 10, 1, (outcome){out, 25, "cGs"}); /* 103 */
    run(group_in_shield(-5, THRUM_NEVER), 10, 0, (outcome){0, 35, "cGs!"});
    run(group_in_shield(0, 12), 10, 1, (outcome){out, 12, ""});
    run(group_in_shield(0, 25), 10, 1, (outcome){out, 25, "b"});
}

/* 36: whoever waits for a shielded task is cancelled when that lets it through; also at the end of a row. */
static ASYNC(waits_for, ARGS((thrum_awaitable, what)), LOCALS(thrum_task *task;), ON_DROP(thrum_drop(self->what);))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(self->what);
    AWAIT(self->task);
FINALLY:
    thrum_task_release(self->task);
    put("w");
    ASYNC_END;
}

static ASYNC(waits_shielded, ARGS_NONE, LOCALS(thrum_cancel_scope shield; thrum_task * task;))
{
    ASYNC_BEGIN;
    self->task = thrum_spawn(child(0));
    WITH (self->shield, thrum_shield_for(&self->shield, THRUM_NEVER)) {
        AWAIT(self->task);
        put("s");
    }
    AWAIT(thrum_sleep(10));
    put("!");
FINALLY:
    thrum_task_release(self->task);
    ASYNC_END;
}

TEST(shields, waited_for)
{
    /* What the shielded one waits for is not cancelled, either. */
    run(waits_for(waits_shielded()), 10, 1, (outcome){THRUM_ECANCELED, 30, "csw"});
    run(waits_for(shielded(THRUM_NEVER, NOTHING)), 10, 1, (outcome){THRUM_ECANCELED, 41, "ab-fw"});
    run(waits_for(waits_for(shielded(15, NOTHING))), 10, 2, (outcome){THRUM_ECANCELED, 16, "fww"});
    run(waits_for(shielded(THRUM_NEVER, WITHDRAWS)), 10, 1, (outcome){0, 51, "ab-efw"});
}

/* In FINALLY, after a cancellation: the bounded clean-up. A second one does not tear it. */
static ASYNC(cleans_up, ARGS_NONE, LOCALS(thrum_cancel_scope shield;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(100));
FINALLY:
    WITH (self->shield, thrum_cancel_scope_open(&self->shield, thrum_now() + 20, THRUM_NEVER, THRUM_CANCEL_EDGE)) {
        AWAIT(thrum_sleep(10));
        put("c");
        AWAIT(thrum_sleep(1000));
    }
    put(thrum_cancel_scope_caught(&self->shield) ? "C" : "-");
    ASYNC_END;
}

TEST(shields, in_clean_up)
{
    run(cleans_up(), 5, 1, (outcome){THRUM_ECANCELED, 25, "cC"});
    run(cleans_up(), 5, 3, (outcome){THRUM_ECANCELED, 25, "cC"});
}

/* ---- pending when it opens ---- */

static ASYNC(pending, ARGS_NONE, LOCALS(thrum_cancel_scope shield; int i; thrum_future future; int error;))
{
    ASYNC_BEGIN;
    thrum_future_set_result(&self->future, 0);
    thrum_task_cancel(thrum_current_task());
    WITH (self->shield, thrum_shield_for(&self->shield, THRUM_NEVER)) {
        CHECK_EQ(thrum_cancel_scope_held(&self->shield), 1);
        AWAIT(thrum_sleep(10));
        put("a");
    }
    AWAIT_CATCH_ALL(self->error, thrum_yield());
    CHECK_EQ(self->error, THRUM_ECANCELED);
    CHECK_EQ(thrum_uncancel(), 0);
    /* Where the task comes to the tail: once that is the enter itself, and the request comes just then. */
    for (self->i = 0; self->i < 300; self->i++) {
        WITH (self->shield, thrum_shield_for(&self->shield, THRUM_NEVER)) {
            AWAIT(&self->future);
        }
    }
    put("b");
    ASYNC_END;
}

TEST(shields, pending_at_entry)
{
    run(pending(), 0, 0, (outcome){0, 10, "ab"});
}

static ASYNC(at_the_tail, ARGS((int, before)), LOCALS(thrum_cancel_scope shield; int i; thrum_future future;))
{
    ASYNC_BEGIN;
    thrum_future_set_result(&self->future, 0);
    for (self->i = 0; self->i < self->before; self->i++)
        AWAIT(&self->future);
    WITH (self->shield, thrum_shield_for(&self->shield, THRUM_NEVER)) {
        AWAIT(thrum_sleep(10));
        put("a");
    }
    AWAIT(thrum_yield());
    put("!");
    ASYNC_END;
}

TEST(shields, entered_at_the_tail)
{
    for (int before = THRUM_AWAIT_BUDGET - 4; before < THRUM_AWAIT_BUDGET + 4; before++) {
        trace[0] = '\0';
        sim_open();
        thrum_task *task = thrum_spawn(at_the_tail(before));
        sim_pass();
        thrum_task_cancel(task);
        CHECK_EQ(sim_until(task), 0);
        CHECK(thrum_task_cancelled(task));
        thrum_task_release(task);
        /* It is in time either way: before the block, or held in it. */
        CHECK_STR(trace, before >= THRUM_AWAIT_BUDGET ? "" : "a");
        sim_close();
    }
}

/* A loop that closes takes what is shielded down as well. */
TEST(shields, loop_closes)
{
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(thrum_spawn_detached(shielded(THRUM_NEVER, NOTHING)), 0);
    CHECK_EQ(thrum_spawn_detached(group_in_shield(0, 1000)), 0);
    sim_pass();
    sim_pass();
    sim_abandon();
    CHECK_EQ(sim_all_blocks_(), 0);
    CHECK_STR(trace, "");
}
