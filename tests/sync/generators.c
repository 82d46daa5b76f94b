/* Asynchronous generators under ASYNC_FOR: what a loop over one does, and how it is left. The Python behaviours are
 * those of test_coroutines.py (PEP 492) and test_asyncgen.py (PEP 525). */
/* What is thrown at a YIELD is swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <stdlib.h>

#include <sim.h>

/* What happened, one character each. */
static char seen[4096];
static size_t seen_length;

static void see(char what)
{
    CHECK_LT(seen_length + 1, sizeof seen);
    seen[seen_length++] = what;
    seen[seen_length] = '\0';
}

static void see_digit(thrum_value value)
{
    see((char)('0' + value % 10));
}

static void start_over(void)
{
    seen_length = 0;
    seen[0] = '\0';
}

/* ---- plain ---- */

static ASYNC_GEN(numbers, ARGS((int, n)), LOCALS(int i;), ON_DROP(see('x');))
{
    ASYNC_BEGIN;
    see('(');
    for (self->i = 0; self->i < self->n; self->i++)
        YIELD(self->i);
    see('.');
FINALLY:
    see(')');
    ASYNC_END;
}

static ASYNC(sum, ARGS((int, n)), LOCALS(thrum_iteration each; int item; thrum_value total;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, numbers(self->n))
        self->total += self->item;
    see('!');
    ASYNC_RETURN(self->total);
    ASYNC_END;
}

TEST(generators, gives_its_items)
{
    thrum_value value = 0;
    start_over();
    CHECK_EQ(sim_run(sum(10), &value), 0);
    CHECK_EQ(value, 45);
    CHECK_STR(seen, "(.)!");
}

TEST(generators, may_have_none)
{
    thrum_value value = 1;
    start_over();
    CHECK_EQ(sim_run(sum(0), &value), 0);
    CHECK_EQ(value, 0);
    CHECK_STR(seen, "(.)!");
}

TEST(generators, an_item_costs_no_pass)
{
    start_over();
    sim_open();
    thrum_task *task = thrum_spawn(sum(20));
    sim_pass();
    CHECK(thrum_task_done(task));
    thrum_task_release(task);
    sim_close();
}

/* Its frame is the only memory, however many items come; and no stack grows. */
TEST(generators, a_million_items)
{
    enum { COUNT = THRUM_VALUE_BITS == 64 ? 1000000 : 30000 };
    thrum_value value = 0;
    start_over();
    sim_open();
    thrum_task *task = thrum_spawn(sum(COUNT));
    sim_pass();
    CHECK(!thrum_task_done(task)); /* its share of a pass is bounded */
    size_t blocks = sim_blocks();
    for (int i = 0; i < 100; i++)
        sim_pass();
    CHECK_EQ(sim_blocks(), blocks);
    CHECK_EQ(sim_until(task), 0);
    CHECK_EQ(thrum_task_result(task, &value), 0);
    CHECK_EQ(value, (thrum_value)COUNT * (COUNT - 1) / 2);
    thrum_task_release(task);
    sim_close();
}

/* ---- ways out ---- */

enum way { BREAK, CONTINUE, RETURN, RAISE };

static ASYNC_GEN(slow, ARGS((int, n)), LOCALS(int i;), ON_DROP(see('x');))
{
    ASYNC_BEGIN;
    see('(');
    for (self->i = 0; self->i < self->n; self->i++) {
        AWAIT(thrum_yield());
        YIELD(self->i);
    }
FINALLY:
    AWAIT(thrum_sleep(SECONDS(1)));
    see(')');
    ASYNC_END;
}

static ASYNC(leaves, ARGS((enum way, way)), LOCALS(thrum_iteration each; int item; int ignored;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, slow(4)) {
        see_digit(self->item);
        if (self->item != 1)
            continue;
        if (self->way == BREAK)
            break;
        if (self->way == RETURN)
            ASYNC_RETURN(7);
        if (self->way == RAISE)
            ASYNC_RAISE(THRUM_EAPP(3));
    }
    see('!');
FINALLY:
    see('f');
    ASYNC_END;
}

TEST(generators, every_way_out_closes)
{
    static const struct {
        enum way way;
        int error, value;
        const char *seen;
    } ways[] = {
        {BREAK, 0, 0, "(01)!f"},
        {CONTINUE, 0, 0, "(0123)!f"},
        {RETURN, 0, 7, "(01)f"},
        {RAISE, THRUM_EAPP(3), 0, "(01)f"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        thrum_value value = 0;
        start_over();
        CHECK_EQ(sim_run(leaves(ways[i].way), &value), ways[i].error);
        CHECK_EQ(value, ways[i].value);
        CHECK_STR(seen, ways[i].seen);
    }
}

/* Cancelled in every pass, in every way out: the generator's FINALLY always begins, and is waited for unless it is what
 * was cancelled. */
static size_t cancelled_at(enum way way, size_t at)
{
    start_over();
    sim_open();
    thrum_task *task = thrum_spawn(leaves(way));
    for (size_t i = 0; i < at && !thrum_task_done(task); i++)
        CHECK_EQ(sim_step_(true), 0);
    bool done = thrum_task_done(task);
    if (!done) {
        thrum_task_cancel(task);
        CHECK_EQ(sim_until(task), 0);
        CHECK(thrum_task_cancelled(task));
        CHECK_EQ(seen_length ? seen[seen_length - 1] : 'f', 'f');
    }
    thrum_task_result(task, NULL);
    thrum_task_release(task);
    CHECK_EQ(sim.reports, 0);
    sim_close();
    return !done;
}

TEST(generators, cancelled_anywhere)
{
    for (enum way way = BREAK; way <= RAISE; way++) {
        size_t at = 0;
        while (cancelled_at(way, at))
            at++;
        CHECK_GE(at, 4);
    }
}

/* The end of the items comes when the task has had its share of a pass. */
TEST(generators, any_number_of_items)
{
    for (int n = 100; n < 300; n++) {
        thrum_value value = 0;
        start_over();
        CHECK_EQ(sim_run(sum(n), &value), 0);
        CHECK_EQ(value, (thrum_value)n * (n - 1) / 2);
        CHECK_STR(seen, "(.)!");
    }
}

/* ---- errors ---- */

static ASYNC_GEN(fails, ARGS((int, at), (int, error), (int, last)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        if (self->i == self->at)
            ASYNC_RAISE(self->error);
        YIELD(self->i);
    }
FINALLY:
    see('f');
    if (self->last)
        ASYNC_RAISE(self->last);
    ASYNC_END;
}

static ASYNC(catches, ARGS((int, at), (int, error), (int, last), (int, own)),
             LOCALS(thrum_iteration each; thrum_try attempt; int item; int caught; int context;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        ASYNC_FOR (self->item, self->each, fails(self->at, self->error, self->last)) {
            see_digit(self->item);
            if (self->own && self->item == 1)
                ASYNC_RAISE(self->own);
        }
    }
    CATCH (self->caught, self->attempt) {
        const thrum_error *last = thrum_error_last();
        self->context = last && last->code == self->caught ? (int)last->context : 0;
        see('c');
    }
    if (self->context)
        see('x');
    ASYNC_RETURN(self->caught);
    ASYNC_END;
}

static void check_catches(int at, int error, int last, int own, int caught, const char *expected)
{
    thrum_value value = 0;
    start_over();
    CHECK_EQ(sim_run(catches(at, error, last, own), &value), 0);
    CHECK_EQ(value, caught);
    if (!THRUM_DETAILS && strchr(expected, 'x'))
        see('x'); /* an error's context is one of its details */
    CHECK_STR(seen, expected);
}

/* test_async_gen_exception_03 and its like: an error of the generator ends the loop, and the generator with it. */
TEST(generators, its_error_comes_out_of_the_loop)
{
    check_catches(0, THRUM_EAPP(1), 0, 0, THRUM_EAPP(1), "fc");
    check_catches(2, THRUM_EAPP(1), 0, 0, THRUM_EAPP(1), "01fc");
    check_catches(9, 0, THRUM_EAPP(2), 0, THRUM_EAPP(2), "012fc");
}

/* An error of its FINALLY replaces what is in flight: the generator's own, or that of the body that is left. */
TEST(generators, the_last_error_wins)
{
    check_catches(2, THRUM_EAPP(1), THRUM_EAPP(2), 0, THRUM_EAPP(2), "01fcx");
    check_catches(9, 0, 0, THRUM_EAPP(3), THRUM_EAPP(3), "01fc");
    check_catches(9, 0, THRUM_EAPP(2), THRUM_EAPP(3), THRUM_EAPP(2), "01fcx");
}

/* test_async_gen_exception_08 (PEP 479): it must not look like the end of the items. */
TEST(generators, its_stop_is_no_end)
{
    check_catches(1, THRUM_ESTOP, 0, 0, THRUM_ESTATE, "0fcx");
    /* Nor does one that the body raises itself. */
    check_catches(9, 0, 0, THRUM_ESTOP, THRUM_ESTOP, "01fc");
}

/* ---- the error that says that the generator is left ---- */

static ASYNC_GEN(holds, ARGS((thrum_lock *, lock)), LOCALS(thrum_lock_hold hold; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_lock_hold_enter(&self->hold, self->lock)) {
        TRY (self->attempt) {
            YIELD(1);
            YIELD(2);
        }
        CATCH (self->error, self->attempt) {
            see('c');
        }
        see('n');
    }
FINALLY:
    see(thrum_lock_locked(self->lock) ? 'L' : 'f');
    ASYNC_END;
}

static ASYNC(takes_one, ARGS((thrum_lock *, lock)), LOCALS(thrum_iteration each; thrum_lock_hold hold; int item;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, holds(self->lock)) {
        see(thrum_lock_locked(self->lock) ? 'l' : 'u');
        /* Blocks of the body and of the generator do not get into each other's way. */
        thrum_lock other;
        thrum_lock_init(&other);
        see_digit(self->item);
        if (self->item == 1)
            ASYNC_RETURN(5);
    }
    ASYNC_END;
}

TEST(generators, blocks_close_when_it_is_left)
{
    thrum_value value = 0;
    thrum_lock lock;
    thrum_lock_init(&lock);
    start_over();
    CHECK_EQ(sim_run(takes_one(&lock), &value), 0);
    CHECK_EQ(value, 5);
    CHECK_STR(seen, "l1f"); /* it passes the CATCH */
    CHECK(!thrum_lock_locked(&lock));
}

static ASYNC_GEN(stays, ARGS((bool, yields)), LOCALS(thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        YIELD(1);
    }
    CATCH_ALL (self->error, self->attempt) {
        see(self->error == THRUM_ELEFT ? 'e' : '?');
    }
    if (self->yields)
        YIELD(2);
    see('s');
FINALLY:
    see('f');
    ASYNC_END;
}

static ASYNC(leaves_one, ARGS((bool, yields)), LOCALS(thrum_iteration each; int item; int error; thrum_try attempt;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        ASYNC_FOR (self->item, self->each, stays(self->yields))
            break;
    }
    CATCH (self->error, self->attempt) {
        see('c');
    }
    ASYNC_RETURN(self->error);
    ASYNC_END;
}

TEST(generators, may_end_as_it_likes_when_left)
{
    thrum_value value = 1;
    start_over();
    CHECK_EQ(sim_run(leaves_one(false), &value), 0);
    CHECK_EQ(value, 0);
    CHECK_STR(seen, "esf");
}

/* test_async_gen_asyncio_aclose_07: "async generator ignored GeneratorExit". It never goes on; its frame is found when
 * the loop closes. */
TEST(generators, must_not_yield_when_left)
{
    thrum_value value = 0;
    start_over();
    sim_open();
    CHECK_EQ(sim_run(leaves_one(true), &value), 0);
    CHECK_EQ(value, THRUM_ESTATE);
    CHECK_STR(seen, "ec");
    CHECK_EQ(sim_blocks(), 1);
    sim_close();
    CHECK_EQ(sim.reports, 1);
    CHECK_STR(sim.notes[0].message, "a generator was destroyed but it is pending");
    CHECK_STR(sim.notes[0].function, "stays");
    CHECK_STR(seen, "ec");
}

/* ---- cancelled while it is left ---- */

static ASYNC_GEN(lingers, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    YIELD(1);
FINALLY:
    see('(');
    AWAIT(thrum_sleep(SECONDS(1)));
    see(')');
    ASYNC_END;
}

static ASYNC(breaks_off, ARGS_NONE, LOCALS(thrum_iteration each; int item;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, lingers())
        break;
    see('!');
    ASYNC_END;
}

/* The cancellation is not taken for the loop's own way out. */
TEST(generators, a_cancellation_in_its_finally_comes_through)
{
    start_over();
    sim_open();
    thrum_task *task = thrum_spawn(breaks_off());
    sim_settle();
    CHECK_STR(seen, "(");
    thrum_task_cancel(task);
    CHECK_EQ(sim_until(task), 0);
    CHECK(thrum_task_cancelled(task));
    CHECK_STR(seen, "(");
    thrum_task_release(task);
    sim_close();
}

/* ---- in one another ---- */

static ASYNC_GEN(tree, ARGS((int, depth)), LOCALS(thrum_iteration each; int item;))
{
    ASYNC_BEGIN;
    if (self->depth > 0) {
        ASYNC_FOR (self->item, self->each, tree(self->depth - 1))
            YIELD(self->item);
    }
    YIELD(self->depth);
    if (self->depth > 0) {
        ASYNC_FOR (self->item, self->each, tree(self->depth - 1))
            YIELD(self->item);
    }
FINALLY:
    see('f');
    ASYNC_END;
}

static ASYNC(walk, ARGS((int, depth), (int, until)), LOCALS(thrum_iteration each; int item; int count;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, tree(self->depth))
        if (++self->count == self->until)
            break;
    ASYNC_RETURN(self->count);
    ASYNC_END;
}

TEST(generators, recursive)
{
    thrum_value value = 0;
    start_over();
    CHECK_EQ(sim_run(walk(8, 0), &value), 0);
    CHECK_EQ(value, 511);
    CHECK_EQ(seen_length, 511);
    start_over();
    CHECK_EQ(sim_run(walk(8, 3), &value), 0); /* all that stand open close, from the outside in */
    CHECK_EQ(value, 3);
    CHECK_GE(seen_length, 9);
}

static ASYNC_GEN(deep, ARGS((int, depth)), LOCALS(thrum_iteration each; int item;))
{
    ASYNC_BEGIN;
    if (self->depth > 0) {
        ASYNC_FOR (self->item, self->each, deep(self->depth - 1))
            YIELD(self->item + 1);
    } else {
        YIELD(0);
    }
FINALLY:
    see('f');
    ASYNC_END;
}

static ASYNC(dives, ARGS((int, depth)), LOCALS(thrum_iteration each; int item; int sum;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, deep(self->depth))
        self->sum += self->item;
    ASYNC_RETURN(self->sum);
    ASYNC_END;
}

/* The C stack does not grow with the depth. */
TEST(generators, a_row_of_thousands)
{
    thrum_value value = 0;
    start_over();
    CHECK_EQ(sim_run(dives(3000), &value), 0);
    CHECK_EQ(value, 3000);
    CHECK_EQ(seen_length, 3001);
}

static ASYNC(pairs, ARGS_NONE, LOCALS(thrum_iteration outer, inner; int i, j;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->i, self->outer, numbers(4)) {
        if (self->i == 1)
            continue;
        ASYNC_FOR (self->j, self->inner, numbers(4)) {
            if (self->j == 0)
                continue;
            if (self->j == 3)
                break;
            see((char)('a' + self->i));
            see_digit(self->j);
        }
        if (self->i == 2)
            break;
    }
    ASYNC_END;
}

TEST(generators, loops_in_loops)
{
    start_over();
    CHECK_EQ(sim_run(pairs(), NULL), 0);
    CHECK_STR(seen, "((a1a2)(c1c2))");
}

/* ---- ON_DROP, memory ---- */

static ASYNC(drops, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_iterable_drop(numbers(3));
    ASYNC_END;
}

TEST(generators, dropped_unopened)
{
    start_over();
    CHECK_EQ(sim_run(drops(), NULL), 0);
    CHECK_STR(seen, "x");
}

static struct {
    int left;
    size_t asked;
} supply;

static void *take_memory(void *context, size_t size)
{
    (void)context;
    supply.asked++;
    return supply.left-- > 0 ? malloc(size) : NULL;
}

static void give_memory(void *context, void *memory, size_t size)
{
    (void)context, (void)size;
    free(memory);
}

/* The n-th allocation fails: the error comes out of the loop, and nothing is left. */
TEST(generators, no_memory)
{
    const thrum_allocator allocator = {take_memory, give_memory, NULL, true};
    bool failed = true;
    for (int n = 0; failed && n < 40; n++) {
        supply.left = 1000;
        CHECK_EQ(thrum_pool_clear(), 0);
        CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
        start_over();
        sim_open();
        supply.left = n;
        thrum_task *task = thrum_spawn(leaves(BREAK));
        int error = task ? sim_until(task) : THRUM_ENOMEM;
        if (task && !error)
            error = thrum_task_result(task, NULL);
        failed = supply.left < 0;
        if (failed)
            CHECK_EQ(error, THRUM_ENOMEM);
        else
            CHECK_EQ(error, 0);
        thrum_task_release(task);
        supply.left = 1000;
        sim_close();
    }
    CHECK(!failed);
}
