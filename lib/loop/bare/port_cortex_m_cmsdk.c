/* A tickless port for a Cortex-M with two timers of 32 bits, here Arm's CMSDK timers, as on the MPS2 boards. One counts
 * all the time and is the clock; the other is the alarm. Another chip's timers take their registers' places here, and
 * nothing else changes.
 *
 * THRUM_PORT_TIMER and THRUM_PORT_TIMER_LINE are the alarm and its interrupt, THRUM_PORT_COUNTER the clock,
 * THRUM_PORT_HZ how fast both count. The vector table must lead the interrupt to thrum_port_alarm(). */
#include <thrum/port.h>

#ifndef THRUM_PORT_TIMER
#include "board.h"
#define THRUM_PORT_TIMER BOARD_TIMER
#define THRUM_PORT_TIMER_LINE BOARD_TIMER_LINE
#define THRUM_PORT_COUNTER BOARD_TIMER2
#define THRUM_PORT_HZ BOARD_HZ
#define thrum_port_alarm BOARD_TIMER_HANDLER
#endif

/* Where the clock begins; tests set it shortly before its end. */
#ifndef THRUM_PORT_START
#define THRUM_PORT_START 0
#endif

typedef struct timer {
    volatile uint32_t control, value, reload, clear;
} timer;

enum { ON = 1, INTERRUPT = 8 };

#define ALARM ((timer *)THRUM_PORT_TIMER)
#define COUNTER ((timer *)THRUM_PORT_COUNTER)
#define NVIC(at, line) (*(volatile uint32_t *)(0xe000e000u + (at) + (line) / 32 * 4) = 1u << ((line)&31))

/* Counts in a tick; and how far ahead an alarm can be: half of what 32 bits hold, so that nothing goes round. */
#define COUNTS ((uint32_t)(THRUM_PORT_HZ / THRUM_TICKS_PER_SECOND))
#define FARTHEST (HALF / COUNTS)

void thrum_port_alarm(void);

static struct {
    volatile uint32_t ticks;
    volatile uint32_t counted; /* what the counter showed when the last of them was over: it counts down */
} passed = {THRUM_PORT_START, 0};

/* Half of what the counter holds. The alarm comes at least so often, also when nothing is timed: looked at once a
 * round, the counter would have a whole round and a part of the tick before behind it, of which it shows that part. */
#define HALF UINT32_C(0x80000000)

static void start(uint32_t counts)
{
    ALARM->control = 0;
    ALARM->clear = 1;
    ALARM->reload =
        UINT32_MAX; /* first: it sets the value, too; an alarm that begins with both may come a round late */
    ALARM->value = counts;
    ALARM->control = ON | INTERRUPT;
}

void thrum_port_open(void)
{
    COUNTER->reload = COUNTER->value = passed.counted = UINT32_MAX;
    COUNTER->control = ON;
    start(HALF);
    NVIC(0x100, THRUM_PORT_TIMER_LINE);
}

/* The two are one time, which the alarm moves on: where that came in between, it is read anew. */
thrum_time thrum_port_now(void)
{
    uint32_t from, at, value;
    do {
        from = passed.counted;
        at = passed.ticks;
        value = COUNTER->value;
    } while (from != passed.counted);
    return at + (from - value) / COUNTS;
}

void thrum_port_arm(thrum_time when)
{
    uint32_t ahead = when - passed.ticks;            /* called masked: they stand still */
    uint32_t into = passed.counted - COUNTER->value; /* behind them */
    if (ahead > FARTHEST && (int32_t)ahead > 0)
        ahead = FARTHEST;
    if ((int32_t)ahead <= 0 || into >= ahead * COUNTS)
        NVIC(0x200, THRUM_PORT_TIMER_LINE);
    else
        start(ahead * COUNTS - into);
}

/* It has done its work by coming, but for the clock, which is not to go round unseen. Masked, since interrupts that are
 * more urgent may ask for the time. */
void thrum_port_alarm(void)
{
    uint32_t was;
    start(HALF);
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(was)::"memory");
    uint32_t more = (passed.counted - COUNTER->value) / COUNTS;
    passed.ticks += more;
    passed.counted -= more * COUNTS;
    __asm volatile("msr primask, %0" ::"r"(was) : "memory");
}

/* WFI ends when an interrupt is pending, masked or not: none is missed that came since the loop looked. */
void thrum_port_idle(void)
{
    __asm volatile("dsb\n\twfi\n\tisb" ::: "memory");
}

bool thrum_port_in_isr(void)
{
    uint32_t exception;
    __asm volatile("mrs %0, ipsr" : "=r"(exception));
    return exception != 0;
}
