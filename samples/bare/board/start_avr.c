/* An AVR under simulate_avr.c. avr-libc has the start-up code; three registers that a program can use as it likes lead
 * to the simulator. */
#include "board.h"
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

/* GPIOR0: the exit status; the end itself is to sleep where nothing can wake it. GPIOR1: what is written there is text.
 * GPIOR2: each read gives the next character of the arguments. */
void board_put(const char *text)
{
    while (*text)
        GPIOR1 = (uint8_t)*text++;
}

void board_put_hex(uintptr_t value)
{
    for (int8_t shift = 12; shift >= 0; shift = (int8_t)(shift - 4))
        GPIOR1 = (uint8_t) "0123456789abcdef"[value >> shift & 15];
}

void board_put_number(unsigned long value)
{
    char text[12];
    char *at = text + sizeof text - 1;
    *at = '\0';
    do
        *--at = (char)('0' + (char)(value % 10));
    while ((value /= 10) != 0);
    board_put(at);
}

_Noreturn void board_exit(int status)
{
    cli();
    GPIOR0 = (uint8_t)status;
    for (;;) {
        sleep_enable();
        sleep_cpu();
    }
}

_Noreturn void board_restart(void)
{
    cli();
    __asm volatile("jmp 0");
    __builtin_unreachable();
}

const char *board_arguments(void)
{
    static char text[64];
    if (!text[0]) /* they can be read once */
        for (uint8_t i = 0; i < sizeof text - 1; i++)
            if ((text[i] = (char)GPIOR2) == '\0')
                break;
    return text;
}

ISR(BADISR_vect)
{
    board_put("nobody handles this interrupt\n");
    board_exit(BOARD_UNEXPECTED);
}

/* avr-libc's exit() would sleep, too, but with a status of 0. */
int main(void);
void exit(int status) __attribute__((noreturn));
void exit(int status)
{
    board_exit(status);
}
