/* micro BENCH N with libuv's callback timers, which stand for sleeping tasks. */
#include "../support/bench.h"

#include <uv.h>

static uv_loop_t *loop;
static long fired;

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    fired++;
}

static uv_timer_t *new_timers(long count)
{
    uv_timer_t *timers = calloc((size_t)count, sizeof *timers);
    if (!timers)
        abort();
    return timers;
}

static void start(uv_timer_t *timer, long milliseconds)
{
    uv_timer_init(loop, timer);
    uv_timer_start(timer, on_timer, (uint64_t)milliseconds, 0);
}

static int sleepers(long unused, long count)
{
    uv_timer_t *timers;
    (void)unused;
    bench_begin();
    timers = new_timers(count);
    for (long i = 0; i < count; i++)
        start(&timers[i], bench_random(1000));
    uv_run(loop, UV_RUN_DEFAULT);
    bench_end(count);
    return fired == count ? 0 : 1;
}

static int timers_cancelled(long unused, long count)
{
    uv_timer_t *timers;
    (void)unused;
    bench_begin();
    timers = new_timers(count);
    for (long i = 0; i < count; i++)
        start(&timers[i], bench_random(1000) * 1000);
    for (long i = 0; i < count; i++)
        uv_timer_stop(&timers[i]);
    bench_end(count);
    return 0;
}

static int timeout(long unused, long count)
{
    uv_timer_t *timer = new_timers(1);
    (void)unused;
    bench_begin();
    for (long i = 0; i < count; i++) {
        start(timer, 10000);
        uv_timer_stop(timer);
    }
    bench_end(count);
    return 0;
}

static int memory(long unused, long count)
{
    long before = bench_resident();
    uv_timer_t *timers = new_timers(count);
    (void)unused;
    for (long i = 0; i < count; i++)
        start(&timers[i], 3600000);
    uv_run(loop, UV_RUN_NOWAIT);
    bench_bytes(bench_resident() - before, count);
    return 0;
}

static const struct bench_case cases[] = {
    {"timers", sleepers, 0}, {"tcancel", timers_cancelled, 0}, {"timeout", timeout, 0}, {"mem", memory, 0}};

int main(int argc, char **argv)
{
    loop = uv_default_loop();
    return bench_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
