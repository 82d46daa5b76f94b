/* A port for any Cortex-M, on the timer that all of them have: SysTick counts ticks. Easy to begin with; a processor
 * that is to sleep longer than a tick wants a timer of its chip (port_cortex_m_cmsdk.c).
 *
 * THRUM_PORT_HZ says how fast SysTick counts, which is the processor's clock; the vector table must name
 * SysTick_Handler(). */
#include <thrum/port.h>

#ifndef THRUM_PORT_HZ
#include "board.h"
#define THRUM_PORT_HZ BOARD_HZ
#endif

#define SYST_CSR (*(volatile uint32_t *)0xe000e010)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018)

/* Where the clock begins; tests set it shortly before its end. */
#ifndef THRUM_PORT_START
#define THRUM_PORT_START 0
#endif

void SysTick_Handler(void);

static volatile uint32_t ticks = THRUM_PORT_START;
static bool due;

void SysTick_Handler(void)
{
    ticks++;
}

void thrum_port_open(void)
{
    SYST_RVR = THRUM_PORT_HZ / THRUM_TICKS_PER_SECOND - 1;
    SYST_CVR = 0;
    SYST_CSR = 7; /* on, with interrupts, from the processor's clock */
}

thrum_time thrum_port_now(void)
{
    return ticks;
}

/* Every tick is an interrupt, so there is nothing to arm. */
void thrum_port_arm(thrum_time when)
{
    due = (int32_t)(when - ticks) <= 0;
}

/* WFI ends when an interrupt is pending, masked or not: none is missed that came since the loop looked. */
void thrum_port_idle(void)
{
    if (!due)
        __asm volatile("dsb\n\twfi\n\tisb" ::: "memory");
    due = false;
}

bool thrum_port_in_isr(void)
{
    uint32_t exception;
    __asm volatile("mrs %0, ipsr" : "=r"(exception));
    return exception != 0;
}
