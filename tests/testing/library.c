/* What the library itself is made of, explored: with everything that can come in between, nothing is left behind and
 * nobody waits for ever. */
#include "support.h"

static void explore(thrum_test_program *program, size_t least)
{
    const thrum_test_options eager = {.size = sizeof eager, .eager = true};
    const thrum_test_options debug = {.size = sizeof debug, .debug = true};
    const thrum_test_options *const ways[] = {NULL, &eager, &debug};
    for (size_t i = 0; i < 3; i++) {
        const thrum_test_explore_options options = {.size = sizeof options, .run = ways[i], .seeds = 30};
        thrum_test_explored explored;
        CHECK_EQ(thrum_test_explore(program, NULL, &options, &explored), 0);
        CHECK_GE(explored.waiting, least);
        CHECK_GE(explored.allocations, least);
    }
}

/* Waits a while, then gives a number, or fails. */
static ASYNC(work, ARGS((int, milliseconds), (int, number)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(MILLISECONDS(1) * self->milliseconds));
    if (self->number < 0)
        ASYNC_RAISE(THRUM_EAPP(1));
    ASYNC_RETURN(self->number);
FINALLY:
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    ASYNC_END;
}

/* ---- combinators ---- */

static ASYNC(gathers, ARGS((void *, context)), LOCALS(thrum_value results[3]; thrum_outcome outcomes[3]; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_gather(self->results, work(1, 1), work(3, 2), thrum_timeout(SECONDS(1), work(2, 3))));
    CHECK_EQ(self->results[0] + self->results[1] + self->results[2], 6);
    AWAIT_CATCH(self->error, thrum_gather(self->results, work(1, 1), work(2, -1), work(9, 3)));
    AWAIT_CATCH(self->error, thrum_gather_all(self->outcomes, work(1, -1), work(2, 1), thrum_shield(work(3, 2))));
    ASYNC_END;
}

TEST_LIMIT(testing_library, gather, 60)
{
    explore(gathers, 15);
}

static ASYNC(waits, ARGS((void *, context)),
             LOCALS(thrum_task *tasks[2]; bool done[2]; size_t winner; size_t count; int error; thrum_completed each;
                    size_t place; int i;))
{
    ASYNC_BEGIN;
    self->tasks[0] = thrum_spawn(work(1, 1));
    self->tasks[1] = thrum_spawn(work(9, 2));
    if (!self->tasks[0] || !self->tasks[1])
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT_INTO(self->count, thrum_wait_tasks(2, self->tasks, THRUM_FIRST_COMPLETED, THRUM_NEVER, self->done));
    AWAIT_INTO(self->count, thrum_wait_tasks(2, self->tasks, THRUM_ALL_COMPLETED, MILLISECONDS(2), self->done));
    AWAIT(thrum_race(&self->winner, work(5, 1), work(1, -1), work(3, 2)));
    WITH (self->each, thrum_completed_open(&self->each, SECONDS(1), work(2, 1), work(1, 2), work(3, -1))) {
        for (self->i = 0; self->i < 2; self->i++)
            AWAIT_INTO(self->place, thrum_completed_next(&self->each));
    }
    AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(2), thrum_shield(work(5, 1))));
FINALLY:
    thrum_task_release(self->tasks[0]);
    thrum_task_release(self->tasks[1]);
    ASYNC_END;
}

TEST_LIMIT(testing_library, wait_race_completed_shield, 60)
{
    explore(waits, 15);
}

/* ---- locks ---- */

typedef struct shop {
    thrum_lock lock;
    thrum_semaphore seats;
    thrum_condition changed;
    thrum_rwlock ledger;
    thrum_limiter limiter;
    int inside, sum;
} shop;

static bool sold_out(void *context)
{
    return ((const shop *)context)->sum >= 6;
}

/* One at a time is in here. */
static ASYNC(pay, ARGS((shop *, at)), LOCALS(thrum_lock_hold lock; bool in;))
{
    ASYNC_BEGIN;
    WITH (self->lock, thrum_lock_hold(&self->lock, &self->at->lock)) {
        CHECK_EQ(self->at->inside++, 0);
        self->in = true;
        AWAIT(thrum_sleep(MILLISECONDS(1)));
    }
FINALLY:
    self->at->inside -= self->in;
    ASYNC_END;
}

static ASYNC(customer, ARGS((shop *, at), (int, number)),
             LOCALS(thrum_semaphore_hold seat; thrum_rwlock_read_hold read; thrum_rwlock_write_hold write;
                    thrum_limiter_hold token; thrum_condition_hold changed;))
{
    ASYNC_BEGIN;
    WITH (self->seat, thrum_semaphore_hold(&self->seat, &self->at->seats)) {
        AWAIT(pay(self->at));
        WITH (self->read, thrum_rwlock_read_hold(&self->read, &self->at->ledger))
            AWAIT(thrum_sleep(MILLISECONDS(1)));
        WITH (self->token, thrum_limiter_hold(&self->token, &self->at->limiter))
            AWAIT(thrum_sleep(0));
        WITH (self->write, thrum_rwlock_write_hold(&self->write, &self->at->ledger))
            self->at->sum += self->number;
    }
    WITH (self->changed, thrum_condition_hold(&self->changed, &self->at->changed))
        (void)thrum_condition_notify_all(&self->at->changed);
    ASYNC_END;
}

static ASYNC(shopping, ARGS((void *, context)),
             LOCALS(shop shop; thrum_lock counter; thrum_group group; thrum_condition_hold changed; int i;))
{
    ASYNC_BEGIN;
    thrum_lock_init(&self->shop.lock);
    thrum_lock_init(&self->counter);
    thrum_semaphore_init(&self->shop.seats, 2);
    thrum_condition_init(&self->shop.changed, &self->counter);
    thrum_rwlock_init(&self->shop.ledger);
    thrum_limiter_init(&self->shop.limiter, 1);
    WITH (self->group, thrum_group_open(&self->group)) {
        for (self->i = 1; self->i <= 3; self->i++)
            if (!thrum_group_spawn(&self->group, customer(&self->shop, self->i)))
                ASYNC_RAISE(THRUM_ENOMEM);
        WITH (self->changed, thrum_condition_hold(&self->changed, &self->shop.changed))
            AWAIT(thrum_timeout(SECONDS(9), thrum_condition_wait_for(&self->shop.changed, sold_out, &self->shop)));
    }
    /* Whoever was cancelled gave everything back. */
    CHECK(!thrum_lock_locked(&self->shop.lock));
    CHECK(!thrum_lock_locked(&self->counter));
    CHECK(thrum_semaphore_try(&self->shop.seats) && thrum_semaphore_try(&self->shop.seats));
    CHECK(thrum_rwlock_try_write(&self->shop.ledger));
    ASYNC_END;
}

TEST_LIMIT(testing_library, locks, 60)
{
    explore(shopping, 15);
}

/* ---- channels and generators ---- */

static ASYNC_GEN(count_to, ARGS((int, last)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 1; self->i <= self->last; self->i++) {
        AWAIT(thrum_sleep(MILLISECONDS(1)));
        YIELD(self->i);
    }
FINALLY:
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    ASYNC_END;
}

static ASYNC(produce, ARGS((thrum_sender *, sender)), LOCALS(thrum_iteration each; int number;),
             ON_DROP(thrum_sender_close(self->sender);))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->number, self->each, count_to(9)) {
        if (self->number == 6)
            break;
        AWAIT(thrum_channel_send(self->sender, &self->number));
    }
FINALLY:
    thrum_sender_close(self->sender);
    ASYNC_END;
}

static ASYNC(pipeline, ARGS((void *, context)),
             LOCALS(thrum_channel channel; thrum_sender sender; thrum_receiver receiver; int storage[2]; int item;
                    thrum_iteration each; thrum_value ignored; int sum; thrum_group group;))
{
    ASYNC_BEGIN;
    if (thrum_channel_init(&self->channel, &self->sender, &self->receiver, self->storage, 2, sizeof(int)))
        ASYNC_RAISE(THRUM_EINVAL);
    WITH (self->group, thrum_group_open(&self->group)) {
        if (!thrum_group_spawn(&self->group, produce(&self->sender)))
            ASYNC_RAISE(THRUM_ENOMEM);
        ASYNC_FOR (self->ignored, self->each, thrum_channel_items(&self->receiver, &self->item)) {
            self->sum += self->item;
            AWAIT(thrum_sleep(MILLISECONDS(3)));
        }
    }
    if (self->sum != 15)
        ASYNC_RAISE(THRUM_EINCOMPLETE);
FINALLY:
    thrum_receiver_close(&self->receiver);
    ASYNC_END;
}

TEST_LIMIT(testing_library, channels_and_generators, 60)
{
    explore(pipeline, 8);
}

/* ---- blocks ---- */

static ASYNC(limits, ARGS((void *, context)),
             LOCALS(thrum_deadline limit; thrum_cancel_scope scope; thrum_cancel_scope shield; thrum_try attempt;
                    int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        WITH (self->limit, thrum_deadline_after(&self->limit, MILLISECONDS(5)))
            AWAIT(work(100, 1));
    }
    CATCH (self->error, self->attempt) {
        CHECK(self->error == THRUM_ETIMEDOUT || self->error == THRUM_ENOMEM);
        AWAIT(thrum_sleep(MILLISECONDS(1)));
    }
    WITH (self->scope, thrum_move_on_after(&self->scope, MILLISECONDS(3))) {
        WITH (self->shield, thrum_shield_for(&self->shield, MILLISECONDS(5)))
            AWAIT(work(4, 1));
        AWAIT(work(100, 1));
    }
    ASYNC_END;
}

TEST_LIMIT(testing_library, deadlines_and_scopes, 60)
{
    explore(limits, 5);
}

/* ---- barriers, supervisors ---- */

static ASYNC(meet, ARGS((thrum_barrier *, barrier)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, thrum_timeout(SECONDS(1), thrum_barrier_wait(self->barrier)));
    if (self->error)
        (void)thrum_barrier_abort(self->barrier);
    ASYNC_END;
}

static ASYNC(meetings, ARGS((void *, context)), LOCALS(thrum_barrier barrier; thrum_group group; int i;))
{
    ASYNC_BEGIN;
    if (thrum_barrier_init(&self->barrier, 3))
        ASYNC_RAISE(THRUM_EINVAL);
    WITH (self->group, thrum_group_open(&self->group)) {
        for (self->i = 0; self->i < 3; self->i++)
            if (!thrum_group_spawn(&self->group, meet(&self->barrier)))
                ASYNC_RAISE(THRUM_ENOMEM);
    }
    CHECK_EQ(thrum_barrier_waiting(&self->barrier), 0);
    ASYNC_END;
}

TEST_LIMIT(testing_library, barriers, 60)
{
    explore(meetings, 3);
}

/* ---- threads: virtual time stands still while one works ---- */

static int add(void *argument, thrum_value *value)
{
    *value = *(const int *)argument + 1;
    return 0;
}

static ASYNC(in_threads, ARGS((void *, context)), LOCALS(int number; thrum_value results[2];))
{
    ASYNC_BEGIN;
    self->number = 6;
    AWAIT(thrum_gather(self->results, thrum_to_thread(add, &self->number), thrum_to_thread(add, &self->number)));
    CHECK_EQ(self->results[0] + self->results[1], 14);
    ASYNC_END;
}

TEST_LIMIT(testing_library, threads, 60)
{
    explore(in_threads, 3);
}
