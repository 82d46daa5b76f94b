/* Queues: asyncio's test_queues, over all three kinds, in fixed and in growing storage. The number in a comment is the
 * corner point of asyncio's behaviour. */
#include "queues.h"

/* ---- sizes, and the order in which items come out (test_empty, test_full, test_order, test_maxsize) ---- */

static void sizes(int kind, size_t capacity)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, kind, capacity);
    CHECK(thrum_queue_empty(queue));
    CHECK(!thrum_queue_full(queue));
    CHECK_EQ(thrum_queue_capacity(queue), capacity);
    CHECK_EQ(put_now(queue, 1), 0);
    CHECK(!thrum_queue_empty(queue));
    CHECK_EQ(thrum_queue_full(queue), capacity == 1);
    CHECK_EQ(thrum_queue_size(queue), 1);
    CHECK_EQ(get_now(queue), 1);
    CHECK(thrum_queue_empty(queue));
    CHECK_EQ(get_now(queue), THRUM_EEMPTY); /* test_nonblocking_get_exception */
    for (size_t i = 0; i < capacity; i++)
        CHECK_EQ(put_now(queue, 1), 0);
    if (capacity) { /* test_nonblocking_put_exception */
        CHECK(thrum_queue_full(queue));
        CHECK_EQ(put_now(queue, 2), THRUM_EFULL);
        CHECK_EQ(thrum_queue_size(queue), capacity);
    }
    thrum_queue_close(queue);
}

TEST(queues, sizes)
{
    for (int kind = 0; kind < KINDS; kind++) {
        sizes(kind, 1);
        sizes(kind, 2);
        sizes(kind, 9);
        if (kind & GROWING)
            sizes(kind, 0);
    }
}

TEST(queues, order)
{
    static const int orders[4][3] = {{1, 3, 2}, {2, 3, 1}, {1, 2, 3}, {1, 3, 2}};
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 5);
        CHECK_EQ(put_now(queue, 1), 0);
        CHECK_EQ(put_now(queue, 3), 0);
        CHECK_EQ(put_now(queue, 2), 0);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(get_now(queue), orders[kind & ~GROWING][i]);
        thrum_queue_close(queue);
    }
}

/* Against a plain model, with growing storage that has wrapped around. */
TEST(queues, order_of_many)
{
    for (unsigned seed = 1; seed <= (THRUM_HOSTED ? 300 : 20); seed++) {
        for (int kind = 0; kind < KINDS; kind++) {
            struct storage storage;
            thrum_queue *queue = make(&storage, kind, kind & GROWING ? 0 : ROOM);
            int model[ROOM];
            size_t count = 0;
            uint32_t state = seed;
            for (int step = 0; step < 120; step++) {
                state = state * 1664525u + 1013904223u;
                if ((state >> 16) % 5 < 3 && count < ROOM) {
                    int item = (int)(state >> 24) % 10 * 1000 + step; /* the priority is what stands before */
                    CHECK_EQ(put_now(queue, item), 0);
                    model[count++] = item;
                } else if (count) {
                    size_t best = (kind & ~GROWING) == LIFO ? count - 1 : 0;
                    if ((kind & ~GROWING) == PRIORITY)
                        for (size_t i = 1; i < count; i++)
                            if (model[i] / 1000 < model[best] / 1000)
                                best = i;
                    CHECK_EQ(get_now(queue), model[best]); /* 86: equal ones in the order of putting */
                    memmove(model + best, model + best + 1, (count - best - 1) * sizeof *model);
                    count--;
                }
                CHECK_EQ(thrum_queue_size(queue), count);
            }
            thrum_queue_close(queue);
        }
    }
}

/* 86: the numbers that keep equal items in order may wrap. */
TEST(queues, equal_items_stay_in_order_for_ever)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, PRIORITY, 5);
    CHECK_EQ(put_now(queue, 5001), 0);
    CHECK_EQ(put_now(queue, 5002), 0);
    queue->order[0] = UINT32_MAX - 2;
    queue->order[1] = UINT32_MAX - 1;
    queue->puts = UINT32_MAX;
    CHECK_EQ(put_now(queue, 5003), 0);
    CHECK_EQ(put_now(queue, 5004), 0);
    CHECK_EQ(put_now(queue, 5005), 0);
    for (int i = 1; i <= 5; i++)
        CHECK_EQ(get_now(queue), 5000 + i);
}

static ASYNC(puts_three, ARGS((thrum_queue *, queue)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        AWAIT_PUT((struct storage *)(void *)self->queue, &self->i);
        note("%d ", self->i);
    }
    ASYNC_END;
}

TEST(queues, maxsize)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 2);
    begin();
    thrum_task *task = thrum_spawn(puts_three(queue));
    sim_pass();
    sim_pass();
    CHECK_STR(trace, "0 1 "); /* blocked after two */
    CHECK_EQ(get_now(queue), 0);
    CHECK_STR(trace, "0 1 ");
    sim_pass();
    CHECK_STR(trace, "0 1 2 ");
    CHECK_EQ(get_now(queue), 1);
    CHECK_EQ(get_now(queue), 2);
    CHECK_EQ(result(task), 0);
    end();
}

/* ---- get ---- */

static ASYNC(puts_later, ARGS((thrum_queue *, queue), (int, item)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(MILLISECONDS(10)));
    CHECK_EQ(thrum_queue_put_nowait(self->queue, &self->item), 0);
    ASYNC_END;
}

TEST(queues, blocking_get_wait)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 4);
        begin();
        thrum_task *task = thrum_spawn(getter(queue, 'a'));
        CHECK_EQ(thrum_spawn_detached(puts_later(queue, 1)), 0);
        CHECK_EQ(sim_until(task), 0);
        CHECK_EQ(sim_time(), MILLISECONDS(10));
        CHECK_EQ(result(task), 1);
        thrum_queue_close(queue);
        end();
    }
}

/* What is there is taken, and what has room is put, without suspending: test_blocking_get, test_blocking_put. */
TEST(queues, no_suspension_without_need)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 2);
    begin();
    thrum_task *task = thrum_spawn(putter(queue, 7));
    sim_pass();
    CHECK_STR(trace, "p7 ");
    CHECK_EQ(result(task), 0);
    task = thrum_spawn(getter(queue, 'a'));
    sim_pass();
    CHECK_EQ(result(task), 7);
    end();
}

TEST(queues, get_cancelled_race)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 2);
    begin();
    thrum_task *a = thrum_spawn(getter(queue, 'a')), *b = thrum_spawn(getter(queue, 'b'));
    sim_pass();
    thrum_task_cancel(a);
    sim_pass();
    CHECK(thrum_task_done(a));
    CHECK_EQ(put_now(queue, 1), 0);
    sim_pass();
    CHECK_EQ(result(a), THRUM_ECANCELED);
    CHECK_EQ(result(b), 1);
    end();
}

TEST(queues, get_with_waiting_putters)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 1);
    begin();
    CHECK_EQ(thrum_spawn_detached(putter(queue, 1)), 0);
    CHECK_EQ(thrum_spawn_detached(putter(queue, 2)), 0);
    sim_pass();
    CHECK_EQ(get_now(queue), 1);
    CHECK_EQ(get_now(queue), THRUM_EEMPTY); /* the putter was woken, and puts when it runs */
    sim_pass();
    CHECK_EQ(get_now(queue), 2);
    CHECK_STR(trace, "p1 p2 ");
    end();
}

static ASYNC(produces, ARGS((thrum_queue *, queue), (int, count)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->count; self->i++)
        AWAIT_PUT((struct storage *)(void *)self->queue, &self->i);
    ASYNC_END;
}

static ASYNC(consumes, ARGS((thrum_queue *, queue), (int, count)), LOCALS(int i; int item;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->count; self->i++) {
        AWAIT_GET((struct storage *)(void *)self->queue, &self->item);
        CHECK_EQ(self->item, self->i);
    }
    ASYNC_END;
}

TEST(queues, why_are_getters_waiting)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 1);
        begin();
        thrum_task *from = thrum_spawn(produces(queue, 5)), *to = thrum_spawn(consumes(queue, 5));
        CHECK_EQ(sim_until(to), 0);
        CHECK_EQ(result(from), 0);
        CHECK_EQ(result(to), 0);
        thrum_queue_close(queue);
        end();
    }
}

static ASYNC(impatient, ARGS((thrum_queue *, queue)), LOCALS(int item; int error; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 100; self->i++) {
        AWAIT_CATCH(self->error, thrum_timeout(MILLISECONDS(100), thrum_queue_get(self->queue, &self->item)));
        CHECK_EQ(self->error, THRUM_ETIMEDOUT);
        CHECK_NULL(self->queue->getters.first);
    }
    ASYNC_END;
}

/* 79: test_cancelled_getters_not_being_held_in_self_getters. */
TEST(queues, cancelled_getters_leave_at_once)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 5);
    begin();
    CHECK_EQ(sim_run(impatient(queue), NULL), 0);
    thrum_task *task = thrum_spawn(getter(queue, 'a'));
    sim_pass();
    CHECK_NOT_NULL(queue->getters.first);
    thrum_task_cancel(task);
    CHECK_NULL(queue->getters.first);
    sim_pass();
    CHECK_EQ(result(task), THRUM_ECANCELED);
    end();
}

/* 78: test_get_cancel_drop_one_pending_reader, test_get_cancel_drop_many_pending_readers. */
TEST(queues, cancelled_when_woken_the_item_stays)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 4);
        begin();
        thrum_task *a = thrum_spawn(getter(queue, 'a'));
        sim_pass();
        CHECK_EQ(put_now(queue, 1), 0);
        CHECK_EQ(put_now(queue, 2), 0);
        thrum_task_cancel(a);
        sim_pass();
        CHECK_EQ(result(a), THRUM_ECANCELED);
        CHECK_EQ(thrum_queue_size(queue), 2);
        CHECK_EQ(get_now(queue) + get_now(queue), 3);

        thrum_task *b = thrum_spawn(getter(queue, 0)), *c = thrum_spawn(getter(queue, 0)),
                   *d = thrum_spawn(getter(queue, 0));
        sim_pass();
        CHECK_EQ(put_now(queue, 1), 0);
        CHECK_EQ(put_now(queue, 2), 0);
        thrum_task_cancel(b);
        CHECK_EQ(sim_settle(), 2); /* in the first pass b passes its wake-up on to d */
        CHECK_EQ(result(b), THRUM_ECANCELED);
        CHECK_EQ(result(c) + result(d), 3);
        thrum_queue_close(queue);
        end();
    }
}

/* 81 */
TEST(queues, one_put_wakes_one_getter)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 4);
    begin();
    thrum_task *a = thrum_spawn(getter(queue, 'a')), *b = thrum_spawn(getter(queue, 'b')),
               *c = thrum_spawn(getter(queue, 'c'));
    sim_pass();
    CHECK_EQ(put_now(queue, 1), 0);
    CHECK_EQ(sim_settle(), 1);
    CHECK_STR(trace, "a1 ");
    CHECK_EQ(put_now(queue, 2), 0);
    CHECK_EQ(put_now(queue, 3), 0);
    CHECK_EQ(sim_settle(), 1);
    CHECK_STR(trace, "a1 b2 c3 ");
    CHECK_EQ(result(a) + result(b) + result(c), 6);
    end();
}

/* Somebody else takes the item before the woken getter runs: it waits again, behind the others. */
TEST(queues, woken_getter_finds_nothing)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 4);
    begin();
    thrum_task *a = thrum_spawn(getter(queue, 'a')), *b = thrum_spawn(getter(queue, 'b'));
    sim_pass();
    CHECK_EQ(put_now(queue, 1), 0);
    CHECK_EQ(get_now(queue), 1);
    CHECK_EQ(sim_settle(), 1);
    CHECK_EQ(put_now(queue, 2), 0);
    CHECK_EQ(sim_settle(), 1);
    CHECK_STR(trace, "b2 ");
    CHECK_EQ(put_now(queue, 3), 0);
    CHECK_EQ(sim_settle(), 1);
    CHECK_STR(trace, "b2 a3 ");
    CHECK_EQ(result(a) + result(b), 5);
    end();
}

/* ---- put ---- */

static ASYNC(gets_later, ARGS((thrum_queue *, queue)), LOCALS(int item;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(MILLISECONDS(10)));
    CHECK_EQ(thrum_queue_get_nowait(self->queue, &self->item), 0);
    ASYNC_END;
}

TEST(queues, blocking_put_wait)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 1);
        begin();
        CHECK_EQ(thrum_spawn_detached(gets_later(queue)), 0);
        CHECK_EQ(put_now(queue, 1), 0);
        thrum_task *task = thrum_spawn(putter(queue, 2));
        CHECK_EQ(sim_until(task), 0);
        CHECK_EQ(sim_time(), MILLISECONDS(10));
        CHECK_EQ(result(task), 0);
        CHECK_EQ(get_now(queue), 2);
        thrum_queue_close(queue);
        end();
    }
}

/* test_put_cancel_drop: what was cancelled is not put, not even when it was woken. */
TEST(queues, cancelled_when_woken_nothing_is_put)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 1);
    begin();
    CHECK_EQ(put_now(queue, 1), 0);
    thrum_task *a = thrum_spawn(putter(queue, 2));
    sim_pass();
    CHECK_EQ(get_now(queue), 1);
    thrum_task_cancel(a);
    sim_pass();
    CHECK_EQ(result(a), THRUM_ECANCELED);
    CHECK(thrum_queue_empty(queue));
    a = thrum_spawn(putter(queue, 2));
    sim_pass();
    CHECK_EQ(result(a), 0);
    CHECK_EQ(get_now(queue), 2);
    CHECK(thrum_queue_empty(queue));
    end();
}

/* test_put_cancelled_race; and the room of a woken putter that is cancelled goes to the next one. */
TEST(queues, put_cancelled_race)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 1);
    begin();
    thrum_task *a = thrum_spawn(putter(queue, 1)), *b = thrum_spawn(putter(queue, 2)),
               *c = thrum_spawn(putter(queue, 3)), *d = thrum_spawn(putter(queue, 4));
    sim_pass();
    CHECK(thrum_task_done(a));
    CHECK(!thrum_task_done(b));
    thrum_task_cancel(c);
    sim_pass();
    CHECK(thrum_task_done(c));
    CHECK_EQ(get_now(queue), 1);
    thrum_task_cancel(b);
    CHECK_EQ(sim_settle(), 2);
    CHECK_STR(trace, "p1 p4 ");
    CHECK_EQ(get_now(queue), 4);
    CHECK_EQ(result(a) | result(d), 0);
    CHECK_EQ(result(b), THRUM_ECANCELED);
    CHECK_EQ(result(c), THRUM_ECANCELED);
    end();
}

/* 80: who comes between takes the room, and the putter waits at the tail. */
TEST(queues, woken_putter_finds_no_room)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 1);
    begin();
    CHECK_EQ(put_now(queue, 1), 0);
    thrum_task *a = thrum_spawn(putter(queue, 2)), *b = thrum_spawn(putter(queue, 3));
    sim_pass();
    CHECK_EQ(get_now(queue), 1);
    CHECK_EQ(put_now(queue, 9), 0);
    CHECK_EQ(sim_settle(), 1);
    CHECK_EQ(get_now(queue), 9);
    CHECK_EQ(sim_settle(), 1);
    CHECK_EQ(get_now(queue), 3);
    CHECK_EQ(sim_settle(), 1);
    CHECK_EQ(get_now(queue), 2);
    CHECK_EQ(result(a) | result(b), 0);
    end();
}

static ASYNC(empties, ARGS((thrum_queue *, queue)), LOCALS(size_t n;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    for (self->n = thrum_queue_size(self->queue); self->n; self->n--)
        CHECK_GE(get_now(self->queue), 0);
    ASYNC_END;
}

TEST(queues, why_are_putters_waiting)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 2);
    begin();
    thrum_task *tasks[5] = {thrum_spawn(empties(queue))};
    for (int i = 0; i < 4; i++)
        tasks[i + 1] = thrum_spawn(putter(queue, i));
    sim_settle();
    CHECK_STR(trace, "p0 p1 p2 p3 ");
    for (int i = 0; i < 5; i++)
        CHECK_EQ(result(tasks[i]), 0);
    end();
}

/* test_cancelled_puts_not_being_held_in_self_putters, test_cancelled_put_silence_value_error_exception. */
TEST(queues, cancelled_putters_leave_at_once)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 1);
    begin();
    CHECK_EQ(put_now(queue, 1), 0);
    thrum_task *task = thrum_spawn(putter(queue, 2));
    sim_pass();
    CHECK_NOT_NULL(queue->putters.first);
    thrum_task_cancel(task);
    CHECK_NULL(queue->putters.first);
    sim_pass();
    CHECK_EQ(result(task), THRUM_ECANCELED);

    task = thrum_spawn(putter(queue, 2));
    sim_pass();
    CHECK_EQ(get_now(queue), 1); /* takes it out of the list */
    thrum_task_cancel(task);
    sim_pass();
    CHECK_EQ(result(task), THRUM_ECANCELED);
    end();
}
