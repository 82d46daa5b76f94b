/* What every benchmark program shares: clocks, the end where a call fails, the result line and the command line
 * `micro BENCH N`.
 *
 * A benchmark is a function that gets the number in its name (the 10 of nest10, 0 when there is none) and how many
 * operations to do, and brackets the measured part with bench_begin and bench_end. It returns 0 when the work was done
 * right. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct bench_case {
    const char *name;
    int (*run)(long parameter, long count);
    long parameter;
};

enum { BENCH_NOT_APPLICABLE = 77 };

static uint64_t bench_wall_, bench_cpu_, bench_random_ = 88172645463325252u;

static inline uint64_t bench_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t bench_now(void)
{
    return bench_clock(CLOCK_MONOTONIC);
}

/* Ends the program, with errno's text, unless all is fine. */
static inline void bench_must(int fine, const char *what)
{
    if (fine)
        return;
    perror(what);
    exit(1);
}

/* The same numbers in every run (xorshift), from 1 to `limit`. */
static inline long bench_random(long limit)
{
    bench_random_ ^= bench_random_ << 13;
    bench_random_ ^= bench_random_ >> 7;
    bench_random_ ^= bench_random_ << 17;
    return 1 + (long)((bench_random_ >> 16 & 0xffffffffu) % (uint64_t)limit);
}

/* Memory of this process that is in RAM, in bytes. */
static inline long bench_resident(void)
{
    long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%ld %ld", &total, &resident) != 2)
            resident = 0;
        fclose(file);
    }
    return resident * sysconf(_SC_PAGESIZE);
}

static inline void bench_begin(void)
{
    bench_wall_ = bench_now();
    bench_cpu_ = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void bench_end(long count)
{
    double wall = (double)(bench_now() - bench_wall_);
    double cpu = (double)(bench_clock(CLOCK_PROCESS_CPUTIME_ID) - bench_cpu_);
    printf("{\"ns\":%.3f,\"cpu_ns\":%.3f,\"n\":%ld}\n", wall / (double)count, cpu / (double)count, count);
    fflush(stdout);
}

static inline void bench_bytes(long bytes, long count)
{
    printf("{\"bytes\":%.1f,\"n\":%ld}\n", (double)bytes / (double)count, count);
    fflush(stdout);
}

static inline int bench_main(int argc, char **argv, const struct bench_case *cases, size_t count)
{
    if (argc != 3 || atol(argv[2]) <= 0) {
        fprintf(stderr, "usage: %s BENCH N\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            return cases[i].run(cases[i].parameter, atol(argv[2]));
    return BENCH_NOT_APPLICABLE;
}

#define BENCH_MAIN(cases)                                                                                              \
    int main(int argc, char **argv)                                                                                    \
    {                                                                                                                  \
        return bench_main(argc, argv, cases, sizeof(cases) / sizeof *(cases));                                         \
    }

#endif
