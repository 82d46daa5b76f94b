/* What tasks do together: the second half of micro.c. */
#include "micro_sync.h"
#include "../support/bench.h"

#include <thrum/async.h>
#include <thrum/contextvars.h>
#include <thrum/events.h>
#include <thrum/gather.h>
#include <thrum/generators.h>
#include <thrum/locks.h>
#include <thrum/runners.h>
#include <thrum/typedqueues.h>

enum { BATCH = 100, MANY = 1000 };

/* ---- mutex: a lock that nobody else wants, taken and given back ---- */

static ASYNC(mutex, ARGS((long, count)), LOCALS(long i; thrum_lock lock;))
{
    ASYNC_BEGIN;
    bench_begin();
    for (self->i = 0; self->i < self->count; self->i++) {
        AWAIT_LOCK(&self->lock);
        thrum_lock_release(&self->lock);
    }
    bench_end(self->count);
    ASYNC_END;
}

int bench_mutex(long parameter, long count)
{
    (void)parameter;
    return thrum_run(mutex(count));
}

/* ---- queue, queue1: items from one task to another ---- */

/* A queue of 1 is this one with less room. */
typedef QUEUE_OF(long, 64) long_queue;

static ASYNC(produce, ARGS((long_queue *, queue), (long, count)), LOCALS(long item;))
{
    ASYNC_BEGIN;
    for (self->item = 0; self->item < self->count; self->item++)
        AWAIT_PUT(self->queue, &self->item);
    ASYNC_END;
}

static ASYNC(consume, ARGS((long_queue *, queue), (long, count)), LOCALS(long i, item;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->count; self->i++) {
        AWAIT_GET(self->queue, &self->item);
        if (self->item != self->i)
            ASYNC_RAISE(THRUM_ESTATE);
    }
    ASYNC_END;
}

static ASYNC(queue, ARGS((long, capacity), (long, count)), LOCALS(long_queue queue; thrum_task * producer, *consumer;))
{
    ASYNC_BEGIN;
    if (thrum_queue_init(&self->queue.queue, self->queue.items_, (size_t)self->capacity, sizeof(long)))
        ASYNC_RAISE(THRUM_EINVAL);
    bench_begin();
    self->producer = thrum_spawn(produce(&self->queue, self->count));
    self->consumer = thrum_spawn(consume(&self->queue, self->count));
    AWAIT(self->producer);
    AWAIT(self->consumer);
    bench_end(self->count);
    thrum_task_release(self->producer);
    thrum_task_release(self->consumer);
    ASYNC_END;
}

int bench_queue(long capacity, long count)
{
    return thrum_run(queue(capacity, count));
}

/* ---- gather: MANY async functions at once, and their results ---- */

static ASYNC(answer, ARGS((long, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(gather, ARGS((long, count)), LOCALS(long done;))
{
    static thrum_value results[MANY];
    ASYNC_BEGIN;
    thrum_awaitable what[MANY];
    bench_begin();
    for (self->done = 0; self->done < self->count; self->done += MANY) {
        for (int i = 0; i < MANY; i++)
            what[i] = answer(self->done + i);
        AWAIT(thrum_gather_array(MANY, what, results));
        if (results[0] != self->done || results[MANY - 1] != self->done + MANY - 1)
            ASYNC_RAISE(THRUM_ESTATE);
    }
    bench_end(self->count);
    ASYNC_END;
}

int bench_gather(long parameter, long count)
{
    (void)parameter;
    return thrum_run(gather(count));
}

/* ---- generator: an item at each turn of the loop over it ---- */

static ASYNC_GEN(numbers, ARGS((long, count)), LOCALS(long i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->count; self->i++)
        YIELD(self->i);
    ASYNC_END;
}

static ASYNC(generator, ARGS((long, count)), LOCALS(thrum_iteration each; long item, sum;))
{
    ASYNC_BEGIN;
    bench_begin();
    ASYNC_FOR (self->item, self->each, numbers(self->count))
        self->sum += self->item;
    bench_end(self->count);
    if (self->sum != self->count * (self->count - 1) / 2)
        ASYNC_RAISE(THRUM_ESTATE);
    ASYNC_END;
}

int bench_generator(long parameter, long count)
{
    (void)parameter;
    return thrum_run(generator(count));
}

/* ---- broadcast: an event wakes MANY tasks, which wait for it again ---- */

static ASYNC(listen_often, ARGS((thrum_event *, event), (long, rounds)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (self->rounds-- > 0)
        AWAIT(self->event);
    ASYNC_END;
}

static ASYNC(broadcast, ARGS((long, count)), LOCALS(thrum_event event; long i, rounds;))
{
    ASYNC_BEGIN;
    self->rounds = self->count / MANY;
    for (self->i = 0; self->i < MANY; self->i++)
        if (thrum_spawn_detached(listen_often(&self->event, self->rounds)))
            ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(thrum_yield());
    bench_begin();
    for (self->i = 0; self->i < self->rounds; self->i++) {
        thrum_event_set(&self->event);
        thrum_event_clear(&self->event);
        AWAIT(thrum_yield());
    }
    bench_end(self->count);
    ASYNC_END;
}

int bench_broadcast(long parameter, long count)
{
    (void)parameter;
    return thrum_run(broadcast(count));
}

/* ---- inherit: `create` where a context variable is set, which every task reads ---- */

static thrum_context_var number = THRUM_CONTEXT_VAR("number", 0);

static ASYNC(heir, ARGS((long *, left), (long *, sum), (thrum_event *, all)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    *self->sum += (long)thrum_context_get(&number);
    if (--*self->left == 0)
        thrum_event_set(self->all);
    ASYNC_END;
}

static ASYNC(inherit, ARGS((long, count)), LOCALS(long done, left, sum; int i; thrum_event all;))
{
    ASYNC_BEGIN;
    if (thrum_context_set(&number, 3, NULL))
        ASYNC_RAISE(THRUM_ENOMEM);
    bench_begin();
    for (self->done = 0; self->done < self->count; self->done += BATCH) {
        self->left = BATCH;
        thrum_event_clear(&self->all);
        for (self->i = 0; self->i < BATCH; self->i++)
            if (thrum_spawn_detached(heir(&self->left, &self->sum, &self->all)))
                ASYNC_RAISE(THRUM_ENOMEM);
        AWAIT(&self->all);
    }
    bench_end(self->count);
    if (self->sum != 3 * self->done)
        ASYNC_RAISE(THRUM_ESTATE);
    ASYNC_END;
}

int bench_inherit(long parameter, long count)
{
    (void)parameter;
    return thrum_run(inherit(count));
}

/* ---- post: what wake.c does with two threads, by one: BATCH calls are posted, and made ---- */

static thrum_event all_called;
static long to_call;

static void count_post(thrum_post *post)
{
    (void)post;
    if (--to_call == 0)
        thrum_event_set(&all_called);
}

static ASYNC(post, ARGS((long, count)), LOCALS(long done; thrum_loop * loop;))
{
    static thrum_post posts[BATCH];
    ASYNC_BEGIN;
    self->loop = thrum_loop_running();
    for (int i = 0; i < BATCH; i++)
        posts[i].call = count_post;
    bench_begin();
    for (self->done = 0; self->done < self->count; self->done += BATCH) {
        to_call = BATCH;
        thrum_event_clear(&all_called);
        for (int i = 0; i < BATCH; i++)
            if (thrum_call_soon_threadsafe(self->loop, &posts[i]))
                ASYNC_RAISE(THRUM_ECLOSED);
        AWAIT(&all_called);
    }
    bench_end(self->count);
    ASYNC_END;
}

int bench_post(long parameter, long count)
{
    (void)parameter;
    return thrum_run(post(count));
}
