/* Iterations driven by hand, operations as iterables, and generators that nobody closed. Behaviours of asend(),
 * athrow() and aclose() are those of Python's test_asyncgen.py; 164 is checked in tests/loop/runners.c, too. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <stdlib.h>

#include <sim.h>

static char seen[256];
static size_t seen_length;

static void see(char what)
{
    CHECK_LT(seen_length + 1, sizeof seen);
    seen[seen_length++] = what;
    seen[seen_length] = '\0';
}

static void start_over(void)
{
    seen_length = 0;
    seen[0] = '\0';
}

static ASYNC_GEN(echoes, ARGS((int, n)), LOCALS(int i; thrum_value got; thrum_try attempt; int error;),
                 ON_DROP(see('x');))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->n; self->i++) {
        TRY (self->attempt) {
            YIELD_INTO(self->got, self->i);
            see((char)('a' + self->got));
        }
        CATCH (self->error, self->attempt) {
            see('!');
            if (self->error == THRUM_EAPP(9))
                ASYNC_RAISE(self->error);
        }
    }
FINALLY:
    AWAIT(thrum_yield());
    see('f');
    ASYNC_END;
}

/* ---- by hand ---- */

enum { CLOSE = 1000, NEXT, REST };

typedef struct call {
    int what; /* CLOSE, NEXT, or an error to throw, or a value to send */
    int error, value;
} call;

static ASYNC(plays, ARGS((thrum_iterable, what), (const call *, calls)),
             LOCALS(thrum_iteration each; int error; thrum_value value;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_iteration_open(&self->each, self->what), 0);
    for (; self->calls->what; self->calls++) {
        self->value = 0;
        if (self->calls->what == CLOSE)
            AWAIT_CATCH(self->error, thrum_iteration_close(&self->each));
        else if (self->calls->what == NEXT)
            AWAIT_CATCH_INTO(self->error, self->value, thrum_iteration_next(&self->each));
        else if (self->calls->what < 0)
            AWAIT_CATCH_INTO(self->error, self->value, thrum_iteration_throw(&self->each, self->calls->what));
        else
            AWAIT_CATCH_INTO(self->error, self->value, thrum_iteration_send(&self->each, self->calls->what));
        CHECK_EQ(self->error, self->calls->error);
        CHECK_EQ(self->value, self->calls->value);
    }
    ASYNC_END;
}

static void play(thrum_iterable what, const call *calls, const char *expected)
{
    start_over();
    sim_open();
    CHECK_EQ(sim_run(plays(what, calls), NULL), 0);
    CHECK_EQ(sim.reports, 0);
    sim_close();
    CHECK_STR(seen, expected);
}

TEST(iterables, next)
{
    const call calls[] = {
        {NEXT, 0, 0}, {NEXT, 0, 1}, {NEXT, THRUM_ESTOP, 0}, {NEXT, THRUM_ESTOP, 0}, {CLOSE, 0, 0}, {0, 0, 0},
    };
    play(echoes(2), calls, "aaf");
}

/* test_async_gen_asyncio_asend_01 and its like. */
TEST(iterables, send)
{
    const call calls[] = {
        {5, THRUM_EINVAL, 0}, {NEXT, 0, 0},        {3, 0, 1}, {NEXT, 0, 2},
        {2, THRUM_ESTOP, 0},  {7, THRUM_ESTOP, 0}, {0, 0, 0},
    };
    play(echoes(3), calls, "dacf");
}

/* test_async_gen_asyncio_athrow_01 and its like. */
TEST(iterables, throw)
{
    const call calls[] = {
        {NEXT, 0, 0},           {THRUM_EAPP(1), 0, 1},
        {NEXT, 0, 2},           {THRUM_EAPP(9), THRUM_EAPP(9), 0},
        {NEXT, THRUM_ESTOP, 0}, {THRUM_EAPP(1), THRUM_EAPP(1), 0},
        {CLOSE, 0, 0},          {0, 0, 0},
    };
    play(echoes(5), calls, "!a!f");
}

TEST(iterables, throw_before_it_begins)
{
    const call calls[] = {{THRUM_EAPP(1), THRUM_EAPP(1), 0}, {NEXT, THRUM_ESTOP, 0}, {0, 0, 0}};
    play(echoes(5), calls, "x");
}

/* test_async_gen_asyncio_aclose_06 and its like. */
TEST(iterables, close)
{
    const call calls[] = {{NEXT, 0, 0}, {CLOSE, 0, 0}, {CLOSE, 0, 0}, {NEXT, THRUM_ESTOP, 0}, {0, 0, 0}};
    play(echoes(5), calls, "f");
}

TEST(iterables, close_before_it_begins)
{
    const call calls[] = {{CLOSE, 0, 0}, {NEXT, THRUM_ESTOP, 0}, {0, 0, 0}};
    play(echoes(5), calls, "x");
}

static ASYNC(misuses, ARGS_NONE, LOCALS(thrum_iteration each; int error; thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_iteration_next(&self->each));
    CHECK_EQ(self->error, THRUM_ESTATE);
    AWAIT(thrum_iteration_close(&self->each));
    CHECK_EQ(thrum_iteration_open(&self->each, echoes(3)), 0);
    CHECK_EQ(thrum_iteration_open(&self->each, echoes(3)), THRUM_ESTATE);
    CHECK_STR(seen, "x");
    AWAIT_CATCH(self->error, thrum_iteration_throw(&self->each, 0));
    CHECK_EQ(self->error, THRUM_EINVAL);
    AWAIT_INTO(self->value, thrum_iteration_next(&self->each));
    AWAIT(thrum_iteration_close(&self->each));
    CHECK_EQ(thrum_iteration_open(&self->each, echoes(1)), 0);
    AWAIT_INTO(self->value, thrum_iteration_next(&self->each));
    AWAIT(thrum_iteration_close(&self->each));
    ASYNC_END;
}

TEST(iterables, misused)
{
    start_over();
    CHECK_EQ(sim_run(misuses(), NULL), 0);
}

/* What an ASYNC_FOR over the rest leaves is still there. */
static ASYNC(in_parts, ARGS_NONE, LOCALS(thrum_iteration each, rest; int item;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_iteration_open(&self->each, echoes(6)), 0);
    AWAIT_INTO(self->item, thrum_iteration_next(&self->each));
    ASYNC_FOR (self->item, self->rest, thrum_iteration_rest(&self->each))
        if (self->item == 2)
            break;
    AWAIT_INTO(self->item, thrum_iteration_next(&self->each));
    CHECK_EQ(self->item, 3);
    ASYNC_FOR (self->item, self->rest, thrum_iteration_rest(&self->each))
        continue;
    CHECK_EQ(self->item, 5);
    AWAIT(thrum_iteration_close(&self->each));
    ASYNC_END;
}

TEST(iterables, rest)
{
    start_over();
    CHECK_EQ(sim_run(in_parts(), NULL), 0);
    CHECK_STR(seen, "aaaaaaf");
}

/* ---- several tasks ---- */

static thrum_iteration shared;

static ASYNC_GEN(naps, ARGS((int, n)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->n; self->i++) {
        AWAIT(thrum_sleep(SECONDS(1)));
        YIELD(self->i);
    }
FINALLY:
    AWAIT(thrum_yield());
    see('f');
    ASYNC_END;
}

static ASYNC(asks, ARGS_NONE, LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, thrum_iteration_next(&shared));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

/* test_asyncgen's test_async_gen_asyncio_anext_06 and its like: "asynchronous generator is already running". */
TEST(iterables, one_at_a_time)
{
    thrum_value value = -1;
    start_over();
    sim_open();
    CHECK_EQ(thrum_iteration_open(&shared, naps(3)), 0);
    thrum_task *first = thrum_spawn(asks());
    sim_settle();
    CHECK_EQ(sim_run(asks(), NULL), THRUM_EBUSY);
    CHECK_EQ(sim_run(thrum_iteration_close(&shared), NULL), THRUM_EBUSY);
    CHECK_EQ(sim_until(first), 0);
    CHECK_EQ(thrum_task_result(first, &value), 0);
    CHECK_EQ(value, 0);
    CHECK_EQ(sim_run(asks(), &value), 0); /* another task goes on */
    CHECK_EQ(value, 1);
    CHECK_EQ(sim_run(thrum_iteration_next(&shared), &value), 0);
    CHECK_EQ(value, 2);
    CHECK_EQ(sim_run(thrum_iteration_close(&shared), NULL), 0);
    thrum_task_release(first);
    sim_close();
    CHECK_STR(seen, "f");
}

/* A cancelled or timed out `next` ends the generator, in whose await it arrives. */
TEST(iterables, next_is_cancelled)
{
    start_over();
    sim_open();
    CHECK_EQ(thrum_iteration_open(&shared, naps(3)), 0);
    CHECK_EQ(sim_run(thrum_timeout(MILLISECONDS(1500), thrum_iteration_next(&shared)), NULL), 0);
    CHECK_EQ(sim_run(thrum_timeout(MILLISECONDS(500), thrum_iteration_next(&shared)), NULL), THRUM_ETIMEDOUT);
    CHECK_STR(seen, "f");
    CHECK_EQ(sim_run(thrum_iteration_next(&shared), NULL), THRUM_ESTOP);
    sim_close();
}

/* ---- blocks that belong to a task ---- */

static ASYNC_GEN(limited, ARGS((int, n)), LOCALS(thrum_deadline limit; int i;))
{
    ASYNC_BEGIN;
    WITH (self->limit, thrum_deadline_after(&self->limit, SECONDS(10))) {
        for (self->i = 0; self->i < self->n; self->i++)
            YIELD(self->i);
    }
FINALLY:
    see('f');
    ASYNC_END;
}

static ASYNC_GEN(passes_on, ARGS((thrum_iterable, what)), LOCALS(thrum_iteration each; int item;),
                 ON_DROP(thrum_iterable_drop(self->what);))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, self->what)
        YIELD(self->item);
FINALLY:
    see('p');
    ASYNC_END;
}

static ASYNC(slowly, ARGS((thrum_iterable, what), (thrum_time, pause)), LOCALS(thrum_iteration each; int item; int n;),
             ON_DROP(thrum_iterable_drop(self->what);))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, self->what) {
        AWAIT(thrum_sleep(self->pause));
        self->n++;
    }
FINALLY:
    see('e');
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

/* In a loop the time of its body counts; what expires there becomes the generator's error. */
TEST(iterables, deadline_around_a_yield)
{
    thrum_value value = 0;
    start_over();
    sim_open();
    CHECK_EQ(sim_run(slowly(limited(4), SECONDS(2)), &value), 0);
    CHECK_EQ(value, 4);
    CHECK_EQ(sim_run(slowly(passes_on(limited(4)), SECONDS(2)), &value), 0);
    CHECK_EQ(value, 4);
    sim_close();
    CHECK_STR(seen, "fefpe");
}

static ASYNC(expects, ARGS((thrum_iterable, what)),
             LOCALS(thrum_iteration each; thrum_try attempt; int item; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        ASYNC_FOR (self->item, self->each, self->what)
            AWAIT(thrum_sleep(SECONDS(6)));
    }
    CATCH (self->error, self->attempt) {
        see('c');
    }
    CHECK_EQ(thrum_task_cancelling(thrum_current_task()), 0);
    ASYNC_RETURN(self->error);
    ASYNC_END;
}

TEST(iterables, deadline_around_a_yield_expires)
{
    thrum_value value = 0;
    start_over();
    CHECK_EQ(sim_run(expects(limited(4)), &value), 0);
    CHECK_EQ(value, THRUM_ETIMEDOUT);
    CHECK_EQ(sim_run(expects(passes_on(limited(4))), &value), 0);
    CHECK_EQ(value, THRUM_ETIMEDOUT);
    CHECK_STR(seen, "fcfpc");
}

static ASYNC_GEN(moves_on, ARGS((int, n), (bool, more)), LOCALS(thrum_cancel_scope scope; int i;))
{
    ASYNC_BEGIN;
    WITH (self->scope, thrum_move_on_after(&self->scope, SECONDS(10))) {
        for (self->i = 0; self->i < self->n; self->i++)
            YIELD(self->i);
    }
    see(thrum_cancel_scope_caught(&self->scope) ? 'm' : 'n');
    if (self->more)
        YIELD(100);
FINALLY:
    see('f');
    ASYNC_END;
}

/* The same with a scope that swallows what it did: the loop's body is left, and the loop is over, without an error. */
TEST(iterables, move_on_around_a_yield_expires)
{
    thrum_value value = 1;
    start_over();
    CHECK_EQ(sim_run(expects(moves_on(1, true)), &value), 0); /* it is not up while the block is open */
    CHECK_EQ(value, 0);
    CHECK_STR(seen, "nf");
    start_over();
    CHECK_EQ(sim_run(expects(moves_on(4, false)), &value), 0);
    CHECK_EQ(value, 0);
    CHECK_STR(seen, "f");
    start_over();
    CHECK_EQ(sim_run(expects(passes_on(moves_on(4, false))), &value), 0);
    CHECK_EQ(value, 0);
    CHECK_STR(seen, "fp");
}

static ASYNC(outlives, ARGS((thrum_iterable, what), (bool, ask)),
             LOCALS(thrum_iteration each; thrum_try attempt; int item; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        ASYNC_FOR (self->item, self->each, self->what) {
            AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(11)));
            if (self->ask)
                thrum_task_cancel(thrum_current_task());
            ASYNC_RAISE(self->ask ? self->error : THRUM_EAPP(1));
        }
    }
    CATCH_ALL (self->error, self->attempt) {
        see(self->error == THRUM_ECANCELED ? 'C' : 'c');
    }
    CHECK_EQ(thrum_task_cancelling(thrum_current_task()), self->ask ? 1u : 0u);
    ASYNC_RETURN(self->error);
    ASYNC_END;
}

/* Only its own cancellation goes: neither another error that the body made of it, nor a cancellation by others. */
TEST(iterables, move_on_around_a_yield_swallows_no_more)
{
    thrum_value value = 1;
    start_over();
    CHECK_EQ(sim_run(outlives(moves_on(4, false), false), &value), 0);
    CHECK_EQ(value, THRUM_EAPP(1));
    CHECK_STR(seen, "fc");
    start_over();
    CHECK_EQ(sim_run(outlives(moves_on(4, false), true), NULL), THRUM_ECANCELED);
    CHECK_STR(seen, "fC");
}

/* By hand no such YIELD is possible: the task may end, and the deadline would not know. */
TEST(iterables, deadline_by_hand)
{
    start_over();
    sim_open();
    CHECK_EQ(thrum_iteration_open(&shared, limited(4)), 0);
    CHECK_EQ(sim_run(thrum_iteration_next(&shared), NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_iteration_open(&shared, passes_on(limited(4))), 0);
    CHECK_EQ(sim_run(thrum_iteration_next(&shared), NULL), THRUM_ESTATE);
    sim_close();
    CHECK_STR(seen, "ffp");
}

static ASYNC(child, ARGS((int, n)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1)));
    if (self->n == 2)
        ASYNC_RAISE(THRUM_EAPP(2));
    AWAIT(thrum_sleep(SECONDS(100)));
FINALLY:
    see('k');
    ASYNC_END;
}

static ASYNC_GEN(grouped, ARGS((int, n)), LOCALS(thrum_group group; int i;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        CHECK_EQ(thrum_group_spawn_detached(&self->group, child(self->n)), 0);
        for (self->i = 0; self->i < 4; self->i++)
            YIELD(self->i);
    }
FINALLY:
    see('f');
    ASYNC_END;
}

static ASYNC(breaks, ARGS((thrum_iterable, what)), LOCALS(thrum_iteration each; int item;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, self->what) {
        AWAIT(thrum_yield());
        break;
    }
    see('b');
    ASYNC_END;
}

TEST(iterables, group_around_a_yield)
{
    thrum_value value = 0;
    start_over();
    sim_open();
    CHECK_EQ(sim_run(breaks(grouped(1)), NULL), 0); /* left: the child is cancelled and joined */
    CHECK_STR(seen, "kfb");
    CHECK_EQ(sim_run(expects(grouped(2)), &value), 0); /* the child fails while the body waits */
    CHECK_EQ(value, THRUM_EGROUP);
    CHECK_STR(seen, "kfbkfc");
    sim_close();
}

/* A scope around the loop that goes on cancelling does so in the generator's blocks, too, wherever they were when it
 * was cancelled. */
static ASYNC_GEN(held, ARGS((thrum_lock *, lock)), LOCALS(thrum_lock_hold hold; int error;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_lock_hold_enter(&self->hold, self->lock)) {
        YIELD(1);
        AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(1)));
        see(self->error == THRUM_ECANCELED ? '1' : '-');
        AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(1)));
        see(self->error == THRUM_ECANCELED ? '2' : '-');
        YIELD(2);
        AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(1)));
        see(self->error == THRUM_ECANCELED ? '3' : '-');
    }
    ASYNC_END;
}

static ASYNC(levels, ARGS((thrum_lock *, lock)),
             LOCALS(thrum_iteration each; thrum_cancel_scope scope; thrum_value item; int error;))
{
    ASYNC_BEGIN;
    CHECK_EQ(thrum_iteration_open(&self->each, held(self->lock)), 0);
    AWAIT_INTO(self->item, thrum_iteration_next(&self->each));
    WITH (self->scope, thrum_cancel_scope_open(&self->scope, THRUM_NEVER, 0, THRUM_CANCEL_LEVEL)) {
        thrum_cancel_scope_cancel(&self->scope);
        AWAIT_CATCH_ALL_INTO(self->error, self->item, thrum_iteration_next(&self->each));
        CHECK_EQ(self->item, 2);
    }
    AWAIT_CATCH(self->error, thrum_iteration_next(&self->each)); /* outside of it no more */
    CHECK_EQ(self->error, THRUM_ESTOP);
    ASYNC_END;
}

TEST(iterables, levels_reach_into_generators)
{
    thrum_lock lock;
    thrum_lock_init(&lock);
    start_over();
    CHECK_EQ(sim_run(levels(&lock), NULL), 0);
    CHECK_STR(seen, "12-");
}

/* ---- operations as iterables ---- */

static int dropped;

static thrum_step count_start(thrum_task *task, thrum_record *record)
{
    int *left = (int *)record->object;
    return *left ? thrum_done(task, 0, record->a + (*left)--)
                 : thrum_done(task, record->b ? (int)record->b : THRUM_ESTOP, 0);
}

static void count_drop(thrum_record *record)
{
    CHECK_EQ(record->a, 10);
    dropped++;
}

static const thrum_operations count_operations = {count_start, NULL, NULL, count_drop, "count", NULL};

static ASYNC(counts, ARGS((int, n), (int, error)), LOCALS(thrum_iteration each; int left; int item; thrum_value sum;))
{
    ASYNC_BEGIN;
    self->left = self->n;
    ASYNC_FOR (self->item, self->each, thrum_iterable_make(&count_operations, &self->left, 10, self->error)) {
        CHECK_EQ(dropped, 0);
        self->sum += self->item;
    }
    CHECK_EQ(dropped, 1);
    ASYNC_RETURN(self->sum);
FINALLY:
    see('f');
    ASYNC_END;
}

TEST(iterables, operations)
{
    enum { MANY = THRUM_VALUE_BITS == 64 ? 100000 : 20000 };
    thrum_value value = 0;
    start_over();
    dropped = 0;
    CHECK_EQ(sim_run(counts(4, 0), &value), 0);
    CHECK_EQ(value, 50);
    dropped = 0;
    CHECK_EQ(sim_run(counts(4, THRUM_EAPP(1)), &value), THRUM_EAPP(1));
    CHECK_EQ(dropped, 1);
    dropped = 0;
    CHECK_EQ(sim_run(counts(MANY, 0), &value), 0); /* through the tail of many passes */
    CHECK_EQ(value, (thrum_value)MANY * 10 + (thrum_value)MANY * (MANY + 1) / 2);
}

TEST(iterables, operations_by_hand)
{
    int left = 1;
    start_over();
    sim_open();
    dropped = 0;
    CHECK_EQ(thrum_iteration_open(&shared, thrum_iterable_make(&count_operations, &left, 10, 0)), 0);
    CHECK_EQ(sim_run(thrum_iteration_send(&shared, 1), NULL), THRUM_EUNSUPPORTED);
    CHECK_EQ(sim_run(thrum_iteration_next(&shared), NULL), 0);
    CHECK_EQ(sim_run(thrum_iteration_next(&shared), NULL), THRUM_ESTOP);
    CHECK_EQ(sim_run(thrum_iteration_close(&shared), NULL), 0);
    CHECK_EQ(dropped, 1);
    thrum_iterable_drop(thrum_iterable_make(&count_operations, &left, 10, 0));
    CHECK_EQ(dropped, 2);
    sim_close();
}

/* ---- what nobody closed ---- */

static thrum_iteration left[4];

static ASYNC_GEN(tidies, ARGS((int, how)), LOCALS_NONE, ON_DROP(see('x');))
{
    ASYNC_BEGIN;
    YIELD(1);
FINALLY:
    AWAIT(thrum_sleep(SECONDS(1)));
    see((char)('0' + self->how));
    if (self->how == 2)
        ASYNC_RAISE(THRUM_EAPP(2));
    ASYNC_END;
}

/* Point 164; test_async_gen_asyncio_shutdown_01 and _exception_01. */
TEST(iterables, shutdown)
{
    start_over();
    sim_open();
    for (int i = 0; i < 4; i++)
        CHECK_EQ(thrum_iteration_open(&left[i], tidies(i)), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(sim_run(thrum_iteration_next(&left[i]), NULL), 0);
    thrum_time before = thrum_now();
    CHECK_EQ(sim_run(thrum_shutdown_generators(), NULL), 0);
    CHECK_EQ(thrum_now() - before, SECONDS(1)); /* all at once */
    CHECK_EQ(seen_length, 4);
    CHECK_NOT_NULL(strchr(seen, 'x'));
    CHECK_NOT_NULL(strchr(seen, '0'));
    CHECK_NOT_NULL(strchr(seen, '2'));
    CHECK_EQ(sim.reports, 1);
    CHECK_STR(sim.notes[0].message, "a generator failed while it was closed");
    CHECK_EQ(sim.notes[0].error, THRUM_EAPP(2));
    CHECK_STR(sim.notes[0].function, "tidies");
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(sim_run(thrum_iteration_next(&left[i]), NULL), THRUM_ESTOP);
        CHECK_EQ(sim_run(thrum_iteration_close(&left[i]), NULL), 0);
    }
    sim_close();
}

/* Cancelled while it waits: so are those that clean up. What did not come to begin goes with the loop. */
TEST(iterables, shutdown_is_cancelled)
{
    start_over();
    sim_open();
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(thrum_iteration_open(&left[i], tidies(i)), 0);
        CHECK_EQ(sim_run(thrum_iteration_next(&left[i]), NULL), 0);
    }
    thrum_task *task = thrum_spawn(thrum_shutdown_generators());
    sim_settle();
    thrum_task_cancel(task);
    CHECK_EQ(sim_until(task), 0);
    CHECK(thrum_task_cancelled(task));
    CHECK_STR(seen, "");
    thrum_task_release(task);
    CHECK_EQ(sim.reports, 0);
    sim_close();
}

static int memory_left;

static void *take_memory(void *context, size_t size)
{
    (void)context;
    return memory_left-- > 0 ? malloc(size) : NULL;
}

static void give_memory(void *context, void *memory, size_t size)
{
    (void)context, (void)size;
    free(memory);
}

/* The n-th allocation fails: they are closed all the same, one after the other. */
TEST(iterables, shutdown_without_memory)
{
    const thrum_allocator allocator = {take_memory, give_memory, NULL, true};
    CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
    for (int n = 3; n < 12; n++) {
        memory_left = 1000;
        start_over();
        sim_open();
        for (int i = 0; i < 2; i++) {
            CHECK_EQ(thrum_iteration_open(&left[i], tidies(i)), 0);
            CHECK_EQ(sim_run(thrum_iteration_next(&left[i]), NULL), 0);
        }
        memory_left = n;
        CHECK_EQ(sim_run(thrum_shutdown_generators(), NULL), 0);
        CHECK_EQ(seen_length, 2);
        sim_close();
        CHECK_EQ(sim.reports, 0);
    }
}

static ASYNC(in_a_loop, ARGS_NONE, LOCALS(thrum_iteration each; int item; int n;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->each, naps(3)) {
        self->n++;
        AWAIT(thrum_sleep(SECONDS(self->n == 1 ? 5 : 0)));
    }
    ASYNC_RETURN(self->n);
    ASYNC_END;
}

/* One that a loop stands over has no more items then; one that runs goes on. */
TEST(iterables, shutdown_beside_loops)
{
    thrum_value value = 0;
    start_over();
    sim_open();
    thrum_task *stands = thrum_spawn(in_a_loop());
    CHECK_EQ(sim_run(thrum_sleep(SECONDS(2)), NULL), 0);
    thrum_task *runs = thrum_spawn(in_a_loop());
    CHECK_EQ(sim_run(thrum_sleep(MILLISECONDS(500)), NULL), 0);
    CHECK_EQ(sim_run(thrum_shutdown_generators(), NULL), 0);
    CHECK_STR(seen, "f");
    CHECK_EQ(sim_until(stands), 0);
    CHECK_EQ(thrum_task_result(stands, &value), 0);
    CHECK_EQ(value, 1);
    CHECK_EQ(sim_until(runs), 0);
    CHECK_EQ(thrum_task_result(runs, &value), 0);
    CHECK_EQ(value, 3);
    thrum_task_release(stands);
    thrum_task_release(runs);
    sim_close();
    CHECK_STR(seen, "ff");
}

/* The loop closes over what nobody closed: its frames go, nothing of it runs, and the next loop knows. */
TEST(iterables, loop_closes)
{
    start_over();
    sim_open();
    CHECK_EQ(thrum_iteration_open(&left[0], tidies(0)), 0);
    CHECK_EQ(thrum_iteration_open(&left[1], tidies(1)), 0);
    CHECK_EQ(thrum_iteration_open(&left[2], naps(1)), 0);
    CHECK_EQ(sim_run(thrum_iteration_next(&left[0]), NULL), 0);
    CHECK_EQ(thrum_spawn_detached(in_a_loop()), 0);
    CHECK_EQ(thrum_spawn_detached(thrum_iteration_next(&left[2])), 0);
    CHECK_EQ(sim_run(thrum_sleep(MILLISECONDS(500)), NULL), 0); /* both run */
    CHECK_EQ(sim_run(thrum_sleep(SECONDS(2)), NULL), 0);        /* both stand */
    CHECK_EQ(thrum_spawn_detached(in_a_loop()), 0);
    sim_settle(); /* this one runs */
    sim_close();
    CHECK_STR(seen, "x");
    CHECK_EQ(sim.reports, 4 + 2); /* generators and tasks */
    sim_open();
    for (int i = 0; i < 3; i++)
        CHECK_EQ(sim_run(thrum_iteration_next(&left[i]), NULL), THRUM_ESTOP);
    CHECK_EQ(thrum_iteration_open(&left[0], tidies(0)), 0);
    CHECK_EQ(sim_run(thrum_iteration_next(&left[0]), NULL), 0);
    CHECK_EQ(sim_run(thrum_iteration_close(&left[0]), NULL), 0);
    sim_close();
}

/* ---- traces ---- */

static ASYNC_GEN(traced, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    YIELD(1);
    AWAIT(thrum_yield());
    ASYNC_RAISE(THRUM_EAPP(5));
    ASYNC_END;
}

static ASYNC(looks, ARGS_NONE, LOCALS(thrum_iteration each; thrum_try attempt; int item; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        ASYNC_FOR (self->item, self->each, passes_on(traced()))
            continue;
    }
    CATCH (self->error, self->attempt) {
        const thrum_error *last = thrum_error_last();
        CHECK_EQ(self->error, THRUM_EAPP(5));
        CHECK_NOT_NULL(last);
        CHECK_EQ(last->depth, 5); /* each loop twice: its await, its exit */
        CHECK_STR(thrum_function_name(last->trace[0].function), "traced");
        CHECK_STR(thrum_function_name(last->trace[1].function), "passes_on");
        CHECK_STR(thrum_function_name(last->trace[last->depth - 1].function), "looks");
    }
    ASYNC_END;
}

TEST(iterables, traces_go_through)
{
    if (!THRUM_DETAILS)
        SKIP("errors are codes only");
    start_over();
    CHECK_EQ(sim_run(looks(), NULL), 0);
}
