/* Latencies, counted in buckets of which 128 make a power of two: a percentile is right within 1 %, and a sample costs
 * a few instructions however many there are. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_BITS = 7,
    HISTOGRAM_STEPS = 1 << HISTOGRAM_BITS,
    HISTOGRAM_BUCKETS = (65 - HISTOGRAM_BITS) << HISTOGRAM_BITS
};

struct histogram {
    uint32_t counts[HISTOGRAM_BUCKETS];
};

static inline void histogram_add(struct histogram *histogram, uint64_t ns)
{
    unsigned power = ns < HISTOGRAM_STEPS ? 0 : 63u - (unsigned)__builtin_clzll(ns) - (HISTOGRAM_BITS - 1);
    histogram->counts[power ? power * HISTOGRAM_STEPS + (unsigned)(ns >> (power - 1) & (HISTOGRAM_STEPS - 1)) : ns]++;
}

/* The least latency that this part of the samples does not exceed, in microseconds; 0 without samples. */
static inline double histogram_us(const struct histogram *histogram, double part)
{
    uint64_t total = 0, seen = 0;
    unsigned bucket = 0, power;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        total += histogram->counts[i];
    while (bucket < HISTOGRAM_BUCKETS - 1 && (double)(seen += histogram->counts[bucket]) < part * (double)total)
        bucket++;
    power = bucket / HISTOGRAM_STEPS;
    return (power ? (double)((uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) << (power - 1)) : (double)bucket) /
           1e3;
}

#endif
