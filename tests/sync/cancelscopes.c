/* Cancel scopes. asyncio has none: a name in a comment is the test of trio (or anyio) whose behaviour is checked; a
 * number is a corner point of asyncio's, which holds for scopes as well. Shields are in shields.c. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <sim.h>

static char trace[128];

static void put(const char *text)
{
    CHECK_LT(strlen(trace) + strlen(text), sizeof trace);
    strcat(trace, text);
}

static void run(thrum_awaitable what, int error, thrum_time time, const char *expected)
{
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(sim_run(what, NULL), error);
    CHECK_EQ(sim_time(), time);
    sim_finish();
    CHECK_EQ(sim_time(), time); /* no timer is left */
    CHECK_EQ(sim.reports, 0);
    sim_close();
    CHECK_STR(trace, expected);
}

static unsigned cancelling(void)
{
    return thrum_task_cancelling(thrum_current_task());
}

/* ---- one scope ---- */

enum { SLEEP, NOTHING, RAISE, SWALLOW, OWN_ERROR, RETURN, BY_ITSELF, NEVER_WAITS, CANCEL_ERROR };

static ASYNC(limited, ARGS((thrum_time, delay), (int, what)), LOCALS(thrum_cancel_scope scope; int error;))
{
    ASYNC_BEGIN;
    WITH (self->scope, thrum_move_on_after(&self->scope, self->delay)) {
        CHECK(!thrum_cancel_scope_cancelled(&self->scope));
        CHECK_PTR(thrum_cancel_scope_current(), &self->scope);
        if (self->what == BY_ITSELF || self->what == NEVER_WAITS)
            thrum_cancel_scope_cancel(&self->scope);
        if (self->what == SLEEP || self->what == BY_ITSELF)
            AWAIT(thrum_sleep(100));
        if (self->what == RAISE)
            ASYNC_RAISE(-5);
        if (self->what == CANCEL_ERROR)
            ASYNC_RAISE(THRUM_ECANCELED);
        if (self->what == RETURN)
            ASYNC_RETURN(1);
        if (self->what == SWALLOW || self->what == OWN_ERROR) {
            AWAIT_CATCH_ALL(self->error, thrum_sleep(100));
            CHECK_EQ(self->error, THRUM_ECANCELED);
            CHECK(thrum_cancel_scope_cancelled(&self->scope));
            CHECK_EQ(thrum_current_deadline(), thrum_now());
            if (self->what == OWN_ERROR)
                ASYNC_RAISE(-6);
            AWAIT(thrum_sleep(10)); /* an edge: it comes once */
        }
        put("b");
    }
    CHECK_NULL(thrum_cancel_scope_current());
    CHECK_EQ(thrum_current_deadline(), THRUM_NEVER);
    put(thrum_cancel_scope_cancelled(&self->scope) ? "c" : "-");
    put(thrum_cancel_scope_caught(&self->scope) ? "C" : "-");
    CHECK_EQ(cancelling(), 0);
    CHECK_EQ(thrum_cancel_scope_reschedule(&self->scope, 1), THRUM_ESTATE);
    thrum_cancel_scope_cancel(&self->scope); /* after the end: nothing */
    AWAIT(thrum_sleep(1));
    ASYNC_END;
}

/* test_move_on_after_moves_on, test_cancel_edge_cases, test_basic_timeout; 87 */
TEST(cancelscopes, one_scope)
{
    run(limited(200, SLEEP), 0, 101, "b--");
    run(limited(50, SLEEP), 0, 51, "cC");
    run(limited(0, SLEEP), 0, 1, "cC");
    run(limited(-10, SLEEP), 0, 1, "cC");
    run(limited(THRUM_NEVER, SLEEP), 0, 101, "b--");
    run(limited(50, NOTHING), 0, 1, "b--");
    run(limited(50, RAISE), -5, 0, "");
    run(limited(50, RETURN), 0, 0, "");
    run(limited(50, SWALLOW), 0, 61, "bc-");
    run(limited(50, OWN_ERROR), -6, 50, "");
    run(limited(50, BY_ITSELF), 0, 1, "cC");
    run(limited(50, NEVER_WAITS), 0, 1, "bc-");             /* delivered nowhere, and taken back */
    run(limited(50, CANCEL_ERROR), THRUM_ECANCELED, 0, ""); /* 45: none of the scope's */
}

/* ---- by others ---- */

typedef struct shared {
    thrum_cancel_scope outer, inner;
    thrum_cancel_scope *scopes[2];
} shared;

static ASYNC(nested, ARGS((shared *, s)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    WITH (self->s->outer, thrum_cancel_scope_open(&self->s->outer, THRUM_NEVER, 0, THRUM_CANCEL_EDGE)) {
        WITH (self->s->inner, thrum_move_on_at(&self->s->inner, THRUM_NEVER)) {
            AWAIT(thrum_sleep(100));
            put("b");
        }
        put("i");
        AWAIT(thrum_sleep(1));
        put("I");
    }
    put("o");
    CHECK_EQ(cancelling(), 0);
    AWAIT(thrum_yield());
    put("O");
    ASYNC_END;
}

enum { OUTER = 1, INNER = 2, TASK = 4, TWICE = 8, BEFORE = 16 };

static void act(shared *s, thrum_task *task, unsigned what)
{
    for (int i = what & TWICE ? 2 : 1; i; i--) {
        if (what & INNER)
            thrum_cancel_scope_cancel(&s->inner);
        if (what & TASK)
            thrum_task_cancel(task);
        if (what & OUTER)
            thrum_cancel_scope_cancel(&s->outer);
    }
}

static void by_others(unsigned what, int error, thrum_time time, const char *expected, const char *caught)
{
    shared s;
    memset(&s, 0, sizeof s);
    trace[0] = '\0';
    sim_open();
    thrum_task *task = thrum_spawn(nested(&s));
    if (what & BEFORE)
        act(&s, task, what);
    sim_pass();
    if (!(what & BEFORE))
        act(&s, task, what);
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, NULL), error);
    thrum_task_release(task);
    CHECK_EQ(sim_time(), time);
    CHECK_STR(trace, expected);
    char got[] = {thrum_cancel_scope_caught(&s.inner) ? 'i' : '-', thrum_cancel_scope_caught(&s.outer) ? 'o' : '-', 0};
    CHECK_STR(got, caught);
    sim_close();
}

/* test_cancel_scope_nesting, test_cancel_scope_cancelled_before_enter; 90 and 92 for scopes. */
TEST(cancelscopes, by_others)
{
    by_others(0, 0, 101, "biIoO", "--");
    by_others(INNER, 0, 1, "iIoO", "i-");
    by_others(OUTER, 0, 0, "oO", "-o");
    by_others(INNER | OUTER, 0, 0, "oO", "-o");
    by_others(TASK, THRUM_ECANCELED, 0, "", "--");
    by_others(INNER | TASK, THRUM_ECANCELED, 0, "", "--");
    by_others(OUTER | TASK, THRUM_ECANCELED, 0, "", "--");
    by_others(INNER | OUTER | TASK, THRUM_ECANCELED, 0, "", "--");
    by_others(INNER | TWICE, 0, 1, "iIoO", "i-");
    by_others(OUTER | TWICE, 0, 0, "oO", "-o");
    by_others(INNER | BEFORE, 0, 1, "iIoO", "i-");
    by_others(OUTER | BEFORE, 0, 0, "oO", "-o");
    by_others(INNER | OUTER | BEFORE, 0, 0, "oO", "-o");
}

/* A request that is pending where a scope is entered is not the scope's, though both come out of the same await. */
static ASYNC(pending, ARGS((bool, own)), LOCALS(thrum_cancel_scope scope;))
{
    ASYNC_BEGIN;
    thrum_task_cancel(thrum_current_task());
    WITH (self->scope, thrum_move_on_after(&self->scope, 50)) {
        if (self->own)
            thrum_cancel_scope_cancel(&self->scope);
        AWAIT(thrum_sleep(100));
    }
    put("!");
FINALLY:
    CHECK(!thrum_cancel_scope_caught(&self->scope));
    put("f");
    ASYNC_END;
}

TEST(cancelscopes, pending_at_entry)
{
    run(pending(false), THRUM_ECANCELED, 0, "f");
    run(pending(true), THRUM_ECANCELED, 0, "f");
}

/* 93: in clean-up, after a cancellation that nobody takes back, a scope works as anywhere; and leaves nothing behind,
 * delivered or not. */
static ASYNC(clean_up, ARGS((bool, swallow), (unsigned, flags)), LOCALS(thrum_cancel_scope scope; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(1000));
FINALLY:
    CHECK_EQ(cancelling(), 1);
    WITH (self->scope, thrum_cancel_scope_open(&self->scope, thrum_now() + 5, 0, self->flags)) {
        if (self->swallow) {
            AWAIT_CATCH_ALL(self->error, thrum_sleep(100));
            CHECK_EQ(self->error, THRUM_ECANCELED);
            thrum_task *me = thrum_current_task();
            CHECK_EQ(thrum_task_cancelling(me), 2);
        } else {
            AWAIT(thrum_sleep(100));
        }
    }
    CHECK_EQ(cancelling(), 1);
    CHECK_EQ(thrum_cancel_scope_caught(&self->scope), !self->swallow);
    AWAIT(thrum_sleep(3));
    put("f");
    ASYNC_END;
}

TEST(cancelscopes, in_clean_up)
{
    for (int i = 0; i < 4; i++) {
        trace[0] = '\0';
        sim_open();
        thrum_task *task = thrum_spawn(clean_up(i & 1, i & 2 ? THRUM_CANCEL_LEVEL : THRUM_CANCEL_EDGE));
        sim_pass();
        thrum_task_cancel(task);
        CHECK_EQ(sim_until(task), 0);
        CHECK(thrum_task_cancelled(task));
        thrum_task_release(task);
        CHECK_EQ(sim_time(), 8);
        CHECK_STR(trace, "f");
        sim_close();
    }
}

/* The same scope in a loop; and entered while it is open. */
static ASYNC(again, ARGS_NONE, LOCALS(thrum_cancel_scope scope; int i; int error;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 6; self->i++) {
        WITH (self->scope, thrum_move_on_after(&self->scope, self->i & 1 ? 10 : 30)) {
            AWAIT_CATCH(self->error, thrum_move_on_after(&self->scope, 1));
            CHECK_EQ(self->error, THRUM_ESTATE);
            AWAIT(thrum_sleep(20));
        }
        CHECK_EQ(thrum_cancel_scope_caught(&self->scope), self->i & 1);
    }
    ASYNC_END;
}

TEST(cancelscopes, again)
{
    run(again(), 0, 90, "");
}

/* ---- limits ---- */

/* test_cancel_scope_deadline_duplicates, test_current_effective_deadline */
static ASYNC(asks, ARGS((sim_delay, expected)), LOCALS(thrum_cancel_scope a; thrum_deadline b; thrum_cancel_scope c;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_current_deadline(), sim_at(self->expected));
    WITH (self->a, thrum_move_on_at(&self->a, sim_at(60))) {
        CHECK_EQ(thrum_current_deadline(), sim_at(40));
        WITH (self->b, thrum_deadline_at(&self->b, sim_at(30))) {
            CHECK_EQ(thrum_current_deadline(), sim_at(30));
            WITH (self->c, thrum_cancel_scope_open(&self->c, THRUM_NEVER, 35, THRUM_CANCEL_EDGE)) {
                CHECK_EQ(thrum_current_deadline(), sim_at(35)); /* what is outside does nothing sooner */
                CHECK_EQ(thrum_cancel_scope_reschedule(&self->c, sim_at(32)), 0);
                CHECK_EQ(thrum_cancel_scope_when(&self->c), sim_at(32));
                CHECK_EQ(thrum_current_deadline(), sim_at(32));
                CHECK_EQ(thrum_cancel_scope_reschedule(&self->c, THRUM_NEVER), 0);
            }
            CHECK_EQ(thrum_current_deadline(), sim_at(30));
            CHECK_EQ(thrum_deadline_reschedule(&self->b, THRUM_NEVER), 0);
            CHECK_EQ(thrum_current_deadline(), sim_at(40));
            WITH (self->c, thrum_shield_for(&self->c, THRUM_NEVER)) {
                CHECK_EQ(thrum_current_deadline(), THRUM_NEVER);
                thrum_cancel_scope_cancel(&self->c);
                CHECK_EQ(thrum_current_deadline(), sim_at(0));
            }
        }
    }
    put("e");
    ASYNC_END;
}

static ASYNC(outermost, ARGS_NONE, LOCALS(thrum_deadline d;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_current_deadline(), THRUM_NEVER);
    WITH (self->d, thrum_deadline_at(&self->d, sim_at(50))) {
        AWAIT(thrum_timeout(40, asks(40)));
    }
    ASYNC_END;
}

TEST(cancelscopes, current_deadline)
{
    run(outermost(), 0, 0, "e");
    CHECK_NULL(thrum_cancel_scope_current());
    CHECK_EQ(thrum_current_deadline(), THRUM_NEVER);
}

/* Moved by others while the task waits. */
static void move(thrum_handle *handle)
{
    thrum_cancel_scope *scope = (thrum_cancel_scope *)handle->context;
    CHECK_EQ(thrum_cancel_scope_reschedule(scope, thrum_now() + 5), 0);
}

static ASYNC(moved, ARGS((thrum_time, limit)), LOCALS(thrum_cancel_scope scope; thrum_handle mover;))
{
    ASYNC_BEGIN;
    thrum_handle_init(&self->mover, move, &self->scope);
    thrum_call_later(10, &self->mover);
    WITH (self->scope, thrum_move_on_after(&self->scope, self->limit)) {
        AWAIT(thrum_sleep(100));
    }
    CHECK(thrum_cancel_scope_caught(&self->scope));
    ASYNC_END;
}

TEST(cancelscopes, moved_by_others)
{
    run(moved(50), 0, 15, "");
    run(moved(12), 0, 15, "");
    run(moved(THRUM_NEVER), 0, 15, "");
}

/* ---- among deadlines, groups and tasks ---- */

static ASYNC(child, ARGS((int, error)), LOCALS(thrum_cancel_scope scope;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->error ? 20 : 100));
    if (self->error)
        ASYNC_RAISE(self->error);
FINALLY:
    WITH (self->scope, thrum_shield_for(&self->scope, 10)) {
        AWAIT(thrum_sleep(5));
        put(".");
    }
    ASYNC_END;
}

enum {
    GROUP_IN_SCOPE,
    SCOPE_IN_GROUP,
    DEADLINE_IN_SCOPE,
    SCOPE_IN_DEADLINE,
    SAME_TIME,
    TIMEOUT_IN_SCOPE,
    WAIT_IN_SCOPE
};

static ASYNC(mixed, ARGS((int, how), (int, error)),
             LOCALS(thrum_cancel_scope scope; thrum_deadline limit; thrum_group group; thrum_task * task;))
{
    ASYNC_BEGIN;
    switch (self->how) {
    case GROUP_IN_SCOPE:
        goto group_in_scope;
    case SCOPE_IN_GROUP:
        goto scope_in_group;
    case TIMEOUT_IN_SCOPE:
        goto timeout_in_scope;
    case WAIT_IN_SCOPE:
        goto wait_in_scope;
    case SCOPE_IN_DEADLINE:
        goto scope_in_deadline;
    default:
        break;
    }
    WITH (self->scope, thrum_move_on_after(&self->scope, self->how == SAME_TIME ? 30 : 50)) {
        WITH (self->limit, thrum_deadline_after(&self->limit, 30)) {
            AWAIT(thrum_sleep(100));
        }
    }
    goto over;
group_in_scope:
    WITH (self->scope, thrum_move_on_after(&self->scope, 50)) {
        WITH (self->group, thrum_group_open(&self->group)) {
            thrum_group_spawn(&self->group, child(0));
            thrum_group_spawn(&self->group, child(self->error));
        }
    }
    goto over;
scope_in_group:
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, child(self->error));
        WITH (self->scope, thrum_move_on_after(&self->scope, 50)) {
            AWAIT(thrum_sleep(200));
        }
        put("s");
    }
    goto over;
scope_in_deadline:
    WITH (self->limit, thrum_deadline_after(&self->limit, 50)) {
        WITH (self->scope, thrum_move_on_after(&self->scope, 30)) {
            AWAIT(thrum_sleep(200));
        }
        put("s");
        AWAIT(thrum_sleep(100));
    }
    goto over;
timeout_in_scope:
    WITH (self->scope, thrum_move_on_after(&self->scope, 50)) {
        AWAIT(thrum_timeout(60, child(0)));
    }
    goto over;
wait_in_scope:
    self->task = thrum_spawn(child(0));
    WITH (self->scope, thrum_move_on_after(&self->scope, 50)) {
        AWAIT(self->task);
    }
    CHECK(thrum_task_cancelled(self->task)); /* passed on, and joined: 36 */
over:
    put("e");
    CHECK_EQ(cancelling(), 0);
FINALLY:
    thrum_task_release(self->task);
    put(thrum_cancel_scope_caught(&self->scope) ? "C" : "-");
    ASYNC_END;
}

TEST(cancelscopes, mixed)
{
    run(mixed(GROUP_IN_SCOPE, 0), 0, 55, "..eC");
    run(mixed(GROUP_IN_SCOPE, -5), THRUM_EGROUP, 30, "..-");
    run(mixed(SCOPE_IN_GROUP, 0), 0, 105, "s.eC");
    run(mixed(SCOPE_IN_GROUP, -5), THRUM_EGROUP, 25, ".-");
    run(mixed(DEADLINE_IN_SCOPE, 0), THRUM_ETIMEDOUT, 30, "-");
    run(mixed(SCOPE_IN_DEADLINE, 0), THRUM_ETIMEDOUT, 50, "sC");
    run(mixed(SAME_TIME, 0), 0, 30, "eC"); /* 92: the outer one asked as well */
    run(mixed(TIMEOUT_IN_SCOPE, 0), 0, 55, ".eC");
    run(mixed(WAIT_IN_SCOPE, 0), 0, 55, ".eC");
}

/* ---- level ---- */

static ASYNC(finally_awaits, ARGS_NONE, LOCALS(thrum_cancel_scope shield; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(100));
FINALLY:
    AWAIT_CATCH_ALL(self->error, thrum_sleep(100)); /* begins, and is cancelled */
    CHECK_EQ(self->error, THRUM_ECANCELED);
    WITH (self->shield, thrum_shield_for(&self->shield, 10)) {
        AWAIT(thrum_sleep(5));
        put("s");
        AWAIT(thrum_sleep(100)); /* the shield's time is up */
        put("!");
    }
    put("!");
    ASYNC_END;
}

static ASYNC(level, ARGS((thrum_task *, other), (thrum_future *, future)),
             LOCALS(thrum_cancel_scope scope; thrum_group group; thrum_deadline limit; int error; int i; int value;))
{
    ASYNC_BEGIN;
    WITH (self->scope, thrum_cancel_scope_open(&self->scope, sim_at(50), 0, THRUM_CANCEL_LEVEL)) {
        AWAIT_CATCH_ALL(self->error, finally_awaits());
        CHECK_EQ(self->error, THRUM_ECANCELED);
        CHECK_EQ(sim_time(), 60);
        for (self->i = 0; self->i < 3; self->i++) {
            AWAIT_CATCH_ALL(self->error, thrum_sleep(100));
            CHECK_EQ(self->error, THRUM_ECANCELED);
            AWAIT_CATCH_ALL(self->error, thrum_yield());
            CHECK_EQ(self->error, THRUM_ECANCELED);
        }
        thrum_uncancel(); /* a count, and no more than that here */
        AWAIT_CATCH_ALL(self->error, thrum_timeout(7, thrum_sleep(100)));
        CHECK_EQ(self->error, THRUM_ECANCELED);
        AWAIT_CATCH_ALL_INTO(self->error, self->value, self->future); /* done: it does not suspend */
        CHECK_EQ(self->error, 0);
        CHECK_EQ(self->value, 7);
        put("f");
        /* A wait that passes the cancellation on gives what that gives. */
        AWAIT_CATCH_ALL(self->error, self->other);
        CHECK_EQ(self->error, -9);
        CHECK_EQ(sim_time(), 65);
        WITH (self->group, thrum_group_open(&self->group)) {
            thrum_group_spawn(&self->group, child(0)); /* begins before the group learns of it */
            put("g");
        }
        put("!");
    }
    CHECK(thrum_cancel_scope_caught(&self->scope));
    AWAIT(thrum_sleep(2));
    put("e");
    ASYNC_END;
}

static ASYNC(stubborn, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->error, thrum_sleep(1000));
    put("o");
    AWAIT(thrum_sleep(5));
    ASYNC_RAISE(-9);
    ASYNC_END;
}

static ASYNC(levels, ARGS_NONE, LOCALS(thrum_task *other; thrum_future future;))
{
    ASYNC_BEGIN;
    self->other = thrum_spawn(stubborn());
    thrum_future_set_result(&self->future, 7);
    AWAIT(level(self->other, &self->future));
FINALLY:
    thrum_task_release(self->other);
    ASYNC_END;
}

/* test_cancel_scope_multierror_filtering's rule; anyio's test_cancel_in_finally: every await that suspends, until the
 * scope ends. */
TEST(cancelscopes, level)
{
    run(levels(), 0, 72, "sfog.e");
}

/* Code that never suspends long enough goes to the tail after some awaits in a row: there the level holds, too. */
static ASYNC(busy, ARGS_NONE, LOCALS(thrum_cancel_scope scope; thrum_future future; int error; int canceled; int i;))
{
    ASYNC_BEGIN;
    thrum_future_set_result(&self->future, 0);
    WITH (self->scope, thrum_cancel_scope_open(&self->scope, THRUM_NEVER, 0, THRUM_CANCEL_LEVEL)) {
        thrum_cancel_scope_cancel(&self->scope);
        for (self->i = 0; self->i < 1000; self->i++) {
            AWAIT_CATCH_ALL(self->error, &self->future);
            self->canceled += self->error == THRUM_ECANCELED;
        }
        CHECK_GT(self->canceled, 1);
        CHECK_LT(self->canceled, 20);
    }
    CHECK(!thrum_cancel_scope_caught(&self->scope));
    AWAIT(thrum_sleep(1));
    ASYNC_END;
}

TEST(cancelscopes, level_at_the_tail)
{
    run(busy(), 0, 1, "");
}

/* A level scope in an edge one and the other way around; the outer one, cancelled, reaches into the inner one. */
static ASYNC(levels_nested, ARGS((unsigned, outer), (unsigned, inner), (bool, cancel_outer)),
             LOCALS(thrum_cancel_scope a; thrum_cancel_scope b; int error; int count;))
{
    ASYNC_BEGIN;
    WITH (self->a, thrum_cancel_scope_open(&self->a, THRUM_NEVER, 0, self->outer)) {
        WITH (self->b, thrum_cancel_scope_open(&self->b, THRUM_NEVER, 0, self->inner)) {
            thrum_cancel_scope_cancel(self->cancel_outer ? &self->a : &self->b);
            for (self->count = 0; self->count < 5; self->count++) {
                AWAIT_CATCH_ALL(self->error, thrum_sleep(1));
                if (!self->error)
                    break;
            }
        }
        CHECK_EQ(self->count, (self->cancel_outer ? self->outer : self->inner) == THRUM_CANCEL_LEVEL ? 5 : 1);
        AWAIT(thrum_sleep(10));
        put("a");
    }
    AWAIT(thrum_sleep(10));
    put("e");
    ASYNC_END;
}

TEST(cancelscopes, level_and_edge)
{
    run(levels_nested(THRUM_CANCEL_LEVEL, THRUM_CANCEL_EDGE, true), 0, 10, "e");
    run(levels_nested(THRUM_CANCEL_LEVEL, THRUM_CANCEL_EDGE, false), 0, 21, "ae");
    run(levels_nested(THRUM_CANCEL_EDGE, THRUM_CANCEL_LEVEL, true), 0, 21, "ae");
    run(levels_nested(THRUM_CANCEL_EDGE, THRUM_CANCEL_LEVEL, false), 0, 20, "ae");
    run(levels_nested(THRUM_CANCEL_LEVEL, THRUM_CANCEL_LEVEL, true), 0, 10, "e");
}
