/* What a C library asks of the machine: memory, between what the program has and the stack, which gets 4 K; and, since
 * newlib's stdio refers to them, a few calls that no test makes. */
#include <board.h>

_Noreturn void abort(void);
_Noreturn void abort(void)
{
    board_put("abort()\n");
    board_exit(96);
}

#if !defined(BOARD_AVR)
extern char end[], __stack_top[];
static char *at = end;

void *sbrk(ptrdiff_t bytes);
void *_sbrk(ptrdiff_t bytes) __attribute__((alias("sbrk")));
void *sbrk(ptrdiff_t bytes)
{
    char *was = at;
    if (bytes > (ptrdiff_t)((uintptr_t)__stack_top - (uintptr_t)at) - 4096)
        return (void *)-1;
    at += bytes;
    return was;
}
#endif

#if defined(__arm__)
#define REFUSED(name)                                                                                                  \
    int name(void);                                                                                                    \
    int name(void)                                                                                                     \
    {                                                                                                                  \
        return -1;                                                                                                     \
    }
REFUSED(_write)
REFUSED(_read)
REFUSED(_close)
REFUSED(_fstat)
REFUSED(_isatty)
REFUSED(_lseek)
REFUSED(_kill)
REFUSED(_getpid)
#endif
