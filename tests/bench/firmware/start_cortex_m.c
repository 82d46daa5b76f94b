/* The least that a Cortex-M0 needs around a program: 64 vectors, the start, and memory's two functions. */
#include <stddef.h>
#include <stdint.h>

extern uint32_t __data_start[], __data_end[], __data_source[], __bss_start[], __bss_end[];
extern char __stack_top[];

int main(void);
void SysTick_Handler(void);
void *memset(void *to, int byte, size_t size);
void *memcpy(void *to, const void *from, size_t size);

static void stop(void)
{
    for (;;)
        __asm volatile("bkpt 0");
}

static void reset(void)
{
    const uint32_t *from = __data_source;
    for (uint32_t *to = __data_start; to < __data_end; to++)
        *to = *from++;
    for (uint32_t *to = __bss_start; to < __bss_end; to++)
        *to = 0;
    main();
    stop();
}

__attribute__((section(".vectors"), used)) static const void *const vectors[64] = {
    __stack_top, (const void *)reset, (const void *)stop, (const void *)stop, [15] = (const void *)SysTick_Handler};

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
