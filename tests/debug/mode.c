/* Debug mode: what it tells of, each with the place that it names, and that nothing is told where it is off. */
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

/* A loop in debug mode, of virtual time unless it is to watch descriptors. */
static thrum_loop *open_debug(thrum_backend_kind backend)
{
    const thrum_loop_options options = {.size = sizeof options, .backend = backend, .debug = true};
    thrum_loop *loop;
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
}

static void run(thrum_loop *loop, thrum_awaitable what)
{
    CHECK_EQ(thrum_loop_run_until_complete(loop, what, NULL), 0);
}

/* ---- where it was made ---- */

static ASYNC(nothing, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}

static ASYNC(sleeps, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(SECONDS(1000)));
    ASYNC_END;
}

static ASYNC(fails, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RAISE(THRUM_EINVAL);
    ASYNC_END;
}

static ASYNC(forgets, ARGS_NONE, LOCALS(thrum_awaitable lost;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    self->lost = nothing();
    AWAIT(thrum_yield());
    ASYNC_END;
}

TEST(mode, never_awaited)
{
    thrum_loop *loop = open_debug(THRUM_BACKEND_SIM);
    run(loop, forgets());
    close_debug(loop);
    CHECK(has("async function was never awaited\n  made in forgets, after "));
    CHECK(has("mode.c:70\n  in nothing, "));
}

static ASYNC(spawns, ARGS((thrum_awaitable, what)), LOCALS(thrum_task *task;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    self->task = thrum_spawn(self->what);
    AWAIT(thrum_sleep(SECONDS(1)));
    thrum_task_release(self->task);
    ASYNC_END;
}

/* 50, message as asyncio's */
TEST(mode, never_retrieved)
{
    thrum_loop *loop = open_debug(THRUM_BACKEND_SIM);
    run(loop, spawns(fails()));
    close_debug(loop);
    CHECK(has("task's error was never retrieved: THRUM_EINVAL"));
    CHECK(has("made in spawns, after "));
    CHECK(has("mode.c:88\n"));
}

/* 49, message as asyncio's */
TEST(mode, destroyed_but_pending)
{
    thrum_loop *loop = open_debug(THRUM_BACKEND_SIM);
    run(loop, spawns(sleeps()));
    close_debug(loop);
    CHECK(has("task was destroyed but it is pending\n  made in spawns, after "));
    CHECK(has("waits for: sleep"));
}

static ASYNC(in_group, ARGS_NONE, LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn_detached(&self->group, sleeps());
    }
    ASYNC_END;
}

TEST(mode, child_of_a_group)
{
    thrum_loop *loop = open_debug(THRUM_BACKEND_SIM);
    CHECK_EQ(thrum_spawn_detached(in_group()), 0);
    thrum_loop_step(loop, 0);
    thrum_loop_step(loop, 0);
    close_debug(loop);
    CHECK(has("made in in_group, after "));
}

TEST(mode, off)
{
    thrum_loop *loop = open_debug(THRUM_BACKEND_SIM);
    thrum_loop_set_debug(loop, false);
    CHECK(!thrum_loop_get_debug(loop));
    run(loop, forgets());
    run(loop, spawns(fails()));
    close_debug(loop);
    CHECK(has("async function was never awaited\n  in nothing, "));
    CHECK(has("task's error was never retrieved"));
    CHECK(!has("made in"));
}

/* 28: switched on and off while it runs; tasks of before know nothing, and end all the same */
static ASYNC(flips, ARGS((thrum_loop *, loop)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 6; self->i++) {
        thrum_loop_set_debug(self->loop, !thrum_loop_get_debug(self->loop));
        CHECK_EQ(thrum_spawn_detached(forgets()), 0);
        AWAIT(spawns(nothing()));
        AWAIT(thrum_timeout(SECONDS(9), spawns(forgets())));
    }
    ASYNC_END;
}

TEST(mode, switched_while_running)
{
    thrum_loop *loop = open_debug(THRUM_BACKEND_SIM);
    run(loop, flips(loop));
    close_debug(loop);
}

TEST(mode, by_the_environment)
{
    static const struct {
        const char *value;
        bool on;
    } rows[] = {{"1", true}, {"0", false}, {"", false}, {"yes", true}, {"01", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        thrum_loop *loop;
        setenv("THRUM_DEBUG", rows[i].value, 1);
        CHECK_EQ(thrum_loop_new(&loop, NULL), 0);
        CHECK_EQ(thrum_loop_get_debug(loop), rows[i].on);
        CHECK_EQ(thrum_loop_close(loop), 0);
    }
    unsetenv("THRUM_DEBUG");
}

static ASYNC(looks_at_mode, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RETURN(thrum_loop_get_debug(thrum_loop_running()));
    ASYNC_END;
}

TEST(mode, by_a_runners_option)
{
    for (int on = 0; on < 2; on++) {
        const thrum_loop_options loop = {.size = sizeof loop, .debug = on};
        const thrum_runner_options options = {.size = sizeof options, .loop = &loop};
        thrum_runner runner;
        thrum_value value = -1;
        CHECK_EQ(thrum_runner_init(&runner, &options), 0);
        CHECK_EQ(thrum_runner_run(&runner, looks_at_mode(), &value), 0);
        CHECK_EQ(value, on);
        thrum_runner_close(&runner);
    }
}

/* ---- what takes long ---- */

static void call_nothing(thrum_handle *handle)
{
    (void)handle;
}

/* log_slow_callbacks: every step is slow where the limit is nothing */
TEST(mode, slow_steps)
{
    thrum_loop *loop = open_debug(THRUM_BACKEND_SIM);
    CHECK_EQ(thrum_loop_slow_callback_duration(loop), MILLISECONDS(100));
    run(loop, nothing());
    CHECK(!has("without awaiting"));
    thrum_loop_set_slow_callback_duration(loop, 0);
    CHECK_EQ(thrum_loop_slow_callback_duration(loop), 0);
    run(loop, forgets());
    CHECK(has("tests/debug/mode.c, ran 0 ms without awaiting, from its beginning"));
    CHECK(has("mode.c:70, ran 0 ms without awaiting"));
    thrum_handle handle = THRUM_HANDLE_INIT(call_nothing, NULL);
    thrum_call_soon(&handle);
    thrum_loop_step(loop, 0);
    CHECK(has("a call ran 0 ms"));
    close_debug(loop);
}

/* ---- how long something has waited ---- */

TEST(mode, waits_for_so_long)
{
    static lines printed;
    thrum_loop *loop = open_debug(THRUM_BACKEND_SIM);
    thrum_handle later = THRUM_HANDLE_INIT(call_nothing, NULL);
    thrum_call_later(SECONDS(1), &later);
    thrum_loop_step(loop, THRUM_NEVER);
    thrum_task *task = thrum_spawn(sleeps());
    thrum_loop_step(loop, 0);
    thrum_call_later(MILLISECONDS(2040), &later);
    thrum_loop_step(loop, THRUM_NEVER);
    CHECK_EQ(thrum_print_task_tree(put_line, &printed), 0);
    CHECK(strstr(printed.text, "waits in sleep for 2.040 s\n"));
    thrum_task_cancel(task);
    thrum_loop_step(loop, 0);
    thrum_task_release(task);
    close_debug(loop);
}

/* ---- memory of frames that have ended ---- */

static unsigned char *inside;

static ASYNC(shows, ARGS_NONE, LOCALS(unsigned char bytes[64];))
{
    ASYNC_BEGIN;
    inside = self->bytes;
    ASYNC_END;
}

TEST(mode, poison)
{
    static char memory[262144];
    CHECK_EQ(thrum_pool_use_memory(memory, sizeof memory), 0);
    thrum_loop *loop = open_debug(THRUM_BACKEND_SIM);
    run(loop, shows());
    CHECK_EQ(inside[20], 0xdb);
    thrum_loop_close(loop);
}

/* ---- what nobody closed ---- */

static ASYNC(handle_client, ARGS((thrum_stream *, stream), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    (void)self->stream;
    AWAIT(thrum_yield());
    ASYNC_END;
}

static thrum_stream *left_open;

static ASYNC(leaves_open, ARGS_NONE, LOCALS(thrum_server *server; char port[8];))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    AWAIT_INTO(self->server, thrum_start_server(handle_client, NULL, "127.0.0.1", "0"));
    snprintf(self->port, sizeof self->port, "%d", thrum_server_port(self->server));
    AWAIT_INTO(left_open, thrum_open_connection("127.0.0.1", self->port));
    ASYNC_END;
}

TEST(mode, unclosed)
{
    thrum_loop *loop = open_debug(THRUM_BACKEND_LIBEV);
    run(loop, leaves_open());
    thrum_loop_close(loop);
    thrum_stream_release(left_open);
    CHECK(has("unclosed stream, made in leaves_open, after "));
    CHECK(has("unclosed server, made in leaves_open, after "));
}
