/* Semihosting: the emulator (or a debugger) does for the program what an operating system would. */
#include "board.h"

enum { SYS_WRITE0 = 0x04, SYS_GET_CMDLINE = 0x15, SYS_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };

#if defined(__riscv)
/* The three instructions that are recognised have to be uncompressed, next to each other and in one page. */
__attribute__((noinline)) static uintptr_t call(uintptr_t operation, const void *argument)
{
    register uintptr_t a0 __asm("a0") = operation;
    register const void *a1 __asm("a1") = argument;
    __asm volatile(".option push\n"
                   ".option norvc\n"
                   ".balign 16\n"
                   "slli zero, zero, 0x1f\n"
                   "ebreak\n"
                   "srai zero, zero, 7\n"
                   ".option pop"
                   : "+r"(a0)
                   : "r"(a1)
                   : "memory");
    return a0;
}
#else
static uintptr_t call(uintptr_t operation, const void *argument)
{
    register uintptr_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}
#endif

void board_put(const char *text)
{
    call(SYS_WRITE0, text);
}

void board_put_hex(uintptr_t value)
{
    char text[2 * sizeof value + 1];
    for (unsigned i = 0; i < 2 * sizeof value; i++)
        text[i] = "0123456789abcdef"[value >> 4 * (2 * sizeof value - 1 - i) & 15];
    text[2 * sizeof value] = '\0';
    board_put(text);
}

void board_put_number(unsigned long value)
{
    char text[24];
    char *at = text + sizeof text - 1;
    *at = '\0';
    do
        *--at = (char)('0' + (int)(value % 10));
    while ((value /= 10) != 0);
    board_put(at);
}

_Noreturn void board_exit(int status)
{
    const uintptr_t block[2] = {APPLICATION_EXIT, (uintptr_t)status};
    call(SYS_EXIT_EXTENDED, block);
    for (;;)
        continue;
}

const char *board_arguments(void)
{
    static char text[256];
    struct {
        char *text;
        uintptr_t size;
    } block = {text, sizeof text};
    const char *at = text;
    if (call(SYS_GET_CMDLINE, &block) != 0)
        return "";
    while (*at && *at != ' ') /* the program's name comes first */
        at++;
    return *at ? at + 1 : at;
}
