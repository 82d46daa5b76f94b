/* What a panic does where the port does not say: the processor stops. */
#include <thrum/port.h>

#if defined(__GNUC__)
__attribute__((weak))
#endif
THRUM_NORETURN_ void
thrum_port_panic(const char *what, const char *function, uint32_t line)
{
    (void)what;
    (void)function;
    (void)line;
#if defined(__GNUC__) && !defined(__AVR__) /* where it would call abort() */
    __builtin_trap();
#else
    for (;;)
        ;
#endif
}
