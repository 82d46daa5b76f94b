/* micro BENCH N over thrum's public headers: the same work as field/floor.c and field/asyncio_micro.py. */
#include "../support/bench.h"
#include "micro_sync.h"

#include <thrum/async.h>
#include <thrum/events.h>
#include <thrum/runners.h>
#include <thrum/timeouts.h>

enum { BATCH = 100 };

static ASYNC(noop, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}

static ASYNC(yields, ARGS((long, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    while (self->count-- > 0)
        AWAIT(thrum_yield());
    ASYNC_END;
}

static ASYNC(nested, ARGS((long, depth), (long, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->depth > 0)
        AWAIT(nested(self->depth - 1, self->count));
    else
        while (self->count-- > 0)
            AWAIT(thrum_yield());
    ASYNC_END;
}

static ASYNC(blocked, ARGS((thrum_event *, event)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(self->event);
    ASYNC_END;
}

/* Sleeps, and the last one to end completes the future. */
static ASYNC(sleeper, ARGS((thrum_time, delay), (long *, left), (thrum_future *, last)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->delay));
    if (--*self->left == 0)
        thrum_future_set_result(self->last, 0);
    ASYNC_END;
}

/* Waits for tasks in their order and gives them back. */
static ASYNC(join, ARGS((thrum_task **, tasks), (long, count)), LOCALS(long i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->count; self->i++) {
        AWAIT(self->tasks[self->i]);
        thrum_task_release(self->tasks[self->i]);
    }
    ASYNC_END;
}

/* create: BATCH tasks that end at once; the last one wakes their maker. */
static ASYNC(member, ARGS((long *, left), (thrum_event *, all)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (--*self->left == 0)
        thrum_event_set(self->all);
    ASYNC_END;
}

static ASYNC(create, ARGS((long, parameter), (long, count)), LOCALS(long done, left; int i; thrum_event all;))
{
    ASYNC_BEGIN;
    bench_begin();
    for (self->done = 0; self->done < self->count; self->done += BATCH) {
        self->left = BATCH;
        thrum_event_clear(&self->all);
        for (self->i = 0; self->i < BATCH; self->i++)
            if (thrum_spawn_detached(member(&self->left, &self->all)))
                ASYNC_RAISE(THRUM_ENOMEM);
        AWAIT(&self->all);
    }
    bench_end(self->count);
    ASYNC_END;
}

/* join: the same with handles, each awaited and given back. */
static ASYNC(joined, ARGS((long, parameter), (long, count)), LOCALS(long done; int i; thrum_task * tasks[BATCH];))
{
    ASYNC_BEGIN;
    bench_begin();
    for (self->done = 0; self->done < self->count; self->done += BATCH) {
        for (self->i = 0; self->i < BATCH; self->i++)
            self->tasks[self->i] = thrum_spawn(noop());
        AWAIT(join(self->tasks, BATCH));
    }
    bench_end(self->count);
    ASYNC_END;
}

static ASYNC(yield, ARGS((long, parameter), (long, count)), LOCALS(thrum_task *tasks[1000]; long i;))
{
    ASYNC_BEGIN;
    bench_begin();
    for (self->i = 0; self->i < self->parameter; self->i++)
        self->tasks[self->i] = thrum_spawn(yields(self->count / self->parameter));
    AWAIT(join(self->tasks, self->parameter));
    bench_end(self->count);
    ASYNC_END;
}

static ASYNC(nest, ARGS((long, parameter), (long, count)), LOCALS(thrum_task *tasks[2];))
{
    ASYNC_BEGIN;
    bench_begin();
    self->tasks[0] = thrum_spawn(nested(self->parameter, self->count / 2));
    self->tasks[1] = thrum_spawn(nested(self->parameter, self->count / 2));
    AWAIT(join(self->tasks, 2));
    bench_end(self->count);
    ASYNC_END;
}

static ASYNC(await0, ARGS((long, parameter), (long, count)), LOCALS(long i;))
{
    ASYNC_BEGIN;
    bench_begin();
    for (self->i = 0; self->i < self->count; self->i++)
        AWAIT(noop());
    bench_end(self->count);
    ASYNC_END;
}

/* timeout: a block with a deadline around a yield. */
static ASYNC(timeout, ARGS((long, parameter), (long, count)), LOCALS(long i; thrum_deadline limit;))
{
    ASYNC_BEGIN;
    bench_begin();
    for (self->i = 0; self->i < self->count; self->i++) {
        WITH (self->limit, thrum_deadline_after(&self->limit, SECONDS(10))) {
            AWAIT(thrum_yield());
        }
    }
    bench_end(self->count);
    ASYNC_END;
}

/* wait_for: one await with a limit. */
static ASYNC(wait_for, ARGS((long, parameter), (long, count)), LOCALS(long i;))
{
    ASYNC_BEGIN;
    bench_begin();
    for (self->i = 0; self->i < self->count; self->i++)
        AWAIT(thrum_timeout(SECONDS(10), thrum_yield()));
    bench_end(self->count);
    ASYNC_END;
}

/* cancel: BATCH tasks block on an event, are cancelled, and joined. */
static ASYNC(cancel, ARGS((long, parameter), (long, count)),
             LOCALS(long left; int i, error; thrum_event event; thrum_task * tasks[BATCH];))
{
    ASYNC_BEGIN;
    bench_begin();
    for (self->left = self->count; self->left > 0; self->left -= BATCH) {
        for (self->i = 0; self->i < BATCH; self->i++)
            self->tasks[self->i] = thrum_spawn(blocked(&self->event));
        AWAIT(thrum_yield());
        for (self->i = 0; self->i < BATCH; self->i++)
            thrum_task_cancel(self->tasks[self->i]);
        for (self->i = 0; self->i < BATCH; self->i++) {
            AWAIT_CATCH_ALL(self->error, self->tasks[self->i]);
            thrum_task_release(self->tasks[self->i]);
            if (self->error != THRUM_ECANCELED)
                ASYNC_RAISE(THRUM_ESTATE);
        }
    }
    bench_end(self->count);
    ASYNC_END;
}

/* timers: tasks that sleep 1 to 1000 ms each. */
static ASYNC(timers, ARGS((long, parameter), (long, count)), LOCALS(long i, left; thrum_future last;))
{
    ASYNC_BEGIN;
    bench_begin();
    self->left = self->count;
    for (self->i = 0; self->i < self->count; self->i++)
        if (thrum_spawn_detached(sleeper(MILLISECONDS(1) * bench_random(1000), &self->left, &self->last)))
            ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(&self->last);
    bench_end(self->count);
    ASYNC_END;
}

static void never_called(thrum_handle *handle)
{
    (void)handle;
}

/* tcancel: handles of the caller's, armed for 1 to 1000 s, and taken back. */
static ASYNC(tcancel, ARGS((long, parameter), (long, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    thrum_handle *handles;
    bench_begin();
    handles = calloc((size_t)self->count, sizeof *handles);
    if (!handles)
        ASYNC_RAISE(THRUM_ENOMEM);
    for (long i = 0; i < self->count; i++) {
        thrum_handle_init(&handles[i], never_called, NULL);
        if (thrum_call_later(SECONDS(1) * bench_random(1000), &handles[i]))
            ASYNC_RAISE(THRUM_ESTATE);
    }
    for (long i = 0; i < self->count; i++)
        if (!thrum_handle_cancel(&handles[i]))
            ASYNC_RAISE(THRUM_ESTATE);
    bench_end(self->count);
    free(handles);
    ASYNC_END;
}

/* mem: what a sleeping task takes, its frame included. */
static ASYNC(mem, ARGS((long, parameter), (long, count)), LOCALS(long i, left, before; thrum_future last;))
{
    ASYNC_BEGIN;
    self->before = bench_resident();
    self->left = self->count;
    for (self->i = 0; self->i < self->count; self->i++)
        if (thrum_spawn_detached(sleeper(SECONDS(3600), &self->left, &self->last)))
            ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(thrum_sleep(MILLISECONDS(10)));
    bench_bytes(bench_resident() - self->before, self->count);
    _exit(0);
    ASYNC_END;
}

#define CASE(name)                                                                                                     \
    static int run_##name(long parameter, long count)                                                                  \
    {                                                                                                                  \
        return thrum_run(name(parameter, count));                                                                      \
    }
CASE(create)
CASE(joined)
CASE(yield)
CASE(nest)
CASE(await0)
CASE(timeout)
CASE(wait_for)
CASE(cancel)
CASE(timers)
CASE(tcancel)
CASE(mem)

static const struct bench_case cases[] = {
    {"create", run_create, 0},
    {"join", run_joined, 0},
    {"yield2", run_yield, 2},
    {"yield1000", run_yield, 1000},
    {"nest1", run_nest, 1},
    {"nest10", run_nest, 10},
    {"nest100", run_nest, 100},
    {"await0", run_await0, 0},
    {"timeout", run_timeout, 0},
    {"cancel", run_cancel, 0},
    {"wait_for", run_wait_for, 0},
    {"timers", run_timers, 0},
    {"tcancel", run_tcancel, 0},
    {"mem", run_mem, 0},
    {"mutex", bench_mutex, 0},
    {"queue", bench_queue, 64},
    {"queue1", bench_queue, 1},
    {"gather", bench_gather, 0},
    {"generator", bench_generator, 0},
    {"broadcast", bench_broadcast, 0},
    {"inherit", bench_inherit, 0},
    {"post", bench_post, 0},
};

BENCH_MAIN(cases)
