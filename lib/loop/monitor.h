/* What a loop keeps of how it is doing (thrum/monitor.h). Written by its thread only, but for what says otherwise. */
#ifndef THRUM_LOOP_MONITOR_H
#define THRUM_LOOP_MONITOR_H

#include <stdatomic.h>

#include <thrum/monitor.h>

typedef struct loop_monitor {
    bool turning;     /* a turn has begun, and is not counted yet */
    thrum_time began; /* when */
    uint64_t passes, sleeps;
    atomic_ulong wakes;         /* counted by those who wake it */
    const thrum_node *apart[2]; /* sentinels of lists with what is ready but out of the ready queue, or NULL */
    thrum_histogram turns, late, steps;
} loop_monitor;

static inline void histogram_add(thrum_histogram *histogram, thrum_time took)
{
    uint64_t ticks = took > 0 ? (uint64_t)took : 0;
#if defined(__GNUC__)
    unsigned bucket = ticks ? 64u - (unsigned)__builtin_clzll(ticks) : 0;
#else
    unsigned bucket = 0;
    while (bucket < THRUM_HISTOGRAM_BUCKETS - 1 && ticks >> bucket)
        bucket++;
#endif
    histogram->buckets[bucket]++;
    histogram->count++;
    histogram->sum += ticks;
    if (took > histogram->most)
        histogram->most = took;
}

static inline void monitor_begin(loop_monitor *monitor, thrum_time now)
{
    monitor->turning = true;
    monitor->began = now;
}

static inline void monitor_end(loop_monitor *monitor, thrum_time now)
{
    if (!monitor->turning)
        return;
    monitor->turning = false;
    histogram_add(&monitor->turns, now - monitor->began);
}

#endif
