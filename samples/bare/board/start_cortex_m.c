/* Vectors, start-up and faults of a Cortex-M. */
#include "board.h"

extern char __stack_top[];
extern uint32_t __data_start[], __data_end[], __data_source[], __bss_start[], __bss_end[];

int main(void);
void board_fault(void);

/* The processor enters it with the stack in place. */
_Noreturn void board_reset(void);
__attribute__((used)) _Noreturn void board_reset(void)
{
    const uint32_t *from = __data_source;
    for (uint32_t *to = __data_start; to < __data_end; to++)
        *to = *from++;
    for (uint32_t *to = __bss_start; to < __bss_end; to++)
        *to = 0;
    board_exit(main());
}

_Noreturn void board_restart(void)
{
    __asm volatile("cpsid i\n"
                   "ldr r0, =__stack_top\n"
                   "mov sp, r0\n"
                   "cpsie i\n"
                   "bl board_reset\n"
                   ".ltorg\n");
    __builtin_unreachable();
}

/* ---- faults ---- */

static void put_register(const char *name, uint32_t value)
{
    board_put(name);
    board_put_hex(value);
}

/* `stacked` is what the processor put there: r0-r3, r12, lr, pc, xpsr; `kept` are r4-r11. */
__attribute__((used, noreturn)) static void report(const uint32_t *stacked, const uint32_t *kept)
{
    static const char *const names[] = {"\nr0  ", "  r1  ", "  r2  ", "  r3  ", "\nr12 ", "  lr  ", "  pc  ", "  psr "};
    static const char *const saved[] = {"\nr4  ", "  r5  ", "  r6  ", "  r7  ", "\nr8  ", "  r9  ", "  r10 ", "  r11 "};
    uint32_t exception;
    __asm volatile("mrs %0, ipsr" : "=r"(exception));
    board_put(exception < 16 ? "fault " : "nobody handles exception ");
    board_put_number(exception);
    for (unsigned i = 0; i < 8; i++)
        put_register(names[i], stacked[i]);
    for (unsigned i = 0; i < 8; i++)
        put_register(saved[i], kept[i]);
    put_register("\nsp  ", (uint32_t)(uintptr_t)stacked + 32);
#if !defined(__ARM_ARCH_6M__)
    put_register("  cfsr ", *(volatile uint32_t *)0xe000ed28);
    put_register("  bfar ", *(volatile uint32_t *)0xe000ed38);
#endif
    board_put("\n");
    board_exit(exception < 16 ? BOARD_FAULT : BOARD_UNEXPECTED);
}

/* Which stack was in use stands in the return address. The report gets a stack of its own when the other may be used
 * up: the main stack's top is as good as any, since nobody goes back. */
__attribute__((naked, used)) void board_fault(void)
{
    __asm volatile("mov r0, lr\n"
                   "movs r1, #4\n"
                   "tst r0, r1\n"
                   "mrs r0, msp\n"
                   "beq 1f\n"
                   "mrs r0, psp\n"
                   "1: mov r4, r4\n"
                   "push {r4-r7}\n"
                   "mov r4, r8\n"
                   "mov r5, r9\n"
                   "mov r6, r10\n"
                   "mov r7, r11\n"
                   "sub sp, #16\n"
                   "str r4, [sp, #0]\n"
                   "str r5, [sp, #4]\n"
                   "str r6, [sp, #8]\n"
                   "str r7, [sp, #12]\n"
                   "ldr r4, [sp, #16]\n" /* r4-r7 come first in what report() gets */
                   "ldr r5, [sp, #20]\n"
                   "ldr r6, [sp, #24]\n"
                   "ldr r7, [sp, #28]\n"
                   "push {r4-r7}\n"
                   "mov r1, sp\n"
                   "ldr r2, =report\n"
                   "bx r2\n"
                   ".ltorg\n");
}

/* ---- vectors ---- */

#define WEAK __attribute__((weak, alias("board_fault")))
void NMI_Handler(void) WEAK;
void SVC_Handler(void) WEAK;
void PendSV_Handler(void) WEAK;
void SysTick_Handler(void) WEAK;

#define TEN(x, tens)                                                                                                   \
    x(tens##0) x(tens##1) x(tens##2) x(tens##3) x(tens##4) x(tens##5) x(tens##6) x(tens##7) x(tens##8) x(tens##9)
#define EACH(x) TEN(x, ) TEN(x, 1) TEN(x, 2) TEN(x, 3) x(40) x(41) x(42) x(43) x(44) x(45) x(46) x(47)
#define DECLARE(line) void board_irq##line(void) WEAK;
#define VECTOR(line) board_irq##line,
EACH(DECLARE)

typedef void (*vector)(void);
__attribute__((section(".vectors"), used)) static const vector vectors[] = {
    (vector)(void *)__stack_top,
    board_reset,
    NMI_Handler,
    board_fault, /* hard fault */
    board_fault, /* memory, bus, usage, secure fault */
    board_fault,
    board_fault,
    board_fault,
    0,
    0,
    0,
    SVC_Handler,
    board_fault, /* debug monitor */
    0,
    PendSV_Handler,
    SysTick_Handler,
    EACH(VECTOR)};

#define NVIC(at, line) (*(volatile uint32_t *)(0xe000e000u + (at) + (line) / 32 * 4) = 1u << ((line)&31))

void board_irq_on(unsigned line)
{
    NVIC(0x100, line);
}

void board_irq_off(unsigned line)
{
    NVIC(0x180, line);
    __asm volatile("dsb\nisb" ::: "memory");
}

void board_irq_pend(unsigned line)
{
    NVIC(0x200, line);
    __asm volatile("dsb\nisb" ::: "memory");
}
