/* What systems do differently with threads and processors. */
#include "loop/system.h"

#include <string.h>
#include <unistd.h>
#if SYSTEM_LINUX
#include <sched.h>

_Static_assert(sizeof(cpu_set_t) <= sizeof(system_processors), "the set of processors is too small");
#endif

#ifdef __APPLE__
static const clockid_t CLOCK = CLOCK_REALTIME;
#else
static const clockid_t CLOCK = CLOCK_MONOTONIC;
#endif

enum { SECOND = 1000000000, TICK = SECOND / THRUM_TICKS_PER_SECOND };

void system_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
#ifndef __APPLE__
    pthread_condattr_setclock(&attributes, CLOCK);
#endif
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec system_limit(thrum_time delay)
{
    struct timespec limit;
    clock_gettime(CLOCK, &limit);
    int64_t rest = (int64_t)delay % THRUM_TICKS_PER_SECOND * TICK + limit.tv_nsec;
    limit.tv_sec += (time_t)((int64_t)delay / THRUM_TICKS_PER_SECOND + rest / SECOND);
    limit.tv_nsec = (long)(rest % SECOND);
    return limit;
}

thrum_time system_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK, &now);
    return (thrum_time)now.tv_sec * THRUM_TICKS_PER_SECOND + (thrum_time)(now.tv_nsec / TICK);
}

void system_name_thread(const char *name)
{
#if SYSTEM_LINUX
    pthread_setname_np(pthread_self(), name);
#else
    (void)name;
#endif
}

void system_processors_get(system_processors *processors)
{
    memset(processors, 0, sizeof *processors);
#if SYSTEM_LINUX
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        memcpy(processors->words, &set, sizeof set);
        processors->count = (unsigned)CPU_COUNT(&set);
        return;
    }
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    processors->count = count > 0 ? (unsigned)count : 1;
}

void system_processors_set(pthread_t thread, const system_processors *processors)
{
#if SYSTEM_LINUX
    cpu_set_t set;
    memcpy(&set, processors->words, sizeof set);
    if (CPU_COUNT(&set))
        pthread_setaffinity_np(thread, sizeof set, &set);
#else
    (void)thread;
    (void)processors;
#endif
}

void system_pin(pthread_t thread, const system_processors *processors, unsigned number)
{
#if SYSTEM_LINUX
    cpu_set_t set, one;
    memcpy(&set, processors->words, sizeof set);
    unsigned nth = number % processors->count;
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set) && nth-- == 0) {
            CPU_SET(i, &one);
            pthread_setaffinity_np(thread, sizeof one, &one);
            return;
        }
#else
    (void)thread;
    (void)processors;
    (void)number;
#endif
}
