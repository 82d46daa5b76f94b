/* A hardware timer that interrupts once, after so many of its counts; for programs that have no port's timer beside it.
 * Stopping it is also what its interrupt does first. */
#ifndef TARGETS_ONESHOT_H
#define TARGETS_ONESHOT_H

#include <board.h>

#define WORD(at) (*(volatile uint32_t *)(at))

#if defined(BOARD_MPS2_AN385) || defined(BOARD_MPS2_AN505)
/* CMSDK: counts down at the processor's clock. */
static inline void oneshot_open(void)
{
    board_irq_on(BOARD_TIMER_LINE);
}

static inline void oneshot_arm(uint32_t counts)
{
    WORD(BOARD_TIMER) = 0;
    WORD(BOARD_TIMER + 8) = 0xffffffff; /* what it begins again from; that sets what it counts, too */
    WORD(BOARD_TIMER + 4) = counts;
    WORD(BOARD_TIMER) = 9; /* on, with interrupt */
}

static inline void oneshot_stop(void)
{
    WORD(BOARD_TIMER) = 0;
    WORD(BOARD_TIMER + 12) = 1;
}
#elif defined(BOARD_MICROBIT)
/* nRF51 TIMER0 at 16 MHz. */
static inline void oneshot_open(void)
{
    WORD(BOARD_TIMER + 0x508) = 3; /* 32 bits */
    WORD(BOARD_TIMER + 0x510) = 0;
    WORD(BOARD_TIMER + 0x304) = 1 << 16;
    board_irq_on(BOARD_TIMER_LINE);
}

static inline void oneshot_arm(uint32_t counts)
{
    WORD(BOARD_TIMER + 0x00c) = 1; /* from 0 on */
    WORD(BOARD_TIMER + 0x540) = counts;
    WORD(BOARD_TIMER) = 1;
}

static inline void oneshot_stop(void)
{
    WORD(BOARD_TIMER + 4) = 1;
    WORD(BOARD_TIMER + 0x140) = 0;
}
#elif defined(BOARD_VIRT)
static inline void oneshot_open(void)
{
    WORD(BOARD_CLINT + 0x4004) = 0xffffffff;
    __asm volatile("csrs mie, %0\n\tcsrsi mstatus, 8" ::"r"(1 << 7) : "memory");
}

/* A run of a test is short: the clock's low half does not go round. */
static inline void oneshot_arm(uint32_t counts)
{
    WORD(BOARD_CLINT + 0x4000) = WORD(BOARD_CLINT + 0xbff8) + counts;
    WORD(BOARD_CLINT + 0x4004) = 0;
}

static inline void oneshot_stop(void)
{
    WORD(BOARD_CLINT + 0x4004) = 0xffffffff;
}
#endif

#endif
