#include "core/panic.h"

void (*thrum_panic_hook)(const char *what, const thrum_function *function, uint32_t line);

void thrum_panic(const char *what, const thrum_function *function, uint32_t line)
{
    if (thrum_panic_hook)
        thrum_panic_hook(what, function, line);
#if defined(__GNUC__) && !defined(__AVR__) /* where it would call abort() */
    __builtin_trap();
#else
    for (;;)
        ;
#endif
}
