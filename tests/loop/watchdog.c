/* The watchdog (thrum/monitor.h): what blocks a loop is named while it does. Runs under ThreadSanitizer. Steps here
 * block until they have been named, so no time is too short on a loaded machine. */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "loop/loop.h"

/* Without task hooks only the function with which a step begins is known. */
#if THRUM_TASK_HOOKS
#define NEEDS_FRAMES() ((void)0)
#else
#define NEEDS_FRAMES() SKIP("frames are not followed here")
#endif

static const thrum_time THRESHOLD = MILLISECONDS(8);

/* ---- the log, which a thread of its own writes here ---- */

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static char told[4096];
static atomic_int named, ended; /* how many lines of each kind */

static void note_line(void *context, const char *line)
{
    (void)context;
    pthread_mutex_lock(&guard);
    size_t used = strlen(told);
    snprintf(told + used, sizeof told - used, "%s\n", line);
    pthread_mutex_unlock(&guard);
    if (strstr(line, "and does still"))
        atomic_fetch_add(&named, 1);
    else
        atomic_fetch_add(&ended, 1);
}

static bool was_told(const char *text)
{
    pthread_mutex_lock(&guard);
    bool found = strstr(told, text) != NULL;
    pthread_mutex_unlock(&guard);
    return found;
}

static thrum_loop *begin(thrum_backend_kind kind)
{
    told[0] = '\0';
    atomic_store(&named, 0);
    atomic_store(&ended, 0);
    thrum_log_set(note_line, NULL);
    thrum_loop *loop = open_loop(kind);
    CHECK_EQ(thrum_watchdog_start(loop, THRESHOLD), 0);
    return loop;
}

static void end(thrum_loop *loop)
{
    close_loop(loop);
    thrum_log_set(NULL, NULL);
}

static void sleep_ms(long milliseconds)
{
    struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Block until `count` steps in all have been named; for a minute at most. */
static void block_until_named(int count)
{
    for (int i = 0; i < 60000 && atomic_load(&named) < count; i++)
        sleep_ms(1);
    CHECK_EQ(atomic_load(&named), count);
}

/* ---- steps ---- */

static int await_line;

static ASYNC(blocks, ARGS((int, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    await_line = __LINE__ + 1;
    AWAIT(thrum_yield());
    block_until_named(self->count);
    ASYNC_END;
}

#define WATCHDOG_TEST(name)                                                                                            \
    static void watchdog_##name##_on(thrum_loop *loop);                                                                \
    TEST(watchdog, name##_libev)                                                                                       \
    {                                                                                                                  \
        thrum_loop *loop = begin(THRUM_BACKEND_LIBEV);                                                                 \
        watchdog_##name##_on(loop);                                                                                    \
        end(loop);                                                                                                     \
    }                                                                                                                  \
    TEST(watchdog, name##_sim)                                                                                         \
    {                                                                                                                  \
        thrum_loop *loop = begin(THRUM_BACKEND_SIM);                                                                   \
        watchdog_##name##_on(loop);                                                                                    \
        end(loop);                                                                                                     \
    }                                                                                                                  \
    static void watchdog_##name##_on(thrum_loop *loop)

WATCHDOG_TEST(names_function_file_and_line)
{
    CHECK_EQ(thrum_loop_run_until_complete(loop, blocks(1), NULL), 0);
    char where[64];
    snprintf(where, sizeof where, "watchdog.c:%d, has run ", await_line);
    CHECK(was_told("blocks, "));
    CHECK(was_told(where));
    CHECK(was_told(" ms without awaiting, and does still"));
}

/* It is still blocking after it was named: that is told once. What follows is another step. */
static ASYNC(blocks_twice, ARGS((int, unused)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    block_until_named(1);
    sleep_ms(40);
    CHECK_EQ(atomic_load(&named), 1);
    AWAIT(thrum_yield());
    block_until_named(2);
    ASYNC_END;
}

WATCHDOG_TEST(tells_once_of_each_step)
{
    CHECK_EQ(thrum_loop_run_until_complete(loop, blocks_twice(0), NULL), 0);
    CHECK_EQ(atomic_load(&named), 2);
}

TEST(watchdog, tells_how_long_it_was_in_the_end)
{
    thrum_loop *loop = begin(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, blocks_twice(0), NULL), 0);
    CHECK_EQ(atomic_load(&ended), 2);
    CHECK(was_told(" ms without awaiting in the end\n"));
    end(loop);
}

/* The innermost function, be it called without a wait before... */
static ASYNC(inner, ARGS((int, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    block_until_named(self->count);
    ASYNC_END;
}

static ASYNC(outer, ARGS((int, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(inner(self->count));
    ASYNC_END;
}

WATCHDOG_TEST(names_a_function_that_is_called)
{
    NEEDS_FRAMES();
    CHECK_EQ(thrum_loop_run_until_complete(loop, outer(1), NULL), 0);
    CHECK(was_told("inner, "));
    CHECK(was_told(" ms without awaiting, from its beginning, and does still"));
}

/* ... or the one that goes on when that has ended. */
static ASYNC(waits, ARGS((int, unused)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_END;
}

static ASYNC(goes_on, ARGS((int, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(waits(0));
    block_until_named(self->count);
    ASYNC_END;
}

WATCHDOG_TEST(names_a_caller_that_goes_on)
{
    NEEDS_FRAMES();
    CHECK_EQ(thrum_loop_run_until_complete(loop, goes_on(1), NULL), 0);
    CHECK(was_told("goes_on, "));
    CHECK(!was_told("waits, "));
}

/* A child that is started eagerly, and after it its maker. */
static ASYNC(starts, ARGS((int, unused)), LOCALS(thrum_task *child;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    self->child = thrum_spawn_eager(inner(1));
FINALLY:
    thrum_task_release(self->child);
    ASYNC_END;
}

static ASYNC(starts_and_blocks, ARGS((int, unused)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    thrum_task_release(thrum_spawn_eager(waits(0)));
    block_until_named(1);
    ASYNC_END;
}

WATCHDOG_TEST(names_an_eager_child)
{
    NEEDS_FRAMES();
    CHECK_EQ(thrum_loop_run_until_complete(loop, starts(0), NULL), 0);
    CHECK(was_told("inner, "));
}

WATCHDOG_TEST(names_who_started_one)
{
    CHECK_EQ(thrum_loop_run_until_complete(loop, starts_and_blocks(0), NULL), 0);
    CHECK(was_told("starts_and_blocks, "));
}

/* A generator counts as a function that is called. */
static ASYNC_GEN(gives, ARGS((int, count)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    YIELD(1);
    block_until_named(self->count);
    YIELD(2);
    ASYNC_END;
}

static ASYNC(takes, ARGS((int, count)), LOCALS(thrum_iteration items; thrum_value item; int sum;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->item, self->items, gives(self->count)) {
        self->sum += (int)self->item;
        AWAIT(thrum_yield());
    }
    ASYNC_RETURN(self->sum);
    ASYNC_END;
}

WATCHDOG_TEST(names_a_generator)
{
    NEEDS_FRAMES();
    thrum_value sum = 0;
    CHECK_EQ(thrum_loop_run_until_complete(loop, takes(1), &sum), 0);
    CHECK_EQ(sum, 3);
    CHECK(was_told("gives, "));
}

WATCHDOG_TEST(names_steps_in_debug_mode_too)
{
    NEEDS_FRAMES();
    thrum_loop_set_debug(loop, true);
    CHECK_EQ(thrum_loop_run_until_complete(loop, outer(1), NULL), 0);
    CHECK(was_told("inner, "));
    thrum_loop_set_debug(loop, false);
}

#if THRUM_TASK_HOOKS
static int begun, over;

static void step_begins(thrum_task *task, void *context)
{
    (void)task;
    (void)context;
    begun++;
}

static void step_ends(thrum_task *task, void *context)
{
    (void)task;
    (void)context;
    over++;
}

WATCHDOG_TEST(names_steps_beside_hooks)
{
    const thrum_task_hooks hooks = {.size = sizeof hooks, .step_begin = step_begins, .step_end = step_ends};
    begun = over = 0;
    CHECK_EQ(thrum_loop_set_task_hooks(loop, &hooks), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, goes_on(1), NULL), 0);
    CHECK(was_told("goes_on, "));
    CHECK_EQ(begun, 2);
    CHECK_EQ(over, 2);
}
#endif

/* ---- calls ---- */

static void block_in_a_call(thrum_handle *handle)
{
    block_until_named(1);
    stop_loop(handle);
}

static void call_that_starts(thrum_handle *handle)
{
    thrum_task_release(thrum_spawn_eager(waits(0)));
    block_in_a_call(handle);
}

static void check_a_call(thrum_loop *loop, thrum_callback *call)
{
    thrum_handle handle = THRUM_HANDLE_INIT(call, NULL);
    char text[64];
    thrum_call_soon(&handle);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    snprintf(text, sizeof text, "a call of %p has run ", (void *)(uintptr_t)call);
    CHECK(was_told(text));
}

WATCHDOG_TEST(names_a_call_by_its_address)
{
    check_a_call(loop, block_in_a_call);
}

WATCHDOG_TEST(names_a_call_that_has_started_a_task)
{
    check_a_call(loop, call_that_starts);
}

static void block_in_a_post(thrum_post *post)
{
    (void)post;
    block_until_named(1);
    thrum_loop_stop(thrum_loop_running());
}

static void no_post(thrum_post *post)
{
    (void)post;
}

WATCHDOG_TEST(names_a_post_by_its_address)
{
    thrum_post first = {.call = no_post}, second = {.call = block_in_a_post};
    char text[64];
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &first), 0);
    CHECK_EQ(thrum_call_soon_threadsafe(loop, &second), 0);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    snprintf(text, sizeof text, "a call of %p has run ", (void *)(uintptr_t)block_in_a_post);
    CHECK(was_told(text));
}

/* ---- what does not block ---- */

static ASYNC(sleeper, ARGS((thrum_time, delay)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->delay));
    ASYNC_END;
}

TEST(watchdog, lets_a_loop_sleep)
{
    thrum_loop *loop = begin(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, sleeper(THRESHOLD * 8), NULL), 0);
    sleep_ms(64); /* neither does it matter what the application does beside it */
    CHECK_EQ(atomic_load(&named), 0);
    end(loop);
}

/* ---- it comes and goes ---- */

LOOP_TEST(life, of_a_watchdog)
{
    CHECK_EQ(thrum_watchdog_stop(loop), THRUM_ESTATE);
    CHECK_EQ(thrum_watchdog_start(loop, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_watchdog_start(NULL, SECONDS(1)), THRUM_ESTATE);
    CHECK_EQ(thrum_watchdog_stop(NULL), THRUM_ESTATE);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(thrum_watchdog_start(loop, 1 + MILLISECONDS(i)), 0);
        CHECK_EQ(thrum_watchdog_start(loop, SECONDS(1)), THRUM_ESTATE);
        CHECK_EQ(thrum_watchdog_stop(loop), 0);
    }
    CHECK_EQ(thrum_watchdog_start(loop, SECONDS(1000)), 0); /* and ends with the loop, at once */
}

static ASYNC(switches, ARGS((thrum_loop *, loop)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 10; self->i++) {
        CHECK_EQ(thrum_watchdog_start(self->loop, SECONDS(1)), 0);
        AWAIT(waits(0));
        CHECK_EQ(thrum_watchdog_stop(self->loop), 0);
        AWAIT(waits(0));
    }
    ASYNC_END;
}

LOOP_TEST(life, begins_and_ends_within_steps)
{
    CHECK_EQ(thrum_loop_run_until_complete(loop, switches(loop), NULL), 0);
    thrum_loop_stats stats = {.size = sizeof stats};
    CHECK_EQ(thrum_loop_stats_get(loop, &stats), 0);
    CHECK_GE(stats.steps.count, 10);
    CHECK_LE(stats.steps.count, 40);
}

/* The order of things is the same, with and without. */
static ASYNC(letters, ARGS((const char *, letter)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 3; self->i++) {
        note(*self->letter);
        AWAIT(waits(0));
    }
    ASYNC_END;
}

static ASYNC(several, ARGS((int, unused)), LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, letters("a"));
        thrum_group_spawn(&self->group, letters("b"));
        thrum_group_spawn(&self->group, letters("c"));
        AWAIT(letters("d"));
    }
    ASYNC_END;
}

LOOP_TEST(life, changes_no_order)
{
    char without[sizeof noted.text];
    note_clear();
    CHECK_EQ(thrum_loop_run_until_complete(loop, several(0), NULL), 0);
    memcpy(without, noted.text, sizeof without);
    note_clear();
    CHECK_EQ(thrum_watchdog_start(loop, SECONDS(1)), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, several(0), NULL), 0);
    CHECK_STR(noted.text, without);
}

#if defined(__SANITIZE_THREAD__)
#define CHILD_MAY_HAVE_THREADS 0
#else
#define CHILD_MAY_HAVE_THREADS 1
#endif

/* A child process has no watchdog, and may have a loop and one of its own. */
TEST(life, ends_in_a_forked_child)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_watchdog_start(loop, SECONDS(1)), 0);
    pid_t child = fork();
    if (child == 0) {
        thrum_loop_options options = {.size = sizeof options};
        thrum_loop *own;
        if (thrum_loop_new(&own, &options) || (CHILD_MAY_HAVE_THREADS && thrum_watchdog_start(own, SECONDS(1))) ||
            thrum_loop_run_until_complete(own, waits(0), NULL) || thrum_loop_close(own))
            _exit(1);
        _exit(0);
    }
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    close_loop(loop);
}

static ASYNC(yields, ARGS((int, times)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->times; self->i++)
        AWAIT(thrum_yield());
    ASYNC_END;
}

TEST(life, many_steps_under_the_eyes_of_a_quick_one)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_log_set(note_line, NULL);
    CHECK_EQ(thrum_watchdog_start(loop, MILLISECONDS(1)), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, yields(200000), NULL), 0);
    thrum_loop_stats stats = {.size = sizeof stats};
    CHECK_EQ(thrum_loop_stats_get(loop, &stats), 0);
    CHECK_EQ(stats.steps.count, 200002);
    end(loop);
}
