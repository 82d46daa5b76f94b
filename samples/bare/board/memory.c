/* What compilers call for large copies. A C library has faster ones. The barriers keep a compiler from making these
 * loops into calls of themselves. */
#include <stddef.h>

#define WEAK __attribute__((weak))
#define BARRIER() __asm volatile("" ::: "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memset(void *to, int byte, size_t count);

WEAK void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    char *out = to;
    const char *in = from;
    while (count--) {
        *out++ = *in++;
        BARRIER();
    }
    return to;
}

WEAK void *memset(void *to, int byte, size_t count)
{
    char *out = to;
    while (count--) {
        *out++ = (char)byte;
        BARRIER();
    }
    return to;
}
