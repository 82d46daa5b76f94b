/* Queues, their end: join and shutdown of test_queues, storage, items by value. The number in a comment is the corner
 * point of asyncio's behaviour. */
#include "queues.h"

#include <limits.h>
#include <stdlib.h>

static ASYNC(joiner, ARGS((thrum_queue *, queue)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_queue_join(self->queue));
    note("j ");
    ASYNC_END;
}

/* ---- join ---- */

/* 83: test_task_done_underflow. */
TEST(queues_end, task_done_underflow)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 2);
        CHECK_EQ(thrum_queue_task_done(queue), THRUM_EINVAL);
        CHECK_EQ(put_now(queue, 1), 0);
        CHECK_EQ(thrum_queue_task_done(queue), 0);
        CHECK_EQ(thrum_queue_task_done(queue), THRUM_EINVAL);
        thrum_queue_close(queue);
    }
}

static int sum;

static ASYNC(worker, ARGS((thrum_queue *, queue)), LOCALS(int item;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_GET((struct storage *)(void *)self->queue, &self->item);
        if (self->item < 0)
            break;
        sum += self->item;
        CHECK_EQ(thrum_queue_task_done(self->queue), 0);
    }
    ASYNC_END;
}

TEST(queues_end, task_done)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, ROOM);
        begin();
        sum = 0;
        for (int i = 0; i < ROOM; i++)
            CHECK_EQ(put_now(queue, i), 0);
        thrum_task *a = thrum_spawn(worker(queue)), *b = thrum_spawn(worker(queue)), *c = thrum_spawn(joiner(queue));
        CHECK_EQ(sim_until(c), 0);
        CHECK_EQ(sum, ROOM * (ROOM - 1) / 2);
        CHECK_EQ(put_now(queue, -1) | put_now(queue, -1), 0);
        sim_settle();
        CHECK_EQ(result(a) | result(b) | result(c), 0);
        thrum_queue_close(queue);
        end();
    }
}

/* test_join_empty_queue: without suspending. */
TEST(queues_end, join_empty_queue)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 2);
    begin();
    thrum_task *a = thrum_spawn(joiner(queue));
    sim_pass();
    CHECK_EQ(result(a), 0);
    end();
}

/* 82: woken at zero, it goes on although more was put meanwhile; a cancelled one leaves the list. */
TEST(queues_end, join_goes_on_after_zero)
{
    struct storage storage;
    thrum_queue *queue = make(&storage, FIFO, 2);
    begin();
    CHECK_EQ(put_now(queue, 1), 0);
    thrum_task *a = thrum_spawn(joiner(queue)), *b = thrum_spawn(joiner(queue)), *c = thrum_spawn(joiner(queue));
    sim_pass();
    CHECK_STR(trace, "");
    thrum_task_cancel(b);
    CHECK_EQ(thrum_queue_task_done(queue), 0);
    thrum_task_cancel(c); /* woken */
    CHECK_EQ(put_now(queue, 2), 0);
    CHECK_EQ(sim_settle(), 1);
    CHECK_STR(trace, "j ");
    CHECK_EQ(result(a), 0);
    CHECK_EQ(result(b), THRUM_ECANCELED);
    CHECK_EQ(result(c), THRUM_ECANCELED);
    end();
}

/* ---- shutdown ---- */

/* After it every way in is closed; every way out, too, when it is empty. */
static void check_shut(thrum_queue *queue)
{
    thrum_task *a = thrum_spawn(putter(queue, 7)), *b = thrum_spawn(getter(queue, 'x'));
    CHECK_EQ(sim_settle(), 1);
    CHECK_EQ(result(a), THRUM_ESHUTDOWN);
    CHECK_EQ(result(b), THRUM_ESHUTDOWN);
    CHECK_EQ(put_now(queue, 7), THRUM_ESHUTDOWN);
    CHECK_EQ(get_now(queue), THRUM_ESHUTDOWN); /* 85: rather than THRUM_EEMPTY */
}

/* 85: test_shutdown_empty. */
TEST(queues_end, shutdown_empty)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 4);
        begin();
        thrum_task *a = thrum_spawn(getter(queue, 'a')), *b = thrum_spawn(getter(queue, 'b'));
        sim_pass();
        thrum_queue_shutdown(queue, false);
        thrum_task_cancel(b);
        CHECK_EQ(sim_settle(), 1);
        CHECK_EQ(result(a), THRUM_ESHUTDOWN);
        CHECK_EQ(result(b), THRUM_ECANCELED);
        check_shut(queue);
        thrum_queue_shutdown(queue, false); /* again */
        thrum_queue_shutdown(queue, true);
        check_shut(queue);
        a = thrum_spawn(joiner(queue));
        sim_pass();
        CHECK_EQ(result(a), 0);
        thrum_queue_close(queue);
        end();
    }
}

/* 84, 85: test_shutdown_nonempty. */
TEST(queues_end, shutdown_nonempty)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 1);
        begin();
        CHECK_EQ(put_now(queue, 1), 0);
        thrum_task *join = thrum_spawn(joiner(queue)), *put = thrum_spawn(putter(queue, 2));
        sim_pass();
        CHECK(!thrum_task_done(put));
        thrum_queue_shutdown(queue, false);
        CHECK_EQ(thrum_queue_size(queue), 1);
        CHECK_EQ(put_now(queue, 3), THRUM_ESHUTDOWN); /* rather than THRUM_EFULL */
        CHECK_EQ(sim_settle(), 1);
        CHECK_EQ(result(put), THRUM_ESHUTDOWN);
        CHECK_EQ(get_now(queue), 1);
        CHECK_EQ(sim_settle(), 0);
        CHECK(!thrum_task_done(join));
        check_shut(queue);
        CHECK_EQ(thrum_queue_task_done(queue), 0);
        CHECK_EQ(sim_settle(), 1);
        CHECK_EQ(result(join), 0);
        CHECK_EQ(thrum_queue_task_done(queue), THRUM_EINVAL);
        thrum_queue_close(queue);
        end();
    }
}

/* 83: test_shutdown_immediate. */
TEST(queues_end, shutdown_immediate)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 1);
        begin();
        CHECK_EQ(put_now(queue, 1), 0);
        thrum_task *join = thrum_spawn(joiner(queue)), *put = thrum_spawn(putter(queue, 2));
        sim_pass();
        thrum_queue_shutdown(queue, true);
        CHECK_EQ(thrum_queue_size(queue), 0);
        CHECK_EQ(sim_settle(), 1);
        CHECK_EQ(result(join), 0);
        CHECK_EQ(result(put), THRUM_ESHUTDOWN);
        check_shut(queue);
        CHECK_EQ(thrum_queue_task_done(queue), THRUM_EINVAL);
        thrum_queue_close(queue);
        end();
    }
}

/* 83: test_shutdown_immediate_with_unfinished; more said to be done than taken out. */
TEST(queues_end, shutdown_immediate_with_unfinished)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 3);
        begin();
        CHECK_EQ(put_now(queue, 1) | put_now(queue, 1), 0);
        thrum_task *join = thrum_spawn(joiner(queue));
        sim_pass();
        CHECK_EQ(get_now(queue), 1);
        thrum_queue_shutdown(queue, true); /* unfinished: from 2 to 1 */
        CHECK_EQ(sim_settle(), 0);
        CHECK(!thrum_task_done(join));
        check_shut(queue);
        CHECK_EQ(thrum_queue_task_done(queue), 0);
        CHECK_EQ(thrum_queue_task_done(queue), THRUM_EINVAL);
        CHECK_EQ(sim_settle(), 1);
        CHECK_EQ(result(join), 0);
        thrum_queue_close(queue);

        queue = make(&storage, kind, 3);
        CHECK_EQ(put_now(queue, 1) | put_now(queue, 1), 0);
        CHECK_EQ(thrum_queue_task_done(queue), 0);
        thrum_queue_shutdown(queue, true);
        CHECK_EQ(thrum_queue_task_done(queue), THRUM_EINVAL);
        thrum_queue_close(queue);
        end();
    }
}

/* ---- storage ---- */

TEST(queues_end, what_cannot_be)
{
    thrum_queue queue;
    int items[2];
    uint32_t order[2];
    int one = 1;
    CHECK_EQ(thrum_queue_init(&queue, items, 0, sizeof *items), THRUM_EINVAL);
    CHECK_EQ(thrum_queue_put_nowait(&queue, &one), THRUM_ESHUTDOWN);
    CHECK_EQ(thrum_queue_get_nowait(&queue, &one), THRUM_ESHUTDOWN);
    CHECK_EQ(thrum_queue_init(&queue, items, 2, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_queue_init(&queue, NULL, 2, sizeof *items), THRUM_EINVAL);
    CHECK_EQ(thrum_queue_init(&queue, items, SIZE_MAX / 2, sizeof *items), THRUM_EINVAL);
    CHECK_EQ(thrum_lifo_queue_init(&queue, items, 0, sizeof *items), THRUM_EINVAL);
    CHECK_EQ(thrum_queue_init_growing(&queue, 0, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_queue_put_nowait(&queue, &one), THRUM_ESHUTDOWN);
    thrum_queue_close(&queue);
    CHECK_EQ(thrum_priority_queue_init(&queue, items, order, 2, sizeof *items, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_priority_queue_init(&queue, items, NULL, 2, sizeof *items, by_thousands), THRUM_EINVAL);
    CHECK_EQ(thrum_priority_queue_init_growing(&queue, 2, sizeof *items, NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_priority_queue_init_growing(&queue, 2, sizeof *items, by_thousands), 0);
    CHECK_EQ(thrum_queue_init_growing(&queue, 0, SIZE_MAX / 4), 0);
    CHECK_EQ(thrum_queue_put_nowait(&queue, items), THRUM_ENOMEM); /* before a byte is looked at */
    CHECK_EQ(thrum_queue_init_growing(&queue, 0, SIZE_MAX), 0);
    CHECK_EQ(thrum_queue_put_nowait(&queue, items), THRUM_ENOMEM);
}

/* A pool that fails at the n-th block. */
static unsigned long blocks_left;

static void *scarce_allocate(void *context, size_t size)
{
    (void)context;
    return blocks_left && blocks_left-- ? malloc(size) : NULL;
}

static void scarce_release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static void use_scarce_pool(void)
{
    static const thrum_allocator scarce = {scarce_allocate, scarce_release, NULL, true};
    blocks_left = ULONG_MAX;
    CHECK_EQ(thrum_pool_use_allocator(&scarce), 0);
}

/* What cannot grow says so at the put, and has lost nothing. */
TEST(queues_end, no_memory_to_grow)
{
    use_scarce_pool();
    for (int kind = FIFO | GROWING; kind <= (PRIORITY | GROWING); kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 9);
        begin();
        for (int i = 0; i < 8; i++)
            CHECK_EQ(put_now(queue, i), 0);
        CHECK_EQ(get_now(queue), kind == (LIFO | GROWING) ? 7 : 0);
        CHECK_EQ(put_now(queue, 9), 0);
        thrum_task *task = thrum_spawn(putter(queue, 8));
        blocks_left = 0;
        CHECK_EQ(put_now(queue, 8), THRUM_ENOMEM);
        CHECK_EQ(thrum_queue_size(queue), 8);
        sim_pass();
        CHECK_EQ(result(task), THRUM_ENOMEM);
        blocks_left = ULONG_MAX;
        CHECK_EQ(put_now(queue, 8), 0);
        CHECK_EQ(put_now(queue, 8), THRUM_EFULL);
        int total = 0;
        for (int i = 0; i < 9; i++)
            total += get_now(queue);
        CHECK_EQ(total, 28 + 9 + 8 - (kind == (LIFO | GROWING) ? 7 : 0));
        CHECK_EQ(thrum_queue_task_done(queue), 0);
        thrum_queue_close(queue);
        end();
    }
}

/* Closing wakes whoever waits; what they look at then is there, its storage is not. */
TEST(queues_end, closed_with_waiters)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct storage storage;
        thrum_queue *queue = make(&storage, kind, 1);
        begin();
        CHECK_EQ(put_now(queue, 1), 0);
        thrum_task *a = thrum_spawn(putter(queue, 2)), *b = thrum_spawn(joiner(queue));
        sim_pass();
        thrum_queue_close(queue);
        CHECK_EQ(sim_settle(), 1);
        CHECK_EQ(result(a), THRUM_ESHUTDOWN);
        CHECK_EQ(result(b), 0);
        check_shut(queue);
        end();
    }
}

/* ---- by value ---- */

static ASYNC(puts_value, ARGS((thrum_queue *, queue), (thrum_value, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_queue_put_value(self->queue, self->value));
    ASYNC_END;
}

static ASYNC(gets_value, ARGS((thrum_queue *, queue)), LOCALS(thrum_value value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, thrum_queue_get_value(self->queue));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

TEST(queues_end, by_value)
{
    uint64_t storage[4];
    static const size_t sizes[] = {1, 2, 4, 8};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && sizes[i] <= sizeof(thrum_value); i++) {
        thrum_queue queue;
        thrum_value value = 0;
        begin();
        CHECK_EQ(thrum_queue_init(&queue, storage, 1, sizes[i]), 0);
        thrum_task *get[2] = {thrum_spawn(gets_value(&queue)), thrum_spawn(gets_value(&queue))};
        thrum_task *put[2] = {thrum_spawn(puts_value(&queue, -7)), thrum_spawn(puts_value(&queue, 100))};
        sim_settle();
        CHECK_EQ(result(put[0]) | result(put[1]), 0);
        CHECK_EQ(thrum_task_result(get[0], &value), 0);
        CHECK_EQ(value, -7);
        thrum_task_release(get[0]);
        CHECK_EQ(result(get[1]), 100);

        put[0] = thrum_spawn(puts_value(&queue, 1)), put[1] = thrum_spawn(puts_value(&queue, 2));
        sim_settle(); /* the second one waits */
        get[0] = thrum_spawn(gets_value(&queue)), get[1] = thrum_spawn(gets_value(&queue));
        sim_settle();
        CHECK_EQ(result(get[0]), 1);
        CHECK_EQ(result(get[1]), 2);
        CHECK_EQ(result(put[0]) | result(put[1]), 0);
        thrum_queue_shutdown(&queue, false);
        get[0] = thrum_spawn(gets_value(&queue));
        sim_settle();
        CHECK_EQ(result(get[0]), THRUM_ESHUTDOWN);
        end();
    }
    thrum_queue queue;
    begin();
    CHECK_EQ(thrum_queue_init(&queue, storage, 1, 3), 0);
    thrum_task *get = thrum_spawn(gets_value(&queue)), *put = thrum_spawn(puts_value(&queue, 1));
    sim_settle();
    CHECK_EQ(result(get), THRUM_EINVAL);
    CHECK_EQ(result(put), THRUM_EINVAL);
    end();
}
