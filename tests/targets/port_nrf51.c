/* A port for the tests on a microbit: TIMER0 of an nRF51, 32 bits at 31250 Hz, is the clock as it is
 * (THRUM_TICKS_PER_SECOND is 31250). */
#include <board.h>
#include <thrum/port.h>

#define REGISTER(at) (*(volatile uint32_t *)(BOARD_TIMER + (at)))
#define START REGISTER(0x000)
#define CAPTURE_1 REGISTER(0x044)
#define COMPARED_0 REGISTER(0x140)
#define INTENSET REGISTER(0x304)
#define BITMODE REGISTER(0x508)
#define PRESCALER REGISTER(0x510)
#define CC_0 REGISTER(0x540)
#define CC_1 REGISTER(0x544)

_Static_assert(THRUM_TICKS_PER_SECOND == 31250, "16 MHz by 2^9");

void BOARD_TIMER_HANDLER(void);
void BOARD_TIMER_HANDLER(void)
{
    COMPARED_0 = 0;
}

void thrum_port_open(void)
{
    BITMODE = 3;
    PRESCALER = 9;
    INTENSET = 1 << 16;
    START = 1;
    board_irq_on(BOARD_TIMER_LINE);
}

thrum_time thrum_port_now(void)
{
    CAPTURE_1 = 1;
    return CC_1;
}

void thrum_port_arm(thrum_time when)
{
    COMPARED_0 = 0;
    CC_0 = when;
    /* What is past when it has been written may have been missed. */
    if ((int32_t)(when - thrum_port_now()) <= 0)
        board_irq_pend(BOARD_TIMER_LINE);
}

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
