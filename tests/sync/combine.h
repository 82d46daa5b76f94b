/* What the tests of gather, wait and the like share: workers that leave a trace, a bystander that counts passes, an
 * allocator that fails. */
/* thrum-check: ignore-file thrum-cancellation-swallowed */
#ifndef THRUM_TEST_COMBINE_H
#define THRUM_TEST_COMBINE_H

#include <sim.h>
#include <stdlib.h>

static char trace[256];

static inline void put(const char *text)
{
    CHECK_LT(strlen(trace) + strlen(text), sizeof trace);
    strcat(trace, text);
}

static inline void put_char(char c)
{
    const char text[] = {c, '\0'};
    put(text);
}

/* How a worker is: its letter goes into the trace when it begins ('a'), small letters in brackets when it is cancelled;
 * the capital one when it ends by itself. */
typedef struct work {
    char name;
    sim_delay sleeps; /* -1: yields once; -2: does not suspend */
    int error;        /* or it gives its letter */
    sim_delay cleans; /* how long it cleans up when cancelled; -1: not at all */
    bool ignores;     /* a cancellation, and gives its letter all the same */
    int last_error;   /* raised by the clean-up */
} work;

static ASYNC(worker, ARGS((work, how)), LOCALS(int caught;), ON_DROP(put_char('-'); put_char(self->how.name);))
{
    ASYNC_BEGIN;
    put_char(self->how.name);
    if (self->how.sleeps == -1)
        AWAIT_CATCH_ALL(self->caught, thrum_yield());
    else if (self->how.sleeps >= 0)
        AWAIT_CATCH_ALL(self->caught, thrum_sleep((thrum_time)self->how.sleeps));
    if (self->caught) {
        put_char('(');
        put_char(self->how.name);
        if (self->how.cleans >= 0)
            AWAIT(thrum_sleep((thrum_time)self->how.cleans));
        put_char(')');
        if (self->how.last_error)
            ASYNC_RAISE(self->how.last_error);
        if (!self->how.ignores)
            ASYNC_RAISE(self->caught);
    }
    put_char((char)(self->how.name - 'a' + 'A'));
    if (self->how.error)
        ASYNC_RAISE(thrum_error_set(self->how.error, 0, "work", self->how.name, NULL));
    ASYNC_RETURN(self->how.name);
    ASYNC_END;
}

static inline thrum_awaitable gives(char name, sim_delay sleeps)
{
    const work how = {name, sleeps, 0, -1, false, 0};
    return worker(how);
}

static inline thrum_awaitable fails(char name, sim_delay sleeps, int error)
{
    const work how = {name, sleeps, error, -1, false, 0};
    return worker(how);
}

static inline thrum_awaitable cleans(char name, sim_delay sleeps, sim_delay clean)
{
    const work how = {name, sleeps, 0, clean, false, 0};
    return worker(how);
}

static inline thrum_awaitable ignores(char name, sim_delay sleeps)
{
    const work how = {name, sleeps, 0, -1, true, 0};
    return worker(how);
}

static inline thrum_awaitable fails_late(char name, sim_delay sleeps, sim_delay clean, int error)
{
    const work how = {name, sleeps, 0, clean, false, error};
    return worker(how);
}

/* The end of a task that the test holds. */
static inline int end_of(thrum_task *task, thrum_value *value)
{
    thrum_value got = 0;
    CHECK_EQ(sim_until(task), 0);
    int error = thrum_task_result(task, &got);
    if (value)
        *value = got;
    thrum_task_release(task);
    return error;
}

static inline void begin(void)
{
    trace[0] = '\0';
    sim_open();
}

/* How many passes until a task has ended; time does not move. */
static inline int passes_of(const thrum_task *task)
{
    int passes = 0;
    while (!thrum_task_done(task) && passes < 100) {
        sim_pass();
        passes++;
    }
    return passes;
}

/* ---- an allocator that fails ---- */

static size_t allocations, fail_at, live;

static inline void *failing_take(void *context, size_t size)
{
    (void)context;
    if (++allocations == fail_at)
        return NULL;
    live++;
    return malloc(size);
}

static inline void failing_give(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    live--;
    free(memory);
}

static const thrum_allocator failing_allocator = {failing_take, failing_give, NULL, true};

/* The n-th allocation fails, for every n: the program ends with THRUM_ENOMEM or as it does otherwise, and nothing is
 * left. Gives how often it failed. */
static inline size_t every_allocation_fails(thrum_awaitable (*program)(void), int otherwise)
{
    size_t all = 0, failed = 0;
    CHECK_EQ(thrum_pool_use_allocator(&failing_allocator), 0);
    for (size_t n = 0; n <= all; n++) {
        begin();
        CHECK_EQ(sim_run(thrum_sleep(0), NULL), 0); /* the pool has what it keeps */
        size_t before = live;
        allocations = 0;
        fail_at = n;
        int error = sim_run(program(), NULL);
        sim_finish();
        if (n == 0)
            all = allocations;
        fail_at = 0;
        CHECK(error == otherwise || (n && error == THRUM_ENOMEM));
        failed += error == THRUM_ENOMEM;
        CHECK_EQ(thrum_all_tasks(NULL, 0), 0);
        CHECK_EQ(live, before);
        sim_close();
    }
    return failed;
}

#endif
