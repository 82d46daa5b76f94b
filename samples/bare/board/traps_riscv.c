/* What comes of a trap on a RISC-V in machine mode; start_riscv.S saves the registers. */
#include "board.h"

enum { SOFTWARE = 3, TIMER = 7, EXTERNAL = 11 };

void board_interrupt(uintptr_t cause);
_Noreturn void board_fault(uintptr_t cause, const uintptr_t *registers);

_Noreturn void board_restart(void)
{
    __asm volatile("csrc mstatus, 8\n"
                   "la t0, board_reset\n"
                   "jr t0");
    __builtin_unreachable();
}

static _Noreturn void unexpected(void)
{
    board_put("nobody handles this interrupt\n");
    board_exit(BOARD_UNEXPECTED);
}

#define WEAK __attribute__((weak, alias("unexpected")))
void board_software(void) WEAK;
void board_timer(void) WEAK;
void board_irq10(void) WEAK;

static volatile uint32_t *plic(uintptr_t at)
{
    return (volatile uint32_t *)(BOARD_PLIC + at);
}

void board_irq_on(unsigned line)
{
    *plic(4 * line) = 1; /* its priority */
    *plic(0x2000 + line / 32 * 4) |= 1u << (line & 31);
    *plic(0x200000) = 0; /* threshold */
    __asm volatile("csrs mie, %0" ::"r"(1u << EXTERNAL));
}

void board_irq_off(unsigned line)
{
    *plic(0x2000 + line / 32 * 4) &= ~(1u << (line & 31));
}

static void external(void)
{
    const uint32_t line = *plic(0x200004); /* claims it */
    if (line == BOARD_UART_LINE)
        board_irq10();
    else if (line != 0)
        unexpected();
    *plic(0x200004) = line;
}

void board_interrupt(uintptr_t cause)
{
    switch (cause & 0xff) {
    case SOFTWARE:
        board_software();
        break;
    case TIMER:
        board_timer();
        break;
    case EXTERNAL:
        external();
        break;
    default:
        unexpected();
    }
}

void board_fault(uintptr_t cause, const uintptr_t *registers)
{
    static const char names[] =
        "zerora  sp  gp  tp  t0  t1  t2  s0  s1  a0  a1  a2  a3  a4  a5  a6  a7  s2  s3  s4  s5  "
        "s6  s7  s8  s9  s10 s11 t3  t4  t5  t6  ";
    uintptr_t pc, address;
    __asm volatile("csrr %0, mepc\ncsrr %1, mtval" : "=r"(pc), "=r"(address));
    board_put("fault ");
    board_put_number((unsigned long)cause);
    for (unsigned i = 1; i < 32; i++) {
        const char name[] = {i % 4 == 1 ? '\n' : ' ', ' ', names[4 * i], names[4 * i + 1], names[4 * i + 2], ' ', '\0'};
        board_put(name);
        board_put_hex(registers[i]);
    }
    board_put("\n  pc  ");
    board_put_hex(pc);
    board_put("  tval ");
    board_put_hex(address);
    board_put("\n");
    board_exit(BOARD_FAULT);
}
