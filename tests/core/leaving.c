/* The ways out of an async function: return, raise, errors that nobody catches, FINALLY. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <limits.h>

#include <sim.h>

static char trace[64];

static void put(char c)
{
    size_t length = strlen(trace);
    CHECK(length < sizeof trace - 1);
    trace[length] = c;
    trace[length + 1] = '\0';
}

#define CHECK_TRACE(what, error, value, expected)                                                                      \
    do {                                                                                                               \
        thrum_value value_ = 12345;                                                                                    \
        trace[0] = '\0';                                                                                               \
        CHECK_EQ(sim_run(what, &value_), error);                                                                       \
        CHECK_EQ(value_, value);                                                                                       \
        CHECK_STR(trace, expected);                                                                                    \
    } while (0)

static ASYNC(fails, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

static ASYNC(gives, ARGS((int, n)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(1));
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

/* ---- from nested blocks of C, before and after a suspension ---- */

enum { END, RETURN, RETURN_DEEP, RAISE, RAISE_DEEP, PASSED_ON, AT_ONCE, RAISE_AT_ONCE };

static ASYNC(leaves, ARGS((int, how)), LOCALS(int i, j;))
{
    ASYNC_BEGIN;
    put('b');
    if (self->how == AT_ONCE)
        ASYNC_RETURN(9);
    if (self->how == RAISE_AT_ONCE)
        ASYNC_RAISE(THRUM_EAPP(9));
    AWAIT(thrum_yield());
    for (self->i = 0; self->i < 3; self->i++) {
        while (self->j < 2) {
            self->j++;
            if (self->how == RETURN_DEEP)
                ASYNC_RETURN(self->i + 21);
            if (self->how == RAISE_DEEP)
                ASYNC_RAISE(THRUM_EAPP(2));
            do {
                if (self->how == PASSED_ON)
                    AWAIT(fails(THRUM_EAPP(3)));
                else
                    AWAIT(gives(1));
            } while (0);
        }
    }
    put('m');
    if (self->how == RETURN)
        ASYNC_RETURN(20);
    else if (self->how == RAISE)
        ASYNC_RAISE(THRUM_EAPP(1));
    put('e');
FINALLY:
    put('f');
    AWAIT(gives(5)); /* does not disturb what is in flight */
    put('g');
    AWAIT(thrum_sleep(1));
    put('h');
    ASYNC_END;
}

TEST(leaving, every_way_passes_finally_once)
{
    CHECK_TRACE(leaves(END), 0, 0, "bmefgh");
    CHECK_TRACE(leaves(RETURN), 0, 20, "bmfgh");
    CHECK_TRACE(leaves(RETURN_DEEP), 0, 21, "bfgh");
    CHECK_TRACE(leaves(RAISE), THRUM_EAPP(1), 0, "bmfgh");
    CHECK_TRACE(leaves(RAISE_DEEP), THRUM_EAPP(2), 0, "bfgh");
    CHECK_TRACE(leaves(PASSED_ON), THRUM_EAPP(3), 0, "bfgh");
    CHECK_TRACE(leaves(AT_ONCE), 0, 9, "bfgh");
    CHECK_TRACE(leaves(RAISE_AT_ONCE), THRUM_EAPP(9), 0, "bfgh");
}

/* ---- leaving from FINALLY itself ---- */

enum { F_END, F_RETURN, F_RAISE, F_FAIL, F_CATCH, F_LOOP };

static ASYNC(leaves_finally, ARGS((int, body), (int, how)), LOCALS(int i, err;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    if (self->body == RETURN)
        ASYNC_RETURN(20);
    if (self->body == RAISE)
        ASYNC_RAISE(THRUM_EAPP(1));
FINALLY:
    put('f');
    if (self->how == F_RETURN)
        ASYNC_RETURN(30);
    if (self->how == F_RAISE)
        ASYNC_RAISE(THRUM_EAPP(30));
    if (self->how == F_FAIL)
        AWAIT(fails(THRUM_EAPP(31)));
    if (self->how == F_CATCH) {
        AWAIT_CATCH(self->err, fails(THRUM_EAPP(32)));
        CHECK_EQ(self->err, THRUM_EAPP(32));
    }
    if (self->how == F_LOOP)
        for (self->i = 0; self->i < 3; self->i++) {
            AWAIT(gives(self->i));
            put('l');
        }
    put('g');
    ASYNC_END;
}

/* As in Python: a return in `finally` replaces an error, an error there replaces everything. */
TEST(leaving, from_finally)
{
    CHECK_TRACE(leaves_finally(END, F_END), 0, 0, "fg");
    CHECK_TRACE(leaves_finally(RETURN, F_END), 0, 20, "fg");
    CHECK_TRACE(leaves_finally(RAISE, F_END), THRUM_EAPP(1), 0, "fg");
    CHECK_TRACE(leaves_finally(END, F_RETURN), 0, 30, "f");
    CHECK_TRACE(leaves_finally(RETURN, F_RETURN), 0, 30, "f");
    CHECK_TRACE(leaves_finally(RAISE, F_RETURN), 0, 30, "f");
    CHECK_TRACE(leaves_finally(END, F_RAISE), THRUM_EAPP(30), 0, "f");
    CHECK_TRACE(leaves_finally(RETURN, F_RAISE), THRUM_EAPP(30), 0, "f");
    CHECK_TRACE(leaves_finally(RAISE, F_RAISE), THRUM_EAPP(30), 0, "f");
    CHECK_TRACE(leaves_finally(RETURN, F_FAIL), THRUM_EAPP(31), 0, "f");
    CHECK_TRACE(leaves_finally(RAISE, F_FAIL), THRUM_EAPP(31), 0, "f");
    CHECK_TRACE(leaves_finally(RETURN, F_CATCH), 0, 20, "fg");
    CHECK_TRACE(leaves_finally(RAISE, F_CATCH), THRUM_EAPP(1), 0, "fg");
    CHECK_TRACE(leaves_finally(RETURN, F_LOOP), 0, 20, "flllg");
    CHECK_TRACE(leaves_finally(RAISE, F_LOOP), THRUM_EAPP(1), 0, "flllg");
}

/* What an error in FINALLY replaces stays readable as its context. */
static ASYNC(reads_context, ARGS((int, body), (int, how)), LOCALS(int err;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->err, leaves_finally(self->body, self->how));
    const thrum_error *error = thrum_error_last();
    CHECK_NOT_NULL(error);
    CHECK_EQ(error->code, self->err);
    ASYNC_RETURN(error->context);
    ASYNC_END;
}

static ASYNC(fails_named, ARGS((int, code)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RAISE(thrum_error_set(self->code, 0, "the first", 1, NULL));
    ASYNC_END;
}

/* An error that was caught is not the one that comes later with the same code; one that is raised again is. */
static ASYNC(meets_two, ARGS((bool, block)), LOCALS(thrum_try attempt; int err;))
{
    ASYNC_BEGIN;
    if (self->block) {
        TRY (self->attempt)
            ASYNC_RAISE(thrum_error_set(THRUM_ETIMEDOUT, 0, "the first", 1, NULL));
        CATCH (self->err, self->attempt) {
        }
    } else {
        AWAIT_CATCH(self->err, fails_named(THRUM_ETIMEDOUT));
    }
    CHECK_EQ(self->err, THRUM_ETIMEDOUT);
    CHECK_STR(thrum_error_last()->operation, "the first");
    AWAIT(thrum_timeout(1, thrum_sleep(2)));
    ASYNC_END;
}

static ASYNC(raises_again, ARGS_NONE, LOCALS(int err;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->err, fails_named(THRUM_ETIMEDOUT));
    AWAIT(thrum_sleep(1));
    ASYNC_RAISE(self->err);
    ASYNC_END;
}

static ASYNC(meets, ARGS((int, which)), LOCALS(int err;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->err, self->which == 2 ? raises_again() : meets_two(self->which));
    CHECK_EQ(self->err, THRUM_ETIMEDOUT);
    CHECK_EQ(thrum_error_last()->depth, self->which == 2 ? 2 : 1);
    CHECK_EQ(thrum_error_last()->operation != NULL, self->which == 2);
    AWAIT_CATCH(self->err, thrum_timeout(1, thrum_sleep(2)));
    CHECK(!thrum_error_last()); /* nothing more is known of it */
    ASYNC_END;
}

TEST(leaving, errors_of_one_code_are_told_apart)
{
#if THRUM_DETAILS
    for (int which = 0; which < 3; which++)
        CHECK_EQ(sim_run(meets(which), NULL), 0);
#else
    SKIP("errors carry no detail here");
#endif
}

/* A gather has a frame around what is none, of which a user knows nothing. */
static ASYNC(gathers_no_frame, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_gather(NULL, thrum_awaitable_failing(THRUM_EINVAL), thrum_sleep(1)));
    ASYNC_END;
}

static ASYNC(reads_trace, ARGS_NONE, LOCALS(int err;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->err, gathers_no_frame());
    CHECK_EQ(self->err, THRUM_EINVAL);
    CHECK_EQ(thrum_error_last()->depth, 1);
    CHECK_STR(thrum_function_name(thrum_error_last()->trace[0].function), "gathers_no_frame");
    ASYNC_END;
}

TEST(leaving, the_trace_has_only_lines_of_users)
{
#if THRUM_DETAILS
    CHECK_EQ(sim_run(reads_trace(), NULL), 0);
#else
    SKIP("errors carry no detail here");
#endif
}

TEST(leaving, what_finally_replaces_is_the_context)
{
#if THRUM_DETAILS
    thrum_value value = 0;
    CHECK_EQ(sim_run(reads_context(RAISE, F_RAISE), &value), 0);
    CHECK_EQ(value, THRUM_EAPP(1));
    CHECK_EQ(sim_run(reads_context(RAISE, F_FAIL), &value), 0);
    CHECK_EQ(value, THRUM_EAPP(1));
    CHECK_EQ(sim_run(reads_context(RETURN, F_FAIL), &value), 0);
    CHECK_EQ(value, 0);
    /* And what is caught there leaves the detail of the error in flight alone. */
    CHECK_EQ(sim_run(reads_context(RAISE, F_CATCH), &value), 0);
    CHECK_EQ(value, 0);
#else
    SKIP("errors carry no detail here");
#endif
}

/* ---- which error ---- */

static ASYNC(raises, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

static ASYNC(raises_and_cleans, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RAISE(self->error);
FINALLY:
    put('f');
    ASYNC_END;
}

TEST(leaving, error_codes)
{
    CHECK_TRACE(raises(-5), -5, 0, "");
    CHECK_TRACE(raises(THRUM_EAPP_LAST_), THRUM_EAPP_LAST_, 0, "");
    CHECK_TRACE(raises(INT_MIN), INT_MIN, 0, "");
    CHECK_TRACE(raises(0), THRUM_EINVAL, 0, ""); /* no error is no error to raise */
    CHECK_TRACE(raises(5), THRUM_EINVAL, 0, ""); /* nor is a number that would be taken for a result */
    CHECK_TRACE(raises(INT_MAX), THRUM_EINVAL, 0, "");
    CHECK_TRACE(raises_and_cleans(5), THRUM_EINVAL, 0, "f");
    CHECK_TRACE(raises(THRUM_ECANCELED), THRUM_ECANCELED, 0, "");
    CHECK_TRACE(raises_and_cleans(-7), -7, 0, "f");
}

/* ---- AWAIT_CATCH and its kind ---- */

static ASYNC(catches, ARGS((int, error)), LOCALS(int err, v;))
{
    ASYNC_BEGIN;
    self->err = 77;
    self->v = 55;
    AWAIT_CATCH(self->err, gives(1));
    CHECK_EQ(self->err, 0);
    AWAIT_CATCH_INTO(self->err, self->v, gives(6));
    CHECK_EQ(self->err, 0);
    CHECK_EQ(self->v, 6);
    AWAIT_CATCH_INTO(self->err, self->v, fails(self->error));
    CHECK_EQ(self->err, self->error);
    CHECK_EQ(self->v, 6); /* left alone */
    put('1');
    AWAIT_CATCH(self->err, fails(self->error));
    CHECK_EQ(self->err, self->error);
    put('2');
    AWAIT_CATCH_ALL(self->err, fails(self->error));
    CHECK_EQ(self->err, self->error);
    put('3');
    AWAIT(gives(1)); /* what was caught is gone */
FINALLY:
    put('f');
    ASYNC_END;
}

static ASYNC(catches_all, ARGS_NONE, LOCALS(int err, v;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_ALL(self->err, fails(THRUM_ECANCELED));
    CHECK_EQ(self->err, THRUM_ECANCELED);
    self->v = 4;
    AWAIT_CATCH_ALL_INTO(self->err, self->v, fails(THRUM_ECANCELED));
    CHECK_EQ(self->err, THRUM_ECANCELED);
    CHECK_EQ(self->v, 4);
    AWAIT_CATCH_ALL_INTO(self->err, self->v, gives(3));
    CHECK_EQ(self->err, 0);
    CHECK_EQ(self->v, 3);
    ASYNC_END;
}

/* A cancellation passes AWAIT_CATCH by, also one that nobody asked for. */
TEST(leaving, await_catch)
{
    CHECK_TRACE(catches(THRUM_EAPP(1)), 0, 0, "123f");
    CHECK_TRACE(catches(THRUM_ETIMEDOUT), 0, 0, "123f");
    CHECK_TRACE(catches(-2), 0, 0, "123f");
    trace[0] = '\0';
    CHECK_EQ(sim_run(catches_all(), NULL), 0);
}

static ASYNC(catch_lets_cancel_by, ARGS((int, into)), LOCALS(int err, v;))
{
    ASYNC_BEGIN;
    if (self->into)
        AWAIT_CATCH_INTO(self->err, self->v, fails(THRUM_ECANCELED));
    else
        AWAIT_CATCH(self->err, fails(THRUM_ECANCELED));
    put('x');
FINALLY:
    put('f');
    ASYNC_END;
}

TEST(leaving, await_catch_lets_cancellations_by)
{
    CHECK_TRACE(catch_lets_cancel_by(0), THRUM_ECANCELED, 0, "f");
    CHECK_TRACE(catch_lets_cancel_by(1), THRUM_ECANCELED, 0, "f");
}

/* ---- cancellation at every suspension of a body with FINALLY ---- */

static ASYNC(five_steps, ARGS_NONE, LOCALS(int i;))
{
    ASYNC_BEGIN;
    put('b');
    for (self->i = 0; self->i < 3; self->i++)
        AWAIT(thrum_yield());
    put('e');
FINALLY:
    put('f');
    AWAIT(thrum_yield());
    put('g');
    AWAIT(thrum_yield());
    put('h');
    ASYNC_END;
}

TEST(leaving, cancelled_at_every_suspension)
{
    static const char *const traces[] = {"", "bf", "bf", "bf", "bef", "befg", "befgh"};
    for (int passes = 0; passes < 7; passes++) {
        trace[0] = '\0';
        sim_open();
        thrum_task *task = thrum_spawn(five_steps());
        for (int i = 0; i < passes; i++)
            sim_pass();
        CHECK_EQ(thrum_task_cancel(task), passes < 6);
        CHECK_EQ(sim_until(task), 0);
        CHECK_EQ(thrum_task_cancelled(task), passes < 6);
        thrum_task_release(task);
        sim_close();
        /* In the body FINALLY still runs whole; a cancellation in FINALLY cuts FINALLY short. */
        if (passes >= 1 && passes <= 3)
            CHECK_STR(trace, "bfgh");
        else
            CHECK_STR(trace, traces[passes]);
    }
}
