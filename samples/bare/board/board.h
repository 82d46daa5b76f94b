/* What the programs of this folder's neighbours know of the machine they run on. The machines are QEMU's and simavr's
 * (machines.py); for a board of your own, its maker's start-up code and linker script do the same. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- talking to who started the emulator ---- */

/* Text for the emulator's standard error. Not for real hardware: there a debugger would have to be attached. */
void board_put(const char *text);
void board_put_hex(uintptr_t value); /* all its digits */
void board_put_number(unsigned long value);

/* The end: the emulator exits with this status. main() returning does the same. */
_Noreturn void board_exit(int status);

/* Begin again: variables become what they were at the start, but for those in the section ".noinit". Devices are not
 * reset. */
_Noreturn void board_restart(void);

/* What ../emulate was given with --arguments, or "". */
const char *board_arguments(void);

/* What the emulator exits with after a fault (its registers are printed), after an interrupt nobody handles, and after
 * thrum_port_panic(). */
enum { BOARD_FAULT = 99, BOARD_UNEXPECTED = 98, BOARD_PANIC = 97 };

/* ---- the machine ---- */

/* Interrupts come to functions with these names, which a program may define: board_irqN() for line N of the interrupt
 * controller (NVIC, PLIC); on Cortex-M also SysTick_Handler(), PendSV_Handler() and SVC_Handler(); on RISC-V
 * board_timer() and board_software(). A line has to be switched on; AVR has its own ways (ISR() of
 * <avr/interrupt.h>). */
void board_irq_on(unsigned line);
void board_irq_off(unsigned line);

/* Have line N pending, as if the device asked for it (NVIC only). */
void board_irq_pend(unsigned line);

#if defined(BOARD_MICROBIT)
#define BOARD_HZ 16000000ul
#define BOARD_UART 0x40002000ul /* nRF51 */
#define BOARD_UART_LINE 2
#define BOARD_UART_HANDLER board_irq2
#define BOARD_TIMER 0x40008000ul /* nRF51 TIMER0: 16 MHz, up to 32 bits wide */
#define BOARD_TIMER_LINE 8
#define BOARD_TIMER_HANDLER board_irq8
#elif defined(BOARD_MPS2_AN385)
#define BOARD_HZ 25000000ul
#define BOARD_UART 0x40004000ul /* CMSDK */
#define BOARD_UART_LINE 0       /* receive; transmit is 1 */
#define BOARD_UART_HANDLER board_irq0
#define BOARD_UART_SENT_LINE 1
#define BOARD_UART_SENT_HANDLER board_irq1
#define BOARD_TIMER 0x40000000ul /* CMSDK, 32 bits, counts down */
#define BOARD_TIMER_LINE 8
#define BOARD_TIMER_HANDLER board_irq8
#define BOARD_TIMER2 0x40001000ul
#define BOARD_TIMER2_LINE 9
#define BOARD_TIMER2_HANDLER board_irq9
#elif defined(BOARD_MPS2_AN505)
#define BOARD_HZ 20000000ul
#define BOARD_UART 0x50200000ul /* CMSDK */
#define BOARD_UART_LINE 32
#define BOARD_UART_HANDLER board_irq32
#define BOARD_UART_SENT_LINE 33
#define BOARD_UART_SENT_HANDLER board_irq33
#define BOARD_TIMER 0x50000000ul
#define BOARD_TIMER_LINE 3
#define BOARD_TIMER_HANDLER board_irq3
#define BOARD_TIMER2 0x50001000ul
#define BOARD_TIMER2_LINE 4
#define BOARD_TIMER2_HANDLER board_irq4
#elif defined(BOARD_VIRT)
#define BOARD_HZ 10000000ul     /* of the machine timer */
#define BOARD_UART 0x10000000ul /* 16550 */
#define BOARD_UART_LINE 10
#define BOARD_UART_HANDLER board_irq10
#define BOARD_CLINT 0x02000000ul /* msip at 0, mtimecmp at 0x4000, mtime at 0xbff8 */
#define BOARD_PLIC 0x0c000000ul
#define BOARD_TIMER_HANDLER board_timer
#elif defined(BOARD_AVR)
#define BOARD_HZ 16000000ul
#endif

#endif
