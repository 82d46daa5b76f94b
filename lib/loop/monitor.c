/* What is known of how a loop is doing, read and printed. */
#include "loop/monitor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "loop/log.h"
#include "loop/loop.h"

static void count_task(thrum_task *task, void *context)
{
    (void)task;
    ++*(size_t *)context;
}

static size_t length(const thrum_node *list)
{
    size_t count = 0;
    for (const thrum_node *node = list ? list->next : NULL; node != list; node = node->next)
        count++;
    return count;
}

static void read_all(thrum_loop *loop, thrum_loop_stats *stats)
{
    const loop_monitor *monitor = &loop->monitor;
    memset(stats, 0, sizeof *stats);
    stats->turns = monitor->turns;
    stats->late = monitor->late;
    stats->steps = monitor->steps;
    stats->passes = monitor->passes;
    stats->sleeps = monitor->sleeps;
    stats->wakes = monitor->wakes;
    stats->posts = loop->inbox.called;
    stats->ready =
        length(loop->state->ready) + length(loop->state->batch) + length(monitor->apart[0]) + length(monitor->apart[1]);
    thrum_core_each_task(count_task, &stats->tasks);
    stats->streams = loop->open[LOOP_STREAMS];
    stats->servers = loop->open[LOOP_SERVERS];
    thrum_pool_stats_get(&stats->pool);
}

int thrum_loop_stats_get(thrum_loop *loop, thrum_loop_stats *stats)
{
    thrum_loop_stats all;
    size_t size = stats->size;
    if (size < sizeof size || size > sizeof all)
        return THRUM_EINVAL;
    if (!loop || loop != loop_here())
        return THRUM_ESTATE;
    read_all(loop, &all);
    all.size = size;
    memcpy(stats, &all, size);
    return 0;
}

int thrum_loop_stats_clear(thrum_loop *loop)
{
    if (!loop || loop != loop_here())
        return THRUM_ESTATE;
    loop_monitor *monitor = &loop->monitor;
    monitor->passes = monitor->sleeps = loop->inbox.called = 0;
    atomic_store(&monitor->wakes, 0);
    memset(&monitor->turns, 0, sizeof monitor->turns);
    memset(&monitor->late, 0, sizeof monitor->late);
    memset(&monitor->steps, 0, sizeof monitor->steps);
    return 0;
}

thrum_time thrum_histogram_quantile(const thrum_histogram *histogram, unsigned thousandths)
{
    /* So many were not longer; rounded up, without a product that could overflow. */
    uint64_t wanted = histogram->count / 1000 * thousandths + (histogram->count % 1000 * thousandths + 999) / 1000;
    uint64_t seen = 0;
    for (unsigned i = 0; i < THRUM_HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted && seen) {
            uint64_t end = i ? (UINT64_C(1) << i) - 1 : 0;
            return end < (uint64_t)histogram->most ? (thrum_time)end : histogram->most;
        }
    }
    return histogram->most;
}

/* ---- printing ---- */

typedef struct printer {
    thrum_log_function *put;
    void *context;
} printer;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
print(const printer *to, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (to->put)
        to->put(to->context, line);
    else
        thrum_log("%s", line);
}

typedef struct time_text {
    char text[32];
} time_text;

/* Three digits or more, in the unit that suits. */
static time_text text_of(uint64_t ticks)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    time_text made;
    uint64_t whole = THRUM_TICKS_PER_SECOND >= 1000000000 ? ticks : ticks * (1000000000 / THRUM_TICKS_PER_SECOND);
    unsigned unit = 0, rest = 0;
    while (unit < 3 && whole >= 1000) {
        rest = (unsigned)(whole % 1000);
        whole /= 1000;
        unit++;
    }
    if (whole < 100 && unit)
        snprintf(made.text, sizeof made.text, "%u.%u %s", (unsigned)whole, rest / 100, units[unit]);
    else
        snprintf(made.text, sizeof made.text, "%" PRIu64 " %s", whole, units[unit]);
    return made;
}

static void print_histogram(const printer *to, const char *what, const thrum_histogram *histogram)
{
    if (!histogram->count) {
        print(to, "  %s: none", what);
        return;
    }
    print(to, "  %s: %" PRIu64 ", %s together; half up to %s, 99 %% up to %s, 99.9 %% up to %s, the longest %s", what,
          histogram->count, text_of(histogram->sum).text,
          text_of((uint64_t)thrum_histogram_quantile(histogram, 500)).text,
          text_of((uint64_t)thrum_histogram_quantile(histogram, 990)).text,
          text_of((uint64_t)thrum_histogram_quantile(histogram, 999)).text, text_of((uint64_t)histogram->most).text);
}

int thrum_loop_stats_print(thrum_loop *loop, thrum_log_function *put, void *context)
{
    const printer to = {put, context};
    thrum_loop_stats stats;
    if (!loop || loop != loop_here())
        return THRUM_ESTATE;
    read_all(loop, &stats);
    print(&to, "loop %p: %zu ready, %zu tasks, %zu streams, %zu servers", (void *)loop, stats.ready, stats.tasks,
          stats.streams, stats.servers);
    print(&to, "  %" PRIu64 " passes, slept %" PRIu64 " times, woken %" PRIu64 " times, %" PRIu64 " posts",
          stats.passes, stats.sleeps, stats.wakes, stats.posts);
    print_histogram(&to, "turns", &stats.turns);
    print_histogram(&to, "late timers", &stats.late);
    if (stats.steps.count)
        print_histogram(&to, "steps", &stats.steps);
    else
        print(&to, "  steps: not measured, which debug mode or a watchdog does");
    print(&to, "  pool: %zu blocks, %zu bytes of %zu, at most %zu", stats.pool.blocks, stats.pool.used,
          stats.pool.reserved, stats.pool.peak);
    return 0;
}

static void print_now(thrum_post *post)
{
    (void)post;
    (void)thrum_loop_stats_print(loop_here(), NULL, NULL);
}

int thrum_loop_stats_post(thrum_loop *loop, thrum_post *post)
{
    if (post->call != print_now) /* it may be queued, and read just now */
        post->call = print_now;
    return thrum_call_soon_threadsafe(loop, post);
}
