/* When memory is used up: the n-th allocation of a large scenario fails, for every n; the same from one array of
 * growing size. Each run ends, with THRUM_ENOMEM or in order, every FINALLY and ON_DROP has run, and nothing is left in
 * use. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <stdlib.h>

#include <sim.h>

/* ---- what everything in the scenario owns ---- */

static int owned, begun, final;

static ASYNC(leaf, ARGS((int, n)), LOCALS(char room[50];), ON_DROP(owned--;))
{
    ASYNC_BEGIN;
    begun++;
    AWAIT(thrum_sleep(self->n));
    ASYNC_RETURN(self->n);
FINALLY:
    final++;
    owned--;
    AWAIT(thrum_yield());
    ASYNC_END;
}

/* Owns something from its call on, whatever becomes of it. */
static thrum_awaitable owner(int n)
{
    owned++;
    return leaf(n);
}

static ASYNC(fails, ARGS((int, error)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RAISE(thrum_error_set(self->error, 5, "fail", 6, "on purpose"));
    ASYNC_END;
}

static ASYNC(cleans_up, ARGS((int, n)), LOCALS(int error;), ON_DROP(owned--;))
{
    ASYNC_BEGIN;
    begun++;
    AWAIT(thrum_sleep(self->n));
FINALLY:
    final++;
    owned--;
    AWAIT(owner(1)); /* an error of its own here: out of memory in the clean-up */
    ASYNC_END;
}

static thrum_awaitable cleaner(int n)
{
    owned++;
    return cleans_up(n);
}

static ASYNC(nested, ARGS((int, depth)), LOCALS(int below;))
{
    ASYNC_BEGIN;
    if (self->depth) {
        AWAIT_INTO(self->below, nested(self->depth - 1));
    } else {
        AWAIT(owner(2));
    }
    ASYNC_RETURN(self->below + 1);
    ASYNC_END;
}

static bool acceptable(int error)
{
    return error == 0 || error == THRUM_ENOMEM || error == THRUM_EGROUP;
}

static ASYNC(groups, ARGS((bool, fail)),
             LOCALS(thrum_group out, in; thrum_lock lock; thrum_lock_hold hold; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->out, thrum_group_open(&self->out)) {
            thrum_group_spawn(&self->out, owner(3));
            thrum_group_spawn_detached(&self->out, cleaner(3));
            thrum_group_spawn_eager(&self->out, owner(4));
            WITH (self->hold, thrum_lock_hold(&self->hold, &self->lock)) {
                WITH (self->in, thrum_group_open(&self->in)) {
                    thrum_group_spawn(&self->in, thrum_timeout(2, owner(9)));
                    thrum_group_spawn(&self->in, thrum_sleep(3));
                    if (self->fail)
                        thrum_group_spawn(&self->in, fails(THRUM_ENOMEM));
                    AWAIT(thrum_group_join(&self->in));
                }
            }
        }
    }
    CATCH (self->error, self->attempt) {
        CHECK(acceptable(self->error) || self->error == THRUM_ETIMEDOUT);
        AWAIT(thrum_yield());
    }
    CHECK(!thrum_lock_locked(&self->lock));
    CHECK_EQ(thrum_group_size(&self->out), 0);
    ASYNC_END;
}

static ASYNC(scenario, ARGS_NONE,
             LOCALS(thrum_task *task, *other; thrum_try attempt; thrum_deadline limit; thrum_event event; int error;
                    thrum_awaitable a, b, c;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, owner(1));
    AWAIT_CATCH(self->error, nested(4));
    AWAIT_CATCH(self->error, thrum_timeout(5, owner(3)));
    AWAIT_CATCH(self->error, thrum_timeout(3, thrum_timeout(4, owner(5))));
    AWAIT_CATCH(self->error, thrum_timeout(0, owner(5)));
    /* records beyond the first */
    self->a = thrum_sleep(1);
    self->b = thrum_sleep(2);
    self->c = thrum_event_wait(&self->event);
    AWAIT_CATCH(self->error, self->b);
    AWAIT_CATCH(self->error, self->a);
    thrum_drop(self->c);
    /* tasks */
    self->task = thrum_spawn(cleaner(10));
    self->other = thrum_spawn_eager(thrum_timeout(20, cleaner(30)));
    thrum_spawn_detached(owner(4));
    thrum_spawn_detached(thrum_sleep(1));
    if (self->task)
        thrum_task_set_name(self->task, "name");
    AWAIT(thrum_sleep(2));
    if (self->task) {
        thrum_task_cancel_with(self->task, "message");
        AWAIT_CATCH_ALL(self->error, self->task);
    }
    if (self->other)
        AWAIT_CATCH_ALL(self->error, self->other);
    thrum_task_release(self->task);
    self->task = NULL;
    thrum_task_release(self->other);
    self->other = NULL;
    AWAIT_CATCH(self->error, groups(false));
    AWAIT_CATCH(self->error, groups(true));
    TRY (self->attempt) {
        WITH (self->limit, thrum_deadline_after(&self->limit, 5)) {
            AWAIT(cleaner(50));
        }
    }
    CATCH (self->error, self->attempt) {
        AWAIT_CATCH(self->error, fails(-5));
    }
    AWAIT(owner(1));
FINALLY:
    final++;
    thrum_task_release(self->task);
    thrum_task_release(self->other);
    AWAIT(owner(1));
    ASYNC_END;
}

/* ---- an allocator that fails ---- */

static size_t allocations, fail_at, fail_from, live;

static void *failing(void *context, size_t size)
{
    (void)context;
    allocations++;
    if (allocations == fail_at || (fail_from && allocations >= fail_from))
        return NULL;
    live++;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    live--;
    free(memory);
}

static const thrum_allocator allocator = {failing, release, NULL, true};

/* One run in which the n-th allocation fails, or all from that on; gives its error. The loop has its own before. */
static int run(size_t nth, size_t from)
{
    thrum_pool_stats stats;
    owned = begun = final = 0;
    sim_open();
    CHECK_EQ(sim_run(thrum_sleep(0), NULL), 0); /* the pool has what it keeps */
    size_t before = live;
    allocations = 0;
    fail_at = nth;
    fail_from = from;
    int error = sim_run(scenario(), NULL);
    sim_finish();
    fail_at = fail_from = 0;
    CHECK(error == 0 || error == THRUM_ENOMEM);
    CHECK_EQ(owned, 0);
    CHECK_EQ(sim_blocks(), 0);
    CHECK_EQ(thrum_all_tasks(NULL, 0), 0);
    CHECK_EQ(live, before);
    sim_close();
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.used, 0);
    return error;
}

static void every(bool once)
{
    CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
    CHECK_EQ(run(0, 0), 0);
    CHECK_GT(begun, 10);
    CHECK_EQ(final, begun + 1);
    size_t all = allocations, failed = 0;
    CHECK_GT(all, 50);
    for (size_t n = 1; n <= all; n++)
        failed += run(once ? n : 0, once ? 0 : n) != 0;
    CHECK_GT(failed, 2);
    CHECK_LE(failed, all);
}

TEST_LIMIT(memory, nth_allocation_fails, 60)
{
    every(true);
}

TEST_LIMIT(memory, every_allocation_from_the_nth_on_fails, 60)
{
    every(false);
}

/* From one array, of growing size. */
TEST_LIMIT(memory, array_of_growing_size, 60)
{
    static union {
        long long align;
        char bytes[1 << 16];
    } memory;
    bool done = false;
    size_t failed = 0;
    size_t step = 512; /* until there is enough for a loop */
    for (size_t size = 64; size <= sizeof memory.bytes && !done; size += step) {
        thrum_pool_stats stats;
        CHECK_EQ(thrum_pool_use_memory(memory.bytes, size), 0);
        if (!sim_fits())
            continue;
        step = 96;
        owned = begun = final = 0;
        sim_open();
        int error = sim_run(scenario(), NULL);
        sim_finish();
        CHECK(error == 0 || error == THRUM_ENOMEM);
        CHECK_EQ(owned, 0);
        sim_abandon();
        thrum_pool_stats_get(&stats);
        CHECK_EQ(stats.used, 0);
        failed += error != 0;
        done = error == 0;
    }
    CHECK(done);
    CHECK_GT(failed, 0);
}

/* ---- the pool itself ---- */

TEST(memory, pool_can_be_fed_when_idle_only)
{
    static char memory[4096];
    thrum_awaitable what = owner(1);
    CHECK_EQ(thrum_pool_use_allocator(&allocator), THRUM_ESTATE);
    CHECK_EQ(thrum_pool_use_memory(memory, sizeof memory), THRUM_ESTATE);
    CHECK_EQ(thrum_pool_clear(), THRUM_ESTATE);
    thrum_drop(what);
    CHECK_EQ(thrum_pool_use_allocator(NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_pool_use_memory(NULL, 10), THRUM_EINVAL);
    CHECK_EQ(thrum_pool_use_memory(memory, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_pool_clear(), 0);
    CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
    CHECK_EQ(sim_run(owner(1), NULL), 0);
    CHECK_EQ(thrum_pool_clear(), 0);
    CHECK_EQ(live, 0);
}

TEST(memory, peak_and_use)
{
    thrum_pool_stats stats, later;
    sim_open();
    thrum_task *tasks[100];
    for (int i = 0; i < 100; i++)
        tasks[i] = thrum_spawn(owner(i));
    thrum_pool_stats_get(&stats);
    CHECK_EQ(sim_blocks(), 200);
    CHECK_GE(stats.peak, stats.used);
    CHECK_GE(stats.reserved, stats.peak);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(sim_until(tasks[i]), 0);
        thrum_task_release(tasks[i]);
    }
    thrum_pool_stats_get(&later);
    CHECK_LT(later.used, stats.used);
    if (later.reserved >= stats.used) /* a pool whose blocks come one by one gives them back, and forgets them */
        CHECK_GE(later.peak, stats.used);
    sim_close();
}
