/* What there is to compare with: coroutines as protothreads make them. A function remembers by a `switch` where it goes
 * on, and a loop that never sleeps calls each of them again and again. No errors, no cancellation, no nested calls. */
#ifndef FIRMWARE_SUPERLOOP_H
#define FIRMWARE_SUPERLOOP_H

#include <stdbool.h>
#include <stdint.h>

typedef uint16_t place;

/* A function that waits gives false, one that is at its end true. */
#define BEGIN(at)                                                                                                      \
    switch (at) {                                                                                                      \
    case 0:
#define WAIT_UNTIL(at, condition)                                                                                      \
    do {                                                                                                               \
        (at) = __LINE__;                                                                                               \
        __attribute__((fallthrough));                                                                                  \
    case __LINE__:                                                                                                     \
        if (!(condition))                                                                                              \
            return false;                                                                                              \
    } while (0)
#define END                                                                                                            \
    }                                                                                                                  \
    return true

/* A clock of milliseconds that an interrupt counts; superloop.c has it. */
extern volatile uint32_t ticks;

/* One that is running: 4 bytes. */
typedef uint32_t delay;

static inline bool over(delay until)
{
    return (int32_t)(ticks - until) >= 0;
}

#define SLEEP(at, until, milliseconds)                                                                                 \
    do {                                                                                                               \
        (until) = ticks + (milliseconds);                                                                              \
        WAIT_UNTIL(at, over(until));                                                                                   \
    } while (0)

#endif
