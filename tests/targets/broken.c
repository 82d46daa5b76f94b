/* Programs that end badly, for the test of what runs them: --arguments says how. */
#include <board.h>

int main(void)
{
    switch (board_arguments()[0]) {
    case 'f': /* a fault */
#if defined(BOARD_AVR)
        ((void (*)(void))0xfff0)(); /* nothing is there */
#else
        __builtin_trap();
#endif
        break;
    case 'h': /* a hang */
        for (;;)
            __asm volatile("");
    case 'i': /* an interrupt that nobody handles */
#if defined(__arm__)
        board_irq_on(7);
        board_irq_pend(7);
#elif defined(BOARD_VIRT)
        __asm volatile("csrs mie, %0\n\tcsrsi mstatus, 8" ::"r"(8));
        *(volatile uint32_t *)BOARD_CLINT = 1;
#endif
        break;
    default:
        return 42;
    }
    return 0;
}
