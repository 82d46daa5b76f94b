/* The end of a program that cannot go on. The loop says how it is told; without one the processor stops. */
#ifndef THRUM_CORE_PANIC_H
#define THRUM_CORE_PANIC_H

#include <thrum/async.h>

void thrum_panic(const char *what, const thrum_function *function, uint32_t line) THRUM_NORETURN_;

/* Set by the loop: writes the message and ends the program. */
extern void (*thrum_panic_hook)(const char *what, const thrum_function *function, uint32_t line);

#endif
