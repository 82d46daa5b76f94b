#include "core/panic.h"

#include <thrum/port.h>

#include "core/state.h"

void (*thrum_panic_hook)(const char *what, const thrum_function *function, uint32_t line);
void (*thrum_line_hook)(const char *line);
int (*thrum_tree_hook)(void (*put)(void *context, const char *line), void *context);

void thrum_panic(const char *what, const thrum_function *function, uint32_t line)
{
#if THRUM_HOSTED
    if (thrum_panic_hook)
        thrum_panic_hook(what, function, line);
    __builtin_trap();
#else
    thrum_port_panic(what, function ? function->operations.name : NULL, line);
#endif
}

#if !THRUM_HOSTED && THRUM_DEBUG
void thrum_check_isr_(void)
{
    if (thrum_port_in_isr())
        thrum_panic("called from an interrupt", NULL, 0);
}
#endif
