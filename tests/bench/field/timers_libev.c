/* micro BENCH N with libev's callback timers, which stand for sleeping tasks. */
#include "../support/bench.h"

#include <ev.h>

static struct ev_loop *loop;
static long fired;

static void on_timer(struct ev_loop *where, ev_timer *timer, int events)
{
    (void)where;
    (void)timer;
    (void)events;
    fired++;
}

static ev_timer *new_timers(long count)
{
    ev_timer *timers = calloc((size_t)count, sizeof *timers);
    if (!timers)
        abort();
    return timers;
}

static void start(ev_timer *timer, long milliseconds)
{
    ev_timer_init(timer, on_timer, (double)milliseconds / 1e3, 0);
    ev_timer_start(loop, timer);
}

static int sleepers(long unused, long count)
{
    ev_timer *timers;
    (void)unused;
    bench_begin();
    timers = new_timers(count);
    for (long i = 0; i < count; i++)
        start(&timers[i], bench_random(1000));
    ev_run(loop, 0);
    bench_end(count);
    return fired == count ? 0 : 1;
}

static int timers_cancelled(long unused, long count)
{
    ev_timer *timers;
    (void)unused;
    bench_begin();
    timers = new_timers(count);
    for (long i = 0; i < count; i++)
        start(&timers[i], bench_random(1000) * 1000);
    for (long i = 0; i < count; i++)
        ev_timer_stop(loop, &timers[i]);
    bench_end(count);
    return 0;
}

static int timeout(long unused, long count)
{
    ev_timer *timer = new_timers(1);
    (void)unused;
    bench_begin();
    for (long i = 0; i < count; i++) {
        start(timer, 10000);
        ev_timer_stop(loop, timer);
    }
    bench_end(count);
    return 0;
}

static int memory(long unused, long count)
{
    long before = bench_resident();
    ev_timer *timers = new_timers(count);
    (void)unused;
    for (long i = 0; i < count; i++)
        start(&timers[i], 3600000);
    ev_run(loop, EVRUN_NOWAIT);
    bench_bytes(bench_resident() - before, count);
    return 0;
}

static const struct bench_case cases[] = {
    {"timers", sleepers, 0}, {"tcancel", timers_cancelled, 0}, {"timeout", timeout, 0}, {"mem", memory, 0}};

int main(int argc, char **argv)
{
    loop = ev_loop_new(EVBACKEND_EPOLL);
    return bench_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
