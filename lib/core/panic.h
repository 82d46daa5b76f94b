/* The end of a program that cannot go on. The loop says how it is told; without one the processor stops. */
#ifndef THRUM_CORE_PANIC_H
#define THRUM_CORE_PANIC_H

#include <thrum/async.h>

void thrum_panic(const char *what, const thrum_function *function, uint32_t line) THRUM_NORETURN_;

/* Set by the loop: writes the message and ends the program. */
extern void (*thrum_panic_hook)(const char *what, const thrum_function *function, uint32_t line);

/* Set by the printing of call graphs, where the program has it: all tasks as a tree. `put` may be NULL: the log. */
extern int (*thrum_tree_hook)(void (*put)(void *context, const char *line), void *context);

/* Set by the loop: takes a line for the log. NULL: there is nowhere to write to. */
extern void (*thrum_line_hook)(const char *line);

#endif
