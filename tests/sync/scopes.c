/* Blocks beyond what Python has (blocks.c): goto, a scope without an exit, an exit that changes the error, values and
 * details in flight. */
/* Every way out is taken on purpose. thrum-check: ignore-file thrum-goto thrum-jump-leaves-block */
#include <sim.h>

static char trace[128];

static void put(const char *text)
{
    CHECK_LT(strlen(trace) + strlen(text), sizeof trace);
    strcat(trace, text);
}

static ASYNC(fails, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RAISE(self->error);
    ASYNC_END;
}

/* ---- a block that says when it is entered and left ---- */

typedef struct spy {
    thrum_scope scope;
    const char *name;
    int becomes; /* what the exit makes of the error: 1 leaves it alone */
} spy;

static ASYNC(spy_exit_run, ARGS((spy *, spied)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    put(")");
    AWAIT(thrum_sleep(1));
    put(self->spied->name);
    if (self->spied->becomes != 1)
        self->spied->scope.error = self->spied->becomes;
    ASYNC_END;
}

static thrum_awaitable spy_exit(thrum_scope *scope)
{
    return spy_exit_run((spy *)(void *)scope);
}

static thrum_step spy_start(thrum_task *task, thrum_record *record)
{
    spy *spied = (spy *)record->object;
    spied->scope.exit = spy_exit;
    spied->becomes = 1;
    put("(");
    return thrum_done(task, 0, 0);
}

static const thrum_operations spy_operations = {spy_start, NULL, NULL, NULL, "spy", NULL};

static thrum_awaitable spy_on(spy *spied, const char *name)
{
    spied->name = name;
    return thrum_awaitable_make(&spy_operations, spied, 0, 0);
}

static void check(thrum_awaitable what, int error, thrum_value value, const char *expected)
{
    thrum_value got = 12345;
    trace[0] = '\0';
    CHECK_EQ(sim_run(what, &got), error);
    CHECK_EQ(got, value);
    CHECK_STR(trace, expected);
}

/* ---- goto ---- */

enum { TO_END, TO_THE_BODY_OF_ANOTHER, TO_END_RETURN, TO_END_RAISE, NO_GOTO };

/* A goto leaves a block without its exit: that comes late, before anything outer, and once. */
static ASYNC(jumps, ARGS((int, how)), LOCALS(spy a, b, c;))
{
    ASYNC_BEGIN;
    WITH (self->a, spy_on(&self->a, "a")) {
        WITH (self->b, spy_on(&self->b, "b")) {
            AWAIT(thrum_yield());
            if (self->how != NO_GOTO)
                goto out;
            put("1");
        }
        put("2");
    out:
        put("3");
        AWAIT(thrum_yield());
        if (self->how == TO_END_RETURN)
            ASYNC_RETURN(7);
        if (self->how == TO_END_RAISE)
            ASYNC_RAISE(THRUM_EAPP(1));
        put("4");
    }
    put("5");
FINALLY:
    put("f");
    ASYNC_END;
}

static ASYNC(jumps_out_of_all, ARGS((int, how)), LOCALS(spy a, b, c; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++)
        WITH (self->a, spy_on(&self->a, "a")) {
            WITH (self->b, spy_on(&self->b, "b")) {
                AWAIT(thrum_yield());
                if (self->i == 1)
                    goto out;
            }
        }
    put("!");
out:
    put("3");
    AWAIT(thrum_yield());
    if (self->how == TO_END_RETURN)
        ASYNC_RETURN(7);
    if (self->how == TO_END_RAISE)
        AWAIT(fails(THRUM_EAPP(1)));
    put("4");
FINALLY:
    put("f");
    AWAIT(thrum_yield());
    put("g");
    ASYNC_END;
}

TEST(scopes, goto_out_of_the_inner_of_two)
{
    check(jumps(NO_GOTO), 0, 0, "((1)b234)a5f");
    check(jumps(TO_END), 0, 0, "((34)b)a5f");
    check(jumps(TO_END_RETURN), 0, 7, "((3)b)af");
    check(jumps(TO_END_RAISE), THRUM_EAPP(1), 0, "((3)b)af");
}

TEST(scopes, goto_out_of_all)
{
    check(jumps_out_of_all(TO_END), 0, 0, "(()b)a((34)b)afg");
    check(jumps_out_of_all(TO_END_RETURN), 0, 7, "(()b)a((3)b)afg");
    check(jumps_out_of_all(TO_END_RAISE), THRUM_EAPP(1), 0, "(()b)a((3)b)afg");
}

static ASYNC(jumps_out_of_a_try, ARGS_NONE, LOCALS(thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        AWAIT(thrum_yield());
        goto out;
    }
    CATCH (self->error, self->attempt) {
        put("c");
    }
out:
    put("3");
    AWAIT(thrum_yield());
FINALLY:
    put("f");
    ASYNC_END;
}

TEST(scopes, goto_out_of_a_try)
{
    check(jumps_out_of_a_try(), 0, 0, "3f");
}

static ASYNC(jumps_within, ARGS_NONE, LOCALS(spy a; int i;))
{
    ASYNC_BEGIN;
    WITH (self->a, spy_on(&self->a, "a")) {
    again:
        AWAIT(thrum_yield());
        put("1");
        if (self->i++ < 2)
            goto again;
    }
    put("e");
    ASYNC_END;
}

TEST(scopes, goto_within_a_block)
{
    check(jumps_within(), 0, 0, "(111)ae");
}

/* ---- break and continue leave the block, not the loop around it ---- */

static ASYNC(breaks, ARGS_NONE, LOCALS(spy a; thrum_try attempt; int i, error;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        WITH (self->a, spy_on(&self->a, "a")) {
            AWAIT(thrum_yield());
            if (self->i == 0)
                break;
            if (self->i == 1)
                continue;
            put("b");
        }
        put("+");
        TRY (self->attempt) {
            if (self->i == 0)
                break;
            if (self->i == 1)
                continue;
            AWAIT(fails(-5));
        }
        CATCH (self->error, self->attempt) {
            put("c");
            if (self->i == 2)
                break;
            put("!");
        }
        put("-");
    }
    ASYNC_END;
}

TEST(scopes, break_and_continue_leave_the_block)
{
    check(breaks(), 0, 0, "()a+-()a+-(b)a+c-");
}

/* A loop of one's own inside of a block is left as in C. */
static ASYNC(loop_inside, ARGS_NONE, LOCALS(spy a; int i;))
{
    ASYNC_BEGIN;
    WITH (self->a, spy_on(&self->a, "a")) {
        for (self->i = 0; self->i < 5; self->i++) {
            AWAIT(thrum_yield());
            if (self->i == 1)
                continue;
            if (self->i == 3)
                break;
            put("i");
        }
        put("e");
    }
    ASYNC_RETURN(self->i);
    ASYNC_END;
}

TEST(scopes, loop_inside_of_a_block)
{
    check(loop_inside(), 0, 3, "(iie)a");
}

/* ---- what an exit can do with the error ---- */

static ASYNC(changed, ARGS((int, raise), (int, becomes)), LOCALS(spy a;))
{
    ASYNC_BEGIN;
    WITH (self->a, spy_on(&self->a, "a")) {
        self->a.becomes = self->becomes;
        if (self->raise)
            AWAIT(fails(self->raise));
        put("b");
    }
    put("e");
    ASYNC_RETURN(3);
    ASYNC_END;
}

TEST(scopes, exit_changes_the_error)
{
    check(changed(0, 1), 0, 3, "(b)ae");
    check(changed(-5, 1), -5, 0, "()a");
    check(changed(-5, 0), 0, 3, "()ae");                                         /* swallowed */
    check(changed(-5, -6), -6, 0, "()a");                                        /* another one */
    check(changed(THRUM_ECANCELED, THRUM_ETIMEDOUT), THRUM_ETIMEDOUT, 0, "()a"); /* what a deadline does */
    check(changed(0, -6), -6, 0, "(b)a");
}

static thrum_step bare_start(thrum_task *task, thrum_record *record)
{
    (void)record;
    return thrum_done(task, 0, 0);
}

static const thrum_operations bare_operations = {bare_start, NULL, NULL, NULL, "bare", NULL};

static ASYNC(without_exit, ARGS((int, how)), LOCALS(struct { thrum_scope scope; } none; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++)
        WITH (self->none, thrum_awaitable_make(&bare_operations, NULL, 0, 0)) {
            AWAIT(thrum_yield());
            if (self->how == 1)
                ASYNC_RETURN(5);
            if (self->how == 2)
                ASYNC_RAISE(-5);
            put("b");
        }
    put("e");
    ASYNC_END;
}

TEST(scopes, nothing_to_do_at_the_exit)
{
    check(without_exit(0), 0, 0, "bbe");
    check(without_exit(1), 0, 5, "");
    check(without_exit(2), -5, 0, "");
}

/* ---- values in flight ---- */

static ASYNC(returns_through, ARGS_NONE, LOCALS(spy a, b; int v;))
{
    ASYNC_BEGIN;
    WITH (self->a, spy_on(&self->a, "a")) {
        WITH (self->b, spy_on(&self->b, "b"))
            ASYNC_RETURN(41);
    }
FINALLY:
    for (self->v = 0; self->v < 3; self->v++)
        AWAIT(thrum_sleep(1));
    ASYNC_END;
}

TEST(scopes, value_survives_awaits_of_exits_and_finally)
{
    check(returns_through(), 0, 41, "(()b)a");
}

/* FINALLY may have blocks of its own. */
static ASYNC(blocks_in_finally, ARGS((int, how)), LOCALS(spy a; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    if (self->how == 1)
        ASYNC_RETURN(5);
    if (self->how == 2)
        ASYNC_RAISE(-5);
FINALLY:
    WITH (self->a, spy_on(&self->a, "a")) {
        AWAIT(thrum_yield());
        put("f");
    }
    TRY (self->attempt) {
        AWAIT(fails(-7));
    }
    CATCH (self->error, self->attempt) {
        CHECK_EQ(self->error, -7);
        put("c");
    }
    put("g");
    ASYNC_END;
}

TEST(scopes, blocks_in_finally)
{
    check(blocks_in_finally(0), 0, 0, "(f)acg");
    check(blocks_in_finally(1), 0, 5, "(f)acg");
    check(blocks_in_finally(2), -5, 0, "(f)acg");
}

/* The same scope twice, one after the other, and by recursion in frames of their own. */
static ASYNC(again, ARGS((int, depth)), LOCALS(spy a;))
{
    ASYNC_BEGIN;
    WITH (self->a, spy_on(&self->a, "a")) {
        put("1");
    }
    WITH (self->a, spy_on(&self->a, "b")) {
        if (self->depth)
            AWAIT(again(self->depth - 1));
        else
            ASYNC_RAISE(-3);
    }
    ASYNC_END;
}

TEST(scopes, used_again_and_by_recursion)
{
    check(again(2), -3, 0, "(1)a((1)a((1)a()b)b)b");
}

/* ---- details ---- */

static ASYNC(context, ARGS((int, raise), (int, in_exit)), LOCALS(spy a; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->a, spy_on(&self->a, "a")) {
            self->a.becomes = self->in_exit;
            if (self->raise)
                AWAIT(fails(self->raise));
        }
    }
    CATCH (self->error, self->attempt) {
        const thrum_error *error = thrum_error_last();
        CHECK_NOT_NULL(error);
        CHECK_EQ(error->code, self->error);
        ASYNC_RETURN(error->context);
    }
    ASYNC_RETURN(1);
    ASYNC_END;
}

static ASYNC(exit_fails, ARGS((thrum_scope *, scope)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RAISE(-20);
    ASYNC_END;
}

static thrum_awaitable failing_exit(thrum_scope *scope)
{
    return exit_fails(scope);
}

static ASYNC(exit_replaces, ARGS_NONE, LOCALS(spy a; int error;))
{
    ASYNC_BEGIN;
    WITH (self->a, spy_on(&self->a, "a")) {
        self->a.scope.exit = failing_exit;
        AWAIT(fails(-10));
    }
    ASYNC_END;
}

static ASYNC(reads_context, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, exit_replaces());
    CHECK_EQ(self->error, -20);
    CHECK_EQ(thrum_error_last()->code, -20);
    ASYNC_RETURN(thrum_error_last()->context);
    ASYNC_END;
}

TEST(scopes, replaced_error_is_the_context)
{
#if THRUM_DETAILS
    thrum_value value = 0;
    trace[0] = '\0';
    CHECK_EQ(sim_run(reads_context(), &value), 0);
    CHECK_EQ(value, -10);
    CHECK_EQ(sim_run(context(-10, 1), &value), 0);
    CHECK_EQ(value, 0);
    CHECK_EQ(sim_run(context(0, 1), &value), 0);
    CHECK_EQ(value, 1);
#else
    SKIP("errors carry no detail here");
#endif
}
