/* Random programs in which scopes, shields, levels, deadlines, timeouts and groups stand in one another, in virtual
 * time, cancelled from outside at random times. What must hold, whatever happens: every block that was entered is left,
 * the program comes to its end, nothing is left in the pool; without a cancellation from outside none comes out; and
 * one from outside is not lost. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <sim.h>

enum { WAIT, SCOPE, DEADLINE, TIMEOUT, GROUP, HOLD, KINDS, CATCHES = 8 };

static uint32_t seed;
static int entered, left, blocks;
static bool errors; /* deadlines, timeouts and children that fail */
static thrum_lock lock;

static int below(int bound)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return (int)(seed % (uint32_t)bound);
}

static thrum_time some_time(void)
{
    return below(5) ? below(12) : below(60);
}

typedef union any_scope {
    thrum_cancel_scope scope;
    thrum_deadline limit;
    thrum_group group;
    thrum_lock_hold hold;
} any_scope;

/* One block with up to three in it; as an async function, so that blocks stand in many frames. */
static thrum_awaitable block(int depth);
static ASYNC(block_, ARGS((int, depth)),
             LOCALS(any_scope s; int kind; int i; int error; thrum_try attempt; unsigned before; thrum_task * me;))
{
    ASYNC_BEGIN;
    self->me = thrum_current_task();
    self->kind = self->depth > 5 || blocks > 30 ? WAIT : below(KINDS);
    if (!errors && (self->kind == DEADLINE || self->kind == TIMEOUT))
        self->kind = SCOPE;
    blocks++;
    entered++;
    if (self->kind == WAIT) {
        if (below(2))
            AWAIT(thrum_yield());
        else
            AWAIT(thrum_sleep(some_time()));
        if (errors && below(12) == 0)
            ASYNC_RAISE(-5);
    } else if (self->kind == SCOPE) {
        WITH (self->s.scope, thrum_cancel_scope_open(&self->s.scope, below(2) ? thrum_now() + some_time() : THRUM_NEVER,
                                                     below(3) ? 0 : 1 + some_time(), (unsigned)below(2))) {
            for (self->i = below(4); self->i; self->i--)
                AWAIT(block(self->depth + 1));
        }
        CHECK_EQ(thrum_cancel_scope_held(&self->s.scope), 0);
    } else if (self->kind == DEADLINE) {
        WITH (self->s.limit, thrum_deadline_after(&self->s.limit, some_time())) {
            for (self->i = below(4); self->i; self->i--)
                AWAIT(block(self->depth + 1));
        }
    } else if (self->kind == TIMEOUT) {
        AWAIT(thrum_timeout(some_time() + 1, block(self->depth + 1)));
    } else if (self->kind == HOLD) {
        WITH (self->s.hold, thrum_lock_hold(&self->s.hold, &lock)) {
            AWAIT(thrum_sleep(some_time()));
        }
    } else {
        WITH (self->s.group, thrum_group_open(&self->s.group)) {
            for (self->i = below(3); self->i; self->i--)
                thrum_group_spawn(&self->s.group, block(self->depth + 1));
            if (below(6) == 0)
                thrum_group_cancel(&self->s.group);
            for (self->i = below(3); self->i; self->i--)
                AWAIT(block(self->depth + 1));
        }
    }
FINALLY:
    WITH (self->s.scope, thrum_shield_for(&self->s.scope, 3)) {
        if (self->depth < 3)
            AWAIT(thrum_sleep(1));
        else
            AWAIT(thrum_yield());
    }
    left++;
    ASYNC_END;
}

static ASYNC(catching, ARGS((int, depth)), LOCALS(thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        AWAIT(block_(self->depth));
    }
    CATCH (self->error, self->attempt) {
        CHECK(errors);
        CHECK(self->error == -5 || self->error == THRUM_ETIMEDOUT || self->error == THRUM_EGROUP);
    }
    ASYNC_END;
}

static thrum_awaitable block(int depth)
{
    return below(2) ? catching(depth) : block_(depth);
}

static int run(uint32_t from, bool with_errors, int cancels)
{
    seed = from * 2654435761u + 1;
    entered = left = blocks = 0;
    errors = with_errors;
    memset(&lock, 0, sizeof lock);
    sim_open();
    thrum_task *task = thrum_spawn(block(0));
    int passes = below(20), asked = 0;
    for (int pass = 0; !thrum_task_done(task); pass++) {
        CHECK_EQ(sim_step_(true), 0);
        if (pass >= passes && asked < cancels && !thrum_task_done(task)) {
            thrum_task_cancel(task);
            asked++;
        }
        CHECK_LT(sim_time(), 100000);
    }
    int error = thrum_task_result(task, NULL);
    unsigned count = thrum_task_cancelling(task);
    thrum_task_release(task);
    CHECK_EQ(entered, left);
    CHECK_EQ(sim.reports, 0);
    CHECK(!thrum_lock_locked(&lock));
    sim_close();
    CHECK_EQ(count, asked); /* everybody else took back what he asked */
    if (!asked)
        CHECK_NE(error, THRUM_ECANCELED);
    else if (!with_errors)
        CHECK_EQ(error, THRUM_ECANCELED);
    CHECK(with_errors || error == 0 || error == THRUM_ECANCELED);
    return error;
}

TEST_LIMIT(cancelscopes_mixed, whatever_happens, 60)
{
    int outcomes[4] = {0};
    for (uint32_t i = 1; i <= (THRUM_HOSTED ? 6000 : 300); i++)
        for (int errors_too = 0; errors_too < 2; errors_too++)
            for (int cancels = 0; cancels < 3; cancels++) {
                int error = run(i, errors_too, cancels);
                outcomes[error == 0 ? 0 : error == THRUM_ECANCELED ? 1 : error == THRUM_EGROUP ? 2 : 3]++;
            }
    for (int i = 0; i < 4; i++)
        CHECK_GT(outcomes[i], THRUM_HOSTED ? 100 : 0);
}
