/* What is used up and used again, in debug mode: each time a report of what it was, where it was made and who came
 * again, and an error for him; whoever has the memory now, or runs in it, is left alone. */
/* thrum-check: ignore-file */
#include "support.h"

#include <stdio.h>

static lines logged;

static void note(void *context, const char *line)
{
    (void)context;
    put_line(&logged, line);
}

static bool has(const char *text)
{
    return strstr(logged.text, text) != NULL;
}

static thrum_loop *open_debug(void)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM, .debug = true};
    thrum_loop *loop = NULL;
    logged.text[0] = '\0';
    thrum_log_set(note, NULL);
    CHECK_EQ(thrum_loop_new(&loop, &options), 0);
    eager_prepare(loop);
    return loop;
}

static void close_debug(thrum_loop *loop)
{
    thrum_pool_stats stats;
    CHECK_EQ(thrum_loop_close(loop), 0);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.blocks, 0);
    CHECK_EQ(stats.used, 0);
}

static void run(thrum_awaitable (*app)(void))
{
    thrum_loop *loop = open_debug();
    CHECK_EQ(thrum_loop_run_until_complete(loop, app(), NULL), 0);
    close_debug(loop);
}

static int ran;

static ASYNC(runs, ARGS((int, by)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ran += self->by;
    AWAIT(thrum_sleep(SECONDS(1)));
    ran += self->by;
    ASYNC_RETURN(self->by);
    ASYNC_END;
}

static ASYNC(at_once, ARGS((int, by)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ran += self->by;
    ASYNC_RETURN(self->by);
    ASYNC_END;
}

/* The report, said once; and then it is forgotten. */
#define TOLD(what, by)                                                                                                 \
    do {                                                                                                               \
        CHECK(has(what ": an awaitable is used again\n"));                                                             \
        CHECK(has("  made in " by ", after "));                                                                        \
        CHECK(has("\n  in " by ", "));                                                                                 \
        CHECK(has("used_again.c:"));                                                                                   \
        logged.text[0] = '\0';                                                                                         \
    } while (0)

/* ---- async functions ---- */

static ASYNC(awaits_again, ARGS_NONE, LOCALS(thrum_awaitable what, other; int value; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ran = 0;
    self->what = runs(1);
    AWAIT(self->what);
    self->other = runs(10); /* would be in its memory */
    AWAIT_CATCH(self->error, self->what);
    CHECK_EQ(self->error, THRUM_ESTATE);
    TOLD("runs", "awaits_again");
    CHECK_EQ(ran, 2);
    AWAIT_INTO(self->value, self->other);
    CHECK_EQ(self->value, 10);
    CHECK_EQ(ran, 22);
    /* What never suspended as well. */
    self->what = at_once(100);
    AWAIT(self->what);
    AWAIT_CATCH(self->error, self->what);
    CHECK_EQ(self->error, THRUM_ESTATE);
    TOLD("at_once", "awaits_again");
    CHECK_EQ(ran, 122);
    ASYNC_END;
}

TEST(used_again, awaited)
{
    run(awaits_again);
}

static ASYNC(uses_what_runs, ARGS_NONE, LOCALS(thrum_awaitable what; thrum_task * tasks[2]; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ran = 0;
    /* Spawned twice, before it begins and while it waits; and awaited. */
    self->what = runs(1);
    self->tasks[0] = thrum_spawn(self->what);
    self->tasks[1] = thrum_spawn(self->what);
    TOLD("runs", "uses_what_runs");
    AWAIT_CATCH(self->error, self->tasks[1]);
    CHECK_EQ(self->error, THRUM_ESTATE);
    thrum_task_release(self->tasks[1]);
    self->tasks[1] = thrum_spawn(self->what);
    TOLD("runs", "uses_what_runs");
    AWAIT_CATCH(self->error, self->what);
    CHECK_EQ(self->error, THRUM_ESTATE);
    TOLD("runs", "uses_what_runs");
    CHECK_EQ(thrum_spawn_detached(thrum_timeout(SECONDS(9), self->what)), 0);
    thrum_drop(self->what);
    TOLD("runs", "uses_what_runs");
    CHECK_EQ(ran, 1);
    AWAIT(self->tasks[0]);
    CHECK_EQ(ran, 2);
    thrum_task_release(self->tasks[0]);
    thrum_task_release(self->tasks[1]);
    ASYNC_END;
}

TEST(used_again, while_it_runs)
{
    run(uses_what_runs);
}

static ASYNC(spawns_again, ARGS_NONE, LOCALS(thrum_awaitable what; thrum_task * task; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    self->what = runs(1);
    AWAIT(self->what);
    self->task = thrum_spawn(self->what);
    TOLD("runs", "spawns_again");
    AWAIT_CATCH(self->error, self->task);
    CHECK_EQ(self->error, THRUM_ESTATE);
    thrum_task_release(self->task);
    /* Dropped, and used then. */
    self->what = runs(1);
    thrum_drop(self->what);
    CHECK_STR(logged.text, "");
    thrum_drop(self->what);
    TOLD("runs", "spawns_again");
    AWAIT_CATCH(self->error, thrum_timeout(SECONDS(1), self->what));
    CHECK_EQ(self->error, THRUM_ESTATE);
    TOLD("runs", "spawns_again");
    ASYNC_END;
}

TEST(used_again, spawned_and_dropped)
{
    run(spawns_again);
}

static ASYNC(gathers_twice, ARGS_NONE, LOCALS(thrum_awaitable what; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ran = 0;
    self->what = runs(1);
    AWAIT_CATCH(self->error, thrum_gather(NULL, self->what, runs(10), self->what));
    CHECK_EQ(self->error, THRUM_ESTATE);
    TOLD("runs", "gathers_twice");
    CHECK_EQ(ran, 11);
    ASYNC_END;
}

TEST(used_again, gathered_twice)
{
    run(gathers_twice);
}

static ASYNC(reserved, ARGS((int, by)), LOCALS_NONE, RESERVE(1))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ran += self->by;
    ASYNC_END;
}

static ASYNC(awaits_reserved, ARGS_NONE, LOCALS(thrum_awaitable what; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ran = 0;
    self->what = reserved(1);
    AWAIT(self->what);
    AWAIT_CATCH(self->error, self->what);
    CHECK_EQ(self->error, THRUM_ESTATE);
    TOLD("reserved", "awaits_reserved");
    AWAIT(reserved(10));
    CHECK_EQ(ran, 11);
    ASYNC_END;
}

TEST(used_again, of_a_reserve)
{
    run(awaits_reserved);
}

/* ---- operations, generators, tasks ---- */

static ASYNC(sleeps_again, ARGS_NONE, LOCALS(thrum_awaitable what, other; thrum_event event; int error;))
{
    ASYNC_BEGIN;
    thrum_event_init(&self->event);
    AWAIT(thrum_yield());
    self->what = thrum_sleep(SECONDS(1));
    AWAIT(self->what);
    self->other = thrum_event_wait(&self->event); /* would be in its place */
    AWAIT_CATCH(self->error, self->what);
    CHECK_EQ(self->error, THRUM_ESTATE);
    TOLD("sleep", "sleeps_again");
    thrum_event_set(&self->event);
    AWAIT(self->other);
    thrum_drop(self->other);
    TOLD("event", "sleeps_again");
    ASYNC_END;
}

TEST(used_again, an_operation)
{
    run(sleeps_again);
}

static ASYNC_GEN(counts, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    YIELD(1);
    ASYNC_END;
}

static ASYNC(iterates_again, ARGS_NONE, LOCALS(thrum_iterable what; thrum_iteration items; int item; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    self->what = counts();
    ASYNC_FOR (self->item, self->items, self->what)
        CHECK_EQ(self->item, 1);
    CHECK_EQ(thrum_iteration_open(&self->items, self->what), THRUM_ESTATE);
    TOLD("counts", "iterates_again");
    ASYNC_END;
}

TEST(used_again, a_generator)
{
    run(iterates_again);
}

static ASYNC(awaits_released, ARGS_NONE, LOCALS(thrum_task *task, *next; int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    self->task = thrum_spawn(at_once(1));
    AWAIT(self->task);
    thrum_task_release(self->task);
    self->next = thrum_spawn(at_once(2)); /* would be in its memory */
    CHECK_STR(logged.text, "");
    AWAIT_CATCH(self->error, self->task);
    CHECK_EQ(self->error, THRUM_ESTATE);
    CHECK(has("at_once: a task that was released is awaited\n"));
    CHECK(has("  in awaits_released, "));
    logged.text[0] = '\0';
    AWAIT_CATCH(self->error, thrum_gather(NULL, self->task, self->next));
    CHECK_EQ(self->error, THRUM_ESTATE);
    CHECK(has("at_once: a task that was released is awaited\n"));
    AWAIT(self->next);
    thrum_task_release(self->next);
    /* While it runs its handle is good. */
    self->task = thrum_spawn(runs(1));
    thrum_task_release(self->task);
    logged.text[0] = '\0';
    AWAIT(self->task);
    CHECK_STR(logged.text, "");
    ASYNC_END;
}

TEST(used_again, a_released_task)
{
    run(awaits_released);
}

/* ---- what that costs ---- */

static ASYNC(many, ARGS((int, count)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->count; self->i++) {
        AWAIT(at_once(0));
        AWAIT(thrum_timeout(SECONDS(1), reserved(0)));
        CHECK_EQ(thrum_spawn_detached(at_once(0)), 0);
        AWAIT(thrum_yield());
    }
    ASYNC_END;
}

/* What is kept is bounded, is not counted as used, and goes to whoever finds the pool empty. */
TEST(used_again, kept_for_a_while)
{
    static char memory[90000]; /* debug mode's own tables take most of it */
    thrum_pool_stats stats;
    CHECK_EQ(thrum_pool_use_memory(memory, sizeof memory), 0);
    thrum_loop *loop = open_debug();
    thrum_pool_stats_get(&stats);
    size_t before = stats.used;
    CHECK_EQ(thrum_loop_run_until_complete(loop, many(5000), NULL), 0);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.used, before);
    CHECK_EQ(thrum_loop_close(loop), 0);
    thrum_pool_stats_get(&stats);
    CHECK_EQ(stats.used, 0);
    CHECK_STR(logged.text, "");
}

/* An operation of before debug mode, and one of while it was on, are good afterwards. */
static ASYNC(flips, ARGS((thrum_loop *, loop)), LOCALS(thrum_awaitable before, between; thrum_event event; int i;))
{
    ASYNC_BEGIN;
    thrum_event_init(&self->event);
    thrum_event_set(&self->event);
    for (self->i = 0; self->i < 4; self->i++) {
        thrum_loop_set_debug(self->loop, false);
        self->before = thrum_sleep(SECONDS(1));
        thrum_loop_set_debug(self->loop, true);
        self->between = thrum_event_wait(&self->event);
        if (self->i & 1)
            AWAIT(thrum_yield());
        if (self->i & 2)
            thrum_loop_set_debug(self->loop, false);
        AWAIT(self->before);
        AWAIT(thrum_yield());
        AWAIT(self->between);
    }
    thrum_loop_set_debug(self->loop, true);
    ASYNC_END;
}

TEST(used_again, debug_mode_comes_and_goes)
{
    thrum_loop *loop = open_debug();
    CHECK_EQ(thrum_loop_run_until_complete(loop, flips(loop), NULL), 0);
    close_debug(loop);
    CHECK_STR(logged.text, "");
}
