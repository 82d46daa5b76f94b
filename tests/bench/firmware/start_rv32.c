/* The least that a RISC-V in machine mode needs around a program: the start, the way to the timer's interrupt, and
 * memory's two functions. */
#include <stddef.h>
#include <stdint.h>

extern uint32_t __data_start[], __data_end[], __data_source[], __bss_start[], __bss_end[];

int main(void);
void thrum_port_alarm(void);
void board_reset(void);
void *memset(void *to, int byte, size_t size);
void *memcpy(void *to, const void *from, size_t size);

__attribute__((interrupt, aligned(4))) static void trap(void)
{
    thrum_port_alarm();
}

__attribute__((used, noreturn)) static void begin(void)
{
    const uint32_t *from = __data_source;
    for (uint32_t *to = __data_start; to < __data_end; to++)
        *to = *from++;
    for (uint32_t *to = __bss_start; to < __bss_end; to++)
        *to = 0;
    __asm volatile("csrw mtvec, %0" ::"r"(trap));
    main();
    for (;;)
        ;
}

__attribute__((section(".start"), naked, used)) void board_reset(void)
{
    __asm volatile(".option push\n.option norelax\nla gp, __global_pointer$\n.option pop\nla sp, __stack_top\nj begin");
}

void *memset(void *to, int byte, size_t size)
{
    char *at = to;
    while (size--)
        *at++ = (char)byte;
    return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
    char *at = to;
    const char *next = from;
    while (size--)
        *at++ = *next++;
    return to;
}
