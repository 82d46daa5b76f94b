/* A port for RISC-V in machine mode with a CLINT: a clock of 64 bits, and one alarm. Tickless.
 *
 * THRUM_PORT_CLINT is where the CLINT is, THRUM_PORT_HZ how fast mtime counts. The trap handler calls
 * thrum_port_alarm() for cause 7, the machine's timer; in debug builds it counts thrum_port_traps up while it is at
 * work, from which thrum sees what is called from an interrupt. */
#include <thrum/port.h>

#ifndef THRUM_PORT_CLINT
#include "board.h"
#define THRUM_PORT_CLINT BOARD_CLINT
#define THRUM_PORT_HZ BOARD_HZ
#define thrum_port_alarm board_timer
#endif

#ifndef THRUM_PORT_START
#define THRUM_PORT_START 0
#endif

#define MTIMECMP ((volatile uint32_t *)(THRUM_PORT_CLINT + 0x4000))
#define MTIME ((volatile uint32_t *)(THRUM_PORT_CLINT + 0xbff8))

/* Counts of mtime in a tick. */
#define COUNTS ((uint32_t)(THRUM_PORT_HZ / THRUM_TICKS_PER_SECOND))
_Static_assert(THRUM_PORT_HZ / THRUM_TICKS_PER_SECOND >= 1 && THRUM_PORT_HZ / THRUM_TICKS_PER_SECOND <= 0xffff,
               "the division below goes by 16 bits at a time");

void thrum_port_alarm(void);

volatile uint8_t thrum_port_traps;

static uint64_t count(void)
{
#if __riscv_xlen == 64
    return *(volatile uint64_t *)MTIME;
#else
    uint32_t high, low;
    do {
        high = MTIME[1];
        low = MTIME[0];
    } while (high != MTIME[1]); /* the low half went round in between */
    return (uint64_t)high << 32 | low;
#endif
}

/* Of the two halves no pair may be earlier than the alarm, not even between the stores. */
static void compare(uint64_t when)
{
#if __riscv_xlen == 64
    *(volatile uint64_t *)MTIMECMP = when;
#else
    MTIMECMP[1] = UINT32_MAX;
    MTIMECMP[0] = (uint32_t)when;
    MTIMECMP[1] = (uint32_t)(when >> 32);
#endif
}

/* Ticks, and what is left over of the next one: a long division by hand, since that of 64 bits is a library call. */
static uint32_t divide(uint64_t counts, uint32_t *left)
{
    const uint32_t halves[] = {(uint32_t)(counts >> 32), (uint32_t)counts};
    uint32_t ticks = 0, rest = 0;
    for (unsigned i = 0; i < 4; i++) {
        rest = rest << 16 | (i % 2 ? halves[i / 2] & 0xffff : halves[i / 2] >> 16);
        ticks = ticks << 16 | rest / COUNTS;
        rest %= COUNTS;
    }
    *left = rest;
    return ticks + THRUM_PORT_START;
}

void thrum_port_open(void)
{
    compare(UINT64_MAX);
    __asm volatile("csrs mie, %0\n\tcsrsi mstatus, 8" ::"r"(1 << 7) : "memory");
}

thrum_time thrum_port_now(void)
{
    uint32_t left;
    return divide(count(), &left);
}

void thrum_port_arm(thrum_time when)
{
    uint32_t left;
    uint64_t counts = count();
    uint32_t ahead = when - divide(counts, &left);
    compare((int32_t)ahead <= 0 ? 0 : counts - left + (uint64_t)ahead * COUNTS);
}

/* The alarm has done its work by being there. */
void thrum_port_alarm(void)
{
    compare(UINT64_MAX);
}

/* WFI ends when an interrupt is pending that is enabled in mie, also while mstatus masks it: none is missed. */
void thrum_port_idle(void)
{
    __asm volatile("wfi" ::: "memory");
}

bool thrum_port_in_isr(void)
{
    return thrum_port_traps != 0;
}
