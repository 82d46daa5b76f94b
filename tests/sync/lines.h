/* What the tests of things to wait for in line share: tasks that are kept until the end, and a trace of letters. A test
 * stands outside of the loop; sim_pass() is what `await asyncio.sleep(0)` is to the main task of asyncio's tests. */
#ifndef THRUM_TEST_LINES_H
#define THRUM_TEST_LINES_H

#include <sim.h>

enum { LINES_TASKS = 32 };

static char trace[128];
static thrum_task *started[LINES_TASKS];
static size_t started_count;

static inline void put(char what)
{
    size_t length = strlen(trace);
    CHECK_LT(length, sizeof trace - 1);
    trace[length] = what;
    trace[length + 1] = '\0';
}

static inline void begin(void)
{
    trace[0] = '\0';
    sim_open();
}

static inline thrum_task *go(thrum_awaitable what)
{
    thrum_task *task = thrum_spawn(what);
    CHECK_NOT_NULL(task);
    CHECK_LT(started_count, LINES_TASKS);
    return started[started_count++] = task;
}

/* How a task ended; THRUM_EPENDING while it runs. */
static inline int ended(thrum_task *task)
{
    return thrum_task_result(task, NULL);
}

static inline thrum_value result_of(thrum_task *task)
{
    thrum_value value = -1;
    CHECK_EQ(thrum_task_result(task, &value), 0);
    return value;
}

/* Everything runs to its end, and nothing is left. */
static inline void over(void)
{
    sim_finish();
    while (started_count) {
        thrum_task *task = started[--started_count];
        CHECK(thrum_task_done(task));
        (void)ended(task);
        thrum_task_release(task);
    }
    CHECK_EQ(sim.reports, 0);
    sim_close();
}

#endif
