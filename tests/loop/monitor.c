/* What a loop tells of how it is doing (thrum/monitor.h). */
#include "support.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "loop/loop.h"

static thrum_loop_stats stats_of(thrum_loop *loop)
{
    thrum_loop_stats stats = {.size = sizeof stats};
    CHECK_EQ(thrum_loop_stats_get(loop, &stats), 0);
    return stats;
}

static thrum_time clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (thrum_time)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Keep the loop for 20 ms, or longer where the machine has no time for us. */
static void spin(void)
{
    for (thrum_time until = clock_now() + MILLISECONDS(20); clock_now() < until;)
        continue;
}

static void spin_and_stop(thrum_handle *handle)
{
    spin();
    stop_loop(handle);
}

static uint64_t in_buckets(const thrum_histogram *histogram)
{
    uint64_t count = 0;
    for (int i = 0; i < THRUM_HISTOGRAM_BUCKETS; i++)
        count += histogram->buckets[i];
    return count;
}

/* ---- histograms ---- */

TEST(histograms, a_bucket_for_each_bit)
{
    thrum_histogram histogram = {{0}, 0, 0, 0};
    histogram_add(&histogram, -5); /* a clock that goes back counts as one that stands */
    histogram_add(&histogram, 0);
    histogram_add(&histogram, 1);
    histogram_add(&histogram, 2);
    histogram_add(&histogram, 3);
    histogram_add(&histogram, 4);
    histogram_add(&histogram, THRUM_NEVER);
    CHECK_EQ(histogram.buckets[0], 2);
    CHECK_EQ(histogram.buckets[1], 1);
    CHECK_EQ(histogram.buckets[2], 2);
    CHECK_EQ(histogram.buckets[3], 1);
    CHECK_EQ(histogram.buckets[63], 1);
    CHECK_EQ(histogram.count, 7);
    CHECK_EQ(histogram.sum, (uint64_t)THRUM_NEVER + 10);
    CHECK_EQ(histogram.most, THRUM_NEVER);
}

TEST(histograms, quantiles_are_ends_of_buckets)
{
    thrum_histogram histogram = {{0}, 0, 0, 0};
    CHECK_EQ(thrum_histogram_quantile(&histogram, 500), 0);
    for (int i = 0; i < 990; i++)
        histogram_add(&histogram, 10); /* 8 to 15 */
    for (int i = 0; i < 9; i++)
        histogram_add(&histogram, 100); /* 64 to 127 */
    histogram_add(&histogram, 1000);
    CHECK_EQ(thrum_histogram_quantile(&histogram, 0), 15);
    CHECK_EQ(thrum_histogram_quantile(&histogram, 500), 15);
    CHECK_EQ(thrum_histogram_quantile(&histogram, 990), 15);
    CHECK_EQ(thrum_histogram_quantile(&histogram, 991), 127);
    CHECK_EQ(thrum_histogram_quantile(&histogram, 999), 127);
    CHECK_EQ(thrum_histogram_quantile(&histogram, 1000), 1000); /* not beyond what there was */
}

/* ---- asking ---- */

LOOP_TEST(stats, are_versioned)
{
    thrum_loop_stats stats;
    memset(&stats, 0x5a, sizeof stats);
    stats.size = 0;
    CHECK_EQ(thrum_loop_stats_get(loop, &stats), THRUM_EINVAL);
    stats.size = sizeof stats + 1;
    CHECK_EQ(thrum_loop_stats_get(loop, &stats), THRUM_EINVAL);
    stats.size = offsetof(thrum_loop_stats, passes);
    CHECK_EQ(thrum_loop_stats_get(loop, &stats), 0);
    CHECK_EQ(stats.size, offsetof(thrum_loop_stats, passes));
    CHECK_EQ(stats.steps.count, 0);
    CHECK(stats.passes == UINT64_C(0x5a5a5a5a5a5a5a5a)); /* beyond what an older program has */
    stats.size = sizeof stats;
    CHECK_EQ(thrum_loop_stats_get(NULL, &stats), THRUM_ESTATE);
    CHECK_EQ(thrum_loop_stats_clear(NULL), THRUM_ESTATE);
    CHECK_EQ(thrum_loop_stats_print(NULL, NULL, NULL), THRUM_ESTATE);
}

static void *ask_elsewhere(void *loop)
{
    thrum_loop_stats stats = {.size = sizeof stats};
    return (void *)(intptr_t)thrum_loop_stats_get((thrum_loop *)loop, &stats);
}

LOOP_TEST(stats, are_for_the_loops_own_thread)
{
    pthread_t thread;
    void *gave = NULL;
    CHECK_EQ(pthread_create(&thread, NULL, ask_elsewhere, loop), 0);
    CHECK_EQ(pthread_join(thread, &gave), 0);
    CHECK_EQ((int)(intptr_t)gave, THRUM_ESTATE);
}

static thrum_loop_stats seen;

static void look(thrum_handle *handle)
{
    (void)handle;
    seen = stats_of(thrum_loop_running());
}

static ASYNC(sleeper, ARGS((thrum_time, delay)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_sleep(self->delay));
    ASYNC_END;
}

static void count_what_is_there(thrum_loop *loop)
{
    thrum_handle first = noting("a"), looks, last = noting("b");
    thrum_handle_init(&looks, look, NULL);
    thrum_task *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = thrum_spawn(sleeper(MILLISECONDS(1)));
    CHECK_EQ(stats_of(loop).ready, 3);
    thrum_call_soon(&first);
    thrum_call_soon(&looks);
    thrum_call_soon(&last);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(seen.ready, 1); /* the call that comes after this one */
    CHECK_EQ(seen.tasks, 3);
    CHECK_GE(seen.pool.blocks, 6); /* each with its frame */
    for (int i = 0; i < 3; i++) {
        while (!thrum_task_done(tasks[i]))
            CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
        thrum_task_release(tasks[i]);
    }
    CHECK_EQ(stats_of(loop).tasks, 0);
    CHECK_EQ(stats_of(loop).ready, 0);
}

LOOP_TEST(stats, count_what_is_ready_and_tasks)
{
    count_what_is_there(loop);
}

/* There the steps of a pass are run one by one, out of lists of the loop's own. */
LOOP_TEST(stats, count_the_same_in_debug_mode)
{
    log_begin();
    thrum_loop_set_debug(loop, true);
    count_what_is_there(loop);
    thrum_loop_set_debug(loop, false);
    thrum_log_set(NULL, NULL);
}

LOOP_TEST(stats, count_turns_passes_and_sleeps)
{
    CHECK_EQ(stats_of(loop).turns.count, 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(stats_of(loop).sleeps, 0);
    CHECK_EQ(stats_of(loop).turns.count, 1);
    CHECK_EQ(thrum_loop_run_until_complete(loop, sleeper(MILLISECONDS(1)), NULL), 0);
    thrum_loop_stats stats = stats_of(loop);
    CHECK_GE(stats.sleeps, 1);
    CHECK_GE(stats.turns.count, 3);
    CHECK_GE(stats.passes, 4);
    CHECK_GE(stats.passes, stats.turns.count);
    CHECK_EQ(stats.turns.count, in_buckets(&stats.turns));
    CHECK_EQ(stats.late.count, 1);
    CHECK_EQ(stats.steps.count, 0); /* nobody measures them */
    CHECK_EQ(thrum_loop_stats_clear(loop), 0);
    stats = stats_of(loop);
    CHECK_EQ(stats.turns.count, 0);
    CHECK_EQ(stats.turns.most, 0);
    CHECK_EQ(stats.passes, 0);
    CHECK_EQ(stats.sleeps, 0);
    CHECK_EQ(stats.late.count, 0);
}

TEST(stats, virtual_time_takes_none)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_SIM);
    CHECK_EQ(thrum_loop_run_until_complete(loop, sleeper(SECONDS(1000)), NULL), 0);
    thrum_loop_stats stats = stats_of(loop);
    CHECK_EQ(stats.turns.count, 4); /* it begins, its time comes, it ends, which stops the loop */
    CHECK_EQ(stats.sleeps, 1);
    CHECK_EQ(stats.passes, 4);
    CHECK_EQ(stats.turns.sum, 0);
    CHECK_EQ(stats.late.count, 1);
    CHECK_EQ(stats.late.most, 0);
    close_loop(loop);
}

/* ---- times ---- */

TEST(times, a_turn_is_as_long_as_what_runs_in_it)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_handle handle = THRUM_HANDLE_INIT(spin_and_stop, NULL);
    thrum_call_soon(&handle);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    thrum_loop_stats stats = stats_of(loop);
    CHECK_EQ(stats.turns.count, 1);
    CHECK_GE(stats.turns.most, MILLISECONDS(20));
    CHECK_GE(stats.turns.sum, MILLISECONDS(20));
    close_loop(loop);
}

/* What the loop sleeps is none of it, nor what the application does between two steps. */
TEST(times, neither_sleep_nor_the_application_is_a_turn)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_time began = clock_now();
    CHECK_EQ(thrum_loop_run_until_complete(loop, sleeper(MILLISECONDS(50)), NULL), 0);
    spin();
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_LE(stats_of(loop).turns.sum, clock_now() - began - MILLISECONDS(70));
    close_loop(loop);
}

TEST(times, a_timer_behind_a_long_step_is_late)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_handle spins = THRUM_HANDLE_INIT(spin_and_stop, NULL), timer = noting("t");
    note_clear();
    thrum_call_later(MILLISECONDS(10), &timer); /* not due before the loop begins */
    thrum_call_soon(&spins);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    while (thrum_handle_pending(&timer))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    thrum_loop_stats stats = stats_of(loop);
    CHECK_EQ(stats.late.count, 1);
    CHECK_GE(stats.late.most, MILLISECONDS(9));
    close_loop(loop);
}

static ASYNC(spinner, ARGS((int, times)), LOCALS(int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->times; self->i++) {
        spin();
        AWAIT(thrum_yield());
    }
    ASYNC_END;
}

TEST(times, of_steps_are_known_in_debug_mode)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    log_begin();
    thrum_loop_set_debug(loop, true);
    thrum_loop_set_slow_callback_duration(loop, SECONDS(1000));
    CHECK_EQ(thrum_loop_run_until_complete(loop, spinner(2), NULL), 0);
    thrum_loop_stats stats = stats_of(loop);
    CHECK_EQ(stats.steps.count, 4); /* two that spin, the one that ends, and the call that stops the loop */
    CHECK_GE(stats.steps.sum, MILLISECONDS(40));
    CHECK_GE(stats.steps.most, MILLISECONDS(20));
    CHECK_EQ(in_buckets(&stats.steps), 4);
    close_loop(loop);
    thrum_log_set(NULL, NULL);
}

/* ---- other threads ---- */

static thrum_loop *shared;
static thrum_post stop_post, print_post;

static void stop_now(thrum_post *post)
{
    (void)post;
    thrum_loop_stop(thrum_loop_running());
}

static void *post_both(void *argument)
{
    (void)argument;
    CHECK_EQ(thrum_loop_stats_post(shared, &print_post), 0);
    stop_post.call = stop_now;
    CHECK_EQ(thrum_call_soon_threadsafe(shared, &stop_post), 0);
    return NULL;
}

TEST(posts, have_it_printed_and_are_counted)
{
    shared = open_loop(THRUM_BACKEND_LIBEV);
    pthread_t thread;
    log_begin();
    CHECK_EQ(pthread_create(&thread, NULL, post_both, NULL), 0);
    CHECK_EQ(thrum_loop_run_forever(shared), 0);
    pthread_join(thread, NULL);
    CHECK(log_has(" 0 tasks, 0 streams, 0 servers"));
    CHECK(log_has(" passes, slept "));
    CHECK(log_has("  late timers: none"));
    CHECK(log_has("  steps: not measured"));
    CHECK_EQ(stats_of(shared).posts, 2);
    CHECK_LE(stats_of(shared).wakes, 2); /* none where the loop was awake */
    thrum_log_set(NULL, NULL);
    close_loop(shared);
}

static ASYNC(hear_post, ARGS((thrum_event *, event)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_event_wait(self->event));
    ASYNC_END;
}

static thrum_event heard;

static void hear(thrum_post *post)
{
    (void)post;
    thrum_event_set(&heard);
}

static void *post_when_it_sleeps(void *loop)
{
    static thrum_post post = {.call = hear};
    while (atomic_load(&((thrum_loop *)loop)->inbox.awake))
        sched_yield();
    CHECK_EQ(thrum_call_soon_threadsafe((thrum_loop *)loop, &post), 0);
    return NULL;
}

TEST(posts, wake_a_loop_that_sleeps)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    pthread_t thread;
    thrum_event_init(&heard);
    CHECK_EQ(pthread_create(&thread, NULL, post_when_it_sleeps, loop), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, hear_post(&heard), NULL), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(stats_of(loop).wakes, 1);
    CHECK_EQ(stats_of(loop).posts, 1);
    close_loop(loop);
}

/* ---- streams and servers ---- */

static ASYNC(nothing, ARGS((thrum_stream *, client), (void *, context)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_END;
}

static ASYNC(serve, ARGS((thrum_server **, server)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT_INTO(*self->server, thrum_start_server(nothing, NULL, "127.0.0.1", "0"));
    ASYNC_END;
}

TEST(open, streams_and_servers_are_counted)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_stream *first, *second;
    thrum_server *server = NULL;
    int ends[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_EQ(thrum_stream_adopt(&first, ends[0], NULL), 0);
    CHECK_EQ(thrum_stream_adopt(&second, ends[1], NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, serve(&server), NULL), 0);
    CHECK_EQ(stats_of(loop).streams, 2);
    CHECK_EQ(stats_of(loop).servers, 1);
    thrum_stream_abort(first); /* its descriptor is gone; the handle is not */
    CHECK_EQ(stats_of(loop).streams, 1);
    thrum_stream_release(first);
    thrum_stream_release(second);
    CHECK_EQ(stats_of(loop).streams, 0);
    thrum_server_close(server);
    CHECK_EQ(stats_of(loop).servers, 0);
    thrum_server_release(server);
    close_loop(loop);
}

/* ---- printing ---- */

TEST(printing, says_it_all_in_six_lines)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    logged[0] = '\0';
    thrum_log_set(NULL, NULL);
    thrum_handle handle = THRUM_HANDLE_INIT(spin_and_stop, NULL);
    thrum_call_soon(&handle);
    CHECK_EQ(thrum_loop_run_forever(loop), 0);
    loop->monitor.steps.buckets[11] = loop->monitor.steps.count = 1;
    loop->monitor.steps.sum = 1536;
    loop->monitor.steps.most = 1536;
    loop->monitor.late.buckets[37] = loop->monitor.late.count = 1;
    loop->monitor.late.sum = UINT64_C(125000000000);
    loop->monitor.late.most = SECONDS(125);
    CHECK_EQ(thrum_loop_stats_print(loop, log_line, NULL), 0);
    int lines = 0;
    for (const char *at = logged; *at; at++)
        lines += *at == '\n';
    CHECK_EQ(lines, 6);
    CHECK(log_has("  turns: 1, "));
    CHECK(log_has(" ms together; half up to "));
    CHECK(log_has("  steps: 1, 1.5 us together; half up to 1.5 us, 99 % up to 1.5 us, "));
    CHECK(log_has("the longest 125 s"));
    CHECK(log_has("  pool: "));
    close_loop(loop);
}

#include <ev.h>

static void break_out(thrum_handle *handle)
{
    spin();
    ev_break((struct ev_loop *)handle->context, EVBREAK_ALL);
}

TEST(guests, count_their_turns_too)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
    thrum_loop *loop;
    CHECK_EQ(thrum_loop_from_ev(&loop, ev), 0);
    thrum_handle handle = THRUM_HANDLE_INIT(break_out, ev);
    thrum_call_later(MILLISECONDS(1), &handle);
    ev_run(ev, 0);
    thrum_loop_stats stats = stats_of(loop);
    CHECK_GE(stats.turns.count, 1);
    CHECK_GE(stats.turns.most, MILLISECONDS(20));
    CHECK_GE(stats.sleeps, 1);
    CHECK_EQ(stats.late.count, 1);
    close_loop(loop);
    ev_loop_destroy(ev);
}
