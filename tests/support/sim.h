/* A loop on virtual time for tests: the clock jumps to the next timer when nothing is ready, so nothing here ever
 * waits.
 *
 *     thrum_value value;
 *     CHECK_EQ(sim_run(app(), &value), 0);         one loop for one async function, and nothing left behind
 *
 *     sim_open();                                  or step by step:
 *     thrum_task *task = thrum_spawn(app());
 *     sim_pass();                                  one pass; time does not move
 *     sim_until(task);                             passes until it has ended
 *     sim_close();                                 checks that no block of the pool is in use any more
 *
 * With TEST_EAGER in the environment tasks begin eagerly (eager.h).
 *
 * Times count from where the clock stood then: sim_time(), sim_at(30). Firmware starts it elsewhere, too (SIM_START).
 *
 * What nobody awaited is found in sim.notes. On hosts this goes through the public loop; with -DTEST_SIM_CORE, and on
 * microcontrollers, it drives the core itself. */
#ifndef THRUM_TEST_SIM_H
#define THRUM_TEST_SIM_H

#include <test.h>
#include <thrum.h>

#if !THRUM_HOSTED && !defined(TEST_SIM_CORE)
#define TEST_SIM_CORE
#endif
#ifdef TEST_SIM_CORE
#include "core/scheduler.h"
#else
#include "eager.h"
#endif

/* Where the clock begins. */
#ifndef SIM_START
#define SIM_START 0
#endif

/* A time or delay of tests, which may be negative also where thrum_time is not. */
#if THRUM_TIME_BITS == 64
typedef int64_t sim_delay;
#else
typedef int32_t sim_delay;
#endif

enum { SIM_NOTES = 24, SIM_DEADLOCK = -32000 };

/* One report to the exception handler. */
typedef struct sim_note {
    const char *message;
    int error;
    const char *function;
    unsigned line;
    bool task;
    char name[24];   /* of the task */
    int detail_code; /* of the detail, or 0 */
} sim_note;

typedef struct sim_world {
    bool open;
    size_t base; /* blocks of the pool that the open loop itself needs */
    size_t passes;
    size_t reports; /* may be more than there are notes */
    sim_note notes[SIM_NOTES];
#ifdef TEST_SIM_CORE
    thrum_time now;
#else
    thrum_loop *loop;
#endif
} sim_world;

static sim_world sim;

/* Whether tasks begin eagerly in this run, and a test's means to have them begin lazily after all: it asserts when they
 * begin. */
static inline bool sim_eager(void)
{
#ifdef TEST_SIM_CORE
    return false;
#else
    return eager_wanted();
#endif
}

static inline void sim_start_lazily(void)
{
#ifndef TEST_SIM_CORE
    eager_refuse();
#endif
}

static inline void sim_note_(const char *message, int error, const thrum_function *function, unsigned line,
                             const thrum_task *task, const thrum_error *detail)
{
    if (sim.reports < SIM_NOTES) {
        sim_note *note = &sim.notes[sim.reports];
        const char *name = task ? thrum_task_name(task) : "";
        size_t i = 0;
        note->message = message;
        note->error = error;
        note->function = thrum_function_name(function);
        note->line = line;
        note->task = task != NULL;
        note->detail_code = detail ? (int)detail->code : 0;
        for (; name[i] && i < sizeof note->name - 1; i++)
            note->name[i] = name[i];
        note->name[i] = '\0';
    }
    sim.reports++;
}

static inline size_t sim_all_blocks_(void)
{
    thrum_pool_stats stats;
    thrum_pool_stats_get(&stats);
    return stats.blocks;
}

/* Ticks since the loop was opened, as the task or callback that runs sees it; and the loop's time that many ticks after
 * it was opened. */
static inline sim_delay sim_time(void)
{
    return (sim_delay)(thrum_now() - (thrum_time)SIM_START);
}

static inline thrum_time sim_at(sim_delay ticks)
{
    return (thrum_time)SIM_START + (thrum_time)ticks;
}

/* Blocks of the pool that tests have in use. */
static inline size_t sim_blocks(void)
{
    return sim_all_blocks_() - sim.base;
}

#ifdef TEST_SIM_CORE

static inline void sim_report_(const thrum_core_report *report)
{
    sim_note_(report->message, report->error, report->function, (unsigned)report->line, report->task,
              report->task ? thrum_task_error(report->task) : NULL);
}

static inline void sim_open(void)
{
    memset(&sim, 0, sizeof sim);
    size_t before = sim_all_blocks_();
    sim.now = SIM_START;
    CHECK(thrum_core_open(&sim, sim.now, sim_report_));
    sim.base = sim_all_blocks_() - before;
    sim.open = true;
}

/* Whether there is memory for a loop. */
static inline bool sim_fits(void)
{
    bool fits = thrum_core_open(&sim, SIM_START, sim_report_);
    if (fits)
        thrum_core_close();
    return fits;
}

static inline bool sim_ready(void)
{
    return thrum_core_ready();
}

/* When there is something to do again, in ticks since the loop was opened: 0 at once, -1 never. */
static inline sim_delay sim_next(void)
{
    thrum_time next = thrum_core_next();
    return thrum_core_ready() ? 0 : next == THRUM_NEVER ? -1 : (sim_delay)(next - (thrum_time)SIM_START);
}

/* One pass; when nothing is ready and `jump`, the clock goes to the next timer first. */
static inline int sim_step_(bool jump)
{
    if (jump && !thrum_core_ready()) {
        thrum_time next = thrum_core_next();
        if (next == THRUM_NEVER)
            return SIM_DEADLOCK;
        if ((sim_delay)(next - sim.now) > 0)
            sim.now = next;
    }
    sim.passes++;
    thrum_core_run(sim.now);
    return 0;
}

static inline void sim_end_(void)
{
    thrum_core_close();
}

#else

static inline void sim_report_(thrum_loop *loop, const thrum_report *report, void *context)
{
    (void)loop;
    (void)context;
    sim_note_(report->message, report->error, report->function, (unsigned)report->line, report->task, report->detail);
}

static inline void sim_open(void)
{
    thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM};
    memset(&sim, 0, sizeof sim);
    size_t before = sim_all_blocks_();
    CHECK_EQ(thrum_loop_new(&sim.loop, &options), 0);
    sim.base = sim_all_blocks_() - before;
    sim.open = true;
    thrum_loop_set_exception_handler(sim.loop, sim_report_, NULL);
    eager_prepare(sim.loop);
}

static inline bool sim_fits(void)
{
    thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM};
    thrum_loop *loop;
    bool fits = thrum_loop_new(&loop, &options) == 0;
    if (fits)
        thrum_loop_close(loop);
    return fits;
}

static inline bool sim_ready(void)
{
    return thrum_loop_next_deadline(sim.loop) == 0;
}

static inline sim_delay sim_next(void)
{
    thrum_time next = thrum_loop_next_deadline(sim.loop);
    return next == THRUM_NEVER ? -1 : next;
}

static inline int sim_step_(bool jump)
{
    if (jump && thrum_loop_next_deadline(sim.loop) == THRUM_NEVER)
        return SIM_DEADLOCK;
    sim.passes++;
    return thrum_loop_step(sim.loop, jump ? THRUM_NEVER : 0);
}

static inline void sim_end_(void)
{
    CHECK_EQ(thrum_loop_close(sim.loop), 0);
}

#endif

/* One pass; time does not move. */
static inline void sim_pass(void)
{
    CHECK_EQ(sim_step_(false), 0);
}

/* Passes until nothing is ready; time does not move. Gives how many. */
static inline size_t sim_settle(void)
{
    size_t passes = 0;
    for (; sim_ready(); passes++)
        sim_pass();
    return passes;
}

/* Passes, with time moving on, until a task has ended. 0; SIM_DEADLOCK when it never will. */
static inline int sim_until(const thrum_task *task)
{
    int error = 0;
    while (!error && !thrum_task_done(task))
        error = sim_step_(true);
    return error;
}

/* Passes, with time moving on, until nothing is left to do. */
static inline void sim_finish(void)
{
    while (sim_step_(true) == 0)
        continue;
}

/* Close without looking whether something was left. */
static inline void sim_abandon(void)
{
    sim_end_();
    sim.open = false;
    sim.base = 0;
}

static inline void sim_close(void)
{
    sim_abandon();
    CHECK_EQ(sim_blocks(), 0);
}

/* Run something to its end: its error, or SIM_DEADLOCK. Opens a loop and closes it again unless one is open. */
static inline int sim_run(thrum_awaitable what, thrum_value *value)
{
    bool own = !sim.open;
    if (own)
        sim_open();
    thrum_task *task = thrum_spawn(what);
    int error = task ? sim_until(task) : THRUM_ENOMEM;
    if (task && !error)
        error = thrum_task_result(task, value);
    thrum_task_release(task);
    if (own)
        sim_close();
    return error;
}

#endif
